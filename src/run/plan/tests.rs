use super::*;
use crate::facts::Fact;
use crate::facts::packages::Manager;
use crate::facts::scsi::NoId;
use crate::steps::remedy::Decision;
use crate::steps::testing::{TODAY, edit, never_ran, ready, remedy};

fn planned(profile: &Profile, facts: &Facts, selection: &Selection) -> Plan {
    plan(profile, facts, selection, TODAY, &Request::default())
}

fn installs(packages: &[&str]) -> Change {
    let packages = packages.iter().map(|name| (*name).into()).collect();
    Change::InstallPackages { packages, from: None, manager: Manager::default(), manifest_sha256: None }
}

fn manual<'a>(plan: &'a Plan, id: &str) -> &'a Manual {
    plan.manual.iter().find(|manual| manual.id == id).unwrap()
}

/// The ready host before anything was done to it but attaching a disk that is not probed.
fn fresh() -> (Profile, Facts) {
    let (mut profile, mut facts) = ready();
    profile.custom_changes.archive = Some("/root/agent.tar.gz".parse().unwrap());
    let packages = edit(&mut facts.packages);
    packages.installed.remove("perl");
    packages.installed.remove("device-mapper-multipath");
    never_ran(&mut facts);
    facts.custom_changes.archive_bytes = Fact::Known(Some(200 << 20));
    (profile, facts)
}

#[test]
fn a_ready_host_has_nothing_to_plan() {
    let (profile, facts) = ready();
    let plan = planned(&profile, &facts, &Selection::default());
    assert_eq!((plan.changes, plan.manual, plan.restart), (vec![], vec![], false));
}

#[test]
fn all_packages_go_into_one_transaction_before_the_vendor_script() {
    let (profile, facts) = fresh();
    let plan = planned(&profile, &facts, &Selection::default());
    let changes: Vec<_> = plan.changes.iter().map(|planned| planned.change.clone()).collect();
    assert_eq!(
        changes,
        [
            installs(&["perl", "device-mapper-multipath"]),
            Change::RunCustomChanges {
                archive: "/root/agent.tar.gz".into(),
                rerun: false,
                archive_sha256: None
            },
        ]
    );
    assert!(plan.restart);
}

#[test]
fn what_lies_outside_the_selection_is_neither_changed_nor_taken_for_done() {
    let (profile, facts) = fresh();
    let only = |id: &str| Selection::new(vec![id.into()], vec![]).unwrap();
    let plan = planned(&profile, &facts, &only("packages.multipath"));
    assert_eq!(plan.changes.len(), 1);
    assert_eq!(plan.changes[0].change, installs(&["device-mapper-multipath"]));
    let plan = planned(&profile, &facts, &only("custom-changes.applied"));
    assert_eq!(plan.changes, []);
    let needs = "needs packages.base, packages.multipath first; then mt-agent apply does it";
    assert_eq!(plan.manual[0].fix, needs);
}

#[test]
fn without_scsi_ids_the_vendor_script_does_not_run() {
    let (profile, mut facts) = fresh();
    let disks = edit(&mut facts.disks);
    disks[0].scsi_id = Err("ILLEGAL REQUEST".into());
    let plan = planned(&profile, &facts, &Selection::default());
    assert!(!plan.changes.iter().any(|planned| matches!(planned.change, Change::RunCustomChanges { .. })));
    let applied = manual(&plan, "custom-changes.applied");
    // scsi.ids follows from it.
    assert_eq!(applied.fix, "needs scsi.uuid-enabled first; then mt-agent apply does it");
}

#[test]
fn what_cannot_be_determined_has_no_repair() {
    let (profile, mut facts) = ready();
    facts.custom_changes.marker_ctime_secs = Fact::Unknown("the disk does not answer".into());
    let plan = planned(&profile, &facts, &Selection::default());
    let applied = manual(&plan, "custom-changes.applied");
    assert!(applied.found.contains("the disk does not answer"), "{}", applied.found);
    assert_eq!(applied.status, "unknown");
    assert!(applied.fix.contains("by hand: `ls -l /etc/.appliedmtcustomchanges "), "{}", applied.fix);
}

#[test]
fn a_change_that_could_be_made_is_not_made_to_what_is_unknown() {
    let (profile, mut facts) = ready();
    let Fact::Known(Some(configuration)) = &mut facts.multipath.configuration else { panic!("known") };
    configuration.problems.push("line 3: a section is not closed".into());
    let id = "custom-changes.root-disk";
    assert!(matches!(remedy(id, &profile, &facts, &Request::default()), Remedy::With { .. }));
    let plan = planned(&profile, &facts, &Selection::default());
    assert_eq!(plan.changes, []);
    assert_eq!((plan.manual[0].id.as_str(), plan.manual[0].status), (id, "unknown"));
}

#[test]
fn what_a_person_decided_about_an_unknown_is_done() {
    let (profile, mut facts) = ready();
    let Fact::Known(Some(record)) = &mut facts.custom_changes.record else { panic!("known") };
    record.outcome = crate::facts::custom_changes::Outcome::Started;
    assert_eq!(planned(&profile, &facts, &Selection::default()).changes, []);
    let request = Request { custom_changes: Some(Decision::Accept), ..Request::default() };
    let plan = plan(&profile, &facts, &Selection::default(), TODAY, &request);
    assert_eq!(plan.changes[0].change, Change::RecordCustomChanges { accepted: true });
}

#[test]
fn what_waits_for_what_nobody_mends_here_is_not_reported_twice() {
    let (profile, mut facts) = fresh();
    let disks = edit(&mut facts.disks);
    disks.iter_mut().for_each(|disk| disk.scsi_id = Err(NoId::default()));
    let plan = planned(&profile, &facts, &Selection::default());
    let ids: Vec<_> = plan.manual.iter().map(|manual| manual.id.as_str()).collect();
    assert_eq!(ids, ["scsi.uuid-enabled", "custom-changes.applied"]);
}

#[test]
fn an_option_that_nothing_comes_of_is_reported() {
    let (profile, facts) = ready();
    let request = Request {
        custom_changes: Some(Decision::Rerun),
        retention_disk: Some("sda".into()),
        ..Request::default()
    };
    let idle = plan(&profile, &facts, &Selection::default(), TODAY, &request);
    assert_eq!(idle.changes, []);
    assert_eq!(
        idle.notes,
        [
            "--custom-changes=rerun is not needed: custom-changes.applied is met already; to run the script again \
             all the same, remove /etc/.appliedmtcustomchanges first",
            "--retention-disk sda is not needed: retention.disk is met already; that disk is left as it is (to have the \
             retention volume there: --replace-retention sda)",
        ]
    );
    let request = Request { retention_disk: Some("sdb".into()), ..Request::default() };
    let named = plan(&profile, &facts, &Selection::default(), TODAY, &request);
    assert_eq!(named.notes, [] as [&str; 0], "it is the retention disk");
}

#[test]
fn a_run_by_hand_is_recorded_and_owes_a_restart() {
    let (profile, mut facts) = ready();
    facts.custom_changes.record = Fact::Known(None);
    facts.multipath.maps = Fact::Known(Vec::new());
    let plan = planned(&profile, &facts, &Selection::default());
    assert_eq!(plan.changes.len(), 1);
    assert_eq!(plan.changes[0].change, Change::RecordCustomChanges { accepted: false });
    assert!(plan.restart);
}

#[test]
fn what_a_person_decided_and_a_failure_left_open_is_reported() {
    let (profile, facts) = fresh();
    let request = Request { custom_changes: Some(Decision::Rerun), ..Request::default() };
    let agreed = plan(&profile, &facts, &Selection::default(), TODAY, &request);
    let changes: Vec<Change> = agreed.changes.iter().map(|planned| planned.change.clone()).collect();
    assert_eq!(left(&agreed, &changes[..1]), Some("--custom-changes=rerun"));
    assert_eq!(left(&agreed, &changes), None);
    assert_eq!(left(&planned(&profile, &facts, &Selection::default()), &[]), None, "nobody decided anything");
}

#[test]
fn what_a_person_ordered_and_waits_for_something_that_is_open_is_reported_in_a_line() {
    let with = |decision| Request { custom_changes: Some(decision), ..Request::default() };
    // Whether there is anything to accept is not known.
    let (profile, mut facts) = ready();
    facts.custom_changes.marker_ctime_secs = Fact::Unknown("the disk does not answer".into());
    let outcome = plan(&profile, &facts, &Selection::default(), TODAY, &with(Decision::Accept));
    assert_eq!(outcome.changes, []);
    let note = "--custom-changes=accept is not carried out: cannot be determined: the marker of the vendor script: the disk does not \
                answer";
    assert_eq!(outcome.notes, [note]);
    assert!(is_open(note));
    // What is accepted needs nothing, and is noted before anything else can fail.
    let (profile, mut facts) = fresh();
    facts.custom_changes.log_tail = Fact::Known(Some(String::new()));
    facts.multipath.configuration.clone_from(&ready().1.multipath.configuration);
    let outcome = plan(&profile, &facts, &Selection::default(), TODAY, &with(Decision::Accept));
    assert_eq!(outcome.changes[0].change, Change::RecordCustomChanges { accepted: true });
    assert!(matches!(outcome.changes[1].change, Change::InstallPackages { .. }), "{outcome:?}");
    // What it needs.
    let (mut profile, mut facts) = fresh();
    profile.custom_changes.archive = Some("/root/agent.tar.gz".parse().unwrap());
    facts.custom_changes.record.clone_from(&ready().1.custom_changes.record);
    let only = Selection::new(vec!["custom-changes".into()], vec![]).unwrap();
    let outcome = plan(&profile, &facts, &only, TODAY, &with(Decision::Rerun));
    assert_eq!(outcome.changes, []);
    assert!(
        outcome.notes.contains(
            &"--custom-changes=rerun is not carried out: it needs packages.base, packages.multipath first; then mt-agent apply \
              --custom-changes=rerun"
                .to_owned()
        ),
        "{:?}",
        outcome.notes
    );
    // What the same apply mends first is in nobody's way.
    let outcome = plan(&profile, &facts, &Selection::default(), TODAY, &with(Decision::Rerun));
    assert!(outcome.notes.iter().all(|note| !is_open(note)), "{:?}", outcome.notes);
    assert!(
        outcome
            .changes
            .iter()
            .any(|planned| matches!(planned.change, Change::RunCustomChanges { rerun: true, .. }))
    );
}

#[test]
fn a_disk_is_put_on_record_by_a_person_s_word_although_whose_the_disks_are_is_not_known() {
    let (profile, mut facts) = ready();
    facts.identity.recorded = Fact::Known(None);
    let planned = |facts: &Facts| {
        let request = Request { own_disks: vec!["/dev/sda".into()], ..Request::default() };
        plan(&profile, facts, &Selection::default(), TODAY, &request)
    };
    let outcome = planned(&facts);
    assert_eq!(outcome.changes.len(), 1, "{outcome:?}");
    assert!(matches!(&outcome.changes[0].change, Change::RecordOwnDisks { scsi_ids } if scsi_ids.len() == 1));
    // Nor is it passed over in silence where a part alone is looked at.
    let request = Request { own_disks: vec!["/dev/sda".into()], ..Request::default() };
    let only = Selection::new(vec!["os".into()], vec![]).unwrap();
    let outcome = plan(&profile, &facts, &only, TODAY, &request);
    let note = "--own-disk /dev/sda is not carried out: layout.own-disks is not looked at";
    assert!(
        outcome.changes.is_empty() && outcome.notes.iter().any(|other| other == note),
        "{:?}",
        outcome.notes
    );
    // Not where it is unknown because something could not be read: it may have the names.
    let storage = edit(&mut facts.storage);
    storage.last_mut().unwrap().read = Fact::Unknown("it does not answer".into());
    let outcome = planned(&facts);
    assert_eq!(outcome.changes, []);
    let own = manual(&outcome, "layout.own-disks");
    assert!(
        own.fix.starts_with("--own-disk: sda (") && own.fix.contains("it does not answer"),
        "{}",
        own.fix
    );
}
