#!/usr/bin/env bats
# setup, hook and completion as commands, and the copies that setup leaves.

load shell.bash

setup() {
  make_home
  printf '[default]\naws_access_key_id = AKIAONE\naws_secret_access_key = x\n' >"$D/home/.aws/credentials"
  store_session default 3600 TWO
  H=$D/home
  mkdir "$D/user"
  export HOME=$H ZDOTDIR=$D/user XDG_CONFIG_HOME=$D/config XDG_DATA_HOME=$D/data PATH=$D/bin:/usr/bin:/bin
  unset AWS_IAM_LOGIN_PROFILE AWS_PROFILE
}
teardown() { stop_shells; }

rc_file() {
  case $1 in
    bash) echo "$H/.bashrc" ;;
    zsh) echo "$D/user/.zshrc" ;;
    fish) echo "$D/config/fish/conf.d/aws-iam-login.fish" ;;
  esac
}

# listing: every file below the home and the data folder with its content, save the locks of our state folder.
listing() { find "$H" "$D/data/aws-iam-login" "$D/config" "$D/user" -path "$H/.aws/aws-iam-login" -prune -o -type f -print -exec cat {} + 2>/dev/null | sort; }

# start_set_up SHELL [NAME=VALUE...]: the shell with the rc files as they are, in which only the prompt is ours.
start_set_up() {
  local name=$1 rc
  open_shell "$name" OURS= ZDOTDIR="$D/user" "${@:2}"
  rc=$(rc_file "$name")
  case $name in
    bash) COMMAND=("${BARE[@]}" --noprofile --rcfile "$rc" -i) ;;
    zsh) COMMAND=("${BARE[@]}" -d -i) ;;
  esac
  open_terminal 150 50 "${COMMAND[@]}"
  wait_for "${FIRST_PROMPT-^R0>$}"
}

# own_rc SHELL: an rc file of the user's.
own_rc() {
  case $1 in
    bash) printf '%s\n' '# mine' "PS1='R\$?> '" >"$(rc_file bash)" ;;
    zsh) printf '%s\n' '# mine' "PS1='R%?> '" 'unsetopt prompt_sp' 'autoload -Uz compinit && compinit -u -D' >"$(rc_file zsh)" ;;
  esac
}

sets_up() {
  own_rc "$1"
  run aws-iam-login setup "$1" --yes
  [[ $status -eq 0 && $output == *"add to $(rc_file "$1" | sed "s,^$H/,~/,")"* && $output == *'# >>> aws-iam-login >>>'* ]]
  start_set_up "$1"
  enter 'aws-iam-login use default'
  done_with 'echo "key=$AWS_ACCESS_KEY_ID"'
  wait_for '^key=ASIATWO$'
  type_text 'aws-iam-login comple'
  press Tab
  type_text '@@'
  wait_for 'aws-iam-login completion @@$'
}
for_each_shell sets_up "after setup a new shell has use, hook and completion"

is_idempotent() {
  own_rc "$1"
  aws-iam-login setup "$1" --yes
  listing >"$D/once"
  run aws-iam-login setup "$1"
  [[ $status -eq 0 && $output == "aws-iam-login: $1 is set up already; in one that was open before: exec $1" ]]
  listing >"$D/twice"
  diff "$D/once" "$D/twice"
}
for_each_shell is_idempotent "a second setup changes nothing, and asks nothing"

removes() {
  local content
  for content in $'# mine\nalias x=y\n' $'# no newline at the end' '' $'# windows\r\nalias x=y\r\n' $'\xff\xfe latin \xe9\n\n\n'; do
    rm -rf "$D/data/aws-iam-login"
    mkdir -p "$(dirname "$(rc_file "$1")")"
    printf '%s' "$content" >"$(rc_file "$1")"
    cp "$(rc_file "$1")" "$D/before-setup"
    aws-iam-login setup "$1" --yes
    [[ $(head -c "${#content}" "$(rc_file "$1")" | cmp - <(head -c "${#content}" "$D/before-setup") && echo same) == same ]]
    aws-iam-login setup "$1" --remove --yes
    cmp "$(rc_file "$1")" "$D/before-setup"
    [[ ! -e $D/data/aws-iam-login ]]
  done
  run aws-iam-login setup "$1" --remove
  [[ $status -eq 0 && $output == "aws-iam-login: nothing of setup is left for $1" ]]
}
for_each_shell removes "--remove leaves every byte as it was, of an empty file too, and no copies"

takes_its_own() {
  rm -f "$(rc_file "$1")"
  aws-iam-login setup "$1" --yes
  sed 's/^# to take it out.*/# an old block/' "$(rc_file "$1")" >"$D/old"
  cp "$D/old" "$(rc_file "$1")"
  aws-iam-login setup "$1" --yes
  aws-iam-login setup "$1" --remove --yes
  [[ ! -e $(rc_file "$1") ]]
  aws-iam-login setup "$1" --yes
  printf '# mine\n' >>"$(rc_file "$1")"
  aws-iam-login setup "$1" --remove --yes
  [[ $(<"$(rc_file "$1")") == '# mine' ]]
}
for_each_shell takes_its_own "--remove takes an rc file that setup made, unless something else has come into it"

@test "what stands around the block stays, also when the block is renewed" {
  aws-iam-login setup bash --yes
  { printf 'first\n'; cat "$H/.bashrc"; printf 'last'; } >"$D/new"
  sed 's/^# to take it out.*/# an old block/' "$D/new" >"$H/.bashrc"
  aws-iam-login setup bash --yes
  cmp "$H/.bashrc" "$D/new"
}

@test "one shell's removal leaves the others their copies" {
  aws-iam-login setup bash --yes
  aws-iam-login setup fish --yes
  aws-iam-login setup bash --remove --yes
  [[ -r $D/data/aws-iam-login/shell/aws-iam-login.fish && -r $D/data/aws-iam-login/stamp && ! -e $H/.bashrc ]]
  aws-iam-login setup fish --remove --yes
  [[ ! -e $D/data/aws-iam-login && ! -e $D/config/fish/conf.d/aws-iam-login.fish ]]
}

@test "a symbolic link of the rc file is followed and stays" {
  mkdir "$H/dotfiles"
  printf '# mine\n' >"$H/dotfiles/bashrc"
  chmod 640 "$H/dotfiles/bashrc"
  ln -s dotfiles/bashrc "$H/.bashrc"
  aws-iam-login setup bash --yes
  [[ -L $H/.bashrc && $(mode_of "$H/dotfiles/bashrc") == 640 ]]
  grep -q 'aws-iam-login.bash' "$H/dotfiles/bashrc"
  aws-iam-login setup bash --remove --yes
  [[ -L $H/.bashrc && $(<"$H/dotfiles/bashrc") == '# mine' ]]
}

@test "half a block is reported, and nothing is changed" {
  printf '# >>> aws-iam-login >>>\nsomething\n' >"$H/.bashrc"
  listing >"$D/untouched"
  run aws-iam-login setup bash --yes
  [[ $status -eq 1 && $output == *"~/.bashrc holds the first line of our block, but not the last one"* ]]
  diff "$D/untouched" <(listing)
}

@test "without a terminal and without --yes nothing is changed" {
  listing >"$D/untouched"
  run in_new_session aws-iam-login setup bash </dev/null
  [[ $status -eq 3 && $output == *'--yes'* ]]
  diff "$D/untouched" <(listing)
}

takes_calling_shell() {
  own_rc "$1"
  start_set_up "$1" SHELL=/bin/tcsh
  enter 'aws-iam-login setup --yes'
  wait_for "done; open a new shell, or: exec $1$"
  grep -q "aws-iam-login.$1" "$(rc_file "$1")"
}
for_each_shell takes_calling_shell "setup without a name sets up the shell that calls it, whatever SHELL says"

@test "fish that was started from bash is set up as fish" {
  own_rc bash
  start_set_up bash SHELL="$(shell_binary bash)"
  printf '%s\n' 'set -g fish_greeting' 'function fish_prompt; echo "F> "; end' >"$D/config/fish/config.fish"
  enter "$(child_shell fish)"
  wait_for '^F>$'
  enter 'aws-iam-login setup --yes'
  wait_for 'done; open a new shell, or: exec fish$'
  [[ -r $(rc_file fish) && $(<"$H/.bashrc") != *aws-iam-login* ]]
}

@test "the shell is that of SHELL where no shell calls, and an unknown one is a usage error" {
  SHELL=/usr/local/bin/zsh run perl -e 'exit(system(@ARGV) >> 8)' aws-iam-login setup --yes
  [[ $status -eq 0 && -r $D/user/.zshrc ]]
  SHELL=/bin/tcsh run perl -e 'exit(system(@ARGV) >> 8)' aws-iam-login setup --yes
  [[ $status -eq 2 && $output == *tcsh* ]]
  run aws-iam-login setup powershell
  [[ $status -eq 2 ]]
  run aws-iam-login hook
  [[ $status -eq 2 ]]
}

asks_first() {
  start_shell "$1" OURS=
  enter 'aws-iam-login setup bash'
  wait_for 'Go on\? \[y/N\]$'
  enter n
  wait_for '^R130>$'
  [[ ! -e $H/.bashrc && ! -e $D/data/aws-iam-login ]]
  clear_screen
  enter 'aws-iam-login setup bash'
  wait_for 'Go on\? \[y/N\]$'
  enter y
  wait_for '^R0>$'
  grep -q aws-iam-login.bash "$H/.bashrc"
}
for_each_shell asks_first "setup shows the change and asks" bash

forgives_missing_script() {
  own_rc "$1"
  aws-iam-login setup "$1" --yes
  rm -r "$D/data/aws-iam-login"
  start_set_up "$1"
  [[ $(screen | grep -c .) -eq 1 ]]
}
for_each_shell forgives_missing_script "copies that have gone are no error at the start of a shell"

quotes_paths() {
  export XDG_DATA_HOME="$D/it's \$HOME \\ here"
  own_rc "$1"
  aws-iam-login setup "$1" --yes
  start_set_up "$1"
  enter 'aws-iam-login use default'
  done_with 'echo "key=$AWS_ACCESS_KEY_ID"'
  wait_for '^key=ASIATWO$'
}
for_each_shell quotes_paths "a folder with quotes, dollars and backslashes is sourced all the same"

outlives_node_version() {
  # The package as a Node version manager installs it: a folder for each version of Node, with its own program.
  local manager=$H/.nvm/versions/node
  mkdir -p "$manager/v1/bin" "$manager/v1/lib/aws-iam-login" "$manager/v2/bin"
  cp -r "$PACKAGE/dist" "$PACKAGE/shell" "$PACKAGE/completions" "$manager/v1/lib/aws-iam-login"
  cp -L "$D/bin/node" "$manager/v1/bin/node"
  ln -s "$manager/v1/bin/node" "$manager/v2/bin/node"
  ln -s ../lib/aws-iam-login/shell/aws-iam-login.sh "$manager/v1/bin/aws-iam-login"
  rm "$D/bin/aws-iam-login" "$D/bin/node"
  own_rc "$1"
  PATH=$manager/v1/bin:/usr/bin:/bin aws-iam-login setup "$1" --yes
  [[ $(sed -n 2p "$D/data/aws-iam-login/stamp") == "$manager/v1/bin/node" ]]
  local path
  for path in "$manager/v2/bin:/usr/bin:/bin" "$D/bin:/usr/bin:/bin"; do
    start_set_up "$1" "PATH=$path"
    enter 'aws-iam-login use default'
    done_with 'echo "key=$AWS_ACCESS_KEY_ID"'
    wait_for '^key=ASIATWO$'
  done
}
for_each_shell outlives_node_version "the copy finds the program after the default Node has changed"

names_leftovers() {
  local rest variables
  own_rc "$1"
  aws-iam-login setup "$1" --yes
  sed '3s,.*,/gone/aws-iam-login.cjs,' "$D/data/aws-iam-login/stamp" >"$D/stamp"
  mv "$D/stamp" "$D/data/aws-iam-login/stamp"
  rm "$D/bin/aws-iam-login"
  drop_session default
  case $1 in fish) rest=$(rc_file fish) ;; *) rest="the block 'aws-iam-login' from $(rc_file "$1")" ;; esac
  read_lines variables < <(session_variables default -5)
  FIRST_PROMPT='or remove' start_set_up "$1" "${variables[@]}"
  wait_for_prompt
  [[ $(screen | grep -v '^R' | tr -d '\n') == "aws-iam-login: the program is gone: install it again, or remove $rest, and $D/data/aws-iam-login" ]]
  done_with 'echo still'
  [[ $(count_on_screen 'gone') -eq 1 ]]
  clear_screen
  enter 'aws-iam-login use default'
  wait_for '^R127>$'
  [[ $(screen | tail -n +2 | grep -v '^R' | tr -d '\n') == *"or remove $rest, and $D/data/aws-iam-login" ]]
}
for_each_shell names_leftovers "a program that is gone is one sentence, which names what to remove"

works_with_other_version() {
  own_rc "$1"
  aws-iam-login setup "$1" --yes
  sed '1s/.*/0.9.0/' "$D/data/aws-iam-login/stamp" >"$D/stamp"
  mv "$D/stamp" "$D/data/aws-iam-login/stamp"
  start_set_up "$1"
  enter 'aws-iam-login use nobody'
  wait_for "the shell hook is of version 0.9.0, the program of [0-9.]+: 'aws-iam-login setup' renews the hook"
  wait_for '^R1>$'
  clear_screen
  enter 'aws-iam-login use nobody'
  wait_for '^R1>$'
  [[ $(count_on_screen 'renews the hook') -eq 0 ]]
  enter 'aws-iam-login use default'
  done_with 'echo "key=$AWS_ACCESS_KEY_ID version=$AWS_IAM_LOGIN_HOOK_VERSION."'
  wait_for '^key=ASIATWO version=\.$'
}
for_each_shell works_with_other_version "an old copy and a new program work together, and the program says so once"

prints_paths() {
  local path
  path=$(aws-iam-login hook "$1" --path)
  [[ -r $path && $path == */shell/aws-iam-login.$1 ]]
  [[ $(aws-iam-login hook "$1") == *"'$path'" ]]
  case $1 in
    zsh) diff <(aws-iam-login completion zsh) "$PACKAGE/completions/_aws-iam-login" ;;
    *) diff <(aws-iam-login completion "$1") "$PACKAGE/completions/aws-iam-login.$1" ;;
  esac
}
for_each_shell prints_paths "hook prints one line, --path the place, completion the script"
