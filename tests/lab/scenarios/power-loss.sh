# shellcheck shell=bash
# the power goes at random instants of apply, and the same disks start again

# What the guest has sent to a disk outlives the emulator, flushed or not, in the page cache of the machine that
# emulates; what the guest itself had not yet written back is lost.
disk_cache=writeback

hardware() {
    disk retention 1T
    disk customer 64M
    # A customer's disk, which no run may touch.
    truncate -s 64M "$run_dir/customer.raw"
    mkfs.ext4 -q -L customer "$run_dir/customer.raw"
    qemu-img convert -f raw -O qcow2 "$run_dir/customer.raw" "$run_dir/customer.pristine"
    rm "$run_dir/customer.raw"
}

boot_apply() {
    if [ ! -f /root/fstab.before ]; then
        deliver
        printf 'retention: {disk: %s}\n' "$(id_of /dev/sdb)" >>/etc/mt-agent/profile.yaml
        quick_yum
        cp /etc/fstab /root/fstab.before
        sync
    fi
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
    for name in "${disk_names[@]}"; do
        rm -f "$run_dir/$name.qcow2"
        overlay "$(readlink -f "$run_dir/$name.$1")" "$run_dir/$name.qcow2"
    done
}

# cut STEP SECONDS: so long after that step of apply has begun, the power goes.
cut() {
    until grep -qs "^LAB-STEP $1 " "$console"; do sleep 0.1; done
    sleep "$2"
    : >"$run_dir/cut"
    kill -KILL "$(<"$run_dir/pid")"
}

# boots [STEP SECONDS]: a boot with an apply, which may lose power; fails where something in it was wrong.
boots() {
    local cutter=
    rm -f "$console" "$run_dir/cut"
    if (($#)); then
        cut "$@" &>/dev/null &
        cutter=$!
    fi
    run_machine apply >/dev/null
    if [[ -n $cutter ]]; then
        kill "$cutter" 2>/dev/null || true
        wait "$cutter" 2>/dev/null || true
    fi
    questions=$((questions + $(grep -c '^ *a person says' "$console")))
    half_made=$((half_made + $(grep -c '^LAB-FOUND half-made' "$console")))
    cat "$console" >>"$console.all"
    ! grep -q 'NOT OK' "$console"
}

is_through() { grep -q 'ok  *apply is through' "$console"; }

# console_not_ok TEXT: with what the last boot said.
console_not_ok() {
    cat "$console"
    host_not_ok "$1; the last boot ended with:"
    tail -n 15 "$console" | sed 's/^/          /'
}

# undisturbed WHEN: a run that nobody disturbs; its steps, with when each began, are those in which the power goes later.
undisturbed() {
    if boots && is_through; then
        # Lines that come together are one step.
        sed -n 's/^LAB-STEP //p' "$console" |
            awk 'NR > 1 && $2 - time > 0.05 { print step, time } { step = $1; time = $2 } END { print step, time }' \
                >"$run_dir/steps.$1"
        host_ok "$1 the restart: a run that nobody disturbs is through"
        echo "          $(($(wc -l <"$run_dir/steps.$1") - 1)) steps, $(sed -n '$s/.* //p' "$run_dir/steps.$1") s"
    else
        console_not_ok "$1 the restart: a run that nobody disturbs is through"
    fi
}

# instant WHEN PART [STEP]: a random step (or this one) and how far into it, in seconds, within the first PART (0 to 1)
# of the way. By turns each step is as likely as another, and each second.
instant() {
    awk -v part="$2" -v only="${3-}" -v turn=$((losses % 2)) -v one="$RANDOM" -v two="$RANDOM" '
        { step[NR] = $1; time[NR] = $2 }
        END {
            one /= 32768; two /= 32768
            n = 1 + int(one * part * (NR - 1))
            if (only) for (n = 1; n < NR - 1 && step[n] != only; n++);
            into = two * (time[n + 1] - time[n])
            if (turn && !only) {
                at = one * part * time[NR]
                for (n = 1; n < NR - 1 && time[n + 1] <= at; n++);
                into = at - time[n]
            }
            printf "%s %.2f\n", step[n], into
        }' "$run_dir/steps.$1"
}

# lose WHEN PART [STEP]: a boot whose apply loses power in the first part of its way; fails where it gets through before.
lose() {
    local step seconds
    read -r step seconds < <(instant "$@")
    if ! boots "$step" "$seconds"; then
        console_not_ok "$title: nothing is torn by losses of power at$happened"
    fi
    if is_through; then return 1; fi
    if [[ ! -e $run_dir/cut ]]; then
        console_not_ok "$title: nothing but a loss of power ends a run"
        return 1
    fi
    losses=$((losses + 1))
    happened+=" $step+${seconds}s"
}

# chain WHEN MOST [STEP]: losses of power one after another (the first in that step), then a run that is through.
chain() {
    local begun=$losses happened=
    title="lane $lane, $1 the restart"
    back_to "$1"
    if lose "$1" 1 "${3-}"; then
        # What one run has done the next does not do again: it has less to do.
        while ((losses - begun < $2)) && lose "$1" 0.5; do :; done
    fi
    if is_through || { boots && is_through; }; then
        host_ok "$title: through after $((losses - begun)) losses of power, at$happened"
    else
        console_not_ok "$title: through after $((losses - begun)) losses of power, at$happened"
    fi
    same_bits customer || host_not_ok "$title: the customer's disk is bit for bit as it was"
}

# lane NUMBER MOST: chains on disks of its own.
lane() {
    local top=$run_dir lane=$1 wanted=$2 least number=0 console name title most
    run_dir=$run_dir/lane$1
    console=$run_dir/console.apply
    mkdir "$run_dir"
    ln -s ../initrd ../customer.pristine ../steps.before ../steps.after "$run_dir/"
    for name in "${disk_names[@]}"; do ln -s "../$name.before" "../$name.after" "$run_dir/"; done
    devices=("${devices[@]//"${top//,/,,}"/"${run_dir//,/,,}"}")
    losses=0 questions=0 half_made=0 host_expectations=0 host_failures=0
    RANDOM=$((seed + lane))
    least=$((wanted / 2))
    while ((losses < wanted && number < 2 * wanted)) && ((losses < least || SECONDS < until)); do
        most=$((2 + RANDOM % 5))
        if ((most > wanted - losses)); then most=$((wanted - losses)); fi
        case $((number++)) in
            # One at least in the vendor's script, which nothing but a person may start a second time.
            0) chain before "$most" script ;;
            *[13579]) chain after "$most" ;;
            *) chain before "$most" ;;
        esac
    done
    echo "$losses $questions $half_made $host_expectations $host_failures" >"$run_dir/figures"
}

after() {
    # As many losses as there are seconds for, half of them at the least; all of them where a person wants so many.
    local wanted=$((${MT_LAB_LOSSES:-30} * soak)) until=$((SECONDS + 120)) lanes=2
    if ((soak > 1)) || [[ -n ${MT_LAB_LOSSES-} ]]; then until=$((SECONDS + deadline * wanted)); fi
    local number figures losses=0 questions=0 half_made=0
    local console=$run_dir/console.apply
    keep_as before
    undisturbed before
    keep_as after
    undisturbed after
    echo "  seed $seed"
    for ((number = 1; number <= lanes; number++)); do
        lane "$number" $(((wanted + lanes - number) / lanes)) &
    done
    wait
    for ((number = 1; number <= lanes; number++)); do
        read -r -a figures <"$run_dir/lane$number/figures" || figures=(0 0 0 1 1)
        losses=$((losses + figures[0])) questions=$((questions + figures[1])) half_made=$((half_made + figures[2]))
        host_expectations=$((host_expectations + figures[3])) host_failures=$((host_failures + figures[4]))
    done
    echo "  $questions questions about the vendor's script; $half_made boots found a file system half-made"
    if ((losses >= wanted / 2 - lanes)); then
        host_ok "$losses losses of power (of $wanted at the most; about half of them at the least)"
    else
        host_not_ok "$losses losses of power (of $wanted at the most; about half of them at the least)"
    fi
    untouched customer
}
