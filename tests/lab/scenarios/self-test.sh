# shellcheck shell=bash
# the procedure by hand, without mt-agent: proves the practice machine itself

hardware() { disk retention 1T; }

boot_1() {
    run uname -r
    run lsblk; run lsscsi -i; run ls -l /dev/disk/by-id
    run sg_inq -p 0x83 /dev/sdb
    run mount; run cat /proc/swaps; run ip address; run rpm -qa; run vmware-checkvm; run ps ax
}
