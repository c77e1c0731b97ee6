//! Uses of a disk that neither mounts nor holders show: loop devices over it, and programs that write to it.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use nix::sys::stat::{major, minor};

use crate::facts::disks::{Disk, sysfs};
use crate::host::{Host, text};

/// Keeps every path of its maps open, and writes to none.
const MULTIPATHD: &str = "multipathd";

/// Loop devices that lie over the disk or a part of it. 2.6.32 does not tell what lies below a loop device.
#[must_use]
pub fn loops(host: &Host, disk: &Disk) -> Vec<String> {
    let names = host.list("/sys/block").unwrap_or_default();
    let over = names.into_iter().filter(|name| {
        sysfs::word(host, name, "loop/backing_file").is_some_and(|file| {
            number(host, &file).is_some_and(|number| disk.all_devices().contains(&number.as_str()))
        })
    });
    over.map(|name| format!("below the loop device {name}")).collect()
}

fn number(host: &Host, path: &str) -> Option<String> {
    let meta = fs::metadata(host.path(path)).ok()?;
    meta.file_type().is_block_device().then(|| format!("{}:{}", major(meta.rdev()), minor(meta.rdev())))
}

/// Programs that have the disk or a part of it open for writing, without a claim that the kernel would know
/// of. A failback writes to a protected machine's new disk in just this way, while the disk still looks blank.
///
/// # Errors
/// When /proc cannot be read.
pub fn writers(host: &Host, disk: &Disk) -> Result<Vec<String>, String> {
    if !host.is_live() {
        return Ok(Vec::new());
    }
    let processes = host.list("/proc").map_err(|error| format!("reading /proc: {error}"))?;
    let others =
        processes.iter().filter(|name| name.parse::<u32>().is_ok_and(|pid| pid != std::process::id()));
    let mut found = Vec::new();
    for pid in others {
        let name =
            host.read(format!("/proc/{pid}/comm")).or_else(|_| of_status(host, pid)).unwrap_or_default();
        let name = name.trim();
        if name != MULTIPATHD && writes(host, pid, disk) {
            found.push(format!("open for writing by process {pid} ({})", text::safe(name)));
        }
    }
    Ok(found)
}

/// A kernel before 2.6.33 has no /proc/PID/comm.
fn of_status(host: &Host, pid: &str) -> io::Result<String> {
    let status = host.read(format!("/proc/{pid}/status"))?;
    Ok(status.lines().find_map(|line| line.strip_prefix("Name:")).unwrap_or_default().to_owned())
}

/// Whether the process has a descriptor for writing. One that ends meanwhile, or that may not be looked at,
/// has none: without root the disk cannot be read either.
fn writes(host: &Host, pid: &str, disk: &Disk) -> bool {
    let descriptors = host.list(format!("/proc/{pid}/fd")).unwrap_or_default();
    descriptors.iter().any(|fd| {
        let link = format!("/proc/{pid}/fd/{fd}");
        // Only what looks like a device is followed: a file on a dead network mount would hang.
        let device = fs::read_link(host.path(&link)).is_ok_and(|target| target.starts_with("/dev"));
        device
            && number(host, &link).is_some_and(|number| disk.all_devices().contains(&number.as_str()))
            && host.read(format!("/proc/{pid}/fdinfo/{fd}")).is_ok_and(|info| is_writable(&info))
    })
}

/// Whether the open flags in fdinfo, in octal, are those of O_WRONLY or O_RDWR.
fn is_writable(info: &str) -> bool {
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok()).is_none_or(|flags| flags & 3 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_flags_are_octal_and_in_doubt_writable() {
        assert!(!is_writable("pos:\t0\nflags:\t0100000\n"));
        assert!(is_writable("pos:\t0\nflags:\t0100001\n"));
        assert!(is_writable("pos:\t0\nflags:\t02100002\nmnt_id:\t14\n"));
        assert!(is_writable("pos:\t0\n"));
    }
}
