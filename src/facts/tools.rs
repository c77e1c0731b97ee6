//! VMware Tools or open-vm-tools: installed, and running.

use serde::{Deserialize, Serialize};

/// The guest tools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tools {
    /// The daemon's program file (/usr/bin/vmtoolsd, /usr/sbin/vmtoolsd, …), where there is one.
    pub program: Option<String>,
    /// Process id of a running vmtoolsd (or vmware-guestd).
    pub pid: Option<u32>,
}
