# shellcheck shell=bash
# the power goes at random instants of apply, and the same disks start again

# Flushes must count: what the guest has not flushed goes with the emulator.
disk_cache=writeback
deadline=600

hardware() {
    disk retention 192M
    disk customer 64M
}

# A customer's disk, which no run may touch.
boot_0() {
    mkfs.ext4 -q -L customer /dev/sdc
    expect "the customer's disk is prepared" blkid -p /dev/sdc
}

boot_1() {
    printf 'retention: {capacity: 64MB, disk: %s}\n' "$(id_of /dev/sdb)" >>/etc/mt-agent/profile.yaml
    quick_yum
    cp /etc/fstab /root/fstab.before
    expect "the machine is prepared" test -x /usr/bin/yum
}

boot_apply() {
  
    rounds looks.py "$(id_of /dev/sdb)"
}

# keep_as BASE, back_to BASE: the disks as they are now.
keep_as() {
    local name
    for name in "${disk_names[@]}"; do
        mv "$run_dir/$name.qcow2" "$run_dir/$name.$1"
        overlay "$run_dir/$name.$1" "$run_dir/$name.qcow2"
    done
}

back_to() {
    local name
    for name in "${disk_names[@]}"; do rm -f "$run_dir/$name.qcow2" && overlay "$(readlink -f "$run_dir/$name.$1")" "$run_dir/$name.qcow2"; done
}

# cut_power SECONDS: a boot whose apply loses power so long after it began, or ends before.
cut_power() {
    local log=$run_dir/console.apply cutter
    rm -f "$log"
    (
        until grep -qs LAB-APPLY "$log"; do sleep 0.1; done
        sleep "$1"
        kill -KILL "$(<"$run_dir/pid")"
    ) &>/dev/null &
    cutter=$!
    run_machine apply
    kill "$cutter" 2>/dev/null || true
    wait "$cutter" 2>/dev/null || true
    if grep -q '^LAB-RESULT' "$log"; then missed=$((missed + 1)); else losses=$((losses + 1)); fi
    if grep 'NOT OK' "$log"; then cat "$log"; torn=$((torn + 1)); fi
}

# through WHAT: a boot whose apply nobody disturbs; leaves how long that took, in seconds.
through() {
    run_machine apply >"$run_dir/through"
    if grep -q 'NOT OK' "$run_dir/through" || ! grep -q 'apply is through' "$run_dir/through"; then
        cat "$run_dir/through"
        host_not_ok "$1"
    else
        host_ok "$1"
    fi
    took=$(sed -n 's/^LAB-TOOK //p' "$run_dir/console.apply")
}

# lane N LOSSES TOOK_EARLY TOOK_LATE: chains of losses on disks of its own.
lane() {
    local wanted=$2 takes=("$3" "$4") top=$run_dir chains=0 base instant last
    run_dir=$run_dir/lane$1
    mkdir "$run_dir"
    ln -s ../initrd ../customer.prepared "$run_dir/"
    for base in early late; do
        for last in "${disk_names[@]}"; do ln -s "../$last.$base" "$run_dir/"; done
    done
    devices=("${devices[@]//$top/$run_dir}")
    losses=0 missed=0 torn=0 host_expectations=0 host_failures=0
    RANDOM=$((seed + $1))
    while ((losses < wanted && chains < 3 * wanted)); do
        base=$((chains++ % 2))
        back_to "$( ((base)) && echo late || echo early)"
        # The next run is the next victim, until one is let through.
        while
            instant=$(awk -v t="${takes[base]:-20}" -v r="$RANDOM" 'BEGIN { printf "%.2f", t * r / 32768 }')
            cut_power "$instant" >"$run_dir/cut"
            grep -A99 'NOT OK' "$run_dir/cut" || true
            ((losses < wanted && RANDOM % 4))
        do :; done
        through "lane $1, chain $chains: $losses losses so far, the last one $instant s into apply"
        same_bits customer || host_not_ok "the customer's disk is bit for bit as it was"
    done
    echo "$losses $missed $torn $host_expectations $host_failures" >"$run_dir/figures"
}

after() {
    local wanted=$((${MT_LAB_LOSSES:-30} * soak)) figures number losses=0 missed=0 torn=0 lanes=2 early
    keep_as early
    through "before the restart, a run that nobody disturbs"
    early=$took
    keep_as late
    through "after it, too"
    echo "  seed $seed; these runs took $early s and $took s"
    for ((number = 1; number <= lanes; number++)); do
        lane "$number" $(((wanted + lanes - 1) / lanes)) "$early" "$took" &
    done
    wait
    for ((number = 1; number <= lanes; number++)); do
        read -r -a figures <"$run_dir/lane$number/figures" || figures=(0 0 1 1 1)
        losses=$((losses + figures[0])) missed=$((missed + figures[1])) torn=$((torn + figures[2]))
        host_expectations=$((host_expectations + figures[3])) host_failures=$((host_failures + figures[4]))
    done
    if ((losses >= wanted && torn == 0)); then
        host_ok "$losses losses of power ($missed came too late): nothing was torn, each chain came through"
    else
        host_not_ok "nothing was torn by $losses losses of power ($wanted were wanted)"
    fi
    untouched customer
}
