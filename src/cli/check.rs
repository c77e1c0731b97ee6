//! `mt-agent check`.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use super::exit;
use super::session::{Answer, Selected, Session};
use crate::facts::gather::Probing;
use crate::host;
use crate::report::{Verdict, json, nagios, text};
use crate::run;

const NOTE: &str = "What only root can read is unknown to others, and what is unknown is not met.";

/// Judges this host; changes nothing.
#[derive(clap::Args, Debug)]
#[command(after_help = NOTE)]
pub struct Args {
    /// Judge a recording that `mt-agent facts` made, "-" for standard input
    #[arg(long, value_name = "FILE")]
    pub facts: Option<PathBuf>,
    /// How to report
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: Format,
    /// Which requirements
    #[command(flatten)]
    pub selected: Selected,
}

/// Formats of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// One versioned document
    Json,
    /// One line for Nagios and its kin, with their exit codes
    Nagios,
}

impl Args {
    /// Judges and reports.
    ///
    /// # Errors
    /// Bad selection, profile or recording.
    pub fn run(&self, session: &Session) -> Result<Answer> {
        let selection = self.selected.selection()?;
        let (profile, facts) = session.profile_and_facts(self.facts.as_deref(), Probing::None)?;
        let selection = selection.at_stage(self.selected.stage(), &profile)?;
        let mut report = run::check(&profile, &facts, &selection, run::today());
        if self.facts.is_some() {
            report.notes.push(format!("judged from a recording of {}", host::text::safe(&facts.recorded_at)));
        } else {
            report.notes.extend(run::under_way(&session.host));
            report.notes.extend(run::private::note(&session.host));
            report.tell(session.waiting());
        }
        let code = verdict_code(report.verdict());
        Ok(match self.format {
            Format::Text => Answer::new(text::render(&report, session.style, session.detail), code),
            Format::Json => Answer::new(json::document(&json::ReportDocument::from(&report))?, code),
            Format::Nagios => Answer::new(nagios::render(&report), nagios::state(&report).code()),
        })
    }
}

/// The exit code of a verdict.
#[must_use]
pub fn verdict_code(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Ready | Verdict::SelectionReady => exit::READY,
        Verdict::NotReady => exit::NOT_READY,
        Verdict::RestartOwed => exit::RESTART_OWED,
    }
}
