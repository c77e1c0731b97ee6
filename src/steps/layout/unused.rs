//! What a device carries, and which carries something that nothing uses.

use crate::facts::Facts;
use crate::facts::storage::Storage;
use crate::host::{DeviceNumber, Uuid};
use crate::profile::Profile;
use crate::steps::devices::{carriers, mount_at};

use super::own_disks::ours::not_alone;

/// The UUID of what the device carries; `...` where it is not known.
pub(super) fn uuid(facts: &Facts, major_minor: DeviceNumber) -> String {
    let mut all = facts.storage.known().into_iter().flatten();
    let device = all.find(|device| device.major_minor == major_minor);
    let volume = device.and_then(|device| device.volume.as_ref());
    let uuid = volume.map(|volume| &volume.uuid).filter(|uuid| !uuid.is_empty());
    uuid.map_or_else(|| "...".to_owned(), Uuid::to_string)
}

/// The one partition of the disk that carries `/` whose content is of the kind `fs_type` and that nothing uses now: its name and
/// its UUID, where that leads to it alone, and it is this host's own. Where there are several, which is meant is not known.
pub(super) fn unused<'a>(profile: &Profile, facts: &'a Facts, fs_type: &str) -> Option<(&'a str, &'a Uuid)> {
    let (mounts, swaps) = (facts.mounts.known()?, facts.swaps.known()?);
    let root = mount_at(mounts, "/")?;
    let disk = carriers(facts.disks.known()?, root.major_minor).into_iter().next()?;
    let is_used = |number: DeviceNumber| {
        mounts.iter().any(|mount| mount.major_minor == number)
            || swaps.iter().any(|swap| swap.major_minor == Some(number))
    };
    let free = |device: &&Storage| {
        disk.partitions.iter().any(|partition| partition.major_minor == device.major_minor)
            && !is_used(device.major_minor)
    };
    let mut all = facts.storage.known()?.iter().filter(free).filter_map(|device| {
        let volume = device
            .volume
            .as_ref()
            .filter(|volume| volume.fs_type.starts_with(fs_type) && !volume.uuid.is_empty())?;
        Some((device.name.as_str(), &volume.uuid))
    });
    let one = all.next().filter(|_| all.next().is_none());
    one.filter(|(_, uuid)| not_alone(profile, facts, &format!("UUID={uuid}")).is_none())
}
