//! `mt-agent plan`.

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::exit;
use super::session::{Answer, Disks, Format, Selected, Session};
use crate::facts::Fact;
use crate::facts::gather::Probing;
use crate::report::{json, plan};
use crate::run;
use crate::steps::retention;

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
    /// Plans and reports.
    ///
    /// # Errors
    /// Bad selection, profile or recording.
    pub fn run(&self, session: &Session) -> Result<Answer> {
        let selection = self.selected.selection()?;
        if !session.host.is_live() && self.facts.is_none() {
            bail!("plan works on the running host: an image's tree (--root) can be checked, not changed");
        }
        let mut request = self.disks.request();
        let probing = Probing::idle(request.erase_disk.as_deref());
        let (mut profile, facts) = session.profile_and_facts(self.facts.as_deref(), probing)?;
        if matches!(facts.boot_id, Fact::NotApplicable(_)) {
            bail!("the recording is of an image's tree, which can be checked, not changed");
        }
        let selection = selection.at_stage(self.selected.stage(), &profile)?;
        retention::takeover::check(&profile, &facts, &request)?;
        let mut notes = Vec::new();
        if let Some(directory) = &self.offline {
            let (directory, note) = run::offline::bind(&session.host, &mut profile, directory)?;
            request.offline = Some(directory);
            notes.push(note);
        }
        let mut plan = run::plan(&profile, &facts, &selection, run::today(), &request);
        plan.notes.extend(notes);
        if self.facts.is_some() {
            plan.notes.push("made from a recording: its disks were not probed".into());
        } else {
            plan.notes.extend(run::under_way(&session.host));
            plan.notes.extend(run::private::note(&session.host));
            plan.tell(session.waiting());
        }
        let is_done = plan.changes.is_empty() && !plan.restart && !plan.undetermined;
        let code = if is_done { exit::READY } else { exit::NOT_READY };
        Ok(match self.format {
            Format::Text => Answer::new(plan::render(&plan, session.style), code),
            Format::Json => Answer::new(json::document(&json::PlanDocument::from(&plan))?, code),
        })
    }
}
