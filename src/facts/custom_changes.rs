//! What the vendor's ApplyCustomChanges.sh left, and what we recorded of its run.

use serde::{Deserialize, Serialize};

use super::Fact;

/// Where our own record of the run lies: written before the script starts and after it ended.
pub const RECORD: &str = "/var/lib/mt-agent/custom-changes.json";

/// State of the custom changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomChanges {
    /// The marker file, when it is there: seconds since 1970 of its last status change (ctime).
    pub marker_ctime_secs: Fact<Option<u64>>,
    /// The end of /var/log/appliedmtcustomchanges.log, at most 40 lines; `Known(None)` when there is none.
    pub log_tail: Fact<Option<String>>,
    /// The SCSI ID in /usr/sbin/blacklistrootdev.sh; `Known(None)` when the file is not there or has none.
    pub blacklistrootdev_id: Fact<Option<String>>,
    /// Whether /.blacklistrootdev is there.
    pub blacklistrootdev_flag: bool,
    /// Our record.
    pub record: Fact<Option<Record>>,
}

/// Our record of the one run of the vendor script: [`RECORD`].
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
}

/// What came of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was about to start; if this is what is found later, the run was interrupted and its state is unknown.
    Started,
    /// Judged from the host as having done its work.
    Applied,
    /// It reached no end, and why; the host is known to lack its changes.
    Failed(String),
    /// A person ran it; seen by `apply` under the recorded boot id.
    Observed,
    /// A person decided, after an interrupted run, that the changes are in place (`--custom-changes=accept`).
    Accepted,
}
