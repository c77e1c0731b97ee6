//! Options that several verbs take.

use anyhow::Result;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};

use crate::run::read_only::Wanted;
use crate::state::request::Stage;
use crate::state::request::{Request, Takeover};
use crate::steps::Selection;

/// Text for people, or a JSON document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// One versioned document
    Json,
}

/// What is to be done with disks.
#[derive(Args, Debug)]
pub struct Disks {
    /// The disk to carry the retention volume: SCSI ID, by-id name or /dev path
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    retention_disk: Option<String>,
    /// Allow this one disk to be formatted although it is not blank: ALL ITS DATA IS LOST.
    /// A disk in use is refused all the same
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    erase_disk: Option<String>,
    /// A disk that was added to this host and is its own, no protected machine's: put it on record (repeatable)
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    own_disk: Vec<String>,
    /// Make the retention volume on this disk instead of the one that has it: that volume
    /// is unmounted and its line taken out of fstab, and its disk left as it is
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new(), conflicts_with = "retention_disk")]
    replace_retention: Option<String>,
    /// Take the volume that mt-agent made on this disk as the retention volume, in the
    /// place of another one too
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new(),
        conflicts_with_all = ["retention_disk", "erase_disk", "replace_retention"])]
    adopt_retention: Option<String>,
    /// Grow the retention volume to the size of its disk, mounted as it is
    #[arg(long, conflicts_with = "replace_retention")]
    grow: bool,
}

impl Disks {
    pub fn request(&self) -> Request {
        let named = [
            (&self.retention_disk, None),
            (&self.replace_retention, Some(Takeover::Replace)),
            (&self.adopt_retention, Some(Takeover::Adopt)),
        ];
        let named = named.into_iter().find_map(|(name, takeover)| Some((name.clone()?, takeover)));
        let (retention_disk, takeover) =
            named.map_or((None, None), |(name, takeover)| (Some(name), takeover));
        let (erase_disk, own_disks, grow) = (self.erase_disk.clone(), self.own_disk.clone(), self.grow);
        Request { retention_disk, takeover, grow, erase_disk, own_disks, ..Request::default() }
    }
}

/// `--only` and `--skip`.
#[derive(Args, Debug)]
pub struct Selected {
    /// Look at these requirements or sections alone (repeatable, or comma separated)
    #[arg(long, value_name = "ID|SECTION", value_delimiter = ',')]
    only: Vec<String>,
    /// Leave these requirements or sections out
    #[arg(long, value_name = "ID|SECTION", value_delimiter = ',')]
    skip: Vec<String>,
    /// Look at what belongs to a golden image, or to each machine made from one
    #[arg(long, value_enum, value_name = "STAGE")]
    stage: Option<StageName>,
}

/// Stages of the way to a master target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StageName {
    /// What can be baked: packages, files, layout
    Image,
    /// What depends on the machine: disks, names, retention volume
    Machine,
}

impl Selected {
    /// What is looked at.
    /// Errors: An unknown name, with those that are close to it; nothing left to look at.
    pub fn wanted(&self) -> Result<Wanted> {
        let (only, skip) = self.names();
        Ok(Wanted { selection: Selection::new(only, skip)?, stage: self.stage() })
    }

    pub fn names(&self) -> (Vec<String>, Vec<String>) {
        (self.only.clone(), self.skip.clone())
    }

    pub fn stage(&self) -> Option<Stage> {
        self.stage.map(|name| match name {
            StageName::Image => Stage::Image,
            StageName::Machine => Stage::Machine,
        })
    }
}
