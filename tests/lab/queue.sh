# shellcheck shell=bash
# Several scenarios side by side: emulation keeps one processor busy, and most machines have more.

# What takes longest begins first, so that nothing long is left for the end. What is not named here follows.
longest=(power-loss golden-power golden-image killed faults kickstart package scsi-ids fresh read-errors)

# at_a_time: how many.
at_a_time() {
    local processors
    processors=$(nproc)
    echo $((processors < 2 ? 1 : 2))
}

# longest_first NAME...: each once.
longest_first() {
    local name
    for name in "${longest[@]}" "$@"; do
        [[ " $* " != *" $name "* ]] || echo "$name"
    done | awk '!seen[$0]++'
}

# side_by_side NAME...: these scenarios. A lone one is shown as it goes, of several each whole when it has ended.
side_by_side() {
    local name most
    local -A running=()
    most=$(at_a_time)
    if (($# == 1)); then exec 7>&1; else exec 7>/dev/null; fi
    trap 'stop_running; exit 130' INT
    trap 'stop_running; exit 143' TERM HUP
    # Each in a process group of its own, by which it is ended with all that it started.
    set -m
    for name in $(longest_first "$@"); do
        ((${#running[@]} < most)) || print_next "$#"
        # In a condition: there a failing command does not end it.
        { run_scenario "$name" || true; } </dev/null >&7 2>&1 &
        running[$!]=$name
        (($# == 1)) || say "$name begins"
    done
    while ((${#running[@]})); do print_next "$#"; done
    set +m
    trap - INT TERM HUP
}

# print_next ALL: waits for one of those that are running.
print_next() {
    local ended
    wait -n -p ended "${!running[@]}" || true
    if (($1 > 1)); then
        echo
        cat "$lab_cache/transcripts/${running[$ended]}.txt" || true
    fi
    unset "running[$ended]"
}

stop_running() {
    local group
    for group in "${!running[@]}"; do
        # Nothing less ends what desk.sh starts: unshare and process 1 of its namespaces ignore the rest.
        kill -KILL -- "-$group" 2>/dev/null || true
    done
}
