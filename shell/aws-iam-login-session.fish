# What aws-iam-login.fish reads when it is needed: `use`, the renewal of a session, and the session in the file.

# --- The program -----------------------------------------------------------------------------------------------

# Runs the program. A copy made by `setup` has a stamp: its version, and where the program and its Node were, for
# a PATH that has lost them (a Node version manager has moved on).
function __aws_iam_login_run
    set -l stamp
    test -r $__aws_iam_login_home/stamp; and string split \n <$__aws_iam_login_home/stamp | while read -l line
        set -a stamp $line
    end
    set -lx AWS_IAM_LOGIN_HOOK_VERSION $stamp[1]
    if command -sq aws-iam-login; and begin
            not test -f "$stamp[3]"; or command -sq node
        end
        command aws-iam-login $argv
    else if not test -f "$stamp[3]"
        __aws_iam_login_report_gone
    else if test -x "$stamp[2]"
        $stamp[2] $stamp[3] $argv
    else
        command node $stamp[3] $argv
    end
end

# Says what remains to be done where the program is no longer installed.
function __aws_iam_login_report_gone
    set -l folder (string replace -r '/shell/\.\.$' '' -- $__aws_iam_login_home)
    set -l rest "the line that loads $folder/shell/aws-iam-login.fish"
    test -r $folder/stamp; and set rest "$__fish_config_dir/conf.d/aws-iam-login.fish, and $folder"
    __aws_iam_login_say "the program is gone: install it again, or remove $rest"
    return 127
end

# Runs the program and applies what it prints to this shell; returns its exit code.
function __aws_iam_login_apply
    set -lx fish_trace # a trace would show the secrets; exported, so that the functions below see it too
    set -l text (__aws_iam_login_run $argv)
    set -l code $status
    test $code -eq 0; or return $code
    set -q text[1]; and string join \n -- $text | source
end

# Finds the command among the words, in either order, and prints it with its place.
function __aws_iam_login_find_command
    set -l command login
    set -l at 0
    set -l place 0
    set -l skip
    set -l profile
    for word in $argv
        set place (math $place + 1)
        if set -q skip[1]
            set skip
            continue
        end
        test "$word" = --; and break
        switch $word
            # >>> options: made by 'npm run generate'
            case --help -h --version
                set command help
                break
            case --profile -p --token-code --duration --min-ttl --serial-number --region --format --as
                set skip 1
            # <<< options
            case '-*'
            # >>> commands: made by 'npm run generate'
            case init login env use exec credential-process rotate status list logout policy hook setup completion
            # <<< commands
                if test $at -eq 0
                    set command $word
                    set at $place
                end
            case '*'
                if test $at -eq 0; and set -q profile[1]
                    set command $word
                    set at $place
                end
                set profile 1
        end
    end
    echo $command
    echo $at
end

function __aws_iam_login_main
    set -l found (__aws_iam_login_find_command $argv)
    set -l code
    switch $found[1]
        case use
            set argv[$found[2]] env
            set -l rest $argv[(math $found[2] + 1)..-1]
            test $found[2] -lt (count $argv); or set rest
            __aws_iam_login_apply $argv[1..$found[2]] --format fish $rest
            set code $status
        case '*'
            __aws_iam_login_run $argv
            set code $status
    end
    switch $found[1]:$code
        case use:0 login:0 logout:0
            set -e -g AWS_IAM_LOGIN_DECLINED
        case use:130 login:130
            functions -q __aws_iam_login_is_over; and __aws_iam_login_is_over
            and set -gx AWS_IAM_LOGIN_DECLINED "$AWS_IAM_LOGIN_PROFILE:$AWS_IAM_LOGIN_EXPIRES_AT"
    end
    return $code
end

# --- The prompt ------------------------------------------------------------------------------------------------

if builtin -n | string match -q path # fish 3.5
    # The time in Unix seconds, without a process.
    function __aws_iam_login_now
        math (path mtime /) + (path mtime -R /)
    end
else
    function __aws_iam_login_now
        command date +%s
    end
end

# Whether this is a point in time as the program writes it.
function __aws_iam_login_is_time
    string match -qr '^[1-9][0-9]{0,10}$' -- "$argv"
end

function __aws_iam_login_is_over
    __aws_iam_login_is_time $AWS_IAM_LOGIN_RENEW_AT; and test (__aws_iam_login_now) -ge $AWS_IAM_LOGIN_RENEW_AT
end

function __aws_iam_login_say
    string replace -ra '[[:cntrl:]]' '?' -- "aws-iam-login: $argv" >&2
end

# The prompt may have stood for hours, so look again before a command starts. Only those commands that need AWS are
# worth a question.
function __aws_iam_login_before_command
    __aws_iam_login_is_over; or return
    switch (__aws_iam_login_judge $argv[1])
        case aws
            __aws_iam_login_check command ask
        case other
            __aws_iam_login_check command
    end
end

# At the prompt, or before a `command`, where `ask` tells whether it is worth a question.
function __aws_iam_login_check
    set -l now (__aws_iam_login_now)
    set -l seen "$AWS_IAM_LOGIN_RENEW_AT:$AWS_IAM_LOGIN_WARN"
    if test "$seen" != "$__aws_iam_login_seen"
        set -g __aws_iam_login_seen $seen
        set -g __aws_iam_login_wait 0
        set -g __aws_iam_login_delay 0
        set -g __aws_iam_login_settled
        __aws_iam_login_plan
    end
    test "$TERM" != dumb; and isatty stdin; and isatty stderr; or return
    set -l ask 1
    test "$argv" = command; and set ask
    if set -q __aws_iam_login_auto[1]
        __aws_iam_login_start "$ask"
        __aws_iam_login_plan
        return
    end
    test $now -ge $__aws_iam_login_next; and test "$AWS_IAM_LOGIN_HOOK" != off; or return
    if test $now -lt $AWS_IAM_LOGIN_RENEW_AT
        set -g __aws_iam_login_warned $__aws_iam_login_end
        set -g __aws_iam_login_next $AWS_IAM_LOGIN_RENEW_AT
        set -l minutes (math -s0 "($__aws_iam_login_end - $now + 59) / 60")
        __aws_iam_login_say "the session of $AWS_IAM_LOGIN_PROFILE ends in $minutes min ('aws-iam-login login' gets the next one)"
        return
    end
    __aws_iam_login_renew "$AWS_IAM_LOGIN_PROFILE" $__aws_iam_login_end "$ask"
end

# When the prompt is next due: at the warning, else at the end; never without a session of ours.
function __aws_iam_login_plan
    set -g __aws_iam_login_next 99999999999
    set -q __aws_iam_login_auto[1]; and set -g __aws_iam_login_next 0
    test -n "$AWS_IAM_LOGIN_PROFILE"; or return
    __aws_iam_login_is_time $AWS_IAM_LOGIN_RENEW_AT; and __aws_iam_login_is_time $AWS_IAM_LOGIN_EXPIRES_AT; or return
    set -g __aws_iam_login_next $AWS_IAM_LOGIN_RENEW_AT
    set -g __aws_iam_login_end $AWS_IAM_LOGIN_EXPIRES_AT
    # Only a session that ends where it is renewed will need a code.
    test $AWS_IAM_LOGIN_RENEW_AT = $AWS_IAM_LOGIN_EXPIRES_AT; and test "$__aws_iam_login_warned" != $__aws_iam_login_end; or return
    set -l warn 600
    string match -qr '^(0|[1-9][0-9]{0,8})$' -- "$AWS_IAM_LOGIN_WARN"; and set warn $AWS_IAM_LOGIN_WARN
    set -g __aws_iam_login_next (math $__aws_iam_login_end - $warn)
end

# Prints whether the command line runs `ours`, one of AWS_IAM_LOGIN_COMMANDS (`aws`), or some `other`.
function __aws_iam_login_judge
    set -l commands aws terraform tofu cdk sam pulumi
    set -q AWS_IAM_LOGIN_COMMANDS; and set commands (string split ' ' -- $AWS_IAM_LOGIN_COMMANDS)
    set -l kind other
    for part in (string replace -ra '[;&|(){}\n]+' \n -- $argv | string split \n)
        set -l words (string match -ar '\S+' -- $part | string match -rv '^(sudo|env|command|exec|nohup|time|builtin|and|or|not|if|else|while|begin|[A-Za-z_][A-Za-z0-9_]*=.*)$')
        switch "$words[1]"
            case aws-iam-login '*/aws-iam-login'
                echo ours
                return
        end
        set -q words[1]; and contains -- (string replace -r '.*/' '' -- $words[1]) $commands; and set kind aws
    end
    echo $kind
end

# Gets a new session for the profile whose session ended at the second argument: taken from the file, renewed
# silently, or asked for when the third says so.
function __aws_iam_login_renew
    set -l end $argv[1]:$argv[2]
    set -l ask $argv[3]
    set -l now (__aws_iam_login_now)
    set -l as keys
    contains -- "$AWS_IAM_LOGIN_AS" profile watch; and set as $AWS_IAM_LOGIN_AS
    if test "$AWS_IAM_LOGIN_HOOK" = notify; or test "$AWS_IAM_LOGIN_DECLINED" = "$end"
        set ask ''
    end
    if test $now -lt $__aws_iam_login_wait; or begin
            test -z "$ask"; and test "$__aws_iam_login_settled" = "$end"
        end
        __aws_iam_login_take $argv[1]
        # What only the program can tell (a role's session, say) is asked of it now and then.
        test $status -eq 2; and test $now -ge $__aws_iam_login_wait; or return
    end
    if test -n "$ask"; and __aws_iam_login_is_input_waiting
        test "$__aws_iam_login_settled" = "$end"; and return
        set ask ''
    else
        set -g __aws_iam_login_auto
    end
    set -l input
    test -n "$ask"; or set input --no-input
    # Before the call: a Ctrl-C that gets here ends this function.
    set -g __aws_iam_login_delay (math "$__aws_iam_login_delay * 2")
    test $__aws_iam_login_delay -gt 0; or set -g __aws_iam_login_delay 30
    test $__aws_iam_login_delay -lt 900; or set -g __aws_iam_login_delay 900
    set -g __aws_iam_login_wait (math $now + $__aws_iam_login_delay)
    __aws_iam_login_apply env --profile=$argv[1] --format fish --as $as --hook $input
    switch $status:$ask
        case '0:*'
            set -g __aws_iam_login_wait 0
            set -g __aws_iam_login_delay 0
        case '130:*'
            set -gx AWS_IAM_LOGIN_DECLINED $end
            set -g __aws_iam_login_settled $end
        case '3:'
            __aws_iam_login_settle $argv[1] $end
        case '127:*' # the program is gone: said once
            set -g __aws_iam_login_wait 99999999999
        case '*'
            set -g __aws_iam_login_wait (math (__aws_iam_login_now) + $__aws_iam_login_delay)
    end
end

# The program has said that this end needs a code, and now is no time to ask.
function __aws_iam_login_settle
    set -g __aws_iam_login_delay 0
    set -g __aws_iam_login_wait (math (__aws_iam_login_now) + 60)
    test "$__aws_iam_login_settled" = "$argv[2]"; and return
    set -g __aws_iam_login_settled $argv[2]
    if test "$AWS_IAM_LOGIN_HOOK" = notify
        __aws_iam_login_say "there is no live session of $argv[1] ('aws-iam-login use $argv[1]' gets one)"
    else
        set -g __aws_iam_login_wait 0
    end
end

# Whether something was typed ahead. fish has no builtin that tells.
function __aws_iam_login_is_input_waiting
    if command -sq perl
        command perl -e 'my $in = ""; vec($in, 0, 1) = 1; exit !select($in, undef, undef, 0)'
    else if command -sq bash
        command bash -c 'read -t 0'
    else
        return 1
    end
end

# --- A session from the file, without the program --------------------------------------------------------------

# Exports the live session of a user profile as `env` would. 1: there is none; 2: only the program
# can tell (a role, mfa_process, a file that is written in an unusual way).
function __aws_iam_login_take
    set -lx fish_trace # a trace would show the secrets; exported, so that the functions below see it too
    set -l profile $argv[1]
    string match -qr '^[A-Za-z0-9_.@+%:/,= -]+$' -- "$profile"; and not string match -q '*-sts' -- $profile; or return 2
    set -l credentials $HOME/.aws/credentials
    test -n "$AWS_SHARED_CREDENTIALS_FILE"; and set credentials $AWS_SHARED_CREDENTIALS_FILE
    string match -q '~/*' -- $credentials; and set credentials $HOME/(string sub -s 3 -- $credentials)
    set -l config $HOME/.aws/config
    test -n "$AWS_CONFIG_FILE"; and set config $AWS_CONFIG_FILE
    string match -q '~/*' -- $config; and set config $HOME/(string sub -s 3 -- $config)
    test -f "$credentials"; and test -r "$credentials"; or return 1

    set -l name (string escape --style=regex -- $profile)
    set -l header "profile[ \t](?|$name|\"$name\"|'$name')"
    test $profile = default; and set header "(?:default|$header)"
    # The credentials file goes first: its keys win.
    set -l user (__aws_iam_login_section $credentials $name); or return 2
    set -l session (__aws_iam_login_section $credentials $name-sts); or return 2
    if test -f "$config"; and test -r "$config"
        set -a user (__aws_iam_login_section $config $header); or return 2
        set -a session (__aws_iam_login_section $config "profile $name-sts"); or return 2
    end
    set -q user[1]; or return 2
    string match -qr '^(role_arn|source_profile|credential_source|mfa_process|sso_\w+|web_identity_\w+)=' -- $user; and return 2
    set -q session[1]; or return 1
    string match -qr '^(role_arn|credential_process|aws_security_token)=' -- $session; and return 2

    set -l expiration (string match -r '^expiration=\K.+' -- $session)[1]
    set -l epoch (__aws_iam_login_epoch $expiration); or return 2
    test (math $epoch - (__aws_iam_login_now)) -ge 300; or return 1
    set -l id (string match -r '^aws_access_key_id=\K(?!AKIA)[A-Z0-9]+$' -- $session); or return 2
    set -l secret (string match -r '^aws_secret_access_key=\K[A-Za-z0-9+/=_-]+$' -- $session); or return 2
    set -l token (string match -r '^aws_session_token=\K[A-Za-z0-9+/=_-]+$' -- $session); or return 2
    set -l region (string match -r '^region=\K.+' -- $user $session)[1]
    if set -q region[1]
        string match -qr '^[a-z0-9-]+$' -- $region; or return 2
    else if set -q AWS_IAM_LOGIN_REGION
        return 2
    end

    set -l as keys
    contains -- "$AWS_IAM_LOGIN_AS" profile watch; and set as $AWS_IAM_LOGIN_AS
    if test -n "$AWS_PROFILE"; and test $as != watch
        test $as:$AWS_PROFILE = profile:$profile-sts; or return 2 # the user has chosen a profile meanwhile
    end
    switch $as
        case keys
            set -gx AWS_ACCESS_KEY_ID $id; and set -gx AWS_SECRET_ACCESS_KEY $secret; and set -gx AWS_SESSION_TOKEN $token
            and set -gx AWS_CREDENTIAL_EXPIRATION (string replace -r '^(.{10}).(.{8}).*' '$1T$2Z' -- $expiration); or return 2
            __aws_iam_login_erase AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SECURITY_TOKEN
        case profile
            set -gx AWS_PROFILE $profile-sts; or return 2
            __aws_iam_login_erase AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_SECURITY_TOKEN AWS_CREDENTIAL_EXPIRATION AWS_DEFAULT_PROFILE
    end
    if set -q region[1]; and test $as != watch
        set -gx AWS_REGION $region; and set -gx AWS_DEFAULT_REGION $region; and set -gx AWS_IAM_LOGIN_REGION $region; or return 2
    end
    __aws_iam_login_erase AWS_IAM_LOGIN_DECLINED
    set -gx AWS_IAM_LOGIN_PROFILE $profile; and set -gx AWS_IAM_LOGIN_AS $as
    and set -gx AWS_IAM_LOGIN_EXPIRES_AT $epoch; and set -gx AWS_IAM_LOGIN_RENEW_AT $epoch
end

function __aws_iam_login_erase
    for name in $argv
        set -e -g $name
    end
    true
end

# Prints the `key=value` lines of the section of this file whose header this regular expression matches; nothing
# when there is none. Fails on what AWS's parsers do not agree about.
function __aws_iam_login_section
    set -l text
    read -z text <$argv[1]
    set text \n$text\n
    # No more substitutions than needed: each costs fish 0.15 ms.
    string match -qr "\n\[$argv[2]\]" -- $text; or return 0
    string match -qr "\n\[$argv[2]\](?s:.*)\n\[$argv[2]\]" -- $text; and return 1
    # `key =` with indented lines below is a nested section.
    set -l body (string match -r "\n\[$argv[2]\]\K[^\n]*\n(?:(?!\[)[^\n]*\n)*" -- $text | string collect)
    string match -qr '\n[\w.-]+[ \t]*=[ \t]*\r?\n[ \t]+\S' -- $body
    and set body (string replace -ra '\n[\w.-]+[ \t]*=[ \t]*\r?\n(?:[ \t]+\S[^\n]*(?:\n|$))+' \n -- $body | string collect)
    set -l lines (string replace -ra '[ \t\r]+(\n|$)' '$1' -- $body)
    test -z "$lines[1]"; or return 1
    string match -qrv '^$|^[#;]|^[a-z0-9_.-]+[ \t]*=(?!.* [#;])' -- $lines; and return 1
    string match -qr '\n([a-z0-9_.-]+)[ \t]*=(?s:.*)\n\1[ \t]*=' -- $body; and return 1
    set lines (string replace -rf '^([a-z0-9_.-]+)[ \t]*=[ \t]*' '$1=' -- $lines)
    string join \n -- $lines
    true
end

# Prints the Unix time of an expiration in UTC (days from the civil date: Hinnant, "chrono-Compatible Low-Level Date
# Algorithms").
function __aws_iam_login_epoch
    string match -qr '^[1-9]\d{3}-[01]\d-[0-3]\d[T ][0-2]\d:[0-5]\d:[0-5]\d(Z|\+00:00)?$' -- "$argv"; or return 1
    set -l parts (string match -ar '\d+' -- "$argv")
    set -l year "($parts[1] - floor((14 - $parts[2]) / 12))" # January and February belong to the year before
    set -l days "($year * 365 + floor($year / 4) - floor($year / 100) + floor($year / 400) + floor((153 * (($parts[2] + 9) % 12) + 2) / 5) + $parts[3] - 719469)"
    math "$days * 86400 + $parts[4] * 3600 + $parts[5] * 60 + $parts[6]"
end

# --- The first prompt ------------------------------------------------------------------------------------------

# Whether nothing says who this shell is.
function __aws_iam_login_is_nobody
    test -z "$AWS_ACCESS_KEY_ID$AWS_PROFILE$AWS_DEFAULT_PROFILE$AWS_WEB_IDENTITY_TOKEN_FILE$AWS_IAM_LOGIN_PROFILE"
    and test -z "$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI$AWS_CONTAINER_CREDENTIALS_FULL_URI$AWS_CONTAINER_AUTHORIZATION_TOKEN$AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
end

# At the first prompt: AWS_IAM_LOGIN_AUTO had no live session when the shell started.
function __aws_iam_login_start
    set -l profile $__aws_iam_login_auto
    if test "$AWS_IAM_LOGIN_HOOK" = off; or test "$AWS_IAM_LOGIN_DECLINED" = "$profile:"; or not __aws_iam_login_is_nobody
        set -g __aws_iam_login_auto
        return
    end
    __aws_iam_login_renew $profile '' "$argv"
end

# Takes up the session of AWS_IAM_LOGIN_AUTO while the shell starts; what is not live is left to the first prompt.
function __aws_iam_login_take_up
    if __aws_iam_login_is_nobody
        if not __aws_iam_login_take "$AWS_IAM_LOGIN_AUTO"
            set -g __aws_iam_login_auto $AWS_IAM_LOGIN_AUTO
            set -g __aws_iam_login_next 0
        end
    else if test "$AWS_IAM_LOGIN_PROFILE" = "$AWS_IAM_LOGIN_AUTO"; and __aws_iam_login_is_over
        __aws_iam_login_take "$AWS_IAM_LOGIN_AUTO"
    end
end
