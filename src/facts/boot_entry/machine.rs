//! Where the devices of an entry are on a machine, as GRUB 0.97 numbers its disks.

use std::fs;

use anyhow::Result;

use super::lexer::Device;
use crate::facts::disks::{Mapped, sysfs};
use crate::facts::mounts::{self, Mount};
use crate::facts::read;
use crate::host::{DeviceNumber, Host};

/// Where GRUB has its own files.
pub(super) const DIRECTORY: &str = "/boot/grub";

/// What GRUB's installer took for which disk.
const MAP: &str = "/boot/grub/device.map";

/// A disk by its kernel name, and a partition by its number (`None`: the disk has none).
type Spot = (String, Option<u64>);

/// How deep devices are followed that are built on one another.
const DEPTH: usize = 16;

/// A file system by where it is mounted, and its number; a tree has none.
#[derive(PartialEq, Eq)]
pub(super) struct Root {
    pub at: String,
    pub number: Option<DeviceNumber>,
}

/// Where GRUB finds a device of an entry.
pub(super) enum Place {
    /// Its file system; of a mirror each half counts.
    At(Vec<Root>),
    NotThere(String),
    Unknown(String),
}

pub(super) struct Machine<'a> {
    host: &'a Host,
    mounts: Vec<Mount>,
    /// The partition with GRUB's own files; on RAID there are several.
    own: Vec<Spot>,
}

impl<'a> Machine<'a> {
    pub fn of(host: &'a Host) -> Result<Self> {
        let mounts = mounts::parse(&read::text(host, "/proc/self/mountinfo")?)?;
        let mut machine = Self { host, mounts, own: Vec::new() };
        let real = sysfs::real(host, DIRECTORY);
        let real = real.map_or_else(|| DIRECTORY.to_owned(), |real| real.display().to_string());
        machine.own = machine.mount_of(&real).map_or(Vec::new(), |mount| spots_of(host, mount));
        Ok(machine)
    }

    /// What is mounted at `path` or above it.
    pub fn mount_of(&self, path: &str) -> Option<&Mount> {
        let covers = |mount: &&Mount| {
            let rest = path.strip_prefix(mount.mount_point.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.mounts.iter().filter(covers).max_by_key(|mount| mount.mount_point.trim_end_matches('/').len())
    }

    pub fn place(&self, on: Option<&Device>) -> Place {
        if self.own.is_empty() {
            return Place::Unknown("the partition with GRUB's own files was not found".into());
        }
        let spots = match on {
            None => self.own.clone(),
            Some(Device::Other(name)) => {
                return Place::Unknown(format!("what lies on {name} is not known here"));
            }
            Some(Device::Disk(disk, partition)) => match self.spots(*disk, *partition) {
                Ok(spots) => spots,
                Err(place) => return place,
            },
        };
        let is_it = |mount: &&Mount| {
            mount.root == "/"
                && self.mount_of(&mount.mount_point).is_some_and(|top| top.major_minor == mount.major_minor)
                && spots_of(self.host, mount).iter().any(|spot| spots.contains(spot))
        };
        let root = |mount: &Mount| Root { at: mount.mount_point.clone(), number: Some(mount.major_minor) };
        let roots: Vec<_> = self.mounts.iter().filter(is_it).map(root).collect();
        if roots.is_empty() {
            return Place::Unknown("the file system of that partition is not mounted".into());
        }
        Place::At(roots)
    }

    /// Where `(hdDISK,PARTITION)` is. The BIOS calls the disk that it starts from the first; which of the others it calls the second
    /// is told by no one, but where device.map says that it is that with GRUB's own files. Where that says so of another than the
    /// first, the first is not known either.
    fn spots(&self, disk: u64, partition: Option<u64>) -> Result<Vec<Spot>, Place> {
        let host = self.host;
        let all = sysfs::disk_names(host).map_err(Place::Unknown)?;
        if disk >= all.len() as u64 {
            return Err(Place::NotThere(format!(
                "disks of this machine: {}, of which the first is hd0",
                all.len()
            )));
        }
        let by_map = self.by_map(disk);
        let is_own = |name: &String| self.own.iter().any(|(own, _)| own == name);
        match by_map.iter().any(is_own) {
            true => {}
            false if disk == 0 && by_map.is_empty() => {}
            false if disk == 0 => {
                return Err(Place::Unknown(format!(
                    "{MAP} says that hd0 is {}, and GRUB's own files are on {}",
                    by_map[0], self.own[0].0
                )));
            }
            false => return Err(Place::Unknown(format!("which disk is hd{disk} at boot is not known here"))),
        }
        // GRUB counts from 0, the kernel from 1.
        let number = partition.map(|partition| partition.saturating_add(1));
        let names: Vec<&String> = self.own.iter().map(|(name, _)| name).collect();
        let Some(number) = number else {
            return Ok(names.into_iter().map(|name| (name.clone(), None)).collect());
        };
        let spot = |name: &String| (name.clone(), Some(number));
        let has = |name: &String| numbers(host, name).contains(&number) || self.own.contains(&spot(name));
        let there: Vec<Spot> = names.iter().filter(|name| has(name)).map(|name| spot(name)).collect();
        // CentOS 6 takes the partitions of the paths of a map away from the kernel (`partx -d` by udev's rules for multipath).
        let is_held =
            |name: &&String| host.list(format!("/sys/block/{name}/holders")).is_ok_and(|all| !all.is_empty());
        match there.is_empty() {
            true if names.iter().any(is_held) => {
                Err(Place::Unknown(format!("the partitions of {} are not shown by themselves", names[0])))
            }
            true => Err(Place::NotThere(format!("{} has no partition {number}", names[0]))),
            false => Ok(there),
        }
    }

    /// The disks that device.map has under this number; none where it says nothing, or names what is not there.
    fn by_map(&self, disk: u64) -> Vec<String> {
        let text = self.host.read(MAP).unwrap_or_default();
        let name = format!("(hd{disk})");
        let path = text.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            if words.next() == Some(&name) { words.next() } else { None }
        });
        let kernel = || {
            let found = self.host.resolve(path?).ok()?;
            let found = fs::canonicalize(&found).unwrap_or(found);
            let kernel = found.file_name()?.to_str()?.to_owned();
            self.host.exists(format!("/sys/block/{kernel}/dev")).then_some(kernel)
        };
        let spots = kernel().map_or(Vec::new(), |kernel| spots_below(self.host, &kernel, None, DEPTH));
        spots.into_iter().map(|(disk, _)| disk).collect()
    }
}

fn numbers(host: &Host, disk: &str) -> Vec<u64> {
    let names = host.list(format!("/sys/block/{disk}")).unwrap_or_default();
    let number = |name: &String| sysfs::word(host, &format!("{disk}/{name}"), "partition")?.parse().ok();
    names.iter().filter_map(number).collect()
}

/// The partitions of disks that a mount lies on, as GRUB 0.97 can read them: it knows no LVM, and of RAID the mirrors alone.
fn spots_of(host: &Host, mount: &Mount) -> Vec<Spot> {
    let name = sysfs::kernel_name(host, mount.major_minor);
    name.map_or(Vec::new(), |name| spots_below(host, &name, None, DEPTH))
}

fn spots_below(host: &Host, name: &str, partition: Option<u64>, depth: usize) -> Vec<Spot> {
    if let Some(disk) = sysfs::disk_of_partition(host, name) {
        let number =
            sysfs::word(host, &format!("{disk}/{name}"), "partition").and_then(|word| word.parse().ok());
        let is_disk = sysfs::not_a_disk(&disk).is_none();
        return number
            .filter(|_| is_disk && partition.is_none())
            .map_or(Vec::new(), |number| vec![(disk, Some(number))]);
    }
    let below = |partition: Option<u64>| {
        let names = host.list(format!("/sys/block/{name}/slaves")).unwrap_or_default();
        let names = names.iter().filter(|_| depth > 0);
        names.flat_map(|name| spots_below(host, name, partition, depth - 1)).collect()
    };
    if let Some(uuid) = sysfs::word(host, name, "dm/uuid") {
        return match Mapped::of(&uuid) {
            Mapped::MapPartition(number) => below(Some(number.into())),
            Mapped::Multipath(_) => below(partition),
            _ => Vec::new(),
        };
    }
    match sysfs::not_a_disk(name) {
        None => vec![(name.to_owned(), partition)],
        Some(_) if sysfs::word(host, name, "md/level").as_deref() == Some("raid1") => below(partition),
        Some(_) => Vec::new(),
    }
}
