//! The commands that release a disk which is not this host's.

use std::path::Path;

use crate::facts::disks::Disk;
use crate::facts::disks::users::Use;
use crate::facts::mounts::Mount;
use crate::host::command::quoted;
use crate::host::text;

use super::whose::{Look, describe, is_root};

/// What to do about `disk`, in use as it is.
pub(super) fn fix(look: &Look<'_>, disk: &Disk, uses: &[Use]) -> String {
    let own = match &disk.scsi_id {
        Some(id) => format!("mt-agent apply --own-disk {id}"),
        None => "give it a SCSI ID (scsi.ids) first".to_owned(),
    };
    if uses.iter().any(is_root) {
        return format!(
            "shut this machine down at once, detach {} and start it from its own disk; where its own was replaced or restored: \
             {own}",
            describe(disk)
        );
    }
    let commands: Vec<_> = commands(look, disk, uses).iter().map(|command| format!("`{command}`")).collect();
    format!(
        "{}, and leave {} to failback or detach it. If it is this host's own: {own}",
        commands.join(", "),
        disk.name
    )
}

/// In the order in which they work: swap, then what is mounted last, then what was built last.
fn commands(look: &Look<'_>, disk: &Disk, uses: &[Use]) -> Vec<String> {
    let shown = |word: &str| quoted(&text::safe(word));
    let mounts = mounted(look, disk);
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
        let is_on = match &swap.major_minor {
            Some(number) => devices.contains(&number.as_str()),
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

/// What has to be unmounted, the last first: what lies on `disk`, and what was mounted later below or over that.
fn mounted<'a>(look: &'a Look<'_>, disk: &Disk) -> Vec<&'a Mount> {
    let on_it = |mount: &Mount| look.carries(disk, mount);
    let mut found: Vec<&Mount> = Vec::new();
    for mount in &look.mounts {
        let above = |other: &&Mount| Path::new(&mount.mount_point).starts_with(&other.mount_point);
        if on_it(mount) || found.iter().any(above) {
            found.push(mount);
        }
    }
    found.reverse();
    found
}

/// The volume group of the mapping `name`, in which each hyphen of a name is doubled (LVM2's lib/misc/lvm-string.c).
pub(super) fn group_of(name: &str) -> String {
    let marked = name.replace("--", "\0");
    marked.split('-').next().unwrap_or_default().replace('\0', "-")
}
