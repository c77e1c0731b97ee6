//! Names in fstab that several attached devices answer to: which of them is mounted at the next boot is chance, and one can be
//! the disk of a protected machine that was made from the same template.

use crate::facts::Facts;
use crate::facts::disks::Disk;
use crate::facts::storage::Read;

use super::links::unquoted;
use super::{Status, need};

/// What to do about it.
pub const PART_THEM: &str = "detach the disk that is not this host's; or name this host's own there by its disk: \
    /dev/mapper/SCSI-ID, or /dev/disk/by-id/scsi-SCSI-ID-partN. Write nothing to the disk of a protected machine";

/// The devices that the first column `name` of a line of fstab, or root= of a boot entry, can mean, in words, where it is a UUID or a label and they are
/// more than one. The paths of a map, members of a RAID and physical volumes of LVM are none.
///
/// # Errors
/// What one of the attached devices carries could not be read.
pub fn of(name: &str, facts: &Facts) -> Result<Option<String>, Status> {
    const KINDS: [(&str, bool); 4] =
        [("UUID=", false), ("/dev/disk/by-uuid/", false), ("LABEL=", true), ("/dev/disk/by-label/", true)];
    let value = |(kind, is_label): (&str, bool)| Some((name.strip_prefix(kind)?, is_label));
    let Some((value, is_label)) = KINDS.into_iter().find_map(value) else { return Ok(None) };
    let Some(value) = unquoted(value) else { return Ok(None) };
    let storage = match need(&facts.storage, "what the attached devices carry") {
        Err(Status::NotApplicable { .. }) => return Ok(None),
        storage => storage?,
    };
    let disks = need(&facts.disks, "the disks")?;
    let (mut found, mut seen, mut untold) = (Vec::new(), Vec::new(), None);
    let ends = disks.iter().flat_map(|disk| disk.ends().into_iter().map(move |end| (disk, end)));
    for (disk, (name, number)) in ends {
        // A device on several disks is one.
        if seen.contains(&number) {
            continue;
        }
        seen.push(number);
        let one = storage.iter().find(|one| one.major_minor == number);
        let read = one.map(|one| (need(&one.read, name), &one.volume));
        match read {
            Some((Ok(Read::Done | Read::Errors(_)), volume)) => {
                let volume = volume.as_ref();
                if volume.is_some_and(|volume| value == if is_label { &volume.label } else { &volume.uuid }) {
                    found.push(describe(disk, name));
                }
            }
            Some((Ok(Read::Failed(why)), _)) => untold = Some(format!("{name}: {why}")),
            Some((Err(Status::Unknown { why }), _)) => untold = Some(why),
            _ => untold = Some(format!("{name} was not looked at")),
        }
    }
    match untold {
        _ if found.len() > 1 => Ok(Some(found.join(" and "))),
        Some(why) => Err(Status::Unknown {
            why: format!(
                "whether another attached device has a name of /etc/fstab or the boot entry too: {why}"
            ),
        }),
        None => Ok(None),
    }
}

fn describe(disk: &Disk, name: &str) -> String {
    format!("{name} ({})", disk.scsi_id.as_deref().unwrap_or("no SCSI ID"))
}
