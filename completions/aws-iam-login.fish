# fish 3.1 and later: completion of aws-iam-login, without Node.

# Prints the profiles with their kind, those first that the command is mostly about.
function __aws_iam_login_profiles
    __aws_iam_login_state
    set -l kinds
    switch "$__aws_iam_login_command"
        # >>> kinds: made by npm run generate
        case init rotate
            set kinds user,other
        case env use exec credential-process
            set kinds role,user,other,session
        case status
            set kinds user,role,other,session,SSO
        case console
            set kinds role
        case '*'
            set kinds user,role,other,session
        # <<< kinds
    end
    # The launcher beside the hook, else the one on PATH.
    if test -r "$__aws_iam_login_home/shell/aws-iam-login.sh"
        command sh $__aws_iam_login_home/shell/aws-iam-login.sh __profiles $kinds </dev/null 2>/dev/null
    else if command -sq aws-iam-login
        command aws-iam-login __profiles $kinds </dev/null 2>/dev/null
    end
end

# Leaves the command of the line before the cursor (or nothing), and how many operands there are, in two variables;
# `other` when the rest is another command, with the number of its first word in a third. Asked for every option below, so
# each line is looked at once.
function __aws_iam_login_state
    set -l line (commandline -cp | string collect)
    test "$line" = "$__aws_iam_login_line"; and return
    set -g __aws_iam_login_line $line
    set -g __aws_iam_login_command ''
    set -g __aws_iam_login_operands 0
    set -l skip
    set -l named
    set -l place 1
    for word in (commandline -opc)[2..-1]
        set place (math $place + 1)
        if set -q skip[1]
            set skip
            continue
        end
        if test "$word" = --
            set -g __aws_iam_login_command other
            set -g __aws_iam_login_rest (math $place + 1)
            return
        end
        if test "$__aws_iam_login_command$named" = exec1; and not string match -q -- '-*' $word
            set -g __aws_iam_login_command other
            set -g __aws_iam_login_rest $place
            return
        end
        string match -qr -- '^(--profile|-p)' $word; and set named 1
        switch $word
            # >>> values: made by npm run generate
            case --profile -p --token-code --duration --min-ttl --serial-number --region --format --as --key-store --service --browser --max-key-age
            # <<< values
                set skip 1
            case '-*'
            case '*'
                set -g __aws_iam_login_operands (math $__aws_iam_login_operands + 1)
                if test -z "$__aws_iam_login_command"; and begin
                        # >>> commands: made by npm run generate
                        contains -- $word init login env use exec credential-process rotate status list logout console doctor policy hook setup completion help version
                        # <<< commands
                        or test $__aws_iam_login_operands -eq 2
                    end
                    set -g __aws_iam_login_command $word
                end
                test $__aws_iam_login_operands -eq 2; and set named 1
        end
    end
    if test "$__aws_iam_login_command$named$skip" = exec1; and not string match -q -- '-*' (commandline -ct)
        set -g __aws_iam_login_command other
        set -g __aws_iam_login_rest (math $place + 1)
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
            set -e words[1..(math $__aws_iam_login_rest - 1)]
            set -l text (string join ' ' -- (string escape -- $words) (commandline -ct))
            complete --do-complete="$text" # -C would take a dash for an option
        case :0
            __aws_iam_login_commands
            __aws_iam_login_profiles
        case :1
            __aws_iam_login_commands
        # >>> operands: made by npm run generate
        case 'hook:1' 'setup:1' 'completion:1'
            printf '%s\n' bash zsh fish
        case 'help:1'
            printf '%s\n' init login env use exec credential-process rotate status list logout console doctor policy hook setup completion help version cookbook exit-codes files json key-store options permissions prompt roles rotation shell token-codes troubleshooting variables
        case 'list:1' 'version:1'
        # <<< operands
        case '*:1'
            __aws_iam_login_profiles
    end
end

function __aws_iam_login_commands
    # >>> descriptions: made by npm run generate
    printf '%s\t%s\n' \
        init 'find the user\'s name and MFA device, and write them down' \
        login 'get a new session with an MFA code' \
        env 'print the variables of a live session, for eval' \
        use 'put a live session into this shell (needs the hook)' \
        exec 'run a command with the variables of a live session' \
        credential-process 'print a live session for credential_process' \
        rotate 'replace the access key; finish or undo a rotation' \
        status 'who this shell and a profile are, and until when' \
        list 'every profile with its session and the time left' \
        logout 'remove the stored sessions of a profile and its roles' \
        console 'open the AWS console in the browser, as a role' \
        doctor 'say what is wrong here, and what mends it' \
        policy 'print the IAM policy that the commands need' \
        hook 'print the line that loads the hook into a shell' \
        setup 'install hook and completion for a shell' \
        completion 'print the completion script of a shell' \
        help 'tell about a command or a topic' \
        version 'print the version'
    # <<< descriptions
end

complete -c aws-iam-login -f -k -a '(__aws_iam_login_words)'
# >>> options: made by npm run generate
complete -c aws-iam-login -n '__aws_iam_login_in "" init login env use exec credential-process rotate status logout console doctor policy' -s p -l profile -x -a '(__aws_iam_login_profiles)' -d 'the profile, also one named like a command'
complete -c aws-iam-login -n '__aws_iam_login_in "" login env use exec credential-process rotate console' -l token-code -x -d 'the six digits; - reads them from stdin'
complete -c aws-iam-login -n '__aws_iam_login_in "" login env use exec credential-process console' -l duration -x -a '15m 1h 4h 8h 12h 24h 36h' -d 'how long a new session lasts, 15m to 36h (default 12h, or duration_seconds of the profile)'
complete -c aws-iam-login -n '__aws_iam_login_in "" login env use exec credential-process status console' -l min-ttl -x -d 'renew a session with less time left (default 5m)'
complete -c aws-iam-login -n '__aws_iam_login_in "" login' -l if-needed -d 'keep a session that is still live'
complete -c aws-iam-login -n '__aws_iam_login_in "" init login env use exec credential-process rotate console' -l serial-number -x -d 'the MFA device, instead of mfa_serial'
complete -c aws-iam-login -n '__aws_iam_login_in "" init login env use exec credential-process rotate console policy' -l region -x -d 'the region to ask and export, not the profile\'s'
complete -c aws-iam-login -n '__aws_iam_login_in env use' -l format -x -a 'env env-no-export dotenv fish powershell json process' -d 'how to print the variables'
complete -c aws-iam-login -n '__aws_iam_login_in env use' -l as -x -a 'keys profile watch' -d 'export the keys, AWS_PROFILE, or only what the prompt hook needs'
complete -c aws-iam-login -n '__aws_iam_login_in exec' -l as -x -a 'keys process' -d 'hand over the keys, or a profile that renews them as SDKs ask for it'
complete -c aws-iam-login -n '__aws_iam_login_in env use' -l unset -d 'take back what env has set'
complete -c aws-iam-login -n '__aws_iam_login_in init' -l roles -d 'let the roles of the profile use its session in every AWS tool'
complete -c aws-iam-login -n '__aws_iam_login_in init' -l undo -d 'bring back the lines that --roles has changed'
complete -c aws-iam-login -n '__aws_iam_login_in init' -l key-store -x -a 'system pass file' -d 'move the access key into a key store; file: back into the file'
complete -c aws-iam-login -n '__aws_iam_login_in init' -l force -d 'ask AWS again although the profile is initialised'
complete -c aws-iam-login -l no-input -d 'never ask anything'
complete -c aws-iam-login -s q -l quiet -d 'say nothing but errors'
complete -c aws-iam-login -l debug -d 'show where an error comes from'
complete -c aws-iam-login -n '__aws_iam_login_in hook' -l path -d 'print where the shell\'s script lies'
complete -c aws-iam-login -n '__aws_iam_login_in init rotate setup' -s y -l yes -d 'do not ask before the change'
complete -c aws-iam-login -n '__aws_iam_login_in logout' -l all -d 'every profile'
complete -c aws-iam-login -n '__aws_iam_login_in setup' -l purge -d 'with --remove: the sessions and all notes of ours as well'
complete -c aws-iam-login -n '__aws_iam_login_in setup' -l remove -d 'take everything out again'
complete -c aws-iam-login -n '__aws_iam_login_in rotate' -l status -d 'say what an unfinished rotation has done'
complete -c aws-iam-login -n '__aws_iam_login_in rotate' -l resume -d 'finish an unfinished rotation'
complete -c aws-iam-login -n '__aws_iam_login_in rotate' -l abort -d 'undo an unfinished rotation'
complete -c aws-iam-login -n '__aws_iam_login_in rotate' -l delete-other -d 'delete the other key of a user who has two'
complete -c aws-iam-login -n '__aws_iam_login_in rotate' -l keep-old -d 'leave the old key inactive instead of deleting it'
complete -c aws-iam-login -n '__aws_iam_login_in console' -l service -x -a 'billing cloudformation cloudwatch dynamodb ec2 ecs eks iam lambda rds s3' -d 'the page to open, as it is called in the address of the console: s3, ec2'
complete -c aws-iam-login -n '__aws_iam_login_in console' -l print -d 'print the URL instead of opening it'
complete -c aws-iam-login -n '__aws_iam_login_in console' -l browser -x -a 'brave chrome edge firefox' -d 'the browser, instead of the system\'s: firefox, or the name of a program'
complete -c aws-iam-login -n '__aws_iam_login_in doctor' -l offline -d 'ask AWS nothing'
complete -c aws-iam-login -n '__aws_iam_login_in doctor' -l max-key-age -x -a '30 60 90 180 365' -d 'after how many days a key is old (default 90)'
complete -c aws-iam-login -n '__aws_iam_login_in rotate status list doctor' -l json -d 'print JSON, for scripts'
complete -c aws-iam-login -n '__aws_iam_login_in policy' -l no-mfa -d 'without the condition that demands MFA'
complete -c aws-iam-login -s h -l help -d 'show the help'
complete -c aws-iam-login -n '__aws_iam_login_in ""' -l version -d 'print the version'
# <<< options
