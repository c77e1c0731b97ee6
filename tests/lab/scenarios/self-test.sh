# shellcheck shell=bash
# the procedure by hand: proves the practice machine itself

vendor_directory=/root/unified-agent

hardware() { disk retention 1T; }

boot_1() {
    say "virtual hardware"
    run cat /sys/class/dmi/id/sys_vendor /sys/class/dmi/id/product_name
    said 'VMware, Inc.'
    run lsscsi -i
    expect "lsscsi -i and scsi_id agree on sda" grep -q "/dev/sda *$(id_of /dev/sda)\$" "$out/last"
    expect "lsscsi -i and scsi_id agree on sdb" grep -q "/dev/sdb *$(id_of /dev/sdb)\$" "$out/last"
    run sg_inq --page=0x83 /dev/sdb
    said "[0x$(id_of /dev/sdb | cut -c2-)]"
    expect "the controller's driver is mptsas" grep -qx mptsas /sys/class/scsi_host/host0/proc_name
    expect "/dev/disk/by-id names the disk" test -b "/dev/disk/by-id/scsi-$(id_of /dev/sdb)"

    say "a fresh CentOS 6.6 as the procedure leaves it"
    run mount
    said '/dev/sda1 on / type ext4'
    said ' on /var/crash type ext4'
    said ' on /home type ext4'
    expect "swap is active" grep -q ^/dev/sda2 /proc/swaps
    expect "GRUB's code is in the MBR" grep -q GRUB <(dd if=/dev/sda bs=440 count=1 status=none)
    expect "the host name leads to eth0's address" grep -q '^10\.0\.2\.15 ' <(getent hosts "$(hostname)")
    expect "eth0 has it" grep -q 'inet 10.0.2.15/24' <(ip address show eth0)
    expect "VMware Tools runs" pgrep -x vmtoolsd
    expect "without multipath.conf there is no map" test -z "$(dmsetup ls --target multipath | grep -v 'No devices')"

    say "packages"
    local before
    before=$(rpm -qa | wc -l)
    run yum install -y xfsprogs perl lsscsi rsync wget kexec-tools device-mapper-multipath
    expect "the rpm database has them, with what they need" [ $((before + 19)) = "$(rpm -qa | wc -l)" ]
    run rpm -q kexec-tools bc
    said kexec-tools-2.0.0-280.el6.x86_64

    say "the vendor's archive (a stand-in)"
    mkdir $vendor_directory
    run tar -xzf /root/latestlinuxmobsvc.tar.gz -C $vendor_directory
    chmod 755 $vendor_directory/ApplyCustomChanges.sh
    expect_not "no answer means no" sh -c "$vendor_directory/ApplyCustomChanges.sh </dev/null"
    expect_not "nothing was written then" test -e /etc/multipath.conf
    echo Y | run $vendor_directory/ApplyCustomChanges.sh
    expect "its marker is there" test -e /etc/.appliedmtcustomchanges
    run cat /etc/multipath.conf
    expect "it names the root disk" grep -q "^ *wwid \"\?$(id_of /dev/sda)\"\?\$" "$out/last"
    expect "it has made an ordinary file of /dev/null" [ -f /dev/null ]
    mknod -m 666 /dev/new c 1 3 && mv -f /dev/new /dev/null
    run $vendor_directory/ApplyCustomChanges.sh
    said 'already invoked'
    expect "it counted its runs" [ "$(vendor_runs)" = 3 ]
    cat /proc/sys/kernel/random/boot_id >/root/boot_id
}

boot_2() {
    local id
    id=$(id_of /dev/sdb)
    say "after the restart"
    # Both boots begin from one saved state (machine.sh, save_state).
    expect_not "the boot has an id of its own" cmp /proc/sys/kernel/random/boot_id /root/boot_id
    expect "the clock has gone on" [ "$(date +%s)" -ge "$(stat -c %Y /root/boot_id)" ]
    run multipath -ll
    said "$id dm-0 VMware,Virtual disk"
    expect "the root disk is not in a map" [ "$(dmsetup ls --target multipath | wc -l)" = 1 ]
    expect "the packages are still there" rpm -q kexec-tools
    run mkfs.ext4 -q "/dev/mapper/$id"
    mkdir -p /mnt/retention
    printf '/dev/mapper/%s /mnt/retention ext4 rw 0 0\n' "$id" >>/etc/fstab
    expect "the retention volume mounts" mount /mnt/retention
    echo kept >/mnt/retention/file
}

boot_3() {
    run df -h /mnt/retention
    said "/dev/mapper/$(id_of /dev/sdb)"
    expect "it is mounted at boot, with what was written" grep -qx kept /mnt/retention/file
}

after() { changed retention; }
