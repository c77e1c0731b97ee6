//! What a person asks of a run beyond the profile, as it is kept for the run after a restart.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::host::text;

/// A part of the way to a master target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// What can be baked into an image: packages, files, layout.
    Image,
    /// What depends on the machine: disks and their IDs, names and addresses, the retention volume.
    Machine,
}

impl Stage {
    /// The word of the command line and of the documents.
    pub fn word(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Machine => "machine",
        }
    }
}

/// A part of the requirements: `--only`, `--skip` and `--stage`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Part {
    /// These ids and sections alone; empty means all.
    pub only: Vec<String>,
    pub skip: Vec<String>,
    /// What belongs to this stage alone.
    pub stage: Option<Stage>,
}

impl Part {
    /// The options that make it: `--only retention --skip retention.capacity`.
    pub fn options(&self) -> String {
        let list = |option: &str, names: &[String]| {
            (!names.is_empty()).then(|| format!("--{option} {}", text::safe(&names.join(","))))
        };
        let stage = self.stage.map(|stage| format!("--stage {}", stage.word()));
        let all = [list("only", &self.only), list("skip", &self.skip), stage];
        all.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// What a person asked of this run beyond the profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Request {
    /// `--retention-disk`: a SCSI ID, a by-id name or a /dev path.
    pub retention_disk: Option<String>,
    /// `--replace-retention`, `--adopt-retention`: what is to be done with the disk that `retention_disk` names then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub takeover: Option<Takeover>,
    /// `--grow`: the retention volume is to be as large as its disk.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub grow: bool,
    /// `--erase-disk`: the one disk for which "not blank" is lifted.
    pub erase_disk: Option<String>,
    /// What was on that disk when the person gave that order, for a run after a restart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erase_fingerprint: Option<String>,
    /// `--custom-changes`: what a person decided after an interrupted vendor script.
    pub custom_changes: Option<Decision>,
    /// `--offline`: the collection that packages come from, and from nowhere else.
    pub offline: Option<PathBuf>,
    /// `--own-disk`: disks that a person says are this host's own. They are on record before any restart.
    #[serde(skip)]
    pub own_disks: Vec<String>,
    /// Whether a person at a terminal will see the plan, and confirm a retention disk that nobody named. Without one none is
    /// taken, be it the only one.
    #[serde(skip)]
    pub at_terminal: bool,
    /// Whether this is the run after a restart, for which a person asked before it.
    #[serde(skip)]
    pub resumed: bool,
}

/// How another disk takes the place of the one that carries the retention volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Takeover {
    /// A new volume is made on it.
    Replace,
    /// It carries one that the agent made.
    Adopt,
}

impl Takeover {
    /// The option that orders it.
    pub fn option(self) -> &'static str {
        match self {
            Self::Replace => "--replace-retention",
            Self::Adopt => "--adopt-retention",
        }
    }
}

/// What to do about a vendor script whose run was interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// It has done its work: record that.
    Accept,
    /// It has not: run it again.
    Rerun,
}
