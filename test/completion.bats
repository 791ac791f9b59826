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
[profile "quoted one"]
[profile corp-sso]
sso_session = hidden
sso_account_id = 123456789012
[sso-session hidden]
[services hidden-too]
[plain-hidden]
#[profile commented]
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
[dollar$HOME]
[-dash]
[$(touch pwned)]
[`touch pwned`]
[{br,ace}]
[ünï]
[*?]
[win]
aws_access_key_id = AKIATHREE
CREDENTIALS
  # compinit may come before or after our line.
  case $BATS_TEST_DESCRIPTION in
    zsh:*) echo "autoload -Uz compinit && compinit -u -d $BATS_FILE_TMPDIR/zcompdump" >"$D/before" ;;
  esac
}
teardown() { stop_shells; }

# write_oddly: adds lines that the launcher leaves to Node, which then lists the profiles at every Tab.
write_oddly() {
  printf '  [profile indented]\n[profile unterminated\n' >>"$D/home/.aws/config"
  printf "[it's]\n[back\\\\slash]\n[semi;colon]\n" >>"$D/home/.aws/credentials"
}

# completes TEXT EXPECTED: what stands on the line after Tab, behind the name of the program.
completes() {
  local text
  clear_screen
  type_text "aws-iam-login $1"
  press Tab
  type_text '@@'
  wait_for '^R[0-9]+> aws-iam-login (.*[^ ]) *@@$'
  text=${ANSWER[0]}
  press C-e C-u
  [[ $text == "$2" ]] || {
    echo "'$1' became '$text', not '$2'"
    return 1
  }
}

completes_words() {
  local text expected
  start_shell "$1"
  while IFS='|' read -r text expected; do completes "$text" "$expected"; done <<'WORDS'
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

# only_note_calls: the program on the PATH does nothing else.
only_note_calls() { printf '#!/bin/sh\nprintf "%%s\\n" "$*" >>%q\n' "$D/calls" >"$D/bin/aws-iam-login"; }

completes_odd_names() {
  local text expected
  only_note_calls
  start_shell "$1"
  done_with "cd $D/home"
  while IFS='|' read -r text expected; do
    # from here on Node lists the profiles
    if [[ $text == it ]]; then write_oddly; fi
    : >"$D/calls"
    clear_screen
    type_text "aws-iam-login exec --profile $text"
    press Tab
    # The whole name must be one word, in whatever way it is quoted; an open quote is closed by the shell, or here.
    case $text in
      [\"\']*)
        wait_for '--profile (.(with space|[$][(]touch pwned[)])["'\'' ]*)$'
        case ${ANSWER[0]} in *[a-z\)]"${text:0:1}") ;; *) type_text "${text:0:1}" ;; esac
        ;;
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
dol|dollar$HOME
'$(|$(touch pwned)
quo|quoted one
ün|ünï
it|it's
back|back\slash
semi|semi;colon
ind|indented
NAMES
  [[ ! -e $D/home/pwned ]]
}
for_each_shell completes_odd_names "names with blanks, quotes and dollars come out as one word"

quotes_everywhere() {
  local name text
  only_note_calls
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
  write_oddly
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
  write_oddly
  # shellcheck disable=SC2016
  if [[ $1 == bash ]] && "$(shell_binary bash)" -c '((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 404))'; then sorted=sorted; fi
  if [[ $1 == bash ]]; then twice=2; fi
  WIDTH=30 start_shell "$1" # one name a line
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
  write_oddly
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
  completes 'use ro' 'use role' # the completion is loaded now
  clear_screen
  trace_shell
  completes 'use me@c' 'use me@corp.example'
  end_trace
  [[ $(processes) == *awk* && $(processes) != */node\"* && $(wc -l <"$D/calls") -eq 0 ]]
}
if can_trace; then for_each_shell starts_no_node "Tab starts sh and awk, and no Node"; fi

follows_variables() {
  mv "$D/home/.aws/credentials" "$D/my credentials"
  mkdir "$D/home/elsewhere"
  printf '[profile tilde-one]\n' >"$D/home/elsewhere/config"
  start_shell "$1" "AWS_SHARED_CREDENTIALS_FILE=$D/my credentials" 'AWS_CONFIG_FILE=~/elsewhere/config'
  completes 'use me@' 'use me@corp.example'
  completes 'use til' 'use tilde-one'
}
for_each_shell follows_variables "the files are found where AWS's variables say"

survives_no_files() {
  rm -r "$D/home/.aws"
  start_shell "$1"
  completes 'rot' 'rotate'
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
    echo "with $line"
    start_shell "$1"
    completes 'use me@c' 'use me@corp.example'
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
  completes 'use me@c' 'use me@corp.example'
}
for_each_shell loads_late "compinit may come after our line" zsh

knows_help() {
  start_shell "$1"
  completes 'help troubl' 'help troubleshooting'
  completes 'help credent' 'help credential-process'
}
for_each_shell knows_help "help is followed by a command or a topic"

# Each command of the help, with its options, is a line of a file.
list_options() {
  local program=$PACKAGE/dist/aws-iam-login.cjs command
  local -a commands
  [[ ! -s $BATS_FILE_TMPDIR/options ]] || return 0
  read_lines commands < <("$program" --help | sed -n '/^Daily/,/^Options/s/^  \([a-z-]\{3,\}\)  .*/\1/p')
  ((${#commands[@]} >= 10))
  for command in "${commands[@]}"; do
    "$program" "$command" --help | grep -oE -- '--[a-z-]+' | sort -u | grep -vxE -- '--(version|help)' | tr '\n' ' ' | sed "s/^/$command /"
    echo
  done >"$BATS_FILE_TMPDIR/options"
}

knows_all_options() {
  local command options
  list_options
  check_options "$1" >"$D/after"
  start_shell "$1"
  while read -r command options; do
    completes "$command" "$command"
    clear_screen
    enter "check_options $command $options"
    wait_for "^checked $command$"
    [[ $(count_on_screen 'is missing') -eq 0 ]] || {
      screen
      return 1
    }
  done <"$BATS_FILE_TMPDIR/options"
}

# check_options SHELL: a function for that shell, which names the options of a command that it does not complete.
check_options() {
  case $1 in
    bash)
      cat <<'CHECK'
check_options() {
  local command=$1 option
  shift
  COMP_LINE="aws-iam-login $command --" COMP_POINT=200
  _aws_iam_login aws-iam-login -- x
  for option in "$@"; do [[ " ${COMPREPLY[*]} " == *" $option "* ]] || echo "$option is missing"; done
  echo "checked $command"
}
CHECK
      ;;
    zsh)
      cat <<CHECK
check_options() {
  local command=\$1 option text=\$(<$PACKAGE/completions/_aws-iam-login)
  shift
  for option in "\$@"; do [[ \$text == *\${option}[^a-z-]* ]] || echo "\$option is missing"; done
  echo "checked \$command"
}
CHECK
      ;;
    fish)
      cat <<'CHECK'
function check_options
  set -l command $argv[1]
  set -e argv[1]
  set -l found (complete -C "aws-iam-login $command --" | string replace -r '\t.*' '')
  for option in $argv
    contains -- $option $found; or echo "$option is missing"
  end
  echo "checked $command"
end
CHECK
      ;;
  esac
}
for_each_shell knows_all_options "every command and option of the help is known"
