//! The root disk in what the vendor's script wrote: its SCSI ID is blacklisted, and multipath does not hold it now. Whether the
//! blacklist hides other disks too: `multipath.finds`.

use crate::changes::Change;
use crate::facts::Facts;
use crate::facts::custom_changes::{BLACKLIST_FLAG, BLACKLIST_SCRIPT, Outcome, Record};
use crate::facts::disks::Disk;
use crate::facts::multipath::{self, Configuration};
use crate::host::ScsiId;
use crate::profile::Profile;
use crate::steps::devices::{carriers, mount_at, own_uses};
use crate::steps::id;
use crate::steps::layout::own_disks;
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
fn root(facts: &Facts) -> Result<(&Disk, &ScsiId), Status> {
    let mount = mount_at(need(&facts.mounts, "the mounts")?, "/")
        .ok_or_else(|| Status::unknown("what carries / is not among the mounts"))?;
    let disk = carriers(need(&facts.disks, "the disks")?, mount.major_minor).into_iter().next().ok_or_else(
        || Status::unknown(format!("which disk carries / ({}) cannot be determined", mount.source)),
    )?;
    match disk.id_of_scsi() {
        Ok(Some(id)) => Ok((disk, id)),
        Err(_) => Err(Status::blocked(id::SCSI_IDS)),
        Ok(None) => Err(Status::unmet(
            format!("the root disk {} has no SCSI ID: {}", disk.name, disk.no_id()),
            "a SCSI ID to blacklist",
            "see scsi.uuid-enabled: it needs disk.EnableUUID",
        )),
    }
}

/// Whether the blacklist of /etc/multipath.conf has the root disk's SCSI ID, which nothing but the script, or a person in its
/// place, writes there.
pub(super) fn is_blacklisted(facts: &Facts) -> bool {
    let ids = facts.multipath.configuration.known().into_iter().flatten().flat_map(|c| &c.blacklist_wwids);
    root(facts).is_ok_and(|(_, root)| ids.into_iter().any(|id| *root == id.trim_matches(['^', '$', '"'])))
}

pub(super) fn judge(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let status = judge_of_any_owner(profile, facts);
    // What lies on a disk that is not this host's must not get into the blacklist, nor be written to.
    if !matches!(status, Ok(Status::Met { .. })) && own_disks::uses_foreign(profile, facts) {
        return Err(Status::blocked(id::OWN_DISKS));
    }
    status
}

/// As it is judged, whose the disks may be.
pub(super) fn judge_of_any_owner(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
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
    if let Some(found) = lifted(configuration, id) {
        return Ok(Status::unmet(found, expected, CORRECT_BY_HAND));
    }
    if let Some(found) = no_id(facts)? {
        return Ok(Status::unmet(found, expected, WRITE_BY_HAND));
    }
    Ok(match in_script {
        Some(other) if *other != *id => {
            Status::unmet(format!("{BLACKLIST_SCRIPT} has {other}"), expected, fix)
        }
        _ if !configuration.problems.is_empty() => Status::unknown(format!(
            "{} is not understood: {}",
            multipath::CONFIGURATION,
            configuration.problems.join("; ")
        )),
        _ => match held(profile, facts, configuration)? {
            Some(status) => status,
            None => Status::met(format!("{id} ({})", disk.name)),
        },
    })
}

/// That multipath holds a disk of this host now, whatever the file says since.
fn held(profile: &Profile, facts: &Facts, configuration: &Configuration) -> Result<Option<Status>, Status> {
    // Without the maps nobody knows.
    need(&facts.multipath.maps, "the multipath maps")?;
    let own = need(&facts.disks, "the disks")?.iter().filter_map(|disk| {
        let (map, uses) = (disk.multipath.as_ref()?, own_uses(facts, disk, &profile.retention.mount_point));
        (!uses.is_empty()).then(|| {
            (disk, format!("multipath holds {}, with {}, as {}", disk.name, uses.join(", "), map.dm_name))
        })
    });
    let mut owed = None;
    for (disk, found) in own {
        let id = disk.id().map_or("", ScsiId::as_str);
        if !blacklisted(configuration, id) || lifted(configuration, id).is_some() {
            return Ok(Some(Status::unmet(found, "no map of a disk of this host", hide_by_hand(id))));
        }
        owed = owed.or(Some(Status::restart_owed(format!(
                "{found} still; the blacklist names it from the next boot on (where the initramfs starts multipath: dracut --force \
                 first)"
            ))));
    }
    if owed.is_none() {
        // A disk that is held may be this host's own by what is not known.
        need(&facts.mounts, "the mounts")?;
        need(&facts.swaps, "the active swap")?;
    }
    Ok(owed)
}

fn hide_by_hand(id: &str) -> String {
    format!("write `wwid \"^{id}$\"` into the blacklist of /etc/multipath.conf by hand, and restart")
}

const WRITE_BY_HAND: &str = "mt-agent apply --custom-changes=rerun, with the ID to be had; or by hand, see mt-agent explain \
                             custom-changes.root-disk";

pub(super) const CORRECT_BY_HAND: &str = "correct that entry of /etc/multipath.conf by hand, and restart";

fn blacklisted(configuration: &Configuration, id: &str) -> bool {
    configuration.blacklist_wwids.iter().any(|entry| multipath::matches(entry, id))
}

/// How the root disk is taken out of the blacklist again.
fn lifted(configuration: &Configuration, id: &str) -> Option<String> {
    let lifts = |entry: &&String| multipath::matches(entry, id);
    let entry = configuration.exception_wwids.iter().find(lifts)?;
    Some(format!("`wwid {entry}` of blacklist_exceptions takes the root disk out of the blacklist again"))
}

/// Whether the vendor's script has run, or its changes are accepted.
fn has_run(facts: &Facts) -> bool {
    let changes = &facts.custom_changes;
    let accepted = |record: &Record| record.outcome == Outcome::Accepted;
    changes.marker_ctime_secs.known().is_some_and(Option::is_some)
        || changes.record.known().and_then(Option::as_ref).is_some_and(accepted)
}

/// Names this machine's root disk in the blacklist, in place of the one that is stale.
pub(in crate::steps) fn blacklist(profile: &Profile, facts: &Facts) -> Remedy {
    // Before the script has run there is nothing stale: it writes the blacklist itself.
    if !has_run(facts) {
        return Remedy::None;
    }
    let Ok((_, id)) = root(facts) else { return Remedy::None };
    let stale = facts
        .custom_changes
        .blacklistrootdev_id
        .known()
        .and_then(Option::as_deref)
        .filter(|old| **old != *id);
    let Some(Some(configuration)) = facts.multipath.configuration.known() else { return Remedy::None };
    // What is wrong beside the stale entry is a person's to correct.
    if stale.is_none() && lifted(configuration, id).is_some() {
        return Remedy::Refused(CORRECT_BY_HAND.to_owned());
    }
    // An entry without a value is no ID that could be replaced.
    if stale.is_none()
        && let Ok(Some(found)) = no_id(facts)
    {
        return Remedy::Refused(format!("{found}: {WRITE_BY_HAND}"));
    }
    if stale.is_none() && blacklisted(configuration, id) {
        match held(profile, facts, configuration) {
            Ok(Some(Status::RestartOwed { .. })) => return Remedy::Restart { first: Vec::new() },
            Ok(Some(Status::Unmet { fix, .. })) => return Remedy::Refused(fix),
            _ => {}
        }
    }
    let change = Change::BlacklistRootDisk { scsi_id: id.clone(), replaces: stale.map(str::to_owned) };
    // An ID that another disk shares would blacklist that disk too.
    Remedy::With { changes: vec![change], needs: &[id::SCSI_IDS_UNIQUE] }
}
