//! Block devices as /sys shows them, on 2.6.32 as today.

use std::path::Path;

use super::attributes::{bytes, need, optional, shown};
pub use super::attributes::{needs_root, number, real, word};
use super::{Disk, Holder, Map, Mapped, Partition, controller, mapping};
use crate::host::{DeviceNumber, Host};

/// How deep devices are followed that are built on one another: far more than anybody stacks, and an end.
const DEPTH: usize = 16;

/// Why a name is not that of a whole disk; `None` when it may be one.
pub fn not_a_disk(name: &str) -> Option<&'static str> {
    let numbered = |prefix: &str| {
        name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    [
        ("loop", "a loop device"),
        ("ram", "a RAM disk"),
        ("zram", "a RAM disk"),
        ("dm-", "a device-mapper device"),
        ("md", "a RAID device"),
        ("md_d", "a RAID device"),
        ("bcache", "a bcache device"),
        ("sr", "an optical drive"),
        ("scd", "an optical drive"),
        ("fd", "a floppy drive"),
    ]
    .into_iter()
    .find_map(|(prefix, what)| numbered(prefix).then_some(what))
}

/// The kernel names of all whole disks, unsorted.
/// Errors: When /sys/block cannot be read or is not there.
pub fn disk_names(host: &Host) -> Result<Vec<String>, String> {
    // An absent /sys is not a machine without disks.
    if !host.exists("/sys/block") {
        return Err("there is no /sys/block".into());
    }
    let names = listed(host, "/sys/block")?;
    Ok(names.into_iter().filter(|name| not_a_disk(name).is_none() && !is_other(host, name)).collect())
}

/// Whether it is an unconnected network device, an IDE optical drive, or a hidden path of NVMe multipath.
fn is_other(host: &Host, name: &str) -> bool {
    let is = |attribute: &str, value: &str| word(host, name, attribute).is_some_and(|word| word == value);
    (name.starts_with("nbd") && is("size", "0"))
        || is("hidden", "1")
        || word(host, name, "device/media").is_some_and(|media| media != "disk")
        || word(host, name, "device/type").is_some_and(|kind| kind == "5")
}

/// Everything that /sys says of one block device; the SCSI ID and the users are filled in by others.
pub fn describe(host: &Host, name: &str) -> Result<Disk, String> {
    let device = real(host, &format!("/sys/block/{name}/device"));
    let hctl = device.as_deref().and_then(Path::file_name).and_then(|last| last.to_str()).filter(is_hctl);
    let holders = holders(host, name, DEPTH)?;
    let multipath = holders.iter().find_map(|holder| map(host, holder).transpose()).transpose()?;
    Ok(Disk {
        name: name.to_owned(),
        path: format!("/dev/{}", name.replace('!', "/")),
        major_minor: number(host, name)?,
        hctl: hctl.map(str::to_owned),
        controller: controller::of(host, name, device.as_deref()),
        // virtio has a number there.
        vendor: hctl.and_then(|_| shown(host, name, "device/vendor")),
        model: shown(host, name, "device/model"),
        // NVMe has one too, of its own kind.
        state: hctl.and_then(|_| shown(host, name, "device/state")),
        size_bytes: bytes(host, name, "size")?,
        read_only: need(host, name, "ro")? != "0",
        partitions: partitions(host, name)?,
        holders,
        multipath,
        ..Disk::default()
    })
}

/// Every multipath map that the kernel has.
pub fn maps(host: &Host) -> Result<Vec<Map>, String> {
    let names = listed(host, "/sys/block")?;
    let mut maps = Vec::new();
    for name in names.iter().filter(|name| name.starts_with("dm-")) {
        if let Some(found) = map(host, &holder(host, name, 0)?)? {
            maps.push(found);
        }
    }
    Ok(maps)
}

/// The multipath map that `holder` is, if it is one.
fn map(host: &Host, holder: &Holder) -> Result<Option<Map>, String> {
    let Mapped::Multipath(wwid) = holder.mapped() else { return Ok(None) };
    let slaves = format!("/sys/block/{}/slaves", holder.name);
    let paths = listed(host, &slaves)?;
    Ok(Some(Map {
        name: holder.name.clone(),
        dm_name: holder.dm_name.clone().unwrap_or_default(),
        major_minor: holder.major_minor,
        wwid: wwid.into(),
        paths,
    }))
}

/// The kernel name of the block device `major_minor`.
pub fn kernel_name(host: &Host, major_minor: DeviceNumber) -> Option<String> {
    let is = |name: &str| number(host, name).is_ok_and(|number| number == major_minor);
    host.list("/sys/block").ok()?.into_iter().find_map(|disk| {
        if is(&disk) {
            return Some(disk);
        }
        let partitions = partition_names(host, &disk).ok()?;
        partitions.into_iter().find(|partition| is(&format!("{disk}/{partition}")))
    })
}

/// The kernel names of `name` and of all that it lies on, down to the disks.
pub fn down(host: &Host, name: &str) -> Vec<String> {
    let mut all = vec![name.to_owned()];
    let mut next = 0;
    // What is built on itself there is not, but a recording may say so.
    while let Some(name) = all.get(next).cloned() {
        next += 1;
        let below = match disk_of_partition(host, &name) {
            Some(disk) => vec![disk],
            None => host.list(format!("/sys/block/{name}/slaves")).unwrap_or_default(),
        };
        for name in below {
            if !all.contains(&name) {
                all.push(name);
            }
        }
    }
    all
}

/// The kernel name of the whole disk of which `name` is a partition.
pub fn disk_of_partition(host: &Host, name: &str) -> Option<String> {
    let names = host.list("/sys/block").ok()?;
    names.into_iter().find(|disk| host.exists(format!("/sys/block/{disk}/{name}/partition")))
}

fn partitions(host: &Host, disk: &str) -> Result<Vec<Partition>, String> {
    let mut partitions = Vec::new();
    for name in partition_names(host, disk)? {
        let inner = format!("{disk}/{name}");
        partitions.push(Partition {
            major_minor: number(host, &inner)?,
            start_bytes: bytes(host, &inner, "start").ok(),
            size_bytes: bytes(host, &inner, "size")?,
            holders: holders(host, &inner, DEPTH)?,
            name,
        });
    }
    Ok(partitions)
}

/// What `directory` of sysfs has, in the order in which people count.
fn listed(host: &Host, directory: &str) -> Result<Vec<String>, String> {
    let mut names = host.list(directory).map_err(|error| format!("reading {directory}: {error}"))?;
    super::in_order(&mut names);
    Ok(names)
}

fn holders(host: &Host, name: &str, depth: usize) -> Result<Vec<Holder>, String> {
    let directory = format!("/sys/block/{name}/holders");
    let names = listed(host, &directory)?;
    names.iter().map(|name| holder(host, name, depth)).collect()
}

fn holder(host: &Host, name: &str, depth: usize) -> Result<Holder, String> {
    let mut above = Vec::new();
    if depth > 0 {
        above = holders(host, name, depth - 1)?;
        // A RAID or bcache device can be partitioned (md0p1): what is mounted there is mounted on the disk.
        for inner in partition_names(host, name)? {
            let path = format!("{name}/{inner}");
            above.push(Holder {
                major_minor: number(host, &path)?,
                holders: holders(host, &path, depth - 1)?,
                start_bytes: bytes(host, &path, "start").ok(),
                name: inner,
                ..Holder::default()
            });
        }
    }
    let major_minor = number(host, name)?;
    let dm_uuid = optional(host, name, "dm/uuid")?.filter(|uuid| !uuid.is_empty());
    let is_part = matches!(dm_uuid.as_deref().map(Mapped::of), Some(Mapped::MapPartition(_)));
    let start_bytes = if is_part { mapping::begin(host, name, major_minor) } else { None };
    let dm_name = optional(host, name, "dm/name")?;
    Ok(Holder { name: name.to_owned(), major_minor, dm_name, dm_uuid, holders: above, start_bytes })
}

fn partition_names(host: &Host, disk: &str) -> Result<Vec<String>, String> {
    let directory = format!("/sys/block/{disk}");
    let mut names = listed(host, &directory)?;
    names.retain(|name| host.exists(format!("{directory}/{name}/partition")));
    Ok(names)
}

/// `0:0:1:0`
fn is_hctl(name: &&str) -> bool {
    name.split(':').count() == 4 && name.split(':').all(|number| number.parse::<u64>().is_ok())
}
