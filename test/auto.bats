#!/usr/bin/env bats
# AWS_IAM_LOGIN_AUTO: a new shell takes up a live session by itself.

load shell.bash

setup_file() { start_local_aws; }
teardown_file() { stop_local_aws; }
setup() {
  make_home
}
teardown() { stop_shells; }

question='Enter MFA code for .* \(arn:aws:iam::123456789012:mfa/jane\):$'

calls() { wc -l <"$D/calls"; }

# dump NAME: what a command started from the shell finds in its environment.
dump() {
  done_with "env | grep '^AWS_' | grep -vE '^AWS_(IAM_LOGIN_AUTO|ENDPOINT_URL|MAX_ATTEMPTS)=' | sort >$D/$1"
}

takes_up() {
  local as
  printf '[default]\nregion = eu-central-1\ns3 =\n  max_queue_size = 10\n\n[profile default-sts]\noutput = json\n' >"$D/home/.aws/config"
  store_session default 3600
  for as in keys profile watch; do
    : >"$D/calls"
    start_shell "$1" AWS_IAM_LOGIN_AUTO=default "AWS_IAM_LOGIN_AS=$as"
    [[ $(screen | grep -c .) -eq 1 ]]
    dump taken
    [[ $(calls) -eq 0 ]]
    start_shell "$1"
    done_with "aws-iam-login use --as $as"
    dump used
    grep -q "^AWS_IAM_LOGIN_AS=$as$" "$D/used"
    diff "$D/used" "$D/taken"
  done
}
for_each_shell takes_up "a live session is taken up without the program, and with the variables that use sets"

reads_forms() {
  local end form
  end=$(($(date +%s) + 3600))
  for form in '%Y-%m-%d %H:%M:%S+00:00' '%Y-%m-%dT%H:%M:%SZ' '%Y-%m-%dT%H:%M:%S+00:00' '%Y-%m-%d %H:%M:%S'; do
    store_session default 3600
    awk -v line="expiration=$(utc "$end" "$form")" '/^expiration/ { $0 = "  \t" } { printf "%s\r\n", $0 } END { printf "%s\r\n", line }' \
      "$D/home/.aws/credentials" >"$D/new"
    mv "$D/new" "$D/home/.aws/credentials"
    start_shell "$1" AWS_IAM_LOGIN_AUTO=default
    done_with 'echo "end=$AWS_IAM_LOGIN_EXPIRES_AT=$AWS_CREDENTIAL_EXPIRATION"'
    wait_for "^end=$end=$(utc "$end" '%Y-%m-%dT%H:%M:%SZ')$"
    tr -d '\r' <"$D/home/.aws/credentials" >"$D/new"
    mv "$D/new" "$D/home/.aws/credentials"
  done
  [[ $(calls) -eq 0 ]]
}
for_each_shell reads_forms "the expiration is read in every form in UTC, and with CRLF"

expands_tilde() {
  store_session default 3600
  mv "$D/home/.aws/credentials" "$D/home/my credentials"
  printf '[default]\nregion = eu-central-1\n' >"$D/home/my config"
  start_shell "$1" AWS_IAM_LOGIN_AUTO=default 'AWS_SHARED_CREDENTIALS_FILE=~/my credentials' 'AWS_CONFIG_FILE=~/my config'
  done_with 'echo "taken=$AWS_IAM_LOGIN_PROFILE=$AWS_REGION="'
  wait_for '^taken=default=eu-central-1=$'
  [[ $(calls) -eq 0 ]]
}
for_each_shell expands_tilde "files that are named with a tilde are those of the home folder"

@test "leap years are counted as perl counts them" {
  local stamp end
  for stamp in 2028-02-29 2027-03-01 2099-12-31 2100-02-28 2100-03-01 2400-02-29 2038-01-20 2101-01-01 2030-08-09; do
    end=$(perl -MTime::Local -e '$ARGV[0] =~ /^(\d+)-(\d+)-(\d+)$/; print timegm(59, 9, 8, $3, $2 - 1, $1)' "$stamp")
    store_session default 3600
    sed "s/^expiration = .*/expiration = $stamp 08:09:59+00:00/" "$D/home/.aws/credentials" >"$D/new"
    run env -i "HOME=$D/home" "PATH=$PATH" "AWS_SHARED_CREDENTIALS_FILE=$D/new" sh "$BATS_TEST_DIRNAME/../shell/aws-iam-login.sh" env --stored default
    [[ $status -eq 0 && $output == *"AWS_IAM_LOGIN_EXPIRES_AT='$end'"* ]]
  done
}

# Reading every section anew for each of its lines took bash 45 s at 10,000 profiles: nobody waits that long here.
scales() {
  local count
  for count in 10 1000 10000; do
    {
      printf '[default]\naws_access_key_id = AKIAONE\naws_secret_access_key = x\n'
      awk -v count="$count" 'BEGIN { while (n++ < count) printf "\n[p%d]\naws_access_key_id = AKIA%d\naws_secret_access_key = x\n\n[p%d-sts]\naws_session_token = x\n", n, n, n }'
    } >"$D/home/.aws/credentials"
    awk -v count="$count" 'BEGIN { while (n++ < count) printf "[profile p%d]\nregion = eu-west-1\n", n }' >"$D/home/.aws/config"
    store_session default 3600
    start_shell "$1" AWS_IAM_LOGIN_AUTO=default
    done_with 'echo "key=$AWS_ACCESS_KEY_ID"'
    wait_for '^key=ASIAONE$'
  done
  [[ $(calls) -eq 0 ]]
}
for_each_shell scales "a session among 10, 1,000 and 10,000 profiles is taken up without the program"

leaves_odd_files_to_the_program() {
  local edit
  store_session default 3600
  cp "$D/home/.aws/credentials" "$D/plain"
  while IFS= read -r edit; do
    sed "$edit" "$D/plain" >"$D/home/.aws/credentials"
    : >"$D/calls"
    start_shell "$1" AWS_IAM_LOGIN_AUTO=default
    done_with 'echo "key=$AWS_ACCESS_KEY_ID"'
    wait_for '^key=ASIAONE$'
    [[ $(calls) -eq 1 ]]
  done <<'EDITS'
s/^\[default-sts\]/& # work/
s/^aws_session_token = .*/& # mine/
/^expiration = /{h;s/.*/aws_security_token = old/;p;x;}
s/^expiration = \(.*\)+00:00/expiration = \1.123456+00:00/
EDITS
}
for_each_shell leaves_odd_files_to_the_program "what the shell cannot read for sure the program reads at the first prompt"

asks_at_first_prompt() {
  FIRST_PROMPT=$question start_shell "$1" AWS_IAM_LOGIN_AUTO=default AWS_IAM_LOGIN_AS=profile
  enter "$(local_code)"
  wait_for '^R0>$'
  done_with 'echo "profile=$AWS_PROFILE"'
  wait_for '^profile=default-sts$'
}
for_each_shell asks_at_first_prompt "with no live session the first prompt asks"

asks_only_once() {
  FIRST_PROMPT=$question start_shell "$1" AWS_IAM_LOGIN_AUTO=default
  press C-c
  wait_for '^R[0-9]+>$'
  done_with 'echo one'
  enter "$(child_shell "$1")"
  done_with 'echo child'
  [[ $(count_on_screen 'Enter MFA code') -eq 1 && $(calls) -eq 1 ]]
}
for_each_shell asks_only_once "once, and a declined question is not repeated in child shells"

waits_for_typed_line() {
  mkfifo "$D/gate"
  echo "cat $D/gate" >"$D/after"
  open_shell "$1" AWS_IAM_LOGIN_AUTO=default
  open_terminal 150 200 "${COMMAND[@]}"
  exec 8>"$D/gate" # waits for the reader
  enter 'echo typed''-line'
  exec 8>&-
  wait_for "^typed-line$|$question"
  # fish 4 has read the line itself by then, and runs it after the question.
  if [[ $1 == fish && $(count_on_screen '^typed-line$') -eq 0 ]]; then press C-c; fi
  wait_for '^typed-line$'
  wait_for 'Enter MFA code'
  [[ $(count_on_screen 'Enter MFA code') -eq 1 ]]
}
for_each_shell waits_for_typed_line "a line that was typed ahead comes first"

notifies_at_first_prompt() {
  FIRST_PROMPT="^aws-iam-login: there is no live session of default" start_shell "$1" AWS_IAM_LOGIN_AUTO=default AWS_IAM_LOGIN_HOOK=notify
  done_with 'echo one'
  [[ $(count_on_screen 'there is no') -eq 1 && $(count_on_screen 'Enter MFA') -eq 0 && $(calls) -eq 1 ]]
}
for_each_shell notifies_at_first_prompt "with AWS_IAM_LOGIN_HOOK=notify it says one line instead"

yields_to_others() {
  local variable
  store_session default 3600
  for variable in AWS_ACCESS_KEY_ID AWS_PROFILE AWS_DEFAULT_PROFILE AWS_WEB_IDENTITY_TOKEN_FILE AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI; do
    start_shell "$1" AWS_IAM_LOGIN_AUTO=default "$variable=theirs"
    done_with 'echo "[$AWS_SESSION_TOKEN][$AWS_IAM_LOGIN_PROFILE]"'
    wait_for '^\[\]\[\]$'
  done
  [[ $(calls) -eq 0 ]]
}
for_each_shell yields_to_others "where something else says who the shell is, it does nothing"

yields_to_rc_file() {
  case $1 in
    fish) echo 'set -gx AWS_PROFILE theirs' >"$D/after" ;;
    *) echo 'export AWS_PROFILE=theirs' >"$D/after" ;;
  esac
  start_shell "$1" AWS_IAM_LOGIN_AUTO=default
  done_with 'echo one'
  [[ $(calls) -eq 0 ]]
}
for_each_shell yields_to_rc_file "also when the rc file says so only later"

replaces_own_expired() {
  local -a variables
  store_session default 3600 TWO
  read_lines variables < <(session_variables default -5)
  start_shell "$1" AWS_IAM_LOGIN_AUTO=default "${variables[@]}"
  done_with 'echo "key=$AWS_ACCESS_KEY_ID"'
  wait_for '^key=ASIATWO$'
  [[ $(calls) -eq 0 ]]
  read_lines variables < <(session_variables default 3600)
  start_shell "$1" AWS_IAM_LOGIN_AUTO=default "${variables[@]}"
  done_with 'echo "key=$AWS_ACCESS_KEY_ID"'
  wait_for '^key=ASIAOLD$'
}
for_each_shell replaces_own_expired "an inherited session of ours is replaced once it is over, and kept while it lives"

survives_nothing_there() {
  rm -r "$D/home/.aws"
  start_shell "$1" 'AWS_IAM_LOGIN_AUTO=a"b$(touch pwned)'
  done_with 'echo one'
  done_with 'echo two'
  [[ $(count_on_screen '^aws-iam-login: ') -eq 1 && $(calls) -eq 1 && ! -e pwned && ! -e $D/home/pwned ]]
}
for_each_shell survives_nothing_there "without files it says one line, once"
