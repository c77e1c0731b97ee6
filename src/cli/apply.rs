//! `mt-agent apply`.

use anyhow::Result;
use clap::ValueEnum;

use super::offline::Offline;
use super::options::{Disks, Format, Selected};
use super::session::{Answer, Session};
use super::terminal::{Terminal, at_terminal};
use super::{exit, seal};
use crate::report::apply::{Applied, Idle, Outcome, document, idle_document, render};
use crate::report::collected;
use crate::run::apply::{self, Asked, How};
use crate::state::request::{Decision, Request};

const NOTE: &str = "Prints the plan first and asks on a terminal; without one it needs --yes. Exits 3 when a \
     restart is owed: after it, the service mt-agent-resume resumes the same apply where it is installed; \
     else run it again.";

/// Makes the changes; resumable: a second run changes nothing.
#[derive(clap::Args, Debug)]
#[command(after_help = NOTE)]
pub struct Args {
    /// Do not ask; takes no retention disk that nobody named
    #[arg(long, short)]
    pub yes: bool,
    /// Restart the host when a restart is owed
    #[arg(long)]
    pub restart: bool,
    /// Which disks
    #[command(flatten)]
    pub disks: Disks,
    /// What to do about a vendor script that did not do its work
    #[arg(long, value_enum, value_name = "DECISION")]
    pub custom_changes: Option<CustomChanges>,
    /// Resume the apply that owed a restart, if that has happened (for the service)
    #[arg(long, conflicts_with_all = ["only", "skip", "stage", "Disks", "custom_changes"])]
    pub resume: bool,
    /// Call off the apply that waits for a restart, and do nothing else
    #[arg(long, conflicts_with_all = ["yes", "restart", "resume", "only", "skip", "stage", "Disks",
        "custom_changes", "offline", "download_only"])]
    pub forget: bool,
    /// How to report
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: Format,
    /// Which requirements
    #[command(flatten)]
    pub selected: Selected,
    /// Where packages come from
    #[command(flatten)]
    pub offline: Offline,
}

/// Decisions on a vendor script that was started and did not do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CustomChanges {
    /// Its changes are in place: record that
    Accept,
    /// They are not: run it again
    Rerun,
}

impl Args {
    pub fn run(&self, session: &Session) -> Result<Answer> {
        let (sources, mut terminal) = (&session.sources, Terminal::new(session, self.format));
        let how = How { yes: self.yes, restart: self.restart, at_terminal: at_terminal() };
        if let Some(options) = self.offline.collecting() {
            let collected = apply::download(sources, &options, &mut terminal)?;
            drop(terminal);
            let text = match self.format {
                Format::Text => collected::render(&collected, session.style),
                Format::Json => collected::document(&collected)?,
            };
            return Ok(Answer::new(text, exit::READY));
        }
        let outcome = if self.forget {
            Outcome::Idle(apply::forget(sources)?)
        } else if self.resume {
            apply::resume(sources, how, &mut terminal)?
        } else {
            Outcome::Applied(Box::new(apply::apply(sources, &self.asked(how), &mut terminal)?))
        };
        let shown = terminal.shown;
        drop(terminal);
        match outcome {
            Outcome::Applied(applied) => self.applied(&applied, session),
            Outcome::Idle(idle) => self.idle(&idle),
            Outcome::Sealed(sealing) => seal::answer(&sealing, session, self.format, shown),
        }
    }

    fn asked(&self, how: How) -> Asked {
        let decision = |decision| match decision {
            CustomChanges::Accept => Decision::Accept,
            CustomChanges::Rerun => Decision::Rerun,
        };
        let request = Request {
            at_terminal: !self.yes && self.format == Format::Text && how.at_terminal,
            offline: self.offline.offline.clone(),
            custom_changes: self.custom_changes.map(decision),
            ..self.disks.request()
        };
        let (only, skip) = self.selected.names();
        Asked { only, skip, stage: self.selected.stage(), request, how }
    }

    fn applied(&self, applied: &Applied, session: &Session) -> Result<Answer> {
        let text = match self.format {
            Format::Text => render(applied, session.style),
            Format::Json => document(applied)?,
        };
        Ok(Answer::new(text, exit::of_applied(applied)))
    }

    fn idle(&self, idle: &Idle) -> Result<Answer> {
        let text = match self.format {
            Format::Text => format!("{}\n", idle.note),
            Format::Json => idle_document(idle)?,
        };
        Ok(Answer::new(text, exit::of_ended(idle.ended)))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::cli::{Cli, Verb};
    use crate::state::request::Takeover;

    #[test]
    fn what_is_to_be_done_with_disks_is_one_thing_and_said_by_a_person() {
        let parsed = |words: &[&str]| {
            let cli = Cli::try_parse_from([["mt-agent", "apply"].as_slice(), words].concat()).ok()?;
            let Cli { verb: Verb::Apply(args), .. } = cli else { panic!("apply was parsed") };
            let request = args.disks.request();
            Some((request.retention_disk, request.takeover, request.erase_disk, request.grow))
        };
        let sdb = || Some("sdb".to_owned());
        assert_eq!(parsed(&["--retention-disk", "sdb", "--grow"]), Some((sdb(), None, None, true)));
        let replace = Some(Takeover::Replace);
        assert_eq!(parsed(&["--replace-retention", "sdb"]), Some((sdb(), replace, None, false)));
        assert_eq!(
            parsed(&["--replace-retention", "sdb", "--erase-disk", "sdb"]),
            Some((sdb(), replace, sdb(), false))
        );
        assert_eq!(parsed(&["--adopt-retention", "sdb"]), Some((sdb(), Some(Takeover::Adopt), None, false)));
        for words in [
            ["--adopt-retention", "sdb", "--erase-disk", "sdb"].as_slice(),
            &["--adopt-retention", "sdb", "--replace-retention", "sdc"],
            &["--replace-retention", "sdb", "--retention-disk", "sdb"],
            &["--replace-retention", ""],
            &["--resume", "--grow"],
            &["--replace-retention", "sdb", "--grow"],
            &["--download-only", "/srv/p", "--grow"],
            &["--download-only", "/srv/p", "--adopt-retention", "sdb"],
            &["--download-only", "/srv/p", "--replace-retention", "sdb"],
            &["--resume", "--adopt-retention", "sdb"],
            &["--resume", "--erase-disk", "sdb"],
            &["--forget", "--replace-retention", "sdb"],
        ] {
            assert_eq!(parsed(words), None, "{words:?}");
        }
    }
}
