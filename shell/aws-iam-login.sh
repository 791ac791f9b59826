#!/bin/sh
# shellcheck shell=sh
# aws-iam-login: what a live session in plainly written files needs is answered here, in sh and awk, at a tenth of what
# Node costs to start. Everything else is the program's (dist/aws-iam-login.cjs), and nothing is answered that it would
# answer differently: whoever is not sure here hands over. No secret gets into an argument or a file, nor into a variable but
# those of the command that exec runs.

# Whatever the surroundings have set: no trace, no aliases, none of the functions that bash imports.
{
  \set +aefuvxC
  \unset -f unalias unset set command test true false echo printf read cd exec exit return trap awk mawk grep tr readlink node [
  \unalias -a
} 2>/dev/null

# --- What is asked ---------------------------------------------------------------------------------------------

# Names that nobody exports: whatever is set here is handed on to the program and to the command of exec.
ail_sure=1 ail_evaluated='' ail_first='' ail_second='' ail_third='' ail_words=0 ail_given=' ' ail_name='' ail_expects=''
ail_min_ttl='' ail_region='' ail_stored='' ail_undo='' ail_help='' ail_begun='' ail_taken=0
# >>> defaults: made by npm run generate
ail_format=env ail_as=keys
# <<< defaults

# Takes the value $2 of option $1.
take() {
  case $ail_given in *" $1 "*) ail_sure='' ;; esac
  ail_given="$ail_given$1 "
  case $2 in '' | -*) ail_sure='' ;; esac
  case $1 in
    profile) ail_name=$2 ;;
    format) ail_format=$2 ;;
    as) ail_as=$2 ;;
    min-ttl) ail_min_ttl=$2 ;;
    region) ail_region=$2 ;;
    *) ail_sure='' ;;
  esac
}

# Takes the option $1 that has no value.
flag() {
  case $ail_given in *" $1 "*) ail_sure='' ;; esac
  ail_given="$ail_given$1 "
  case $1 in
    stored) ail_stored=1 ;;
    unset) ail_undo=1 ;;
  esac
}

# Whether the next word, or what follows --, is the command that exec runs, as beginsCommand has it in TypeScript.
begins_command() {
  case $ail_first:$ail_second in
    exec:) case $ail_given in *' profile '*) return 0 ;; esac ;;
    exec:?* | ?*:exec) return 0 ;;
  esac
  return 1
}

for ail_word in "$@"; do
  ail_taken=$((ail_taken + 1))
  if [ -n "$ail_expects" ]; then
    case $ail_word in
      --) ail_sure='' && break ;;
    esac
    take "$ail_expects" "$ail_word"
    ail_expects=''
    continue
  fi
  case $ail_word in
    --)
      if [ "$ail_first" = exec ] || begins_command; then ail_begun=1; else ail_sure=''; fi
      break
      ;;
    -p) ail_expects=profile ;;
    # >>> values: made by npm run generate
    --profile | --token-code | --duration | --min-ttl | --serial-number | --region | --format | --as | --key-store | --service | --browser | --max-key-age) ail_expects=${ail_word#--} ;;
    # <<< values
    --*=*)
      ail_word=${ail_word#--}
      take "${ail_word%%=*}" "${ail_word#*=}"
      ;;
    --stored | --unset | --no-input | --quiet | --hook) flag "${ail_word#--}" ;;
    -q) flag quiet ;;
    --help | -h) ail_sure='' ail_help=1 ;;
    -?*) ail_sure='' ;;
    *)
      if begins_command; then
        ail_begun=1 ail_taken=$((ail_taken - 1))
        break
      fi
      ail_words=$((ail_words + 1))
      case $ail_words in
        1) ail_first=$ail_word ;;
        2) ail_second=$ail_word ;;
        3) ail_third=$ail_word ;;
        *) ail_sure='' ;;
      esac
      [ -n "$ail_word" ] || ail_sure=''
      ;;
  esac
done
[ -z "$ail_expects" ] || ail_sure=''

# Both orders of words: `env PROFILE` and `PROFILE env`.
ail_asked='' ail_operand=''
case $ail_first in
  env) ail_asked=env ail_operand=$ail_second ;;
  exec) ail_asked=exec ail_operand=$ail_second ;;
  credential-process) ail_asked=process ail_operand=$ail_second ;;
  __profiles) ail_asked=profiles ail_operand=$ail_second ;;
  # >>> commands: made by npm run generate
  init | login | use | rotate | status | list | logout | console | doctor | policy | hook | setup | completion | help | version) ;;
  # <<< commands
  *)
    case $ail_second in
      env) ail_asked=env ail_operand=$ail_first ;;
      exec) ail_asked=exec ail_operand=$ail_first ;;
      credential-process) ail_asked=process ail_operand=$ail_first ;;
    esac
    ;;
esac
if [ "$ail_asked" = env ]; then
  case $ail_format in process | json | dotenv | env-no-export) ;; *) ail_evaluated=1 ;; esac
  if [ -n "$ail_help" ]; then ail_evaluated=''; fi
  case $ail_format in env | fish | process | json | dotenv | env-no-export) ;; *) ail_sure='' ;; esac
  case $ail_as in keys | profile | watch) ;; *) ail_sure='' ;; esac
elif [ "$ail_asked" = process ] || [ "$ail_asked" = exec ]; then
  ail_format=$ail_asked
  case $ail_given in *' format '* | *' as '* | *' hook '* | *' stored '* | *' unset '*) ail_sure='' ;; esac
elif [ "$ail_asked" != profiles ] || [ "$ail_given" != ' ' ]; then
  ail_sure=''
fi
if [ "$ail_asked" = profiles ]; then
  ail_name=$ail_third ail_third='' ail_format=$ail_operand
else
  if [ -n "$ail_name" ] && [ -n "$ail_operand" ] && [ "$ail_name" != "$ail_operand" ]; then ail_sure=''; fi
  ail_name=${ail_name:-${ail_operand:-${AWS_IAM_LOGIN_PROFILE:-${AWS_PROFILE:-${AWS_DEFAULT_PROFILE:-default}}}}}
fi
[ -z "$ail_third" ] || ail_sure=''
# On a terminal there is something to say, and of a full disk not every awk takes notice.
if [ -z "$ail_stored" ] && [ "$ail_asked" != exec ] && ! [ -p /dev/stdout ] && ! [ -S /dev/stdout ]; then ail_sure=''; fi

# --- Failing ---------------------------------------------------------------------------------------------------

# What makes a shell that evaluates our stdout stop.
refuse() { if [ -n "$ail_evaluated" ]; then echo false; fi; }

# Ends with the code $1, a sentence $2 and a hint $3.
fail() {
  printf 'aws-iam-login: %s\n  hint: %s\n' "$2" "$3" >&2
  refuse
  exit "$1"
}

# --- The command of exec ---------------------------------------------------------------------------------------

# Leaves in `ail_found` where the program $1 lies on PATH, empty when there is none, without a process.
find_program() {
  ail_rest=${PATH-}:
  while [ -n "$ail_rest" ]; do
    ail_found=${ail_rest%%:*} ail_rest=${ail_rest#*:}
    ail_found=${ail_found:-.}/$1
    if [ -f "$ail_found" ] && [ -x "$ail_found" ]; then return; fi
  done
  ail_found=''
}

# Leaves in `ail_found` the file of the command behind our own words, empty where it is not sure which one it is.
find_command() {
  shift "$ail_taken"
  ail_found=''
  case ${1-} in
    '' | [!/A-Za-z0-9_.]* | *[!/A-Za-z0-9_.+@%,:-]*) ;;
    /*) if [ -f "$1" ] && [ -x "$1" ]; then ail_found=$1; fi ;;
    # bash would tell a script where it lies from the root on
    */*) if [ -z "${BASH_VERSION-}" ] && [ -f "$1" ] && [ -x "$1" ]; then ail_found=./$1; fi ;;
    *)
      # bash takes a ~ there for HOME and makes paths whole, dash and BusyBox know %func
      case :${PATH-}: in *:[!/]* | *%*) ;; *) find_program "$1" ;; esac
      ;;
  esac
}

run_command() {
  shift "$ail_taken"
  exec "$@"
}

# Some shells drop variables whose names are no identifiers, such as the functions that bash exports, and bash those that
# were unset above. exec is to pass them on, so the program is told. Stdin says what there was.
note_dropped() {
  ail_newline='
'
  # a range would hold other letters as well in some locales
  ail_letters=abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_
  ail_dropped=0
  set -f
  IFS=$ail_newline
  for ail_word in $(LC_ALL=C command tr '\000\n' '\n\001'); do
    case $ail_word in
      [$ail_letters]*=*) case ${ail_word%%=*} in *[!${ail_letters}0123456789]*) ;; *) continue ;; esac ;;
    esac
    ail_dropped=$((ail_dropped + 1))
    export "AWS_IAM_LOGIN_DROPPED_$ail_dropped=$ail_word"
  done
  unset IFS
  set +f # or a SHELLOPTS that is exported would hand it on
}

ail_failed=1
if [ "$ail_first" = exec ] || [ "$ail_second" = exec ]; then
  ail_failed=125
  # not that of $$, which is another process where /proc is not of our namespace; open here, since it ends with its opener
  if [ -r /proc/self/environ ]; then note_dropped </proc/self/environ; else ail_sure=''; fi
  if [ -n "${AWS_IAM_LOGIN_DROPPED_1-}" ]; then ail_sure=''; fi # also when noted by a copy that has handed over to us
  # mksh and pdksh, whose exec takes the name of a program for a builtin of theirs
  case ${KSH_VERSION-} in '@(#)'*) ail_sure='' ;; esac
fi
if [ "$ail_asked" = exec ] && [ -n "$ail_sure" ]; then
  find_command "$@"
  if [ -z "$ail_begun" ] || [ -z "$ail_found" ]; then ail_sure=''; fi
fi

# --- The files -------------------------------------------------------------------------------------------------

# Leaves in `ail_path` where the file $2 is whose variable holds $1, empty when there is none.
locate() {
  ail_path=${1:-"~/.aws/$2"}
  # shellcheck disable=SC2088
  case $ail_path in
    '~' | '~/'*)
      if [ -z "${HOME-}" ]; then ail_sure=''; fi
      ail_path=${HOME-}${ail_path#'~'}
      ;;
  esac
  case $ail_path in /*) ;; *) ail_path=./$ail_path ;; esac
  if [ -f "$ail_path" ]; then
    [ -r "$ail_path" ] || ail_sure=''
  elif [ "$ail_path" = /dev/null ]; then
    ail_path=''
  else
    # Missing for sure: nothing of that name in a folder that can be searched.
    if [ -e "$ail_path" ] || [ -L "$ail_path" ] || ! [ -d "${ail_path%/*}/" ] || ! [ -x "${ail_path%/*}/" ]; then ail_sure=''; fi
    ail_path=''
  fi
}

# Reads them, and prints the answer: exit code 80 it is printed, 81 there is none, 82 only the program can tell. All other
# codes are those of an awk that is missing or broken.
read_files() {
  # gawk needs three times as long to read this program.
  ail_awk='awk'
  if command -v mawk >/dev/null 2>&1; then ail_awk=mawk; fi
  # shellcheck disable=SC2016
  LC_ALL=C command "$ail_awk" '
# For awk of every kind: no {n} in patterns, no %d, which ends at 2^31 in mawk, no function that only one of them has.

BEGIN {
  zero = sprintf("%c", 0)
  mode = ARGV[1]; profile = ARGV[2]; credentials = ARGV[3]; config = ARGV[4]
  format = ARGV[5]; as = ARGV[6]; min_ttl = ARGV[7]; region = ARGV[8]; undo = ARGV[9] != ""
  # >>> seconds: made by npm run generate
  default_duration = 43200
  default_min_ttl = 300
  process_min_ttl = 960
  source_min_ttl = 60
  longest_role = 3600
  shortest_wish = 900
  longest_wish = 43200
  # <<< seconds
  if (mode == "profiles") answer_profiles()
  if (min_ttl != "") min_ttl = duration(min_ttl)
  if (region != "") check_region(region)
  if (undo) answer_undo()
  answer_session()
}

function odd() { exit 82 }
function none() { exit 81 }
function answer(text) { if (text != "") print text; exit 80 }

# --- The files -----------------------------------------------------------------------------------------------

# Reads a file bracket by bracket: a record holds a header and all lines up to the next bracket, which costs a tenth of
# what lines would. Looks at the sections that the profile\047s name stands in, or lists them all.
function read_file(path, kind,  record, got, before, is_ended, is_header, end, header, parts, count) {
  if (path == "") return
  RS = "["
  records = 0; bytes = 0
  split("", is_listed)
  while ((got = (getline record < path)) > 0) {
    # Patterns of mawk end at some zero bytes and go on at others; kinds of awk that have none are looked at below.
    if (zero != "" && index(record, zero)) odd()
    if (records++ == 0) is_header = 0
    else if (is_ended) {
      is_header = 1
      end = index(record, "\n")
      header = end ? substr(record, 1, end - 1) : record
      if (mode == "profiles") list_profile(header, end ? substr(record, end) : "\n", kind)
      else if (index(header, sought) || header ~ /["\047\\]|DEFAULT/) find_profile(header, end ? substr(record, end + 1) : "", kind)
      else if (at != "") leave(header)
    } else {
      # Within a header, behind nothing but blanks, or behind a CR, which ends a line for Python: not all parsers see the same.
      count = split(before, parts, "\n")
      if ((is_header && count == 1) || parts[count] !~ /[!-~]/ || parts[count] ~ /\r/ || ++brackets > 99) odd()
      more(record)
      is_header = 0
    }
    bytes += count = length(record)
    is_ended = count == 0 ? records == 1 : substr(record, count) == "\n"
    if (!is_ended) before = record
  }
  if (got < 0) odd()
  close(path)
  end_listed()
  if (records > 0 && zero == "") check_whole(path, is_ended)
  at = ""
}

# Some kinds of awk lose what stands behind a zero byte. There both ways to cut the file have to agree. For a large one,
# and where the last line has no end, tr(1) has to find none.
function check_whole(path, is_ended,  line, length_of_lines, found, got, command) {
  if (records > 2000 || !is_ended) {
    if (path ~ /[^A-Za-z0-9_.,:@%+=\/ -]/) odd()
    command = "tr -dc \047\\000\047 <\047" path "\047 | wc -c"
    RS = "\n"
    got = (command | getline line)
    close(command)
    if (got < 1 || line !~ /^[ \t]*0[ \t]*$/) odd()
    return
  }
  RS = "\n"
  while ((got = (getline line < path)) > 0) {
    length_of_lines += length(line) + 1
    if (index(line, "[")) found += gsub(/\[/, "", line)
  }
  close(path)
  if (got < 0 || length_of_lines != bytes + records - 1 || found != records - 1) odd()
}

function more(record) {
  if (mode == "profiles") listed_text = listed_text "[" record
  else if (at != "") body[at] = body[at] "[" record
}

# --- One profile ---------------------------------------------------------------------------------------------

# Reads the sections of a profile as those of the `role`, and those of its session, out of both files.
function read_profile(name, role,  place) {
  check_name(name)
  sought = name; sought_role = role
  split("", body)
  read_file(credentials, "credentials")
  read_file(config, "config")
  for (place in body) { is_there[role] += place !~ /session$/; parse(place, body[place]) }
}

# Keeps the section when it is that of the profile, or of its session.
function find_profile(header, text, kind,  name, bare) {
  name = header
  sub(/[ \t]*\r?$/, "", name)
  if (name !~ /^[A-Za-z0-9_.@+%:\/=, -]+\]$/) {
    # Quotes and backslashes may hide the name. Quotes around a whole name do not.
    bare = header
    gsub(/["\047\\]/, "", bare)
    if (name ~ /^profile ("[A-Za-z0-9_.@+%:\/=, -]+"|\047[A-Za-z0-9_.@+%:\/=, -]+\047)\]$/) {
      name = substr(bare, 9, length(name) - 11)
      if (name == sought || name == sought "-sts") odd()
    } else if (index(bare, sought)) odd()
    if (index(bare, "DEFAULT")) odd()
    leave(header)
    return
  }
  name = substr(name, 1, length(name) - 1)
  if (name ~ /^ | $|DEFAULT/) odd()
  if (kind == "config" && name != "default") {
    if (name !~ /^profile/) { leave(header); return }
    if (name !~ /^profile [^ ]/) odd()
    name = substr(name, 9)
    if (name == "default") odd()
  }
  if (name == sought) enter(kind " " sought_role, text)
  else if (name == sought "-sts") enter(kind " " sought_role " session", text)
  else leave(header)
}

function enter(place, text) {
  at = place
  if (at in body) odd()
  body[at] = text
}

# Behind a section of ours comes only what is a header for every parser.
function leave(header) {
  if (at != "" && header !~ /^[^][#;\\\r]+\][ \t]*\r?$/) odd()
  at = ""
}

# Reads the lines of a section into value[place, key]: `key = value`, comments, blank lines, and indented blocks below a
# key without a value, which hold no keys of the profile.
function parse(place, text,  lines, count, i, line, key, equals, is_block) {
  count = split(text, lines, "\n")
  for (i = 1; i <= count; i++) {
    line = lines[i]
    if (length(line) > 9999) odd()
    sub(/\r$/, "", line)
    sub(/[ \t]+$/, "", line)
    if (index(line, "\r")) odd()
    if (line == "" || line ~ /^[#;]/) continue
    if (line ~ /^[ \t]/) { if (!is_block) odd(); continue }
    if (line !~ /^[a-z][a-z0-9_.-]*[ \t]*=/) odd()
    equals = index(line, "=")
    key = substr(line, 1, equals - 1)
    sub(/[ \t]+$/, "", key)
    line = substr(line, equals + 1)
    sub(/^[ \t]+/, "", line)
    if ((place, key) in value || line ~ /^[#;]|[^!-~][#;]/) odd()
    is_block = line == ""
    if (is_block && key ~ /^(aws_|sso_|web_identity_|credential_|mfa_|assumed_|role_|external_id$|source_profile$|duration_seconds$|region$|expiration$)/) odd()
    value[place, key] = line
    if (key ~ /^(credential_(source|process)$|sso_|web_identity_)/) value[place, "other identity"] = 1
  }
}

# The value of a key of a profile or of its session, the credentials file before the config file; empty without one.
function get(role, key) {
  if (("credentials " role, key) in value) return value["credentials " role, key]
  if (("config " role, key) in value) return value["config " role, key]
  return ""
}

# --- The session ---------------------------------------------------------------------------------------------

# Answers with the stored session when it is live.
function answer_session(  is_named_session, is_role, silent, time, end) {
  # `x-sts` stands for `x`, unless it is a profile in its own right.
  if (is_session_name(profile)) {
    is_named_session = 1
    profile = base_name(profile)
  }
  read_profile(profile, "profile")
  if (is_named_session && is_own_profile("profile session")) odd()
  if (get("profile session", "role_arn") get("profile session", "other identity") get("profile session", "aws_security_token") != "") odd()
  if (get("profile", "other identity") != "") odd()
  is_role = get("profile", "role_arn") != ""
  if (is_role) source = read_source("profile")
  if (min_ttl == "") min_ttl = mode == "process" ? ttl_for_process(is_role) : default_min_ttl
  if (is_role) min_ttl = role_min_ttl(min_ttl)
  silent = is_role || get("profile", "mfa_process") != ""

  if (!is_whole("profile session")) none()
  if (is_role ? stored("assumed_role_arn") != get("profile", "role_arn") || stored("assumed_from") != source : is_for_role("profile session")) none()
  if (!is_there["profile"]) odd()
  time = stored("expiration")
  end = epoch(time)
  if (end - clock() < min_ttl) none()
  if ((stored("aws_access_key_id") stored("aws_secret_access_key") stored("aws_session_token")) ~ /[^!-~]|["\047\\]/) odd()
  if (region == "") region = region_of("profile")
  time = substr(time, 1, 10) "T" substr(time, 12, 8) "Z"
  if (format == "process") answer(process_text(time))
  set_session(time, end, silent)
  answer(variables_text())
}

function is_session_name(name) { return name ~ /.-sts$/ }

function base_name(name) {
  name = substr(name, 1, length(name) - 4)
  if (is_session_name(name)) odd()
  return name
}

# Whether a `-sts` section is a profile in its own right.
function is_own_profile(role) {
  return get(role, "role_arn") get(role, "other identity") != "" || (get(role, "aws_access_key_id") != "" && get(role, "aws_session_token") == "")
}

# The session\047s own keys count in the credentials file only.
function stored(key) { return in_credentials("profile session", key) }
function in_credentials(role, key) { return ("credentials " role, key) in value ? value["credentials " role, key] : "" }

function is_whole(role) {
  return in_credentials(role, "aws_access_key_id") != "" && in_credentials(role, "aws_secret_access_key") != "" && \
    in_credentials(role, "aws_session_token") != "" && in_credentials(role, "expiration") != ""
}

function is_for_role(role) { return in_credentials(role, "assumed_role_arn") in_credentials(role, "assumed_from") != "" }

function region_of(role,  text) {
  text = get(role, "region")
  if (text == "") text = get(role " session", "region")
  if (text != "") check_region(text)
  return text
}

# --- Roles ---------------------------------------------------------------------------------------------------

# Reads the source profile that a role names, as the `source`, and says its name. Whose credentials come from a process
# or from elsewhere, and what is named by its session without being there, is the program\047s to follow.
function read_source(role,  named, name) {
  named = get(role, "source_profile")
  if (named == "") odd()
  name = is_session_name(named) ? base_name(named) : named
  forget("source")
  read_profile(name, "source")
  if (get("source", "other identity") != "") odd()
  if (named != name && (!is_there["source"] || is_own_profile("source session"))) odd()
  return name
}

function forget(role,  key, parts) {
  for (key in value) {
    split(key, parts, SUBSEP)
    if (parts[1] ~ ("^[a-z]+ " role "( session)?$")) delete value[key]
  }
  is_there[role] = 0
}

# Seconds that a role\047s session must still last: half of what a new one has where that is less than was asked for.
function role_min_ttl(asked,  lasts) {
  lasts = role_lasts()
  if (asked < lasts) return asked
  if (lasts % 2) odd()
  return lasts / 2
}

function role_lasts(  wished) {
  wished = wished_duration("profile")
  return wished && wished < longest_role ? wished : longest_role
}

function wished_duration(role,  text) {
  text = get(role, "duration_seconds")
  if (text != "" && (text !~ /^[1-9][0-9]*$/ || length(text) > 6)) odd()
  return text + 0
}

# What a session must still last for a program that takes it from a process: as minTtlForProcess in TypeScript.
function ttl_for_process(is_role,  lasts) {
  if (is_role ? !is_renewed_silently() : get("profile", "mfa_process") == "") return default_min_ttl
  lasts = is_role ? role_lasts() : wished_duration("profile")
  if (!lasts) lasts = default_duration
  return lasts / 2 < process_min_ttl ? lasts / 2 : process_min_ttl
}

# Whether a role\047s next session needs nobody at the terminal: follows its sources to the user, as long as all is plain.
function is_renewed_silently(  name, seen, count, serial_number) {
  check_role("profile")
  seen[profile] = 1
  for (name = source; get("source", "role_arn") != ""; name = read_source("source")) {
    if (name in seen || ++count > 3 || get("source", "aws_access_key_id") != "") odd()
    seen[name] = 1
    check_role("source")
  }
  if (get("source", "aws_access_key_id") == "" || get("source", "aws_session_token") get("source", "aws_security_token") get("source", "aws_mfa_device") != "") odd()
  serial_number = get("source", "mfa_serial")
  if (serial_number !~ /^arn:aws:/ && (serial_number != "" || get("source", "region") ~ /^(cn-|us-gov-|eusc-|us-iso|eu-iso)/)) odd()
  region_of("source")
  if (get("source", "mfa_process") != "") return 1
  if (!is_whole("source session") || is_for_role("source session")) return 0
  return epoch(in_credentials("source session", "expiration")) - clock() >= source_min_ttl
}

# What the program would refuse it has to say itself.
function check_role(role,  arn, id, name, wished) {
  arn = get(role, "role_arn"); id = get(role, "external_id"); name = get(role, "role_session_name")
  if (arn !~ /^arn:aws:iam::[0-9]+:role\/[A-Za-z0-9_+=,.@\/-]*[A-Za-z0-9_+=,.@-]$/ || index(arn, ":role/") != 26 || length(arn) > 95) odd()
  if (id != "" && (id !~ /^[A-Za-z0-9_+=,.@:\/-]+$/ || length(id) < 2 || length(id) > 1224)) odd()
  if (name != "" && (name !~ /^[A-Za-z0-9_+=,.@-]+$/ || length(name) < 2 || length(name) > 64)) odd()
  wished = wished_duration(role)
  if (wished && (wished < shortest_wish || wished > longest_wish)) odd()
}

# --- env and exec --------------------------------------------------------------------------------------------

function set_session(time, end, silent,  old) {
  if ("AWS_IAM_LOGIN_AS" in ENVIRON) take_back()
  if (as == "keys") {
    set("AWS_ACCESS_KEY_ID", stored("aws_access_key_id"))
    set("AWS_SECRET_ACCESS_KEY", stored("aws_secret_access_key"))
    set("AWS_SESSION_TOKEN", stored("aws_session_token"))
    set("AWS_CREDENTIAL_EXPIRATION", time)
    unset("AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SECURITY_TOKEN")
  } else if (as == "profile") {
    set("AWS_PROFILE", profile "-sts")
    unset(key_names() " AWS_DEFAULT_PROFILE AWS_SECURITY_TOKEN")
  }
  if (as != "watch" && region != "") {
    set("AWS_REGION", region)
    set("AWS_DEFAULT_REGION", region)
    set("AWS_IAM_LOGIN_REGION", region)
  }
  set("AWS_IAM_LOGIN_PROFILE", profile)
  set("AWS_IAM_LOGIN_EXPIRES_AT", sprintf("%.0f", end))
  set("AWS_IAM_LOGIN_RENEW_AT", sprintf("%.0f", silent ? end - min_ttl : end))
  set("AWS_IAM_LOGIN_AS", as)
  # The AWS_PROFILE that the user had, as long as it is not one that we set ourselves.
  old = var("AWS_PROFILE") == "" || is_our_profile() ? "AWS_IAM_LOGIN_OLD_PROFILE" : "AWS_PROFILE"
  if (as != "watch" && old in ENVIRON) set("AWS_IAM_LOGIN_OLD_PROFILE", var(old))
  else unset("AWS_IAM_LOGIN_OLD_PROFILE")
  unset("AWS_IAM_LOGIN_DECLINED")
}

# What takes back exactly what an earlier env has set.
function take_back(  ours) {
  ours = is_our_profile()
  if (var("AWS_IAM_LOGIN_AS") == "keys") unset(key_names())
  if (ours) unset("AWS_PROFILE")
  if ((ours || !("AWS_PROFILE" in ENVIRON)) && "AWS_IAM_LOGIN_OLD_PROFILE" in ENVIRON) set("AWS_PROFILE", var("AWS_IAM_LOGIN_OLD_PROFILE"))
  if (is_our_region("AWS_REGION")) unset("AWS_REGION")
  if (is_our_region("AWS_DEFAULT_REGION")) unset("AWS_DEFAULT_REGION")
  unset("AWS_IAM_LOGIN_PROFILE AWS_IAM_LOGIN_EXPIRES_AT AWS_IAM_LOGIN_RENEW_AT AWS_IAM_LOGIN_AS AWS_IAM_LOGIN_REGION AWS_IAM_LOGIN_OLD_PROFILE AWS_IAM_LOGIN_DECLINED")
}

function answer_undo() {
  if (format == "process") answer("")
  take_back()
  answer(variables_text())
}

function is_our_profile() {
  return var("AWS_IAM_LOGIN_AS") == "profile" && "AWS_PROFILE" in ENVIRON && var("AWS_PROFILE") == var("AWS_IAM_LOGIN_PROFILE") "-sts"
}

function is_our_region(name) {
  return "AWS_IAM_LOGIN_REGION" in ENVIRON && name in ENVIRON && var(name) == var("AWS_IAM_LOGIN_REGION")
}

# A variable as text, which a number would not be compared as. Asking for one that is not there would make it.
function var(name) { return name in ENVIRON ? ENVIRON[name] "" : "" }

function key_names() { return "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_CREDENTIAL_EXPIRATION" }

# Variables to set and to unset stand in the order in which they were named first.
function set(name, text) {
  if (text ~ /[^ -~]|[\047\\]/) odd()
  if (!(name in is_set)) names[++name_count] = name
  is_set[name] = 1
  content[name] = text
}

function unset(list,  parts, count, i) {
  count = split(list, parts, " ")
  for (i = 1; i <= count; i++) {
    if (!(parts[i] in is_set)) names[++name_count] = parts[i]
    is_set[parts[i]] = 0
  }
}

function variables_text() {
  if (format == "exec") return command_text()
  if (format == "json") return json_text()
  return format ~ /^(dotenv|env-no-export)$/ ? plain_text() : shell_text()
}

# What a POSIX shell evaluates before it becomes the command.
function command_text(  i, set_names, unset_names) {
  check_command(ARGV[10])
  for (i = 1; i <= name_count; i++) {
    if (is_set[names[i]]) set_names = set_names " " names[i] "=\047" content[names[i]] "\047"
    else unset_names = unset_names " " names[i]
  }
  return "unset" unset_names "\nexport" set_names
}

# The command of exec has to be a program for this machine whose loader is there, or a script whose interpreter is one: of
# anything else a shell would make a script of its own. Of what an awk sees that loses zero bytes nobody can be sure.
function check_command(path,  start, interpreter) {
  start = start_of(path)
  if (substr(start, 1, 2) == "#!") {
    interpreter = substr(start, 3)
    if (length(start) > 120 || interpreter !~ /^[ \t]*\/[!-~]+([ \t]|$)/) odd()
    sub(/^[ \t]+/, "", interpreter)
    sub(/[ \t].*$/, "", interpreter)
    # a pipe or a device has no end
    if (interpreter ~ /[^A-Za-z0-9_.,:@%+=\/-]/ || system("test -f " interpreter " && test -x " interpreter)) odd()
    start = start_of(interpreter)
  }
  if (zero == "" || length(start) < 20 || substr(start, 1, 4) != "\177ELF" || substr(start, 17, 1) !~ /[\002\003]/) odd()
  if (match(start, /\/[A-Za-z0-9_.\/+-]*\/ld[A-Za-z0-9_.+-]*/)) start_of(substr(start, RSTART, RLENGTH))
  if (machine_of(start) != machine_of(start_of("/proc/self/exe"))) odd()
}

# Its first line, of a program so much that what loads it is named there.
function start_of(path,  line, rest) {
  RS = "\n"
  if ((getline line < path) < 1) odd()
  while (line ~ /^\177/ && length(line) < 999 && (getline rest < path) > 0) line = line "\n" rest
  close(path)
  return line
}

# What the header of an ELF file says: the size of addresses and the order of bytes, and the kind of processor.
function machine_of(start) { return substr(start, 5, 2) substr(start, 19, 2) }

function plain_text(  i, text) {
  for (i = 1; i <= name_count; i++) {
    if (!is_set[names[i]]) continue
    if (content[names[i]] !~ /^[A-Za-z0-9_.@+%:\/,=-]*$/) odd()
    text = text (text == "" ? "" : "\n") names[i] "=" content[names[i]]
  }
  return text
}

function json_text(  i, wanted, text) {
  for (wanted = 1; wanted >= 0; wanted--) {
    for (i = 1; i <= name_count; i++) {
      if (is_set[names[i]] != wanted) continue
      if (index(content[names[i]], "\"")) odd()
      text = text (text == "" ? "" : ",\n") "  \"" names[i] "\": " (wanted ? "\"" content[names[i]] "\"" : "null")
    }
  }
  return "{\n" text "\n}"
}

# All or nothing: a first line that tries, and the secrets behind it, since a shell that this is not meant for shows it.
function shell_text(  i, name, unset_names, set_names, assigned, fish_set, fish_unset, commands) {
  for (i = 1; i <= name_count; i++) {
    name = names[i]
    if (is_set[name]) {
      set_names = set_names " " name
      assigned = assigned " " name "=\047" content[name] "\047"
      fish_set = fish_set " && set -gx " name " \047" content[name] "\047"
    } else {
      unset_names = unset_names " " name
      fish_unset = fish_unset " && set -g " name " && set -e -g " name
    }
  }
  if (format == "fish") return "test (echo 1) = 1 &&\n" substr(fish_set fish_unset, 5)
  commands = (unset_names == "" ? "" : " && unset" unset_names) (assigned == "" ? "" : " && export" assigned)
  return "test \047\\\\\047 != \"\\\\\" || eval \047echo \"aws-iam-login: fish needs another form: aws-iam-login env " \
    (is_set["AWS_IAM_LOGIN_PROFILE"] ? content["AWS_IAM_LOGIN_PROFILE"] : "--unset") " --format fish | source\" >&2; false\047 && eval \047(unset" \
    unset_names set_names ")\047 &&\n" substr(commands, 5)
}

function process_text(time) {
  return "{\n  \"Version\": 1,\n  \"AccessKeyId\": \"" stored("aws_access_key_id") "\",\n  \"SecretAccessKey\": \"" stored("aws_secret_access_key") \
    "\",\n  \"SessionToken\": \"" stored("aws_session_token") "\",\n  \"Expiration\": \"" time "\"\n}"
}

# --- Checks --------------------------------------------------------------------------------------------------

# Names that every parser reads alike, and that JavaScript does not trip over.
function check_name(name) {
  if (name !~ /^[A-Za-z0-9_][A-Za-z0-9_.@+%:\/-]*$/) odd()
  # The name of a section that aws-mfa has made may stand for another profile.
  if (name ~ /-long-term(-sts)?$/) odd()
  if (name ~ /^(DEFAULT|profile|(profile|sso-session|services)\..*|__.*|constructor|toString|toLocaleString|valueOf|hasOwnProperty|isPrototypeOf|propertyIsEnumerable)$/) odd()
}

function check_region(text) { if (text !~ /^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$/ || length(text) > 63) odd() }

# Seconds of a duration.
function duration(text) {
  if (text !~ /^[0-9]+[hms]?$/ || length(text) > 6) odd()
  text = (text + 0) * (text ~ /h$/ ? 3600 : text ~ /m$/ ? 60 : 1)
  if (text >= default_duration) odd()
  return text
}

# Unix time in whole seconds, asked once: srand() tells the last seed, which it takes from the clock, in newer mawk in
# nanoseconds.
function clock() {
  if (!now) now = machine_clock()
  return now
}

function machine_clock(  first, later) {
  srand()
  first = whole_seconds(srand())
  later = whole_seconds(srand())
  if (first < 1600000000 || first > 9999999999 || later < first || later > first + 1) odd()
  return first
}

function whole_seconds(seed) { return int(seed > 1e17 ? seed / 1e9 : seed > 1e14 ? seed / 1e6 : seed) }

# Unix time of an expiration in UTC (days from the civil date: Hinnant, "chrono-Compatible Low-Level Date Algorithms").
function epoch(text,  year, month, day, hour, minute, second, last) {
  if (text !~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9][T ][0-9][0-9]:[0-9][0-9]:[0-9][0-9](Z|\+00:00)?$/) odd()
  year = substr(text, 1, 4) + 0; month = substr(text, 6, 2) + 0; day = substr(text, 9, 2) + 0
  hour = substr(text, 12, 2) + 0; minute = substr(text, 15, 2) + 0; second = substr(text, 18, 2) + 0
  last = month == 2 ? 28 + (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)) : 30 + (month + (month > 7)) % 2
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > last || hour > 23 || minute > 59 || second > 59) odd()
  if (month <= 2) year--
  day += year * 365 + int(year / 4) - int(year / 100) + int(year / 400) + int((153 * ((month + 9) % 12) + 2) / 5) - 719469
  return day * 86400 + hour * 3600 + minute * 60 + second
}

# --- All profiles --------------------------------------------------------------------------------------------

# Prints the profiles of each of the given kinds whose names begin with the given text: name, tab, kind, those of the
# credentials file first.
function answer_profiles(  i, j, count, wanted, kind, first, last, next_of) {
  read_file(credentials, "credentials")
  read_file(config, "config")
  for (i = 1; i <= name_count; i++) {
    if (profile != "" && index(names[i], profile) != 1) continue
    kind = kind_of(names[i])
    if (kind in last) next_of[last[kind]] = i
    else first[kind] = i
    last[kind] = i
  }
  count = split(format, wanted, ",")
  for (j = 1; j <= count; j++)
    for (i = first[wanted[j]]; i; i = next_of[i]) print names[i] "\t" wanted[j]
  exit 80
}

function list_profile(header, text, kind,  name) {
  end_listed()
  # Nearly every header is one of these two.
  if (kind == "credentials" && header ~ /^[A-Za-z0-9_.@+%:\/=,-]+\]$/) name = substr(header, 1, length(header) - 1)
  else if (kind == "config" && header ~ /^profile [A-Za-z0-9_.@+%:\/=,-]+\]$/) name = substr(header, 9, length(header) - 9)
  else name = listed_name(header, kind)
  if (name == "") return
  if (index(name, "DEFAULT") || name in is_listed || (kind == "config" && name == "default" && header !~ /^default/)) odd()
  is_listed[name] = 1
  if (!(name in traits)) { traits[name] = ""; names[++name_count] = name }
  listed = name
  listed_text = text
}

# The name of the profile in a header that is written in another way, empty for a section that is none.
function listed_name(header, kind,  name) {
  name = header
  sub(/[ \t]*\r?$/, "", name)
  if (name !~ /^[^][#;"\047\\\r\t]+\]$/ && name !~ /^profile ("[^][#;"\047\\\r\t]+"|\047[^][#;"\047\\\r\t]+\047)\]$/) odd()
  name = substr(name, 1, length(name) - 1)
  if (kind == "config" && name != "default") {
    if (index(name, "DEFAULT")) odd()
    if (name !~ /^profile/) return ""
    if (name !~ /^profile [^ ]/) odd()
    name = substr(name, 9)
    if (name ~ /^["\047]/) name = substr(name, 2, length(name) - 2)
    else if (index(name, " ")) odd()
  } else if (name ~ /^(profile|sso-session|services) /) odd()
  if (name !~ /^[!-~]+$/) check_letters(name)
  return name
}

# The section before this is whole now.
function end_listed() {
  if (listed != "") find_traits(listed, listed_text)
  listed = ""
}

# Nothing but ASCII and the letters of most languages, and no blanks at the ends.
function check_letters(name) {
  if (name ~ /^ | $/ || name !~ /^([ -~]|[\303-\337][\200-\277]|[\343-\354][\200-\277][\200-\277])+$/) odd()
}

# Notes what tells the kind of a profile, all of it in its lines; `text` begins with a newline.
function find_traits(name, text) {
  # Nearly every section has keys at the beginning of its lines, each with a value.
  if (text ~ /\n[^a-z#;\r\n]|\r[^\n]|\n[a-z][a-z0-9_.-]*[ \t]*[^= \ta-z0-9_.-]|=[ \t]*[\r\n]|=[ \t]*$/) { parse_traits(name, text); return }
  if (text ~ /\n(role_arn[ \t]*=|sso_)/) {
    traits[name] = traits[name] (text ~ /\nrole_arn[ \t]*=/ ? " role " : " sso ")
    return
  }
  if (text ~ /\n(aws_access_key_id|aws_session_token|aws_security_token|mfa_serial)[ \t]*=[ \t]*["\047#;]/) odd()
  if (text ~ /\naws_access_key_id[ \t]*=/) traits[name] = traits[name] " id "
  if (text !~ /\n(aws_(session|security)_token|credential_process|mfa_serial)[ \t]*=/) return
  if (text ~ /\naws_(session|security)_token[ \t]*=/) traits[name] = traits[name] " token "
  if (text ~ /\ncredential_process[ \t]*=/) traits[name] = traits[name] " process "
  if (text ~ /\nmfa_serial[ \t]*=/) traits[name] = traits[name] " mfa "
}

# The same for a section with indented blocks.
function parse_traits(name, text,  key, parts) {
  split("", value)
  parse("section", text)
  for (key in value) {
    split(key, parts, SUBSEP)
    key = parts[2]
    if (key ~ /^(aws_|mfa_serial)/ && value["section", key] ~ /^["\047]/) odd()
    if (key == "role_arn") traits[name] = traits[name] " role "
    else if (key ~ /^sso_/) traits[name] = traits[name] " sso "
    else if (key == "aws_access_key_id") traits[name] = traits[name] " id "
    else if (key ~ /^aws_(session|security)_token$/) traits[name] = traits[name] " token "
    else if (key == "credential_process") traits[name] = traits[name] " process "
    else if (key == "mfa_serial") traits[name] = traits[name] " mfa "
  }
}

# As kindOf in src/profiles/kind.ts.
function kind_of(name,  text) {
  text = traits[name]
  if (text == "") return name ~ /.-sts$/ ? "session" : "other"
  if (index(text, " role ")) return "role"
  if (index(text, " sso ")) return "SSO"
  if (index(text, " id ")) return index(text, " token ") ? "session" : "user"
  if (name ~ /.-sts$/ && !index(text, " process ")) return "session"
  return index(text, " mfa ") ? "user" : "other"
}
' "$@" </dev/null 2>/dev/null
}

ask_files() {
  read_files "$ail_asked" "$ail_name" "$ail_credentials" "$ail_path" "$ail_format" "$ail_as" "$ail_min_ttl" "$ail_region" "$ail_undo" "${ail_found-}"
}

ail_code=82
if [ -n "$ail_sure" ]; then
  locate "${AWS_SHARED_CREDENTIALS_FILE-}" credentials
  ail_credentials=$ail_path
  locate "${AWS_CONFIG_FILE-}" config
fi
if [ -n "$ail_sure" ]; then
  trap 'refuse; exit 130' INT
  trap 'refuse; exit 143' TERM
  trap 'refuse; exit 129' HUP
  if [ "$ail_asked" = exec ]; then ail_text=$(ask_files); else ask_files; fi
  ail_code=$?
  trap - INT TERM HUP
fi
case $ail_code:$ail_asked:$ail_stored in
  80:exec:)
    eval "$ail_text"
    run_command "$@"
    ;;
  80:*) exit 0 ;;
  81:*:1) exit 1 ;;
  *:1) exit 2 ;;
esac

# --- The program -----------------------------------------------------------------------------------------------

# Leaves in `ail_real` the file that the symbolic links from $1 on lead to.
follow() {
  ail_real=$1
  case $ail_real in */*) ;; *) ail_real=./$ail_real ;; esac
  ail_steps=0
  while [ -L "$ail_real" ] && [ "$ail_steps" -lt 40 ]; do
    ail_link=$(command readlink "$ail_real" && echo .)
    ail_link=${ail_link%??} # the newline, and the point that has kept it
    case $ail_link in /*) ail_real=$ail_link ;; *) ail_real=${ail_real%/*}/$ail_link ;; esac
    ail_steps=$((ail_steps + 1))
  done
}

# Leaves what `setup` noted in the file $1: its version, and where Node and the program were then.
read_stamp() {
  [ -r "$1" ] && {
    IFS= read -r ail_version
    IFS= read -r ail_stamped_node
    IFS= read -r ail_stamped_entry
  } <"$1"
}

follow "$0"
ail_self=$ail_real
ail_package=${ail_self%/*}/..
ail_entry=$ail_package/dist/aws-iam-login.cjs
ail_version='' ail_stamped_node='' ail_stamped_entry=''
case ${XDG_DATA_HOME-} in
  /*) ail_data=$XDG_DATA_HOME ;;
  *) ail_data=${HOME-}/.local/share ;;
esac
find_program node
ail_node=$ail_found

if ! [ -f "$ail_entry" ]; then
  # This is the copy beside the shell hook. The program on PATH may be newer than what it was copied from.
  if read_stamp "$ail_package/stamp"; then
    AWS_IAM_LOGIN_HOOK_VERSION=${AWS_IAM_LOGIN_HOOK_VERSION:-$ail_version}
    export AWS_IAM_LOGIN_HOOK_VERSION
  fi
  find_program aws-iam-login
  ail_program=$ail_found
  follow "$ail_program"
  if [ -n "$ail_node" ] && [ -n "$ail_program" ] && [ "$ail_real" != "$ail_self" ]; then exec "$ail_program" "$@"; fi
  ail_entry=$ail_stamped_entry
  if ! [ -f "$ail_entry" ]; then
    fail "$ail_failed" "could not find the program${ail_entry:+ at $ail_entry}: it was removed or has moved" "install it again, then: aws-iam-login setup"
  fi
elif [ -z "$ail_node" ]; then
  read_stamp "$ail_data/aws-iam-login/stamp"
fi
ail_node=${ail_node:-$ail_stamped_node}
if ! [ -x "$ail_node" ]; then
  fail "$ail_failed" "could not start Node, which this needs: there is no node on PATH" "install Node 20.19 or newer"
fi

# A Node that cannot be started: bash has to be told not to end without a word, others have their trap.
# shellcheck disable=SC3044
if [ -n "${BASH_VERSION-}" ]; then shopt -s execfail; else trap refuse 0; fi
# shellcheck disable=SC2093
exec "$ail_node" "$ail_entry" "$@"
refuse
exit 126
