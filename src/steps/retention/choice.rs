//! Which disk may become the retention volume. Pure, from facts and probes; the rules are design.md's, and
//! what is decided here is checked again on the very descriptor before anything is written.

use sha2::{Digest, Sha256};

use crate::facts::Facts;
use crate::facts::blank::Probe;
use crate::facts::custom_changes::Outcome;
use crate::facts::disks::{Disk, Holder, users};
use crate::facts::site_agent::INSTALL_LOG;
use crate::host::text;
use crate::profile::Profile;
use crate::steps::devices::{carriers, distinct, fstab_entry, mount_at, same_map};
use crate::steps::remedy::Request;

use super::name::{self, find};

/// The outcome of choosing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen<'a> {
    /// This disk may be formatted.
    Disk {
        /// The disk.
        disk: &'a Disk,
        /// Its SCSI ID.
        scsi_id: String,
        /// Whether "not blank" is lifted for it, because a person named it with `--erase-disk`.
        erase: bool,
        /// The UUID for its file system.
        uuid: String,
    },
    /// None may, and why: what a person does about it.
    Refused(String),
}

/// Chooses the disk to format.
#[must_use]
pub fn choose<'a>(profile: &Profile, facts: &'a Facts, request: &Request) -> Chosen<'a> {
    let erase = request.erase_disk.as_deref();
    let named = name::asked(profile, request);
    let outcome = match (named, erase, interrupted(facts)) {
        (Some(name), _, _) if request.retention_disk.is_none() && name::can_move(facts, name) => {
            Err(moves(facts, name))
        }
        (Some(name), _, _) => find(facts, name).and_then(|disk| named_disk(facts, disk, erase)),
        (None, Some(_), _) => {
            Err("--erase-disk only lifts \"not blank\": name the retention disk too, with --retention-disk"
                .to_owned())
        }
        (None, None, Some(disk)) => named_disk(facts, disk, None),
        (None, None, None) if request.named_only => Err(unseen()),
        (None, None, None) => sole_candidate(profile, facts),
    };
    match outcome {
        Ok(chosen) => chosen,
        Err(why) => Chosen::Refused(why),
    }
}

/// A profile outlives many restarts, and after each of them a name that the kernel gives out can be another disk's.
fn moves(facts: &Facts, name: &str) -> String {
    let now = find(facts, name).and_then(|disk| identity(facts, disk));
    let now = now.map(|id| format!(" (now {id})")).unwrap_or_default();
    format!(
        "the profile names the disk {}, which can be another one after each restart: put its SCSI ID{now} there",
        text::safe(name)
    )
}

fn unseen() -> String {
    "which disk to take was in no plan that a person agreed to, and a run that nobody watches chooses none: name it in the \
     profile (retention.disk), or see mt-agent plan and run mt-agent apply"
        .to_owned()
}

/// A disk that a person named, or that our own record says we were formatting.
fn named_disk<'a>(facts: &'a Facts, disk: &'a Disk, erase: Option<&str>) -> Result<Chosen<'a>, String> {
    let scsi_id = identity(facts, disk)?;
    let lifted = match erase {
        None => false,
        Some(name) => {
            let erased = find(facts, name)?;
            if erased.scsi_id.as_deref() != Some(&scsi_id) {
                return Err(format!(
                    "--erase-disk names {}, but the retention disk is {}: both must be the same disk",
                    erased.name, disk.name
                ));
            }
            true
        }
    };
    let probe = probe_of(facts, disk)?;
    let ours = interrupted(facts).is_some_and(|other| other.scsi_id == disk.scsi_id);
    // What shows that it has a partition table and no more is erased with it.
    let shown: Vec<String> = users::map_partitions(disk).iter().map(|(_, one)| one.to_string()).collect();
    let only_shown = probe.in_use.iter().all(|one| shown.contains(one));
    if !(probe.in_use.is_empty() || lifted && only_shown) {
        let hint = format!(". If nothing on it is needed: --erase-disk {scsi_id}");
        let hint = if only_shown { hint.as_str() } else { "" };
        return Err(format!("{} is in use: {}{hint}", told(disk), probe.in_use.join("; ")));
    }
    takeable(facts, disk, if lifted { &shown } else { &[] })?;
    let left =
        |hint: &str| Err(format!("{} is left as it is: {}. {hint}", told(disk), probe.why_not.join("; ")));
    if probe.unreadable {
        // Nobody can say of what cannot be read that it is not needed.
        return left(
            "A volume on it would not last, and --erase-disk does not lift that: attach another disk",
        );
    }
    if !(is_blank(probe, disk) || lifted || ours) {
        return left(&format!("If nothing on it is needed: --erase-disk {scsi_id}"));
    }
    Ok(Chosen::Disk { disk, uuid: uuid_for(facts, &scsi_id), scsi_id, erase: lifted })
}

/// The only disk that could be meant, on a host where the master target software has never been installed.
fn sole_candidate<'a>(profile: &Profile, facts: &'a Facts) -> Result<Chosen<'a>, String> {
    if facts.disks.known().is_none() || facts.mounts.known().is_none() || facts.swaps.known().is_none() {
        return Err(
            "which disks are unused could not be told: the disks, what is mounted or swap could not be read"
                .to_owned(),
        );
    }
    let candidates: Vec<&Disk> = distinct(
        idle(facts)
            .into_iter()
            .filter(|disk| probe_of(facts, disk).is_ok_and(|probe| is_blank(probe, disk)))
            .collect(),
    );
    let list = |disks: &[&Disk]| disks.iter().map(|disk| told(disk)).collect::<Vec<_>>().join("; ");
    match candidates.as_slice() {
        [] => Err(match idle(facts).as_slice() {
            [] => "no unused disk is attached: shut down, add a disk of 1 TB, start again".to_owned(),
            idle => format!("no attached disk may be taken: {}", reasons(facts, idle)),
        }),
        candidates if let Some(sign) = been_used(profile, facts, candidates) => Err(format!(
            "{sign}, so a blank disk may be a protected machine's: name the disk with --retention-disk. Blank: {}",
            list(candidates)
        )),
        [disk] => {
            let scsi_id = identity(facts, disk)?;
            takeable(facts, disk, &[])?;
            Ok(Chosen::Disk { disk, uuid: uuid_for(facts, &scsi_id), scsi_id, erase: false })
        }
        several => Err(format!(
            "{} blank disks are attached, and which one is meant is not for the agent to guess: {}. Name one with \
             --retention-disk SCSI-ID",
            several.len(),
            list(several)
        )),
    }
}

/// What tells that this host has been a master target, or that this cannot be told. Then disks of protected machines can
/// be attached, whether or not the software is installed now.
fn been_used(profile: &Profile, facts: &Facts, candidates: &[&Disk]) -> Option<String> {
    let unknown = |what: &str| Some(format!("{what} could not be told"));
    match facts.site_agent.known() {
        None => return unknown("whether the master target software has ever been installed"),
        Some(agent) if agent.is_installed() => {
            return Some("the master target software is installed".to_owned());
        }
        Some(agent) if agent.install_log => {
            return Some(format!("the master target software has been installed ({INSTALL_LOG})"));
        }
        Some(_) => {}
    }
    let changes = &facts.custom_changes;
    let (Some(marker), Some(record)) = (changes.marker_ctime_secs.known(), changes.record.known()) else {
        return unknown("whether the vendor's changes were ever applied");
    };
    let done = record.as_ref().is_some_and(|record| {
        matches!(record.outcome, Outcome::Applied | Outcome::Observed | Outcome::Accepted)
    });
    if done && marker.is_none() {
        return Some("the vendor's changes are on record, but their marker is gone".to_owned());
    }
    let Some(record) = facts.retention_record.known() else {
        return unknown("whether a retention volume was ever made");
    };
    if let Some(record) = record.as_ref().filter(|record| record.finished)
        && !candidates.iter().any(|disk| disk.scsi_id.as_deref() == Some(&record.scsi_id))
    {
        return Some(format!("a retention volume was made on another disk ({})", record.scsi_id));
    }
    let point = &profile.retention.mount_point;
    let Some(entries) = facts.fstab.known() else {
        return unknown(&format!("whether /etc/fstab has a line for {point}"));
    };
    let entry = fstab_entry(entries, point)?;
    Some(format!("line {} of /etc/fstab has another volume for {point} ({})", entry.line, entry.device))
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
        return Err(format!("{} is left as it is: what is mounted or swap could not be told", told(disk)));
    };
    for path in disks.iter().filter(|other| other.name == disk.name || same_map(other, disk)) {
        let uses: Vec<String> = users::uses(path, mounts, swaps).iter().map(ToString::to_string).collect();
        if uses.iter().any(|one| !lifted.contains(one)) {
            return Err(format!("{} is in use: {}", told(path), uses.join("; ")));
        }
        if path.read_only {
            return Err(format!("{} cannot be used: it is read-only", told(path)));
        }
        if path.size_bytes == 0 {
            return Err(format!("{} cannot be used: its size is zero", told(path)));
        }
    }
    Ok(())
}

fn reasons(facts: &Facts, disks: &[&Disk]) -> String {
    let reason = |disk: &&Disk| match probe_of(facts, disk) {
        Ok(probe) => format!("{}: {}", told(disk), probe.why_not.join("; ")),
        Err(why) => why,
    };
    disks.iter().map(reason).collect::<Vec<_>>().join(" / ")
}

/// The SCSI ID by which the disk is known when it is written to: it must have one, and no other disk the same.
pub(super) fn identity(facts: &Facts, disk: &Disk) -> Result<String, String> {
    let Some(id) = disk.scsi_id.clone() else {
        let why = disk.scsi_id_error.as_deref().unwrap_or("no reason is known");
        return Err(format!(
            "{} has no SCSI ID ({why}), so it cannot be told from another disk: see scsi.ids",
            disk.name
        ));
    };
    let same: Vec<_> = facts
        .disks
        .known()
        .into_iter()
        .flatten()
        .filter(|other| {
            other.name != disk.name && other.scsi_id.as_ref() == Some(&id) && !same_map(other, disk)
        })
        .map(|other| other.name.as_str())
        .collect();
    if same.is_empty() {
        Ok(id)
    } else {
        Err(format!(
            "{} answers with the SCSI ID {id} of {} too: see scsi.ids-unique",
            disk.name,
            same.join(", ")
        ))
    }
}

fn told(disk: &Disk) -> String {
    let id = disk.scsi_id.as_deref().unwrap_or("no SCSI ID");
    format!("{} ({id}, {})", disk.name, text::bytes(disk.size_bytes))
}

fn probe_of<'a>(facts: &'a Facts, disk: &Disk) -> Result<&'a Probe, String> {
    let same = |probe: &&Probe| probe.disk == disk.name;
    facts.probes.iter().find(same).ok_or_else(|| {
        let uses = match (facts.mounts.known(), facts.swaps.known()) {
            // What `used_by` does not show to people (partitions of a map) keeps a disk from being probed too.
            (Some(mounts), Some(swaps)) if disk.used_by.is_empty() => {
                users::uses(disk, mounts, swaps).iter().map(ToString::to_string).collect()
            }
            _ => disk.used_by.clone(),
        };
        if uses.is_empty() {
            format!("{} was not probed: run this on the host itself, as root", told(disk))
        } else {
            format!("{} is in use: {}", told(disk), uses.join("; "))
        }
    })
}

/// Disks that nothing uses, other than the one that carries `/`.
#[must_use]
pub fn idle(facts: &Facts) -> Vec<&Disk> {
    let root: Vec<&str> = match (facts.mounts.known(), facts.disks.known()) {
        (Some(mounts), Some(disks)) => mount_at(mounts, "/")
            .map(|mount| carriers(disks, &mount.major_minor).iter().map(|disk| disk.name.as_str()).collect())
            .unwrap_or_default(),
        _ => return Vec::new(),
    };
    let disks = facts.disks.known().into_iter().flatten();
    disks.filter(|disk| disk.used_by.is_empty() && !root.contains(&disk.name.as_str())).collect()
}

/// The disk on which our own mkfs was interrupted, by our record.
fn interrupted(facts: &Facts) -> Option<&Disk> {
    let record = facts.retention_record.known()?.as_ref().filter(|record| !record.finished)?;
    facts.disks.known()?.iter().find(|disk| disk.scsi_id.as_deref() == Some(&record.scsi_id))
}

/// The UUID that the file system on the disk with this SCSI ID gets. It follows from the ID alone, so that a plan made
/// twice is the same, and a file system that an interrupted run left is known for ours. A name-based UUID of version 8
/// (RFC 9562), from SHA-256.
fn uuid_for(facts: &Facts, scsi_id: &str) -> String {
    if let Some(record) = facts.retention_record.known().and_then(Option::as_ref)
        && record.scsi_id == scsi_id
        && !record.finished
    {
        return record.uuid.clone();
    }
    let digest = Sha256::digest(format!("mt-agent retention volume {scsi_id}"));
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = text::hex(&bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// What is built on `disk` besides its own multipath map and what leads to the volume `major_minor`.
#[must_use]
pub fn foreign_holders(disk: &Disk, major_minor: &str) -> Vec<String> {
    fn leads_to(holder: &Holder, major_minor: &str) -> bool {
        holder.major_minor == major_minor || holder.holders.iter().any(|above| leads_to(above, major_minor))
    }
    fn add(holders: &[Holder], major_minor: &str, map: Option<&str>, into: &mut Vec<String>) {
        for holder in holders {
            let own = map == Some(holder.major_minor.as_str());
            let layer = holder.dm_uuid.as_deref().unwrap_or(&holder.name);
            let lvm_or_raid =
                layer.starts_with("LVM-") || layer.starts_with("CRYPT-") || holder.name.starts_with("md");
            if (!own && !leads_to(holder, major_minor)) || lvm_or_raid {
                into.push(format!("held by {}", holder.dm_name.as_deref().unwrap_or(&holder.name)));
            }
            add(&holder.holders, major_minor, map, into);
        }
    }
    let map = disk.multipath.as_ref().map(|map| map.major_minor.as_str());
    let mut found = Vec::new();
    add(&disk.holders, major_minor, map, &mut found);
    for partition in &disk.partitions {
        add(&partition.holders, major_minor, map, &mut found);
    }
    found
}
