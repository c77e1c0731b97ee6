//! Every storage controller on the PCI bus, with or without disks: a controller that is not allowed is found
//! even while nothing is attached to it.

use std::path::PathBuf;

use super::Controller;
use super::controller::{driver, kind, pci};
use crate::facts::Fact;
use crate::host::{Host, Kind};

const DEVICES: &str = "/sys/bus/pci/devices";

/// Mass storage controllers of any kind, in the order of their PCI addresses; none where there is no PCI bus.
pub fn load_controllers(host: &Host) -> Fact<Vec<Controller>> {
    if host.kind() == Kind::Image {
        return Fact::needs_kernel();
    }
    if !host.exists("/sys/class") && !host.exists("/sys/bus") {
        return Fact::Unknown("/sys is not mounted".into());
    }
    let addresses = match host.list(DEVICES) {
        Ok(addresses) => addresses,
        Err(error) => return Fact::Unknown(format!("listing {DEVICES}: {error}")),
    };
    let mut controllers = Vec::new();
    for address in addresses {
        let directory = PathBuf::from(DEVICES).join(address);
        match host.read(directory.join("class")) {
            // PCI class 01: mass storage.
            Ok(class) if class.trim().starts_with("0x01") => {}
            Ok(_) => continue,
            Err(error) => return Fact::Unknown(format!("reading {}/class: {error}", directory.display())),
        }
        let pci = pci(host, &directory).map(|(id, _)| id);
        let driver = driver(host, &directory);
        controllers.push(Controller { kind: kind("", driver.as_deref(), pci.as_deref()), driver, pci });
    }
    Fact::Known(controllers)
}

#[cfg(test)]
mod tests {
    use super::super::ControllerKind::{Ide, LsiLogicSas, ParavirtualScsi};
    use super::*;
    use crate::facts::testing::tree;
    use crate::testing::begins;

    #[test]
    fn a_controller_without_disks_is_found() {
        let device = |address: &str, name: &str| format!("sys/devices/pci0000:00/{address}/{name}");
        let bus = |address: &str| format!("sys/bus/pci/devices/{address}");
        let target = |address: &str| format!("-> ../../../devices/pci0000:00/{address}");
        let (ide, sas, para, net) = ("0000:00:07.1", "0000:02:00.0", "0000:03:00.0", "0000:0b:00.0");
        let mut files = Vec::new();
        for (address, class, vendor, id) in [
            (ide, "0x01018a", "0x8086", "0x7111"),
            (sas, "0x010700", "0x1000", "0x0054"),
            (para, "0x010700", "0x15ad", "0x07c0"),
            (net, "0x020000", "0x15ad", "0x07b0"),
        ] {
            files.push((device(address, "class"), format!("{class}\n")));
            files.push((device(address, "vendor"), format!("{vendor}\n")));
            files.push((device(address, "device"), format!("{id}\n")));
            files.push((bus(address), target(address)));
        }
        files.push(("sys/bus/pci/drivers/ata_piix/x".into(), String::new()));
        files.push((device(ide, "driver"), "-> ../../../bus/pci/drivers/ata_piix".into()));
        let files: Vec<_> = files.iter().map(|(path, content)| (path.as_str(), content.as_str())).collect();
        let dir = tree(&files);
        let Fact::Known(found) = load_controllers(&Host::recorded(dir.path())) else { panic!() };
        let kinds: Vec<_> = found.iter().map(|controller| controller.kind).collect();
        assert_eq!(kinds, [Ide, LsiLogicSas, ParavirtualScsi]);
        assert_eq!(found[0].driver.as_deref(), Some("ata_piix"));
        // No driver is loaded for it: its PCI id tells it all the same.
        assert_eq!((found[2].driver.as_deref(), found[2].pci.as_deref()), (None, Some("15ad:07c0")));
    }

    #[test]
    fn a_machine_without_pci_has_none_and_without_sysfs_it_is_unknown() {
        let none = tree(&[("sys/class/net/x", "")]);
        assert_eq!(load_controllers(&Host::recorded(none.path())), Fact::Known(Vec::new()));
        let bare = tree(&[]);
        assert_eq!(
            load_controllers(&Host::recorded(bare.path())),
            Fact::Unknown("/sys is not mounted".into())
        );
        assert_eq!(load_controllers(&Host::image(none.path())), Fact::needs_kernel());
        let torn = tree(&[("sys/bus/pci/devices/0000:00:01.0/vendor", "0x15ad\n")]);
        let Fact::Unknown(why) = load_controllers(&Host::recorded(torn.path())) else { panic!() };
        begins(&why, "reading /sys/bus/pci/devices/0000:00:01.0/class: No such file");
    }
}
