//! `mt-agent explain`.

use anyhow::Result;

use super::exit;
use super::options::Format;
use super::output::complain;
use super::session::{Answer, Session};
use crate::report::{explain as report, json};
use crate::steps::explain;

/// Explains a requirement, a section or an error code of Site Recovery: cause, fix, what is checked.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The id of a requirement, a section or an error code; without it, all that can be explained
    #[arg(value_name = "ID|SECTION|CODE")]
    pub name: Option<String>,
    /// How to report
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: Format,
}

impl Args {
    pub fn run(&self, session: &Session) -> Result<Answer> {
        let (profile, note) = session.sources.profile_for_texts()?;
        if let Some(note) = note {
            complain(&note);
        }
        let text = match (&self.name, self.format) {
            (Some(name), Format::Text) => report::render(&explain::explain(name, &profile)?, session.style),
            (Some(name), Format::Json) => {
                json::document(&report::document(&explain::explain(name, &profile)?))?
            }
            (None, Format::Text) => report::render_index(&explain::index(&profile), session.style),
            (None, Format::Json) => json::document(&report::index_document(&explain::index(&profile)))?,
        };
        Ok(Answer::new(text, exit::READY))
    }
}
