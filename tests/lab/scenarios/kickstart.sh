# shellcheck shell=bash disable=SC2154
# disks made by a printed kickstart: the machine starts from them, and check finds the layout it wants

# printed NAME OPTION...: the kickstart NAME.cfg, by the profile on standard input.
printed() {
    cat >"$run_dir/$1.yaml"
    printf "\$6\$salt\$%086d\n" 0 >"$run_dir/hash"
    "$agent_binary" kickstart --profile "$run_dir/$1.yaml" --root-hash-file "$run_dir/hash" \
        --hostname mt-lab.example.test "${@:2}" >"$run_dir/$1.cfg"
}

hardware() {
    as_package
    printed first --address 10.0.2.15/24 --gateway 10.0.2.2 --dns 10.0.2.3 <<'EOF'
extends: centos-6.6
name: lab site
os: {timezone: Europe/Berlin}
installation: {agent: /mnt/source/mt-agent.rpm}
EOF
    install_by "$run_dir/first.cfg" first
    disk retention 1T
}

# script N: the N-th script of the kickstart that this machine was installed by.
script() {
    awk -v wanted="$1" '/^%end$/ { inside = 0 } inside { print } /^%(pre|post)/ { inside = ++count == wanted }' \
        /root/anaconda-ks.cfg
}

boot_1() {
    local id
    say "the disk that the kickstart made"
    run grep -E '^(ignoredisk|clearpart|zerombr|bootloader|part)' /root/anaconda-ks.cfg
    run lsblk -o NAME,SIZE,FSTYPE,MOUNTPOINT
    expect "root takes what is left of the 100 GB" [ "$(blockdev --getsize64 /dev/sda1)" -gt $((70 << 30)) ]
    expect "the fourth partition is a logical one" grep -q ' sda5$' /proc/partitions

    say "before: beside a second disk sda may be another, and nothing is written"
    script 1 >/root/before
    expect_not "with two disks the installation ends" sh /root/before
    run sh /root/before
    said "found: sda sdb. Nothing was written."
    echo 1 >/sys/block/sdb/device/delete
    expect "with one disk it goes on" sh /root/before
    echo '- - -' | tee /sys/class/scsi_host/host*/scan >/dev/null
    udevadm settle --timeout=60

    say "after: name and agent"
    ln -s / /mnt/sysimage
    mkdir /mnt/source
    mv /root/mt-agent.rpm /mnt/source/
    expect_not "no agent is here" test -e /usr/sbin/mt-agent
    sed -i '/mt-lab/d' /etc/hosts
    script 2 >/root/name
    expect "the host's own name is added" sh /root/name
    script 3 >/root/copy
    expect "the package is copied from the medium" sh /root/copy
    quick_yum
    script 4 >/root/agent
    sh /root/agent
    run cat /root/mt-agent-post.log
    expect "the agent is installed" rpm -q mt-agent
    expect "the package is not left behind" test ! -e /root/mt-agent.rpm
    expect "the log tells what the image stage came to" grep -q '^mt-agent apply --stage image: exit code 0 (' "$out/last"
    run mt-agent profile check /etc/mt-agent/profile.yaml
    said "the profile lab site can be used"

    say "what check says of it"
    agent 0 check --only layout
    judge
    for id in root var-crash home swap no-lvm boot-loader; do
        finding "layout.$id" met
    done
    finding layout.partitions not-applicable
    finding network.hosts-file met
    finding os.timezone met
}

# Another machine: one more partition, another type, the procedure's place for the boot loader, a disk by its place.
hardware_2() {
    printed second --disk /dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0 <<'EOF'
extends: centos-6.6
os: {timezone: Europe/Berlin}
layout:
  partitions:
    - {mount: /, type: ext4}
    - {mount: /var/crash, type: ext3}
    - {mount: /home, type: ext4}
    - {mount: /data, type: ext2}
installation:
  network: dhcp
  boot-loader: partition
  sizes:
    - {mount: /, size: 8 GB}
    - {mount: /var/crash, size: 300 MB}
    - {mount: /home, size: 400 MB}
    - {mount: /data, size: 500 MB}
  grow: null
  swap: 600 MB
  agent: https://example.com/mt-agent.rpm
EOF
    install_by "$run_dir/second.cfg" second
    overlay "$os_disk" "$run_dir/os.qcow2"
}

boot_2() {
    say "another kickstart"
    run grep -E '^(ignoredisk|clearpart|zerombr|bootloader|part)' /root/anaconda-ks.cfg
    run rpm -i /run/lab/mt-agent.rpm
    script 2 >/root/profile
    sed -n '/<<.END_OF_PROFILE./,/^END_OF_PROFILE$/p' /root/profile | sh
    agent 0 check --only layout
    judge
    for id in root var-crash home partitions swap no-lvm boot-loader; do
        finding "layout.$id" met
    done
    said "/var/crash: ext3 on sda2"
    said "/data: ext2 on sda5"
    said "GRUB on sda1"
}

after() { untouched retention; }
