//! One read of a device, past the page cache.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};

use nix::libc;

use super::bytes::{is_ext, u16_at, u32_at};
use super::found::{Carried, Device, Extent, Read};
use super::table::{Entry, Place, Table};
use super::{content, places};
use crate::facts::disks::sysfs;
use crate::facts::retention::Volume;
use crate::host::{DeviceNumber, Host, files};

/// What is read: a block of the largest size that disks have, at a place in memory that suits O_DIRECT.
const BLOCK: usize = 4096;

/// Reads the first block of the device with the kernel name `name`, and what it says that it carries; with
/// the partition table on it, where one counts, and what lies at the places of partitions that the kernel does not show.
pub(super) fn first_block(host: &Host, name: &str, device: &Device) -> Result<(Read, Carried), String> {
    let Device { number, partitions, size_bytes, is_mounted, .. } = device;
    let (number, partitions) = (*number, partitions.as_ref());
    // Newer kernels tell their count, and write it to the disk by way of the journal, later.
    let counted = sysfs_count(host, name).map(|count| Read::Errors(format!("the kernel counts {count}")));
    if !host.is_live() {
        let (read, mut carried) = recorded(host, number)?;
        for entry in carried.table.iter_mut().flat_map(|table| &mut table.entries) {
            let is_shown = partitions.is_none_or(|one| one.shown.have(entry.number, entry.start_bytes));
            entry.place = (!is_shown).then(|| recorded_place(host, number, entry.start_bytes));
        }
        return Ok((counted.filter(|_| read == Read::Done).unwrap_or(read), carried));
    }
    let path = format!("/dev/{}", name.replace('!', "/"));
    let opened = files::node(&host.path(&path), libc::O_DIRECT | libc::O_NONBLOCK);
    match opened.and_then(|file| Ok((read(&file, number)?, file))) {
        Ok((start, file)) => {
            let sector = partitions.map(|one| one.sector);
            // What is in use itself is no member.
            let size = size_bytes.filter(|_| !is_mounted);
            let (mut carried, failed) = carried(&start, sector, size, |at| block(&file, at));
            if let (Some(table), Some(one)) = (&mut carried.table, partitions) {
                let shows = |entry: &Entry| one.shown.have(entry.number, entry.start_bytes);
                places::read(&mut table.entries, shows, |at| block(&file, at));
            }
            let failed = failed.map(|why| Read::Failed(format!("reading {path} {why}")));
            Ok((failed.or(counted).unwrap_or_else(|| ext_errors(&start)), carried))
        }
        Err(error) if is_the_device_s(&error) => {
            Ok((Read::Failed(format!("reading {path}: {error}")), Carried::default()))
        }
        Err(error) => Err(sysfs::needs_root(&error, format!("reading {path}: {error}"))),
    }
}

/// What `start` and `read` say, as in [`content::carried`], and what the device said to a read: then it is not known what it carries.
fn carried(
    start: &[u8],
    sector: Option<u64>,
    size: Option<u64>,
    read: impl Fn(u64) -> io::Result<Vec<u8>>,
) -> (Carried, Option<String>) {
    let failed = RefCell::new(None);
    let carried = content::carried(start, sector, size, |at| {
        let bytes = read(at);
        // One that is smaller has nothing there, and what is damaged can lead anywhere.
        if let Err(error) = &bytes
            && is_the_device_s(error)
            && error.raw_os_error() != Some(libc::ENXIO)
        {
            failed.replace(Some(format!("at {at}: {error}")));
        }
        bytes.ok()
    });
    (carried, failed.into_inner())
}

fn read(file: &File, number: DeviceNumber) -> io::Result<Vec<u8>> {
    let meta = file.metadata()?;
    let found = DeviceNumber::of(meta.rdev());
    if !meta.file_type().is_block_device() || found != number {
        return Err(io::Error::other(format!("it is {found}, and {number} was expected")));
    }
    block(file, 0)
}

/// The block that begins at the byte `at`, a multiple of the size of a sector.
fn block(file: &File, at: u64) -> io::Result<Vec<u8>> {
    let mut room = vec![0; 2 * BLOCK];
    let start = room.as_ptr().align_offset(BLOCK).min(BLOCK);
    match file.read_at(&mut room[start..start + BLOCK], at)? {
        0 => Err(io::Error::from_raw_os_error(libc::ENXIO)),
        read => Ok(room[start..start + read].to_vec()),
    }
}

/// How many errors of ext4 the kernel counts, where it counts any.
fn sysfs_count(host: &Host, name: &str) -> Option<u64> {
    let text = host.read(format!("/sys/fs/ext4/{name}/errors_count")).ok()?;
    text.trim().parse().ok().filter(|count| *count != 0)
}

/// What the superblock of ext2, ext3 or ext4 says of errors (struct `ext4_super_block` of the kernel's ext4.h). The kernel
/// notes each there at once, and e2fsck alone takes it away. The count came with 2.6.36.
fn ext_errors(block: &[u8]) -> Read {
    /// Offsets in bytes: `s_state`, `s_error_count`.
    const STATE: usize = 1024 + 0x3a;
    const COUNT: usize = 1024 + 0x194;
    /// `EXT4_ERROR_FS`.
    const ERRORS: u16 = 2;
    if !is_ext(block) {
        return Read::Done;
    }
    match u32_at(block, COUNT).unwrap_or_default() {
        0 if u16_at(block, STATE).unwrap_or_default() & ERRORS == 0 => Read::Done,
        0 => Read::Errors("its superblock says so".into()),
        count => Read::Errors(format!("its superblock counts {count}")),
    }
}

/// Whether the device itself failed: any other error says nothing of it.
fn is_the_device_s(error: &io::Error) -> bool {
    use libc::{EBADE, EILSEQ, EIO, ENODATA, ENODEV, ENOLINK, ENOMEDIUM, ENXIO, EREMOTEIO, ETIMEDOUT};
    let of_devices = [EIO, ENXIO, ENODEV, ENOMEDIUM, ETIMEDOUT, ENOLINK, EREMOTEIO, EBADE, ENODATA, EILSEQ];
    error.raw_os_error().is_some_and(|number| of_devices.contains(&number))
}

/// Of a recording: lines `MAJOR:MINOR UUID` of the software RAIDs to which devices belong.
const ARRAYS: &str = "/commands/arrays";

/// What a recording says: lines `MAJOR:MINOR done`, with type, UUID and label of what is there behind it, `MAJOR:MINOR errors` and
/// what is known of them, or `MAJOR:MINOR` and why it was not read; and lines `MAJOR:MINOR BYTES LOG` of sizes.
fn recorded(host: &Host, number: DeviceNumber) -> Result<(Read, Carried), String> {
    let Some(line) = lines_of(host, "/commands/read", number).into_iter().next() else {
        return match recorded_table(host, number) {
            table @ Some(_) => Ok((Read::Done, Carried { table, ..Carried::default() })),
            None => Err("the recording does not say".into()),
        };
    };
    let volume = match recorded_volume(&line) {
        Ok(volume) => volume,
        Err(read) => return Ok((read, Carried::default())),
    };
    let (extent, table) = (recorded_extent(host, number), recorded_table(host, number));
    let group = lines_of(host, "/commands/volume-groups", number).into_iter().next();
    let array = lines_of(host, ARRAYS, number).into_iter().next();
    let checked_secs = lines_of(host, "/commands/checked", number).into_iter().next();
    let checked_secs = checked_secs.and_then(|secs| secs.parse().ok());
    Ok((Read::Done, Carried { volume, group, array, extent, table, checked_secs }))
}

/// What stands behind the number of a device.
fn recorded_volume(line: &str) -> Result<Option<Volume>, Read> {
    let mut words = line.splitn(4, ' ').map(str::to_owned);
    if words.next().as_deref() != Some("done") {
        return Err(match line.strip_prefix("errors ") {
            Some(errors) => Read::Errors(errors.to_owned()),
            None => Read::Failed(line.to_owned()),
        });
    }
    let mut word = || words.next().unwrap_or_default();
    let volume = Volume { fs_type: word().into(), uuid: word().into(), label: word() };
    Ok((!volume.uuid.is_empty()).then_some(volume))
}

/// Lines as of a device, of `MAJOR:MINOR@START-BYTES`.
fn recorded_place(host: &Host, number: DeviceNumber, start_bytes: u64) -> Place {
    let of = |path: &str| lines_of(host, path, format!("{number}@{start_bytes}")).into_iter().next();
    match of("/commands/read").map(|line| recorded_volume(&line)) {
        Some(Ok(volume)) => Place::Read { volume, group: of("/commands/volume-groups"), array: of(ARRAYS) },
        Some(Err(Read::Failed(why) | Read::Errors(why) | Read::Lost(why) | Read::Unlogged(why))) => {
            Place::Unread(why)
        }
        _ => Place::Unread("the recording does not say".to_owned()),
    }
}

/// What stands in a file of a recording behind the number of a device, line by line.
fn lines_of(host: &Host, path: &str, number: impl ToString) -> Vec<String> {
    let (text, number) = (host.read(path).unwrap_or_default(), number.to_string());
    let lines = text.lines().filter_map(|line| line.trim().split_once(' '));
    lines.filter(|(of, _)| *of == number).map(|(_, rest)| rest.to_owned()).collect()
}

/// Lines `MAJOR:MINOR dos ID` or `MAJOR:MINOR gpt`, and `MAJOR:MINOR NUMBER START-BYTES UUID LABEL` of its partitions.
fn recorded_table(host: &Host, number: DeviceNumber) -> Option<Table> {
    let mut lines = lines_of(host, "/commands/partition-tables", number).into_iter();
    let kind = lines.next()?;
    let dos_id = kind.strip_prefix("dos").unwrap_or_default().trim().to_owned();
    let entry = |line: String| {
        let mut words = line.splitn(4, ' ');
        let (number, start_bytes) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let mut word = || words.next().unwrap_or_default().to_owned();
        Some(Entry { number, start_bytes, uuid: word(), label: word(), ..Entry::default() })
    };
    Some(Table { dos_id, entries: lines.filter_map(entry).collect(), damaged: kind == "damaged" })
}

fn recorded_extent(host: &Host, number: DeviceNumber) -> Option<Extent> {
    let line = lines_of(host, "/commands/extent", number).into_iter().next()?;
    let mut words = line.split_whitespace();
    let mut next = || words.next()?.parse().ok();
    Some(Extent { bytes: next()?, log_bytes: next()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_device_carries_is_not_known_where_a_part_of_it_cannot_be_read() {
        let fails = |errno: i32| {
            move |at: u64| match at {
                0x8000 => Err(io::Error::from_raw_os_error(errno)),
                _ => Ok(vec![0; BLOCK]),
            }
        };
        let (found, failed) = carried(&[0; BLOCK], None, None, fails(libc::EIO));
        assert_eq!(
            (found, failed.as_deref()),
            (Carried::default(), Some("at 32768: Input/output error (os error 5)"))
        );
        // Behind its end, or where nobody can read.
        for errno in [libc::ENXIO, libc::EINVAL] {
            assert_eq!(carried(&[0; BLOCK], None, None, fails(errno)).1, None);
        }
        // What is told by the first block is known.
        let mut swap = vec![0; BLOCK];
        swap[4086..].copy_from_slice(b"SWAPSPACE2");
        let (found, failed) = carried(&swap, None, None, fails(libc::EIO));
        assert_eq!((found.volume.map(|volume| volume.fs_type), failed), (Some("swap".into()), None));
    }

    #[test]
    fn the_superblock_of_ext_tells_of_errors() {
        let block = |magic: u16, state: u16, count: u32| {
            let mut block = vec![0; BLOCK];
            block[1080..1082].copy_from_slice(&magic.to_le_bytes());
            block[1082..1084].copy_from_slice(&state.to_le_bytes());
            block[1428..1432].copy_from_slice(&count.to_le_bytes());
            ext_errors(&block)
        };
        assert_eq!(
            [block(0xef53, 1, 0), block(0xef53, 4, 0), block(0x53ef, 3, 9)],
            [const { Read::Done }; 3]
        );
        assert_eq!(block(0xef53, 3, 0), Read::Errors("its superblock says so".into()));
        assert_eq!(block(0xef53, 1, 65538), Read::Errors("its superblock counts 65538".into()));
        // A device of one sector.
        assert_eq!(ext_errors(&[0x53; 512]), Read::Done);
    }
}
