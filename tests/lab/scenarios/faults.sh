# shellcheck shell=bash
# system calls fail in turn, disks are full or read-only, tools are missing, hang or rave

# Seconds: a test run takes minutes, a soak an hour, on a machine that does nothing else.
deadline=$((soak > 1 ? 14400 : 7200))

hardware() { :; }

on_the_desk() { desk faults.py "$soak" 150 "$seed" "$desk_disk"; }
