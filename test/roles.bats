#!/usr/bin/env bats
# Role profiles in real interactive shells: one code, and no further question.

load shell.bash

setup_file() { start_local_aws; }
teardown_file() { stop_local_aws; }
setup() {
  make_home
  local_get forgetCalls
  make_roles
}
teardown() { stop_shells; }

question='Enter MFA code for .* \(arn:aws:iam::123456789012:mfa/jane\):$'

# become SHELL PROFILE: this shell has a session of the profile that has just ended.
become() {
  local -a variables
  read_lines variables < <(session_variables "$2" -5)
  run_line "$(assignments "$1" "${variables[@]}")"
}

# Five roles in three accounts: behind one another, with an external id, with mfa_serial, two through default-sts.
make_roles() {
  local jane=123456789012
  local_post createRole "{\"name\": \"one\", \"account\": \"$jane\", \"trusts\": [\"$jane\"], \"requireMfa\": true}"
  local_post createRole "{\"name\": \"two\", \"account\": \"444455556666\", \"trusts\": [\"arn:aws:iam::$jane:role/one\"]}"
  local_post createRole "{\"name\": \"three\", \"account\": \"444455556666\", \"trusts\": [\"$jane\"], \"externalId\": \"ext-1\", \"requireMfa\": true}"
  local_post createRole "{\"name\": \"four\", \"account\": \"777788889999\", \"trusts\": [\"$jane\"], \"requireMfa\": true}"
  local_post createRole "{\"name\": \"five\", \"account\": \"777788889999\", \"trusts\": [\"$jane\"], \"requireMfa\": true}"
  {
    profile one 123456789012 default-sts
    profile two 444455556666 one
    profile three 444455556666 default
    echo 'external_id = ext-1'
    profile four 777788889999 default
    echo "mfa_serial = $LOCAL_AWS_SERIAL"
    profile five 777788889999 default-sts
    echo 'region = eu-west-1'
  } >"$D/home/.aws/config"
}

profile() { printf '[profile %s]\nrole_arn = arn:aws:iam::%s:role/%s\nsource_profile = %s\n' "$1" "$2" "$1" "$3"; }

uses_roles() {
  local role
  start_shell "$1"
  enter 'aws-iam-login use two'
  wait_for "$question"
  enter "$(local_code)"
  wait_for '^R0>$'
  for role in one two three four five; do
    done_with "aws-iam-login use $role; aws-iam-login exec $role -- sh -c 'echo \$AWS_IAM_LOGIN_PROFILE is \$AWS_ACCESS_KEY_ID.'; echo \"shell is \$AWS_ACCESS_KEY_ID.\""
    wait_for "^$role is ASIA[A-Z0-9]+\.$"
    key=$(screen | sed -n "s/^$role is \(ASIA[A-Z0-9]*\)\.$/\1/p")
    wait_for "^shell is $key\.$"
    clear_screen
  done
  [[ $(count_on_screen 'Enter MFA code') -eq 0 ]]
  [[ $(local_count GetSessionToken) -eq 1 ]]
  [[ $(local_count AssumeRole) -eq 5 ]]
}
for_each_shell uses_roles "one code serves five roles in three accounts, in use and exec"

renews_silently() {
  store_mfa_session
  start_shell "$1"
  become "$1" five
  done_with 'echo next'
  done_with 'echo "key=$AWS_ACCESS_KEY_ID=$AWS_REGION="'
  wait_for '^key=ASIA[A-Z0-9]{12,}=eu-west-1=$'
  [[ $(count_on_screen 'Enter MFA code|aws-iam-login:') -eq 0 ]]
  [[ $(local_count GetSessionToken) -eq 0 ]]
}
for_each_shell renews_silently "the prompt renews a role without a word while the MFA session lives"

# A session of the user that the local AWS knows.
store_mfa_session() {
  local session
  session=$(local_get mintSession user=jane seconds=7200 mfa=true)
  printf '[default-sts]\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\nexpiration = %s\n' \
    "$(local_field "$session" accessKeyId)" "$(local_field "$session" secretAccessKey)" \
    "$(local_field "$session" sessionToken)" "$(local_field "$session" expiration)" >>"$D/home/.aws/credentials"
}

asks_when_over() {
  start_shell "$1"
  become "$1" five
  wait_for "$question"
  enter "$(local_code)"
  wait_for '^R0>$'
  done_with 'echo "key=$AWS_ACCESS_KEY_ID="'
  wait_for '^key=ASIA[A-Z0-9]{12,}=$'
  [[ $(local_count GetSessionToken) -eq 1 ]]
  [[ $(local_count AssumeRole) -eq 1 ]]
}
for_each_shell asks_when_over "the prompt asks for a code when the MFA session is over too"
