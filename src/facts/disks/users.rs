//! What uses a disk or a part of it.

use super::{Disk, Holder, Mapped};
use crate::facts::mounts::Mount;
use crate::facts::swaps::Swap;
use crate::host::DeviceNumber;

/// One use of a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Use {
    /// A file system is mounted.
    Mounted {
        at: String,
        /// The device that carries it: `sda1`, `dm-0`, `vg-root`.
        on: String,
    },
    /// Active swap.
    Swap {
        /// The device: `sda2`.
        on: String,
    },
    /// Something is built on it.
    Held {
        /// What: `LVM vg-root`, `RAID md0`.
        by: String,
        /// On what: `sda3`.
        on: String,
        /// Whether it says what the disk is for: a partition of a multipath map does not.
        shows_use: bool,
    },
}

/// A device of a disk: its `major:minor`, and the names under which it can appear.
struct Part<'a> {
    major_minor: DeviceNumber,
    /// As it is shown.
    shown: &'a str,
    kernel: &'a str,
    mapper: Option<&'a str>,
}

/// Everything that uses `disk` or a part of it: mounts, then swap, then what is built on it.
pub fn uses(disk: &Disk, mounts: &[Mount], swaps: &[Swap]) -> Vec<Use> {
    let mut parts =
        vec![Part { major_minor: disk.major_minor, shown: &disk.name, kernel: &disk.name, mapper: None }];
    let mut held = Vec::new();
    climb(&disk.holders, &disk.name, &mut parts, &mut held);
    for partition in &disk.partitions {
        let name = &partition.name;
        parts.push(Part { major_minor: partition.major_minor, shown: name, kernel: name, mapper: None });
        climb(&partition.holders, name, &mut parts, &mut held);
    }
    let mut all = Vec::new();
    for part in &parts {
        let on = part.shown.to_owned();
        let mounted = mounts.iter().filter(|mount| part.is(Some(mount.major_minor), &mount.source));
        all.extend(mounted.map(|mount| Use::Mounted { at: mount.mount_point.clone(), on: on.clone() }));
    }
    for part in &parts {
        let active = |swap: &&Swap| swap.is_partition && part.is(swap.major_minor, &swap.path);
        all.extend(swaps.iter().filter(active).map(|_| Use::Swap { on: part.shown.to_owned() }));
    }
    all.extend(held);
    let mut seen: Vec<Use> = Vec::new();
    all.retain(|one| !seen.contains(one) && (seen.push(one.clone()), true).1);
    all
}

impl Part<'_> {
    /// Whether a mount or swap area with this number and source is on it. The source counts beside the
    /// number because btrfs mounts show a number of their own (0:NN).
    fn is(&self, major_minor: Option<DeviceNumber>, source: &str) -> bool {
        if major_minor == Some(self.major_minor) {
            return true;
        }
        let named = source.strip_prefix("/dev/").is_some_and(|name| {
            name.strip_prefix("mapper/").map_or(name.replace('/', "!") == self.kernel, |name| {
                self.mapper.is_some_and(|mapper| mapper == name)
            })
        });
        named && major_minor.is_none_or(DeviceNumber::is_anonymous)
    }
}

fn climb<'a>(holders: &'a [Holder], on: &str, parts: &mut Vec<Part<'a>>, held: &mut Vec<Use>) {
    for holder in holders {
        let mapped = holder.mapped();
        let shown = if matches!(mapped, Mapped::Lvm(_)) { holder.shown() } else { &holder.name };
        if !mapped.is_multipath() {
            // Partitions, of a map or of a RAID device, are no use by themselves.
            let is_partition = matches!(mapped, Mapped::MapPartition(_));
            let shows_use = !is_partition && (holder.dm_name.is_some() || !on_raid(on));
            held.push(Use::Held { by: holder.what(), on: on.to_owned(), shows_use });
        }
        parts.push(Part {
            major_minor: holder.major_minor,
            shown,
            kernel: &holder.name,
            mapper: holder.dm_name.as_deref(),
        });
        climb(&holder.holders, shown, parts, held);
    }
}

/// Whether what lies directly on `on` without being device-mapper is a partition of it.
fn on_raid(on: &str) -> bool {
    on.starts_with("md") || on.starts_with("bcache")
}

/// The partitions of `disk`'s own multipath map on which nothing is built, each with the use that it is: they show what its
/// partition table says, and nothing more. Whether one is mounted or swap is a use of its own.
pub fn map_partitions(disk: &Disk) -> Vec<(&Holder, Use)> {
    let mut found = Vec::new();
    for map in disk.holders.iter().filter(|holder| holder.mapped().is_multipath()) {
        for part in &map.holders {
            if matches!(part.mapped(), Mapped::MapPartition(_)) && part.holders.is_empty() {
                found.push((part, Use::Held { by: part.what(), on: map.name.clone(), shows_use: false }));
            }
        }
    }
    found
}

impl Holder {
    fn shown(&self) -> &str {
        self.dm_name.as_deref().unwrap_or(&self.name)
    }

    /// What it is, and its name.
    fn what(&self) -> String {
        let kind = match self.mapped() {
            Mapped::Lvm(_) => "LVM",
            Mapped::Encrypted => "encryption",
            Mapped::MapPartition(_) => "map partition",
            _ if self.name.starts_with("md") => "RAID",
            _ if self.name.starts_with("bcache") => "bcache",
            _ if self.dm_name.is_some() => "device-mapper",
            _ => "device",
        };
        format!("{kind} {}", self.shown())
    }
}

/// Fills in `used_by` of every disk.
pub fn fill_users(disks: &mut [Disk], mounts: &[Mount], swaps: &[Swap]) {
    for disk in disks {
        let uses = uses(disk, mounts, swaps);
        disk.used_by = uses.iter().filter_map(Use::brief).collect();
    }
}

impl Use {
    /// As in `used_by`: `/ (sda1)`, `swap (sda2)`, `LVM vg-root (sda3)`.
    fn brief(&self) -> Option<String> {
        match self {
            Self::Mounted { at, on } => Some(format!("{at} ({on})")),
            Self::Swap { on } => Some(format!("swap ({on})")),
            Self::Held { by, on, shows_use } => shows_use.then(|| format!("{by} ({on})")),
        }
    }
}

impl std::fmt::Display for Use {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Mounted { at, on } => write!(f, "mounted at {at} ({on})"),
            Self::Swap { on } => write!(f, "active swap ({on})"),
            Self::Held { by, on, .. } => write!(f, "held by {by} ({on})"),
        }
    }
}
