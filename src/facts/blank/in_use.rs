//! Uses of a disk that neither mounts nor holders show: loop devices over it, and programs that write to it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::time::Duration;

use crate::facts::disks::{Disk, sysfs};
use crate::facts::processes;
use crate::host::apart::apart;
use crate::host::{DeviceNumber, Host, files, text};

/// How long looking at what all processes have open may take. A file on a network mount that is dead does not answer.
const DEADLINE: Duration = Duration::from_secs(30);

/// How long looking at the files under loop devices may take.
const LOOPS: Duration = Duration::from_secs(10);

/// Loop devices that lie over the disk or a part of it. 2.6.32 does not say what lies below a loop device.
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
        let is_over =
            |file: &str| number(host, file).is_some_and(|number| disk.all_devices().contains(&number));
        let found = backed.iter().filter(|(_, file)| wanted(file) && is_over(file));
        found.map(|(name, _)| format!("below the loop device {name}")).collect()
    };
    // A file on a file system that does not answer is no device; what is written through a device that lies elsewhere than
    // in /dev, the kernel counts.
    apart("looking at files under loop devices", LOOPS, &[], || over(&|_| true))
        .unwrap_or_else(|_| over(&|file| file.starts_with("/dev/")))
}

fn number(host: &Host, path: &str) -> Option<DeviceNumber> {
    number_of(&fs::metadata(host.path(path)).ok()?)
}

fn number_of(meta: &fs::Metadata) -> Option<DeviceNumber> {
    meta.file_type().is_block_device().then(|| DeviceNumber::of(meta.rdev()))
}

/// Programs that have one of the disks or a part of it open or mapped for writing, without a claim that the kernel would
/// know of. A failback writes to a protected machine's new disk in just this way, while the disk still looks blank. By
/// whatever name and from whatever namespace: udev and multipathd (libmultipath/discovery.c opens paths `O_RDONLY`) open
/// for reading only, so nobody is excused.
/// Errors: It cannot be determined: /proc cannot be read, or shows a part of the processes.
pub fn writers(host: &Host, disks: &[Disk]) -> Result<Vec<String>, String> {
    if !host.is_live() {
        return Ok(Vec::new());
    }
    processes::sees_all(host)?;
    let devices: BTreeSet<DeviceNumber> = disks.iter().flat_map(Disk::all_devices).collect();
    // A file that does not answer would hold us up for ever.
    apart("looking at what processes have open", DEADLINE, &[], || open_for_writing(host, &devices))
        .map_err(|error| error.to_string())?
}

fn open_for_writing(host: &Host, devices: &BTreeSet<DeviceNumber>) -> Result<Vec<String>, String> {
    let processes = host.list("/proc").map_err(|error| format!("reading /proc: {error}"))?;
    let mut found = Vec::new();
    for pid in processes.iter().filter(|name| name.parse::<u32>().is_ok()) {
        let how = match how(host, pid, devices) {
            Ok(Some(how)) => how,
            Ok(None) => continue,
            Err(error) if is_passed_over(&error) => continue,
            Err(error) => return Err(format!("looking at what process {pid} has open: {error}")),
        };
        let name =
            host.read(format!("/proc/{pid}/comm")).or_else(|_| of_status(host, pid)).unwrap_or_default();
        found.push(format!("{how} for writing by process {pid} ({})", text::safe(name.trim())));
    }
    Ok(found)
}

/// How the process can write to one of the devices, if it can.
fn how(host: &Host, pid: &str, devices: &BTreeSet<DeviceNumber>) -> io::Result<Option<&'static str>> {
    // Each thread can have files of its own (unshare(CLONE_FILES)).
    for thread in host.list(format!("/proc/{pid}/task"))? {
        match writes(host, &format!("/proc/{pid}/task/{thread}"), devices) {
            Ok(false) => {}
            Ok(true) => return Ok(Some("open")),
            Err(error) if is_passed_over(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(maps(host, pid, devices)?.then_some("mapped"))
}

/// Whether it ended meanwhile, or may not be looked at: without root the disk cannot be read either, and with it a process is
/// closed only to who is confined, whose disks the kernel's counts are asked of too. Any other error leaves open what is there.
fn is_passed_over(error: &io::Error) -> bool {
    is_gone(error) || error.kind() == io::ErrorKind::PermissionDenied
}

/// Whether it ended, was closed or unmapped while it was looked at.
fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(nix::libc::ESRCH)
}

/// A kernel before 2.6.33 has no /proc/PID/comm.
fn of_status(host: &Host, pid: &str) -> io::Result<String> {
    let status = host.read(format!("/proc/{pid}/status"))?;
    Ok(status.lines().find_map(|line| line.strip_prefix("Name:")).unwrap_or_default().to_owned())
}

/// Whether the thread has a descriptor for writing. One that is closed meanwhile is none.
fn writes(host: &Host, thread: &str, devices: &BTreeSet<DeviceNumber>) -> io::Result<bool> {
    for fd in host.list(format!("{thread}/fd"))? {
        let link = format!("{thread}/fd/{fd}");
        let look = || -> io::Result<bool> {
            // Sockets and pipes have no path. Where the node lies does not matter, and what its path is depends on who looks.
            Ok(fs::read_link(host.path(&link))?.starts_with("/")
                && is_writable(&host.read(format!("{thread}/fdinfo/{fd}"))?)
                && is_one_of(&host.path(&link), devices)?)
        };
        match look() {
            Ok(false) => {}
            Err(error) if is_gone(&error) => {}
            answer => return answer,
        }
    }
    Ok(false)
}

fn is_one_of(path: &Path, devices: &BTreeSet<DeviceNumber>) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(meta) => Ok(number_of(&meta).is_some_and(|number| devices.contains(&number))),
        // A file of a dead mount (ENOTCONN, ESTALE, EIO) or of a user's own (EACCES of FUSE, to root too) is no device node: one
        // of those is looked at without asking whoever has the mount.
        Err(error) if is_gone(&error) => Err(error),
        Err(_) => Ok(false),
    }
}

/// Whether the process maps one of the devices for writing. Before 3.3 there is no /proc/PID/map_files, and only the
/// kernel's counts tell.
fn maps(host: &Host, pid: &str, devices: &BTreeSet<DeviceNumber>) -> io::Result<bool> {
    // Line by line: a process may have so many mappings that no bound of ours fits, and none is left out.
    let mut lines = BufReader::new(files::open(&host.path(format!("/proc/{pid}/maps")))?);
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(false);
        }
        let Some(range) = shared_for_writing(&String::from_utf8_lossy(&line)).map(str::to_owned) else {
            continue;
        };
        match is_one_of(&host.path(format!("/proc/{pid}/map_files/{range}")), devices) {
            Ok(false) => {}
            Err(error) if is_gone(&error) => {}
            answer => return answer,
        }
    }
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
    use crate::testing::begins;

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
    fn what_cannot_be_looked_at_is_not_nothing() {
        use crate::facts::testing;
        let devices = BTreeSet::from(["8:16".into()]);
        let look = |files: &[(&str, &str)]| {
            let dir = testing::tree(files);
            open_for_writing(&Host::recorded(dir.path()), &devices)
        };
        let task = ("proc/7/task/7/fd/none/x", "");
        // A directory in the place of a link or file, as nothing is unreadable to root.
        begins(&look(&[task, ("proc/7/maps", "")]).unwrap_err(), "looking at what process 7 has open: ");
        let found = look(&[
            ("proc/7/task/7/fd/3", "-> /dev/sdb"),
            ("proc/7/task/7/fdinfo/3/x", ""),
            ("proc/7/maps", ""),
        ]);
        assert!(found.is_err(), "{found:?}");
        assert!(look(&[("proc/7/task/x/fd", "no directory"), ("proc/7/maps", "")]).is_err());
        let closed = look(&[("proc/7/task/7/fd/3", "-> /nowhere"), ("proc/7/maps", "")]);
        assert_eq!(closed, Ok(Vec::new()), "gone meanwhile");
        assert_eq!(look(&[("proc/7/stat", "")]), Ok(Vec::new()));
    }

    /// More mappings than 16 MiB can tell of, and behind them the one that counts: read to its end.
    #[test]
    fn a_process_of_very_many_mappings_is_looked_at_to_the_last_one() {
        use crate::facts::testing;
        let line = "7f0000000000-7f0000001000 rw-p 00000000 00:00 0\n";
        let mut maps = line.repeat(usize::try_from(files::LARGEST).unwrap() / line.len() + 2);
        maps.push_str("7f00-7f01 rw-s 00000000 00:06 351 /dev/null-of-a-test\n");
        let dir = testing::tree(&[("proc/7/task/7/fd/x", ""), ("proc/7/maps", &maps)]);
        let host = Host::recorded(dir.path());
        fs::remove_file(dir.path().join("proc/7/task/7/fd/x")).unwrap();
        let mapped = dir.path().join("proc/7/map_files");
        fs::create_dir(&mapped).unwrap();
        let kind = nix::sys::stat::SFlag::S_IFBLK;
        nix::sys::stat::mknod(
            &mapped.join("7f00-7f01"),
            kind,
            nix::sys::stat::Mode::empty(),
            nix::sys::stat::makedev(8, 16),
        )
        .expect("root");
        let found = open_for_writing(&host, &BTreeSet::from(["8:16".into()])).unwrap();
        assert_eq!(found, ["mapped for writing by process 7 ()"]);
    }

    #[test]
    fn open_flags_are_octal_and_in_doubt_writable() {
        assert!(!is_writable("pos:\t0\nflags:\t0100000\n"));
        assert!(is_writable("pos:\t0\nflags:\t0100001\n"));
        assert!(is_writable("pos:\t0\nflags:\t02100002\nmnt_id:\t14\n"));
        assert!(is_writable("pos:\t0\n"));
    }
}
