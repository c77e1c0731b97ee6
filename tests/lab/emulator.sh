# shellcheck shell=bash
# shellcheck disable=SC2154 # image.sh sets $cached and $boot_files
# The emulator of the practice machines. It is unpacked beside this machine's own programs and started by its own loader:
# what this machine has is neither changed nor asked.

# QEMU 10 of Debian 13: most of a practice machine's time goes into translating code that runs for the first time, which
# QEMU 7.2 of Debian 12 takes a third longer for.
emulator_release=trixie

build_emulator() {
    local options=(--variant=extract --include=qemu-system-x86 --include=seabios)
    debian_tree "$1" "$emulator_release" "${options[@]}" || {
        echo "no QEMU of $emulator_release: $(this_release)'s is taken" >&3
        rm -rf "$1"
        debian_tree "$1" "$(this_release)" "${options[@]}"
    }
    rm -rf "$1"/usr/share/{doc,man,locale} "${1:?}/var"
}

# ensure_emulator: sets $emulator, the words that start it.
ensure_emulator() {
    cached emulator "$emulator_release $(declare -f debian_tree build_emulator)" "the emulator" build_emulator
    # Debian 12's packages have their loader and libc in /lib, Debian 13's in /usr/lib.
    local machine=lib/x86_64-linux-gnu loader=ld-linux-x86-64.so.2 from=$cached
    [[ ! -e $cached/usr/$machine/$loader ]] || from=$cached/usr
    # Else Debian 12's looks for its modules (TCG is one) among this machine's.
    emulator=(env QEMU_MODULE_DIR="$cached/usr/$machine/qemu"
        "$from/$machine/$loader" --library-path "$cached/$machine:$cached/usr/$machine" "$cached/usr/bin/qemu-system-x86_64"
        -L "$cached/usr/share/qemu" -L "$cached/usr/share/seabios")
    "${emulator[@]}" --version >/dev/null || die "the emulator does not run"
}

# One thread for all processors: with one each, a boot in ten hung in the kernel's self-tests.
# KVM is taken only where a guest really runs under it: some hosts have a /dev/kvm that hangs.
choose_accelerator() {
    local answer
    answer=$lab_cache/accelerator.$(cut -c1-8 /proc/sys/kernel/random/boot_id)
    accel=(-accel 'tcg,thread=single' -cpu qemu64)
    [[ ${MT_LAB_ACCEL-} != tcg && -w /dev/kvm ]] || return 0
    if [[ ! -f $answer ]]; then
        rm -f "$lab_cache"/accelerator.*
        if timeout -s KILL 8 "${emulator[@]}" -accel kvm -cpu host -m 256 -nodefaults -display none \
            -serial stdio -no-reboot -kernel "$boot_files/vmlinuz" -initrd "$boot_files/initrd" \
            -append 'console=ttyS0 panic=-1 rdinit=/bin/true' </dev/null 2>&1 | grep -q 'Linux version'; then
            echo kvm >"$answer"
        else
            echo tcg >"$answer"
        fi
    fi
    [[ $(<"$answer") == tcg ]] || accel=(-accel kvm -cpu host)
}
