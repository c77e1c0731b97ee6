//! Who watches a run that changes a host, and agrees to it.

use anyhow::Result;

use crate::changes::Done;
use crate::host::ScsiId;
use crate::report::Plan;
use crate::report::seal::Sealing;
use crate::report::state::State;

/// What a run is about to do.
#[derive(Clone, Copy, Debug)]
pub enum Proposal<'a> {
    Changes {
        plan: &'a Plan,
        /// The SCSI ID of a disk that the plan formats and nobody named, which the person has to confirm.
        unnamed: Option<&'a ScsiId>,
    },
    Sealing(&'a Sealing),
    Repair(&'a State),
}

/// Whether somebody has agreed already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consent {
    /// By `--yes`, or when the order that is resumed was given.
    Given,
    /// Not yet: a person is asked.
    #[default]
    Asked,
}

/// Something that a run does, as it begins.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// A change: its number, from 1, and what it does.
    Change(usize, &'a str),
    /// A thing that a step of sealing takes out: the step, and what is done.
    Seal(&'a str, &'a str),
}

/// The terminal, or whatever stands for it.
pub trait Watcher {
    /// Shows what is about to be done, and asks where consent is not given yet; `false` ends the run with nothing changed.
    /// Errors: There is nobody to ask.
    fn confirm(&mut self, proposal: Proposal<'_>, consent: Consent) -> Result<bool>;
    /// A line of the report, before the rest of it.
    fn remark(&mut self, line: &str);
    /// Something that a person should know, beside the report.
    fn note(&mut self, line: &str);
    fn begin(&mut self, step: Step<'_>);
    fn end(&mut self, done: &Done);
    /// A line about long work under way.
    fn progress(&mut self, line: &str);
    /// Bytes transferred so far, and in all where that is known.
    fn transfer(&mut self, what: &str, done: u64, total: Option<u64>);
}
