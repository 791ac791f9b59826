#!/usr/bin/env bats
# The prompt hook and `use`, in real interactive shells.

load shell.bash

setup_file() { start_local_aws; }
teardown_file() { stop_local_aws; }
setup() {
  make_home
}
teardown() { stop_shells; }

question='Enter MFA code for .* \(arn:aws:iam::123456789012:mfa/jane\):$'

# become_session SHELL PROFILE SECONDS [NAME=VALUE...]: this shell has a session that ends so many seconds from now.
become_session() {
  local -a variables
  read_lines variables < <(session_variables "$2" "$3")
  run_line "$(assignments "$1" "${variables[@]}" "${@:4}")"
}

# show NAME...: prints the variables as NAME=[value].
show() {
  local name
  for name in "$@"; do done_with "echo \"$name=[\$$name]\""; done
}

calls() { wc -l <"$D/calls"; }

renews() {
  start_shell "$1"
  become_session "$1" default -5
  wait_for "$question"
  enter "$(local_code)"
  wait_for '^aws-iam-login: session of default until .* \(12 h\)$'
  wait_for '^R0>$'
  show AWS_ACCESS_KEY_ID AWS_IAM_LOGIN_PROFILE
  wait_for '^AWS_ACCESS_KEY_ID=\[ASIA[A-Z0-9]{12,}\]'
  wait_for '^AWS_IAM_LOGIN_PROFILE=\[default\]'
  [[ $(count_on_screen 'Enter MFA code') -eq 1 ]]
}
for_each_shell renews "the prompt asks for a code when the session has ended"

declines() {
  local answer
  for answer in C-c C-d Enter; do
    start_shell "$1"
    become_session "$1" default -5
    wait_for "$question"
    press "$answer"
    wait_for '^aws-iam-login: nothing was done: aws-iam-login login default asks again$'
    wait_for '^R[0-9]+>$'
    show AWS_ACCESS_KEY_ID AWS_IAM_LOGIN_DECLINED
    wait_for '^AWS_ACCESS_KEY_ID=\[ASIAOLD\]'
    wait_for '^AWS_IAM_LOGIN_DECLINED=\[default:[0-9]+\]'
    [[ $(count_on_screen 'Enter MFA code') -eq 1 ]]
    enter "$(child_shell "$1")"
    done_with 'echo child'
    [[ $(count_on_screen 'Enter MFA code') -eq 1 ]]
  done
}
for_each_shell declines "Ctrl-C, Ctrl-D and Enter decline for good, in child shells too, and the variables stay"

asks_again_after_use() {
  start_shell "$1"
  become_session "$1" default -5
  wait_for "$question"
  press C-c
  wait_for '^R[0-9]+>$'
  clear_screen
  enter 'aws-iam-login use default'
  wait_for "$question"
  enter "$(local_code)"
  wait_for '^R0>$'
  show AWS_IAM_LOGIN_DECLINED
  wait_for '^AWS_IAM_LOGIN_DECLINED=\[\]'
}
for_each_shell asks_again_after_use "use takes a decline back"

declines_use() {
  start_shell "$1"
  become_session "$1" default -5 "AWS_IAM_LOGIN_HOOK=off"
  enter 'aws-iam-login use'
  wait_for "$question"
  press C-c
  wait_for '^R130>$'
  done_with "$(assignments "$1" AWS_IAM_LOGIN_HOOK)"
  done_with 'echo still'
  [[ $(count_on_screen 'Enter MFA code') -eq 1 ]]
}
for_each_shell declines_use "the prompt does not repeat a question that use was declined"

adopts() {
  start_shell "$1"
  store_session default 3600 TWO
  become_session "$1" default -5 'AWS_IAM_LOGIN_OLD_PROFILE=mine'
  show AWS_ACCESS_KEY_ID AWS_SESSION_TOKEN AWS_IAM_LOGIN_OLD_PROFILE
  wait_for '^AWS_ACCESS_KEY_ID=\[ASIATWO\]'
  wait_for '^AWS_SESSION_TOKEN=\[token/TWO==\]'
  wait_for '^AWS_IAM_LOGIN_OLD_PROFILE=\[mine\]'
  [[ $(count_on_screen 'aws-iam-login:|Enter MFA') -eq 0 ]]
}
for_each_shell adopts "a session that another shell has fetched is taken without a word"

adopts_after_decline() {
  start_shell "$1"
  become_session "$1" default -5
  wait_for "$question"
  press C-c
  wait_for '^R[0-9]+>$'
  store_session default 3600 TWO
  done_with 'echo next'
  show AWS_ACCESS_KEY_ID AWS_IAM_LOGIN_DECLINED
  wait_for '^AWS_ACCESS_KEY_ID=\[ASIATWO\]'
  wait_for '^AWS_IAM_LOGIN_DECLINED=\[\]'
  [[ $(calls) -eq 1 ]]
}
for_each_shell adopts_after_decline "after a decline too, and without the program"

two_shells() {
  local one two
  start_shell "$1"
  one=$PANE
  start_shell "$1"
  two=$PANE
  become_session "$1" default -5
  wait_for "$question"
  PANE=$one
  become_session "$1" default -5
  wait_for 'aws-iam-login: .*(waiting|waits|asks)'
  PANE=$two
  enter "$(local_code)"
  wait_for '^R0>$'
  show AWS_ACCESS_KEY_ID
  wait_for '^AWS_ACCESS_KEY_ID=\[ASIA[A-Z0-9]{12,}\]'
  key=$(screen | grep -o 'ASIA[A-Z0-9]*' | tail -n 1)
  PANE=$one
  wait_for '^R0>$'
  show AWS_ACCESS_KEY_ID
  wait_for "^AWS_ACCESS_KEY_ID=\[$key\]"
  [[ $(count_on_screen 'Enter MFA code') -eq 0 ]]
}
for_each_shell two_shells "of two shells side by side one asks, and both have the session"

renews_silently() {
  printf '#!/bin/sh\ncat %q\n' "$D/code" >"$D/bin/my-code"
  chmod +x "$D/bin/my-code"
  local_code >"$D/code"
  printf 'mfa_process = %s\n' "$D/bin/my-code" >>"$D/home/.aws/credentials"
  start_shell "$1"
  become_session "$1" default -5
  show AWS_ACCESS_KEY_ID
  wait_for '^AWS_ACCESS_KEY_ID=\[ASIA[A-Z0-9]{12,}\]'
  [[ $(count_on_screen 'Enter MFA code') -eq 0 ]]
}
for_each_shell renews_silently "with mfa_process the session is renewed silently"

keeps_form() {
  start_shell "$1"
  store_session default 3600 TWO
  become_session "$1" default -5 AWS_IAM_LOGIN_AS=profile AWS_PROFILE=default-sts AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
  show AWS_PROFILE AWS_ACCESS_KEY_ID AWS_IAM_LOGIN_AS
  wait_for '^AWS_PROFILE=\[default-sts\]'
  wait_for '^AWS_ACCESS_KEY_ID=\[\]'
  wait_for '^AWS_IAM_LOGIN_AS=\[profile\]'
  clear_screen
  become_session "$1" default -5 AWS_IAM_LOGIN_AS=watch AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
  show AWS_PROFILE AWS_ACCESS_KEY_ID AWS_IAM_LOGIN_AS
  wait_for '^AWS_PROFILE=\[\]'
  wait_for '^AWS_ACCESS_KEY_ID=\[\]'
  wait_for '^AWS_IAM_LOGIN_AS=\[watch\]'
  [[ $(calls) -eq 2 && $(grep -c -- '--as profile --hook' "$D/calls") -eq 1 && $(grep -c -- '--as watch --hook' "$D/calls") -eq 1 ]]
}
for_each_shell keeps_form "a renewal keeps the form: profile, watch"

warns() {
  start_shell "$1"
  become_session "$1" default 100
  wait_for '^aws-iam-login: the session of default ends in 2 min'
  done_with 'echo one'
  done_with 'echo two'
  [[ $(count_on_screen 'ends in 2 min') -eq 1 && $(calls) -eq 0 ]]
  clear_screen
  become_session "$1" default 101 AWS_IAM_LOGIN_WARN=60
  done_with 'echo three'
  become_session "$1" default 102 AWS_IAM_LOGIN_WARN=0
  done_with 'echo four'
  become_session "$1" default 3000 AWS_IAM_LOGIN_WARN
  done_with 'echo five'
  [[ $(count_on_screen 'ends in') -eq 0 ]]
  become_session "$1" default 3000 AWS_IAM_LOGIN_WARN=3600
  wait_for '^aws-iam-login: the session of default ends in 50 min'
}
for_each_shell warns "it warns once before the end, as long as AWS_IAM_LOGIN_WARN says"

warns_not_of_silent() {
  start_shell "$1"
  become_session "$1" default 400 "AWS_IAM_LOGIN_RENEW_AT=$(($(date +%s) + 100))"
  done_with 'echo one'
  [[ $(count_on_screen 'ends in') -eq 0 && $(calls) -eq 0 ]]
}
for_each_shell warns_not_of_silent "a session that is renewed silently ends without a warning"

is_off() {
  start_shell "$1"
  done_with "$(assignments "$1" AWS_IAM_LOGIN_HOOK=off)"
  become_session "$1" default -5
  done_with 'echo one'
  [[ $(calls) -eq 0 && $(count_on_screen 'aws-iam-login:|Enter MFA') -eq 0 ]]
}
for_each_shell is_off "AWS_IAM_LOGIN_HOOK=off leaves the prompt alone"

notifies() {
  start_shell "$1"
  done_with "$(assignments "$1" AWS_IAM_LOGIN_HOOK=notify)"
  become_session "$1" default -5
  wait_for "^aws-iam-login: there is no live session of default \('aws-iam-login use default' gets one\)"
  done_with 'echo one'
  done_with 'echo two'
  [[ $(count_on_screen 'aws-iam-login: there is no') -eq 1 && $(count_on_screen 'Enter MFA|hint') -eq 0 && $(calls) -eq 1 ]]
  store_session default 3600 TWO
  done_with 'echo three'
  show AWS_ACCESS_KEY_ID
  wait_for '^AWS_ACCESS_KEY_ID=\[ASIATWO\]'
}
for_each_shell notifies "AWS_IAM_LOGIN_HOOK=notify says one line instead of asking, and still adopts"

backs_off() {
  printf '#!/bin/sh\ncat %q\n' "$D/code" >"$D/bin/my-code"
  chmod +x "$D/bin/my-code"
  echo 123456 >"$D/code"
  printf 'mfa_process = %s\n' "$D/bin/my-code" >>"$D/home/.aws/credentials"
  start_shell "$1" AWS_ENDPOINT_URL=http://127.0.0.1:1
  become_session "$1" default -5
  done_with 'echo one'
  done_with 'echo two'
  done_with 'echo three'
  [[ $(calls) -eq 1 && $(count_on_screen '^aws-iam-login: ') -eq 1 && $(count_on_screen 'hint') -eq 0 ]]
  store_session default 3600 TWO
  done_with 'echo four'
  show AWS_ACCESS_KEY_ID
}
for_each_shell backs_off "a renewal that failed says one line and is not tried at every prompt"

waits_longer() {
  local expected wait
  start_shell "$1" AWS_ENDPOINT_URL=http://127.0.0.1:1
  become_session "$1" nobody -5
  for expected in 30 60 120 240 480 900 900; do
    done_with 'echo next'
    enter 'echo "delay=[$__aws_iam_login_delay]"'
    wait_for "^delay=\[$expected\]"
    clear_screen
    case $1 in fish) done_with 'set -g __aws_iam_login_wait 0; set -g __aws_iam_login_quiet_until 0' ;; *) done_with '__aws_iam_login_wait=0' ;; esac
  done
}
for_each_shell waits_longer "each failure makes the next wait longer"

keeps_status() {
  start_shell "$1"
  store_session default 3600 TWO
  become_session "$1" default 3600
  enter 'sh -c "exit 7"'
  wait_for '^R7>$'
  enter "$(assignments "$1" AWS_IAM_LOGIN_RENEW_AT=1000000000 AWS_IAM_LOGIN_EXPIRES_AT=1000000000); sh -c 'exit 8'"
  wait_for '^R8>$'
  [[ $(calls) -eq 1 ]]
}
for_each_shell keeps_status "the user's prompt sees the exit code of the user's command"

keeps_pipestatus() {
  case $1 in
    bash) printf '%s\n' 'PS1='\''P${PIPESTATUS[*]}> '\' >"$D/after" ;;
    zsh) printf '%s\n' 'setopt prompt_subst; PS1='\''P${(j:-:)pipestatus}> '\' >"$D/after" ;;
    fish) printf '%s\n' 'function fish_prompt; echo P(string join - $pipestatus)"> "; end' >"$D/after" ;;
  esac
  FIRST_PROMPT='^P0>$' start_shell "$1"
  store_session default 3600 TWO
  become_session "$1" default 3600
  enter 'sh -c "exit 3" | sh -c "exit 4" | true'
  wait_for '^P3[- ]4[- ]0>$'
}
for_each_shell keeps_pipestatus "and the codes of its pipeline"

counts_processes() {
  store_session default 3600
  start_shell "$1"
  become_session "$1" default 3600
  done_with 'echo ready'
  trace_shell
  enter 'true'
  press Enter
  press Enter
  done_with 'echo traced'
  end_trace
  [[ $(processes) == '' && $(grep -E '\.aws|calls' "$D/trace") == '' ]]
  [[ $(calls) -eq 0 ]]
}
if can_trace; then for_each_shell counts_processes "while the session lives a prompt starts no process and reads no AWS file"; fi

types_ahead() {
  mkfifo "$D/gate"
  start_shell "$1"
  read_lines variables < <(session_variables default -5)
  # The shell is busy until the gate opens; meanwhile a line and a half are typed.
  enter "$(assignments "$1" "${variables[@]}"); cat $D/gate"
  exec 8>"$D/gate"
  enter 'echo typed''-line'
  type_text 'echo typed''-half'
  exec 8>&-
  wait_for '^typed-line'
  # fish 4 has read the half line itself by then, and brings it up after the question.
  if [[ $1 == fish ]]; then
    wait_for "^R0> echo typed-half$|$question"
    if (($(count_on_screen 'Enter MFA code') > 0)); then
      press C-c
      wait_for '^R[0-9]+> echo typed-half$'
      return
    fi
  fi
  wait_for '^R0> echo typed-half$'
  [[ $(count_on_screen 'Enter MFA code') -eq 0 ]]
  press Enter
  wait_for '^typed-half'
  wait_for "$question"
  press C-c
}
for_each_shell types_ahead "what was typed ahead postpones the question, and is neither lost nor taken for a code"

# expire_at_standing_prompt SHELL: the session ends while the prompt stands, without a prompt in between.
expire_at_standing_prompt() {
  local start=$SECONDS seconds end
  done_with true
  # Time enough for this machine to reach the prompt before the end.
  seconds=$((2 + 4 * (SECONDS - start)))
  become_session "$1" default "$seconds" AWS_IAM_LOGIN_WARN=0
  end=$(($(date +%s) + seconds)) # the session's own, or a little later
  wait_for '^R0>$'
  until (($(date +%s) > end)); do sleep 0.1; done
}

asks_before_command() {
  printf '#!/bin/sh\necho "terraform runs with $AWS_ACCESS_KEY_ID"\n' >"$D/bin/terraform"
  chmod +x "$D/bin/terraform"
  start_shell "$1"
  expire_at_standing_prompt "$1"
  enter 'true; env X=1 terraform plan'
  wait_for "$question"
  enter "$(local_code)"
  wait_for '^terraform runs with ASIA[A-Z0-9]{12,}'
}
for_each_shell asks_before_command "an end that passed while the prompt stood is noticed before terraform runs" zsh fish

asks_not_before_others() {
  start_shell "$1"
  expire_at_standing_prompt "$1"
  enter 'echo "other=$AWS_ACCESS_KEY_ID"'
  wait_for '^other=ASIAOLD'
  wait_for "$question"
  press C-c
}
for_each_shell asks_not_before_others "before another command there is no question" zsh fish

adopts_before_others() {
  start_shell "$1"
  expire_at_standing_prompt "$1"
  store_session default 3600 TWO
  enter 'echo "other=$AWS_ACCESS_KEY_ID"'
  wait_for '^other=ASIATWO'
}
for_each_shell adopts_before_others "but a session is adopted before any command" zsh fish

leaves_own_command_alone() {
  start_shell "$1"
  expire_at_standing_prompt "$1"
  store_session default 3600 TWO
  enter 'aws-iam-login --version; echo "own=$AWS_ACCESS_KEY_ID"'
  wait_for '^own=ASIAOLD'
  [[ $(head -n 1 "$D/calls") == --version ]]
}
for_each_shell leaves_own_command_alone "save our own" zsh fish

asks_before_named_commands() {
  start_shell "$1" 'AWS_IAM_LOGIN_COMMANDS=kubectl mycommand'
  expire_at_standing_prompt "$1"
  enter 'true && /bin/mycommand'
  wait_for "$question"
  press C-c
}
for_each_shell asks_before_named_commands "AWS_IAM_LOGIN_COMMANDS names the commands that are worth a question" zsh fish

executes_nothing() {
  local evil='$(touch pwned)`touch pwned`;touch pwned;"'\''touch pwned' name
  start_shell "$1"
  done_with "cd $D/home"
  for name in RENEW_AT EXPIRES_AT WARN HOOK AS DECLINED COMMANDS OLD_PROFILE REGION; do
    become_session "$1" default 100 "AWS_IAM_LOGIN_$name=a[$evil]"
    done_with 'true'
    become_session "$1" default 100 "AWS_IAM_LOGIN_$name=100000000a[$evil]"
    done_with 'true'
    done_with "$(assignments "$1" "AWS_IAM_LOGIN_$name")"
    clear_screen
  done
  become_session "$1" "$evil" 100
  done_with 'true'
  become_session "$1" "--as=watch $evil" -100
  done_with 'true'
  become_session "$1" "-x$evil" -100
  done_with 'true'
  [[ ! -e $D/home/pwned ]]
}
for_each_shell executes_nothing "hostile values execute nothing"

warns_printably() {
  start_shell "$1" AWS_IAM_LOGIN_PROFILE=$'two\nlines\e[31m'
  local end=$(($(date +%s) + 100))
  enter "$(assignments "$1" AWS_IAM_LOGIN_EXPIRES_AT=$end AWS_IAM_LOGIN_RENEW_AT=$end)"
  wait_for '^aws-iam-login: the session of two\?lines\?\[31m ends in 2 min'
}
for_each_shell warns_printably "a name with control characters cannot steer the terminal"

is_inert() {
  local -a variables
  read_lines variables < <(session_variables default -5)
  open_shell "$1" "${variables[@]}" AWS_IAM_LOGIN_AUTO=default
  run --separate-stderr "${BARE[@]}" -c ". $PACKAGE/shell/aws-iam-login.$1; echo done" </dev/null
  [[ $status -eq 0 && $output == "done" && $stderr == '' && $(calls) -eq 0 ]]
}
for_each_shell is_inert "scripts are left alone"

is_inert_on_dumb_terminal() {
  start_shell "$1"
  done_with "$(assignments "$1" TERM=dumb)"
  become_session "$1" default -5
  done_with 'echo one'
  [[ $(count_on_screen 'Enter MFA|aws-iam-login:') -eq 0 && $(calls) -eq 0 ]]
}
for_each_shell is_inert_on_dumb_terminal "a dumb terminal is left alone"

survives_missing_program() {
  rm "$D/bin/aws-iam-login"
  start_shell "$1"
  become_session "$1" default -5
  done_with 'echo one'
  done_with 'echo two'
  [[ $(count_on_screen '^aws-iam-login: the program is gone: install it again, or remove the line that loads ') -eq 1 ]]
  [[ $(count_on_screen 'not found|Unknown command') -eq 0 ]]
}
for_each_shell survives_missing_program "a program that is not there is missed once, not at every prompt"

traces_no_secret() {
  store_session default 3600 TRACED
  start_shell "$1"
  case $1 in fish) done_with 'set -g fish_trace 1' ;; *) done_with 'set -xv' ;; esac
  become_session "$1" default -5
  done_with 'true'
  enter 'aws-iam-login use default'
  done_with 'true'
  [[ $(count_on_screen 'secret\+TRACED|token/TRACED') -eq 0 ]]
  case $1 in fish) done_with 'set -e fish_trace' ;; *) done_with 'set +xv' ;; esac
  show AWS_ACCESS_KEY_ID
  wait_for '^AWS_ACCESS_KEY_ID=\[ASIATRACED\]'
}
for_each_shell traces_no_secret "a trace shows no secret"

traces_no_secret_of_file() {
  store_session default 3600 TRACED
  case $1 in fish) echo 'set -g fish_trace 1' >"$D/before" ;; *) echo 'set -xv' >"$D/before" ;; esac
  FIRST_PROMPT='R0>$' start_shell "$1" AWS_IAM_LOGIN_AUTO=default
  enter 'echo "key=$AWS_ACCESS_KEY_ID"'
  wait_for '^key=ASIATRACED$'
  [[ $(count_on_screen 'secret\+TRACED|token/TRACED') -eq 0 ]]
}
for_each_shell traces_no_secret_of_file "neither when it is taken up from the file"

uses() {
  store_session default 3600 ONE
  store_session other 3600 TWO
  printf '\n[other]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = x\nregion = eu-west-3\n' >>"$D/home/.aws/credentials"
  start_shell "$1"
  done_with "aws-iam-login use"
  show AWS_ACCESS_KEY_ID AWS_REGION
  wait_for '^AWS_ACCESS_KEY_ID=\[ASIAONE\]'
  wait_for '^AWS_REGION=\[\]'
  clear_screen
  done_with "aws-iam-login other use --as profile"
  show AWS_ACCESS_KEY_ID AWS_PROFILE AWS_REGION
  wait_for '^AWS_ACCESS_KEY_ID=\[\]'
  wait_for '^AWS_PROFILE=\[other-sts\]'
  wait_for '^AWS_REGION=\[eu-west-3\]'
  clear_screen
  done_with "aws-iam-login --region us-west-2 use --profile other"
  show AWS_ACCESS_KEY_ID AWS_PROFILE AWS_REGION
  wait_for '^AWS_ACCESS_KEY_ID=\[ASIATWO\]'
  wait_for '^AWS_PROFILE=\[\]'
  wait_for '^AWS_REGION=\[us-west-2\]'
  clear_screen
  done_with "aws-iam-login use --unset"
  show AWS_ACCESS_KEY_ID AWS_REGION AWS_IAM_LOGIN_PROFILE
  wait_for '^AWS_ACCESS_KEY_ID=\[\]'
  wait_for '^AWS_REGION=\[\]'
  wait_for '^AWS_IAM_LOGIN_PROFILE=\[\]'
}
for_each_shell uses "use switches this shell, in both word orders and with the options of env"

tells() {
  local seconds
  for seconds in 140 3620 43220 129020; do
    store_session "of$seconds" "$seconds" "AT$seconds"
    printf '\n[of%s]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = x\nregion = eu-west-3\n' "$seconds" >>"$D/home/.aws/credentials"
  done
  start_shell "$1"
  for seconds in 140 3620 43220 129020; do
    clear_screen
    done_with "aws-iam-login use of$seconds --min-ttl 0"
    done_with "aws-iam-login login of$seconds --if-needed --min-ttl 0"
    [[ $(count_on_screen "^aws-iam-login: session of of$seconds until .*[0-9]{2}:[0-9]{2} \([^)]+ (h|min)\), eu-west-3$") -eq 2 ]]
    # the shell says the very words of the program
    [[ $(screen | grep '^aws-iam-login: session of' | sort -u | wc -l) -eq 1 ]]
  done
  clear_screen
  done_with "aws-iam-login use of3620 --quiet"
  done_with "aws-iam-login -q use of3620"
  [[ $(count_on_screen '^aws-iam-login: ') -eq 0 ]]
  done_with "aws-iam-login use --unset"
  wait_for '^aws-iam-login: this shell has no session any more$'
}
for_each_shell tells "use says until when, in the words of login, and --quiet says nothing"

uses_nothing() {
  store_session default 3600 ONE
  start_shell "$1"
  enter 'aws-iam-login use default'
  enter 'aws-iam-login use nobody'
  wait_for '^aws-iam-login: .*nobody'
  wait_for '^R1>$'
  show AWS_ACCESS_KEY_ID
  wait_for '^AWS_ACCESS_KEY_ID=\[ASIAONE\]'
  clear_screen
  enter 'aws-iam-login use --help'
  wait_for 'aws-iam-login use \[profile\]'
  wait_for '^R0>$'
  show AWS_ACCESS_KEY_ID
  wait_for '^AWS_ACCESS_KEY_ID=\[ASIAONE\]'
}
for_each_shell uses_nothing "use that fails leaves this shell as it is, and has the program's exit code"

passes_through() {
  start_shell "$1"
  enter 'aws-iam-login frobnicate use-less'
  wait_for '^R2>$'
  enter 'aws-iam-login exec default --no-input -- echo use'
  wait_for '^R125>$'
  store_session default 3600 ONE
  enter "aws-iam-login exec default -- sh -c 'echo \"[\$1] [\$2]\"; exit 9' sh 'a  b' use"
  wait_for '^\[a  b\] \[use\]'
  wait_for '^R9>$'
}
for_each_shell passes_through "every other command goes to the program as it is, and so does its exit code"

logs_out() {
  start_shell "$1"
  done_with "aws-iam-login use default --token-code $(local_code)"
  show AWS_IAM_LOGIN_PROFILE
  wait_for '^AWS_IAM_LOGIN_PROFILE=\[default\]'
  done_with "aws-iam-login logout default"
  wait_for 'removed from ~/.aws/credentials: \[default-sts\]'
  clear_screen
  show AWS_ACCESS_KEY_ID AWS_SESSION_TOKEN AWS_IAM_LOGIN_PROFILE AWS_IAM_LOGIN_EXPIRES_AT
  wait_for '^AWS_ACCESS_KEY_ID=\[\]'
  wait_for '^AWS_SESSION_TOKEN=\[\]'
  wait_for '^AWS_IAM_LOGIN_PROFILE=\[\]'
  wait_for '^AWS_IAM_LOGIN_EXPIRES_AT=\[\]'
  run grep -c 'default-sts' "$D/home/.aws/credentials"
  [[ $output == 0 ]]
}
for_each_shell logs_out "logout takes the session out of the file and out of the shell"
