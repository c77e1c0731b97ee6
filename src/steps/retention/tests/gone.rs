//! The disk of the retention volume is gone, and another one is there: a reverted snapshot, a disk that was replaced.

use super::taking_over::{kinds, on_record, ordered, our_line, to_the_end, with_new_disk, with_other_volume};
use super::*;
use crate::steps::remedy::Takeover;

const GONE_ID: &str = "36000c29eeeeeeeeeeeeeeeeeeeeeeeee";

/// The ready host, whose record is of a disk that is not attached.
fn reverted() -> (Profile, Facts) {
    let (profile, mut facts) = with_new_disk();
    disks(&mut facts).truncate(2);
    facts.probes.clear();
    facts.retention_record = on_record(GONE_ID);
    (profile, facts)
}

/// The same, with nothing mounted and no disk but those of the system.
fn without_any() -> (Profile, Facts) {
    let (profile, mut facts) = reverted();
    spoil(&mut facts.mounts).retain(|mount| mount.mount_point != "/mnt/retention");
    disks(&mut facts).truncate(1);
    spoil(&mut facts.filesystems).by_uuid.retain(|_, number| number != "253:0");
    spoil(&mut facts.filesystems).by_mapper.clear();
    (profile, facts)
}

#[test]
fn what_is_mounted_goes_on_record_by_either_order_and_nothing_is_left() {
    let (profile, facts) = reverted();
    let found = told(&profile, &facts, "layout.own-disks");
    assert!(found.contains("sdb"), "the record vouches for it alone: {found}");
    assert_eq!(planned(&profile, &facts, &Request::default()).0, [], "not unasked");
    for request in [ordered(Takeover::Adopt, RETENTION_ID), naming(RETENTION_ID)] {
        let plan = plan(&profile, &facts, &Selection::default(), TODAY, &request);
        let summaries: Vec<_> = plan.changes.iter().map(|planned| planned.change.summary()).collect();
        assert_eq!(
            summaries,
            [format!(
                "take /dev/mapper/{RETENTION_ID} (SCSI ID {RETENTION_ID}), which is mounted at /mnt/retention, on record as the \
                 retention volume"
            )]
        );
        assert_eq!(plan.manual, []);
        to_the_end(&profile, &facts, &request);
    }
    let mut named = profile.clone();
    named.retention.disk = Some(RETENTION_ID.parse().unwrap());
    assert_eq!(kinds(&planned(&named, &facts, &Request::default()).0), ["mount-retention"]);
}

#[test]
fn a_name_alone_takes_nothing_from_a_disk_that_is_attached_or_not_known() {
    // The one on record is attached.
    let (profile, mut facts) = with_other_volume();
    facts.retention_record = on_record(OTHER_ID);
    assert_eq!(planned(&profile, &facts, &naming(RETENTION_ID)).0, []);
    // What is mounted is no volume of ours.
    let (profile, mut facts) = reverted();
    spoil(&mut facts.filesystems).by_uuid.retain(|_, number| number != "253:0");
    spoil(&mut facts.filesystems).by_uuid.insert("1-2".into(), "253:0".into());
    assert_eq!(planned(&profile, &facts, &naming(RETENTION_ID)).0, []);
    // The finding that stays is a person's, whatever is ordered.
    let (profile, mut facts) = reverted();
    spoil(&mut facts.mounts).push(mount("/srv", "8:32", "/dev/sdc", 1 << 40));
    disks(&mut facts).push(virtual_disk(2, OTHER_ID, 1 << 40));
    spoil(&mut facts.storage).push(testing::answering("sdc", "8:32"));
    let plan = plan(&profile, &facts, &Selection::default(), TODAY, &naming(RETENTION_ID));
    assert!(plan.manual.iter().any(|manual| manual.id == "layout.own-disks"), "{plan:?}");
}

#[test]
fn our_own_line_of_the_disk_that_is_gone_is_replaced() {
    let line = format!("/dev/mapper/{GONE_ID}");
    // On record is what is mounted.
    let (profile, mut facts) = reverted();
    facts.retention_record = on_record(RETENTION_ID);
    our_line(&mut facts).device.clone_from(&line);
    let found = told(&profile, &facts, "retention.persistent");
    assert!(found.contains("leads to no device"), "{found}");
    assert!(
        found.ends_with(&format!("mt-agent apply puts /dev/mapper/{RETENTION_ID} in the place of {line}"))
    );
    let (changes, message) = planned(&profile, &facts, &Request::default());
    assert_eq!(kinds(&changes), ["remove-fstab", "write-fstab"], "{message}");
    to_the_end(&profile, &facts, &Request::default());
    // A person's stays.
    our_line(&mut facts).ours = false;
    assert_eq!(planned(&profile, &facts, &Request::default()).0, []);
    // The one on record is gone, and the volume that is there only attached.
    let (profile, mut facts) = reverted();
    our_line(&mut facts).device = line;
    spoil(&mut facts.mounts).retain(|mount| mount.mount_point != "/mnt/retention");
    disks(&mut facts)[1].used_by.clear();
    for request in [ordered(Takeover::Adopt, "sdb"), naming("sdb")] {
        let (changes, message) = planned(&profile, &facts, &request);
        let mut all = kinds(&changes);
        all.sort();
        assert_eq!(all, ["mount-retention", "remove-fstab", "write-fstab"], "{message}");
        let after = to_the_end(&profile, &facts, &request);
        outcome(&profile, &after, "retention.persistent").starts("met: ");
    }
}

#[test]
fn a_plan_names_the_replacement_as_check_does_by_the_record_or_by_our_own_line() {
    let (profile, mut facts) = without_any();
    let both_name_it = |facts: &Facts| {
        let found = told(&profile, facts, "retention.disk");
        let plan = plan(&profile, facts, &Selection::default(), TODAY, &Request::default());
        assert!(plan.changes.iter().all(|planned| planned.requirement == "multipath.running"), "{plan:?}");
        let manual = plan.manual.into_iter().find(|manual| manual.id == "retention.disk").unwrap();
        let advice = "attach that disk again; where another one is to take its place: mt-agent apply --replace-retention SCSI-ID, \
                      with the ID of that one";
        assert_eq!(manual.fix, advice);
        assert!(found.ends_with(&format!(
            " | the disk of that volume, or another one that a person puts in its place | {advice}"
        )));
        found
    };
    let found = both_name_it(&facts);
    let record =
        format!("unmet: the retention volume on record is on the disk {GONE_ID}, which is not attached");
    assert!(found.starts_with(&record), "{found}");
    // The state is lost as well.
    facts.retention_record = Fact::Known(None);
    let line = our_line(&mut facts).line;
    let found = both_name_it(&facts);
    let lost = format!(
        "unmet: line {line} of /etc/fstab, which mt-agent wrote, names a retention volume that is not attached \
         (/dev/mapper/{RETENTION_ID})"
    );
    assert!(found.starts_with(&lost), "{found}");
    // A blank disk is not taken for the first one of this host.
    disks(&mut facts).push(virtual_disk(2, OTHER_ID, 1 << 40));
    facts.probes = vec![eligible("sdc")];
    both_name_it(&facts);
    // Where nothing tells of an earlier one, nothing is to be replaced.
    spoil(&mut facts.fstab).retain(|entry| entry.mount_point != "/mnt/retention");
    outcome(&profile, &facts, "retention.disk").lacks("--replace-retention");
    // A record by which nothing was finished names nothing that could be attached again.
    let (profile, mut facts) = without_any();
    spoil(&mut facts.retention_record).as_mut().unwrap().finished = false;
    assert!(!told(&profile, &facts, "retention.disk").contains("--replace-retention"));
}

#[test]
fn a_name_that_no_disk_has_is_told_with_what_it_may_have_meant() {
    let (profile, facts) = reverted();
    let why = |name: &str| {
        let request = ordered(Takeover::Adopt, name);
        takeover::check(&profile, &facts, &request).unwrap_err().to_string()
    };
    let mut wrong = RETENTION_ID.to_owned();
    wrong.replace_range(12..13, if &wrong[12..13] == "0" { "1" } else { "0" });
    for name in [wrong.clone(), format!("/dev/mapper/{wrong}"), format!("scsi-{wrong}")] {
        let why = why(&name);
        let words = format!("no disk is called {name}; close to it: {RETENTION_ID}: give a SCSI ID");
        assert_eq!(why.split("--adopt-retention: ").nth(1).unwrap().find(&words), Some(0), "{why}");
    }
    assert_eq!(
        why(GONE_ID),
        format!("--adopt-retention: {GONE_ID} is the disk on record, which is not attached")
    );
    assert!(!why("sdq").contains("close to it"));
    assert_ne!(uuid_of(GONE_ID), uuid_of(RETENTION_ID));
}
