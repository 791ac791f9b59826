# What aws-iam-login.zsh reads when it is needed, with what bash and zsh share: here is what zsh does in its own way.

# Leaves the time in ail_now, without a process or a module.
__aws_iam_login_clock() { ail_now=${(%):-%D{%s}} }

# Runs a command in the place of the subshell that `apply` has made.
__aws_iam_login_become() { exec command "$@" }

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

# Leaves the time $1 in ail_when, in the format $2.
__aws_iam_login_format_time() {
  local ail_loaded=
  zmodload -e zsh/datetime || ail_loaded=1
  zmodload zsh/datetime 2>/dev/null || return 1
  builtin strftime -s ail_when $2 $1
  if [[ -n $ail_loaded ]]; then zmodload -u zsh/datetime; fi
}

# Leaves the name of our script, and the file that `setup` has written its block to.
__aws_iam_login_locate_rc() { ail_script=aws-iam-login.zsh ail_rc=${ZDOTDIR:-${HOME-}}/.zshrc }

# Whether there is anything to do before the command line $1; takes ail_ask away where it is not worth a question.
__aws_iam_login_is_worth() {
  local ail_kind
  [[ -z $__aws_iam_login_auto ]] && __aws_iam_login_is_over || return 1
  __aws_iam_login_judge "$1"
  if [[ $ail_kind == other ]]; then ail_ask=; fi
  [[ $ail_kind != ours ]]
}

# Leaves in ail_kind whether the command line runs `ours`, one of AWS_IAM_LOGIN_COMMANDS (`aws`), or some `other`.
__aws_iam_login_judge() {
  # >>> worth: made by npm run generate
  local -a ail_commands=(${=${AWS_IAM_LOGIN_COMMANDS-aws terraform tofu cdk sam pulumi}})
  # <<< worth
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

source $__aws_iam_login_home/shell/aws-iam-login-session.sh
