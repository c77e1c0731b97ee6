# shellcheck shell=bash
# The practice machine's system without its emulator: the same OS disk, in namespaces on this kernel. A loop
# device stands for the retention disk's multipath map, and a recorded /sys says so. Emulated, an apply takes
# half a minute; here it takes less than a second, and a hundred of them can be ended in a hundred ways.

soak=${MT_LAB_SOAK:-1}
seed=${MT_LAB_SEED:-1}
desk_disk=/dev/mapper/36000c2982b5df41a25811b07e74971e8

recorded=$lab_source/../scenarios/centos-6.6-ready/host

# desk PROGRAM ARGUMENT...: runs a program of guest/ there; its figures count with the host's.
desk() {
    local more failed
    qemu-img convert -f qcow2 -O raw "$os_disk" "$run_dir/os.raw"
    truncate -s 64M "$run_dir/retention.raw"
    export run_dir recorded lab_source agent_binary
    timeout --foreground -s KILL "$deadline" unshare --mount --pid --uts --ipc --net --fork --kill-child \
        bash "$lab_source/desk-inside" "$@" 2>&1 | LC_ALL=C sed -u 's/[^[:print:]\t]//g' |
        tee "$run_dir/desk.log"
    if [[ -f $run_dir/rounds ]]; then
        read -r more failed <"$run_dir/rounds"
        host_expectations=$((host_expectations + more))
        host_failures=$((host_failures + failed))
    else
        host_not_ok "$1 goes to its end (the limit is $deadline s); it said last:"
        tail -n 20 "$run_dir/desk.log" | sed 's/^/          /'
    fi
    # They are large, and say nothing that the console did not.
    rm -f "$run_dir"/{os,retention}.raw
}
