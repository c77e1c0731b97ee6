use super::super::testing::{Judged, Outcome, disks, edit, virtual_disk};
use super::*;
use crate::facts::disks::Controller;
use crate::facts::tools::Tools;

/// The ready host, with this firmware, PCI bus, and makers and SCSI IDs of its disks.
fn machine(vendor: Fact<Option<&str>>, pci: Fact<bool>, maker: &str, id: &str) -> Outcome {
    let mut host = Judged::ready("hypervisor.vmware");
    let dmi = edit(&mut host.dmi);
    dmi.vendor = match vendor {
        Fact::Known(vendor) => Fact::Known(vendor.map(str::to_owned)),
        Fact::Unknown(why) | Fact::NotApplicable(why) => Fact::Unknown(why),
    };
    dmi.vmware_pci = pci;
    for disk in disks(&mut host) {
        disk.vendor = Some(maker.into());
        disk.scsi_id = Ok(id.into());
    }
    host.outcome()
}

#[test]
fn firmware_and_devices_tell_a_vmware_machine_together() {
    const OURS: &str = "36000c29b3c1a4e5f60718293a4b5c6d7";
    const OTHER: &str = "35000c2900d1d0010";
    let named = |vendor| Fact::Known(Some(vendor));
    let (vmware, none) = (|| named("VMware, Inc."), || Fact::Known(None));
    let (yes, no, hidden) = (|| Fact::Known(true), || Fact::Known(false), || Fact::Unknown("hidden".into()));
    let denied = || Fact::Unknown("denied".into());
    let no_device =
        "unknown: the firmware says VMware, Inc. VMware Virtual Platform, but no disk is VMware's, and ";
    let no_pci = &format!("{no_device}no PCI device is VMware's (15ad)");
    let hidden_pci = &format!("{no_device}whether a PCI device is VMware's: hidden");
    let other = "unmet: QEMU VMware Virtual Platform | VMware, Inc. | make the master target a VM";
    let dell =
        "unknown: the firmware says Dell Inc. VMware Virtual Platform, but the SCSI ID of sda is VMware's";
    for (vendor, pci, maker, id, expected) in [
        (vmware(), no(), "VMware", OURS, "met: VMware, Inc. VMware Virtual Platform"),
        (vmware(), yes(), "QEMU", OTHER, "met: VMware, Inc."),
        // With disk.EnableUUID off they have no ID, and still their maker's name.
        (vmware(), hidden(), "VMware", "", "met: VMware, Inc."),
        (vmware(), no(), "QEMU", OTHER, no_pci),
        (vmware(), hidden(), "QEMU", OTHER, hidden_pci),
        (named("QEMU"), no(), "VMware", OTHER, other),
        (named("Dell Inc."), no(), "VMware", OURS, dell),
        (named("Dell Inc."), yes(), "x", OTHER, "unknown: the firmware says Dell"),
        (none(), yes(), "x", OTHER, "met: a PCI device is VMware's (15ad)"),
        (denied(), no(), "x", OURS, "unknown: the firmware's system vendor: denied"),
        (none(), no(), "VMware", OTHER, "unmet: the firmware names no vendor"),
        (denied(), no(), "VMware", OTHER, "unknown: the firmware's system vendor: denied"),
    ] {
        machine(vendor, pci, maker, id).starts(expected);
    }
    let mut host = Judged::ready("hypervisor.vmware");
    host.dmi = Fact::NotApplicable("an image's tree".into());
    host.is("not-applicable: an image's tree");
}

#[test]
fn tools_that_are_installed_need_not_run() {
    let mut host = Judged::ready("hypervisor.tools");
    let program = || Some("/usr/bin/vmtoolsd".to_owned());
    let absent = "unmet: not installed | VMware Tools or open-vm-tools, installed and running";
    let neither = "unknown: no known program of VMware Tools, and whether one runs: hidden";
    let cases = [
        (program(), Fact::Known(Some(1201)), "met: /usr/bin/vmtoolsd runs (process 1201)"),
        (None, Fact::Known(Some(7)), "met: running (process 7)"),
        (program(), Fact::Known(None), "unmet: /usr/bin/vmtoolsd is installed, but does not run |"),
        (program(), Fact::Unknown("no /proc".into()), "unknown: whether VMware Tools run: no /proc"),
        (None, Fact::Unknown("hidden".into()), neither),
        (None, Fact::Known(None), absent),
    ];
    for (program, pid, expected) in cases {
        host.tools = Fact::Known(Tools { program, pid, others: Vec::new() });
        host.starts(expected);
    }
    let other = || "process 9 is called vmtoolsd, but it runs /tmp/vmtoolsd".to_owned();
    for (program, expected) in
        [(program(), "does not run; process 9 is called"), (None, "not installed; process 9 is called")]
    {
        host.tools = Fact::Known(Tools { program, pid: Fact::Known(None), others: vec![other()] });
        host.has(expected);
    }
    host.tools = Fact::Known(Tools { program: program(), pid: Fact::Known(None), others: Vec::new() });
    host.has("`service vmtoolsd start`");
    host.boot_id = Fact::NotApplicable("an image's tree".into());
    host.is("met: /usr/bin/vmtoolsd is installed");
    host.tools = Fact::Unknown("not permitted".into());
    host.is("unknown: VMware Tools: not permitted");
}

fn put(disk: &mut Disk, kind: ControllerKind) {
    let controller = Controller { kind, driver: Some("megaraid_sas".into()), pci: Some("1000:0060".into()) };
    disk.controller = Some(controller);
}

#[test]
fn every_disk_sits_on_lsi_logic() {
    let mut host = Judged::ready("hypervisor.controllers");
    put(&mut disks(&mut host)[1], ControllerKind::LsiLogicParallel);
    host.is("met: on LSI Logic: sda, sdb");
    let cases = [
        (ControllerKind::ParavirtualScsi, "on VMware Paravirtual SCSI: sdb"),
        (ControllerKind::BusLogic, "on BusLogic: sdb"),
        (ControllerKind::Ahci, "on SATA (AHCI): sdb"),
        (ControllerKind::Nvme, "on NVMe: sdb"),
        (ControllerKind::Ide, "on IDE: sdb"),
        (ControllerKind::Virtio, "on virtio (not VMware): sdb"),
        (ControllerKind::Other, "on another controller (driver megaraid_sas, PCI id 1000:0060): sdb"),
    ];
    for (kind, expected) in cases {
        put(&mut disks(&mut host)[1], kind);
        host.starts(format!("unmet: {expected} | every disk on an LSI Logic"));
    }
}

#[test]
fn moving_disks_begins_with_the_drivers() {
    let mut host = Judged::ready("hypervisor.controllers");
    for disk in disks(&mut host) {
        put(disk, ControllerKind::ParavirtualScsi);
    }
    let outcome = host.starts("unmet: on VMware Paravirtual SCSI: sda, sdb |").ends("(here sda carries /)");
    let at = |what: &str| outcome.find(what).unwrap_or_else(|| panic!("{what}: {outcome}"));
    assert!(at("dracut --force") < at("add an LSI Logic SAS"));
    assert!(at("add an LSI Logic SAS") < at("move each disk"));
    assert!(at("move each disk") < at("remove the small disk and the old controller"));
}

#[test]
fn an_empty_paravirtual_controller_is_unmet() {
    let mut host = Judged::ready("hypervisor.controllers");
    let empty =
        Controller { kind: ControllerKind::ParavirtualScsi, driver: None, pci: Some("15ad:07c0".into()) };
    edit(&mut host.controllers).push(empty);
    host.is("unmet: a VMware Paravirtual SCSI controller without disks | every disk on an LSI Logic Parallel or SAS \
         controller, no paravirtual SCSI controller | power off and remove the paravirtual controller in Edit \
         Settings");
    // With disks on it, those are what is told.
    put(&mut disks(&mut host)[1], ControllerKind::ParavirtualScsi);
    host.starts("unmet: on VMware Paravirtual SCSI: sdb |");
    let mut host = Judged::ready("hypervisor.controllers");
    host.controllers = Fact::Unknown("no /sys".into());
    host.is("unknown: the storage controllers: no /sys");
}

#[test]
fn a_controller_that_cannot_be_told_is_not_met() {
    let mut host = Judged::ready("hypervisor.controllers");
    disks(&mut host)[1].controller = None;
    host.is("unknown: cannot determine the controller of sdb");
    put(&mut disks(&mut host)[0], ControllerKind::ParavirtualScsi);
    host.starts("unmet: on VMware Paravirtual SCSI: sda |");
    host.disks = Fact::Known(Vec::new());
    host.starts("unmet: this machine has no disk |");
    host.disks = Fact::Unknown("no /sys".into());
    host.is("unknown: the disks: no /sys");
}

#[test]
fn disks_are_counted() {
    let mut host = Judged::ready("hypervisor.disk-count");
    host.is("met: 2 of at most 60");
    host.disks = Fact::Known(vec![virtual_disk(0, "x", 1); 60]);
    host.is("met: 60 of at most 60");
    host.disks = Fact::Known(vec![virtual_disk(0, "x", 1); 61]);
    host.starts("unmet: 61 disks | at most 60 (4 controllers with 15 disks each) |");
    host.disks = Fact::Unknown("no /sys".into());
    host.is("unknown: the disks: no /sys");
}
