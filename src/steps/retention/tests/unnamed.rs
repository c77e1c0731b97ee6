//! A disk that nobody named: only a person at a terminal takes it, and only where it can be no other.

use super::*;
use crate::facts::disks::ControllerKind;
use crate::facts::fstab::Ignored;
use crate::facts::storage::{Entry, Place, Read, Storage, Table};
use crate::steps::retention::unnamed;

/// Line 13, which is passed over at boot.
fn ignored(device: &str, mount_point: &str) -> Ignored {
    Ignored {
        line: 13,
        device: device.into(),
        mount_point: mount_point.into(),
        why: "a comment".into(),
        ours: false,
    }
}

#[test]
fn a_lone_blank_disk_is_a_person_s_at_a_terminal_and_of_nobody_else() {
    let (profile, mut facts) = without_volume();
    assert_eq!(chosen(&profile, &facts, &at_terminal()), Ok(("sdb", false)));
    assert_eq!(unnamed(&profile, &facts, &at_terminal()).map(|disk| disk.name.as_str()), Some("sdb"));
    assert_eq!(unnamed(&profile, &facts, &naming("sdb")), None, "named it needs no confirmation");
    let reason = format!(
        "sdb ({RETENTION_ID}, 1 TiB) is the only blank disk, but nobody named it, and a run that nobody watches chooses \
         none: name it, if it is meant: mt-agent apply --retention-disk {RETENTION_ID}; or put"
    );
    refused(&profile, &facts, &Request::default(), &[&reason]);
    let planned = plan(&profile, &facts, &Selection::default(), TODAY, &Request::default());
    assert_eq!(planned.changes, [], "plan and apply --yes");
    let manual = planned.manual.iter().find(|manual| manual.id == "retention.disk").unwrap();
    assert!(manual.fix.starts_with(&reason), "{}", manual.fix);
    facts.guest_retention_disk = Fact::Unknown("vmtoolsd hangs".into());
    refused(
        &profile,
        &facts,
        &Request::default(),
        &["retention-disk, which could not be read: vmtoolsd hangs"],
    );
    // Begun, it is resumed after a restart by the SCSI ID that was confirmed.
    assert_eq!(chosen(&profile, &facts, &naming(RETENTION_ID)), Ok(("sdb", false)));
}

#[test]
fn what_nobody_adds_for_the_retention_volume_has_to_be_named() {
    type SpoilDisk = fn(&mut Disk);
    let (profile, facts) = without_volume();
    let cases: [(&str, SpoilDisk); 6] = [
        ("it is no virtual disk of VMware (vendor: LIO-ORG)", |disk| disk.vendor = Some("LIO-ORG".into())),
        ("it is no virtual disk of VMware (vendor: no vendor)", |disk| disk.vendor = None),
        ("it is no virtual disk of VMware (vendor: VMware)", |disk| {
            disk.scsi_id = Ok("3600140500000000000000000000000a1".into());
        }),
        ("it is not on an LSI Logic controller", |disk| disk.controller = None),
        ("it is not on an LSI Logic controller", |disk| {
            disk.controller.as_mut().unwrap().kind = ControllerKind::ParavirtualScsi;
        }),
        ("it is smaller than the 1 TiB that the profile wants", |disk| disk.size_bytes = 40 << 30),
    ];
    for (why, spoil_disk) in cases {
        let mut facts = facts.clone();
        spoil_disk(&mut disks(&mut facts)[1]);
        let id = disks(&mut facts)[1].id().cloned().unwrap();
        let name_it = format!("{why}: name it, if it is meant: mt-agent apply --retention-disk {id}");
        refused(&profile, &facts, &at_terminal(), &["is the only blank disk, but ", &name_it]);
        assert_eq!(chosen(&profile, &facts, &naming(&id)), Ok(("sdb", false)), "{why}");
    }
}

#[test]
fn with_the_master_target_installed_a_lone_blank_disk_must_be_named() {
    let (profile, mut facts) = without_volume();
    facts.site_agent = Fact::Known(SiteAgent { version: Some("9.6.0".into()), ..SiteAgent::default() });
    refused(&profile, &facts, &at_terminal(), &["protected machine's", RETENTION_ID]);
    assert_eq!(chosen(&profile, &facts, &naming(RETENTION_ID)), Ok(("sdb", false)));
    facts.site_agent = Fact::Unknown("permission denied".into());
    refused(&profile, &facts, &at_terminal(), &["ever been installed cannot be determined"]);
}

#[test]
fn where_the_master_target_has_been_a_lone_blank_disk_must_be_named() {
    let (profile, facts) = without_volume();
    let record =
        |id: &str, finished| Fact::Known(Some(Record { uuid: DRAWN.into(), finished, ..record_of(id) }));
    let unknown = || "Input/output error".to_owned();
    let own = uuid_of(OTHER_ID);
    let uuid = own.to_string();
    let labelled = |label: &str, uuid: &str| Probe {
        disk: "sdc".into(),
        volume: Some(Box::new(Volume { fs_type: "xfs".into(), uuid: uuid.into(), label: label.into() })),
        ..Probe::default()
    };
    let signs: [(&str, Spoiler<'_>); 21] = [
        ("the master target software has been installed (/var/log/ua_install.log)", &|facts| {
            spoil(&mut facts.site_agent).install_log = true;
        }),
        ("the vendor's changes are on record, but their marker is gone", &|facts| {
            facts.custom_changes.marker_ctime_secs = Fact::Known(None);
        }),
        ("the vendor's changes are on record, but their marker is gone", &|facts| {
            facts.custom_changes.marker_ctime_secs = Fact::Known(None);
            spoil(&mut facts.custom_changes.record).as_mut().unwrap().outcome = Outcome::Accepted;
        }),
        ("whether the vendor's changes were ever applied cannot be determined", &|facts| {
            facts.custom_changes.record = Fact::Unknown(unknown());
        }),
        ("whether the vendor's changes were ever applied cannot be determined", &|facts| {
            facts.custom_changes.marker_ctime_secs = Fact::Unknown(unknown());
        }),
        (&format!("a retention volume was made on another disk ({OTHER_ID})"), &|facts| {
            facts.retention_record = record(OTHER_ID, true);
        }),
        (&format!("a retention volume was begun on another disk ({OTHER_ID})"), &|facts| {
            facts.retention_record = record(OTHER_ID, false);
        }),
        ("whether a retention volume was ever made cannot be determined", &|facts| {
            facts.retention_record = Fact::Unknown(unknown());
        }),
        ("line 13 of /etc/fstab has another volume for /mnt/retention (UUID=gone)", &|facts| {
            let gone = testing::entry(13, "UUID=gone", "/mnt/retention", "ext4", 0);
            spoil(&mut facts.fstab).push(gone);
        }),
        ("line 13 of /etc/fstab has another volume for /mnt/retention (/dev/x)", &|facts| {
            facts.fstab_ignored.push(ignored("/dev/x", "/mnt/retention"));
        }),
        ("line 13 of /etc/fstab is for sdb (/dev/sdb1)", &|facts| {
            facts.fstab_ignored.push(ignored("/dev/sdb1", "/data"));
        }),
        ("whether /etc/fstab has a line for /mnt/retention cannot be determined", &|facts| {
            facts.fstab = Fact::Unknown(unknown());
        }),
        ("line 13 of /etc/fstab is for sdb (/dev/sdb1)", &|facts| {
            spoil(&mut facts.fstab).push(testing::entry(13, "/dev/sdb1", "/data", "ext4", 0));
        }),
        (&format!("line 13 of /etc/fstab is for sdb (/dev/mapper/{RETENTION_ID}p1)"), &|facts| {
            let device = format!("/dev/mapper/{RETENTION_ID}p1");
            spoil(&mut facts.fstab).push(testing::entry(13, &device, "/data", "ext4", 0));
        }),
        (
            &format!("line 13 of /etc/fstab is for sdb (/dev/disk/by-id/scsi-{RETENTION_ID}-part2)"),
            &|facts| {
                let device = format!("/dev/disk/by-id/scsi-{RETENTION_ID}-part2");
                spoil(&mut facts.fstab).push(testing::entry(13, &device, "/data", "ext4", 0));
            },
        ),
        (
            "whether line 13 of /etc/fstab is for a blank disk (/dev/disk/by-path/pci-0) cannot be determined",
            &|facts| {
                let device = "/dev/disk/by-path/pci-0";
                spoil(&mut facts.fstab).push(testing::entry(13, device, "/data", "ext4", 0));
            },
        ),
        ("an attached disk carries a retention volume (the label mt-retention)", &|facts| {
            spoil(&mut facts.filesystems).by_label.insert("mt-retention".into(), "8:33".into());
        }),
        ("an attached disk carries a retention volume (the label mt-retention)", &|facts| {
            facts.probes.push(labelled("mt-retention", "1-2"));
        }),
        (&format!("an attached disk carries a retention volume (the UUID {uuid})"), &|facts| {
            disks(facts)[0].scsi_id = Ok(OTHER_ID.into());
            spoil(&mut facts.filesystems).by_uuid.insert(own.clone(), "8:33".into());
        }),
        (&format!("an attached disk carries a retention volume (the UUID {uuid})"), &|facts| {
            disks(facts)[0].scsi_id = Ok(OTHER_ID.into());
            facts.probes.push(labelled("", &uuid));
        }),
        ("whether an attached disk carries a retention volume cannot be determined", &|facts| {
            facts.filesystems = Fact::Unknown(unknown());
        }),
    ];
    for (sign, spoil_facts) in signs {
        let mut facts = facts.clone();
        spoil_facts(&mut facts);
        let why = chosen(&profile, &facts, &at_terminal()).expect_err(sign);
        assert_eq!(
            why,
            format!(
                "{sign}, so a blank disk may be a protected machine's: name the disk with --retention-disk. Blank: \
                 sdb ({RETENTION_ID}, 1 TiB)"
            )
        );
        assert_eq!(chosen(&profile, &facts, &naming(RETENTION_ID)), Ok(("sdb", false)), "{sign}");
    }
    // What a first read of it tells, wherever it lies: on a disk, behind a map, on a partition, unfinished (XFS says its UUID then
    // too), or on a disk that does not answer.
    let read = |name: &str, label: &str, uuid: &str| Storage {
        volume: Some(Volume { fs_type: "xfs".into(), uuid: uuid.into(), label: label.into() }),
        ..testing::answering(name, "8:99")
    };
    // At the place of a partition that the kernel does not show.
    let place = |place: Place| {
        let entry = Entry { number: 1, start_bytes: 1 << 20, place: Some(place), ..Entry::default() };
        let table = Table { entries: vec![entry], ..Table::default() };
        Storage { table: Some(table), ..testing::answering("sdc", "8:99") }
    };
    let at_place = |label: &str, uuid: &str| {
        place(Place::Read { volume: read("sdc1", label, uuid).volume, group: None, array: None })
    };
    let damaged =
        "whether sdc, whose partition table is damaged, carries a retention volume cannot be determined"
            .to_owned();
    let damaged_table = Storage {
        table: Some(Table { damaged: true, ..Table::default() }),
        ..testing::answering("sdc", "8:99")
    };
    let silent = |read| Storage { read, ..testing::answering("sdc", "8:99") };
    let by_uuid = format!("an attached disk carries a retention volume (the UUID {uuid})");
    let by_label = "an attached disk carries a retention volume (the label mt-retention)".to_owned();
    let unread =
        "whether sdc, which could not be read, carries a retention volume cannot be determined".to_owned();
    for (sign, storage) in [
        (&by_uuid, read("sdc", "", &uuid)),
        (&by_uuid, read("dm-3", "other", &uuid)),
        (&by_uuid, read("sdc1", "", &uuid)),
        (&by_label, read("sdc", "mt-retention", "1-2")),
        (&by_label, read("sdc1", "mt-retention", "1-2")),
        (&by_uuid, at_place("", &uuid)),
        (&by_label, at_place("mt-retention", "1-2")),
        (&damaged, damaged_table),
        (&unread, place(Place::Unread("Input/output error".into()))),
        (&unread, silent(Fact::Unknown("sdc does not run, so it was not read".into()))),
        (&unread, silent(Fact::Known(Read::Failed("Input/output error".into())))),
        (
            &"whether an attached disk carries a retention volume cannot be determined".to_owned(),
            silent(Fact::Known(Read::Done)),
        ),
    ] {
        let mut facts = facts.clone();
        disks(&mut facts)[0].scsi_id = Ok(OTHER_ID.into());
        if storage == silent(Fact::Known(Read::Done)) {
            facts.storage = Fact::Unknown(unknown());
        } else {
            spoil(&mut facts.storage).push(storage);
        }
        refused(&profile, &facts, &at_terminal(), &[&format!("{sign}, so a blank disk may be")]);
        assert_eq!(chosen(&profile, &facts, &naming(RETENTION_ID)), Ok(("sdb", false)), "{sign}");
    }
    // Another file system on a disk that answers is none.
    let mut other = facts.clone();
    spoil(&mut other.storage).extend([read("sdc", "data", "1-2"), at_place("data", "1-2")]);
    assert_eq!(chosen(&profile, &other, &at_terminal()), Ok(("sdb", false)));
    // A record that state repair has set aside.
    let mut aside = facts.clone();
    aside.records_set_aside = Fact::Known(vec!["identity.json".into(), "retention.json".into()]);
    refused(&profile, &aside, &at_terminal(), &["a record of a retention volume was set aside"]);
    aside.records_set_aside = Fact::Unknown(unknown());
    refused(
        &profile,
        &aside,
        &at_terminal(),
        &["whether a record of a retention volume was set aside cannot be determined"],
    );
    // The record of this very disk, which was wiped or replaced, is none; nor are the marker and the record of the vendor's
    // changes, which the host has.
    let facts = Facts { retention_record: record(RETENTION_ID, true), ..facts };
    assert_eq!(chosen(&profile, &facts, &at_terminal()), Ok(("sdb", false)));
}
