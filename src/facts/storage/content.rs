//! What a device says that it carries: ext2 to ext4, XFS, swap, FAT, btrfs, ReiserFS, JFS, LUKS, a physical volume of LVM, a member of
//! a software RAID, or a partition table. For the UUID and the label, by which fstab may name several devices (what may be written to, libblkid shows), and for the
//! size of the file system.

use super::bytes::{self, array, has, is_ext, u32_at, u64_at};
use super::found::{Carried, Extent};
use super::{fat, lvm, superblocks, table};
use crate::facts::retention::Volume;

/// What `start` says, the first 4,096 bytes of a device; `block` reads the 4,096 bytes that begin at a multiple of 4,096. `sector` is
/// the size of its sectors in bytes, where a partition table on it counts, and `size` its own, where it can be a member of a RAID.
pub(super) fn carried(
    start: &[u8],
    sector: Option<u64>,
    size: Option<u64>,
    block: impl Fn(u64) -> Option<Vec<u8>>,
) -> Carried {
    let at_start = || volume(start).or_else(|| fat::volume(start, &block)).map(|volume| (volume, None));
    let beyond = || lvm::physical_volume(start, &block).or_else(|| superblocks::volume(start, &block));
    let (volume, group) =
        at_start().or_else(beyond).map_or((None, None), |(volume, group)| (Some(volume), group));
    let array = size.and_then(|size| superblocks::array(start, size, &block));
    let table = sector.and_then(|sector| table::table(start, sector, block));
    // What is left of a table below a file system says nothing.
    let table = table.filter(|table| !table.damaged || volume.is_none());
    Carried { volume, group, array, extent: extent(start), table, checked_secs: checked(start) }
}

/// By the kernel's fs/ext4/ext4.h, xfs_format.h, and linux/swap.h for pages of 4 KiB.
fn volume(start: &[u8]) -> Option<Volume> {
    if has(start, 4086, b"SWAPSPACE2") {
        bytes::volume("swap", start, 1036, (1052, 16))
    } else if is_ext(start) {
        bytes::volume("ext", start, 1024 + 0x68, (1024 + 0x78, 16))
    } else if has(start, 0, b"XFSB") {
        bytes::volume("xfs", start, 32, (108, 12))
    } else {
        None
    }
}

/// When ext2 to ext4 was made or checked last, in seconds since 1970 (`s_lastcheck`, which mke2fs sets too, of struct
/// `ext4_super_block`). It is checked while it is not mounted: a time after that of the last mount (`s_mtime`) was told by another
/// clock, and is none.
fn checked(start: &[u8]) -> Option<u64> {
    let (mounted, checked) = (u32_at(start, 1024 + 0x2c)?, u32_at(start, 1024 + 0x40)?);
    (is_ext(start) && checked != 0 && checked <= mounted).then_some(u64::from(checked))
}

/// How large the file system is, by its own superblock: struct `ext4_super_block` of the kernel's ext4.h, struct `xfs_dsb` of
/// `xfs_format.h`. `None` where it has neither.
pub fn extent(start: &[u8]) -> Option<Extent> {
    /// `EXT4_FEATURE_INCOMPAT_64BIT`: the upper half of the count is in use.
    const WIDE: u64 = 0x80;
    let little = |at: usize| u32_at(start, at).map(u64::from);
    let big = |at: usize| array(start, at).map(|bytes| u64::from(u32::from_be_bytes(bytes)));
    if has(start, 0, b"XFSB") {
        let block = big(4)?;
        let blocks = u64::from_be_bytes(array(start, 8)?);
        // A log that starts nowhere is on another device.
        let log = if u64_at(start, 48)? == 0 { 0 } else { big(96)? };
        return Some(Extent { bytes: blocks.checked_mul(block)?, log_bytes: log.checked_mul(block)? });
    }
    if !is_ext(start) {
        return None;
    }
    let upper = if little(1024 + 0x60)? & WIDE == 0 { 0 } else { little(1024 + 0x150)? };
    let blocks = (upper << 32) | little(1024 + 4)?;
    let block = 1024_u64.checked_shl(u32::try_from(little(1024 + 0x18)?).ok()?)?;
    Some(Extent { bytes: blocks.checked_mul(block)?, log_bytes: 0 })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::Stdio;

    use super::*;
    use crate::facts::testing;

    /// As it is made here by the tools themselves: what is read from it is held against libblkid.
    #[test]
    fn what_mkfs_and_mkswap_made_is_read_as_libblkid_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let uuid = "3f0a6a52-8d1b-4e07-9a64-1c5b7d2e9f01";
        for (number, (tool, args, fs_type, label)) in [
            ("mkfs.ext4", vec!["-q", "-F", "-U", uuid, "-L", "sixteen-letters."], "ext", "sixteen-letters."),
            ("mkfs.ext2", vec!["-q", "-F", "-U", uuid], "ext", ""),
            (
                "mkfs.xfs",
                vec!["-q", "-f", "-L", "mt-retention", "-m", "uuid=3f0a6a52-8d1b-4e07-9a64-1c5b7d2e9f01"],
                "xfs",
                "mt-retention",
            ),
            ("mkswap", vec!["-q", "-U", uuid, "-L", "own swap"], "swap", "own swap"),
        ]
        .into_iter()
        .enumerate()
        {
            let path = dir.path().join(number.to_string());
            let file = std::fs::File::create_new(&path).unwrap();
            file.set_len(400 << 20).unwrap();
            let mut made = std::process::Command::new(tool);
            made.args(&args).arg(&path).env("PATH", "/sbin:/usr/sbin:/bin:/usr/bin");
            let made = made.output().unwrap_or_else(|error| panic!("{tool}: {error}"));
            assert!(made.status.success(), "{tool}: {}", String::from_utf8_lossy(&made.stderr));
            let mut start = vec![0; 4096];
            std::os::unix::fs::FileExt::read_exact_at(&std::fs::File::open(&path).unwrap(), &mut start, 0)
                .unwrap();
            let expected = Volume { fs_type: fs_type.into(), uuid: uuid.into(), label: label.into() };
            assert_eq!(carried(&start, Some(512), None, |_| None).volume, Some(expected), "{tool}");
            // What the tool made is as large as the file; swap tells no size here.
            let size = extent(&start).map(|extent| extent.bytes);
            assert_eq!(size, (tool != "mkswap").then_some(400 << 20), "{tool}");
            for length in [0, 4, 1100, 1150, 4095] {
                let _ = carried(&start[..length], Some(512), None, |_| None);
            }
            let text = String::from_utf8_lossy(&start).into_owned();
            testing::damage(&text, |text| drop(carried(text.as_bytes(), Some(512), None, |_| None)));
        }
        assert_eq!(carried(&[0; 4096], Some(512), None, |_| None), Carried::default());
        assert_eq!(carried(&[], Some(512), None, |_| None), Carried::default());
    }

    /// As tests/real_storage.rs holds it against libblkid; here with each byte of it changed.
    #[test]
    fn a_check_after_the_last_mount_is_none() {
        let found = |mounted: u32, last: u32| {
            let mut start = vec![0_u8; 4096];
            start[1024 + 0x38..1024 + 0x3a].copy_from_slice(&[0x53, 0xef]);
            start[1024 + 0x2c..1024 + 0x30].copy_from_slice(&mounted.to_le_bytes());
            start[1024 + 0x40..1024 + 0x44].copy_from_slice(&last.to_le_bytes());
            checked(&start)
        };
        assert_eq!(
            [found(500, 400), found(500, 500), found(500, 501), found(500, 0)],
            [Some(400), Some(500), None, None]
        );
        assert_eq!(checked(&[0; 4096]), None);
        assert_eq!(checked(&[0; 100]), None);
    }

    #[test]
    fn fat_and_tables_are_read_whatever_is_in_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image");
        let made = |tool: &str, args: &[&str], stdin: &str| {
            let file = std::fs::File::create(&path).unwrap();
            file.set_len(8 << 20).unwrap();
            let mut command = std::process::Command::new(tool);
            command.args(args).arg(&path).env("PATH", "/sbin:/usr/sbin:/bin:/usr/bin");
            let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
            child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
            assert!(child.wait().unwrap().success(), "{tool}");
            std::fs::read(&path).unwrap()
        };
        let read = |bytes: &[u8]| {
            let block =
                |at: u64| Some(bytes.get(usize::try_from(at).ok()?..)?.iter().take(4096).copied().collect());
            carried(&bytes[..4096], Some(512), None, block)
        };
        let id = "0f3c6a52-8d1b-4e07-9a64-1c5b7d2e9f01";
        for (tool, args, script, expected) in [
            ("mkfs.vfat", &["-F", "12", "-i", "abcd1234", "-n", "EFI"][..], "", "ABCD-1234"),
            ("mkfs.vfat", &["-F", "32", "-s", "1", "-i", "abcd1234", "-n", "EFI"], "", "ABCD-1234"),
            ("sfdisk", &["-q"], "label: gpt\nsize=1M,uuid=0F3C6A52-8D1B-4E07-9A64-1C5B7D2E9F01\n", id),
            ("sfdisk", &["-q"], "label: dos\nlabel-id: 0x09AB3F7A\nsize=1M\n", "09ab3f7a"),
            (
                "sfdisk",
                &["-q"],
                "label: dos\nlabel-id: 0x09AB3F7A\nsize=1M\nsize=5M,type=5\n/dev/x5 : size=1M\n/dev/x6 : size=1M\n",
                "09ab3f7a",
            ),
        ] {
            let mut image = made(tool, args, script);
            let found = read(&image);
            let of_table = found
                .table
                .iter()
                .flat_map(|one| [&one.dos_id].into_iter().chain(one.entries.iter().map(|one| &one.uuid)));
            let of_volume = found.volume.iter().map(|one| one.uuid.to_string());
            let uuid = of_volume.chain(of_table.cloned()).find(|uuid| !uuid.is_empty());
            assert_eq!(uuid.as_deref(), Some(expected), "{tool} {args:?}");
            for at in (0..1536).chain(4080..4096) {
                for byte in [0, 1, 0x7f, 0x80, 0xff] {
                    let was = std::mem::replace(&mut image[at], byte);
                    let damaged = read(&image);
                    // A GPT is whole or damaged, and never another one.
                    let is_sure = script.starts_with("label: gpt") && (512..604).contains(&at) && byte != was;
                    assert!(!is_sure || damaged.table.unwrap().damaged, "{at}");
                    image[at] = was;
                }
            }
        }
    }
}
