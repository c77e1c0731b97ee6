//! `mt-agent state`.

use std::io;

use anyhow::{Result, ensure};
use clap::Subcommand;

use super::apply::agrees;
use super::exit;
use super::output::{complain, print};
use super::session::{Answer, Format, Session};
use crate::facts::gather::Probing;
use crate::profile;
use crate::report::json;
use crate::report::state::{Ended, State, render};
use crate::report::text::Detail;
use crate::run::state::{self, Seen};
use crate::run::{read_facts, under_way};

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
    /// Looks, and repairs where that is asked for.
    ///
    /// # Errors
    /// Not root, nobody to ask, another run is going on, something that failed.
    pub fn run(&self, session: &Session) -> Result<Answer> {
        let host = &session.host;
        ensure!(
            !host.is_live() || nix::unistd::geteuid().is_root(),
            "state needs root: the records are for root alone to read"
        );
        let mut shown = false;
        let state = match self.act {
            None | Some(Act::Check) => {
                if let Some(note) = under_way(host) {
                    complain(&note);
                }
                state::look(host, &seen(session, true)?)
            }
            Some(Act::Repair { dry_run: true, .. }) => state::foresee(host, &seen(session, false)?),
            Some(Act::Repair { yes, .. }) => {
                session.refuse_unsafe_profile("state repair")?;
                let mut confirm = |found: &State| {
                    if yes {
                        return Ok(true);
                    }
                    self.format.can_ask("to repair it")?;
                    print(&format!("{}\nProceed? [y/N] ", render(found, session.style, session.detail)))?;
                    shown = true;
                    agrees(&mut io::stdin().lock())
                };
                state::repair(host, &|| seen(session, false), &mut confirm)?
            }
        };
        let code = match state.ended {
            Some(Ended::DryRun | Ended::Declined) => exit::NOT_READY,
            _ if state.holds() => exit::READY,
            _ => exit::NOT_READY,
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

/// The host, by its profile; with `lenient`, by the built-in one where its own cannot be used, which is one of the findings.
fn seen(session: &Session, lenient: bool) -> Result<Seen> {
    let profile = match session.profile() {
        Err(_) if lenient && session.profile_name().is_none() => {
            session.profile_called(Some(profile::DEFAULT))?
        }
        profile => profile?,
    };
    let facts = read_facts(&session.host, &profile, Probing::None);
    Ok(Seen { profile, facts, order: session.order() })
}
