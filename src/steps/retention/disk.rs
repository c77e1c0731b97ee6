//! Judging the disk of the retention volume.

use super::identity::{describe, identity};
use super::now::{carry_root, mount_now};
use super::waiting::waiting;
use super::{choice, name, volumes};
use crate::facts::Facts;
use crate::facts::disks::Disk;
use crate::facts::mounts::Mount;
use crate::profile::Profile;
use crate::steps::devices::{carriers, same_path};
use crate::steps::{Status, custom_changes, need};

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
    let under = carriers(disks, mount.major_minor);
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
    let is_it = name::find(facts, named).is_ok_and(|found| found.is_same(disk));
    (!is_it).then(|| {
        Status::unmet(
            format!("{} carries it", describe(disk)),
            format!("the disk that the profile names, {named}"),
            match name::find(facts, named).and_then(|new| identity(facts, new)) {
                Ok(id) => format!(
                    "if that disk is to take its place: mt-agent apply --replace-retention {id}; else correct retention.disk in \
                     the profile"
                ),
                Err(_) => "correct retention.disk in the profile, or attach that disk".to_owned(),
            },
        )
    })
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
    let map = |disk: &Disk| disk.multipath.as_ref().map(|map| map.major_minor);
    disks.len() == 1 || disks.windows(2).all(|pair| map(pair[0]).is_some() && map(pair[0]) == map(pair[1]))
}
