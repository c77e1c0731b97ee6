# shellcheck shell=bash disable=SC2154 # the parts in tests/lab set what is used here
# power is lost while a template is sealed and while a clone boots first: the next boot finishes

# See power-loss: what the guest has not written back is lost.
disk_cache=writeback
clone_disk=35000c2900a010010

hardware() { as_package; }

# The vendor's script is baked into this image: a clone refreshes what it wrote down.
boot_1() {
    . /run/lab/template.sh
    say "the template, with the vendor's script in the image"
    rpm -i /root/mt-agent.rpm 2>/dev/null
    quick_yum
    leave_traces
    printf 'custom-changes: {stage: image}\nretention: {disk: %s}\n' "$(told clone)" >>/etc/mt-agent/profile.yaml
    agent 0 apply --yes --stage image --quiet
    expect "the vendor's script ran once" [ "$(vendor_runs)" = 1 ]
    expect "its blacklist has the template's root disk" grep -q "^ *wwid \"\?$(id_of /dev/sda)\"\?\$" /etc/multipath.conf
    agent 0 check --stage image --quiet
    sync
}

boot_seal() {
    # Slowed down, so that the power goes where it is meant to go.
    strace -f -o /dev/null -e trace=fsync,unlink -e inject=fsync,unlink:delay_exit=100000 \
        mt-agent seal --yes --verbose
    # Lost here at the latest.
    sleep 60
}

boot_sealed() {
    . /run/lab/template.sh
    say "the service has finished it at the next boot"
    expect_not "nothing of it waits" grep -q '"seal"' /var/lib/mt-agent/resume.json
    expect "the first boot of clones is armed" grep -q '"first-boot": true' /var/lib/mt-agent/resume.json
    # The service has a log of its own, of this boot, as others may have; nothing but logs is left.
    agent 0 seal --dry-run --quiet --skip agent-state,logs
    said "nothing to do: what was looked at"
    for path in /etc/ssh/ssh_host_rsa_key /root/passphrase.txt /home/passphrase.txt /etc/multipath/wwids; do
        expect_not "$path is gone" test -e "$path"
    done
    expect_not "no file names the host" grep -rqs mt-lab.example /etc/hosts /etc/sysconfig/network
    expect_not "no file has its root disk's SCSI ID" grep -qs "$(id_of /dev/sda)" /etc/multipath.conf \
        /usr/sbin/blacklistrootdev.sh
    judge
    finding image.identity unmet
    expect "that the script ran here is kept" test -e /var/lib/mt-agent/custom-changes.json
    expect "the vendor's script ran once" [ "$(vendor_runs)" = 1 ]
    sync
}

boot_first() { sleep 60; }

boot_finished() {
    . /run/lab/template.sh
    customise mt-one.example.test
    hostname mt-one.example.test
    say "the service has finished the first boot"
    agent 0 check --quiet
    judge
    finding custom-changes.root-disk met
    for path in /etc/multipath.conf /usr/sbin/blacklistrootdev.sh; do
        expect "$path has this machine's root disk" grep -q "$(id_of /dev/sda)" "$path"
    done
    expect "the vendor's script ran once, in the image" [ "$(vendor_runs)" = 1 ]
    expect "the retention volume is there" mountpoint -q /mnt/retention
    expect_not "nothing waits any more" test -e /var/lib/mt-agent/resume.json
}

# A clone of the half-sealed image: it was copied before the template had started again.
boot_half() {
    say "a clone of an image whose sealing was cut off changes nothing, and says so"
    expect "it waits" grep -q '"seal"' /var/lib/mt-agent/resume.json
    run mt-agent check --quiet
    said "a sealing was interrupted"
    expect_not "no retention volume was made" blkid -p "/dev/disk/by-id/scsi-$(told clone)"
}

# The finished machine, copied by its files with every identifier new, and never sealed.
boot_copied() {
    say "a copy that was never sealed is told from the machine that it was copied from"
    judge
    finding image.identity unmet
    finding_says image.identity "a copy of another one that was not sealed"
    finding custom-changes.root-disk unmet
    run mt-agent plan
    said "set the records of the machine that this one is a copy of aside"
    agent 1 apply --yes --quiet
    judge
    finding image.identity met
    finding custom-changes.root-disk met
    expect "the other machine's records lie aside" test -e /var/lib/mt-agent/set-aside/*/retention.json
    expect_not "and are believed no more" test -e /var/lib/mt-agent/retention.json
    expect "that the vendor's script ran in this disk is kept" test -e /var/lib/mt-agent/custom-changes.json
    expect "the vendor's script ran once" [ "$(vendor_runs)" = 1 ]
    expect_not "no file system was made" blkid -p "/dev/disk/by-id/scsi-$(id_of /dev/sdb)"
    snapshot before
    agent 1 apply --yes --quiet
    snapshot after
    unchanged before after '/var/log'
}

hardware_1() { tell "clone=$clone_disk"; }

after() {
    local template=$run_dir step one
    mv "$run_dir/os.qcow2" "$run_dir/os.before"
    for step in hostname "root-disk-id      /etc/multipath.conf" "agent-state       remove /var/lib/mt-agent/journal"; do
        rm -f "$run_dir/os.qcow2"
        overlay "$run_dir/os.before" "$run_dir/os.qcow2"
        cut_at seal "$step"
        if [[ $step == hostname ]]; then
            clone half 564d0a1b-0000-4000-8000-000000000003 52:54:00:00:00:03 900a01
            tell "clone=$clone_disk"
            disk retention 1T
            boots half
            console_says half "this is not the template"
            untouched retention
            run_dir=$template
            no_devices
            attach os
        fi
        boots sealed
        console_says sealed "sealed: "
    done
    for step in "1. make the multipath blacklist" "2. start multipathd" "3. make an ext4 file system" "4. mount"; do
        clone one 564d0a1b-0000-4000-8000-000000000001 52:54:00:00:00:01 900a01
        disk retention 1T
        cut_at first "$step"
        boots finished
        changed retention
        one=$run_dir
        run_dir=$template
    done
    run_dir=$one
    clone copy 564d0a1b-0000-4000-8000-000000000005 52:54:00:00:00:05 900a05
    disk retention 1T
    boots copied
    untouched retention
    run_dir=$template
}
