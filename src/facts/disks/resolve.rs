//! From what a person writes (`sdb`, a SCSI ID, /dev/mapper/NAME, a by-id name) to one disk.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use super::{Disk, Mapped, describe, sysfs};
use crate::host::{DeviceNumber, Host, device_name};

impl Disk {
    /// Whether a person who says `name` means this disk, as far as its name, its SCSI ID and its multipath map tell: a kernel name,
    /// the ID, a name of udev's with the ID in it, or the map's name, each alone or as a path.
    pub fn is_called(&self, name: &str) -> bool {
        let (device, short) = (name.strip_prefix("/dev/").unwrap_or(name), device_name::short(name));
        self.name == device
            || self.has_id(short)
            || device_name::id_in(short).is_some_and(|id| self.has_id(&id))
            || self.multipath.as_ref().is_some_and(|map| map.dm_name == short || map.name == device)
    }
}

/// A disk that was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The disk; of several paths of a multipath map the first.
    pub disk: Disk,
    /// The device to address it by: its multipath map where it has one.
    pub device: String,
}

/// The one disk that `name` means: a kernel name, a SCSI ID, a name below or path into /dev/disk, the name
/// or path of a multipath map, or a device file. A loop device is taken for a disk; a partition is not.
/// Errors: One line that names `name` and says what it is instead, or that it is not there or means several disks.
pub fn resolve(host: &Host, disks: &[Disk], name: &str) -> Result<Resolved, String> {
    let mut found: Vec<Disk> = Vec::new();
    let mut refusal = None;
    for kernel in kernel_names(host, disks, name)? {
        match one(host, disks, &kernel) {
            Ok(disk) if !found.iter().any(|other| same(other, &disk)) => found.push(disk),
            Ok(_) => {}
            Err(why) => refusal = Some(why),
        }
    }
    match (found.as_slice(), refusal) {
        ([disk], _) => Ok(Resolved { disk: disk.clone(), device: disk.device() }),
        ([], Some(why)) => Err(format!("{name} {why}")),
        ([], None) => Err(format!(
            "{name} is no disk of {host}: expected a kernel name (sdb), a SCSI ID, a /dev path or a name in \
             /dev/disk/by-id; `mt-agent disks` lists what there is"
        )),
        (several, _) => {
            let names: Vec<_> = several.iter().map(|disk| disk.path.as_str()).collect();
            Err(format!("{name} means {} disks: {}; name one of them", names.len(), names.join(", ")))
        }
    }
}

/// Whether two are the same disk: paths of one multipath map are.
fn same(a: &Disk, b: &Disk) -> bool {
    a.major_minor == b.major_minor
        || a.multipath.as_ref().zip(b.multipath.as_ref()).is_some_and(|(a, b)| a.major_minor == b.major_minor)
}

/// The kernel names of all block devices that `name` can mean.
fn kernel_names(host: &Host, disks: &[Disk], name: &str) -> Result<Vec<String>, String> {
    if let Some(path) = name.strip_prefix('/') {
        return of_path(host, &format!("/{path}")).map(|kernel| kernel.into_iter().collect());
    }
    let plain = !name.is_empty() && !name.contains('/');
    let mut names: Vec<String> =
        disks.iter().filter(|disk| disk.is_called(name)).map(|disk| disk.name.clone()).collect();
    if plain && is_device(host, name) {
        names.push(name.to_owned());
    }
    names.extend(mapped(host, name));
    for directory in ["by-id", "by-path", "by-uuid", "by-label"] {
        if plain && host.exists(format!("/dev/disk/{directory}/{name}")) {
            names.extend(of_path(host, &format!("/dev/disk/{directory}/{name}"))?);
        }
    }
    Ok(names)
}

fn is_device(host: &Host, kernel: &str) -> bool {
    host.exists(format!("/sys/block/{kernel}/dev")) || sysfs::disk_of_partition(host, kernel).is_some()
}

/// The device-mapper device of that name.
fn mapped(host: &Host, name: &str) -> Option<String> {
    let names = host.list("/sys/block").ok()?;
    names.into_iter().find(|dm| {
        dm.starts_with("dm-") && sysfs::word(host, dm, "dm/name").is_some_and(|found| found == name)
    })
}

/// The kernel name of the block device behind a path.
fn of_path(host: &Host, path: &str) -> Result<Option<String>, String> {
    if host.is_live() {
        let meta = match fs::metadata(host.path(path)) {
            Ok(meta) => meta,
            Err(error) => return Err(format!("looking at {path}: {error}")),
        };
        if !meta.file_type().is_block_device() {
            return Err(format!("{path} is not a block device"));
        }
        let number = format!("/sys/dev/block/{}", DeviceNumber::of(meta.rdev()));
        return match sysfs::real(host, &number) {
            Some(real) => Ok(real.file_name().and_then(|name| name.to_str()).map(str::to_owned)),
            None => Err(format!("the kernel has no block device behind {path} ({number} leads nowhere)")),
        };
    }
    if let Some(name) = path.strip_prefix("/dev/mapper/") {
        return Ok(mapped(host, name));
    }
    let target = host.resolve(path).map_err(|error| format!("looking at {path}: {error}"))?;
    let below = target.strip_prefix(host.path("/dev")).unwrap_or(&target);
    let kernel = below.to_string_lossy().replace('/', "!");
    Ok(is_device(host, &kernel).then_some(kernel))
}

/// The disk that a kernel name stands for.
fn one(host: &Host, disks: &[Disk], kernel: &str) -> Result<Disk, String> {
    let of_map = |disk: &&Disk| disk.multipath.as_ref().is_some_and(|map| map.name == kernel);
    if let Some(disk) = disks.iter().find(|disk| disk.name == kernel).or_else(|| disks.iter().find(of_map)) {
        return Ok(disk.clone());
    }
    if let Some(whole) = sysfs::disk_of_partition(host, kernel) {
        return Err(format!("is a partition of {whole}: name the whole disk"));
    }
    if let Some(uuid) = sysfs::word(host, kernel, "dm/uuid") {
        let what = if matches!(Mapped::of(&uuid), Mapped::Lvm(_)) {
            "a logical volume"
        } else {
            "a device-mapper device"
        };
        return Err(format!("is {what}, not a disk"));
    }
    match sysfs::not_a_disk(kernel) {
        Some(what) if what != "a loop device" => Err(format!("is {what}, not a disk")),
        _ => describe(host, kernel),
    }
}
