//! What the first blocks of a device say that it carries: ext2 to ext4, XFS, swap, or a physical volume of LVM. For the UUID and
//! the label alone, by which fstab may name several devices: what may be written to, libblkid tells.

use crate::facts::retention::{Volume, uuid_in_words};

/// The type of a physical volume of LVM, whose label is the name of its volume group: libblkid's word.
pub const LVM: &str = "LVM2_member";

/// Reads the start of a device, of which 4,096 bytes are enough: kernel's fs/ext4/ext4.h, xfs_format.h, and linux/swap.h for pages
/// of 4 KiB. `block` reads the 4,096 bytes that begin at a multiple of 4,096; of LVM alone something lies further in.
pub(super) fn volume(start: &[u8], block: impl Fn(u64) -> Option<Vec<u8>>) -> Option<Volume> {
    let has = |at: usize, magic: &[u8]| start.get(at..at + magic.len()) == Some(magic);
    let (fs_type, uuid, label, length) = if has(4086, b"SWAPSPACE2") {
        ("swap", 1036, 1052, 16)
    } else if has(1024 + 0x38, &[0x53, 0xef]) {
        ("ext", 1024 + 0x68, 1024 + 0x78, 16)
    } else if has(0, b"XFSB") {
        ("xfs", 32, 108, 12)
    } else {
        return physical_volume(start, block);
    };
    let uuid: [u8; 16] = start.get(uuid..uuid + 16)?.try_into().ok()?;
    let label = start.get(label..label + length)?.split(|byte| *byte == 0).next().unwrap_or_default();
    Some(Volume {
        fs_type: fs_type.to_owned(),
        uuid: if uuid == [0; 16] { String::new() } else { uuid_in_words(&uuid) },
        label: String::from_utf8_lossy(label).into_owned(),
    })
}

/// A physical volume, by the structures of LVM2's lib/format_text/layout.h: `label_header` in one of the first four sectors, `pv_header`
/// with two lists of areas, each up to an empty one, and in the first area of the second list `mda_header`, which says where the
/// text begins that describes the group: with its name. A volume of no group has no name.
fn physical_volume(start: &[u8], block: impl Fn(u64) -> Option<Vec<u8>>) -> Option<Volume> {
    const BLOCK: u64 = 4096;
    let number = |bytes: &[u8], at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    let is_label = |at: &usize| start.get(*at..).is_some_and(|rest| rest.starts_with(b"LABELONE"));
    let label = (0..4).map(|sector| sector * 512).find(is_label)?;
    let header = label + usize::try_from(number(start, label + 20)? & 0xffff).ok()?;
    let uuid = String::from_utf8_lossy(start.get(header..header + 32)?).into_owned();
    // Behind the UUID and the size of the device.
    let mut area = header + 40;
    while number(start, area)? != 0 {
        area += 16;
    }
    let name = || {
        let metadata = number(start, area + 16).filter(|at| *at != 0 && at % 512 == 0)?;
        let within = |at: u64| usize::try_from(at % BLOCK).ok();
        let read = |at: u64| Some(block(at - at % BLOCK)?.get(within(at)?..)?.to_vec());
        let header = read(metadata)?;
        // Behind checksum, magic, version, start and size of the area.
        let text = read(metadata.checked_add(number(&header, 40).filter(|at| *at != 0)?)?)?;
        let end = text.iter().position(|byte| b" {\n".contains(byte))?;
        (header.get(4..20)? == b" LVM2 x[5A%r0N*>")
            .then(|| String::from_utf8_lossy(&text[..end]).into_owned())
    };
    Some(Volume { fs_type: LVM.to_owned(), uuid, label: name().unwrap_or_default() })
}

#[cfg(test)]
mod tests {
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
            assert_eq!(volume(&start, |_| None), Some(expected), "{tool}");
            for length in [0, 4, 1100, 1150, 4095] {
                let _ = volume(&start[..length], |_| None);
            }
            let text = String::from_utf8_lossy(&start).into_owned();
            testing::damage(&text, |text| drop(volume(text.as_bytes(), |_| None)));
        }
        assert_eq!(volume(&[0; 4096], |_| None), None);
        assert_eq!(volume(&[], |_| None), None);
    }
}
