//! `mt-agent plan`.

use std::path::PathBuf;

use anyhow::Result;

use super::exit;
use super::options::{Disks, Format, Selected};
use super::session::{Answer, Session};
use crate::report::{json, plan};
use crate::run::read_only::plan_host;
use crate::state::request::Request;

/// Shows what apply would change, in order, and what only a person can fix; changes nothing.
#[derive(clap::Args, Debug)]
#[command(after_help = "Exits 0 when there is nothing to change, and 1 when there is.")]
pub struct Args {
    /// Plan for a recording that `mt-agent facts` made, "-" for standard input; its disks
    /// cannot be probed, so no disk is chosen for the retention volume
    #[arg(long, value_name = "FILE")]
    pub facts: Option<PathBuf>,
    /// Take packages from DIR alone, as apply --offline would; verifies it
    #[arg(long, value_name = "DIR", conflicts_with = "facts")]
    pub offline: Option<PathBuf>,
    /// Which disks
    #[command(flatten)]
    pub disks: Disks,
    /// How to report
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: Format,
    /// Which requirements
    #[command(flatten)]
    pub selected: Selected,
}

impl Args {
    pub fn run(&self, session: &Session) -> Result<Answer> {
        let wanted = self.selected.wanted()?;
        let request = Request { offline: self.offline.clone(), ..self.disks.request() };
        let plan = plan_host(&session.sources, self.facts.as_deref(), wanted, &request)?;
        let is_done = plan.changes.is_empty() && !plan.restart && !plan.undetermined;
        let code = if is_done { exit::READY } else { exit::NOT_READY };
        Ok(match self.format {
            Format::Text => Answer::new(plan::render(&plan, session.style), code),
            Format::Json => Answer::new(json::document(&json::PlanDocument::from(&plan))?, code),
        })
    }
}
