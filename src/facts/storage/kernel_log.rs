//! Which file systems the kernel gave up, or lost writes of, by its log. A journal that was aborted while the disk was away is nowhere
//! else to be seen: until the next write /proc shows the mount as `rw`, and the superblock on disk could not be written. Of a write
//! that was lost no superblock tells at all.

use std::io::ErrorKind;

use crate::host::{Host, ioctl, text};

/// The kernel's log, as far as it is there: it has an end. A recording without it has none.
pub(super) fn read(host: &Host) -> Result<String, String> {
    let log = if host.is_live() {
        ioctl::kernel_log().map(|log| String::from_utf8_lossy(&log).into_owned())
    } else {
        host.read("/commands/dmesg")
    };
    match log {
        Err(error) if error.kind() == ErrorKind::NotFound && !host.is_live() => Ok(String::new()),
        log => log.map_err(|error| format!("reading the kernel's log: {error}")),
    }
}

/// When the file system was made or checked last, in seconds since the boot, as the log counts them; `None` where that is not known,
/// or was before the boot. `wall`: by the clock.
pub(super) fn since_boot(host: &Host, wall: u64) -> Option<u64> {
    let word = |path: &str, key: &str| -> Option<u64> {
        let text = host.read(path).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(key))?;
        line.split(['.', ' ']).find(|word| !word.is_empty())?.parse().ok()
    };
    let since = wall.checked_sub(word("/proc/stat", "btime ")?)?;
    // By a clock that was set back since, it tells nothing.
    (since <= word("/proc/uptime", "")?.saturating_add(1)).then_some(since)
}

/// What a line says of a file system.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Event {
    /// It is mounted, so what was before counts no more: its superblock tells of it, where it could be written.
    Mounted,
    /// It met an error, or is given up.
    GivenUp,
    /// What was written to it is lost, or XFS found it corrupt. It goes on, and so does the next mount, which looks for nothing of the kind.
    Lost,
}

/// What the log says against a file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// By this line, since it was mounted last.
    Now(String),
    /// By this line, before it was mounted last: whether it was checked in between, the log does not say.
    Before(String),
}

/// The first line by which the file system on `device` (`sda1`, `dm-0`) met an error, was given up or lost a write since it was
/// mounted last; else the first by which it lost a write, or was found corrupt, before. What was lost before it was made or checked, `checked` seconds after
/// the boot, is over.
pub fn trouble(log: &str, device: &str, checked: Option<u64>) -> Option<Trouble> {
    let (mut now, mut lost, mut before) = (None, None, None);
    for line in log.lines() {
        let (seconds, line) = message(line);
        let is_over = seconds.zip(checked).is_some_and(|(lost, checked)| {
            // The log's clock is set by nobody, and goes a little wrong.
            lost.saturating_add(60 + lost / 1000) < checked
        });
        match event(line, device) {
            Some(Event::Mounted) => {
                before = before.or(lost.take());
                now = None;
            }
            Some(event) => {
                now = now.or(Some(line));
                lost = lost.or((event == Event::Lost && !is_over).then_some(line));
            }
            None => {}
        }
    }
    let safe = |line: &str| text::safe(line.trim_end());
    now.map(|line| Trouble::Now(safe(line))).or(before.map(|line| Trouble::Before(safe(line))))
}

/// A line without level (`<3>`), time (`[   12.345678]`) and caller (`[   T17]`, since 5.1 where it is configured); and the time, in
/// whole seconds.
fn message(line: &str) -> (Option<u64>, &str) {
    let (mut rest, mut seconds) = (line, None);
    for (open, close) in [('<', '>'), ('[', ']'), ('[', ']')] {
        let mark = rest.strip_prefix(open).and_then(|rest| rest.split_once(close));
        let is_mark = |mark: &str| mark.bytes().all(|byte| byte.is_ascii_digit() || b" .TC".contains(&byte));
        if let Some((mark, after)) = mark.filter(|(mark, _)| is_mark(mark)) {
            rest = after.strip_prefix(' ').unwrap_or(after);
            seconds = seconds.or_else(|| mark.trim().split_once('.')?.0.parse().ok());
        }
    }
    (seconds, rest)
}

/// By the texts of fs/buffer.c, fs/ext2, fs/ext3, fs/ext4, fs/jbd, fs/jbd2 and fs/xfs from 2.6.32 to 6.12. A warning is none of it, but
/// where it tells of a lost write.
fn event(line: &str, device: &str) -> Option<Event> {
    let is_it = |name: &str| name.replace('/', "!") == device;
    if let Some(name) = line.strip_prefix("lost page write due to I/O error on ") {
        return is_it(name.trim_end()).then_some(Event::Lost);
    }
    // Since 3.19; before, the line above follows one for reads and writes alike.
    if let Some((name, rest)) =
        line.strip_prefix("Buffer I/O error on dev ").and_then(|rest| rest.split_once(','))
    {
        return (is_it(name) && rest.contains(", lost ")).then_some(Event::Lost);
    }
    if let Some(rest) = line.strip_prefix("JBD") {
        return said_by_jbd(rest.strip_prefix('2').unwrap_or(rest), is_it);
    }
    if let Some(name) = line.strip_prefix("Aborting journal on device ") {
        return is_its_journal(name, is_it).then_some(Event::GivenUp);
    }
    if let Some(rest) = line.strip_prefix("EXT").and_then(|rest| rest.strip_prefix(['2', '3', '4'])) {
        return said_by_ext(rest, is_it);
    }
    said_by_xfs(line, is_it)
}

/// Whether a journal's name is that of one on the device: jbd2 appends its inode (`dm-0-8`).
fn is_its_journal(name: &str, is_it: impl Fn(&str) -> bool) -> bool {
    let name = name.trim_end().trim_end_matches('.');
    let inner = name.rsplit_once('-').filter(|(_, inode)| inode.bytes().all(|byte| byte.is_ascii_digit()));
    is_it(name) || inner.is_some_and(|(name, _)| is_it(name))
}

fn said_by_jbd(rest: &str, is_it: impl Fn(&str) -> bool) -> Option<Event> {
    /// Behind `: `, with the number of the error since 3.4 (`Error -5 detected when …`).
    const SUPERBLOCK: [&str; 3] = [
        "detected when updating journal superblock for ",
        "I/O error when updating journal superblock for ",
        "previous I/O error detected for journal superblock update for ",
    ];
    let rest = rest.strip_prefix(": ")?;
    if let Some(name) = rest.strip_prefix("Detected IO errors while flushing file data on ") {
        return is_its_journal(name, is_it).then_some(Event::Lost);
    }
    let name = SUPERBLOCK.iter().find_map(|text| Some(rest.split_once(text)?.1))?;
    is_its_journal(name, is_it).then_some(Event::GivenUp)
}

fn said_by_ext(rest: &str, is_it: impl Fn(&str) -> bool) -> Option<Event> {
    const GIVEN_UP: [&str; 5] = [
        "error: ",
        "previous I/O error to superblock",
        "I/O error while writing superblock",
        "Remounting filesystem read-only",
        "shut down requested",
    ];
    const LOST: [&str; 4] = [
        "delayed block allocation failed",
        "Delayed block allocation failed",
        "This should not happen!!",
        "failed to convert unwritten extents",
    ];
    if let Some((name, _)) = rest.strip_prefix("-fs error (device ").and_then(|rest| rest.split_once(')')) {
        return is_it(name).then_some(Event::GivenUp);
    }
    if let Some((name, rest)) =
        rest.strip_prefix("-fs warning (device ").and_then(|rest| rest.split_once("): "))
    {
        let is_lost = rest.starts_with("ext4_end_bio") && rest.contains(" writing to inode ");
        return (is_it(name) && is_lost).then_some(Event::Lost);
    }
    if let Some((name, rest)) = rest.strip_prefix("-fs (").and_then(|rest| rest.split_once("): ")) {
        let is = |texts: &[&str]| texts.iter().any(|text| rest.starts_with(text));
        return match rest.starts_with("mounted filesystem") {
            _ if !is_it(name) => None,
            true => Some(Event::Mounted),
            false if is(&LOST) => Some(Event::Lost),
            false => is(&GIVEN_UP).then_some(Event::GivenUp),
        };
    }
    // 2.6.32, where a mount of ext3 is told so.
    if let Some((name, _)) = rest.strip_prefix(" FS on ").and_then(|rest| rest.split_once(',')) {
        return is_it(name).then_some(Event::Mounted);
    }
    let name = rest.strip_prefix("-fs: previous I/O error to superblock detected for ")?;
    is_it(name.trim_end().trim_end_matches('.')).then_some(Event::GivenUp)
}

fn said_by_xfs(line: &str, is_it: impl Fn(&str) -> bool) -> Option<Event> {
    const MOUNTED: [&str; 3] = [
        "XFS mounting filesystem ",
        "Ending clean XFS mount for filesystem: ",
        "Ending XFS recovery on filesystem: ",
    ];
    const GIVEN_UP: [&str; 8] = [
        // Every half a minute after a shutdown whose own line the log may have lost.
        "xfs_log_force: error",
        "returned error 5",
        "hutting down filesystem",
        "has been shut down",
        "force_shutdown",
        "metadata I/O error",
        "log I/O error",
        "Log I/O Error",
    ];
    // What it says of corruption is no more than the advice to repair it.
    const LOST: [&str; 7] = [
        "page discard on page",
        "writeback error on ",
        "nternal error",
        "orruption detected",
        "orrupt dinode",
        "etadata CRC error",
        "run xfs_repair",
    ];
    let trouble = |text: &str| {
        let is = |texts: &[&str]| texts.iter().any(|one| text.contains(one));
        is(&GIVEN_UP).then_some(Event::GivenUp).or(is(&LOST).then_some(Event::Lost))
    };
    // Since 2.6.39, and in that of Red Hat.
    if let Some((name, rest)) = line.strip_prefix("XFS (").and_then(|rest| rest.split_once("): ")) {
        let is_mounted = ["Mounting", "Ending clean mount", "Ending recovery"];
        return match is_mounted.iter().any(|text| rest.starts_with(text)) {
            _ if !is_it(name) => None,
            true => Some(Event::Mounted),
            false => trouble(rest),
        };
    }
    // 2.6.32.
    if let Some(rest) = MOUNTED.iter().find_map(|text| line.strip_prefix(text)) {
        return is_it(rest.split([' ', '\r']).next()?).then_some(Event::Mounted);
    }
    if let Some((name, _)) = line.strip_prefix("xfs_force_shutdown(").and_then(|rest| rest.split_once(',')) {
        return is_it(name).then_some(Event::GivenUp);
    }
    if let Some((name, _)) =
        line.strip_prefix("I/O error in filesystem (\"").and_then(|rest| rest.split_once('"'))
    {
        return is_it(name).then_some(Event::GivenUp);
    }
    let (name, rest) = line.strip_prefix("Filesystem ")?.split_once(": ")?;
    trouble(rest).filter(|_| is_it(name.trim_matches('"')))
}

#[cfg(test)]
mod tests;
