//! What an apply is given, who watches it, and what comes of it.

use anyhow::Result;
use serde::Serialize;

use crate::changes::Done;
use crate::report::{Plan, Report};
use crate::state::request::Request;
use crate::state::resume::Pending;
use crate::steps::Selection;

/// What a person asked for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which requirements.
    pub selection: Selection,
    /// `--retention-disk` and the like.
    pub request: Request,
    /// Restart the host when a restart is owed.
    pub restart: bool,
    /// What to record for the run after a restart; its boot id is filled in here.
    pub pending: Option<Pending>,
    /// Whether this is that run.
    pub resumed: bool,
    /// What the plan is to say beside itself: where packages come from.
    pub notes: Vec<String>,
}

/// Who watches an apply, and agrees to it.
pub trait Watcher {
    /// Shows the plan and asks; `false` ends the run with nothing changed. `unnamed` is the SCSI ID of a disk that the plan
    /// formats and nobody named, which the person has to confirm.
    ///
    /// # Errors
    /// There is nobody to ask.
    fn confirm(&mut self, plan: &Plan, unnamed: Option<&str>) -> Result<bool>;
    /// Something that a person should know, beside the report.
    fn note(&mut self, line: &str);
    /// A change begins: its number, from 1, and what it does.
    fn begin(&mut self, number: usize, summary: &str);
    /// It ended.
    fn end(&mut self, done: &Done);
    /// A line about long work under way.
    fn progress(&mut self, line: &str);
    /// Bytes transferred so far, and in all where that is known.
    fn transfer(&mut self, what: &str, done: u64, total: Option<u64>);
}

/// How an apply ended.
#[derive(Debug)]
pub struct Applied {
    /// The host as it is judged now.
    pub report: Report,
    /// What is left, among it what only a person can do.
    pub left: Plan,
    /// What was changed, in order.
    pub changed: Vec<String>,
    /// What was recorded of this machine's identity as it ended, beside that.
    pub recorded: Option<String>,
    /// How.
    pub ended: Ended,
}

/// How an apply ended: the words of the JSON document, which mt-agent-apply(8) lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// All that could be done is done.
    Finished,
    /// The person said no: nothing was touched.
    Declined,
    /// A signal asked it to end; the changes made are recorded.
    Interrupted,
    /// As finished, and the host is restarting.
    Restarting,
    /// `--resume`, `--forget`: no apply waits for a restart.
    NothingWaits,
    /// `--resume`: the restart has not happened yet.
    RestartOwed,
    /// `--resume`: what waits, waits for a person's word.
    Asks,
    /// `--forget`: what waited is called off.
    Forgotten,
}
