//! Making the changes: one after the other, the host read and judged again in between. What is believed is the host, not an exit
//! status.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail, ensure};
use nix::sys::signal::Signal;

use super::judging::Run;
use super::terms::Options;
use crate::changes::mkfs::Format;
use crate::changes::{Change, custom_changes};
use crate::facts::Facts;
use crate::host::Host;
use crate::host::command::Command;
use crate::profile::Profile;
use crate::report::apply::Applied;
use crate::report::ended::Ended;
use crate::report::{Plan, PlannedChange};
use crate::run::engine::{Engine, Work};
use crate::run::recorder::Recorder;
use crate::run::watcher::{Proposal, Watcher};
use crate::run::{identity, plan};
use crate::state::resume;
use crate::steps::retention::takeover;

/// How old facts may be when changes begin.
const STALE: Duration = Duration::from_secs(5);

/// Makes the changes that bring `host` to `profile`.
/// Errors: Not root, another run is in progress, a change failed, or the host does not show what a change did.
pub(super) fn apply(
    host: &Host,
    profile: &Profile,
    options: &Options,
    watcher: &mut dyn Watcher,
) -> Result<Applied> {
    let engine = Engine::start(host, "apply")?;
    let boot_id = engine.boot_id.as_str();
    let closed = engine.close_files(host, watcher);
    custom_changes::refuse_while_running(host, boot_id)?;
    ensure!(
        resume::sealing(host)?.is_none(),
        "a sealing of this machine was interrupted: run mt-agent seal again first, which resumes it"
    );
    let mut run = Run { host, profile, options, request: options.request.clone(), boot_id };
    // Nobody sees the plan that is made after a restart.
    run.request.at_terminal &= !options.resumed;
    run.request.resumed = options.resumed;
    let facts = run.facts();
    if !options.resumed {
        takeover::check(profile, &facts, &options.request)?;
    }
    let mut agreed = run.plan(&facts);
    // What will be erased after the restart is agreed to now.
    let erases = |change: &Change| matches!(change, Change::FormatRetention(Format { erase: true, .. }));
    let idle = agreed.changes.iter().all(|planned| planned.after_restart && !erases(&planned.change));
    if let Some(why) = run.waits_for_identity(&facts) {
        let mut applied = run.judged(&facts, Vec::new(), Ended::Finished);
        applied.report.notes.push(why);
        applied.report.notes.extend(run.remember_template(&facts)?);
        return Ok(applied);
    }
    // The run after a restart has had it: a restart that is owed still would be owed after every boot.
    let restart = options.restart && agreed.restart && !options.resumed;
    let unnamed = run.unnamed(&facts, &agreed);
    if idle && !restart && unnamed.is_none() {
        return run.finish(&facts, Vec::new(), &agreed);
    }
    for planned in &mut agreed.changes {
        planned.change.pin(host);
    }
    let shown = Instant::now();
    let proposal = Proposal::Changes { plan: &agreed, unnamed: unnamed.as_ref() };
    if !engine.is_agreed(proposal, options.consent, watcher)? {
        return Ok(run.judged(&facts, Vec::new(), Ended::Declined));
    }
    // Confirmed it is named, for this apply and across its restart.
    run.request.retention_disk = run.request.retention_disk.take().or(unnamed.map(|id| id.to_string()));
    // A person may think for an hour, and the host go on meanwhile.
    let facts = if shown.elapsed() > STALE { run.facts() } else { facts };
    let mut recorder = Recorder::open(host, profile, boot_id)?;
    if let Some(closed) = &closed {
        recorder.log(closed);
    }
    let selection = (!options.selection.is_everything()).then(|| options.selection.part.clone());
    recorder.begin(options.resumed, selection)?;
    let (performed, changed, is_kept) = (Vec::new(), Vec::new(), false);
    let mut changes = Changes { run, agreed, facts, recorder, performed, changed, is_kept };
    let ended = engine.carry_out(&mut changes, watcher);
    changes.end(ended)
}

/// The changes that were agreed to, under way.
struct Changes<'a> {
    run: Run<'a>,
    agreed: Plan,
    /// The host as it was read last.
    facts: Facts,
    recorder: Recorder<'a>,
    performed: Vec<Change>,
    changed: Vec<String>,
    /// Whether this machine's identity was kept before its first change.
    is_kept: bool,
}

impl Work for Changes<'_> {
    type Step = PlannedChange;

    fn next(&mut self) -> Result<Option<PlannedChange>> {
        Ok(self.run.plan(&self.facts).changes.into_iter().find(|planned| !planned.after_restart))
    }

    fn perform(&mut self, mut next: PlannedChange, watcher: &mut dyn Watcher) -> Result<()> {
        let Run { host, profile, boot_id, .. } = self.run;
        next.change.pin(host);
        self.refuse_unexpected(&next)?;
        // Drawing a salt needs /dev/urandom.
        let is_node = matches!(next.change, Change::MakeDeviceNodes { .. });
        if !self.is_kept && !is_node {
            // Afterwards what was changed would show a record that is lost, and not one that never was.
            identity::keep(host, profile, &self.facts, boot_id)?;
            self.is_kept = true;
        }
        let made = self.recorder.perform(&next.requirement, &next.change, watcher);
        let changed = made.map_err(|error| {
            let error = match plan::left(&self.agreed, &self.performed) {
                // Its own failure says what a person does.
                Some(option) if !is_decision(&next.change) => {
                    anyhow!("{error:#}; {option} has not been carried out: give it again then")
                }
                _ => error,
            };
            error.context(next.requirement)
        })?;
        self.changed.extend(changed);
        if matches!(next.change, Change::FormatRetention(Format { erase: true, .. })) {
            self.run.forget_erasure()?;
        }
        self.performed.push(next.change);
        self.facts = self.run.facts();
        Ok(())
    }

    fn interrupted(&mut self, signal: Signal, before: Option<&PlannedChange>) {
        let before = before.map_or_else(|| "the last look".to_owned(), |next| next.change.summary());
        self.recorder.log(&format!("ended by {signal} before: {before}"));
    }
}

impl Changes<'_> {
    /// Refuses what was done already and does not show, and what nobody agreed to.
    fn refuse_unexpected(&self, next: &PlannedChange) -> Result<()> {
        if self.performed.contains(&next.change) {
            bail!(
                "{}: done, yet the host does not show it: {}",
                next.requirement,
                self.run.still(&self.facts, &next.requirement)
            );
        }
        let mut agreed = self.agreed.changes.iter().filter(|planned| !planned.after_restart);
        ensure!(
            agreed.any(|planned| next.change.is_within(&planned.change)),
            "{}: the host has changed since the plan was shown, and \"{}\" was not part of it: run apply again",
            next.requirement,
            next.change.summary()
        );
        Ok(())
    }

    /// Records how it ended and what is owed, and restarts the host where that was asked for.
    fn end(mut self, ended: Result<Ended>) -> Result<Applied> {
        let changed = std::mem::take(&mut self.changed);
        let applied = ended.and_then(|ended| match ended {
            Ended::Finished => self.run.finish(&self.facts, changed, &self.agreed),
            other => Ok(self.run.judged(&self.facts, changed, other)),
        });
        let verdict = match &applied {
            Ok(Applied { ended: Ended::Interrupted, .. }) => "interrupted",
            Ok(applied) => applied.report.verdict().word(),
            Err(_) => "failed",
        };
        let written = self.recorder.end(verdict);
        if let (Err(error), true) = (&applied, self.run.options.resumed) {
            // Nobody watches: what failed is not tried again at each boot. That this could not be written down ends nothing.
            let _ = resume::fail(self.run.host, &format!("{error:#}"));
        }
        // What ended the run is reported, not that its end could not be written down.
        let applied = applied?;
        written?;
        self.restart_if_owed(applied)
    }

    /// Restarts the host, where that is owed and was asked for.
    fn restart_if_owed(&self, mut applied: Applied) -> Result<Applied> {
        let Run { host, options, .. } = self.run;
        if options.restart && applied.left.restart && applied.ended == Ended::Finished {
            let output = Command::new("shutdown", ["-r", "now"], Duration::from_secs(60)).run(host)?;
            ensure!(
                output.status == 0,
                "restarting the host: shutdown ended with status {}: {}",
                output.status,
                output.message()
            );
            applied.ended = Ended::Restarting;
        }
        Ok(applied)
    }
}

/// Whether the change carries out what a person decided by an option.
fn is_decision(change: &Change) -> bool {
    matches!(
        change,
        Change::RecordCustomChanges { .. } | Change::RunCustomChanges { .. } | Change::RecordOwnDisks { .. }
    )
}
