//! Changes performed one by one: each noted in the journal and the log before and after, and shown meanwhile.

use anyhow::Result;

use super::journal::{self, Event, Journal};
use super::log::Log;
use super::watcher::{Step, Watcher};
use crate::changes::{self, Change, Done, Observer};
use crate::host::{Host, text};
use crate::profile::Profile;
use crate::state::request::Part;

/// The journal and the log of a run that changes `host`.
pub(super) struct Recorder<'a> {
    host: &'a Host,
    profile: &'a Profile,
    boot_id: &'a str,
    journal: Journal,
    log: Log,
    performed: usize,
}

impl<'a> Recorder<'a> {
    pub(super) fn open(host: &'a Host, profile: &'a Profile, boot_id: &'a str) -> Result<Self> {
        let journal = journal::open(host, boot_id)?;
        let log = Log::open(host)?;
        Ok(Self { host, profile, boot_id, journal, log, performed: 0 })
    }

    /// Notes that the run begins; `resumed` after a restart, and what it looks at, where that is not everything.
    #[expect(clippy::fn_params_excessive_bools, reason = "a field of the journal's entry")]
    pub(super) fn begin(&mut self, resumed: bool, selection: Option<Part>) -> Result<()> {
        let (agent, profile) = (env!("CARGO_PKG_VERSION").to_owned(), self.profile.name.to_string());
        self.journal.write(Event::Begin { agent, profile, resumed, selection })
    }

    pub(super) fn end(&mut self, verdict: &str) -> Result<()> {
        self.journal.write(Event::End { verdict: verdict.to_owned() })
    }

    pub(super) fn log(&mut self, line: &str) {
        self.log.line(line);
    }

    /// Notes something that `verb` did and that is no change for a requirement; earlier versions can read the entry too.
    pub(super) fn done(&mut self, verb: &str, what: &str) -> Result<()> {
        let (requirement, changed) = (verb.replace(' ', "."), Some(what.to_owned()));
        self.journal.write(Event::Done { requirement, changed })?;
        self.log.line(&format!("{verb}: {what}"));
        Ok(())
    }

    /// Makes `change` for `requirement`; what was changed, `None` where the host was so already.
    /// Errors: The change failed, which is on record then, or what was done cannot be recorded.
    pub(super) fn perform(
        &mut self,
        requirement: &str,
        change: &Change,
        watcher: &mut dyn Watcher,
    ) -> Result<Option<String>> {
        self.performed += 1;
        watcher.begin(Step::Change(self.performed, &change.summary()));
        self.log.line(&format!("change: {requirement}: {}", change.summary()));
        let requirement = requirement.to_owned();
        self.journal.write(Event::Intent { requirement: requirement.clone(), change: change.clone() })?;
        let mut observer = Both { watcher: &mut *watcher, log: &mut self.log };
        let mut context = changes::Context {
            host: self.host,
            profile: self.profile,
            boot_id: self.boot_id,
            observer: &mut observer,
        };
        match change.perform(&mut context) {
            Ok(done) => {
                watcher.end(&done);
                let changed = match done {
                    Done::Changed(what) => Some(what),
                    Done::Unchanged => None,
                };
                self.journal.write(Event::Done { requirement, changed: changed.clone() })?;
                Ok(changed)
            }
            Err(error) => {
                self.log.line(&format!("failed: {error:#}"));
                let text = text::without_secrets(&format!("{error:#}"));
                // What failed is reported, even where it cannot be written down.
                let _ = self.journal.write(Event::Failed { requirement, error: text });
                Err(error)
            }
        }
    }
}

/// The watcher sees what is under way, the log keeps it.
struct Both<'a> {
    watcher: &'a mut dyn Watcher,
    log: &'a mut Log,
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
