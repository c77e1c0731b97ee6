//! Whose a disk is, and what of this host lies on it.

use std::collections::BTreeSet;

use crate::facts::Facts;
use crate::facts::disks::Disk;
use crate::facts::disks::users::{Use, uses};
use crate::facts::fstab::Entry;
use crate::facts::identity::{Kind, Mark, Record};
use crate::facts::mounts::Mount;
use crate::facts::retention::{self, uuid_of};
use crate::facts::swaps::Swap;
use crate::host::DeviceNumber;
use crate::host::device_name::can_move;
use crate::profile::Profile;
use crate::steps::devices::{carriers, mount_at, mount_over, resolve, same_path};
use crate::steps::image::lost;
use crate::steps::tally::Tally;
use crate::steps::{Status, need, twins};

/// Whose a disk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// This host's own.
    Own,
    /// Not this host's, as far as is known, and why.
    Other(&'static str),
    /// Several disks answer to the name by which it is this host's.
    Unknown,
    /// It has no SCSI ID by which it could be looked up.
    NoId,
}

const NOT_ON_RECORD: &str = "which is not on record as a disk of this host";
pub(super) const LOST: &str =
    "of which the record that is lost does not say any more whether it is this host's";
pub(super) const OLDER: &str = "of which the record of an older mt-agent does not say whether it is this host's, while a disk that it saw is \
    not attached";
pub(super) const AT_WORK: &str = "of which no record says whether it is this host's, while the vendor's script or mt-agent has been at work \
    here: a disk that was attached since can have the names of this host's own";
const NOT_NAMED: &str = "which no line of /etc/fstab names by a name that stays";
const ONE_OF_SEVERAL: &str = "whose name in /etc/fstab another attached disk has too";
const OF_ANOTHER: &str = "of whose file systems this host's own disk has the names too";

/// A name that the next boot goes by.
pub(super) struct Name<'a> {
    pub place: String,
    pub name: &'a str,
    /// `swap` of a line for that.
    pub mount_point: &'a str,
    /// Whether it is to be mounted as the retention volume.
    pub is_retention: bool,
}

/// What is needed to tell.
pub(super) struct Look<'a> {
    pub facts: &'a Facts,
    pub disks: &'a [Disk],
    /// What is mounted from a loop device, or from what is built on some, has the number of what lies below: it is there once for
    /// each of them.
    pub mounts: Vec<Mount>,
    /// The mounts as the kernel tells them.
    pub all_mounts: &'a [Mount],
    pub swaps: &'a [Swap],
    pub fstab: &'a [Entry],
    pub recorded: Option<&'a Record>,
    /// What shows that there was one, where there is none.
    pub lost: Option<&'static str>,
    /// Whether this was made a master target before, while no disk is on record.
    was_at_work: bool,
    retention: &'a str,
}

impl<'a> Look<'a> {
    pub fn new(profile: &'a Profile, facts: &'a Facts) -> Result<Self, Status> {
        let mounts = need(&facts.mounts, "the mounts")?;
        let disks = need(&facts.disks, "the disks")?;
        let below = |mount: &Mount| {
            let numbers = below(mount.major_minor, facts, mounts, disks);
            numbers.into_iter().map(|major_minor| Mount { major_minor, ..mount.clone() }).collect::<Vec<_>>()
        };
        let recorded = need(&facts.identity.recorded, "the record of this machine's identity")?.as_ref();
        let lost = if recorded.is_none() { lost::trace(facts)? } else { None };
        let is_told = recorded.is_some_and(Record::names_a_disk);
        let was_at_work = !is_told && lost::was_at_work(facts)?;
        Ok(Self {
            facts,
            disks,
            mounts: mounts.iter().flat_map(below).collect(),
            all_mounts: mounts,
            swaps: need(&facts.swaps, "the active swap")?,
            fstab: need(&facts.fstab, "/etc/fstab")?,
            recorded,
            lost,
            was_at_work,
            retention: &profile.retention.mount_point,
        })
    }

    /// What uses `disk`, but for a multipath map and partitions, which say nothing of whose it is.
    pub fn uses(&self, disk: &Disk) -> Vec<Use> {
        let mut all = uses(disk, &self.mounts, self.swaps);
        all.retain(|one| !matches!(one, Use::Held { shows_use: false, .. }));
        all
    }

    /// Whether `mount` lies on `disk`.
    pub fn carries(&self, disk: &Disk, mount: &Mount) -> bool {
        uses(disk, std::slice::from_ref(mount), &[]).iter().any(|one| matches!(one, Use::Mounted { .. }))
    }

    pub fn owner(&self, disk: &Disk) -> Owner {
        if self.is_retention(disk) {
            return Owner::Own;
        }
        let Some(record) = self.recorded else {
            // What else is in use now may have come after it.
            let is_root = self.uses(disk).iter().any(is_root);
            return if self.lost.is_some() && !is_root {
                Owner::Other(LOST)
            } else {
                self.by_what_is_left(disk)
            };
        };
        let id = match disk.id_of_scsi() {
            Ok(Some(id)) => id,
            Err(_) if record.own_disks.is_some() => return Owner::NoId,
            _ => return self.by_what_is_left(disk),
        };
        if !record.names_a_disk() {
            return self.by_what_is_left(disk);
        }
        let is_root = self.uses(disk).iter().any(is_root);
        // Records of older agents tell what was there. That of a machine whose disks had no SCSI IDs then tells of none.
        let tells = record.knows(Kind::RootDisk) || !is_root && record.knows(Kind::Disk);
        let was_there = record.saw(id) && (!is_root || self.is_root_owned(record));
        if record.owns(id) {
            Owner::Own
        } else if record.own_disks.is_some() || tells && !was_there {
            Owner::Other(NOT_ON_RECORD)
        } else if !is_root && tells && self.lacks_a_disk(record) {
            // What is attached in the place of an own disk may have been seen as well.
            match self.without_record(disk) {
                Owner::Own => Owner::Other(OLDER),
                other => other,
            }
        } else {
            self.without_record(disk)
        }
    }

    /// Where no disk is on record: what lies on the disk of `/` shows that this is the one on which the host was made, and nothing of
    /// that says so of the others.
    fn by_what_is_left(&self, disk: &Disk) -> Owner {
        let owner = self.without_record(disk);
        let is_shown = || self.uses(disk).iter().any(is_root) || self.is_in_its_place(disk);
        let is_doubtful = self.was_at_work && disk.is_scsi() && owner == Owner::Own && !is_shown();
        if is_doubtful { Owner::Other(AT_WORK) } else { owner }
    }

    /// Whether a disk on record is not attached now.
    fn lacks_a_disk(&self, record: &Record) -> bool {
        let seen: BTreeSet<Mark> = self.disks.iter().filter_map(Disk::id).map(|id| record.disk(id)).collect();
        let of_disk = |mark: &&Mark| matches!(mark.kind, Kind::RootDisk | Kind::Disk);
        record.marks.iter().filter(of_disk).any(|mark| !seen.iter().any(|one| one.sha256 == mark.sha256))
    }

    /// Whether one of the disks that carry `/`, of a RAID for example, is on record.
    fn is_root_owned(&self, record: &Record) -> bool {
        let of_root = self.disks.iter().filter(|disk| self.uses(disk).iter().any(is_root));
        of_root.filter_map(Disk::id).any(|id| record.owns(id))
    }

    /// Whether it carries the retention volume by that one's record; where there is none, the volume is mounted in its place, and
    /// has the UUID that follows from the SCSI ID of the disk on which it was made.
    pub fn is_retention(&self, disk: &Disk) -> bool {
        let Some(id) = disk.id() else { return false };
        if let Some(record) = self.retention_record() {
            return record.scsi_id == *id;
        }
        self.is_in_its_place(disk) && self.is_made(disk)
    }

    fn retention_record(&self) -> Option<&retention::Record> {
        self.facts.retention_record.known().and_then(Option::as_ref)
    }

    /// Whether what is mounted as the retention volume lies on `disk`.
    pub fn is_in_its_place(&self, disk: &Disk) -> bool {
        let mount = mount_at(&self.mounts, self.retention);
        mount.is_some_and(|mount| disk.all_devices().contains(&mount.major_minor))
    }

    /// Before anything is on record: the disk with `/` is this host's, one that a person mounted as the retention volume is, and
    /// what /etc/fstab names is, where nothing else has that name. Nobody attaches a protected machine's disk to a host before it
    /// is a master target.
    fn without_record(&self, disk: &Disk) -> Owner {
        let used = self.uses(disk);
        if used.iter().any(is_root) || self.retention_record().is_none() && self.is_in_its_place(disk) {
            return Owner::Own;
        }
        let mut owner = Owner::Other(NOT_NAMED);
        for entry in self.fstab.iter().filter(|entry| self.leads_to(entry, disk, &used)) {
            match twins::of(&entry.device, self.facts) {
                Ok(twins) if !twins.is_empty() => {
                    let others = twins.iter().filter(|twin| twin.disk.name != disk.name);
                    let is_roots = others.into_iter().any(|twin| self.uses(twin.disk).iter().any(is_root));
                    owner = match entry.options.iter().any(|option| option == "noauto") {
                        _ if is_roots => Owner::Other(OF_ANOTHER),
                        // Of these names nothing is said below.
                        true => Owner::Other(ONE_OF_SEVERAL),
                        false => Owner::Unknown,
                    };
                }
                // What is not known is told where the names are looked at.
                _ => return Owner::Own,
            }
        }
        owner
    }

    /// Whether a line of fstab is for something on `disk`; of a name that is not among the facts, by what is there now. A name that
    /// can be another disk's after a restart is for none; of a label its twins tell.
    fn leads_to(&self, entry: &Entry, disk: &Disk, used: &[Use]) -> bool {
        let is_label = ["LABEL=", "/dev/disk/by-label/"].iter().any(|kind| entry.device.starts_with(kind));
        if can_move(&entry.device) && !is_label {
            return false;
        }
        match resolve(&entry.device, self.facts) {
            Ok(number) => number.is_some_and(|number| disk.all_devices().contains(&number)),
            Err(_) => used.iter().any(|one| match one {
                Use::Mounted { at, .. } => same_path(at, &entry.mount_point),
                Use::Swap { .. } => entry.fs_type == "swap",
                Use::Held { .. } => false,
            }),
        }
    }

    /// Names that the next boot goes by. `fsck -A` of CentOS 6 checks what has a pass, `noauto` or not.
    pub fn names(&self) -> Vec<Name<'a>> {
        let is_manual = |entry: &&Entry| entry.pass == 0 && entry.options.iter().any(|one| one == "noauto");
        let lines = self.fstab.iter().filter(|entry| !is_manual(entry));
        let mut all: Vec<Name<'a>> = lines
            .map(|entry| Name {
                place: format!("line {} of /etc/fstab ({})", entry.line, entry.mount_point),
                name: &entry.device,
                mount_point: if entry.fs_type == "swap" { "swap" } else { &entry.mount_point },
                is_retention: same_path(&entry.mount_point, self.retention),
            })
            .collect();
        if let Some(entry) = self.facts.boot_entry.known().and_then(Option::as_ref) {
            // Of what is resumed from no mount tells.
            for (key, mount_point) in [("root", "/"), ("resume", "")] {
                let place = format!("{key}= of {}", entry.file);
                let names = entry.devices(key);
                all.extend(names.map(|name| Name {
                    place: place.clone(),
                    name,
                    mount_point,
                    is_retention: false,
                }));
            }
        }
        all
    }

    /// Whether something is mounted there; of swap, whether some is active.
    pub fn is_active(&self, mount_point: &str) -> bool {
        match mount_point {
            "swap" => !self.swaps.is_empty(),
            _ => mount_at(&self.mounts, mount_point).is_some(),
        }
    }

    /// Whether `disk` carries a volume with the UUID that follows from its SCSI ID, which an apply made there.
    pub fn is_made(&self, disk: &Disk) -> bool {
        let Some(id) = disk.id() else { return false };
        let (devices, uuid) = (disk.all_devices(), uuid_of(id));
        let mut storage = self.facts.storage.known().into_iter().flatten();
        storage.any(|one| {
            devices.contains(&one.major_minor)
                && one.volume.as_ref().is_some_and(|volume| volume.uuid == uuid)
        })
    }

    /// Notes what is mounted or swapped on and lies on none of the disks.
    pub fn on_no_disk(&self, tally: &mut Tally) {
        /// Memory, floppy and optical drives, by their major numbers.
        const OTHERS: [u32; 3] = [1, 2, 11];
        let is_other = |number: DeviceNumber| OTHERS.contains(&number.major());
        let on_device = |mount: &&Mount| mount.is_on_block_device() && !is_other(mount.major_minor);
        let mounts = self
            .mounts
            .iter()
            .filter(on_device)
            .filter(|mount| !self.disks.iter().any(|disk| self.carries(disk, mount)));
        let mounts = mounts.map(|mount| format!("{} ({})", mount.mount_point, mount.source));
        let is_memory = |path: &str| ["/dev/zram", "/dev/ram"].iter().any(|memory| path.starts_with(memory));
        let swaps = self.swaps.iter().filter(|swap| swap.is_partition && !is_memory(&swap.path));
        let number = |swap: &Swap| swap.major_minor.unwrap_or_default();
        let swaps = swaps.filter(|swap| carriers(self.disks, number(swap)).is_empty());
        let swaps = swaps.map(|swap| format!("swap on {}", swap.path));
        for what in mounts.chain(swaps) {
            tally.unknown(format!("{what} lies on no disk that was found"));
        }
        if mount_at(&self.mounts, "/").is_none_or(|root| !root.is_on_block_device()) {
            tally.unknown("/ lies on no disk that was found");
        }
    }
}

/// What lies below the loop devices that the device `number` is or is built on, however many of them lie upon one another: a mapping
/// of Docker's for example, on a file for its data and one for what it knows of them. Else the device itself, and so where it lies on
/// disks as well.
pub(super) fn below(
    number: DeviceNumber,
    facts: &Facts,
    mounts: &[Mount],
    disks: &[Disk],
) -> Vec<DeviceNumber> {
    const DEPTH: usize = 8;
    let mut found = vec![number];
    for _ in 0..DEPTH {
        let mut next: Vec<DeviceNumber> = Vec::new();
        for &number in &found {
            let storage = facts.storage.known().into_iter().flatten();
            let of_it = storage.filter(|one| one.major_minor == number).flat_map(|one| &one.below);
            let mut below: Vec<DeviceNumber> = of_it.map(|below| device_of(below, facts, mounts)).collect();
            if below.is_empty() || !carriers(disks, number).is_empty() {
                below.push(number);
            }
            for number in below {
                if !next.contains(&number) {
                    next.push(number);
                }
            }
        }
        if next == found {
            break;
        }
        found = next;
    }
    found
}

/// The number of a device, or of the one on which a file lies; where that is not known, one that is on no disk.
fn device_of(below: &str, facts: &Facts, mounts: &[Mount]) -> DeviceNumber {
    let over = || mount_over(mounts, below).map(|mount| mount.major_minor);
    let path = || below.starts_with('/').then(over).flatten();
    let resolved = || resolve(below, facts).ok().flatten();
    below.parse().ok().or_else(resolved).or_else(path).unwrap_or_default()
}

pub(super) fn is_root(one: &Use) -> bool {
    matches!(one, Use::Mounted { at, .. } if at == "/")
}

pub(super) fn describe(disk: &Disk) -> String {
    format!("{} ({})", disk.name, disk.shown_id())
}
