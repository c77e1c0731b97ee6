# shellcheck shell=bash
# disks that do not answer (suspended, or queued for with the path failed) hold nobody up; SIGTERM ends apply there

hardware() {
    disk retention 40G
    disk foreign 2G
}

# Another program's file system, on a map that is suspended with something to write.
boot_1() {
    # multipathd, which apply starts, would find the path sound again: it is failed by hand here.
    printf 'waivers:\n- {requirement: multipath.running, reason: paths are failed by hand, until: "%s"}\n' \
        "$(date -u -d '+300 days' +%F)" >>/etc/mt-agent/profile.yaml
    modprobe dm-mod
    mkfs.ext4 -q /dev/sdc
    dmsetup create foreign --table "0 $(blockdev --getsz /dev/sdc) linear /dev/sdc 0"
    mkdir -p /srv/foreign
    mount /dev/mapper/foreign /srv/foreign
    dd if=/dev/zero of=/srv/foreign/file bs=1M count=4 status=none
    dmsetup suspend --noflush --nolockfs foreign
    say "a foreign file system is suspended, and what is made here is synced all the same"
    # What it carries cannot be read, so it may have a name of this host's fstab.
    agent 1 apply --yes
    expect "the vendor's script ran once" [ "$(vendor_runs)" = 1 ]
    dmsetup resume foreign
    umount /srv/foreign
    dmsetup remove foreign
    agent 3 apply --yes
}

# ended SECONDS: the last agent ended within that time.
ended() {
    local took=$((SECONDS - since))
    expect "it ended after $took s" [ $took -lt "$1" ]
}

boot_2() {
    local map path
    map=$(id_of /dev/sdb)
    path=$(cat /sys/block/sdb/dev)
    export MT_AGENT_DEADLINE_SECONDS=15

    say "the map is suspended"
    dmsetup suspend --noflush "$map"
    since=$SECONDS
    agent 0 disks --probe /dev/sdb
    said "the map $map is suspended: dmsetup resume $map"
    ended 150
    since=$SECONDS
    agent 0 plan --retention-disk "$map"
    said "--erase-disk does not lift that: see to that first"
    ended 150
    dmsetup resume "$map"

    say "its only path is failed, and it queues"
    dmsetup message "$map" 0 queue_if_no_path
    dmsetup message "$map" 0 "fail_path $path"
    since=$SECONDS
    agent 0 plan --retention-disk "$map"
    said "the path sdb of the map $map is failed, and stays so on a healthy disk while no multipathd runs"
    ended 150
    dmsetup message "$map" 0 "reinstate_path $path"

    say "it is suspended while apply examines it, and SIGTERM ends that"
    unset MT_AGENT_DEADLINE_SECONDS
    mt-agent apply --yes --retention-disk "$map" >"$out/apply.log" 2>&1 &
    local agent=$!
    until grep -qs 'change: retention.disk' /var/log/mt-agent.log; do sleep 0.05; done
    dmsetup suspend --noflush "$map"
    sleep 10
    since=$SECONDS
    kill -TERM $agent
    wait $agent
    expect "it exits 2" [ $? = 2 ]
    ended 60
    cat "$out/apply.log"
    dmsetup resume "$map"
    udevadm settle

    say "all is well again"
    agent 0 apply --yes --retention-disk "$map"
    expect "it carries the volume" grep -q "^/dev/mapper/$map /mnt/retention " /proc/mounts
    dies_under_the_volume "$map" "$path"
    root_dies
}

# alive EXIT [TEXT]: what is said of the storage under the volume, with what it says.
alive() {
    since=$SECONDS
    agent "$1" check --only retention.alive
    [ -z "${2-}" ] || said "$2"
    ended 60
}

# dies_under_the_volume MAP PATH: while it is mounted. dmsetup's own word stands beside ours: the kernel is asked by ioctl.
dies_under_the_volume() {
    local map=$1 path=$2 name
    name=$(basename "$(readlink -f "/dev/mapper/$map")")
    say "the volume is mounted, and all is well"
    alive 0
    say "its map is suspended"
    dmsetup suspend --noflush --nolockfs "$map"
    expect "the kernel says so" grep -q 'SUSPENDED' <(dmsetup info "$map")
    alive 1 "$name is suspended"
    dmsetup resume "$map"
    alive 0
    say "its only path is failed"
    dmsetup message "$map" 0 queue_if_no_path
    dmsetup message "$map" 0 "fail_path $path"
    expect "the kernel says so" grep -q " $path F " <(dmsetup status "$map")
    alive 1 "multipath takes the path sdb for failed"
    dmsetup message "$map" 0 "reinstate_path $path"
    alive 0
    say "its disk is offline"
    echo offline >/sys/block/sdb/device/state
    alive 1 "sdb is offline"
    echo running >/sys/block/sdb/device/state
    dmsetup message "$map" 0 "reinstate_path $path"
    alive 0
}

# The last thing of all: what is not in memory cannot be run meanwhile.
root_dies() {
    say "the disk of / is offline"
    agent 0 check --only layout.root
    sync
    echo offline >/sys/block/sda/device/state
    since=$SECONDS
    agent 1 check --only layout.root
    said "sda is offline"
    ended 60
    echo running >/sys/block/sda/device/state
}

after() { changed retention; }
