# Real interactive shells in tmux, with the real program and the local AWS. Needs `npm run build`, tmux and curl.
# BASH_BIN, ZSH_BIN and FISH_BIN choose other builds of the shells.

# shellcheck source=local-aws.bash
. "${BASH_SOURCE[0]%/*}/local-aws.bash"

bats_require_minimum_version 1.5.0
# Limits end what hangs: a loaded machine may take ten times as long as an idle one.
export BATS_TEST_TIMEOUT=300

# For its messages bats notes the place of every command, which takes it 0.2 ms; those of helpers need none.
note_place=$(declare -f bats_debug_trap)
eval "${note_place/\{/\{ [[ \$1 == \"\$BATS_TEST_SOURCE\" ]] || return 0;}"

PACKAGE=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
ALL_SHELLS=(bash zsh fish)
REQUESTS=() ANSWERS=() MARK=0

# shell_binary SHELL
shell_binary() {
  case $1 in
    bash) command -v "${BASH_BIN:-bash}" ;;
    zsh) command -v "${ZSH_BIN:-zsh}" ;;
    fish) command -v "${FISH_BIN:-fish}" ;;
  esac
}

# for_each_shell FUNCTION DESCRIPTION [SHELL...]: registers FUNCTION as a test of each shell.
for_each_shell() {
  local function=$1 description=$2 name
  shift 2
  for name in "${@:-${ALL_SHELLS[@]}}"; do
    bats_test_function --description "$name: $description" -- "$function" "$name"
  done
}

# A home with the profile `default` of user jane at the local AWS, and the program on a PATH of its own. The
# launcher notes its arguments in `calls`.
make_home() {
  D=$BATS_TEST_TMPDIR
  # With this folder there, fish does not search all manual pages for completions.
  mkdir -p "$D/home/.aws" "$D/bin" "$D/zdot" "$D/config/fish" "$D/data/fish/generated_completions"
  touch "$D/calls" "$D/before" "$D/after"
  printf '#!/bin/sh\nprintf "%%s\\n" "$*" >>%q\nexec sh %q "$@"\n' "$D/calls" "$PACKAGE/shell/aws-iam-login.sh" >"$D/bin/aws-iam-login"
  chmod +x "$D/bin/aws-iam-login"
  ln -s "$(command -v node)" "$D/bin/node"
  # A file already there, so that zsh's new-user wizard stays away.
  : >"$D/zdot/.zshrc"
  if [[ -n ${LOCAL_AWS_URL-} ]]; then
    {
      local_profile default
      printf 'mfa_serial = %s\n' "$LOCAL_AWS_SERIAL"
    } >"$D/home/.aws/credentials"
    chmod 600 "$D/home/.aws/credentials"
  fi
}

# read_lines ARRAY: the lines of stdin; bash 3.2 has no mapfile.
read_lines() {
  local line
  eval "$1=()"
  while IFS= read -r line; do eval "$1+=(\"\$line\")"; done
}

# utc TIME FORMAT: a Unix time in UTC, with the date of GNU or of BSD.
utc() { date -u -d "@$1" "+$2" 2>/dev/null || date -u -r "$1" "+$2"; }

# mode_of FILE: its mode, with the stat of GNU or of BSD.
mode_of() { stat -c %a "$1" 2>/dev/null || stat -f %Lp "$1"; }

# in_new_session COMMAND...: runs it without a terminal, and returns its exit code. macOS has no setsid(1).
in_new_session() {
  perl -MPOSIX -e 'my $child = fork; if ($child) { waitpid $child, 0; exit $? >> 8 } POSIX::setsid(); exec @ARGV or exit 127' "$@"
}

# store_session PROFILE SECONDS [KEY]: writes [PROFILE-sts] that ends so many seconds from now.
store_session() {
  local file=$D/home/.aws/credentials
  drop_session "$1"
  printf '\n[%s-sts]\naws_access_key_id = ASIA%s\naws_secret_access_key = secret+%s/\naws_session_token = token/%s==\nexpiration = %s\n' \
    "$1" "${3:-ONE}" "${3:-ONE}" "${3:-ONE}" "$(utc $(($(date +%s) + $2)) '%Y-%m-%d %H:%M:%S+00:00')" >>"$file"
}

drop_session() {
  local file=$D/home/.aws/credentials
  awk -v header="[$1-sts]" '/^\[/ { skip = ($0 == header) } !skip' "$file" >"$file.new"
  mv "$file.new" "$file"
}

# assignments SHELL NAME=VALUE...: the words that export them in that shell; NAME alone unsets.
assignments() {
  local name=$1 pair value text=''
  shift
  for pair in "$@"; do
    value=${pair#*=}
    if [[ $pair != *=* ]]; then
      if [[ $name == fish ]]; then text+="set -e $pair; "; else text+="unset $pair; "; fi
    elif [[ $name == fish ]]; then
      value=${value//\\/\\\\}
      text+="set -gx ${pair%%=*} '${value//\'/\\\'}'; "
    else
      text+="export ${pair%%=*}='${value//\'/\'\\\'\'}'; "
    fi
  done
  printf '%s' "${text%; }"
}

# session_variables PROFILE SECONDS: what `env` would have exported for a session that ends so many seconds from now.
session_variables() {
  local end=$(($(date +%s) + $2))
  printf '%s\n' "AWS_ACCESS_KEY_ID=ASIAOLD" "AWS_SECRET_ACCESS_KEY=old" "AWS_SESSION_TOKEN=old" "AWS_IAM_LOGIN_PROFILE=$1" \
    "AWS_IAM_LOGIN_EXPIRES_AT=$end" "AWS_IAM_LOGIN_RENEW_AT=$end" "AWS_IAM_LOGIN_AS=keys"
}

# start_shell SHELL [NAME=VALUE...]: an interactive shell whose rc file reads `before`, our script and `after`.
# Its prompt is R, the last command's exit code, `> `. PANE names it for the functions below. FIRST_PROMPT and WIDTH are
# a line to wait for, and a width, other than the usual ones.
start_shell() {
  open_shell "$@"
  open_terminal "${WIDTH:-150}" 200 "${COMMAND[@]}"
  wait_for "${FIRST_PROMPT-^R0>$}"
}

# open_shell SHELL [NAME=VALUE...]: leaves the command of such a shell in COMMAND, without the shell's arguments in BARE.
open_shell() {
  local name=$1 binary
  shift
  binary=$(shell_binary "$name")
  BARE=(env -i TERM=screen LANG=C.UTF-8 HOME="$D/home" PATH="$D/bin:/usr/bin:/bin" ZDOTDIR="$D/zdot" XDG_CONFIG_HOME="$D/config"
    XDG_DATA_HOME="$D/data" AWS_ENDPOINT_URL="${LOCAL_AWS_URL-}" AWS_MAX_ATTEMPTS=1 "$@" "$binary")
  COMMAND=("${BARE[@]}")
  case $name in
    bash)
      printf '%s\n' "PS1='R\$?> '" ". $D/before" "[ -n \"\${OURS+1}\" ] || . $PACKAGE/shell/aws-iam-login.bash" ". $D/after" >"$D/bashrc"
      COMMAND+=(--noprofile --rcfile "$D/bashrc" -i)
      ;;
    zsh)
      printf '%s\n' "PS1='R%?> '" "unsetopt prompt_sp" ". $D/before" "[[ -n \${OURS+1} ]] || . $PACKAGE/shell/aws-iam-login.zsh" ". $D/after" >"$D/zdot/.zshrc"
      COMMAND+=(-d -i)
      ;;
    fish)
      printf '%s\n' 'set -g fish_greeting' 'set -g fish_autosuggestion_enabled 0' 'function fish_prompt; echo "R$status> "; end' \
        'function fish_title; end' "source $D/before" "set -q OURS; or source $PACKAGE/shell/aws-iam-login.fish" "source $D/after" >"$D/config/fish/config.fish"
      COMMAND+=(-i)
      ;;
  esac
}

# child_shell SHELL: the command of a shell like this one.
child_shell() {
  if [[ $1 == bash ]]; then echo "$(shell_binary bash) --noprofile --rcfile $D/bashrc -i"; else echo "$(shell_binary "$1") -i"; fi
}

# open_terminal COLUMNS ROWS COMMAND...: starts the command in a new terminal, and leaves its number in PANE.
open_terminal() {
  local requests answers
  PANE=${#ANSWERS[@]}
  mkdir "$D/terminal$PANE"
  mkfifo "$D/terminal$PANE/requests"
  exec {answers}< <(exec perl "${BASH_SOURCE[0]%/*}/terminal.pl" "$D/terminal$PANE" "$@" <"$D/terminal$PANE/requests" 3>&-)
  exec {requests}>"$D/terminal$PANE/requests"
  REQUESTS[PANE]=$requests ANSWERS[PANE]=$answers
  read_answer
}

# request WORDS: of the terminal; see terminal.pl. Leaves the lines of the answer in ANSWER.
request() {
  printf '%s\n' "$1" >&"${REQUESTS[PANE]}"
  read_answer
}

read_answer() {
  local outcome=no count=0
  read -r -u "${ANSWERS[PANE]}" outcome count || true
  ANSWER=()
  if ((count > 0)); then mapfile -t -n "$count" -u "${ANSWERS[PANE]}" ANSWER; fi
  if [[ $outcome != ok ]]; then
    printf '%s\n' "${ANSWER[@]}" '--- calls' "$(<"$D/calls")"
    return 1
  fi
}

type_text() { request "type $1"; }
press() { request "press $*"; }
enter() { request "enter $1"; }

screen() {
  request screen
  printf '%s\n' "${ANSWER[@]}"
}

# wait_for REGEX: until a line of the screen shows it, without the blanks at its end. Its groups come to ANSWER.
wait_for() { request "wait shows $1"; }

# wait_for_call: until the program has been called, since `calls` was emptied.
wait_for_call() { request "wait file $D/calls"; }

# wait_for_prompt: until the last line is a prompt, so that nothing is typed ahead by mistake.
wait_for_prompt() { request 'wait prompt'; }

# to_prompt COMMAND: runs it in the shell and waits for the next prompt, which has its exit code.
to_prompt() {
  wait_for_prompt
  request prompts
  local prompts=${ANSWER[0]}
  enter "$1"
  request "wait prompts $((prompts + 1))"
}

# run_line COMMAND: runs it in the shell and waits for its end, but not for what the next prompt does.
run_line() {
  ((MARK += 1))
  wait_for_prompt
  enter "$1; echo \"mark\"$MARK"
  wait_for "^mark$MARK$"
}

# done_with COMMAND: runs it in the shell and waits for the next prompt.
done_with() {
  run_line "$1"
  wait_for_prompt
}

# can_trace: macOS has no strace.
can_trace() { [[ $OSTYPE == linux* ]]; }

# trace_shell: notes in `trace` what the shell starts and opens, until `end_trace`.
trace_shell() {
  local pid
  request "tmux display-message -p '#{pane_pid}'"
  pid=${ANSWER[0]}
  strace -f -p "$pid" -e trace=clone,clone3,fork,vfork,execve,open,openat -o "$D/trace" 2>"$D/strace" 3>&- &
  TRACER=$!
  until grep -q attached "$D/strace"; do sleep 0.03; done
}

end_trace() {
  kill "$TRACER"
  wait "$TRACER" || true
}

# processes: what the shell has started since `trace_shell`; fish has threads beside them.
processes() { grep -vE 'CLONE_THREAD|resumed' "$D/trace" | grep -E '(clone3?|v?fork|execve)\(' || true; }

# count_on_screen REGEX: in how many lines it stands.
count_on_screen() {
  request "count $1"
  echo "${ANSWER[0]}"
}

# clear_screen: until only the prompt is left.
clear_screen() {
  wait_for_prompt
  press C-l
  request 'wait clear'
}

# end_terminal: ends what runs there, and waits until nothing of it is left.
end_terminal() {
  request end
  unset 'REQUESTS[PANE]'
}

stop_shells() {
  # bats forgets its watchdog, and waits for it, where a test has failed
  [[ -n ${BATS_TEST_COMPLETED-} ]] || kill "$(jobs -p | head -n 1)"
  for PANE in "${!REQUESTS[@]}"; do end_terminal; done
}
