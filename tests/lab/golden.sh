# shellcheck shell=bash disable=SC2154 # the parts in tests/lab and the scenarios set what is used here
# Templates and clones, seen from outside: for the scenarios of golden images.

# boots NAME...: boots of the current machine, whose expectations count.
boots() {
    local name
    for name in "$@"; do
        echo
        echo "=== ${run_dir##*/}: boot $name"
        boot "$name"
        host_expectations=$((host_expectations + boot_expectations))
        host_failures=$((host_failures + boot_failures))
    done
}

# console_says BOOT TEXT: so that a person at the machine's console knows.
console_says() {
    if tr -s '[:space:]' ' ' <"$run_dir/console.$1" | grep -qF -- "$2"; then host_ok "the console says: $2"
    else host_not_ok "the console says: $2"; fi
}

# leftovers: none of the words of guest/template.sh, and nothing that identifies this machine, is in its disk's bytes.
leftovers() {
    local found
    qemu-img convert -f qcow2 -O raw "$run_dir/os.qcow2" "$run_dir/os.raw"
    found=$(python3 -B "$lab_source/leftovers.py" "$run_dir/os.raw" "host key=$host_key" "passphrase=$passphrase" \
        "yum's UUID=$yum_uuid" "D-Bus' machine id=$dbus_id" "random seed=$seed_bytes" "shell history=$history_word" \
        "one of the other files=$other_word" "hardware address=$mac" "SCSI ID of the root disk=5000c2${disk_family}0000" "a word of the image itself=lab-root")
    rm "$run_dir/os.raw"
    # That word is known to be there: the search can find something.
    if [[ $found == "a word of the image itself" ]]; then host_ok "nothing of the template is in the image's bytes"
    else host_not_ok "nothing of the template is in the image's bytes (found: ${found//$'\n'/, })"; fi
}

# cut_at BOOT TEXT: that boot of the current machine loses power as soon as its console shows the text. Where the power went
# too late, after the boot's end (a busy machine shows a console late), the disks are put back and it boots again.
cut_at() {
    local name try
    for name in "${disk_names[@]}"; do cp --reflink=auto "$run_dir/$name.qcow2" "$run_dir/$name.uncut"; done
    for try in {1..5}; do
        ((try == 1)) || for name in "${disk_names[@]}"; do cp --reflink=auto "$run_dir/$name.uncut" "$run_dir/$name.qcow2"; done
        if lose_power_at "$1" "$2"; then
            host_ok "power lost at: $2"
            return
        fi
    done
    host_not_ok "power lost at: $2"
}

# lose_power_at BOOT TEXT: fails when the boot had ended before, or never showed the text.
lose_power_at() {
    local console=$run_dir/console.$1 cutter
    rm -f "$console"
    {
        until grep -qsF -- "$2" "$console"; do sleep 0.05; done
        kill -KILL "$(<"$run_dir/pid")"
    } &>/dev/null &
    cutter=$!
    run_machine "$1" >/dev/null
    kill "$cutter" 2>/dev/null || true
    wait "$cutter" 2>/dev/null || true
    grep -qsF -- "$2" "$console" && ! grep -q '^LAB-RESULT' "$console"
}
