# shellcheck shell=bash
# /var/crash is no file system of its own: left to a person

hardware() { disk retention 1T; }

boot_1() {
    umount /var/crash
    sed -i '\# /var/crash #d' /etc/fstab
    cp /etc/fstab /root/fstab.before

    agent 1 check
    judge
    finding layout.var-crash unmet
    finding_says layout.var-crash /var/crash
    finding layout.root met
    finding layout.home met
    finding layout.swap met
    finding layout.no-lvm met
    finding layout.boot-loader met
    agent 1 plan
    said layout.var-crash

    say "apply does not repartition"
    agent 1 apply --yes
    expect "fstab is as it was" cmp /etc/fstab /root/fstab.before
    expect_not "/var/crash is not mounted" mountpoint -q /var/crash
}

after() { untouched retention; }
