# shellcheck shell=bash disable=SC2154 # the parts in tests/lab set what is used here
# a template is sealed; its clones finish by themselves and are ready, but for one that kept its UUIDs

hardware() { as_package; }

# What the template carries that no clone may have, each with a word to look for in the image's bytes.
host_key=LAB-HOST-KEY-4f1c9d
passphrase=lab-passphrase-83bd
yum_uuid=0b9f3a52-lab-yum
dbus_id=6f0e4c7d1b2a49a8lab
seed_bytes=LAB-RANDOM-SEED-77
history_word=lab-history-5512

leave_traces() {
    mkdir -p /etc/ssh /etc/udev/rules.d /var/lib/{dhclient,yum,dbus} /etc/multipath
    printf -- '-----BEGIN RSA PRIVATE KEY-----\n%s\n' $host_key >/etc/ssh/ssh_host_rsa_key
    printf 'ssh-rsa AAAAB3NzaC1yc2E%s root@mt-lab\n' $host_key >/etc/ssh/ssh_host_rsa_key.pub
    printf 'SUBSYSTEM=="net", ATTR{address}=="%s", NAME="eth0"\n' "$(cat /sys/class/net/eth0/address)" \
        >/etc/udev/rules.d/70-persistent-net.rules
    printf 'HWADDR=%s\nUUID=%s\n' "$(cat /sys/class/net/eth0/address)" 5c0de000-0000-4000-8000-00000000000e \
        >>/etc/sysconfig/network-scripts/ifcfg-eth0
    echo $passphrase | tee /root/passphrase.txt >/home/passphrase.txt
    echo $yum_uuid >/var/lib/yum/uuid
    echo $dbus_id >/var/lib/dbus/machine-id
    echo $seed_bytes >/var/lib/random-seed
    echo $history_word >/root/.bash_history
    echo "lease { interface \"eth0\"; }" >/var/lib/dhclient/dhclient-eth0.leases
    id_of /dev/sda >/etc/multipath/wwids
}

boot_1() {
    say "the template"
    run rpm -i /root/mt-agent.rpm
    quick_yum
    leave_traces
    # A file that was there and is gone: only its blocks remember it.
    echo "$passphrase" >/root/gone
    sync
    rm /root/gone
    run mt-agent check --stage image --quiet
    said "packages.base"
    agent 0 apply --yes --stage image
    said "stage image"
    expect "the vendor's script is left to each machine" [ "$(vendor_runs)" = 0 ]
    agent 0 check --stage image --quiet
    agent 1 check --stage machine --quiet

    say "what would be sealed"
    snapshot before
    agent 1 seal --dry-run
    snapshot after
    unchanged before after
    said "remove /etc/ssh/ssh_host_rsa_key"
    agent 0 seal --list

    say "sealed"
    agent 0 seal --yes --wipe-free-space
    said "sealed: "
    expect_not "the host keys are gone" test -e /etc/ssh/ssh_host_rsa_key
    expect "the interface still starts on boot" grep -qx ONBOOT=yes /etc/sysconfig/network-scripts/ifcfg-eth0
    expect_not "it has no hardware address" grep -q HWADDR /etc/sysconfig/network-scripts/ifcfg-eth0
    expect "the host has no name" grep -qx HOSTNAME=localhost.localdomain /etc/sysconfig/network
    expect_not "nor in /etc/hosts" grep -q mt-lab /etc/hosts
    expect "file systems keep their UUIDs in fstab" grep -q "^UUID=.* / " /etc/fstab

    say "sealed again: nothing to do"
    snapshot before
    agent 0 seal --yes --wipe-free-space
    said "sealed already"
    snapshot after
    unchanged before after
    agent 0 check --stage image --quiet
    # What an orderly end does, and the lab's reset does not wait for.
    sync
}

# What a clone is told by whoever customises it (vSphere's guest customization, configuration management): its name, and
# which disk is its retention disk.
customise() {
    sed -i "s/^HOSTNAME=.*/HOSTNAME=$1/" /etc/sysconfig/network
    echo "10.0.2.15   $1 ${1%%.*}" >>/etc/hosts
    [ -z "${2-}" ] || printf 'retention: {disk: %s}\n' "$2" >>/etc/mt-agent/profile.yaml
}

# The first clone: named, with a retention disk that its profile names.
boot_named1() {
    say "first boot: the service has run the vendor's script, and asks for the restart by itself"
    expect "the vendor's script ran once" [ "$(vendor_runs)" = 1 ]
    expect "the machine was asked to restart" grep -qx -- '-r now' /run/lab/shutdown
    judge
    finding image.identity met
    finding custom-changes.root-disk met
    expect "the blacklist has this machine's root disk" grep -q "\"$(id_of /dev/sda)\"" /etc/multipath.conf
    run mt-agent check --quiet
    said "the first boot of this clone is not finished"
    customise mt-one.example.test "$(id_of /dev/sdb)"
}

boot_named2() {
    say "second boot: the rest is done, and nothing waits any more"
    agent 0 check --quiet
    expect "the retention volume is there" mountpoint -q /mnt/retention
    expect "the vendor's script ran once" [ "$(vendor_runs)" = 1 ]
    expect_not "the first boot is over" test -e /var/lib/mt-agent/resume.json
    expect_not "check says nothing of it" grep -q "first boot" "$out/last"
    snapshot before
    agent 0 apply --yes
    snapshot after
    unchanged before after '/var/log'
}

# The second clone: nobody named a disk.
boot_waits1() {
    expect "the machine was asked to restart" grep -qx -- '-r now' /run/lab/shutdown
    customise mt-two.example.test
}

boot_waits2() {
    say "a clone whose retention disk nobody named waits, and says so"
    judge
    finding retention.disk unmet
    finding image.identity met
    agent 1 check --quiet
    said "the first boot of this clone is not finished"
    expect "it waits still" test -e /var/lib/mt-agent/resume.json
    expect_not "no file system was made" blkid -p /dev/sdb
    agent 0 apply --yes --retention-disk "$(id_of /dev/sdb)"
    expect_not "the first boot is over" test -e /var/lib/mt-agent/resume.json
    agent 0 check --quiet
}

# The third clone kept what its template had.
boot_kept1() {
    say "a clone that kept its template's UUIDs changes nothing, and says why"
    expect "the vendor's script did not run" [ "$(vendor_runs)" = 0 ]
    judge
    finding image.identity unmet
    for word in "the BIOS UUID 564d0a1b" "sda (/) answers with" "eth0 has the hardware address" "vmkfstools"; do
        finding_says image.identity "$word"
    done
    agent 1 check --quiet
    printf 'retention: {disk: %s}\n' "$(id_of /dev/sdb)" >>/etc/mt-agent/profile.yaml
    agent 1 apply --yes
    expect_not "no file system was made" blkid -p "/dev/disk/by-id/scsi-$(id_of /dev/sdb)"
}

# play_clone NAME BOOT...: the boots of one clone; the template's directory is the current one again after it.
play_clone() {
    local name=$1 word
    shift
    for word in "$@"; do
        echo
        echo "=== golden-image: clone '$name', boot $word"
        boot "$name$word"
        host_expectations=$((host_expectations + boot_expectations))
        host_failures=$((host_failures + boot_failures))
    done
}

# console_says NAME TEXT: so that a person at the machine's console knows.
console_says() {
    if tr -s '[:space:]' ' ' <"$run_dir/console.$1" | grep -qF -- "$2"; then host_ok "the console says: $2"
    else host_not_ok "the console says: $2"; fi
}

search() {
    local found
    qemu-img convert -f qcow2 -O raw "$run_dir/os.qcow2" "$run_dir/os.raw"
    found=$(python3 -B "$lab_source/leftovers.py" "$run_dir/os.raw" "host key=$host_key" "passphrase=$passphrase" \
        "yum's UUID=$yum_uuid" "D-Bus' machine id=$dbus_id" "random seed=$seed_bytes" "shell history=$history_word" \
        "hardware address=$mac" "SCSI ID of the root disk=5000c2${disk_family}0000" "a word of the image itself=lab-root")
    rm "$run_dir/os.raw"
    if [[ $found == "a word of the image itself" ]]; then host_ok "nothing of the template is in the image's bytes"
    else host_not_ok "nothing of the template is in the image's bytes (found: ${found//$'\n'/, })"; fi
}

after() {
    local template=$run_dir
    search
    clone named 564d0a1b-0000-4000-8000-000000000001 52:54:00:00:00:01 900a01
    disk retention 1T
    play_clone named 1 2
    changed retention
    run_dir=$template
    clone waits 564d0a1b-0000-4000-8000-000000000002 52:54:00:00:00:02 900a02
    disk retention 1T
    play_clone waits 1 2
    console_says waits2 "a run that nobody watches chooses none"
    run_dir=$template
    clone kept 564d0a1b-2c3d-4e5f-6071-8293a4b5c6d7 52:54:00:12:34:56 900a1b
    disk retention 1T
    play_clone kept 1
    console_says kept1 "the first boot of a clone waits until image.identity is met"
    untouched retention
    run_dir=$template
}
