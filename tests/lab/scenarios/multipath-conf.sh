# shellcheck shell=bash
# multipath.conf in many forms: mt-agent reads each as the real multipath does, on real disks

hardware() {
    disk first 1G
    disk second 1G
    disk third 1G
}

boot_1() {
    modprobe -a dm-multipath dm-round-robin dm-service-time
    rounds multipathconf.py
}

after() { untouched first second third; }
