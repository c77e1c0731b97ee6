//! The volume id and the label of FAT, read as libblkid reads them (libblkid/src/superblocks/vfat.c): an EFI system partition is
//! named by them in fstab.

use super::bytes::{has, u16_at, u32_at};
use crate::facts::retention::Volume;
use crate::host::Uuid;

/// libblkid's word for each of its kinds.
const VFAT: &str = "vfat";

/// The bytes of a directory that are searched for the label: the largest one of FAT16, the largest cluster of FAT32.
const MOST: u64 = 64 << 10;

/// What `start`, the first 4,096 bytes of a device, says; `block` reads the 4,096 bytes that begin at a multiple of 4,096.
pub(super) fn volume(start: &[u8], block: impl Fn(u64) -> Option<Vec<u8>>) -> Option<Volume> {
    let byte = |at: usize| start.get(at).copied().map(u64::from);
    let two = |at: usize| u16_at(start, at).map(u64::from);
    let four = |at: usize| u32_at(start, at).map(u64::from);
    let has = |at: usize, magic: &[u8]| has(start, at, magic);
    let is_named =
        [&b"MSDOS"[..], b"FAT16   ", b"FAT12   ", b"FAT     "].iter().any(|magic| has(0x36, magic))
            || has(0x52, b"FAT32   ")
            || has(0x52, b"MSWIN");
    // Without a name it can be any boot sector.
    let is_boot_sector = has(510, &[0x55, 0xaa]) && [0xeb, 0xe9].contains(start.first()?);
    if !is_named && !is_boot_sector {
        return None;
    }
    let (sector, cluster, reserved, fats, media) = (two(11)?, byte(13)?, two(14)?, byte(16)?, byte(21)?);
    let entries = two(17)?;
    let of_16 = two(22)?;
    let length = if of_16 == 0 { four(36)? } else { of_16 };
    let all = if two(19)? == 0 { four(32)? } else { two(19)? };
    let is_valid = sector.is_power_of_two()
        && (512..=4096).contains(&sector)
        && cluster.is_power_of_two()
        && reserved != 0
        && fats != 0
        && length != 0
        && (media >= 0xf8 || media == 0xf0);
    let root = reserved + fats * length;
    // More clusters than a table of this kind has numbers for.
    let clusters = all.checked_sub(root + (entries * 32).div_ceil(sector.max(1)))? / cluster.max(1);
    let most = if of_16 == 0 { 0x0fff_fff6 } else { 0xfff4 };
    if !is_valid || clusters > most {
        return None;
    }
    let (id, label, (at, bytes)) = if of_16 == 0 {
        let root = root + four(44)?.checked_sub(2)? * cluster;
        (0x43, 0x47, (root, cluster * sector))
    } else {
        (0x27, 0x2b, (root, entries * 32))
    };
    let id = four(id)?;
    let label =
        in_directory(at * sector, bytes.min(MOST), block).or_else(|| written(start.get(label..label + 11)?));
    Some(Volume {
        fs_type: VFAT.into(),
        uuid: if id == 0 { Uuid::default() } else { format!("{:04X}-{:04X}", id >> 16, id & 0xffff).into() },
        label: label.unwrap_or_default(),
    })
}

/// The label among the entries of the root directory, of which `bytes` begin at `at`: it changes there alone when it is changed.
fn in_directory(at: u64, bytes: u64, block: impl Fn(u64) -> Option<Vec<u8>>) -> Option<String> {
    const BLOCK: u64 = 4096;
    const ENTRY: u64 = 32;
    /// `FAT_ATTR_VOLUME_ID`, alone among what tells a directory and a part of a long name.
    const LABEL: u8 = 8;
    const DIRECTORY: u8 = 0x10;
    const LONG_NAME: u8 = 0x0f;
    let mut read: Option<(u64, Vec<u8>)> = None;
    for at in (at..at + bytes).step_by(usize::try_from(ENTRY).ok()?) {
        let begin = at - at % BLOCK;
        if read.as_ref().is_none_or(|(of, _)| *of != begin) {
            read = Some((begin, block(begin)?));
        }
        let within = usize::try_from(at % BLOCK).ok()?;
        let entry = read.as_ref()?.1.get(within..within + 32)?;
        match entry[0] {
            0 => return None,
            0xe5 => continue,
            _ => {}
        }
        let kind = entry[11];
        let is_label = kind & (LABEL | DIRECTORY) == LABEL && kind & 0x3f != LONG_NAME;
        if is_label && entry[20..22] == [0, 0] && entry[26..28] == [0, 0] {
            return written(&entry[..11]);
        }
    }
    None
}

fn written(label: &[u8]) -> Option<String> {
    let mut label = label.to_vec();
    // Stands for the first byte that marks a free entry.
    if label.first() == Some(&5) {
        label[0] = 0xe5;
    }
    let label = String::from_utf8_lossy(&label);
    let label = label.trim_end_matches([' ', '\0']);
    (!label.is_empty() && label != "NO NAME").then(|| label.to_owned())
}
