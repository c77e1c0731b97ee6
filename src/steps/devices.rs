//! Which disk carries what: block devices compared by `major:minor`, never by a part of their names.

use std::path::Path;

use crate::facts::Facts;
use crate::facts::disks::{Disk, Holder, Mapped};
use crate::facts::filesystems::{Filesystems, decoded};
use crate::facts::fstab::{Entry, Ignored};
use crate::facts::mounts::Mount;
use crate::host::DeviceNumber;

use super::{Status, links, need};

/// One step on the way from a disk up to a block device that is built on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer<'a> {
    /// Kernel name: `sda`, `sda1`, `dm-0`.
    pub name: &'a str,
    /// `8:1`.
    pub major_minor: DeviceNumber,
    pub kind: LayerKind,
}

/// What a block device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerKind {
    Disk,
    /// A partition of a disk.
    Partition,
    /// A multipath map (device-mapper uuid `mpath-…`).
    Multipath,
    /// A partition of a multipath map (`part1-mpath-…`).
    MultipathPartition,
    /// A logical volume (`LVM-…`).
    Lvm,
    /// An encrypted volume (`CRYPT-…`).
    Encrypted,
    /// Software RAID (`md0`).
    Raid,
    /// Anything else that is built on block devices.
    Other,
}

impl LayerKind {
    /// Whether it is a partition, be it of a disk or of its multipath map.
    pub fn is_partition(self) -> bool {
        matches!(self, Self::Partition | Self::MultipathPartition)
    }

    fn of(holder: &Holder) -> Self {
        match holder.mapped() {
            Mapped::Multipath(_) => Self::Multipath,
            Mapped::MapPartition(_) => Self::MultipathPartition,
            Mapped::Lvm(_) => Self::Lvm,
            Mapped::Encrypted => Self::Encrypted,
            Mapped::Other if holder.is_raid() => Self::Raid,
            Mapped::Other => Self::Other,
        }
    }
}

/// Every disk that carries the block device `major_minor`, wholly or in part: itself, a partition, or through
/// LVM, RAID and multipath. Several for a RAID, a logical volume over disks, or the paths of a map.
pub fn carriers(disks: &[Disk], major_minor: DeviceNumber) -> Vec<&Disk> {
    disks.iter().filter(|disk| disk.all_devices().contains(&major_minor)).collect()
}

/// The way from `disk` up to the block device `major_minor`, both included; `None` when it is not built on
/// that disk.
pub fn layers<'a>(disk: &'a Disk, major_minor: DeviceNumber) -> Option<Vec<Layer<'a>>> {
    let whole = Layer { name: &disk.name, major_minor: disk.major_minor, kind: LayerKind::Disk };
    if disk.major_minor == major_minor {
        return Some(vec![whole]);
    }
    let mut way = vec![whole];
    if climb(&disk.holders, major_minor, &mut way) {
        return Some(way);
    }
    for partition in &disk.partitions {
        way.push(Layer {
            name: &partition.name,
            major_minor: partition.major_minor,
            kind: LayerKind::Partition,
        });
        if partition.major_minor == major_minor || climb(&partition.holders, major_minor, &mut way) {
            return Some(way);
        }
        way.pop();
    }
    None
}

fn climb<'a>(holders: &'a [Holder], major_minor: DeviceNumber, way: &mut Vec<Layer<'a>>) -> bool {
    for holder in holders {
        way.push(Layer { name: &holder.name, major_minor: holder.major_minor, kind: LayerKind::of(holder) });
        if holder.major_minor == major_minor || climb(&holder.holders, major_minor, way) {
            return true;
        }
        way.pop();
    }
    false
}

/// What is mounted at `path` now: the last mount there, which hides those before it (`rootfs` on CentOS 6).
pub fn mount_at<'a>(mounts: &'a [Mount], path: &str) -> Option<&'a Mount> {
    mounts.iter().rev().find(|mount| same_path(&mount.mount_point, path))
}

/// The mount that hides `mount`, which is one of `mounts`: a later one on a directory above its mount point. The root is
/// none, as the initial file system's own mounts come before it.
pub fn hidden_by<'a>(mounts: &'a [Mount], mount: &Mount) -> Option<&'a Mount> {
    let at = mounts.iter().position(|other| std::ptr::eq(other, mount))?;
    let above = |later: &&Mount| {
        let mut above = Path::new(&mount.mount_point).ancestors().skip(1);
        later.mount_point != "/" && above.any(|above| above == Path::new(&later.mount_point))
    };
    mounts[at + 1..].iter().find(above)
}

/// The mount in which `path` lies: its own, or that of the nearest directory above it.
pub fn mount_over<'a>(mounts: &'a [Mount], path: &str) -> Option<&'a Mount> {
    Path::new(path).ancestors().find_map(|above| mount_at(mounts, above.to_str()?))
}

/// The line of fstab for `mount_point`; of several the last, which hides the others once all are mounted.
pub fn fstab_entry<'a>(fstab: &'a [Entry], mount_point: &str) -> Option<&'a Entry> {
    fstab.iter().rev().find(|entry| same_path(&entry.mount_point, mount_point))
}

/// The lines of fstab for `mount_point`, where there is more than one, as people read them: `8, 9`.
pub fn repeated(fstab: &[Entry], mount_point: &str) -> Option<String> {
    let lines: Vec<_> = fstab
        .iter()
        .filter(|entry| same_path(&entry.mount_point, mount_point))
        .map(|entry| entry.line.to_string())
        .collect();
    (lines.len() > 1).then(|| lines.join(", "))
}

/// The name that /etc/multipath.conf gives to the map of the disk with this SCSI ID.
pub fn alias_of<'a>(facts: &'a Facts, wwid: &str) -> Option<&'a str> {
    let configuration = facts.multipath.configuration.known()?.as_ref()?;
    configuration.aliases.iter().rev().find(|(of, _)| of == wwid).map(|(_, alias)| alias.as_str())
}

/// What of this host itself lies on `disk`: mount points of the system, and `swap`. The disks of protected machines may be
/// mounted too, but not there; `retention` is where the retention volume is mounted.
pub fn own_uses<'a>(facts: &'a Facts, disk: &Disk, retention: &str) -> Vec<&'a str> {
    let devices = disk.all_devices();
    let all = facts.mounts.known().map_or(&[][..], Vec::as_slice);
    // The volume stays what it is where somebody mounts it at another place too.
    let is_volume = |mount: &Mount| {
        let first = all.iter().find(|other| other.major_minor == mount.major_minor);
        first.is_some_and(|first| Path::new(&first.mount_point).starts_with(retention))
    };
    let of_system = |mount: &&Mount| {
        let first = mount.mount_point.split('/').nth(1).unwrap_or_default();
        let names = ["", "boot", "usr", "var", "home", "opt", "srv", "tmp", "root", "etc"];
        names.contains(&first)
            && devices.contains(&mount.major_minor)
            && !Path::new(&mount.mount_point).starts_with(retention)
            && !is_volume(mount)
    };
    let swaps = facts.swaps.known().into_iter().flatten();
    let swaps = swaps.filter_map(|swap| swap.major_minor);
    let swaps = swaps.filter(|number| devices.contains(number)).map(|_| "swap");
    all.iter().filter(of_system).map(|mount| mount.mount_point.as_str()).chain(swaps).collect()
}

/// Whether two paths are the same, a slash at the end aside.
pub fn same_path(a: &str, b: &str) -> bool {
    Path::new(a) == Path::new(b)
}

/// The block device (`major:minor`) to which a first column of fstab leads; `None` when it leads nowhere.
/// Errors: [`Status::Unknown`] when the links or disks could not be read, or the name is of a kind that they do
/// not tell (`PARTUUID=`, `/dev/disk/by-path`); [`Status::NotApplicable`] for an image.
pub fn resolve(name: &str, facts: &Facts) -> Result<Option<DeviceNumber>, Status> {
    let links = || need(&facts.filesystems, "the names of file systems");
    let linked = || links::linked(facts);
    let tag = name.split_once('=').filter(|(tag, _)| tag.bytes().all(|b| b.is_ascii_uppercase()));
    if let Some((tag, value)) = tag {
        let Some(value) = links::unquoted(value) else { return Ok(None) };
        return match tag {
            "UUID" => Ok(linked()?.by_uuid.get(&value.into()).copied()),
            "LABEL" => Ok(linked()?.by_label.get(value).copied()),
            _ => Err(not_among_facts(name)),
        };
    }
    let Some(path) = name.strip_prefix("/dev/") else { return Ok(None) };
    if let Some(link) = path.strip_prefix("disk/") {
        return match link.split_once('/') {
            Some(("by-uuid", value)) => Ok(linked()?.by_uuid.get(&value.into()).copied()),
            Some(("by-label", value)) => Ok(linked()?.by_label.get(&decoded(value)).copied()),
            Some(("by-id", value)) => Ok(linked()?.by_id.get(value).copied()),
            _ => Err(not_among_facts(name)),
        };
    }
    if let Some(mapped) = path.strip_prefix("mapper/") {
        return mapper(mapped, facts, links()?);
    }
    if path == "root" {
        return Err(not_among_facts(name));
    }
    match path.split_once('/') {
        // A RAID by its name, not a volume of LVM.
        Some(("md", _)) => Err(not_among_facts(name)),
        // /dev/GROUP/VOLUME is /dev/mapper/GROUP-VOLUME, with every hyphen in a name doubled.
        Some((group, volume)) => {
            let mapped = format!("{}-{}", group.replace('-', "--"), volume.replace('-', "--"));
            mapper(&mapped, facts, links()?)
        }
        None => Ok(kernel_name(path, need(&facts.disks, "the disks")?)),
    }
}

/// The line of fstab for `mount_point` that is passed over at boot.
pub fn passed_over<'a>(facts: &'a Facts, mount_point: &str) -> Option<&'a Ignored> {
    facts.fstab_ignored.iter().find(|line| same_path(&line.mount_point, mount_point))
}

/// The kernel's name of the block device `major_minor`, when it is a disk or built on one.
pub fn device_name(disks: &[Disk], major_minor: DeviceNumber) -> Option<&str> {
    disks.iter().find_map(|disk| layers(disk, major_minor)?.last().map(|layer| layer.name))
}

fn not_among_facts(name: &str) -> Status {
    Status::Unknown { why: format!("to which device {name} leads is not among the facts") }
}

fn mapper(name: &str, facts: &Facts, links: &Filesystems) -> Result<Option<DeviceNumber>, Status> {
    if let Some(found) = links.by_mapper.get(name) {
        return Ok(Some(*found));
    }
    let disks = need(&facts.disks, "the disks")?;
    let named = |holder: &&Holder| holder.dm_name.as_deref() == Some(name);
    Ok(disks
        .iter()
        .find_map(|disk| disk.all_holders().into_iter().find(named))
        .map(|holder| holder.major_minor))
}

fn kernel_name(name: &str, disks: &[Disk]) -> Option<DeviceNumber> {
    disks.iter().find_map(|disk| {
        if disk.name == name {
            return Some(disk.major_minor);
        }
        let partition = disk.partitions.iter().find(|partition| partition.name == name);
        let holder = || disk.all_holders().into_iter().find(|holder| holder.name == name);
        partition.map(|partition| partition.major_minor).or_else(|| holder().map(|holder| holder.major_minor))
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{RETENTION_ID, disks, edit, mounts, ready};
    use super::*;
    use crate::facts::Fact;
    use crate::facts::disks::distinct;
    use crate::facts::disks::testing::holder;

    #[test]
    fn the_way_up_names_every_layer() {
        let volume = holder("dm-3", "253:3", Some(("vg0-data", "LVM-x")), Vec::new());
        let part = holder("dm-2", "253:2", Some(("36x1", "part1-mpath-36x")), vec![volume]);
        let map = holder("dm-1", "253:1", Some(("36x", "mpath-36x")), vec![part]);
        let disk =
            Disk { name: "sdc".into(), major_minor: "8:32".into(), holders: vec![map], ..Disk::default() };
        let way = layers(&disk, "253:3".into()).unwrap();
        let kinds: Vec<_> = way.iter().map(|layer| layer.kind).collect();
        assert_eq!(
            kinds,
            [LayerKind::Disk, LayerKind::Multipath, LayerKind::MultipathPartition, LayerKind::Lvm]
        );
        assert!(LayerKind::MultipathPartition.is_partition());
        assert_eq!(layers(&disk, "8:32".into()).unwrap().len(), 1);
        // 8:3 is not 8:32: numbers are compared whole.
        assert_eq!(layers(&disk, "8:3".into()), None);
        assert_eq!(device_name(&[disk], "253:2".into()), Some("dm-2"));
    }

    #[test]
    fn a_device_is_carried_by_every_disk_below_it_and_paths_count_once() {
        let (_, mut facts) = ready();
        let twin = Disk { name: "sdc".into(), major_minor: "8:32".into(), ..disks(&mut facts)[1].clone() };
        disks(&mut facts).push(twin);
        let all = disks(&mut facts);
        let names = |disks: Vec<&Disk>| disks.iter().map(|disk| disk.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(carriers(all, "253:0".into())), ["sdb", "sdc"]);
        assert_eq!(names(distinct(carriers(all, "253:0".into()))), ["sdb"]);
        assert_eq!(names(carriers(all, "8:1".into())), ["sda"]);
        assert!(carriers(all, "8:11".into()).is_empty());
    }

    #[test]
    fn mounts_are_found_by_whole_names_and_the_last_one_counts() {
        let (_, mut facts) = ready();
        let all = mounts(&mut facts);
        assert_eq!(mount_at(all, "/").unwrap().fs_type, "ext4");
        assert_eq!(mount_at(all, "/home/").unwrap().major_minor, "8:3");
        assert!(mount_at(all, "/hom").is_none());
        assert_eq!(mount_over(all, "/home/user/x").unwrap().mount_point, "/home");
        assert_eq!(mount_over(all, "/homes").unwrap().mount_point, "/");
        assert_eq!(mount_over(all, "/var/crash").unwrap().mount_point, "/var/crash");
        assert!(all.iter().all(|mount| hidden_by(all, mount).is_none()));
        let later = Mount { mount_point: "/var".into(), ..all[0].clone() };
        all.push(later);
        let all = all.as_slice();
        let hider = hidden_by(all, mount_at(all, "/var/crash").unwrap()).unwrap();
        assert_eq!(hider.mount_point, "/var");
        assert!(hidden_by(all, mount_at(all, "/home").unwrap()).is_none() && hidden_by(all, hider).is_none());
    }

    #[test]
    fn every_way_to_write_a_device_leads_to_its_number() {
        let (_, mut facts) = ready();
        let links = edit(&mut facts.filesystems);
        links.by_mapper.insert("vg--0-lv--a".into(), "253:9".into());
        links.by_label.insert("DATA".into(), "8:3".into());
        links.by_label.insert("own data".into(), "8:2".into());
        let found = [
            ("UUID=0f3c6a52-8d1b-4e07-9a64-1c5b7d2e9f01", "8:1"),
            ("UUID=\"0f3c6a52-8d1b-4e07-9a64-1c5b7d2e9f01\"", "8:1"),
            ("UUID='0f3c6a52-8d1b-4e07-9a64-1c5b7d2e9f01'", "8:1"),
            ("UUID=\"0f3c6a52-8d1b-4e07-9a64-1c5b7d2e9f01\"x", "8:1"),
            ("/dev/disk/by-uuid/2b7e1c94-35af-4d60-8f12-6e09a4c3d702", "8:2"),
            ("LABEL=DATA", "8:3"),
            ("/dev/disk/by-label/DATA", "8:3"),
            ("/dev/disk/by-label/own\\x20data", "8:2"),
            ("LABEL=own data", "8:2"),
            ("/dev/sda", "8:0"),
            ("/dev/sda5", "8:5"),
            ("/dev/dm-0", "253:0"),
            ("/dev/vg-0/lv-a", "253:9"),
            ("/dev/mapper/vg--0-lv--a", "253:9"),
        ];
        for (name, device) in found {
            assert_eq!(resolve(name, &facts), Ok(Some(device.into())), "{name}");
        }
        for (kind, device) in [("scsi-", "8:16"), ("dm-uuid-mpath-", "253:0")] {
            let by_id = format!("/dev/disk/by-id/{kind}{RETENTION_ID}");
            assert_eq!(resolve(&by_id, &facts), Ok(Some(device.into())));
        }
        for name in [
            "UUID=none",
            "UUID=\"0f3c6a52-8d1b-4e07-9a64-1c5b7d2e9f01",
            "LABEL=DATA'",
            "/dev/sda44",
            "/dev/sd",
            "/dev/vg/lv",
            "none",
            "server:/export",
            "",
        ] {
            assert_eq!(resolve(name, &facts), Ok(None), "{name}");
        }
        for name in ["PARTUUID=1-1", "PARTLABEL=x", "/dev/disk/by-path/pci-0", "/dev/root", "/dev/md/home"] {
            let found = resolve(name, &facts);
            assert!(matches!(found, Err(Status::Unknown { ref why }) if why.contains(name)), "{found:?}");
        }
        // Without the links, a map is still known by its disks.
        edit(&mut facts.filesystems).by_mapper.clear();
        let map = format!("/dev/mapper/{RETENTION_ID}");
        assert_eq!(resolve(&map, &facts), Ok(Some("253:0".into())));
        facts.filesystems = Fact::Unknown("no /dev".into());
        assert!(matches!(resolve(&map, &facts), Err(Status::Unknown { .. })));
    }
}
