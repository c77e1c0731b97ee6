//! To which disks a name leads at the next boot that leads nowhere now: a map that has another name until then or is not made yet, its
//! partitions, and volumes of a group that is not active.

use crate::facts::Facts;
use crate::facts::disks::Disk;
use crate::facts::storage::LVM;
use crate::steps::devices::carriers;
use crate::steps::retention::{find, identity};

use super::volume_groups::group_of;

/// The disks that `name`, as in the first column of fstab, is made of.
pub(super) fn disks<'a>(name: &str, facts: &'a Facts, disks: &'a [Disk]) -> Vec<&'a Disk> {
    let by_disk = of_a_disk(name, facts);
    if by_disk.is_empty() { of_a_group(name, facts, disks) } else { by_disk }
}

/// By its SCSI ID or the alias that multipath.conf gives it, with the number of a partition or without: kpartx puts it behind the name
/// with `p`, `-part` or nothing between.
fn of_a_disk<'a>(name: &str, facts: &'a Facts) -> Vec<&'a Disk> {
    let Some(short) = ["/dev/mapper/", "/dev/disk/by-id/"].iter().find_map(|at| name.strip_prefix(at)) else {
        return Vec::new();
    };
    let short =
        ["dm-name-", "dm-uuid-mpath-"].iter().find_map(|kind| short.strip_prefix(kind)).unwrap_or(short);
    let whole = short.trim_end_matches(|c: char| c.is_ascii_digit());
    let configuration = facts.multipath.configuration.known().and_then(Option::as_ref);
    let aliases = || configuration.into_iter().flat_map(|one| &one.aliases);
    for name in [short, whole, whole.trim_end_matches('p'), whole.trim_end_matches("-part")] {
        if name.is_empty() {
            continue;
        }
        let ids: Vec<&str> =
            aliases().filter(|(_, alias)| alias == name).map(|(id, _)| id.as_str()).collect();
        let is_it = |disk: &&Disk| disk.id().is_some_and(|id| ids.contains(&id.as_str()));
        let found: Vec<&Disk> = facts.disks.known().into_iter().flatten().filter(is_it).collect();
        if !found.is_empty() {
            return found;
        }
        // A name that udev or the device mapper has now is another one's.
        if let Ok(disk) = find(facts, name)
            && identity(facts, disk).is_ok_and(|id| name.ends_with(id.as_str()))
        {
            return vec![disk];
        }
    }
    Vec::new()
}

/// `/dev/mapper/GROUP-VOLUME` and `/dev/GROUP/VOLUME`.
fn of_a_group<'a>(name: &str, facts: &'a Facts, disks: &'a [Disk]) -> Vec<&'a Disk> {
    let group = match (name.strip_prefix("/dev/mapper/"), name.strip_prefix("/dev/")) {
        (Some(mapped), _) if mapped.replace("--", "").contains('-') => group_of(mapped),
        (None, Some(path)) => match path.split_once('/') {
            Some((group, _)) if !["disk", "md"].contains(&group) => group.to_owned(),
            _ => return Vec::new(),
        },
        _ => return Vec::new(),
    };
    let mut found: Vec<&Disk> = Vec::new();
    for one in facts.storage.known().into_iter().flatten() {
        if one.volumes().any(|(_, volume, _)| volume.fs_type == LVM && volume.label == group) {
            for disk in carriers(disks, one.major_minor) {
                if !found.iter().any(|other| other.name == disk.name) {
                    found.push(disk);
                }
            }
        }
    }
    found
}
