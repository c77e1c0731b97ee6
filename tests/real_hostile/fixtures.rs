//! What no tool here can make, written by hand after public documentation.
//!
//! This kernel has no md driver, so `mdadm --create` makes nothing; ZFS is not in Debian's main archive. The
//! superblocks of md follow the kernel's md_p.h, checksums and all, and `mdadm --examine` must accept them. The labels
//! of ZFS follow "ZFS On-Disk Specification" (Sun, 2006), as far as libblkid looks: the uberblocks.

use super::desk::{Loop, MIB, run};

const MD_MAGIC: u32 = 0xa92b_4efc;

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

/// The sum of all words, as md makes it.
fn sum(bytes: &[u8]) -> u64 {
    bytes.chunks_exact(4).map(|word| u64::from(u32::from_le_bytes(word.try_into().unwrap()))).sum()
}

/// Makes `device` a member of a RAID 1 with metadata 0.90: a superblock of 4 KiB at the last whole 64 KiB but one.
pub fn md_0_90(device: &Loop) {
    let at = (device.size() & !0xffff) - 0x1_0000;
    let mut block = vec![0; 4096];
    let mut word = |index: usize, value: u32| put(&mut block, index * 4, &value.to_le_bytes());
    word(0, MD_MAGIC);
    word(2, 90);
    word(4, 1024);
    for index in [5, 13, 14, 15] {
        word(index, 0x5eed_0000 + u32::try_from(index).unwrap());
    }
    word(6, 1_700_000_000);
    word(7, 1);
    word(8, u32::try_from(at / 1024).unwrap());
    for (index, value) in [(9, 2), (10, 2), (32, 1_700_000_001), (33, 1), (34, 2), (35, 2), (39, 7), (46, 7)]
    {
        word(index, value);
    }
    for disk in 0..2 {
        let descriptor = usize::try_from(128 + disk * 32).unwrap();
        for (index, value) in [(0, disk), (1, 8), (2, 16 * disk), (3, disk), (4, 6)] {
            word(descriptor + index, value);
        }
    }
    for (index, value) in [(0, 0), (1, 8), (4, 6)] {
        word(992 + index, value);
    }
    let total = sum(&block);
    let checksum = u32::try_from((total & 0xffff_ffff) + (total >> 32)).unwrap();
    put(&mut block, 38 * 4, &checksum.to_le_bytes());
    device.write_at(at, &block);
    accepted(device, "0.90");
}

/// The same with metadata 1.0, 1.1 or 1.2: near the end, at the beginning, or 4 KiB behind it.
pub fn md_1(device: &Loop, minor: u8) {
    let sectors = device.size() / 512;
    let at = match minor {
        0 => (sectors - 16) & !7,
        1 => 0,
        _ => 8,
    };
    let mut block = vec![0; 256 + 4];
    let mut word = |at: usize, value: u32| put(&mut block, at, &value.to_le_bytes());
    for (at, value) in [(0, MD_MAGIC), (4, 1), (64, 1_700_000_000), (72, 1), (80, 65536), (92, 2), (144, 0)] {
        word(at, value);
    }
    let data = if minor == 0 { 0 } else { 2048 };
    let size = u32::try_from(sectors).unwrap() - 2048;
    for (index, value) in [(128, data), (136, size), (144, u32::try_from(at).unwrap())] {
        word(index, value);
    }
    // Both roles: this device is the first of two.
    for (index, value) in [(192, 1_700_000_001), (200, 7), (208, u32::MAX), (212, u32::MAX), (220, 2)] {
        word(index, value);
    }
    put(&mut block, 16, b"set-uuid-of-16-b");
    put(&mut block, 32, b"other:0");
    put(&mut block, 168, b"dev-uuid-of-16-b");
    put(&mut block, 256, &[0, 0, 1, 0]);
    let total = sum(&block);
    let checksum = u32::try_from((total & 0xffff_ffff) + (total >> 32)).unwrap();
    put(&mut block, 216, &checksum.to_le_bytes());
    device.write_at(at * 512, &block);
    accepted(device, &format!("1.{minor}"));
}

/// That mdadm takes it for what it is to be.
fn accepted(device: &Loop, version: &str) {
    let told = run("mdadm", &["--examine", &device.device]);
    assert!(told.contains("Magic : a92b4efc") && told.contains("- correct"), "{told}");
    assert!(told.lines().any(|line| line.trim().starts_with(&format!("Version : {version}"))), "{told}");
}

/// The four labels of a member of a ZFS pool, each with a ring of uberblocks behind its first 128 KiB.
pub fn zfs(device: &Loop) {
    let label = MIB / 4;
    let end = device.size() & !(label - 1);
    for start in [0, label, end - 2 * label, end - label] {
        let mut ring = vec![0; usize::try_from(label / 2).unwrap()];
        for slot in 0..128_u64 {
            let uberblock = &mut ring[usize::try_from(slot).unwrap() * 1024..][..48];
            put(uberblock, 0, &0x00ba_b10c_u64.to_le_bytes());
            put(uberblock, 8, &28_u64.to_le_bytes());
            put(uberblock, 16, &(slot + 1).to_le_bytes());
        }
        device.write_at(start + label / 2, &ring);
    }
}
