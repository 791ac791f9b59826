# What aws-iam-login.fish reads when it is needed: `use`, the renewal of a session, and the session in the file.

# --- The program -----------------------------------------------------------------------------------------------

# Runs the program. A copy made by `setup` has a stamp: its version, and where the program and its Node were, for
# a PATH that has lost them (a Node version manager has moved on). The launcher beside this file goes by it too.
function __aws_iam_login_run
    set -l stamp
    test -r $__aws_iam_login_home/stamp; and string split \n <$__aws_iam_login_home/stamp | while read -l line
        set -a stamp $line
    end
    set -lx AWS_IAM_LOGIN_HOOK_VERSION $stamp[1]
    if command -sq aws-iam-login
        command aws-iam-login $argv
    else if test -f "$stamp[3]"
        command sh $__aws_iam_login_home/shell/aws-iam-login.sh $argv
    else
        __aws_iam_login_report_gone
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

# Runs a function of ours and applies what it prints to this shell; returns its exit code.
function __aws_iam_login_apply
    set -lx fish_trace # a trace would show the secrets; exported, so that the functions below see it too
    set -l text ($argv)
    set -l code $status
    test $code -eq 0; or return $code
    set -q text[1]; and string join \n -- $text | source
end

# Finds the command among the words, in either order, and prints it with its place and the word
# that makes it silent.
function __aws_iam_login_find_command
    set -l command login
    set -l at 0
    set -l place 0
    set -l skip
    set -l profile
    set -l quiet
    for word in $argv
        set place (math $place + 1)
        if set -q skip[1]
            set skip
            continue
        end
        test "$word" = --; and break
        switch $word
            # >>> options: made by npm run generate
            case --help -h --version
                set command help
                break
            case --profile -p --token-code --duration --min-ttl --serial-number --region --format --as --key-store --service --browser --max-key-age
                set skip 1
            # <<< options
            case --quiet -q
                set quiet $word
            case '-*'
            # >>> commands: made by npm run generate
            case init login env use exec credential-process rotate status list logout console doctor policy hook setup completion help version
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
    echo $quiet
end

# Logs out, and takes the session out of this shell when the program says that it is one of those.
function __aws_iam_login_logout
    set -l said (__aws_iam_login_run $argv)
    or return
    if test "$said" = unset
        __aws_iam_login_apply __aws_iam_login_run env --unset --format fish
    end
end

function __aws_iam_login_main
    set -l found (__aws_iam_login_find_command $argv)
    switch $found[1]
        case use logout
            set -l rest $argv
            set -e rest[1..$found[2]]
            if test $found[1] = use
                set argv[$found[2]] env
                __aws_iam_login_apply __aws_iam_login_run $argv[1..$found[2]] --format fish $rest
            else
                __aws_iam_login_logout $argv[1..$found[2]] --hook $rest
            end
        case '*'
            __aws_iam_login_run $argv
    end
    set -l code $status
    if test $found[1]:$code = use:0; and status is-interactive; and not contains -- $found[3] --quiet -q
        __aws_iam_login_tell
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

# Says what `use` has done: `session of default until 21:40 (12 h), eu-west-1`.
function __aws_iam_login_tell
    if test -z "$AWS_IAM_LOGIN_PROFILE"
        __aws_iam_login_say 'this shell has no session any more'
        return
    end
    set -l end $AWS_IAM_LOGIN_EXPIRES_AT
    __aws_iam_login_is_time $end; or return 0
    set -l when (command date -d "@$end" '+%H:%M:%S %a %b %d' 2>/dev/null; or command date -r $end '+%H:%M:%S %a %b %d' 2>/dev/null)
    or return 0
    set -l now (__aws_iam_login_now)
    set -l left (math $end - $now)
    set -l for "$left s"
    if test $left -ge 60
        set left (math -s0 "($left + 30) / 60")
        set -l hours (math -s0 $left / 60)
        set -l minutes (math $left % 60)
        set for
        test $hours -eq 0; or set -a for "$hours h"
        test $minutes -eq 0; or set -a for "$minutes min"
    end
    # The day where its midnight is still to come.
    set -l part (string match -r '^(..):(..):(..) (.*)$' -- $when)
    set -l day
    test $now -ge (math "$end - $part[2] * 3600 - $part[3] * 60 - $part[4]"); or set day "$part[5] "
    set -l region
    test -z "$AWS_IAM_LOGIN_REGION"; or set region ", $AWS_IAM_LOGIN_REGION"
    __aws_iam_login_say "session of $AWS_IAM_LOGIN_PROFILE until $day$part[2]:$part[3] ($for)$region"
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
    # >>> warn: made by npm run generate
    set -l warn 600
    # <<< warn
    string match -qr '^(0|[1-9][0-9]{0,8})$' -- "$AWS_IAM_LOGIN_WARN"; and set warn $AWS_IAM_LOGIN_WARN
    set -g __aws_iam_login_next (math $__aws_iam_login_end - $warn)
end

# Prints whether the command line runs `ours`, one of AWS_IAM_LOGIN_COMMANDS (`aws`), or some `other`.
function __aws_iam_login_judge
    # >>> worth: made by npm run generate
    set -l commands aws terraform tofu cdk sam pulumi
    # <<< worth
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
        # What only the program can tell (an unusual file, say) is asked of it now and then.
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
    __aws_iam_login_apply __aws_iam_login_run env --profile=$argv[1] --format fish --as $as --hook $input
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

# Takes up the stored session of a profile when it is live, as `env` would, without Node. 1: there is none; any other
# failure: only the program can tell.
function __aws_iam_login_take
    set -l as keys
    contains -- "$AWS_IAM_LOGIN_AS" profile watch; and set as $AWS_IAM_LOGIN_AS
    # the user may have chosen a profile meanwhile
    switch "$as:$AWS_PROFILE"
        case keys: profile: 'watch:*'
        case '*'
            test "$as:$AWS_PROFILE" = "profile:$argv[1]-sts"; or return 2
    end
    __aws_iam_login_apply __aws_iam_login_stored --profile=$argv[1] --format fish --as $as
end

# The launcher lies beside this file.
function __aws_iam_login_stored
    command sh $__aws_iam_login_home/shell/aws-iam-login.sh env --stored $argv 2>/dev/null
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
