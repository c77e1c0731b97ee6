//! `mt-agent facts`.

use anyhow::Result;
use clap::ValueEnum;

use super::exit;
use super::session::{Answer, Session};
use crate::facts::gather::Probing;
use crate::report::json;

/// Prints everything that is read from this host, as JSON.
#[derive(clap::Args, Debug)]
#[command(after_help = "The document can be judged on any other machine: mt-agent check --facts FILE")]
pub struct Args {
    /// How to print it: there is one way
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: Format,
}

/// The format of facts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One versioned document
    #[default]
    Json,
}

impl Args {
    pub fn run(&self, session: &Session) -> Result<Answer> {
        let (_, facts) = session.sources.profile_and_facts(None, Probing::None)?;
        Ok(Answer::new(json::document(&facts)?, exit::READY))
    }
}
