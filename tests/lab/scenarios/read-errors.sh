# shellcheck shell=bash
# disks that give read errors are never taken, named or not; a sound one beside them is, once a person confirms it

hardware() {
    local mib=$((1 << 20)) size=$((40 << 30))
    # Between the places of superblocks (src/facts/storage/superblocks.rs): one of these that cannot be read leaves
    # layout.own-disks unknown.
    failing first-sectors 40G 24
    # Inside the sample in the middle: see src/facts/blank/examine.rs.
    failing middle 40G $(((4 * mib + (size - 8 * mib - 4096) * 511 / 1023) / 512 + 3))
    failing last-sector 40G $((size / 512 - 1))
    disk sound 1T
}

# failing NAME SIZE SECTOR: a blank disk whose sector (of 512 bytes) cannot be read.
failing() {
    local index
    disk "$1" "$2"
    for index in "${!devices[@]}"; do
        [[ ${devices[index]} == *"id=disk-$1,"* && ${devices[index]} == if=none,* ]] || continue
        devices[index]="if=none,id=disk-$1,rerror=report,driver=blkdebug,image.driver=qcow2"
        devices[index]+=",image.file.driver=file,image.file.filename=${run_dir//,/,,}/$1.qcow2"
        devices[index]+=",inject-error.0.event=none,inject-error.0.iotype=read,inject-error.0.sector=$3"
    done
}

boot_1() {
    local disk
    # multipathd, which apply starts, would find the path sound again: it fails by reading here.
    printf 'waivers:\n- {requirement: multipath.running, reason: paths fail by reading, until: "%s"}\n' \
        "$(date -u -d '+300 days' +%F)" >>/etc/mt-agent/profile.yaml
    say "none of them can be read whole"
    for disk in sdb sdc sdd; do
        run mt-agent disks --probe "/dev/$disk"
        said "not eligible: it cannot be determined whether it is blank: /dev/$disk: reading at offset "
        said 'Input/output error'
    done
    quick_yum

    say "the sound one is the only candidate, and nobody named it"
    agent 3 apply --yes
    expect_not "no disk waits for the restart" grep -q '"retention-disk": "' /var/lib/mt-agent/resume.json
    agent 1 plan
    said "sde ($(id_of /dev/sde), 1 TiB) is the only blank disk, but nobody named it"
    said "mt-agent apply --retention-disk $(id_of /dev/sde)"
    say "at a terminal a person is asked for its SCSI ID, and \"y\" is none"
    at_terminal 1 y
    said "Nobody named the disk $(id_of /dev/sde), which is to be formatted. To proceed, type its SCSI ID"
    said "declined: nothing was changed"
    expect_not "no disk waits for the restart" grep -q '"retention-disk": "' /var/lib/mt-agent/resume.json
    at_terminal 3 "$(id_of /dev/sde | tail -c 9)"
    expect "the confirmed disk waits for the restart" \
        grep -q "\"retention-disk\": \"$(id_of /dev/sde)\"" /var/lib/mt-agent/resume.json
    cp /var/lib/mt-agent/resume.json /root/confirmed.json
}

# at_terminal EXIT ANSWER: mt-agent apply at a terminal, where a person types the answer.
at_terminal() {
    run python3 -B /run/lab/terminal.py "$2" mt-agent apply
    expect "mt-agent apply exits $1" [ $? = "$1" ]
}

# What is said of a disk that is named.
left() {
    said "($1, 40 GiB) is left as it is: it cannot be determined whether it is blank: /dev/mapper/$1: reading at offset "
    # No multipathd runs here (boot_1 waives it), so that the path stays failed.
    said 'Input/output error (os error 5); the path'
    said 'A volume on it would not last, and --erase-disk does not lift that: see to that first'
}

boot_2() {
    local disk id
    say "after the restart, with maps over all of them: named, each is refused"
    for disk in sdb sdc sdd; do
        id=$(id_of "/dev/$disk")
        agent 1 apply --yes --retention-disk "$id"
        left "$id"
    done
    say "and is not erased either"
    for disk in sdb sdc sdd; do
        id=$(id_of "/dev/$disk")
        agent 1 apply --yes --retention-disk "$id" --erase-disk "$id"
        left "$id"
    done
    expect_not "nothing is mounted at /mnt/retention" mountpoint -q /mnt/retention

    say "the sound one, unnamed: not by --yes"
    agent 1 apply --yes
    said "a blank disk may be a protected machine's: name the disk with --retention-disk"
    expect_not "nothing is mounted at /mnt/retention" mountpoint -q /mnt/retention

    say "and as it was confirmed before the restart"
    cp /root/confirmed.json /var/lib/mt-agent/resume.json
    # What the disk carries whose first sectors cannot be read is not known: it may have a name of this host's fstab.
    agent 1 apply --resume
    expect "it carries the volume" grep -q "^/dev/mapper/$(id_of /dev/sde) /mnt/retention " /proc/mounts
}

after() {
    untouched first-sectors middle last-sector
    changed sound
}
