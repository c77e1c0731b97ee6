//! Another volume takes the place of the retention volume, as a person ordered it: `--replace-retention` makes it on a new disk,
//! `--adopt-retention` takes one that the agent made. The earlier one is unmounted, our line for it goes, its disk is left as it is.

use super::choice::{self, Chosen};
use super::identity::{describe, identity};
use super::line::name_to_be;
use super::name::{asked, check_names, contrary, find};
use super::now::mount_now;
use super::{strays, volumes};
use crate::changes::{Change, Target, fstab};
use crate::facts::disks::Disk;
use crate::facts::mounts::Mount;
use crate::facts::os::Init;
use crate::facts::{Fact, Facts};
use crate::host::command::pasted;
use crate::host::{FileSystem, device_name::is_for_fstab, text};
use crate::profile::Profile;
use crate::steps::devices::{resolve, same_path};
use crate::steps::id;
use crate::steps::need;
use crate::steps::remedy::{Remedy, Request, Takeover};

use super::remedy::{NEEDS, unmount};

/// The volume that takes the place.
struct Successor<'a> {
    disk: &'a Disk,
    target: Target,
    /// How it is made, where it is not there yet.
    made_by: Option<Change>,
}

/// What is in the way of the successor.
struct Predecessor {
    unmounted: Option<Change>,
    /// The devices of our own lines for the mount point.
    lines: Vec<String>,
    /// Whether a line of fstab names the successor already.
    has_line: bool,
}

/// A takeover that was ordered.
struct Order<'a> {
    profile: &'a Profile,
    facts: &'a Facts,
    successor: Successor<'a>,
    predecessor: Predecessor,
}

/// What `apply` does towards the requirement `retention.disk` because a takeover was ordered; `None` where none was, or nothing of it
/// is left.
pub(super) fn disk(profile: &Profile, facts: &Facts, request: &Request) -> Option<Remedy> {
    ordered(|order| order.prepare(), profile, facts, request)
}

/// The same of `retention.mounted`.
pub(super) fn mounted(profile: &Profile, facts: &Facts, request: &Request) -> Option<Remedy> {
    ordered(|order| order.mount(), profile, facts, request)
}

/// The same of `retention.persistent`.
pub(super) fn persistent(profile: &Profile, facts: &Facts, request: &Request) -> Option<Remedy> {
    ordered(|order| order.keep(), profile, facts, request)
}

fn ordered(
    part: fn(&Order<'_>) -> Option<Remedy>,
    profile: &Profile,
    facts: &Facts,
    request: &Request,
) -> Option<Remedy> {
    kind(profile, facts, request)?;
    order(profile, facts, request).map_or_else(|why| Some(Remedy::Refused(why)), |order| part(&order))
}

/// That what a person named is a disk of this host, and that the takeover that was ordered, if one was, can be carried out.
/// Errors: One line that names the option, what it has, and what a person does.
pub fn check(profile: &Profile, facts: &Facts, request: &Request) -> anyhow::Result<()> {
    let mut checked = check_names(facts, request);
    if request.takeover.is_some() && facts.disks.known().is_some() {
        checked = checked.and_then(|()| order(profile, facts, request).map(drop));
    }
    checked.map_err(anyhow::Error::msg)
}

/// That the volume of the earlier disk is left, beside a plan that replaces it.
pub fn note(profile: &Profile, facts: &Facts, request: &Request) -> Option<String> {
    kind(profile, facts, request)?;
    let successor = order(profile, facts, request).ok()?.successor;
    let record = facts.retention_record.known()?.as_ref()?;
    (record.finished && record.scsi_id != successor.target.scsi_id).then(|| {
        let id = text::safe(&record.scsi_id);
        match find(facts, &record.scsi_id) {
            Ok(disk) => format!("the earlier retention volume stays as it is on {}", describe(disk)),
            Err(_) => format!("the disk of the earlier retention volume, {id}, is not attached"),
        }
    })
}

/// The takeover that a person ordered. Who names the disk whose volume of ours is mounted, while the disk on record is not
/// attached, orders that it is adopted, as where it is not mounted.
fn kind(profile: &Profile, facts: &Facts, request: &Request) -> Option<Takeover> {
    request.takeover.or_else(|| {
        let named = find(facts, asked(profile, facts, request)?.name).ok()?;
        let record = facts.retention_record.known()?.as_ref()?;
        let is_mounted = mount_now(profile, facts).ok()?.is_some_and(|mount| is_on(named, mount));
        let is_gone = record.finished && find(facts, &record.scsi_id).is_err();
        let is_another = !named.has_id(&record.scsi_id);
        (is_mounted && is_gone && is_another && volumes::on(facts, named).is_some())
            .then_some(Takeover::Adopt)
    })
}

/// The facts as a takeover that was ordered leaves the record: what is judged by them is in order then.
pub fn recorded(profile: &Profile, facts: &Facts, request: &Request) -> Option<Facts> {
    kind(profile, facts, request)?;
    let successor = order(profile, facts, request).ok()?.successor;
    let mut facts = facts.clone();
    facts.retention_record = Fact::Known(Some(successor.target.record("", String::new())));
    Some(facts)
}

fn order<'a>(profile: &'a Profile, facts: &'a Facts, request: &Request) -> Result<Order<'a>, String> {
    let because = |why: String| match request.takeover {
        Some(order) => format!("{}: {why}", order.option()),
        None => why,
    };
    let kind = kind(profile, facts, request).unwrap_or(Takeover::Replace);
    let successor = successor(profile, facts, request, kind).map_err(because)?;
    let predecessor = predecessor(profile, facts, &successor).map_err(because)?;
    Ok(Order { profile, facts, successor, predecessor })
}

fn successor<'a>(
    profile: &Profile,
    facts: &'a Facts,
    request: &Request,
    order: Takeover,
) -> Result<Successor<'a>, String> {
    let named = asked(profile, facts, request).ok_or("no disk is named")?;
    let disk = find(facts, named.name)?;
    let scsi_id = identity(facts, disk)?;
    // What outlives this run would undo it.
    if let Some(other) = contrary(profile, facts, request) {
        return Err(format!("{other}: put {scsi_id} there first, then run again"));
    }
    let record = facts.retention_record.known().ok_or("the record of the retention disk cannot be read")?;
    let ours = volumes::on(facts, disk).filter(|_| request.erase_disk.is_none());
    let on_record = record.as_ref().is_some_and(|record| record.scsi_id == scsi_id && record.finished);
    match (order, ours) {
        (Takeover::Replace, Some(_)) if !on_record => Err(format!(
            "{} carries a retention volume that mt-agent made: --adopt-retention {scsi_id} takes it as it is",
            describe(disk)
        )),
        (_, Some(ours)) => {
            let mut target = Target { scsi_id, ..ours.target() };
            let mounted = || facts.mounts.known()?.iter().find(|mount| is_on(disk, mount));
            if target.fs_type == FileSystem::Auto
                && let Some(mount) = mounted()
            {
                target.fs_type = mount.fs_type.clone();
            }
            Ok(Successor { disk, target, made_by: None })
        }
        (Takeover::Adopt, None) => Err(match volumes::hint(facts, disk) {
            Some(hint) => {
                format!("{} carries no retention volume that mt-agent knows. {hint}", describe(disk))
            }
            None => format!("{} carries no retention volume that mt-agent made", describe(disk)),
        }),
        (Takeover::Replace, None) => {
            let Chosen { disk, format, .. } = choice::choose(profile, facts, request)?;
            let target = format.target.clone();
            Ok(Successor { disk, target, made_by: Some(Change::FormatRetention(format)) })
        }
    }
}

fn predecessor(profile: &Profile, facts: &Facts, successor: &Successor<'_>) -> Result<Predecessor, String> {
    let point = &profile.retention.mount_point;
    let reason = |status: crate::steps::Status| status.describe();
    let (mut lines, mut has_line) = (Vec::new(), false);
    for entry in need(&facts.fstab, "/etc/fstab").map_err(reason)? {
        if !same_path(&entry.mount_point, point) {
            continue;
        }
        if is_line_of(facts, successor, &entry.device) {
            has_line = true;
        } else if entry.ours {
            lines.push(entry.device.clone());
        } else {
            return Err(format!(
                "line {} of /etc/fstab mounts {} on {point} and is not mt-agent's: remove it, then run again",
                entry.line, entry.device
            ));
        }
    }
    let ignored = facts.fstab_ignored.iter().filter(|line| line.ours && same_path(&line.mount_point, point));
    lines.extend(ignored.map(|line| line.device.clone()));
    let mounted = mount_now(profile, facts).map_err(reason)?;
    if let Some(strays) = strays::at(point, facts).filter(|_| mounted.is_none()) {
        return Err(format!("{}: {}, then run again", strays.found, strays.fix));
    }
    let unmounted = match mounted.filter(|mount| !is_on(successor.disk, mount)) {
        Some(mount) => Some(unmount(facts, mount)?),
        None => None,
    };
    let elsewhere = |mount: &&Mount| is_on(successor.disk, mount) && !same_path(&mount.mount_point, point);
    if let Some(mount) = facts.mounts.known().into_iter().flatten().find(elsewhere) {
        let at = &mount.mount_point;
        return Err(format!(
            "{} is mounted at {at}: `umount {}`, then run again",
            describe(successor.disk),
            pasted(at)
        ));
    }
    Ok(Predecessor { unmounted, lines, has_line })
}

fn is_on(disk: &Disk, mount: &Mount) -> bool {
    disk.device_number() == mount.major_minor
}

/// Whether a first column of fstab names the successor, which need not be made yet.
fn is_line_of(facts: &Facts, successor: &Successor<'_>, device: &str) -> bool {
    is_for_fstab(device)
        && (device.strip_prefix("UUID=").is_some_and(|uuid| successor.target.uuid == Some(uuid.into()))
            || device.strip_prefix("/dev/mapper/") == Some(&successor.target.scsi_id)
            || resolve(device, facts).is_ok_and(|number| number == Some(successor.disk.device_number())))
}

impl Order<'_> {
    /// The earlier one goes, the new one is made. Where that is done, what is mounted and recorded next makes it hold.
    fn prepare(&self) -> Option<Remedy> {
        let Predecessor { unmounted, lines, .. } = &self.predecessor;
        let needs = if self.successor.made_by.is_some() { NEEDS } else { &[] };
        let (mount_point, devices) = (self.profile.retention.mount_point.to_string(), lines.clone());
        let line = (!devices.is_empty()).then_some(Change::RemoveFstab { mount_point, devices });
        let all = [unmounted.clone(), line, self.successor.made_by.clone()];
        let changes: Vec<_> = all.into_iter().flatten().collect();
        let is_left = !changes.is_empty() || self.mount().is_some();
        is_left.then_some(Remedy::With { changes, needs })
    }

    fn mount(&self) -> Option<Remedy> {
        let target = self.successor.target.clone();
        let record = self.facts.retention_record.known().and_then(Option::as_ref);
        let on_record = record.is_some_and(|record| record.scsi_id == target.scsi_id && record.finished);
        let there = matches!(mount_now(self.profile, self.facts), Ok(Some(_)));
        let mounted = there && self.predecessor.unmounted.is_none();
        if mounted && on_record {
            return None;
        }
        let mount_point = self.profile.retention.mount_point.to_string();
        let changes = vec![Change::MountRetention { target, mount_point, mounted }];
        Some(Remedy::With { changes, needs: &[id::RETENTION_DISK] })
    }

    fn keep(&self) -> Option<Remedy> {
        if self.predecessor.has_line {
            return None;
        }
        let systemd = self.facts.os.systemd.known()?;
        let Successor { disk, target, .. } = &self.successor;
        let device = match name_to_be(self.facts, disk, target) {
            Ok(device) => device,
            Err(why) => return Some(Remedy::Refused(why)),
        };
        let change = Change::WriteFstab {
            device,
            scsi_id: target.scsi_id.clone(),
            mount_point: self.profile.retention.mount_point.to_string(),
            fs_type: target.fs_type.clone(),
            options: fstab::options(Init::from(*systemd)).to_owned(),
            replaces: None,
        };
        Some(Remedy::With { changes: vec![change], needs: &[id::RETENTION_MOUNTED] })
    }
}
