//! A retention volume that is made but not mounted: whose it is, and whether apply may mount it.

use super::identity::describe;
use super::name::{find, means, whereabouts};
use super::now::{carry_root, volume};
use super::persistent::{moves, remove_all_but_one};
use super::volumes;
use super::volumes::{Ours, on_record};
use crate::changes::Target;
use crate::facts::Facts;
use crate::facts::disks::Disk;
use crate::facts::fstab::Entry;
use crate::facts::retention::is_made_uuid;
use crate::host::ScsiId;
use crate::profile::Profile;
use crate::state::paths::RETENTION;
use crate::steps::devices::{carriers, fstab_entry, repeated, resolve};
use crate::steps::id;
use crate::steps::{Status, need, twins};

/// A retention volume that is made but not mounted.
pub(super) struct Waiting<'a> {
    pub disk: &'a Disk,
    /// Whether that disk carries `/` as well.
    pub on_root: bool,
    /// Its type is [`FileSystem::Auto`] where it is not known; it has a UUID where we made it.
    pub target: Target,
    /// Why it is not the agent's to mount, and what a person does.
    pub refused: Option<String>,
}

/// The volume that fstab names for the mount point, or else the one that we made. `named` is how a person names the disk.
pub(super) fn waiting<'a>(
    profile: &Profile,
    facts: &'a Facts,
    named: Option<&str>,
) -> Result<Option<Waiting<'a>>, Status> {
    let by_fstab = waiting_by_fstab(profile, facts, named)?;
    if let Some(waiting) = by_fstab.filter(|found| !volumes::is_unfinished(facts, found.disk)) {
        return Ok(Some(waiting));
    }
    let lines = repeated(need(&facts.fstab, "/etc/fstab")?, &profile.retention.mount_point);
    Ok(volumes::ours(facts, named)?.map(|ours| Waiting {
        disk: ours.disk,
        on_root: false,
        target: ours.target(),
        refused: lines.map(|lines| remove_all_but_one(&lines)),
    }))
}

/// Kernel name of the disk that carries the retention volume now, or that only waits to be mounted.
pub fn disk_now(profile: &Profile, facts: &Facts) -> Option<String> {
    if let Ok((_, disks)) = volume(profile, facts) {
        return disks.first().map(|disk| disk.name.clone());
    }
    let named = profile.retention.disk.as_deref();
    waiting(profile, facts, named).ok().flatten().map(|waiting| waiting.disk.name.clone())
}

/// `None` where fstab has no line, or its name leads nowhere.
/// Errors: The line can mean, or leads to, another volume than this host's; or it cannot be determined.
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
        Some(made) => Some(made.disk.device_number()),
        None => resolve(&entry.device, facts)?,
    };
    let Some(major_minor) = major_minor else { return Ok(None) };
    let record = need(&facts.retention_record, "the record of the retention disk")?.as_ref();
    let ours = |disk: &Disk| record.is_some_and(|record| disk.has_id(&record.scsi_id));
    let is_whole = |disk: &Disk| [disk.major_minor, disk.device_number()].contains(&major_minor);
    let refused = |disk: &Disk| {
        if let Some(lines) = repeated(fstab, point) {
            return Some(remove_all_but_one(&lines));
        }
        // It could be another disk than the one that was meant.
        if moves(&entry.device, disk, facts) && !ours(disk) {
            return Some(format!(
                "line {} of /etc/fstab names {}, which can be another disk since the last restart, and mounting a \
                 disk of a protected machine would change it: put UUID=... or /dev/mapper/{} there, then mt-agent apply",
                entry.line,
                entry.device,
                disk.id().map_or("SCSI-ID", ScsiId::as_str)
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
    let under = carriers(disks, major_minor);
    let Some(&disk) = under.first() else { return Ok(None) };
    // What we made there is known by more than the line.
    let recorded = record.filter(|record| record.finished && is_whole(disk) && ours(disk));
    let on_root = carry_root(facts, &under)?;
    if recorded.is_none() && !on_root {
        another_volume(facts, entry, disk, made.as_ref(), named)?;
        if volumes::on(facts, disk).is_none() && !ours(disk) {
            not_on_record(facts, entry, disk, named)?;
        }
    }
    let fs_type = recorded.map_or(&entry.fs_type, |record| &record.fs_type).clone();
    let uuid = recorded.map(|record| record.uuid.clone()).or_else(|| made.map(|made| made.uuid));
    Ok(Some(Waiting { disk, on_root, target: volumes::target(disk, fs_type, uuid), refused: refused(disk) }))
}

/// That the volume on `disk`, to which the line `entry` leads, is not another one than this host's. `made`: the volume there whose UUID
/// follows from the SCSI ID of its own disk. Mounting a copy, or a disk of a protected machine, would change it.
/// Errors: It is, or can be, another one; or it cannot be determined.
fn another_volume(
    facts: &Facts,
    entry: &Entry,
    disk: &Disk,
    made: Option<&Ours<'_>>,
    named: Option<&str>,
) -> Result<(), Status> {
    let Entry { line, device, .. } = entry;
    let record = facts.retention_record.known().and_then(Option::as_ref);
    if let Some(record) = record.filter(|record| !disk.has_id(&record.scsi_id)) {
        if disk.id_of_scsi().is_err() {
            return Err(Status::Blocked { by: id::SCSI_IDS.to_owned() });
        }
        let is_named = || named.is_some_and(|name| find(facts, name).is_ok_and(|it| it.name == disk.name));
        if made.is_some() && on_record(facts, record).is_none() && is_named() {
            return Ok(());
        }
        let keep = match disk.id().filter(|_| made.is_some()) {
            Some(id) => format!("mt-agent apply --adopt-retention {id}"),
            None => format!("`mv {RETENTION} /root/`, then mt-agent apply"),
        };
        return Err(Status::unmet(
            format!(
                "line {line} of /etc/fstab ({device}) leads to {}, but the retention volume on record {}",
                describe(disk),
                whereabouts(facts, &record.scsi_id)
            ),
            "the volume on record",
            format!(
                "find out which of them is this machine's retention volume. The one on record: attach its disk, see that line \
                 {line} does not name another one, then mt-agent apply. The one that fstab names: {keep}"
            ),
        ));
    }
    if made.is_some() {
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
fn not_on_record(facts: &Facts, entry: &Entry, disk: &Disk, named: Option<&str>) -> Result<(), Status> {
    let Some(record) = facts.identity.recorded.known().and_then(Option::as_ref) else { return Ok(()) };
    let is_own = disk.id().is_some_and(|id| record.owns(id));
    if record.own_disks.is_none() || is_own || named.is_some_and(|name| means(facts, name, Some(&disk.name)))
    {
        return Ok(());
    }
    let it = match disk.id() {
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
