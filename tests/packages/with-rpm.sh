# shellcheck shell=bash
# In the root: real rpm installs, upgrades, verifies, removes and installs again.
set -uo pipefail
passed=0 failed=0
# shellcheck source=/dev/null
. /test/words.sh
trap 'printf "passed=%d\nfailed=%d\n" "$passed" "$failed" >/test/figures' EXIT
version=$(cat /test/version)
new=/test/mt-agent-$version-1.x86_64.rpm
old=/test/mt-agent-0.0.9-1.x86_64.rpm
profile=/etc/mt-agent/profile.yaml
wants=/etc/systemd/system/multi-user.target.wants/mt-agent-resume.service

# Debian's rpm begins with a remark of its own, and keeps its database in a home directory unless told.
rpm() {
    command rpm --dbpath /var/lib/rpm "$@" 2>&1 | grep -vE '^rpm: (RPM should not be used directly|However assuming you know)'
    return "${PIPESTATUS[0]}"
}
links() { find /etc/rc.d -name '[SK][0-9][0-9]mt-agent-resume' -printf '%P %l\n' | LC_ALL=C sort; }
# Everything in the root, but for what comes and goes with rpm and these tests. Links of units belong to the service.
everything() {
    find / -xdev \( -path /test -o -path /tmp -o -path /proc -o -path /dev -o -path /sys -o -path /run -o -path /var/lib/rpm \) \
        -prune -o -type f -printf '%p %m %U %G %s %T@\n' -o -type l -printf '%p %l\n' -o -type d -printf '%p %m %U %G\n' | LC_ALL=C sort
}
everything_else() { everything | grep -vE '^[^ ]*(mt-agent|/etc/rc\.d)[^ ]* '; }
made() {
    mkdir -p /var/lib/mt-agent/saved /mnt/retention
    echo '{"event":"begin"}' >/var/lib/mt-agent/journal.jsonl
    echo '# as it was' >/var/lib/mt-agent/saved/fstab
    echo 'change' >/var/log/mt-agent.log
    echo '/dev/mapper/36000c29 /mnt/retention ext4 rw 0 0' >>/etc/fstab
    echo 'blacklist {}' >/etc/multipath.conf
    touch /etc/.appliedmtcustomchanges /mnt/retention/file
}
# What the log says of the removal itself comes on top.
records() { sha256sum /var/lib/mt-agent/journal.jsonl /var/lib/mt-agent/saved/fstab; head -n 1 /var/log/mt-agent.log; }
stays="mt-agent: what it made on this host stays: the retention volume and its line in /etc/fstab, the vendor's
mt-agent: changes, and its records in /var/lib/mt-agent and /var/log/mt-agent.log"

# A machine like CentOS 6: SysV scripts and chkconfig, no systemctl; packages that its own packages answer for.
mkdir -p /etc/rc.d/{init.d,rc{0..6}.d}
mv /usr/bin/systemctl /test/systemctl
install -m 755 /test/chkconfig /usr/sbin/chkconfig
mkdir -p /var/lib/rpm
expect_not "without glibc 2.12 and a shell it is not installed" rpm -i --test "$new"
expect "the stand-ins for CentOS 6.6's packages" rpm -i /test/{glibc,bash}-*.rpm
before=$(everything)

same "rpm -i says nothing" "" "$(rpm -i "$old")"
same "rpm -V is clean" "" "$(rpm -V mt-agent)"
all_links=$(printf 'rc%s.d/%smt-agent-resume ../init.d/mt-agent-resume\n' 0 K01 1 K01 2 K01 3 S99 4 S99 5 S99 6 K01)
same "the service is on in the levels 3, 4 and 5" "$all_links" "$(links)"
same "the program runs" "mt-agent 0.0.9" "$(mt-agent --version)"
chkconfig --del mt-agent-resume
same "rpm -U says nothing" "" "$(rpm -U "$new")"
same "the version is the new one" "mt-agent-$version-1.x86_64" "$(rpm -q mt-agent)"
same "the program too" "mt-agent $version" "$(mt-agent --version)"
same "rpm -V is clean after the upgrade" "" "$(rpm -V mt-agent)"
expect "a profile that nobody edited was replaced" cmp $profile /test/files/profile.yaml
expect_not "nothing is left beside it" ls $profile.rpmnew $profile.rpmsave
same "an administrator's choice to switch the service off holds" "" "$(links)"
chkconfig --add mt-agent-resume
same "rpm -U --replacepkgs changes nothing" "" "$(rpm -U --replacepkgs "$new"; rpm -V mt-agent)"
same "with nothing made on this host, rpm -e says nothing" "" "$(rpm -e mt-agent)"
same "the links are gone" "" "$(links)"
same "and all is as it was before" "$before" "$(everything)"

rpm -i "$old"
echo 'sources: {xfs: true}' >>$profile
sed -i 's/^#17 6/17 6/' /etc/cron.d/mt-agent
edited=$(cat $profile)
made
before=$(everything_else)
kept=$(records)
same "rpm -U tells of the edited profile" \
    "warning: $profile created as $profile.rpmnew" "$(rpm -U "$new")"
same "an edited profile is kept" "$edited" "$(cat $profile)"
expect "the new one lies beside it" cmp $profile.rpmnew /test/files/profile.yaml
expect "the health check is still switched on" grep -q '^17 6' /etc/cron.d/mt-agent
expect "mt-agent takes the edited profile" mt-agent profile check $profile
same "rpm -V tells of the edited files alone" "S.5....T.  c /etc/cron.d/mt-agent
S.5....T.  c $profile" "$(rpm -V mt-agent)"
echo '{}' >/var/lib/mt-agent/resume.json
said=$(rpm -e mt-agent)
same "rpm -e says what stays, and that what waited is over" "$stays
mt-agent: cleared: an order that this version cannot read; nothing of it is carried out" "$(grep -v ^warning: <<<"$said")"
expect_not "nothing waits any more" test -e /var/lib/mt-agent/resume.json
same "and where the edited files are" "warning: /etc/cron.d/mt-agent saved as /etc/cron.d/mt-agent.rpmsave
warning: $profile saved as $profile.rpmsave" "$(grep ^warning: <<<"$said" | sort)"
same "what the agent made is as it was, and all else" "$before" "$(everything_else)"
same "its records too" "$kept" "$(records)"
# What an installation that removed nothing left, or a backup brought back.
left_waiting="mt-agent: an apply that an earlier installation left still waits (mt-agent history --pending), so the service
mt-agent: mt-agent-resume is not switched on: clear it (mt-agent apply --forget), then switch the service on"
echo '{"seal": {}}' >/var/lib/mt-agent/resume.json
same "installed again where an apply waits, rpm says so" "$left_waiting" "$(rpm -i "$new")"
same "the service is not on" "" "$(links)"
same "rpm -U says nothing of it, and leaves the service off" "" "$(rpm -U --replacepkgs "$new"; links)"
same "what must not be forgotten stays, and rpm -e says so" "$stays
mt-agent: /var/lib/mt-agent/resume.json is not forgotten: a sealing was interrupted: run mt-agent seal again, in the version that began it, as this one cannot read /var/lib/mt-agent/resume.json; where that is damaged, remove it, and seal this machine anew before it is cloned
mt-agent: what waits stays in /var/lib/mt-agent/resume.json, and nothing resumes it" "$(rpm -e mt-agent)"
rm /var/lib/mt-agent/resume.json
same "installed again, rpm says nothing" "" "$(rpm -i "$new")"
same "rpm -V is clean" "" "$(rpm -V mt-agent)"
same "the service is on again" "$all_links" "$(links)"
same "the records are still those" "$kept" "$(records)"

# shellcheck source=/dev/null
. /test/service.sh

same "removed, it says what stays" "$stays" "$(rpm -e mt-agent)"
rm -f /usr/sbin/chkconfig
same "with neither chkconfig nor systemctl it says so" \
    'mt-agent: the service mt-agent-resume could not be switched on: after a restart run "mt-agent apply" again' "$(rpm -i "$new")"
rpm -e mt-agent >/test/null

# A later machine: systemd.
mv /test/systemctl /usr/bin/systemctl
same "under systemd rpm -i says nothing" "" "$(rpm -i "$new")"
same "the unit is on" /usr/lib/systemd/system/mt-agent-resume.service "$(readlink -f $wants)"
systemctl disable mt-agent-resume.service 2>/test/null
rpm -U --replacepkgs "$new"
expect_not "an administrator's choice to switch it off holds" test -L $wants
systemctl enable mt-agent-resume.service 2>/test/null
same "under systemd rpm -e says what stays" "$stays" "$(rpm -e mt-agent)"
expect_not "the unit is off" test -L $wants
rpm -e glibc bash
rm -rf /etc/rc.d /etc/fstab /etc/multipath.conf /etc/.appliedmtcustomchanges /mnt/retention /var/lib/mt-agent /var/log/mt-agent.log \
    /etc/mt-agent /etc/cron.d/mt-agent.rpmsave
