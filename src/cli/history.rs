//! `mt-agent history`.

use std::num::NonZeroUsize;

use anyhow::Result;

use super::exit;
use super::options::Format;
use super::output::complain;
use super::session::{Answer, Session};
use crate::report::history;
use crate::report::{json, waiting};
use crate::run::journal;
use crate::run::private;
use crate::run::waiting::describe;

/// Show what apply did on this host, and when, from its journal.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Show the last N entries only
    #[arg(short = 'n', long = "last", value_name = "N", value_parser = at_least_one)]
    pub last: Option<NonZeroUsize>,
    /// Show the apply that waits for a restart instead, and whether it still holds
    #[arg(long, conflicts_with = "last")]
    pub pending: bool,
    /// How to report
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: Format,
}

fn at_least_one(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "a number of 1 or more was expected")
}

impl Args {
    pub fn run(&self, session: &Session) -> Result<Answer> {
        if let Some(open) = private::note(&session.sources.host) {
            complain(&open);
        }
        if self.pending {
            return self.waiting(session);
        }
        let (all, torn) = journal::read(&session.sources.host)?;
        let entries = &all[all.len().saturating_sub(self.last.map_or(all.len(), NonZeroUsize::get))..];
        let text = match self.format {
            Format::Json => json::document(&history::document(entries, &torn))?,
            Format::Text => history::render(entries, &torn, session.style),
        };
        Ok(Answer::new(text, exit::READY))
    }

    fn waiting(&self, session: &Session) -> Result<Answer> {
        // To users other than root an order that only root can read would look like none.
        let order = session.sources.order()?;
        let waiting = order.as_ref().map(describe);
        let text = match self.format {
            Format::Json => json::document(&waiting::document(waiting.as_ref()))?,
            Format::Text => waiting::render(waiting.as_ref(), session.style),
        };
        Ok(Answer::new(text, exit::READY))
    }
}
