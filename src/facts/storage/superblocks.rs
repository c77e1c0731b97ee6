//! Superblocks that do not lie at the beginning of a device, or stand for something built on it: btrfs, ReiserFS, JFS, LUKS, and those
//! of the members of a software RAID.

use super::bytes::{self, has, u16_at, u32_at, uuid, words};
use crate::facts::retention::Volume;

/// libblkid's words.
pub const BTRFS: &str = "btrfs";
/// Of an encrypted volume.
pub const LUKS: &str = "crypto_LUKS";

const KIB: u64 = 1 << 10;

/// A file system or an encrypted volume, by the kernel's fs/btrfs/ctree.h, fs/reiserfs/reiserfs.h, fs/jfs/jfs_superblock.h, and
/// cryptsetup's lib/luks1/luks.h and lib/luks2/luks2.h; and of btrfs the UUID of the device, which tells the parts of one file system
/// from a copy. `start` and `block` as in [`super::content`].
pub(super) fn volume(
    start: &[u8],
    block: impl Fn(u64) -> Option<Vec<u8>>,
) -> Option<(Volume, Option<String>)> {
    if let Some(volume) = luks(start) {
        return Some((volume, None));
    }
    let (at_8, at_32, at_64) = (block(8 * KIB), block(32 * KIB), block(64 * KIB));
    if let Some(start) = at_64.as_deref().filter(|bytes| has(bytes, 0x40, b"_BHRfS_M")) {
        let part = uuid(start, 0x10b).map(String::from);
        return Some((bytes::volume(BTRFS, start, 0x20, (0x12b, 256))?, part));
    }
    let jfs = at_32.as_deref().filter(|bytes| has(bytes, 0, b"JFS1"));
    let jfs = jfs.and_then(|bytes| bytes::volume("jfs", bytes, 136, (152, 16)));
    // Format 3.5 had its superblock at 8 KiB; a journal can hold a copy of a newer one.
    let mut reiser = [(at_64.as_deref(), 64), (at_8.as_deref(), 8)].into_iter();
    let reiser = || reiser.find_map(|(bytes, at)| reiserfs(bytes?, at));
    Some((jfs.or_else(reiser)?, None))
}

fn luks(start: &[u8]) -> Option<Volume> {
    let is_luks = has(start, 0, b"LUKS\xba\xbe");
    let version = start.get(6..8).filter(|_| is_luks)?;
    Some(Volume {
        fs_type: LUKS.into(),
        uuid: words(start, 168, 40)?.into(),
        label: if version == [0, 2] { words(start, 24, 48)? } else { String::new() },
    })
}

fn reiserfs(bytes: &[u8], at_kib: u64) -> Option<Volume> {
    let kind = bytes.get(52..62)?;
    let is_old = kind.starts_with(b"ReIsErFs");
    if !is_old && !kind.starts_with(b"ReIsEr2Fs") && !kind.starts_with(b"ReIsEr3Fs") {
        return None;
    }
    let block_kib = u64::from(u16_at(bytes, 44)?) / KIB;
    let journal = u64::from(u32_at(bytes, 12)?);
    if at_kib.checked_div(block_kib)? > journal {
        return None;
    }
    let (uuid, label) = if is_old { Default::default() } else { (uuid(bytes, 84)?, words(bytes, 100, 16)?) };
    Some(Volume { fs_type: "reiserfs".into(), uuid, label })
}

/// The UUID of the array whose member the device is, by the kernel's include/uapi/linux/raid/md_p.h: the superblock of format 1.1 lies
/// at its beginning, of 1.2 at 4 KiB, and of 1.0 and 0.90 at its end, which takes its `size` in bytes.
pub(super) fn array(start: &[u8], size: u64, block: impl Fn(u64) -> Option<Vec<u8>>) -> Option<String> {
    const MAGIC: [u8; 4] = 0xa92b_4efc_u32.to_le_bytes();
    /// What a superblock of 0.90 keeps free at the end.
    const OLD: u64 = 64 * KIB;
    let new = |bytes: &[u8]| {
        let is_it = has(bytes, 0, &MAGIC) && has(bytes, 4, &1_u32.to_le_bytes());
        is_it.then(|| uuid(bytes, 16))?.map(String::from)
    };
    let old = |bytes: &[u8]| {
        let swapped: Vec<u8> = MAGIC.iter().rev().copied().collect();
        let is_swapped = has(bytes, 0, &swapped);
        let version = if is_swapped {
            [0_u32.to_be_bytes(), 90_u32.to_be_bytes()]
        } else {
            [[0; 4], 90_u32.to_le_bytes()]
        };
        if !(has(bytes, 0, &MAGIC) || is_swapped) || !has(bytes, 4, &version.concat()) {
            return None;
        }
        // A number of four, as it is written, the highest byte first.
        let mut words: Vec<u8> = Vec::new();
        for at in [20, 52, 56, 60] {
            let word = bytes.get(at..at + 4)?;
            words.extend(word.iter().rev().filter(|_| !is_swapped));
            words.extend(word.iter().filter(|_| is_swapped));
        }
        uuid(&words, 0).map(String::from)
    };
    let end = || block(size.checked_sub(8 * KIB)? & !(4 * KIB - 1));
    let before = || block((size & !(OLD - 1)).checked_sub(OLD)?);
    new(start).or_else(|| new(&block(4 * KIB)?)).or_else(|| new(&end()?)).or_else(|| old(&before()?))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    use super::*;
    use crate::host::Uuid;

    const UUID: &str = "3f0a6a52-8d1b-4e07-9a64-1c5b7d2e9f01";

    fn run(tool: &str, args: &[&str], path: &Path) -> String {
        let mut command = Command::new(tool);
        command.args(args).arg(path).env("PATH", "/sbin:/usr/sbin:/bin:/usr/bin");
        let output = command.output().unwrap_or_else(|error| panic!("{tool}: {error}"));
        assert!(output.status.success(), "{tool} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn blkid(path: &Path) -> [String; 3] {
        ["TYPE", "UUID", "LABEL"].map(|tag| run("blkid", &["-p", "-o", "value", "-s", tag], path))
    }

    fn block(bytes: &[u8]) -> impl Fn(u64) -> Option<Vec<u8>> {
        |at| Some(bytes.get(usize::try_from(at).ok()?..)?.iter().take(4096).copied().collect())
    }

    /// As the tools themselves make them here, each byte of a superblock changed too.
    #[test]
    fn what_lies_beyond_the_first_block_is_read_as_libblkid_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let (key, path) = (dir.path().join("key"), dir.path().join("image"));
        fs::write(&key, "a key").unwrap();
        let luks =
            ["luksFormat", "-q", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "--uuid", UUID];
        let luks = [&luks[..], &["--key-file", key.to_str().unwrap(), "--type"]].concat();
        for (tool, args) in [
            ("mkfs.btrfs", vec!["-q", "-U", UUID, "-L", "own data"]),
            ("mkreiserfs", vec!["-q", "-f", "-f", "-u", UUID, "-l", "own data"]),
            ("mkreiserfs", vec!["-q", "-f", "-f", "--format", "3.5"]),
            ("mkfs.jfs", vec!["-q", "-L", "own data"]),
            ("cryptsetup", [&luks[..], &["luks1"]].concat()),
            ("cryptsetup", [&luks[..], &["luks2", "--label", "own data"]].concat()),
        ] {
            fs::File::create(&path).unwrap().set_len(130 << 20).unwrap();
            run(tool, &args, &path);
            let mut image = fs::read(&path).unwrap();
            image.truncate(80 << 10);
            let read = |image: &[u8]| volume(&image[..4096], block(image));
            let (found, part) = read(&image).unwrap_or_else(|| panic!("{tool} {args:?}"));
            assert_eq!(
                [found.fs_type.to_string(), found.uuid.to_string(), found.label],
                blkid(&path),
                "{tool} {args:?}"
            );
            let sub = run("blkid", &["-p", "-o", "value", "-s", "UUID_SUB"], &path);
            assert_eq!(part.unwrap_or_default(), sub, "{tool}");
            assert_eq!(array(&image[..4096], 130 << 20, block(&image)), None);
            for start in [0, 8 << 10, 32 << 10, 64 << 10] {
                for at in start..start + 400 {
                    for byte in [0, 0x7f, 0xff] {
                        let was = std::mem::replace(&mut image[at], byte);
                        let _ = read(&image);
                        image[at] = was;
                    }
                }
            }
            for length in [4096, 9000, 33000, 66000] {
                let _ = read(&image[..length]);
            }
        }
        assert_eq!(volume(&[0; 4096], block(&[0; 80 << 10])), None);
        assert_eq!(volume(&[], |_| None), None);
    }

    /// Without the kernel's md no array can be made: these are written after its md_p.h, and libblkid takes them for members.
    #[test]
    fn a_member_of_a_raid_is_told_by_the_uuid_of_its_array() {
        const SIZE: usize = (16 << 20) + 12 * 1024;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image");
        let id: [u8; 16] = std::array::from_fn(|at| u8::try_from(at * 7 + 1).unwrap());
        let new = |at: usize| {
            let mut image = vec![0; SIZE];
            let mut sb = vec![0; 256];
            sb[..4].copy_from_slice(&0xa92b_4efc_u32.to_le_bytes());
            sb[4] = 1;
            sb[16..32].copy_from_slice(&id);
            // Raid1 of two, and where the superblock lies, in sectors.
            (sb[72], sb[92]) = (1, 2);
            sb[144..152].copy_from_slice(&(at as u64 / 512).to_le_bytes());
            // The sum of its words, its own left out.
            let sum: u64 =
                sb.chunks(4).map(|word| u64::from(u32::from_le_bytes(word.try_into().unwrap()))).sum();
            let sum = u32::try_from((sum & 0xffff_ffff) + (sum >> 32)).unwrap();
            sb[216..220].copy_from_slice(&sum.to_le_bytes());
            image[at..at + 256].copy_from_slice(&sb);
            image
        };
        let old = |write: fn(u32) -> [u8; 4]| {
            let mut image = vec![0; SIZE];
            let at = (SIZE & !0xffff) - 0x10000;
            let mut word = |number: usize, value: u32| {
                image[at + number * 4..at + number * 4 + 4].copy_from_slice(&write(value));
            };
            for (number, value) in [
                (0, 0xa92b_4efc),
                (2, 90),
                (5, 0x0102_0304),
                (13, 0x0506_0708),
                (14, 0x090a_0b0c),
                (15, 0x0d0e_0f10),
            ] {
                word(number, value);
            }
            image
        };
        let of_new = Uuid::of_superblock(id).to_string();
        let of_old = "01020304-0506-0708-090a-0b0c0d0e0f10".to_owned();
        for (image, expected) in [
            (new(0), &of_new),
            (new(4096), &of_new),
            (new((SIZE - 8192) & !4095), &of_new),
            (old(u32::to_le_bytes), &of_old),
            (old(u32::to_be_bytes), &of_old),
        ] {
            fs::write(&path, &image).unwrap();
            let [kind, uuid, _] = blkid(&path);
            assert_eq!((kind.as_str(), uuid.as_str()), ("linux_raid_member", expected.as_str()));
            assert_eq!(array(&image[..4096], SIZE as u64, block(&image)).as_ref(), Some(expected));
        }
        for size in [0, 512, 8192, 65536, u64::MAX] {
            assert_eq!(array(&[0; 512], size, |_| None), None);
        }
    }
}
