# shellcheck shell=bash
# protected machines' disks are attached: none is touched

hardware() {
    disk customer-ext4 20G
    disk customer-lvm 20G
    disk blank 1T
}

# What failback attaches: a machine's disk with partitions, and one that is an LVM physical volume.
boot_0() {
    sfdisk --quiet /dev/sdb <<<'start=1MiB, type=83'
    udevadm settle
    mkfs.ext4 -q -L customer /dev/sdb1
    modprobe dm-mod
    pvcreate -qq /dev/sdc
    vgcreate -qq customer /dev/sdc
    lvcreate -qq -n data -l 100%FREE customer
    vgchange -qq -an customer
    expect "the customer's disks are prepared" blkid -p /dev/sdb1 /dev/sdc
}

boot_1() {
    quick_yum
    say "the master target software is installed here"
    printf 'VERSION=9.9.0.0\nINSTALLATION_DIR=/usr/local/ASR\n' >/usr/local/.vx_version
    mkdir -p /usr/local/ASR/etc
    printf 'Role=MasterTarget\n' >/usr/local/ASR/etc/drscout.conf
    # With the software installed its version is judged against the configuration server's.
    printf 'site:\n  configuration-server-version: 9.9.0.0\n' >>/etc/mt-agent/profile.yaml
    agent 0 disks --probe
    said 'not eligible'
    agent 3 apply --yes
    expect "the vendor's script ran once" [ "$(vendor_runs)" = 1 ]
}

boot_2() {
    say "after the restart multipath has maps over all of them"
    run multipath -ll

    say "the lone blank disk, unnamed"
    agent 1 apply --yes
    said "the master target software is installed, so a blank disk may be a protected machine's: name the disk with --retention-disk. Blank: sdd ($(id_of /dev/sdd), 1 TiB)"
    judge
    finding retention.disk unmet
    expect "it is blank still" cmp -n 64M /dev/zero /dev/sdd
    expect_not "nothing is mounted at /mnt/retention" mountpoint -q /mnt/retention

    say "a customer's disk that is named is refused too"
    agent 1 apply --yes --retention-disk "$(id_of /dev/sdb)"
    said "sdb ($(id_of /dev/sdb), 20 GiB) is in use: held by map partition $(id_of /dev/sdb)p1 ("
    agent 1 apply --yes --retention-disk "$(id_of /dev/sdc)"
    said "sdc ($(id_of /dev/sdc), 20 GiB) is in use: LVM customer-data (sdc)"
    expect_not "nothing is mounted at /mnt/retention" mountpoint -q /mnt/retention

    say "the blank one, named; LVM has taken up the customer's volume group at the boot, and is told to let it go"
    agent 1 apply --yes --retention-disk "$(id_of /dev/sdd)"
    carries_it
    judge
    finding layout.own-disks unmet
    finding_says layout.own-disks "vgchange -an customer"
    vgchange -an customer
    agent 0 apply --yes
    echo "points in time" >/mnt/retention/kept

    say "the OS disk is restored: the records and the line in fstab are gone, the volume is not"
    forget
    agent 1 plan
    said "mount /dev/mapper/$(id_of /dev/sdd) at /mnt/retention"
    expect_not "nothing recommends erasing it" grep -q -- --erase-disk "$out/last"
    agent 0 apply --yes
    carries_it
    expect "what was on it is there" grep -q "points in time" /mnt/retention/kept
    expect "it is on record again" grep -q "$(id_of /dev/sdd)" /var/lib/mt-agent/retention.json

    say "a line of fstab that leads nowhere"
    umount /mnt/retention
    sed -i 's#^/dev/mapper/[^ ]* /mnt/retention#UUID=0000-gone /mnt/retention#; /^. mt-agent keeps/d' /etc/fstab
    agent 1 apply --yes
    carries_it
    said "UUID=0000-gone leads to no device"
    expect_not "nothing recommends erasing it" grep -q -- --erase-disk "$out/last"

    say "the volume of a person who wants it erased"
    forget
    agent 0 apply --yes --retention-disk "$(id_of /dev/sdd)" --erase-disk "$(id_of /dev/sdd)"
    carries_it
    expect_not "what was on it is gone" test -e /mnt/retention/kept
    agent 0 apply --yes --retention-disk "$(id_of /dev/sdd)" --erase-disk "$(id_of /dev/sdd)"
    said "that disk is left as it is"
}

carries_it() {
    expect "it carries the volume" grep -q "^/dev/mapper/$(id_of /dev/sdd) /mnt/retention " /proc/mounts
}

# The machine as a backup of its OS disk brings it back.
forget() {
    umount /mnt/retention
    rm -f /var/lib/mt-agent/retention.json
    sed -i '\#/mnt/retention#d' /etc/fstab
}

after() {
    untouched customer-ext4 customer-lvm
    changed blank
}
