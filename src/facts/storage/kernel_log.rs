//! Which file systems the kernel gave up, by its log. A journal that was aborted while the disk was away is nowhere else to be seen:
//! until the next write /proc shows the mount as `rw`, and the superblock on disk could not be written.

use crate::host::{Host, ioctl, text};

/// The kernel's log, as far as it is there: it has an end, and where root alone may read it, others do without.
pub(super) fn read(host: &Host) -> String {
    if host.is_live() {
        ioctl::kernel_log().map(|log| String::from_utf8_lossy(&log).into_owned()).unwrap_or_default()
    } else {
        host.read("/commands/dmesg").unwrap_or_default()
    }
}

/// What a line says of a file system.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    /// It is mounted, so what was before counts no more.
    Mounted,
    /// It met an error, or is given up.
    GivenUp,
}

/// The first line by which the file system on `device` (`sda1`, `dm-0`) met an error or was given up since it was mounted last.
pub fn given_up(log: &str, device: &str) -> Option<String> {
    let mut found = None;
    for line in log.lines() {
        let line = message(line);
        match said(line, device) {
            Some(Said::Mounted) => found = None,
            Some(Said::GivenUp) if found.is_none() => found = Some(line),
            _ => {}
        }
    }
    found.map(|line| text::safe(line.trim_end()))
}

/// A line without level (`<3>`), time (`[   12.345678]`) and caller (`[   T17]`, since 5.1 where it is configured).
fn message(line: &str) -> &str {
    let mut rest = line;
    for (open, close) in [('<', '>'), ('[', ']'), ('[', ']')] {
        let mark = rest.strip_prefix(open).and_then(|rest| rest.split_once(close));
        let is_mark = |mark: &str| mark.bytes().all(|byte| byte.is_ascii_digit() || b" .TC".contains(&byte));
        if let Some((_, after)) = mark.filter(|(mark, _)| is_mark(mark)) {
            rest = after.strip_prefix(' ').unwrap_or(after);
        }
    }
    rest
}

/// By the texts of fs/ext2, fs/ext3, fs/ext4, fs/jbd, fs/jbd2 and fs/xfs from 2.6.32 to 6.12. What is a warning is none of it.
fn said(line: &str, device: &str) -> Option<Said> {
    let is_it = |name: &str| name.replace('/', "!") == device;
    // jbd2 appends the inode of the journal: `dm-0-8`.
    let is_its_journal = |name: &str| {
        is_it(name)
            || name
                .rsplit_once('-')
                .is_some_and(|(name, inode)| is_it(name) && inode.bytes().all(|byte| byte.is_ascii_digit()))
    };
    if let Some(name) = line.strip_prefix("Aborting journal on device ") {
        return is_its_journal(name.trim_end().trim_end_matches('.')).then_some(Said::GivenUp);
    }
    if let Some(rest) = line.strip_prefix("EXT").and_then(|rest| rest.strip_prefix(['2', '3', '4'])) {
        return said_by_ext(rest, is_it);
    }
    said_by_xfs(line, is_it)
}

fn said_by_ext(rest: &str, is_it: impl Fn(&str) -> bool) -> Option<Said> {
    const LOST: [&str; 5] = [
        "error: ",
        "previous I/O error to superblock",
        "I/O error while writing superblock",
        "Remounting filesystem read-only",
        "shut down requested",
    ];
    if let Some((name, _)) = rest.strip_prefix("-fs error (device ").and_then(|rest| rest.split_once(')')) {
        return is_it(name).then_some(Said::GivenUp);
    }
    if let Some((name, rest)) = rest.strip_prefix("-fs (").and_then(|rest| rest.split_once("): ")) {
        if !is_it(name) {
            return None;
        }
        let is_lost = LOST.iter().any(|lost| rest.starts_with(lost));
        return match rest.starts_with("mounted filesystem") {
            true => Some(Said::Mounted),
            false => is_lost.then_some(Said::GivenUp),
        };
    }
    // 2.6.32, where a mount of ext3 is told so.
    if let Some((name, _)) = rest.strip_prefix(" FS on ").and_then(|rest| rest.split_once(',')) {
        return is_it(name).then_some(Said::Mounted);
    }
    let name = rest.strip_prefix("-fs: previous I/O error to superblock detected for ")?;
    is_it(name.trim_end().trim_end_matches('.')).then_some(Said::GivenUp)
}

fn said_by_xfs(line: &str, is_it: impl Fn(&str) -> bool) -> Option<Said> {
    const MOUNTED: [&str; 3] = [
        "XFS mounting filesystem ",
        "Ending clean XFS mount for filesystem: ",
        "Ending XFS recovery on filesystem: ",
    ];
    const LOST: [&str; 3] = ["hutting down filesystem", "has been shut down", "force_shutdown"];
    let is_lost = |text: &str| LOST.iter().any(|lost| text.contains(lost));
    // Since 2.6.39, and in that of Red Hat.
    if let Some((name, rest)) = line.strip_prefix("XFS (").and_then(|rest| rest.split_once("): ")) {
        if !is_it(name) {
            return None;
        }
        let is_mounted = ["Mounting", "Ending clean mount", "Ending recovery"];
        return match is_mounted.iter().any(|text| rest.starts_with(text)) {
            true => Some(Said::Mounted),
            false => is_lost(rest).then_some(Said::GivenUp),
        };
    }
    // 2.6.32.
    if let Some(rest) = MOUNTED.iter().find_map(|text| line.strip_prefix(text)) {
        return is_it(rest.split([' ', '\r']).next()?).then_some(Said::Mounted);
    }
    if let Some((name, _)) = line.strip_prefix("xfs_force_shutdown(").and_then(|rest| rest.split_once(',')) {
        return is_it(name).then_some(Said::GivenUp);
    }
    let (name, rest) = line.strip_prefix("Filesystem ")?.split_once(": ")?;
    (is_it(name.trim_matches('"')) && is_lost(rest)).then_some(Said::GivenUp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

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
            "XFS (dm-2): Log I/O Error (0x2) detected at xlog_ioend_work+0x64/0xb0 (fs/xfs/xfs_log.c:1378).  Shutting down filesystem.",
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
            "EXT4-fs warning (device dm-0): ext4_end_bio: I/O error writing to inode 12",
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

    #[test]
    fn reading_the_log_of_this_machine_leaves_it_as_it_is() {
        // Where others write to it meanwhile, what was there stays in front.
        let first = read(&Host::live());
        let again = read(&Host::live());
        let line = first.lines().last().unwrap_or_default();
        assert!(again.contains(line), "{line}");
    }
}
