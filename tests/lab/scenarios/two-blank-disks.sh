# shellcheck shell=bash
# two blank disks: neither is taken until one is named, here by the VM's configuration

hardware() {
    disk first 1T
    disk second 1T
}

boot_1() {
    quick_yum
    agent 3 apply --yes
}

# vm_says VALUE: a stand-in for VMware Tools, which have no hypervisor here to ask.
vm_says() {
    rm -f /usr/bin/vmware-rpctool
    # shellcheck disable=SC2016 # it is the stand-in's to expand
    printf '#!/bin/sh\n[ "$1" = "info-get guestinfo.mt-agent.retention-disk" ] && echo %s\n' "$1" >/usr/bin/vmware-rpctool
    chmod 755 /usr/bin/vmware-rpctool
}

boot_2() {
    agent 1 apply --yes
    said "$(id_of /dev/sdb)"
    said "$(id_of /dev/sdc)"
    judge
    finding retention.disk unmet
    expect "neither disk was formatted" [ -z "$(blkid -p "/dev/mapper/$(id_of /dev/sdb)" "/dev/mapper/$(id_of /dev/sdc)")" ]

    say "what the VM's configuration names by its place is refused"
    vm_says /dev/sdc
    agent 1 apply --yes
    said "guestinfo.mt-agent.retention-disk names the disk /dev/sdc, which can be another one after each restart"
    say "named there by its SCSI ID, the second is taken and the first is not"
    vm_says "$(id_of /dev/sdc)"
    agent 0 apply --yes
    agent 0 check
    expect "the named disk carries the volume" grep -q "^/dev/mapper/$(id_of /dev/sdc) /mnt/retention " /proc/mounts
}

after() {
    untouched first
    changed second
}
