# The local AWS for bats. `start_local_aws` in setup, `stop_local_aws` in teardown; needs `npm run build`.
# Sets LOCAL_AWS_URL, LOCAL_AWS_SERIAL (the MFA device of user jane), LOCAL_AWS_ACCESS_KEY_ID and LOCAL_AWS_PID.

if ((BASH_VERSINFO[0] < 4)); then
  echo "bats needs bash 4 or newer here: in $BASH_VERSION a [[ ]] that is false does not end a test" >&2
  exit 1
fi

# start_local_aws [OPTION...]: options of test/local-aws/main.ts, such as --user, --account, --partition.
start_local_aws() {
  local announcement line
  announcement=$(mktemp -u "${BATS_TEST_TMPDIR:-$BATS_FILE_TMPDIR}/local-aws.XXXXXX")
  mkfifo "$announcement"
  node "${BASH_SOURCE[0]%/*}/../build/local-aws/main.js" --with-parent "$@" >"$announcement" 3>&- &
  LOCAL_AWS_PID=$!
  read -r line <"$announcement" || return 1
  rm "$announcement"
  LOCAL_AWS_URL=$(local_field "$line" url)
  LOCAL_AWS_SERIAL=$(local_field "$line" serialNumber)
  LOCAL_AWS_ACCESS_KEY_ID=$(local_field "$line" accessKeyId)
  export LOCAL_AWS_URL LOCAL_AWS_SERIAL LOCAL_AWS_ACCESS_KEY_ID LOCAL_AWS_PID
}

stop_local_aws() {
  [[ -z ${LOCAL_AWS_PID-} ]] && return 0
  kill "$LOCAL_AWS_PID" 2>/dev/null
  wait "$LOCAL_AWS_PID" 2>/dev/null || true
  unset LOCAL_AWS_PID
}

# local_get NAME [ARGUMENT=VALUE...]: a command that takes simple values, e.g. `local_get fault action=AssumeRole kind=drop`.
local_get() {
  local name=$1 argument
  local -a query=()
  shift
  for argument in "$@"; do query+=(--data-urlencode "$argument"); done
  curl --silent --show-error --fail-with-body --noproxy '*' --get "${query[@]}" "$LOCAL_AWS_URL/_local/$name"
}

# local_post NAME JSON: a command with lists or objects among its arguments.
local_post() {
  printf '%s' "$2" | curl --silent --show-error --fail-with-body --noproxy '*' --data-binary @- "$LOCAL_AWS_URL/_local/$1"
}

# local_code [SERIAL]: a token code that will be accepted.
local_code() {
  local_get code "serialNumber=${1:-$LOCAL_AWS_SERIAL}"
}

# local_count [ACTION]: how many requests came in.
local_count() {
  if (($#)); then local_get count "action=$1"; else local_get count; fi
}

# local_profile [PROFILE [USER]]: a section for the credentials file, on stdout.
local_profile() {
  local_get profile "profile=${1:-default}" "user=${2:-jane}"
}

# local_field JSON NAME: a text value of a one-line JSON object.
local_field() {
  [[ $1 =~ \"$2\":\"([^\"]*)\" ]] && printf '%s\n' "${BASH_REMATCH[1]}"
}
