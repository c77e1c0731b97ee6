//! Whether the record of this machine's identity is lost: a state that is damaged, and no new machine.

use crate::facts::Facts;
use crate::facts::fstab::has_ours;
use crate::state::paths::IDENTITY;
use crate::steps::{Status, need};

/// What shows that this machine's identity was on record, where no record of it is left: then nothing that is in use now tells
/// of itself whose it is.
pub fn trace(facts: &Facts) -> Result<Option<&'static str>, Status> {
    let aside = need(&facts.records_set_aside, "what was set aside")?;
    let template = need(&facts.identity.template, "the record of the image's identity")?;
    let script = need(&facts.custom_changes.record, "the record of the vendor script's run")?;
    let retention = need(&facts.retention_record, "the record of the retention volume")?;
    let journal = need(&facts.journal, "the journal")?;
    // Which go with the disk of `/`, and a sealing takes out. A volume of ours on another disk is none: it stays where this machine
    // is installed anew.
    let is_bare = journal.missing && template.is_none();
    let is_line_ours = || facts.fstab.known().is_some_and(|fstab| has_ours(fstab, &facts.fstab_ignored));
    Ok(if aside.iter().any(|name| IDENTITY.rsplit('/').next() == Some(name)) {
        Some("a record of it was set aside")
    } else if journal.identity {
        Some("the journal shows that it was recorded")
    } else if retention.is_some() {
        Some("a retention volume is on record")
    } else if template.is_none() && script.as_ref().is_some_and(|script| !script.outcome.is_open()) {
        // In an image the script's record stays. The first apply of an earlier version, interrupted there, had recorded nothing.
        Some("the vendor script's run is on record")
    } else if is_bare && journal.log {
        Some("mt-agent's log in /var/log is here, and its journal is not")
    } else if is_bare && is_line_ours() {
        Some("mt-agent's line in /etc/fstab is here, and its journal is not")
    } else {
        None
    })
}

/// Whether this was made a master target on the disk of `/` before, by hand among others, and not in the image that it was cloned
/// from: since then a disk of a protected machine may have been attached, and be in use in the place of this host's own.
pub fn was_at_work(facts: &Facts) -> Result<bool, Status> {
    if need(&facts.identity.template, "the record of the image's identity")?.is_some() {
        return Ok(false);
    }
    let script = &facts.custom_changes;
    let is_marked = need(&script.marker_ctime_secs, "the marker of the vendor's script")?.is_some();
    let has_log = need(&script.log_tail, "the log of the vendor's script")?.is_some();
    let is_recorded = need(&script.record, "the record of the vendor script's run")?.is_some();
    let journal = need(&facts.journal, "the journal")?;
    let is_line_ours = facts.fstab.known().is_some_and(|fstab| has_ours(fstab, &facts.fstab_ignored));
    Ok(is_marked || has_log || is_recorded || journal.vendor_script || is_line_ours)
}

/// Whether this machine's identity was on record and is no more, or that cannot be determined.
pub fn is_lost(facts: &Facts) -> bool {
    facts.identity.recorded.known().is_some_and(Option::is_none) && trace(facts) != Ok(None)
}
