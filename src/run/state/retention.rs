//! The record of the retention disk, held against the disks.

use super::act::{Act, Held, REPAIR};
use super::look::{Look, UNREAD_HOST};
use crate::facts::disks::Disk;
use crate::host::{FileSystem, text};
use crate::report::state::Stands;
use crate::run::now;
use crate::state::{paths, retention};
use crate::steps::retention::{Recalled, Used, on_record, recall};
use crate::steps::{Status, id, is_image};

impl Look<'_> {
    pub(super) fn retention(&self) -> Held {
        const PATH: &str = paths::RETENTION;
        let volumes = match recall(self.profile, self.facts) {
            Ok(volumes) => volumes,
            Err(status) => return self.retention_unknown(&status),
        };
        let point = &self.profile.retention.mount_point;
        let host = volumes.iter().map(|volume| described(volume, point)).collect::<Vec<_>>().join("; ");
        let used = |used: Used| volumes.iter().find(|volume| volume.used == used);
        let rebuilt =
            used(Used::Mounted).or_else(|| used(Used::InFstab)).and_then(|volume| self.remade(volume));
        let adopt = || match volumes.as_slice() {
            [] => None,
            [volume, ..] => Some(format!(
                "if it is this machine's: mt-agent apply --adopt-retention {}",
                text::safe(&volume.target.scsi_id)
            )),
        };
        let anew = "mt-agent apply --retention-disk SCSI-ID makes another one";
        match retention::read(self.host) {
            Err(unread) => {
                let host = if host.is_empty() {
                    "no attached disk carries a volume that mt-agent made".to_owned()
                } else {
                    host
                };
                let held = Held::unread(PATH, &unread, &host);
                match rebuilt {
                    Some(act) => held.aside(" and records this volume").act(act),
                    None => {
                        let then = adopt().unwrap_or_else(|| format!("attach the disk, or {anew}"));
                        held.aside(&format!("; then, {then}"))
                    }
                }
            }
            Ok(None) => match (rebuilt, adopt()) {
                (Some(act), _) => Held::new(PATH, Stands::Missing, "", &host)
                    .fix(&format!("{REPAIR} records this volume"))
                    .act(act),
                (None, Some(adopt)) => Held::new(PATH, Stands::Missing, "", &host).fix(&adopt),
                (None, None) => Held::none(PATH),
            },
            Ok(Some(record)) => self.retention_as_recorded(&record, &host, adopt()),
        }
    }

    /// A record that can be read, held against the disks.
    fn retention_as_recorded(&self, record: &retention::Record, host: &str, adopt: Option<String>) -> Held {
        const PATH: &str = paths::RETENTION;
        let point = &self.profile.retention.mount_point;
        let (id, uuid) = (text::safe(&record.scsi_id), text::safe(&record.uuid.to_string()));
        let content = format!(
            "{} volume {uuid} on the disk {id}, {}",
            text::safe(&record.fs_type),
            text::safe(&record.started_at)
        );
        if !record.finished {
            let content = format!("{content}: its making was begun, and its end is not recorded");
            return Held::new(PATH, Stands::Differs, &content, host)
                .fix(&format!("mt-agent apply --retention-disk {id} resumes it"));
        }
        if is_image(self.facts) {
            return Held::new(PATH, Stands::Agrees, &content, "an image's tree has no disks to look at");
        }
        let disks = self.facts.disks.known().into_iter().flatten();
        let attached = disks.into_iter().find(|disk| disk.has_id(&record.scsi_id));
        let mounted =
            self.facts.mounts.known().into_iter().flatten().find(|mount| mount.mount_point == *point);
        let (status, found, fix) = match (on_record(self.facts, record), attached, mounted) {
            (_, Some(disk), Some(mount))
                if record.finished && disk.all_devices().contains(&mount.major_minor) =>
            {
                match self.status(id::RETENTION_DISK, self.facts) {
                    Status::Unmet { found, fix, .. } => (Stands::Differs, found, fix),
                    Status::Unknown { why } => (Stands::Differs, why, UNREAD_HOST.to_owned()),
                    _ => (
                        Stands::Agrees,
                        format!("{} carries it, mounted at {point}", disk.name),
                        String::new(),
                    ),
                }
            }
            (Some(name), _, None) => {
                (Stands::Agrees, format!("{name} carries it; nothing is mounted at {point}"), String::new())
            }
            (Some(name), _, Some(mount)) => (
                Stands::Differs,
                format!("{name} carries it, but {} is mounted at {point}", text::safe(&mount.source)),
                format!("umount {point}, then mt-agent apply mounts the one on record"),
            ),
            (None, Some(disk), _) => (
                Stands::Differs,
                format!("{} has this SCSI ID and does not carry that volume", disk.name),
                format!("mt-agent disks --probe {} shows what is on it", disk.name),
            ),
            (None, None, _) if let Some(disk) = self.unnamed_disk() => (
                Stands::Differs,
                format!("cannot determine whether its disk is attached: {} shows no SCSI ID", disk.name),
                UNREAD_HOST.to_owned(),
            ),
            (None, None, _) => (
                Stands::Differs,
                "no attached disk has this SCSI ID".to_owned(),
                "attach it; where it is gone for good: mt-agent apply --replace-retention NEW-ID".to_owned(),
            ),
        };
        let is_other = on_record(self.facts, record).is_none() && !host.is_empty();
        let found = if is_other { format!("{found}; {host}") } else { found };
        let fix = match adopt.filter(|_| is_other) {
            Some(adopt) => format!("{fix}; or, {adopt}"),
            None => fix,
        };
        Held::new(PATH, status, &content, &found).fix(&fix)
    }

    /// A disk that may be any of those on record: its SCSI ID could not be read, or it has none.
    pub(super) fn unnamed_disk(&self) -> Option<&Disk> {
        self.facts.disks.known()?.iter().find(|disk| disk.id_of_scsi().is_err())
    }

    fn retention_unknown(&self, status: &Status) -> Held {
        const PATH: &str = paths::RETENTION;
        match retention::read(self.host) {
            Err(unread) => Held::unread(PATH, &unread, &status.describe()).fix(UNREAD_HOST),
            Ok(Some(record)) if is_image(self.facts) => self.retention_as_recorded(&record, "", None),
            Ok(Some(record)) => {
                let content = format!("a volume on the disk {}", text::safe(&record.scsi_id));
                Held::new(PATH, Stands::Differs, &content, &status.describe()).fix(UNREAD_HOST)
            }
            Ok(None) if is_image(self.facts) => Held::none(PATH),
            Ok(None) => Held::new(PATH, Stands::None, "", &status.describe()),
        }
    }

    /// The record of a volume that the host shows.
    fn remade(&self, volume: &Recalled) -> Option<Act> {
        let target = Some(&volume.target).filter(|target| target.fs_type != FileSystem::Auto)?;
        Some(Act::Retention(Box::new(target.record(self.facts.boot_id.known()?, now()))))
    }
}

/// A volume as the host shows it.
fn described(volume: &Recalled, point: &str) -> String {
    let (disk, id) = (&volume.disk, text::safe(&volume.target.scsi_id));
    let how = match volume.used {
        Used::Mounted => format!("mounted at {point}"),
        Used::InFstab => format!("which the agent's line of /etc/fstab mounts at {point}"),
        Used::Attached => "which nothing mounts".to_owned(),
    };
    format!("{disk} ({id}) carries a volume that mt-agent made, {how}")
}
