//! The commands that release a disk which is not this host's.

use std::path::Path;

use crate::facts::disks::Disk;
use crate::facts::disks::users::Use;
use crate::facts::mounts::Mount;
use crate::host::command::pasted;
use crate::steps::unmounting;

use super::names::has_rival;
use super::owner::{Look, describe, is_root};
use super::volume_groups::{active, group_of, is_own};

/// How the advice begins where / lies on a foreign disk.
pub(super) const LEAVE: &str = "shut this machine down at once";

/// What to do about `disk`, in use as it is.
pub(super) fn fix(look: &Look<'_>, disk: &Disk, uses: &[Use]) -> String {
    // What would be refused is not advised.
    let is_refused = has_rival(look, disk);
    let own = match disk.id() {
        _ if is_refused => "detach first the other disk that has a name of it".to_owned(),
        Some(id) => format!("mt-agent apply --own-disk {id}"),
        None => "give it a SCSI ID (scsi.ids) first".to_owned(),
    };
    if uses.iter().any(is_root) {
        let leave = format!("{LEAVE}, detach {} and start it from its own disk", describe(disk));
        return match is_refused {
            true => leave,
            false => format!("{leave}; where its own was replaced or restored: {own}"),
        };
    }
    let all = commands(look, disk, uses);
    let mut all: Vec<_> = all.iter().map(|command| format!("`{command}`")).collect();
    let shared = active(disk).map(|(group, _)| group).find(|group| is_own(look, group));
    all.push(match shared {
        // A command of LVM that is given the name can take either.
        Some(group) => format!("detach {}: this host's own volume group has the name {group} too", disk.name),
        None => format!("and leave {} to failback or detach it", disk.name),
    });
    let owner = match disk.id() {
        Some(id) if look.is_in_its_place(disk) => format!(
            "If it carries this host's retention volume: mt-agent apply --adopt-retention {id} where mt-agent made it, else {own}"
        ),
        _ => format!("If it is this host's own: {own}"),
    };
    format!("{}. {owner}", all.join(", "))
}

/// In the order in which they work: swap, then what is mounted last, then what was built last.
fn commands(look: &Look<'_>, disk: &Disk, uses: &[Use]) -> Vec<String> {
    let shown = pasted;
    let mounts = unmounting::order(&look.mounts, |mount| look.carries(disk, mount));
    let in_file = |path: &str| {
        let over = |mount: &&&Mount| Path::new(path).starts_with(&mount.mount_point);
        // The nearest mount above the file.
        let nearest =
            look.mounts.iter().filter(|mount| over(&mount)).max_by_key(|mount| mount.mount_point.len());
        nearest.is_some_and(|nearest| mounts.iter().any(|mount| std::ptr::eq(*mount, nearest)))
    };
    let devices = disk.all_devices();
    let mut all = Vec::new();
    for swap in look.swaps {
        let is_on = match swap.major_minor {
            Some(number) => devices.contains(&number),
            None => !swap.is_partition && in_file(&swap.path),
        };
        all.extend(is_on.then(|| format!("swapoff {}", shown(&swap.path))));
    }
    for mount in mounts {
        all.push(format!("umount {}", shown(&mount.mount_point)));
        let is_loop = mount.source.starts_with("/dev/loop");
        all.extend(is_loop.then(|| format!("losetup -d {}", shown(&mount.source))));
    }
    for one in uses.iter().rev() {
        let Use::Held { by, .. } = one else { continue };
        let (kind, name) = by.split_once(' ').unwrap_or(("", by));
        let command = match kind {
            "LVM" if is_own(look, &group_of(name)) => continue,
            "LVM" => format!("vgchange -an {}", shown(&group_of(name))),
            "RAID" => format!("mdadm --stop {}", shown(&format!("/dev/{name}"))),
            "encryption" => format!("cryptsetup luksClose {}", shown(name)),
            "device-mapper" => format!("dmsetup remove {}", shown(name)),
            _ => format!("ls /sys/block/{}/holders", shown(&disk.name)),
        };
        if !all.contains(&command) {
            all.push(command);
        }
    }
    all
}
