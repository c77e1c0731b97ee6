//! Whether what is mounted, or could be, answers now, and what it carries: what the device mapper says of it, and one read of
//! its first block past the page cache, where ext2, ext3 and ext4 also keep whether they met errors; and what the kernel's log says of
//! its file system. Of a device against which
//! the kernel itself says something nothing is read: a read of a suspended map, or of one
//! that queues with its paths failed, waits for ever.

mod bytes;
mod content;
mod fat;
mod found;
mod kernel_log;
mod loops;
mod lvm;
pub(crate) mod mapped;
mod places;
mod read;
mod superblocks;
mod table;
mod volumes;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use content::extent;
use found::{Carried, Device, Partitions};
pub use found::{Extent, Read};
use kernel_log::Trouble;
pub use lvm::{LVM, UUID_LETTERS};
pub use superblocks::{BTRFS, LUKS};
pub use table::{Entry, Place, Table, dos_uuid};

use super::Fact;
use super::disks::{Disk, Places, RUNNING, sysfs};
use super::mounts::Mount;
use super::retention::Volume;
use crate::host::each::{Answers, apart_at_once, at_once};
use crate::host::{DeviceNumber, Host, Kind};

/// How long all devices together have to answer. The kernel itself gives a SCSI command 30 s (180 s where VMware Tools say so);
/// one that needs a third of that holds up whatever uses it.
const DEADLINE: Duration = Duration::from_secs(10);

/// Files are not late, however busy this machine is.
const RECORDED: Duration = Duration::from_secs(600);

/// A block device with something mounted from it, or that could be mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storage {
    /// Kernel name: `sda1`, `dm-0`.
    pub name: String,
    /// `8:1`.
    pub major_minor: DeviceNumber,
    /// The device-mapper devices that are suspended, of itself and what it lies on.
    pub suspended: Vec<String>,
    /// The paths that its multipath maps take for failed, whatever the SCSI layer says.
    pub failed_paths: Fact<Vec<String>>,
    /// One read of it.
    pub read: Fact<Read>,
    /// What it carries, where it was read: ext2 to ext4 (`ext`), XFS, swap, FAT (`vfat`), [`BTRFS`], ReiserFS, JFS, [`LUKS`] or a
    /// physical volume of LVM ([`LVM`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Volume>,
    /// The UUID of the volume group that it belongs to, without hyphens; of btrfs, its own among the devices of the file system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The UUID of the software RAID whose member it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub array: Option<String>,
    /// The partition table on it now, of a disk, its map or a RAID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<Table>,
    /// How large its file system is by its superblock: of ext2 to ext4 and XFS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extent: Option<Extent>,
    /// What lies below the loop devices that it is, or is built on: `major:minor` of a block device, or a path; `loop0` where that is
    /// not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub below: Vec<String>,
}

/// For facts of a version that did not look.
pub fn not_read() -> Fact<Vec<Storage>> {
    Fact::Unknown("it was recorded by a version that did not look whether storage answers".into())
}

/// Looks at each block device that `mounts` lists, and at those of `disks` that could be mounted.
pub fn load(host: &Host, mounts: &Fact<Vec<Mount>>, disks: &Fact<Vec<Disk>>) -> Fact<Vec<Storage>> {
    if host.kind() == Kind::Image {
        return Fact::needs_kernel();
    }
    let mounts = match mounts {
        Fact::Known(mounts) => mounts,
        Fact::Unknown(why) | Fact::NotApplicable(why) => return Fact::Unknown(format!("the mounts: {why}")),
    };
    let mut numbers: BTreeSet<DeviceNumber> = mounts.iter().map(|mount| mount.major_minor).collect();
    // Without the disks, what could be mounted is not known: whoever asks for it asks for them as well.
    let disks = || disks.known().into_iter().flatten();
    numbers.extend(disks().flat_map(Disk::ends).map(|(_, number)| number));
    // Each has a UUID of its own as well, which a copy of its disk has too.
    numbers.extend(disks().flat_map(Disk::members).map(|(_, number)| number));
    let tables: BTreeMap<DeviceNumber, Places> =
        disks().flat_map(Disk::partitioned).map(|one| (one.major_minor, one.places())).collect();
    numbers.extend(tables.keys());
    // Numbers of this kind are of no device: what lies on several (btrfs), on none (tmpfs), or elsewhere (NFS).
    let numbers = numbers.into_iter().filter(|number| !number.is_anonymous());
    let devices: BTreeMap<String, Device> =
        numbers.map(|number| device(host, number, mounts, tables.get(&number))).collect();
    let answers = answers(host, &devices);
    let log = kernel_log::read(host);
    let found = |(name, device): (String, Device)| {
        let unread = |failed, read| (Fact::Unknown(failed), read, Carried::default(), Vec::new());
        let answer = answers.as_ref().map(|answers| answers.get(&name));
        let (failed_paths, mut read, carried, below) = match answer {
            Ok(Some(Ok(answer))) => answer.clone(),
            Ok(None) => {
                let late = format!("a read of it did not end within {} s", DEADLINE.as_secs());
                unread(late.clone(), Fact::Known(Read::Failed(late)))
            }
            Ok(Some(Err(why))) | Err(why) => unread(why.clone(), Fact::Unknown(why.clone())),
        };
        // Mounted again it is another matter.
        if read == Fact::Known(Read::Done) && device.is_mounted {
            let checked = carried.checked_secs.and_then(|wall| kernel_log::since_boot(host, wall));
            let trouble = log.as_ref().map(|log| kernel_log::trouble(log, &name, checked));
            read = Fact::Known(match trouble {
                Ok(None) => Read::Done,
                Ok(Some(Trouble::Now(line))) => {
                    Read::Errors(format!("the kernel's log says `{line}`, and of no mount after that"))
                }
                Ok(Some(Trouble::Before(line))) => Read::Lost(format!("the kernel's log says `{line}`")),
                Err(why) => Read::Unlogged(why.clone()),
            });
        }
        let (major_minor, suspended) = (device.number, device.suspended);
        let Carried { volume, group, array, extent, table, .. } = carried;
        Storage {
            name,
            major_minor,
            suspended,
            failed_paths,
            read,
            volume,
            group,
            array,
            table,
            extent,
            below,
        }
    };
    Fact::Known(devices.into_iter().map(found).collect())
}

fn device(host: &Host, number: DeviceNumber, mounts: &[Mount], places: Option<&Places>) -> (String, Device) {
    let is_mounted = mounts.iter().any(|mount| mount.major_minor == number);
    // What is mounted and not in sysfs fails when it is read.
    let name = sysfs::kernel_name(host, number).unwrap_or_else(|| number.to_string());
    let below = sysfs::down(host, &name);
    let is = |name: &str, attribute: &str, value: &str| {
        sysfs::word(host, name, attribute).is_none_or(|word| word == value)
    };
    let mapped = below.iter().filter(|name| name.starts_with("dm-"));
    let suspended: Vec<String> = mapped.filter(|name| mapped::is_suspended(host, name)).cloned().collect();
    let scsi = below.iter().filter(|name| name.starts_with("sd"));
    let stopped = scsi.filter(|name| !is(name, "device/state", RUNNING)).chain(&suspended).next();
    let stopped = stopped.map(|name| format!("{name} does not run"));
    let sector = || sysfs::word(host, &name, "queue/logical_block_size")?.parse().ok();
    let partitions =
        places.map(|places| Partitions { sector: sector().unwrap_or(512), shown: places.clone() });
    // In units of 512 bytes, whatever its sectors are.
    let size = host.read(format!("/sys/class/block/{name}/size")).ok();
    let size_bytes = size.and_then(|size| size.trim().parse::<u64>().ok()?.checked_mul(512));
    (name, Device { number, below, suspended, stopped, is_mounted, size_bytes, partitions })
}

/// Paths that failed, a read, what it found, and what lies below loop devices.
type Answer = (Fact<Vec<String>>, Fact<Read>, Carried, Vec<String>);

fn answers(host: &Host, devices: &BTreeMap<String, Device>) -> Result<Answers<Answer>, String> {
    let names: Vec<String> = devices.keys().cloned().collect();
    let has_maps = devices.values().flat_map(|device| &device.below).any(|name| name.starts_with("dm-"));
    let maps = has_maps.then(|| mapped::statuses(host)).flatten();
    let (asked, of) = (host.clone(), devices.clone());
    let ask = move |name: &str| {
        of.get(name).map(|device| answer(&asked, name, device, &maps)).ok_or_else(String::new)
    };
    if host.is_live() {
        apart_at_once("reading what is mounted or could be", &names, DEADLINE, ask)
            .map_err(|error| error.to_string())
    } else {
        Ok(at_once(&names, RECORDED, ask))
    }
}

fn answer(host: &Host, name: &str, device: &Device, maps: &mapped::Statuses) -> Answer {
    let failed = Fact::from_result(mapped::failed_paths(host, &device.below, maps));
    let stopped = match failed.known().and_then(|failed| failed.first()) {
        Some(path) => Some(format!("the path {path} failed")),
        None => device.stopped.clone(),
    };
    let read = match stopped {
        Some(why) => Err(format!("{why}, so it was not read")),
        None => match read::first_block(host, name, device) {
            // A recording is made by hand: of what is neither mounted nor carries anything it says nothing.
            Err(_) if host.kind() == Kind::Recorded && !device.is_mounted => {
                Ok((Read::Done, Carried::default()))
            }
            read => read,
        },
    };
    // The kernel asks the file below a loop device, which may not answer.
    let loops = device.below.iter().filter(|name| name.starts_with("loop"));
    let below = loops.map(|name| loops::below(host, name).unwrap_or_else(|| name.clone())).collect();
    match read {
        Ok((read, carried)) => (failed, Fact::Known(read), carried, below),
        Err(why) => (failed, Fact::Unknown(why), Carried::default(), below),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::disks::testing::Tree;
    use crate::facts::mounts;

    const MOUNTS: &str = "19 1 8:1 / / rw - ext4 /dev/sda1 rw\n23 19 253:0 / /r rw - ext4 /dev/mapper/x rw\n\
        24 19 0:40 / /t rw - tmpfs tmpfs rw\n";

    #[test]
    fn what_could_be_mounted_is_looked_at_as_well_and_told_by_what_it_carries() {
        let tree = tree();
        tree.file(
            "/commands/read",
            "8:1 done ext4 1-2 a label\n253:0 done xfs 3-4\n8:2 Input/output error\n",
        );
        tree.partition(
            "/sys/devices/pci0000:00/0000:03:00.0/host0/target0/0:0:0:0/block/sda",
            "sda2",
            "8:2",
            1 << 20,
            1 << 20,
        );
        let host = tree.host();
        let disks = crate::facts::disks::load(&host);
        let Fact::Known(all) = load(&host, &mounts::load(&host), &disks) else { panic!("not known") };
        let found: Vec<_> = all
            .iter()
            .map(|one| {
                (one.name.as_str(), one.volume.as_ref().map(|v| (v.uuid.to_string(), v.label.as_str())))
            })
            .collect();
        // Of the map's paths none is.
        assert_eq!(
            found,
            [
                ("dm-0", Some(("3-4".into(), ""))),
                ("sda", None),
                ("sda1", Some(("1-2".into(), "a label"))),
                ("sda2", None)
            ]
        );
        assert_eq!(all[1].read, Fact::Known(Read::Done));
        assert_eq!(all[3].read, Fact::Known(Read::Failed("Input/output error".into())));
    }

    /// A root disk, and a map with two paths.
    fn tree() -> Tree {
        let tree = Tree::new();
        let sas = tree.adapter("0000:03:00.0", ("1000", "0054"), 0, "mptsas");
        let [sda, sdb, sdc] = [("sda", "8:0"), ("sdb", "8:16"), ("sdc", "8:32")].map(|(name, dev)| {
            let hctl = format!("0:0:{}:0", &dev[2..]);
            let disk = tree.scsi_disk(&sas, &hctl, name, dev, 1 << 30);
            tree.file(&format!("/sys/block/{name}/device/state"), "running\n");
            disk
        });
        tree.partition(&sda, "sda1", "8:1", 0, 1 << 20)
            .mapped("dm-0", "253:0", ("36000c29", "mpath-36000c29"), &[&sdb, &sdc])
            .file("/sys/block/dm-0/dm/suspended", "0\n")
            .file("/proc/self/mountinfo", MOUNTS)
            .file("/commands/dm-status/dm-0", "multipath 2 0 0 0 1 1 A 0 2 0 8:16 A 0 8:32 A 3\n")
            .file("/commands/read", "8:1 done\n253:0 done\n");
        tree
    }

    fn looked(tree: &Tree) -> [Storage; 2] {
        let host = tree.host();
        let Fact::Known(all) = load(&host, &mounts::load(&host), &Fact::Known(Vec::new())) else {
            panic!("not known")
        };
        let mut all = all.into_iter();
        let (map, root) = (all.next().unwrap(), all.next().unwrap());
        assert_eq!(all.next(), None, "once each, and nothing that is no device");
        [root, map]
    }

    #[test]
    fn what_is_mounted_is_read_once_and_nothing_speaks_against_it() {
        let [root, map] = looked(&tree());
        assert_eq!((root.name.as_str(), root.major_minor), ("sda1", "8:1".into()));
        assert_eq!((map.name.as_str(), map.major_minor), ("dm-0", "253:0".into()));
        for one in [root, map] {
            assert_eq!((one.suspended, one.failed_paths), (Vec::new(), Fact::Known(Vec::new())));
            assert_eq!(one.read, Fact::Known(Read::Done));
        }
    }

    #[test]
    fn what_is_mounted_and_given_up_by_the_kernel_has_errors() {
        let given_up = tree();
        given_up.file(
            "/commands/dmesg",
            "<3>[ 9.1] Aborting journal on device dm-0-8.\n<3>Aborting journal on device sdb1-8.\n",
        );
        let [root, map] = looked(&given_up);
        let why = "the kernel's log says `Aborting journal on device dm-0-8.`, and of no mount after that";
        assert_eq!((root.read, map.read), (Fact::Known(Read::Done), Fact::Known(Read::Errors(why.into()))));
        // What is on record on the disk itself counts more, and of what is not mounted nothing is said.
        given_up.file("/commands/read", "8:1 done\n253:0 errors its superblock says so\n");
        assert_eq!(looked(&given_up)[1].read, Fact::Known(Read::Errors("its superblock says so".into())));
        given_up
            .file("/commands/read", "8:1 done\n253:0 done\n")
            .file("/proc/self/mountinfo", "19 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
        let host = given_up.host();
        let disks = crate::facts::disks::load(&host);
        let Fact::Known(all) = load(&host, &mounts::load(&host), &disks) else { panic!("not known") };
        assert_eq!(all.iter().find(|one| one.name == "dm-0").unwrap().read, Fact::Known(Read::Done));
    }

    #[test]
    fn what_lies_below_loop_devices_is_told_of_what_is_built_on_them() {
        let tree = tree();
        for (name, file) in [
            ("loop0", Some("/var/lib/docker/data")),
            ("loop1", Some("/var/lib/docker/metadata")),
            ("loop2", None),
        ] {
            let directory = format!("/sys/devices/virtual/block/{name}");
            tree.block(&directory, &format!("7:{}", &name[4..]), 1 << 30);
            file.map(|file| tree.file(&format!("{directory}/loop/backing_file"), file));
        }
        let below = |name: &str| format!("/sys/devices/virtual/block/{name}");
        tree.mapped("dm-1", "253:1", ("docker-8:1-9-pool", ""), &[&below("loop0"), &below("loop1")])
            .mapped("dm-2", "253:2", ("docker-8:1-9-base", ""), &[&below("dm-1")])
            .mapped("dm-3", "253:3", ("other", ""), &[&below("loop2")]);
        let line = |number: u32, name: &str| {
            format!("3{number} 19 253:{number} / /m{number} rw - xfs /dev/mapper/{name} rw\n")
        };
        tree.file(
            "/proc/self/mountinfo",
            [MOUNTS, &line(2, "docker-8:1-9-base"), &line(3, "other")].concat(),
        );
        let host = tree.host();
        let Fact::Known(all) = load(&host, &mounts::load(&host), &Fact::Known(Vec::new())) else {
            panic!("not known")
        };
        let found = |name: &str| all.iter().find(|one| one.name == name).unwrap().below.clone();
        assert_eq!(found("dm-2"), ["/var/lib/docker/data", "/var/lib/docker/metadata"]);
        assert_eq!((found("dm-3"), found("sda1")), (vec!["loop2".to_owned()], Vec::new()));
    }

    #[test]
    fn a_device_that_the_kernel_holds_back_is_not_read() {
        let not_read = |one: Storage| {
            let Fact::Unknown(why) = one.read else { panic!("{one:?}") };
            why
        };
        let spoiled = tree();
        spoiled.file("/sys/block/dm-0/dm/suspended", "1\n").file("/sys/block/sda/device/state", "offline\n");
        let [root, map] = looked(&spoiled);
        assert_eq!(map.suspended, ["dm-0"]);
        assert_eq!(not_read(map), "dm-0 does not run, so it was not read");
        assert_eq!(not_read(root), "sda does not run, so it was not read");

        let spoiled = tree();
        spoiled.file("/commands/dm-status/dm-0", "multipath 2 0 0 0 1 1 A 0 2 0 8:16 F 1 8:32 A 0\n");
        let [_, map] = looked(&spoiled);
        assert_eq!(map.failed_paths, Fact::Known(vec!["sdb".to_owned()]));
        assert_eq!(not_read(map), "the path sdb failed, so it was not read");
    }

    #[test]
    fn what_a_recording_does_not_tell_is_unknown() {
        let bare = tree();
        bare.file("/commands/read", "8:1 Input/output error\n").file("/commands/dm-status/dm-0", "");
        let [root, map] = looked(&bare);
        assert_eq!(root.read, Fact::Known(Read::Failed("Input/output error".into())));
        assert_eq!(map.read, Fact::Unknown("the recording does not say".into()));
        assert!(matches!(map.failed_paths, Fact::Unknown(_)), "{map:?}");
        let host = bare.host();
        assert!(
            matches!(load(&host, &Fact::Unknown("why".into()), &Fact::Known(Vec::new())), Fact::Unknown(why) if why == "the mounts: why")
        );
    }
}
