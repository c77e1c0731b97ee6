//! Whether another attached disk answers to a name by which this host finds its own.

use crate::facts::disks::Disk;
use crate::facts::retention::Volume;
use crate::facts::storage::{LVM, Storage};
use crate::steps::devices::{can_move, carriers, distinct, resolve, same_map};
use crate::steps::ids;
use crate::steps::tally::Tally;
use crate::steps::twins::{self, Twin};
use crate::steps::{Status, need};

use super::release::own_groups;
use super::whose::{Look, Name, Whose, describe};
use super::{layers, to_come};

const PART_THEM: &str = "detach the disk that is not this host's, or name this host's own there by its disk: /dev/mapper/SCSI-ID, or \
    /dev/disk/by-id/scsi-SCSI-ID-partN. Write nothing to the disk of a protected machine";

pub(super) fn look(look: &Look<'_>, tally: &mut Tally, fix: &mut Vec<String>) {
    for one in look.names() {
        let Name { ref place, name, .. } = one;
        let Some(twins) = tally.know(twins::of(name, look.facts)) else { continue };
        if twins.is_empty() {
            if let Some(why) = twins::unrecognised(name, look.facts) {
                tally.unknown(format!(
                    "{place}: {why}; or name it by its disk: /dev/disk/by-id/scsi-SCSI-ID-partN"
                ));
            }
            leads_elsewhere(look, one, tally, fix);
            continue;
        }
        let list: Vec<_> = twins.iter().map(Twin::to_string).collect();
        tally.problem(format!("{place}: {name} can mean {}", list.join(" and ")));
        add(fix, by_disk(look, place, &twins).unwrap_or_else(|| PART_THEM.to_owned()));
    }
    // The agent itself knows the retention volume again by its UUID.
    if let Some(record) = look.facts.retention_record.known().and_then(Option::as_ref)
        && let Some(twins) = tally.know(twins::of(&format!("UUID={}", record.uuid), look.facts))
        && !twins.is_empty()
    {
        let list: Vec<_> = twins.iter().map(Twin::to_string).collect();
        let problem = format!("the retention volume, UUID={}, can be {}", record.uuid, list.join(" and "));
        tally.problem(problem);
        add(fix, format!("detach the copy: the volume is on record on {}", record.scsi_id));
    }
    groups(look, tally, fix);
    layers::look(look, tally, fix);
}

/// A name that a disk alone has that is not this host's, and that nothing uses yet: its own is away, and the next boot takes the
/// other one. Of a name that can move more is said by `layout.next-boot`.
fn leads_elsewhere(
    look: &Look<'_>,
    Name { place, name, mount_point, is_retention }: Name<'_>,
    tally: &mut Tally,
    fix: &mut Vec<String>,
) {
    // What a record that cannot be read says of it is told already.
    if is_retention && look.facts.retention_record.known().is_none() {
        return;
    }
    let alone = twins::alone(name, look.facts);
    let mut leads = "leads";
    let disks = match resolve(name, look.facts) {
        _ if !alone.is_empty() => alone.iter().map(|twin| twin.disk).collect(),
        _ if can_move(name) => return,
        Ok(Some(number)) => carriers(look.disks, number),
        Ok(None) => {
            leads = "will lead";
            to_come::disks(name, look.facts, look.disks)
        }
        // Of what is in use, that one tells.
        Err(_) if look.is_active(mount_point) => return,
        Err(status) => {
            tally.know(Err::<(), _>(status));
            return;
        }
    };
    let disks = distinct(disks);
    let alone = if disks.len() == 1 { " alone" } else { "" };
    for disk in disks {
        // What is in use is told already.
        if !look.uses(disk).is_empty() || is_retention && look.is_made(disk) {
            continue;
        }
        let why = match look.whose(disk) {
            Whose::Other(why) => why,
            Whose::NoId => {
                tally.know(Err::<(), _>(Status::Blocked { by: ids::SCSI_IDS.to_owned() }));
                continue;
            }
            Whose::Own | Whose::Untold => continue,
        };
        let disk_name = describe(disk);
        tally.problem(format!("{place}: {name} {leads} to {disk_name}{alone}, {why}"));
        let own = match disk.id() {
            Some(id) if is_retention => format!("mt-agent apply --adopt-retention {id}"),
            Some(id) => format!("mt-agent apply --own-disk {id}"),
            None => "give it a SCSI ID (scsi.ids) first".to_owned(),
        };
        add(
            fix,
            format!(
                "mount, swap on and check nothing of {disk_name}, and do not restart: detach it, or take {name} out of {place} until \
                 this host's own disk is back. If it is this host's own: {own}"
            ),
        );
    }
}

/// Whether another attached disk has a name of this host's that `disk` has: then neither is put on record by a person's word.
pub(super) fn has_rival(look: &Look<'_>, disk: &Disk) -> bool {
    look.names().iter().any(|Name { name, .. }| {
        let twins = twins::of(name, look.facts).unwrap_or_default();
        let is_it = |twin: &Twin<'_>| same_map(twin.disk, disk) || twin.disk.name == disk.name;
        twins.iter().any(is_it) && !twins.iter().all(is_it)
    })
}

/// Which name has to stand there, where one of the devices alone is this host's.
fn by_disk(look: &Look<'_>, place: &str, twins: &[Twin<'_>]) -> Option<String> {
    let (own, others): (Vec<&Twin<'_>>, Vec<_>) =
        twins.iter().partition(|twin| look.whose(twin.disk) == Whose::Own);
    let ([own], [_, ..]) = (own.as_slice(), others.as_slice()) else { return None };
    // It has no name yet.
    if own.unread.is_some() {
        return None;
    }
    let links = &look.facts.filesystems.known()?.by_id;
    // The name by the ID alone; the others have the model in them, or are the device mapper's own.
    let is_stable = |link: &str| ["scsi-3", "dm-name-"].iter().any(|kind| link.starts_with(kind));
    let (link, _) = links.iter().find(|(link, number)| **number == own.major_minor && is_stable(link))?;
    let mut disks: Vec<_> = others.iter().map(|twin| describe(twin.disk)).collect();
    disks.dedup();
    Some(format!(
        "in {place}, put /dev/disk/by-id/{link} in the place of its UUID or label, or detach {}, to which nothing may be written",
        disks.join(", ")
    ))
}

/// Volume groups of this host's whose name a physical volume on another disk has. One of the very group, by the UUID of that, is this
/// host's too, unless it is a copy of another one.
fn groups(look: &Look<'_>, tally: &mut Tally, fix: &mut Vec<String>) {
    let own = own_groups(look);
    if own.is_empty() {
        return;
    }
    let Some(storage) = tally.know(need(&look.facts.storage, "what the attached devices carry")) else {
        return;
    };
    if let Some(why) = twins::untold(look.facts) {
        tally.unknown(format!("whether another attached device has a name of this host's too: {why}"));
    }
    for disk in look.disks.iter().filter(|disk| look.whose(disk) != Whose::Own) {
        for Physical { on, number, volume, group: id_of_it } in physical(disk, storage) {
            let group = &volume.label;
            let mut ids = own.iter().filter(|(own, _)| own == group).map(|(_, id)| id).peekable();
            if ids.peek().is_none() {
                continue;
            }
            let is_same = |id: &Option<String>| Some(id.as_deref()? == id_of_it?);
            let same: Vec<_> = ids.map(is_same).collect();
            let name = called(disk, on, number);
            let detach = format!("detach {} before any command of LVM", disk.name);
            if same.contains(&Some(true)) {
                let all = storage.iter().flat_map(|one| one.volumes().map(move |told| (one, told)));
                let mut copies = all.filter(|(other, (of, copy, _))| {
                    (other.major_minor, *of) != (on.major_minor, number)
                        && copy.fs_type == LVM
                        && copy.uuid == volume.uuid
                });
                if let Some((other, (of, ..))) = copies.next() {
                    tally.problem(format!(
                        "{name} is a copy of {}, a physical volume of this host's own volume group {group}",
                        twins::named(&other.name, of)
                    ));
                    add(fix, format!("{detach}, which may take either"));
                }
            } else if same.contains(&None) {
                tally.problem(format!(
                    "{name} belongs to a volume group {group}, as this host's own is named"
                ));
                let own = disk.id().map(|id| format!("mt-agent apply --own-disk {id}"));
                add(
                    fix,
                    format!(
                        "{detach}, which may take either group. If it belongs to this host's own group: {}",
                        own.as_deref().unwrap_or("give it a SCSI ID (scsi.ids) first")
                    ),
                );
            } else {
                tally.problem(format!(
                    "{name} belongs to another volume group {group} than this host's own of that name"
                ));
                add(fix, format!("{detach}, which may take either group"));
            }
        }
    }
}

/// A physical volume of LVM.
struct Physical<'a> {
    /// The device on which it lies.
    on: &'a Storage,
    /// The number of its partition there, where the kernel does not show that.
    number: Option<u32>,
    volume: &'a Volume,
    /// The UUID of its group.
    group: Option<&'a str>,
}

fn physical<'a>(disk: &Disk, storage: &'a [Storage]) -> Vec<Physical<'a>> {
    let of = |on: &'a Storage| {
        on.volumes().map(move |(number, volume, group)| Physical { on, number, volume, group })
    };
    let all = storage.iter().flat_map(of);
    all.filter(|one| one.volume.fs_type == LVM && is_there(disk, one.on, one.number)).collect()
}

/// Whether a device on `disk`, or the partition `number` of it that the kernel does not show, is in no use.
pub(super) fn is_there(disk: &Disk, on: &Storage, number: Option<u32>) -> bool {
    match number {
        None => disk.ends().iter().any(|(_, number)| *number == on.major_minor),
        Some(_) => disk.partitioned().iter().any(|one| one.major_minor == on.major_minor),
    }
}

/// How a device on `disk` is called in a finding.
pub(super) fn called(disk: &Disk, on: &Storage, number: Option<u32>) -> String {
    match number {
        Some(number) if on.name == disk.name => twins::named(&describe(disk), Some(number)),
        _ => format!("{} of {}", twins::named(&on.name, number), describe(disk)),
    }
}

pub(super) fn add(fix: &mut Vec<String>, what: String) {
    if !fix.contains(&what) {
        fix.push(what);
    }
}
