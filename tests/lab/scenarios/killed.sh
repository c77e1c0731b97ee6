# shellcheck shell=bash
# apply is killed before every call that alters the machine, in the vendor's script, and at random instants

deadline=$((5400 * soak))

hardware() { :; }

on_the_desk() { desk killed.py both $((80 * soak)) $((150 * soak)) $((60 * soak)) "$seed" "$desk_disk"; }
