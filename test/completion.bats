#!/usr/bin/env bats
# Tab in real interactive shells.

load shell.bash

setup() {
  make_home
  cat >"$D/home/.aws/config" <<'CONFIG'
[default]
region = eu-west-1
[profile Role-one]
role_arn = arn:aws:iam::123456789012:role/one
source_profile = default
  [profile indented]
[profile "quoted one"]
[profile corp-sso]
sso_session = hidden
sso_account_id = 123456789012
[sso-session hidden]
[services hidden-too]
[plain-hidden]
#[profile commented]
[profile unterminated
CONFIG
  cat >"$D/home/.aws/credentials" <<'CREDENTIALS'
[default]
aws_access_key_id = AKIAONE
[default-sts]
[me@corp.example]
aws_access_key_id = AKIATWO
[team.dot]
[a:b:c]
[x+y/z=1]
[with space]
[it's]
[dollar$HOME]
[back\slash]
[-dash]
[$(touch pwned)]
[`touch pwned`]
[semi;colon]
[{br,ace}]
[ünï]
[*?]
[win]
aws_access_key_id = AKIATHREE
CREDENTIALS
  # compinit may come before or after our line.
  case $BATS_TEST_DESCRIPTION in
    zsh:*) echo 'autoload -Uz compinit && compinit -u -D' >"$D/before" ;;
  esac
}
teardown() { stop_shells; }

# completed TEXT: what stands on the line after Tab, which must change it.
completed() {
  clear_screen
  wait_for '^R[0-9]+>$'
  type_text "$1"
  press Tab
  type_text '@@'
  wait_for '@@$'
  screen | sed -n '/^R[0-9]*> aws/{s/^R[0-9]*> //; s/ *@@.*$//; p; q}'
  press C-e C-u
}

completes_words() {
  local text expected
  start_shell "$1"
  while IFS='|' read -r text expected; do
    run completed "aws-iam-login $text"
    [[ $output == "aws-iam-login $expected" ]] || {
      echo "'$text' became '$output', not '$expected'"
      return 1
    }
  done <<'WORDS'
logi|login
logo|logout
compl|completion
login me|login me@corp.example
me|me@corp.example
me@corp.example us|me@corp.example use
use a:|use a:b:c
use a:b:|use a:b:c
use x+|use x+y/z=1
use --profile me@c|use --profile me@corp.example
use --profile=me@c|use --profile=me@corp.example
use --profile=a:|use --profile=a:b:c
use --as wa|use --as watch
use me@corp.example --as pro|use me@corp.example --as profile
env --format power|env --format powershell
env --format=power|env --format=powershell
--region eu-west-1 env te|--region eu-west-1 env team.dot
hook zs|hook zsh
setup fi|setup fish
login --if|login --if-needed
team.dot env --uns|team.dot env --unset
exec win -- mktem|exec win -- mktemp
exec win mktem|exec win mktemp
exec me@corp.example --region eu-west-1 mktem|exec me@corp.example --region eu-west-1 mktemp
exec -p a:b:c mktem|exec -p a:b:c mktemp
x+y/z=1 exec mktem|x+y/z=1 exec mktemp
exec win --qui|exec win --quiet
status corp|status corp-sso
use corp-s|use corp-s
init Role-o|init Role-o
rotate me@|rotate me@corp.example
WORDS
}
for_each_shell completes_words "commands, options, values and profiles, in both word orders"

completes_odd_names() {
  local text expected
  start_shell "$1"
  done_with "cd $D/home"
  while IFS='|' read -r text expected; do
    : >"$D/calls"
    clear_screen
    type_text "aws-iam-login exec --profile $text"
    press Tab
    # The whole name must be one word, in whatever way it is quoted; an open quote is closed by the shell, or here.
    case $text in
      [\"\']*) screen_quotes "${text:0:1}" ;;
    esac
    type_text ' --quiet'
    press Enter
    wait_for_call
    [[ $(<"$D/calls") == "exec --profile $expected --quiet" ]] || {
      echo "'$text' became '$(<"$D/calls")'"
      screen
      return 1
    }
  done <<'NAMES'
with|with space
"with|with space
'with|with space
it|it's
dol|dollar$HOME
back|back\slash
'$(|$(touch pwned)
semi|semi;colon
quo|quoted one
ün|ünï
ind|indented
NAMES
  [[ ! -e $D/home/pwned ]]
}

# screen_quotes QUOTE: closes the quote unless the shell has done so.
screen_quotes() {
  local text='' end=$((SECONDS + 60))
  # not the line before this one, which may still be there
  until [[ $text =~ ^--profile\ .(with\ space|'$(touch pwned)')[\"\'\ ]*$ ]]; do
    ((SECONDS < end)) || return 1
    text=$(screen | grep -o -- '--profile .*' | tail -n 1)
  done
  case $text in *[a-z\)]"$1") ;; *) type_text "$1" ;; esac
}
for_each_shell completes_odd_names "names with blanks, quotes and dollars come out as one word"

quotes_everywhere() {
  local name text
  start_shell "$1"
  done_with "cd $D/home"
  for name in '$(touch pwned)' '`touch pwned`' ';touch pwned;'; do
    printf '[%s]\naws_access_key_id = AKIAONE\n' "$name" >"$D/home/.aws/credentials"
    : >"$D/home/.aws/config"
    for text in 'env ' 'env --profile ' 'env --profile=' '-p '; do
      : >"$D/calls"
      clear_screen
      type_text "aws-iam-login $text"
      press Tab
      wait_for 'touch'
      type_text ' --quiet'
      press Enter
      wait_for_call
      [[ $(<"$D/calls") == "$text$name --quiet" ]] || {
        echo "'$text' became '$(<"$D/calls")'"
        return 1
      }
      wait_for '^R[0-9]+>$'
    done
  done
  [[ ! -e $D/home/pwned ]]
}
for_each_shell quotes_everywhere "a name that is a command substitution is quoted wherever a profile stands"

completes_after_dashes() {
  local text
  start_shell "$1"
  for text in 'use -- -d' 'exec -- --' 'exec win -- -'; do
    clear_screen
    type_text "aws-iam-login $text"
    press Tab
    type_text '@@'
    wait_for '@@$'
    [[ $(count_on_screen 'complete|option|function') -eq 0 ]]
    press C-e C-u
  done
}
for_each_shell completes_after_dashes "a word with a dash after -- is no option of the shell's own commands"

# The names that Tab offers, in their order.
offered() {
  clear_screen
  type_text "aws-iam-login $1"
  press Tab
  if [[ -n ${2-} ]]; then press Tab; fi
  wait_for 'indented|more rows'
  if [[ $(count_on_screen 'more rows') -gt 0 ]]; then press Tab; fi # fish 3.1 shows four rows first
  wait_for 'indented'
  screen | grep -v '^R[0-9]*>' | grep -oE 'Role-one|me@corp\.example|indented|default-sts|corp-sso'
  press C-c
  wait_for '^R(130|0|1)>$'
}

describes_kinds() {
  start_shell "$1"
  type_text 'aws-iam-login use '
  press Tab
  wait_for 'Role-one .*role'
  wait_for 'default-sts .*session'
  wait_for '(win|me@corp.example) .*user'
  wait_for 'indented .*other'
  [[ $(count_on_screen 'hidden|commented|unterminated') -eq 0 ]]
}
for_each_shell describes_kinds "the kind of a profile stands beside it" zsh fish

# offers NAME...: in this order; readline sorts them before bash 4.4.
offers() {
  local words=("$@")
  if [[ $1 == sorted ]]; then
    shift
    read_lines words < <(printf '%s\n' "$@" | LC_ALL=C sort)
    output=$(LC_ALL=C sort <<<"$output")
  fi
  [[ ${output//$'\n'/ } == "${words[*]}" ]]
}

fits_command() {
  local twice='' sorted=''
  # shellcheck disable=SC2016
  if [[ $1 == bash ]] && "$(shell_binary bash)" -c '((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 404))'; then sorted=sorted; fi
  if [[ $1 == bash ]]; then twice=2; fi
  start_shell "$1"
  request 'tmux resize-window -x 30' # one name a line
  run offered 'use ' $twice
  offers $sorted Role-one me@corp.example indented default-sts
  run offered 'login ' $twice
  offers $sorted me@corp.example Role-one indented default-sts
  run offered 'init ' $twice
  offers $sorted me@corp.example indented
  run offered 'status ' $twice
  offers $sorted me@corp.example Role-one indented default-sts corp-sso
}
for_each_shell fits_command "roles come first where a role is meant, and SSO profiles only where they can be told of"

lists_bash() {
  start_shell bash
  type_text 'aws-iam-login use '
  press Tab Tab
  wait_for 'Role-one'
  wait_for 'me@corp.example'
  wait_for 'default-sts'
  [[ $(count_on_screen 'hidden|commented|unterminated') -eq 0 ]]
}
for_each_shell lists_bash "all profiles of both files are offered, other sections are not" bash

starts_no_node() {
  printf '[default]\naws_access_key_id = AKIAONE\n\n[me@corp.example]\naws_access_key_id = AKIATWO\n' >"$D/home/.aws/credentials"
  printf '[profile role]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = default\n' >"$D/home/.aws/config"
  start_shell "$1"
  completed 'aws-iam-login use ro' >/dev/null # the completion is loaded now
  clear_screen
  trace_shell
  run completed 'aws-iam-login use me@c'
  [[ $output == 'aws-iam-login use me@corp.example' ]]
  end_trace
  [[ $(processes) == *awk* && $(processes) != */node\"* && $(wc -l <"$D/calls") -eq 0 ]]
}
if can_trace; then for_each_shell starts_no_node "Tab starts sh and awk, and no Node"; fi

follows_variables() {
  mv "$D/home/.aws/credentials" "$D/my credentials"
  mkdir "$D/home/elsewhere"
  printf '[profile tilde-one]\n' >"$D/home/elsewhere/config"
  start_shell "$1" "AWS_SHARED_CREDENTIALS_FILE=$D/my credentials" 'AWS_CONFIG_FILE=~/elsewhere/config'
  run completed 'aws-iam-login use me@'
  [[ $output == 'aws-iam-login use me@corp.example' ]]
  run completed 'aws-iam-login use til'
  [[ $output == 'aws-iam-login use tilde-one' ]]
}
for_each_shell follows_variables "the files are found where AWS's variables say"

survives_no_files() {
  rm -r "$D/home/.aws"
  start_shell "$1"
  run completed 'aws-iam-login rot'
  [[ $output == 'aws-iam-login rotate' ]]
  clear_screen
  type_text 'aws-iam-login use x'
  press Tab
  type_text '@@'
  wait_for 'use x@@$'
  [[ $(screen | grep -c .) -eq 1 ]]
}
for_each_shell survives_no_files "without files there are no profiles, and no error"

survives_options() {
  local line
  while IFS= read -r line; do
    printf '%s\n' "$line" >"$D/after"
    start_shell "$1"
    run completed 'aws-iam-login use me@c'
    [[ $output == 'aws-iam-login use me@corp.example' ]] || {
      echo "with $line: $output"
      return 1
    }
    end_terminal
  done < <(
    case $1 in
      bash) printf '%s\n' 'set -eu -o pipefail' 'set -o posix' 'set -C -f' 'shopt -s nullglob failglob' 'IFS=0@c' 'alias local=false case=false' ;;
      zsh) printf '%s\n' 'setopt ksh_arrays' 'setopt no_unset' 'setopt sh_word_split glob_subst' 'setopt null_glob' 'setopt warn_create_global' ;;
      fish) printf '%s\n' 'set -gx IFS 0@c' ;;
    esac
  )
}
for_each_shell survives_options "the user's options do not matter"

loads_late() {
  : >"$D/before"
  echo 'autoload -Uz compinit && compinit -u -D' >"$D/after"
  start_shell zsh
  run completed 'aws-iam-login use me@c'
  [[ $output == 'aws-iam-login use me@corp.example' ]]
}
for_each_shell loads_late "compinit may come after our line" zsh

knows_help() {
  start_shell "$1"
  run completed 'aws-iam-login help troubl'
  [[ $output == 'aws-iam-login help troubleshooting' ]]
  run completed 'aws-iam-login help credent'
  [[ $output == 'aws-iam-login help credential-process' ]]
}
for_each_shell knows_help "help is followed by a command or a topic"

knows_all_options() {
  local command options
  local -a commands
  read_lines commands < <("$PACKAGE/dist/aws-iam-login.cjs" --help | sed -n '/^Daily/,/^Options/s/^  \([a-z-]\{3,\}\)  .*/\1/p')
  ((${#commands[@]} >= 10))
  check_options "$1" >"$D/after"
  start_shell "$1"
  for command in "${commands[@]}"; do
    run completed "aws-iam-login $command"
    [[ $output == "aws-iam-login $command" ]]
    options=$("$PACKAGE/dist/aws-iam-login.cjs" "$command" --help | grep -oE -- '--[a-z-]+' | sort -u | grep -vxE -- '--(version|help)' | tr '\n' ' ')
    enter "check_options $command $options"
    wait_for "checked $command$" # behind the line itself where that ends with the screen
    [[ $(count_on_screen 'is missing') -eq 0 ]] || {
      screen
      return 1
    }
    clear_screen
  done
}

# check_options SHELL: a function for that shell, which names the options of a command that it does not complete.
check_options() {
  case $1 in
    bash)
      cat <<'CHECK'
check_options() {
  local command=$1 option
  shift
  for option in "$@"; do
    COMP_LINE="aws-iam-login $command $option" COMP_POINT=200
    _aws_iam_login aws-iam-login "$option" x
    [[ ${COMPREPLY[0]-} == "$option " ]] || echo "$option is missing"
  done
  echo "checked $command"
}
CHECK
      ;;
    zsh)
      cat <<CHECK
check_options() {
  local command=\$1 option
  shift
  for option in "\$@"; do grep -qE -- "\${option}[^a-z-]" $PACKAGE/completions/_aws-iam-login || echo "\$option is missing"; done
  echo "checked \$command"
}
CHECK
      ;;
    fish)
      cat <<'CHECK'
function check_options
  set -l command $argv[1]
  set -e argv[1]
  for option in $argv
    set -l found (complete -C "aws-iam-login $command $option" | string split \t)
    contains -- $option $found[1]; or echo "$option is missing"
  end
  echo "checked $command"
end
CHECK
      ;;
  esac
}
for_each_shell knows_all_options "every command and option of the help is known"
