//! Judging the retention volume.

use std::path::Path;

use super::{UUID, describe, line, mount_now, nameless, stable_name, volume, waiting};
use super::{choice, elsewhere, name, strays, volumes};
use crate::changes::fstab::{NOFAIL, cannot_move};
use crate::facts::disks::Disk;
use crate::facts::fstab::{COMMENTED_OUT, Entry, Ignored};
use crate::facts::kept::MOUNTS_ELSE;
use crate::facts::mounts::Mount;
use crate::facts::{Fact, Facts};
use crate::profile::Profile;
use crate::steps::devices::{
    alias_of, can_move, carriers, fstab_entry, hidden_by, mount_at, mount_over, passed_over, repeated,
    resolve, same_map, same_path,
};
use crate::steps::storage::mend;
use crate::steps::{Status, boot_order, custom_changes, need, twins};

pub(super) fn disk(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let point = &profile.retention.mount_point;
    let expected = "a disk that carries nothing but the retention volume".to_owned();
    let disks = need(&facts.disks, "the disks")?;
    let Some(mount) = mount_now(profile, facts)? else {
        return disk_to_mount(profile, facts, expected);
    };
    let is_below =
        |other: &&Mount| same_path(&other.mount_point, point) && other.major_minor != mount.major_minor;
    if let Some(below) = facts.mounts.known().and_then(|mounts| mounts.iter().rfind(is_below)) {
        let (Mount { source, fs_type, .. }, below) = (mount, &below.source);
        let found =
            format!("{source} ({fs_type}) is mounted at {point} over {below}, which was there before");
        return Ok(Status::unmet(found, expected, format!("`umount {point}`")));
    }
    let under = carriers(disks, &mount.major_minor);
    let Some(first) = under.first() else {
        let found = format!("{point} is {} ({}), which lies on no disk", mount.source, mount.fs_type);
        return Ok(Status::unmet(found, expected, "unmount it and use a disk of its own"));
    };
    if carry_root(facts, &under)? {
        let found = format!("{point} lies on {}, which also carries /", first.name);
        return Ok(Status::unmet(
            found,
            expected,
            "attach a disk of its own; see mt-agent explain retention.disk",
        ));
    }
    if !one_disk(&under) {
        let names: Vec<_> = under.iter().map(|disk| disk.name.as_str()).collect();
        return Ok(Status::unmet(
            format!("{point} is spread over {}", names.join(", ")),
            "one disk",
            "use a single disk, without RAID or LVM",
        ));
    }
    if let Some(status) = not_the_named_one(profile, facts, first) {
        return Ok(status);
    }
    if let Some(status) = volumes::not_on_record(profile, facts, mount, first)? {
        return Ok(status);
    }
    Ok(volumes::in_the_place_of_ours(profile, facts, mount, first)
        .unwrap_or_else(|| Status::met(describe(first))))
}

/// That the profile names another disk than the one that carries the volume, or will.
fn not_the_named_one(profile: &Profile, facts: &Facts, disk: &Disk) -> Option<Status> {
    let named = profile.retention.disk.as_deref()?;
    let is_it = name::find(facts, named).is_ok_and(|found| found.name == disk.name || same_map(found, disk));
    (!is_it).then(|| {
        Status::unmet(
            format!("{} carries it", describe(disk)),
            format!("the disk that the profile names, {named}"),
            match name::find(facts, named).and_then(|new| choice::identity(facts, new)) {
                Ok(id) => format!(
                    "if that disk is to take its place: mt-agent apply --replace-retention {id}; else correct retention.disk in \
                     the profile"
                ),
                Err(_) => "correct retention.disk in the profile, or attach that disk".to_owned(),
            },
        )
    })
}

/// Whether one of the disks carries `/` as well.
pub(super) fn carry_root(facts: &Facts, disks: &[&Disk]) -> Result<bool, Status> {
    let root = mount_at(need(&facts.mounts, "the mounts")?, "/")
        .ok_or_else(|| Status::Unknown { why: "what carries / is not among the mounts".to_owned() })?;
    let root_disks = carriers(need(&facts.disks, "the disks")?, &root.major_minor);
    if root_disks.is_empty() {
        return Err(Status::Unknown { why: "which disk carries / could not be told".to_owned() });
    }
    Ok(root_disks.iter().any(|disk| disks.iter().any(|other| other.major_minor == disk.major_minor)))
}

/// Nothing is mounted: is there a disk that only waits for it?
fn disk_to_mount(profile: &Profile, facts: &Facts, expected: String) -> Result<Status, Status> {
    if let Some(waiting) = waiting(profile, facts, profile.retention.disk.as_deref())? {
        if waiting.on_root {
            let point = &profile.retention.mount_point;
            return Ok(Status::unmet(
                format!(
                    "/etc/fstab would mount at {point} what lies on {}, which also carries /",
                    waiting.disk.name
                ),
                expected,
                format!("remove the line for {point} from /etc/fstab, and attach a disk of its own"),
            ));
        }
        let met = || Status::met(format!("{}, not mounted yet", describe(waiting.disk)));
        return Ok(not_the_named_one(profile, facts, waiting.disk).unwrap_or_else(met));
    }
    for (id, status) in custom_changes::before_retention(profile, facts) {
        if !status.holds() {
            return Ok(Status::Blocked { by: id.to_owned() });
        }
    }
    let found = match choice::idle(facts).as_slice() {
        [] => "no unused disk is attached".to_owned(),
        idle => format!(
            "not mounted; unused disks: {}",
            idle.iter()
                .map(|disk| format!("{}{}", describe(disk), volumes::label_of(facts, disk)))
                .collect::<Vec<_>>()
                .join("; ")
        ),
    };
    let Some(earlier) = volumes::earlier(profile, facts) else {
        let fix = "mt-agent plan shows which disk could be taken; name it with --retention-disk SCSI-ID or in the \
             profile as retention.disk. Where there is none: shut down, add a disk, start again";
        return Ok(Status::unmet(found, expected, fix));
    };
    let expected = "the disk of that volume, or another one that a person puts in its place";
    Ok(Status::unmet(format!("{earlier}; {found}"), expected, volumes::REPLACE))
}

/// Whether all of `disks` are one: a single disk, or the paths of one multipath map.
fn one_disk(disks: &[&Disk]) -> bool {
    let map = |disk: &Disk| disk.multipath.as_ref().map(|map| map.major_minor.clone());
    disks.len() == 1 || disks.windows(2).all(|pair| map(pair[0]).is_some() && map(pair[0]) == map(pair[1]))
}

pub(super) fn mounted(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let point = &profile.retention.mount_point;
    let mounts = need(&facts.mounts, "the mounts")?;
    Ok(match mount_now(profile, facts)? {
        Some(mount) if let Some(over) = hidden_by(mounts, mount) => Status::unmet(
            format!(
                "{} at {point} is hidden by {}, which was mounted at {} later",
                mount.source, over.source, over.mount_point
            ),
            format!("the retention volume at {point}"),
            format!("umount {}", over.mount_point),
        ),
        Some(mount) if mount.root != "/" => Status::unmet(
            format!("{point} is the directory {} of another file system", mount.root),
            "a file system of its own",
            format!("unmount {point} and mount the retention volume there"),
        ),
        Some(mount) => Status::met(format!("{} at {point}", mount.source)),
        None => {
            let has_line = facts.fstab.known().is_some_and(|all| fstab_entry(all, point).is_some());
            let expected = format!("the retention volume at {point}");
            let named = profile.retention.disk.as_deref();
            let ours = volumes::ours(facts, named).ok().flatten();
            let id = ours.as_ref().and_then(|ours| ours.disk.scsi_id.as_deref()).unwrap_or("SCSI-ID");
            let by_hand = if has_line { point.clone() } else { format!("/dev/mapper/{id} {point}") };
            let (mut found, mut fix) = match ours.and_then(|ours| elsewhere(facts, ours.disk)) {
                Some(mount) => (
                    format!("it is mounted at {}, and nothing at {point}", mount.mount_point),
                    format!(
                        "mt-agent apply mounts it at {point} instead, where nothing uses it; or put {} into the profile \
                         (retention.mount-point)",
                        mount.mount_point
                    ),
                ),
                None => {
                    let fix = match waiting(profile, facts, named) {
                        Err(_) => "see retention.disk".to_owned(),
                        // What mount(8) takes by fstab's name can be another device.
                        Ok(Some(waiting)) if has_line && !names_only(profile, facts, waiting.disk) => {
                            format!("mt-agent apply, or: mount {} {point}", waiting.disk.device())
                        }
                        Ok(_) => format!("mt-agent apply, or: mount {by_hand}"),
                    };
                    (format!("nothing is mounted at {point}"), fix)
                }
            };
            if let Some(strays) = strays::at(point, facts) {
                found = format!("{found}; {}", strays.found);
                fix = format!("{}; then {fix}", strays.fix);
            }
            Status::unmet(found, expected, fix)
        }
    })
}

/// Whether the line of fstab for the mount point names what is on `disk` and no other attached device.
fn names_only(profile: &Profile, facts: &Facts, disk: &Disk) -> bool {
    let entry = facts.fstab.known().and_then(|all| fstab_entry(all, &profile.retention.mount_point));
    entry.is_some_and(|entry| {
        let number = resolve(&entry.device, facts).ok().flatten();
        number.is_some_and(|number| disk.all_devices().contains(&number.as_str()))
            && twins::of(&entry.device, facts).is_ok_and(|twins| twins.is_empty())
    })
}

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
    let Some(entry) = fstab_entry(fstab, point) else {
        if let Some(line) = second.filter(|line| !line.ours) {
            return Ok(Status::unmet(misplaced(line, point), expected, correct(line, point)));
        }
        let fix = match known {
            _ if let Some(line) = commented_out(profile, facts) => uncomment(line),
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
        _ if is_of_one_gone(profile, facts, entry) => {
            format!("mt-agent apply puts {name} in the place of {}", entry.device)
        }
        Some(_) => format!("in line {} of /etc/fstab put {}", entry.line, line(facts, name, mount)),
        None => format!("line {}: {}", entry.line, nameless(facts, mount)),
    };
    let unmet = |found: String| {
        Ok(Status::unmet(format!("line {}: {found}", entry.line), expected.clone(), by_hand.clone()))
    };
    let has = |option: &str| entry.options.iter().any(|other| other == option);
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
    if let Some(option) = MOUNTS_ELSE.iter().find(|option| has(option)) {
        return unmet(format!("{option}: it mounts something other than the file system on that device"));
    }
    match resolve(&entry.device, facts)? {
        Some(device) if device == mount.major_minor => {}
        Some(_) => {
            return unmet(format!("{} is not what is mounted at {point} ({})", entry.device, mount.source));
        }
        None => return unmet(format!("{} leads to no device", entry.device)),
    }
    if has("noauto") {
        return unmet("noauto: it is not mounted at boot".to_owned());
    }
    if has("_netdev") {
        return unmet("_netdev: CentOS 6 mounts it late or, without a network service, never".to_owned());
    }
    if has("ro") {
        return unmet("ro: it would be mounted read-only at the next boot".to_owned());
    }
    if entry.pass != 0 && !has("nofail") {
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
    let is_mounted = |line: &&Entry| !line.options.iter().any(|option| option == "noauto");
    if let Some(second) = second.filter(is_mounted).or_else(|| bound(fstab, point)) {
        let fix = match second.ours {
            true => format!("mt-agent apply takes line {} out", second.line),
            false => format!("remove line {} of /etc/fstab", second.line),
        };
        let found = format!(
            "line {}: {} mounts the retention volume at {} as well",
            second.line, second.device, second.mount_point
        );
        return Ok(Status::unmet(found, format!("one line for it, line {}", entry.line), fix));
    }
    Ok(Status::met(format!("{}, line {}", entry.device, entry.line)))
}

/// The line that binds the retention volume, or a directory on it, to another place at boot.
fn bound<'a>(fstab: &'a [Entry], point: &str) -> Option<&'a Entry> {
    let has = |entry: &Entry, option: &str| entry.options.iter().any(|own| own == option);
    fstab.iter().find(|entry| {
        ["bind", "rbind"].iter().any(|option| has(entry, option))
            && !has(entry, "noauto")
            && Path::new(&entry.device).starts_with(point)
            && !Path::new(&entry.mount_point).starts_with(point)
    })
}

/// The line of fstab that mounts what is mounted as the retention volume at another place.
pub(super) fn other_line<'a>(facts: &'a Facts, mount: &Mount) -> Option<&'a Entry> {
    let is_it = |entry: &&Entry| {
        !same_path(&entry.mount_point, &mount.mount_point)
            && entry.fs_type != "swap"
            && !entry.options.iter().any(|option| MOUNTS_ELSE.contains(&option.as_str()))
            && resolve(&entry.device, facts).is_ok_and(|number| number.as_ref() == Some(&mount.major_minor))
    };
    // One that is not mounted at boot hides none that is.
    let is_mounted = |entry: &&Entry| !entry.options.iter().any(|option| option == "noauto");
    let mut all = facts.fstab.known()?.iter().filter(is_it);
    let first = all.next()?;
    Some([first].into_iter().chain(all).find(is_mounted).unwrap_or(first))
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
    entry.ours && entry.pass == 0 && cannot_move(&entry.device)
}

/// Whether the entry has `nofail` where no systemd is that would need it.
pub(super) fn has_needless_nofail(facts: &Facts, entry: &Entry) -> Result<bool, Status> {
    if !entry.options.iter().any(|option| option == NOFAIL) {
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

pub(super) fn filesystem(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let (mount, disks) = volume(profile, facts)?;
    let wanted = &profile.retention.fs_type;
    // exfat and the FUSE drivers for FAT count with them: none is listed, and none keeps Unix permissions.
    let fat = ["vfat", "msdos", "umsdos", "fat", "exfat", "fuseblk"].contains(&mount.fs_type.as_str());
    Ok(if fat {
        let again = match &disks[0].scsi_id {
            Some(id) => format!("mt-agent apply --retention-disk {id} --erase-disk {id}"),
            None => "give it a SCSI ID (scsi.ids)".to_owned(),
        };
        let fix = format!(
            "save what is on it, unmount it and remove its line from /etc/fstab; then {again}, or use another disk"
        );
        Status::unmet(
            &mount.fs_type,
            format!("{} or another Unix file system", profile.retention.fs_type),
            fix,
        )
    } else if mount.fs_type != *wanted && volumes::on(facts, disks[0]).is_some() {
        // A person's own volume may be of any type.
        let fix = format!(
            "put {} into the profile (retention.filesystem), or make a new volume on another disk: mt-agent apply \
             --replace-retention SCSI-ID",
            mount.fs_type
        );
        Status::unmet(&mount.fs_type, format!("{wanted}, by the profile"), fix)
    } else {
        Status::met(&mount.fs_type)
    })
}

pub(super) fn unlocked(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let (mount, disks) = volume(profile, facts)?;
    let expected = "device and mount writable";
    Ok(if disks.iter().any(|disk| disk.read_only) {
        let fix = "in vSphere, see whether the disk is an independent or shared read-only one";
        Status::unmet(format!("the device {} is read-only", disks[0].name), expected, fix)
    } else if mount.is_writable() {
        Status::met("read-write")
    } else {
        let fix = format!(
            "see in /etc/fstab whether its line says ro, and in dmesg whether it met errors: then {}; else `mount -o remount,rw {}`",
            mend(mount, &disks[0].name),
            mount.mount_point
        );
        Status::unmet("mounted read-only", expected, fix)
    })
}

pub(super) fn dedicated(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let (mount, disks) = volume(profile, facts)?;
    let mounts = need(&facts.mounts, "the mounts")?;
    let swaps = need(&facts.swaps, "active swap")?;
    let (mut others, mut fixes) = (Vec::new(), Vec::new());
    for disk in &disks {
        let all = disk.all_devices();
        let is_volume = |other: &Mount| {
            other.mount_point == mount.mount_point
                && other.major_minor == mount.major_minor
                && other.root == "/"
        };
        for other in mounts {
            if all.contains(&other.major_minor.as_str()) && !is_volume(other) {
                others.push(format!("mounted at {}", other.mount_point));
                fixes.push(format!("`umount {}`", other.mount_point));
            }
        }
        for swap in swaps {
            let is_on_it = swap.major_minor.as_deref().is_some_and(|device| all.contains(&device));
            // Swap files lie in a file system, not on a device of their own.
            let is_in_it = || !swap.is_partition && mount_over(mounts, &swap.path).is_some_and(is_volume);
            if is_on_it || is_in_it() {
                let what = if is_on_it { "swap" } else { "swap file" };
                others.push(format!("{what} {}", swap.path));
                fixes.push(format!("`swapoff {}`", swap.path));
            }
        }
        let holders = choice::foreign_holders(disk, &mount.major_minor);
        if !holders.is_empty() {
            fixes.push("move what holds it to another disk".to_owned());
        }
        others.extend(holders);
    }
    for list in [&mut others, &mut fixes] {
        list.sort();
        list.dedup();
    }
    Ok(if others.is_empty() {
        Status::met(describe(disks[0]))
    } else {
        let fix = format!(
            "{}, and take it out of /etc/fstab where it stands there: use another disk for it",
            fixes.join(", ")
        );
        Status::unmet(
            format!("{} is also: {}", disks[0].name, others.join(", ")),
            "nothing else on that disk",
            fix,
        )
    })
}

pub(super) fn not_cache(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let (volume, _) = volume(profile, facts)?;
    let agent = need(&facts.site_agent, "the installed Site Recovery software")?;
    if !agent.is_installed() {
        return Ok(Status::NotApplicable {
            why: "the master target software is not installed yet".to_owned(),
        });
    }
    let Some(directory) = &agent.installation_dir else {
        return Ok(Status::Unknown {
            why: "/usr/local/.vx_version does not say where it is installed".to_owned(),
        });
    };
    let over = mount_over(need(&facts.mounts, "the mounts")?, directory);
    Ok(match over {
        None => Status::Unknown { why: format!("on which file system {directory} lies could not be told") },
        Some(mount) if mount.major_minor == volume.major_minor => Status::unmet(
            format!("the master target is installed in {directory}, on the retention volume"),
            "an installation elsewhere",
            "uninstall it and install it in /usr/local/ASR, or use another disk for retention",
        ),
        Some(mount) => Status::met(format!("installed in {directory}, on {}", mount.mount_point)),
    })
}
