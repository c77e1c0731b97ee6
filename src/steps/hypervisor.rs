//! VMware, its tools, and the virtual hardware.

use super::image::root_disk;
use super::known::but;
use super::tally::Tally;
use super::{Belongs, Place, Requirement, Status, Waivable, is_image, need};
use crate::facts::disks::{ControllerKind, Disk};
use crate::facts::dmi::Dmi;
use crate::facts::{Fact, Facts};
use crate::platform::words;
use crate::profile::Profile;

/// Disks that one virtual SCSI controller takes: 16 units, one of which is the controller itself.
const DISKS_OF_A_CONTROLLER: u64 = 15;

const SHARED: Requirement = Requirement {
    section: "Common things to check on a master target",
    look: "`lspci`, `ls /sys/block`, and Edit Settings of this VM in vSphere",
    ..Requirement::DEFAULT
};

pub const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        id: "hypervisor.vmware",
        title: "The machine is a VMware VM",
        section: "Prerequisites",
        why: "Failback attaches the disks of protected machines to the master target through vSphere; it goes to ESXi \
              hosts only.",
        by_hand: "Make the master target a VM on an ESXi host that vCenter manages and the configuration server has \
                  discovered.",
        look: "`dmidecode -s system-manufacturer`, and `lspci -d 15ad:`, which lists VMware's devices; vCenter lists its VMs",
        belongs: |_| Belongs::Both,
        waiver: Waivable::Never("failback goes to VMware VMs only"),
        place: Place::Elsewhere,
        judge: |_, facts| vmware(facts),
        ..SHARED
    },
    Requirement {
        id: "hypervisor.tools",
        title: "VMware Tools or open-vm-tools are installed and running",
        why: "vCenter learns the guest's name and addresses from the tools. Without them the datastores of the master \
              target's ESXi host are not detected, and the portal has none to offer.",
        by_hand: "{system.tools}",
        look: "`ps -ef | grep -e vmtoolsd -e vmware-guestd`; the VM's summary in vCenter shows it too",
        belongs: |_| Belongs::Both,
        judge: |_, facts| tools(facts),
        ..SHARED
    },
    Requirement {
        id: "hypervisor.controllers",
        title: "All disks sit on LSI Logic controllers, and none is paravirtual",
        why: "Reprotection attaches disks to an LSI Logic controller of the master target. With a paravirtual SCSI \
              controller in the VM it fails.",
        by_hand: MOVE_DISKS,
        belongs: |_| Belongs::Both,
        place: Place::Elsewhere,
        judge: |_, facts| controllers(facts),
        ..SHARED
    },
    Requirement {
        id: "hypervisor.disk-count",
        title: "There are no more disks than the limit",
        why: "A VM has 4 SCSI controllers with 15 disks each. Every disk of a machine that fails back is attached \
              here: when there is no room, its reprotection fails.",
        by_hand: "Wait until running failbacks are done and their disks are detached, or set up another master target \
                  for the next ones.",
        place: Place::Elsewhere,
        judge: disk_count,
        ..SHARED
    },
];

fn move_disks(facts: &Facts) -> String {
    MOVE_DISKS.replace("{system.lsi-drivers}", words::of(facts).lsi_drivers)
}

/// In the order that keeps the machine bootable: the drivers before the disks.
const MOVE_DISKS: &str = "1. while it still boots: {system.lsi-drivers}, so that the \
    initramfs has the LSI Logic drivers; 2. power off, in Edit Settings add an LSI Logic SAS (or Parallel) controller, \
    with a small new disk on it if none can be added alone, power on, see the new controller in `lspci`; 3. power off, \
    move each disk to the LSI Logic controller (Virtual Device Node), the one that carries / to its first place \
    (unit 0); 4. remove the small disk and the old controller; 5. power on: SCSI IDs stay, names like sdb may change, \
    so fstab must not use them";

fn vmware(facts: &Facts) -> Result<Status, Status> {
    const ON_ESXI: &str =
        "make the master target a VM on an ESXi host that vCenter manages: failback goes nowhere else";
    let dmi = need(&facts.dmi, "the firmware's system information")?;
    let product = dmi.product.known().and_then(|product| product.as_deref()).unwrap_or("").trim();
    let disks = facts.disks.known().map_or(&[][..], Vec::as_slice);
    let device = witness(dmi, disks);
    let of = |vendor: &str| format!("{} {product}", vendor.trim()).trim().to_owned();
    // `VMware, Inc.` on every release of ESXi. A host's own SMBIOS can be handed on to a VM: it takes a device too.
    match (need(&dmi.vendor, "the firmware's system vendor")?.as_deref(), device) {
        (Some(vendor), device) if vendor.trim().starts_with("VMware") => {
            let by_name = || disks.iter().any(|disk| disk.vendor.as_deref() == Some("VMware"));
            if device.is_some() || by_name() {
                return Ok(Status::met(of(vendor)));
            }
            let pci = match &dmi.vmware_pci {
                Fact::Unknown(why) => format!("whether a PCI device is VMware's: {why}"),
                _ => "no PCI device is VMware's (15ad)".to_owned(),
            };
            Err(Status::unknown(format!(
                "the firmware says {}, but no disk is VMware's, and {pci}",
                of(vendor)
            )))
        }
        (Some(vendor), Some(device)) => {
            Err(Status::unknown(format!("the firmware says {}, but {device}", of(vendor))))
        }
        (Some(vendor), None) => Ok(Status::unmet(of(vendor), "VMware, Inc.", ON_ESXI)),
        (None, Some(device)) => Ok(Status::met(device)),
        (None, None) => Ok(Status::unmet(
            "the firmware names no vendor (a container, or no SMBIOS)",
            "VMware, Inc.",
            ON_ESXI,
        )),
    }
}

/// A device that only a VM on ESXi has.
fn witness(dmi: &Dmi, disks: &[Disk]) -> Option<String> {
    // 00:0c:29, VMware's OUI, in an NAA type 6 name.
    let named = |disk: &&Disk| disk.id().is_some_and(|id| id.starts_with("36000c29"));
    let disk = disks.iter().find(named).map(|disk| format!("the SCSI ID of {} is VMware's", disk.name));
    let on_bus =
        || (dmi.vmware_pci == Fact::Known(true)).then(|| "a PCI device is VMware's (15ad)".to_owned());
    disk.or_else(on_bus)
}

fn tools(facts: &Facts) -> Result<Status, Status> {
    let tools = need(&facts.tools, "VMware Tools")?;
    let expected = "VMware Tools or open-vm-tools, installed and running";
    let but = |found: &str| but(found, &tools.others);
    let program = match (&tools.program, &tools.pid) {
        (None, Fact::Known(Some(pid))) => return Ok(Status::met(format!("running (process {pid})"))),
        (None, Fact::Unknown(why)) => {
            return Err(Status::unknown(format!(
                "no known program of VMware Tools, and whether one runs: {why}"
            )));
        }
        (None, _) => {
            return Ok(Status::unmet(but("not installed"), expected, words::of(facts).tools));
        }
        (Some(program), _) => program,
    };
    // In an image nothing runs, and nothing has to.
    if is_image(facts) && matches!(tools.pid, Fact::NotApplicable(_) | Fact::Known(None)) {
        return Ok(Status::met(format!("{program} is installed")));
    }
    Ok(match need(&tools.pid, "whether VMware Tools run")? {
        Some(pid) => Status::met(format!("{program} runs (process {pid})")),
        None => Status::unmet(
            but(&format!("{program} is installed, but does not run")),
            expected,
            words::of(facts).start_tools,
        ),
    })
}

fn controllers(facts: &Facts) -> Result<Status, Status> {
    let expected = "every disk on an LSI Logic Parallel or SAS controller, no paravirtual SCSI controller";
    let disks = need(&facts.disks, "the disks")?;
    if disks.is_empty() {
        return Ok(Status::unmet("this machine has no disk", expected, move_disks(facts)));
    }
    let mut tally = Tally::default();
    let mut lsi: Vec<&str> = Vec::new();
    let mut wrong: Vec<(String, Vec<&str>)> = Vec::new();
    for disk in disks {
        let Some(controller) = &disk.controller else {
            tally.unknown(format!("cannot determine the controller of {}", disk.name));
            continue;
        };
        let kind = match controller.kind {
            ControllerKind::LsiLogicParallel | ControllerKind::LsiLogicSas => {
                lsi.push(&disk.name);
                continue;
            }
            ControllerKind::Other => {
                let driver = controller.driver.as_deref().unwrap_or("none");
                let pci = controller.pci.as_deref().unwrap_or("unknown");
                format!("another controller (driver {driver}, PCI id {pci})")
            }
            kind => name(kind).to_owned(),
        };
        match wrong.iter_mut().find(|(other, _)| *other == kind) {
            Some((_, names)) => names.push(&disk.name),
            None => wrong.push((kind, vec![&disk.name])),
        }
    }
    // Without disks it cannot be seen on any disk, and keeps reprotection from working all the same.
    if let Some(all) = tally.know(need(&facts.controllers, "the storage controllers")) {
        let is_paravirtual = |kind: ControllerKind| kind == ControllerKind::ParavirtualScsi;
        let on_it = |disk: &Disk| disk.controller.as_ref().is_some_and(|own| is_paravirtual(own.kind));
        if all.iter().any(|controller| is_paravirtual(controller.kind)) && !disks.iter().any(on_it) {
            tally.problem(format!("a {} controller without disks", name(ControllerKind::ParavirtualScsi)));
        }
    }
    for (kind, names) in &wrong {
        tally.problem(format!("on {kind}: {}", names.join(", ")));
    }
    let only_empty = wrong.is_empty() && lsi.len() == disks.len();
    let fix = match root_disk(facts).filter(|root| !lsi.contains(root)) {
        _ if only_empty => "power off and remove the paravirtual controller in Edit Settings".to_owned(),
        Some(root) => format!("{} (here {root} carries /)", move_disks(facts)),
        None => move_disks(facts),
    };
    Ok(tally.status(format!("on LSI Logic: {}", lsi.join(", ")), expected, fix))
}

fn name(kind: ControllerKind) -> &'static str {
    match kind {
        ControllerKind::LsiLogicParallel => "LSI Logic Parallel",
        ControllerKind::LsiLogicSas => "LSI Logic SAS",
        ControllerKind::ParavirtualScsi => "VMware Paravirtual SCSI",
        ControllerKind::BusLogic => "BusLogic",
        ControllerKind::Ahci => "SATA (AHCI)",
        ControllerKind::Nvme => "NVMe",
        ControllerKind::Ide => "IDE",
        ControllerKind::Virtio => "virtio (not VMware)",
        ControllerKind::Other => "another controller",
    }
}

fn disk_count(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let disks = need(&facts.disks, "the disks")?;
    let most = profile.hypervisor.max_disks.get();
    let found = format!("{} of at most {most}", disks.len());
    if disks.len() as u64 <= most {
        return Ok(Status::met(found));
    }
    Ok(Status::unmet(
        format!("{} disks", disks.len()),
        format!(
            "at most {most} ({} controllers with {DISKS_OF_A_CONTROLLER} disks each)",
            most.div_ceil(DISKS_OF_A_CONTROLLER)
        ),
        "let running failbacks end and their disks be detached, or set up another master target for the next ones",
    ))
}

#[cfg(test)]
#[path = "hypervisor_tests.rs"]
mod tests;
