#!/usr/bin/env bats
# `npm start`: the tour, in a terminal and without one. Needs `npm run build` and tmux.

# shellcheck disable=SC2016

load shell.bash

setup() {
  D=$BATS_TEST_TMPDIR
  mkdir "$D/home" "$D/tmp"
  : >"$D/calls"
}

teardown() { stop_shells; }

@test "npm start prints the tour without a terminal, and neither reads nor leaves anything" {
  mkdir "$D/home/.aws"
  printf 'junk that no parser takes\n' >"$D/home/.aws/credentials"
  cd "$PACKAGE"
  run --separate-stderr env HOME="$D/home" TMPDIR="$D/tmp" AWS_PROFILE=nobody AWS_ACCESS_KEY_ID=AKIAMINE AWS_REGION=moon-1 \
    AWS_SHARED_CREDENTIALS_FILE="$D/home/.aws/credentials" HTTPS_PROXY=http://127.0.0.1:1 http_proxy=http://127.0.0.1:1 \
    AWS_ENDPOINT_URL=http://127.0.0.1:1 npm start </dev/null
  [ "$status" -eq 0 ]
  [[ $output == *'arn:aws:iam::123456789012:user/jane'* ]]
  [[ $output == *'assumed-role/reader/'*'assumed-role/admin/'* ]]
  [ "$(ls -A "$D/home/.aws")" = credentials ]
  [ -z "$(compgen -G "$D/tmp/aws-iam-login*")" ]
}

start_tour() {
  open_terminal 130 60 env -i TERM=screen LANG=C.UTF-8 HOME="$D/home" TMPDIR="$D/tmp" \
    PATH="$PATH" SHELL="$1" sh -c 'node "$0"; echo "the tour ended with $?"; exec cat' "$PACKAGE/build/tour.js"
  wait_for 'leaves and removes everything'
  wait_for "$2"
}

shell_of_the_tour() {
  start_tour "$(shell_binary "$1")" '(tour ~|~) ?[#$%>]$'
  enter 'who-am-i'
  wait_for 'who-am-i: '
  enter 'aws-iam-login use default; echo now; who-am-i'
  wait_for '^now *$'
  wait_for '^arn:aws:iam::123456789012:user/jane *$'
  enter 'clear; expire'
  wait_for '^Enter MFA code for .*: *$'
  enter "$(PATH="$(echo "$D"/tmp/aws-iam-login*/bin):$PATH" mfa-code)"
  wait_for '[#$%>] *$'
  enter 'clear; who-am-i'
  wait_for '^arn:aws:iam::123456789012:user/jane *$'
  type_text 'aws-iam-login use defau'
  press Tab
  wait_for 'use default'
  # not with C-c: bash may get the signal in the midst of what is typed next
  press C-u
  enter 'exit'
  wait_for 'the tour ended with 0'
  [ -z "$(compgen -G "$D/tmp/aws-iam-login*")" ]
}

for_each_shell shell_of_the_tour 'npm start leaves the user in the shell, with use, Tab, and an expiry that the prompt renews'

@test "npm start takes bash when \$SHELL is unknown" {
  start_tour /bin/no-such-shell 'tour ~ [#$] *$'
  enter 'echo "${BASH_VERSION:+yes}, bash"'
  wait_for '^yes, bash *$'
}
