//! VMware, its tools, and the virtual hardware.

use super::devices::mount_at;
use super::tally::Tally;
use super::{Belongs, Requirement, Severity, Status, but, is_image, need, settle};
use crate::facts::disks::{ControllerKind, Disk};
use crate::facts::{Fact, Facts};
use crate::profile::Profile;

const SECTION: &str = "Common things to check on a master target";

/// Disks that one virtual SCSI controller takes: 16 units, one of which is the controller itself.
const DISKS_OF_A_CONTROLLER: usize = 15;

/// This section's requirements, in order.
pub const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        id: "hypervisor.vmware",
        title: "The machine is a VMware VM",
        severity: Severity::Required,
        section: "Prerequisites",
        why: "Failback attaches the disks of protected machines to the master target through vSphere; it goes to ESXi \
              hosts only.",
        by_hand: "Make the master target a VM on an ESXi host that vCenter manages and the configuration server has \
                  discovered.",
        changeable: false,
        belongs: Belongs::Both,
        after: &[],
        judge: |_, facts| settle(vmware(facts)),
    },
    Requirement {
        id: "hypervisor.tools",
        title: "VMware Tools or open-vm-tools are installed and running",
        severity: Severity::Required,
        section: SECTION,
        why: "vCenter learns the guest's name and addresses from the tools. Without them the datastores of the master \
              target's ESXi host are not detected, and the portal has none to offer.",
        by_hand: INSTALL_TOOLS,
        changeable: false,
        belongs: Belongs::Both,
        after: &[],
        judge: |_, facts| settle(tools(facts)),
    },
    Requirement {
        id: "hypervisor.controllers",
        title: "All disks sit on LSI Logic controllers, and none is paravirtual",
        severity: Severity::Required,
        section: SECTION,
        why: "Reprotection attaches disks to an LSI Logic controller of the master target. With a paravirtual SCSI \
              controller in the VM it fails.",
        by_hand: MOVE_DISKS,
        changeable: false,
        belongs: Belongs::Both,
        after: &[],
        judge: |_, facts| settle(controllers(facts)),
    },
    Requirement {
        id: "hypervisor.disk-count",
        title: "There are no more disks than the limit",
        severity: Severity::Required,
        section: SECTION,
        why: "A VM has 4 SCSI controllers with 15 disks each. Every disk of a machine that fails back is attached \
              here: when there is no room, its reprotection fails.",
        by_hand: "Wait until running failbacks are done and their disks are detached, or set up another master target \
                  for the next ones.",
        changeable: false,
        belongs: Belongs::Machine,
        after: &[],
        judge: |profile, facts| settle(disk_count(profile, facts)),
    },
];

const INSTALL_TOOLS: &str = "in vSphere: Guest OS > Install VMware Tools, then in the guest `mount /dev/cdrom /mnt`, unpack \
    VMwareTools-*.tar.gz, run ./vmware-install.pl -d; or `yum install open-vm-tools` where a repository has it (EPEL); \
    then restart";

const START_TOOLS: &str = "`service vmtoolsd start` and `chkconfig vmtoolsd on` (open-vm-tools), or \
    `/etc/vmware-tools/services.sh start` (VMware Tools); look into /var/log/messages if it ends again";

/// In the order that keeps the machine bootable: the drivers before the disks.
const MOVE_DISKS: &str = "1. while it still boots: `dracut --force --add-drivers \"mptspi mptsas mptscsih\"`, so that the \
    initramfs has the LSI Logic drivers; 2. power off, in Edit Settings add an LSI Logic SAS (or Parallel) controller, \
    with a small new disk on it if none can be added alone, power on, see the new controller in `lspci`; 3. power off, \
    move each disk to the LSI Logic controller (Virtual Device Node), the one that carries / to its first place \
    (unit 0); 4. remove the small disk and the old controller; 5. power on: SCSI IDs stay, names like sdb may change, \
    so fstab must not use them";

fn vmware(facts: &Facts) -> Result<Status, Status> {
    let dmi = need(&facts.dmi, "the firmware's system information")?;
    let vendor = need(&dmi.vendor, "the firmware's system vendor")?.as_deref().map(str::trim);
    let product = dmi.product.known().and_then(|product| product.as_deref()).unwrap_or("").trim();
    let found = match vendor {
        Some(vendor) => format!("{vendor} {product}"),
        None => "the firmware names no vendor (a container, or no SMBIOS)".into(),
    };
    // `VMware, Inc.` on every release of ESXi.
    if vendor.is_some_and(|vendor| vendor.starts_with("VMware")) {
        return Ok(Status::met(found.trim()));
    }
    Ok(Status::unmet(
        found.trim(),
        "VMware, Inc.",
        "make the master target a VM on an ESXi host that vCenter manages: failback goes nowhere else",
    ))
}

fn tools(facts: &Facts) -> Result<Status, Status> {
    let tools = need(&facts.tools, "VMware Tools")?;
    let expected = "VMware Tools or open-vm-tools, installed and running";
    let but = |found: &str| but(found, &tools.others);
    let program = match (&tools.program, &tools.pid) {
        (None, Fact::Known(Some(pid))) => return Ok(Status::met(format!("running (process {pid})"))),
        (None, Fact::Unknown(why)) => {
            return Err(Status::Unknown {
                why: format!("no known program of VMware Tools, and whether one runs: {why}"),
            });
        }
        (None, _) => return Ok(Status::unmet(but("not installed"), expected, INSTALL_TOOLS)),
        (Some(program), _) => program,
    };
    // In an image nothing runs, and nothing has to.
    if is_image(facts) && matches!(tools.pid, Fact::NotApplicable(_) | Fact::Known(None)) {
        return Ok(Status::met(format!("{program} is installed")));
    }
    Ok(match need(&tools.pid, "whether VMware Tools run")? {
        Some(pid) => Status::met(format!("{program} runs (process {pid})")),
        None => {
            Status::unmet(but(&format!("{program} is installed, but does not run")), expected, START_TOOLS)
        }
    })
}

fn controllers(facts: &Facts) -> Result<Status, Status> {
    let expected = "every disk on an LSI Logic Parallel or SAS controller, no paravirtual SCSI controller";
    let disks = need(&facts.disks, "the disks")?;
    if disks.is_empty() {
        return Ok(Status::unmet("this machine has no disk", expected, MOVE_DISKS));
    }
    let mut tally = Tally::default();
    let mut lsi: Vec<&str> = Vec::new();
    let mut wrong: Vec<(String, Vec<&str>)> = Vec::new();
    for disk in disks {
        let Some(controller) = &disk.controller else {
            tally.unknown(format!("the controller of {} could not be told", disk.name));
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
    let fix = match root_disk(facts, disks).filter(|root| !lsi.contains(root)) {
        _ if only_empty => "power off and remove the paravirtual controller in Edit Settings".to_owned(),
        Some(root) => format!("{MOVE_DISKS} (here {root} carries /)"),
        None => MOVE_DISKS.to_owned(),
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

fn root_disk<'a>(facts: &Facts, disks: &'a [Disk]) -> Option<&'a str> {
    let root = mount_at(facts.mounts.known()?, "/")?;
    super::devices::carriers(disks, &root.major_minor).first().map(|disk| disk.name.as_str())
}

fn disk_count(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let disks = need(&facts.disks, "the disks")?;
    let most = profile.hypervisor.max_disks;
    let found = format!("{} of at most {most}", disks.len());
    if disks.len() <= most {
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
mod tests {
    use super::super::testing::{disks, edit, ready, told, virtual_disk};
    use super::*;
    use crate::facts::disks::Controller;
    use crate::facts::tools::Tools;

    #[test]
    fn the_firmware_tells_a_vmware_machine() {
        let (profile, mut facts) = ready();
        assert_eq!(told(&profile, &facts, "hypervisor.vmware"), "met: VMware, Inc. VMware Virtual Platform");
        let dmi = edit(&mut facts.dmi);
        dmi.product = Fact::Known(None);
        dmi.vendor = Fact::Known(Some("QEMU".into()));
        let says = told(&profile, &facts, "hypervisor.vmware");
        assert!(says.starts_with("unmet: QEMU | VMware, Inc. | make the master target a VM"), "{says}");
        edit(&mut facts.dmi).vendor = Fact::Known(None);
        let says = told(&profile, &facts, "hypervisor.vmware");
        assert!(says.starts_with("unmet: the firmware names no vendor"), "{says}");
        edit(&mut facts.dmi).vendor = Fact::Unknown("not permitted".into());
        assert_eq!(
            told(&profile, &facts, "hypervisor.vmware"),
            "unknown: the firmware's system vendor: not permitted"
        );
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
        let controller =
            Controller { kind, driver: Some("megaraid_sas".into()), pci: Some("1000:0060".into()) };
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
        assert_eq!(
            told(&profile, &facts, "hypervisor.controllers"),
            "unknown: the storage controllers: no /sys"
        );
    }

    #[test]
    fn a_controller_that_cannot_be_told_is_not_met() {
        let (profile, mut facts) = ready();
        disks(&mut facts)[1].controller = None;
        assert_eq!(
            told(&profile, &facts, "hypervisor.controllers"),
            "unknown: the controller of sdb could not be told"
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
        assert!(
            says.starts_with("unmet: 61 disks | at most 60 (4 controllers with 15 disks each) |"),
            "{says}"
        );
        facts.disks = Fact::Unknown("no /sys".into());
        assert_eq!(told(&profile, &facts, "hypervisor.disk-count"), "unknown: the disks: no /sys");
    }
}
