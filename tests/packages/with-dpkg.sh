# shellcheck shell=bash
# In the root: real dpkg installs, upgrades, verifies, removes, purges and installs again; the shells and man use what it brought.
set -uo pipefail
passed=0 failed=0
# shellcheck source=/dev/null
. /test/words.sh
trap 'printf "passed=%d\nfailed=%d\n" "$passed" "$failed" >/test/figures' EXIT
export DEBIAN_FRONTEND=noninteractive
version=$(cat /test/version)
new=/test/mt-agent_${version}_amd64.deb
old=/test/mt-agent_0.0.9_amd64.deb
profile=/etc/mt-agent/profile.yaml
wants=/etc/systemd/system/multi-user.target.wants/mt-agent-resume.service

# What dpkg says of itself is not ours.
ours() { grep -E '^(mt-agent|dpkg: (error|warning))' || true; }
everything() {
    find / -xdev \( -path /test -o -path /tmp -o -path /proc -o -path /dev -o -path /sys -o -path /run -o -path /var/lib/dpkg \
        -o -path /var/log/dpkg.log -o -path /var/cache/man -o -path '/var/lib/systemd/deb-systemd-helper-*' \) \
        -prune -o -type f -printf '%p %m %U %G %s %T@\n' -o -type l -printf '%p %l\n' -o -type d -printf '%p %m %U %G\n' | LC_ALL=C sort
}
everything_else() { everything | grep -vE '^[^ ]*mt-agent[^ ]* '; }
# What the log says of the removal itself comes on top.
records() { sha256sum /var/lib/mt-agent/journal.jsonl; head -n 1 /var/log/mt-agent.log; }
stays="mt-agent: what it made on this host stays: the retention volume and its line in /etc/fstab, the vendor's
mt-agent: changes, and its records in /var/lib/mt-agent and /var/log/mt-agent.log"

before=$(everything)
same "dpkg -i says nothing of its own" "" "$(dpkg -i "$old" 2>&1 | ours)"
same "dpkg -V is clean" "" "$(dpkg -V mt-agent)"
same "the unit is on" /usr/lib/systemd/system/mt-agent-resume.service "$(readlink -f $wants)"
same "upgrading says nothing of its own" "" "$(dpkg -i "$new" 2>&1 | ours)"
same "the version is the new one" "$version" "$(dpkg-query -W -f '${Version}' mt-agent)"
same "the program too" "mt-agent $version" "$(mt-agent --version)"
same "dpkg -V is clean after the upgrade" "" "$(dpkg -V mt-agent)"
expect "a profile that nobody edited was replaced" cmp $profile /test/files/profile.yaml
systemctl disable mt-agent-resume.service 2>/test/null
dpkg -i "$new" >/test/null 2>&1
expect_not "an administrator's choice to switch the service off holds" test -L $wants
systemctl enable mt-agent-resume.service 2>/test/null
same "with nothing made on this host, removing says nothing" "" "$(dpkg --purge mt-agent 2>&1 | ours)"
same "purged, all is as it was before" "$before" "$(everything)"

dpkg -i "$old" >/test/null 2>&1
echo 'sources: {xfs: true}' >>$profile
edited=$(cat $profile)
mkdir -p /var/lib/mt-agent /mnt/retention
echo '{"event":"begin"}' >/var/lib/mt-agent/journal.jsonl
echo 'change' >/var/log/mt-agent.log
echo '/dev/mapper/36000c29 /mnt/retention ext4 rw 0 0' >>/etc/fstab
touch /mnt/retention/file
before=$(everything_else)
kept=$(records)
expect "upgrading with an edited profile" dpkg --force-confdef -i "$new"
same "an edited profile is kept" "$edited" "$(cat $profile)"
expect "the new one lies beside it" cmp $profile.dpkg-dist /test/files/profile.yaml
same "dpkg -V tells of the edited profile alone" "??5?????? c $profile" "$(dpkg -V mt-agent)"
echo '{}' >/var/lib/mt-agent/resume.json
same "removed, it says what stays, and that what waited is over" "$stays
mt-agent: cleared: an order that this version cannot read; nothing of it is carried out" "$(dpkg -r mt-agent 2>&1 | ours)"
expect_not "nothing waits any more" test -e /var/lib/mt-agent/resume.json
expect_not "the program is gone" test -e /usr/sbin/mt-agent
same "the configuration stays until it is purged" "$edited" "$(cat $profile)"
same "all else is as it was" "$before" "$(everything_else)"
check=/etc/cron.d/mt-agent
expect "the health check's file stays until it is purged" test -e $check
same "and does nothing without the program" ", 0" \
    "$(sh -c "$(sed -n 's/^#[0-9].* root //p' $check | sed 's/\\%/%/g')" 2>&1), $?"
# What a removal of an earlier version left, or a backup brought back.
echo '{}' >/var/lib/mt-agent/resume.json
left_waiting="mt-agent: an apply that an earlier installation left still waits (mt-agent history --pending), so the service
mt-agent: mt-agent-resume is not switched on: clear it (mt-agent apply --forget), then switch the service on"
same "installed again where an apply waits, it says so" "$left_waiting" "$(dpkg --force-confdef -i "$new" 2>&1 | ours)"
expect_not "the unit is not on" test -L $wants
same "upgraded, it says nothing of it" "" "$(dpkg --force-confdef -i "$new" 2>&1 | ours)"
expect_not "the unit is still not on" test -L $wants
expect "the person clears it" mt-agent apply --forget
expect "and switches the service on" systemctl enable mt-agent-resume.service
dpkg -r mt-agent >/test/null 2>&1
expect "installed again" dpkg --force-confdef -i "$new"
same "the edited profile is still there" "$edited" "$(cat $profile)"
same "the unit is on again" /usr/lib/systemd/system/mt-agent-resume.service "$(readlink -f $wants)"
same "removed and purged, it says what stays" "$stays" "$(dpkg --purge mt-agent 2>&1 | ours)"
expect_not "purged, the configuration is gone" test -e $profile
same "purged, what the agent made is as it was, and all else" "$before" "$(everything_else)"
same "its records too" "$kept" "$(records)"
expect "installed again after the purge" dpkg -i "$new"

# The unit, by systemd itself, which looks for the program and the manual page too.
same "systemd has nothing to say about the unit" "" "$(systemd-analyze verify /lib/systemd/system/mt-agent-resume.service 2>&1 | grep mt-agent)"
expect "the service is sandboxed as far as its work allows" systemd-analyze security --offline=true --threshold=77 \
    /lib/systemd/system/mt-agent-resume.service
same "it has no mounts of its own: the retention volume is for the whole machine" "" \
    "$(grep -E '^(Private(Tmp|Devices|Mounts|Users)|Protect[A-Za-z]+|(ReadOnly|ReadWrite|Inaccessible)Paths|Root[A-Z][a-z]+|BindPaths|TemporaryFileSystem|ProcSubset|MountFlags)=' \
        /lib/systemd/system/mt-agent-resume.service)"
same "what it leaves running stays: packages' daemons, a transaction" process \
    "$(sed -n 's/^KillMode=//p' /lib/systemd/system/mt-agent-resume.service)"
sed 's/^KillMode=.*/KillMode=dance/' /lib/systemd/system/mt-agent-resume.service >/test/dance.service
expect "of a wrong one it has" grep -q 'dance' <(systemd-analyze verify /test/dance.service 2>&1)

# man finds each page by its name.
for page in /usr/share/man/man8/mt-agent*.8.gz; do
    name=$(basename "$page" .8.gz)
    same "man finds $name" "$page" "$(man -w "$name" 2>&1)"
done
same "man mt-agent-check begins with its name" "MT-AGENT-CHECK(8)" "$(MANWIDTH=80 man -P cat mt-agent-check 2>/test/null | sed -n '1s/ .*//p')"

# Completions, as the shells themselves load them.
bash_completes() {
    bash --norc -c '
        . /usr/share/bash-completion/bash_completion
        _completion_loader mt-agent
        read -r -a COMP_WORDS <<<"$1"
        [[ $1 != *" " ]] || COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$1 COMP_POINT=${#1}
        function=$(complete -p mt-agent | sed "s/.*-F \([^ ]*\) .*/\1/")
        "$function" mt-agent "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf "%s\n" "${COMPREPLY[@]}" | sort | tr "\n" " "' - "$1" 2>&1
}
# shellcheck disable=SC2016 # fish expands it
fish_completes() { fish --no-config -c 'set fish_complete_path /usr/share/fish/vendor_completions.d; complete -C $argv[1] | cut -f1 | sort | string join " "' "$1" 2>&1; }
for words in 'ch=check' 'disks --pro=--probe --profile' 'apply --ret=--retention-disk' 'check --format n=nagios'; do
    line=${words%%=*} wanted=${words#*=}
    same "bash completes mt-agent $line" "$wanted" "$(bash_completes "mt-agent $line" | sed 's/ $//')"
    same "fish completes mt-agent $line" "$(tr ' ' '\n' <<<"$wanted" | sort | tr '\n' ' ' | sed 's/ $//')" "$(fish_completes "mt-agent $line")"
done
for words in 'ch=check' 'apply --ret=--retention-disk' 'check --format n=nagios'; do
    line=${words%%=*} wanted=${words#*=}
    whole="mt-agent ${line% *} $wanted"
    [[ $line == *' '* ]] || whole="mt-agent $wanted"
    same "zsh completes mt-agent $line" "$whole" "$(zsh -f /test/complete.zsh "mt-agent $line" 2>&1 | sed 's/ $//')"
done
dpkg --purge mt-agent >/test/null 2>&1
