//! The one driver of what changes a host. It takes the lock and holds signals back, closes what is for root alone, asks, and does
//! one step after the other until a signal comes or nothing is left.

use std::fs::File;

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::Signal;

use super::signals::Guard;
use super::watcher::{Consent, Proposal, Watcher};
use super::{BOOT_ID, lock, private};
use crate::host::{Host, files};
use crate::report::ended::Ended;

/// Stands for the boot of a tree, which has none: every boot of a clone is another one.
const NO_BOOT: &str = "sealed as a tree";

/// What is done step by step.
pub(super) trait Work {
    /// One step, whole or not done.
    type Step;

    /// What is to be done next; `None` where nothing is left.
    fn next(&mut self) -> Result<Option<Self::Step>>;

    /// Does it.
    /// Errors: It failed: no other step is begun.
    fn perform(&mut self, step: Self::Step, watcher: &mut dyn Watcher) -> Result<()>;

    /// A signal came: no step is begun any more, `before` neither.
    fn interrupted(&mut self, _signal: Signal, _before: Option<&Self::Step>) {}
}

/// A run that may change a host, until it is dropped.
pub(super) struct Engine {
    guard: Guard,
    pub boot_id: String,
    _lock: Held,
}

/// One run at a time: on the running machine the agent's lock, of a tree its top directory.
enum Held {
    Machine { _lock: lock::Lock },
    Tree { _directory: File },
}

impl Engine {
    /// Begins a run of `verb` on `host`.
    /// Errors: Not root, or another run is in progress.
    pub(super) fn start(host: &Host, verb: &str) -> Result<Self> {
        ensure!(nix::unistd::geteuid().is_root(), "{verb} needs root: run it with sudo or as root");
        // Signals are this machine's, also where a tree is worked on.
        let guard = Guard::install(&Host::live())?;
        let boot_id = boot_id(host)?;
        let lock = if host.is_live() {
            Held::Machine { _lock: lock::take(host, verb, &boot_id)? }
        } else {
            Held::Tree { _directory: lock_tree(host)? }
        };
        Ok(Self { guard, boot_id, _lock: lock })
    }

    /// Takes the rights of other users away from the agent's own files; in a line what was closed. Of a tree nobody else is a
    /// user, and sealing looks through it by its steps.
    pub(super) fn close_files(&self, host: &Host, watcher: &mut dyn Watcher) -> Option<String> {
        let closed = host.is_live().then(|| private::close(host)).flatten()?;
        watcher.note(&closed);
        Some(closed)
    }

    /// Shows what is to be done and asks; agreed to, a signal ends the run between two steps alone.
    /// Errors: There is nobody to ask.
    pub(super) fn is_agreed(
        &self,
        proposal: Proposal<'_>,
        consent: Consent,
        watcher: &mut dyn Watcher,
    ) -> Result<bool> {
        let is_agreed = watcher.confirm(proposal, consent)?;
        if is_agreed {
            self.guard.begin_changes();
        }
        Ok(is_agreed)
    }

    /// Does the steps of `work`, one after the other: [`Ended::Finished`] or [`Ended::Interrupted`].
    pub(super) fn carry_out<W: Work>(&self, work: &mut W, watcher: &mut dyn Watcher) -> Result<Ended> {
        loop {
            let next = work.next()?;
            // What was read since a signal came may lack what was not waited for: that nothing is left is not known then.
            if let Some(signal) = self.guard.seen() {
                work.interrupted(signal, next.as_ref());
                return Ok(Ended::Interrupted);
            }
            let Some(step) = next else { return Ok(Ended::Finished) };
            work.perform(step, watcher)?;
        }
    }

    /// Whether a signal asks the run to end: for a step that takes long and may end half-way.
    pub(super) fn is_to_stop(&self) -> bool {
        self.guard.seen().is_some()
    }
}

pub(super) fn boot_id(host: &Host) -> Result<String> {
    if !host.is_live() {
        return Ok(NO_BOOT.to_owned());
    }
    let text = host.read(BOOT_ID).with_context(|| {
        format!("reading the boot id {BOOT_ID}, without which a restart cannot be determined")
    })?;
    Ok(text.trim().to_owned())
}

fn lock_tree(host: &Host) -> Result<File> {
    let tree = files::directory(host.root()).with_context(|| format!("opening {}", host.root().display()))?;
    if tree.try_lock().is_err() {
        bail!("another run is sealing {}: wait for it to end", host.root().display());
    }
    Ok(tree)
}
