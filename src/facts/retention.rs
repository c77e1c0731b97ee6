//! Our own record of the retention disk: written before mkfs starts and after it ended, so that a
//! half-made file system is recognised as ours and nothing else is.

use serde::{Deserialize, Serialize};

/// Where the record lies.
pub const RECORD: &str = "/var/lib/mt-agent/retention.json";

/// The record: [`RECORD`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// `mt-agent/retention/v1`.
    pub schema: String,
    /// SCSI ID of the disk.
    pub scsi_id: String,
    /// UUID that the file system carries when it is done.
    pub uuid: String,
    /// `ext4` or `xfs`.
    pub fs_type: String,
    /// Boot id under which it was started.
    pub boot_id: String,
    /// When, RFC 3339 UTC.
    pub started_at: String,
    /// `false` while mkfs may be under way; `true` once the file system was made and synced.
    pub finished: bool,
}
