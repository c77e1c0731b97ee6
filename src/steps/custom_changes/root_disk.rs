//! The root disk in what the vendor's script wrote: its SCSI ID is blacklisted, and no other disk's is.

use crate::changes::Change;
use crate::facts::Facts;
use crate::facts::custom_changes::{BLACKLIST_FLAG, BLACKLIST_SCRIPT, Outcome, Record};
use crate::facts::disks::Disk;
use crate::facts::multipath::{self, Configuration};
use crate::steps::devices::{carriers, mount_at};
use crate::steps::remedy::Remedy;
use crate::steps::{Status, need};

/// Where the SCSI ID of the root disk has to stand, and nothing stands.
pub(super) fn no_id(facts: &Facts) -> Result<Option<String>, Status> {
    let changes = &facts.custom_changes;
    let id = need(&changes.blacklistrootdev_id, BLACKLIST_SCRIPT)?;
    let configuration = need(&facts.multipath.configuration, multipath::CONFIGURATION)?;
    Ok(if changes.blacklistrootdev_script && id.is_none() {
        Some(format!("{BLACKLIST_SCRIPT} names none"))
    } else if changes.blacklistrootdev_flag && id.is_none() {
        Some(format!("{BLACKLIST_FLAG} is there, and no {BLACKLIST_SCRIPT}"))
    } else {
        let without = |c: &Configuration| {
            c.wwid_without_value || c.blacklist_wwids.iter().any(|id| id.trim().is_empty())
        };
        let is_without = configuration.as_ref().is_some_and(without);
        is_without.then(|| format!("an entry `wwid` of {} is empty", multipath::CONFIGURATION))
    })
}

/// The disk that carries `/`, and its SCSI ID.
fn root(facts: &Facts) -> Result<(&Disk, &str), Status> {
    let mount = mount_at(need(&facts.mounts, "the mounts")?, "/")
        .ok_or_else(|| Status::Unknown { why: "what carries / is not among the mounts".to_owned() })?;
    let disk = carriers(need(&facts.disks, "the disks")?, &mount.major_minor).into_iter().next().ok_or_else(
        || Status::Unknown { why: format!("which disk carries / ({}) could not be told", mount.source) },
    )?;
    match &disk.scsi_id {
        Some(id) => Ok((disk, id)),
        None if disk.is_scsi() => Err(Status::Blocked { by: "scsi.ids".to_owned() }),
        None => Err(Status::unmet(
            format!(
                "the root disk {} has no SCSI ID: {}",
                disk.name,
                disk.scsi_id_error.as_deref().unwrap_or("no reason is known")
            ),
            "a SCSI ID to blacklist",
            "see scsi.uuid-enabled: it needs disk.EnableUUID",
        )),
    }
}

pub(super) fn judge(facts: &Facts) -> Result<Status, Status> {
    let configuration = need(&facts.multipath.configuration, "/etc/multipath.conf")?;
    let in_script = need(&facts.custom_changes.blacklistrootdev_id, BLACKLIST_SCRIPT)?;
    let (disk, id) = root(facts)?;
    let expected = format!("{id} ({}) in the blacklist and in /usr/sbin/blacklistrootdev.sh", disk.name);
    // Where a waiver has it judged all the same.
    let fix = if has_run(facts) {
        "mt-agent apply writes the right SCSI ID and keeps the old files; or by hand, see mt-agent explain \
         custom-changes.root-disk"
    } else {
        "the vendor's script writes it; or by hand, see mt-agent explain custom-changes.root-disk"
    };
    let Some(configuration) = configuration else {
        let fix =
            "find out who removed it, and bring it back or unpack and run the vendor's script again by hand";
        return Ok(Status::unmet("there is no /etc/multipath.conf", expected, fix));
    };
    if !blacklisted(configuration, id) {
        let found = match configuration.blacklist_wwids.as_slice() {
            [] if configuration.wwid_without_value => "a blacklisted wwid has no value".to_owned(),
            [] => "no wwid is blacklisted".to_owned(),
            wwids => format!("blacklisted: {}", wwids.join(", ")),
        };
        return Ok(Status::unmet(found, expected, fix));
    }
    if let Some(found) = not_it_alone(configuration, need(&facts.disks, "the disks")?, id) {
        return Ok(Status::unmet(found, "the root disk alone hidden from multipath", CORRECT_BY_HAND));
    }
    if let Some(found) = no_id(facts)? {
        return Ok(Status::unmet(found, expected, WRITE_BY_HAND));
    }
    Ok(match in_script {
        Some(other) if other != id => Status::unmet(format!("{BLACKLIST_SCRIPT} has {other}"), expected, fix),
        _ if !configuration.problems.is_empty() => Status::Unknown {
            why: format!(
                "{} is not understood: {}",
                multipath::CONFIGURATION,
                configuration.problems.join("; ")
            ),
        },
        _ => Status::met(format!("{id} ({})", disk.name)),
    })
}

const WRITE_BY_HAND: &str = "mt-agent apply --custom-changes=rerun, with the ID to be had; or by hand, see mt-agent explain \
                             custom-changes.root-disk";

pub(super) const CORRECT_BY_HAND: &str = "correct that entry of /etc/multipath.conf by hand, and restart";

/// Whether a wwid entry of the blacklist matches `id`.
fn blacklisted(configuration: &Configuration, id: &str) -> bool {
    configuration.blacklist_wwids.iter().any(|entry| multipath::matches(entry, id))
}

/// How the blacklist hides other disks than the root disk, or not the root disk after all.
fn not_it_alone(configuration: &Configuration, disks: &[Disk], id: &str) -> Option<String> {
    if let Some(entry) = configuration.exception_wwids.iter().find(|entry| multipath::matches(entry, id)) {
        return Some(format!(
            "`wwid {entry}` of blacklist_exceptions takes the root disk out of the blacklist again"
        ));
    }
    // Disks that are attached later count too: an entry for one disk matches no ID that differs at either end.
    let first_differs: String = id.chars().skip(1).collect();
    let last_differs: String = id.chars().take(id.chars().count().saturating_sub(1)).collect();
    let others = [format!("_{first_differs}"), format!("{last_differs}_")];
    let is_wide = |entry: &&String| {
        multipath::matches(entry, id) && others.iter().any(|other| multipath::matches(entry, other))
    };
    if let Some(entry) = configuration.blacklist_wwids.iter().find(is_wide) {
        return Some(format!("`wwid {entry}` hides other disks than the root disk from multipath"));
    }
    disks.iter().find_map(|disk| {
        let other = disk.scsi_id.as_deref().filter(|other| *other != id)?;
        let (vendor, model) = (disk.vendor.as_deref().unwrap_or(""), disk.model.as_deref().unwrap_or(""));
        multipath::blacklist_matches(configuration, other, &disk.name, vendor, model)
            .then(|| format!("the blacklist hides {} ({other}) from multipath too", disk.name))
    })
}

/// Whether the vendor's script has run, or its changes are accepted.
fn has_run(facts: &Facts) -> bool {
    let changes = &facts.custom_changes;
    let accepted = |record: &Record| record.outcome == Outcome::Accepted;
    changes.marker_ctime_secs.known().is_some_and(Option::is_some)
        || changes.record.known().and_then(Option::as_ref).is_some_and(accepted)
}

/// Names this machine's root disk in the blacklist, in place of the one that is stale.
pub(in crate::steps) fn blacklist(facts: &Facts) -> Remedy {
    // Before the script has run there is nothing stale: it writes the blacklist itself.
    if !has_run(facts) {
        return Remedy::None;
    }
    let Ok((_, id)) = root(facts) else { return Remedy::None };
    let stale =
        facts.custom_changes.blacklistrootdev_id.known().and_then(Option::as_deref).filter(|old| *old != id);
    let Some(Some(configuration)) = facts.multipath.configuration.known() else { return Remedy::None };
    let disks = facts.disks.known().map(Vec::as_slice).unwrap_or_default();
    // What is wrong beside the stale entry is a person's to correct.
    if let Some(found) = (stale.is_none() && blacklisted(configuration, id))
        .then(|| not_it_alone(configuration, disks, id))
        .flatten()
    {
        return Remedy::Refused(format!("{found}: {CORRECT_BY_HAND}"));
    }
    // An entry without a value is no ID that could be replaced.
    if stale.is_none()
        && let Ok(Some(found)) = no_id(facts)
    {
        return Remedy::Refused(format!("{found}: {WRITE_BY_HAND}"));
    }
    let change = Change::BlacklistRootDisk { scsi_id: id.to_owned(), replaces: stale.map(str::to_owned) };
    // An ID that another disk shares would blacklist that disk too.
    Remedy::With { changes: vec![change], needs: &["scsi.ids-unique"] }
}
