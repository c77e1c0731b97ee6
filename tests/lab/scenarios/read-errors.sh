# shellcheck shell=bash
# disks that give read errors are never taken, named or not; a sound one beside them is

hardware() {
    local mib=$((1 << 20)) size=$((40 << 30))
    failing first-sectors 40G 8
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
    say "none of them can be read whole"
    for disk in sdb sdc sdd; do
        run mt-agent disks --probe "/dev/$disk"
        said "not eligible: it could not be told whether it is blank: /dev/$disk: reading at offset "
        said 'Input/output error'
    done
    quick_yum
    agent 3 apply --yes
}

# What is said of a disk that is named.
left() {
    said "($1, 40 GiB) is left as it is: it could not be told whether it is blank: /dev/mapper/$1: reading at offset "
    said 'Input/output error (os error 5). A volume on it would not last, and --erase-disk does not lift that: attach another disk'
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

    say "the sound one is the only candidate"
    agent 0 apply --yes
    expect "it carries the volume" grep -q "^/dev/mapper/$(id_of /dev/sde) /mnt/retention " /proc/mounts
}

after() {
    untouched first-sectors middle last-sector
    changed sound
}
