# shellcheck shell=bash
# aws-iam-login in bash 3.2 and later: the prompt hook, `aws-iam-login use`, completion.
# To be sourced from ~/.bashrc; `aws-iam-login setup bash` does that.
[ -n "${BASH_VERSION-}" ] || return 0

# Aliases would be expanded in the functions for good.
__aws_iam_login_aliases=''
if \builtin shopt -q expand_aliases; then __aws_iam_login_aliases=1; fi
\builtin shopt -u expand_aliases

case ${BASH_SOURCE[0]} in
  /*) __aws_iam_login_home=${BASH_SOURCE[0]%/*}/.. ;;
  */*) __aws_iam_login_home=$PWD/${BASH_SOURCE[0]%/*}/.. ;;
  *) __aws_iam_login_home=$PWD/.. ;;
esac

# Reads file $1 of ours. A restricted shell forbids `.`, which costs one process less.
__aws_iam_login_load() {
  local ail_aliases='' ail_code=0
  [[ -r $__aws_iam_login_home/$1 ]] || return 127
  if shopt -q expand_aliases; then ail_aliases=1; fi
  shopt -u expand_aliases
  # shellcheck disable=SC1090
  case $- in
    *r*) builtin eval "$(<"$__aws_iam_login_home/$1")" || ail_code=$? ;;
    *) builtin . "$__aws_iam_login_home/$1" || ail_code=$? ;;
  esac
  if [[ -n $ail_aliases ]]; then shopt -s expand_aliases; fi
  return "$ail_code"
}

# Runs a function of ours without a trace, which would show secrets.
__aws_iam_login_untraced() {
  local ail_flags=$- ail_code=0
  set +xv
  "$@" || ail_code=$?
  case $ail_flags in *v*) set -v ;; esac
  case $ail_flags in *x*) set -x ;; esac
  return "$ail_code"
}

# The rest is read when it is needed: until then, these stand for it.
__aws_iam_login_main() {
  if __aws_iam_login_load shell/aws-iam-login-session.bash; then __aws_iam_login_main "$@"; else command aws-iam-login "$@"; fi
}
__aws_iam_login_check() { __aws_iam_login_load shell/aws-iam-login-session.bash && __aws_iam_login_check; }
__aws_iam_login_take_up() { __aws_iam_login_load shell/aws-iam-login-session.bash && __aws_iam_login_take_up; }

# In posix mode a function cannot have this name: there `use` is missing.
case ":${SHELLOPTS-}:" in
  *:posix:*) ;;
  *) builtin eval 'function aws-iam-login { __aws_iam_login_main "$@"; }' ;;
esac

if [[ $- != *i* ]]; then
  if [[ -n $__aws_iam_login_aliases ]]; then shopt -s expand_aliases; fi
  return 0
fi

# --- The prompt ------------------------------------------------------------------------------------------------

# What the state below was worked out from, when something is next to be done, and the end of the session.
__aws_iam_login_seen=:${AWS_IAM_LOGIN_WARN-} __aws_iam_login_next=99999999999 __aws_iam_login_end=0
# The end that was warned of; no try before this time; the length of that wait; what is known to need a code.
__aws_iam_login_warned=${__aws_iam_login_warned-} __aws_iam_login_wait=0 __aws_iam_login_delay=0 __aws_iam_login_settled=''
# AWS_IAM_LOGIN_AUTO, while it waits for the first prompt.
__aws_iam_login_auto=''

# The clock is read in place, since a function call more would show in every prompt. When the variable has lost its
# meaning (it was unset), the check asks the other clock. That one leaves the time in ail_now, without a process.
if ((BASH_VERSINFO[0] >= 5)); then
  __aws_iam_login_hook() {
    local ail_status=$?
    if [[ $__aws_iam_login_seen != "${AWS_IAM_LOGIN_RENEW_AT-}:${AWS_IAM_LOGIN_WARN-}" ]] || ((${EPOCHSECONDS:-__aws_iam_login_next} >= __aws_iam_login_next)); then
      __aws_iam_login_untraced __aws_iam_login_check || : # which also keeps `set -e` and an ERR trap out
    fi
    case $- in *e*) return 0 ;; esac # another code would end a shell with `set -e`
    return "$ail_status"
  }
  __aws_iam_login_clock() { builtin printf -v ail_now '%(%s)T' -1; }
else
  __aws_iam_login_hook() {
    local ail_status=$? ail_now
    __aws_iam_login_clock
    if [[ $__aws_iam_login_seen != "${AWS_IAM_LOGIN_RENEW_AT-}:${AWS_IAM_LOGIN_WARN-}" ]] || ((ail_now >= __aws_iam_login_next)); then
      __aws_iam_login_untraced __aws_iam_login_check || :
    fi
    case $- in *e*) return 0 ;; esac
    return "$ail_status"
  }
  if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 402)); then
    __aws_iam_login_clock() { builtin printf -v ail_now '%(%s)T' -1; }
  else
    __aws_iam_login_base='' __aws_iam_login_last=0
    # One date(1), then $SECONDS, which follows the wall clock; again when somebody has set it back.
    __aws_iam_login_clock() {
      if [[ -z $__aws_iam_login_base || $SECONDS -lt $__aws_iam_login_last ]]; then
        __aws_iam_login_base=$(($(\command date +%s) - SECONDS))
      fi
      __aws_iam_login_last=$SECONDS ail_now=$((__aws_iam_login_base + SECONDS))
    }
  fi
fi

# --- Loading ---------------------------------------------------------------------------------------------------

if [[ -r $__aws_iam_login_home/completions/aws-iam-login.bash ]]; then
  # Read at the first Tab.
  _aws_iam_login() { __aws_iam_login_load completions/aws-iam-login.bash && _aws_iam_login "$@"; }
  complete -o nospace -F _aws_iam_login aws-iam-login
fi

case "${PROMPT_COMMAND[*]-} ${precmd_functions[*]-} ${STARSHIP_PROMPT_COMMAND-}" in
  *__aws_iam_login_hook*) ;;
  *)
    if [[ -n ${BLE_VERSION-} ]]; then
      blehook PRECMD!=__aws_iam_login_hook
    elif [[ -n ${bash_preexec_imported-}${__bp_imported-} ]]; then
      precmd_functions+=(__aws_iam_login_hook)
    elif ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501)); then
      PROMPT_COMMAND+=(__aws_iam_login_hook) # every element gets the $? and $PIPESTATUS of the user's command
    else
      # Last, since nothing restores $PIPESTATUS for what comes after.
      # shellcheck disable=SC2128,SC2178
      PROMPT_COMMAND="${PROMPT_COMMAND:+$PROMPT_COMMAND$'\n'}__aws_iam_login_hook"
    fi
    ;;
esac

if [[ -n ${AWS_IAM_LOGIN_AUTO-} ]]; then __aws_iam_login_untraced __aws_iam_login_take_up || :; fi

if [[ -n $__aws_iam_login_aliases ]]; then shopt -s expand_aliases; fi
unset __aws_iam_login_aliases
