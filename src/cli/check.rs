//! `mt-agent check`.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use super::exit;
use super::options::Selected;
use super::session::{Answer, Session};
use crate::report::{json, nagios, text};
use crate::run::read_only::check_host;

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
    pub fn run(&self, session: &Session) -> Result<Answer> {
        let wanted = self.selected.wanted()?;
        let report = check_host(&session.sources, self.facts.as_deref(), wanted)?;
        let code = exit::of_verdict(report.verdict());
        Ok(match self.format {
            Format::Text => Answer::new(text::render(&report, session.style, session.detail), code),
            Format::Json => Answer::new(json::document(&json::ReportDocument::from(&report))?, code),
            Format::Nagios => Answer::new(nagios::render(&report), nagios::state(&report).code()),
        })
    }
}
