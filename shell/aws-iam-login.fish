# aws-iam-login in fish 3.1 and later: the prompt hook, `aws-iam-login use`, completion.
# To be sourced from conf.d; `aws-iam-login setup fish` does that.

set -g __aws_iam_login_home (string replace -r '/?[^/]*$' '' -- (status filename))/..
string match -q '/*' -- $__aws_iam_login_home; or set -g __aws_iam_login_home $PWD/$__aws_iam_login_home

# Reads the rest when it is needed. Until then these stand for it.
function __aws_iam_login_load
    test -r $__aws_iam_login_home/shell/aws-iam-login-session.fish; or return 127
    source $__aws_iam_login_home/shell/aws-iam-login-session.fish
end
function __aws_iam_login_main
    if __aws_iam_login_load
        __aws_iam_login_main $argv
    else
        command aws-iam-login $argv
    end
end
function __aws_iam_login_check
    __aws_iam_login_load; and __aws_iam_login_check $argv
end
function __aws_iam_login_before_command
    __aws_iam_login_load; and __aws_iam_login_before_command $argv
end
function __aws_iam_login_take_up
    __aws_iam_login_load; and __aws_iam_login_take_up
end

function aws-iam-login --description 'AWS sessions for IAM users with MFA'
    __aws_iam_login_main $argv
end

status is-interactive; or exit 0

# --- The prompt ------------------------------------------------------------------------------------------------

# What the state below was worked out from, when something is next to be done, and the end of the session.
set -g __aws_iam_login_seen :$AWS_IAM_LOGIN_WARN
set -g __aws_iam_login_next 99999999999
set -g __aws_iam_login_end 0
# The end that was warned of; no try before this time; the length of that wait; what is known to need a code.
set -q __aws_iam_login_warned; or set -g __aws_iam_login_warned
set -g __aws_iam_login_wait 0
set -g __aws_iam_login_delay 0
set -g __aws_iam_login_settled
# AWS_IAM_LOGIN_AUTO, while it waits for the first prompt.
set -g __aws_iam_login_auto

if test -r /proc/uptime
    # The uptime is the cheapest clock. It tells the time for one minute, then the other clock is read again, which
    # follows a clock that was set and a virtual machine that slept.
    set -g __aws_iam_login_quiet_until 0
    function __aws_iam_login_prompt --on-event fish_prompt
        if test "$__aws_iam_login_seen" = "$AWS_IAM_LOGIN_RENEW_AT:$AWS_IAM_LOGIN_WARN"
            read -l -d ' ' up rest </proc/uptime
            test $up -lt $__aws_iam_login_quiet_until; and return
            test $__aws_iam_login_next -eq 99999999999; and return
        end
        __aws_iam_login_check
        functions -q __aws_iam_login_now; or return # the rest is gone
        read -l -d ' ' up rest </proc/uptime
        set -l left (math $__aws_iam_login_next - (__aws_iam_login_now))
        test $left -gt 0; or set left 0
        test $left -lt 60; or set left 60
        set -g __aws_iam_login_quiet_until (math $up + $left)
    end
    function __aws_iam_login_preexec --on-event fish_preexec
        test $__aws_iam_login_next -eq 99999999999; and return
        if test "$__aws_iam_login_seen" = "$AWS_IAM_LOGIN_RENEW_AT:$AWS_IAM_LOGIN_WARN"
            read -l -d ' ' up rest </proc/uptime
            test $up -lt $__aws_iam_login_quiet_until; and return
        end
        __aws_iam_login_before_command $argv[1]
    end
else
    function __aws_iam_login_prompt --on-event fish_prompt
        if test "$__aws_iam_login_seen" = "$AWS_IAM_LOGIN_RENEW_AT:$AWS_IAM_LOGIN_WARN"
            test $__aws_iam_login_next -eq 99999999999; and return
            test (__aws_iam_login_now) -lt $__aws_iam_login_next; and return
        end
        __aws_iam_login_check
    end
    function __aws_iam_login_preexec --on-event fish_preexec
        test $__aws_iam_login_next -eq 99999999999; or __aws_iam_login_before_command $argv[1]
    end
end

# --- Loading ---------------------------------------------------------------------------------------------------

if test -r $__aws_iam_login_home/completions/aws-iam-login.fish; and not contains -- $__aws_iam_login_home/completions $fish_complete_path
    set -g fish_complete_path $fish_complete_path $__aws_iam_login_home/completions
end

test -z "$AWS_IAM_LOGIN_AUTO"; or __aws_iam_login_take_up
true
