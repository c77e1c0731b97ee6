//! By what a disk is known.

use crate::facts::Facts;
use crate::facts::disks::{Disk, not_one_disk};
use crate::host::{ScsiId, text};

/// The disk in words: `sdb (36000c29…, 1 TiB)`.
pub(super) fn describe(disk: &Disk) -> String {
    let id = disk.shown_id();
    format!("{} ({id}, {})", disk.name, text::bytes(disk.size_bytes))
}

/// The SCSI ID by which the disk is known when it is written to: it must have one, and no other disk the same.
pub(in crate::steps) fn identity(facts: &Facts, disk: &Disk) -> Result<ScsiId, String> {
    let known = disk.scsi_id.as_ref().map_err(|no_id| {
        format!(
            "{} has no SCSI ID ({}), so it cannot be distinguished from another disk: see scsi.ids",
            disk.name, no_id.why
        )
    })?;
    let id = known.id.clone();
    let same: Vec<_> = facts
        .disks
        .known()
        .into_iter()
        .flatten()
        .filter(|other| other.has_id(&id) && !other.is_same(disk))
        .map(|other| other.name.as_str())
        .collect();
    if !same.is_empty() {
        return Err(format!(
            "{} answers with the SCSI ID {id} of {} too: see scsi.ids-unique",
            disk.name,
            same.join(", ")
        ));
    }
    let paths = facts.disks.known().into_iter().flatten();
    match not_one_disk(paths.filter(|other| other.is_same(disk))) {
        Some(why) => Err(format!(
            "{} cannot be distinguished from another disk: {why}: see scsi.ids-unique",
            disk.name
        )),
        None => Ok(id),
    }
}
