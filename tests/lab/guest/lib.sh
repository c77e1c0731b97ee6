# shellcheck shell=bash
# The words that a scenario's guest part is written in.

expectations=0
failures=0
out=/run/lab/out
mkdir -p "$out"

say() { printf '\n--- %s\n' "$*"; }

ok() { expectations=$((expectations + 1)); echo "  ok      $*"; }
not_ok() {
    expectations=$((expectations + 1))
    failures=$((failures + 1))
    echo "  NOT OK  $*"
}

# expect TEXT COMMAND...: the command must succeed.
expect() {
    local text=$1
    shift
    if "$@" >"$out/expect.log" 2>&1; then ok "$text"; else not_ok "$text"; cat "$out/expect.log"; fi
}

# expect_not TEXT COMMAND...: the command must fail.
expect_not() {
    local text=$1
    shift
    if "$@" >"$out/expect.log" 2>&1; then not_ok "$text"; cat "$out/expect.log"; else ok "$text"; fi
}

# run COMMAND...: shown as a person would type it; its output is kept in $out/last.
run() {
    local status
    printf '\n[root@mt-lab ~]# %s\n' "$*"
    "$@" 2>&1 | tee "$out/last"
    status=${PIPESTATUS[0]}
    return "$status"
}

# agent EXIT ARGUMENT...: run mt-agent and expect that exit status.
agent() {
    local want=$1 status
    shift
    run mt-agent "$@"
    status=$?
    if [ $status = "$want" ]; then
        ok "mt-agent $1 exits $want"
    else
        not_ok "mt-agent $1 exits $want (it exited $status)"
        # Beside it, where a summary shows them.
        grep -A 2 -E '^ *\[(unmet|unknown|restart|waits)\]|^mt-agent:' "$out/last" | grep -v '^--$'
    fi
}

# said TEXT: the last command shown printed it, in lines of whatever width.
said() {
    if tr -s '[:space:]' ' ' <"$out/last" | grep -qF -- "$1"; then ok "it says: $1"; else not_ok "it says: $1"; fi
}

# judge: a quiet `check --format json`, for the expectations that follow.
judge() {
    mt-agent check --format json >"$out/check.json" 2>"$out/check.err"
    [ -s "$out/check.json" ] || { not_ok "check --format json prints a report"; cat "$out/check.err"; }
    # Once: under emulation Python takes long to start.
    report statuses "$out/check.json" >"$out/statuses"
}

report() { python3 /run/lab/report.py "$@"; }

# finding ID STATUS: the last judge() found that status.
finding() {
    local status
    status=$(awk -v id="$1" '$1 == id { print $2 }' "$out/statuses")
    if [ "$status" = "$2" ]; then
        ok "$1 is $2"
    else
        not_ok "$1 is $2 (it is ${status:-absent})"
        report text "$out/check.json" "$1"
    fi
}

# finding_says ID TEXT: found, expected, fix or reason contains it.
finding_says() {
    if report text "$out/check.json" "$1" | grep -qF -- "$2"; then
        ok "$1 names $2"
    else
        not_ok "$1 names $2"
        report text "$out/check.json" "$1"
    fi
}

# snapshot NAME: the whole machine's files, to be compared later. ctime betrays every write. Of the kernel's own
# file systems even the mount points change: /proc has a link for every process. The rpm
# database's shared memory and log come and go with every reader, `rpm -q` included.
snapshot() {
    {
        find / /var/crash /home -xdev \( -path /run -o -path /tmp -o -path /proc -o -path /sys -o -path /dev \) -prune -o \
            -printf '%p %y %m %U %G %n %i %s %C@ %l\n'
        find /etc /boot /var/lib /usr/sbin -xdev -type f -exec sha256sum {} +
        [ ! -d /mnt/retention ] || find /mnt/retention -printf '%p %y %m %s %C@\n'
        cat /proc/self/mountinfo /proc/swaps
        dmsetup table 2>/dev/null
    } | grep -vE '/var/lib/rpm(/rpmdb.sqlite-(shm|wal))?( |$)' | LC_ALL=C sort >"$out/snapshot.$1"
}

# unchanged A B [REGEX]: no difference between two snapshots, but for lines that match REGEX.
unchanged() {
    if diff <(grep -vE "${3:-^$}" "$out/snapshot.$1") <(grep -vE "${3:-^$}" "$out/snapshot.$2") >"$out/diff"; then
        ok "the machine did not change"
    else
        not_ok "the machine did not change"
        head -20 "$out/diff"
    fi
}

id_of() { /lib/udev/scsi_id --whitelisted --device="$1"; }

vendor_runs() { grep -c run /var/lib/vendor-stand-in.runs 2>/dev/null || [ -f /var/lib/vendor-stand-in.runs ] || echo 0; }

# told NAME: what the scenario's hardware() told this machine.
told() { sed -n "s/.*lab\.$1=\([^ ]*\).*/\1/p" /run/lab/words; }

# rounds PROGRAM ARGUMENT...: a program of many rounds, which leaves its figures.
rounds() {
    local more failed
    rm -f "$out/rounds"
    python3 -B "/run/lab/$1" "${@:2}"
    if [ -f "$out/rounds" ]; then
        read -r more failed <"$out/rounds"
        expectations=$((expectations + more))
        failures=$((failures + failed))
    else
        not_ok "$1 goes to its end"
    fi
}

# quick_yum: yum hands its files to the real rpm. dnf thinks for longer than everything else takes.
quick_yum() {
    rm -f /usr/bin/yum
    cat >/usr/bin/yum <<'EOF'
#!/bin/bash
shopt -s extglob
exec rpm -U --replacepkgs /srv/lab/repo/!(kmod-reiserfs*|reiserfs*).rpm
EOF
    chmod 755 /usr/bin/yum
}
