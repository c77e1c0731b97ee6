//! The controller that a disk sits on: its driver and its PCI function, on the way up from the disk.

use std::path::Path;

use super::attributes::real;
use super::{Controller, ControllerKind};
use crate::host::Host;

/// The controller of the disk `name`, whose directory of the device is `device`; `None` for what sits on none
/// (a loop device).
pub fn of(host: &Host, name: &str, device: Option<&Path>) -> Option<Controller> {
    let device = device?;
    let function = device.ancestors().find_map(|directory| pci(host, directory));
    let driver = scsi_driver(host, device)
        .or_else(|| device.ancestors().take(2).find_map(|directory| virtio_driver(host, directory)))
        .or_else(|| function.as_ref().and_then(|(_, directory)| driver(host, directory)));
    let pci = function.map(|(id, _)| id);
    let kind = kind(name, driver.as_deref(), pci.as_deref());
    Some(Controller { kind, driver, pci })
}

pub(super) fn kind(name: &str, driver: Option<&str>, pci: Option<&str>) -> ControllerKind {
    use ControllerKind::*;
    // The PCI id is VMware's choice of the virtual hardware; the driver is the kernel's for that id.
    match (pci, driver) {
        (Some("1000:0030"), _) => LsiLogicParallel,
        (Some("1000:0054"), _) => LsiLogicSas,
        (Some("15ad:07c0"), _) => ParavirtualScsi,
        (Some("104b:1040"), _) => BusLogic,
        (Some("15ad:07e0"), _) => Ahci,
        (Some("15ad:07f0"), _) => Nvme,
        (_, Some("mptspi")) => LsiLogicParallel,
        (_, Some("mptsas")) => LsiLogicSas,
        (_, Some("vmw_pvscsi")) => ParavirtualScsi,
        (_, Some("BusLogic")) => BusLogic,
        (_, Some("ahci")) => Ahci,
        (_, Some("nvme")) => Nvme,
        (_, Some("ata_piix" | "ata_generic" | "pata_acpi" | "piix" | "PIIX_IDE")) => Ide,
        (_, Some(driver)) if driver.starts_with("virtio") => Virtio,
        _ if name.starts_with("nvme") => Nvme,
        _ if name.starts_with("vd") => Virtio,
        _ if name.starts_with("hd") => Ide,
        _ => Other,
    }
}

/// `proc_name` of the SCSI host above the disk.
fn scsi_driver(host: &Host, device: &Path) -> Option<String> {
    let scsi_host = device.iter().filter_map(|part| part.to_str()).find(|part| {
        part.strip_prefix("host").is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    })?;
    let name = host.read(format!("/sys/class/scsi_host/{scsi_host}/proc_name")).ok()?;
    let name = name.trim();
    // A driver that sets none shows as `<NULL>` or `(null)`, by kernel version.
    (!name.is_empty() && !name.contains(['<', '('])).then(|| name.to_owned())
}

/// A virtio device has `vendor` and `device` too, of virtio's own numbering, and a driver of its own.
fn virtio_driver(host: &Host, directory: &Path) -> Option<String> {
    directory.file_name()?.to_str()?.starts_with("virtio").then(|| driver(host, directory))?
}

pub(super) fn driver(host: &Host, directory: &Path) -> Option<String> {
    let link = real(host, directory.join("driver").to_str()?)?;
    Some(link.file_name()?.to_str()?.to_owned())
}

/// `1000:0054`, and the directory, if this one is a PCI function.
pub(super) fn pci<'a>(host: &Host, directory: &'a Path) -> Option<(String, &'a Path)> {
    if directory.file_name()?.to_str()?.starts_with("virtio") {
        return None;
    }
    let id = |attribute: &str| {
        let text = host.read(directory.join(attribute)).ok()?;
        let digits = text.trim().strip_prefix("0x")?;
        (digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .then(|| digits.to_ascii_lowercase())
    };
    Some((format!("{}:{}", id("vendor")?, id("device")?), directory))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_controller_of_a_vmware_machine_is_told_apart() {
        use ControllerKind::*;
        let of = |driver, pci| kind("sda", driver, pci);
        assert_eq!(of(Some("mptspi"), Some("1000:0030")), LsiLogicParallel);
        assert_eq!(of(Some("mptsas"), None), LsiLogicSas);
        assert_eq!(of(None, Some("15ad:07c0")), ParavirtualScsi);
        assert_eq!(of(Some("BusLogic"), Some("104b:1040")), BusLogic);
        assert_eq!(of(Some("ahci"), Some("8086:2922")), Ahci);
        assert_eq!(of(Some("ata_piix"), Some("8086:7111")), Ide);
        assert_eq!(of(Some("megaraid_sas"), Some("1000:0060")), Other);
        assert_eq!(kind("nvme0n1", None, None), Nvme);
        assert_eq!(kind("vda", Some("virtio_blk"), Some("1af4:1001")), Virtio);
        // virtio-scsi: its proc_name starts alike.
        assert_eq!(of(Some("virtio_scsi"), Some("1af4:1004")), Virtio);
    }
}
