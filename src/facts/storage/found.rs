//! What is known of a device before it is read, and what is found on it.

use serde::{Deserialize, Serialize};

use super::table::Table;
use crate::facts::disks::Places;
use crate::facts::retention::Volume;
use crate::host::DeviceNumber;

/// The size of a file system, as its superblock has it. On disk that of a mounted XFS can be older than what the kernel has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// All of it, in bytes.
    pub bytes: u64,
    /// The log within it, in bytes, which statvfs(2) of XFS leaves out.
    pub log_bytes: u64,
}

/// What came of a read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Read {
    /// It was read.
    Done,
    /// The device did not answer: in one line.
    Failed(String),
    /// It was read, and its file system has errors on record: in one line.
    Errors(String),
    /// It was read, and lost a write before it was mounted last, which no mount looks for: in one line.
    Lost(String),
    /// It was read, and what the kernel's log says of it is not known: why, in one line.
    Unlogged(String),
}

impl Extent {
    /// What a file system of this size leaves unused of a device of `device` bytes, where that is more than rounding; `mounted`
    /// is its size by statvfs(2). ext4 leaves less than 16 MiB, a last group of blocks that is too small for its own tables.
    pub fn unused_of(&self, device: u64, mounted: u64) -> Option<u64> {
        let used = self.bytes.max(mounted.saturating_add(self.log_bytes));
        let unused = device.saturating_sub(used);
        (unused > (device / 100).clamp(16 << 20, 1 << 30)).then_some(unused)
    }
}

/// What sysfs says of a device, which asks no disk.
#[derive(Clone)]
pub(super) struct Device {
    pub(super) number: DeviceNumber,
    /// Itself and all that it lies on.
    pub(super) below: Vec<String>,
    pub(super) suspended: Vec<String>,
    /// Why it is not to be read.
    pub(super) stopped: Option<String>,
    pub(super) is_mounted: bool,
    pub(super) size_bytes: Option<u64>,
    /// Where a partition table on it counts.
    pub(super) partitions: Option<Partitions>,
}

/// What the kernel says of a device on which a partition table counts.
#[derive(Clone)]
pub(super) struct Partitions {
    /// The size of its sectors in bytes.
    pub(super) sector: u64,
    pub(super) shown: Places,
}

/// What a device carries: as in the facts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Carried {
    pub(super) volume: Option<Volume>,
    pub(super) group: Option<String>,
    pub(super) array: Option<String>,
    pub(super) extent: Option<Extent>,
    pub(super) table: Option<Table>,
    /// When its file system was made or checked last, by the clock: of ext2 to ext4.
    pub(super) checked_secs: Option<u64>,
}
