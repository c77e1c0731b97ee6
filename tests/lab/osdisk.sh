# shellcheck shell=bash
# The practice machine's OS disk: the tree dressed as a freshly installed CentOS 6.6 minimal, on the
# partitions the procedure asks for.

root_uuid=6f1d7a4e-0b1c-4a55-9a0e-5c0de0000001
crash_uuid=6f1d7a4e-0b1c-4a55-9a0e-5c0de0000003
home_uuid=6f1d7a4e-0b1c-4a55-9a0e-5c0de0000005
swap_uuid=6f1d7a4e-0b1c-4a55-9a0e-5c0de0000002

put() { install -D -m "${3:-644}" /dev/stdin "$1/$2"; }

# dress TREE: the files that an installation leaves behind.
dress() {
    local tree=$1
    echo 'CentOS release 6.6 (Final)' | put "$tree" etc/redhat-release
    ln -s redhat-release "$tree/etc/system-release"
    printf 'NETWORKING=yes\nHOSTNAME=mt-lab.example.test\nGATEWAY=10.0.2.2\n' | put "$tree" etc/sysconfig/network
    rm -f "$tree/etc/hostname"
    printf '%s\n' DEVICE=eth0 TYPE=Ethernet ONBOOT=yes NM_CONTROLLED=no BOOTPROTO=static \
        IPADDR=10.0.2.15 PREFIX=24 GATEWAY=10.0.2.2 DNS1=10.0.2.3 |
        put "$tree" etc/sysconfig/network-scripts/ifcfg-eth0
    printf '%s\n' '127.0.0.1   localhost localhost.localdomain' \
        '::1         localhost localhost.localdomain' \
        '10.0.2.15   mt-lab.example.test mt-lab' | put "$tree" etc/hosts
    rm -f "$tree/etc/resolv.conf"
    echo 'nameserver 10.0.2.3' | put "$tree" etc/resolv.conf
    echo 'ZONE="Europe/Berlin"' | put "$tree" etc/sysconfig/clock
    rm -f "$tree/etc/localtime" "$tree/etc/timezone"
    cp "$tree/usr/share/zoneinfo/Europe/Berlin" "$tree/etc/localtime"
    echo '# /etc/bashrc' | put "$tree" etc/bashrc
    printf '%s\n' default=0 timeout=5 'title CentOS (2.6.32-504.el6.x86_64)' '	root (hd0,0)' \
        "	kernel /boot/vmlinuz-2.6.32-504.el6.x86_64 ro root=UUID=$root_uuid rd_NO_LVM" |
        put "$tree" boot/grub/grub.conf 600
    cat <<EOF | put "$tree" etc/fstab

#
# /etc/fstab
# Created by anaconda on Sun Nov  2 10:00:00 2014
#
UUID=$root_uuid /                       ext4    defaults        1 1
UUID=$crash_uuid /var/crash              ext4    defaults        1 2
UUID=$home_uuid /home                   ext4    defaults        1 2
UUID=$swap_uuid swap                    swap    defaults        0 0
tmpfs                   /dev/shm                tmpfs   defaults        0 0
devpts                  /dev/pts                devpts  gid=5,mode=620  0 0
sysfs                   /sys                    sysfs   defaults        0 0
proc                    /proc                   proc    defaults        0 0
EOF
    mkdir -p "$tree/var/crash" "$tree/home" "$tree/etc/mt-agent"
    # el6 has no /run; udev, LVM and multipath of Debian 12 cannot do without.
    mkdir -p "$tree/run"
    # A stand-in for VMware Tools' daemon, which does nothing. The real one finds the emulator's
    # VMware I/O port and then ends, because no message channel answers behind it.
    cp "$tree/bin/sleep" "$tree/usr/bin/vmtoolsd"
    # udev rules of a later day than el6's: with them lsscsi -i shows a name made from page 0x80.
    rm -f "$tree"/usr/lib/udev/rules.d/5[58]-scsi-sg3_*.rules
    # Where el6 keeps init scripts and their links.
    mkdir -p "$tree"/etc/rc.d/{init.d,rc{0..6}.d}
    install -m 755 "$lab_source/guest/chkconfig" "$tree/usr/sbin/chkconfig"
    install -m 755 "$lab_source/guest/restart" "$tree/usr/sbin/reboot"
    install -m 755 "$lab_source/guest/restart" "$tree/usr/sbin/shutdown"
}

# dress_packages TREE: a real rpm database, and a repository that yum (dnf) takes packages from.
dress_packages() {
    local tree=$1
    # Debian's rpm keeps a database in the home directory unless told; yum and rpm must share one.
    echo '%_dbpath /var/lib/rpm' | put "$tree" etc/rpm/macros
    ln -s dnf "$tree/usr/bin/yum"
    printf '%s\n' '[main]' gpgcheck=0 keepcache=0 plugins=0 timeout=5 retries=1 | put "$tree" etc/dnf/dnf.conf
    printf '%s\n' '[lab]' 'name=Practice lab' baseurl=file:///srv/lab/repo gpgcheck=0 |
        put "$tree" etc/yum.repos.d/lab.repo
    mkdir -p "$tree/srv/lab"
    build_packages "$tree/srv/lab"
    chroot "$tree" sh -c 'rpm -i --quiet /srv/lab/installed/*.rpm'
    rm -rf "$tree/srv/lab/installed"
}

# format DISK START_MIB SIZE_MIB LABEL UUID [TREE]: ext4 inside the disk's file, no loop device needed.
format() {
    local from=()
    [[ -z ${6-} ]] || from=(-d "$6")
    mkfs.ext4 -q -F -L "$4" -U "$5" -O '^metadata_csum_seed,^orphan_file' -E "offset=$(($2 << 20)),lazy_itable_init=1" \
        "${from[@]}" "$1" "$3M"
}

# build_os_disk DIRECTORY: os.qcow2 in it.
build_os_disk() {
    local tree=$1/tree raw=$1/os.raw
    cp -a --reflink=auto "$system_tree" "$tree"
    cp -r "$boot_files/lib/modules" "$tree/usr/lib/"
    dress "$tree"
    dress_packages "$tree"
    truncate -s 100G "$raw"
    # Sizes in MiB. The root partition is small so that mkfs is quick; the disk has the full 100 GB.
    sfdisk -q "$raw" <<'EOF'
label: dos
start=1MiB, size=8191MiB, type=83, bootable
start=8192MiB, size=1024MiB, type=82
start=9216MiB, size=1024MiB, type=83
start=10240MiB, size=1024MiB, type=83
EOF
    mkdir -p "$tree/boot/grub2"
    # lzma_decompress makes core.img self-contained; it fits in the gap before the first partition.
    grub-mkimage -O i386-pc -p '(hd0,msdos1)/boot/grub2' -o "$raw.core" biosdisk part_msdos ext2 normal
    dd if=/usr/lib/grub/i386-pc/boot.img of="$raw" bs=440 count=1 conv=notrunc status=none
    dd if="$raw.core" of="$raw" bs=512 seek=1 conv=notrunc status=none
    format "$raw" 1 8191 lab-root $root_uuid "$tree"
    format "$raw" 9216 1024 lab-crash $crash_uuid
    format "$raw" 10240 1024 lab-home $home_uuid
    truncate -s 1G "$raw.swap"
    mkswap -q -U $swap_uuid "$raw.swap"
    dd if="$raw.swap" of="$raw" bs=1M seek=8192 conv=notrunc,sparse status=none
    qemu-img convert -f raw -O qcow2 "$raw" "$1/os.qcow2"
    rm -rf "$tree" "$raw" "$raw.core" "$raw.swap"
}

# ensure_os_disk: sets $os_disk to the cached image.
ensure_os_disk() {
    cached disk "$boot_files $(cat "$lab_source"/{osdisk.sh,packages.sh,packages.table,guest/restart,guest/chkconfig})" \
        "its OS disk" build_os_disk
    os_disk=$cached/os.qcow2
}
