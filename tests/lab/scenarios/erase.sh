# shellcheck shell=bash
# --erase-disk on an MBR and on a GPT with the wipefs, blkid and mkfs.ext4 of CentOS 6.6, killed in between, to ready

hardware() {
    disk mbr 1T
    disk gpt 1T
}

boot_0() {
    sfdisk --quiet /dev/sdb <<<$'label: dos\n,2G\n,2G,E\n,1G\n'
    sfdisk --quiet /dev/sdc <<<$'label: gpt\n,2G\n,2G\n'
    udevadm settle
    mkfs.ext4 -q -L old /dev/sdb1
    mkfs.ext4 -q -L old /dev/sdc1
    expect "both disks have partitions" blkid -p /dev/sdb5 /dev/sdc2
}

# old_tools: what CentOS 6.6's versions were seen to do on a 2.6.32 kernel. Whoever starts the tool that /root/kill names is
# killed instead.
old_tools() {
    local tool
    for tool in wipefs blkid mkfs.ext4; do
        cp --dereference "$(command -v $tool)" "/root/$tool"
    done
    ln -sf /root/mkfs.ext4 /root/mke2fs
    # shellcheck disable=SC2016 # the stand-ins expand it
    local head='#!/bin/bash
        node=${!#} tool=${0##*/}
        if [[ $tool == "$(cat /root/kill 2>/dev/null)" ]]; then rm /root/kill; kill -KILL "$PPID"; exit 1; fi'
    cat >"$(command -v wipefs)" <<EOF1
$head
table=\$(/root/blkid -p -o value -s PTTYPE "\$node")
[[ -z \$table ]] || echo "wipefs: WARNING: \$node: appears to contain '\$table' partition table" >&2
exec /root/wipefs -t nodos,noPMBR,nogpt "\$@"
EOF1
    cat >"$(command -v blkid)" <<EOF1
$head
/root/blkid "\$@" | sed 's/^ID_FS_AMBIVALENT=/ID_FS_AMBIVALEN=/'
status=\${PIPESTATUS[0]}
exit "\$((status == 8 ? 2 : status))"
EOF1
    tool=$(command -v mkfs.ext4)
    rm "$tool"
    cat >"$tool" <<EOF1
$head
printf '%s is entire device, not just one partition!\nProceed anyway? (y,n) ' "\$node"
read -r answer && [[ \$answer == y ]] || exit 1
blkdiscard -f "\$node" 2>/dev/null
[[ " \$* " != *' -n '* ]] || exit 0
exec /root/mkfs.ext4 "\$@"
EOF1
    chmod 755 "$tool"
}

# erase DEVICE KILLED_AT: killed there, then resumed, then once more.
erase() {
    local id
    id=$(id_of "/dev/$1")
    run lsscsi
    expect "the kernel or multipath shows its partitions" sh -c "ls /sys/block/$1 | grep -q '^$1' || ls /dev/mapper | grep -q '^$id.'"
    agent 1 apply --yes --retention-disk "$id"
    said "--erase-disk $id"
    echo "$2" >/root/kill
    agent 137 apply --yes --retention-disk "$id" --erase-disk "$id"
    expect_not "it was killed at $2" test -e /root/kill
    agent 0 apply --yes --retention-disk "$id" --erase-disk "$id"
    expect "no partition is left of it" sh -c "! ls /sys/block/$1 | grep '^$1' && ! ls /dev/mapper | grep '^$id.'"
    expect "the volume is on its map" grep -q "^/dev/mapper/$id /mnt/retention ext4 rw" /proc/mounts
    expect "fstab has the documented line" grep -qx "/dev/mapper/$id /mnt/retention ext4 rw 0 0" /etc/fstab
    agent 0 check
    snapshot before
    agent 0 apply --yes
    snapshot after
    unchanged before after '/var/lib/mt-agent|/var/log'
}

boot_1() {
    agent 3 apply --yes
}

boot_2() {
    old_tools
    say "an MBR, killed between the zeros and wipefs"
    erase sdb wipefs

    say "a GPT, killed before mkfs.ext4"
    umount /mnt/retention
    sed -i '/retention/d' /etc/fstab
    rm /var/lib/mt-agent/retention.json
    # Else the first volume would be known again.
    dd if=/dev/zero of="/dev/mapper/$(id_of /dev/sdb)" bs=1M count=1 conv=notrunc status=none
    udevadm settle
    erase sdc mkfs.ext4
}

boot_3() {
    say "the next boot mounts the volume by itself"
    agent 0 check
}

after() { changed mbr gpt; }
