//! One read of a device, past the page cache.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};

use nix::libc;
use nix::sys::stat::{major, minor};

use super::Read;
use crate::facts::disks::sysfs;
use crate::host::{Host, files};

/// What is read: a block of the largest size that disks have, at a place in memory that suits O_DIRECT.
const BLOCK: usize = 4096;

/// Reads the first block of the device with the kernel name `name` and the number `number`.
///
/// # Errors
/// Why it could not be tried.
pub(super) fn first_block(host: &Host, name: &str, number: &str) -> Result<Read, String> {
    if !host.is_live() {
        return recorded(host, number);
    }
    let path = format!("/dev/{}", name.replace('!', "/"));
    let opened = files::node(&host.path(&path), libc::O_DIRECT | libc::O_NONBLOCK);
    match opened.and_then(|file| read(&file, number)) {
        Ok(()) => Ok(Read::Done),
        Err(error) if is_the_device_s(&error) => Ok(Read::Failed(format!("reading {path}: {error}"))),
        Err(error) => Err(sysfs::needs_root(&error, format!("reading {path}: {error}"))),
    }
}

fn read(file: &File, number: &str) -> io::Result<()> {
    let meta = file.metadata()?;
    let found = format!("{}:{}", major(meta.rdev()), minor(meta.rdev()));
    if !meta.file_type().is_block_device() || found != number {
        return Err(io::Error::other(format!("it is {found}, and {number} is mounted")));
    }
    let mut room = vec![0; 2 * BLOCK];
    let start = room.as_ptr().align_offset(BLOCK).min(BLOCK);
    match file.read_at(&mut room[start..start + BLOCK], 0)? {
        0 => Err(io::Error::from_raw_os_error(libc::ENXIO)),
        _ => Ok(()),
    }
}

/// Whether the device itself failed: any other error says nothing of it.
fn is_the_device_s(error: &io::Error) -> bool {
    let of_devices = [libc::EIO, libc::ENXIO, libc::ENODEV, libc::ENOMEDIUM, libc::ETIMEDOUT, libc::ENOLINK];
    of_devices.map(Some).contains(&error.raw_os_error())
        || [libc::EREMOTEIO, libc::EBADE, libc::ENODATA, libc::EILSEQ]
            .map(Some)
            .contains(&error.raw_os_error())
}

/// What a recording says: lines `MAJOR:MINOR done`, or `MAJOR:MINOR` and why not.
fn recorded(host: &Host, number: &str) -> Result<Read, String> {
    let text = host.read("/commands/read").unwrap_or_default();
    let mut lines = text.lines().filter_map(|line| line.trim().split_once(' '));
    match lines.find(|(of, _)| *of == number) {
        Some((_, "done")) => Ok(Read::Done),
        Some((_, why)) => Ok(Read::Failed(why.to_owned())),
        None => Err("the recording does not tell".into()),
    }
}
