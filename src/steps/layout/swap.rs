//! Swap: a partition, active, in fstab.

use crate::facts::Facts;
use crate::facts::disks::Disk;
use crate::facts::fstab::Entry;
use crate::facts::swaps::Swap;
use crate::host::DeviceNumber;
use crate::host::device_name::can_move;
use crate::profile::Profile;
use crate::steps::devices::{LayerKind, device_name, layers, resolve};
use crate::steps::{Status, need};

use super::older::{by_its_own, misled};
use super::own_disks::ours::{not_alone, not_own};
use super::unused::{unused, uuid};

const EXPECTED: &str = "a swap partition on a disk, active, in /etc/fstab";

const MAKE: &str = "make a partition of type 82 (Linux swap) on free space or on a small disk of its own (not the \
    retention disk), `mkswap /dev/PARTITION`, add \"UUID=... swap swap defaults 0 0\" to /etc/fstab with the UUID that \
    mkswap prints, `swapon /dev/PARTITION`";

pub(super) fn swap(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    if !profile.layout.swap {
        return Err(Status::not_applicable("the profile asks for no swap"));
    }
    let unmet = |found: String, fix: String| Status::unmet(found, EXPECTED, fix);
    let fstab = need(&facts.fstab, "/etc/fstab")?;
    let entries: Vec<_> =
        fstab.iter().filter(|entry| entry.fs_type == "swap" && !entry.has("noauto")).collect();
    let swaps = match need(&facts.swaps, "the active swap") {
        Err(Status::NotApplicable { .. }) if entries.is_empty() => {
            return Ok(unmet("/etc/fstab activates no swap".to_owned(), MAKE.to_owned()));
        }
        swaps => swaps?,
    };
    let disks = need(&facts.disks, "the disks")?;
    if swaps.is_empty() {
        let older = entries.iter().find_map(|entry| Some((entry, misled(&entry.device, facts)?)));
        if let Some((entry, why)) = older {
            return Ok(unmet(
                format!(
                    "no swap is active, and line {} of /etc/fstab names {}: {why}",
                    entry.line, entry.device
                ),
                by_its_own(profile, facts, entry),
            ));
        }
        let waits = entries.iter().find(|entry| {
            let device = resolve(&entry.device, facts).ok().flatten();
            device.is_some_and(|device| kind_of(device, disks).is_some_and(LayerKind::is_partition))
        });
        return Ok(match waits {
            Some(entry) => {
                let found = format!(
                    "no swap is active, though line {} of /etc/fstab names {}",
                    entry.line, entry.device
                );
                // swapon carries out each of these lines.
                let owner = |entry: &&&Entry| not_alone(profile, facts, &entry.device);
                let not_ours: Vec<_> = entries.iter().filter_map(|entry| owner(&entry)).collect();
                let ours = entries.iter().filter(|entry| !can_move(&entry.device) && owner(entry).is_none());
                let devices: Vec<_> = ours
                    .filter_map(|entry| resolve(&entry.device, facts).ok().flatten())
                    .filter_map(|number| {
                        device_name(disks, number).map(|name| format!("`swapon /dev/{name}`"))
                    })
                    .collect();
                let fix = if not_ours.is_empty() {
                    "`swapon -a`".to_owned()
                } else {
                    [devices, not_ours].concat().join("; ")
                };
                unmet(found, fix)
            }
            None => unmet("no swap is active".to_owned(), make(profile, facts, &entries)),
        });
    }
    let (good, other): (Vec<_>, Vec<_>) = swaps.iter().partition(|swap| is_partition(swap, disks));
    let Some(first) = good.first() else {
        let what: Vec<_> = other.iter().map(|swap| describe(swap, disks)).collect();
        let found = format!("no swap partition is active, only {}", what.join(", "));
        return Ok(unmet(found, make(profile, facts, &entries)));
    };
    let (mut unknown, mut active) = (None, None);
    for entry in &entries {
        match resolve(&entry.device, facts) {
            Ok(device) => {
                let is_it = |swap: &&&Swap| device.is_some() && swap.major_minor == device;
                active = active.or(good.iter().find(is_it));
            }
            Err(status) => unknown = Some(status),
        }
    }
    // Each line counts: at the next boot one that moves activates swap on whatever carries the name then.
    let moving = entries.iter().find(|entry| can_move(&entry.device));
    if let (Some(swap), None) = (active, moving) {
        return Ok(Status::met(swap.path.clone()));
    }
    if let (None, Some(status)) = (active, unknown) {
        return Err(status);
    }
    // That of this host's own is the one to be named.
    let not_ours = |swap: &Swap| not_own(profile, facts, swap.major_minor.unwrap_or_default());
    let first = good.iter().find(|swap| not_ours(swap).is_none()).unwrap_or(first);
    if let (Some(_), Some(entry)) = (active, moving) {
        return Ok(unmet(
            format!(
                "line {} of /etc/fstab names {}, which can be another device after a restart, a disk of a protected machine \
                 among them",
                entry.line, entry.device
            ),
            not_ours(first).unwrap_or_else(|| {
                format!(
                    "put UUID=... there, with the UUID that `blkid {}` prints, or take the line out",
                    first.path
                )
            }),
        ));
    }
    let uuid = uuid(facts, first.major_minor.unwrap_or_default());
    let with = match uuid.as_str() {
        "..." => format!(" with the UUID that `blkid {}` prints", first.path),
        _ => String::new(),
    };
    Ok(unmet(
        format!("{} is active, but no line of /etc/fstab activates it at boot", first.path),
        not_ours(first)
            .or_else(|| not_alone(profile, facts, &format!("UUID={uuid}")).filter(|_| uuid != "..."))
            .unwrap_or_else(|| format!("add \"UUID={uuid} swap swap defaults 0 0\" to /etc/fstab{with}")),
    ))
}

/// How there comes to be a swap partition.
fn make(profile: &Profile, facts: &Facts, entries: &[&Entry]) -> String {
    let Some((name, uuid)) = unused(profile, facts, "swap") else { return MAKE.to_owned() };
    let gone =
        entries.iter().find(|entry| resolve(&entry.device, facts).is_ok_and(|device| device.is_none()));
    let how = match gone {
        Some(Entry { line, device, .. }) => {
            format!(
                "in line {line} of /etc/fstab put UUID={uuid} in the place of {device}, which is not there"
            )
        }
        None => format!("add \"UUID={uuid} swap swap defaults 0 0\" to /etc/fstab"),
    };
    format!(
        "{name} of the system disk is made for swap and not in use: {how}, `swapon /dev/{name}`. If it is not this host's: {MAKE}"
    )
}

/// Whether it is a partition of a disk or of a disk's multipath map. Compressed memory (zram) is a block device
/// too, but on no disk.
fn is_partition(swap: &Swap, disks: &[Disk]) -> bool {
    kind(swap, disks).is_some_and(LayerKind::is_partition)
}

fn kind(swap: &Swap, disks: &[Disk]) -> Option<LayerKind> {
    kind_of(swap.major_minor.filter(|_| swap.is_partition)?, disks)
}

fn kind_of(major_minor: DeviceNumber, disks: &[Disk]) -> Option<LayerKind> {
    let way = disks.iter().find_map(|disk| layers(disk, major_minor))?;
    way.last().map(|layer| layer.kind)
}

fn describe(swap: &Swap, disks: &[Disk]) -> String {
    let path = &swap.path;
    match kind(swap, disks) {
        _ if !swap.is_partition => format!("the swap file {path}"),
        Some(LayerKind::Disk | LayerKind::Multipath) => format!("the whole disk {path}"),
        Some(LayerKind::Lvm) => format!("the logical volume {path}"),
        Some(_) => format!("{path}, which is no partition"),
        None => format!("{path}, which is on no disk"),
    }
}

#[cfg(test)]
mod tests {
    use crate::facts::Fact;
    use crate::facts::disks::Holder;
    use crate::facts::swaps::Swap;
    use crate::steps::testing::{Judged, disks, edit, fstab};

    #[test]
    fn a_swap_partition_is_active_and_in_fstab() {
        let mut host = Judged::ready("layout.swap");
        host.is("met: /dev/sda5");

        fstab(&mut host).retain(|entry| entry.fs_type != "swap");
        host.is("unmet: /dev/sda5 is active, but no line of /etc/fstab activates it at boot | a swap partition on a disk, \
             active, in /etc/fstab | add \"UUID=68c2f3d7-1e45-4a9b-8c70-3f5d6b0e2a05 swap swap defaults 0 0\" to /etc/fstab");
        edit(&mut host.storage).clear();
        host.has("add \"UUID=... swap swap defaults 0 0\" to /etc/fstab with the UUID that `blkid /dev/sda5` prints");
        host.profile.layout.swap = false;
        host.is("not-applicable: the profile asks for no swap");
    }

    #[test]
    fn other_swap_is_no_swap_partition() {
        let mut host = Judged::ready("layout.swap");
        disks(&mut host)[0].partitions[3].holders = vec![Holder {
            name: "dm-7".into(),
            major_minor: "253:7".into(),
            dm_uuid: Some("LVM-x".into()),
            ..Holder::default()
        }];
        for (path, number, expected) in [
            ("/swapfile", None, "the swap file /swapfile"),
            ("/dev/zram0", Some("252:0"), "/dev/zram0, which is on no disk"),
            ("/dev/dm-7", Some("253:7"), "the logical volume /dev/dm-7"),
            ("/dev/sdb", Some("8:16"), "the whole disk /dev/sdb"),
        ] {
            host.swaps = Fact::Known(vec![Swap {
                path: path.into(),
                is_partition: number.is_some(),
                major_minor: number.map(Into::into),
            }]);
            host.starts(format!("unmet: no swap partition is active, only {expected} |"))
                .has("not the retention disk");
        }
    }

    #[test]
    fn what_was_only_switched_off_is_switched_on_again() {
        let mut host = Judged::ready("layout.swap");
        host.swaps = Fact::Known(vec![]);
        host.is("unmet: no swap is active, though line 6 of /etc/fstab names UUID=68c2f3d7-1e45-4a9b-8c70-3f5d6b0e2a05 | a swap \
             partition on a disk, active, in /etc/fstab | `swapon -a`");
        // Its partition is gone, or its line.
        let start = "unmet: no swap is active | ";
        let unused = "| sda5 of the system disk is made for swap and not in use: add";
        host.after(|host| disks(host)[0].partitions.truncate(3)).starts(start).has("mkswap").lacks(unused);
        fstab(&mut host).retain(|entry| entry.fs_type != "swap");
        host.starts(start).has("mkswap").has(unused);
    }

    #[test]
    fn a_line_of_a_swap_partition_that_was_made_anew_is_corrected() {
        let mut host = Judged::ready("layout.swap");
        host.swaps = Fact::Known(vec![]);
        for entry in fstab(&mut host).iter_mut().filter(|entry| entry.fs_type == "swap") {
            entry.device = "UUID=5ee3b7a2-01f3-468f-94d1-e1124fa1ef5b".into();
        }
        host.has("in line 6 of /etc/fstab put UUID=68c2f3d7-1e45-4a9b-8c70-3f5d6b0e2a05 in the place of UUID=5ee3b7a2");
    }

    #[test]
    fn the_line_of_fstab_must_be_that_of_the_active_partition() {
        let mut host = Judged::ready("layout.swap");
        let line = |host: &mut crate::facts::Facts, device: &str, option: &str| {
            let entry = fstab(host).iter_mut().find(|entry| entry.fs_type == "swap").unwrap();
            entry.device = device.into();
            entry.options = vec![option.into()];
        };
        line(&mut host, "/dev/sda50", "defaults");
        host.starts("unmet: /dev/sda5 is active, but no line");
        line(&mut host, "/dev/sda5", "noauto");
        host.starts("unmet: /dev/sda5 is active, but no line");
        line(&mut host, "PARTLABEL=swap", "defaults");
        host.starts("unknown: to which device PARTLABEL=swap");
        line(&mut host, "/dev/sda5", "defaults");
        host.starts("unmet: line 6 of /etc/fstab names /dev/sda5, which can be another device");
        line(&mut host, "UUID=68c2f3d7-1e45-4a9b-8c70-3f5d6b0e2a05", "defaults");
        host.is("met: /dev/sda5");
    }

    #[test]
    fn unknown_swap_is_unknown_and_an_image_has_only_fstab() {
        let mut host = Judged::ready("layout.swap");
        host.swaps = Fact::Unknown("no /proc/swaps".into());
        host.is("unknown: the active swap: no /proc/swaps");
        host.swaps = Fact::NotApplicable("an image's tree".into());
        host.is("not-applicable: an image's tree");
        fstab(&mut host).clear();
        host.starts("unmet: /etc/fstab activates no swap |");
    }
}
