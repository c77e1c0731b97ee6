//! What the firmware says of the machine (SMBIOS type 1), from /sys/class/dmi/id, and what stands on its PCI bus: a host can
//! hand its own SMBIOS on to a VM (`smbios.reflectHost`), but not its devices.

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
    /// Whether a PCI device of VMware is there: each of its VMs has some (bridges 15ad:0790, VMCI 15ad:0740).
    #[serde(default = "not_recorded")]
    pub vmware_pci: Fact<bool>,
}

const PCI_DEVICES: &str = "/sys/bus/pci/devices";

/// VMware's PCI vendor id.
const VMWARE: &str = "0x15ad";

fn not_recorded() -> Fact<bool> {
    Fact::Unknown("a recording of an earlier version".into())
}

fn vmware_pci(host: &Host) -> Fact<bool> {
    let addresses = match host.list(PCI_DEVICES) {
        Ok(addresses) => addresses,
        Err(error) => return Fact::Unknown(format!("listing {PCI_DEVICES}: {error}")),
    };
    let vendors = addresses
        .into_iter()
        .map(|address| read::attribute(host, &format!("{PCI_DEVICES}/{address}/vendor")));
    // One that is found is enough, whatever else cannot be read.
    let (found, failed): (Vec<_>, Vec<_>) = vendors.partition(Result::is_ok);
    match failed.into_iter().find_map(Result::err) {
        _ if found.iter().flatten().flatten().any(|vendor| vendor == VMWARE) => Fact::Known(true),
        Some(error) => Fact::Unknown(format!("{error:#}")),
        None => Fact::Known(false),
    }
}

/// Reads the attributes that sysfs shows. A machine without such firmware has none of them, and that is known.
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
        vmware_pci: vmware_pci(host),
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
        assert_eq!(dmi.vmware_pci, Fact::Known(false));
        let devices = [
            ("sys/class/net/x", ""),
            ("sys/bus/pci/devices/0000:00:00.0/vendor", "0x8086\n"),
            ("sys/bus/pci/devices/0000:00:07.7/vendor", "0x15ad\n"),
        ];
        let Fact::Known(dmi) = load(&Host::recorded(testing::tree(&devices).path())) else { panic!() };
        assert_eq!(dmi.vmware_pci, Fact::Known(true));
        let none = testing::tree(&[("sys/class/net/x", "")]);
        let Fact::Known(dmi) = load(&Host::recorded(none.path())) else { panic!() };
        assert_eq!(dmi.vendor, Fact::Known(None));
        let bare = testing::tree(&[]);
        assert_eq!(load(&Host::recorded(bare.path())), Fact::Unknown("/sys is not mounted".into()));
        assert_eq!(load(&Host::image(dir.path())), Fact::needs_kernel());
    }
}
