# fish 3.1 and later: completion of aws-iam-login, without a process.

# Prints the profiles of both files with their kind.
function __aws_iam_login_profiles
    set -l credentials $HOME/.aws/credentials
    test -n "$AWS_SHARED_CREDENTIALS_FILE"; and set credentials (string replace -r '^~/' $HOME/ -- $AWS_SHARED_CREDENTIALS_FILE)
    set -l config $HOME/.aws/config
    test -n "$AWS_CONFIG_FILE"; and set config (string replace -r '^~/' $HOME/ -- $AWS_CONFIG_FILE)
    # Headers as `[name`, and `role_arn` below those that have one.
    set -l lines
    test -f "$credentials"; and test -r "$credentials"
    and set lines (string replace -rf '^\s*(?|(\[)\s*([^\]]*?)\s*\].*|(role_arn)()\s*=.*)$' '$1$2' <$credentials | string collect)
    test -f "$config"; and test -r "$config"
    and set -a lines (string replace -rf '^\s*(?|(\[)\s*(?|(default)|profile\s+(?|"([^"\]]*)"|\'([^\'\]]*)\'|([^\]]*?)))\s*\].*|(role_arn)()\s*=.*)$' '$1$2' <$config | string collect)
    string replace -ra '\nrole_arn(?=\n|$)' \trole -- $lines \
        | string replace -r '^\[(.*-sts)$' '$1'\tsession | string replace -r '^\[([^\t]*)$' '$1'\tuser | string replace -rf '^\[?(?!role_arn$)(.+)$' '$1'
end

# Leaves the command of the line before the cursor (or nothing), and how many operands there are, in two variables;
# `other` when the rest is another command. Asked for every option below, so each line is looked at once.
function __aws_iam_login_state
    set -l line (commandline -cp | string collect)
    test "$line" = "$__aws_iam_login_line"; and return
    set -g __aws_iam_login_line $line
    set -g __aws_iam_login_command ''
    set -g __aws_iam_login_operands 0
    set -l skip
    for word in (commandline -opc)[2..-1]
        if set -q skip[1]
            set skip
            continue
        end
        if test "$word" = --
            set -g __aws_iam_login_command other
            return
        end
        switch $word
            case --profile -p --token-code --duration --min-ttl --serial-number --region --format --as
                set skip 1
            case '-*'
            case '*'
                set -g __aws_iam_login_operands (math $__aws_iam_login_operands + 1)
                if test -z "$__aws_iam_login_command"; and begin
                        contains -- $word init login env use exec rotate policy hook setup completion
                        or test $__aws_iam_login_operands -eq 2
                    end
                    set -g __aws_iam_login_command $word
                end
        end
    end
end

function __aws_iam_login_in
    __aws_iam_login_state
    contains -- "$__aws_iam_login_command" $argv
end

function __aws_iam_login_words
    __aws_iam_login_state
    switch "$__aws_iam_login_command:$__aws_iam_login_operands"
        case 'other:*'
            set -l words (commandline -opc)
            set -e words[1..(contains -i -- -- $words)]
            set -l text (string join ' ' -- (string escape -- $words) (commandline -ct))
            complete --do-complete="$text" # -C would take a dash for an option
        case :0
            __aws_iam_login_commands
            __aws_iam_login_profiles
        case :1
            __aws_iam_login_commands
        case 'hook:1' 'setup:1' 'completion:1'
            printf '%s\n' bash zsh fish
        case '*:1'
            __aws_iam_login_profiles
    end
end

function __aws_iam_login_commands
    printf '%s\t%s\n' \
        init 'find user name and MFA device, and write them into the profile' \
        login 'get a new session with an MFA code' \
        env 'print the variables of a live session' \
        use 'put a live session into this shell' \
        exec 'run a command with the variables of a live session' \
        rotate 'replace the access key' \
        policy 'print the IAM policy that the commands need' \
        hook 'print the line that loads the shell hook' \
        setup 'install the shell hook and completion' \
        completion 'print the completion script'
end

complete -c aws-iam-login -f -a '(__aws_iam_login_words)'
complete -c aws-iam-login -s h -l help -d 'show the help'
complete -c aws-iam-login -n '__aws_iam_login_in ""' -l version -d 'print the version'
complete -c aws-iam-login -l no-input -d 'never ask anything'
complete -c aws-iam-login -s q -l quiet -d 'say nothing but errors'
complete -c aws-iam-login -l debug -d 'say what is done'
complete -c aws-iam-login -n '__aws_iam_login_in "" init login env use exec rotate policy' -s p -l profile -x -a '(__aws_iam_login_profiles)' -d 'the profile'
complete -c aws-iam-login -n '__aws_iam_login_in "" login env use exec rotate' -l token-code -x -d 'the six digits, or - to read them from stdin'
complete -c aws-iam-login -n '__aws_iam_login_in "" login env use exec' -l duration -x -a '15m 1h 4h 8h 12h 24h 36h' -d 'how long a new session lasts'
complete -c aws-iam-login -n '__aws_iam_login_in "" login env use exec' -l min-ttl -x -d 'a session with less time left is renewed'
complete -c aws-iam-login -n '__aws_iam_login_in "" init login env use exec rotate' -l serial-number -x -d 'the MFA device'
complete -c aws-iam-login -n '__aws_iam_login_in "" init login env use exec rotate policy' -l region -x -d 'the region to ask and to export'
complete -c aws-iam-login -n '__aws_iam_login_in init' -l force -d 'ask AWS again'
complete -c aws-iam-login -n '__aws_iam_login_in "" login' -l if-needed -d 'keep a session that is still live'
complete -c aws-iam-login -n '__aws_iam_login_in env use' -l format -x -a 'env env-no-export fish powershell windows-cmd process' -d 'how to print the variables'
complete -c aws-iam-login -n '__aws_iam_login_in env use' -l as -x -a 'keys\t"the session keys" profile\tAWS_PROFILE watch\t"only what the prompt hook needs"' -d 'what to export'
complete -c aws-iam-login -n '__aws_iam_login_in env use' -l unset -d 'take back what was set'
complete -c aws-iam-login -n '__aws_iam_login_in rotate' -l status -d 'say what is unfinished'
complete -c aws-iam-login -n '__aws_iam_login_in rotate' -l resume -d 'go on'
complete -c aws-iam-login -n '__aws_iam_login_in rotate' -l abort -d 'go back to the old key'
complete -c aws-iam-login -n '__aws_iam_login_in rotate' -l delete-other -d 'delete the other key of the user first'
complete -c aws-iam-login -n '__aws_iam_login_in rotate' -l keep-old -d 'leave the old key, inactive'
complete -c aws-iam-login -n '__aws_iam_login_in rotate' -l json -d 'print JSON'
complete -c aws-iam-login -n '__aws_iam_login_in rotate setup' -s y -l yes -d 'do not ask'
complete -c aws-iam-login -n '__aws_iam_login_in setup' -l remove -d 'take everything out again'
complete -c aws-iam-login -n '__aws_iam_login_in policy' -l no-mfa -d 'without the condition on MFA'
complete -c aws-iam-login -n '__aws_iam_login_in hook' -l path -d 'print where the script lies'
