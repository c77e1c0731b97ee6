//! What a name of a block device holds on to, by its text alone: whether the same name can lead to another device after a restart.

use super::ScsiId;

/// What a name of a block device is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceName {
    /// The SCSI ID of a disk: the ID itself, its multipath map by that, or a link in /dev/disk/by-id with it.
    Id,
    /// Another link in /dev/disk/by-id: model and serial number, or an identifier of another kind.
    Link,
    /// A device-mapper name, which multipath, LVM or a person gave: `/dev/mapper/mpatha`.
    Map,
    /// A logical volume (`/dev/GROUP/VOLUME`), or what else lies in a directory of its own.
    Volume,
    /// The UUID of what it carries, or of a partition.
    Uuid,
    /// The label of what it carries, or of a partition, which any disk that is attached can carry as well.
    Label,
    /// Where it is attached, whatever disk is there: /dev/disk/by-path.
    Place,
    /// What the kernel or multipath gives out in the order of discovery: `sdb`, `/dev/dm-0`, `mpatha`.
    Given,
    /// No block device.
    Other,
}

/// How the links in /dev/disk/by-id to disks begin: the bus, or what the name is made of.
const LINKS: [&str; 8] = ["scsi-", "wwn-", "ata-", "nvme-", "usb-", "virtio-", "dm-uuid-", "dm-name-"];

impl DeviceName {
    /// Of a path below /dev or a tag, as in the first column of fstab.
    pub fn of(name: &str) -> Self {
        match name.split_once('=') {
            Some(("UUID" | "PARTUUID", _)) => return Self::Uuid,
            Some(("LABEL" | "PARTLABEL", _)) => return Self::Label,
            _ => {}
        }
        let Some(path) = name.strip_prefix("/dev/") else { return Self::Other };
        match path.split_once('/') {
            None => Self::Given,
            Some(("mapper", map)) if id_in(map).is_some() || is_naa(map) || is_eui(map) => Self::Id,
            Some(("mapper", _)) => Self::Map,
            Some(("disk", link)) => match link.split_once('/') {
                Some(("by-id", link)) if id_in(link).is_some() => Self::Id,
                Some(("by-id", link)) if is_map_name(link) => Self::Map,
                Some(("by-id", _)) => Self::Link,
                Some(("by-uuid" | "by-partuuid", _)) => Self::Uuid,
                Some(("by-label" | "by-partlabel", _)) => Self::Label,
                Some(("by-path", _)) => Self::Place,
                _ => Self::Other,
            },
            Some(_) => Self::Volume,
        }
    }

    /// Of what a person calls a disk, which need not be a path: a SCSI ID, a link's name, a kernel name.
    pub fn of_disk(name: &str) -> Self {
        if name.starts_with('/') {
            Self::of(name)
        } else if name.starts_with("pci-") {
            Self::Place
        } else if ScsiId::is_one(name) || id_in(name).is_some() {
            Self::Id
        } else if is_map_name(name) {
            Self::Map
        } else if LINKS.iter().any(|kind| name.starts_with(kind)) {
            Self::Link
        } else {
            Self::Given
        }
    }

    /// Whether it can name a disk to be formatted in what outlives a restart.
    pub fn names_a_disk_for_good(self) -> bool {
        matches!(self, Self::Id | Self::Link)
    }
}

/// Whether a first column of fstab can lead to another device after a restart: a kernel name, whose letters are given out in the
/// order of discovery; a label, of a file system or a partition, which the disk of a protected machine can carry as well; and a
/// place, whatever disk is in it.
pub fn can_move(name: &str) -> bool {
    matches!(DeviceName::of(name), DeviceName::Label | DeviceName::Place | DeviceName::Given)
}

/// Whether a first column of fstab is one that the agent writes: of the names that cannot move, the two that lead to the same volume
/// on every system, the UUID of the file system and the map of the disk with a SCSI ID (NAA or EUI-64). The name of another map
/// (mpatha) is given out anew, which the name alone does not show.
pub fn is_for_fstab(name: &str) -> bool {
    let uuid = |uuid: &str| uuid.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let scsi_id = |id: &str| is_naa(id) && id.len() > 16 || is_eui(id);
    name.strip_prefix("UUID=").is_some_and(|value| !value.is_empty() && uuid(value))
        || name.strip_prefix("/dev/mapper/").is_some_and(scsi_id)
}

/// Whether it is a SCSI ID made of an NAA name: `3` and hexadecimal digits.
pub fn is_naa(name: &str) -> bool {
    name.strip_prefix('3').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Whether it is a SCSI ID made of an EUI-64 name: `2` and eight bytes or more in hexadecimal digits.
fn is_eui(name: &str) -> bool {
    name.strip_prefix('2')
        .is_some_and(|rest| rest.len() >= 16 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Whether it is a link by the name of a map that is not an ID: `dm-name-mpatha` leads wherever mpatha does.
fn is_map_name(link: &str) -> bool {
    link.strip_prefix("dm-name-").is_some_and(|map| !is_naa(map))
}

/// The SCSI ID that the name of a link in /dev/disk/by-id is made of: `scsi-3…`, `dm-uuid-mpath-3…`, and `wwn-0x…`, which lacks
/// the `3`.
pub fn id_in(name: &str) -> Option<String> {
    let id = match name.strip_prefix("wwn-0x") {
        Some(wwn) => format!("3{wwn}"),
        None => name.strip_prefix("scsi-").or_else(|| name.strip_prefix("dm-uuid-mpath-"))?.to_owned(),
    };
    is_naa(&id).then_some(id)
}

/// `name` without the directory of links or maps that it stands in.
pub fn short(name: &str) -> &str {
    name.strip_prefix("/dev/disk/by-id/").or_else(|| name.strip_prefix("/dev/mapper/")).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "36000c29f0c4be2a1d0a7b9d3c2e1f405";

    #[test]
    fn what_a_disk_is_called_for_good_is_made_of_its_id_or_a_link() {
        let by_id = |link: &str| format!("/dev/disk/by-id/{link}");
        let scsi = format!("scsi-{ID}");
        let wwn = format!("wwn-0x{}", &ID[1..]);
        for id in [ID.to_owned(), by_id(&scsi), by_id(&wwn), scsi, wwn, format!("/dev/mapper/{ID}")] {
            assert_eq!(DeviceName::of_disk(&id), DeviceName::Id, "{id}");
        }
        for id in ["SVMware Virtual disk 1", "1VMware_Virtual_disk", "20000000000000001"] {
            assert_eq!(DeviceName::of_disk(id), DeviceName::Id, "{id}");
        }
        for link in ["ata-QEMU_HARDDISK_QM00001", "/dev/disk/by-id/nvme-eui.0025", "scsi-SVMware_x"] {
            assert_eq!(DeviceName::of_disk(link), DeviceName::Link, "{link}");
        }
        let moves = ["sdb", "/dev/sdb", "nvme0n1", "md0", "dm-0", "mpatha", "retention", "my-alias", ""];
        for given in moves {
            assert_eq!(DeviceName::of_disk(given), DeviceName::Given, "{given}");
        }
        for place in ["pci-0000:03:00.0-scsi-0:0:1:0", "/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:1:0"] {
            assert_eq!(DeviceName::of_disk(place), DeviceName::Place, "{place}");
        }
        for other in ["dm-name-mpatha", "/dev/disk/by-id/dm-name-mpatha"] {
            assert_eq!(DeviceName::of_disk(other), DeviceName::Map, "{other}");
        }
        for other in ["/dev/mapper/mpatha", "/dev/vg/lv", "/dev/disk/by-uuid/1-2", "/dev/disk/by-label/x"] {
            assert!(!DeviceName::of_disk(other).names_a_disk_for_good(), "{other}");
        }
    }

    #[test]
    fn a_name_in_fstab_moves_with_the_order_of_discovery_a_label_and_a_place() {
        for moves in ["/dev/sdb1", "/dev/root", "LABEL=x", "PARTLABEL=x", "/dev/disk/by-path/x"] {
            assert!(can_move(moves), "{moves}");
        }
        for stays in ["UUID=1", "PARTUUID=1", "/dev/mapper/vg-x", "/dev/vg/x", "/dev/md/x", "tmpfs", "srv:/x"]
        {
            assert!(!can_move(stays), "{stays}");
        }
    }
}
