//! Which disk may become the retention volume. Pure, from facts and probes; the rules are design.md's, and
//! what is decided here is checked again on the very descriptor before anything is written.

use crate::changes::Target;
use crate::changes::mkfs::Format;
use crate::facts::blank::Probe;
use crate::facts::disks::distinct;
use crate::facts::disks::{Controller, ControllerKind, Disk, Holder, Mapped, users};
use crate::facts::guest_info::RETENTION_DISK;
use crate::facts::retention::uuid_of;
use crate::facts::{Fact, Facts};
use crate::host::{DeviceNumber, ScsiId, text};
use crate::profile::Profile;
use crate::steps::devices::{carriers, mount_at};
use crate::steps::remedy::Request;

use super::identity::{describe, identity};
use super::name::{self, find};
use super::probes::probe_of;
use super::{traces, volumes};

/// The disk that may be formatted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen<'a> {
    /// The disk.
    pub disk: &'a Disk,
    /// How it is formatted.
    pub format: Format,
    /// Whether nobody named it: a person has to confirm its SCSI ID before it is taken.
    pub unnamed: bool,
}

/// Chooses the disk to format.
/// Errors: None may be, and why: what a person does about it.
pub fn choose<'a>(profile: &Profile, facts: &'a Facts, request: &Request) -> Result<Chosen<'a>, String> {
    let erase = request.erase_disk.as_deref();
    let named = name::asked(profile, facts, request);
    match (named, erase, interrupted(facts)) {
        (Some(named), _, _) => match name::moves(facts, &named) {
            Some(why) => Err(why),
            None => find(facts, named.name).and_then(|disk| named_disk(profile, facts, disk, request)),
        },
        (None, Some(_), _) => {
            Err("--erase-disk only lifts \"not blank\": name the retention disk too, with --retention-disk"
                .to_owned())
        }
        (None, None, Some(disk)) => named_disk(profile, facts, disk, request),
        (None, None, None) => sole_candidate(profile, facts, request),
    }
}

/// A disk that a person named, or that our own record says we were formatting.
fn named_disk<'a>(
    profile: &Profile,
    facts: &'a Facts,
    disk: &'a Disk,
    request: &Request,
) -> Result<Chosen<'a>, String> {
    let scsi_id = identity(facts, disk)?;
    if let Some(name) = &request.erase_disk {
        let erased = find(facts, name)?;
        if !erased.has_id(&scsi_id) {
            return Err(format!(
                "--erase-disk names {}, but the retention disk is {}: both must be the same disk",
                erased.name, disk.name
            ));
        }
    }
    let probe = probe_of(facts, disk)?;
    let ours = interrupted(facts).is_some_and(|other| other.scsi_id == disk.scsi_id);
    // Where nothing is to be erased, the order is done with: what comes onto the disk later was not meant.
    let order = if is_blank(probe, disk) { Order::None } else { Order::of(request, probe) };
    let lifted = matches!(order, Order::Holds(_));
    // What shows that it has a partition table and no more is erased with it.
    let shown: Vec<String> = users::map_partitions(disk).iter().map(|(_, one)| one.to_string()).collect();
    let only_shown = probe.in_use.iter().all(|one| shown.contains(one));
    if !(probe.in_use.is_empty() || lifted && only_shown) {
        let hint = match &order {
            Order::Void(why) if only_shown => format!(". {why}. {}", once_more(&scsi_id)),
            _ if only_shown => format!(". If nothing on it is needed: --erase-disk {scsi_id}"),
            _ => String::new(),
        };
        return Err(format!("{} is in use: {}{hint}", describe(disk), probe.in_use.join("; ")));
    }
    takeable(facts, disk, if lifted { &shown } else { &[] })?;
    let left = |hint: &str| {
        Err(format!("{} is left as it is: {}. {hint}", describe(disk), probe.why_not.join("; ")))
    };
    if probe.unreadable {
        // Nobody can say of what cannot be read that it is not needed.
        return left(&format!(
            "A volume on it would not last, and --erase-disk does not lift that: {}",
            if probe.trouble.is_some() { "see to that first" } else { "attach another disk" }
        ));
    }
    match &order {
        Order::None if !(is_blank(probe, disk) || ours) => {
            // What holds retention data is not to be erased because something is wrong with it.
            return left(&match volumes::hint(facts, disk) {
                Some(hint) => hint,
                None => format!("If nothing on it is needed: --erase-disk {scsi_id}"),
            });
        }
        Order::Void(why) if !ours => return left(&format!("{why}. {}", once_more(&scsi_id))),
        Order::None | Order::Void(_) | Order::Holds(_) => {}
    }
    let (erase, fingerprint) = match order {
        Order::Holds(fingerprint) => (true, fingerprint),
        Order::None | Order::Void(_) => (false, None),
    };
    let format = Format { erase, fingerprint, ..format(profile, facts, disk, scsi_id) };
    Ok(Chosen { disk, format, unnamed: false })
}

/// Whether an order to erase `disk` that was left for after a restart is void.
pub(super) fn is_void(facts: &Facts, request: &Request, disk: &Disk) -> bool {
    request.resumed
        && probe_of(facts, disk).is_ok_and(|probe| matches!(Order::of(request, probe), Order::Void(_)))
}

fn once_more(scsi_id: &str) -> String {
    format!(
        "If nothing on it is needed, say so once more: mt-agent apply --retention-disk {scsi_id} --erase-disk {scsi_id}"
    )
}

/// What `--erase-disk` lifts for a disk that is not blank.
enum Order {
    /// Nothing: it was not given.
    None,
    /// "not blank", for what this fingerprint tells.
    Holds(Option<String>),
    /// Nothing: why not.
    Void(String),
}

impl Order {
    /// Of a person who is there now, whatever is on the disk; of one who was there before the restart, what was on it then.
    fn of(request: &Request, probe: &Probe) -> Self {
        if request.erase_disk.is_none() {
            return Self::None;
        }
        if !request.resumed {
            return Self::Holds(probe.fingerprint.clone());
        }
        match (&request.erase_fingerprint, &probe.fingerprint) {
            (Some(then), Some(now)) if then == now => match probe.written {
                Some(false) => Self::Holds(Some(now.clone())),
                Some(true) => Self::Void("It was written to since this boot".to_owned()),
                None => {
                    Self::Void("Whether it was written to since this boot cannot be determined".to_owned())
                }
            },
            (Some(_), Some(_)) => {
                Self::Void("What is on it is not what was there when --erase-disk was given".to_owned())
            }
            (None, _) => Self::Void("What was on it when --erase-disk was given is not on record".to_owned()),
            (_, None) => Self::Void(
                "Whether it is what was there when --erase-disk was given cannot be determined".to_owned(),
            ),
        }
    }
}

/// The only disk that could be meant, on a host where the master target software has never been installed, for a person at a
/// terminal to confirm.
fn sole_candidate<'a>(profile: &Profile, facts: &'a Facts, request: &Request) -> Result<Chosen<'a>, String> {
    if facts.disks.known().is_none() || facts.mounts.known().is_none() || facts.swaps.known().is_none() {
        return Err(
            "which disks are unused cannot be determined: the disks, what is mounted or swap could not be read"
                .to_owned(),
        );
    }
    let candidates: Vec<&Disk> = distinct(
        idle(facts)
            .into_iter()
            .filter(|disk| probe_of(facts, disk).is_ok_and(|probe| is_blank(probe, disk)))
            .collect(),
    );
    let list = |disks: &[&Disk]| disks.iter().map(|disk| describe(disk)).collect::<Vec<_>>().join("; ");
    match candidates.as_slice() {
        [] => Err(match idle(facts).as_slice() {
            [] => "no unused disk is attached: shut down, add a disk of 1 TB, start again".to_owned(),
            idle => format!("no attached disk may be taken: {}", reasons(facts, idle)),
        }),
        candidates if let Some(sign) = traces::found(profile, facts, candidates) => Err(format!(
            "{sign}, so a blank disk may be a protected machine's: name the disk with --retention-disk. Blank: {}",
            list(candidates)
        )),
        [disk] => {
            let scsi_id = identity(facts, disk)?;
            takeable(facts, disk, &[])?;
            unwritten(facts, disk)?;
            let name_it = format!("name it, if it is meant: mt-agent apply --retention-disk {scsi_id}");
            if let Some(why) = unlikely(profile, disk) {
                return Err(format!("{} is the only blank disk, but {why}: {name_it}", describe(disk)));
            }
            if !request.at_terminal {
                return Err(format!(
                    "{} is the only blank disk, but nobody named it, and a run that nobody watches chooses none: \
                     {name_it}; or put its SCSI ID into the profile (retention.disk) or the VM's configuration \
                     ({RETENTION_DISK}{}). At a terminal, mt-agent apply asks for it",
                    describe(disk),
                    match &facts.guest_retention_disk {
                        Fact::Unknown(why) => format!(", which could not be read: {why}"),
                        Fact::Known(_) | Fact::NotApplicable(_) => String::new(),
                    }
                ));
            }
            Ok(Chosen { disk, format: format(profile, facts, disk, scsi_id), unnamed: true })
        }
        several => Err(format!(
            "{} blank disks are attached, and which one is meant is not for the agent to guess: {}. Name one with \
             --retention-disk SCSI-ID",
            several.len(),
            list(several)
        )),
    }
}

/// Why a disk is not what a person adds for the retention volume: an administrator of vSphere adds a virtual disk on the LSI
/// Logic controller, of the size that the profile wants. A LUN, a stick or a small failback disk has to be named.
fn unlikely(profile: &Profile, disk: &Disk) -> Option<String> {
    let wanted = profile.retention.capacity.bytes();
    let is_lsi = |controller: &Controller| {
        matches!(controller.kind, ControllerKind::LsiLogicParallel | ControllerKind::LsiLogicSas)
    };
    if !disk.is_vmware() || !disk.has_vmware_id() {
        let vendor = disk.vendor.as_deref().unwrap_or("no vendor");
        Some(format!("it is no virtual disk of VMware (vendor: {})", text::safe(vendor)))
    } else if !disk.controller.as_ref().is_some_and(is_lsi) {
        Some("it is not on an LSI Logic controller".to_owned())
    } else if disk.size_bytes < wanted {
        Some(format!("it is smaller than the {} that the profile wants", text::bytes(wanted)))
    } else {
        None
    }
}

/// A disk to which something was written since this boot is in somebody's use, whatever its samples say: a person names it.
fn unwritten(facts: &Facts, disk: &Disk) -> Result<(), String> {
    let what = match probe_of(facts, disk)?.written {
        Some(false) => return Ok(()),
        Some(true) => "was written to since this boot",
        None => "may have been written to since this boot: that cannot be determined",
    };
    Err(format!("{} is blank where it was read, but {what}: name it with --retention-disk", describe(disk)))
}

/// Whether its probe found it eligible, and the facts have nothing to say against that.
fn is_blank(probe: &Probe, disk: &Disk) -> bool {
    probe.eligible && disk.partitions.is_empty()
}

/// What facts alone tell against a disk, whatever its probe found and whatever a person said: it was read at
/// another instant, and of a recording the one can be older than the other. `lifted`: uses that do not count.
fn takeable(facts: &Facts, disk: &Disk, lifted: &[String]) -> Result<(), String> {
    let (Some(disks), Some(mounts), Some(swaps)) =
        (facts.disks.known(), facts.mounts.known(), facts.swaps.known())
    else {
        return Err(format!(
            "{} is left as it is: what is mounted or swap cannot be determined",
            describe(disk)
        ));
    };
    for path in disks.iter().filter(|other| other.is_same(disk)) {
        let uses: Vec<String> = users::uses(path, mounts, swaps).iter().map(ToString::to_string).collect();
        if uses.iter().any(|one| !lifted.contains(one)) {
            return Err(format!("{} is in use: {}", describe(path), uses.join("; ")));
        }
        if path.read_only {
            return Err(format!("{} cannot be used: it is read-only", describe(path)));
        }
        if path.size_bytes == 0 {
            return Err(format!("{} cannot be used: its size is zero", describe(path)));
        }
    }
    Ok(())
}

fn reasons(facts: &Facts, disks: &[&Disk]) -> String {
    let reason = |disk: &&Disk| match probe_of(facts, disk) {
        Ok(probe) => format!("{}: {}", describe(disk), probe.why_not.join("; ")),
        Err(why) => why,
    };
    disks.iter().map(reason).collect::<Vec<_>>().join(" / ")
}

/// Disks that nothing uses, other than the one that carries `/`.
pub fn idle(facts: &Facts) -> Vec<&Disk> {
    let root: Vec<&str> = match (facts.mounts.known(), facts.disks.known()) {
        (Some(mounts), Some(disks)) => mount_at(mounts, "/")
            .map(|mount| carriers(disks, mount.major_minor).iter().map(|disk| disk.name.as_str()).collect())
            .unwrap_or_default(),
        _ => return Vec::new(),
    };
    let disks = facts.disks.known().into_iter().flatten();
    disks.filter(|disk| disk.used_by.is_empty() && !root.contains(&disk.name.as_str())).collect()
}

/// The disk on which our own mkfs was interrupted, by our record.
fn interrupted(facts: &Facts) -> Option<&Disk> {
    let record = facts.retention_record.known()?.as_ref().filter(|record| !record.finished)?;
    facts.disks.known()?.iter().find(|disk| disk.has_id(&record.scsi_id))
}

/// The formatting of `disk`, which has this SCSI ID, as a blank one. An interrupted run keeps the UUID that it had begun with.
fn format(profile: &Profile, facts: &Facts, disk: &Disk, scsi_id: ScsiId) -> Format {
    let record = facts.retention_record.known().and_then(Option::as_ref);
    let begun = record.filter(|record| record.scsi_id == scsi_id && !record.finished);
    let uuid = begun.map_or_else(|| uuid_of(&scsi_id), |record| record.uuid.clone());
    let fs_type = profile.retention.filesystem.name().into();
    let target = Target { scsi_id, device: disk.device(), fs_type, uuid: Some(uuid) };
    Format { target, size_bytes: disk.size_bytes, erase: false, fingerprint: None }
}

/// What is built on `disk` besides its own multipath map and what leads to the volume `major_minor`.
pub fn foreign_holders(disk: &Disk, major_minor: DeviceNumber) -> Vec<String> {
    fn leads_to(holder: &Holder, major_minor: DeviceNumber) -> bool {
        holder.major_minor == major_minor || holder.holders.iter().any(|above| leads_to(above, major_minor))
    }
    fn add(holders: &[Holder], major_minor: DeviceNumber, map: Option<DeviceNumber>, into: &mut Vec<String>) {
        for holder in holders {
            let own = map == Some(holder.major_minor);
            let lvm_or_raid =
                matches!(holder.mapped(), Mapped::Lvm(_) | Mapped::Encrypted) || holder.is_raid();
            if (!own && !leads_to(holder, major_minor)) || lvm_or_raid {
                into.push(format!("held by {}", holder.dm_name.as_deref().unwrap_or(&holder.name)));
            }
            add(&holder.holders, major_minor, map, into);
        }
    }
    let map = disk.multipath.as_ref().map(|map| map.major_minor);
    let mut found = Vec::new();
    add(&disk.holders, major_minor, map, &mut found);
    for partition in &disk.partitions {
        add(&partition.holders, major_minor, map, &mut found);
    }
    found
}
