# shellcheck shell=bash disable=SC2016,SC2154 # the parts in tests/lab set what is used here
# a protected machine from the same template: behind the system disk, before it, and started in its place

# Its disk is the system disk once more, with the same UUIDs and labels.
hardware() {
    disk retention 1T
    overlay "$os_disk" "$run_dir/twin.pristine"
    overlay "$run_dir/twin.pristine" "$run_dir/twin.qcow2"
    attach twin
}

# The two change places on their controller. Each keeps its ID.
hardware_3() {
    local index
    for index in "${!devices[@]}"; do
        case ${devices[index]} in
            *drive=disk-os,*) devices[index]=${devices[index]/scsi-id=0,/scsi-id=2,} ;;
            *drive=disk-twin,*) devices[index]=${devices[index]/scsi-id=2,/scsi-id=0,} ;;
        esac
    done
}

# The initrd finds / by its label: the system disk is to be started, until boot_3 says otherwise.
boot_0() { starts_from lab-twin lab-root; }

# starts_from OF_TWIN OF_OWN: the labels of the two root file systems.
starts_from() {
    local device
    for device in $(root_of "$(twin)") $(root_of "$(own)"); do
        tune2fs -L "$1" "$device" >/dev/null
        shift
    done
    sync
}

# root_of DISK: its first partition, or that of its map, under which the kernel shows no partitions.
root_of() { if [ -b "${1}1" ]; then echo "${1}1"; else echo "/dev/mapper/$(id_of "$1")p1"; fi; }

# The disks, whichever places they have.
twin() { disk_with 0020; }
own() { disk_with 0000; }
disk_with() {
    local disk
    for disk in /dev/sd?; do
        [[ $(id_of "$disk") != *$1 ]] || echo "$disk"
    done
}

# What has been written to the customer's disk since this boot, in sectors.
written() { awk '{ print $7 }' "/sys/block/$(basename "$(twin)")/stat"; }

# looks COMMAND...: none of them writes to the customer's disk. What is mounted from it writes by itself.
looks() {
    local point before
    awk '$4 == "/" && $5 != "/" { print $3, $5 }' /proc/self/mountinfo | while read -r number point; do
        ! is_on_twin "$number" || mount -o remount,ro "$point"
    done
    sync
    before=$(written)
    "$@"
    sync
    expect "nothing was written to the customer's disk" [ "$(written)" = "$before" ]
}

is_on_twin() { lsblk -nro MAJ:MIN "$(twin)" | grep -qx "$1"; }

# mounted_from_twin: the mount points below / that lie on it.
mounted_from_twin() {
    awk '{ print $3, $5 }' /proc/self/mountinfo | while read -r number point; do
        ! is_on_twin "$number" || echo "$point"
    done
}

# advised: does what the finding says: its commands, and the names that have to stand in the files.
advised() {
    local line place command
    report text "$out/check.json" layout.own-disks >"$out/advice"
    grep -oE '`(swapoff|umount|vgchange|losetup) [^`]*`' "$out/advice" | tr -d '`' >"$out/commands"
    while read -r command; do
        expect "$command" bash -c "$command"
    done <"$out/commands"
    while read -r place line; do
        case $place in
            root=) sed -i "s#root=[^ ]*#root=$line#" /boot/grub/grub.conf ;;
            *) sed -i "${place}s#^[^ ]*#$line#" /etc/fstab ;;
        esac
    done < <(grep -oE 'in (line [0-9]+|root=) of [^ ]+( \([^)]*\))?, put [^ ]+' "$out/advice" |
        sed -E 's/^in (line )?([^ ]+) .* put /\2 /')
    run cat /etc/fstab
}

attempts() {
    agent 1 check
    agent 1 plan --retention-disk "$(id_of /dev/sdb)"
    agent 1 apply --yes --retention-disk "$(id_of /dev/sdb)"
}

boot_1() {
    quick_yum
    say "a fresh host, and the customer's disk is there already"
    looks attempts
    judge
    finding layout.own-disks unmet
    finding layout.next-boot unmet
    finding_says layout.own-disks "$(id_of "$(own)")"
    finding_says layout.own-disks "$(id_of "$(twin)")"
    expect_not "no own disk is put on record" grep -q own-disks /var/lib/mt-agent/identity.json
}

boot_2() {
    say "behind the system disk, through multipath"
    run lsblk
    expect "a file system of the customer's is mounted as this host's" [ -n "$(mounted_from_twin)" ]
    looks attempts
    judge
    finding layout.own-disks unmet
    finding_says layout.own-disks "umount"
    expect_not "no own disk is put on record" grep -q own-disks /var/lib/mt-agent/identity.json

    say "what the finding says is done"
    advised
    run mount -a
    run swapon -a
    expect_not "nothing of the customer's is mounted" [ -n "$(mounted_from_twin)" ]
    looks agent 0 apply --yes
    agent 0 check
    judge
    finding layout.own-disks met
    expect "the own disks are on record" grep -q own-disks /var/lib/mt-agent/identity.json

    say "mounted by hand"
    run mount -o ro,noload "$(lsblk -nrpo NAME "$(twin)" | tail -1)" /srv
    agent 1 check --only layout
    said "is mounted at /srv"
    umount /srv
    agent 0 check --quiet
    sync
}

boot_3() {
    say "before the system disk"
    expect "the customer's disk is the first one" [ "$(twin)" = /dev/sda ]
    expect_not "nothing of the customer's is mounted" [ -n "$(mounted_from_twin)" ]
    looks agent 0 check
    looks agent 0 apply --yes
    judge
    finding layout.own-disks met
    expect "nothing was written to the customer's disk in this boot" [ "$(written)" = 0 ]
    cp /var/lib/mt-agent/identity.json /mnt/retention/
    starts_from lab-root lab-own
}

boot_4() {
    say "in the place of the system disk: the customer's system is started"
    PATH=/run/lab:$PATH
    expect "/ lies on the customer's disk" grep -q "^$(twin)1 / " /proc/mounts
    agent 1 check
    judge
    finding layout.own-disks unmet
    finding_says layout.own-disks "root= of /boot/grub/grub.conf"

    say "with this host's record on it, as of a copy of the whole machine"
    mkdir -p /var/lib/mt-agent /mnt/look
    mount -o ro,noload "/dev/disk/by-id/scsi-$(id_of /dev/sdb)" /mnt/look || mount -o ro,noload /dev/sdb /mnt/look
    cp /mnt/look/identity.json /var/lib/mt-agent/
    umount /mnt/look
    agent 1 check
    said "/ ITSELF LIES ON sda ($(id_of "$(twin)"))"
    said "shut this machine down at once, detach sda"
}
