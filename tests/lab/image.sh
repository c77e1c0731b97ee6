# shellcheck shell=bash
# The practice machine's parts that are slow to make and seldom change: a Debian tree with the real
# tools, a kernel with the drivers for VMware's virtual hardware, and an initramfs that mounts root.

# Real tools, so that what is practised against is what a field machine answers with. Versions are
# Debian 12's, not CentOS 6.6's: el6 cannot be had here, /etc/redhat-release is the only pretence.
tree_packages=(
    base-files base-passwd bash busybox-static coreutils dash diffutils findutils grep gzip hostname
    libc-bin login mawk mount ncurses-base netbase passwd procps psmisc sed tar tzdata util-linux
    kmod udev iproute2 iputils-ping rpm dnf open-vm-tools strace
    multipath-tools kpartx lsscsi sg3-utils fdisk lvm2 e2fsprogs xfsprogs reiserfsprogs dosfstools
)

kernel_modules=(
    mptsas vmw_pvscsi sd_mod sg vmxnet3 crc32c_generic crc32c_intel ext4 xfs reiserfs
    vfat nls_ascii nls_iso8859-1 loop scsi_dh_alua dm-mod dm-multipath dm-round-robin dm-service-time
    target_core_mod target_core_file tcm_loop
)

build_tree() {
    # Unsafe: a tree that loses power while it is made is made anew.
    debian_tree "$1" "$(this_release)" --dpkgopt=force-unsafe-io --variant=custom --include="$(IFS=,; echo "${tree_packages[*]}")" \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*'
    # Nothing may take the machine for a Debian one, or answer for rpm packages.
    rm -rf "$1"/var/lib/{dpkg,apt} "$1"/var/cache/{apt,debconf} "$1"/usr/bin/{dpkg,apt}* \
        "$1"/etc/{os-release,debian_version,apt,dpkg,machine-id} "$1/usr/lib/os-release"
}

# download_kernel DIRECTORY: Debian's kernel, as a package, if the package lists here lead to it.
download_kernel() {
    local package
    package=$(apt-cache depends linux-image-amd64 | awk '/Depends: linux-image/ { print $2; exit }') &&
        [[ -n $package ]] && mkdir -p "$1" && (cd "$1" && apt-get download -q -o APT::Sandbox::User=root "$package")
}

# fetch_kernel DIRECTORY: the same. There may be no package lists, or older ones than the mirror's.
fetch_kernel() { download_kernel "$1" || { "$top/scripts/install-tools" --lists && download_kernel "$1"; }; }

# build_kernel DIRECTORY: vmlinuz and the wanted modules.
build_kernel() {
    local to=$1 version module path
    fetch_kernel "$to/deb"
    dpkg-deb -x "$to"/deb/*.deb "$to/deb/x"
    version=$(ls "$to/deb/x/lib/modules")
    cp "$to/deb/x/boot/vmlinuz-$version" "$to/vmlinuz"
    depmod -b "$to/deb/x" "$version"
    for module in "${kernel_modules[@]}"; do
        modprobe --dirname "$to/deb/x" --set-version "$version" --show-depends "$module"
    done | sed -n 's/^insmod \(.*\.ko\).*/\1/p' | sort -u |
        while IFS= read -r path; do
            install -D -m 644 "$path" "$to/lib/modules/$version/${path#*/lib/modules/"$version"/}"
        done
    cp "$to/deb/x/lib/modules/$version"/modules.{order,builtin,builtin.modinfo} "$to/lib/modules/$version/"
    depmod -b "$to" "$version"
    rm -rf "$to/deb"
}

# build_initrd TREE DIRECTORY
build_initrd() {
    local to=$2 work=$2/initrd.d
    mkdir -p "$work"/{bin,dev,proc,sys,root}
    cp "$1/bin/busybox" "$work/bin/"
    cp -r "$to/lib" "$work/"
    install -m 755 "$lab_source/guest/initrd-init" "$work/init"
    (cd "$work" && find . -print0 | sort -z |
        cpio --null --create --format=newc --owner=0:0 --quiet) >"$to/initrd"
    rm -rf "$work"
}

build_boot() {
    build_kernel "$1" && build_initrd "$system_tree" "$1"
}

# unpack_kernel DIRECTORY: kernel, which the emulator starts without three seconds of unpacking where it can.
# Offsets: the kernel's Documentation/x86/boot.rst (setup_sects, payload_offset, payload_length).
unpack_kernel() {
    local from=$boot_files/vmlinuz sectors offset length
    sectors=$(od -An -tu1 -j 0x1f1 -N 1 "$from")
    read -r offset length < <(od -An -tu4 -j 0x248 -N 8 "$from")
    tail -c +$(((sectors + 1) * 512 + offset + 1)) "$from" | head -c "$length" |
        xz --decompress --single-stream >"$1/kernel" || true
    # Another compression, or a kernel without the entry that this way needs (CONFIG_PVH).
    readelf --notes "$1/kernel" 2>/dev/null | grep -qi 'xen.*0x00000012' || ln -sf "$from" "$1/kernel"
}

# cached NAME INPUT WHAT BUILDER: sets $cached to the directory that BUILDER made from this INPUT; what
# was made from another is thrown away.
cached() {
    local key
    key=$(sha256sum <<<"$2" | cut -c1-16)
    cached=$lab_cache/$1-$key
    [[ -d $cached ]] && return
    rm -rf "$lab_cache/$1"-*
    mkdir -p "$cached.new"
    step "lab-$1" "making $3, once" "$4" "$cached.new"
    mv "$cached.new" "$cached"
}

# ensure_image: sets $system_tree, $boot_files to the directory with vmlinuz, initrd and lib/modules, and $kernel.
ensure_image() {
    cached system "$(declare -p tree_packages; declare -f debian_tree build_tree)" \
        "the practice machine's system" build_tree
    system_tree=$cached
    cached boot "$system_tree $(declare -p kernel_modules; declare -f download_kernel build_kernel build_initrd; cat "$lab_source/guest/initrd-init")" \
        "its kernel and initramfs" build_boot
    boot_files=$cached
    cached kernel "$boot_files $(declare -f unpack_kernel)" "its kernel unpacked" unpack_kernel
    kernel=$cached/kernel
}
