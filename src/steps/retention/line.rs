//! The line of fstab for the retention volume, and the name that it goes by.

use super::name::{asked, means};
use super::volumes;
use crate::changes::{Target, fstab};
use crate::facts::Facts;
use crate::facts::disks::{Disk, Map};
use crate::facts::mounts::Mount;
use crate::facts::os::Init;
use crate::facts::storage::{LVM, Storage};
use crate::host::{DeviceNumber, Uuid, device_name::is_for_fstab};
use crate::profile::Profile;
use crate::steps::devices::{alias_of, carriers};
use crate::steps::layout::own_disks::ours::not_own;
use crate::steps::remedy::Request;

/// Stands for the UUID of a file system where it is not known.
pub(super) const UUID: &str = "UUID=...";

/// The line of fstab that mounts what `name` names as `mount` is mounted now.
pub(super) fn line(facts: &Facts, name: &str, mount: &Mount) -> String {
    let options = fstab::options(Init::of(&facts.os));
    format!("{name} {} {} {options} 0 0", mount.mount_point, mount.fs_type)
}

/// What is advised in the place of a line for `mount` on `disk`, which is not known to be this host's own and which nobody names: at
/// each boot it would mount, and change, a disk of a protected machine.
pub(super) fn not_ours(
    profile: &Profile,
    facts: &Facts,
    request: &Request,
    mount: &Mount,
    disk: &Disk,
) -> Option<String> {
    let is_it = |name: &str| means(facts, name, Some(&disk.name));
    let is_named = asked(profile, facts, request).is_some_and(|named| is_it(named.name))
        || request.own_disks.iter().any(|own| is_it(own));
    not_own(profile, facts, mount.major_minor).filter(|_| !is_named)
}

/// What a person does where no name is known that cannot move.
pub(super) fn nameless(facts: &Facts, mount: &Mount) -> String {
    if let Some(shared) =
        volumes::uuid_of_mount(facts, mount).and_then(|uuid| shared(facts, uuid, mount.major_minor))
    {
        return shared;
    }
    format!(
        "{} can be another disk's name after the next restart, and no UUID of what is mounted at {} is known: blkid shows \
         it; put by hand into /etc/fstab: {}",
        mount.source,
        mount.mount_point,
        line(facts, UUID, mount)
    )
}

/// The best name for fstab: the map by its WWID, as the procedure has it, else the file system's UUID. `None` where neither
/// is known: what it is mounted by can be another disk's after the next restart.
pub(super) fn stable_name(facts: &Facts, mount: &Mount, disk: &Disk) -> Option<String> {
    if let Some(map) = &disk.multipath
        && map.major_minor == mount.major_minor
        && alias_of(facts, &map.wwid).is_none()
        && let Some(name) = map_by_id(map)
    {
        return Some(name);
    }
    let links = &facts.filesystems.known()?.by_uuid;
    let (uuid, _) = links.iter().find(|(_, device)| **device == mount.major_minor)?;
    let name = Some(format!("UUID={uuid}")).filter(|name| is_for_fstab(name));
    name.filter(|_| shared(facts, uuid, mount.major_minor).is_none())
}

/// The name for fstab of the volume `target` of ours that is on `disk`, or that will be once the changes before this one are made.
/// Errors: There is none that cannot mean another device, in words.
pub(super) fn name_to_be(facts: &Facts, disk: &Disk, target: &Target) -> Result<String, String> {
    match (disk.multipath.as_ref().and_then(map_by_id), &target.uuid) {
        (Some(map), _) => Ok(map),
        (None, Some(uuid)) => {
            shared(facts, uuid, disk.device_number()).map_or_else(|| Ok(format!("UUID={uuid}")), Err)
        }
        (None, None) => Err(format!("the UUID of what {} carries is not known", disk.name)),
    }
}

/// That other attached devices than `number` have the UUID too, and what a person does: which of them a line by that name mounts
/// at the next boot is chance.
fn shared(facts: &Facts, uuid: &Uuid, number: DeviceNumber) -> Option<String> {
    let disks = facts.disks.known()?;
    let is_other = |one: &&Storage| {
        let mut volumes = one.volumes().map(|(_, volume, _)| volume);
        volumes.any(|volume| volume.uuid == *uuid && volume.fs_type != LVM)
            && one.major_minor != number
            && !carriers(disks, one.major_minor).is_empty()
    };
    let others: Vec<_> =
        facts.storage.known()?.iter().filter(is_other).map(|one| one.name.as_str()).collect();
    (!others.is_empty()).then(|| {
        format!(
            "{} has the same UUID, so a line by that name could mount it: detach it, or see that the retention disk has its \
             multipath map (multipath.running); then mt-agent apply",
            others.join(", ")
        )
    })
}

/// The name of a map that is called by its WWID.
fn map_by_id(map: &Map) -> Option<String> {
    let name = format!("/dev/mapper/{}", map.dm_name);
    (map.dm_name == map.wwid && is_for_fstab(&name)).then_some(name)
}
