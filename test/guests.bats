#!/usr/bin/env bats
# The hook as a guest: the user's options, traps and other tools' hooks stay as they are.

load shell.bash

setup() {
  make_home
  printf '[default]\naws_access_key_id = AKIAONE\naws_secret_access_key = x\n' >"$D/home/.aws/credentials"
  store_session default 3600 TWO
}
teardown() { stop_shells; }

calls() { wc -l <"$D/calls"; }

# expire SHELL: the session of this shell is over, and the next one lies in the file.
expire() {
  local -a variables
  read_lines variables < <(session_variables default -5)
  run_line "$(assignments "$1" "${variables[@]}")"
}

# adopts_quietly SHELL: nothing but prompts was shown so far, and a session is adopted.
adopts_quietly() {
  [[ $(screen | grep -c .) -eq 1 ]]
  expire "$1"
  done_with 'echo "key=$AWS_ACCESS_KEY_ID"'
  wait_for '^key=ASIATWO$'
  [[ $(count_on_screen 'aws.iam.login.*:|error|unbound|not found') -eq 0 ]]
}

# sets SHELL: one line of options after the other.
sets() {
  case $1 in
    bash)
      cat <<'SETS'
set -e
set -u
set -eu -o pipefail
set -o posix
set -C
set -f
set -eEuo pipefail; set -o posix; set -C; set -f
shopt -s nullglob extglob nocasematch
shopt -s failglob
IFS=0123456789_
alias local=false builtin=false printf=false read=false command=false case=false unset=false
GLOBIGNORE='*'; BASH_ENV=nothing; CDPATH=/; POSIXLY_CORRECT=1
SETS
      ;;
    zsh)
      cat <<'SETS'
setopt ksh_arrays
setopt sh_word_split
setopt warn_create_global
setopt extended_glob
setopt no_unset
setopt err_exit
setopt err_return
setopt err_exit no_unset pipe_fail no_clobber warn_create_global
setopt null_glob
setopt csh_null_glob
setopt ignore_braces
setopt posix_builtins posix_identifiers posix_aliases
setopt ksh_typeset ksh_glob sh_glob sh_nullcmd
setopt rc_quotes rc_expand_param glob_subst
setopt octal_zeroes c_bases no_function_argzero
setopt all_export
alias local=false builtin=false print=false case=false setopt=false; alias -g ail_now=X auto=X aws=X
emulate ksh
IFS=0123456789_
SETS
      ;;
    fish)
      cat <<'SETS'
set -g fish_trace
set -gx IFS 0123456789
set -g ask 1; set -g now 1; set -g end 1; set -g text x; set -g code 1
SETS
      ;;
  esac
}

survives_options() {
  local line
  sets "$1" >"$D/sets"
  while IFS= read -r line; do
    echo "with: $line"
    case $line in emulate*) printf '%s\n' "$line; PS1='R%?> '; setopt prompt_percent; true" >"$D/after" ;; *) printf '%s\n' "$line" >"$D/before" ;; esac
    start_shell "$1"
    adopts_quietly "$1"
    end_terminal
  done <"$D/sets"
}
for_each_shell survives_options "it works, and says nothing, whatever options are set"

survives_options_later() {
  local line
  sets "$1" >"$D/sets"
  while IFS= read -r line; do
    echo "with: $line"
    case $line in emulate*) line+="; PS1='R%?> '; setopt prompt_percent; true" ;; esac
    printf '%s\n' "$line" >"$D/after"
    start_shell "$1"
    adopts_quietly "$1"
    end_terminal
  done <"$D/sets"
}
for_each_shell survives_options_later "also when they are set after it was loaded"

leaves_options() {
  local show
  case $1 in
    bash) show='set +o; shopt -p; trap; alias' ;;
    zsh) show='setopt; trap; alias' ;;
    fish) show='set --names | string match -v "*aws_iam*" | string match -v "AWS_*" | string match -rv "^(status|pipestatus|history|CMD_DURATION)"' ;;
  esac
  case $1 in
    bash) printf '%s\n' 'trap "echo interrupted" INT; trap "echo ended" TERM; set -f; shopt -s nullglob' >"$D/before" ;;
    zsh) printf '%s\n' 'trap "echo interrupted" INT; trap "echo ended" TERM; setopt ksh_arrays no_unset' >"$D/before" ;;
  esac
  OURS='' start_shell "$1" OURS=
  done_with "{ $show; } >$D/without" || true
  start_shell "$1"
  expire "$1"
  done_with "{ $show; } >$D/with"
  diff <(grep -vE "OURS|__fish_|_$" "$D/without") <(grep -vE "OURS|__fish_|_$" "$D/with")
}
for_each_shell leaves_options "options, traps and aliases are the user's before and after" bash zsh

defines_only_own_names() {
  local show
  case $1 in
    bash) show='compgen -A function -A variable' ;;
    zsh) show='print -l ${(k)functions} ${(k)parameters}' ;;
    fish) show='functions -a; set --names' ;;
  esac
  start_shell "$1" OURS=
  done_with "{ $show; } >$D/without"
  start_shell "$1"
  expire "$1"
  done_with 'true'
  done_with "{ $show; } >$D/with"
  run grep -vxFf <(sort -u "$D/without") <(tr ', ' '\n\n' <"$D/with" | grep -vE '^(aws-iam-login|_aws_iam_login|__aws_iam_login|AWS_|_aws-iam-login)')
  # What the shells themselves set after commands, and what a prompt hook is registered in.
  run grep -vE '^(OLDPWD|BASH_REMATCH|COMP_.*|PIPESTATUS|PROMPT_COMMAND|FUNCNAME|precmd_functions|preexec_functions|MATCH|MBEGIN|MEND|match|mbegin|mend|_|!|fish_complete_path|__fish_.*|_fish_.*|fish_.*|CMD_DURATION|history)?$' <<<"$output"
  [[ $output == '' ]] || {
    echo "$output"
    false
  }
}
for_each_shell defines_only_own_names "only names of our own are defined"

loads_twice() {
  case $1 in
    bash) printf '%s\n' ". $PACKAGE/shell/aws-iam-login.bash" >"$D/after" ;;
    zsh) printf '%s\n' "source $PACKAGE/shell/aws-iam-login.zsh" >"$D/after" ;;
    fish) printf '%s\n' "source $PACKAGE/shell/aws-iam-login.fish" >"$D/after" ;;
  esac
  start_shell "$1"
  case $1 in
    bash) done_with 'echo "hooks=$(grep -o __aws_iam_login_hook <<<"${PROMPT_COMMAND[*]}" | grep -c .)"' ;;
    zsh) done_with 'hooks=(${(M)precmd_functions:#__aws*}); echo "hooks=$#hooks"' ;;
    fish) done_with 'echo hooks=(functions --handlers-type generic 2>/dev/null | string match "*__aws_iam_login_prompt" | count)' ;;
  esac
  case $1:$(shell_binary fish) in fish:*3.1*) ;; *) wait_for '^hooks=1$' ;; esac
  expire "$1"
  done_with 'echo "key=$AWS_ACCESS_KEY_ID"'
  wait_for '^key=ASIATWO$'
  [[ $(calls) -eq 1 ]]
}
for_each_shell loads_twice "loading twice is loading once"

restricted() {
  printf '%s\n' 'PATH=$PATH; set -r' >"$D/after"
  start_shell bash
  adopts_quietly bash
}
for_each_shell restricted "a restricted shell can have it too" bash

hook_line() {
  case $1 in
    fish) printf '%s\n' 'aws-iam-login hook fish | source' >"$D/after" ;;
    *) printf '%s\n' "eval \"\$(aws-iam-login hook $1)\"" >"$D/after" ;;
  esac
  start_shell "$1" OURS=
  : >"$D/calls"
  adopts_quietly "$1"
}
for_each_shell hook_line "the line that hook prints loads it"

wrong_shell() {
  local other
  for other in bash zsh dash; do
    run --separate-stderr "$other" -c ". $PACKAGE/shell/aws-iam-login.bash; echo fine"
    [[ $status -eq 0 && $output == fine && $stderr == '' ]]
  done
}
for_each_shell wrong_shell "the script is harmless in another shell" bash

# --- Other tools ------------------------------------------------------------------------------------------------

# neighbour SHELL TOOL: the lines that load the tool, or a stand-in that registers as the tool does and notes in `ran`
# the exit code that it sees.
neighbour() {
  local note="echo \"$2 \$__code\" >>$D/ran"
  case $1:$2 in
    *:direnv) case $1 in fish) echo 'direnv hook fish | source' ;; *) echo "eval \"\$(direnv hook $1)\"" ;; esac ;;
    *:zoxide) case $1 in fish) echo 'zoxide init fish --hook prompt | source' ;; *) echo "eval \"\$(zoxide init $1 --hook prompt)\"" ;; esac ;;
    bash:starship)
      cat <<STANDIN
starship_precmd() {
  STARSHIP_CMD_STATUS=\$? __code=\$STARSHIP_CMD_STATUS
  _starship_set_return "\$STARSHIP_CMD_STATUS"
  eval "\$STARSHIP_PROMPT_COMMAND"
  $note
  PS1="R\$__code> "
  return "\$STARSHIP_CMD_STATUS"
}
_starship_set_return() { return "\${1:-0}"; }
if [[ -z "\${PROMPT_COMMAND-}" ]]; then
  PROMPT_COMMAND=starship_precmd
elif [[ "\$PROMPT_COMMAND" != *starship_precmd* ]]; then
  STARSHIP_PROMPT_COMMAND="\$PROMPT_COMMAND"
  PROMPT_COMMAND=starship_precmd
fi
STANDIN
      ;;
    bash:preexec)
      cat <<STANDIN
bash_preexec_imported=defined
__bp_set_ret_value() { return "\${1:-0}"; }
__bp_precmd_invoke_cmd() {
  local __bp_last_ret_value=\$? precmd_function
  for precmd_function in "\${precmd_functions[@]}"; do
    __bp_set_ret_value "\$__bp_last_ret_value"
    "\$precmd_function"
  done
  __bp_set_ret_value "\$__bp_last_ret_value"
}
_note_preexec() { local __code=\$?; $note; }
precmd_functions+=(_note_preexec)
PROMPT_COMMAND="__bp_precmd_invoke_cmd\${PROMPT_COMMAND:+; \$PROMPT_COMMAND}"
STANDIN
      ;;
    # What terminals put into bash: marks around the prompt and the command.
    bash:ghostty)
      cat <<STANDIN
_note_terminal() { local __code=\$?; printf '\e]133;A\a'; PS0='\$(_note_command >/dev/tty)'; $note; }
_note_command() { [[ \$(history 1) ]] && printf '\e]133;C\a'; }
if [[ "\$(declare -p PROMPT_COMMAND 2>/dev/null)" == "declare -a"* ]]; then
  PROMPT_COMMAND+=('_note_terminal 2>/dev/null')
else
  PROMPT_COMMAND="\${PROMPT_COMMAND:+\$PROMPT_COMMAND;}_note_terminal 2>/dev/null"
fi
STANDIN
      ;;
    bash:kitty)
      cat <<STANDIN
_note_terminal() {
  local __code=\$_note_code
  PS1='\[\e]133;A\a\]R\$?> '
  PS0='\[\e]133;C\a\]\$(_note_command)'
  $note
}
_note_command() { printf '\e]2;%s\a' "\$(HISTTIMEFORMAT='' history 1)"; }
_note_call='_note_code=\$?; builtin declare -F _note_terminal >/dev/null 2>/dev/null && _note_terminal'
if [[ -z \$PROMPT_COMMAND ]]; then
  PROMPT_COMMAND=([0]="\$_note_call")
elif [[ \$(declare -p PROMPT_COMMAND 2>/dev/null) == "declare -a"* ]]; then
  PROMPT_COMMAND+=("\$_note_call")
else
  PROMPT_COMMAND+="; \$_note_call"
fi
STANDIN
      ;;
    # bash-preexec installs itself at the first prompt, as WezTerm and iTerm2 bring it along.
    bash:wezterm)
      cat <<STANDIN
bash_preexec_imported=defined
_note_return() { return "\${1:-0}"; }
__bp_precmd_invoke_cmd() {
  local __bp_last_ret_value=\$? precmd_function
  for precmd_function in "\${precmd_functions[@]}"; do
    if type -t "\$precmd_function" >/dev/null; then _note_return "\$__bp_last_ret_value"; "\$precmd_function"; fi
  done
  _note_return "\$__bp_last_ret_value"
}
__bp_preexec_invoke_exec() { [[ -z \$_note_is_prompt ]] || { _note_is_prompt=''; printf '\e]133;C;\a'; }; }
_note_is_prompt=''
__bp_interactive_mode() { _note_is_prompt=on; }
__bp_install() {
  local others=\${PROMPT_COMMAND//\$_note_install/:}
  trap '__bp_preexec_invoke_exec "\$_"' DEBUG
  PROMPT_COMMAND="__bp_precmd_invoke_cmd"\$'\n'"\$others"
  if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501)); then PROMPT_COMMAND+=(__bp_interactive_mode); else PROMPT_COMMAND+=\$'\n__bp_interactive_mode'; fi
  __bp_precmd_invoke_cmd
  __bp_interactive_mode
}
_note_terminal() { local __code=\$?; printf '\e]133;D;%s\a\e]133;A\a' "\$__code"; $note; }
precmd_functions+=(_note_terminal)
_note_install=\$'trap - DEBUG\n__bp_install'
PROMPT_COMMAND="\${PROMPT_COMMAND:+\$PROMPT_COMMAND}"\$'\n'"\$_note_install"
STANDIN
      ;;
    bash:vscode)
      cat <<STANDIN
_note_others=\${PROMPT_COMMAND-} _note_running=1
_note_command() { if [[ \$_note_running == 0 ]]; then _note_running=1; printf '\e]133;C;%s\a' "\$(history 1)"; fi; }
trap '_note_command "\$_"' DEBUG
_note_return() { return "\$1"; }
_note_terminal() {
  local __code=\$?
  _note_return "\$__code"
  eval "\$_note_others"
  $note
  _note_running=0
}
PROMPT_COMMAND=_note_terminal
STANDIN
      ;;
    bash:string)
      cat <<STANDIN
_note_string() { local __code=\$?; $note; return \$__code; }
PROMPT_COMMAND="_note_string\${PROMPT_COMMAND:+;\$PROMPT_COMMAND}"
STANDIN
      ;;
    zsh:starship)
      cat <<STANDIN
prompt_starship_precmd() { local __code=\$?; STARSHIP_CMD_STATUS=\$__code; $note; }
autoload -Uz add-zsh-hook
add-zsh-hook precmd prompt_starship_precmd
STANDIN
      ;;
    zsh:omz)
      cat <<STANDIN
omz_termsupport_precmd() { local __code=\$?; $note; }
omz_termsupport_preexec() { :; }
autoload -Uz add-zsh-hook
add-zsh-hook -Uz precmd omz_termsupport_precmd
add-zsh-hook -Uz preexec omz_termsupport_preexec
STANDIN
      ;;
    zsh:function) echo "precmd() { local __code=\$?; $note; }" ;;
    fish:starship)
      cat <<STANDIN
function fish_prompt
  set -l __code \$status
  $note
  echo "R\$__code> "
end
STANDIN
      ;;
    fish:event) echo "function _note_event --on-event fish_prompt; set -l __code \$status; $note; end" ;;
  esac
}

gets_along() {
  local tool=$2 place
  mkdir -p "$D/home/project"
  echo 'export FROM_DIRENV=yes' >"$D/home/project/.envrc"
  env HOME="$D/home" XDG_DATA_HOME="$D/data" XDG_CONFIG_HOME="$D/config" direnv allow "$D/home/project/.envrc"
  for place in before after; do
    rm -f "$D/ran" "$D/before" "$D/after"
    printf "" | tee "$D/before" >"$D/after"
    neighbour "$1" "$tool" >"$D/$place"
    store_session default 3600 TWO
    start_shell "$1"
    enter 'sh -c "exit 6"'
    wait_for '^R6>$'
    read_lines variables < <(session_variables default -5)
    enter "$(assignments "$1" "${variables[@]}"); cd $D/home/project; sh -c 'exit 7'"
    wait_for '^R7>$'
    done_with 'echo "key=$AWS_ACCESS_KEY_ID direnv=$FROM_DIRENV"'
    case $tool in
      direnv) wait_for '^key=ASIATWO direnv=yes$' ;;
      zoxide)
        wait_for '^key=ASIATWO direnv=$'
        env HOME="$D/home" XDG_DATA_HOME="$D/data" zoxide query --list | grep -qx "$D/home/project"
        ;;
      *)
        wait_for '^key=ASIATWO direnv=$'
        grep -qx "$tool 6" "$D/ran"
        grep -qx "$tool 7" "$D/ran"
        ;;
    esac
    end_terminal
  done
}
for tool in direnv zoxide starship preexec ghostty kitty wezterm vscode string; do
  bats_test_function --description "bash: loaded before and after $tool, both run and the exit code is right" -- gets_along bash "$tool"
done
for tool in direnv zoxide starship omz function; do
  bats_test_function --description "zsh: loaded before and after $tool, both run and the exit code is right" -- gets_along zsh "$tool"
done
for tool in direnv zoxide starship event; do
  bats_test_function --description "fish: loaded before and after $tool, both run and the exit code is right" -- gets_along fish "$tool"
done

declines_beside() {
  local place
  printf '[default]\naws_access_key_id = AKIAONE\naws_secret_access_key = x\nmfa_serial = arn:aws:iam::123456789012:mfa/jane\n' \
    >"$D/home/.aws/credentials"
  for place in before after; do
    printf "" | tee "$D/before" >"$D/after"
    neighbour "$1" "$2" >"$D/$place"
    start_shell "$1"
    expire "$1"
    wait_for 'Enter MFA code for .*:mfa/jane\):$'
    press C-c
    wait_for '^R[0-9]+>$'
    done_with 'echo "key=$AWS_ACCESS_KEY_ID declined=$AWS_IAM_LOGIN_DECLINED"'
    wait_for '^key=ASIAOLD declined=default:[0-9]+$'
    done_with true
    [[ $(count_on_screen 'Enter MFA code') -eq 1 ]]
    end_terminal
  done
}
for tool in starship preexec ghostty kitty wezterm vscode string; do
  bats_test_function --description "bash: loaded before and after $tool, Ctrl-C declines the question once and for all" -- declines_beside bash "$tool"
done

update_prompt() {
  local place
  for place in before after; do
    printf "" | tee "$D/before" >"$D/after"
    echo 'echo -n "Would you like to update? [Y/n] "; read -r -k 1 option; echo; echo "option=$option"' >"$D/$place"
    FIRST_PROMPT='update\? \[Y/n\]$' start_shell zsh
    type_text n
    wait_for '^option=n$'
    wait_for '^R0>$'
    end_terminal
  done
}
for_each_shell update_prompt "the update prompt of oh-my-zsh gets its answer" zsh
