# shellcheck shell=bash
# apply and reports with no system call, tool option or /proc and /sys path that CentOS 6.6 lacks

hardware() { :; }

on_the_desk() { desk el6.py "$desk_disk"; }
