# shellcheck shell=bash
# The practice machine's OS disk: the tree dressed as a freshly installed CentOS 6.6 minimal, on the
# partitions the procedure asks for.

# The partitions, in order: mount point, type, size in MiB. The root partition is small so that mkfs is quick; the
# disk has the full 100 GB.
os_layout=('/ ext4 8191' 'swap swap 1024' '/var/crash ext4 1024' '/home ext4 1024')
# What is beyond so many primary partitions is logical, in an extended one.
os_primary=4
# GRUB in the disk's first sector (mbr), or in that of the first partition (partition).
os_boot_loader=mbr
# The kickstart that it was installed by, if any.
os_kickstart=

# partition_uuid N: what the N-th of os_layout is known by.
partition_uuid() { printf '6f1d7a4e-0b1c-4a55-9a0e-5c0de%07d' "$1"; }

# placed: the partitions as N START SIZE MOUNT TYPE, in MiB.
placed() {
    local number=0 start=1 mount type size entry
    for entry in "${os_layout[@]}"; do
        read -r mount type size <<<"$entry"
        number=$((number + 1))
        # Before a logical partition lies its own table.
        ((number <= os_primary)) || start=$((start + 1))
        echo "$number $start $size $mount $type"
        start=$((start + size))
    done
}

# table: the partition table, for sfdisk.
table() {
    local number start size mount type code active
    echo 'label: dos'
    while read -r number start size mount type; do
        ((number != os_primary + 1)) || echo "start=$((start - 1))MiB, type=5"
        code=83 active=
        [[ $type != swap ]] || code=82
        ((number > 1)) || active=', bootable'
        echo "start=${start}MiB, size=${size}MiB, type=$code$active"
    done < <(placed)
}

# mounts: the lines of fstab.
mounts() {
    local number start size mount type pass
    while read -r number start size mount type; do
        pass='1 2'
        [[ $mount != / ]] || pass='1 1'
        [[ $mount != swap ]] || pass='0 0'
        printf 'UUID=%s %-23s %-7s defaults        %s\n' "$(partition_uuid "$number")" "$mount" "$type" "$pass"
    done < <(placed)
}

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
        "	kernel /boot/vmlinuz-2.6.32-504.el6.x86_64 ro root=UUID=$(partition_uuid "$(placed | awk '$4 == "/" { print $1 }')") rd_NO_LVM" \
        '	initrd /boot/initramfs-2.6.32-504.el6.x86_64.img' | put "$tree" boot/grub/grub.conf 600
    # Stand-ins: the lab starts its own kernel.
    echo kernel | put "$tree" boot/vmlinuz-2.6.32-504.el6.x86_64
    echo initrd | put "$tree" boot/initramfs-2.6.32-504.el6.x86_64.img
    cat <<EOF | put "$tree" etc/fstab

#
# /etc/fstab
# Created by anaconda on Sun Nov  2 10:00:00 2014
#
$(mounts)
tmpfs                   /dev/shm                tmpfs   defaults        0 0
devpts                  /dev/pts                devpts  gid=5,mode=620  0 0
sysfs                   /sys                    sysfs   defaults        0 0
proc                    /proc                   proc    defaults        0 0
EOF
    mkdir -p "$tree/etc/mt-agent"
    [[ -z $os_kickstart ]] || put "$tree" root/anaconda-ks.cfg 600 <"$os_kickstart"
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
    install -m 755 "$lab_source/guest/service" "$tree/usr/sbin/service"
    # Of device-mapper-multipath, whose package is as empty here as the others.
    install -m 755 "$lab_source/guest/multipathd" "$tree/etc/rc.d/init.d/multipathd"
    echo 'id:3:initdefault:' | put "$tree" etc/inittab
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

# format DISK TREE N START SIZE MOUNT TYPE: the file system, or the swap, of one partition inside the disk's file; no
# loop device needed.
format() {
    local raw=$1 number=$3 start=$4 size=$5 mount=$6 type=$7 label from=()
    label=lab${mount//\//-}
    if [[ $type == swap ]]; then
        truncate -s "${size}M" "$raw.swap"
        mkswap -q -U "$(partition_uuid "$number")" "$raw.swap"
        dd if="$raw.swap" of="$raw" bs=1M seek="$start" conv=notrunc,sparse status=none
        rm "$raw.swap"
        return
    fi
    # The initrd finds root by its label.
    [[ $mount != / ]] || { label=lab-root; from=(-d "$2"); }
    "mkfs.$type" -q -F -L "${label:0:16}" -U "$(partition_uuid "$number")" -O '^metadata_csum_seed,^orphan_file' \
        -E "offset=$((start << 20)),lazy_itable_init=1" "${from[@]}" "$raw" "${size}M"
}

# boot_sector DISK: GRUB, where os_boot_loader says.
boot_sector() {
    # Behind the code of the disk's first sector lies the table; a partition's is GRUB's to its signature.
    local at=0 length=440
    if [[ $os_boot_loader == partition ]]; then
        at=$((1 << 20)) length=512
        # What libparted, and so anaconda, puts in front of a new table: code that starts the active partition.
        truncate -s 4M "$1.label"
        parted -s "$1.label" mklabel msdos
        dd if="$1.label" of="$1" bs=440 count=1 conv=notrunc status=none
        rm "$1.label"
    fi
    # lzma_decompress makes core.img self-contained; it fits in the gap before the first partition.
    grub-mkimage -O i386-pc -p '(hd0,msdos1)/boot/grub2' -o "$1.core" biosdisk part_msdos ext2 normal
    dd if=/usr/lib/grub/i386-pc/boot.img of="$1" bs="$length" count=1 seek="$at" oflag=seek_bytes conv=notrunc status=none
    dd if="$1.core" of="$1" bs=512 seek=1 conv=notrunc status=none
    rm "$1.core"
}

# build_os_disk DIRECTORY: os.qcow2 in it.
build_os_disk() {
    local tree=$1/tree raw=$1/os.raw number start size mount type
    cp -a --reflink=auto "$system_tree" "$tree"
    cp -r "$boot_files/lib/modules" "$tree/usr/lib/"
    dress "$tree"
    dress_packages "$tree"
    mkdir -p "$tree/boot/grub2"
    truncate -s 100G "$raw"
    table | sfdisk -q "$raw"
    while read -r number start size mount type; do
        [[ $type == swap ]] || mkdir -p "$tree$mount"
    done < <(placed)
    while read -r number start size mount type; do
        format "$raw" "$tree" "$number" "$start" "$size" "$mount" "$type"
    done < <(placed)
    # mkfs clears the first sectors of what it makes.
    boot_sector "$raw"
    qemu-img convert -f raw -O qcow2 "$raw" "$1/os.qcow2"
    rm -rf "$tree" "$raw"
}

# os_disk_input: what OS disks are made of.
os_disk_input() { cat "$lab_source"/{osdisk.sh,packages.sh,packages.table,guest/restart,guest/chkconfig}; }

# ensure_os_disk: sets $os_disk to the cached image.
ensure_os_disk() {
    cached disk "$boot_files $(os_disk_input)" \
        "its OS disk" build_os_disk
    os_disk=$cached/os.qcow2
}
