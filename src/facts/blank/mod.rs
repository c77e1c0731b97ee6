//! Could a disk become the retention volume: blank, idle, writable? Reads only.

use serde::{Deserialize, Serialize};

/// The outcome of probing one disk: the `probe` of `disks --probe`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Kernel name of the disk.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub disk: String,
    /// Whether it is blank; `None` where that could not be told, which counts as not blank.
    pub blank: Option<bool>,
    /// What was found on it: `ext4 file system (libblkid)`, `non-zero bytes at offset 512`.
    pub found: Vec<String>,
    /// What uses it now: `mounted at /data (sdb1)`, `held by dm-3`.
    pub in_use: Vec<String>,
    /// Whether it could become the retention volume.
    pub eligible: bool,
    /// Why not.
    pub why_not: Vec<String>,
}
