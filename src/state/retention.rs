//! The record of the retention volume: written before mkfs starts and after it ended, so that a half-made file system is
//! recognised as ours and nothing else is.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::paths::RETENTION;
use super::record::{self, Unread};
use crate::host::{FileSystem, Host, ScsiId, Uuid};

/// The version of the record.
pub const SCHEMA: &str = "mt-agent/retention/v1";

/// A retention volume: [`RETENTION`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// `mt-agent/retention/v1`.
    pub schema: String,
    /// SCSI ID of the disk.
    pub scsi_id: ScsiId,
    /// UUID that the file system carries when it is done.
    pub uuid: Uuid,
    /// `ext4` or `xfs`.
    pub fs_type: FileSystem,
    /// Boot id under which it was started.
    pub boot_id: String,
    /// When, RFC 3339 UTC.
    pub started_at: String,
    /// `false` while mkfs may be under way; `true` once the file system was made and synced.
    pub finished: bool,
}

/// The record; `None` where there is none.
/// Errors: Why it is not believed: then nothing is known, and nothing may be formatted on its word.
pub fn read(host: &Host) -> Result<Option<Record>, Unread> {
    record::load(host, RETENTION, SCHEMA)
}

/// Writes it.
pub fn write(host: &Host, record: &Record) -> Result<()> {
    record::write(host, RETENTION, record)
}
