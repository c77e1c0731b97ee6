# shellcheck shell=bash
# a fresh machine becomes a ready master target, one restart

hardware() {
    disk retention 1T
    disk later 20G
}

boot_1() {
    say "a fresh CentOS 6.6 minimal with a blank 1 TB disk"
    agent 1 check
    agent 1 plan
    cp /etc/fstab /root/fstab.before

    say "all that can be done before the restart"
    agent 3 apply --yes --retention-disk "$(id_of /dev/sdb)"
    judge
    expect "the verdict is restart-owed" [ "$(report verdict "$out/check.json")" = restart-owed ]
    finding packages.base met
    finding packages.multipath met
    finding custom-changes.applied met
    finding custom-changes.root-disk met
    expect "the rpm database has the packages" rpm -q --quiet xfsprogs perl lsscsi rsync wget kexec-tools
    expect "the vendor's script ran once" [ "$(vendor_runs)" = 1 ]
    expect "its blacklist names the root disk" grep -q "^ *wwid \"\?$(id_of /dev/sda)\"\?\$" /etc/multipath.conf
    expect "it has deleted /dev/null" grep -q 'put right: /dev/null is an ordinary file' /var/log/mt-agent.log
    expect "apply has put it right" [ "$(stat -c '%F %t:%T %a' /dev/null)" = "character special file 1:3 666" ]
    finding os.device-nodes met
    expect "fstab is still as it was" cmp /etc/fstab /root/fstab.before
    run tail -n 2 /var/lib/mt-agent/journal.jsonl
}

# by_and_by COMMAND...: it succeeds within two minutes.
by_and_by() {
    for _ in {1..600}; do
        "$@" && return
        sleep 0.2
    done
    return 1
}

boot_2() {
    local id later
    id=$(id_of /dev/sdb)
    say "after the restart"
    agent 0 apply --yes --retention-disk "$id"
    agent 0 check
    judge
    expect "the verdict is ready" [ "$(report verdict "$out/check.json")" = ready ]
    for requirement in disk mounted persistent filesystem unlocked dedicated; do
        finding retention.$requirement met
    done
    expect "the volume is on the disk's multipath map" \
        grep -q "^/dev/mapper/$id /mnt/retention ext4 rw" /proc/mounts
    run diff /root/fstab.before /etc/fstab
    expect_not "fstab lost no line" grep -q '^<' "$out/last"
    said "/mnt/retention"
    expect "multipathd was started" grep -q "change: multipath.running: start multipathd, now and at every boot" \
        /var/log/mt-agent.log
    for requirement in names finds running; do
        finding multipath.$requirement met
    done
    expect "multipathd runs" multipathd show daemon
    expect "it starts at boot" test -x /etc/rc.d/rc3.d/S06multipathd

    say "a disk that is attached now gets its map from multipathd, by its ID"
    later=$(id_of /dev/sdc)
    echo 1 >/sys/block/sdc/device/delete
    expect "its map goes with it" by_and_by test ! -e "/dev/mapper/$later"
    echo '- - -' | tee /sys/class/scsi_host/host*/scan >/dev/null
    expect "it has one again" by_and_by test -e "/dev/mapper/$later"
    expect_not "the root disk has none" grep -qs "mpath-$(id_of /dev/sda)" /sys/block/dm-*/dm/uuid
    agent 0 check

    say "once more: nothing to do"
    snapshot before
    agent 0 apply --yes --retention-disk "$id"
    snapshot after
    unchanged before after '/var/lib/mt-agent|/var/log'
    expect "the vendor's script ran once" [ "$(vendor_runs)" = 1 ]
    agent 0 plan
    agent 0 disks
    agent 0 history
}

boot_3() {
    say "the next boot mounts the retention volume and starts multipathd by itself"
    agent 0 check
    judge
    finding multipath.running met
}

after() {
    changed retention
    untouched later
}
