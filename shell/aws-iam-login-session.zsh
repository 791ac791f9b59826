# What aws-iam-login.zsh reads when it is needed: `use`, the renewal of a session, and the session in the file.

# --- The program -----------------------------------------------------------------------------------------------

# Runs the program. A copy made by `setup` has a stamp: its version, and where the program and its Node were, for
# a PATH that has lost them (a Node version manager has moved on).
__aws_iam_login_run() {
  local -a ail_stamp
  if [[ -r $__aws_iam_login_home/stamp ]]; then ail_stamp=("${(@f)$(<$__aws_iam_login_home/stamp)}"); fi
  local -x AWS_IAM_LOGIN_HOOK_VERSION=${ail_stamp[1]-}
  if whence -p aws-iam-login >/dev/null && { [[ ! -f ${ail_stamp[3]-} ]] || whence -p node >/dev/null }; then
    # In a subshell of its own it becomes the program: a process less.
    if [[ -n ${ail_instead-} ]]; then exec command aws-iam-login "$@"; fi
    command aws-iam-login "$@"
  elif [[ ! -f ${ail_stamp[3]-} ]]; then
    __aws_iam_login_report_gone
  elif [[ -x $ail_stamp[2] ]]; then
    "$ail_stamp[2]" "$ail_stamp[3]" "$@"
  else
    command node "$ail_stamp[3]" "$@"
  fi
}

# Says what remains to be done where the program is no longer installed.
__aws_iam_login_report_gone() {
  local ail_rest="the line that loads $__aws_iam_login_home/shell/aws-iam-login.zsh"
  if [[ -r $__aws_iam_login_home/stamp ]]; then
    ail_rest="the block 'aws-iam-login' from ${ZDOTDIR:-${HOME-}}/.zshrc, and $__aws_iam_login_home"
  fi
  __aws_iam_login_say "the program is gone: install it again, or remove $ail_rest"
  return 127
}

# Runs a function of ours and applies what it prints to this shell; returns its exit code.
__aws_iam_login_apply() {
  setopt local_options local_traps
  trap : INT # not '', which the program would inherit; it also keeps the eval whole
  local ail_text ail_code=0
  ail_text=$(ail_instead=1 && "$@") || ail_code=$?
  if (( ail_code == 0 )); then
    [[ -n $ail_text ]] && builtin eval "$ail_text" || ail_code=1
  fi
  return $ail_code
}

# Finds the command among the words, in either order, and leaves its name in ail_command, its place in ail_at, and
# whether it is to be silent in ail_quiet.
__aws_iam_login_find_command() {
  local ail_word ail_value= ail_profile= ail_place=0
  ail_command=login ail_at=0
  for ail_word in "$@"; do
    (( ail_place += 1 ))
    if [[ -n $ail_value ]]; then
      ail_value=
      continue
    fi
    case $ail_word in
      (--) return ;;
      # >>> options: made by npm run generate
      (--help|-h|--version)
        ail_command=help
        return ;;
      (--profile|-p|--token-code|--duration|--min-ttl|--serial-number|--region|--format|--as|--key-store|--service|--browser|--max-key-age) ail_value=1 ;;
      # <<< options
      (--quiet|-q) ail_quiet=1 ;;
      (-?*) ;;
      (*)
        (( ail_at )) && continue
        case $ail_word in
          # >>> commands: made by npm run generate
          (init|login|env|use|exec|credential-process|rotate|status|list|logout|console|doctor|policy|hook|setup|completion|help|version)
          # <<< commands
            ail_command=$ail_word ail_at=$ail_place ;;
          (*)
            if [[ -n $ail_profile ]]; then ail_command=$ail_word ail_at=$ail_place; fi
            ail_profile=1 ;;
        esac ;;
    esac
  done
}

# Logs out, and takes the session out of this shell when the program says that it is one of those.
__aws_iam_login_logout() {
  local ail_said
  ail_said=$(__aws_iam_login_run "$@") || return
  if [[ $ail_said == unset ]]; then __aws_iam_login_apply __aws_iam_login_run env --unset --format env; fi
}

__aws_iam_login_main() {
  local ail_command ail_at ail_quiet= ail_code=0
  __aws_iam_login_find_command "$@"
  case $ail_command in
    (use) __aws_iam_login_apply __aws_iam_login_run "${@[1,ail_at-1]}" env --format env "${@[ail_at+1,-1]}" || ail_code=$? ;;
    (logout) __aws_iam_login_logout "${@[1,ail_at]}" --hook "${@[ail_at+1,-1]}" || ail_code=$? ;;
    (*) __aws_iam_login_run "$@" || ail_code=$? ;;
  esac
  case $ail_command:$ail_code in
    (use:0|login:0|logout:0) unset AWS_IAM_LOGIN_DECLINED ;;
    (use:130|login:130) if __aws_iam_login_is_over; then __aws_iam_login_decline; fi ;;
  esac
  if [[ $ail_command:$ail_code == use:0 && -z $ail_quiet && -o interactive ]]; then __aws_iam_login_tell; fi
  return $ail_code
}

# Says what `use` has done: `session of default until 21:40 (12 h), eu-west-1`.
__aws_iam_login_tell() {
  local ail_now=${(%):-%D{%s}} ail_end=${AWS_IAM_LOGIN_EXPIRES_AT-} ail_left ail_when ail_for= ail_loaded=
  if [[ -z ${AWS_IAM_LOGIN_PROFILE-} ]]; then
    __aws_iam_login_say 'this shell has no session any more'
    return
  fi
  __aws_iam_login_is_time "$ail_end" || return 0
  zmodload -e zsh/datetime || ail_loaded=1
  zmodload zsh/datetime 2>/dev/null || return 0
  builtin strftime -s ail_when '%H:%M:%S %a %b %d' $ail_end
  if [[ -n $ail_loaded ]]; then zmodload -u zsh/datetime; fi
  (( ail_left = ail_end - ail_now, 1 ))
  if (( ail_left < 60 )); then
    ail_for=" $ail_left s"
  else
    (( ail_left = (ail_left + 30) / 60, 1 ))
    if (( ail_left >= 60 )); then ail_for=" $(( ail_left / 60 )) h"; fi
    if (( ail_left % 60 )); then ail_for+=" $(( ail_left % 60 )) min"; fi
  fi
  # The day where its midnight is still to come.
  if (( ail_now >= ail_end - 10#${ail_when[1,2]} * 3600 - 10#${ail_when[4,5]} * 60 - 10#${ail_when[7,8]} )); then
    ail_when=${ail_when[1,5]}
  else
    ail_when="${ail_when[10,-1]} ${ail_when[1,5]}"
  fi
  __aws_iam_login_say "session of $AWS_IAM_LOGIN_PROFILE until $ail_when (${ail_for# })${AWS_IAM_LOGIN_REGION:+, $AWS_IAM_LOGIN_REGION}"
}

# --- The prompt ------------------------------------------------------------------------------------------------

# Whether this is a point in time as the program writes it.
__aws_iam_login_is_time() { [[ $1 == [1-9]<-> && $#1 -le 11 ]]; }

__aws_iam_login_is_over() {
  local ail_now=${(%):-%D{%s}} # no process and no module
  __aws_iam_login_is_time "${AWS_IAM_LOGIN_RENEW_AT-}" && (( ail_now >= AWS_IAM_LOGIN_RENEW_AT ))
}

__aws_iam_login_decline() {
  export AWS_IAM_LOGIN_DECLINED="${AWS_IAM_LOGIN_PROFILE-}:${AWS_IAM_LOGIN_EXPIRES_AT-}"
}

__aws_iam_login_say() { print -ru2 -- "aws-iam-login: ${1//[[:cntrl:]]/?}"; }

# At the prompt, or before the command line $1.
__aws_iam_login_check() {
  local ail_ask=1
  local ail_seen="${AWS_IAM_LOGIN_RENEW_AT-}:${AWS_IAM_LOGIN_WARN-}"
  if [[ $ail_seen != $__aws_iam_login_seen ]]; then
    __aws_iam_login_seen=$ail_seen __aws_iam_login_wait=0 __aws_iam_login_delay=0 __aws_iam_login_settled=
    __aws_iam_login_plan
  fi
  [[ -t 0 && -t 2 && ${TERM-} != dumb ]] || return 0
  if [[ -n ${1-} ]]; then
    [[ -z $__aws_iam_login_auto ]] || return 0
    __aws_iam_login_is_over || return 0
    local ail_kind
    __aws_iam_login_judge "$1"
    case $ail_kind in
      (ours) return 0 ;;
      (other) ail_ask= ;;
    esac
  fi
  if [[ -n $__aws_iam_login_auto ]]; then
    __aws_iam_login_start
    __aws_iam_login_plan
    return
  fi
  if (( ail_now < __aws_iam_login_next )) || [[ ${AWS_IAM_LOGIN_HOOK-} == off ]]; then return; fi
  if (( ail_now < AWS_IAM_LOGIN_RENEW_AT )); then
    __aws_iam_login_warned=$__aws_iam_login_end __aws_iam_login_next=$AWS_IAM_LOGIN_RENEW_AT
    __aws_iam_login_say "the session of $AWS_IAM_LOGIN_PROFILE ends in $(( (__aws_iam_login_end - ail_now + 59) / 60 )) min ('aws-iam-login login' gets the next one)"
    return
  fi
  __aws_iam_login_renew "$AWS_IAM_LOGIN_PROFILE" "$__aws_iam_login_end"
}

# When the prompt is next due: at the warning, else at the end; never without a session of ours.
__aws_iam_login_plan() {
  local ail_warn=600
  __aws_iam_login_next=99999999999
  if [[ -n $__aws_iam_login_auto ]]; then __aws_iam_login_next=0; fi
  [[ -n ${AWS_IAM_LOGIN_PROFILE-} ]] || return 0
  __aws_iam_login_is_time "${AWS_IAM_LOGIN_RENEW_AT-}" && __aws_iam_login_is_time "${AWS_IAM_LOGIN_EXPIRES_AT-}" || return 0
  __aws_iam_login_next=$AWS_IAM_LOGIN_RENEW_AT __aws_iam_login_end=$AWS_IAM_LOGIN_EXPIRES_AT
  if [[ ${AWS_IAM_LOGIN_WARN-} == 0 ]] || __aws_iam_login_is_time "${AWS_IAM_LOGIN_WARN-}"; then ail_warn=$AWS_IAM_LOGIN_WARN; fi
  # Only a session that ends where it is renewed will need a code.
  if [[ $AWS_IAM_LOGIN_RENEW_AT == $AWS_IAM_LOGIN_EXPIRES_AT && $__aws_iam_login_warned != $__aws_iam_login_end ]]; then
    __aws_iam_login_next=$(( __aws_iam_login_end - ail_warn ))
  fi
}

# Leaves in ail_kind whether the command line runs `ours`, one of AWS_IAM_LOGIN_COMMANDS (`aws`), or some `other`.
__aws_iam_login_judge() {
  local -a ail_commands=(${=${AWS_IAM_LOGIN_COMMANDS-aws terraform tofu cdk sam pulumi}})
  local ail_word ail_first=1
  ail_kind=other
  for ail_word in ${(z)1}; do
    case $ail_word in
      (';'|'&'|'&&'|'||'|'|'|'|&'|'('|'{'|'!'|$'\n'|do|then|else|elif|if|while|until) ail_first=1; continue ;;
      (sudo|env|command|exec|nohup|time|noglob|nocorrect|builtin) continue ;;
      ([A-Za-z_]*=*) continue ;;
    esac
    [[ -n $ail_first ]] || continue
    ail_first=
    ail_word=${(Q)ail_word:t}
    if [[ $ail_word == aws-iam-login ]]; then
      ail_kind=ours
      return
    fi
    if (( ${ail_commands[(Ie)$ail_word]} )); then ail_kind=aws; fi
  done
}

# Gets a new session for the profile whose session ended at $2: taken from the file, renewed silently, or asked for.
__aws_iam_login_renew() {
  local ail_code=0 ail_as=keys
  local -a ail_input
  case ${AWS_IAM_LOGIN_AS-} in (profile|watch) ail_as=$AWS_IAM_LOGIN_AS ;; esac
  if [[ ${AWS_IAM_LOGIN_HOOK-} == notify || ${AWS_IAM_LOGIN_DECLINED-} == "$1:$2" ]]; then ail_ask=; fi
  if (( ail_now < __aws_iam_login_wait )) || [[ -z $ail_ask && $__aws_iam_login_settled == "$1:$2" ]]; then
    __aws_iam_login_take "$1" || ail_code=$?
    # What only the program can tell (an unusual file, say) is asked of it now and then.
    (( ail_code == 2 && ail_now >= __aws_iam_login_wait )) || return 0
    ail_code=0
  fi
  if [[ -n $ail_ask ]] && __aws_iam_login_is_input_waiting; then
    if [[ $__aws_iam_login_settled == "$1:$2" ]]; then return; fi
    ail_ask=
  else
    __aws_iam_login_auto=
  fi
  [[ -n $ail_ask ]] || ail_input=(--no-input)
  # Before the call: a Ctrl-C that gets here ends this function.
  __aws_iam_login_delay=$(( __aws_iam_login_delay ? __aws_iam_login_delay * 2 : 30 ))
  if (( __aws_iam_login_delay > 900 )); then __aws_iam_login_delay=900; fi
  __aws_iam_login_wait=$(( ail_now + __aws_iam_login_delay ))
  __aws_iam_login_apply __aws_iam_login_run env "--profile=$1" --format env --as $ail_as --hook $ail_input || ail_code=$?
  case $ail_code:$ail_ask in
    (0:*) __aws_iam_login_wait=0 __aws_iam_login_delay=0 ;;
    (130:*)
      export AWS_IAM_LOGIN_DECLINED="$1:$2"
      __aws_iam_login_settled=$1:$2 ;;
    (3:) __aws_iam_login_settle "$1" "$2" ;;
    (127:*) __aws_iam_login_wait=99999999999 ;; # the program is gone: said once
    (*)
      ail_now=${(%):-%D{%s}}
      __aws_iam_login_wait=$(( ail_now + __aws_iam_login_delay )) ;;
  esac
}

# The program has said that this end needs a code, and now is no time to ask.
__aws_iam_login_settle() {
  __aws_iam_login_delay=0 __aws_iam_login_wait=$(( ail_now + 60 ))
  [[ $__aws_iam_login_settled != "$1:$2" ]] || return 0
  __aws_iam_login_settled=$1:$2
  if [[ ${AWS_IAM_LOGIN_HOOK-} == notify ]]; then
    __aws_iam_login_say "there is no live session of $1 ('aws-iam-login use $1' gets one)"
  else
    __aws_iam_login_wait=0
  fi
}

# Whether something was typed ahead. Half a line shows only without the terminal's line mode.
__aws_iam_login_is_input_waiting() {
  local ail_tty ail_code=1
  local -a ail_ready
  zmodload zsh/zselect 2>/dev/null || return 1
  ail_tty=$(command stty -g) && command stty -icanon min 1 time 0 || return 1
  zselect -a ail_ready -t 0 -r 0 && ail_code=0
  command stty $ail_tty
  return $ail_code
}

# --- A session from the file, without the program --------------------------------------------------------------

# Takes up the stored session of profile $1 when it is live, as `env` would, without Node. 1: there is none; any other
# failure: only the program can tell.
__aws_iam_login_take() {
  local ail_as=keys
  case ${AWS_IAM_LOGIN_AS-} in (profile|watch) ail_as=$AWS_IAM_LOGIN_AS ;; esac
  case $ail_as:${AWS_PROFILE-} in
    (keys:|watch:*|profile:|"profile:$1-sts") ;;
    (*) return 2 ;; # the user has chosen a profile meanwhile
  esac
  __aws_iam_login_apply __aws_iam_login_stored "--profile=$1" --as $ail_as
}

# The launcher lies beside this file. The subshell that `apply` makes becomes it.
__aws_iam_login_stored() { exec sh "$__aws_iam_login_home/shell/aws-iam-login.sh" env --stored "$@" 2>/dev/null; }

# --- The first prompt ------------------------------------------------------------------------------------------

# Whether nothing says who this shell is.
__aws_iam_login_is_nobody() {
  [[ -z ${AWS_ACCESS_KEY_ID-}${AWS_PROFILE-}${AWS_DEFAULT_PROFILE-}${AWS_WEB_IDENTITY_TOKEN_FILE-}${AWS_IAM_LOGIN_PROFILE-} &&
    -z ${AWS_CONTAINER_CREDENTIALS_RELATIVE_URI-}${AWS_CONTAINER_CREDENTIALS_FULL_URI-}${AWS_CONTAINER_AUTHORIZATION_TOKEN-}${AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE-} ]]
}

# At the first prompt: AWS_IAM_LOGIN_AUTO had no live session when the shell started.
__aws_iam_login_start() {
  local ail_profile=$__aws_iam_login_auto
  if [[ ${AWS_IAM_LOGIN_HOOK-} == off || ${AWS_IAM_LOGIN_DECLINED-} == "$ail_profile:" ]] || ! __aws_iam_login_is_nobody; then
    __aws_iam_login_auto=
    return
  fi
  __aws_iam_login_renew "$ail_profile" ''
}

# Takes up the session of AWS_IAM_LOGIN_AUTO while the shell starts; what is not live is left to the first prompt.
__aws_iam_login_take_up() {
  if __aws_iam_login_is_nobody; then
    __aws_iam_login_take "$AWS_IAM_LOGIN_AUTO" || __aws_iam_login_auto=$AWS_IAM_LOGIN_AUTO __aws_iam_login_next=0
  elif [[ ${AWS_IAM_LOGIN_PROFILE-} == $AWS_IAM_LOGIN_AUTO ]] && __aws_iam_login_is_over; then
    __aws_iam_login_take "$AWS_IAM_LOGIN_AUTO" || :
  fi
}
