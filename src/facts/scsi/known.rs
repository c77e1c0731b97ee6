//! What is known of the SCSI ID of a disk.

use crate::host::ScsiId;
use serde::{Deserialize, Serialize};

/// A SCSI ID and where it came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownId {
    /// The ID.
    pub id: ScsiId,
    /// `vpd_pg83 NAA 6` (sysfs) or `SG_IO 0x83 NAA 6` (asked of the disk); a recording need not say it.
    pub source: Option<String>,
}

/// Why there is no SCSI ID.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoId {
    /// In one line, without the disk's name.
    pub why: String,
    /// Whether the disk did not answer at all: whether it has an ID is not known then.
    pub silent: bool,
}

impl Default for NoId {
    fn default() -> Self {
        "no reason is known".into()
    }
}

impl From<String> for NoId {
    fn from(why: String) -> Self {
        Self { why, silent: false }
    }
}

impl From<&str> for NoId {
    fn from(why: &str) -> Self {
        why.to_owned().into()
    }
}

impl From<ScsiId> for KnownId {
    fn from(id: ScsiId) -> Self {
        Self { id, source: None }
    }
}

impl From<&str> for KnownId {
    fn from(id: &str) -> Self {
        ScsiId::from(id).into()
    }
}

impl From<String> for KnownId {
    fn from(id: String) -> Self {
        ScsiId::from(id).into()
    }
}
