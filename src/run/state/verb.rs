//! `state`: the records looked at and repaired, as a person asked for it.

use std::collections::VecDeque;

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::Signal;

use super::act::Act;
use super::{Seen, foresee, kept, look};
use crate::changes::{Done, custom_changes};
use crate::facts::custom_changes::running;
use crate::facts::gather::Probing;
use crate::host::Host;
use crate::profile::{self, Profile};
use crate::report::ended::Ended;
use crate::report::state::State;
use crate::run::engine::{Engine, Work};
use crate::run::log::Log;
use crate::run::recorder::Recorder;
use crate::run::sources::Sources;
use crate::run::watcher::{Consent, Proposal, Watcher};
use crate::run::{read_facts, under_way};
use crate::state::resume;

/// By which the lock, the journal and the log name a repair.
const VERB: &str = "state repair";

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
    Ok(foresee(&sources.host, &seen(sources, sources.profile()?)).0)
}

/// Rebuilds what follows from the host, and sets aside what is not believed.
/// Errors: Not root, a bad profile, nobody to ask, another run is in progress, a sealing was interrupted, something that
/// failed or a signal, after which it can be run again.
pub fn repair(sources: &Sources, consent: Consent, watcher: &mut dyn Watcher) -> Result<State> {
    may_read(sources)?;
    sources.refuse_unsafe_profile(VERB)?;
    let host = &sources.host;
    ensure!(host.is_live(), "{VERB} changes the running host only, not {host}");
    let engine = Engine::start(host, VERB)?;
    custom_changes::refuse_while_running(host, &engine.boot_id)?;
    if let Ok(Some(_)) = resume::sealing(host) {
        bail!("a sealing of this machine was interrupted: run mt-agent seal again first, which resumes it");
    }
    let directory = kept::directory(host).row;
    ensure!(directory.status.holds(), "{}: {}", directory.content, directory.fix);
    let seen = seen(sources, sources.profile()?);
    let (mut state, acts) = foresee(host, &seen);
    if acts.iter().any(|act| matches!(act, Act::Script(..))) {
        let script = &seen.profile.custom_changes.script;
        if let Some(pid) = running::by_name(host, script)? {
            bail!("{script} is running (process {pid}): wait for its end, then run this again");
        }
    }
    if acts.is_empty() {
        return Ok(state);
    }
    if !engine.is_agreed(Proposal::Repair(&state), consent, watcher)? {
        state.ended = Some(Ended::Declined);
        return Ok(state);
    }
    let mut repair = Repair {
        host,
        profile: &seen.profile,
        boot_id: &engine.boot_id,
        acts: acts.into(),
        changed: Vec::new(),
        ended_by: None,
    };
    engine.carry_out(&mut repair, watcher)?;
    if let Some(signal) = repair.ended_by {
        bail!("ended by {signal}: what was done is recorded; run it again for the rest");
    }
    let mut state = look(host, &self::seen(sources, sources.profile()?));
    state.ended = Some(Ended::Finished);
    state.changes = repair.changed;
    Ok(state)
}

/// A repair that was agreed to, under way.
struct Repair<'a> {
    host: &'a Host,
    profile: &'a Profile,
    boot_id: &'a str,
    acts: VecDeque<Act>,
    changed: Vec<String>,
    ended_by: Option<Signal>,
}

impl Work for Repair<'_> {
    type Step = Act;

    fn next(&mut self) -> Result<Option<Act>> {
        Ok(self.acts.pop_front())
    }

    fn perform(&mut self, act: Act, _: &mut dyn Watcher) -> Result<()> {
        // What could not be noted is not done.
        Log::open(self.host)?;
        if let Done::Changed(what) = act.perform(self.host).with_context(|| act.summary())? {
            // Opened for each: the act before may have set the journal aside.
            Recorder::open(self.host, self.profile, self.boot_id)?.done(VERB, &what)?;
            self.changed.push(what);
        }
        Ok(())
    }

    fn interrupted(&mut self, signal: Signal, before: Option<&Act>) {
        // After the last act nothing is left to be run again for.
        self.ended_by = before.map(|_| signal);
    }
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
