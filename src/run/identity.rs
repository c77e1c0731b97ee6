//! What an apply keeps of this machine's identity.

use anyhow::Result;

use super::journal::{self, Event};
use crate::changes::{Done, records};
use crate::facts::Facts;
use crate::host::Host;
use crate::profile::Profile;
use crate::state::journal::IDENTITY;
use crate::state::time::{now, today};
use crate::steps::layout::own_disks;
use crate::steps::{self, Selection, image};

/// Records what identifies this machine, where nothing speaks against it; noted in the journal, so that its loss is noticed later.
/// Returns what was recorded.
pub(super) fn keep(host: &Host, profile: &Profile, facts: &Facts, boot_id: &str) -> Result<Option<String>> {
    // What could not be read would be missing from the record for good; what is lost, a person restores.
    let is_whole = facts.disks.known().is_some() && facts.mounts.known().is_some();
    if !is_whole || image::lost::is_lost(facts) || !holds(profile, facts, IDENTITY) {
        return Ok(None);
    }
    let own = own_disks::first(profile, facts);
    match records::keep_identity(host, &now(), &image::identifiers(facts), own.as_deref())? {
        Done::Unchanged => Ok(None),
        Done::Changed(what) => {
            let (requirement, changed) = (IDENTITY.to_owned(), Some(what.clone()));
            journal::open(host, boot_id)?.write(Event::Done { requirement, changed })?;
            Ok(Some(what))
        }
    }
}

/// Whether the requirement `id` holds, selected or not.
pub(super) fn holds(profile: &Profile, facts: &Facts, id: &str) -> bool {
    let all = steps::judge_all(profile, facts, today(), &Selection::default());
    all.iter().any(|finding| finding.id == id && finding.status.holds())
}
