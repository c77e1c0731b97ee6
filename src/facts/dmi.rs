//! What the firmware says of the machine (SMBIOS type 1), from /sys/class/dmi/id.

use serde::{Deserialize, Serialize};

use super::Fact;

/// System information; an absent attribute is `Known(None)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dmi {
    /// `VMware, Inc.` on a VMware VM.
    pub vendor: Fact<Option<String>>,
    /// `VMware Virtual Platform` or `VMware7,1`.
    pub product: Fact<Option<String>>,
    /// BIOS UUID; readable by root only.
    pub uuid: Fact<Option<String>>,
    /// `VMware-56 4d …`; readable by root only.
    pub serial: Fact<Option<String>>,
}
