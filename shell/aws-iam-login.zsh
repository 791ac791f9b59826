# aws-iam-login in zsh 5.3 and later: the prompt hook, `aws-iam-login use`, completion.
# To be sourced from ~/.zshrc; `aws-iam-login setup zsh` does that.

# The file reads itself again under zsh's own options and without aliases. Its functions keep these options for
# ever ("sticky emulation"), so that neither the user's options nor aliases can break them, and no trace shows a secret.
if [[ ${__aws_iam_login_loading-} != 1 ]]; then
  typeset -g __aws_iam_login_loading=1
  'builtin' 'emulate' zsh -o extended_glob -o no_aliases -o no_xtrace -o no_verbose -c "'builtin' 'source' ${(q)${(%):-%x}:a}"
  'builtin' 'unset' __aws_iam_login_loading
  'builtin' 'return' 0
fi

typeset -g __aws_iam_login_home=${${(%):-%x}:h:h}

# Reads the rest when it is needed. Until then these stand for it.
__aws_iam_login_load() {
  [[ -r $__aws_iam_login_home/shell/aws-iam-login-session.zsh ]] || return 127
  emulate zsh -o extended_glob -o no_aliases -o no_xtrace -o no_verbose -c 'source $__aws_iam_login_home/shell/aws-iam-login-session.zsh'
}
__aws_iam_login_main() {
  if __aws_iam_login_load; then __aws_iam_login_main "$@"; else command aws-iam-login "$@"; fi
}
__aws_iam_login_check() { __aws_iam_login_load && __aws_iam_login_check "$@" }
__aws_iam_login_take_up() { __aws_iam_login_load && __aws_iam_login_take_up }

function aws-iam-login { __aws_iam_login_main "$@" }

[[ -o interactive ]] || return 0

# --- The prompt ------------------------------------------------------------------------------------------------

# What the state below was worked out from, when something is next to be done, and the end of the session.
typeset -g __aws_iam_login_seen=:${AWS_IAM_LOGIN_WARN-} __aws_iam_login_next=99999999999 __aws_iam_login_end=0
# The end that was warned of; no try before this time; the length of that wait; what is known to need a code.
typeset -g __aws_iam_login_warned=${__aws_iam_login_warned-} __aws_iam_login_wait=0 __aws_iam_login_delay=0 __aws_iam_login_settled=
# AWS_IAM_LOGIN_AUTO, while it waits for the first prompt.
typeset -g __aws_iam_login_auto=

# Both hooks return 0: another code would end a shell with err_exit.
__aws_iam_login_precmd() {
  local ail_now=${(%):-%D{%s}}
  if [[ $__aws_iam_login_seen != "${AWS_IAM_LOGIN_RENEW_AT-}:${AWS_IAM_LOGIN_WARN-}" ]] ||
    (( ail_now >= __aws_iam_login_next )); then
    __aws_iam_login_check || :
  fi
  return 0
}

# The prompt may have stood for hours, so look again before a command starts. Only those commands that need AWS are
# worth a question.
__aws_iam_login_preexec() {
  local ail_now=${(%):-%D{%s}}
  (( ail_now >= __aws_iam_login_next )) || return 0
  __aws_iam_login_check "${3:-${1-}}" || :
  return 0
}

# --- Loading ---------------------------------------------------------------------------------------------------

# compinit finds the completion on fpath when it runs later; when it has run, it is told.
if [[ -r $__aws_iam_login_home/completions/_aws-iam-login ]]; then
  if (( ! ${fpath[(Ie)$__aws_iam_login_home/completions]} )); then fpath+=($__aws_iam_login_home/completions); fi
  if (( $+functions[compdef] )); then
    autoload -Uz _aws-iam-login
    compdef _aws-iam-login aws-iam-login
  fi
fi

typeset -ga precmd_functions preexec_functions
if (( ! ${precmd_functions[(Ie)__aws_iam_login_precmd]} )); then precmd_functions+=(__aws_iam_login_precmd); fi
if (( ! ${preexec_functions[(Ie)__aws_iam_login_preexec]} )); then preexec_functions+=(__aws_iam_login_preexec); fi

if [[ -n ${AWS_IAM_LOGIN_AUTO-} ]]; then __aws_iam_login_take_up || :; fi
return 0
