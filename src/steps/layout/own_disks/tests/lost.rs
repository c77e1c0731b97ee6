//! Records that do not tell any more, or never did, whose the disks are.

use super::*;
use crate::facts::custom_changes::Outcome;
use crate::facts::journal::Journal;

#[test]
fn a_record_that_is_lost_is_no_new_machine_and_nothing_is_put_on_record_by_a_guess() {
    let crash = |facts: &mut Facts| {
        mounted(facts, "/data", "8:33", "/dev/sdc1");
        fstab(facts).push(entry(20, "UUID=1-1", "/data", "ext4", 0));
        edit(&mut facts.filesystems).by_uuid.insert("1-1".into(), "8:33".into());
        carries(facts, "sdc1", ("ext", "1-1", ""));
    };
    let (_, whole) = ready();
    type Trace<'a> = (&'a str, &'a dyn Fn(&mut Facts));
    let traces: [Trace<'_>; 6] = [
        ("a record of it was set aside", &|facts| {
            facts.records_set_aside = Fact::Known(vec!["identity.json".into()]);
        }),
        ("the journal shows that it was recorded", &|facts| {
            facts.journal = Fact::Known(Journal { identity: true, ..Journal::default() });
        }),
        ("a retention volume is on record", &|facts| {
            facts.retention_record.clone_from(&whole.retention_record);
        }),
        ("the vendor script's run is on record", &|facts| {
            facts.identity.template = Fact::Known(None);
            facts.custom_changes.record.clone_from(&whole.custom_changes.record);
        }),
        ("mt-agent's log in /var/log is here, and its journal is not", &|facts| {
            facts.identity.template = Fact::Known(None);
            facts.journal = Fact::Known(Journal { missing: true, log: true, ..Journal::default() });
        }),
        ("mt-agent's line in /etc/fstab is here, and its journal is not", &|facts| {
            facts.identity.template = Fact::Known(None);
            facts.journal = Fact::Known(Journal { missing: true, ..Journal::default() });
            let line = fstab(facts).iter_mut().find(|entry| entry.mount_point == "/mnt/retention");
            line.unwrap().ours = true;
        }),
    ];
    for (why, trace) in traces {
        let lost = format!("the record of this machine's identity is lost ({why})");
        let (profile, facts) = host(On::Nothing, trace);
        let finding = told(&profile, &facts, ID);
        assert!(
            finding.starts_with(&format!("unknown: {lost}")) && finding.contains("mt-agent state repair"),
            "{finding}"
        );
        assert!(image::lost::is_lost(&facts) && first(&profile, &facts).is_none(), "{why}");
        let finding = told(&profile, &facts, "image.identity");
        assert!(!finding.contains("neither seal nor apply has run"), "{finding}");
        // What fstab names is no better known than the rest; a person's word is enough.
        let (profile, facts) = host(On::Nothing, |facts| {
            crash(facts);
            trace(facts);
        });
        let finding = told(&profile, &facts, ID);
        assert!(finding.starts_with(&format!("unmet: sdc ({FOREIGN}), {}", owner::LOST)), "{why}: {finding}");
        ends(
            &finding,
            &format!(
                "If it is this host's own: mt-agent apply --own-disk {FOREIGN}; after the release, mt-agent state repair records \
                 this machine anew"
            ),
        );
        let request = Request { own_disks: vec![FOREIGN.to_owned()], ..Request::default() };
        let scsi_ids = vec![OS_DISK_ID.into(), FOREIGN.into()];
        let puts =
            Remedy::With { changes: vec![Change::RecordOwnDisks { scsi_ids }], needs: &["scsi.ids-unique"] };
        assert_eq!(record(&profile, &facts, &request), puts, "{why}");
    }
    let (_, facts) = host(On::Nothing, |facts| facts.journal = Fact::Unknown("torn".into()));
    assert!(image::lost::is_lost(&facts), "what cannot be determined is no new machine");
    // Of a clone the script's record alone is in its image; and a new machine has no trace.
    let of_image = |facts: &mut Facts| facts.custom_changes.record.clone_from(&whole.custom_changes.record);
    let begun = |facts: &mut Facts| {
        of_image(facts);
        facts.identity.template = Fact::Known(None);
        edit(&mut facts.custom_changes.record).as_mut().unwrap().outcome = Outcome::Started;
    };
    // The first boot of a clone, a first apply that was interrupted, and a new machine with a volume of an earlier one.
    let logged = |missing: bool, of_clone: bool| {
        host(On::Nothing, move |facts| {
            facts.journal = Fact::Known(Journal { missing, log: true, ..Journal::default() });
            if !of_clone {
                facts.identity.template = Fact::Known(None);
            }
        })
    };
    let anew = host(On::Nothing, |facts| {
        facts.identity.template = Fact::Known(None);
        facts.journal = Fact::Known(Journal { missing: true, ..Journal::default() });
    });
    let others = [logged(true, true), logged(false, false), anew];
    for (profile, facts) in [host(On::Nothing, of_image), host(On::Nothing, begun), host(On::Nothing, |_| ())]
        .into_iter()
        .chain(others)
    {
        assert!(!image::lost::is_lost(&facts) && told(&profile, &facts, ID).starts_with("met: "));
    }
}

#[test]
fn an_older_record_tells_nothing_of_what_came_in_the_place_of_a_disk_that_is_not_attached() {
    // As an older agent left it, which put whatever was attached on record: a disk of a protected machine among it.
    let data = |is_whole: bool| {
        let (profile, mut facts) = host(On::Older, |facts| {
            mounted(facts, "/data", "8:33", "/dev/sdc1");
            fstab(facts).push(entry(20, "UUID=1-1", "/data", "ext4", 0));
            edit(&mut facts.filesystems).by_uuid.insert("1-1".into(), "8:33".into());
            carries(facts, "sdc1", ("ext", "1-1", ""));
        });
        let mut present = image::identifiers(&facts);
        if !is_whole {
            // This host's own, from which the template of the protected machine was made.
            let (kind, value) = (Kind::Disk, "36000c29eeeeeeeeeeeeeeeeeeeeeeeee".into());
            present.push(crate::facts::identity::Present { kind, place: String::new(), value });
        }
        facts.identity.recorded = Fact::Known(Some(Record::new("00", "2017-02-06T12:00:00Z", &present)));
        (told(&profile, &facts, ID), first(&profile, &facts))
    };
    let (finding, own) = data(false);
    begins(&finding, &format!("unmet: sdc ({FOREIGN}), {}", owner::OLDER));
    assert!(finding.ends_with(&format!("mt-agent apply --own-disk {FOREIGN}")) && own.is_none(), "{finding}");
    let (finding, own) = data(true);
    assert_eq!(finding, "met: sda, sdb, sdc (not on record yet)");
    assert_eq!(own, Some(vec![OS_DISK_ID.into(), FOREIGN.into()]));
}

#[test]
fn of_a_host_that_was_made_by_hand_only_the_disk_of_the_root_is_taken_for_its_own() {
    let data = |facts: &mut Facts| {
        facts.identity.template = Fact::Known(None);
        facts.custom_changes.marker_ctime_secs = Fact::Known(None);
        facts.custom_changes.log_tail = Fact::Known(None);
        mounted(facts, "/data", "8:33", "/dev/sdc1");
        fstab(facts).push(entry(20, "UUID=1-1", "/data", "ext4", 0));
        edit(&mut facts.filesystems).by_uuid.insert("1-1".into(), "8:33".into());
        carries(facts, "sdc1", ("ext", "1-1", ""));
    };
    assert_eq!(finding_of(On::Nothing, data), "met: sda, sdb, sdc (not on record yet)", "a new machine");
    let (_, whole) = ready();
    let marked = |facts: &mut Facts| facts.custom_changes.marker_ctime_secs = Fact::Known(Some(1));
    let traces: [&dyn Fn(&mut Facts); 5] = [
        &marked,
        &|facts| facts.custom_changes.log_tail = Fact::Known(Some(String::new())),
        &|facts| {
            facts.custom_changes.record.clone_from(&whole.custom_changes.record);
            edit(&mut facts.custom_changes.record).as_mut().unwrap().outcome = Outcome::Started;
        },
        &|facts| facts.journal = Fact::Known(Journal { vendor_script: true, ..Journal::default() }),
        &|facts| {
            facts.journal = Fact::Known(Journal::default());
            let line = fstab(facts).iter_mut().find(|entry| entry.mount_point == "/mnt/retention");
            line.unwrap().ours = true;
        },
    ];
    for (number, trace) in traces.into_iter().enumerate() {
        let (profile, facts) = host(On::Nothing, |facts| {
            data(facts);
            trace(facts);
        });
        let finding = told(&profile, &facts, ID);
        assert!(
            finding.starts_with(&format!("unmet: sdc ({FOREIGN}), {}", owner::AT_WORK)),
            "{number}: {finding}"
        );
        assert!(finding.ends_with(&format!("mt-agent apply --own-disk {FOREIGN}")), "{number}: {finding}");
        assert!(first(&profile, &facts).is_none(), "{number}");
        let request = Request { own_disks: vec![FOREIGN.to_owned()], ..Request::default() };
        let scsi_ids = vec![OS_DISK_ID.into(), FOREIGN.into()];
        let puts =
            Remedy::With { changes: vec![Change::RecordOwnDisks { scsi_ids }], needs: &["scsi.ids-unique"] };
        assert_eq!(record(&profile, &facts, &request), puts, "{number}");
    }
    // A record that tells of no disk, as of a machine whose disks had no SCSI IDs then.
    let of_no_disk = |facts: &mut Facts| {
        let uuid = image::identifiers(facts).into_iter().filter(|one| one.kind == Kind::BiosUuid);
        let record = Record::new("00", "2017-02-06T12:00:00Z", &uuid.collect::<Vec<_>>());
        facts.identity.recorded = Fact::Known(Some(record));
    };
    let recorded = |is_marked: bool| {
        finding_of(On::Nothing, |facts| {
            data(facts);
            of_no_disk(facts);
            if is_marked {
                marked(facts);
            }
        })
    };
    assert!(recorded(true).contains(owner::AT_WORK), "{}", recorded(true));
    assert_eq!(recorded(false), "met: sda, sdb, sdc (not on record yet)");
    // Nothing but the disk of / and the volume is in use: apply puts it on record, as of the clone of an image with the script in it.
    let (profile, facts) = host(On::Nothing, |facts| {
        facts.identity.template = Fact::Known(None);
        marked(facts);
    });
    assert_eq!(told(&profile, &facts, ID), "met: sda, sdb (not on record yet)");
    assert_eq!(first(&profile, &facts), Some(vec![OS_DISK_ID.into()]));
    let of_image = finding_of(On::Nothing, |facts| {
        let template = facts.identity.template.clone();
        data(facts);
        marked(facts);
        facts.identity.template = template;
    });
    assert_eq!(of_image, "met: sda, sdb, sdc (not on record yet)");
}

#[test]
fn where_the_record_is_damaged_all_that_would_be_written_waits_but_for_who_cannot_read_it() {
    let judged = |is_root: bool, id: &str| {
        let (profile, facts) = host(On::Nothing, |facts| {
            facts.identity.recorded = Fact::Unknown("torn".into());
            facts.services_off = Fact::Known(vec!["multipathd".into()]);
            facts.boot_entry = Fact::Unknown("torn too".into());
            facts.privileged = is_root;
            mounts(facts).retain(|mount| mount.mount_point != "/mnt/retention");
        });
        told(&profile, &facts, id)
    };
    for id in ["multipath.running", "retention.mounted", "layout.next-boot"] {
        assert_eq!(judged(true, id), "blocked: layout.own-disks", "{id}");
        assert!(!judged(false, id).contains("layout.own-disks"), "{id}: {}", judged(false, id));
    }
    for id in [ID, "image.identity"] {
        assert!(judged(true, id).starts_with("unknown: ") && judged(true, id).contains("torn"), "{id}");
    }
    let (profile, facts) = host(On::Nothing, |facts| {
        facts.journal = Fact::Unknown("torn".into());
        facts.services_off = Fact::Known(vec!["multipathd".into()]);
    });
    assert_eq!(told(&profile, &facts, "multipath.running"), "blocked: layout.own-disks");
}

#[test]
fn a_line_whose_name_is_not_among_the_facts_is_unknown_until_it_is_mounted() {
    let line = |facts: &mut Facts| fstab(facts).push(entry(20, "/dev/md/data", "/data", "ext4", 0));
    let finding = finding_of(On::Record, line);
    assert!(
        finding.starts_with("unknown: ") && finding.contains("to which device /dev/md/data leads"),
        "{finding}"
    );
    let finding = finding_of(On::Record, |facts| {
        line(facts);
        mounted(facts, "/data", "8:2", "/dev/sda2");
    });
    assert_eq!(finding, "met: sda, sdb");
}
