//! The commands that release a disk which is not this host's.

use std::collections::BTreeSet;
use std::path::Path;

use crate::facts::disks::users::Use;
use crate::facts::disks::{Disk, Holder, Mapped};
use crate::facts::mounts::Mount;
use crate::facts::storage::UUID_LETTERS;
use crate::host::command::pasted;
use crate::steps::devices::holders;
use crate::steps::unmounting;

use super::whose::{Look, Whose, describe, is_root};

/// How the advice begins where / lies on a foreign disk.
pub(super) const LEAVE: &str = "shut this machine down at once";

/// What to do about `disk`, in use as it is.
pub(super) fn fix(look: &Look<'_>, disk: &Disk, uses: &[Use]) -> String {
    // What would be refused is not advised.
    let is_refused = super::names::has_rival(look, disk);
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
    let whose = match disk.id() {
        Some(id) if look.is_in_its_place(disk) => format!(
            "If it carries this host's retention volume: mt-agent apply --adopt-retention {id} where mt-agent made it, else {own}"
        ),
        _ => format!("If it is this host's own: {own}"),
    };
    format!("{}. {whose}", all.join(", "))
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

/// The volume groups with an active volume on this host's own disks: name and UUID.
pub(super) fn own_groups(look: &Look<'_>) -> BTreeSet<(String, Option<String>)> {
    look.disks.iter().filter(|disk| look.whose(disk) == Whose::Own).flat_map(active).collect()
}

/// Whether a volume group of this host's has the name.
fn is_own(look: &Look<'_>, group: &str) -> bool {
    own_groups(look).iter().any(|(own, _)| own == group)
}

/// The volume groups with an active volume on `disk`: name and UUID, with which the UUID of the mapping begins (LVM2's
/// lib/activate/dev_manager.c).
fn active(disk: &Disk) -> impl Iterator<Item = (String, Option<String>)> {
    let of_lvm = |holder: &Holder| {
        let Mapped::Lvm(uuid) = holder.mapped() else { return None };
        let group = uuid.get(..UUID_LETTERS).filter(|_| uuid.len() >= 2 * UUID_LETTERS);
        Some((group_of(holder.dm_name.as_deref()?), group.map(str::to_owned)))
    };
    holders(disk).into_iter().filter_map(of_lvm)
}

/// The volume group of the mapping `name`, in which each hyphen of a name is doubled (LVM2's lib/misc/lvm-string.c).
pub(super) fn group_of(name: &str) -> String {
    let marked = name.replace("--", "\0");
    marked.split('-').next().unwrap_or_default().replace('\0', "-")
}
