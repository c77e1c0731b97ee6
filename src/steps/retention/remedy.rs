//! What `apply` can do about the retention volume: choose, make, mount, keep in fstab.

use super::choice::{self, Chosen};
use super::identity::describe;
use super::line::{name_to_be, nameless, not_ours, stable_name};
use super::name::{asked, find, whereabouts};
use super::now::{carry_root, elsewhere, mount_now, volume};
use super::persistent::{self, has_needless_nofail, is_ours_to_edit};
use super::waiting::{Waiting, waiting};
use super::{strays, volumes};
use crate::changes::fstab::{NOFAIL, options};
use crate::changes::{Change, Target};
use crate::facts::Facts;
use crate::facts::disks::Disk;
use crate::facts::fstab::Entry;
use crate::facts::mounts::Mount;
use crate::facts::os::Init;
use crate::facts::retention::uuid_of;
use crate::host::ScsiId;
use crate::host::command::pasted;
use crate::host::text;
use crate::profile::Profile;
use crate::steps::Status;
use crate::steps::devices::{carriers, fstab_entry, repeated, resolve, same_path};
use crate::steps::id;
use crate::steps::need;
use crate::steps::remedy::{Remedy, Request};

/// The disk that a plan may format only once a person has confirmed its SCSI ID, as nobody named it.
pub fn unnamed<'a>(profile: &Profile, facts: &'a Facts, request: &Request) -> Option<&'a Disk> {
    choice::choose(profile, facts, request).ok().filter(|chosen| chosen.unnamed).map(|chosen| chosen.disk)
}

/// Whether a person orders the volume that waits to be mounted to be erased and made again, as for one that is damaged.
pub fn is_made_again(profile: &Profile, facts: &Facts, request: &Request) -> bool {
    matches!(mount_now(profile, facts), Ok(None))
        && matches!(made(profile, facts, request), Ok(Some(waiting)) if is_to_be_erased(facts, request, waiting.disk))
}

fn is_to_be_erased(facts: &Facts, request: &Request, disk: &Disk) -> bool {
    let erased = request.erase_disk.as_deref().and_then(|name| find(facts, name).ok());
    // An order that a person gave before a restart, and that is carried out or void, hides no volume of ours.
    erased.is_some_and(|erased| erased.is_same(disk) && !choice::is_void(facts, request, erased))
}

/// The name of the disk that is asked for, where it is not that of `disk`.
fn another(profile: &Profile, facts: &Facts, request: &Request, disk: &Disk) -> Option<String> {
    let named = asked(profile, facts, request)?;
    let is_it = find(facts, named.name).is_ok_and(|found| found.device_number() == disk.device_number());
    (!is_it).then(|| text::safe(named.name))
}

/// The volume that is made and not mounted.
fn made<'a>(profile: &Profile, facts: &'a Facts, request: &Request) -> Result<Option<Waiting<'a>>, Status> {
    waiting(profile, facts, asked(profile, facts, request).map(|named| named.name))
}

/// What comes before the making of a volume.
pub(super) const NEEDS: &[&str] =
    &[id::SCSI_IDS_UNIQUE, id::IMAGE_IDENTITY, id::CUSTOM_CHANGES_APPLIED, id::CUSTOM_CHANGES_RESTARTED];

/// The disk that may be taken as the first retention disk of this host: in the place of another one, that is to be said.
fn choose<'a>(profile: &Profile, facts: &'a Facts, request: &Request) -> Result<Chosen<'a>, String> {
    match choice::choose(profile, facts, request) {
        Ok(Chosen { disk, format, .. }) if let Some(earlier) = earlier(profile, facts, disk) => Err(format!(
            "{earlier}. If {} is to take its place: mt-agent apply --replace-retention {}",
            describe(disk),
            format.target.scsi_id
        )),
        // Whatever else is to be said of the disks that are there: none of them is the first one.
        Err(_)
            if asked(profile, facts, request).is_none()
                && request.erase_disk.is_none()
                && volumes::earlier(profile, facts).is_some() =>
        {
            Err(volumes::REPLACE.to_owned())
        }
        chosen => chosen,
    }
}

/// What tells that another disk than `disk` carries, or carried, the retention volume of this host.
fn earlier(profile: &Profile, facts: &Facts, disk: &Disk) -> Option<String> {
    let record = facts.retention_record.known()?.as_ref();
    if let Some(record) = record.filter(|record| record.finished && !disk.has_id(&record.scsi_id)) {
        return Some(format!("the retention volume on record {}", whereabouts(facts, &record.scsi_id)));
    }
    let point = &profile.retention.mount_point;
    let entry = fstab_entry(facts.fstab.known()?, point)?;
    let id = disk.id();
    let named = entry.device.strip_prefix("/dev/mapper/").is_some_and(|name| disk.has_id(name))
        || entry.device.strip_prefix("UUID=").is_some_and(|uuid| id.is_some_and(|id| uuid_of(id) == uuid));
    let another =
        !named && resolve(&entry.device, facts).ok()?.is_none_or(|number| number != disk.device_number());
    another.then(|| {
        format!("line {} of /etc/fstab names another volume for {point} ({})", entry.line, entry.device)
    })
}

/// Makes the file system on the disk that may be taken.
pub(in crate::steps) fn format(profile: &Profile, facts: &Facts, request: &Request) -> Remedy {
    if mount_now(profile, facts).ok().flatten().is_some() {
        // Something is mounted there: whether it may go is a person's to say.
        return Remedy::None;
    }
    let found = made(profile, facts, request);
    match &found {
        // So it is with what fstab would mount there.
        Ok(Some(found)) if !is_to_be_erased(facts, request, found.disk) => {
            let several = matches!(
                waiting(profile, facts, profile.retention.disk.as_deref()),
                Err(Status::Unmet { .. })
            );
            // Which of several volumes of ours is meant is all that was lacking.
            return if several { Remedy::With { changes: Vec::new(), needs: &[] } } else { Remedy::None };
        }
        // Several volumes of ours: the finding says what to do.
        Err(Status::Unmet { .. }) => return Remedy::None,
        _ => {}
    }
    match choose(profile, facts, request) {
        Ok(_) if found.is_err() => Remedy::Refused(format!(
            "no disk is formatted while it cannot be determined whether a volume for {} is there already: see to what could not be \
             read; in /etc/fstab, name it by UUID=... or /dev/mapper/SCSI-ID",
            profile.retention.mount_point
        )),
        Ok(chosen) => Remedy::With { changes: vec![Change::FormatRetention(chosen.format)], needs: NEEDS },
        Err(why) => Remedy::Refused(why),
    }
}

/// Mounts the volume that is made, or that will be by the time this change comes.
pub(in crate::steps) fn mount(profile: &Profile, facts: &Facts, request: &Request) -> Remedy {
    // The making of it: that a profile waives the disk makes no volume.
    const FORESEEN: &[&str] = &[id::RETENTION_DISK];
    if !matches!(mount_now(profile, facts), Ok(None)) {
        return Remedy::None;
    }
    let change = |disk: &Disk, target: Target, needs: &'static [&'static str]| {
        if let Some(strays) = strays::at(&profile.retention.mount_point, facts) {
            let then = format!("{}, then mt-agent apply", strays.fix);
            // Where it only waits to be mounted, the finding tells what lies there.
            return Remedy::Refused(match needs {
                [] => then,
                _ => format!("{}: {then}", strays.found),
            });
        }
        let mounted = Change::MountRetention {
            target,
            mount_point: profile.retention.mount_point.to_string(),
            mounted: false,
        };
        match elsewhere(facts, disk).map(|mount| moved(facts, mount)) {
            None => Remedy::With { changes: vec![mounted], needs },
            Some(Ok(unmounted)) => Remedy::With { changes: vec![unmounted, mounted], needs },
            Some(Err(why)) => Remedy::Refused(why),
        }
    };
    // A volume waits, and another disk was asked for.
    let waits = || {
        let named = profile.retention.disk.as_deref();
        matches!(waiting(profile, facts, named), Ok(Some(_)))
    };
    match made(profile, facts, request) {
        Ok(Some(waiting)) if !is_to_be_erased(facts, request, waiting.disk) => match waiting {
            // What is wrong then is said of retention.disk.
            Waiting { on_root: true, .. } => Remedy::None,
            Waiting { refused: Some(why), .. } => Remedy::Refused(why),
            Waiting { disk, target, .. } if let Some(named) = another(profile, facts, request, disk) => {
                let carries = match target.uuid {
                    Some(_) => "carries the retention volume that mt-agent made",
                    None => "is what /etc/fstab mounts as the retention volume",
                };
                Remedy::Refused(format!(
                    "{} {carries}, but {named} is named: name {} to mount it; if {named} is to take its place: mt-agent apply \
                     --replace-retention {named}",
                    describe(disk),
                    disk.id().map_or("", ScsiId::as_str)
                ))
            }
            Waiting { disk, target, .. } => match disk.id() {
                Some(_) => change(disk, target, &[]),
                None => Remedy::Refused(format!("{} has no SCSI ID: see scsi.ids", disk.name)),
            },
        },
        Ok(_) => match choose(profile, facts, request) {
            Ok(Chosen { disk, format, .. }) => change(disk, format.target, FORESEEN),
            Err(why) if waits() => Remedy::Refused(why),
            Err(_) => Remedy::None,
        },
        Err(status) if waits() => Remedy::Refused(status.describe()),
        Err(_) => Remedy::None,
    }
}

/// The unmounting of our volume from where the profile had it earlier: our own line says that we mounted it there.
fn moved(facts: &Facts, mount: &Mount) -> Result<Change, String> {
    let at = &mount.mount_point;
    let is_ours = |entry: &Entry| entry.ours && same_path(&entry.mount_point, at);
    if !facts.fstab.known().is_some_and(|all| all.iter().any(is_ours)) {
        return Err(format!(
            "it is mounted at {at}, which mt-agent's own line of /etc/fstab does not name: `umount {}`, then mt-agent apply",
            pasted(at)
        ));
    }
    unmount(facts, mount)
}

/// The unmounting of `mount`, which has to be a file system of its own.
/// Errors: It is a person's to unmount.
pub(super) fn unmount(facts: &Facts, mount: &Mount) -> Result<Change, String> {
    let at = &mount.mount_point;
    let under = facts.disks.known().map(|disks| carriers(disks, mount.major_minor)).unwrap_or_default();
    if !mount.is_on_block_device()
        || mount.root != "/"
        || carry_root(facts, &under).unwrap_or(!under.is_empty())
    {
        return Err(format!(
            "what is mounted at {at}, {}, is no volume of its own: `umount {}`, then run again",
            text::safe(&mount.source),
            pasted(at)
        ));
    }
    let disk = under.first().map_or_else(|| text::safe(&mount.source), |disk| describe(disk));
    let (mount_point, major_minor) = (at.clone(), mount.major_minor);
    Ok(Change::UnmountRetention { mount_point, major_minor, disk })
}

/// Lets fstab mount it; a line for the mount point that is not ours is a person's to change.
pub(in crate::steps) fn fstab(profile: &Profile, facts: &Facts, request: &Request) -> Remedy {
    const FORESEEN: &[&str] = &[id::RETENTION_MOUNTED];
    let Some(fstab) = facts.fstab.known() else { return Remedy::None };
    let point = &profile.retention.mount_point;
    let entry = fstab_entry(fstab, point);
    let mounted = volume(profile, facts).ok();
    let second = mounted.as_ref().and_then(|(mount, _)| persistent::other_line(facts, mount));
    let removed = |line: &Entry| Change::RemoveFstab {
        mount_point: line.mount_point.clone(),
        devices: vec![line.device.clone()],
    };
    // The line of a volume whose disk is gone makes room for that of the one that is there.
    let gone = entry.filter(|entry| {
        repeated(fstab, point).is_none() && persistent::is_of_one_gone(profile, facts, entry)
    });
    if let Some(entry) = entry.filter(|_| gone.is_none()) {
        return match has_needless_nofail(facts, entry) {
            Ok(true) if is_ours_to_edit(entry) => without_nofail(entry),
            Ok(false) if let Some(second) = second.filter(|second| second.ours) => {
                Remedy::one(removed(second))
            }
            _ => Remedy::None,
        };
    }
    if let Some(line) = second.filter(|line| !line.ours) {
        return Remedy::Refused(persistent::correct(line, point));
    }
    if let Some(line) = persistent::commented_out(profile, facts) {
        return Remedy::Refused(persistent::uncomment(line));
    }
    let init = match need(&facts.os.systemd, "whether systemd starts this machine") {
        Ok(systemd) => Init::from(*systemd),
        Err(status) => {
            return Remedy::Refused(format!(
                "what the line has to say depends on what starts this machine, which {}: see to that, then mt-agent apply",
                status.describe()
            ));
        }
    };
    let change = |device: Result<String, String>, disk: &Disk, fs_type: &str, needs| match device {
        Ok(device) => {
            let written = Change::WriteFstab {
                device,
                scsi_id: disk.id().cloned().unwrap_or_default(),
                mount_point: profile.retention.mount_point.to_string(),
                fs_type: fs_type.into(),
                options: options(init).to_owned(),
                replaces: None,
            };
            Remedy::With { changes: gone.map(removed).into_iter().chain([written]).collect(), needs }
        }
        Err(why) => Remedy::Refused(why),
    };
    if let Some((mount, disks)) = mounted {
        if let Some(why) = not_ours(profile, facts, request, mount, disks[0]) {
            return Remedy::Refused(why);
        }
        let name = stable_name(facts, mount, disks[0]).ok_or_else(|| nameless(facts, mount));
        return change(name, disks[0], &mount.fs_type, &[]);
    }
    match made(profile, facts, request) {
        Ok(Some(Waiting { disk, target, .. }))
            if target.uuid.is_some() && !is_to_be_erased(facts, request, disk) =>
        {
            change(name_to_be(facts, disk, &target), disk, &target.fs_type, &[])
        }
        // Another volume is made in the place of one that is gone only where that is ordered.
        Ok(_) if gone.is_some() => Remedy::None,
        Ok(_) => match choose(profile, facts, request) {
            Ok(Chosen { disk, format, .. }) => {
                change(name_to_be(facts, disk, &format.target), disk, &format.target.fs_type, FORESEEN)
            }
            Err(_) => Remedy::None,
        },
        Err(_) => Remedy::None,
    }
}

/// Takes `nofail` out of our own entry, and leaves what a person has added to it.
fn without_nofail(entry: &Entry) -> Remedy {
    let kept: Vec<&str> =
        entry.options.iter().map(String::as_str).filter(|option| *option != NOFAIL).collect();
    let kept = if kept.is_empty() { options(Init::Scripts).to_owned() } else { kept.join(",") };
    Remedy::one(Change::WriteFstab {
        device: entry.device.clone(),
        scsi_id: ScsiId::default(),
        mount_point: entry.mount_point.clone(),
        fs_type: entry.fs_type.clone(),
        options: kept,
        replaces: Some(entry.options.join(",")),
    })
}
