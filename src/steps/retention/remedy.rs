//! What `apply` can do about the retention volume: choose, make, mount, keep in fstab.

use super::choice::{self, Chosen};
use super::judge::has_needless_nofail;
use super::{map_by_id, mount_now, stable_name, unnamed, volume, waiting};
use crate::changes::Change;
use crate::changes::fstab::{NOFAIL, cannot_move, options};
use crate::facts::Facts;
use crate::facts::disks::Disk;
use crate::facts::fstab::Entry;
use crate::profile::Profile;
use crate::steps::devices::fstab_entry;
use crate::steps::need;
use crate::steps::remedy::{Remedy, Request};

/// Makes the file system on the disk that may be taken.
pub(in crate::steps) fn format(profile: &Profile, facts: &Facts, request: &Request) -> Remedy {
    const NEEDS: &[&str] =
        &["scsi.ids-unique", "image.identity", "custom-changes.applied", "custom-changes.restarted"];
    if mount_now(profile, facts).ok().flatten().is_some() {
        // Something is mounted there: whether it may go is a person's to say.
        return Remedy::None;
    }
    let waiting = waiting(profile, facts);
    if matches!(waiting, Ok(Some(_))) {
        // So it is with what fstab would mount there.
        return Remedy::None;
    }
    match choice::choose(profile, facts, request) {
        Chosen::Disk { .. } if waiting.is_err() => Remedy::Refused(format!(
            "no disk is formatted while it cannot be told whether a volume for {} is there already: see to what could not be \
             read; in /etc/fstab, name it by UUID=... or /dev/mapper/SCSI-ID",
            profile.retention.mount_point
        )),
        Chosen::Disk { disk, scsi_id, erase, fingerprint, uuid } => Remedy::With {
            changes: vec![Change::FormatRetention {
                scsi_id,
                device: disk.device(),
                fs_type: profile.retention.fs_type.clone(),
                uuid,
                size_bytes: disk.size_bytes,
                erase,
                fingerprint,
            }],
            needs: NEEDS,
        },
        Chosen::Refused(why) => Remedy::Refused(why),
    }
}

/// Mounts the volume that is made, or that will be by the time this change comes.
pub(in crate::steps) fn mount(profile: &Profile, facts: &Facts, request: &Request) -> Remedy {
    if !matches!(mount_now(profile, facts), Ok(None)) {
        return Remedy::None;
    }
    let change = |device: String, scsi_id: &str, fs_type: &str| {
        Remedy::one(Change::MountRetention {
            device,
            scsi_id: scsi_id.to_owned(),
            mount_point: profile.retention.mount_point.clone(),
            fs_type: fs_type.to_owned(),
        })
    };
    match waiting(profile, facts) {
        // What is wrong then is said of retention.disk.
        Ok(Some(super::Waiting { on_root: true, .. })) => Remedy::None,
        Ok(Some(super::Waiting { refused: Some(why), .. })) => Remedy::Refused(why),
        Ok(Some(waiting)) => match &waiting.disk.scsi_id {
            Some(id) => change(waiting.disk.device(), id, &waiting.fs_type),
            None => Remedy::Refused(format!("{} has no SCSI ID: see scsi.ids", waiting.disk.name)),
        },
        Ok(None) => match choice::choose(profile, facts, request) {
            Chosen::Disk { disk, scsi_id, .. } => change(disk.device(), &scsi_id, &profile.retention.fs_type),
            Chosen::Refused(_) => Remedy::None,
        },
        Err(_) => Remedy::None,
    }
}

/// Lets fstab mount it; a line for the mount point that is not ours is a person's to change.
pub(in crate::steps) fn fstab(profile: &Profile, facts: &Facts, request: &Request) -> Remedy {
    let Some(fstab) = facts.fstab.known() else { return Remedy::None };
    if let Some(entry) = fstab_entry(fstab, &profile.retention.mount_point) {
        let ours = entry.ours && entry.pass == 0 && cannot_move(&entry.device);
        return match has_needless_nofail(facts, entry) {
            Ok(true) if ours => without_nofail(entry),
            _ => Remedy::None,
        };
    }
    let systemd = match need(&facts.os.systemd, "whether systemd starts this machine") {
        Ok(systemd) => *systemd,
        Err(_) => return Remedy::None,
    };
    let change = |device: String, disk: &Disk, fs_type: &str| {
        Remedy::one(Change::WriteFstab {
            device,
            scsi_id: disk.scsi_id.clone().unwrap_or_default(),
            mount_point: profile.retention.mount_point.clone(),
            fs_type: fs_type.to_owned(),
            options: options(systemd).to_owned(),
            replaces: None,
        })
    };
    if let Ok((mount, disks)) = volume(profile, facts) {
        return match stable_name(facts, mount, disks[0]) {
            Some(name) => change(name, disks[0], &mount.fs_type),
            None => Remedy::Refused(unnamed(facts, mount)),
        };
    }
    // Foreseen: the name it will have once the changes before this one are made.
    let foreseen = |disk: &Disk, uuid: &str| {
        disk.multipath.as_ref().and_then(map_by_id).unwrap_or_else(|| format!("UUID={uuid}"))
    };
    match (waiting(profile, facts), &facts.retention_record) {
        (Ok(Some(waiting)), crate::facts::Fact::Known(Some(record))) => {
            change(foreseen(waiting.disk, &record.uuid), waiting.disk, &record.fs_type)
        }
        _ => match choice::choose(profile, facts, request) {
            Chosen::Disk { disk, uuid, .. } => {
                change(foreseen(disk, &uuid), disk, &profile.retention.fs_type)
            }
            Chosen::Refused(_) => Remedy::None,
        },
    }
}

/// Takes `nofail` out of our own entry, and leaves what a person has added to it.
fn without_nofail(entry: &Entry) -> Remedy {
    let kept: Vec<&str> =
        entry.options.iter().map(String::as_str).filter(|option| *option != NOFAIL).collect();
    let kept = if kept.is_empty() { options(false).to_owned() } else { kept.join(",") };
    Remedy::one(Change::WriteFstab {
        device: entry.device.clone(),
        scsi_id: String::new(),
        mount_point: entry.mount_point.clone(),
        fs_type: entry.fs_type.clone(),
        options: kept,
        replaces: Some(entry.options.join(",")),
    })
}
