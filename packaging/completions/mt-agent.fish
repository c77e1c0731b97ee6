# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_mt_agent_global_optspecs
    string join \n profile= allow-unsafe-profile root= color= q/quiet v/verbose h/help V/version
end

function __fish_mt_agent_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_mt_agent_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_mt_agent_using_subcommand
    set -l cmd (__fish_mt_agent_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c mt-agent -n "__fish_mt_agent_needs_command" -l profile -d 'Profile to judge by: the name of a built-in one, or a file [default: /etc/mt-agent/profile.yaml, else the built-in one that fits the host]' -r
complete -c mt-agent -n "__fish_mt_agent_needs_command" -l root -d 'Look at the tree of an image, not at the running host' -r -F
complete -c mt-agent -n "__fish_mt_agent_needs_command" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal that can, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mt-agent -n "__fish_mt_agent_needs_command" -l allow-unsafe-profile -d 'Accept a profile file that is writable by other users (at a desk; apply and seal do not)'
complete -c mt-agent -n "__fish_mt_agent_needs_command" -s q -l quiet -d 'Say less: only what is not met, and the verdict'
complete -c mt-agent -n "__fish_mt_agent_needs_command" -s v -l verbose -d 'Say more: shorten nothing'
complete -c mt-agent -n "__fish_mt_agent_needs_command" -s h -l help -d 'Print help'
complete -c mt-agent -n "__fish_mt_agent_needs_command" -s V -l version -d 'Print version'
complete -c mt-agent -n "__fish_mt_agent_needs_command" -f -a "check" -d 'Judge this host; changes nothing'
complete -c mt-agent -n "__fish_mt_agent_needs_command" -f -a "plan" -d 'Show what apply would change, in order, and what only a person can fix'
complete -c mt-agent -n "__fish_mt_agent_needs_command" -f -a "apply" -d 'Make the changes; resumable: a second run changes nothing'
complete -c mt-agent -n "__fish_mt_agent_needs_command" -f -a "disks" -d 'List every disk: address, controller, size, SCSI ID, what uses it'
complete -c mt-agent -n "__fish_mt_agent_needs_command" -f -a "facts" -d 'Print everything that is read from this host, as JSON'
complete -c mt-agent -n "__fish_mt_agent_needs_command" -f -a "seal" -d 'Make this host safe to clone as a golden image'
complete -c mt-agent -n "__fish_mt_agent_needs_command" -f -a "kickstart" -d 'Print an unattended installation of CentOS 6 that meets the profile'
complete -c mt-agent -n "__fish_mt_agent_needs_command" -f -a "explain" -d 'Explain a requirement or a Site Recovery error code: cause, fix, what is checked'
complete -c mt-agent -n "__fish_mt_agent_needs_command" -f -a "profile" -d 'List, show and check profiles'
complete -c mt-agent -n "__fish_mt_agent_needs_command" -f -a "history" -d 'Show what apply did on this host, and when'
complete -c mt-agent -n "__fish_mt_agent_needs_command" -f -a "state" -d 'Show what the agent keeps here, held against the host; repair it'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand check" -l facts -d 'Judge a recording that `mt-agent facts` made, "-" for standard input' -r -F
complete -c mt-agent -n "__fish_mt_agent_using_subcommand check" -l format -d 'How to report' -r -f -a "text\t'For people'
json\t'One versioned document'
nagios\t'One line for Nagios and its kin, with their exit codes'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand check" -l only -d 'Look at these requirements or sections alone (repeatable, or comma separated)' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand check" -l skip -d 'Leave these requirements or sections out' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand check" -l stage -d 'Look at what belongs to a golden image, or to each machine made from one' -r -f -a "image\t'What can be baked: packages, files, layout'
machine\t'What depends on the machine: disks, names, retention volume'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand check" -l profile -d 'Profile to judge by: the name of a built-in one, or a file [default: /etc/mt-agent/profile.yaml, else the built-in one that fits the host]' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand check" -l root -d 'Look at the tree of an image, not at the running host' -r -F
complete -c mt-agent -n "__fish_mt_agent_using_subcommand check" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal that can, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand check" -l allow-unsafe-profile -d 'Accept a profile file that is writable by other users (at a desk; apply and seal do not)'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand check" -s q -l quiet -d 'Say less: only what is not met, and the verdict'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand check" -s v -l verbose -d 'Say more: shorten nothing'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand check" -s h -l help -d 'Print help'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand plan" -l facts -d 'Plan for a recording that `mt-agent facts` made, "-" for standard input; its disks cannot be probed, so no disk is chosen for the retention volume' -r -F
complete -c mt-agent -n "__fish_mt_agent_using_subcommand plan" -l offline -d 'Take packages from DIR alone, as apply --offline would; verifies it' -r -F
complete -c mt-agent -n "__fish_mt_agent_using_subcommand plan" -l retention-disk -d 'The disk to carry the retention volume: SCSI ID, by-id name or /dev path' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand plan" -l erase-disk -d 'Allow this one disk to be formatted although it is not blank: ALL ITS DATA IS LOST. A disk in use is refused all the same' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand plan" -l own-disk -d 'A disk that was added to this host and is its own, no protected machine\'s: put it on record (repeatable)' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand plan" -l format -d 'How to report' -r -f -a "text\t'For people'
json\t'One versioned document'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand plan" -l only -d 'Look at these requirements or sections alone (repeatable, or comma separated)' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand plan" -l skip -d 'Leave these requirements or sections out' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand plan" -l stage -d 'Look at what belongs to a golden image, or to each machine made from one' -r -f -a "image\t'What can be baked: packages, files, layout'
machine\t'What depends on the machine: disks, names, retention volume'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand plan" -l profile -d 'Profile to judge by: the name of a built-in one, or a file [default: /etc/mt-agent/profile.yaml, else the built-in one that fits the host]' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand plan" -l root -d 'Look at the tree of an image, not at the running host' -r -F
complete -c mt-agent -n "__fish_mt_agent_using_subcommand plan" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal that can, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand plan" -l allow-unsafe-profile -d 'Accept a profile file that is writable by other users (at a desk; apply and seal do not)'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand plan" -s q -l quiet -d 'Say less: only what is not met, and the verdict'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand plan" -s v -l verbose -d 'Say more: shorten nothing'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand plan" -s h -l help -d 'Print help'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand apply" -l retention-disk -d 'The disk to carry the retention volume: SCSI ID, by-id name or /dev path' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand apply" -l erase-disk -d 'Allow this one disk to be formatted although it is not blank: ALL ITS DATA IS LOST. A disk in use is refused all the same' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand apply" -l own-disk -d 'A disk that was added to this host and is its own, no protected machine\'s: put it on record (repeatable)' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand apply" -l custom-changes -d 'What to do about a vendor script that did not do its work' -r -f -a "accept\t'Its changes are in place: record that'
rerun\t'They are not: run it again'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand apply" -l format -d 'How to report' -r -f -a "text\t'For people'
json\t'One versioned document'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand apply" -l only -d 'Look at these requirements or sections alone (repeatable, or comma separated)' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand apply" -l skip -d 'Leave these requirements or sections out' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand apply" -l stage -d 'Look at what belongs to a golden image, or to each machine made from one' -r -f -a "image\t'What can be baked: packages, files, layout'
machine\t'What depends on the machine: disks, names, retention volume'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand apply" -l download-only -d 'Only collect in DIR what an unconnected master target needs, with a manifest of SHA-256 sums. Installs nothing and asks nothing; exits 0 when all of it is there' -r -F
complete -c mt-agent -n "__fish_mt_agent_using_subcommand apply" -l repository -d 'Collect from this repository of the target\'s release (http, https or file address; repeatable), not from those of this host' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand apply" -l agent-package -d 'Collect the agent\'s own package too [default: mt-agent-VERSION-*.rpm beside the program, if it is there]' -r -F
complete -c mt-agent -n "__fish_mt_agent_using_subcommand apply" -l offline -d 'Verify what --download-only collected in DIR, and take packages from nowhere else' -r -F
complete -c mt-agent -n "__fish_mt_agent_using_subcommand apply" -l profile -d 'Profile to judge by: the name of a built-in one, or a file [default: /etc/mt-agent/profile.yaml, else the built-in one that fits the host]' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand apply" -l root -d 'Look at the tree of an image, not at the running host' -r -F
complete -c mt-agent -n "__fish_mt_agent_using_subcommand apply" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal that can, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand apply" -s y -l yes -d 'Do not ask; takes no retention disk that nobody named'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand apply" -l restart -d 'Restart the host when a restart is owed'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand apply" -l resume -d 'Go on with the apply that owed a restart, if that has happened (for the service)'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand apply" -l forget -d 'Call off the apply that waits for a restart, and do nothing else'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand apply" -l allow-unsafe-profile -d 'Accept a profile file that is writable by other users (at a desk; apply and seal do not)'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand apply" -s q -l quiet -d 'Say less: only what is not met, and the verdict'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand apply" -s v -l verbose -d 'Say more: shorten nothing'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand apply" -s h -l help -d 'Print help'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand disks" -l probe -d 'Read from the disks that nothing uses (or from these: kernel name, SCSI ID, by-id name or path) whether they could become the retention volume, and if not, why' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand disks" -l format -d 'How to report' -r -f -a "text\t'For people'
json\t'One versioned document'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand disks" -l profile -d 'Profile to judge by: the name of a built-in one, or a file [default: /etc/mt-agent/profile.yaml, else the built-in one that fits the host]' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand disks" -l root -d 'Look at the tree of an image, not at the running host' -r -F
complete -c mt-agent -n "__fish_mt_agent_using_subcommand disks" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal that can, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand disks" -l allow-unsafe-profile -d 'Accept a profile file that is writable by other users (at a desk; apply and seal do not)'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand disks" -s q -l quiet -d 'Say less: only what is not met, and the verdict'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand disks" -s v -l verbose -d 'Say more: shorten nothing'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand disks" -s h -l help -d 'Print help'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand facts" -l format -d 'How to print it: there is one way' -r -f -a "json\t'One versioned document'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand facts" -l profile -d 'Profile to judge by: the name of a built-in one, or a file [default: /etc/mt-agent/profile.yaml, else the built-in one that fits the host]' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand facts" -l root -d 'Look at the tree of an image, not at the running host' -r -F
complete -c mt-agent -n "__fish_mt_agent_using_subcommand facts" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal that can, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand facts" -l allow-unsafe-profile -d 'Accept a profile file that is writable by other users (at a desk; apply and seal do not)'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand facts" -s q -l quiet -d 'Say less: only what is not met, and the verdict'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand facts" -s v -l verbose -d 'Say more: shorten nothing'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand facts" -s h -l help -d 'Print help'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand seal" -l only -d 'Do these steps alone (repeatable, or comma separated)' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand seal" -l skip -d 'Leave these steps out' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand seal" -l format -d 'How to report' -r -f -a "text\t'For people'
json\t'One versioned document'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand seal" -l profile -d 'Profile to judge by: the name of a built-in one, or a file [default: /etc/mt-agent/profile.yaml, else the built-in one that fits the host]' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand seal" -l root -d 'Look at the tree of an image, not at the running host' -r -F
complete -c mt-agent -n "__fish_mt_agent_using_subcommand seal" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal that can, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand seal" -s y -l yes -d 'Do not ask'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand seal" -l dry-run -d 'Show what would be done, and why it may be refused; change nothing'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand seal" -l list -d 'List the steps and what each takes out, what is kept, and what is left to you'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand seal" -l wipe-free-space -d 'Fill free space with zeros at the end: what was removed earlier is then gone as well'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand seal" -l remove-authorized-keys -d 'Remove the authorized_keys of root and all users as well: who may log in to each clone'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand seal" -l allow-unsafe-profile -d 'Accept a profile file that is writable by other users (at a desk; apply and seal do not)'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand seal" -s q -l quiet -d 'Say less: only what is not met, and the verdict'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand seal" -s v -l verbose -d 'Say more: shorten nothing'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand seal" -s h -l help -d 'Print help'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand kickstart" -l hostname -d 'Name of the host' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand kickstart" -l address -d 'Its static address, with the prefix of its network: 10.0.0.5/24' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand kickstart" -l gateway -d 'The gateway of its network' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand kickstart" -l dns -d 'A name server (repeatable, or comma separated)' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand kickstart" -l disk -d 'The one disk to ERASE and install on: sda, where that is the only one, or its path below /dev/disk/by-path' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand kickstart" -l root-hash-file -d 'File with the hash of root\'s password, as `openssl passwd -6` prints it; `-`: standard input' -r -F
complete -c mt-agent -n "__fish_mt_agent_using_subcommand kickstart" -l profile -d 'Profile to judge by: the name of a built-in one, or a file [default: /etc/mt-agent/profile.yaml, else the built-in one that fits the host]' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand kickstart" -l root -d 'Look at the tree of an image, not at the running host' -r -F
complete -c mt-agent -n "__fish_mt_agent_using_subcommand kickstart" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal that can, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand kickstart" -l allow-unsafe-profile -d 'Accept a profile file that is writable by other users (at a desk; apply and seal do not)'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand kickstart" -s q -l quiet -d 'Say less: only what is not met, and the verdict'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand kickstart" -s v -l verbose -d 'Say more: shorten nothing'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand kickstart" -s h -l help -d 'Print help'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand explain" -l format -d 'How to report' -r -f -a "text\t'For people'
json\t'One versioned document'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand explain" -l profile -d 'Profile to judge by: the name of a built-in one, or a file [default: /etc/mt-agent/profile.yaml, else the built-in one that fits the host]' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand explain" -l root -d 'Look at the tree of an image, not at the running host' -r -F
complete -c mt-agent -n "__fish_mt_agent_using_subcommand explain" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal that can, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand explain" -l allow-unsafe-profile -d 'Accept a profile file that is writable by other users (at a desk; apply and seal do not)'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand explain" -s q -l quiet -d 'Say less: only what is not met, and the verdict'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand explain" -s v -l verbose -d 'Say more: shorten nothing'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand explain" -s h -l help -d 'Print help'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and not __fish_seen_subcommand_from list show check schema" -l profile -d 'Profile to judge by: the name of a built-in one, or a file [default: /etc/mt-agent/profile.yaml, else the built-in one that fits the host]' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and not __fish_seen_subcommand_from list show check schema" -l root -d 'Look at the tree of an image, not at the running host' -r -F
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and not __fish_seen_subcommand_from list show check schema" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal that can, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and not __fish_seen_subcommand_from list show check schema" -l allow-unsafe-profile -d 'Accept a profile file that is writable by other users (at a desk; apply and seal do not)'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and not __fish_seen_subcommand_from list show check schema" -s q -l quiet -d 'Say less: only what is not met, and the verdict'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and not __fish_seen_subcommand_from list show check schema" -s v -l verbose -d 'Say more: shorten nothing'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and not __fish_seen_subcommand_from list show check schema" -s h -l help -d 'Print help'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and not __fish_seen_subcommand_from list show check schema" -f -a "list" -d 'List the built-in profiles, and say whether this host has one of its own'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and not __fish_seen_subcommand_from list show check schema" -f -a "show" -d 'Print a profile complete, with where each value came from'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and not __fish_seen_subcommand_from list show check schema" -f -a "check" -d 'Check a profile file: exit code 0 when it can be used, and each waiver has an effect'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and not __fish_seen_subcommand_from list show check schema" -f -a "schema" -d 'Print the JSON Schema of profile files'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from list" -l format -d 'How to report' -r -f -a "text\t'For people'
json\t'One versioned document'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from list" -l profile -d 'Profile to judge by: the name of a built-in one, or a file [default: /etc/mt-agent/profile.yaml, else the built-in one that fits the host]' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from list" -l root -d 'Look at the tree of an image, not at the running host' -r -F
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal that can, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from list" -l allow-unsafe-profile -d 'Accept a profile file that is writable by other users (at a desk; apply and seal do not)'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say less: only what is not met, and the verdict'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more: shorten nothing'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from show" -l format -d 'How to report' -r -f -a "text\t'For people'
json\t'One versioned document'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from show" -l profile -d 'Profile to judge by: the name of a built-in one, or a file [default: /etc/mt-agent/profile.yaml, else the built-in one that fits the host]' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from show" -l root -d 'Look at the tree of an image, not at the running host' -r -F
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from show" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal that can, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from show" -l allow-unsafe-profile -d 'Accept a profile file that is writable by other users (at a desk; apply and seal do not)'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say less: only what is not met, and the verdict'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more: shorten nothing'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from check" -l format -d 'How to report' -r -f -a "text\t'For people'
json\t'One versioned document'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from check" -l profile -d 'Profile to judge by: the name of a built-in one, or a file [default: /etc/mt-agent/profile.yaml, else the built-in one that fits the host]' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from check" -l root -d 'Look at the tree of an image, not at the running host' -r -F
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from check" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal that can, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from check" -l allow-unsafe-profile -d 'Accept a profile file that is writable by other users (at a desk; apply and seal do not)'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Say less: only what is not met, and the verdict'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Say more: shorten nothing'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from schema" -l format -d 'How to print it: a schema is JSON in either' -r -f -a "text\t'For people'
json\t'One versioned document'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from schema" -l profile -d 'Profile to judge by: the name of a built-in one, or a file [default: /etc/mt-agent/profile.yaml, else the built-in one that fits the host]' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from schema" -l root -d 'Look at the tree of an image, not at the running host' -r -F
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from schema" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal that can, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from schema" -l allow-unsafe-profile -d 'Accept a profile file that is writable by other users (at a desk; apply and seal do not)'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from schema" -s q -l quiet -d 'Say less: only what is not met, and the verdict'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from schema" -s v -l verbose -d 'Say more: shorten nothing'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand profile; and __fish_seen_subcommand_from schema" -s h -l help -d 'Print help'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand history" -s n -l last -d 'Show the last N entries only' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand history" -l format -d 'How to report' -r -f -a "text\t'For people'
json\t'One versioned document'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand history" -l profile -d 'Profile to judge by: the name of a built-in one, or a file [default: /etc/mt-agent/profile.yaml, else the built-in one that fits the host]' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand history" -l root -d 'Look at the tree of an image, not at the running host' -r -F
complete -c mt-agent -n "__fish_mt_agent_using_subcommand history" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal that can, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand history" -l pending -d 'Show the apply that waits for a restart instead, and whether it still holds'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand history" -l allow-unsafe-profile -d 'Accept a profile file that is writable by other users (at a desk; apply and seal do not)'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand history" -s q -l quiet -d 'Say less: only what is not met, and the verdict'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand history" -s v -l verbose -d 'Say more: shorten nothing'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand history" -s h -l help -d 'Print help'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and not __fish_seen_subcommand_from check repair" -l format -d 'How to report' -r -f -a "text\t'For people'
json\t'One versioned document'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and not __fish_seen_subcommand_from check repair" -l profile -d 'Profile to judge by: the name of a built-in one, or a file [default: /etc/mt-agent/profile.yaml, else the built-in one that fits the host]' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and not __fish_seen_subcommand_from check repair" -l root -d 'Look at the tree of an image, not at the running host' -r -F
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and not __fish_seen_subcommand_from check repair" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal that can, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and not __fish_seen_subcommand_from check repair" -l allow-unsafe-profile -d 'Accept a profile file that is writable by other users (at a desk; apply and seal do not)'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and not __fish_seen_subcommand_from check repair" -s q -l quiet -d 'Say less: only what is not met, and the verdict'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and not __fish_seen_subcommand_from check repair" -s v -l verbose -d 'Say more: shorten nothing'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and not __fish_seen_subcommand_from check repair" -s h -l help -d 'Print help'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and not __fish_seen_subcommand_from check repair" -f -a "check" -d 'Show each record, what the host says, and whether they agree; changes nothing (what state does without a word)'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and not __fish_seen_subcommand_from check repair" -f -a "repair" -d 'Rebuild what follows from the host, and set aside what is not believed'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and __fish_seen_subcommand_from check" -l format -d 'How to report' -r -f -a "text\t'For people'
json\t'One versioned document'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and __fish_seen_subcommand_from check" -l profile -d 'Profile to judge by: the name of a built-in one, or a file [default: /etc/mt-agent/profile.yaml, else the built-in one that fits the host]' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and __fish_seen_subcommand_from check" -l root -d 'Look at the tree of an image, not at the running host' -r -F
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and __fish_seen_subcommand_from check" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal that can, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and __fish_seen_subcommand_from check" -l allow-unsafe-profile -d 'Accept a profile file that is writable by other users (at a desk; apply and seal do not)'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Say less: only what is not met, and the verdict'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Say more: shorten nothing'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and __fish_seen_subcommand_from repair" -l format -d 'How to report' -r -f -a "text\t'For people'
json\t'One versioned document'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and __fish_seen_subcommand_from repair" -l profile -d 'Profile to judge by: the name of a built-in one, or a file [default: /etc/mt-agent/profile.yaml, else the built-in one that fits the host]' -r
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and __fish_seen_subcommand_from repair" -l root -d 'Look at the tree of an image, not at the running host' -r -F
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and __fish_seen_subcommand_from repair" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal that can, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and __fish_seen_subcommand_from repair" -s y -l yes -d 'Do not ask'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and __fish_seen_subcommand_from repair" -l dry-run -d 'Show what would be done; change nothing'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and __fish_seen_subcommand_from repair" -l allow-unsafe-profile -d 'Accept a profile file that is writable by other users (at a desk; apply and seal do not)'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and __fish_seen_subcommand_from repair" -s q -l quiet -d 'Say less: only what is not met, and the verdict'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and __fish_seen_subcommand_from repair" -s v -l verbose -d 'Say more: shorten nothing'
complete -c mt-agent -n "__fish_mt_agent_using_subcommand state; and __fish_seen_subcommand_from repair" -s h -l help -d 'Print help'
