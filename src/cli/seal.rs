//! `mt-agent seal`.

use anyhow::Result;

use super::exit;
use super::options::Format;
use super::session::{Answer, Session};
use super::terminal::Terminal;
use crate::report::seal::{Sealing, document, list_document, render, render_list, render_outcome};
use crate::report::text::Detail;
use crate::run::seal::{self, Asked};
use crate::run::watcher::Consent;

const NOTE: &str = "Exits 0 when the image is sealed, or was already, or the steps chosen are done; 1 when cloning would be \
     unsafe, the person said no, or there is something to do with --dry-run. The tree of an image is sealed by --root, with \
     all that belongs to it mounted there";

/// Makes this host safe to clone as a golden image.
#[derive(clap::Args, Debug)]
#[command(after_help = NOTE)]
pub struct Args {
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Show what would be done, and why it may be refused; change nothing
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// List the steps and what each takes out, what is kept, and what is left to you
    #[arg(long, conflicts_with_all = ["yes", "dry_run", "only", "skip", "wipe_free_space", "remove_authorized_keys"])]
    pub list: bool,
    /// Do these steps alone (repeatable, or comma separated)
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Leave these steps out
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    pub skip: Vec<String>,
    /// Fill free space with zeros at the end: what was removed earlier is then gone as well
    #[arg(long)]
    pub wipe_free_space: bool,
    /// Remove the authorized_keys of root and all users as well: who may log in to each clone
    #[arg(long)]
    pub remove_authorized_keys: bool,
    /// How to report
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: Format,
}

impl Args {
    pub fn run(&self, session: &Session) -> Result<Answer> {
        if self.list {
            let text = match self.format {
                Format::Text => render_list(&seal::list(), session.style),
                Format::Json => list_document(&seal::list())?,
            };
            return Ok(Answer::new(text, exit::READY));
        }
        let asked = Asked {
            only: self.only.clone(),
            skip: self.skip.clone(),
            wipe_free_space: self.wipe_free_space,
            remove_authorized_keys: self.remove_authorized_keys,
        };
        if self.dry_run {
            let found = seal::look(&session.sources, &asked)?;
            return answer(&found, session, self.format, false);
        }
        let consent = if self.yes { Consent::Given } else { Consent::Asked };
        let mut terminal = Terminal::new(session, self.format);
        let sealed = seal::seal(&session.sources, &asked, consent, &mut terminal)?;
        let shown = terminal.shown;
        drop(terminal);
        answer(&sealed, session, self.format, shown)
    }
}

/// The report; what it came to alone where the rest has been shown.
#[expect(clippy::fn_params_excessive_bools, reason = "the field of Terminal")]
pub(super) fn answer(sealing: &Sealing, session: &Session, format: Format, shown: bool) -> Result<Answer> {
    let text = match format {
        Format::Json => document(sealing)?,
        Format::Text if shown || session.detail == Detail::Quiet => render_outcome(sealing, session.style),
        Format::Text => render(sealing, session.style),
    };
    Ok(Answer::new(text, exit::of_sealing(sealing)))
}
