# shellcheck shell=bash disable=SC2154 # the parts in tests/lab set what is used here
# a template is sealed; its clones finish by themselves and are ready, but for one that kept its UUIDs

hardware() { as_package; }

boot_1() {
    . /run/lab/template.sh
    say "the template"
    # What was never written needs no zeros: filling 8 GB takes minutes under emulation, 600 MB seconds.
    fallocate -l $(($(df --output=avail -B1 / | tail -1) - (600 << 20))) /root/ballast
    run rpm -i /root/mt-agent.rpm
    quick_yum
    leave_traces
    # A file that was there and is gone: only its blocks remember it.
    echo "$passphrase" >/root/gone
    sync
    rm /root/gone
    run mt-agent check --stage image --quiet
    said "packages.base"
    agent 0 apply --yes --stage image
    said "stage image"
    expect "the vendor's script is left to each machine" [ "$(vendor_runs)" = 0 ]
    agent 0 check --stage image --quiet
    agent 1 check --stage machine --quiet

    say "what would be sealed"
    snapshot before
    agent 1 seal --dry-run
    snapshot after
    unchanged before after
    said "remove /etc/ssh/ssh_host_rsa_key"
    agent 0 seal --list

    say "sealed"
    agent 0 seal --yes --wipe-free-space
    said "sealed: "
    expect_not "the host keys are gone" test -e /etc/ssh/ssh_host_rsa_key
    expect_not "the user's key is gone" test -e /root/.ssh/id_rsa
    expect "a log that is written to is there, and empty" [ -e /var/log/messages -a ! -s /var/log/messages ]
    expect "the interface still starts on boot" grep -qx ONBOOT=yes /etc/sysconfig/network-scripts/ifcfg-eth0
    expect_not "it has no hardware address" grep -q HWADDR /etc/sysconfig/network-scripts/ifcfg-eth0
    expect "the host has no name" grep -qx HOSTNAME=localhost.localdomain /etc/sysconfig/network
    expect_not "nor in /etc/hosts" grep -q mt-lab /etc/hosts
    expect "file systems keep their UUIDs in fstab" grep -q "^UUID=.* / " /etc/fstab

    say "sealed again: nothing to do"
    snapshot before
    agent 0 seal --yes --wipe-free-space
    said "sealed already"
    snapshot after
    unchanged before after
    agent 0 check --stage image --quiet
    rm /root/ballast
    # What an orderly end does, and the lab's reset does not wait for.
    sync
}

# The first clone: named, with a retention disk that its profile names.
boot_named1() {
    . /run/lab/template.sh
    say "first boot: the service has run the vendor's script, and asks for the restart by itself"
    expect "the vendor's script ran once" [ "$(vendor_runs)" = 1 ]
    expect "the machine was asked to restart" grep -qx -- '-r now' /run/lab/shutdown
    judge
    finding image.identity met
    finding custom-changes.root-disk met
    expect "the blacklist has this machine's root disk" grep -q "^ *wwid \"\?$(id_of /dev/sda)\"\?\$" /etc/multipath.conf
    run mt-agent check --quiet
    said "the first boot of this clone is not finished"
    customise mt-one.example.test "$(id_of /dev/sdb)"
}

boot_named2() {
    say "second boot: the rest is done, and nothing waits any more"
    agent 0 check --quiet
    expect "the retention volume is there" mountpoint -q /mnt/retention
    expect "the vendor's script ran once" [ "$(vendor_runs)" = 1 ]
    expect_not "the first boot is over" test -e /var/lib/mt-agent/resume.json
    expect_not "check says nothing of it" grep -q "first boot" "$out/last"
    snapshot before
    agent 0 apply --yes
    snapshot after
    unchanged before after '/var/log'
}

# The second clone: nobody named a disk.
boot_waits1() {
    . /run/lab/template.sh
    expect "the machine was asked to restart" grep -qx -- '-r now' /run/lab/shutdown
    customise mt-two.example.test
}

boot_waits2() {
    say "a clone whose retention disk nobody named waits, and says so"
    judge
    finding retention.disk unmet
    finding image.identity met
    agent 1 check --quiet
    said "the first boot of this clone is not finished"
    expect "it waits still" test -e /var/lib/mt-agent/resume.json
    expect_not "no file system was made" blkid -p /dev/sdb
    agent 0 apply --yes --retention-disk "$(id_of /dev/sdb)"
    expect_not "the first boot is over" test -e /var/lib/mt-agent/resume.json
    agent 0 check --quiet
}

# The third clone kept what its template had.
boot_kept1() {
    say "a clone that kept its template's UUIDs changes nothing, and says why"
    expect "the vendor's script did not run" [ "$(vendor_runs)" = 0 ]
    judge
    finding image.identity unmet
    for word in "the BIOS UUID 564d0a1b" "sda (/) answers with" "eth0 has the hardware address" "vmkfstools"; do
        finding_says image.identity "$word"
    done
    agent 1 check --quiet
    printf 'retention: {disk: %s}\n' "$(id_of /dev/sdb)" >>/etc/mt-agent/profile.yaml
    agent 1 apply --yes
    expect_not "no file system was made" blkid -p "/dev/disk/by-id/scsi-$(id_of /dev/sdb)"
}

# The template is started again, and the service looks once sshd has made its keys.
boot_again() {
    . /run/lab/template.sh
    say "a template that is started again says that it has to be sealed again"
    host_key=LAB-OTHER-HOST-KEY
    make_host_key
    agent 1 apply --yes --resume
    said "seal again before it is cloned"
    judge
    finding image.identity unmet
    finding_says image.identity "this is the template itself"
    sync
}

# A clone of it as it is then.
boot_again1() {
    say "a clone that has the keys of that start changes nothing, and says why"
    expect "the vendor's script did not run" [ "$(vendor_runs)" = 0 ]
    judge
    finding image.identity unmet
    finding_says image.identity "is the image's SSH host key"
    printf 'retention: {disk: %s}\n' "$(id_of /dev/sdb)" >>/etc/mt-agent/profile.yaml
    agent 1 apply --yes
    expect_not "no file system was made" blkid -p "/dev/disk/by-id/scsi-$(id_of /dev/sdb)"
}

after() {
    local template=$run_dir
    . "$lab_source/guest/template.sh"
    leftovers
    clone named 564d0a1b-0000-4000-8000-000000000001 52:54:00:00:00:01 900a01
    disk retention 1T
    boots named1 named2
    changed retention
    run_dir=$template
    clone waits 564d0a1b-0000-4000-8000-000000000002 52:54:00:00:00:02 900a02
    disk retention 1T
    boots waits1 waits2
    console_says waits2 "a run that nobody watches chooses none"
    run_dir=$template
    clone kept 564d0a1b-2c3d-4e5f-6071-8293a4b5c6d7 52:54:00:12:34:56 900a1b
    disk retention 1T
    boots kept1
    console_says kept1 "what nobody watches waits until image.identity is met"
    untouched retention
    run_dir=$template
    no_devices
    attach os
    boots again
    clone again 564d0a1b-0000-4000-8000-000000000004 52:54:00:00:00:04 900a04
    disk retention 1T
    boots again1
    untouched retention
    run_dir=$template
}
