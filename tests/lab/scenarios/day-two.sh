# shellcheck shell=bash
# what happens to a ready master target: told, mended by the command that the advice names, nothing foreign changed

hardware() {
    disk retention 40G
    disk foreign 2G
}

boot_0() {
    mkfs.ext4 -q -L customer /dev/sdc
}

boot_1() {
    quick_yum
    agent 3 apply --yes --retention-disk "$(id_of /dev/sdb)"
}

boot_2() {
    agent 0 apply --yes --retention-disk "$(id_of /dev/sdb)"
    rounds daytwo.py
}

on_the_desk() { desk checks.py "$desk_disk"; }

after() { untouched foreign; }
