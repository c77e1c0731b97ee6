//! Whether another attached disk answers to a name by which this host finds its own.

use crate::facts::disks::Disk;
use crate::facts::disks::distinct;
use crate::host::device_name::can_move;
use crate::steps::Status;
use crate::steps::devices::{carriers, resolve};
use crate::steps::id;
use crate::steps::tally::Tally;
use crate::steps::twins::{self, Twin};

use super::called::add;
use super::owner::{Look, Name, Owner, describe};
use super::{layers, to_come, volume_groups};

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
    volume_groups::look(look, tally, fix);
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
        let why = match look.owner(disk) {
            Owner::Other(why) => why,
            Owner::NoId => {
                tally.know(Err::<(), _>(Status::Blocked { by: id::SCSI_IDS.to_owned() }));
                continue;
            }
            Owner::Own | Owner::Unknown => continue,
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
        let is_it = |twin: &Twin<'_>| twin.disk.is_same(disk);
        twins.iter().any(is_it) && !twins.iter().all(is_it)
    })
}

/// Which name has to stand there, where one of the devices alone is this host's.
fn by_disk(look: &Look<'_>, place: &str, twins: &[Twin<'_>]) -> Option<String> {
    let (own, others): (Vec<&Twin<'_>>, Vec<_>) =
        twins.iter().partition(|twin| look.owner(twin.disk) == Owner::Own);
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
