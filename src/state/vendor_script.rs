//! The record of the one run of the vendor's ApplyCustomChanges.sh: written before the script starts and after it ended.

use anyhow::Result;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::paths::VENDOR_SCRIPT;
use super::record::{self, Unread};
use crate::host::Host;

/// The version of the record.
pub const SCHEMA: &str = "mt-agent/custom-changes/v1";

/// The run: [`VENDOR_SCRIPT`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// `mt-agent/custom-changes/v1`.
    pub schema: String,
    /// SHA-256 of the archive, lower-case hex; empty when a person ran the script and we only observed it.
    pub archive_sha256: String,
    /// Boot id under which it was started (or first observed).
    pub boot_id: String,
    /// When, RFC 3339 UTC.
    pub started_at: String,
    /// What came of it.
    pub outcome: Outcome,
    /// The process that it was started as; not recorded by 0.1.0, nor of a run by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
    /// Length in bytes of the script's log before it; as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_bytes: Option<u64>,
}

/// What came of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was started; if this is what is found later, the run was interrupted and its state is unknown.
    Started,
    /// Judged from the host as having done its work.
    Applied,
    /// It ended without its marker: how, and its output. What it changed until then is not known whole.
    Failed(String),
    /// A person ran it; seen by `apply` under the recorded boot id.
    Observed,
    /// A person decided, after an interrupted run, that the changes are in place (`--custom-changes=accept`).
    Accepted,
}

impl Outcome {
    /// Whether no end, or no good one, is known of the run.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Started | Self::Failed(_))
    }
}

/// The process that the script was started as: the leader of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its id, which is its group's too.
    pub pid: u32,
    /// When it began, in clock ticks since the boot (field 22 of /proc/PID/stat): a later process of the same id has
    /// another time.
    pub start_ticks: u64,
}

impl Record {
    /// A new record, of now.
    pub fn new(archive_sha256: &str, boot_id: &str, outcome: Outcome) -> Self {
        let now =
            OffsetDateTime::now_utc().replace_nanosecond(0).unwrap_or_else(|_| OffsetDateTime::now_utc());
        Self {
            schema: SCHEMA.into(),
            archive_sha256: archive_sha256.into(),
            boot_id: boot_id.into(),
            started_at: now.format(&Rfc3339).unwrap_or_else(|_| now.unix_timestamp().to_string()),
            outcome,
            process: None,
            log_bytes: None,
        }
    }
}

/// The record; `None` where there is none.
/// Errors: Why it is not believed.
pub fn read(host: &Host) -> Result<Option<Record>, Unread> {
    record::load(host, VENDOR_SCRIPT, SCHEMA)
}

/// Writes it.
/// Errors: What failed; the old record is then whole.
pub fn write(host: &Host, record: &Record) -> Result<()> {
    record::write(host, VENDOR_SCRIPT, record)
}
