#!/usr/bin/env bats
# The local AWS as a process, steered over HTTP.

load local-aws.bash

bats_require_minimum_version 1.5.0

setup_file() {
  export BATS_TEST_TIMEOUT=300
}

setup() {
  main=$BATS_TEST_DIRNAME/../build/local-aws/main.js
  state=$BATS_TEST_TMPDIR/state.json
}

teardown() {
  stop_local_aws
}

@test "the line it prints tells the address and the user, and no secret" {
  run --separate-stderr node "$main" --with-stdin --user bob --path /team/ --account 210987654321 </dev/null
  [[ $status -eq 0 && -z $stderr ]]
  [[ $output == '{"url":"http://127.0.0.1:'*'"arn":"arn:aws:iam::210987654321:user/team/bob"'*'"serialNumber":"arn:aws:iam::210987654321:mfa/bob"}' ]]
  [[ $output != *secret* && $output != *seed* ]]
}

@test "the file of --state holds the secrets, for its owner only" {
  node "$main" --with-stdin --state "$state" </dev/null
  [[ $(<"$state") =~ '"secretAccessKey": "'[A-Za-z0-9/+]{40}'"' ]]
  [[ $(<"$state") =~ '"seed": "'[A-Z2-7]{64}'"' ]]
  [[ $(find "$state" -perm 600) == "$state" ]]
}

@test "with --with-parent it ends when its parent is killed" {
  # shellcheck disable=SC2016 # for the inner shell
  run bash -c 'exec 4< <(exec node "$1" --with-parent 3>&-); read -r line <&4; echo "$line"; kill -9 $$' _ "$main"
  [[ $output == *'"url"'* ]]
}

@test "it ends at a TERM, with success" {
  start_local_aws
  kill -TERM "$LOCAL_AWS_PID"
  wait "$LOCAL_AWS_PID"
}

@test "a profile, a code and a count can be asked for" {
  start_local_aws
  [[ $(local_profile dev) == $'[dev]\naws_access_key_id = '$LOCAL_AWS_ACCESS_KEY_ID$'\naws_secret_access_key = '* ]]
  [[ $(local_code) =~ ^[0-9]{6}$ ]]
  [[ $(local_get code user=jane) == "$(local_code "$LOCAL_AWS_SERIAL")" ]]
  [[ $(local_get wrongCode user=jane) != "$(local_code)" ]]
  [[ $(local_count) == 0 && $(local_count GetSessionToken) == 0 ]]
}

@test "users, devices, roles, sessions, faults and delays can be made" {
  start_local_aws
  [[ $(local_post createUser '{"name":"li","path":"/team/","partition":"aws-cn"}') == *'"arn":"arn:aws-cn:iam::123456789012:user/team/li"'* ]]
  [[ $(local_get addMfaDevice user=li kind=hardware) == *'"serialNumber":"GAHT12345678"'* ]]
  [[ $(local_get keys user=li) == *'"status":"Active"'* ]]
  [[ $(local_post createRole '{"name":"reader","requireMfa":true}') == *'"arn":"arn:aws:iam::123456789012:role/reader"'* ]]
  [[ $(local_get mintRoleSession arn=arn:aws:iam::123456789012:role/reader) == *'"sessionToken"'* ]]
  local_post setPropagation '{"created":{"sts":{"seconds":2},"iam":{"answers":[false,true]}}}'
  local_get fault action=GetCallerIdentity kind=html
  [[ $(curl --silent --data 'Action=GetCallerIdentity&Version=2011-06-15' "$LOCAL_AWS_URL") == *hotel* ]]
  [[ $(local_count GetCallerIdentity) == 1 ]]
  [[ $(local_get calls) == *'"status":200'* ]]
  local_get fault action=GetCallerIdentity kind=drop
  run -52 curl --silent --data 'Action=GetCallerIdentity&Version=2011-06-15' "$LOCAL_AWS_URL"
  local_get untilCalled action=GetCallerIdentity times=2
}

@test "a mistake is told" {
  start_local_aws
  run local_get nothing
  [[ $status -ne 0 && $output == *'no such command; there are reset, calls, count, '* ]]
  run local_get code user=nobody
  [[ $status -ne 0 && $output == *'0 users are called nobody'* ]]
  run local_get setKeyStatus accessKeyId=AKIA status=Off
  [[ $output == *'status must be one of Active, Inactive, Deleted'* ]]
}
