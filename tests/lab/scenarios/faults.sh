# shellcheck shell=bash
# system calls fail in turn, disks are full or read-only, tools are missing, hang or rave

deadline=$((1800 * soak))

hardware() { :; }

on_the_desk() { desk faults.py $((3 * soak)) "$seed" "$desk_disk"; }
