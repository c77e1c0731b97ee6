//! `mt-agent state`.

use anyhow::Result;
use clap::Subcommand;

use super::exit;
use super::options::Format;
use super::session::{Answer, Session};
use super::terminal::Terminal;
use crate::report::ended::Ended;
use crate::report::json;
use crate::report::state::render;
use crate::report::text::Detail;
use crate::run::state;
use crate::run::watcher::Consent;

const NOTE: &str = "Exits 0 when everything that is on record agrees with this host; 1 when something does not, a person is \
     asked or said no, or a dry run finds something to do";

/// Shows what the agent keeps on this host, held against the host; repairs it.
#[derive(clap::Args, Debug)]
#[command(after_help = NOTE)]
pub struct Args {
    #[command(subcommand)]
    act: Option<Act>,
    /// How to report
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, global = true)]
    format: Format,
}

/// What to do with the records.
#[derive(Debug, Subcommand)]
enum Act {
    /// Show each record, what the host says, and whether they agree; changes nothing (what
    /// state does without a word)
    Check,
    /// Rebuild what follows from the host, and set aside what is not believed
    Repair {
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
        /// Show what would be done; change nothing
        #[arg(long, conflicts_with = "yes")]
        dry_run: bool,
    },
}

impl Args {
    pub fn run(&self, session: &Session) -> Result<Answer> {
        let (sources, mut terminal) = (&session.sources, Terminal::new(session, self.format));
        let state = match self.act {
            None | Some(Act::Check) => state::check(sources, &mut terminal)?,
            Some(Act::Repair { dry_run: true, .. }) => state::dry_run(sources)?,
            Some(Act::Repair { yes, .. }) => {
                let consent = if yes { Consent::Given } else { Consent::Asked };
                state::repair(sources, consent, &mut terminal)?
            }
        };
        let shown = terminal.shown;
        let code = match state.ended.map_or(exit::READY, exit::of_ended) {
            exit::READY if !state.holds() => exit::NOT_READY,
            code => code,
        };
        let text = match self.format {
            Format::Json => json::document(&state)?,
            // What the person has just seen is not shown again.
            Format::Text if shown && state.ended == Some(Ended::Declined) => {
                "nothing was changed\n".to_owned()
            }
            Format::Text if shown => render(&state, session.style, Detail::Quiet),
            Format::Text => render(&state, session.style, session.detail),
        };
        Ok(Answer::new(text, code))
    }
}
