//! A volume that the agent made is known again.

use super::*;
use crate::changes::Target;
use crate::changes::mkfs::Format;
use crate::facts::storage::Storage;

/// sdb with the finished volume of an agent whose records are lost, as udev shows it.
fn restored() -> (Profile, Facts) {
    let (profile, mut facts) = without_volume();
    facts.probes = vec![carrying("sdb", &uuid_of(RETENTION_ID).to_string())];
    spoil(&mut facts.filesystems).by_uuid.insert(uuid_of(RETENTION_ID), "253:0".into());
    spoil(&mut facts.filesystems).by_label.insert("mt-retention".into(), "253:0".into());
    let carried = facts.probes[0].volume.as_deref().cloned();
    map_carries(&mut facts, carried);
    (profile, facts)
}

/// The probe of a disk that carries an XFS with our label.
fn carrying(disk: &str, uuid: &str) -> Probe {
    let found = "xfs file system \"mt-retention\" (libblkid)";
    let (fs_type, label) = ("xfs".into(), "mt-retention".into());
    Probe {
        found: vec![found.into()],
        volume: Some(Box::new(Volume { fs_type, uuid: uuid.into(), label })),
        ..not_blank(disk, &format!("it is not blank: {found}"))
    }
}

pub(super) fn mount_of(disk: &str, id: &str, fs_type: &str) -> Change {
    Change::MountRetention {
        target: Target {
            scsi_id: id.into(),
            device: disk.to_owned(),
            fs_type: fs_type.into(),
            uuid: Some(uuid_of(id)),
        },
        mount_point: "/mnt/retention".into(),
        mounted: false,
    }
}

fn line_of(device: &str, fs_type: &str) -> Change {
    Change::WriteFstab {
        device: device.to_owned(),
        scsi_id: RETENTION_ID.into(),
        mount_point: "/mnt/retention".into(),
        fs_type: fs_type.into(),
        options: "rw".into(),
        replaces: None,
    }
}

#[test]
fn with_its_records_lost_it_is_mounted_and_nothing_recommends_erasing_it() {
    let (profile, facts) = restored();
    let adopted = [mount_of(MAP, RETENTION_ID, "xfs"), line_of(MAP, "xfs")];
    outcome(&profile, &facts, "retention.disk").starts("met: sdb");
    for request in [Request::default(), at_terminal(), naming("sdb")] {
        let (changes, message) = planned(&profile, &facts, &request);
        assert_eq!(changes, adopted, "{request:?}");
        assert!(!message.contains("--erase-disk"), "{message}");
    }
    // Where udev made no link, its probe tells.
    let mut unlinked = facts.clone();
    spoil(&mut unlinked.filesystems).by_uuid.clear();
    assert_eq!(planned(&profile, &unlinked, &Request::default()).0, adopted);
    // Where it was not probed, its type shows when it is mounted.
    let mut unprobed = facts.clone();
    unprobed.probes.clear();
    assert_eq!(planned(&profile, &unprobed, &Request::default()).0[0], mount_of(MAP, RETENTION_ID, "auto"));
    // Without a map it is the disk.
    let mut single = facts;
    (disks(&mut single)[1].multipath, disks(&mut single)[1].holders) = (None, Vec::new());
    spoil(&mut single.filesystems).by_uuid.insert(uuid_of(RETENTION_ID), "8:16".into());
    let uuid = format!("UUID={}", uuid_of(RETENTION_ID));
    let expected = [mount_of("/dev/sdb", RETENTION_ID, "xfs"), line_of(&uuid, "xfs")];
    assert_eq!(planned(&profile, &single, &Request::default()).0, expected);
}

#[test]
fn beside_a_disk_of_a_customer_s_the_old_volume_is_mounted_and_that_disk_left() {
    // The OS disk was reverted to before the first apply: of the three nothing is on record.
    let (profile, mut facts) = restored();
    disks(&mut facts).push(virtual_disk(2, OTHER_ID, 1 << 40));
    facts.probes.push(eligible("sdc"));
    for request in [Request::default(), at_terminal()] {
        let (changes, message) = planned(&profile, &facts, &request);
        assert_eq!(
            changes[0],
            mount_of("/dev/mapper/36000c2982b5df41a25811b07e74971e8", RETENTION_ID, "xfs"),
            "{message}"
        );
        assert!(!formats(&changes), "{changes:?}");
    }
    // The volume on a partition or a disk of its own is not mounted, and hides the blank disk all the same.
    let place = |name: &str| {
        let (_, mut facts) = without_volume();
        disks(&mut facts)[0].scsi_id = Ok(OTHER_ID.into());
        spoil(&mut facts.identity.recorded).as_mut().unwrap().own(&[OTHER_ID.into()]);
        let volume = Volume { fs_type: "ext".into(), uuid: uuid_of(OTHER_ID), label: String::new() };
        let read = Storage { volume: Some(volume), ..testing::answering(name, "8:99") };
        spoil(&mut facts.storage).push(read);
        facts
    };
    for name in ["sdc1", "dm-7"] {
        for request in [Request::default(), at_terminal()] {
            let (changes, message) = planned(&profile, &place(name), &request);
            assert!(!formats(&changes), "{name}: {changes:?}");
            assert!(message.contains("an attached disk carries a retention volume"), "{name}: {message}");
        }
    }
}

#[test]
fn a_line_of_fstab_that_leads_nowhere_hides_it_from_nobody() {
    for record in [Fact::Known(None), our_record(true)] {
        let (profile, mut facts) = restored();
        facts.retention_record = record;
        spoil(&mut facts.fstab).push(testing::entry(9, "UUID=gone", "/mnt/retention", "xfs", 0));
        let (changes, message) = planned(&profile, &facts, &Request::default());
        assert_eq!(changes, [mount_of(MAP, RETENTION_ID, "xfs")]);
        assert!(!message.contains("--erase-disk"), "{message}");
        spoil(&mut facts.mounts).push(mount("/mnt/retention", "253:0", MAP, 1 << 40));
        outcome(&profile, &facts, "retention.persistent")
            .has("line 9: UUID=gone leads to no device")
            .has(format!("in line 9 of /etc/fstab put {MAP} /mnt/retention ext4"));
    }
}

#[test]
fn of_two_volumes_of_ours_none_is_mounted_until_one_is_named() {
    let (mut profile, mut facts) = restored();
    disks(&mut facts).push(virtual_disk(2, OTHER_ID, 1 << 40));
    facts.probes.push(carrying("sdc", &uuid_of(OTHER_ID).to_string()));
    let (changes, message) = planned(&profile, &facts, &Request::default());
    assert_eq!(changes, []);
    for word in [
        "2 attached disks carry a retention volume",
        RETENTION_ID,
        OTHER_ID,
        "--adopt-retention 36000c2982b5df41a25811b07e74971e8 or mt-agent apply --adopt-retention",
    ] {
        assert!(message.contains(word), "{word}: {message}");
    }
    assert!(!message.contains("--erase-disk"), "{message}");
    let other = mount_of("/dev/sdc", OTHER_ID, "xfs");
    assert_eq!(planned(&profile, &facts, &naming("sdc")).0[0], other);
    profile.retention.disk = Some(OTHER_ID.parse().unwrap());
    assert_eq!(planned(&profile, &facts, &Request::default()).0[0], other);
    // The record tells which one this host made.
    profile.retention.disk = None;
    facts.retention_record = Fact::Known(Some(Record { fs_type: "xfs".into(), ..record_of(OTHER_ID) }));
    assert_eq!(planned(&profile, &facts, &Request::default()).0[0], other);
}

#[test]
fn a_label_alone_is_shown_and_never_adopted() {
    let (profile, mut facts) = restored();
    let copied = uuid_of(OTHER_ID);
    facts.probes = vec![carrying("sdb", &copied.to_string())];
    let carried = facts.probes[0].volume.as_deref().cloned();
    map_carries(&mut facts, carried);
    let links = spoil(&mut facts.filesystems);
    links.by_uuid = [(copied.clone(), "253:0".into())].into();
    outcome(&profile, &facts, "retention.disk").has("1 TiB), labelled mt-retention | ");
    for request in [Request::default(), at_terminal(), naming("sdb")] {
        let (changes, message) = planned(&profile, &facts, &request);
        assert_eq!(changes, [], "{request:?}");
        assert!(!message.contains("--erase-disk"), "{message}");
    }
    let why = format!("its UUID {copied} does not follow from its SCSI ID");
    refused(&profile, &facts, &naming("sdb"), &[&why, &format!("put UUID={copied} into /etc/fstab")]);
    // Nor is a copy of ours on a partition, or on one of two disks that answer alike.
    let (profile, mut facts) = restored();
    disks(&mut facts)[1].partitions.push(Default::default());
    assert_eq!(planned(&profile, &facts, &Request::default()).0, []);
    let (profile, mut facts) = restored();
    disks(&mut facts).push(virtual_disk(2, RETENTION_ID, 1 << 40));
    assert_eq!(planned(&profile, &facts, &Request::default()).0, []);
}

#[test]
fn a_damaged_volume_of_ours_is_erased_and_made_again_where_a_person_orders_it() {
    let (profile, facts) = restored();
    let erase = Request { erase_disk: Some(RETENTION_ID.into()), ..naming("sdb") };
    let (changes, message) = planned(&profile, &facts, &erase);
    assert!(
        matches!(&changes[..], [Change::FormatRetention(Format { erase: true, target, .. }), mounted, line]
            if target.scsi_id == RETENTION_ID && *mounted == mount_of(MAP, RETENTION_ID, "ext4") && *line == line_of(MAP, "ext4")),
        "{changes:?}"
    );
    assert!(!message.contains("is not needed"), "{message}");
    // Mounted, it is left.
    let mut mounted = facts.clone();
    spoil(&mut mounted.mounts).push(mount("/mnt/retention", "253:0", MAP, 1 << 40));
    let (changes, message) = planned(&profile, &mounted, &erase);
    assert_eq!(changes, [line_of(MAP, "ext4")]);
    assert!(message.contains("--erase-disk") && message.contains("is left as it is"), "{message}");
    // The order alone, or for another disk, does not reach it.
    for request in [
        Request { retention_disk: None, ..erase.clone() },
        Request { erase_disk: Some("sda".into()), ..erase },
    ] {
        let (changes, _) = planned(&profile, &facts, &request);
        assert!(!formats(&changes), "{changes:?}");
    }
}

pub(super) fn our_record(finished: bool) -> Fact<Option<Record>> {
    Fact::Known(Some(Record { fs_type: "xfs".into(), finished, ..record_of(RETENTION_ID) }))
}

#[test]
fn a_making_that_did_not_end_is_resumed_and_not_mounted() {
    for line in [None, Some(MAP)] {
        let (profile, mut facts) = restored();
        facts.retention_record = our_record(false);
        if let Some(device) = line {
            spoil(&mut facts.fstab).push(testing::entry(11, device, "/mnt/retention", "xfs", 0));
        }
        let (changes, message) = planned(&profile, &facts, &Request::default());
        assert!(
            matches!(changes.first(), Some(Change::FormatRetention(Format { erase: false, target, .. }))
                if target.scsi_id == RETENTION_ID),
            "{changes:?} {message}"
        );
    }
}

#[test]
fn an_erasure_that_was_carried_out_before_a_restart_does_not_hide_what_was_made() {
    let (profile, mut facts) = restored();
    facts.retention_record = our_record(true);
    facts.probes[0].fingerprint = Some("of the new one".into());
    facts.probes[0].written = Some(false);
    let left = Request {
        erase_disk: Some(RETENTION_ID.into()),
        erase_fingerprint: Some("of the old one".into()),
        resumed: true,
        ..naming(RETENTION_ID)
    };
    let (changes, message) = planned(&profile, &facts, &left);
    assert_eq!(changes, [mount_of(MAP, RETENTION_ID, "xfs"), line_of(MAP, "xfs")]);
    assert!(!message.contains("say so once more"), "{message}");
}

#[test]
fn the_mount_after_an_ordered_erasure_is_the_one_that_was_agreed_to() {
    let (profile, mut facts) = restored();
    spoil(&mut facts.fstab).push(testing::entry(11, MAP, "/mnt/retention", "ext4", 0));
    let erase = Request { erase_disk: Some(RETENTION_ID.into()), ..naming("sdb") };
    let (agreed, _) = planned(&profile, &facts, &erase);
    // Made again: on record, and the order is carried out.
    facts.retention_record = our_record(true);
    let (now, _) = planned(&profile, &facts, &naming("sdb"));
    assert_eq!(now.len(), 1, "{now:?}");
    let Change::MountRetention { target, .. } = &now[0] else { panic!("{now:?}") };
    assert_eq!(target.fs_type, "xfs", "what was made, not what the line says");
    let mounts =
        |change: &Change| matches!(change, Change::MountRetention { target, .. } if target.uuid.is_some());
    assert!(agreed.iter().any(mounts) && now.iter().all(mounts), "{agreed:?} {now:?}");
}

#[test]
fn what_our_record_says_was_made_is_repaired_before_it_is_erased() {
    let (profile, mut facts) = restored();
    let links = spoil(&mut facts.filesystems);
    (links.by_uuid, links.by_label) = Default::default();
    facts.probes[0].volume = None;
    map_carries(&mut facts, None);
    facts.retention_record = our_record(true);
    // To look at it writes nothing: no journal is replayed.
    for (fs_type, option) in [("ext4", "noload"), ("xfs", "norecovery")] {
        spoil(&mut facts.retention_record).as_mut().unwrap().fs_type = fs_type.into();
        has(
            &chosen(&profile, &facts, &naming("sdb")).unwrap_err(),
            &format!("mount -o ro,{option} /dev/mapper/{RETENTION_ID}"),
        );
    }
    let why = chosen(&profile, &facts, &naming("sdb")).unwrap_err();
    assert!(why.contains("mt-agent made a retention volume on it, which is not recognised now"), "{why}");
    assert!(!why.contains("--erase-disk"), "{why}");
    let erase = Request { erase_disk: Some(RETENTION_ID.into()), ..naming("sdb") };
    assert_eq!(chosen(&profile, &facts, &erase), Ok(("sdb", true)));
}
