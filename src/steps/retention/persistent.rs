//! Judging whether fstab mounts the retention volume at every boot.

use std::path::Path;

use super::line::{UUID, line, nameless, not_ours, stable_name};
use super::now::volume;
use super::volumes;
use crate::changes::fstab::NOFAIL;
use crate::facts::disks::Disk;
use crate::facts::fstab::{COMMENTED_OUT, Entry, Ignored};
use crate::facts::kept::MOUNTS_ELSE;
use crate::facts::mounts::Mount;
use crate::facts::{Fact, Facts};
use crate::host::device_name::can_move;
use crate::host::device_name::is_for_fstab;
use crate::profile::Profile;
use crate::steps::devices::{alias_of, fstab_entry, passed_over, repeated, resolve, same_path};
use crate::steps::remedy::Request;
use crate::steps::{Status, boot_order, need, twins};

pub(super) fn persistent(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let point = &profile.retention.mount_point;
    let (mount, disks) = volume(profile, facts)?;
    let known = stable_name(facts, mount, disks[0]);
    let name = known.as_deref().unwrap_or(UUID);
    let expected = format!("a line for {point} by a name that cannot move, such as {name}");
    let fstab = need(&facts.fstab, "/etc/fstab")?;
    if let Some(lines) = repeated(fstab, point) {
        let found = format!(
            "lines {lines} of /etc/fstab all mount on {point}: which is mounted last hides the others"
        );
        return Ok(Status::unmet(found, format!("one line for {point}"), remove_all_but_one(&lines)));
    }
    let second = other_line(facts, mount);
    let not_ours = not_ours(profile, facts, &Request::default(), mount, disks[0]);
    let Some(entry) = fstab_entry(fstab, point) else {
        if let Some(line) = second.filter(|line| !line.ours) {
            return Ok(Status::unmet(misplaced(line, point), expected, correct(line, point)));
        }
        let fix = match known {
            _ if let Some(line) = commented_out(profile, facts) => uncomment(line),
            _ if let Some(why) = not_ours => why,
            Some(_) => {
                "mt-agent apply adds the line; all other lines of /etc/fstab stay as they are".to_owned()
            }
            None => nameless(facts, mount),
        };
        let found = match passed_over(facts, point) {
            Some(line) => {
                format!("line {} of /etc/fstab, for {point}, is passed over at boot: {}", line.line, line.why)
            }
            None if let Some(line) = second => misplaced(line, point),
            None => format!("/etc/fstab has no line for {point}"),
        };
        return Ok(Status::unmet(found, expected, fix));
    };
    let by_hand = match known {
        _ if let Some(why) = not_ours => why,
        _ if is_of_one_gone(profile, facts, entry) => {
            format!("mt-agent apply puts {name} in the place of {}", entry.device)
        }
        Some(_) => format!("in line {} of /etc/fstab put {}", entry.line, line(facts, name, mount)),
        None => format!("line {}: {}", entry.line, nameless(facts, mount)),
    };
    let unmet = |found: String| {
        Ok(Status::unmet(format!("line {}: {found}", entry.line), expected.clone(), by_hand.clone()))
    };
    if moves(&entry.device, disks[0], facts) {
        return unmet(format!("{} can belong to another disk after the next restart", entry.device));
    }
    if !twins::of(&entry.device, facts)?.is_empty() {
        let found = format!("line {}: {}: several attached devices have that name", entry.line, entry.device);
        return Ok(Status::unmet(found, expected, "see layout.own-disks"));
    }
    if let Some(map) = &disks[0].multipath
        && let Some(alias) = alias_of(facts, &map.wwid)
        && entry.device.strip_prefix("/dev/mapper/") == Some(&map.wwid)
    {
        return unmet(format!(
            "{}, but /etc/multipath.conf gives this disk the alias {alias}: at the next boot its map has that name",
            entry.device
        ));
    }
    if let Some(option) = &entry.refused {
        return unmet(format!("{} does not know the option {option}, so it is not mounted", entry.fs_type));
    }
    if let Some(option) = MOUNTS_ELSE.iter().find(|option| entry.has(option)) {
        return unmet(format!("{option}: it mounts something other than the file system on that device"));
    }
    match resolve(&entry.device, facts)? {
        Some(device) if device == mount.major_minor => {}
        Some(_) => {
            return unmet(format!("{} is not what is mounted at {point} ({})", entry.device, mount.source));
        }
        None => return unmet(format!("{} leads to no device", entry.device)),
    }
    if entry.has("noauto") {
        return unmet("noauto: it is not mounted at boot".to_owned());
    }
    if entry.has("_netdev") {
        return unmet("_netdev: CentOS 6 mounts it late or, without a network service, never".to_owned());
    }
    if entry.has("ro") {
        return unmet("ro: it would be mounted read-only at the next boot".to_owned());
    }
    if entry.pass != 0 && !entry.has(NOFAIL) {
        return unmet(format!("fsck pass {} without nofail: a missing disk stops the boot", entry.pass));
    }
    if entry.fs_type != mount.fs_type && entry.fs_type != "auto" {
        return unmet(format!("type {}, but {} is mounted", entry.fs_type, mount.fs_type));
    }
    if let Some(cover) = boot_order::covered_by(facts, entry) {
        return Ok(Status::unmet(
            format!(
                "line {} is mounted at {} after line {} and hides {point}",
                cover.line, cover.mount_point, entry.line
            ),
            format!("nothing mounted over {point}"),
            boot_order::first(cover, entry),
        ));
    }
    if has_needless_nofail(facts, entry)? {
        let fix =
            if is_ours_to_edit(entry) { "mt-agent apply takes it out".to_owned() } else { by_hand.clone() };
        return Ok(Status::unmet(
            format!(
                "line {}: {NOFAIL}, with which `service netfs stop` takes it for a volume of the network and unmounts it",
                entry.line
            ),
            format!("a line for {point} without {NOFAIL}: CentOS 6 starts without that disk all the same"),
            fix,
        ));
    }
    // One that is not mounted at boot is there for a person's use.
    let second = second.filter(|line| !line.has("noauto")).or_else(|| bound(fstab, point));
    let found = second.map(|second| {
        let Entry { line, device, mount_point, .. } = second;
        (second, format!("line {line}: {device} mounts the retention volume at {mount_point} as well"))
    });
    if let Some((second, found)) = found.or_else(|| file_in_use(fstab, point)) {
        let fix = match second.ours {
            true => format!("mt-agent apply takes line {} out", second.line),
            false => format!("remove line {} of /etc/fstab", second.line),
        };
        return Ok(Status::unmet(found, format!("one line for it, line {}", entry.line), fix));
    }
    Ok(Status::met(format!("{}, line {}", entry.device, entry.line)))
}

/// The line that binds the retention volume, or a directory on it, to another place at boot.
fn bound<'a>(fstab: &'a [Entry], point: &str) -> Option<&'a Entry> {
    fstab.iter().find(|entry| {
        (entry.has("bind") || entry.has("rbind"))
            && !entry.has("noauto")
            && Path::new(&entry.device).starts_with(point)
            && !Path::new(&entry.mount_point).starts_with(point)
    })
}

/// The line that takes a file on the retention volume for swap at boot, or mounts it: with later versions of mount(8) one without the
/// option `loop` does so too. And what it does.
fn file_in_use<'a>(fstab: &'a [Entry], point: &str) -> Option<(&'a Entry, String)> {
    let entry = fstab.iter().find(|entry| {
        Path::new(&entry.device).starts_with(point)
            && !["noauto", "bind", "rbind"].iter().any(|option| entry.has(option))
    })?;
    let Entry { line, device, mount_point, .. } = entry;
    let does = match entry.fs_type.as_str() {
        "swap" => "is swap from the next boot on".to_owned(),
        _ => format!("is mounted at {mount_point} at the next boot"),
    };
    Some((entry, format!("line {line}: {device}, on the retention volume, {does}")))
}

/// The line of fstab that mounts what is mounted as the retention volume at another place.
pub(super) fn other_line<'a>(facts: &'a Facts, mount: &Mount) -> Option<&'a Entry> {
    let is_it = |entry: &&Entry| {
        !same_path(&entry.mount_point, &mount.mount_point)
            && entry.fs_type != "swap"
            && !entry.mounts_else()
            && resolve(&entry.device, facts).is_ok_and(|number| number == Some(mount.major_minor))
    };
    let all = || facts.fstab.known().into_iter().flatten().filter(is_it);
    // One that is not mounted at boot hides none that is.
    all().find(|entry| !entry.has("noauto")).or_else(|| all().next())
}

fn misplaced(line: &Entry, point: &str) -> String {
    format!(
        "line {}: {} is the retention volume, and its mount point there is {}; no line is for {point}",
        line.line, line.device, line.mount_point
    )
}

pub(super) fn correct(line: &Entry, point: &str) -> String {
    format!(
        "in line {} of /etc/fstab put {point} in the place of {}, or remove that line: then mt-agent apply writes it anew",
        line.line, line.mount_point
    )
}

/// Whether `entry`, which the agent wrote, names a volume whose disk is gone, while the retention volume that the agent made is
/// another one.
pub(super) fn is_of_one_gone(profile: &Profile, facts: &Facts, entry: &Entry) -> bool {
    let ours = || match volume(profile, facts) {
        Ok((_, disks)) => volumes::on(facts, disks[0]).is_some(),
        Err(_) => true,
    };
    is_ours_to_edit(entry) && matches!(resolve(&entry.device, facts), Ok(None)) && ours()
}

/// Our own line for the mount point, where a person has made it a comment: a person's to undo.
pub(super) fn commented_out<'a>(profile: &Profile, facts: &'a Facts) -> Option<&'a Ignored> {
    let line = passed_over(facts, &profile.retention.mount_point)?;
    (line.ours && line.why == COMMENTED_OUT).then_some(line)
}

pub(super) fn uncomment(line: &Ignored) -> String {
    format!(
        "take the # from the beginning of line {} of /etc/fstab, or remove that line: then mt-agent apply writes it anew",
        line.line
    )
}

/// Whether the entry is as the agent writes one: what a person made of it is a person's to change.
pub(super) fn is_ours_to_edit(entry: &Entry) -> bool {
    entry.ours && entry.pass == 0 && is_for_fstab(&entry.device)
}

/// Whether the entry has `nofail` where no systemd is that would need it.
pub(super) fn has_needless_nofail(facts: &Facts, entry: &Entry) -> Result<bool, Status> {
    if !entry.has(NOFAIL) {
        return Ok(false);
    }
    need(&facts.os.systemd, "whether systemd starts this machine").map(|systemd| !systemd)
}

/// Whether the line of fstab has everything but that it should lack `nofail`: it mounts the volume at every boot.
pub(in crate::steps) fn only_nofail_fails(profile: &Profile, facts: &Facts) -> bool {
    let mut without = facts.clone();
    let Fact::Known(entries) = &mut without.fstab else { return false };
    for entry in entries {
        entry.options.retain(|option| option != NOFAIL);
    }
    matches!(persistent(profile, &without), Ok(Status::Met { .. }))
}

pub(super) fn remove_all_but_one(lines: &str) -> String {
    format!("remove all but the one that is right of the lines {lines} of /etc/fstab, by hand")
}

/// Whether a name in fstab can come to mean another disk: kernel names, labels, and friendly multipath names, whose
/// numbers are given out in the order of discovery, with the partitions of such a map. An alias of multipath.conf stays.
pub(super) fn moves(name: &str, disk: &Disk, facts: &Facts) -> bool {
    let Some(mapped) = name.strip_prefix("/dev/mapper/") else { return can_move(name) };
    let number = |rest: &str| {
        let number = rest.strip_prefix("-part").or_else(|| rest.strip_prefix('p')).unwrap_or(rest);
        number.bytes().all(|byte| byte.is_ascii_digit())
    };
    disk.multipath.as_ref().is_some_and(|map| {
        map.dm_name != map.wwid
            && mapped.strip_prefix(&map.dm_name).is_some_and(number)
            && alias_of(facts, &map.wwid) != Some(&map.dm_name)
    })
}
