//! `apply`: as a person asked for it, resumed after a restart, or called off.

mod after_restart;
mod judging;
mod terms;
#[cfg(test)]
mod tests;
mod work;

use anyhow::{Result, bail, ensure};

use self::terms::Options;
pub use self::terms::{Asked, How};
use super::sources::Sources;
use super::waiting::{self, State};
use super::watcher::{Consent, Watcher};
use super::{check, collect, now, offline, plan, seal, today};
use crate::facts::gather::Probing;
use crate::facts::machine;
use crate::profile::{self, Profile};
use crate::report::apply::{Applied, Idle, Outcome};
use crate::report::collected::Collected;
use crate::report::ended::Ended;
use crate::report::waiting::Waiting;
use crate::state::request::Request;
use crate::state::resume::{self, Binding, Pending};
use crate::steps::Selection;

/// Makes the changes that bring the host to its profile; resumable: a second run changes nothing.
/// Errors: Not root, not the running host, a bad selection or profile, nobody to ask, another run is in progress,
/// a change that failed, or the host does not show what a change did.
pub fn apply(sources: &Sources, asked: &Asked, watcher: &mut dyn Watcher) -> Result<Applied> {
    may_change(sources)?;
    if let Ok(Some(waiting)) = sources.waiting() {
        watcher.remark(&format!("note: {}", waiting.note));
    }
    let selection = Selection::new(asked.only.clone(), asked.skip.clone())?;
    let mut profile = sources.profile()?;
    let pending = Pending {
        schema: resume::SCHEMA.to_owned(),
        profile: sources.profile_name(),
        only: selection.part.only.clone(),
        skip: selection.part.skip.clone(),
        stage: asked.stage,
        // As the file says it: a collection takes the addresses out of it next.
        bound: Some(Binding {
            given_at: now(),
            profile_sha256: profile::digest(&profile),
            machine: machine::load(&sources.host),
        }),
        // Nobody sits at a terminal after the restart.
        request: Request { at_terminal: false, ..asked.request.clone() },
        ..Pending::default()
    };
    let mut options = Options {
        selection: selection.at_stage(asked.stage, &profile)?,
        request: asked.request.clone(),
        restart: asked.how.restart,
        consent: if asked.how.yes { Consent::Given } else { Consent::Asked },
        pending: Some(pending),
        resumed: false,
        notes: Vec::new(),
    };
    if let Some(note) = take_from_collection(sources, &mut profile, &mut options)? {
        options.notes.push(note);
    }
    run(sources, &profile, &options, watcher)
}

/// Resumes the apply that owed a restart, or with a sealing that was interrupted, where that may be done.
/// Errors: As [`apply`]; what waits does not hold any more.
pub fn resume(sources: &Sources, how: How, watcher: &mut dyn Watcher) -> Result<Outcome> {
    may_change(sources)?;
    if let Some(order) = resume::sealing(&sources.host)? {
        return seal::resume(sources, &order, watcher).map(Outcome::Sealed);
    }
    let Some(order) = sources.order()? else {
        return nothing_waits(sources).map(Box::new).map(Outcome::Applied);
    };
    let note = waiting::describe(&order).note;
    let idle = |ended, note: &str| Ok(Outcome::Idle(Idle { ended, note: note.to_owned() }));
    let consent = match order.state {
        State::RestartOwed => return idle(Ended::RestartOwed, "the restart is still owed"),
        State::Void(_) => bail!("{note}"),
        State::Asks(why) if !(how.yes || how.at_terminal) => {
            waiting::ask(&sources.host, &why)?;
            return idle(Ended::Asks, &note);
        }
        State::Asks(_) if !how.yes => Consent::Asked,
        State::Asks(_) | State::Due => Consent::Given,
    };
    let left = order.pending;
    let sources = sources.with_profile(left.profile.clone());
    let selection = Selection::new(left.only.clone(), left.skip.clone())?;
    let mut profile = sources.profile()?;
    let mut options = Options {
        selection: selection.at_stage(left.stage, &profile)?,
        request: left.request.clone(),
        // Nobody is there who could restart a clone at its first boot.
        restart: how.restart || left.first_boot,
        consent,
        // A person who was asked is not asked again.
        pending: Some(Pending { asks: None, ..left }),
        resumed: true,
        notes: Vec::new(),
    };
    // After the restart the medium may be gone, and with it nothing that is still to be done.
    let note = match take_from_collection(&sources, &mut profile, &mut options) {
        Ok(note) => note,
        Err(why) => Some(format!("no package can be installed: {why:#}")),
    };
    options.notes.extend(note);
    run(&sources, &profile, &options, watcher).map(Box::new).map(Outcome::Applied)
}

/// Calls off what waits for a restart, and does nothing else.
/// Errors: Not root, not the running host, another run is in progress; a sealing was interrupted, which only a
/// sealing can finish.
pub fn forget(sources: &Sources) -> Result<Idle> {
    may_change(sources)?;
    Ok(match waiting::forget(&sources.host)? {
        Some(what) => {
            Idle { ended: Ended::Forgotten, note: format!("cleared: {what}; nothing of it is carried out") }
        }
        None => Idle::nothing_waits(),
    })
}

/// Collects what an unconnected master target needs, and installs nothing.
/// Errors: As [`apply`]; something could not be had or does not belong there: then the directory is as it was, or
/// without a manifest.
pub fn download(
    sources: &Sources,
    options: &collect::Options,
    watcher: &mut dyn Watcher,
) -> Result<Collected> {
    may_change(sources)?;
    collect::collect(&sources.host, &sources.profile()?, options, watcher)
}

/// Refuses what does not change the running host as root by a profile that is root's alone.
fn may_change(sources: &Sources) -> Result<()> {
    ensure!(nix::unistd::geteuid().is_root(), "apply needs root: run it as root or with sudo");
    ensure!(
        sources.host.is_live(),
        "apply works on the running host: an image's tree (--root) can be checked, not changed"
    );
    sources.refuse_unsafe_profile("apply")
}

fn run(
    sources: &Sources,
    profile: &Profile,
    options: &Options,
    watcher: &mut dyn Watcher,
) -> Result<Applied> {
    let mut applied = work::apply(&sources.host, profile, options, watcher)?;
    applied.report.waiting = Waiting::noted(sources.waiting(), &mut applied.report.notes);
    Ok(applied)
}

/// Binds the run to the collection that it takes packages from, where it does; a note on it.
fn take_from_collection(
    sources: &Sources,
    profile: &mut Profile,
    options: &mut Options,
) -> Result<Option<String>> {
    let Some(directory) = options.request.offline.clone() else { return Ok(None) };
    let (directory, note) = offline::bind(&sources.host, profile, &directory)?;
    if let Some(pending) = &mut options.pending {
        pending.request.offline = Some(directory.clone());
    }
    options.request.offline = Some(directory);
    Ok(Some(note))
}

/// What `--resume` reports when no apply waits: the host as it is, as there was nothing to prove.
fn nothing_waits(sources: &Sources) -> Result<Applied> {
    let (profile, facts) = sources.profile_and_facts(None, Probing::None)?;
    let everything = Selection::default();
    Ok(Applied {
        report: check(&profile, &facts, &everything, today()),
        left: plan(&profile, &facts, &everything, today(), &Request::default()),
        changed: Vec::new(),
        recorded: None,
        ended: Ended::NothingWaits,
    })
}
