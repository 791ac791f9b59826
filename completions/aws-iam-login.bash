# shellcheck shell=bash
# bash 3.2 and later: completion of aws-iam-login, without Node and without the bash-completion package.

# Aliases would be expanded in the functions for good.
__aws_iam_login_aliases=''
if \builtin shopt -q expand_aliases; then __aws_iam_login_aliases=1; fi
\builtin shopt -u expand_aliases

# Leaves in ail_names the profiles that begin as the word in hand does, those first that the command is mostly about.
__aws_iam_login_profiles() {
  local ail_kinds ail_begins=${ail_full#--*=} ail_flags=$- IFS=$'\n'
  case ${ail_command-} in
    # >>> kinds: made by npm run generate
    init | rotate) ail_kinds=user,other ;;
    env | use | exec | credential-process) ail_kinds=role,user,other,session ;;
    status) ail_kinds=user,role,other,session,SSO ;;
    console) ail_kinds=role ;;
    *) ail_kinds=user,role,other,session ;;
    # <<< kinds
  esac
  set -f
  # shellcheck disable=SC2207
  ail_names=($(__aws_iam_login_ask __profiles "$ail_kinds" ${ail_begins:+"$ail_begins"}))
  case $ail_flags in *f*) ;; *) set +f ;; esac
  IFS=' ' # else bash 3.2 makes one name of all
  ail_names=(${ail_names[@]+"${ail_names[@]%%$'\t'*}"})
  if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404)); then compopt -o nosort 2>/dev/null; fi
}

# Asks the launcher: the one beside the hook, else the one on PATH.
__aws_iam_login_ask() {
  if [[ -r ${__aws_iam_login_home-}/shell/aws-iam-login.sh ]]; then
    command sh "$__aws_iam_login_home/shell/aws-iam-login.sh" "$@"
  else
    command aws-iam-login "$@"
  fi 2>/dev/null </dev/null
}

# Leaves the options of command $1 in ail_names.
__aws_iam_login_options() {
  case $1 in
    # >>> options: made by npm run generate
    '') ail_names=(--profile --token-code --duration --min-ttl --if-needed --serial-number --region --no-input --quiet --debug --help --version) ;;
    init) ail_names=(--profile --serial-number --region --roles --undo --key-store --force --no-input --quiet --debug --yes --help) ;;
    login) ail_names=(--profile --token-code --duration --min-ttl --if-needed --serial-number --region --no-input --quiet --debug --help) ;;
    env | use) ail_names=(--profile --token-code --duration --min-ttl --serial-number --region --format --as --unset --no-input --quiet --debug --help) ;;
    exec) ail_names=(--profile --token-code --duration --min-ttl --serial-number --region --as --no-input --quiet --debug --help) ;;
    credential-process) ail_names=(--profile --token-code --duration --min-ttl --serial-number --region --no-input --quiet --debug --help) ;;
    rotate) ail_names=(--profile --token-code --serial-number --region --no-input --quiet --debug --yes --status --resume --abort --delete-other --keep-old --json --help) ;;
    status) ail_names=(--profile --min-ttl --no-input --quiet --debug --json --help) ;;
    list) ail_names=(--no-input --quiet --debug --json --help) ;;
    logout) ail_names=(--profile --no-input --quiet --debug --all --help) ;;
    console) ail_names=(--profile --token-code --duration --min-ttl --serial-number --region --no-input --quiet --debug --service --print --browser --help) ;;
    doctor) ail_names=(--profile --no-input --quiet --debug --offline --max-key-age --json --help) ;;
    policy) ail_names=(--profile --region --no-input --quiet --debug --no-mfa --help) ;;
    hook) ail_names=(--no-input --quiet --debug --path --help) ;;
    setup) ail_names=(--no-input --quiet --debug --yes --purge --remove --help) ;;
    completion | help | version) ail_names=(--no-input --quiet --debug --help) ;;
    # <<< options
    *) ail_names=() ;;
  esac
}

# Leaves the values of option $1 in ail_names; fails for what is no option with a value.
__aws_iam_login_values() {
  ail_names=()
  case $1 in
    # >>> values: made by npm run generate
    --profile | -p) __aws_iam_login_profiles ;;
    --duration) ail_names=(15m 1h 4h 8h 12h 24h 36h) ;;
    --format) ail_names=(env env-no-export dotenv fish powershell json process) ;;
    --as) case ${ail_command-} in exec) ail_names=(keys process) ;; *) ail_names=(keys profile watch) ;; esac ;;
    --key-store) ail_names=(system pass file) ;;
    --service) ail_names=(billing cloudformation cloudwatch dynamodb ec2 ecs eks iam lambda rds s3) ;;
    --browser) ail_names=(brave chrome edge firefox) ;;
    --max-key-age) ail_names=(30 60 90 180 365) ;;
    --token-code | --min-ttl | --serial-number | --region) ;;
    # <<< values
    *) return 1 ;;
  esac
}

# Replies with those of ail_names that begin with ail_full, quoted where that is needed. $1 stands before each.
__aws_iam_login_reply() {
  local ail_name ail_space=' '
  if [[ -n $ail_quote ]]; then ail_space=''; fi # readline closes the quote itself
  for ail_name in ${ail_names[@]+"${ail_names[@]}"}; do
    ail_name=$1$ail_name
    case $ail_name in "$ail_full"*) ;; *) continue ;; esac
    ail_name=${ail_name#"$ail_keep"}
    if [[ -z $ail_quote ]]; then
      case $ail_name in *[!A-Za-z0-9._:@/+=,%^-]*) builtin printf -v ail_name %q "$ail_name" ;; esac
    fi
    COMPREPLY+=("$ail_name$ail_space")
  done
}

# Cuts the line before the cursor into ail_words and the beginning of the word in hand, ail_full, with its open quote;
# ail_starts is where each of them begins.
# COMP_WORDS will not do: bash 4 splits it at `:`, `=` and `@`, and 3.2 does not.
__aws_iam_login_cut() {
  local ail_line=${COMP_LINE:0:COMP_POINT} ail_char ail_place ail_start ail_escape='' ail_begun=''
  ail_words=() ail_starts=() ail_full='' ail_quote=''
  for ((ail_place = 0; ail_place < ${#ail_line}; ail_place++)); do
    ail_char=${ail_line:ail_place:1}
    if [[ -z $ail_begun ]]; then ail_start=$ail_place; fi
    if [[ -n $ail_escape ]]; then
      ail_full+=$ail_char ail_escape=''
    elif [[ $ail_char == \\ && $ail_quote != \' ]]; then
      ail_escape=1 ail_begun=1
    elif [[ -n $ail_quote ]]; then
      if [[ $ail_char == "$ail_quote" ]]; then ail_quote=''; else ail_full+=$ail_char; fi
    elif [[ $ail_char == [\'\"] ]]; then
      ail_quote=$ail_char ail_begun=1
    elif [[ $ail_char == [[:blank:]] ]]; then
      if [[ -n $ail_begun ]]; then ail_words+=("$ail_full") ail_starts+=("$ail_start"); fi
      ail_full='' ail_begun=''
    else
      ail_full+=$ail_char ail_begun=1
    fi
  done
  if [[ -z $ail_begun ]]; then ail_start=$COMP_POINT; fi
  ail_starts+=("$ail_start")
}

# Whether the next word is the first of the command that `exec` runs: the profile is named already.
__aws_iam_login_begins() {
  [[ $ail_command == exec && (-n $ail_second || -n $ail_named) ]]
}

_aws_iam_login() {
  local ail_full ail_quote ail_keep ail_word ail_place ail_value='' ail_first='' ail_command='' ail_second='' ail_named=''
  local -a ail_words ail_starts ail_names
  # >>> commands: made by npm run generate
  local ail_commands='init login env use exec credential-process rotate status list logout console doctor policy hook setup completion help version'
  # <<< commands
  COMPREPLY=()
  __aws_iam_login_cut
  # readline will replace $2; what the word has before that stays on the line.
  case $2 in *\\*) ail_word=${2//\\/} ;; *) ail_word=$2 ;; esac
  ail_keep=${ail_full%"$ail_word"}

  for ((ail_place = 1; ail_place < ${#ail_words[@]}; ail_place++)); do
    ail_word=${ail_words[ail_place]}
    if [[ -n $ail_value ]]; then
      ail_value=''
    elif [[ $ail_word == -- ]]; then
      __aws_iam_login_other_command $((ail_place + 1)) "$2"
      return
    elif [[ $ail_word == -* ]]; then
      case $ail_word in --profile* | -p*) ail_named=1 ;; esac
      if [[ $ail_word != *=* ]] && __aws_iam_login_values "$ail_word"; then ail_value=$ail_word; fi
    elif __aws_iam_login_begins; then
      __aws_iam_login_other_command "$ail_place" "$2"
      return
    elif [[ -z $ail_first ]]; then
      ail_first=$ail_word
      case " $ail_commands " in *" $ail_word "*) ail_command=$ail_word ;; esac
    elif [[ -z $ail_second ]]; then
      ail_second=$ail_word
      if [[ -z $ail_command ]]; then ail_command=$ail_word; fi
    fi
  done

  if [[ -n $ail_value ]]; then
    __aws_iam_login_values "$ail_value"
    __aws_iam_login_reply ''
  elif [[ $ail_full == --*=* ]]; then
    if __aws_iam_login_values "${ail_full%%=*}"; then __aws_iam_login_reply "${ail_full%%=*}="; fi
  elif [[ $ail_full == -* ]]; then
    __aws_iam_login_options "$ail_command"
    __aws_iam_login_reply ''
  elif __aws_iam_login_begins; then
    __aws_iam_login_other_command "${#ail_words[@]}" "$2"
  elif [[ -z $ail_first ]]; then
    __aws_iam_login_profiles
    local IFS=' '
    # shellcheck disable=SC2206
    ail_names=($ail_commands ${ail_names[@]+"${ail_names[@]}"})
    __aws_iam_login_reply ''
  elif [[ -n $ail_second ]]; then
    return
  elif [[ -z $ail_command ]]; then
    local IFS=' '
    # shellcheck disable=SC2206
    ail_names=($ail_commands)
    __aws_iam_login_reply ''
  else
    case $ail_command in
      # >>> operands: made by npm run generate
      hook | setup | completion) ail_names=(bash zsh fish) ;;
      help) ail_names=(init login env use exec credential-process rotate status list logout console doctor policy hook setup completion help version cookbook exit-codes files json key-store options permissions prompt roles rotation shell token-codes troubleshooting variables) ;;
      list | version) ail_names=() ;;
      # <<< operands
      *) __aws_iam_login_profiles ;;
    esac
    __aws_iam_login_reply ''
  fi
}

# Completes the command of `exec`, which begins at word $1; $2 is what readline will replace.
__aws_iam_login_other_command() {
  local ail_place ail_rest=$COMP_LINE IFS=$'\n'
  if declare -F _command_offset >/dev/null; then
    # bash may have cut the words before it in several pieces
    for ((ail_place = 0; ail_place < COMP_CWORD; ail_place++)); do
      ail_rest=${ail_rest#"${ail_rest%%[![:blank:]]*}"}
      if ((${#COMP_LINE} - ${#ail_rest} >= ail_starts[$1])); then break; fi
      ail_rest=${ail_rest#"${COMP_WORDS[ail_place]}"}
    done
    compopt +o nospace
    _command_offset "$ail_place"
  elif ((${#ail_words[@]} == $1)); then
    # shellcheck disable=SC2207
    COMPREPLY=($(compgen -A command -S ' ' -- "$2"))
  elif ((BASH_VERSINFO[0] >= 4)); then
    compopt -o default +o nospace
  fi
}

complete -o nospace -F _aws_iam_login aws-iam-login

if [[ -n $__aws_iam_login_aliases ]]; then shopt -s expand_aliases; fi
unset __aws_iam_login_aliases
