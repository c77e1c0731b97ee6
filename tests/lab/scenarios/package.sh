# shellcheck shell=bash
# installed with rpm -i; after the restart the service goes on by itself, and switches itself off

hardware() {
    as_package
    disk retention 1T
}

# Debian's rpm begins with a remark of its own.
rpm() {
    command rpm "$@" 2>&1 | grep -vE '^rpm: (RPM should not be used directly|However assuming you know)'
    return "${PIPESTATUS[0]}"
}

# The service's links are what its header says, and no more.
links() { find /etc/rc.d -name '[SK][0-9][0-9]mt-agent-resume' -printf '%P %l\n' | LC_ALL=C sort; }

boot_1() {
    say "the package"
    expect_not "no agent is here" test -e /usr/sbin/mt-agent
    run rpm -i /root/mt-agent.rpm
    expect "rpm -i says nothing" test ! -s "$out/last"
    run rpm -V mt-agent
    expect "rpm -V is clean" test ! -s "$out/last"
    run links
    expect "chkconfig has added the service to levels 3, 4 and 5" [ "$(tr '\n' , <"$out/last")" = \
        "$(printf 'rc%s.d/%smt-agent-resume ../init.d/mt-agent-resume,' 0 K01 1 K01 2 K01 3 S99 4 S99 5 S99 6 K01)" ]
    run mt-agent profile check /etc/mt-agent/profile.yaml
    said "/etc/mt-agent/profile.yaml: the profile centos-6.6 + profile.yaml can be used"
    run /etc/rc.d/init.d/mt-agent-resume status
    said "mt-agent-resume is off: no apply waits for a boot"
    run /etc/rc.d/init.d/mt-agent-resume start
    expect "started with nothing to do, it says nothing" test ! -s "$out/last"

    say "apply, with the restart"
    quick_yum
    agent 3 apply --yes --restart --retention-disk "$(id_of /dev/sdb)"
    said "restarting the machine"
    expect "the machine was asked to restart" grep -qx -- '-r now' /run/lab/shutdown
    run /etc/rc.d/init.d/mt-agent-resume status
    said "mt-agent-resume is on: an apply waits for the next boot (/var/lib/mt-agent/resume.json)"
    run /etc/rc.d/init.d/mt-agent-resume start
    said "the restart is still owed"
    said "mt-agent-resume: ended with status 3; an apply still waits: it resumes after the next boot"
}

boot_2() {
    say "after the restart, which the service has gone on after"
    agent 0 check --quiet
    said "ready: 40 required met"
    expect "the retention volume is there" mountpoint -q /mnt/retention
    expect "the vendor's script ran once" [ "$(vendor_runs)" = 1 ]
    run mt-agent history
    said "apply is resumed after the restart"
    run tail -n 12 /var/log/mt-agent.log
    said "ready: 40 required met"
    said "mt-agent-resume: ended with status 0; nothing waits any more: off"
    run stat -c '%a %U' /var/log/mt-agent.log
    said "600 root"
    run /etc/rc.d/init.d/mt-agent-resume status
    said "mt-agent-resume is off: no apply waits for a boot"
    cp /var/lib/mt-agent/journal.jsonl /root/journal.before
}

boot_3() {
    say "the next boot: it was off"
    expect "the journal is as it was" cmp /var/lib/mt-agent/journal.jsonl /root/journal.before
    agent 0 check --quiet

    say "removing the package"
    cp /etc/fstab /root/fstab.before
    cp /etc/multipath.conf /root/multipath.before
    run rpm -e mt-agent
    cat >/root/expected <<'END'
mt-agent: what it made on this host stays: the retention volume and its line in /etc/fstab, the vendor's
mt-agent: changes, and its records in /var/lib/mt-agent and /var/log/mt-agent.log
END
    expect "it says what stays" diff "$out/last" /root/expected
    expect_not "the program is gone" test -e /usr/sbin/mt-agent
    run links
    expect "the service's links are gone" test ! -s "$out/last"
    expect "the retention volume is mounted" mountpoint -q /mnt/retention
    expect "fstab is as it was" cmp /etc/fstab /root/fstab.before
    expect "multipath.conf is as it was" cmp /etc/multipath.conf /root/multipath.before
    expect "the vendor's marker is there" test -e /etc/.appliedmtcustomchanges
    expect "the journal is as it was" cmp /var/lib/mt-agent/journal.jsonl /root/journal.before

    say "and installing it again"
    run rpm -i /root/mt-agent.rpm
    agent 0 check --quiet
    agent 0 apply --yes
    said "nothing was changed"
}

after() {
    changed retention
    if grep -q '^mt-agent-resume: ended with status 0; nothing waits any more: off' "$run_dir/console.2"; then
        host_ok "the second boot's console shows the service at work"
    else
        host_not_ok "the second boot's console shows the service at work"
    fi
    if grep -q '^mt-agent-resume: ' <(sed '/^---/,$d' "$run_dir/console.3"); then
        host_not_ok "the third boot's console shows nothing of it"
    else
        host_ok "the third boot's console shows nothing of it"
    fi
}
