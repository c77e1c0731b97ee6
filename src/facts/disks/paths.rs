//! Several paths of one disk, or several disks that multipath takes for one.

use super::Disk;
use crate::host::ScsiId;

/// The IEEE company id (OUI) under which VMware names virtual disks.
const OUI: &str = "000c29";

impl Disk {
    /// Whether its vendor says that it is a virtual disk of VMware: what is passed through (an RDM) answers as the array
    /// does.
    pub fn is_vmware(&self) -> bool {
        self.vendor.as_deref().is_some_and(|vendor| vendor.starts_with("VMware"))
    }

    /// Whether its SCSI ID is an NAA name (of type 5 or 6) that VMware gave: `36000c29…`.
    pub fn has_vmware_id(&self) -> bool {
        let id = self.id().map_or("", ScsiId::as_str);
        ["35", "36"].iter().any(|naa| id.strip_prefix(naa).is_some_and(|rest| rest.starts_with(OUI)))
    }
}

/// Why `disks`, which answer with one SCSI ID and which a multipath map joins, cannot be paths of one disk; `None` where they
/// can be. With `find_multipaths no` multipath joins every two disks of one ID, so its map alone proves nothing.
pub fn not_one_disk<'a>(disks: impl IntoIterator<Item = &'a Disk>) -> Option<String> {
    let disks: Vec<&Disk> = disks.into_iter().collect();
    let (first, rest) = disks.split_first()?;
    let names = || disks.iter().map(|disk| disk.name.as_str()).collect::<Vec<_>>().join(", ");
    if rest.is_empty() {
        None
    } else if rest.iter().any(|disk| disk.size_bytes != first.size_bytes) {
        Some(format!("{} differ in size: multipath took different disks for one", names()))
    } else if disks.iter().any(|disk| disk.is_vmware()) {
        Some(format!("multipath took {} for one disk, but a VMware virtual disk has one path", names()))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(name: &str, vendor: &str, id: &str) -> Disk {
        Disk {
            name: name.into(),
            vendor: Some(vendor.into()),
            scsi_id: Ok(id.into()),
            size_bytes: 1 << 40,
            ..Disk::default()
        }
    }

    #[test]
    fn a_disk_of_an_array_has_paths_and_a_virtual_one_has_one() {
        let (array, vmware) = ("3600601601234567890abcdef01234567", "36000c29f0c4be2a1d0a7b9d3c2e1f405");
        let pair = |vendor, id| [disk("sdb", vendor, id), disk("sdc", vendor, id)];
        assert_eq!(not_one_disk(&pair("DGC", array)), None);
        assert_eq!(not_one_disk(&[disk("sdb", "VMware", vmware)]), None);
        let why = not_one_disk(&pair("VMware", vmware)).unwrap();
        assert_eq!(why, "multipath took sdb, sdc for one disk, but a VMware virtual disk has one path");
        let mut sizes = pair("DGC", array);
        sizes[1].size_bytes += 512;
        assert!(not_one_disk(&sizes).unwrap().starts_with("sdb, sdc differ in size"));
    }

    #[test]
    fn vmware_s_names_are_naa_names_of_its_own_number() {
        for id in ["36000c29f0c4be2a1d0a7b9d3c2e1f405", "35000c2900000000a"] {
            assert!(disk("sdb", "", id).has_vmware_id(), "{id}");
        }
        for id in ["", "3", "36", "3600601600000c29000000000000000000", "1000c29", "32000c29f0c4be2a1"] {
            assert!(!disk("sdb", "", id).has_vmware_id(), "{id}");
        }
    }
}
