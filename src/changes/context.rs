//! What performing a change needs, and what comes of it.

use serde::{Deserialize, Serialize};

use crate::host::Host;
use crate::host::command::{Command, Failure, Output};
use crate::profile::Profile;

/// What performing a change did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Done {
    /// The host was so already.
    Unchanged,
    /// It was changed: what.
    Changed(String),
}

/// Who watches changes being made.
pub trait Observer {
    /// A line about long work under way: what yum or mkfs prints.
    fn progress(&mut self, line: &str);
    /// Bytes transferred so far, and in all where that is known.
    fn transfer(&mut self, what: &str, done: u64, total: Option<u64>);
    /// A line for /var/log/mt-agent.log: what was run and what it said.
    fn log(&mut self, line: &str);
}

/// How many lines of a command are shown and logged: a script that asks for ever prints for ever.
pub(super) const LINES: usize = 2000;

/// What performing a change needs.
pub struct Context<'a> {
    /// The host to change.
    pub host: &'a Host,
    /// What it is to become.
    pub profile: &'a Profile,
    /// The boot id of this boot, for records.
    pub boot_id: &'a str,
    /// Who watches.
    pub observer: &'a mut dyn Observer,
}

impl Context<'_> {
    /// Runs `command`, giving each of its lines to the observer and to the log, up to a bound.
    pub fn run(&mut self, command: &Command) -> Result<Output, Failure> {
        let host = self.host;
        self.watched(command, |watch| command.run_watched(host, watch))
    }

    /// As [`Context::run`], on another host; it begins when `begin` has been given its process id.
    pub fn run_held(
        &mut self,
        host: &Host,
        command: &Command,
        begin: &mut dyn FnMut(u32) -> anyhow::Result<()>,
    ) -> Result<Output, Failure> {
        self.watched(command, |watch| command.run_held(host, watch, begin))
    }

    fn watched(
        &mut self,
        command: &Command,
        run: impl FnOnce(&mut dyn FnMut(&str)) -> Result<Output, Failure>,
    ) -> Result<Output, Failure> {
        let observer = &mut *self.observer;
        let place = command.directory().map(|path| format!(" (in {})", path.display())).unwrap_or_default();
        observer.log(&format!("run: {}{place}", command.line()));
        let mut lines = 0;
        let result = run(&mut |line| {
            lines += 1;
            if lines <= LINES {
                observer.progress(line);
                observer.log(&format!("  {line}"));
            } else if lines == LINES + 1 {
                observer.log("  (it prints more; that is left out)");
            }
        });
        match &result {
            Ok(output) => observer.log(&format!("status: {}", output.status)),
            Err(failure) => observer.log(&format!("failed: {failure}")),
        }
        result
    }
}
