//! Another attached disk has the UUID of the retention volume: a snapshot, a clone, a restored copy.

use super::volumes::{mount_of, our_record};
use super::*;
use crate::facts::storage::{Entry, Place, Table};
use crate::steps::remedy::Takeover;

const BY_HAND: &str = "5a0dbe71-0b6c-4c1e-9f5a-3d1c2b4a5e6f";

fn carried(facts: &mut Facts, name: &str, number: &str, uuid: &str) {
    let volume = Volume { fs_type: "ext".into(), uuid: uuid.into(), label: String::new() };
    let storage = spoil(&mut facts.storage);
    storage.retain(|one| one.name != name);
    storage.push(crate::facts::storage::Storage { volume: Some(volume), ..testing::answering(name, number) });
}

/// sdb, without a map, and sdc carry the UUID, udev's link leads to sdc, and line 9 of fstab has the UUID.
fn twins(uuid: &str) -> (Profile, Facts) {
    let (profile, mut facts) = without_volume();
    facts.probes.clear();
    (disks(&mut facts)[1].multipath, disks(&mut facts)[1].holders) = (None, Vec::new());
    disks(&mut facts).push(virtual_disk(2, OTHER_ID, 1 << 40));
    carried(&mut facts, "sdb", "8:16", uuid);
    carried(&mut facts, "sdc", "8:32", uuid);
    spoil(&mut facts.filesystems).by_uuid.insert(uuid.into(), "8:32".into());
    spoil(&mut facts.fstab).push(testing::entry(9, &format!("UUID={uuid}"), "/mnt/retention", "ext4", 0));
    (profile, facts)
}

/// The disk with this name is detached.
fn detached(facts: &mut Facts, name: &str) {
    disks(facts).retain(|disk| disk.name != name);
    spoil(&mut facts.storage).retain(|one| one.name != name);
}

fn nothing_is_mounted(profile: &Profile, facts: &Facts, found: &str) {
    for request in [Request::default(), at_terminal(), naming("sdc"), naming(RETENTION_ID)] {
        let (changes, message) = planned(profile, facts, &request);
        assert_eq!(changes, [], "{request:?} {message}");
    }
    outcome(profile, facts, "retention.disk").starts("unmet: line 9 of /etc/fstab ").has(found);
    let findings = judge_all(profile, facts, TODAY, &Selection::default());
    let all = format!("{findings:?}");
    assert!(!all.contains("or: mount "), "{all}");
}

#[test]
fn the_volume_of_ours_is_mounted_and_not_what_the_link_leads_to() {
    let (profile, mut facts) = twins(&uuid_of(RETENTION_ID).to_string());
    for (record, fs_type) in [(our_record(true), "xfs"), (Fact::Known(None), "ext4")] {
        facts.retention_record = record;
        for request in [Request::default(), naming("sdb")] {
            let (changes, message) = planned(&profile, &facts, &request);
            assert_eq!(changes, [mount_of("/dev/sdb", RETENTION_ID, fs_type)], "{message}");
        }
        outcome(&profile, &facts, "retention.disk").starts("met: sdb ");
        outcome(&profile, &facts, "retention.mounted").ends("or: mount /dev/sdb /mnt/retention");
        // A person names the other one.
        let (changes, message) = planned(&profile, &facts, &naming("sdc"));
        assert_eq!(changes, []);
        assert!(
            message.contains("carries the retention volume that mt-agent made, but sdc is named"),
            "{message}"
        );
    }
}

#[test]
fn a_copy_is_not_mounted_in_place_of_the_disk_on_record() {
    let uuid = uuid_of(RETENTION_ID);
    let (profile, mut facts) = twins(&uuid.to_string());
    facts.retention_record = our_record(true);
    detached(&mut facts, "sdb");
    nothing_is_mounted(
        &profile,
        &facts,
        "leads to sdc (36000c29aaaaaaaaaaaaaaaaaaaaaaaaa, 1 TiB), but the retention",
    );
    // Nor by another name, beside the disk on record.
    let (profile, mut facts) = twins(&uuid.to_string());
    facts.retention_record = our_record(true);
    spoil(&mut facts.filesystems).by_mapper.insert(OTHER_ID.into(), "8:32".into());
    spoil(&mut facts.fstab).last_mut().unwrap().device = format!("/dev/mapper/{OTHER_ID}");
    nothing_is_mounted(&profile, &facts, "leads to sdc");
    // Nor by our own line, where the record is lost too.
    let (profile, mut facts) = twins(&uuid.to_string());
    detached(&mut facts, "sdb");
    spoil(&mut facts.fstab).last_mut().unwrap().ours = true;
    nothing_is_mounted(&profile, &facts, "it can be a copy");
}

#[test]
fn of_two_volumes_that_a_person_made_none_is_mounted_by_their_uuid() {
    let (profile, mut facts) = twins(BY_HAND);
    nothing_is_mounted(&profile, &facts, "which several attached devices have: sdb (");
    // What could not be read may be one.
    let read = |facts: &mut Facts| spoil(&mut facts.storage).retain(|one| one.name != "sdb");
    read(&mut facts);
    assert_eq!(planned(&profile, &facts, &Request::default()).0, []);
    outcome(&profile, &facts, "retention.disk").starts("unknown: ").has("sdb was not looked at");
    // One alone is mounted as its line says, unless another disk is named.
    detached(&mut facts, "sdb");
    let (changes, message) = planned(&profile, &facts, &Request::default());
    assert!(
        matches!(&changes[..], [Change::MountRetention { target, .. }]
            if target.uuid.is_none() && target.device == "/dev/sdc"),
        "{message}"
    );
    disks(&mut facts).push(virtual_disk(3, RETENTION_ID, 1 << 40));
    spoil(&mut facts.storage).push(testing::answering("sdd", "8:48"));
    let (changes, message) = planned(&profile, &facts, &naming("sdd"));
    assert_eq!(changes, []);
    assert!(
        message.contains("is what /etc/fstab mounts as the retention volume, but sdd is named"),
        "{message}"
    );
}

#[test]
fn a_uuid_that_several_have_is_not_written_to_fstab() {
    let uuid = uuid_of(RETENTION_ID);
    let (profile, mut facts) = twins(&uuid.to_string());
    facts.retention_record = our_record(true);
    spoil(&mut facts.fstab).pop();
    let written = |facts: &Facts, request: &Request| {
        let (changes, message) = planned(&profile, facts, request);
        let lines = changes.into_iter().filter_map(|change| match change {
            Change::WriteFstab { device, .. } => Some(device),
            _ => None,
        });
        (lines.collect::<Vec<_>>(), message)
    };
    let adopting = Request { takeover: Some(Takeover::Adopt), ..naming("sdb") };
    let mounted = |facts: &Facts, number: &str| {
        let mut facts = facts.clone();
        spoil(&mut facts.mounts).push(mount("/mnt/retention", number, "/dev/sdb", 1 << 40));
        facts
    };
    let mut linked = mounted(&facts, "8:16");
    spoil(&mut linked.filesystems).by_uuid.insert(uuid.clone(), "8:16".into());
    for facts in [&facts, &linked, &mounted(&facts, "8:16")] {
        for request in [&Request::default(), &adopting] {
            let (lines, message) = written(facts, request);
            assert_eq!(lines, [""; 0]);
            assert!(message.contains("sdc has the same UUID"), "{message}");
        }
    }
    // At the place of a partition that the kernel does not show.
    let mut unread = linked.clone();
    let disk = spoil(&mut unread.storage).iter_mut().find(|one| one.name == "sdc").unwrap();
    let place = Some(Place::Read { volume: disk.volume.take(), group: None, array: None });
    let entry = Entry { number: 1, start_bytes: 1 << 20, place, ..Entry::default() };
    disk.table = Some(Table { entries: vec![entry], ..Table::default() });
    assert_eq!(written(&unread, &Request::default()).0, [""; 0]);
    detached(&mut linked, "sdc");
    assert_eq!(written(&linked, &Request::default()).0, [format!("UUID={uuid}")]);
}

#[test]
fn what_lies_on_a_disk_is_told_by_its_own_first_block() {
    let (profile, mut facts) = twins(&uuid_of(RETENTION_ID).to_string());
    spoil(&mut facts.fstab).pop();
    facts.retention_record = our_record(true);
    spoil(&mut facts.retention_record).as_mut().unwrap().scsi_id = "36000c29bbbbbbbbbbbbbbbbbbbbbbbbb".into();
    let adopting = |name: &str| Request { takeover: Some(Takeover::Adopt), ..naming(name) };
    takeover::check(&profile, &facts, &adopting("sdb")).unwrap();
    has(
        &takeover::check(&profile, &facts, &adopting("sdc")).unwrap_err().to_string(),
        "carries no retention volume that mt-agent",
    );
}
