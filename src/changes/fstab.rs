//! The line in /etc/fstab that mounts the retention volume at every boot.
//!
//! All that is not ours stays as it was, byte for byte: comments, spaces, line ends, bytes that are not UTF-8.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

use super::{Context, Done};
use crate::facts::fstab::{self, COMMENT, Dialect};
use crate::facts::kept;
use crate::facts::os::Init;
use crate::host::{Host, device_name, files, text};
use crate::state::saved;

/// The file.
pub const PATH: &str = "/etc/fstab";

/// What systemd needs in our entry beside `rw`: without it a retention disk that is missing ends the boot in emergency mode.
///
/// The scripts of CentOS 6 are better off without. With pass 0 they start a machine whose disk is missing all the same, and
/// mount(8) of util-linux-ng 2.17 records `nofail` in /etc/mtab as `_netdev`, so that `service netfs stop` takes the volume
/// for one of the network and unmounts it. `_netdev` itself is for neither: rc.sysinit mounts with `-O no_netdev`, and the
/// network comes later than what needs the volume.
pub const NOFAIL: &str = "nofail";

/// The options of a new entry, by what starts the machine.
pub fn options(init: Init) -> &'static str {
    match init {
        Init::Systemd => "rw,nofail",
        Init::Scripts => "rw",
    }
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
/// Errors: Another entry has that mount point, the entry cannot be written as a line, or an operating system
/// error; the file is then as it was.
pub fn write(context: &mut Context<'_>, entry: &Entry<'_>) -> Result<Done> {
    install(context.host, entry)
}

fn install(host: &Host, entry: &Entry<'_>) -> Result<Done> {
    let what = format!("/etc/fstab mounts {} on {}", entry.device, entry.mount_point);
    replace(host, &what, |before| {
        with_entry(before, entry, Dialect::of(host)).context("adding the retention volume to /etc/fstab")
    })
}

/// Takes our own entries for `mount_point` with these devices out of fstab, with their comments, be they commented out or passed
/// over at boot. The file as it was is kept first.
/// Errors: Another entry would be read otherwise then, or an operating system error; the file is then as it was.
pub fn remove(host: &Host, mount_point: &str, devices: &[String]) -> Result<Done> {
    let what = format!("/etc/fstab no longer mounts {} on {mount_point}", devices.join(", "));
    replace(host, &what, |before| {
        without(before, mount_point, devices, Dialect::of(host))
            .context("taking the earlier retention volume out of /etc/fstab")
    })
}

/// Replaces fstab by what `edit` makes of it; `what` is said then.
fn replace(host: &Host, what: &str, edit: impl FnOnce(&[u8]) -> Result<Vec<u8>>) -> Result<Done> {
    let path = host.path(PATH);
    let before = match files::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        read => read.context("reading /etc/fstab")?,
    };
    let after = edit(&before)?;
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
    Ok(Done::Changed(format!("{what}{was}")))
}

fn without(before: &[u8], mount_point: &str, devices: &[String], dialect: Dialect) -> Result<Vec<u8>> {
    let lines: Vec<&[u8]> = before.split_inclusive(|&byte| byte == b'\n').collect();
    let read = |text: &[u8]| fstab::parse(&String::from_utf8_lossy(text), dialect);
    let fstab = read(before);
    let is_it = |ours: bool, at: &str, device: &String| {
        ours && Path::new(at) == Path::new(mount_point) && devices.contains(device)
    };
    let entries = fstab.entries.iter().filter(|one| is_it(one.ours, &one.mount_point, &one.device));
    let ignored = fstab.ignored.iter().filter(|one| is_it(one.ours, &one.mount_point, &one.device));
    let gone: Vec<usize> = entries.map(|one| one.line).chain(ignored.map(|one| one.line)).collect();
    let after = outside(&gone, 0..lines.len(), &lines);
    // A line too many can keep others from being read, and its going bring them back.
    let rest = |fstab: &fstab::Fstab| -> Vec<_> {
        let others = fstab.entries.iter().filter(|one| !gone.contains(&one.line));
        others.map(|one| (one.device.clone(), one.mount_point.clone(), one.options.clone())).collect()
    };
    let (was, is) = (rest(&fstab), read(&after));
    let is: Vec<_> = is.entries.into_iter().map(|one| (one.device, one.mount_point, one.options)).collect();
    ensure!(was == is, "without it other lines would be read otherwise: correct its lines by hand");
    Ok(after)
}

/// The lines of a range, without our own lines `gone`, by number: the comment stands above each of ours.
fn outside(gone: &[usize], range: Range<usize>, lines: &[&[u8]]) -> Vec<u8> {
    let is_kept = |at: &usize| !gone.iter().any(|line| (line - 2..*line).contains(at));
    range.filter(is_kept).flat_map(|at| lines[at]).copied().collect()
}

/// `before` with an entry for the retention volume: unchanged when one that serves is there, with our own
/// earlier entry replaced, else with a comment line and the entry added at its end, or before the line with which mount(8)
/// stops to read. A line that is passed over at boot stays, and counts for nothing; what a person has added to our earlier
/// entry for the same file system stays.
/// Errors: An entry that is not ours has that mount point, also one that is read only when a wrong line of ours is
/// right; or a field cannot be written.
pub fn with_entry(before: &[u8], entry: &Entry<'_>, dialect: Dialect) -> Result<Vec<u8>> {
    let after = edited(before, entry, dialect)?;
    let again = edited(&after, entry, dialect).context("with the line for the retention volume put right")?;
    ensure!(again == after, "cannot determine what would be read of /etc/fstab: correct its lines by hand");
    Ok(after)
}

fn edited(before: &[u8], entry: &Entry<'_>, dialect: Dialect) -> Result<Vec<u8>> {
    let ours = line_for(entry)?;
    let lines: Vec<&[u8]> = before.split_inclusive(|&byte| byte == b'\n').collect();
    let fstab = fstab::parse(&String::from_utf8_lossy(before), dialect);
    // Our own lines that do not serve, by their numbers.
    let mut replaced: Vec<usize> =
        fstab.ignored.iter().filter(|line| line.ours).map(|line| line.line).collect();
    let (mut served, mut added) = (false, Vec::new());
    for other in &fstab.entries {
        if other.ours && (served || !serves(other, entry)) {
            replaced.push(other.line);
            if other.device == entry.device && other.fs_type == entry.fs_type {
                added.extend(unjudged(lines[other.line - 1]));
            }
        } else if other.ours {
            served = true;
        } else if Path::new(&other.mount_point) == Path::new(entry.mount_point) {
            ensure!(
                serves(other, entry),
                "line {} of /etc/fstab mounts something else, or otherwise, on {}: `{}`; expected `{}`; \
                 correct or remove that line, then run again",
                other.line,
                entry.mount_point,
                shown(lines[other.line - 1]),
                ours.trim_end(),
            );
            served = true;
        }
    }
    if served {
        return Ok(outside(&replaced, 0..lines.len(), &lines));
    }
    let options =
        [entry.options].into_iter().chain(added.iter().map(String::as_str)).collect::<Vec<_>>().join(",");
    let ours = line_for(&Entry { options: &options, ..*entry })?;
    let place = replaced.iter().min().map_or(lines.len(), |first| first - 2);
    let place = fstab.ends.map_or(place, |end| place.min(end - 1));
    let mut after = outside(&replaced, 0..place, &lines);
    if after.last().is_some_and(|&last| last != b'\n') {
        after.push(b'\n');
    }
    after.extend_from_slice(format!("{COMMENT}{}\n{ours}", escaped(entry.mount_point)).as_bytes());
    after.extend(outside(&replaced, place..lines.len(), &lines));
    Ok(after)
}

/// Whether an entry does for `wanted` what ours would do, perhaps with more options.
fn serves(entry: &fstab::Entry, wanted: &Entry<'_>) -> bool {
    const OTHERWISE: [&str; 8] = ["ro", "noauto", "_netdev", "bind", "rbind", "remount", "loop", "offset"];
    entry.device == wanted.device
        && Path::new(&entry.mount_point) == Path::new(wanted.mount_point)
        && entry.fs_type == wanted.fs_type
        && entry.has(NOFAIL) == wanted.options.split(',').any(|option| option == NOFAIL)
        && !OTHERWISE.iter().any(|option| entry.has(option))
        && entry.refused.is_none()
        && entry.pass == 0
}

/// The options of a line that nobody judges: a person has added them.
fn unjudged(line: &[u8]) -> Vec<String> {
    let line = String::from_utf8_lossy(line);
    let options = line.split_ascii_whitespace().nth(3).unwrap_or_default();
    let is_added = |option: &&str| !option.is_empty() && kept::options([*option]).is_empty();
    options.split(',').filter(is_added).map(str::to_owned).collect()
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
        device_name::is_for_fstab(entry.device),
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
