//! Whether the retention volume is large enough, and has all of its disk.

use super::now::volume;
use super::volumes;
use crate::changes::{Change, Target};
use crate::facts::Facts;
use crate::facts::disks::Disk;
use crate::facts::mounts::Mount;
use crate::facts::storage::Extent;
use crate::host::command::pasted;
use crate::host::text;
use crate::profile::Profile;
use crate::steps::devices::layers;
use crate::steps::layout::own_disks::ours::not_own;
use crate::steps::remedy::{Remedy, Request};
use crate::steps::{Status, need};

/// Whether the volume is only smaller than recommended.
pub(in crate::steps) fn only_size_fails(profile: &Profile, facts: &Facts) -> bool {
    volume(profile, facts).is_ok_and(|(mount, disks)| {
        disks[0].size_bytes > 0 && mount.size_bytes.known().is_some_and(|size| *size > 0)
    })
}

pub(super) fn capacity(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let (mount, disks) = volume(profile, facts)?;
    let wanted = profile.retention.capacity.bytes();
    let size = *need(&mount.size_bytes, "the size of the file system")?;
    // The file system's own structures take a few per cent of what was asked for: its device is compared.
    let device = device_size(disks[0], mount);
    let expected = format!("{} or more", text::bytes(wanted));
    let fix = |own: &str| not_own(profile, facts, mount.major_minor).unwrap_or_else(|| own.to_owned());
    let larger = "attach a larger disk (mt-agent apply --replace-retention SCSI-ID), or enlarge this one in vSphere and grow the \
                  file system (mt-agent apply --grow)";
    Ok(if size == 0 || device == 0 {
        Status::unmet("its size is zero", "a size above zero", fix(larger))
    } else if let Some(unused) = unused(facts, mount, disks[0]) {
        let found = format!(
            "{} of {} are not used: the file system was not grown with its disk",
            text::bytes(unused),
            text::bytes(device)
        );
        let by_hand = by_hand(mount, disks[0]);
        let fix = fix(&match volumes::on(facts, disks[0]) {
            Some(_) => format!("mt-agent apply --grow, or by hand: {by_hand}"),
            None => format!("grow it: {by_hand}"),
        });
        let expected = if device < wanted { expected } else { "a file system on all of its disk".to_owned() };
        Status::unmet(found, expected, fix)
    } else if device < wanted {
        Status::unmet(text::bytes(device), expected, fix(larger))
    } else if size < wanted / 10 * 9 {
        let found =
            format!("{} on {}: it was not grown with its disk", text::bytes(size), text::bytes(device));
        Status::unmet(found, expected, fix(&format!("grow it: {}", by_hand(mount, disks[0]))))
    } else {
        Status::met(text::bytes(device))
    })
}

/// Lets the volume that we made have all of its disk, where a person asks for it.
pub(in crate::steps) fn grow(profile: &Profile, facts: &Facts, request: &Request) -> Remedy {
    let Ok((mount, disks)) = volume(profile, facts) else { return Remedy::None };
    if !request.grow || unused(facts, mount, disks[0]).is_none() {
        return Remedy::None;
    }
    let disk = disks[0];
    match volumes::on(facts, disk).filter(|_| mount.major_minor == disk.device_number() && mount.root == "/")
    {
        Some(ours) => Remedy::one(Change::GrowRetention {
            target: Target { fs_type: mount.fs_type.clone(), ..ours.target() },
            mount_point: mount.mount_point.clone(),
        }),
        None => Remedy::Refused(format!(
            "--grow is for a volume that mt-agent made, on a whole disk, and {} is none: {}",
            text::safe(&mount.source),
            not_own(profile, facts, mount.major_minor)
                .unwrap_or_else(|| format!("grow it by hand: {}", by_hand(mount, disk)))
        )),
    }
}

/// Why it cannot be determined whether there is something to grow.
pub fn growth_undetermined(profile: &Profile, facts: &Facts) -> Option<String> {
    match volume(profile, facts) {
        Ok((mount, _)) if extent(facts, mount).is_none() || mount.size_bytes.known().is_none() => {
            Some(format!("the size of the {} file system cannot be determined", mount.fs_type))
        }
        _ => None,
    }
}

/// Why there is nothing to grow.
pub fn nothing_to_grow(profile: &Profile, facts: &Facts) -> Option<String> {
    let Ok((mount, disks)) = volume(profile, facts) else {
        return Some("no retention volume is mounted".into());
    };
    if unused(facts, mount, disks[0]).is_some() {
        return None;
    }
    let name = &disks[0].name;
    Some(format!(
        "the file system has all of {name}, {} as the kernel knows it; if it was enlarged in vSphere since: `echo 1 > \
         /sys/block/{name}/device/rescan` (for each path of a map), then run again",
        text::bytes(disks[0].size_bytes)
    ))
}

/// What the file system leaves unused of its device, in bytes, where it is known and more than rounding.
fn unused(facts: &Facts, mount: &Mount, disk: &Disk) -> Option<u64> {
    extent(facts, mount)?.unused_of(device_size(disk, mount), *mount.size_bytes.known()?)
}

fn extent(facts: &Facts, mount: &Mount) -> Option<Extent> {
    facts.storage.known()?.iter().find(|one| one.major_minor == mount.major_minor)?.extent
}

/// The size of the disk, or of the partition, on which the mounted file system lies.
fn device_size(disk: &Disk, mount: &Mount) -> u64 {
    let size_of = |name: &str| disk.partitions.iter().find(|one| one.name == name).map(|one| one.size_bytes);
    let way = layers(disk, mount.major_minor);
    way.and_then(|way| way.iter().rev().find_map(|layer| size_of(layer.name))).unwrap_or(disk.size_bytes)
}

/// How a person grows the file system on `disk`, in commands.
fn by_hand(mount: &Mount, disk: &Disk) -> String {
    let grow = match mount.fs_type.as_str() {
        "xfs" => format!("`xfs_growfs {}`", pasted(&mount.mount_point)),
        "ext2" | "ext3" | "ext4" => format!("`resize2fs {}`", pasted(&mount.source)),
        other => format!("with the tools of {other}"),
    };
    match &disk.multipath {
        Some(map) => {
            format!("`multipathd -k{}`, then {grow}", pasted(&format!("resize map {}", map.dm_name)))
        }
        None => grow,
    }
}
