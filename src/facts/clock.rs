//! Time, and who keeps it.

use serde::{Deserialize, Serialize};

use super::Fact;

/// The clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Now, seconds since 1970-01-01 UTC.
    pub now_secs: u64,
    /// When the machine booted, by its own clock, seconds since 1970-01-01 UTC.
    pub boot_secs: Fact<u64>,
    /// The time service that runs (ntpd, chronyd, systemd-timesyncd, or VMware Tools' time sync), if any.
    pub service: Fact<Option<String>>,
}
