//! What the firmware says of the machine (SMBIOS type 1), from /sys/class/dmi/id.

use serde::{Deserialize, Serialize};

use super::{Fact, read};
use crate::host::{Host, Kind};

/// System information; an absent attribute is `Known(None)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dmi {
    /// `VMware, Inc.` on a VMware VM.
    pub vendor: Fact<Option<String>>,
    /// `VMware Virtual Platform` or `VMware7,1`.
    pub product: Fact<Option<String>>,
    /// BIOS UUID; readable by root only.
    pub uuid: Fact<Option<String>>,
}

/// Reads the attributes that sysfs shows. A machine without such firmware has none of them, and that is known.
#[must_use]
pub fn load(host: &Host) -> Fact<Dmi> {
    if host.kind() == Kind::Image {
        return Fact::needs_kernel();
    }
    if !host.exists("/sys/class") {
        return Fact::Unknown("/sys is not mounted".into());
    }
    let attribute =
        |name: &str| Fact::from_result(read::attribute(host, &format!("/sys/class/dmi/id/{name}")));
    Fact::Known(Dmi {
        vendor: attribute("sys_vendor"),
        product: attribute("product_name"),
        uuid: attribute("product_uuid"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    #[test]
    fn a_vmware_vm_and_a_machine_without_firmware_tables() {
        let dir = testing::tree(&[("sys/class/dmi/id/sys_vendor", "VMware, Inc.\n")]);
        let Fact::Known(dmi) = load(&Host::recorded(dir.path())) else { panic!() };
        assert_eq!(dmi.vendor, Fact::Known(Some("VMware, Inc.".into())));
        assert_eq!(dmi.uuid, Fact::Known(None));
        let none = testing::tree(&[("sys/class/net/x", "")]);
        let Fact::Known(dmi) = load(&Host::recorded(none.path())) else { panic!() };
        assert_eq!(dmi.vendor, Fact::Known(None));
        let bare = testing::tree(&[]);
        assert_eq!(load(&Host::recorded(bare.path())), Fact::Unknown("/sys is not mounted".into()));
        assert_eq!(load(&Host::image(dir.path())), Fact::needs_kernel());
    }
}
