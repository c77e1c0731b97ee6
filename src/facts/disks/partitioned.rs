//! What a partition table can lie on, and what the kernel shows of the partitions.

use super::{Disk, Holder, Mapped};
use crate::host::DeviceNumber;

/// A device on which a partition table counts: a disk, or its multipath map in its place, or a RAID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partitioned<'a> {
    /// Kernel name: `sda`, `dm-0`, `md0`.
    pub name: &'a str,
    /// `8:0`.
    pub major_minor: DeviceNumber,
    /// Device-mapper name of a map, whose partitions kpartx makes.
    pub map: Option<&'a str>,
    /// Whether it is the disk itself, of whose partitions sysfs tells where they begin.
    pub is_disk: bool,
    /// Its partitions, as they are in use.
    pub shown: Vec<Shown<'a>>,
}

/// A partition that the kernel shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown<'a> {
    /// From 1.
    pub number: u32,
    /// Kernel name: `sda1`, `dm-6`.
    pub name: &'a str,
    /// `8:1`.
    pub major_minor: DeviceNumber,
    /// Where it begins on the device, in bytes; of a partition of a map or a RAID that is not always told.
    pub start_bytes: Option<u64>,
}

/// Where the kernel shows partitions of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Places {
    /// By where they begin, in bytes.
    Begin(Vec<u64>),
    /// By their numbers, where that is not known.
    Number(Vec<u32>),
}

impl Places {
    /// Whether the kernel shows what lies at the place of a partition with this number and beginning.
    pub fn have(&self, number: u32, start_bytes: u64) -> bool {
        match self {
            Self::Begin(places) => places.contains(&start_bytes),
            Self::Number(numbers) => numbers.contains(&number),
        }
    }
}

impl Partitioned<'_> {
    /// Where the kernel shows its partitions.
    pub fn places(&self) -> Places {
        if self.is_disk || self.shown.iter().all(|one| one.start_bytes.is_some()) {
            Places::Begin(self.shown.iter().filter_map(|one| one.start_bytes).collect())
        } else {
            Places::Number(self.shown.iter().map(|one| one.number).collect())
        }
    }

    /// Whether the kernel shows the partition `number` at another place than this one.
    pub fn has_elsewhere(&self, number: u32, start_bytes: u64) -> bool {
        let is_it = |one: &Shown<'_>| one.number == number && one.start_bytes != Some(start_bytes);
        let is_told = |one: &&Shown<'_>| self.is_disk || one.start_bytes.is_some();
        self.shown.iter().filter(is_told).any(is_it)
    }
}

impl Disk {
    /// What of this disk a partition table counts on. Of a path of a map, and of a member of a RAID, it belongs to what is built on it.
    pub fn partitioned(&self) -> Vec<Partitioned<'_>> {
        const LEAST: u64 = 4096;
        let mut all = Vec::new();
        if self.holders.is_empty() && self.size_bytes >= LEAST {
            let shown = self.partitions.iter().filter_map(|one| {
                let (name, major_minor) = (one.name.as_str(), one.major_minor);
                Some(Shown {
                    number: number(name, &self.name)?,
                    name,
                    major_minor,
                    start_bytes: one.start_bytes,
                })
            });
            let (name, major_minor) = (&*self.name, self.major_minor);
            all.push(Partitioned { name, major_minor, map: None, is_disk: true, shown: shown.collect() });
        }
        for holders in [&self.holders].into_iter().chain(self.partitions.iter().map(|one| &one.holders)) {
            add(holders, &mut all);
        }
        all
    }

    /// Name and `major:minor` of the physical volumes of LVM, members of a RAID and encrypted volumes that are in use as such: of a disk
    /// under multipath its map's.
    pub fn members(&self) -> Vec<(&str, DeviceNumber)> {
        fn add<'a>(
            on: (&'a str, DeviceNumber),
            holders: &'a [Holder],
            into: &mut Vec<(&'a str, DeviceNumber)>,
        ) {
            let is_lvm = |holder: &&Holder| matches!(holder.mapped(), Mapped::Lvm(_));
            let is_upon = |holder: &Holder| {
                matches!(holder.mapped(), Mapped::Lvm(_) | Mapped::Encrypted) || holder.is_raid()
            };
            if holders.iter().any(is_upon) {
                into.push(on);
            }
            // What lies on a volume is no physical one, as a rule.
            for holder in holders.iter().filter(|holder| !is_lvm(holder)) {
                add((&holder.name, holder.major_minor), &holder.holders, into);
            }
        }
        let mut all = Vec::new();
        add((&self.name, self.major_minor), &self.holders, &mut all);
        for one in &self.partitions {
            add((&one.name, one.major_minor), &one.holders, &mut all);
        }
        all
    }
}

fn add<'a>(holders: &'a [Holder], into: &mut Vec<Partitioned<'a>>) {
    for holder in holders {
        let is_map = holder.mapped().is_multipath();
        let is_bcache = holder.dm_uuid.is_none() && holder.name.starts_with("bcache");
        let is_raid = holder.is_raid() || is_bcache;
        let number = |part: &Holder| match part.mapped() {
            Mapped::MapPartition(number) if is_map => Some(number),
            _ if is_raid && part.dm_uuid.is_none() => number(&part.name, &holder.name),
            _ => None,
        };
        let shown: Vec<_> = holder
            .holders
            .iter()
            .filter_map(|part| {
                let (name, major_minor) = (part.name.as_str(), part.major_minor);
                Some(Shown { number: number(part)?, name, major_minor, start_bytes: part.start_bytes })
            })
            .collect();
        // Whatever else is built on it has it whole.
        if (is_map || is_raid) && shown.len() == holder.holders.len() {
            let (name, major_minor) = (&*holder.name, holder.major_minor);
            let map = holder.dm_name.as_deref().filter(|_| is_map);
            into.push(Partitioned { name, major_minor, map, is_disk: false, shown });
            holder.holders.iter().for_each(|part| add(&part.holders, into));
        } else {
            add(&holder.holders, into);
        }
    }
}

/// The number of the partition `name` of `disk`: `sda1`, `nvme0n1p1`.
fn number(name: &str, disk: &str) -> Option<u32> {
    let rest = name.strip_prefix(disk)?;
    rest.strip_prefix('p').unwrap_or(rest).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::disks::Partition;

    fn holder(name: &str, uuid: Option<&str>, holders: Vec<Holder>) -> Holder {
        // Of each name another.
        let minor = name.bytes().fold(0, |sum, byte| sum * 7 + u32::from(byte));
        let (name, major_minor) = (name.to_owned(), DeviceNumber::new(253, minor));
        Holder {
            start_bytes: None,
            name,
            major_minor,
            dm_name: uuid.map(|_| "map".into()),
            dm_uuid: uuid.map(str::to_owned),
            holders,
        }
    }

    fn disk(name: &str, partitions: &[&str], holders: Vec<Holder>) -> Disk {
        let partition = |name: &&str| Partition { name: (*name).into(), ..Partition::default() };
        let partitions = partitions.iter().map(partition).collect();
        Disk { name: name.into(), size_bytes: 1 << 30, partitions, holders, ..Disk::default() }
    }

    fn numbers(disk: &Disk) -> Vec<(String, Vec<u32>)> {
        let all = disk.partitioned();
        all.iter()
            .map(|one| (one.name.to_owned(), one.shown.iter().map(|part| part.number).collect()))
            .collect()
    }

    #[test]
    fn a_table_counts_on_a_disk_or_on_what_stands_in_its_place() {
        assert_eq!(numbers(&disk("sda", &["sda1", "sda12"], vec![])), [("sda".into(), vec![1, 12])]);
        assert_eq!(numbers(&disk("nvme0n1", &["nvme0n1p2"], vec![])), [("nvme0n1".into(), vec![2])]);
        // A path has the kernel's partitions as well.
        let parts = || vec![holder("dm-2", Some("part1-mpath-36a"), vec![])];
        let map = holder("dm-1", Some("mpath-36a"), parts());
        assert_eq!(numbers(&disk("sdb", &["sdb1"], vec![map])), [("dm-1".into(), vec![1])]);
        assert_eq!(
            numbers(&disk("sdb", &[], vec![holder("dm-1", Some("mpath-36a"), vec![])])),
            [("dm-1".into(), vec![])]
        );
        let raid = holder("md0", None, vec![holder("md0p3", None, vec![])]);
        assert_eq!(numbers(&disk("sdb", &[], vec![raid])), [("md0".into(), vec![3])]);
        // What LVM or encryption has whole.
        for uuid in ["LVM-x", "CRYPT-x"] {
            assert_eq!(numbers(&disk("sdb", &[], vec![holder("dm-1", Some(uuid), vec![])])), []);
            let map = holder("dm-1", Some("mpath-36a"), vec![holder("dm-2", Some(uuid), vec![])]);
            assert_eq!(numbers(&disk("sdb", &[], vec![map])), []);
        }
    }

    #[test]
    fn partitions_of_a_map_are_compared_by_where_they_begin_where_that_is_told() {
        let places = |begins: [Option<u64>; 2]| {
            let part = |(number, start_bytes): (u32, Option<u64>)| {
                let name = format!("dm-{}", number + 1);
                Holder { start_bytes, ..holder(&name, Some(&format!("part{number}-mpath-36a")), vec![]) }
            };
            let parts = (1..).zip(begins).map(part).collect();
            let disk = disk("sdb", &[], vec![holder("dm-1", Some("mpath-36a"), parts)]);
            let device = disk.partitioned().remove(0);
            (device.places(), device.has_elsewhere(1, 4096))
        };
        assert_eq!(places([Some(512), Some(8192)]), (Places::Begin(vec![512, 8192]), true));
        assert!(!places([Some(4096), Some(8192)]).1);
        // Of one it is not told.
        assert_eq!(places([Some(512), None]), (Places::Number(vec![1, 2]), true));
        assert_eq!(places([None, None]), (Places::Number(vec![1, 2]), false));
    }

    #[test]
    fn physical_volumes_are_what_volumes_lie_on() {
        let volume = || vec![holder("dm-9", Some("LVM-x"), vec![])];
        let mut lone = disk("sda", &["sda1", "sda2"], vec![]);
        lone.partitions[1].holders = volume();
        assert_eq!(lone.members().iter().map(|one| one.0).collect::<Vec<_>>(), ["sda2"]);
        let part = holder("dm-2", Some("part1-mpath-36a"), volume());
        let map = holder("dm-1", Some("mpath-36a"), vec![part]);
        assert_eq!(
            disk("sdb", &[], vec![map]).members(),
            [("dm-2", holder("dm-2", None, vec![]).major_minor)]
        );
        assert_eq!(disk("sdb", &[], volume()).members().len(), 1);
    }
}
