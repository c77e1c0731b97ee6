//! The retention volume: a disk of its own at /mnt/retention. Which disk it may become is decided in
//! [`super::choice`].

use super::choice::{self, Chosen};
use super::devices::{carriers, fstab_entry, layers, mount_at, mount_over, resolve};
use super::remedy::{Remedy, Request};
use super::{Requirement, Severity, Status, custom_changes, need};
use crate::changes::Change;
use crate::facts::Facts;
use crate::facts::disks::Disk;
use crate::facts::mounts::Mount;
use crate::host::text;
use crate::profile::Profile;

const SECTION: &str = "Common things to check on a master target";

/// This section's requirements, in order.
pub const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        id: "retention.disk",
        title: "A disk of its own carries the retention volume",
        severity: Severity::Required,
        section: SECTION,
        why: "Without a retention drive the master target is not offered when machines are reprotected.",
        by_hand: "Shut the VM down, add a disk of 1 TB on the LSI Logic controller, start it, and name the disk: \
                  mt-agent apply --retention-disk SCSI-ID.",
        changeable: true,
        after: &[],
        judge: |profile, facts| disk(profile, facts).unwrap_or_else(|status| status),
    },
    Requirement {
        id: "retention.mounted",
        title: "The retention volume is mounted",
        severity: Severity::Required,
        section: SECTION,
        why: "What the master target writes while the volume is not mounted fills the root file system instead.",
        by_hand: "mkdir -p /mnt/retention; mount /dev/mapper/SCSI-ID /mnt/retention.",
        changeable: true,
        after: &["retention.disk"],
        judge: |profile, facts| mounted(profile, facts).unwrap_or_else(|status| status),
    },
    Requirement {
        id: "retention.persistent",
        title: "fstab mounts the retention volume at every boot",
        severity: Severity::Required,
        section: SECTION,
        why: "A volume that is not mounted after the next restart is found missing during a disaster. A name such \
              as /dev/sdb belongs to another disk as soon as one is attached.",
        by_hand: "Add to /etc/fstab: /dev/mapper/SCSI-ID /mnt/retention ext4 rw,nofail 0 0",
        changeable: true,
        after: &["retention.mounted"],
        judge: |profile, facts| persistent(profile, facts).unwrap_or_else(|status| status),
    },
    Requirement {
        id: "retention.filesystem",
        title: "The retention volume is not FAT",
        severity: Severity::Required,
        section: SECTION,
        why: "A FAT volume is not listed as a retention drive.",
        by_hand: "Use another disk, or save what is on it and make an ext4 file system on it.",
        changeable: false,
        after: &["retention.mounted"],
        judge: |profile, facts| filesystem(profile, facts).unwrap_or_else(|status| status),
    },
    Requirement {
        id: "retention.capacity",
        title: "The retention volume is large enough",
        severity: Severity::Required,
        section: SECTION,
        why: "It must not be of size zero; with less than the recommended 1 TB the points in time of larger \
              machines do not fit.",
        by_hand: "Attach a larger disk and make that the retention volume, or enlarge this one in vSphere, rescan \
                  it and run resize2fs.",
        changeable: false,
        after: &["retention.mounted"],
        judge: |profile, facts| capacity(profile, facts).unwrap_or_else(|status| status),
    },
    Requirement {
        id: "retention.unlocked",
        title: "The retention volume can be written",
        severity: Severity::Required,
        section: SECTION,
        why: "A volume in lock mode (read-only) is not listed as a retention drive, and failback stops on it.",
        by_hand: "Find out why it is read-only (dmesg: an error makes ext4 read-only), repair it, mount it again.",
        changeable: false,
        after: &["retention.mounted"],
        judge: |profile, facts| unlocked(profile, facts).unwrap_or_else(|status| status),
    },
    Requirement {
        id: "retention.dedicated",
        title: "The retention disk is used for nothing else",
        severity: Severity::Required,
        section: SECTION,
        why: "A volume that is used for another purpose, such as a target of replication, is not listed.",
        by_hand: "Move the other use to another disk.",
        changeable: false,
        after: &["retention.mounted"],
        judge: |profile, facts| dedicated(profile, facts).unwrap_or_else(|status| status),
    },
    Requirement {
        id: "retention.not-cache",
        title: "The master target is not installed on the retention volume",
        severity: Severity::Required,
        section: SECTION,
        why: "The volume with the master target's installation is its cache volume and is never a retention drive.",
        by_hand: "Install the master target elsewhere (/usr/local/ASR), or use another disk for retention.",
        changeable: false,
        after: &["retention.mounted"],
        judge: |profile, facts| not_cache(profile, facts).unwrap_or_else(|status| status),
    },
];

/// What is mounted at the retention mount point, if anything.
fn mount_now<'a>(profile: &Profile, facts: &'a Facts) -> Result<Option<&'a Mount>, Status> {
    Ok(mount_at(need(&facts.mounts, "the mounts")?, &profile.retention.mount_point))
}

/// The mounted retention volume and the disks that carry it: several for the paths of one multipath map.
fn volume<'a>(profile: &Profile, facts: &'a Facts) -> Result<(&'a Mount, Vec<&'a Disk>), Status> {
    let point = &profile.retention.mount_point;
    let mount = mount_now(profile, facts)?
        .ok_or_else(|| Status::Unknown { why: format!("nothing is mounted at {point}") })?;
    let disks = carriers(need(&facts.disks, "the disks")?, &mount.major_minor);
    if disks.is_empty() {
        return Err(Status::Unknown { why: format!("no disk was found under {} at {point}", mount.source) });
    }
    Ok((mount, disks))
}

fn disk(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let point = &profile.retention.mount_point;
    let expected = "a disk that carries nothing but the retention volume".to_owned();
    let disks = need(&facts.disks, "the disks")?;
    let Some(mount) = mount_now(profile, facts)? else {
        return disk_to_mount(profile, facts, expected);
    };
    let under = carriers(disks, &mount.major_minor);
    let Some(first) = under.first() else {
        let found = format!("{point} is {} ({}), which lies on no disk", mount.source, mount.fs_type);
        return Ok(Status::unmet(found, expected, "unmount it and use a disk of its own"));
    };
    let root = mount_at(need(&facts.mounts, "the mounts")?, "/")
        .ok_or_else(|| Status::Unknown { why: "what carries / is not among the mounts".to_owned() })?;
    let root_disks = carriers(disks, &root.major_minor);
    if root_disks.is_empty() {
        return Err(Status::Unknown { why: "which disk carries / could not be told".to_owned() });
    }
    if root_disks.iter().any(|disk| under.iter().any(|other| other.major_minor == disk.major_minor)) {
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
    Ok(Status::met(describe(first)))
}

/// Nothing is mounted: is there a disk that only waits for it?
fn disk_to_mount(profile: &Profile, facts: &Facts, expected: String) -> Result<Status, Status> {
    if let Some(waiting) = waiting(profile, facts)? {
        return Ok(Status::met(format!("{}, not mounted yet", describe(waiting.disk))));
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
            idle.iter().map(|disk| describe(disk)).collect::<Vec<_>>().join("; ")
        ),
    };
    let fix = "mt-agent plan shows which disk could be taken; name it with --retention-disk SCSI-ID or in the \
               profile as retention.disk. Where there is none: shut down, add a disk, start again";
    Ok(Status::unmet(found, expected, fix))
}

fn describe(disk: &Disk) -> String {
    let id = disk.scsi_id.as_deref().unwrap_or("no SCSI ID");
    format!("{} ({id}, {})", disk.name, text::bytes(disk.size_bytes))
}

/// Whether all of `disks` are one: a single disk, or the paths of one multipath map.
fn one_disk(disks: &[&Disk]) -> bool {
    let map = |disk: &Disk| disk.multipath.as_ref().map(|map| map.major_minor.clone());
    disks.len() == 1 || disks.windows(2).all(|pair| map(pair[0]).is_some() && map(pair[0]) == map(pair[1]))
}

/// A retention volume that is made but not mounted.
struct Waiting<'a> {
    disk: &'a Disk,
    device: String,
    fs_type: String,
}

/// The volume that fstab names for the mount point, or that our own record says we made.
fn waiting<'a>(profile: &Profile, facts: &'a Facts) -> Result<Option<Waiting<'a>>, Status> {
    let disks = need(&facts.disks, "the disks")?;
    let fstab = need(&facts.fstab, "/etc/fstab")?;
    if let Some(entry) = fstab_entry(fstab, &profile.retention.mount_point) {
        let Some(device) = resolve(&entry.device, facts)? else { return Ok(None) };
        return Ok(carriers(disks, &device).first().map(|disk| Waiting {
            disk,
            device: if disk.device() == entry.device || device == whole(disk) {
                disk.device()
            } else {
                entry.device.clone()
            },
            fs_type: entry.fs_type.clone(),
        }));
    }
    let Some(record) = need(&facts.retention_record, "the record of the retention disk")? else {
        return Ok(None);
    };
    let links = need(&facts.filesystems, "the names of file systems")?;
    let made = record.finished.then(|| links.by_uuid.get(&record.uuid)).flatten();
    Ok(made.and_then(|device| {
        let disk = carriers(disks, device).into_iter().next()?;
        let ours = disk.scsi_id.as_deref() == Some(&record.scsi_id);
        ours.then(|| Waiting { disk, device: disk.device(), fs_type: record.fs_type.clone() })
    }))
}

/// `major:minor` of a disk as a whole: of its map where it has one.
fn whole(disk: &Disk) -> &str {
    disk.multipath.as_ref().map_or(&disk.major_minor, |map| &map.major_minor)
}

fn mounted(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let point = &profile.retention.mount_point;
    Ok(match mount_now(profile, facts)? {
        Some(mount) if mount.root != "/" => Status::unmet(
            format!("{point} is the directory {} of another file system", mount.root),
            "a file system of its own",
            format!("unmount {point} and mount the retention volume there"),
        ),
        Some(mount) => Status::met(format!("{} at {point}", mount.source)),
        None => Status::unmet(
            format!("nothing is mounted at {point}"),
            format!("the retention volume at {point}"),
            format!("mt-agent apply, or: mount {point}"),
        ),
    })
}

fn persistent(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let point = &profile.retention.mount_point;
    let (mount, disks) = volume(profile, facts)?;
    let name = stable_name(facts, mount, disks[0]);
    let expected = format!("a line for {point} by a name that cannot move, such as {name}");
    let Some(entry) = fstab_entry(need(&facts.fstab, "/etc/fstab")?, point) else {
        let fix = "mt-agent apply adds the line; all other lines of /etc/fstab stay as they are";
        return Ok(Status::unmet(format!("/etc/fstab has no line for {point}"), expected, fix));
    };
    let by_hand =
        format!("in line {} of /etc/fstab put {name} {point} {} rw,nofail 0 0", entry.line, mount.fs_type);
    let unmet = |found: String| {
        Ok(Status::unmet(format!("line {}: {found}", entry.line), expected.clone(), by_hand.clone()))
    };
    let has = |option: &str| entry.options.iter().any(|other| other == option);
    if moves(&entry.device, disks[0]) {
        return unmet(format!("{} can belong to another disk after the next restart", entry.device));
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
    Ok(Status::met(format!("{}, line {}", entry.device, entry.line)))
}

/// Whether a name in fstab can come to mean another disk: kernel names, and friendly multipath names, whose
/// numbers are given out in the order of discovery.
fn moves(name: &str, disk: &Disk) -> bool {
    let Some(path) = name.strip_prefix("/dev/") else { return false };
    match path.strip_prefix("mapper/") {
        Some(mapped) => {
            disk.multipath.as_ref().is_some_and(|map| map.dm_name == mapped && map.dm_name != map.wwid)
        }
        None => !path.contains('/'),
    }
}

/// The best name for fstab: the map by its WWID, as the procedure has it, else the file system's UUID.
fn stable_name(facts: &Facts, mount: &Mount, disk: &Disk) -> String {
    if let Some(map) = &disk.multipath
        && map.major_minor == mount.major_minor
        && map.dm_name == map.wwid
    {
        return format!("/dev/mapper/{}", map.dm_name);
    }
    let by_uuid = facts.filesystems.known().map(|links| &links.by_uuid);
    let uuid = by_uuid.and_then(|links| links.iter().find(|(_, device)| **device == mount.major_minor));
    uuid.map_or_else(|| mount.source.clone(), |(uuid, _)| format!("UUID={uuid}"))
}

fn filesystem(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let (mount, _) = volume(profile, facts)?;
    // exfat and the FUSE drivers for FAT count with them: none is listed, and none keeps Unix permissions.
    let fat = ["vfat", "msdos", "umsdos", "fat", "exfat", "fuseblk"].contains(&mount.fs_type.as_str());
    Ok(if fat {
        let fix = "save what is on it; then mt-agent apply --erase-disk with its SCSI ID, or another disk";
        Status::unmet(
            &mount.fs_type,
            format!("{} or another Unix file system", profile.retention.fs_type),
            fix,
        )
    } else {
        Status::met(&mount.fs_type)
    })
}

/// Whether the volume is only smaller than recommended.
pub(super) fn only_size_fails(profile: &Profile, facts: &Facts) -> bool {
    volume(profile, facts).is_ok_and(|(mount, disks)| {
        disks[0].size_bytes > 0 && mount.size_bytes.known().is_some_and(|size| *size > 0)
    })
}

fn capacity(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let (mount, disks) = volume(profile, facts)?;
    let wanted = profile.retention.capacity_bytes;
    let size = *need(&mount.size_bytes, "the size of the file system")?;
    // The file system's own structures take a few per cent of what was asked for: its device is compared.
    let device = layers(disks[0], &mount.major_minor)
        .and_then(|way| way.iter().rev().find_map(|layer| partition_size(disks[0], layer.name)))
        .unwrap_or(disks[0].size_bytes);
    let expected = format!("{} or more", text::bytes(wanted));
    let fix = "attach a larger disk, or enlarge this one in vSphere and grow the file system";
    Ok(if size == 0 || device == 0 {
        Status::unmet("its size is zero", "a size above zero", fix)
    } else if device < wanted {
        Status::unmet(text::bytes(device), expected, fix)
    } else {
        Status::met(text::bytes(device))
    })
}

fn partition_size(disk: &Disk, name: &str) -> Option<u64> {
    disk.partitions.iter().find(|partition| partition.name == name).map(|partition| partition.size_bytes)
}

fn unlocked(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let (mount, disks) = volume(profile, facts)?;
    let expected = "device and mount writable";
    Ok(if disks.iter().any(|disk| disk.read_only) {
        let fix = "in vSphere, see whether the disk is an independent or shared read-only one";
        Status::unmet(format!("the device {} is read-only", disks[0].name), expected, fix)
    } else if mount.is_writable() {
        Status::met("read-write")
    } else {
        let fix =
            format!("look in dmesg for the reason, repair, then: mount -o remount,rw {}", mount.mount_point);
        Status::unmet("mounted read-only", expected, fix)
    })
}

fn dedicated(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let (mount, disks) = volume(profile, facts)?;
    let mounts = need(&facts.mounts, "the mounts")?;
    let swaps = need(&facts.swaps, "active swap")?;
    let mut others = Vec::new();
    for disk in &disks {
        let all = disk.all_devices();
        let is_volume = |other: &Mount| {
            other.mount_point == mount.mount_point
                && other.major_minor == mount.major_minor
                && other.root == "/"
        };
        others.extend(
            mounts
                .iter()
                .filter(|other| all.contains(&other.major_minor.as_str()) && !is_volume(other))
                .map(|other| format!("mounted at {}", other.mount_point)),
        );
        others.extend(
            swaps
                .iter()
                .filter(|swap| swap.major_minor.as_deref().is_some_and(|device| all.contains(&device)))
                .map(|swap| format!("swap {}", swap.path)),
        );
        // Swap files lie in a file system, not on a device of their own.
        others.extend(
            swaps
                .iter()
                .filter(|swap| !swap.is_partition && mount_over(mounts, &swap.path).is_some_and(is_volume))
                .map(|swap| format!("swap file {}", swap.path)),
        );
        others.extend(choice::foreign_holders(disk, &mount.major_minor));
    }
    others.sort();
    others.dedup();
    Ok(if others.is_empty() {
        Status::met(describe(disks[0]))
    } else {
        let fix = "move the other use to another disk";
        Status::unmet(
            format!("{} is also: {}", disks[0].name, others.join(", ")),
            "nothing else on that disk",
            fix,
        )
    })
}

fn not_cache(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
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

/// Makes the file system on the disk that may be taken.
pub(super) fn format(profile: &Profile, facts: &Facts, request: &Request) -> Remedy {
    const NEEDS: &[&str] = &["scsi.ids-unique", "custom-changes.applied", "custom-changes.restarted"];
    if mount_now(profile, facts).ok().flatten().is_some() {
        // Something is mounted there: whether it may go is a person's to say.
        return Remedy::None;
    }
    match choice::choose(profile, facts, request) {
        Chosen::Disk { disk, scsi_id, erase, uuid } => Remedy::With {
            changes: vec![Change::FormatRetention {
                scsi_id,
                device: disk.device(),
                fs_type: profile.retention.fs_type.clone(),
                uuid,
                size_bytes: disk.size_bytes,
                erase,
            }],
            needs: NEEDS,
        },
        Chosen::Refused(why) => Remedy::Refused(why),
    }
}

/// Mounts the volume that is made, or that will be by the time this change comes.
pub(super) fn mount(profile: &Profile, facts: &Facts, request: &Request) -> Remedy {
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
        Ok(Some(waiting)) => match &waiting.disk.scsi_id {
            Some(id) => change(waiting.device, id, &waiting.fs_type),
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
pub(super) fn fstab(profile: &Profile, facts: &Facts, request: &Request) -> Remedy {
    let Some(fstab) = facts.fstab.known() else { return Remedy::None };
    if fstab_entry(fstab, &profile.retention.mount_point).is_some() {
        return Remedy::None;
    }
    let change = |device: String, fs_type: &str| {
        Remedy::one(Change::WriteFstab {
            device,
            mount_point: profile.retention.mount_point.clone(),
            fs_type: fs_type.to_owned(),
        })
    };
    if let Ok((mount, disks)) = volume(profile, facts) {
        return change(stable_name(facts, mount, disks[0]), &mount.fs_type);
    }
    // Foreseen: the name it will have once the changes before this one are made.
    let foreseen = |disk: &Disk, uuid: &str| match &disk.multipath {
        Some(map) if map.dm_name == map.wwid => format!("/dev/mapper/{}", map.dm_name),
        _ => format!("UUID={uuid}"),
    };
    match (waiting(profile, facts), &facts.retention_record) {
        (Ok(Some(waiting)), crate::facts::Fact::Known(Some(record))) => {
            change(foreseen(waiting.disk, &record.uuid), &record.fs_type)
        }
        _ => match choice::choose(profile, facts, request) {
            Chosen::Disk { disk, uuid, .. } => change(foreseen(disk, &uuid), &profile.retention.fs_type),
            Chosen::Refused(_) => Remedy::None,
        },
    }
}
