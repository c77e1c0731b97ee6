//! `state`: the records looked at and repaired, as a person asked for it.

use anyhow::{Result, ensure};

use super::{Seen, foresee, look, repair};
use crate::facts::gather::Probing;
use crate::profile::{self, Profile};
use crate::report::state::State;
use crate::run::sources::Sources;
use crate::run::watcher::{Consent, Proposal, Watcher};
use crate::run::{read_facts, under_way};

/// Every record as it stands. Changes nothing.
/// Errors: Not root, or a bad profile that was named.
pub fn check(sources: &Sources, watcher: &mut dyn Watcher) -> Result<State> {
    may_read(sources)?;
    if let Some(note) = under_way(&sources.host) {
        watcher.note(&note);
    }
    // That the host's own profile cannot be used is one of the findings.
    let profile = match sources.profile() {
        Err(_) if sources.profile_name().is_none() => sources.profile_called(Some(profile::DEFAULT)),
        profile => profile,
    };
    Ok(look(&sources.host, &seen(sources, profile?)))
}

/// What a repair would do. Changes nothing.
/// Errors: Not root, or a bad profile.
pub fn dry_run(sources: &Sources) -> Result<State> {
    may_read(sources)?;
    Ok(foresee(&sources.host, &seen(sources, sources.profile()?)))
}

/// Rebuilds what follows from the host, and sets aside what is not believed.
/// Errors: Not root, a bad profile, nobody to ask, another run is in progress, something that failed.
pub fn repaired(sources: &Sources, consent: Consent, watcher: &mut dyn Watcher) -> Result<State> {
    may_read(sources)?;
    sources.refuse_unsafe_profile("state repair")?;
    let mut confirm = |found: &State| watcher.confirm(Proposal::Repair(found), consent);
    repair(&sources.host, &|| Ok(seen(sources, sources.profile()?)), &mut confirm)
}

fn may_read(sources: &Sources) -> Result<()> {
    ensure!(
        !sources.host.is_live() || nix::unistd::geteuid().is_root(),
        "state needs root: the records are for root alone to read"
    );
    Ok(())
}

fn seen(sources: &Sources, profile: Profile) -> Seen {
    let facts = read_facts(&sources.host, &profile, Probing::None);
    Seen { profile, facts, order: sources.order() }
}
