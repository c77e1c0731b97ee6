//! `mt-agent disks`.

use anyhow::Result;
use clap::builder::NonEmptyStringValueParser;

use super::exit;
use super::options::Format;
use super::session::{Answer, Session};
use crate::facts::gather::Probing;
use crate::report::{disks, json};
use crate::run;

/// List every disk: address, controller, size, SCSI ID, what uses it; changes nothing.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Read from the disks that nothing uses (or from these: kernel name, SCSI ID, by-id
    /// name or path) whether they could become the retention volume, and if not, why
    #[arg(long, value_name = "DEV", num_args = 0.., value_parser = NonEmptyStringValueParser::new())]
    pub probe: Option<Vec<String>>,
    /// How to report
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: Format,
}

impl Args {
    pub fn run(&self, session: &Session) -> Result<Answer> {
        let probing = match &self.probe {
            None => Probing::None,
            Some(names) if names.is_empty() => Probing::Idle,
            Some(names) => Probing::Named(names.clone()),
        };
        let (all, probes) = run::disks(&session.sources.host, &probing)?;
        let text = match self.format {
            Format::Text => disks::render(&all, &probes, session.style),
            Format::Json => json::document(&disks::document(&all, &probes))?,
        };
        Ok(Answer::new(text, exit::READY))
    }
}
