//! File systems, volumes and members of volumes, each made by its own tool.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use super::desk::{Loop, MIB, isolated, run};
use super::erased::erased;
use super::fixtures;
use super::judge::foreign;

/// What it is called, its size in MiB, how it is made, what the probe and the formatting say of it.
type Content = (&'static str, u64, fn(&Loop), &'static str, &'static str);

fn all_foreign(contents: &[Content]) {
    for (what, mib, make, probed, formatted) in contents {
        let device = Loop::new(mib * MIB);
        make(&device);
        foreign(what, &device, probed, formatted, true);
        erased(what, &device);
    }
}

/// Runs a tool with the device as its last argument.
fn on(device: &Loop, tool: &str, args: &[&str]) {
    run(tool, &[args, &[&device.device]].concat());
}

#[test]
fn file_systems_of_linux() {
    isolated(module_path!(), "file_systems_of_linux", || {
        all_foreign(&[
            ("ext2", 64, |d| on(d, "mkfs.ext2", &["-q"]), "ext2 file system", "carries ext2, UUID "),
            ("ext3", 64, |d| on(d, "mkfs.ext3", &["-q"]), "ext3 file system", "carries ext3, UUID "),
            (
                "ext4",
                64,
                |d| on(d, "mkfs.ext4", &["-q", "-L", "customer"]),
                "ext4 file system \"customer\"",
                "carries ext4, UUID ",
            ),
            ("xfs", 320, |d| on(d, "mkfs.xfs", &["-q"]), "xfs file system", "carries xfs, UUID "),
            (
                "reiserfs",
                64,
                |d| on(d, "mkreiserfs", &["-q", "-f"]),
                "reiserfs file system",
                "carries reiserfs",
            ),
            ("btrfs", 128, |d| on(d, "mkfs.btrfs", &["-q"]), "btrfs file system", "carries btrfs, UUID "),
            ("jfs", 64, |d| on(d, "mkfs.jfs", &["-q"]), "jfs file system", "carries jfs, UUID "),
            ("squashfs", 64, squashfs, "squashfs file system", "carries squashfs"),
        ]);
    });
}

#[test]
fn file_systems_of_others() {
    isolated(module_path!(), "file_systems_of_others", || {
        all_foreign(&[
            ("NTFS", 64, |d| on(d, "mkfs.ntfs", &["-F", "-Q", "-q"]), "ntfs file system", "carries ntfs"),
            ("FAT12", 64, |d| on(d, "mkfs.fat", &["-I", "-F", "12"]), "vfat file system", "carries vfat"),
            ("FAT16", 64, |d| on(d, "mkfs.fat", &["-I", "-F", "16"]), "vfat file system", "carries vfat"),
            ("FAT32", 64, |d| on(d, "mkfs.fat", &["-I", "-F", "32"]), "vfat file system", "carries vfat"),
            ("exFAT", 64, |d| on(d, "mkfs.exfat", &[]), "exfat file system", "carries exfat"),
            (
                "ISO 9660",
                64,
                |d| d.write_at(0, &iso(&[])),
                "iso9660 file system \"ISOIMAGE\"",
                "carries iso9660",
            ),
            ("HFS+", 64, hfs_plus, "hfsplus file system", "carries hfsplus"),
        ]);
    });
}

#[test]
fn swap_and_members_of_volumes() {
    isolated(module_path!(), "swap_and_members_of_volumes", || {
        all_foreign(&[
            ("swap", 64, |d| on(d, "mkswap", &[]), "swap area", "carries swap, UUID "),
            ("LVM", 64, |d| on(d, "pvcreate", &["-qq", "-y"]), "LVM physical volume", "carries LVM2_member"),
            (
                "LUKS 1",
                64,
                |d| luks(d, "luks1"),
                "crypto_LUKS encrypted volume",
                "carries crypto_LUKS, UUID ",
            ),
            (
                "LUKS 2",
                64,
                |d| luks(d, "luks2"),
                "crypto_LUKS encrypted volume",
                "carries crypto_LUKS, UUID ",
            ),
            ("bcache, backing", 64, |d| on(d, "make-bcache", &["-B"]), "bcache signature", "carries bcache"),
            ("bcache, cache", 64, |d| on(d, "make-bcache", &["-C"]), "bcache signature", "carries bcache"),
            ("md 0.90", 64, fixtures::md_0_90, "RAID member", "carries linux_raid_member"),
            ("md 1.0", 64, |d| fixtures::md_1(d, 0), "RAID member", "carries linux_raid_member"),
            ("md 1.1", 64, |d| fixtures::md_1(d, 1), "RAID member", "carries linux_raid_member"),
            ("md 1.2", 64, |d| fixtures::md_1(d, 2), "RAID member", "carries linux_raid_member"),
            ("ZFS", 64, fixtures::zfs, "zfs_member", "carries zfs_member"),
        ]);
    });
}

#[test]
fn two_signatures_at_once() {
    isolated(module_path!(), "two_signatures_at_once", || {
        all_foreign(&[
            (
                "ext4 with the superblock of XFS before it",
                320,
                |d| {
                    on(d, "mkfs.xfs", &["-q"]);
                    let superblock = fs::read(d.image()).unwrap()[..512].to_vec();
                    on(d, "mkfs.ext4", &["-q", "-F"]);
                    d.write_at(0, &superblock);
                },
                "signatures that contradict each other (libblkid: ambivalent)",
                "it carries more than one signature: ",
            ),
            (
                "ext4 in what was ReiserFS",
                64,
                |d| {
                    on(d, "mkreiserfs", &["-q", "-f"]);
                    let superblock = fs::read(d.image()).unwrap()[65536..69632].to_vec();
                    on(d, "mkfs.ext4", &["-q", "-F"]);
                    d.write_at(65536, &superblock);
                },
                "ambivalent",
                "it carries more than one signature: ",
            ),
            (
                // What a mirror of metadata 1.0 looks like from the outside: the file system starts at 0.
                "ext4 on a RAID 1",
                64,
                |d| {
                    on(d, "mkfs.ext4", &["-q"]);
                    fixtures::md_1(d, 0);
                },
                "RAID member",
                "linux_raid_member",
            ),
            (
                "an ISO that is an HFS+ too",
                64,
                |d| d.write_at(0, &iso(&["-hfsplus"])),
                "mac partition table (libblkid); iso9660 file system",
                "carries iso9660, mac partition table",
            ),
        ]);
    });
}

#[test]
fn a_damaged_signature_is_no_blank_disk() {
    isolated(module_path!(), "a_damaged_signature_is_no_blank_disk", || {
        // libblkid finds nothing where a checksum is wrong; the bytes are there all the same.
        let device = Loop::new(64 * MIB);
        on(&device, "mkfs.ext4", &["-q", "-O", "metadata_csum"]);
        device.write_at(1024 + 0x3fc, &[0; 4]);
        device.write_at(1024 + 0x38, &[0, 0]);
        foreign(
            "ext4 without its magic number",
            &device,
            "non-zero bytes at offset ",
            "non-zero bytes",
            false,
        );

        let device = Loop::new(128 * MIB);
        on(&device, "mkfs.btrfs", &["-q"]);
        device.write_at(65536, &[0xff; 32]);
        foreign("btrfs with a broken checksum", &device, "it is not blank: ", "it is not blank: ", false);

        let device = Loop::new(64 * MIB);
        on(&device, "pvcreate", &["-qq", "-y"]);
        device.write_at(512 + 16, &[0xff; 4]);
        foreign("LVM with a broken checksum", &device, "non-zero bytes at offset 512", "offset 512", false);

        let device = Loop::new(64 * MIB);
        luks(&device, "luks2");
        device.write_at(0, &[0; 4096]);
        foreign("LUKS 2, its second header alone", &device, "it is not blank: ", "it is not blank: ", false);
    });
}

/// A tree with one file.
fn tree() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    File::create(dir.path().join("file")).unwrap().write_all(b"a customer's").unwrap();
    dir
}

fn squashfs(device: &Loop) {
    let tree = tree();
    run(
        "mksquashfs",
        &[tree.path().to_str().unwrap(), &device.device, "-noappend", "-quiet", "-no-progress"],
    );
}

/// An image of a CD.
fn iso(options: &[&str]) -> Vec<u8> {
    let (tree, dir) = (tree(), tempfile::tempdir().unwrap());
    let image = dir.path().join("iso");
    let name = image.to_str().unwrap();
    let args =
        [&["-as", "mkisofs", "-quiet"], options, &["-o", name, tree.path().to_str().unwrap()]].concat();
    run("xorriso", &args);
    fs::read(Path::new(name)).unwrap()
}

/// The HFS+ volume that xorriso makes inside a hybrid image, taken out of it: Debian has no mkfs.hfsplus.
fn hfs_plus(device: &Loop) {
    let hybrid = iso(&["-hfsplus"]);
    let number =
        |at: usize| usize::try_from(u32::from_be_bytes(hybrid[at..at + 4].try_into().unwrap())).unwrap();
    // Apple's partition map: an entry a block of 512 bytes, start and count of blocks at 8 and 12.
    let entry =
        (1..10).map(|index| index * 512).find(|at| hybrid[at + 48..].starts_with(b"Apple_HFS")).unwrap();
    let (start, count) = (number(entry + 8) * 512, number(entry + 12) * 512);
    let volume = &hybrid[start..start + count];
    assert_eq!(&volume[1024..1026], b"H+");
    device.write_at(0, volume);
}

fn luks(device: &Loop, kind: &str) {
    let args = ["luksFormat", "-q", "--type", kind, "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"];
    let output = duct::cmd("cryptsetup", args.into_iter().chain([device.device.as_str(), "-"]))
        .stdin_bytes("a passphrase")
        .stderr_to_stdout()
        .stdout_capture()
        .unchecked()
        .run()
        .unwrap_or_else(|error| panic!("cryptsetup could not be run ({error}): scripts/install-tools real"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
