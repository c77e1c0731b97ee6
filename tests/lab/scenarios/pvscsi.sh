# shellcheck shell=bash
# a disk on a paravirtual SCSI controller: said, with the fix

hardware() {
    disk lsi 1T
    controller pvscsi
    disk paravirtual 1T
}

boot_1() {
    agent 1 check
    agent 0 disks
    said PVSCSI
    judge
    expect "the verdict is not-ready" [ "$(report verdict "$out/check.json")" = not-ready ]
    finding hypervisor.vmware met
    finding hypervisor.controllers unmet
    finding_says hypervisor.controllers sdc
    finding_says hypervisor.controllers LSI
    finding scsi.ids met
    agent 1 plan
    said hypervisor.controllers
}

after() { untouched lsi paravirtual; }
