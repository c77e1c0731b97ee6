# shellcheck shell=bash
# sdb and sdc change places with the restart: the disk that was agreed on is erased and formatted, the other is not

hardware() {
    disk agreed 1T
    disk other 1T
}

# Swaps the places of the two disks on their controller, as a disk that is attached anew does. Each keeps its ID.
hardware_2() {
    local index
    for index in "${!devices[@]}"; do
        case ${devices[index]} in
            *drive=disk-agreed,*) devices[index]=${devices[index]/scsi-id=1,/scsi-id=2,} ;;
            *drive=disk-other,*) devices[index]=${devices[index]/scsi-id=2,/scsi-id=1,} ;;
        esac
    done
}

boot_0() {
    mkfs.ext4 -q -L old /dev/sdb
    expect "the disk that will be agreed on carries something" blkid -p /dev/sdb
}

boot_1() {
    quick_yum
    id_of /dev/sdb >/root/agreed
    agent 3 apply --yes --retention-disk /dev/sdb --erase-disk /dev/sdb
    run grep -A 5 request /var/lib/mt-agent/resume.json
    said "\"erase-disk\": \"$(cat /root/agreed)\""
    said erase-fingerprint
}

boot_2() {
    local agreed
    agreed=$(cat /root/agreed)
    expect "what was /dev/sdb is /dev/sdc now" [ "$(id_of /dev/sdc)" = "$agreed" ]
    expect_not "and /dev/sdb is the other one" [ "$(id_of /dev/sdb)" = "$agreed" ]

    say "a profile that says /dev/sdb is no help"
    { cat /etc/mt-agent/profile.yaml; printf 'retention:\n  disk: /dev/sdb\n'; } >/root/profile.yaml
    agent 0 plan --profile /root/profile.yaml --skip multipath.running
    said "the profile names the disk /dev/sdb, which can be another one after each restart: put its SCSI ID (now $(id_of /dev/sdb)) there"
    said 'nothing for apply to change, 4 left to a person'

    say "what the service does after the restart"
    agent 0 apply --resume
    said "ERASE and make an ext4 file system on /dev/mapper/$agreed"
    expect "the agreed disk carries the volume" grep -q "^/dev/mapper/$agreed /mnt/retention " /proc/mounts
}

after() {
    changed agreed
    untouched other
}
