# shellcheck shell=bash
# disk.EnableUUID is not set: no IDs, no vendor script

hardware() {
    # QEMU's LSI SAS controller does not show a disk that has no WWN.
    controller pvscsi
    no_scsi_ids
    disk retention 1T
}

boot_1() {
    agent 1 check
    judge
    finding scsi.uuid-enabled unmet
    finding scsi.ids blocked
    finding scsi.ids-unique blocked
    finding_says scsi.uuid-enabled sda
    finding_says scsi.uuid-enabled sdb
    finding_says scsi.uuid-enabled disk.EnableUUID
    agent 0 disks
    agent 1 plan
    said scsi.uuid-enabled

    say "without IDs the vendor's script would blacklist a wrong name, and no disk can be told from another"
    agent 1 apply --yes
    expect "the vendor's script did not run" [ "$(vendor_runs)" = 0 ]
    expect_not "there is no multipath.conf" test -e /etc/multipath.conf
}

after() { untouched retention; }
