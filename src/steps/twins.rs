//! Names that several attached devices answer to: which of them is mounted at the next boot is chance, and one can be the disk of
//! a protected machine that was made from the same template. `layout.own-disks` tells of them.

use std::collections::BTreeSet;

use crate::facts::disks::users::{Use, uses};
use crate::facts::disks::{Disk, Holder, Mapped, Partitioned};
use crate::facts::filesystems::decoded;
use crate::facts::retention::Volume;
use crate::facts::storage::{BTRFS, Entry, LVM, Place, Read, Storage, dos_uuid};
use crate::facts::{Fact, Facts};
use crate::host::DeviceNumber;
use crate::host::command::quoted;

use super::devices::{device_name, resolve};
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
    pub major_minor: DeviceNumber,
    /// The number of the partition on it, where the kernel does not show that one and the name is the whole device's.
    pub unread: Option<u32>,
}

impl std::fmt::Display for Twin<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let id = self.disk.shown_id();
        write!(f, "{} ({id}", named(self.name, self.unread))?;
        f.write_str(if self.unread.is_some() { "; once the kernel has read its table)" } else { ")" })
    }
}

/// The device `name`, or a partition of it that the kernel does not show.
pub fn named(name: &str, unread: Option<u32>) -> String {
    unread.map_or_else(|| name.to_owned(), |number| format!("partition {number} of {name}"))
}

/// What a name tells of a device.
#[derive(Clone, Copy)]
enum Kind {
    Uuid,
    Label,
    PartitionUuid,
    PartitionLabel,
}

/// The devices that the first column `name` of a line of fstab, or root= of a boot entry, can mean, where it is a UUID or a label, of
/// what a device carries or of a partition, and they are more than one; else none. The paths of a map, members of a RAID and physical
/// volumes of LVM are none, nor are the snapshots of a volume, to which udev prefers their origin (`DM_UDEV_LOW_PRIORITY_FLAG` of
/// 10-dm.rules).
/// Errors: What one of the attached devices carries could not be read.
pub fn of<'a>(name: &str, facts: &'a Facts) -> Result<Vec<Twin<'a>>, Status> {
    let (found, lacking) = match answering(name, facts) {
        Err(Status::NotApplicable { .. }) => return Ok(Vec::new()),
        answer => answer?,
    };
    match lacking {
        _ if are_parts(&found, facts) => Ok(Vec::new()),
        _ if found.len() > 1 => Ok(found),
        Some(why) => Err(Status::Unknown {
            why: format!("whether another attached device has a name of this host's too: {why}"),
        }),
        None => Ok(Vec::new()),
    }
}

/// The one device that answers to such a name, as far as is known, or those over which one file system of btrfs extends; else none.
pub fn alone<'a>(name: &str, facts: &'a Facts) -> Vec<Twin<'a>> {
    match answering(name, facts) {
        Ok((found, _)) if found.len() == 1 || are_parts(&found, facts) => found,
        _ => Vec::new(),
    }
}

/// Whether these are devices of one file system of btrfs: a copy of one has its own UUID as well.
fn are_parts(found: &[Twin<'_>], facts: &Facts) -> bool {
    let Some(storage) = facts.storage.known() else { return false };
    let part = |twin: &Twin<'_>| {
        let mut volumes = at(storage, twin.major_minor)?.volumes();
        let (_, volume, part) = volumes.find(|(number, ..)| *number == twin.unread)?;
        part.filter(|_| volume.fs_type == BTRFS)
    };
    let parts: BTreeSet<&str> = found.iter().filter_map(part).collect();
    found.len() > 1 && parts.len() == found.len()
}

/// The device to which udev's link of a UUID or a label leads, where it does not carry that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misled<'a> {
    pub name: String,
    /// `8:3`.
    pub major_minor: DeviceNumber,
    /// What it carries, where that was recognised.
    pub carries: Option<&'a Volume>,
    is_label: bool,
}

impl Misled<'_> {
    /// The name by which it can be found now, as in the first column of fstab.
    pub fn by_its_own(&self) -> Option<String> {
        let volume = self.carries?;
        let (tag, value) = match self.is_label {
            true => ("LABEL", volume.label.clone()),
            false => ("UUID", volume.uuid.to_string()),
        };
        (!value.is_empty()).then(|| format!("{tag}={value}"))
    }
}

/// Whether a name leads to a device that was read and does not carry it: a link is older than what was made there since, or it
/// carries what is not recognised here.
pub fn misled<'a>(name: &str, facts: &'a Facts) -> Option<Misled<'a>> {
    /// Floppy and optical drives.
    const OTHERS: [u32; 2] = [2, 11];
    let (kind, value) = tag(name).filter(|(kind, _)| matches!(kind, Kind::Uuid | Kind::Label))?;
    let is_label = matches!(kind, Kind::Label);
    let (disks, storage) = (facts.disks.known()?, facts.storage.known()?);
    let major_minor = resolve(name, facts).ok()??;
    let (found, _) = answering(name, facts).ok()?;
    let one = at(storage, major_minor);
    // A path of a map, for example, in the place of that.
    let is_below = |twin: &Twin<'_>| one.is_none() && twin.disk.all_devices().contains(&major_minor);
    let is_it = |twin: &Twin<'_>| twin.major_minor == major_minor && twin.unread.is_none() || is_below(twin);
    // What could not be read is told by itself.
    let is_read = one.is_none_or(|one| matches!(one.read, Fact::Known(Read::Done | Read::Errors(_))));
    // A member of a RAID can begin as that does.
    let has = |volume: &Volume| if is_label { volume.label == value } else { volume.uuid == *value };
    let carries = one.and_then(|one| one.volume.as_ref());
    if carries.is_some_and(has) {
        return None;
    }
    if !is_read || found.iter().any(is_it) || OTHERS.contains(&major_minor.major()) {
        return None;
    }
    Some(Misled {
        name: device_name(disks, major_minor).map_or_else(|| major_minor.to_string(), str::to_owned),
        carries,
        is_label,
        major_minor,
    })
}

/// That it is not known whether other attached devices have a name too, as the one to which it leads carries nothing that is
/// recognised.
pub fn unrecognised(name: &str, facts: &Facts) -> Option<String> {
    let misled = misled(name, facts).filter(|misled| misled.carries.is_none())?;
    let tag_name = if misled.is_label { "LABEL" } else { "UUID" };
    let (_, value) = tag(name)?;
    Some(format!(
        "{} carries nothing that mt-agent recognises, so {name} was not compared with the other disks: `blkid -c /dev/null -t {}` \
         lists all devices with that name",
        misled.name,
        quoted(&format!("{tag_name}={value}"))
    ))
}

/// All devices that answer to a name, and why others may.
fn answering<'a>(name: &str, facts: &'a Facts) -> Result<(Vec<Twin<'a>>, Option<String>), Status> {
    let Some((kind, value)) = tag(name) else { return Ok((Vec::new(), None)) };
    let storage = need(&facts.storage, "what the attached devices carry")?;
    let disks = need(&facts.disks, "the disks")?;
    let (found, lacking) = match kind {
        Kind::Uuid | Kind::Label => {
            let is_label = matches!(kind, Kind::Label);
            let has = |volume: &Volume| if is_label { volume.label == value } else { volume.uuid == *value };
            (carrying(has, disks, storage), None)
        }
        Kind::PartitionUuid => {
            // The kernel takes either case, and a distance to another partition behind it.
            let value = value.split("/PARTNROFF=").next().unwrap_or_default().to_ascii_lowercase();
            partitions(|uuid, _| uuid == value, disks, storage)
        }
        Kind::PartitionLabel => partitions(|_, label| label == value, disks, storage),
    };
    Ok((found, lacking.or_else(|| unread(disks, storage, facts))))
}

/// Why it is not known what the attached devices carry; `None` where it is known.
pub fn untold(facts: &Facts) -> Option<String> {
    unread(facts.disks.known()?, facts.storage.known()?, facts)
}

fn tag(name: &str) -> Option<(Kind, String)> {
    const KINDS: [(&str, &str, Kind); 4] = [
        ("UUID=", "by-uuid/", Kind::Uuid),
        ("LABEL=", "by-label/", Kind::Label),
        ("PARTUUID=", "by-partuuid/", Kind::PartitionUuid),
        ("PARTLABEL=", "by-partlabel/", Kind::PartitionLabel),
    ];
    KINDS.into_iter().find_map(|(tag, link, kind)| match name.strip_prefix(tag) {
        Some(value) => Some((kind, unquoted(value)?.to_owned())),
        None => Some((kind, decoded(name.strip_prefix("/dev/disk/")?.strip_prefix(link)?))),
    })
}

/// The block devices of `disks` that can be mounted, each once: one on several disks is one.
fn ends(disks: &[Disk]) -> Vec<Twin<'_>> {
    let mut found: Vec<Twin<'_>> = Vec::new();
    for disk in disks {
        for (name, major_minor) in disk.ends() {
            if found.iter().all(|one| one.major_minor != major_minor) {
                found.push(Twin { disk, name, major_minor, unread: None });
            }
        }
    }
    found
}

fn at(storage: &[Storage], number: DeviceNumber) -> Option<&Storage> {
    storage.iter().find(|one| one.major_minor == number)
}

fn carrying<'a>(has: impl Fn(&Volume) -> bool, disks: &'a [Disk], storage: &[Storage]) -> Vec<Twin<'a>> {
    let is_one = |twin: &Twin<'_>| {
        let volume = at(storage, twin.major_minor).and_then(|one| one.volume.as_ref());
        volume.is_some_and(|volume| volume.fs_type != LVM && has(volume))
            && !is_snapshot(disks, twin.major_minor)
    };
    let mut found: Vec<_> = ends(disks).into_iter().filter(is_one).collect();
    for (disk, device) in partitioned(disks) {
        let volumes = at(storage, device.major_minor).into_iter().flat_map(Storage::volumes);
        let unread =
            volumes.filter(|(number, volume, _)| number.is_some() && volume.fs_type != LVM && has(volume));
        let (name, major_minor) = (device.name, device.major_minor);
        found.extend(unread.map(|(unread, ..)| Twin { disk, name, major_minor, unread }));
    }
    found
}

/// The partitions with the UUID and label for which `has` holds, by the tables that lie on the devices now; and why those of one
/// device are not known.
fn partitions<'a>(
    has: impl Fn(&str, &str) -> bool,
    disks: &'a [Disk],
    storage: &[Storage],
) -> (Vec<Twin<'a>>, Option<String>) {
    let (mut found, mut lacking) = (Vec::new(), None);
    for (disk, device) in partitioned(disks) {
        let Some(table) = at(storage, device.major_minor).and_then(|one| one.table.as_ref()) else {
            if !device.shown.is_empty() {
                lacking = Some(format!("the partition table of {} was not read", device.name));
            }
            continue;
        };
        let uuid =
            |number| if table.dos_id.is_empty() { String::new() } else { dos_uuid(&table.dos_id, number) };
        // A recording can lack those that lie in an extended partition.
        let mut numbers: BTreeSet<u32> = table.entries.iter().map(|entry| entry.number).collect();
        numbers.extend(device.shown.iter().map(|one| one.number));
        for number in numbers {
            let entry = table.entries.iter().find(|entry| entry.number == number && !entry.uuid.is_empty());
            let is_it = match entry {
                Some(entry) => has(&entry.uuid.to_ascii_lowercase(), &entry.label),
                None => has(&uuid(number), ""),
            };
            if is_it {
                let shown = device.shown.iter().find(|one| one.number == number);
                let (name, major_minor) =
                    shown.map_or((device.name, device.major_minor), |one| (one.name, one.major_minor));
                let unread = if shown.is_none() { Some(number) } else { None };
                found.push(Twin { disk, name, major_minor, unread });
            }
        }
    }
    (found, lacking)
}

/// What a partition table counts on, each once.
fn partitioned(disks: &[Disk]) -> Vec<(&Disk, Partitioned<'_>)> {
    let mut found: Vec<(&Disk, Partitioned<'_>)> = Vec::new();
    for disk in disks {
        for device in disk.partitioned() {
            if found.iter().all(|(_, one)| one.major_minor != device.major_minor) {
                found.push((disk, device));
            }
        }
    }
    found
}

/// A device that could not be read, or on which a partition that the kernel does not show could not, or that this host uses while
/// its table has the partitions elsewhere.
fn unread(disks: &[Disk], storage: &[Storage], facts: &Facts) -> Option<String> {
    let unread = |twin: Twin<'_>| {
        let name = twin.name;
        match at(storage, twin.major_minor).map(|one| need(&one.read, name)) {
            Some(Ok(Read::Done | Read::Errors(_) | Read::Lost(_) | Read::Unlogged(_))) => None,
            Some(Ok(Read::Failed(why))) => Some(format!("{name}: {why}")),
            Some(Err(Status::Unknown { why })) => Some(why),
            _ => Some(format!("{name} was not looked at")),
        }
    };
    let unknown_to_kernel = |(disk, device): (&Disk, Partitioned<'_>)| {
        let table = at(storage, device.major_minor)?.table.as_ref()?;
        let (places, is_used) = (device.places(), is_used(disk, facts));
        let new = |entry: &Entry| {
            let Entry { number, start_bytes, place, .. } = entry;
            // What it mounts, the next boot looks for where the table has it.
            let is_moved = || is_used && device.has_elsewhere(*number, *start_bytes);
            match place {
                _ if is_moved() => Some(number.to_string()),
                Some(Place::Read { .. }) => None,
                _ if places.have(*number, *start_bytes) => None,
                Some(Place::Unread(why)) => Some(format!("{number}: {why}")),
                None => Some(number.to_string()),
            }
        };
        let new: Vec<_> = table.entries.iter().filter_map(new).collect();
        if new.is_empty() && !table.damaged {
            return None;
        }
        let what = match table.damaged {
            true => {
                "has a partition table that is damaged or not written to its end; once it is whole".to_owned()
            }
            false => format!("has partitions that the kernel has not read ({})", new.join(", ")),
        };
        let id = disk.shown_id();
        Some(format!("{} ({id}) {what}: {}", device.name, read_again(&device, facts)))
    };
    ends(disks)
        .into_iter()
        .find_map(unread)
        .or_else(|| partitioned(disks).into_iter().find_map(unknown_to_kernel))
}

/// Whether this host uses something on `disk`, or that is not known.
fn is_used(disk: &Disk, facts: &Facts) -> bool {
    let (Some(mounts), Some(swaps)) = (facts.mounts.known(), facts.swaps.known()) else { return true };
    uses(disk, mounts, swaps).iter().any(|one| !matches!(one, Use::Held { shows_use: false, .. }))
}

/// The command that lets the kernel read the partition table of `device` again.
fn read_again(device: &Partitioned<'_>, facts: &Facts) -> String {
    let path = format!("/dev/{}", device.name.replace('!', "/"));
    match device.map {
        // As udev's own rules call it.
        Some(map) if facts.os.systemd.known() == Some(&true) => {
            format!("`kpartx -a -p -part /dev/mapper/{map}`")
        }
        Some(map) => format!("`kpartx -a -p p /dev/mapper/{map}`"),
        None if device.shown.is_empty() => format!("`blockdev --rereadpt {path}`"),
        // The kernel refuses that while one of them is in use.
        None => format!("`partprobe {path}`"),
    }
}

/// Whether the device is a snapshot by LVM: origin and snapshots lie on the mapping `GROUP-ORIGIN-real` (LVM2's lib/activate/dev_manager.c).
fn is_snapshot(disks: &[Disk], number: DeviceNumber) -> bool {
    disks.iter().flat_map(Disk::all_holders).any(|holder| {
        let is_lvm = matches!(holder.mapped(), Mapped::Lvm(_));
        let origin = holder.dm_name.as_deref().filter(|_| is_lvm).and_then(|name| name.strip_suffix("-real"));
        let is_other = |above: &Holder| above.major_minor == number && above.dm_name.as_deref() != origin;
        origin.is_some() && holder.holders.iter().any(is_other)
    })
}
