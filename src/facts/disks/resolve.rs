//! From what a person writes (`sdb`, a SCSI ID, /dev/mapper/NAME, a by-id name) to one disk.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use super::{Disk, Mapped, describe, sysfs};
use crate::facts::filesystems;
use crate::host::{DeviceNumber, Host, device_name, text};

/// Where each link in /dev/disk/by-id leads.
type Links = BTreeMap<String, DeviceNumber>;

impl Disk {
    /// Whether a person who says `name` means this disk, as far as its name, its SCSI ID and its multipath map tell: a kernel name,
    /// the ID, a name of udev's with the ID in it, or the map's name, each alone or as a path.
    fn is_called(&self, name: &str) -> bool {
        let (device, short) = (name.strip_prefix("/dev/").unwrap_or(name), device_name::short(name));
        self.name == device
            || self.has_id(short)
            || device_name::id_in(short).is_some_and(|id| self.has_id(&id))
            || self.multipath.as_ref().is_some_and(|map| map.dm_name == short || map.name == device)
    }

    /// Whether both are one disk: the same, or paths of one multipath map.
    pub fn is_same(&self, other: &Self) -> bool {
        self.name == other.name
            || matches!((&self.multipath, &other.multipath), (Some(a), Some(b)) if a.major_minor == b.major_minor)
    }
}

/// `disks` with the paths of one multipath map counted once.
pub fn distinct(disks: Vec<&Disk>) -> Vec<&Disk> {
    let mut kept: Vec<&Disk> = Vec::new();
    for disk in disks {
        if !kept.iter().any(|other| other.is_same(disk)) {
            kept.push(disk);
        }
    }
    kept
}

/// The one of `disks` that `name` means, by what was read of them and of the links: a kernel name, a SCSI ID, a link in
/// /dev/disk/by-id, or a multipath map. Of the paths of a map, the first stands for it: that is the one that is probed.
/// Errors: One line that says which disks it could be, or that a link is older than the disk that it leads to.
pub fn find<'a>(disks: &'a [Disk], by_id: Option<&Links>, name: &str) -> Result<Option<&'a Disk>, String> {
    let found = only(name, meant(disks, by_id, name)?)?;
    Ok(found.map(|disk| first_path(disks, disk)))
}

fn first_path<'a>(disks: &'a [Disk], disk: &'a Disk) -> &'a Disk {
    disks.iter().find(|other| other.is_same(disk)).unwrap_or(disk)
}

/// The one disk among `found`, if there is any.
fn only<'a>(name: &str, found: Vec<&'a Disk>) -> Result<Option<&'a Disk>, String> {
    match distinct(found).as_slice() {
        [] => Ok(None),
        [disk] => Ok(Some(disk)),
        several => Err(format!(
            "{} could be {}: give a name that only one disk has",
            text::safe(name),
            several.iter().map(|disk| disk.name.as_str()).collect::<Vec<_>>().join(" or ")
        )),
    }
}

fn meant<'a>(disks: &'a [Disk], by_id: Option<&Links>, name: &str) -> Result<Vec<&'a Disk>, String> {
    let short = device_name::short(name);
    let link = by_id.and_then(|links| links.get(short));
    let linked = |disk: &&Disk| link.is_some_and(|to| [disk.major_minor, disk.device_number()].contains(to));
    if let (Some(id), Some(disk)) = (device_name::id_in(short), disks.iter().find(linked))
        && let Some(other) = disk.id()
        && *other != id
        && other.len() == id.len()
    {
        return Err(format!(
            "{} leads to {}, which answers with the SCSI ID {other}: the link is older than the disk. Name the disk by its \
             SCSI ID",
            text::safe(name),
            disk.name
        ));
    }
    Ok(disks.iter().filter(|disk| disk.is_called(name) || linked(disk)).collect())
}

/// The disk that `name` means on `host`: what [`find`] finds, unless the path leads elsewhere now, and what only the host tells: any
/// path to a block device, a place, or a loop device, which is taken for a disk. A partition is not.
/// Errors: One line that names `name` and says what it is instead, or that it is not there or could be several disks.
pub fn resolve(host: &Host, disks: &[Disk], name: &str) -> Result<Disk, String> {
    let by_id = filesystems::by_id(host).ok();
    let (mut here, mut refusal) = (Vec::new(), None);
    let kernels = kernel_names(host, name)?;
    // A path that is not there names nothing, whatever ID is in it.
    let is_absent = kernels.is_empty() && name.starts_with('/');
    let mut found = if is_absent { Vec::new() } else { meant(disks, by_id.as_ref(), name)? };
    for kernel in kernels {
        match one(host, disks, &kernel) {
            Ok(disk) => here.push(disk),
            Err(why) => refusal = Some(why),
        }
    }
    found.extend(&here);
    let why = match (only(name, found)?, refusal) {
        (Some(disk), _) => return Ok(first_path(disks, disk).clone()),
        (None, Some(why)) => why,
        (None, None) => format!(
            "is no disk of {host}: expected a kernel name (sdb), a SCSI ID, a /dev path or a name in /dev/disk/by-id; `mt-agent \
             disks` lists what there is"
        ),
    };
    Err(format!("{} {why}", text::safe(name)))
}

/// The kernel names of the block devices that the host has under `name`.
fn kernel_names(host: &Host, name: &str) -> Result<Vec<String>, String> {
    if name.starts_with('/') {
        return Ok(of_path(host, name)?.into_iter().collect());
    }
    if name.is_empty() || name.contains('/') {
        return Ok(Vec::new());
    }
    let mut names: Vec<String> = mapped(host, name).into_iter().collect();
    if is_device(host, name) {
        names.push(name.to_owned());
    }
    for directory in ["by-id", "by-path"] {
        let link = format!("/dev/disk/{directory}/{name}");
        if host.exists(&link) {
            names.extend(of_path(host, &link)?);
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
            Err(error) => return Err(format!("looking at {}: {error}", text::safe(path))),
        };
        if !meta.file_type().is_block_device() {
            return Err(format!("{} is not a block device", text::safe(path)));
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
