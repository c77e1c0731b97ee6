//! The line in /etc/fstab that mounts the retention volume at every boot.
//!
//! All that is not ours stays as it was, byte for byte: comments, spaces, line ends, bytes that are not UTF-8.

use anyhow::{Context as _, Result, bail, ensure};

use super::{Context, Done, saved};
use crate::facts::fstab::COMMENT;
use crate::facts::kept;
use crate::host::{Host, files, text};

/// The file.
pub const PATH: &str = "/etc/fstab";

/// What systemd needs in our entry beside `rw`: without it a retention disk that is missing ends the boot in emergency mode.
///
/// The scripts of CentOS 6 are better off without. With pass 0 they start a machine whose disk is missing all the same, and
/// mount(8) of util-linux-ng 2.17 records `nofail` in /etc/mtab as `_netdev`, so that `service netfs stop` takes the volume
/// for one of the network and unmounts it. `_netdev` itself is for neither: rc.sysinit mounts with `-O no_netdev`, and the
/// network comes later than what needs the volume.
pub const NOFAIL: &str = "nofail";

/// The options of a new entry on a machine that systemd starts, or not.
#[must_use]
pub fn options(systemd: bool) -> &'static str {
    if systemd { "rw,nofail" } else { "rw" }
}

/// What is to be mounted, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// A name that cannot move: /dev/mapper/WWID or UUID=….
    pub device: &'a str,
    /// The mount point.
    pub mount_point: &'a str,
    /// File system type.
    pub fs_type: &'a str,
    /// Options; `nofail` is among them where systemd starts the machine, and only there.
    pub options: &'a str,
}

/// Lets fstab mount the volume at every boot. The file as it was is kept first.
///
/// # Errors
/// Another entry has that mount point, the entry cannot be written as a line, or an operating system error;
/// the file is then as it was.
pub fn write(context: &mut Context<'_>, entry: &Entry<'_>) -> Result<Done> {
    install(context.host, entry)
}

fn install(host: &Host, entry: &Entry<'_>) -> Result<Done> {
    let path = host.path(PATH);
    let before = match files::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        read => read.context("reading /etc/fstab")?,
    };
    let after = with_entry(&before, entry).context("adding the retention volume to /etc/fstab")?;
    if after == before {
        return Ok(Done::Unchanged);
    }
    let copy = saved::keep(host, PATH, &saved::stamp("fstab"))?;
    files::replace(&path, &after, 0o644)?;
    let now = files::read(&path).context("reading /etc/fstab again")?;
    ensure!(
        now == after,
        "/etc/fstab was changed by another program at the same time: look at it and run again"
    );
    let was = copy.map_or_else(String::new, |copy| format!(" (as it was: {})", copy.display()));
    Ok(Done::Changed(format!("/etc/fstab mounts {} on {}{was}", entry.device, entry.mount_point)))
}

/// `before` with an entry for the retention volume: unchanged when one that serves is there, with our own
/// earlier entry replaced, else with a comment line and the entry added at its end. What a person has added to our earlier
/// entry for the same file system stays.
///
/// # Errors
/// An entry that is not ours has that mount point, or a field cannot be written.
pub fn with_entry(before: &[u8], entry: &Entry<'_>) -> Result<Vec<u8>> {
    let ours = line_for(entry)?;
    let lines: Vec<&[u8]> = before.split_inclusive(|&byte| byte == b'\n').collect();
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut place = None;
    let mut added = Vec::new();
    let mut served = false;
    let mut at = 0;
    while let Some(&line) = lines.get(at) {
        let below = lines.get(at + 1).and_then(|line| fields(line));
        if let (Some(mount_point), Some(below)) = (ours_on(line), below)
            && below.mount_point == mount_point
        {
            if !served && below.serves(entry) {
                kept.extend([line, lines[at + 1]]);
                served = true;
            } else {
                place.get_or_insert(kept.len());
                added.extend(below.added(entry));
            }
            at += 2;
            continue;
        }
        if let Some(other) = fields(line)
            && other.mount_point == normal(entry.mount_point.as_bytes())
        {
            ensure!(
                other.serves(entry),
                "line {} of /etc/fstab mounts something else, or otherwise, on {}: `{}`; expected `{}`; \
                 correct or remove that line, then run again",
                at + 1,
                entry.mount_point,
                shown(line),
                ours.trim_end(),
            );
            served = true;
        }
        kept.push(line);
        at += 1;
    }
    if served {
        return Ok(kept.concat());
    }
    let options =
        [entry.options].into_iter().chain(added.iter().map(String::as_str)).collect::<Vec<_>>().join(",");
    let ours = line_for(&Entry { options: &options, ..*entry })?;
    let pair = format!("{COMMENT}{}\n{ours}", escaped(entry.mount_point));
    let place = place.unwrap_or(kept.len());
    let mut after = kept[..place].concat();
    if after.last().is_some_and(|&last| last != b'\n') {
        after.push(b'\n');
    }
    after.extend_from_slice(pair.as_bytes());
    after.extend_from_slice(&kept[place..].concat());
    Ok(after)
}

/// The fields of an entry that matter here, with octal escapes decoded.
struct Fields {
    device: Vec<u8>,
    mount_point: Vec<u8>,
    fs_type: Vec<u8>,
    options: Vec<u8>,
    pass: Vec<u8>,
}

impl Fields {
    /// Whether this entry does for `entry` what ours would do, perhaps with more options.
    fn serves(&self, entry: &Entry<'_>) -> bool {
        let options: Vec<&[u8]> = self.options.split(|&byte| byte == b',').collect();
        let has = |wanted: &str| options.contains(&wanted.as_bytes());
        self.device == entry.device.as_bytes()
            && self.mount_point == normal(entry.mount_point.as_bytes())
            && self.fs_type == entry.fs_type.as_bytes()
            && has(NOFAIL) == entry.options.split(',').any(|option| option == NOFAIL)
            && !["ro", "noauto", "_netdev", "bind"].iter().any(|option| has(option))
            && matches!(self.pass.as_slice(), b"" | b"0")
    }

    /// The options of the same file system that nobody judges: a person has added them.
    fn added(&self, entry: &Entry<'_>) -> Vec<String> {
        if self.device != entry.device.as_bytes() || self.fs_type != entry.fs_type.as_bytes() {
            return Vec::new();
        }
        let options = String::from_utf8_lossy(&self.options).into_owned();
        let is_added = |option: &&str| !option.is_empty() && !kept::is_judged(option);
        options.split(',').filter(is_added).map(str::to_owned).collect()
    }
}

/// A line as it may be shown: with no option that nobody judges, as it may be a password.
fn shown(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line);
    let word = |(at, word): (usize, &str)| match at {
        0 => kept::source(word.to_owned()),
        3 => kept::options(word.split(',')).join(","),
        _ => word.to_owned(),
    };
    text::safe(&line.split_whitespace().take(6).enumerate().map(word).collect::<Vec<_>>().join(" "))
}

/// The fields of a line, or `None` where it is empty, a comment, or too short to be an entry.
fn fields(line: &[u8]) -> Option<Fields> {
    let mut words = line
        .split(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
        .filter(|word| !word.is_empty())
        .take_while({
            let mut first = true;
            move |word| !(std::mem::take(&mut first) && word.starts_with(b"#"))
        })
        .map(unescaped);
    Some(Fields {
        device: words.next()?,
        mount_point: normal(&words.next()?).to_vec(),
        fs_type: words.next().unwrap_or_default(),
        options: words.next().unwrap_or_default(),
        pass: words.nth(1).unwrap_or_default(),
    })
}

/// A mount point without the slashes at its end.
fn normal(mount_point: &[u8]) -> &[u8] {
    let end = mount_point.iter().rposition(|&byte| byte != b'/').map_or(1, |last| last + 1);
    &mount_point[..end.min(mount_point.len())]
}

/// The mount point that a comment line of ours names.
fn ours_on(line: &[u8]) -> Option<Vec<u8>> {
    line.trim_ascii().strip_prefix(COMMENT.as_bytes()).map(|path| normal(&unescaped(path)).to_vec())
}

/// `\040` and its like, decoded.
fn unescaped(word: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((&byte, tail)) = rest.split_first() {
        let digits = tail.get(..3).filter(|digits| digits.iter().all(|digit| (b'0'..=b'7').contains(digit)));
        let value =
            digits.map(|digits| digits.iter().fold(0_u32, |sum, digit| sum * 8 + u32::from(digit - b'0')));
        match value.and_then(|value| u8::try_from(value).ok()) {
            Some(value) if byte == b'\\' => {
                out.push(value);
                rest = &tail[3..];
            }
            _ => {
                out.push(byte);
                rest = tail;
            }
        }
    }
    out
}

/// A field as it is written: what would end it is escaped.
fn escaped(field: &str) -> String {
    let mut out = String::new();
    for c in field.chars() {
        match c {
            ' ' => out.push_str("\\040"),
            '\\' => out.push_str("\\134"),
            c => out.push(c),
        }
    }
    out
}

/// Whether `device` is one of the two names that lead to the same volume after every restart: the UUID of the file system,
/// or the map of the disk with a SCSI ID (NAA or EUI-64). Any other name of a map (mpatha) is given out anew.
#[must_use]
pub fn cannot_move(device: &str) -> bool {
    let uuid = |uuid: &str| uuid.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let scsi_id = |id: &str| {
        id.starts_with(['2', '3']) && id.len() > 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    device.strip_prefix("UUID=").is_some_and(|value| !value.is_empty() && uuid(value))
        || device.strip_prefix("/dev/mapper/").is_some_and(scsi_id)
}

fn line_for(entry: &Entry<'_>) -> Result<String> {
    let fields = [
        ("device", entry.device),
        ("mount point", entry.mount_point),
        ("type", entry.fs_type),
        ("options", entry.options),
    ];
    for (what, field) in fields {
        ensure!(!field.is_empty(), "the {what} is empty");
        if field.chars().any(char::is_control) {
            bail!("the {what} `{}` has a control character", text::safe(field));
        }
    }
    ensure!(
        cannot_move(entry.device),
        "the device `{}` can be another disk after a restart: expected UUID=... or /dev/mapper/SCSI-ID",
        text::safe(entry.device)
    );
    ensure!(
        entry.mount_point.starts_with('/'),
        "the mount point `{}` is not an absolute path",
        entry.mount_point
    );
    let [device, mount_point, fs_type, options] = fields.map(|(_, field)| escaped(field));
    Ok(format!("{device} {mount_point} {fs_type} {options} 0 0\n"))
}

#[cfg(test)]
#[path = "fstab/tests.rs"]
mod tests;
