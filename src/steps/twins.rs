//! Names that several attached devices answer to: which of them is mounted at the next boot is chance, and one can be the disk of
//! a protected machine that was made from the same template. `layout.own-disks` tells of them.

use crate::facts::Facts;
use crate::facts::disks::{Disk, Holder};
use crate::facts::retention::Volume;
use crate::facts::storage::{LVM, Read};

use super::devices::holders;
use super::links::unquoted;
use super::{Status, need};

/// A device that answers to a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Twin<'a> {
    /// The disk that carries it.
    pub disk: &'a Disk,
    /// Its kernel name: `sda3`, `dm-6`.
    pub name: &'a str,
    /// `8:3`.
    pub major_minor: &'a str,
}

impl std::fmt::Display for Twin<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.name, self.disk.scsi_id.as_deref().unwrap_or("no SCSI ID"))
    }
}

/// The devices that the first column `name` of a line of fstab, or root= of a boot entry, can mean, where it is a UUID or a label
/// and they are more than one; else none. The paths of a map, members of a RAID and physical volumes of LVM are none, nor are the
/// snapshots of a volume, to which udev prefers their origin (`DM_UDEV_LOW_PRIORITY_FLAG` of 10-dm.rules).
///
/// # Errors
/// What one of the attached devices carries could not be read.
pub fn of<'a>(name: &str, facts: &'a Facts) -> Result<Vec<Twin<'a>>, Status> {
    const KINDS: [(&str, bool); 4] =
        [("UUID=", false), ("/dev/disk/by-uuid/", false), ("LABEL=", true), ("/dev/disk/by-label/", true)];
    let value = |(kind, is_label): (&str, bool)| Some((name.strip_prefix(kind)?, is_label));
    let Some((value, is_label)) = KINDS.into_iter().find_map(value) else { return Ok(Vec::new()) };
    let Some(value) = unquoted(value) else { return Ok(Vec::new()) };
    let storage = match need(&facts.storage, "what the attached devices carry") {
        Err(Status::NotApplicable { .. }) => return Ok(Vec::new()),
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
                let named = |volume: &&Volume| value == if is_label { &volume.label } else { &volume.uuid };
                if volume.as_ref().filter(named).is_some_and(|volume| volume.fs_type != LVM)
                    && !is_snapshot(disks, number)
                {
                    found.push(Twin { disk, name, major_minor: number });
                }
            }
            Some((Ok(Read::Failed(why)), _)) => untold = Some(format!("{name}: {why}")),
            Some((Err(Status::Unknown { why }), _)) => untold = Some(why),
            _ => untold = Some(format!("{name} was not looked at")),
        }
    }
    match untold {
        _ if found.len() > 1 => Ok(found),
        Some(why) => Err(Status::Unknown {
            why: format!("whether another attached device has a name of this host's too: {why}"),
        }),
        None => Ok(Vec::new()),
    }
}

/// Whether the device is a snapshot by LVM: origin and snapshots lie on the mapping `GROUP-ORIGIN-real` (LVM2's lib/activate/dev_manager.c).
fn is_snapshot(disks: &[Disk], number: &str) -> bool {
    disks.iter().flat_map(holders).any(|holder| {
        let is_lvm = holder.dm_uuid.as_deref().is_some_and(|uuid| uuid.starts_with("LVM-"));
        let origin = holder.dm_name.as_deref().filter(|_| is_lvm).and_then(|name| name.strip_suffix("-real"));
        let is_other = |above: &Holder| above.major_minor == number && above.dm_name.as_deref() != origin;
        origin.is_some() && holder.holders.iter().any(is_other)
    })
}
