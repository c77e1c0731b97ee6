//! Our own record of the retention disk: written before mkfs starts and after it ended, so that a
//! half-made file system is recognised as ours and nothing else is.

use serde::{Deserialize, Serialize};

use super::{Fact, read};
use crate::host::Host;

/// Where the record lies.
pub const RECORD: &str = "/var/lib/mt-agent/retention.json";

/// The version of the record.
pub const SCHEMA: &str = "mt-agent/retention/v1";

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

/// Reads the record; `Known(None)` where there is none. A torn one is unknown.
#[must_use]
pub fn load(host: &Host) -> Fact<Option<Record>> {
    read::record(host, RECORD, SCHEMA)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    #[test]
    fn a_torn_record_or_that_of_another_version_is_unknown() {
        let why = |content: &str| {
            let dir = testing::tree(&[(&RECORD[1..], content)]);
            match load(&Host::recorded(dir.path())) {
                Fact::Unknown(why) => why,
                other => panic!("{other:?}"),
            }
        };
        assert!(
            why("{\"schema\": \"mt-ag").starts_with("/var/lib/mt-agent/retention.json is not a whole JSON")
        );
        assert_eq!(
            why("{\"schema\": \"mt-agent/retention/v2\"}"),
            "/var/lib/mt-agent/retention.json has the schema `mt-agent/retention/v2`; `mt-agent/retention/v1` was expected"
        );
        let lacking = why("{\"schema\": \"mt-agent/retention/v1\"}");
        assert!(lacking.contains("is not a record of ours: missing field"), "{lacking}");
        let none = testing::tree(&[]);
        assert_eq!(load(&Host::recorded(none.path())), Fact::Known(None));
    }
}
