//! What is on record, what a person puts there, and what an older record tells.

use super::*;
use crate::facts::scsi::NoId;

#[test]
fn a_disk_of_which_nothing_is_in_use_is_put_on_record_with_a_warning() {
    let note = |facts: &Facts, profile: &Profile| {
        note(profile, facts, &Change::RecordOwnDisks { scsi_ids: vec![FOREIGN.into()] })
    };
    let (profile, facts) = host(On::Record, |_| ());
    assert!(note(&facts, &profile).unwrap().contains("nothing of this host is mounted from sdc"));
    let (profile, facts) = host(On::Record, |facts| mounted(facts, "/data", "8:33", "/dev/sdc1"));
    assert_eq!(note(&facts, &profile), None);
}

#[test]
fn before_anything_is_on_record_fstab_tells_and_what_it_does_not_tell_is_no_doubt() {
    // A small disk for /var/crash, as it was at the installation.
    let crash = |facts: &mut Facts| {
        mount_of(facts, "/var/crash").major_minor = "8:33".into();
        edit(&mut facts.filesystems)
            .by_uuid
            .insert("2b7e1c94-35af-4d60-8f12-6e09a4c3d702".into(), "8:33".into());
        carries(facts, "sda2", ("ext", "9-9", ""));
        carries(facts, "sdc1", ("ext", "2b7e1c94-35af-4d60-8f12-6e09a4c3d702", ""));
    };
    let (profile, facts) = host(On::Nothing, crash);
    assert_eq!(told(&profile, &facts, ID), "met: sda, sdb, sdc (not on record yet)");
    assert_eq!(first(&profile, &facts), Some(vec![OS_DISK_ID.into(), FOREIGN.into()]));
    // By a name that leads nowhere among the facts, and without links.
    for name in ["PARTUUID=1-1", "UUID=2b7e1c94-35af-4d60-8f12-6e09a4c3d702"] {
        let finding = finding_of(On::Nothing, |facts| {
            crash(facts);
            line_of(facts, "/var/crash").device = name.into();
            if name.starts_with("UUID") {
                let links = edit(&mut facts.filesystems);
                (links.by_uuid, links.by_id) = Default::default();
            }
        });
        assert!(finding.starts_with("met: sda, sdb, sdc"), "{name}: {finding}");
    }
    // Once there is a record, it counts.
    for on in [On::Older, On::Record] {
        let (profile, facts) = host(on, crash);
        let finding = told(&profile, &facts, ID);
        assert!(finding.contains(&format!("mt-agent apply --own-disk {FOREIGN}")), "{on:?}: {finding}");
        assert_eq!(first(&profile, &facts), None);
    }
    // Of two disks with the name, none of them the system's, which is meant is not known: nothing is told to be unmounted.
    let finding = finding_of(On::Nothing, |facts| {
        crash(facts);
        disks(facts).push(virtual_disk(3, "36000c29e", 1 << 30));
        edit(&mut facts.storage).push(answering("sdd", "8:48"));
        carries(facts, "sdd", ("ext", "2b7e1c94-35af-4d60-8f12-6e09a4c3d702", ""));
    });
    assert!(finding.contains("can mean sdc1") && !finding.contains("umount"), "{finding}");
    // No name by a UUID: one that carries no SCSI ID is the system disk all the same.
    let (profile, facts) = host(On::Nothing, |facts| disks(facts)[0].scsi_id = Err(NoId::default()));
    assert!(told(&profile, &facts, ID).starts_with("met: sda"));
    assert_eq!(first(&profile, &facts), None, "what has no ID cannot be known again");
    let (profile, facts) = host(On::Record, |facts| disks(facts)[0].scsi_id = Err(NoId::default()));
    assert_eq!(told(&profile, &facts, ID), "blocked: scsi.ids");
}

#[test]
fn a_person_puts_a_disk_on_record_by_its_name_alone() {
    let crash = |facts: &mut Facts| mounted(facts, "/data", "8:33", "/dev/sdc1");
    let request = |names: &[&str]| Request {
        own_disks: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Request::default()
    };
    let asked = |on, names: &[&str], change: &dyn Fn(&mut Facts)| {
        let (profile, facts) = host(on, change);
        record(&profile, &facts, &request(names))
    };
    let puts = |ids: &[&str]| Remedy::With {
        changes: vec![Change::RecordOwnDisks { scsi_ids: ids.iter().map(|id| (*id).into()).collect() }],
        needs: &["scsi.ids-unique"],
    };
    for on in ALL {
        assert_eq!(asked(on, &[], &crash), Remedy::None);
        let all: &[&str] = if on == On::Record { &[FOREIGN] } else { &[OS_DISK_ID, FOREIGN] };
        assert_eq!(asked(on, &[FOREIGN], &crash), puts(all), "{on:?}");
        assert_eq!(asked(on, &["/dev/sdc"], &|_| ()), puts(all), "before it is used");
    }
    assert_eq!(asked(On::Record, &[OS_DISK_ID], &crash), Remedy::None, "on record already");
    let summary = |ids: &[&str]| {
        Change::RecordOwnDisks { scsi_ids: ids.iter().map(|id| (*id).into()).collect() }.summary()
    };
    assert_eq!(summary(&["36a"]), "put 36a on record as a disk of this host itself");
    assert_eq!(summary(&["36a", "36b"]), "put 36a, 36b on record as disks of this host itself");
    assert!(matches!(asked(On::Record, &["/dev/sdq"], &crash), Remedy::Refused(why) if why.contains("sdq")));
    let no_id = |facts: &mut Facts| disks(facts)[2].scsi_id = Err(NoId::default());
    assert!(
        matches!(asked(On::Record, &["/dev/sdc"], &no_id), Remedy::Refused(why) if why.contains("no SCSI ID"))
    );
    let twin = |facts: &mut Facts| carries(facts, "sdc1", ("ext", HOME, ""));
    let refused = asked(On::Record, &[FOREIGN], &twin);
    let named = format!(
        "--own-disk: sdc ({FOREIGN}) is not put on record: it has the name UUID={HOME} (line 4 of /etc/fstab (/home)) of this \
         host's own disk sda ({OS_DISK_ID}). If it is a protected machine's, detach it"
    );
    assert_eq!(refused, Remedy::Refused(named));
    let refused = asked(On::Record, &[RETENTION_ID], &crash);
    assert!(matches!(&refused, Remedy::Refused(why) if why.contains("a record of its own")), "{refused:?}");
    // One that no record names.
    let by_hand = |facts: &mut Facts| facts.retention_record = Fact::Known(None);
    assert_eq!(asked(On::Record, &[RETENTION_ID], &by_hand), puts(&[RETENTION_ID]));
    // Once it is there, it holds.
    let finding = finding_of(On::Record, |facts| {
        crash(facts);
        edit(&mut facts.identity.recorded).as_mut().unwrap().own(&[FOREIGN.into()]);
    });
    assert_eq!(finding, "met: sda, sdb, sdc");
}

#[test]
fn a_copy_of_another_machine_waits_for_its_own_identity_and_an_image_has_no_disks() {
    let other =
        |facts: &mut Facts| {
            let marks = [Kind::BiosUuid, Kind::RootDisk, Kind::Mac].map(|kind| {
                crate::facts::identity::Present { kind, place: String::new(), value: "another".into() }
            });
            facts.identity.recorded = Fact::Known(Some(Record::new("00", "", &marks)));
        };
    assert_eq!(finding_of(On::Nothing, other), "blocked: image.identity");
    assert_eq!(
        finding_of(On::Nothing, |facts| facts.mounts = Fact::NotApplicable("an image's tree".into())),
        "not-applicable: an image's tree"
    );
    for spoil in [
        |facts: &mut Facts| facts.mounts = Fact::Unknown("why".into()),
        |facts: &mut Facts| facts.swaps = Fact::Unknown("why".into()),
        |facts: &mut Facts| facts.identity.recorded = Fact::Unknown("torn".into()),
    ] {
        finding_begins(On::Record, "unknown: ", spoil);
    }
}

#[test]
fn a_root_on_a_raid_is_this_host_s_by_an_older_record_that_knows_both_disks() {
    let raid = |facts: &mut Facts| {
        let raid = holder("md0", "9:0", None, Vec::new());
        disks(facts)[0].partitions[0].holders = vec![raid.clone()];
        disks(facts)[2].partitions[0].holders = vec![raid];
        edit(&mut facts.storage).push(answering("md0", "9:0"));
        mount_of(facts, "/").major_minor = "9:0".into();
    };
    let seen = |facts: &mut Facts| {
        let recorded = edit(&mut facts.identity.recorded).as_mut().unwrap();
        recorded.extend(&[crate::facts::identity::Present {
            kind: Kind::Disk,
            place: String::new(),
            value: FOREIGN.into(),
        }]);
    };
    let (profile, facts) = host(On::Older, |facts| {
        raid(facts);
        seen(facts);
    });
    assert_eq!(told(&profile, &facts, ID), "met: sda, sdb, sdc (not on record yet)");
    assert!(finding_of(On::Older, raid).starts_with("unmet: / ITSELF LIES ON sdc"), "which was not there");
    let finding = finding_of(On::Older, |facts| {
        seen(facts);
        mount_of(facts, "/").major_minor = "8:33".into();
    });
    assert!(finding.starts_with("unmet: / ITSELF LIES ON sdc"), "was there, and / was not on it: {finding}");
}

#[test]
fn a_record_of_disks_without_scsi_ids_tells_of_none_once_they_have_them() {
    let finding = finding_of(On::Older, |facts| {
        let recorded = edit(&mut facts.identity.recorded).as_mut().unwrap();
        recorded.marks.retain(|mark| !matches!(mark.kind, Kind::RootDisk | Kind::Disk));
    });
    assert_eq!(finding, "met: sda, sdb (not on record yet)");
}
