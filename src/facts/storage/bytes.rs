//! Numbers and words in what was read of a device: `None` where that ends before them.

use crate::facts::retention::Volume;
use crate::host::Uuid;

pub(super) fn has(bytes: &[u8], at: usize, magic: &[u8]) -> bool {
    bytes.get(at..at + magic.len()) == Some(magic)
}

pub(super) fn array<const LENGTH: usize>(bytes: &[u8], at: usize) -> Option<[u8; LENGTH]> {
    bytes.get(at..at.checked_add(LENGTH)?)?.try_into().ok()
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_le_bytes)
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_le_bytes)
}

/// Whether the first blocks of a device have the magic number of ext2, ext3 or ext4 (`s_magic` of struct `ext4_super_block`).
pub(super) fn is_ext(start: &[u8]) -> bool {
    has(start, 1024 + 0x38, &[0x53, 0xef])
}

/// Empty where it has none.
pub(super) fn uuid(bytes: &[u8], at: usize) -> Option<Uuid> {
    array(bytes, at).map(Uuid::of_superblock)
}

/// What stands there, up to the first zero.
pub(super) fn words(bytes: &[u8], at: usize, length: usize) -> Option<String> {
    let text = bytes.get(at..at + length)?.split(|byte| *byte == 0).next()?;
    Some(String::from_utf8_lossy(text).into_owned())
}

/// The volume whose UUID stands at `at`, and whose label has this place and length.
pub(super) fn volume(fs_type: &str, bytes: &[u8], at: usize, label: (usize, usize)) -> Option<Volume> {
    Some(Volume { fs_type: fs_type.into(), uuid: uuid(bytes, at)?, label: words(bytes, label.0, label.1)? })
}
