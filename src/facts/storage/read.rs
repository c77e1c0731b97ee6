//! One read of a device, past the page cache.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};

use nix::libc;
use nix::sys::stat::{major, minor};

use super::{Read, content};
use crate::facts::disks::sysfs;
use crate::facts::retention::Volume;
use crate::host::{Host, files};

/// What is read: a block of the largest size that disks have, at a place in memory that suits O_DIRECT.
const BLOCK: usize = 4096;

/// Reads the first block of the device with the kernel name `name` and the number `number`, and what it says that it carries.
///
/// # Errors
/// Why it could not be tried.
pub(super) fn first_block(host: &Host, name: &str, number: &str) -> Result<(Read, Option<Volume>), String> {
    if !host.is_live() {
        return recorded(host, number);
    }
    let path = format!("/dev/{}", name.replace('!', "/"));
    let opened = files::node(&host.path(&path), libc::O_DIRECT | libc::O_NONBLOCK);
    match opened.and_then(|file| read(&file, number)) {
        Ok(volume) => Ok((Read::Done, volume)),
        Err(error) if is_the_device_s(&error) => Ok((Read::Failed(format!("reading {path}: {error}")), None)),
        Err(error) => Err(sysfs::needs_root(&error, format!("reading {path}: {error}"))),
    }
}

fn read(file: &File, number: &str) -> io::Result<Option<Volume>> {
    let meta = file.metadata()?;
    let found = format!("{}:{}", major(meta.rdev()), minor(meta.rdev()));
    if !meta.file_type().is_block_device() || found != number {
        return Err(io::Error::other(format!("it is {found}, and {number} was expected")));
    }
    let mut room = vec![0; 2 * BLOCK];
    let start = room.as_ptr().align_offset(BLOCK).min(BLOCK);
    match file.read_at(&mut room[start..start + BLOCK], 0)? {
        0 => Err(io::Error::from_raw_os_error(libc::ENXIO)),
        length => Ok(content::volume(&room[start..start + length])),
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

/// What a recording says: lines `MAJOR:MINOR done`, with type, UUID and label of what is there behind it, or `MAJOR:MINOR` and why
/// not. Of what carries nothing it need not tell.
fn recorded(host: &Host, number: &str) -> Result<(Read, Option<Volume>), String> {
    let text = host.read("/commands/read").unwrap_or_default();
    let mut lines = text.lines().filter_map(|line| line.trim().split_once(' '));
    let Some((_, said)) = lines.find(|(of, _)| *of == number) else {
        return Err("the recording does not tell".into());
    };
    let mut words = said.splitn(4, ' ').map(str::to_owned);
    if words.next().as_deref() != Some("done") {
        return Ok((Read::Failed(said.to_owned()), None));
    }
    let mut word = || words.next().unwrap_or_default();
    let volume = Volume { fs_type: word(), uuid: word(), label: word() };
    Ok((Read::Done, (!volume.uuid.is_empty()).then_some(volume)))
}
