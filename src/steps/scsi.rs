//! SCSI identity of the disks.

use std::collections::BTreeMap;

use super::devices::own_uses;
use super::storage::bring_back;
use super::tally::Tally;
use super::{Belongs, Place, Requirement, Status, Waivable, id, need};
use crate::facts::Facts;
use crate::facts::disks::{Disk, not_one_disk};
use crate::facts::scsi::NoId;
use crate::host::{ScsiId, text};

const SECTION: &str = "Retrieve the SCSI IDs";

/// The exact steps: they differ from those of other parameters in that a guest restart does not do.
const ENABLE_UUID: &str = "1. shut this VM down and see that it is powered off; 2. in vSphere: Edit Settings > VM \
    Options (in old clients: Options) > Advanced > General > Configuration Parameters; 3. set the row disk.EnableUUID \
    to TRUE, or add it, without quotation marks; 4. power the VM on: restarting the guest alone does not read it";

const LOOK: &str = "`/lib/udev/scsi_id --whitelisted --device=/dev/sdX` for each disk of /proc/partitions";

/// This section's requirements, in order.
pub const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        id: id::SCSI_IDS,
        title: "Every SCSI disk answers with an ID",
        section: SECTION,
        why: "The master target tells the disks that are attached to it apart by their SCSI IDs alone: names like sdb \
              move. Data for a disk without an ID has nowhere to go, and reprotection fails.",
        by_hand: "`/lib/udev/scsi_id --whitelisted --device=/dev/sdX` must print an ID for each disk. If it prints \
                  nothing for any: disk.EnableUUID.",
        look: LOOK,
        belongs: |_| Belongs::Machine,
        waiver: Waivable::Never("data for a disk without an ID has nowhere to go"),
        place: Place::Elsewhere,
        judge: |_, facts| of_every_disk(facts),
        ..Requirement::DEFAULT
    },
    Requirement {
        id: id::SCSI_IDS_UNIQUE,
        title: "No two disks answer with the same ID",
        section: "Common problems",
        why: "Two disks with one ID are one disk to multipath and to the master target: data of one protected machine \
              is written over another's. It happens when VMs are made from one template or a disk is copied.",
        by_hand: "Find the copies by `lsscsi -i`. In vSphere, detach the copy, give its file a new UUID (`vmkfstools \
                  -J setuuid DISK.vmdk` on the ESXi host), attach it again.",
        look: LOOK,
        belongs: |_| Belongs::Machine,
        waiver: Waivable::Never("data of one protected machine would be written over another's"),
        place: Place::Elsewhere,
        judge: |_, facts| unique(facts),
        ..Requirement::DEFAULT
    },
    Requirement {
        id: id::UUID_ENABLED,
        title: "disk.EnableUUID is in effect",
        section: SECTION,
        why: "Only with it do VMware disks show the UUID of their file, which is what the configuration server knows \
              them by. Without it multipath shows blank IDs and failback finds no disk to write to.",
        by_hand: ENABLE_UUID,
        look: "`/lib/udev/scsi_id --whitelisted --device=/dev/sdX` for each disk of /proc/partitions; the row disk.EnableUUID \
               in the configuration parameters of this VM in vSphere",
        belongs: |_| Belongs::Both,
        waiver: Waivable::Never("failback finds no disk to write to"),
        place: Place::Elsewhere,
        judge: |_, facts| uuid_enabled(facts),
        ..Requirement::DEFAULT
    },
];

/// The disks that the SCSI layer drives; that there is none is a failure, never a success.
fn scsi_disks(facts: &Facts) -> Result<Vec<&Disk>, Status> {
    let disks = need(&facts.disks, "the disks")?;
    let scsi: Vec<_> = disks.iter().filter(|disk| disk.is_scsi()).collect();
    if !scsi.is_empty() {
        return Ok(scsi);
    }
    let found = match disks.as_slice() {
        [] => "this machine has no disk".to_owned(),
        others => {
            let names: Vec<_> = others.iter().map(|disk| disk.name.as_str()).collect();
            format!("no SCSI disk (only {})", names.join(", "))
        }
    };
    Err(Status::unmet(
        found,
        "SCSI disks on an LSI Logic controller",
        "in vSphere, put the VM's disks on an LSI Logic controller (see hypervisor.controllers)",
    ))
}

/// Notes a disk without an ID: without root it could not be asked, and nothing is known of it.
fn without_id(disk: &Disk, facts: &Facts, tally: &mut Tally) {
    let Err(NoId { why, .. }) = &disk.scsi_id else { return };
    if facts.privileged {
        tally.problem(format!("{}: {why}", disk.name));
    } else {
        tally.unknown(format!("{}: {why} (as root it can be asked)", disk.name));
    }
}

fn of_every_disk(facts: &Facts) -> Result<Status, Status> {
    let disks = scsi_disks(facts)?;
    let mut tally = Tally::default();
    // Whether one that does not answer would have an ID is not known, and nothing but an answer tells.
    let (mut bring, mut foreign) = (Vec::new(), true);
    for disk in &disks {
        if let Some(problem) = disk.not_answering() {
            tally.problem(problem);
            bring.push(bring_back(disk));
            foreign &= !is_own(disk, facts);
        }
    }
    let silent = !bring.is_empty();
    if silent && foreign {
        bring.push(
            "or, where it is a disk of a protected machine that is not needed any more, detach it".to_owned(),
        );
    }
    let bring = bring.join("; ");
    let without: Vec<_> =
        disks.iter().filter(|disk| disk.id().is_none() && disk.not_answering().is_none()).collect();
    // One cause, one finding: disks of VMware answer without an ID because of disk.EnableUUID.
    let of_uuid = without.iter().all(|disk| disk.is_vmware());
    if !silent && !without.is_empty() && of_uuid {
        return Ok(Status::Blocked { by: id::UUID_ENABLED.to_owned() });
    }
    for disk in without.iter().filter(|_| !of_uuid) {
        without_id(disk, facts, &mut tally);
    }
    let fix = match (silent, without.is_empty() || of_uuid) {
        (true, true) => bring,
        (true, false) => format!("{bring}. For those that answer: {ENABLE_UUID}"),
        (false, _) => ENABLE_UUID.to_owned(),
    };
    let found = match disks.as_slice() {
        [one] => format!("{} {}", one.name, one.id().map_or("", ScsiId::as_str)),
        many => format!("{} disks", many.len()),
    };
    Ok(tally.status(found, "an ID from every SCSI disk", fix))
}

/// Whether something of the system, or a volume that the agent made, lies on the disk.
fn is_own(disk: &Disk, facts: &Facts) -> bool {
    let record = facts.retention_record.known().and_then(Option::as_ref);
    let devices = disk.all_devices();
    let mut mounts = facts.mounts.known().into_iter().flatten();
    record.is_some_and(|record| disk.has_id(&record.scsi_id))
        || mounts.any(|mount| devices.contains(&mount.major_minor))
        || !own_uses(facts, disk, "/mnt").is_empty()
}

/// What follows for the other requirements when there is nothing to ask for an ID.
fn follows(status: Status) -> Status {
    match status {
        Status::Unmet { .. } => Status::Blocked { by: id::SCSI_IDS.to_owned() },
        other => other,
    }
}

fn unique(facts: &Facts) -> Result<Status, Status> {
    let disks = scsi_disks(facts).map_err(follows)?;
    let mut same: Vec<String> = Vec::new();
    let mut by_id: BTreeMap<&str, Vec<&Disk>> = BTreeMap::new();
    for disk in &disks {
        if let Some(id) = disk.id() {
            by_id.entry(id).or_default().push(disk);
        }
    }
    for (id, group) in &by_id {
        let names: Vec<_> = group.iter().map(|disk| disk.name.as_str()).collect();
        let sizes = || group.iter().map(|disk| text::bytes(disk.size_bytes)).collect::<Vec<_>>().join(", ");
        let Some((first, rest)) = group.split_first() else { continue };
        if rest.iter().any(|disk| disk.size_bytes != first.size_bytes) {
            // Paths of one disk cannot differ in size, whatever multipath made of them.
            same.push(format!("{} all answer with {id}, but are {}", names.join(", "), sizes()));
        } else if !rest.iter().all(|disk| first.is_same(disk)) {
            same.push(format!("{} all answer with {id}", names.join(", ")));
        } else if let Some(why) = not_one_disk(group.iter().copied()) {
            same.push(format!("{} all answer with {id}: {why}", names.join(", ")));
        }
    }
    let fix = "in vSphere, detach the copied disk, give its file a new UUID (`vmkfstools -J setuuid DISK.vmdk` on the \
               ESXi host, VM powered off), attach it again; or deploy a master target that was not made from the same \
               template";
    Ok(if !same.is_empty() {
        Status::unmet(same.join("; "), "an ID of its own for every disk", fix)
    } else if disks.iter().any(|disk| disk.id().is_none()) {
        // Nobody has seen a copy: whether there is one shows when all have their IDs.
        Status::Blocked { by: id::SCSI_IDS.to_owned() }
    } else if by_id.len() == 1 {
        Status::met("1 ID")
    } else {
        Status::met(format!("{} different IDs", by_id.len()))
    })
}

fn uuid_enabled(facts: &Facts) -> Result<Status, Status> {
    let disks = scsi_disks(facts).map_err(follows)?;
    let ours: Vec<&Disk> = disks.iter().filter(|disk| disk.is_vmware()).copied().collect();
    if ours.is_empty() {
        let vendors: Vec<_> = disks
            .iter()
            .map(|disk| format!("{} ({})", disk.name, disk.vendor.as_deref().unwrap_or("no vendor")))
            .collect();
        return Ok(Status::unmet(
            format!("no VMware virtual disk: {}", vendors.join(", ")),
            "VMware virtual disks that show their UUID",
            "run the master target as a VMware VM with virtual disks on an LSI Logic controller",
        ));
    }
    let mut tally = Tally::default();
    let mut silent = false;
    let mut shown = true;
    for disk in &ours {
        match disk.id() {
            Some(id) if is_naa(id) => continue,
            // It may well be on: the disk does not say.
            None if disk.not_answering().is_some() => {
                silent = true;
                continue;
            }
            Some(id) => tally.problem(format!("{} answers with {id}, which is no NAA ID", disk.name)),
            None => without_id(disk, facts, &mut tally),
        }
        shown = false;
    }
    if silent && shown {
        return Ok(Status::Blocked { by: id::SCSI_IDS.to_owned() });
    }
    let found = match ours.as_slice() {
        [one] => format!("{} {}", one.name, one.id().map_or("", ScsiId::as_str)),
        many => format!("{} VMware disks show their UUID", many.len()),
    };
    Ok(tally.status(found, "an NAA ID (VPD page 0x83) from every VMware disk", ENABLE_UUID))
}

/// Whether an ID, as scsi_id writes it, is an NAA name of 64 or 128 bits: `3` and its hexadecimal digits.
fn is_naa(id: &str) -> bool {
    id.strip_prefix('3').is_some_and(|digits| {
        matches!(digits.len(), 16 | 32) && digits.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Judged, OS_DISK_ID, RETENTION_ID, disks, virtual_disk};
    use crate::facts::Fact;
    use crate::facts::disks::Disk;
    use crate::facts::scsi::NoId;

    fn lose_id(disk: &mut Disk, why: &str) {
        disk.scsi_id = Err(why.into());
    }

    #[test]
    fn a_machine_with_its_ids_is_met() {
        let host = Judged::ready("scsi.ids");
        host.of("scsi.ids").is("met: 2 disks");
        host.of("scsi.ids-unique").is("met: 2 different IDs");
        host.of("scsi.uuid-enabled").is("met: 2 VMware disks show their UUID");
    }

    #[test]
    fn uuid_off_is_unmet_with_every_step_to_switch_it_on() {
        let mut host = Judged::ready("scsi.ids");
        for disk in disks(&mut host) {
            lose_id(disk, "page 0x83 has only vendor-specific designators");
        }
        host.of("scsi.uuid-enabled")
            .starts(
                "unmet: sda: page 0x83 has only vendor-specific designators; sdb: page 0x83 has only \
                 vendor-specific designators | an",
            )
            .has("powered off")
            .has("Configuration Parameters")
            .has("disk.EnableUUID to TRUE")
            .has("power the VM on");
        // One cause, one finding; and no copy is detached that nobody has seen.
        host.of("scsi.ids").is("blocked: scsi.uuid-enabled");
        host.of("scsi.ids-unique").is("blocked: scsi.ids");
        let disks = disks(&mut host);
        disks[1].vendor = Some("DGC".into());
        disks.push(virtual_disk(2, RETENTION_ID, 1 << 40));
        disks.push(virtual_disk(3, RETENTION_ID, 1 << 40));
        host.of("scsi.ids").starts("unmet: sda: page 0x83 has only").has("; sdb: page 0x83");
        // Two that are seen are told, whatever the others are.
        host.of("scsi.ids-unique").starts("unmet: sdc, sdd all answer with");
    }

    #[test]
    fn a_disk_that_does_not_answer_is_not_one_without_uuids() {
        let mut host = Judged::ready("scsi.ids");
        lose_id(&mut disks(&mut host)[1], "opening /dev/sdb: No such device or address (os error 6)");
        disks(&mut host)[1].state = Some("offline".into());
        // It is not to be detached.
        host.of("scsi.ids")
            .starts("unmet: sdb is offline | an ID from every SCSI disk | see in dmesg")
            .ends("`echo running > /sys/block/sdb/device/state`");
        let mut foreign = host.clone();
        let mut disk = virtual_disk(2, "36000c29dddddddddddddddddddddddddd", 1 << 40);
        disk.state = Some("offline".into());
        disks(&mut foreign)[1].state = Some("running".into());
        disks(&mut foreign).push(disk);
        foreign
            .of("scsi.ids")
            .has("disk of a protected machine that is not needed any more, detach it")
            .lacks("EnableUUID");
        host.of("scsi.uuid-enabled").is("blocked: scsi.ids");
        host.of("scsi.ids-unique").is("blocked: scsi.ids");

        // A kernel that has its page 0x83 still tells the ID.
        let mut cached = Judged::ready("scsi.ids");
        disks(&mut cached)[1].state = Some("transport-offline".into());
        cached.of("scsi.ids").starts("unmet: sdb is transport-offline |");
        cached.of("scsi.uuid-enabled").is("met: 2 VMware disks show their UUID");

        // The same of one that runs, as far as the kernel knows, and did not answer.
        disks(&mut host)[1].state = Some("running".into());
        disks(&mut host)[1].scsi_id = Err(NoId { why: "it did not answer".into(), silent: true });
        host.of("scsi.ids").starts("unmet: sdb does not answer |");
        host.of("scsi.uuid-enabled").is("blocked: scsi.ids");

        // The other one answers, without an ID: that is disk.EnableUUID, and each has its finding.
        lose_id(&mut disks(&mut host)[0], "its list of VPD pages lacks 0x83");
        host.of("scsi.ids").lacks("sda");
        host.of("scsi.uuid-enabled").starts("unmet: sda: its list of VPD pages lacks 0x83 |");
        disks(&mut host)[0].vendor = Some("DGC".into());
        host.of("scsi.ids").starts("unmet: sdb does not answer; sda: its list of VPD").has("EnableUUID");
    }

    #[test]
    fn without_root_a_disk_that_could_not_be_asked_is_unknown() {
        let mut host = Judged::ready("scsi.ids");
        host.privileged = false;
        lose_id(&mut disks(&mut host)[1], "opening /dev/sdb: permission denied");
        let unknown = "unknown: sdb: opening /dev/sdb: permission denied (as root it can be asked)";
        host.of("scsi.uuid-enabled").is(unknown);
        host.of("scsi.ids").is("blocked: scsi.uuid-enabled");
        disks(&mut host)[1].vendor = Some("DGC".into());
        host.of("scsi.ids").is(unknown);
    }

    #[test]
    fn an_id_that_is_no_naa_name_does_not_show_the_uuid() {
        let mut host = Judged::ready("scsi.ids");
        for other in [
            "SVMware_Virtual_disk_0001",
            "1VMware_Virtual_disk",
            "36000c29",
            "36000c29zdf41a25811b07e74971e8xxxx",
        ] {
            disks(&mut host)[0].scsi_id = Ok(other.into());
            host.of("scsi.ids").is("met: 2 disks");
            host.of("scsi.uuid-enabled")
                .starts(format!("unmet: sda answers with {other}, which is no NAA ID |"));
        }
        let mut blank = serde_json::to_value(&disks(&mut host)[0]).unwrap();
        blank["scsi_id"] = " ".into();
        disks(&mut host)[0] = serde_json::from_value(blank).unwrap();
        host.of("scsi.uuid-enabled").starts("unmet: sda: its ID is empty |");
    }

    #[test]
    fn the_same_id_twice_is_unmet_unless_multipath_joins_paths() {
        let mut host = Judged::ready("scsi.ids");
        disks(&mut host).push(virtual_disk(2, RETENTION_ID, 1 << 40));
        host.of("scsi.ids-unique")
            .starts(format!("unmet: sdb, sdc all answer with {RETENTION_ID} |"))
            .has("vmkfstools -J setuuid");

        let map = disks(&mut host)[1].multipath.clone();
        disks(&mut host)[2].multipath = map;
        host.of("scsi.ids-unique").starts(format!(
            "unmet: sdb, sdc all answer with {RETENTION_ID}: multipath took sdb, sdc for one disk"
        ));
        for path in &mut disks(&mut host)[1..] {
            path.vendor = Some("DGC".into());
        }
        host.of("scsi.ids-unique").is("met: 2 different IDs");

        disks(&mut host)[2].size_bytes = 1 << 39;
        host.of("scsi.ids-unique")
            .starts(format!("unmet: sdb, sdc all answer with {RETENTION_ID}, but are 1 TiB, 512 GiB |"));
    }

    #[track_caller]
    fn all_start_with(host: &Judged, start: &str) {
        for id in ["scsi.ids", "scsi.ids-unique", "scsi.uuid-enabled"] {
            let follows = start.starts_with("unmet") && id != "scsi.ids";
            host.of(id).starts(if follows { "blocked: scsi.ids" } else { start });
        }
    }

    #[test]
    fn without_scsi_disks_nothing_is_met() {
        let mut host = Judged::ready("scsi.ids");
        for disk in disks(&mut host) {
            disk.hctl = None;
        }
        all_start_with(&host, "unmet: no SCSI disk (only sda, sdb) |");
        host.disks = Fact::Known(Vec::new());
        all_start_with(&host, "unmet: this machine has no disk |");
        host.disks = Fact::Unknown("no /sys".into());
        all_start_with(&host, "unknown: the disks: no /sys");
        host.disks = Fact::NotApplicable("an image's tree".into());
        all_start_with(&host, "not-applicable: an image's tree");
    }

    #[test]
    fn disks_of_others_do_not_show_that_uuids_are_on() {
        let mut host = Judged::ready("scsi.ids");
        for disk in disks(&mut host) {
            disk.vendor = Some("QEMU".into());
        }
        host.of("scsi.uuid-enabled").starts("unmet: no VMware virtual disk: sda (QEMU), sdb (QEMU) |");
        // A raw device mapping beside virtual disks has the ID of its own array.
        disks(&mut host)[0].vendor = Some("VMware".into());
        host.of("scsi.uuid-enabled").is(format!("met: sda {OS_DISK_ID}"));
    }
}
