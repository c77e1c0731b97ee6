use super::*;
use crate::facts::testing;
use crate::testing::begins;

fn given_up(log: &str, device: &str) -> Option<String> {
    match trouble(log, device, None)? {
        Trouble::Now(line) => Some(line),
        Trouble::Before(line) => panic!("before: {line}"),
    }
}

/// As each kernel writes it; the last line but for the first is the one that is told.
const LOGS: [(&str, &[&str], &str); 9] = [
    (
        "dm-0",
        &[
            "<6>EXT4-fs (dm-0): mounted filesystem with ordered data mode. Opts: ",
            "<3>sd 2:0:1:0: rejecting I/O to offline device",
            "<3>Aborting journal on device dm-0-8.",
            "<2>EXT4-fs error (device dm-0): ext4_journal_start_sb: Detected aborted journal",
            "<2>EXT4-fs (dm-0): Remounting filesystem read-only",
        ],
        "Aborting journal on device dm-0-8.",
    ),
    (
        "sdb1",
        &["<3>[  100.000001] EXT4-fs: previous I/O error to superblock detected for sdb1."],
        "EXT4-fs: previous I/O error to superblock detected for sdb1.",
    ),
    (
        "sda2",
        &[
            "<6>[    3.1] EXT3 FS on sda2, internal journal",
            "<6>[    3.1] EXT3-fs: mounted filesystem with ordered data mode.",
            "<3>[   90.2] Aborting journal on device sda2.",
        ],
        "Aborting journal on device sda2.",
    ),
    (
        "dm-3",
        &[
            "<6>[    3.1][  T812] EXT3-fs (dm-3): mounted filesystem with ordered data mode",
            "<2>[   90.2][    C1] EXT3-fs (dm-3): error: ext3_journal_start_sb: Detected aborted journal",
        ],
        "EXT3-fs (dm-3): error: ext3_journal_start_sb: Detected aborted journal",
    ),
    (
        "sdb",
        &[
            "<6>[    1.0] EXT4-fs (sdb): mounted filesystem 7a5e4c31-9b02-4d68-a7f3-c8160e2d9b4f r/w with ordered data mode. \
             Quota mode: none.",
            "<3>[    9.0] EXT4-fs (sdb): I/O error while writing superblock",
        ],
        "EXT4-fs (sdb): I/O error while writing superblock",
    ),
    (
        "cciss!c0d0p1",
        &["<2>EXT4-fs error (device cciss/c0d0p1) in ext4_reserve_inode_write: Journal has aborted"],
        "EXT4-fs error (device cciss/c0d0p1) in ext4_reserve_inode_write: Journal has aborted",
    ),
    (
        "dm-1",
        &[
            "<5>XFS mounting filesystem dm-1",
            "<7>Ending clean XFS mount for filesystem: dm-1",
            "<5>xfs_force_shutdown(dm-1,0x2) called from line 811 of file fs/xfs/xfs_log.c.  Return address = 0x1",
            "<1>Filesystem \"dm-1\": Log I/O Error Detected.  Shutting down filesystem: dm-1",
        ],
        "xfs_force_shutdown(dm-1,0x2) called from line 811 of file fs/xfs/xfs_log.c.  Return address = 0x1",
    ),
    (
        "dm-2",
        &[
            "<5>[    9.9] XFS (dm-2): Mounting V5 Filesystem 0f3c6a52-8d1b-4e07-9a64-1c5b7d2e9f01",
            "<6>[    9.9] XFS (dm-2): Ending clean mount",
            "<4>[   12.9] XFS (dm-2): metadata I/O error in \"xlog_iodone\" at daddr 0x10 len 64 error 5",
            "<1>[   13.0] XFS (dm-2): Log I/O Error (0x2) detected at xlog_ioend_work+0x64/0xb0 (fs/xfs/xfs_log.c:1378).  Shutting \
             down filesystem.",
        ],
        "XFS (dm-2): metadata I/O error in \"xlog_iodone\" at daddr 0x10 len 64 error 5",
    ),
    (
        "sdc",
        &["<1>XFS (sdc): Filesystem has been shut down due to log error (0x2)."],
        "XFS (sdc): Filesystem has been shut down due to log error (0x2).",
    ),
];

#[test]
fn what_was_given_up_since_it_was_mounted_is_told_in_the_words_of_each_kernel() {
    for (device, lines, expected) in LOGS {
        let log = lines.join("\n");
        assert_eq!(given_up(&log, device).as_deref(), Some(expected), "{device}");
        // Of others nothing is said.
        for other in ["dm-10", "dm", "sd", "sdb2", "sdb11", "a", "8", "dm-0-"] {
            assert_eq!(given_up(&log, other), None, "{device} {other}");
        }
        // Mounted again since, whatever was made on it.
        for again in [
            "EXT4-fs (D): mounted filesystem without journal",
            "EXT3 FS on D, internal journal",
            "XFS mounting filesystem D",
            "XFS (D): Mounting V4 Filesystem",
        ] {
            let again = again.replace('D', device);
            assert_eq!(given_up(&format!("{log}\n<6>{again}"), device), None, "{device}: {again}");
        }
        testing::damage(&log, |log| drop(given_up(log, device)));
    }
}

#[test]
fn neither_a_warning_nor_another_s_words_nor_a_remount_is_one_or_the_other() {
    for line in [
        "EXT4-fs warning (device dm-0): ext4_dx_add_entry: Directory index full!",
        "Buffer I/O error on device dm-0, logical block 7",
        "Buffer I/O error on dev dm-0, logical block 7, async page read",
        "JBD2: recovery of dm-0-8 failed",
        "This should not happen!!  Data will be lost",
        "lost page write due to I/O error on dm-01",
        "EXT4-fs (dm-0): warning: mounting fs with errors, running e2fsck is recommended",
        "EXT4-fs (dm-0): recovery complete",
        "XFS (dm-0): Unmounting Filesystem",
        "rsyslogd: Aborting journal on device dm-0-8.",
        "[x] Aborting journal on device dm-0-8.",
        "Aborting journal on device dm-0-x.",
        "Aborting journal on device ",
        "EXT4-fs error (device dm-0",
        "",
    ] {
        assert_eq!(given_up(line, "dm-0"), None, "{line}");
    }
    let log = "Aborting journal on device dm-0-8.\nEXT4-fs (dm-0): re-mounted. Opts: (null)\n";
    assert!(given_up(log, "dm-0").is_some());
}

/// Lines by which a write to @ is lost or XFS finds it corrupt, and by which its journal or log is in trouble.
const WRITES: [(&str, bool); 25] = [
    ("XFS (@): xfs_log_force: error 5 returned.", false),
    ("Filesystem \"@\": xfs_log_force: error 5 returned.", false),
    (
        "XFS (@): Internal error xfs_da_do_buf(2) at line 2113 of file fs/xfs/xfs_da_btree.c.  Caller 0x1",
        true,
    ),
    (
        "Filesystem \"@\": XFS internal error xfs_da_do_buf(2) at line 2112 of file fs/xfs/xfs_da_btree.c.  Caller 0x1",
        true,
    ),
    ("Filesystem @: corrupt dinode 131, extent total = 1, nblocks = 0.  Unmount and run xfs_repair.", true),
    ("XFS (@): Metadata corruption detected at xfs_agf_verify+0x70/0x120 [xfs], xfs_agf block 0x1", true),
    ("XFS (@): Metadata CRC error detected at xfs_agi_read_verify+0xd0/0xf0 [xfs], xfs_agi block 0x2", true),
    ("XFS (@): corrupt inode 131 (btree).  Unmount and run xfs_repair.", true),
    ("JBD2: Detected IO errors while flushing file data on @-8", true),
    ("JBD: Detected IO errors while flushing file data on @", true),
    (
        "EXT4-fs (@): delayed block allocation failed for inode 12 at logical offset 0 with max blocks 1 with error -5",
        true,
    ),
    (
        "EXT4-fs (@): Delayed block allocation failed for inode 12 at logical offset 0 with max blocks 1 with error 5",
        true,
    ),
    ("EXT4-fs (@): This should not happen!! Data will be lost", true),
    (
        "EXT4-fs (@): failed to convert unwritten extents to written extents -- potential data loss!  (inode 1)",
        true,
    ),
    (
        "EXT4-fs warning (device @): ext4_end_bio: I/O error writing to inode 12 (offset 0 size 4096 starting block 5)",
        true,
    ),
    (
        "EXT4-fs warning (device @): ext4_end_bio:250: I/O error -5 writing to inode 12 (offset 0 size 1)",
        true,
    ),
    ("lost page write due to I/O error on @", true),
    ("Buffer I/O error on dev @, logical block 5, lost async page write", true),
    ("XFS (@): page discard on page ffffea0001, inode 0x83, offset 0.", true),
    ("XFS (@): writeback error on inode 131, offset 0, sector 64", true),
    ("JBD2: I/O error detected when updating journal superblock for @-8.", false),
    ("JBD2: Error -5 detected when updating journal superblock for @-8.", false),
    ("JBD2: I/O error when updating journal superblock for @-8.", false),
    ("XFS (@): metadata I/O error: block 0x10 (\"xfs_buf_iodone\") error 5 numblks 8", false),
    (
        "I/O error in filesystem (\"@\") meta-data dev @ block 0x10       (\"xlog_iodone\") error 5 buf count 512",
        false,
    ),
];

#[test]
fn a_lost_write_is_told_and_another_mount_mends_none() {
    for (line, is_lost) in WRITES {
        for device in ["dm-0", "sda1", "cciss!c0d0p1"] {
            let named = line.replace('@', &device.replace('!', "/"));
            let found = Some(Trouble::Now(named.clone()));
            assert_eq!(
                trouble(&format!("<3>[   12.1] {named}\n<4>[   12.2] x\n"), device, Some(1 << 20)),
                found,
                "{named}"
            );
            for other in ["dm-01", "dm-00", "sda", "sda11", "sdb"] {
                assert_eq!(trouble(&named, other, None), None, "{named} {other}");
            }
            let again = format!("{named}\nEXT4-fs ({}): mounted filesystem with", device.replace('!', "/"));
            let expected = is_lost.then(|| Trouble::Before(named.clone()));
            assert_eq!(trouble(&again, device, Some(1 << 20)), expected, "{again}");
            // What it says now counts more.
            let both = format!("{again}\nAborting journal on device {}-8.", device.replace('!', "/"));
            assert!(
                matches!(trouble(&both, device, None), Some(Trouble::Now(line)) if line.starts_with("Abort"))
            );
        }
    }
}

#[test]
fn what_was_lost_before_the_file_system_was_made_or_checked_is_over() {
    let lost = "lost page write due to I/O error on dm-0";
    let mounted = "<6>[90000.0] EXT4-fs (dm-0): mounted filesystem with ordered data mode";
    let log = format!("<4>[80000.5] {lost}\n{mounted}");
    let before = Some(Trouble::Before(lost.into()));
    // 60 s, and one in a thousand.
    for (checked, expected) in
        [(None, &before), (Some(79_999), &before), (Some(80_140), &before), (Some(80_141), &None)]
    {
        assert_eq!(&trouble(&log, "dm-0", checked), expected, "{checked:?}");
    }
    let again = format!("{log}\n<4>[95000.0] {lost}\n{mounted}");
    assert_eq!(trouble(&again, "dm-0", Some(85_000)), before, "of the second one");
    let now = format!("{log}\n<4>[95000.0] {lost}");
    assert_eq!(trouble(&now, "dm-0", Some(99_000)), Some(Trouble::Now(lost.into())), "mounted all the while");
    let untimed = format!("<4>{lost}\n{mounted}");
    assert_eq!(trouble(&untimed, "dm-0", Some(99_000)), before);
}

#[test]
fn a_time_by_the_clock_is_one_since_this_boot_or_none() {
    let dir = testing::tree(&[("proc/stat", "cpu 1\nbtime 1000\n"), ("proc/uptime", "500.25 1.0\n")]);
    let host = Host::recorded(dir.path());
    let found = [999, 1000, 1400, 1501, 1502].map(|wall| since_boot(&host, wall));
    assert_eq!(found, [None, Some(0), Some(400), Some(501), None]);
    assert_eq!(since_boot(&Host::recorded(testing::tree(&[]).path()), 1400), None);
}

#[test]
fn a_log_that_cannot_be_read_is_no_empty_one() {
    let none = testing::tree(&[]);
    assert_eq!(read(&Host::recorded(none.path())), Ok(String::new()));
    let odd = testing::tree(&[("commands/dmesg/x", "")]);
    begins(&read(&Host::recorded(odd.path())).unwrap_err(), "reading the kernel's log: ");
}

#[test]
fn reading_the_log_of_this_machine_leaves_it_as_it_is() {
    // Where others write to it meanwhile, what was there stays in front.
    let (first, again) = match (read(&Host::live()), read(&Host::live())) {
        (Ok(first), Ok(again)) => (first, again),
        // kernel.dmesg_restrict (proc(5)).
        (first, _) => return assert!(!nix::unistd::geteuid().is_root(), "{first:?}"),
    };
    let line = first.lines().last().unwrap_or_default();
    assert!(again.contains(line), "{line}");
}
