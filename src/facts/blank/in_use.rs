//! Uses of a disk that neither mounts nor holders show: loop devices over it, and programs that write to it.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::time::Duration;

use nix::sys::stat::{major, minor};

use crate::facts::disks::{Disk, sysfs};
use crate::facts::processes;
use crate::host::apart::apart;
use crate::host::{Host, text};

/// How long looking at what all processes have open may take. A file on a network mount that is dead does not answer.
const DEADLINE: Duration = Duration::from_secs(30);

/// How long looking at the files under loop devices may take.
const LOOPS: Duration = Duration::from_secs(10);

/// Loop devices that lie over the disk or a part of it. 2.6.32 does not tell what lies below a loop device.
#[must_use]
pub fn loops(host: &Host, disk: &Disk) -> Vec<String> {
    let names = host.list("/sys/block").unwrap_or_default();
    let backed: Vec<(String, String)> = names
        .into_iter()
        .filter_map(|name| sysfs::word(host, &name, "loop/backing_file").map(|file| (name, file)))
        .collect();
    if backed.is_empty() {
        return Vec::new();
    }
    let over = |wanted: &dyn Fn(&str) -> bool| -> Vec<String> {
        let is_over = |file: &str| {
            number(host, file).is_some_and(|number| disk.all_devices().contains(&number.as_str()))
        };
        let found = backed.iter().filter(|(_, file)| wanted(file) && is_over(file));
        found.map(|(name, _)| format!("below the loop device {name}")).collect()
    };
    // A file on a file system that does not answer is no device; what is written through a device that lies elsewhere than
    // in /dev, the kernel counts.
    apart("looking at files under loop devices", LOOPS, &[], || over(&|_| true))
        .unwrap_or_else(|_| over(&|file| file.starts_with("/dev/")))
}

fn number(host: &Host, path: &str) -> Option<String> {
    let meta = fs::metadata(host.path(path)).ok()?;
    meta.file_type().is_block_device().then(|| format!("{}:{}", major(meta.rdev()), minor(meta.rdev())))
}

/// Programs that have one of the disks or a part of it open or mapped for writing, without a claim that the kernel would
/// know of. A failback writes to a protected machine's new disk in just this way, while the disk still looks blank. By
/// whatever name and from whatever namespace: udev and multipathd (libmultipath/discovery.c opens paths `O_RDONLY`) open
/// for reading only, so nobody is excused.
///
/// # Errors
/// It cannot be told: /proc cannot be read, or shows a part of the processes.
pub fn writers(host: &Host, disks: &[Disk]) -> Result<Vec<String>, String> {
    if !host.is_live() {
        return Ok(Vec::new());
    }
    processes::sees_all(host)?;
    let devices: BTreeSet<String> = disks.iter().flat_map(Disk::all_devices).map(str::to_owned).collect();
    // A file that does not answer would hold us up for ever.
    apart("looking at what processes have open", DEADLINE, &[], || open_for_writing(host, &devices))
        .map_err(|error| error.to_string())?
}

fn open_for_writing(host: &Host, devices: &BTreeSet<String>) -> Result<Vec<String>, String> {
    let processes = host.list("/proc").map_err(|error| format!("reading /proc: {error}"))?;
    let mut found = Vec::new();
    for pid in processes.iter().filter(|name| name.parse::<u32>().is_ok()) {
        // Each thread can have files of its own (unshare(CLONE_FILES)).
        let threads = host.list(format!("/proc/{pid}/task")).unwrap_or_default();
        let how = if threads.iter().any(|thread| writes(host, &format!("/proc/{pid}/task/{thread}"), devices))
        {
            "open"
        } else if maps(host, pid, devices) {
            "mapped"
        } else {
            continue;
        };
        let name =
            host.read(format!("/proc/{pid}/comm")).or_else(|_| of_status(host, pid)).unwrap_or_default();
        found.push(format!("{how} for writing by process {pid} ({})", text::safe(name.trim())));
    }
    Ok(found)
}

/// A kernel before 2.6.33 has no /proc/PID/comm.
fn of_status(host: &Host, pid: &str) -> io::Result<String> {
    let status = host.read(format!("/proc/{pid}/status"))?;
    Ok(status.lines().find_map(|line| line.strip_prefix("Name:")).unwrap_or_default().to_owned())
}

/// Whether the thread has a descriptor for writing. One that ends meanwhile, or that may not be looked at,
/// has none: without root the disk cannot be read either.
fn writes(host: &Host, thread: &str, devices: &BTreeSet<String>) -> bool {
    let descriptors = host.list(format!("{thread}/fd")).unwrap_or_default();
    descriptors.iter().any(|fd| {
        let link = format!("{thread}/fd/{fd}");
        // Sockets and pipes have no path. Where the node lies does not matter, and what its path is depends on who looks.
        let is_file = fs::read_link(host.path(&link)).is_ok_and(|target| target.starts_with("/"));
        is_file
            && host.read(format!("{thread}/fdinfo/{fd}")).is_ok_and(|info| is_writable(&info))
            && number(host, &link).is_some_and(|number| devices.contains(&number))
    })
}

/// Whether the process maps one of the devices for writing. Before 3.3 there is no /proc/PID/map_files, and only the
/// kernel's counts tell.
fn maps(host: &Host, pid: &str, devices: &BTreeSet<String>) -> bool {
    let maps = host.read(format!("/proc/{pid}/maps")).unwrap_or_default();
    maps.lines().filter_map(shared_for_writing).any(|range| {
        number(host, &format!("/proc/{pid}/map_files/{range}"))
            .is_some_and(|number| devices.contains(&number))
    })
}

/// The range of addresses of a line of /proc/PID/maps, where it is a file that is written to through memory.
fn shared_for_writing(line: &str) -> Option<&str> {
    let mut words = line.split_ascii_whitespace();
    let (range, permissions) = (words.next()?, words.next()?);
    let path = words.nth(3)?;
    (permissions.contains('w') && permissions.ends_with('s') && path.starts_with('/')).then_some(range)
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
    fn mappings_that_write_to_a_file_are_told_from_others() {
        let line = |permissions: &str, path: &str| {
            let line = format!("7f00-7f01 {permissions} 00000000 00:06 351 {path}");
            shared_for_writing(&line).map(str::to_owned)
        };
        assert_eq!(line("rw-s", "                   /dev/sdb").as_deref(), Some("7f00-7f01"));
        assert_eq!(line("r--s", "/dev/sdb").or(line("rw-p", "/dev/sdb")).or(line("rw-s", "")), None);
        assert_eq!(shared_for_writing("7f00-7f01 rw-p 00000000 00:00 0"), None);
    }

    #[test]
    fn open_flags_are_octal_and_in_doubt_writable() {
        assert!(!is_writable("pos:\t0\nflags:\t0100000\n"));
        assert!(is_writable("pos:\t0\nflags:\t0100001\n"));
        assert!(is_writable("pos:\t0\nflags:\t02100002\nmnt_id:\t14\n"));
        assert!(is_writable("pos:\t0\n"));
    }
}
