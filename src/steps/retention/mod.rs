//! The retention volume: a disk of its own at /mnt/retention.

pub mod choice;
mod judge;
mod name;
mod remedy;
mod room;
mod size;
mod strays;
pub mod takeover;
#[cfg(test)]
mod tests;
mod traces;
mod volumes;

use super::devices::{alias_of, carriers, fstab_entry, mount_at, repeated, resolve, same_map};
use super::{Belongs, Requirement, Severity, Status, need, twins};
use crate::changes::fstab;
use crate::facts::Facts;
use crate::facts::disks::{Disk, Map};
use crate::facts::fstab::Entry;
use crate::facts::mounts::Mount;
use crate::facts::retention::{RECORD, is_made_uuid};
use crate::facts::storage::{LVM, Storage};
use crate::host::text;
use crate::profile::Profile;
use judge::carry_root;

pub(super) use choice::identity;
pub(super) use judge::only_nofail_fails;
pub(super) use name::find;
pub use name::{disagreement, lasting, means};
pub(super) use remedy::{format, fstab, mount};
pub use remedy::{is_made_again, unnamed};
pub(super) use room::only_share_fails;
pub(super) use size::{grow, only_size_fails};
pub use size::{growth_untold, nothing_to_grow};
pub use volumes::{Recalled, Used, on_record, recall};

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
        belongs: Belongs::Machine,
        after: &[],
        judge: |profile, facts| judge::disk(profile, facts).unwrap_or_else(|status| status),
    },
    Requirement {
        id: "retention.mounted",
        title: "The retention volume is mounted",
        severity: Severity::Required,
        section: SECTION,
        why: "What the master target writes while the volume is not mounted fills the root file system instead, and a mount hides \
              it then.",
        by_hand: "Where /mnt/retention is not empty: `mv -T /mnt/retention /mnt/retention.found` (a name that nothing has), and \
                  remove it, or move it onto the volume: it takes up room on the root file system. mkdir -p /mnt/retention; mount \
                  /dev/mapper/SCSI-ID /mnt/retention. `chattr +i /mnt/retention` while it is not mounted keeps it empty.",
        changeable: true,
        belongs: Belongs::Machine,
        after: &["retention.disk"],
        judge: |profile, facts| judge::mounted(profile, facts).unwrap_or_else(|status| status),
    },
    Requirement {
        id: "retention.persistent",
        title: "fstab mounts the retention volume at every boot",
        severity: Severity::Required,
        section: SECTION,
        why: "A volume that is not mounted after the next restart is found missing during a disaster. A name such \
              as /dev/sdb belongs to another disk as soon as one is attached. On CentOS 6 `nofail` makes mount(8) record \
              the volume as one of the network, which `service netfs stop` unmounts.",
        by_hand: "Add to /etc/fstab: /dev/mapper/SCSI-ID /mnt/retention ext4 rw 0 0 (where systemd starts the machine: \
                  rw,nofail 0 0).",
        changeable: true,
        belongs: Belongs::Machine,
        after: &["retention.mounted"],
        judge: |profile, facts| judge::persistent(profile, facts).unwrap_or_else(|status| status),
    },
    Requirement {
        id: "retention.filesystem",
        title: "The retention volume is not FAT, and of the profile's type where mt-agent made it",
        severity: Severity::Required,
        section: SECTION,
        why: "A FAT volume is not listed as a retention drive.",
        by_hand: "Use another disk (mt-agent apply --replace-retention SCSI-ID), or put its type into the profile.",
        changeable: false,
        belongs: Belongs::Machine,
        after: &["retention.mounted"],
        judge: |profile, facts| judge::filesystem(profile, facts).unwrap_or_else(|status| status),
    },
    Requirement {
        id: "retention.capacity",
        title: "The retention volume is large enough",
        severity: Severity::Required,
        section: SECTION,
        why: "It must not be of size zero; with less than the recommended 1 TB the points in time of larger \
              machines do not fit.",
        by_hand: "Enlarge the disk in vSphere, `echo 1 > /sys/block/sdX/device/rescan`, then mt-agent apply --grow; or attach \
                  a larger one, and mt-agent apply --replace-retention SCSI-ID.",
        changeable: false,
        belongs: Belongs::Machine,
        after: &["retention.mounted"],
        judge: |profile, facts| size::capacity(profile, facts).unwrap_or_else(|status| status),
    },
    Requirement {
        id: "retention.unlocked",
        title: "The retention volume can be written",
        severity: Severity::Required,
        section: SECTION,
        why: "A volume in lock mode (read-only) is not listed as a retention drive, and failback stops on it.",
        by_hand: "Find out why it is read-only (dmesg: an error makes ext4 read-only), repair it, mount it again.",
        changeable: false,
        belongs: Belongs::Machine,
        after: &["retention.mounted"],
        judge: |profile, facts| judge::unlocked(profile, facts).unwrap_or_else(|status| status),
    },
    Requirement {
        id: "retention.alive",
        title: "The storage under the retention volume answers",
        severity: Severity::Required,
        section: SECTION,
        why: "A volume stays mounted when its disk is gone: what reads or writes it then fails or waits for ever, and \
              failback stops. When the disk is back, a journal that the kernel gave up meanwhile (ext4), or a file system that it \
              shut down (XFS), stays so until it is mounted again; /proc/mounts says rw all the same, and the kernel's log alone \
              tells.",
        by_hand: "`cat /sys/block/*/device/state` (running), `dmsetup info` (ACTIVE), `multipath -ll` (active ready), dmesg; \
                  in vSphere, whether the disk is attached and its datastore answers. Where its file system has errors or the kernel \
                  gave up its journal: `umount /mnt/retention`, `fsck -f /dev/mapper/SCSI-ID`, `mount /mnt/retention` (XFS: `umount`, \
                  `mount`, `umount`, `xfs_repair /dev/mapper/SCSI-ID`, `mount`).",
        changeable: false,
        belongs: Belongs::Machine,
        after: &["retention.mounted"],
        judge: |profile, facts| room::alive(profile, facts).unwrap_or_else(|status| status),
    },
    Requirement {
        id: "retention.free",
        title: "The retention volume has room",
        severity: Severity::Required,
        section: SECTION,
        why: "On a full volume (less than 1 % or 1 GiB free, or no inode) failback stops; with little room the points in time \
              of a larger machine do not fit. Free is what `df` shows: root's reserve does not count.",
        by_hand: "`df -h` and `df -i` of it; remove what does not belong there, or enlarge the disk and grow the file system.",
        changeable: false,
        belongs: Belongs::Machine,
        after: &["retention.alive"],
        judge: |profile, facts| room::free(profile, facts).unwrap_or_else(|status| status),
    },
    Requirement {
        id: "retention.dedicated",
        title: "The retention disk is used for nothing else",
        severity: Severity::Required,
        section: SECTION,
        why: "A volume that is used for another purpose, such as a target of replication, is not listed.",
        by_hand: "Move the other use to another disk.",
        changeable: false,
        belongs: Belongs::Machine,
        after: &["retention.mounted"],
        judge: |profile, facts| judge::dedicated(profile, facts).unwrap_or_else(|status| status),
    },
    Requirement {
        id: "retention.not-cache",
        title: "The master target is not installed on the retention volume",
        severity: Severity::Required,
        section: SECTION,
        why: "The volume with the master target's installation is its cache volume and is never a retention drive.",
        by_hand: "Install the master target elsewhere (/usr/local/ASR), or use another disk for retention.",
        changeable: false,
        belongs: Belongs::Machine,
        after: &["retention.mounted"],
        judge: |profile, facts| judge::not_cache(profile, facts).unwrap_or_else(|status| status),
    },
];

/// Kernel name of the disk that carries the retention volume now, or that only waits to be mounted.
#[must_use]
pub fn disk_now(profile: &Profile, facts: &Facts) -> Option<String> {
    if let Ok((_, disks)) = volume(profile, facts) {
        return disks.first().map(|disk| disk.name.clone());
    }
    let named = profile.retention.disk.as_deref();
    waiting(profile, facts, named).ok().flatten().map(|waiting| waiting.disk.name.clone())
}

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

/// Where `disk` is mounted now.
fn elsewhere<'a>(facts: &'a Facts, disk: &Disk) -> Option<&'a Mount> {
    facts.mounts.known()?.iter().find(|mount| mount.major_minor == disk.device_number())
}

fn describe(disk: &Disk) -> String {
    let id = disk.scsi_id.as_deref().unwrap_or("no SCSI ID");
    format!("{} ({id}, {})", disk.name, text::bytes(disk.size_bytes))
}

/// A retention volume that is made but not mounted.
struct Waiting<'a> {
    disk: &'a Disk,
    /// Whether that disk carries `/` as well.
    on_root: bool,
    /// `auto` where it is not known.
    fs_type: String,
    /// The UUID that it has where we made it.
    uuid: Option<String>,
    /// Why it is not the agent's to mount, and what a person does.
    refused: Option<String>,
}

/// The volume that fstab names for the mount point, or else the one that we made. `named` is how a person names the disk.
fn waiting<'a>(
    profile: &Profile,
    facts: &'a Facts,
    named: Option<&str>,
) -> Result<Option<Waiting<'a>>, Status> {
    let by_fstab = waiting_by_fstab(profile, facts, named)?;
    if let Some(waiting) = by_fstab.filter(|found| !is_unfinished(facts, found.disk)) {
        return Ok(Some(waiting));
    }
    let lines = repeated(need(&facts.fstab, "/etc/fstab")?, &profile.retention.mount_point);
    Ok(volumes::ours(facts, named)?.map(|ours| Waiting {
        disk: ours.disk,
        on_root: false,
        fs_type: ours.fs_type.unwrap_or_else(|| "auto".to_owned()),
        uuid: Some(ours.uuid),
        refused: lines.map(|lines| judge::remove_all_but_one(&lines)),
    }))
}

/// Whether our own making of a volume on `disk` began and did not end. Then nothing on it waits to be mounted: the making is
/// resumed, which tells whether it is complete.
fn is_unfinished(facts: &Facts, disk: &Disk) -> bool {
    let record = facts.retention_record.known().and_then(Option::as_ref);
    record.is_some_and(|record| !record.finished && disk.scsi_id.as_deref() == Some(record.scsi_id.as_str()))
}

/// `None` where fstab has no line, or its name leads nowhere.
///
/// # Errors
/// The line can mean, or leads to, another volume than this host's; or it cannot be told.
fn waiting_by_fstab<'a>(
    profile: &Profile,
    facts: &'a Facts,
    named: Option<&str>,
) -> Result<Option<Waiting<'a>>, Status> {
    let disks = need(&facts.disks, "the disks")?;
    let fstab = need(&facts.fstab, "/etc/fstab")?;
    let point = &profile.retention.mount_point;
    let Some(entry) = fstab_entry(fstab, point) else { return Ok(None) };
    // Of several devices with one UUID the link leads to any.
    let made = volumes::with_name(facts, &entry.device);
    let major_minor = match &made {
        Some(made) => Some(made.disk.device_number().to_owned()),
        None => resolve(&entry.device, facts)?,
    };
    let Some(major_minor) = major_minor else { return Ok(None) };
    let record = need(&facts.retention_record, "the record of the retention disk")?.as_ref();
    let ours = |disk: &Disk| record.is_some_and(|record| disk.scsi_id.as_ref() == Some(&record.scsi_id));
    let is_whole =
        |disk: &Disk| [disk.major_minor.as_str(), disk.device_number()].contains(&major_minor.as_str());
    let refused = |disk: &Disk| {
        if let Some(lines) = repeated(fstab, point) {
            return Some(judge::remove_all_but_one(&lines));
        }
        // It could be another disk than the one that was meant.
        if judge::moves(&entry.device, disk, facts) && !ours(disk) {
            return Some(format!(
                "line {} of /etc/fstab names {}, which can be another disk since the last restart, and mounting a \
                 disk of a protected machine would change it: put UUID=... or /dev/mapper/{} there, then mt-agent apply",
                entry.line,
                entry.device,
                disk.scsi_id.as_deref().unwrap_or("SCSI-ID")
            ));
        }
        (!is_whole(disk)).then(|| {
            format!(
                "{} is a part of {} or lies on LVM or the like, and apply mounts whole disks only: mount it by hand: \
                 mount {point}",
                entry.device, disk.name
            )
        })
    };
    let under = carriers(disks, &major_minor);
    let Some(&disk) = under.first() else { return Ok(None) };
    // What we made there is known by more than the line.
    let recorded = record.filter(|record| record.finished && is_whole(disk) && ours(disk));
    let on_root = carry_root(facts, &under)?;
    if recorded.is_none() && !on_root {
        another_volume(facts, entry, disk, made.is_some(), named)?;
        if volumes::on(facts, disk).is_none() && !ours(disk) {
            not_on_record(facts, entry, disk, named)?;
        }
    }
    Ok(Some(Waiting {
        disk,
        on_root,
        fs_type: recorded.map_or(&entry.fs_type, |record| &record.fs_type).clone(),
        uuid: recorded.map(|record| record.uuid.clone()).or_else(|| made.map(|made| made.uuid)),
        refused: refused(disk),
    }))
}

/// That the volume on `disk`, to which the line `entry` leads, is not another one than this host's. `made`: its UUID follows
/// from the SCSI ID of its own disk. Mounting a copy, or a disk of a protected machine, would change it.
///
/// # Errors
/// It is, or can be, another one; or it cannot be told.
fn another_volume(
    facts: &Facts,
    entry: &Entry,
    disk: &Disk,
    made: bool,
    named: Option<&str>,
) -> Result<(), Status> {
    let Entry { line, device, .. } = entry;
    let record = facts.retention_record.known().and_then(Option::as_ref);
    if let Some(record) = record.filter(|record| disk.scsi_id.as_ref() != Some(&record.scsi_id)) {
        if disk.scsi_id.is_none() && disk.is_scsi() {
            return Err(Status::Blocked { by: "scsi.ids".to_owned() });
        }
        let is_named = || named.is_some_and(|name| find(facts, name).is_ok_and(|it| it.name == disk.name));
        if made && on_record(facts, record).is_none() && is_named() {
            return Ok(());
        }
        let keep = match disk.scsi_id.as_deref().filter(|_| made) {
            Some(id) => format!("mt-agent apply --adopt-retention {id}"),
            None => format!("`mv {RECORD} /root/`, then mt-agent apply"),
        };
        return Err(Status::unmet(
            format!(
                "line {line} of /etc/fstab ({device}) leads to {}, but the retention volume on record {}",
                describe(disk),
                choice::whereabouts(facts, &record.scsi_id)
            ),
            "the volume on record",
            format!(
                "find out which of them is this machine's retention volume. The one on record: attach its disk, see that line \
                 {line} does not name another one, then mt-agent apply. The one that fstab names: {keep}"
            ),
        ));
    }
    if made {
        return Ok(());
    }
    let twins = twins::of(device, facts)?;
    if !twins.is_empty() {
        let all = twins.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return Err(Status::unmet(
            format!("line {line} of /etc/fstab names {device}, which several attached devices have: {all}"),
            "one device with that name",
            format!(
                "find out which of them is this machine's retention volume, and detach the others, or put /dev/mapper/SCSI-ID \
                 into line {line}, with the ID of its disk; then mt-agent apply"
            ),
        ));
    }
    if entry.ours && record.is_none() && device.strip_prefix("UUID=").is_some_and(is_made_uuid) {
        return Err(Status::unmet(
            format!(
                "line {line} of /etc/fstab names a retention volume that mt-agent made; {} carries its UUID, which does not \
                 follow from the SCSI ID of that disk: it can be a copy",
                describe(disk)
            ),
            "the disk on which that volume was made",
            format!(
                "attach that disk; where this one is the machine's retention volume, mount it by hand: mount {} {}",
                disk.device(),
                entry.mount_point
            ),
        ));
    }
    Ok(())
}

/// That the disk to which the line `entry` leads is on record as this host's, where its own disks are, or is named by a person.
///
/// # Errors
/// It is not.
fn not_on_record(facts: &Facts, entry: &Entry, disk: &Disk, named: Option<&str>) -> Result<(), Status> {
    let Some(record) = facts.identity.recorded.known().and_then(Option::as_ref) else { return Ok(()) };
    let is_own = disk.scsi_id.as_ref().is_some_and(|id| record.owns(id));
    if record.own_disks.is_none() || is_own || named.is_some_and(|name| means(facts, name, Some(&disk.name)))
    {
        return Ok(());
    }
    let it = match &disk.scsi_id {
        Some(id) => format!("mt-agent apply --own-disk {id}, then mt-agent apply"),
        None => "see scsi.ids first".to_owned(),
    };
    Err(Status::unmet(
        format!(
            "line {} of /etc/fstab ({}) leads to {}, which is not on record as a disk of this host",
            entry.line,
            entry.device,
            describe(disk)
        ),
        "the disk of this host's retention volume",
        format!(
            "find out whose it is: mounting a disk of a protected machine would change it. Where it carries this host's retention \
             volume: {it}. Else take the line out, and attach the disk that does"
        ),
    ))
}

/// Stands for the UUID of a file system where it is not known.
const UUID: &str = "UUID=...";

/// The line of fstab that mounts what `name` names as `mount` is mounted now.
fn line(facts: &Facts, name: &str, mount: &Mount) -> String {
    // What starts the machine is unknown only of facts that were recorded elsewhere: CentOS 6 is what they are of.
    let options = fstab::options(facts.os.systemd.known() == Some(&true));
    format!("{name} {} {} {options} 0 0", mount.mount_point, mount.fs_type)
}

/// What a person does where no name is known that cannot move.
fn nameless(facts: &Facts, mount: &Mount) -> String {
    if let Some(shared) = uuid_of_mount(facts, mount).and_then(|uuid| shared(facts, uuid, &mount.major_minor))
    {
        return shared;
    }
    format!(
        "{} can be another disk's name after the next restart, and no UUID of what is mounted at {} is known: blkid tells \
         it; put by hand into /etc/fstab: {}",
        mount.source,
        mount.mount_point,
        line(facts, UUID, mount)
    )
}

/// The best name for fstab: the map by its WWID, as the procedure has it, else the file system's UUID. `None` where neither
/// is known: what it is mounted by can be another disk's after the next restart.
fn stable_name(facts: &Facts, mount: &Mount, disk: &Disk) -> Option<String> {
    if let Some(map) = &disk.multipath
        && map.major_minor == mount.major_minor
        && alias_of(facts, &map.wwid).is_none()
        && let Some(name) = map_by_id(map)
    {
        return Some(name);
    }
    let links = &facts.filesystems.known()?.by_uuid;
    let (uuid, _) = links.iter().find(|(_, device)| **device == mount.major_minor)?;
    let name = Some(format!("UUID={uuid}")).filter(|name| fstab::cannot_move(name));
    name.filter(|_| shared(facts, uuid, &mount.major_minor).is_none())
}

/// The UUID of what is mounted, by its own first block, else by udev's link.
fn uuid_of_mount<'a>(facts: &'a Facts, mount: &Mount) -> Option<&'a str> {
    let links = || facts.filesystems.known().into_iter().flat_map(|links| &links.by_uuid);
    let linked = || links().find(|(_, number)| **number == mount.major_minor).map(|(uuid, _)| uuid.as_str());
    volumes::read_on(facts, &mount.major_minor).map(|volume| volume.uuid.as_str()).or_else(linked)
}

/// The name for fstab of the volume `uuid` that is on `disk`, or that will be once the changes before this one are made.
///
/// # Errors
/// There is none that cannot mean another device, in words.
fn name_to_be(facts: &Facts, disk: &Disk, uuid: &str) -> Result<String, String> {
    match disk.multipath.as_ref().and_then(map_by_id) {
        Some(map) => Ok(map),
        None => shared(facts, uuid, disk.device_number()).map_or_else(|| Ok(format!("UUID={uuid}")), Err),
    }
}

/// That other attached devices than `number` have the UUID too, and what a person does: which of them a line by that name mounts
/// at the next boot is chance.
fn shared(facts: &Facts, uuid: &str, number: &str) -> Option<String> {
    let disks = facts.disks.known()?;
    let is_other = |one: &&Storage| {
        let mut volumes = one.volumes().map(|(_, volume, _)| volume);
        volumes.any(|volume| volume.uuid == uuid && volume.fs_type != LVM)
            && one.major_minor != number
            && !carriers(disks, &one.major_minor).is_empty()
    };
    let others: Vec<_> =
        facts.storage.known()?.iter().filter(is_other).map(|one| one.name.as_str()).collect();
    (!others.is_empty()).then(|| {
        format!(
            "{} has the same UUID, so a line by that name could mount it: detach it, or see that the retention disk has its \
             multipath map (multipath.running); then mt-agent apply",
            others.join(", ")
        )
    })
}

/// The name of a map that is called by its WWID.
fn map_by_id(map: &Map) -> Option<String> {
    let name = format!("/dev/mapper/{}", map.dm_name);
    (map.dm_name == map.wwid && fstab::cannot_move(&name)).then_some(name)
}
