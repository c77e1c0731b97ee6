//! A partition table as it lies on a device now: that of an MBR or a GPT, as the kernel reads them (block/partitions/msdos.c, efi.c).

use flate2::Crc;
use serde::{Deserialize, Serialize};

use crate::facts::retention::uuid_in_words;

/// A partition table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// The id of an MBR, 8 hexadecimal digits, with which the UUIDs of its partitions begin; empty of a GPT, and where it is 0.
    pub dos_id: String,
    /// Its partitions; those that lie in an extended one are not among them.
    pub entries: Vec<Entry>,
    /// Whether it is not whole: it says that it is a GPT, and that cannot be read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub damaged: bool,
}

/// A partition of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// From 1.
    pub number: u32,
    /// Where it begins, in bytes.
    pub start_bytes: u64,
    /// Its own UUID, in lower case; empty in an MBR.
    pub uuid: String,
    /// Its name; empty in an MBR.
    pub label: String,
}

/// How `PARTUUID=` names the partition `number` of an MBR.
#[must_use]
pub fn dos_uuid(id: &str, number: u32) -> String {
    format!("{id}-{number:02x}")
}

/// The entries of a GPT that are read at most, in bytes: 512 of the usual size, of which every tool makes 128.
const MOST: u64 = 64 << 10;

/// Reads `start`, the first 4,096 bytes of a device with sectors of `sector` bytes; `block` reads the 4,096 bytes that begin at a
/// multiple of 4,096.
pub(super) fn table(start: &[u8], sector: u64, block: impl Fn(u64) -> Option<Vec<u8>>) -> Option<Table> {
    /// A partition that stands for a GPT.
    const PROTECTIVE: u8 = 0xee;
    if start.get(510..512)? != [0x55, 0xaa] {
        return None;
    }
    let slots: Vec<&[u8]> = start[446..510].chunks(16).collect();
    // A boot sector of FAT, for example.
    if slots.iter().any(|slot| slot[0] & 0x7f != 0) {
        return None;
    }
    let used = |slot: &[u8]| slot[12..16] != [0; 4];
    if slots.iter().any(|slot| slot[4] == PROTECTIVE && used(slot)) {
        let entries = gpt(start, sector, block);
        let damaged = entries.is_none();
        return Some(Table { entries: entries.unwrap_or_default(), damaged, ..Table::default() });
    }
    let entries = (1..).zip(&slots).filter(|(_, slot)| used(slot)).map(|(number, slot)| Entry {
        number,
        start_bytes: u64::from(u32_at(slot, 8).unwrap_or_default()) * sector,
        ..Entry::default()
    });
    let id = u32_at(start, 440)?;
    let dos_id = if id == 0 { String::new() } else { format!("{id:08x}") };
    Some(Table { dos_id, entries: entries.collect(), damaged: false })
}

fn gpt(start: &[u8], sector: u64, block: impl Fn(u64) -> Option<Vec<u8>>) -> Option<Vec<Entry>> {
    const BLOCK: u64 = 4096;
    /// A header has as many bytes at least, all of them in one sector.
    const LEAST: usize = 92;
    let read = |at: u64, length: usize| -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut next = at - at % BLOCK;
        while bytes.len() < usize::try_from(at % BLOCK).ok()? + length {
            let more = if next == 0 { start.to_vec() } else { block(next)? };
            // The last block of a device can be shorter.
            let is_last = more.len() < usize::try_from(BLOCK).ok()?;
            bytes.extend(more);
            next = next.checked_add(BLOCK)?;
            if is_last {
                break;
            }
        }
        Some(bytes.get(usize::try_from(at % BLOCK).ok()?..)?.get(..length)?.to_vec())
    };
    let sum = |bytes: &[u8]| {
        let mut crc = Crc::new();
        crc.update(bytes);
        crc.sum()
    };
    let sector_bytes = usize::try_from(sector).ok().filter(|bytes| (512..=4096).contains(bytes))?;
    let header = read(sector, sector_bytes)?;
    let length = usize::try_from(u32_at(&header, 12)?)
        .ok()
        .filter(|length| (LEAST..=header.len()).contains(length))?;
    let mut summed = header[..length].to_vec();
    summed[16..20].fill(0);
    let is_header =
        header.starts_with(b"EFI PART") && u32_at(&header, 16)? == sum(&summed) && u64_at(&header, 24)? == 1;
    let (count, size) = (u64::from(u32_at(&header, 80)?), u64::from(u32_at(&header, 84)?));
    let bytes = count.checked_mul(size).filter(|bytes| *bytes <= MOST)?;
    if !is_header || size < 128 {
        return None;
    }
    let entries = read(u64_at(&header, 72)?.checked_mul(sector)?, usize::try_from(bytes).ok()?)?;
    if u32_at(&header, 88)? != sum(&entries) {
        return None;
    }
    let entries = (1..).zip(entries.chunks(usize::try_from(size).ok()?));
    let entry = |(number, entry): (u32, &[u8])| {
        Some(Entry {
            number,
            start_bytes: u64_at(entry, 32)?.saturating_mul(sector),
            uuid: guid(entry.get(16..32)?.try_into().ok()?),
            label: name(entry.get(56..128)?),
        })
    };
    // Those that are not used have no type.
    Some(entries.filter(|(_, entry)| entry[..16] != [0; 16]).filter_map(entry).collect())
}

/// The first three parts of a GUID are numbers, of which the lowest byte comes first.
fn guid(mut bytes: [u8; 16]) -> String {
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    uuid_in_words(&bytes)
}

fn name(utf16: &[u8]) -> String {
    let units: Vec<u16> = utf16.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(units.split(|unit| *unit == 0).next().unwrap_or_default())
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}
