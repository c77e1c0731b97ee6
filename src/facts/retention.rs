//! The volume that we made: where its record says it is, and how it is known again without one.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use sha2::{Digest, Sha256};

use super::disks::{Disk, not_one_disk};
use super::filesystems::Filesystems;
use super::{Fact, signature};
use crate::host::{DeviceNumber, Host, Uuid};
use crate::state;

pub use super::signature::Volume;
pub use crate::state::retention::{Record, SCHEMA};

/// The label that the file system carries, for people: XFS allows these 12 characters and no more.
pub const LABEL: &str = "mt-retention";

/// Reads the record; `Known(None)` where there is none. A torn one is unknown.
pub fn load(host: &Host) -> Fact<Option<Record>> {
    Fact::from_result(state::retention::read(host))
}

/// The UUID that the file system on the disk with this SCSI ID gets. It follows from the ID alone, so that a plan made twice
/// is the same, and a volume that we made is known for ours where its record is lost. A name-based UUID of version 8
/// (RFC 9562), from SHA-256.
pub fn uuid_of(scsi_id: &str) -> Uuid {
    let digest = Sha256::digest(format!("mt-agent retention volume {scsi_id}"));
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    Uuid::Rfc(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// Whether a UUID is of the kind of [`uuid_of`]: version 8, which no mkfs gives.
pub fn is_made_uuid(uuid: &str) -> bool {
    uuid.len() == 36 && uuid.as_bytes()[14] == b'8'
}

/// The disk on which the volume of `record` must be, if it is anywhere: the one with the SCSI ID that we formatted. None
/// where we did not end, where it has partitions since, or where two disks that are not paths of one disk have the ID.
pub fn sought<'a>(record: &Record, disks: &'a [Disk]) -> Option<&'a Disk> {
    let mine: Vec<&Disk> = disks.iter().filter(|disk| disk.has_id(&record.scsi_id)).collect();
    let first = *mine.first()?;
    let one = mine.len() == 1 || first.multipath.is_some();
    let alike = |disk: &&Disk| disk.partitions.is_empty() && disk.device_number() == first.device_number();
    let one = one && not_one_disk(mine.iter().copied()).is_none();
    (record.finished && one && mine.iter().all(alike)).then_some(first)
}

/// The disk that carries a retention volume of ours, on record or by the UUID that follows from its SCSI ID, as far as is known:
/// `links` are udev's, `probed` is what libblkid found on disks.
pub fn carrier<'a>(
    disks: &'a [Disk],
    record: &Fact<Option<Record>>,
    links: &Fact<Filesystems>,
    probed: &[(&str, &Volume)],
) -> Option<&'a Disk> {
    let carries = |disk: &Disk, uuid: &Uuid| {
        let linked = links.known().and_then(|links| links.by_uuid.get(uuid));
        linked.is_some_and(|number| [disk.major_minor, disk.device_number()].contains(number))
            || probed.iter().any(|(name, volume)| *name == disk.name && volume.uuid == *uuid)
    };
    let recorded = || {
        let record = record.known()?.as_ref()?;
        sought(record, disks).filter(|disk| carries(disk, &record.uuid))
    };
    let made = |disk: &&Disk| disk.id().is_some_and(|id| carries(disk, &uuid_of(id)));
    recorded().or_else(|| disks.iter().find(made))
}

/// `major:minor` of `disk`, through its map where it has one, when libblkid's own probe finds on it exactly the file
/// system that `record` says we made, and nothing beside. For a host where udev has no link for it: it was not notified, it is
/// not there, or /dev is full. A disk that is ours must not be taken for an unused one because of that, nor be left out.
pub fn unlinked(host: &Host, record: &Record, disk: &Disk) -> Option<DeviceNumber> {
    if !host.is_live() {
        return None;
    }
    let (device, number) = (disk.device(), disk.device_number());
    let meta = fs::metadata(host.path(&device)).ok()?;
    let there = DeviceNumber::of(meta.rdev());
    if !meta.file_type().is_block_device() || there != number {
        return None;
    }
    let found = signature::read(host, &device).ok()?;
    (found.is_only(&record.fs_type) && found.uuid() == record.uuid).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::disks::{Map, Partition};
    use crate::facts::scsi::{KnownId, NoId};
    use crate::facts::testing;
    use crate::state::paths::RETENTION;

    fn record(finished: bool) -> Record {
        Record {
            schema: SCHEMA.into(),
            scsi_id: "36000c29a".into(),
            uuid: "1-2".into(),
            fs_type: "ext4".into(),
            boot_id: "b".into(),
            started_at: String::new(),
            finished,
        }
    }

    #[test]
    fn the_disk_of_a_finished_record_is_sought_and_no_other() {
        let disk = |name: &str, id: Option<&str>, map: Option<&str>| Disk {
            name: name.into(),
            path: format!("/dev/{name}"),
            major_minor: DeviceNumber::new(8, name.bytes().map(u32::from).sum()),
            scsi_id: id.map(KnownId::from).ok_or_else(NoId::default),
            multipath: map.map(|number| Map { major_minor: number.into(), ..Map::default() }),
            ..Disk::default()
        };
        let ours = Some("36000c29a");
        let found = |disks: &[Disk]| sought(&record(true), disks).map(|disk| disk.name.clone());
        let others = [disk("sda", Some("36000c29b"), None), disk("sdd", None, None)];
        assert_eq!(found(&others), None);
        let lone = [&others[..], &[disk("sdb", ours, None)]].concat();
        assert_eq!(found(&lone).as_deref(), Some("sdb"));
        assert_eq!(sought(&record(false), &lone), None, "unfinished");
        let two = [disk("sdb", ours, None), disk("sdc", ours, None)];
        assert_eq!(found(&two), None);
        let paths = [disk("sdb", ours, Some("253:0")), disk("sdc", ours, Some("253:0"))];
        assert_eq!(found(&paths).as_deref(), Some("sdb"));
        let maps = [disk("sdb", ours, Some("253:0")), disk("sdc", ours, Some("253:1"))];
        assert_eq!(found(&maps), None);
        let half = [disk("sdb", ours, Some("253:0")), disk("sdc", ours, None)];
        assert_eq!(found(&half), None);
        let parted = Disk { partitions: vec![Partition::default()], ..disk("sdb", ours, None) };
        assert_eq!(found(&[parted]), None);
    }

    #[test]
    fn the_disk_that_carries_a_volume_of_ours_is_known_by_record_link_or_probe() {
        let disk = |name: &str, number: &str, id: &str| Disk {
            name: name.into(),
            major_minor: number.into(),
            scsi_id: Ok(id.into()),
            ..Disk::default()
        };
        let disks = [disk("sda", "8:0", "36000c29a"), disk("sdb", "8:16", "36000c29b")];
        let links = |uuid: &Uuid, number: &str| {
            let by_uuid = [(uuid.clone(), number.into())].into();
            Fact::Known(Filesystems { by_uuid, ..Filesystems::default() })
        };
        let none = || Fact::Known(None);
        let name = |found: Option<&Disk>| found.map(|disk| disk.name.clone());
        let own = uuid_of("36000c29b");
        assert_eq!(name(carrier(&disks, &none(), &links(&own, "8:16"), &[])).as_deref(), Some("sdb"));
        assert_eq!(name(carrier(&disks, &none(), &links(&own, "8:0"), &[])), None, "a copy");
        let volume = Volume { fs_type: "ext4".into(), uuid: own, label: String::new() };
        let unread = Fact::Unknown("why".into());
        assert_eq!(name(carrier(&disks, &none(), &unread, &[("sdb", &volume)])).as_deref(), Some("sdb"));
        assert_eq!(name(carrier(&disks, &none(), &unread, &[("sda", &volume)])), None);
        let record = Fact::Known(Some(record(true)));
        assert_eq!(name(carrier(&disks, &record, &links(&"1-2".into(), "8:0"), &[])).as_deref(), Some("sda"));
        assert_eq!(
            name(carrier(&disks, &record, &links(&"3-4".into(), "8:0"), &[])),
            None,
            "not there any more"
        );
    }

    #[test]
    fn a_torn_record_or_that_of_another_version_is_unknown() {
        let why = |content: &str| {
            let dir = testing::tree(&[(&RETENTION[1..], content)]);
            match load(&Host::recorded(dir.path())) {
                Fact::Unknown(why) => why,
                other => panic!("{other:?}"),
            }
        };
        assert!(
            why("{\"schema\": \"mt-ag").starts_with("/var/lib/mt-agent/retention.json is not a whole JSON")
        );
        let other = why("{\"schema\": \"mt-agent/retention/v2\"}");
        let expected = "has the schema `mt-agent/retention/v2`; `mt-agent/retention/v1` was expected (a newer mt-agent wrote it";
        assert!(other.contains(expected), "{other}");
        let lacking = why("{\"schema\": \"mt-agent/retention/v1\"}");
        assert!(lacking.contains("is not a record of ours: missing field"), "{lacking}");
        let none = testing::tree(&[]);
        assert_eq!(load(&Host::recorded(none.path())), Fact::Known(None));
    }
}
