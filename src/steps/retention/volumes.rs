//! Volumes that the agent made, known again on the disks of this host.

use crate::changes::Target;
use crate::facts::disks::Disk;
use crate::facts::disks::distinct;
use crate::facts::mounts::Mount;
use crate::facts::retention::{LABEL, Record, Volume, sought, uuid_of};
use crate::facts::{Fact, Facts};
use crate::host::{DeviceNumber, FileSystem, ScsiId, Uuid, text};
use crate::profile::Profile;
use crate::steps::devices::{fstab_entry, resolve};
use crate::steps::id;
use crate::steps::links::unquoted;
use crate::steps::{Status, need};

use super::identity::{describe, identity};
use super::name::{find, whereabouts};
use super::now::mount_now;
use super::probes::probe_of;
use crate::state::paths::RETENTION;

/// A volume that the agent made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ours<'a> {
    pub disk: &'a Disk,
    pub uuid: Uuid,
    /// [`FileSystem::Auto`] where it is not known.
    pub fs_type: FileSystem,
}

impl Ours<'_> {
    /// As a change takes it.
    pub fn target(self) -> Target {
        target(self.disk, self.fs_type, Some(self.uuid))
    }
}

/// The volume on `disk`, as a change takes it.
pub(super) fn target(disk: &Disk, fs_type: FileSystem, uuid: Option<Uuid>) -> Target {
    Target { scsi_id: disk.id().cloned().unwrap_or_default(), device: disk.device(), fs_type, uuid }
}

/// The volume of ours that lies on `disk`: the one on record, or one whose UUID follows from the disk's SCSI ID.
pub(super) fn on<'a>(facts: &'a Facts, disk: &Disk) -> Option<Ours<'a>> {
    let disks = facts.disks.known()?;
    let recorded = recorded(facts, disks).filter(|ours| ours.disk.device_number() == disk.device_number());
    let made =
        || by_uuid(facts, disks).into_iter().find(|ours| ours.disk.device_number() == disk.device_number());
    recorded.or_else(made).filter(|ours| !is_unfinished(facts, ours.disk))
}

/// The volume on record, where its disk is attached and carries it.
fn recorded<'a>(facts: &'a Facts, disks: &'a [Disk]) -> Option<Ours<'a>> {
    let record = facts.retention_record.known()?.as_ref()?;
    let disk = sought(record, disks).filter(|disk| carries(facts, disk, &record.uuid))?;
    Some(Ours { disk, uuid: record.uuid.clone(), fs_type: record.fs_type.clone() })
}

/// The volume that the agent made for this host: the one on its record, else the only one whose UUID follows from the SCSI ID
/// of its own disk, or of several the one on the disk that `named` names. While a making that was begun is not finished, and
/// where another disk is on record, none but that.
/// Errors: There are several, another one is on record, or it cannot be determined.
pub(super) fn ours<'a>(facts: &'a Facts, named: Option<&str>) -> Result<Option<Ours<'a>>, Status> {
    let disks = need(&facts.disks, "the disks")?;
    need(&facts.filesystems, "the names of file systems")?;
    let record = need(&facts.retention_record, "the record of the retention disk")?.as_ref();
    if let Some(ours) = recorded(facts, disks) {
        return Ok(Some(ours));
    }
    let mut found = by_uuid(facts, disks);
    found.retain(|ours| !is_unfinished(facts, ours.disk));
    let meant = named.and_then(|name| find(facts, name).ok()).map(Disk::device_number);
    if let Some(at) = found.iter().position(|ours| meant == Some(ours.disk.device_number())) {
        return Ok(Some(found.swap_remove(at)));
    }
    if record.is_some_and(|record| !record.finished && find(facts, &record.scsi_id).is_ok()) {
        return Ok(None);
    }
    let of_record = |ours: &Ours<'_>| record.is_none_or(|one| ours.disk.has_id(&one.scsi_id));
    let list =
        |found: &[Ours<'_>]| found.iter().map(|ours| describe(ours.disk)).collect::<Vec<_>>().join("; ");
    match (found.as_slice(), record) {
        ([], _) => Ok(None),
        ([one], _) if of_record(one) => Ok(found.pop()),
        (others, Some(record)) if record.finished && !others.iter().any(of_record) => Err(Status::unmet(
            format!(
                "{} carries a retention volume that mt-agent made, but the one on record {}",
                list(others),
                whereabouts(facts, &record.scsi_id)
            ),
            "the volume on record",
            format!("attach the disk on record; if the other one is this machine's too: {}", adopt(others)),
        )),
        ([_], _) => Ok(found.pop()),
        (several, _) => Err(Status::unmet(
            format!(
                "{} attached disks carry a retention volume that mt-agent made: {}",
                several.len(),
                list(several)
            ),
            "one of them",
            format!(
                "name the one that is this machine's: {}, or retention.disk in the profile; or detach the others",
                adopt(several)
            ),
        )),
    }
}

/// What a person does where the earlier volume is not there.
pub(super) const REPLACE: &str = "attach that disk again; where another one is to take its place: mt-agent apply \
                                  --replace-retention SCSI-ID, with the ID of that one";

/// The retention volume that this host had and that is not mounted, as the record tells, or else our own line of fstab that
/// leads to no device.
pub(super) fn earlier(profile: &Profile, facts: &Facts) -> Option<String> {
    if let Some(record) = facts.retention_record.known()?.as_ref() {
        return record
            .finished
            .then(|| format!("the retention volume on record {}", whereabouts(facts, &record.scsi_id)));
    }
    let line = fstab_entry(facts.fstab.known()?, &profile.retention.mount_point).filter(|line| line.ours)?;
    let is_gone = matches!(resolve(&line.device, facts), Ok(None));
    is_gone.then(|| {
        format!(
            "line {} of /etc/fstab, which mt-agent wrote, names a retention volume that is not attached ({})",
            line.line, line.device
        )
    })
}

/// The command that adopts the volume of one of these disks, each by its SCSI ID.
fn adopt(found: &[Ours<'_>]) -> String {
    let ids = found.iter().filter_map(|ours| ours.disk.id());
    ids.map(|id| format!("mt-agent apply --adopt-retention {id}")).collect::<Vec<_>>().join(" or ")
}

/// The disks that carry, whole and alone, the file system with the UUID that follows from their own SCSI ID.
fn by_uuid<'a>(facts: &'a Facts, disks: &'a [Disk]) -> Vec<Ours<'a>> {
    let one = |disk: &'a Disk| {
        let uuid = uuid_of(disk.id()?);
        let is_it =
            disk.partitions.is_empty() && carries(facts, disk, &uuid) && identity(facts, disk).is_ok();
        let fs_type = volume_on(facts, disk).map_or(FileSystem::Auto, |volume| volume.fs_type.clone());
        is_it.then_some(Ours { disk, uuid, fs_type })
    };
    distinct(disks.iter().collect()).into_iter().filter_map(one).collect()
}

/// A volume that the agent made, told from the host alone: its UUID follows from the SCSI ID of its disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recalled {
    /// Kernel name of the disk.
    pub disk: String,
    /// The volume; its type is [`FileSystem::Auto`] where it is not known.
    pub target: Target,
    /// How this host uses it.
    pub used: Used,
}

/// How a host uses a retention volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Used {
    /// It is mounted at the mount point.
    Mounted,
    /// The agent's own line in fstab mounts it there.
    InFstab,
    /// Not at all: it is attached.
    Attached,
}

/// The volumes of ours that are attached, whatever is on record, and how this host uses them.
pub fn recall(profile: &Profile, facts: &Facts) -> Result<Vec<Recalled>, Status> {
    let disks = need(&facts.disks, "the disks")?;
    need(&facts.filesystems, "the names of file systems")?;
    let mount = mount_now(profile, facts)?;
    let fstab = need(&facts.fstab, "/etc/fstab")?;
    let line = fstab_entry(fstab, &profile.retention.mount_point).filter(|entry| entry.ours);
    // What is mounted there needs no line to tell.
    let by_line = line.filter(|_| mount.is_none()).map(|line| resolve(&line.device, facts));
    let by_line = by_line.transpose()?.flatten();
    let recalled = |ours: Ours<'_>| {
        let is_on =
            |number: DeviceNumber| [ours.disk.major_minor, ours.disk.device_number()].contains(&number);
        let of_mount = mount.filter(|mount| is_on(mount.major_minor));
        let of_line = line.filter(|_| by_line.is_some_and(is_on));
        let (used, fs_type) = match (of_mount, of_line) {
            (Some(mount), _) => (Used::Mounted, mount.fs_type.clone()),
            (None, Some(line)) => (Used::InFstab, line.fs_type.clone()),
            (None, None) => (Used::Attached, FileSystem::Auto),
        };
        let (disk, mut target) = (ours.disk.name.clone(), ours.target());
        if fs_type != FileSystem::Auto {
            target.fs_type = fs_type;
        }
        Recalled { disk, target, used }
    };
    Ok(by_uuid(facts, disks).into_iter().map(recalled).collect())
}

/// The kernel name of the disk that carries the volume on `record`, where one does.
pub fn on_record<'a>(facts: &'a Facts, record: &Record) -> Option<&'a str> {
    let disk = sought(record, facts.disks.known()?)?;
    carries(facts, disk, &record.uuid).then_some(disk.name.as_str())
}

/// The volume of ours, on record or by its UUID, that a first column of fstab names by that UUID, whichever of several devices
/// that have it udev's link leads to.
pub(super) fn with_name<'a>(facts: &'a Facts, device: &str) -> Option<Ours<'a>> {
    let uuid = device.strip_prefix("UUID=").or_else(|| device.strip_prefix("/dev/disk/by-uuid/"))?;
    let uuid = unquoted(uuid)?;
    let disks = facts.disks.known()?;
    let recorded = recorded(facts, disks).filter(|ours| ours.uuid == uuid);
    recorded.or_else(|| by_uuid(facts, disks).into_iter().find(|ours| ours.uuid == uuid))
}

/// What the device `number` carries by its own first block.
pub(super) fn read_on(facts: &Facts, number: DeviceNumber) -> Option<&Volume> {
    facts.storage.known()?.iter().find(|one| one.major_minor == number)?.volume.as_ref()
}

/// Whether the file system with this UUID lies on `disk` itself, as its own first block tells, else udev or the disk's probe. The
/// link leads to any of several devices with one UUID.
fn carries(facts: &Facts, disk: &Disk, uuid: &Uuid) -> bool {
    if let Some(volume) = read_on(facts, disk.device_number()).filter(|volume| !volume.uuid.is_empty()) {
        return volume.uuid == *uuid;
    }
    let links = facts.filesystems.known().and_then(|links| links.by_uuid.get(uuid));
    let linked = links.is_some_and(|number| [disk.major_minor, disk.device_number()].contains(number));
    linked || volume_on(facts, disk).is_some_and(|volume| volume.uuid == *uuid)
}

fn volume_on<'a>(facts: &'a Facts, disk: &Disk) -> Option<&'a Volume> {
    probe_of(facts, disk).ok()?.volume.as_deref()
}

/// That the agent's record is of another disk, or of another file system on this one, than what is mounted.
pub(super) fn not_on_record(
    profile: &Profile,
    facts: &Facts,
    mount: &Mount,
    disk: &Disk,
) -> Result<Option<Status>, Status> {
    let Some(record) = need(&facts.retention_record, "the record of the retention disk")? else {
        return Ok(None);
    };
    let point = &profile.retention.mount_point;
    let differs = |found: String, expected: String| {
        let keep = match on(facts, disk).and(disk.id()) {
            Some(id) => format!("mt-agent apply --adopt-retention {id}"),
            None => format!("`mv {RETENTION} /root/`, then mt-agent check"),
        };
        let fix = format!(
            "find out which of them is this machine's retention volume. The one on record: `umount {point}`, then mt-agent \
             apply. What is mounted now: {keep}"
        );
        Ok(Some(Status::unmet(found, expected, fix)))
    };
    match disk.id_of_scsi() {
        Ok(Some(id)) if *id == record.scsi_id => {}
        Err(_) => return Err(Status::Blocked { by: id::SCSI_IDS.to_owned() }),
        Ok(_) => {
            let expected = format!("the disk on record in {RETENTION}, {}", text::safe(&record.scsi_id));
            return differs(format!("{} carries it", describe(disk)), expected);
        }
    }
    let read = read_on(facts, mount.major_minor);
    if read.map_or_else(|| carries(facts, disk, &record.uuid), |volume| volume.uuid == record.uuid) {
        return Ok(None);
    }
    let Some(uuid) = uuid_of_mount(facts, mount) else {
        let why = format!(
            "the UUID of what is mounted at {point} could not be read, to be held against {RETENTION}"
        );
        return Err(Status::Unknown { why });
    };
    let expected =
        format!("the file system on record in {RETENTION}, UUID {}", text::safe(&record.uuid.to_string()));
    differs(format!("the file system at {point} has the UUID {}", text::safe(&uuid.to_string())), expected)
}

/// That a volume of ours is attached while something else is mounted in its place, and nothing is on record, nor named in the
/// profile, by which that is this machine's.
pub(super) fn in_the_place_of_ours(
    profile: &Profile,
    facts: &Facts,
    mount: &Mount,
    disk: &Disk,
) -> Option<Status> {
    let is_named = profile.retention.disk.is_some();
    if is_named || !matches!(facts.retention_record, Fact::Known(None)) || on(facts, disk).is_some() {
        return None;
    }
    let is_labelled = |ours: &Ours<'_>| match read_on(facts, ours.disk.device_number()) {
        Some(volume) => volume.label == LABEL,
        None => !label_of(facts, ours.disk).is_empty(),
    };
    let is_there = |ours: &Ours<'_>| {
        let numbers = ours.disk.all_devices();
        is_labelled(ours) && !numbers.contains(&mount.major_minor)
    };
    let found: Vec<_> = by_uuid(facts, facts.disks.known()?).into_iter().filter(is_there).collect();
    let [first, ..] = found.as_slice() else { return None };
    let point = &profile.retention.mount_point;
    let list: Vec<_> = found.iter().map(|ours| describe(ours.disk)).collect();
    let keep = match disk.id() {
        Some(id) => format!("name {id} in the profile as retention.disk"),
        None => format!("detach {}", first.disk.name),
    };
    Some(Status::unmet(
        format!(
            "{} is mounted at {point}, while the retention volume that mt-agent made on {} is attached and not mounted there",
            describe(disk),
            list.join("; ")
        ),
        "the volume that mt-agent made",
        format!(
            "find out which of them is this machine's retention volume. The one that mt-agent made: `umount {point}`, then {}. What \
             is mounted now: {keep}",
            adopt(&found)
        ),
    ))
}

/// What is said of a disk that is, or may be, a retention volume of ours and is not taken for blank. None where it is not:
/// then its erasure can be named as a way.
pub(super) fn hint(facts: &Facts, disk: &Disk) -> Option<String> {
    let id = disk.id().map_or("", ScsiId::as_str);
    let record = facts.retention_record.known().and_then(Option::as_ref);
    let recorded = record.filter(|record| record.finished && record.scsi_id == id);
    if carries(facts, disk, &uuid_of(id)) && !disk.partitions.is_empty() {
        Some(
            "It carries the retention volume that mt-agent made, and the kernel still shows partitions of what was there \
             before: restart the machine, then mt-agent apply mounts it"
                .to_owned(),
        )
    } else if carries(facts, disk, &uuid_of(id)) {
        Some("It carries the retention volume that mt-agent made: mt-agent apply mounts it".to_owned())
    } else if let Some(record) = recorded {
        // `ro` alone replays the journal, and so writes to what is damaged (mount(8), ext4 and XFS).
        let unreplayed = if record.fs_type == FileSystem::Xfs { "norecovery" } else { "noload" };
        Some(format!(
            "mt-agent made a retention volume on it, which is not recognised now: find out why and repair it (fsck, \
             xfs_repair), or see what is on it: mount -o ro,{unreplayed} {}",
            text::safe(&disk.device())
        ))
    } else {
        let volume = volume_on(facts, disk).filter(|volume| volume.label == LABEL)?;
        Some(format!(
            "It is labelled {LABEL}, but its UUID {} does not follow from its SCSI ID, so mt-agent does not take it for \
             one that it made here: where it is this machine's retention volume, put UUID={} into /etc/fstab",
            text::safe(&volume.uuid.to_string()),
            text::safe(&volume.uuid.to_string())
        ))
    }
}

/// What is said beside a disk that is labelled as a retention volume: ` labelled mt-retention`, or nothing.
pub(super) fn label_of(facts: &Facts, disk: &Disk) -> &'static str {
    let linked = facts.filesystems.known().and_then(|links| links.by_label.get(LABEL));
    let is_it = linked.is_some_and(|number| disk.all_devices().contains(number))
        || volume_on(facts, disk).is_some_and(|volume| volume.label == LABEL);
    if is_it { ", labelled mt-retention" } else { "" }
}

/// Whether our own making of a volume on `disk` began and did not end. Then nothing on it waits to be mounted: the making is
/// resumed, which tells whether it is complete.
pub(super) fn is_unfinished(facts: &Facts, disk: &Disk) -> bool {
    let record = facts.retention_record.known().and_then(Option::as_ref);
    record.is_some_and(|record| !record.finished && disk.has_id(record.scsi_id.as_str()))
}

/// The UUID of what is mounted, by its own first block, else by udev's link.
pub(super) fn uuid_of_mount<'a>(facts: &'a Facts, mount: &Mount) -> Option<&'a Uuid> {
    let links = || facts.filesystems.known().into_iter().flat_map(|links| &links.by_uuid);
    let linked = || links().find(|(_, number)| **number == mount.major_minor).map(|(uuid, _)| uuid);
    read_on(facts, mount.major_minor).map(|volume| &volume.uuid).or_else(linked)
}
