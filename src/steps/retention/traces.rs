//! What tells that a host has been a master target, so that disks of protected machines can be attached to it.

use crate::facts::custom_changes::Outcome;
use crate::facts::disks::Disk;
use crate::facts::retention::{LABEL, uuid_of};
use crate::facts::site_agent::INSTALL_LOG;
use crate::facts::storage::{Place, Read, Storage};
use crate::facts::{Fact, Facts};
use crate::host::Uuid;
use crate::profile::Profile;
use crate::steps::devices::{fstab_entry, passed_over, resolve};

use super::name::find;
use crate::state::paths::{RETENTION, SET_ASIDE};

/// The first trace of an earlier master target on this host, or that it cannot be determined. The marker and the journal of this
/// agent are none: every host on which it works has them.
pub(super) fn found(profile: &Profile, facts: &Facts, candidates: &[&Disk]) -> Option<String> {
    software(facts)
        .or_else(|| vendor_changes(facts))
        .or_else(|| record(facts, candidates))
        .or_else(|| lines_of_fstab(profile, facts, candidates))
        .or_else(|| volumes(facts))
}

fn undetermined(what: &str) -> Option<String> {
    Some(format!("{what} cannot be determined"))
}

fn software(facts: &Facts) -> Option<String> {
    match facts.site_agent.known() {
        None => undetermined("whether the master target software has ever been installed"),
        Some(agent) if agent.is_installed() => Some("the master target software is installed".to_owned()),
        Some(agent) if agent.install_log => {
            Some(format!("the master target software has been installed ({INSTALL_LOG})"))
        }
        Some(_) => None,
    }
}

fn vendor_changes(facts: &Facts) -> Option<String> {
    let changes = &facts.custom_changes;
    let (Some(marker), Some(record)) = (changes.marker_ctime_secs.known(), changes.record.known()) else {
        return undetermined("whether the vendor's changes were ever applied");
    };
    let done = record.as_ref().is_some_and(|record| {
        matches!(record.outcome, Outcome::Applied | Outcome::Observed | Outcome::Accepted)
    });
    (done && marker.is_none())
        .then(|| "the vendor's changes are on record, but their marker is gone".to_owned())
}

/// A record of another disk, finished or not.
fn record(facts: &Facts, candidates: &[&Disk]) -> Option<String> {
    let Some(record) = facts.retention_record.known() else {
        return undetermined("whether a retention volume was ever made");
    };
    let Some(record) = record else { return set_aside(facts) };
    let is_of = |disk: &&Disk| disk.has_id(&record.scsi_id);
    (!candidates.iter().any(is_of)).then(|| {
        let what = if record.finished { "was made" } else { "was begun" };
        format!("a retention volume {what} on another disk ({})", record.scsi_id)
    })
}

/// A record that could not be read is set aside by `state repair`, and may have been of any disk.
fn set_aside(facts: &Facts) -> Option<String> {
    let Some(names) = facts.records_set_aside.known() else {
        return undetermined("whether a record of a retention volume was set aside");
    };
    let is_it = |name: &String| RETENTION.ends_with(&format!("/{name}"));
    names.iter().any(is_it).then(|| format!("a record of a retention volume was set aside ({SET_ASIDE})"))
}

/// A line for the mount point, or for a disk that looks unused.
fn lines_of_fstab(profile: &Profile, facts: &Facts, candidates: &[&Disk]) -> Option<String> {
    let point = &profile.retention.mount_point;
    let Some(entries) = facts.fstab.known() else {
        return undetermined(&format!("whether /etc/fstab has a line for {point}"));
    };
    // A line that is passed over at boot tells as much of what was here.
    let entry = fstab_entry(entries, point).map(|entry| (entry.line, &entry.device));
    let ignored = || passed_over(facts, point).map(|line| (line.line, &line.device));
    if let Some((line, device)) = entry.or_else(ignored) {
        return Some(format!("line {line} of /etc/fstab has another volume for {point} ({device})"));
    }
    let ignored = facts.fstab_ignored.iter().map(|line| (line.line, line.device.as_str()));
    let mut all = entries.iter().map(|entry| (entry.line, entry.device.as_str())).chain(ignored);
    all.find_map(|(line, device)| line_of(facts, line, device, candidates))
}

fn line_of(facts: &Facts, line: usize, device: &str, candidates: &[&Disk]) -> Option<String> {
    // What is on a blank disk has neither UUID nor label, of a partition as little.
    if device.contains('=')
        || device.starts_with("/dev/disk/by-uuid/")
        || device.starts_with("/dev/disk/by-label/")
    {
        return None;
    }
    let is_for = |disk: &Disk| Some(format!("line {line} of /etc/fstab is for {} ({device})", disk.name));
    let is_candidate = |disk: &Disk| candidates.iter().find(|other| other.name == disk.name).copied();
    // Its map need not be there now, nor a partition that it had.
    let whole = device.trim_end_matches(|c: char| c.is_ascii_digit());
    for name in [device, whole, whole.trim_end_matches('p'), whole.trim_end_matches("-part")] {
        if let Some(disk) = find(facts, name).ok().and_then(is_candidate) {
            return is_for(disk);
        }
    }
    match resolve(device, facts) {
        Ok(Some(number)) => is_for(candidates.iter().find(|disk| disk.all_devices().contains(&number))?),
        Ok(None) => None,
        Err(_) => undetermined(&format!("whether line {line} of /etc/fstab is for a blank disk ({device})")),
    }
}

/// A disk, a partition or a map that carries a volume of ours, made to its end or not, by its label or its UUID: as udev links
/// it, a probe finds it or its first block says. A disk that does not answer may carry one.
fn volumes(facts: &Facts) -> Option<String> {
    let (Fact::Known(links), Some(disks), Some(storage)) =
        (&facts.filesystems, facts.disks.known(), facts.storage.known())
    else {
        return undetermined("whether an attached disk carries a retention volume");
    };
    let mut uuids: Vec<Uuid> = disks.iter().filter_map(Disk::id).map(|id| uuid_of(id)).collect();
    uuids.extend(facts.retention_record.known().into_iter().flatten().map(|record| record.uuid.clone()));
    let probed = || {
        let probed = facts.probes.iter().filter_map(|probe| probe.volume.as_deref());
        probed.chain(storage.iter().flat_map(Storage::volumes).map(|(_, volume, _)| volume))
    };
    let by_uuid = uuids
        .into_iter()
        .find(|uuid| links.by_uuid.contains_key(uuid) || probed().any(|volume| volume.uuid == *uuid));
    let by_label = || {
        let labelled = links.by_label.contains_key(LABEL) || probed().any(|volume| volume.label == LABEL);
        labelled.then(|| format!("the label {LABEL}"))
    };
    if let Some(what) = by_uuid.map(|uuid| format!("the UUID {uuid}")).or_else(by_label) {
        return Some(format!("an attached disk carries a retention volume ({what})"));
    }
    // Where its partitions lie is not known then.
    let is_damaged = |one: &&Storage| one.table.as_ref().is_some_and(|table| table.damaged);
    let is_unread = |one: &&Storage| {
        let entries = || one.table.iter().flat_map(|table| &table.entries);
        !matches!(one.read, Fact::Known(Read::Done | Read::Errors(_) | Read::Lost(_) | Read::Unlogged(_)))
            || is_damaged(one)
            || entries().any(|entry| matches!(entry.place, Some(Place::Unread(_))))
    };
    let one = storage.iter().find(is_unread)?;
    let why = if is_damaged(&one) { "whose partition table is damaged" } else { "which could not be read" };
    undetermined(&format!("whether {}, {why}, carries a retention volume", one.name))
}
