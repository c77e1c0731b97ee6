# shellcheck shell=bash
# two blank disks: neither is taken until one is named

hardware() {
    disk first 1T
    disk second 1T
}

boot_1() {
    quick_yum
    agent 3 apply --yes
}

boot_2() {
    agent 1 apply --yes
    said "$(id_of /dev/sdb)"
    said "$(id_of /dev/sdc)"
    judge
    finding retention.disk unmet
    expect "neither disk was formatted" [ -z "$(blkid -p "/dev/mapper/$(id_of /dev/sdb)" "/dev/mapper/$(id_of /dev/sdc)")" ]

    say "named, the second is taken and the first is not"
    agent 0 apply --yes --retention-disk "$(id_of /dev/sdc)"
    agent 0 check
    expect "the named disk carries the volume" grep -q "^/dev/mapper/$(id_of /dev/sdc) /mnt/retention " /proc/mounts
}

after() {
    untouched first
    changed second
}
