//! All subjects at once: each on a thread of its own, each with a deadline.

use std::path::PathBuf;

use super::Facts;
use crate::host::Host;

/// What is to be read beyond what is always read.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Servers to ask over TCP: role, address, port.
    pub servers: Vec<(String, String, u16)>,
    /// The vendor script's marker file.
    pub marker: PathBuf,
    /// The vendor script's log.
    pub log: PathBuf,
    /// Which disks to probe for blankness.
    pub probe: Probing,
}

/// Which disks to probe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Probing {
    /// None: `check`, `facts`, `disks`.
    #[default]
    None,
    /// Every disk that nothing uses: `plan`, `apply`, `disks --probe`.
    Idle,
    /// These, by kernel name, SCSI ID, by-id name or path, whether or not they are used.
    Named(Vec<String>),
}

/// Reads everything.
#[must_use]
pub fn gather(_host: &Host, _wanted: &Wanted) -> Facts {
    unimplemented!()
}
