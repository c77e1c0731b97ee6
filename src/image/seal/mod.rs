//! Sealing: what is taken out of a template so that its clones are machines of their own. Here it is only found; what is
//! found is done by `run::seal`.

mod act;
#[cfg(not(feature = "fuzzing"))]
mod edit;
#[cfg(feature = "fuzzing")]
pub mod edit;
mod find;
mod identity;
mod own;
mod places;
mod refuse;
mod rows;
mod stays;
pub mod table;

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use serde::Serialize;

use crate::facts::Facts;
use crate::host::Host;
use crate::profile::Profile;
use crate::state::sealing::Chosen;

pub use identity::template_record;
pub use refuse::{check_covered, refusals};
pub use rows::find;
pub use stays::{notes, stays};
pub use table::{AUTHORIZED_KEYS, STEPS};

/// What stands for a root disk's SCSI ID in a sealed image: `3` and an identifier of NAA type 0, which no disk has. The
/// first boot of a clone finds it as the ID of another disk, and puts its own there.
pub const NO_DISK: &str = "300000000000000000000000000000000";

/// What a sealed image is called until it is told its name.
pub const NO_NAME: &str = "localhost.localdomain";

/// What is to be sealed.
#[derive(Clone, Debug)]
pub struct Template<'a> {
    /// The running template, or its tree.
    pub host: &'a Host,
    /// What was read from it.
    pub facts: &'a Facts,
    /// What it is to become.
    pub profile: &'a Profile,
    /// The device numbers of its file systems.
    devices: BTreeSet<u64>,
}

/// A thing that a step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Item {
    /// Overwrite and remove.
    Remove {
        /// A path of the template.
        path: String,
    },
    /// Write another content, and overwrite the old one.
    Rewrite {
        /// A path of the template.
        path: String,
        /// What is different in it.
        what: String,
        /// The content.
        #[serde(skip)]
        content: Vec<u8>,
    },
    /// Overwrite and empty; the file stays.
    Empty {
        /// A path of the template.
        path: String,
    },
    /// Remove what is below a directory; the directory stays.
    Clear {
        /// A path of the template.
        path: String,
        /// How many files and directories are there.
        entries: usize,
        /// Whether the files are overwritten.
        overwrite: bool,
    },
    /// Fill what is free on a file system with zeros.
    FillFreeSpace {
        /// Where it is mounted.
        path: String,
    },
}

impl Item {
    /// The path.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Remove { path }
            | Self::Rewrite { path, .. }
            | Self::Empty { path }
            | Self::Clear { path, .. }
            | Self::FillFreeSpace { path } => path,
        }
    }

    /// One line that says what it does.
    #[must_use]
    pub fn summary(&self) -> String {
        match self {
            Self::Remove { path } => format!("remove {path}"),
            Self::Rewrite { path, what, .. } => format!("{path}: {what}"),
            Self::Empty { path } => format!("empty {path}"),
            Self::Clear { path, entries, .. } => {
                let plural = if *entries == 1 { "entry" } else { "entries" };
                format!("remove what is below {path} ({entries} {plural})")
            }
            Self::FillFreeSpace { path } => format!("fill what is free on {path} with zeros"),
        }
    }
}

/// The ids of the steps around [`STEPS`], with what each does.
pub const AROUND: &[(&str, &str); 3] = &[
    ("hooks", "run the programs in /etc/mt-agent/seal.d, before all else"),
    ("free-space", "fill free space with zeros (only with --wipe-free-space)"),
    ("first-boot", "let the first boot of each clone do the rest"),
];

/// A choice of steps by id: `--only` and `--skip`.
///
/// # Errors
/// A name that no step has; a choice of none.
pub fn choose(only: Vec<String>, skip: Vec<String>) -> Result<Chosen> {
    for (option, names) in [("--only", &only), ("--skip", &skip)] {
        if let Some(name) = names.iter().find(|name| !ids().contains(&name.as_str())) {
            bail!(
                "{option}: no step of sealing is called \"{}\"; the steps are {}",
                crate::host::text::safe(name),
                ids().join(", ")
            );
        }
    }
    let chosen = Chosen { only, skip };
    if !ids().iter().any(|id| chosen.has(id)) {
        bail!("--only and --skip leave no step of sealing");
    }
    Ok(chosen)
}

/// Every step's id, in order.
#[must_use]
pub fn ids() -> Vec<&'static str> {
    let mut ids = vec![AROUND[0].0];
    ids.extend(STEPS.iter().map(|(id, _)| *id));
    ids.extend(AROUND[1..].iter().map(|(id, _)| *id));
    ids
}
