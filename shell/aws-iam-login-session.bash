# shellcheck shell=bash disable=SC2034,SC2154
# What aws-iam-login.bash reads when it is needed, with what bash and zsh share: here is what bash does in its own way.

# Runs a command in the place of this subshell. A restricted shell may not.
__aws_iam_login_become() {
  case $- in *r*) command "$@" ;; *) builtin exec "$@" ;; esac
}

# Runs a function of ours and applies what it prints to this shell, without a trace; returns its exit code.
__aws_iam_login_apply() { __aws_iam_login_untraced __aws_iam_login_evaluate "$@"; }

__aws_iam_login_evaluate() {
  local ail_trap ail_aliases='' ail_text ail_code=0
  if shopt -q expand_aliases; then ail_aliases=1; fi
  shopt -u expand_aliases # `unset` and `export` may be aliases
  ail_trap=$(trap -p INT)
  trap : INT # not '', which the program would inherit; it also keeps the eval whole
  # The subshell becomes the program: a process less.
  ail_text=$(ail_instead=1 && "$@") || ail_code=$?
  if ((ail_code == 0)); then
    [[ -n $ail_text ]] && builtin eval "$ail_text" || ail_code=1
  fi
  builtin eval "${ail_trap:-trap - INT}"
  if [[ -n $ail_aliases ]]; then shopt -s expand_aliases; fi
  return "$ail_code"
}

# Leaves the time $1 in ail_when, in the format $2.
__aws_iam_login_format_time() {
  if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 402)); then
    builtin printf -v ail_when "%($2)T" "$1"
  else
    ail_when=$(\command date -d "@$1" "+$2" 2>/dev/null || \command date -r "$1" "+$2" 2>/dev/null)
  fi
}

# Leaves the name of our script, and the file that `setup` has written its block to.
__aws_iam_login_locate_rc() {
  ail_script=aws-iam-login.bash
  for ail_rc in .bashrc .bash_profile .bash_login .profile; do
    ail_rc=${HOME-}/$ail_rc
    if [[ -r $ail_rc && $(<"$ail_rc") == *'# >>> aws-iam-login >>>'* ]]; then break; fi
  done
}

# Whether something was typed ahead. Half a line shows only without the terminal's line mode.
__aws_iam_login_is_input_waiting() {
  local ail_tty ail_code=1
  ail_tty=$(\command stty -g) && command stty -icanon min 1 time 0 || return 1
  if ((BASH_VERSINFO[0] >= 4)); then
    builtin read -r -t 0 && ail_code=0
  elif [[ -n $(\builtin type -P perl) ]]; then
    # Without `command`, whose failure ends bash 3.2 with `set -e` even here.
    perl -e 'my $in = ""; vec($in, 0, 1) = 1; exit !select($in, undef, undef, 0)' && ail_code=0
  fi
  command stty "$ail_tty"
  return "$ail_code"
}

__aws_iam_login_load shell/aws-iam-login-session.sh
