//! No waiver reaches a rule about disks.

use time::macros::date;

use super::*;
use crate::profile::Waiver;

fn waiving(profile: &Profile, ids: &[&str], until: time::Date) -> Profile {
    let waiver = |id: &&str| Waiver {
        requirement: (*id).parse().unwrap(),
        reason: "tried".parse().unwrap(),
        approved_by: None,
        until: until.into(),
    };
    Profile { waivers: ids.iter().map(waiver).collect(), ..profile.clone() }
}

fn changes(profile: &Profile, facts: &Facts, request: &Request) -> Vec<Change> {
    let plan = plan(profile, facts, &Selection::default(), TODAY, request);
    plan.changes.into_iter().map(|planned| planned.change).collect()
}

#[test]
fn two_disks_of_one_id_are_not_formatted_because_that_is_waived() {
    let (profile, mut facts) = without_volume();
    second_path(&mut facts);
    let profile = waiving(&profile, &["scsi.ids-unique"], date!(2026 - 12 - 31));
    let erase = Request { erase_disk: Some("sdb".into()), ..naming("sdb") };
    for request in [naming("sdb"), erase, at_terminal()] {
        assert_eq!(changes(&profile, &facts, &request), [], "{request:?}");
    }
    // Nor is a third disk, while two others cannot be told apart.
    disks(&mut facts).push(virtual_disk(3, OTHER_ID, 1 << 40));
    facts.probes.push(eligible("sdd"));
    assert_eq!(changes(&profile, &facts, &naming("sdd")), []);
    let planned = plan(&profile, &facts, &Selection::default(), TODAY, &naming("sdd"));
    let fix = &planned.manual.iter().find(|manual| manual.id == "retention.disk").unwrap().fix;
    assert_eq!(fix, "needs scsi.ids-unique first; then mt-agent apply does it");
}

#[test]
fn a_waiver_of_the_volume_changes_no_plan() {
    let (profile, facts) = without_volume();
    let waived = waiving(&profile, &["retention.disk", "retention.mounted"], date!(2026 - 12 - 31));
    let plain = waiving(&profile, &[], date!(2026 - 12 - 31));
    let erase = Request { erase_disk: Some("sdb".into()), ..naming("sdb") };
    for request in [naming("sdb"), erase, at_terminal(), Request::default()] {
        let planned = |profile: &Profile| plan(profile, &facts, &Selection::default(), TODAY, &request);
        assert_eq!(planned(&waived), planned(&plain), "{request:?}");
    }
    assert!(!changes(&waived, &facts, &naming("sdb")).is_empty());
}

#[test]
fn a_machine_that_may_be_another_one_formats_nothing_whatever_is_waived() {
    let (profile, mut facts) = without_volume();
    facts.identity.template = facts.identity.recorded.clone();
    outcome(&profile, &facts, "image.identity").starts("unmet");
    let waived = waiving(&profile, &["image.identity"], date!(2026 - 12 - 31));
    let formats = |facts: &Facts| formats(&changes(&waived, facts, &naming("sdb")));
    assert!(!formats(&facts));
    // What cannot be determined is what a waiver is for.
    facts.identity.template = Fact::Unknown("torn".into());
    assert!(formats(&facts));
}

#[test]
fn a_waiver_that_has_expired_lets_no_disk_be_taken_before_the_restart() {
    let (profile, mut facts) = without_volume();
    spoil(&mut facts.custom_changes.record).as_mut().unwrap().boot_id = testing::BOOT_ID.into();
    let ids = ["custom-changes.restarted"];
    let holds = waiving(&profile, &ids, date!(2026 - 06 - 01));
    outcome(&holds, &facts, "retention.disk").starts("unmet: not mounted");
    let expired = waiving(&profile, &ids, date!(2026 - 05 - 31));
    outcome(&expired, &facts, "retention.disk").is("blocked: custom-changes.restarted");
    let planned = plan(&expired, &facts, &Selection::default(), TODAY, &naming("sdb"));
    assert!(planned.changes.iter().all(|planned| planned.after_restart), "{:?}", planned.changes);
}
