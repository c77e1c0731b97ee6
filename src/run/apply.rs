//! Making the changes: one after the other, each journalled before and after, the host read and judged again
//! in between. What is believed is the host, not an exit status.

mod terms;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};

pub use self::terms::{Applied, Ended, Options, Watcher};
use super::journal::{self, Event, Journal};
use super::log::Log;
use super::{BOOT_ID, check, identity, lock, plan, private, read_facts, signals, today};
use crate::changes::{self, Change, Done, Observer, records};
use crate::facts::Facts;
use crate::facts::gather::Probing;
use crate::host::command::Command;
use crate::host::{Host, ScsiId};
use crate::profile::Profile;
use crate::report::Plan;
use crate::state::request::Request;
use crate::state::resume::{self, Pending};
use crate::state::{paths, saved};
use crate::steps::retention::{self, lasting, takeover};
use crate::steps::{self, Requirement, Selection, ids, image};

/// How old facts may be when changes begin.
const STALE: Duration = Duration::from_secs(5);

/// Makes the changes that bring `host` to `profile`.
///
/// # Errors
/// Not root, another run is going on, a change failed, or the host does not show what a change did.
pub fn apply(
    host: &Host,
    profile: &Profile,
    options: &Options,
    watcher: &mut dyn Watcher,
) -> Result<Applied> {
    ensure!(nix::unistd::geteuid().is_root(), "apply needs root: run it with sudo or as root");
    ensure!(host.is_live(), "apply changes the running host only, not {host}");
    let guard = signals::Guard::install(host)?;
    let boot_id = host
        .read(BOOT_ID)
        .with_context(|| format!("reading the boot id {BOOT_ID}, without which a restart cannot be told"))?
        .trim()
        .to_owned();
    let _lock = lock::take(host, "apply", &boot_id)?;
    let closed = private::close(host);
    if let Some(closed) = &closed {
        watcher.note(closed);
    }
    changes::custom_changes::refuse_while_running(host, &boot_id)?;
    ensure!(
        resume::sealing(host)?.is_none(),
        "a sealing of this machine was interrupted: run mt-agent seal again first, which resumes it"
    );
    let mut run = Run { host, profile, options, request: options.request.clone(), boot_id: &boot_id };
    // Nobody sees the plan that is made after a restart.
    run.request.at_terminal &= !options.resumed;
    run.request.resumed = options.resumed;
    let facts = run.facts();
    if !options.resumed {
        takeover::check(profile, &facts, &options.request)?;
    }
    let mut agreed = run.plan(&facts);
    // What will be erased after the restart is agreed to now.
    let erases = |change: &Change| matches!(change, Change::FormatRetention { erase: true, .. });
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
        return run.finish(facts, Vec::new(), &agreed);
    }
    for planned in &mut agreed.changes {
        planned.change.pin(host);
    }
    let shown = Instant::now();
    if !watcher.confirm(&agreed, unnamed.as_deref())? {
        return Ok(run.judged(&facts, Vec::new(), Ended::Declined));
    }
    // Confirmed it is named, for this apply and across its restart.
    run.request.retention_disk = run.request.retention_disk.take().or(unnamed.map(|id| id.to_string()));
    guard.begin_changes();
    // A person may think for an hour, and the host go on meanwhile.
    let facts = if shown.elapsed() > STALE { run.facts() } else { facts };
    let mut journal = journal::open(host, &boot_id)?;
    let mut log = Log::open(host)?;
    if let Some(closed) = &closed {
        log.line(closed);
    }
    journal.write(Event::Begin {
        agent: env!("CARGO_PKG_VERSION").to_owned(),
        profile: profile.name.to_string(),
        resumed: options.resumed,
        selection: (!options.selection.is_everything()).then(|| options.selection.part.clone()),
    })?;
    let ended = run.carry_out(&agreed, facts, &mut journal, log, watcher, &guard);
    let verdict = match &ended {
        Ok(Applied { ended: Ended::Interrupted, .. }) => "interrupted".to_owned(),
        Ok(applied) => applied.report.verdict().word().to_owned(),
        Err(_) => "failed".to_owned(),
    };
    let written = journal.write(Event::End { verdict });
    if let (Err(error), true) = (&ended, options.resumed) {
        // Nobody watches: what failed is not tried again at each boot. That this could not be written down ends nothing.
        let _ = resume::fail(host, &format!("{error:#}"));
    }
    // What ended the run is told, not that its end could not be written down.
    let applied = ended?;
    written?;
    run.restart_if_owed(applied)
}

struct Run<'a> {
    host: &'a Host,
    profile: &'a Profile,
    options: &'a Options,
    /// What is asked for still: what a person confirmed is named, and what was erased is not erased again.
    request: Request,
    boot_id: &'a str,
}

impl Run<'_> {
    fn facts(&self) -> Facts {
        let erase = self.request.erase_disk.as_deref();
        read_facts(self.host, self.profile, Probing::idle(erase))
    }

    fn plan(&self, facts: &Facts) -> Plan {
        let mut plan = plan(self.profile, facts, &self.options.selection, today(), &self.request);
        plan.notes.extend(self.options.notes.iter().cloned());
        plan
    }

    /// The SCSI ID of the disk that `plan` formats although nobody named it.
    fn unnamed(&self, facts: &Facts, plan: &Plan) -> Option<ScsiId> {
        let disk = retention::unnamed(self.profile, facts, &self.request)?;
        plan.changes.iter().find_map(|planned| match &planned.change {
            Change::FormatRetention { scsi_id, .. } if disk.has_id(scsi_id) => Some(scsi_id.clone()),
            _ => None,
        })
    }

    fn judged(&self, facts: &Facts, changed: Vec<String>, ended: Ended) -> Applied {
        let left = self.plan(facts);
        let mut report = check::report(self.profile, facts, &self.options.selection, today(), &left);
        // Options that nothing came of; and what was ordered and is open, whatever else was changed.
        let is_told = |note: &&String| changed.is_empty() || plan::is_open(note);
        let new = left.notes.iter().filter(is_told).filter(|note| !report.notes.contains(note));
        let new: Vec<_> = new.cloned().collect();
        report.notes.extend(new);
        Applied { report, left, changed, recorded: None, ended }
    }

    /// All that can be done is done: what is owed is recorded.
    fn finish(&mut self, facts: Facts, changed: Vec<String>, agreed: &Plan) -> Result<Applied> {
        let mut applied = self.judged(&facts, changed, Ended::Finished);
        applied.recorded = identity::keep(self.host, self.profile, &facts, self.boot_id)?;
        let waiting = resume::read(self.host).ok().flatten();
        let first_boot = waiting.as_ref().is_some_and(|waiting| waiting.first_boot);
        match &self.options.pending {
            _ if self.is_part_of(waiting.as_ref()) => {}
            // It is tried again at each boot, until a person has decided what the profile does not say.
            _ if first_boot && !applied.left.restart && self.has_more(&facts, waiting.as_ref()) => {}
            Some(pending) if applied.left.restart => {
                match self.after_restart(pending, first_boot, &facts, agreed) {
                    Some(pending) if waiting.as_ref().is_some_and(|waiting| waiting.stands_for(&pending)) => {
                    }
                    Some(pending) => {
                        saved::directory(self.host, paths::DIRECTORY)?;
                        resume::write(self.host, &pending)?;
                    }
                    None => resume::clear(self.host)?,
                }
            }
            _ => resume::clear(self.host)?,
        }
        Ok(applied)
    }

    /// Why a run that nobody watches changes nothing: the machine may be its own template, or a copy to which another
    /// machine's orders came with its disk.
    fn waits_for_identity(&self, facts: &Facts) -> Option<String> {
        if !self.options.resumed {
            return None;
        }
        (!identity::holds(self.profile, facts, ids::IMAGE_IDENTITY)).then(|| {
            "what nobody watches waits until image.identity is met, and changes nothing before (on a clone: its first \
             boot): it is tried again at each boot, or by mt-agent apply"
                .to_owned()
        })
    }

    /// Of the template that was started again: what it has anew is recorded as what its clones must not have.
    fn remember_template(&self, facts: &Facts) -> Result<Option<String>> {
        if !image::is_template(facts) {
            return Ok(None);
        }
        records::extend_template(self.host, &super::now(), &image::identifiers(facts))?;
        Ok(Some(
            "this is the template itself, started again: run mt-agent seal again before it is cloned, or its clones share \
             what this start made, SSH host keys among it"
                .to_owned(),
        ))
    }

    /// Whether something that apply could change does not hold yet, of what `waiting` is to do.
    fn has_more(&self, facts: &Facts, waiting: Option<&Pending>) -> bool {
        let everything = || Selection::default().at_stage(waiting?.stage, self.profile).ok();
        let all = steps::judge_all(self.profile, facts, today(), &everything().unwrap_or_default());
        let changeable = |id| steps::find(id).is_some_and(Requirement::is_changeable);
        all.iter().any(|finding| changeable(finding.id) && !finding.status.holds())
    }

    /// Whether this run looks at a part of the host alone while another one waits for a restart, with more to do.
    fn is_part_of(&self, waiting: Option<&Pending>) -> bool {
        !self.options.resumed
            && !self.options.selection.is_everything()
            && waiting.is_some_and(|waiting| {
                (waiting.first_boot || waiting.boot_id == self.boot_id) && waiting.only.is_empty()
            })
    }

    /// What the run after the restart is to do; `None` where that is nothing.
    fn after_restart(
        &self,
        pending: &Pending,
        first_boot: bool,
        facts: &Facts,
        agreed: &Plan,
    ) -> Option<Pending> {
        let mut pending = pending.clone();
        pending.request.retention_disk.clone_from(&self.request.retention_disk);
        pending.request.erase_disk.clone_from(&self.request.erase_disk);
        self.boot_id.clone_into(&mut pending.boot_id);
        // A clone that waits goes on waiting, whoever has looked in meanwhile.
        pending.first_boot |= first_boot;
        if pending.first_boot && pending.request == Request::default() {
            // Whoever has looked in gave it no other day to end.
            pending.bound = None;
            return Some(pending);
        }
        // What will be erased after the restart is what the person saw in the plan, and for what is on it now.
        let fingerprint = agreed.changes.iter().find_map(|planned| match &planned.change {
            Change::FormatRetention { fingerprint, .. } => fingerprint.clone(),
            _ => None,
        });
        match lasting(self.profile, facts, &pending.request) {
            Some(request) => pending.request = request,
            // Nobody watches that run: the retention volume waits for a person.
            None => {
                (pending.request.retention_disk, pending.request.takeover) = (None, None);
                if !pending.first_boot && !pending.skip.iter().any(|name| name == "retention") {
                    pending.skip.push("retention".to_owned());
                }
            }
        }
        // An order of an earlier restart stays what it was: it was for what was on the disk then.
        if !self.options.resumed {
            pending.request.erase_fingerprint = fingerprint;
        }
        if pending.request.erase_fingerprint.is_none() || pending.request.retention_disk.is_none() {
            // There was nothing to erase.
            (pending.request.erase_disk, pending.request.erase_fingerprint) = (None, None);
        }
        // A decision is for the run that it was given to.
        pending.request.custom_changes = None;
        let selection = Selection::new(pending.only.clone(), pending.skip.clone()).ok()?;
        selection.at_stage(pending.stage, self.profile).ok().map(|_| pending)
    }

    fn carry_out(
        &mut self,
        agreed: &Plan,
        mut facts: Facts,
        journal: &mut Journal,
        mut log: Log,
        watcher: &mut dyn Watcher,
        guard: &signals::Guard,
    ) -> Result<Applied> {
        let mut performed: Vec<Change> = Vec::new();
        let mut changed = Vec::new();
        let mut is_kept = false;
        loop {
            let plan = self.plan(&facts);
            let next = plan.changes.into_iter().find(|planned| !planned.after_restart);
            // What was read since a signal came may lack what was not waited for: that nothing is left is not known then.
            if let Some(signal) = guard.seen() {
                let before = next.map_or_else(|| "the last look".to_owned(), |next| next.change.summary());
                log.line(&format!("ended by {signal} before: {before}"));
                return Ok(self.judged(&facts, changed, Ended::Interrupted));
            }
            let Some(mut next) = next else { return self.finish(facts, changed, agreed) };
            next.change.pin(self.host);
            if performed.contains(&next.change) {
                bail!(
                    "{}: done, yet the host does not show it: {}",
                    next.requirement,
                    self.still(&facts, &next.requirement)
                );
            }
            if !covered(agreed, &next.change) {
                bail!(
                    "{}: the host has changed since the plan was shown, and \"{}\" was not part of it: run apply again",
                    next.requirement,
                    next.change.summary()
                );
            }
            // Drawing a salt needs /dev/urandom.
            let is_node = matches!(next.change, Change::MakeDeviceNodes { .. });
            if !is_kept && !is_node {
                // Afterwards what was changed would show a record that is lost, and not one that never was.
                identity::keep(self.host, self.profile, &facts, self.boot_id)?;
                is_kept = true;
            }
            watcher.begin(performed.len() + 1, &next.change.summary());
            log.line(&format!("change: {}: {}", next.requirement, next.change.summary()));
            journal.write(Event::Intent {
                requirement: next.requirement.clone(),
                change: next.change.clone(),
            })?;
            let mut observer = Both { watcher: &mut *watcher, log: &mut log };
            let mut context = changes::Context {
                host: self.host,
                profile: self.profile,
                boot_id: self.boot_id,
                observer: &mut observer,
            };
            let requirement = next.requirement.clone();
            match next.change.perform(&mut context) {
                Ok(done) => {
                    watcher.end(&done);
                    let what = match done {
                        Done::Changed(what) => Some(what),
                        Done::Unchanged => None,
                    };
                    changed.extend(what.clone());
                    journal.write(Event::Done { requirement, changed: what })?;
                }
                Err(error) => {
                    log.line(&format!("failed: {error:#}"));
                    let text = crate::host::text::without_secrets(&format!("{error:#}"));
                    // What failed is told, even where it cannot be written down.
                    let _ = journal.write(Event::Failed { requirement: requirement.clone(), error: text });
                    let error = match plan::left(agreed, &performed) {
                        // Its own failure tells what a person does.
                        Some(option) if !is_word(&next.change) => {
                            anyhow!("{error:#}; {option} has not been carried out: give it again then")
                        }
                        _ => error,
                    };
                    return Err(error.context(requirement));
                }
            }
            if matches!(next.change, Change::FormatRetention { erase: true, .. }) {
                self.forget_erasure()?;
            }
            performed.push(next.change);
            facts = self.facts();
        }
    }

    /// The order to erase is carried out: neither this run nor one that resumes it has it any more.
    fn forget_erasure(&mut self) -> Result<()> {
        self.request.erase_disk = None;
        let Some(mut waiting) = resume::read(self.host)? else { return Ok(()) };
        if waiting.request.erase_disk.is_some() {
            (waiting.request.erase_disk, waiting.request.erase_fingerprint) = (None, None);
            resume::write(self.host, &waiting)?;
        }
        Ok(())
    }

    /// What is found about `requirement` now, in words.
    fn still(&self, facts: &Facts, requirement: &str) -> String {
        let report = check(self.profile, facts, &Selection::default(), today());
        let finding = report.findings.iter().find(|finding| finding.id == requirement);
        finding.map(|finding| finding.status.describe()).unwrap_or_default()
    }

    /// Restarts the host, where that is owed and was asked for.
    fn restart_if_owed(&self, mut applied: Applied) -> Result<Applied> {
        if self.options.restart && applied.left.restart && applied.ended == Ended::Finished {
            let output = Command::new("shutdown", ["-r", "now"], Duration::from_secs(60)).run(self.host)?;
            ensure!(
                output.status == 0,
                "restarting the host: shutdown ended with status {}: {}",
                output.status,
                output.said()
            );
            applied.ended = Ended::Restarting;
        }
        Ok(applied)
    }
}

/// Whether the change carries out what a person decided by an option.
fn is_word(change: &Change) -> bool {
    matches!(
        change,
        Change::RecordCustomChanges { .. } | Change::RunCustomChanges { .. } | Change::RecordOwnDisks { .. }
    )
}

/// Whether the plan that the person agreed to has this change.
fn covered(agreed: &Plan, change: &Change) -> bool {
    agreed.changes.iter().any(|planned| !planned.after_restart && change.is_within(&planned.change))
}

pub(super) struct Both<'a> {
    pub(super) watcher: &'a mut dyn Watcher,
    pub(super) log: &'a mut Log,
}

impl Observer for Both<'_> {
    fn progress(&mut self, line: &str) {
        self.watcher.progress(line);
    }

    fn transfer(&mut self, what: &str, done: u64, total: Option<u64>) {
        self.watcher.transfer(what, done, total);
    }

    fn log(&mut self, line: &str) {
        self.log.line(line);
    }
}

#[cfg(test)]
#[path = "apply_tests.rs"]
mod tests;
