# shellcheck shell=bash
# The practice machine's parts that are slow to make and seldom change: a Debian tree with the real
# tools, a kernel with the drivers for VMware's virtual hardware, and an initramfs that mounts root.

# Real tools, so that what is practised against is what a field machine answers with. Versions are
# Debian 12's, not CentOS 6.6's: el6 cannot be had here, /etc/redhat-release is the only pretence.
tree_packages=(
    base-files base-passwd bash busybox-static coreutils dash diffutils findutils grep gzip hostname
    libc-bin login mawk mount ncurses-base netbase passwd procps psmisc sed tar tzdata util-linux
    kmod udev iproute2 iputils-ping rpm dnf open-vm-tools
    multipath-tools kpartx lsscsi sg3-utils fdisk lvm2 e2fsprogs xfsprogs reiserfsprogs dosfstools
)

kernel_modules=(
    mptsas vmw_pvscsi sd_mod sg vmxnet3 crc32c_generic crc32c_intel ext4 xfs reiserfs
    vfat nls_ascii nls_iso8859-1 loop dm-mod dm-multipath dm-round-robin dm-service-time
    target_core_mod target_core_file tcm_loop
)

build_tree() {
    local sources=/etc/apt/sources.list.d/debian.sources suite
    [[ -f $sources ]] || sources=/etc/apt/sources.list
    # shellcheck source=/dev/null
    suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
    mmdebstrap --quiet --mode=root --variant=custom --include="$(IFS=,; echo "${tree_packages[*]}")" \
        --aptopt='Apt::Install-Recommends "false"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
        "$suite" "$1" "$sources"
    # Nothing may take the machine for a Debian one, or answer for rpm packages.
    rm -rf "$1"/var/lib/{dpkg,apt} "$1"/var/cache/{apt,debconf} "$1"/usr/bin/{dpkg,apt}* \
        "$1"/etc/{os-release,debian_version,apt,dpkg,machine-id} "$1/usr/lib/os-release"
}

# build_kernel TREE DIRECTORY: vmlinuz in DIRECTORY, the wanted modules in TREE/lib/modules.
build_kernel() {
    local tree=$1 to=$2 package version module path
    package=$(apt-cache depends linux-image-amd64 | awk '/Depends: linux-image/ { print $2; exit }')
    [[ -n $package ]] || die "apt knows no linux-image-amd64; run apt-get update"
    mkdir -p "$to/deb"
    (cd "$to/deb" && apt-get download -q -o APT::Sandbox::User=root "$package" >/dev/null)
    dpkg-deb -x "$to"/deb/*.deb "$to/deb/x"
    version=$(ls "$to/deb/x/lib/modules")
    cp "$to/deb/x/boot/vmlinuz-$version" "$to/vmlinuz"
    depmod -b "$to/deb/x" "$version"
    for module in "${kernel_modules[@]}"; do
        modprobe --dirname "$to/deb/x" --set-version "$version" --show-depends "$module"
    done | awk '$1 == "insmod" { print $2 }' | sort -u |
        while read -r path; do
            install -D -m 644 "$path" "$tree/usr/lib/modules/$version/${path#*/lib/modules/"$version"/}"
        done
    cp "$to/deb/x/lib/modules/$version"/modules.{order,builtin,builtin.modinfo} \
        "$tree/usr/lib/modules/$version/"
    depmod -b "$tree" "$version"
    rm -rf "$to/deb"
}

# build_initrd TREE DIRECTORY
build_initrd() {
    local tree=$1 to=$2 work=$2/initrd.d version
    version=$(ls "$tree/lib/modules")
    mkdir -p "$work"/{bin,dev,proc,sys,root,lib/modules}
    cp "$tree/bin/busybox" "$work/bin/"
    cp -r "$tree/lib/modules/$version" "$work/lib/modules/"
    install -m 755 "$lab_source/guest/initrd-init" "$work/init"
    (cd "$work" && find . -print0 | sort -z |
        cpio --null --create --format=newc --owner=0:0 --quiet) >"$to/initrd"
    rm -rf "$work"
}

# ensure_base: sets $base to the directory with tree, vmlinuz and initrd.
ensure_base() {
    local key work
    key=$(cat "$lab_source/image.sh" "$lab_source/guest/initrd-init" | sha256sum | cut -c1-16)
    base=$lab_cache/base-$key
    [[ -d $base ]] && return
    say "building the practice machine's system (once, about a minute)"
    rm -rf "$lab_cache"/base-*
    work=$lab_cache/base-$key.new
    mkdir -p "$work"
    build_tree "$work/tree" >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; die "building the tree failed"; }
    build_kernel "$work/tree" "$work"
    build_initrd "$work/tree" "$work"
    mv "$work" "$base"
}
