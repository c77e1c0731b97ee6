//! Which file system has which UUID and label: the links that udev makes in /dev/disk.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Names that lead to block devices, by `major:minor`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filesystems {
    /// UUID to `major:minor` (/dev/disk/by-uuid).
    pub by_uuid: BTreeMap<String, String>,
    /// Label to `major:minor` (/dev/disk/by-label; udev's `\x20` escapes decoded).
    pub by_label: BTreeMap<String, String>,
    /// Persistent name to `major:minor` (/dev/disk/by-id).
    pub by_id: BTreeMap<String, String>,
    /// Device-mapper name to `major:minor` (/sys/block/dm-*/dm/name).
    pub by_mapper: BTreeMap<String, String>,
}
