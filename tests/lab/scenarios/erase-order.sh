# shellcheck shell=bash
# an erasure that was ordered for a blank disk does not erase what comes onto it before the restart

hardware() { disk retention 1T; }

boot_1() {
    local id
    id=$(id_of /dev/sdb)
    agent 3 apply --yes --retention-disk "$id" --erase-disk "$id"
    run cat /var/lib/mt-agent/resume.json
    expect_not "there was nothing to erase: no order is left" grep -q '"erase-disk": "' "$out/last"

    say "a person puts data onto it, and restarts"
    mkfs.ext4 -q -L precious /dev/sdb
    mount /dev/sdb /mnt
    echo precious >/mnt/file
    umount /mnt
    head -c 64M /dev/sdb | sha256sum >/root/before
}

boot_2() {
    local id
    id=$(id_of /dev/sdb)
    say "what the service does after the restart"
    agent 1 apply --resume
    said "it is not blank: ext4 file system"
    expect "the disk is as it was" [ "$(head -c 64M "/dev/mapper/$id" | sha256sum)" = "$(cat /root/before)" ]
    expect_not "nothing is mounted at /mnt/retention" mountpoint -q /mnt/retention
    mount -o ro "/dev/mapper/$id" /mnt
    expect "the data is there" grep -q precious /mnt/file
    umount /mnt

    say "the person says so now"
    agent 0 apply --yes --retention-disk "$id" --erase-disk "$id"
    agent 0 check --quiet
}

after() { changed retention; }
