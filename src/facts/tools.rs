//! VMware Tools or open-vm-tools: installed, and running.

use serde::{Deserialize, Serialize};

use super::Fact;

/// The guest tools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tools {
    /// The daemon's program file (/usr/bin/vmtoolsd, /usr/sbin/vmtoolsd, …), where there is one.
    pub program: Option<String>,
    /// Process id of a running vmtoolsd (or vmware-guestd); `Known(None)` when none runs.
    pub pid: Fact<Option<u32>>,
}
