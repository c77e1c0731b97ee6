//! One partition of the profile: mounted, of the right type, and in fstab.

mod found;

use crate::facts::Facts;
use crate::facts::disks::Disk;
use crate::facts::fstab::Entry;
use crate::host::DeviceNumber;
use crate::host::command::pasted;
use crate::host::device_name::can_move;
use crate::profile::{PartitionSpec, Profile};
use crate::steps::devices::{device_name, fstab_entry, mount_at, mount_over, resolve, same_path};
use crate::steps::tally::Tally;
use crate::steps::{Status, need};

use super::older::{by_its_own, misled};
use super::own_disks::ours::not_alone;
use super::unused::{unused, uuid};

/// Mount points that have a requirement of their own.
const NAMED: [&str; 3] = ["/", "/var/crash", "/home"];

pub(super) fn named(profile: &Profile, facts: &Facts, mount_point: &str) -> Result<Status, Status> {
    let spec = profile.layout.partitions.iter().find(|spec| same_path(&spec.mount, mount_point));
    let Some(spec) = spec else {
        return Err(Status::not_applicable(format!("the profile asks for no partition {mount_point}")));
    };
    let mut look = Look::new(profile, facts);
    let found = look.at(spec);
    let fix = look.fix(spec);
    Ok(look.tally.status(found, expected(spec), fix))
}

pub(super) fn further(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let is_named = |spec: &&PartitionSpec| NAMED.iter().any(|name| same_path(name, &spec.mount));
    let specs: Vec<_> = profile.layout.partitions.iter().filter(|spec| !is_named(spec)).collect();
    if specs.is_empty() {
        return Err(Status::not_applicable("the profile names no further partition"));
    }
    let mut look = Look::new(profile, facts);
    let found: Vec<_> = specs.iter().map(|spec| look.at(spec)).collect();
    let wanted: Vec<_> = specs.iter().map(|spec| expected(spec)).collect();
    let fix = match specs.as_slice() {
        [spec] => look.fix(spec),
        _ if !look.not_ours.is_empty() => look.not_ours.join("; "),
        _ if !look.bring_back.is_empty() => look.bring_back.join("; "),
        _ => "for each of them that is missing: a partition of its own, a file system on it, a line in \
              /etc/fstab, `mount DIRECTORY`"
            .into(),
    };
    Ok(look.tally.status(found.join("; "), wanted.join("; "), fix))
}

fn expected(spec: &PartitionSpec) -> String {
    format!("{} on an {} file system of its own, in /etc/fstab", spec.mount, spec.fs_type)
}

fn make_partition(spec: &PartitionSpec) -> String {
    let PartitionSpec { mount, fs_type } = spec;
    if mount == "/" {
        return format!("reinstall with Create Custom Layout and a standard {fs_type} partition for /");
    }
    // Not at /mnt, below which the retention volume is mounted.
    let new = format!("/root/new-{}", mount.rsplit('/').find(|name| !name.is_empty()).unwrap_or_default());
    format!(
        "best: reinstall with Create Custom Layout. On this machine: add a small disk on the LSI Logic controller \
         (not the retention disk), make one partition on it, \
         `mkfs.{fs_type} /dev/PARTITION`, `mkdir {new}`, `mount /dev/PARTITION {new}`, `cp -a {mount}/. {new}/`, \
         `umount {new}`, let /etc/fstab have one line \"UUID=... {mount} {fs_type} defaults 1 2\" with the UUID that `blkid` \
         prints, `mount {mount}`, and mt-agent apply --own-disk SCSI-ID"
    )
}

/// The line that fstab should have for what is mounted at `path`.
pub(super) fn line(profile: &Profile, facts: &Facts, path: &str, fs_type: &str) -> String {
    Look::new(profile, facts).line(path, fs_type)
}

/// What makes one writable again that is mounted read-only.
pub(super) fn remount(path: &str) -> String {
    let path = pasted(path);
    format!(
        "without errors in dmesg `mount -o remount,rw {path}`; with errors: start a rescue system, and fsck -f"
    )
}

fn repair(mount: &str, fs_type: &str, name: &str) -> String {
    let pass = if mount == "/" { 1 } else { 2 };
    let with = match name {
        "UUID=..." => format!(" with the UUID that `blkid` prints for the device of {mount}"),
        _ => String::new(),
    };
    format!(
        "let /etc/fstab have one line \"{name} {mount} {fs_type} defaults 1 {pass}\"{with}, and see that `mount` shows it \
         so after a restart"
    )
}

struct Look<'a> {
    profile: &'a Profile,
    facts: &'a Facts,
    disks: &'a [Disk],
    tally: Tally,
    /// Whether what is missing is a file system itself, and not only a line or an option.
    is_missing: bool,
    /// What is to be done where its storage does not answer, is hidden, or carries something else.
    bring_back: Vec<String>,
    /// What is advised where a device is not known to be this host's own: no command, and no line of fstab.
    not_ours: Vec<String>,
    /// What mends it where nothing else is wrong: its line in fstab only waits to be carried out, another one is mounted over it, or
    /// it is mounted read-only.
    alone: Option<String>,
}

impl<'a> Look<'a> {
    fn new(profile: &'a Profile, facts: &'a Facts) -> Self {
        let disks = facts.disks.known().map_or(&[][..], Vec::as_slice);
        let tally = Tally::default();
        Self {
            profile,
            facts,
            disks,
            tally,
            is_missing: false,
            bring_back: Vec::new(),
            not_ours: Vec::new(),
            alone: None,
        }
    }

    /// Looks at one; tells what it is, for when all holds.
    fn at(&mut self, spec: &PartitionSpec) -> String {
        let path = &*spec.mount;
        let mounts = self.tally.know(need(&self.facts.mounts, "the mounts"));
        let mount = mounts.and_then(|mounts| mount_at(mounts, path));
        match (mounts, mount) {
            (Some(mounts), Some(mount)) => self.mounted(spec, mount, mounts),
            (Some(mounts), None) => match (self.waiting(spec), mount_over(mounts, path)) {
                _ if self.is_older(path) => {}
                (Some(line), _) => {
                    self.alone = Some(format!("`mount {path}`"));
                    self.by_its_line(path);
                    self.tally.problem(format!("{path} is not mounted, though {line}"));
                }
                (None, Some(over)) => self.missing(format!(
                    "{path} is no file system of its own: it is a part of {} ({}, {})",
                    over.mount_point, over.source, over.fs_type
                )),
                (None, None) => self.missing(format!("{path} is no file system of its own")),
            },
            (None, _) => {}
        }
        self.in_fstab(spec, mount);
        match mount {
            Some(mount) => format!("{path}: {} on {}", mount.fs_type, self.name(mount.major_minor)),
            None => path.to_owned(),
        }
    }

    /// The least that mends it.
    fn fix(&self, spec: &PartitionSpec) -> String {
        if !self.not_ours.is_empty() {
            self.not_ours.join("; ")
        } else if !self.bring_back.is_empty() {
            self.bring_back.join("; ")
        } else if self.is_missing {
            match unused(self.profile, self.facts, "ext") {
                Some((name, uuid)) if spec.fs_type.name().starts_with("ext") && spec.mount != "/" => format!(
                    "{name} of the system disk has a file system that is not mounted. If it is that of {mount}: let /etc/fstab have \
                     one line \"UUID={uuid} {mount} {fs_type} defaults 1 2\", `mount {mount}`. If not: {}",
                    make_partition(spec),
                    mount = spec.mount,
                    fs_type = spec.fs_type
                ),
                _ => make_partition(spec),
            }
        } else if let Some(alone) = self.alone.as_ref().filter(|_| self.tally.failures() == 1) {
            alone.clone()
        } else {
            self.line(&spec.mount, spec.fs_type.name())
        }
    }

    /// The line that fstab should have: by the name that it has there, where that stays, else by the UUID.
    fn line(&self, path: &str, fs_type: &str) -> String {
        let mount = self.facts.mounts.known().and_then(|mounts| mount_at(mounts, path));
        let Some(mount) = mount else { return repair(path, fs_type, "UUID=...") };
        let entry = self.facts.fstab.known().and_then(|fstab| fstab_entry(fstab, path));
        let is_right = |name: &&str| {
            let leads = resolve(name, self.facts).is_ok_and(|number| number == Some(mount.major_minor));
            leads && !can_move(name) && not_alone(self.profile, self.facts, name).is_none()
        };
        if let Some(name) = entry.map(|entry| entry.device.as_str()).filter(is_right) {
            return repair(path, fs_type, name);
        }
        match uuid(self.facts, mount.major_minor).as_str() {
            "..." => repair(path, fs_type, "UUID=..."),
            uuid => {
                let name = format!("UUID={uuid}");
                not_alone(self.profile, self.facts, &name).unwrap_or_else(|| repair(path, fs_type, &name))
            }
        }
    }

    /// Looks whether its line in fstab may be carried out.
    fn by_its_line(&mut self, path: &str) {
        let entry = self.facts.fstab.known().and_then(|fstab| fstab_entry(fstab, path));
        self.not_ours.extend(entry.and_then(|entry| not_alone(self.profile, self.facts, &entry.device)));
    }

    /// Looks whether the name in its line is that of what its device carried before.
    fn is_older(&mut self, path: &str) -> bool {
        let entry = self.facts.fstab.known().and_then(|fstab| fstab_entry(fstab, path));
        let Some((entry, why)) = entry.and_then(|entry| Some((entry, misled(&entry.device, self.facts)?)))
        else {
            return false;
        };
        let Entry { line, device, .. } = entry;
        self.tally
            .problem(format!("{path} is not mounted, and line {line} of /etc/fstab names {device}: {why}"));
        self.bring_back.push(by_its_own(self.profile, self.facts, entry));
        true
    }

    /// What fstab says of one that is not mounted, where the line and the device are there.
    fn waiting(&self, spec: &PartitionSpec) -> Option<String> {
        // Something is mounted there in any case.
        let entry = fstab_entry(self.facts.fstab.known()?, &spec.mount).filter(|_| spec.mount != "/")?;
        let is_other = entry.fs_type != spec.fs_type.name() && entry.fs_type != "auto" || entry.mounts_else();
        let device = resolve(&entry.device, self.facts).ok().flatten().filter(|_| !is_other)?;
        Some(format!("line {} of /etc/fstab mounts {} there", entry.line, self.name(device)))
    }

    fn missing(&mut self, problem: String) {
        self.is_missing = true;
        self.tally.problem(problem);
    }

    /// The kernel's name of a device, where it is one of the disks'.
    fn name(&self, number: DeviceNumber) -> String {
        device_name(self.disks, number).map_or_else(|| number.to_string(), str::to_owned)
    }
}

#[cfg(test)]
#[path = "partition_tests.rs"]
mod tests;
