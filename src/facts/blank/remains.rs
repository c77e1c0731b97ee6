//! Names for what libblkid passes over: a partition table of which only a part is left, and those of other systems.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// Magic numbers of BSD disklabels (sys/disklabel.h), as a little-endian machine writes them.
const BSD: [u8; 4] = [0x57, 0x45, 0x56, 0x82];

/// What is known among the bytes of the device of `size` bytes behind `file`. It only puts a name to bytes that
/// were found already: what it does not know, or cannot read, is no less there.
pub fn known(file: &File, size: u64) -> Vec<&'static str> {
    let is = |at: u64, magic: &[u8]| {
        let mut bytes = vec![0; magic.len()];
        file.read_exact_at(&mut bytes, at).is_ok() && bytes == magic
    };
    let last = |sector: u64| size >= 2 * sector && is(size - sector, b"EFI PART");
    // UEFI 2.10, 5.3: the header is in the second sector, its copy in the last; sectors of 512 or 4096 bytes.
    let header = is(512, b"EFI PART") || is(4096, b"EFI PART");
    let copy = last(512) || last(4096);
    // In the second sector (i386, amd64), or in the first behind the place for boot code.
    let bsd = [0, 64, 512].into_iter().any(|at| is(at, &BSD) && is(at + 132, &BSD));
    let amiga = (0..16).any(|sector| is(sector * 512, b"RDSK"));
    let finds = [
        (header, "GPT partition table (its header)"),
        (copy, "GPT partition table (its copy at the end)"),
        (bsd, "BSD disklabel"),
        (amiga, "Amiga partition table"),
    ];
    finds.into_iter().filter(|(found, _)| *found).map(|(_, what)| what).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u64 = 1 << 20;

    fn of(pieces: &[(u64, &[u8])]) -> Vec<&'static str> {
        let file = tempfile::tempfile().unwrap();
        file.set_len(SIZE).unwrap();
        for (at, bytes) in pieces {
            file.write_all_at(bytes, *at).unwrap();
        }
        known(&file, SIZE)
    }

    #[test]
    fn what_is_left_of_tables_has_a_name() {
        assert_eq!(of(&[(512, b"EFI PART")]), ["GPT partition table (its header)"]);
        for sector in [512, 4096] {
            assert_eq!(of(&[(SIZE - sector, b"EFI PART")]), ["GPT partition table (its copy at the end)"]);
        }
        for at in [0, 64, 512] {
            assert_eq!(of(&[(at, &BSD), (at + 132, &BSD)]), ["BSD disklabel"]);
        }
        assert_eq!(of(&[(3 * 512, b"RDSK")]), ["Amiga partition table"]);
    }

    #[test]
    fn other_bytes_have_none() {
        assert_eq!(of(&[(512, &BSD)]), [""; 0], "the second magic number is missing");
        assert_eq!(of(&[(1024, b"EFI PART"), (SIZE - 511, b"data")]), [""; 0]);
        assert_eq!(known(&tempfile::tempfile().unwrap(), 0), [""; 0]);
    }
}
