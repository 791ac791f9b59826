# shellcheck shell=bash disable=SC2154
# What bash and zsh share of the part that is read when it is needed: `use`, the renewal of a session, and the session in
# the file. The file beside this one that is named after the shell holds what each does in its own way.

# --- The program -----------------------------------------------------------------------------------------------

# Runs the program. A copy made by `setup` has a stamp: its version, and where the program and its Node were, for
# a PATH that has lost them (a Node version manager has moved on). The launcher beside this file goes by it too.
__aws_iam_login_run() {
  local ail_version='' ail_entry=''
  if [[ -r $__aws_iam_login_home/stamp ]]; then
    {
      IFS= builtin read -r ail_version
      IFS= builtin read -r ail_entry # Node's line
      IFS= builtin read -r ail_entry
    } <"$__aws_iam_login_home/stamp" || :
  fi
  local -x AWS_IAM_LOGIN_HOOK_VERSION=$ail_version
  if __aws_iam_login_finds aws-iam-login; then
    # In a subshell of its own it becomes the program: a process less.
    if [[ -n ${ail_instead-} ]]; then __aws_iam_login_become aws-iam-login "$@"; else command aws-iam-login "$@"; fi
  elif [[ -f $ail_entry ]]; then
    command sh "$__aws_iam_login_home/shell/aws-iam-login.sh" "$@"
  else
    __aws_iam_login_report_gone
  fi
}

# Whether PATH has a program, without a process.
__aws_iam_login_finds() {
  local ail_folder ail_rest=${PATH-}:
  while [[ -n $ail_rest ]]; do
    ail_folder=${ail_rest%%:*} ail_rest=${ail_rest#*:}
    if [[ -f ${ail_folder:-.}/$1 && -x ${ail_folder:-.}/$1 ]]; then return 0; fi
  done
  return 1
}

# Says what remains to be done where the program is no longer installed.
__aws_iam_login_report_gone() {
  local ail_home=${__aws_iam_login_home%/shell/..} ail_rc ail_script ail_rest
  __aws_iam_login_locate_rc
  ail_rest="the line that loads $ail_home/shell/$ail_script"
  if [[ -r $ail_home/stamp ]]; then ail_rest="the block 'aws-iam-login' from $ail_rc, and $ail_home"; fi
  __aws_iam_login_say "the program is gone: install it again, or remove $ail_rest"
  return 127
}

# Finds the command among the words, in either order, and leaves its name in ail_command, its place in ail_at, and
# whether it is to be silent in ail_quiet.
__aws_iam_login_find_command() {
  local ail_word ail_place=0 ail_value='' ail_profile=''
  ail_command=login ail_at=0 ail_quiet=''
  for ail_word in "$@"; do
    ((ail_place += 1))
    if [[ -n $ail_value ]]; then
      ail_value=''
      continue
    fi
    case $ail_word in
      --) return ;;
      # >>> options: made by npm run generate
      --help | -h | --version)
        ail_command=help
        return
        ;;
      --profile | -p | --token-code | --duration | --min-ttl | --serial-number | --region | --format | --as | --key-store | --service | --browser | --max-key-age) ail_value=1 ;;
      # <<< options
      --quiet | -q) ail_quiet=1 ;;
      -?*) ;;
      *)
        if [[ $ail_at == 0 ]]; then
          case $ail_word in
            # >>> commands: made by npm run generate
            init | login | env | use | exec | credential-process | rotate | status | list | logout | console | doctor | policy | hook | setup | completion | help | version)
            # <<< commands
              ail_command=$ail_word ail_at=$ail_place
              ;;
            *)
              if [[ -n $ail_profile ]]; then ail_command=$ail_word ail_at=$ail_place; fi
              ail_profile=1
              ;;
          esac
        fi
        ;;
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
  local ail_command ail_at ail_quiet ail_code=0
  __aws_iam_login_find_command "$@"
  case $ail_command in
    use) __aws_iam_login_apply __aws_iam_login_run "${@:1:$((ail_at - 1))}" env --format env "${@:$((ail_at + 1))}" || ail_code=$? ;;
    logout) __aws_iam_login_logout "${@:1:$ail_at}" --hook "${@:$((ail_at + 1))}" || ail_code=$? ;;
    *) __aws_iam_login_run "$@" || ail_code=$? ;;
  esac
  case $ail_command:$ail_code in
    use:0 | login:0 | logout:0) unset AWS_IAM_LOGIN_DECLINED ;;
    use:130 | login:130) if [[ $- == *i* ]] && __aws_iam_login_is_over; then __aws_iam_login_decline "${AWS_IAM_LOGIN_PROFILE-}:${AWS_IAM_LOGIN_EXPIRES_AT-}"; fi ;;
  esac
  if [[ $ail_command:$ail_code == use:0 && -z $ail_quiet && $- == *i* ]]; then __aws_iam_login_tell; fi
  return "$ail_code"
}

# Says what `use` has done: `session of default until 21:40 (12 h), eu-west-1`.
__aws_iam_login_tell() {
  local ail_now ail_left ail_when ail_end=${AWS_IAM_LOGIN_EXPIRES_AT-} ail_for=''
  if [[ -z ${AWS_IAM_LOGIN_PROFILE-} ]]; then
    __aws_iam_login_say 'this shell has no session any more'
    return
  fi
  __aws_iam_login_is_time "$ail_end" && __aws_iam_login_format_time "$ail_end" '%H:%M:%S %a %b %d' || return 0
  __aws_iam_login_clock
  ail_left=$((ail_end - ail_now))
  if ((ail_left < 60)); then
    ail_for=" $ail_left s"
  else
    ail_left=$(((ail_left + 30) / 60))
    if ((ail_left >= 60)); then ail_for=" $((ail_left / 60)) h"; fi
    if ((ail_left % 60)); then ail_for+=" $((ail_left % 60)) min"; fi
  fi
  # The day where its midnight is still to come.
  if ((ail_now >= ail_end - 10#${ail_when:0:2} * 3600 - 10#${ail_when:3:2} * 60 - 10#${ail_when:6:2})); then
    ail_when=${ail_when:0:5}
  else
    ail_when="${ail_when:9} ${ail_when:0:5}"
  fi
  __aws_iam_login_say "session of $AWS_IAM_LOGIN_PROFILE until $ail_when (${ail_for# })${AWS_IAM_LOGIN_REGION:+, $AWS_IAM_LOGIN_REGION}"
}

# --- The prompt ------------------------------------------------------------------------------------------------

# Whether this is a point in time as the program writes it. Nothing else may reach (( )), which would execute it.
__aws_iam_login_is_time() {
  case $1 in '' | 0* | *[!0-9]* | ????????????*) return 1 ;; esac
}

__aws_iam_login_is_over() {
  local ail_now
  __aws_iam_login_is_time "${AWS_IAM_LOGIN_RENEW_AT-}" || return 1
  __aws_iam_login_clock
  ((ail_now >= AWS_IAM_LOGIN_RENEW_AT))
}

# No more questions for this profile and end, in child shells neither.
__aws_iam_login_decline() { export AWS_IAM_LOGIN_DECLINED="$1"; }

__aws_iam_login_say() { builtin printf 'aws-iam-login: %s\n' "${1//[[:cntrl:]]/?}" >&2; }

# At the prompt, or before the command line $1.
__aws_iam_login_check() {
  local ail_now ail_ask=1 ail_seen="${AWS_IAM_LOGIN_RENEW_AT-}:${AWS_IAM_LOGIN_WARN-}"
  __aws_iam_login_clock
  if [[ $ail_seen != "$__aws_iam_login_seen" ]]; then
    __aws_iam_login_seen=$ail_seen __aws_iam_login_wait=0 __aws_iam_login_delay=0 __aws_iam_login_settled=''
    __aws_iam_login_plan
  fi
  [[ -t 0 && -t 2 && ${TERM-} != dumb ]] || return 0
  if [[ -n ${1-} ]]; then __aws_iam_login_is_worth "$1" || return 0; fi
  if [[ -n $__aws_iam_login_auto ]]; then
    __aws_iam_login_start
    __aws_iam_login_plan
    return
  fi
  if ((ail_now < __aws_iam_login_next)) || [[ ${AWS_IAM_LOGIN_HOOK-} == off ]]; then return; fi
  if ((ail_now < AWS_IAM_LOGIN_RENEW_AT)); then
    __aws_iam_login_warned=$__aws_iam_login_end __aws_iam_login_next=$AWS_IAM_LOGIN_RENEW_AT
    __aws_iam_login_say "the session of $AWS_IAM_LOGIN_PROFILE ends in $(((__aws_iam_login_end - ail_now + 59) / 60)) min ('aws-iam-login login' gets the next one)"
    return
  fi
  __aws_iam_login_renew "$AWS_IAM_LOGIN_PROFILE" "$__aws_iam_login_end"
}

# When the prompt is next due: at the warning, else at the end; never without a session of ours.
__aws_iam_login_plan() {
  # >>> warn: made by npm run generate
  local ail_warn=600
  # <<< warn
  __aws_iam_login_next=99999999999
  if [[ -n $__aws_iam_login_auto ]]; then __aws_iam_login_next=0; fi
  [[ -n ${AWS_IAM_LOGIN_PROFILE-} ]] || return 0
  __aws_iam_login_is_time "${AWS_IAM_LOGIN_RENEW_AT-}" && __aws_iam_login_is_time "${AWS_IAM_LOGIN_EXPIRES_AT-}" || return 0
  __aws_iam_login_next=$AWS_IAM_LOGIN_RENEW_AT __aws_iam_login_end=$AWS_IAM_LOGIN_EXPIRES_AT
  if [[ ${AWS_IAM_LOGIN_WARN-} == 0 ]] || __aws_iam_login_is_time "${AWS_IAM_LOGIN_WARN-}"; then ail_warn=$AWS_IAM_LOGIN_WARN; fi
  # Only a session that ends where it is renewed will need a code.
  if [[ $AWS_IAM_LOGIN_RENEW_AT == "$AWS_IAM_LOGIN_EXPIRES_AT" && $__aws_iam_login_warned != "$__aws_iam_login_end" ]]; then
    __aws_iam_login_next=$((__aws_iam_login_end - ail_warn))
  fi
}

# Gets a new session for the profile whose session ended at $2: taken from the file, renewed silently, or asked for
# where ail_ask is set.
__aws_iam_login_renew() {
  local ail_code=0 ail_as=keys
  case ${AWS_IAM_LOGIN_AS-} in profile | watch) ail_as=$AWS_IAM_LOGIN_AS ;; esac
  if [[ ${AWS_IAM_LOGIN_HOOK-} == notify || ${AWS_IAM_LOGIN_DECLINED-} == "$1:$2" ]]; then ail_ask=''; fi
  if ((ail_now < __aws_iam_login_wait)) || [[ -z $ail_ask && $__aws_iam_login_settled == "$1:$2" ]]; then
    __aws_iam_login_take "$1" || ail_code=$?
    # What only the program can tell (an unusual file, say) is asked of it now and then.
    ((ail_code == 2 && ail_now >= __aws_iam_login_wait)) || return 0
    ail_code=0
  fi
  if [[ -n $ail_ask ]] && __aws_iam_login_is_input_waiting; then
    if [[ $__aws_iam_login_settled == "$1:$2" ]]; then return; fi
    ail_ask=''
  else
    __aws_iam_login_auto=''
  fi
  # Before the call: a Ctrl-C that gets here ends this function in zsh, and runs PROMPT_COMMAND again at once in bash.
  __aws_iam_login_delay=$((__aws_iam_login_delay ? __aws_iam_login_delay * 2 : 30))
  if ((__aws_iam_login_delay > 900)); then __aws_iam_login_delay=900; fi
  __aws_iam_login_wait=$((ail_now + __aws_iam_login_delay))
  if [[ -n $ail_ask ]]; then
    __aws_iam_login_apply __aws_iam_login_run env "--profile=$1" --format env --as "$ail_as" --hook || ail_code=$?
  else
    __aws_iam_login_apply __aws_iam_login_run env "--profile=$1" --format env --as "$ail_as" --hook --no-input || ail_code=$?
  fi
  case $ail_code:$ail_ask in
    0:*) __aws_iam_login_wait=0 __aws_iam_login_delay=0 ;;
    130:*)
      __aws_iam_login_decline "$1:$2"
      __aws_iam_login_settled=$1:$2
      ;;
    3:) __aws_iam_login_settle "$1" "$2" ;;
    127:*) __aws_iam_login_wait=99999999999 ;; # the program is gone: said once
    *) __aws_iam_login_clock && __aws_iam_login_wait=$((ail_now + __aws_iam_login_delay)) ;;
  esac
}

# The program has said that this end needs a code, and now is no time to ask.
__aws_iam_login_settle() {
  __aws_iam_login_delay=0 __aws_iam_login_wait=$((ail_now + 60))
  if [[ $__aws_iam_login_settled == "$1:$2" ]]; then return; fi
  __aws_iam_login_settled=$1:$2
  if [[ ${AWS_IAM_LOGIN_HOOK-} == notify ]]; then
    __aws_iam_login_say "there is no live session of $1 ('aws-iam-login use $1' gets one)"
  else
    __aws_iam_login_wait=0
  fi
}

# --- A session from the file, without the program --------------------------------------------------------------

# Takes up the stored session of profile $1 when it is live, as `env` would, without Node. 1: there is none; any other
# failure: only the program can tell.
__aws_iam_login_take() {
  local ail_as=keys
  case ${AWS_IAM_LOGIN_AS-} in profile | watch) ail_as=$AWS_IAM_LOGIN_AS ;; esac
  case $ail_as:${AWS_PROFILE-} in
    keys: | watch:* | profile: | "profile:$1-sts") ;;
    *) return 2 ;; # the user has chosen a profile meanwhile
  esac
  __aws_iam_login_apply __aws_iam_login_stored "--profile=$1" --as "$ail_as"
}

# The launcher lies beside this file.
__aws_iam_login_stored() {
  __aws_iam_login_become sh "$__aws_iam_login_home/shell/aws-iam-login.sh" env --stored "$@" 2>/dev/null
}

# --- The first prompt ------------------------------------------------------------------------------------------

# Whether nothing says who this shell is.
__aws_iam_login_is_nobody() {
  [[ -z ${AWS_ACCESS_KEY_ID-}${AWS_PROFILE-}${AWS_DEFAULT_PROFILE-}${AWS_WEB_IDENTITY_TOKEN_FILE-}${AWS_IAM_LOGIN_PROFILE-} ]] &&
    [[ -z ${AWS_CONTAINER_CREDENTIALS_RELATIVE_URI-}${AWS_CONTAINER_CREDENTIALS_FULL_URI-}${AWS_CONTAINER_AUTHORIZATION_TOKEN-}${AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE-} ]]
}

# At the first prompt: AWS_IAM_LOGIN_AUTO had no live session when the shell started.
__aws_iam_login_start() {
  local ail_profile=$__aws_iam_login_auto
  if [[ ${AWS_IAM_LOGIN_HOOK-} == off || ${AWS_IAM_LOGIN_DECLINED-} == "$ail_profile:" ]] || ! __aws_iam_login_is_nobody; then
    __aws_iam_login_auto=''
    return
  fi
  __aws_iam_login_renew "$ail_profile" ''
}

# Takes up the session of AWS_IAM_LOGIN_AUTO while the shell starts; what is not live is left to the first prompt.
__aws_iam_login_take_up() {
  if __aws_iam_login_is_nobody; then
    __aws_iam_login_take "$AWS_IAM_LOGIN_AUTO" || __aws_iam_login_auto=$AWS_IAM_LOGIN_AUTO __aws_iam_login_next=0
  elif [[ ${AWS_IAM_LOGIN_PROFILE-} == "$AWS_IAM_LOGIN_AUTO" ]] && __aws_iam_login_is_over; then
    __aws_iam_login_take "$AWS_IAM_LOGIN_AUTO" || :
  fi
}
