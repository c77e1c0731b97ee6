//! A partition table as it lies on a device now: that of an MBR or a GPT, as the kernel reads them (block/partitions/msdos.c, efi.c).

use flate2::Crc;
use serde::{Deserialize, Serialize};

use super::bytes::{u32_at, u64_at};
use crate::facts::retention::Volume;

/// A partition table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// The id of an MBR, 8 hexadecimal digits, with which the UUIDs of its partitions begin; empty of a GPT, and where it is 0.
    pub dos_id: String,
    /// Its partitions, with those that lie in an extended one.
    pub entries: Vec<Entry>,
    /// Whether it is not whole: it says that it is a GPT, and that cannot be read, or a logical partition that it leads to cannot.
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
    /// How large it is; 0 in a recording.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub size_bytes: u64,
    /// What lies there, where the kernel does not show it; `None` also in a recording of a version that did not look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// What lies at the place of a partition that the kernel does not show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// It was read.
    Read {
        /// As of a device.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        volume: Option<Volume>,
        /// As of a device.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<String>,
        /// As of a device.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        array: Option<String>,
    },
    /// Why it was not: in one line.
    Unread(String),
}

impl Place {
    /// Nothing that is recognised, as an extended partition, which holds others.
    pub(super) const NOTHING: Self = Self::Read { volume: None, group: None, array: None };
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// How `PARTUUID=` names the partition `number` of an MBR.
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
        let entries = gpt(start, sector, &block);
        let damaged = entries.is_none();
        return Some(Table { entries: entries.unwrap_or_default(), damaged, ..Table::default() });
    }
    let mut entries: Vec<Entry> = (1..)
        .zip(&slots)
        .filter(|(_, slot)| used(slot))
        .map(|(number, slot)| Slot::of(slot, sector).entry(number, 0))
        .collect();
    let (read, mut damaged) = (|at| bytes_at(at, 512, start, &block), false);
    for at in 0..entries.len() {
        let outer = &entries[at];
        let kind = slots[outer.number as usize - 1][4];
        if is_extended(kind) {
            let taken = entries.iter().map(|entry| entry.number).max().unwrap_or_default();
            let (more, end) = logical(outer, taken.max(4) + 1, sector, read);
            // Failback has not written it yet, or nobody ever did.
            entries[at].place = Some(match end {
                Chain::Nowhere => Place::Unread("there is no table of logical partitions".to_owned()),
                _ => Place::NOTHING,
            });
            entries.extend(more);
            damaged |= end == Chain::Broken;
        }
    }
    let id = u32_at(start, 440)?;
    let dos_id = if id == 0 { String::new() } else { format!("{id:08x}") };
    Some(Table { dos_id, entries, damaged })
}

fn is_extended(kind: u8) -> bool {
    matches!(kind, 0x05 | 0x0f | 0x85)
}

/// A used slot of an MBR.
struct Slot {
    kind: u8,
    start: u64,
    size: u64,
}

impl Slot {
    fn of(slot: &[u8], sector: u64) -> Self {
        let bytes = |at| u64::from(u32_at(slot, at).unwrap_or_default()) * sector;
        Self { kind: slot[4], start: bytes(8), size: bytes(12) }
    }

    fn entry(&self, number: u32, from: u64) -> Entry {
        Entry { number, start_bytes: from + self.start, size_bytes: self.size, ..Entry::default() }
    }
}

/// How a chain of tables of logical partitions ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chain {
    Whole,
    /// The first one is not there.
    Nowhere,
    /// It leads to one that is not there, or on and on.
    Broken,
}

/// The partitions in the extended one `outer`, the first of which has the number `next`: parse_extended of the kernel's msdos.c.
fn logical(
    outer: &Entry,
    mut next: u32,
    sector: u64,
    read: impl Fn(u64) -> Option<Vec<u8>>,
) -> (Vec<Entry>, Chain) {
    /// Of the kernel: tables without a partition in a row, and partitions of a disk.
    const EMPTY: u32 = 100;
    const LIMIT: u32 = 256;
    let (first, all) = (outer.start_bytes, outer.size_bytes);
    let (mut found, mut at, mut size, mut empty) = (Vec::new(), first, all, 0);
    loop {
        let table = read(at).filter(|table| table[510..512] == [0x55, 0xaa]);
        let Some(table) = table else {
            return (found, if at == first { Chain::Nowhere } else { Chain::Broken });
        };
        let slots: Vec<Slot> = table[446..510].chunks(16).map(|slot| Slot::of(slot, sector)).collect();
        let used = |slot: &Slot| slot.size != 0;
        empty += 1;
        for (place, slot) in
            slots.iter().enumerate().filter(|(_, slot)| used(slot) && !is_extended(slot.kind))
        {
            let begin = at + slot.start;
            // The last two can hold anything.
            let is_within =
                slot.start + slot.size <= size && begin >= first && begin + slot.size <= first + all;
            if place >= 2 && !is_within {
                continue;
            }
            if next == LIMIT {
                return (found, Chain::Broken);
            }
            found.push(slot.entry(next, at));
            (next, empty) = (next + 1, 0);
        }
        let Some(link) = slots.iter().find(|slot| used(slot) && is_extended(slot.kind)) else {
            return (found, Chain::Whole);
        };
        if empty > EMPTY {
            return (found, Chain::Broken);
        }
        (at, size) = (first + link.start, link.size);
    }
}

/// The `length` bytes at `at`; `start` and `block` as in [`table`].
fn bytes_at(at: u64, length: usize, start: &[u8], block: impl Fn(u64) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    const BLOCK: u64 = 4096;
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
}

fn gpt(start: &[u8], sector: u64, block: impl Fn(u64) -> Option<Vec<u8>>) -> Option<Vec<Entry>> {
    /// A header has as many bytes at least, all of them in one sector.
    const LEAST: usize = 92;
    let read = |at: u64, length: usize| bytes_at(at, length, start, &block);
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
        let (first, last) = (u64_at(entry, 32)?, u64_at(entry, 40)?);
        let sectors = last.checked_sub(first).map_or(0, |more| more.saturating_add(1));
        Some(Entry {
            number,
            start_bytes: first.saturating_mul(sector),
            size_bytes: sectors.saturating_mul(sector),
            place: None,
            uuid: uuid::Uuid::from_bytes_le(entry.get(16..32)?.try_into().ok()?).to_string(),
            label: name(entry.get(56..128)?),
        })
    };
    // Those that are not used have no type.
    Some(entries.filter(|(_, entry)| entry[..16] != [0; 16]).filter_map(entry).collect())
}

fn name(utf16: &[u8]) -> String {
    let units: Vec<u16> = utf16.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(units.split(|unit| *unit == 0).next().unwrap_or_default())
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
