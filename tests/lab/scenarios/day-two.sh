# shellcheck shell=bash
# what happens to a master target in two years: told, mended by the command that the advice names, nothing foreign changed

hardware() {
    disk retention 40G
    disk foreign 2G
    disk other 60G
}

boot_0() { mkfs.ext4 -q -L customer /dev/sdc; }

boot_1() {
    quick_yum
    agent 3 apply --yes --retention-disk "$(id_of /dev/sdb)"
    say "the clock is set, and the restart stays owed"
    date -s '+1 hour'
    agent 3 check
    date -s '-2 hours'
    agent 3 check
    date -s '+1 hour'
}

boot_2() {
    agent 0 apply --yes --retention-disk "$(id_of /dev/sdb)"
    rounds daytwo.py
    say "the record of the script's run is emptied: whether the machine has restarted since is to be proved anew"
    : >/var/lib/mt-agent/custom-changes.json
    agent 1 check
    said "mt-agent state repair"
    agent 1 state
    agent 0 state repair --yes
    agent 0 state
    agent 3 check
    echo kept >/mnt/retention/kept
}

# The disk was enlarged in vSphere.
hardware_3() {
    no_devices
    attach os
    qemu-img resize -q "$run_dir/retention.qcow2" 50G
    attach retention
    attach foreign
    attach other
}

boot_3() {
    say "the retention disk has grown"
    agent 0 check
    said "mt-agent apply --grow"
    agent 0 apply --yes --grow
    expect "the volume has grown" [ "$(df --output=size -B1G /mnt/retention | tail -n 1)" -ge 48 ]
    expect "what was on it is on it" grep -q kept /mnt/retention/kept
    snapshot before
    agent 0 apply --yes --grow
    snapshot after
    unchanged before after '/var/lib/mt-agent|/var/log'
}

# The system disk was reverted to what it was before anything was done.
hardware_4() {
    rm "$run_dir/os.qcow2"
    overlay "$os_disk" "$run_dir/os.qcow2"
}

# blank DEVICE: neither libblkid nor the first 16 MiB show anything.
blank() { ! blkid -p "$1" && cmp -n $((16 << 20)) "$1" /dev/zero; }

boot_4() {
    deliver
    quick_yum
    say "reverted to before the first apply, and a blank disk is attached"
    agent 3 apply --yes
    agent 3 apply --yes --adopt-retention "$(id_of /dev/sdb)"
    expect "the blank disk is blank" blank /dev/sdd
}

boot_5() {
    local old new
    old=$(id_of /dev/sdb) new=$(id_of /dev/sdd)
    say "the volume is there again"
    agent 0 apply --yes --adopt-retention "$old"
    expect "with what was on it" grep -q kept /mnt/retention/kept
    agent 0 check
    say "another disk takes its place"
    agent 0 apply --yes --replace-retention "$new"
    expect "it is mounted" grep -q "^/dev/mapper/$new /mnt/retention " /proc/mounts
    expect_not "fstab has no line of the old one" grep -q "$old" /etc/fstab
    expect "the old one carries its volume" blkid -p "/dev/mapper/$old"
    agent 0 check
    snapshot before
    agent 0 apply --yes
    snapshot after
    unchanged before after '/var/lib/mt-agent|/var/log'
}

on_the_desk() { desk checks.py "$desk_disk"; }

after() {
    untouched foreign
    changed retention other
}
