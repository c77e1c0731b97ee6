# shellcheck shell=bash
# One practice machine: its disks, its virtual hardware, its boots.
# The words disk, controller, no_scsi_ids, as_package, untouched and changed are for the scenarios.

# Seconds that a boot may take: some thirty times what one takes on a quiet machine, so that only what hangs is ended.
deadline=1800

# A doubled comma is QEMU's way to write a comma.
vmware_dmi='manufacturer=VMware,, Inc.,product=VMware Virtual Platform,version=None'

new_machine() {
    run_dir=$lab_cache/runs/$1
    states=$lab_cache/runs/${1%%.*}/states
    rm -rf "$run_dir"
    mkdir -p "$run_dir"
    packaged=no
    no_devices
}

# no_devices: the hardware of a machine to which nothing is attached yet.
no_devices() {
    devices=(-device "mptsas1068,id=lsisas")
    bus=lsisas
    disk_number=0
    disk_names=()
    scsi_ids=yes
    told=
    # What tells this machine from others: its BIOS UUID, the address of its card, and a part of its disks' identifiers.
    bios_uuid=564d0a1b-2c3d-4e5f-6071-8293a4b5c6d7
    mac=52:54:00:12:34:56
    disk_family=900a1b
}

# clone NAME BIOS_UUID MAC DISK_FAMILY: a machine made from the OS disk of this run as it is now; NAME's own directory.
clone() {
    local template=$run_dir
    new_machine "${template##*/}.$1"
    bios_uuid=$2 mac=$3 disk_family=$4
    ln -s "$template/initrd" "$run_dir/"
    # Read only from here on: the template's own next boot would write to it.
    overlay "$template/os.qcow2" "$run_dir/os.qcow2"
    attach os
}

# tell "NAME=VALUE...": what the machine finds out with `told NAME`.
tell() { local word; for word in $1; do told+=" lab.$word"; done; }

# controller lsisas|pvscsi: what the disks that follow sit on.
controller() {
    bus=$1
    [[ $1 == lsisas ]] || devices+=(-device "pvscsi,id=$1")
}

# no_scsi_ids: disk.EnableUUID is not set: disks answer with no identifier of their own.
no_scsi_ids() { scsi_ids=no; }

# as_package: the agent comes as /root/mt-agent.rpm, and nobody has installed it yet.
as_package() { packaged=yes; }

# attach NAME: the disk NAME.qcow2 of this run becomes the next disk on the current bus.
attach() {
    local name=$1 identity='' wwn serial
    if [[ $scsi_ids == yes ]]; then
        printf -v wwn '5000c2%s%04x' "$disk_family" $((disk_number * 16))
        printf -v serial '6000c2%s%04x%016x' "$disk_family" $((disk_number * 16)) $((disk_number * 4099 + 17))
        # QEMU 7 cuts the serial number to get the device_id of VPD page 0x83; QEMU 10 wants it said.
        identity=",wwn=0x$wwn,serial=$serial,device_id=${serial:0:20}"
    fi
    devices+=(
        -drive "if=none,id=disk-$name,file=${run_dir//,/,,}/$name.qcow2,format=qcow2,cache=${disk_cache:-unsafe},discard=unmap,detect-zeroes=unmap"
        -device "scsi-hd,bus=$bus.0,scsi-id=$disk_number,drive=disk-$name,vendor=VMware,product=Virtual disk,ver=1.0$identity"
    )
    disk_number=$((disk_number + 1))
    disk_names+=("$name")
}

overlay() { qemu-img create -q -f qcow2 -F qcow2 -b "$1" "$2"; }

# The OS disk is the first; what hardware() says before its first disk holds for it too.
attach_os_disk() {
    ((disk_number == 0)) || return 0
    overlay "$os_disk" "$run_dir/os.qcow2"
    attach os
}

# disk NAME SIZE: a blank disk.
disk() {
    attach_os_disk
    qemu-img create -q -f qcow2 "$run_dir/$1.pristine" "$2"
    overlay "$run_dir/$1.pristine" "$run_dir/$1.qcow2"
    attach "$1"
}

# seal_pristine: what the disks hold now is what `untouched` compares with.
seal_pristine() {
    local name
    for name in "${disk_names[@]}"; do
        [[ $name != os ]] || continue
        mv "$run_dir/$name.qcow2" "$run_dir/$name.prepared"
        overlay "$run_dir/$name.prepared" "$run_dir/$name.qcow2"
    done
}

same_bits() {
    local pristine=$run_dir/$1.pristine
    [[ ! -f $run_dir/$1.prepared ]] || pristine=$run_dir/$1.prepared
    qemu-img compare -q -U "$pristine" "$run_dir/$1.qcow2"
}

# untouched NAME...: bit for bit what they were before.
untouched() {
    local name
    for name in "$@"; do
        if same_bits "$name"; then host_ok "disk '$name' is bit for bit as it was"
        else host_not_ok "disk '$name' is bit for bit as it was"; fi
    done
}

# changed NAME...: something was written (so that `untouched` is known to be able to tell).
changed() {
    local name
    for name in "$@"; do
        if same_bits "$name"; then host_not_ok "disk '$name' was written to"
        else host_ok "disk '$name' was written to"; fi
    done
}

# pack_guest SCENARIO_FILE: the initrd of this run: the cached one and, appended, what this run brings.
pack_guest() {
    local work=$run_dir/guest
    mkdir -p "$work/lab"
    cp "$lab_source"/guest/{init,lib.sh,template.sh,*.py,profile.yaml} "$work/lab/"
    cp "$lab_source/../../scripts/bench" "$work/lab/"
    cp "$1" "$work/lab/scenario.sh"
    "$lab_source/../vendor/pack" "$work/lab"
    if [[ $packaged == yes ]]; then
        "$top/packaging/build" "$agent_binary" "$run_dir/packages" >/dev/null
        cp "$run_dir"/packages/*.rpm "$work/lab/mt-agent.rpm"
    elif [[ -n $agent_binary ]]; then
        cp "$agent_binary" "$work/lab/mt-agent"
    fi
    cp "$boot_files/initrd" "$run_dir/initrd"
    (cd "$work" && find lab -print0 | cpio --null --create --format=newc --owner=0:0 --quiet) >>"$run_dir/initrd"
}

# the_machine WORDS: sets $machine to the emulator's command line, with these words for the kernel's.
the_machine() {
    machine=(
        "${emulator[@]}" "${accel[@]}" -machine "pc,vmport=on" -smp "$cpus" -m 1536 -nodefaults -display none -no-reboot
        -kernel "$kernel" -initrd "$run_dir/initrd"
        # no_timer_check: on a busy host the kernel misses the ticks that it waits for, and panics ("IO-APIC + timer
        # doesn't work!"). mitigations: for a real processor; emulated they cost time.
        -append "console=ttyS0 quiet loglevel=3 panic=-1 cryptomgr.notests no_timer_check mitigations=off net.ifnames=0 $1"
        -smbios "type=0,vendor=Phoenix Technologies LTD,version=6.00"
        -smbios "type=1,$vmware_dmi,serial=VMware-56 4d 0a 1b 2c 3d 4e 5f-60 71 82 93 a4 b5 c6 d7,uuid=$bios_uuid"
        "${devices[@]}" -netdev "user,id=net,restrict=on" -device "vmxnet3,netdev=net,mac=$mac,romfile="
        # It tells a kernel that goes on from a saved state to draw new randomness: a boot id, for one, is each boot's own.
        -device "vmgenid,guid=auto"
    )
}

# save_state: sets $state to what a machine of this hardware is when its kernel has started and found the disks, and has
# read none of them yet: whatever they hold later, a boot can begin there. Under emulation that start is most of a boot.
save_state() {
    local console=$run_dir/console.rest key new machine
    [[ ${accel[1]} == tcg* ]] || return 1
    key=$(sha256sum <<<"$bios_uuid $mac ${devices[*]//"$run_dir"/}")
    state=$states/${key:0:16}
    [[ ! -s $state ]] || return 0
    new=$state.$BASHPID
    mkdir -p "$states"
    rm -f "$console"
    the_machine lab.rest
    if {
        # The monitor passes over empty lines; when the emulator has ended, they end this.
        until grep -qs '^LAB-REST' "$console"; do echo; sleep 0.1; done
        echo 'migrate_set_parameter max-bandwidth 100G'
        # shellcheck disable=SC2016 # the shell that the emulator starts expands it
        echo 'migrate "exec:cat >\"$LAB_STATE\""'
        echo quit
    } | LAB_STATE=$new timeout --foreground -s KILL "$deadline" "${machine[@]}" \
        -serial "file:$console" -monitor stdio &>"$run_dir/monitor" &&
        [[ -s $new ]] && ! grep -q '^Error' "$run_dir/monitor"; then
        mv "$new" "$state"
    else
        rm -f "$new"
        echo "  the machine's state could not be saved ($run_dir/monitor): it starts from the beginning"
        state=
        return 1
    fi
}

# wake WORDS: what a machine is told that goes on from a saved state: the time, and the words. The serial line loses what
# comes before the state has been read.
wake() { printf '\n\n\n\n\ngo %(%s)T %s\n' -1 "$1"; }

# run_machine N: run the machine once, to its end, on the console and into $run_dir/console.N.
run_machine() {
    local log=$run_dir/console.$1 words="lab.boot=$1$told" state='' machine start=()
    if save_state; then
        the_machine lab.rest
        # shellcheck disable=SC2016 # the shell that the emulator starts expands it
        start=(-incoming 'exec:cat "$LAB_STATE"')
    else
        the_machine "$words"
    fi
    # The console carries text from disks and tools: only plain characters reach the terminal.
    # In a subshell, and its end not told: a scenario may kill the emulator.
    (LAB_STATE=$state timeout --foreground -s KILL "$deadline" "${machine[@]}" "${start[@]}" \
        -pidfile "$run_dir/pid" -serial stdio < <([[ -z $state ]] || wake "$words"); :) 2>&1 |
        LC_ALL=C sed -u 's/[^[:print:]\t]//g' | tee "$log" |
        grep --line-buffered -vE '^LAB-(RESULT|STEP|FOUND)|sysrq: Resetting|Killed  .*timeout' || true
}

# boot N: run_machine; leaves boot_expectations and boot_failures.
boot() {
    local number=$1 log=$run_dir/console.$1 result
    run_machine "$number"
    result=$(grep '^LAB-RESULT' "$log" || true)
    if [[ $result =~ expectations=([0-9]+)\ failed=([0-9]+) ]]; then
        boot_expectations=${BASH_REMATCH[1]}
        boot_failures=${BASH_REMATCH[2]}
    else
        boot_expectations=1
        boot_failures=1
        echo "  NOT OK  boot $number ended without a result (the limit is $deadline s) ${result#LAB-RESULT}; it said last:"
        tail -n 20 "$log" | sed 's/^/          /'
    fi
}
