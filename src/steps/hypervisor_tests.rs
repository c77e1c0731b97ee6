use super::super::testing::{disks, edit, ready, told, virtual_disk};
use super::*;
use crate::facts::disks::Controller;
use crate::facts::tools::Tools;

/// The ready host, with this firmware, PCI bus, and makers and SCSI IDs of its disks.
fn machine(vendor: Fact<Option<&str>>, pci: Fact<bool>, maker: &str, id: &str) -> String {
    let (profile, mut facts) = ready();
    let dmi = edit(&mut facts.dmi);
    dmi.vendor = match vendor {
        Fact::Known(vendor) => Fact::Known(vendor.map(str::to_owned)),
        Fact::Unknown(why) | Fact::NotApplicable(why) => Fact::Unknown(why),
    };
    dmi.vmware_pci = pci;
    for disk in disks(&mut facts) {
        disk.vendor = Some(maker.into());
        disk.scsi_id = Ok(id.into());
    }
    told(&profile, &facts, "hypervisor.vmware")
}

#[test]
fn firmware_and_devices_tell_a_vmware_machine_together() {
    const OURS: &str = "36000c29b3c1a4e5f60718293a4b5c6d7";
    const OTHER: &str = "35000c2900d1d0010";
    let vmware = || Fact::Known(Some("VMware, Inc."));
    let none = || Fact::Known(None);
    for (vendor, pci, maker, id, says) in [
        (vmware(), Fact::Known(false), "VMware", OURS, "met: VMware, Inc. VMware Virtual Platform"),
        (vmware(), Fact::Known(true), "QEMU", OTHER, "met: VMware, Inc."),
        // With disk.EnableUUID off they have no ID, and still their maker's name.
        (vmware(), Fact::Unknown("hidden".into()), "VMware", "", "met: VMware, Inc."),
        (
            vmware(),
            Fact::Known(false),
            "QEMU",
            OTHER,
            "unknown: the firmware says VMware, Inc. VMware Virtual Platform, but no disk is VMware's, and no PCI \
             device is VMware's (15ad)",
        ),
        (
            vmware(),
            Fact::Unknown("hidden".into()),
            "QEMU",
            OTHER,
            "unknown: the firmware says VMware, Inc. VMware Virtual Platform, but no disk is VMware's, and whether a \
             PCI device is VMware's: hidden",
        ),
        (
            Fact::Known(Some("QEMU")),
            Fact::Known(false),
            "VMware",
            OTHER,
            "unmet: QEMU VMware Virtual Platform | VMware, Inc. | make the master target a VM",
        ),
        (
            Fact::Known(Some("Dell Inc.")),
            Fact::Known(false),
            "VMware",
            OURS,
            "unknown: the firmware says Dell Inc. VMware Virtual Platform, but the SCSI ID of sda is VMware's",
        ),
        (Fact::Known(Some("Dell Inc.")), Fact::Known(true), "x", OTHER, "unknown: the firmware says Dell"),
        (none(), Fact::Known(true), "x", OTHER, "met: a PCI device is VMware's (15ad)"),
        (
            Fact::Unknown("denied".into()),
            Fact::Known(false),
            "x",
            OURS,
            "unknown: the firmware's system vendor: denied",
        ),
        (none(), Fact::Known(false), "VMware", OTHER, "unmet: the firmware names no vendor"),
        (
            Fact::Unknown("denied".into()),
            Fact::Known(false),
            "VMware",
            OTHER,
            "unknown: the firmware's system vendor: denied",
        ),
    ] {
        let told = machine(vendor, pci, maker, id);
        assert!(told.starts_with(says), "{told}");
    }
    let (profile, mut facts) = ready();
    facts.dmi = Fact::NotApplicable("an image's tree".into());
    assert_eq!(told(&profile, &facts, "hypervisor.vmware"), "not-applicable: an image's tree");
}

#[test]
fn tools_that_are_installed_need_not_run() {
    let (profile, mut facts) = ready();
    let program = || Some("/usr/bin/vmtoolsd".to_owned());
    let cases = [
        (program(), Fact::Known(Some(1201)), "met: /usr/bin/vmtoolsd runs (process 1201)"),
        (None, Fact::Known(Some(7)), "met: running (process 7)"),
        (program(), Fact::Known(None), "unmet: /usr/bin/vmtoolsd is installed, but does not run |"),
        (program(), Fact::Unknown("no /proc".into()), "unknown: whether VMware Tools run: no /proc"),
        (
            None,
            Fact::Unknown("hidden".into()),
            "unknown: no known program of VMware Tools, and whether one runs: hidden",
        ),
        (
            None,
            Fact::Known(None),
            "unmet: not installed | VMware Tools or open-vm-tools, installed and running",
        ),
    ];
    for (program, pid, says) in cases {
        facts.tools = Fact::Known(Tools { program, pid, others: Vec::new() });
        let told = told(&profile, &facts, "hypervisor.tools");
        assert!(told.starts_with(says), "{told}");
    }
    let other = || "process 9 is called vmtoolsd, but it runs /tmp/vmtoolsd".to_owned();
    for (program, says) in
        [(program(), "does not run; process 9 is called"), (None, "not installed; process 9 is called")]
    {
        facts.tools = Fact::Known(Tools { program, pid: Fact::Known(None), others: vec![other()] });
        assert!(told(&profile, &facts, "hypervisor.tools").contains(says));
    }
    facts.tools = Fact::Known(Tools { program: program(), pid: Fact::Known(None), others: Vec::new() });
    assert!(told(&profile, &facts, "hypervisor.tools").contains("`service vmtoolsd start`"));
    facts.boot_id = Fact::NotApplicable("an image's tree".into());
    assert_eq!(told(&profile, &facts, "hypervisor.tools"), "met: /usr/bin/vmtoolsd is installed");
    facts.tools = Fact::Unknown("not permitted".into());
    assert_eq!(told(&profile, &facts, "hypervisor.tools"), "unknown: VMware Tools: not permitted");
}

fn put(disk: &mut Disk, kind: ControllerKind) {
    let controller = Controller { kind, driver: Some("megaraid_sas".into()), pci: Some("1000:0060".into()) };
    disk.controller = Some(controller);
}

#[test]
fn every_disk_sits_on_lsi_logic() {
    let (profile, mut facts) = ready();
    put(&mut disks(&mut facts)[1], ControllerKind::LsiLogicParallel);
    assert_eq!(told(&profile, &facts, "hypervisor.controllers"), "met: on LSI Logic: sda, sdb");
    let cases = [
        (ControllerKind::ParavirtualScsi, "on VMware Paravirtual SCSI: sdb"),
        (ControllerKind::BusLogic, "on BusLogic: sdb"),
        (ControllerKind::Ahci, "on SATA (AHCI): sdb"),
        (ControllerKind::Nvme, "on NVMe: sdb"),
        (ControllerKind::Ide, "on IDE: sdb"),
        (ControllerKind::Virtio, "on virtio (not VMware): sdb"),
        (ControllerKind::Other, "on another controller (driver megaraid_sas, PCI id 1000:0060): sdb"),
    ];
    for (kind, says) in cases {
        put(&mut disks(&mut facts)[1], kind);
        let told = told(&profile, &facts, "hypervisor.controllers");
        assert!(told.starts_with(&format!("unmet: {says} | every disk on an LSI Logic")), "{told}");
    }
}

#[test]
fn moving_disks_begins_with_the_drivers() {
    let (profile, mut facts) = ready();
    for disk in disks(&mut facts) {
        put(disk, ControllerKind::ParavirtualScsi);
    }
    let says = told(&profile, &facts, "hypervisor.controllers");
    assert!(says.starts_with("unmet: on VMware Paravirtual SCSI: sda, sdb |"), "{says}");
    let at = |what: &str| says.find(what).unwrap_or_else(|| panic!("{what}: {says}"));
    assert!(at("dracut --force") < at("add an LSI Logic SAS"));
    assert!(at("add an LSI Logic SAS") < at("move each disk"));
    assert!(at("move each disk") < at("remove the small disk and the old controller"));
    assert!(says.ends_with("(here sda carries /)"), "{says}");
}

#[test]
fn an_empty_paravirtual_controller_is_unmet() {
    let (profile, mut facts) = ready();
    let empty =
        Controller { kind: ControllerKind::ParavirtualScsi, driver: None, pci: Some("15ad:07c0".into()) };
    edit(&mut facts.controllers).push(empty);
    assert_eq!(
        told(&profile, &facts, "hypervisor.controllers"),
        "unmet: a VMware Paravirtual SCSI controller without disks | every disk on an LSI Logic Parallel or SAS \
         controller, no paravirtual SCSI controller | power off and remove the paravirtual controller in Edit \
         Settings"
    );
    // With disks on it, those are what is told.
    put(&mut disks(&mut facts)[1], ControllerKind::ParavirtualScsi);
    let says = told(&profile, &facts, "hypervisor.controllers");
    assert!(says.starts_with("unmet: on VMware Paravirtual SCSI: sdb |"), "{says}");
    let (profile, mut facts) = ready();
    facts.controllers = Fact::Unknown("no /sys".into());
    assert_eq!(told(&profile, &facts, "hypervisor.controllers"), "unknown: the storage controllers: no /sys");
}

#[test]
fn a_controller_that_cannot_be_told_is_not_met() {
    let (profile, mut facts) = ready();
    disks(&mut facts)[1].controller = None;
    assert_eq!(
        told(&profile, &facts, "hypervisor.controllers"),
        "unknown: cannot determine the controller of sdb"
    );
    put(&mut disks(&mut facts)[0], ControllerKind::ParavirtualScsi);
    let says = told(&profile, &facts, "hypervisor.controllers");
    assert!(says.starts_with("unmet: on VMware Paravirtual SCSI: sda |"), "{says}");
    facts.disks = Fact::Known(Vec::new());
    let says = told(&profile, &facts, "hypervisor.controllers");
    assert!(says.starts_with("unmet: this machine has no disk |"), "{says}");
    facts.disks = Fact::Unknown("no /sys".into());
    assert_eq!(told(&profile, &facts, "hypervisor.controllers"), "unknown: the disks: no /sys");
}

#[test]
fn disks_are_counted() {
    let (profile, mut facts) = ready();
    assert_eq!(told(&profile, &facts, "hypervisor.disk-count"), "met: 2 of at most 60");
    facts.disks = Fact::Known(vec![virtual_disk(0, "x", 1); 60]);
    assert_eq!(told(&profile, &facts, "hypervisor.disk-count"), "met: 60 of at most 60");
    facts.disks = Fact::Known(vec![virtual_disk(0, "x", 1); 61]);
    let says = told(&profile, &facts, "hypervisor.disk-count");
    assert!(says.starts_with("unmet: 61 disks | at most 60 (4 controllers with 15 disks each) |"), "{says}");
    facts.disks = Fact::Unknown("no /sys".into());
    assert_eq!(told(&profile, &facts, "hypervisor.disk-count"), "unknown: the disks: no /sys");
}
