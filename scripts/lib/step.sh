# shellcheck shell=bash
# shellcheck disable=SC2154 # who sources this has set $top
# Steps that take a while: a line each with its time, and what they say in a log.

# What the lines begin with; a log's name is relative to $top.
program=${0##*/}

# step LOG WHAT COMMAND...: runs the command, with its output added to target/log/LOG.log. When it fails, so does the
# whole program, with the log's name and what the command said of the failure. What it writes to descriptor 3 is seen.
# Not to be called in a condition: `set -e` does not hold there.
step() {
    local log=target/log/$1.log what=$2 since=$SECONDS from status
    shift 2
    begin_log
    printf '%s: %s ...' "$program" "$what"
    set +e
    (set -e; "$@") 3>&1 >>"$top/$log" 2>&1 </dev/null
    status=$?
    set -e
    end_step $((SECONDS - since))
}

# behind LOG WHAT COMMAND...: the same beside what follows, one at a time; `joined` waits for it and tells of it. It takes
# the trap of EXIT for as long.
behind() {
    behind_log=target/log/$1.log behind_what=$2
    local log=$behind_log what=$2 since=$SECONDS
    shift 2
    begin_log
    behind_from=$from
    rm -f "$top/$log.end"
    # A group of its own, so that it can be ended whole.
    set -m
    (
        set +e
        (set -e; "$@") >>"$top/$log" 2>&1 </dev/null
        echo "$? $((SECONDS - since))" >"$top/$log.end"
    ) &
    behind_process=$!
    set +m
    trap end_behind EXIT
}

joined() {
    [[ -n $behind_process ]] || return 0
    local log=$behind_log from=$behind_from what=$behind_what status=1 seconds=0
    printf '%s: %s ...' "$program" "$what"
    wait "$behind_process" || true
    behind_process=
    trap - EXIT
    read -r status seconds <"$top/$log.end" || true
    rm -f "$top/$log.end"
    end_step "$seconds"
}

behind_process=
end_behind() { [[ -z $behind_process ]] || kill -- "-$behind_process" 2>/dev/null || true; }

# begin_log: sets $from, where in $log this step begins.
begin_log() {
    mkdir -p "$top/target/log"
    printf '=== %(%F %T)T %s\n' -1 "$what" >>"$top/$log"
    from=$(stat -c %s "$top/$log")
}

# end_step SECONDS: the end of the line; the end of the program if $status is not 0.
end_step() {
    if ((status == 0)); then
        printf ' %d s\n' "$1"
        return
    fi
    printf ' failed after %d s\n' "$1"
    # Programs say on such lines what was wrong; where there is none, the last lines are what there is.
    local said
    said=$(tail -c "+$((from + 1))" "$top/$log" | LC_ALL=C tr -d '\r' |
        grep -aE '^(E: |dpkg: error|[Ee]rror|ERROR|fatal)' | awk '!seen[$0]++' | tail -n 5 || true)
    [[ -n $said ]] || said=$(tail -c "+$((from + 1))" "$top/$log" | tail -n 8)
    echo "$said" | sed 's/^/    /' | cut -c 1-300 >&2
    echo "$program: $what failed; all that was said: $log" >&2
    exit 2
}
