use super::*;
use crate::steps::remedy::remedy;
use crate::steps::testing::{BOOT_ID, OS_DISK_ID, RETENTION_ID, edit, ready, told};

/// The ready host with another marker and record.
fn host(marker: Option<u64>, outcome: Option<Outcome>) -> (Profile, Facts) {
    let (mut profile, mut facts) = ready();
    profile.custom_changes.archive = Some("/root/agent.tar.gz".into());
    let Fact::Known(Some(record)) = facts.custom_changes.record.clone() else {
        panic!("the ready host has one")
    };
    facts.custom_changes.archive_bytes = Fact::Known(Some(200 << 20));
    facts.custom_changes.marker_ctime_secs = Fact::Known(marker);
    facts.custom_changes.record = Fact::Known(outcome.map(|outcome| Record { outcome, ..record }));
    (profile, facts)
}

fn remedied(profile: &Profile, facts: &Facts, decision: Option<Decision>) -> Vec<Change> {
    let request = Request { custom_changes: decision, ..Request::default() };
    match remedy("custom-changes.applied", profile, facts, &request) {
        Remedy::With { changes, .. } => changes,
        _ => Vec::new(),
    }
}

fn run(rerun: bool) -> Vec<Change> {
    vec![Change::RunCustomChanges { archive: "/root/agent.tar.gz".into(), rerun, archive_sha256: None }]
}

#[test]
fn a_script_that_never_ran_or_failed_is_run_once() {
    for outcome in [None, Some(Outcome::Failed("perl was missing".into()))] {
        let (profile, facts) = host(None, outcome);
        assert!(told(&profile, &facts, "custom-changes.applied").starts_with("unmet: "));
        assert_eq!(remedied(&profile, &facts, None), run(false));
    }
    let (mut profile, mut facts) = host(None, None);
    facts.custom_changes.archive_bytes = Fact::Known(None);
    assert!(told(&profile, &facts, "custom-changes.applied").contains("copy the Unified Agent"));
    assert_eq!(remedied(&profile, &facts, None), []);
    profile.custom_changes.archive = None;
    assert!(told(&profile, &facts, "custom-changes.applied").contains("custom-changes.archive"));
    assert_eq!(remedied(&profile, &facts, None), []);
}

#[test]
fn an_interrupted_run_is_unknown_and_never_runs_again_by_itself() {
    let (profile, facts) = host(None, Some(Outcome::Started));
    let told = told(&profile, &facts, "custom-changes.applied");
    assert!(told.starts_with("unknown: a run of the vendor script was interrupted"), "{told}");
    assert!(told.contains("--custom-changes=accept") && told.contains("=rerun"), "{told}");
    assert_eq!(remedied(&profile, &facts, None), []);
    assert_eq!(remedied(&profile, &facts, Some(Decision::Rerun)), run(true));
    assert_eq!(
        remedied(&profile, &facts, Some(Decision::Accept)),
        [Change::RecordCustomChanges { accepted: true }]
    );
}

#[test]
fn an_uninstalled_marker_is_unmet_and_a_persons_to_decide() {
    let (profile, facts) = host(None, Some(Outcome::Applied));
    assert!(told(&profile, &facts, "custom-changes.applied").contains("uninstalling"));
    assert_eq!(remedied(&profile, &facts, None), []);
    assert_eq!(remedied(&profile, &facts, Some(Decision::Rerun)), run(true));
}

#[test]
fn an_interrupted_run_that_made_its_marker_is_unknown_too() {
    let (profile, facts) = host(Some(1), Some(Outcome::Started));
    let told = told(&profile, &facts, "custom-changes.applied");
    assert!(told.starts_with("unknown: a run of the vendor script was interrupted (boot "), "{told}");
    assert!(told.contains("it had made /etc/.appliedmtcustomchanges"), "{told}");
}

#[test]
fn a_decision_that_decides_nothing_runs_nothing() {
    let refused = |marker, outcome, decision| {
        let (profile, mut facts) = host(marker, outcome);
        facts.multipath.configuration = Fact::Known(None);
        let request = Request { custom_changes: Some(decision), ..Request::default() };
        match remedy("custom-changes.applied", &profile, &facts, &request) {
            Remedy::Refused(why) => why,
            other => panic!("{other:?}"),
        }
    };
    for (marker, outcome) in [(None, None), (None, Some(Outcome::Failed("x".into()))), (Some(1), None)] {
        let why = refused(marker, outcome, Decision::Accept);
        assert!(why.contains("no interrupted run of the vendor script is recorded"), "{why}");
    }
    let why = refused(None, Some(Outcome::Started), Decision::Accept);
    assert!(why.contains("there is no /etc/multipath.conf; --custom-changes=rerun"), "{why}");
    let (mut profile, facts) = host(None, Some(Outcome::Started));
    profile.custom_changes.archive = None;
    let request = Request { custom_changes: Some(Decision::Rerun), ..Request::default() };
    let Remedy::Refused(why) = remedy("custom-changes.applied", &profile, &facts, &request) else {
        panic!("not refused")
    };
    assert!(why.starts_with("--custom-changes=rerun: name the archive"), "{why}");
}

#[test]
fn a_run_by_hand_after_a_recorded_one_owes_its_own_restart() {
    let booted = 1_780_311_600;
    // The agent's run failed in an earlier boot; a person ran the script in this one.
    let (profile, facts) = host(Some(booted + 3600), Some(Outcome::Failed("no perl".into())));
    assert!(told(&profile, &facts, "custom-changes.restarted").starts_with("restart-owed: "));
    assert!(told(&profile, &facts, "custom-changes.applied").starts_with("met: run by hand"));
    let record_it = Remedy::Restart { first: vec![Change::RecordCustomChanges { accepted: false }] };
    assert_eq!(remedy("custom-changes.restarted", &profile, &facts, &Request::default()), record_it);
    // It had run; an uninstallation removed the marker, and a person ran the script again in this boot.
    for outcome in [Outcome::Applied, Outcome::Observed, Outcome::Accepted] {
        let (profile, mut facts) = host(Some(booted + 3600), Some(outcome.clone()));
        let told_now = told(&profile, &facts, "custom-changes.restarted");
        assert!(told_now.starts_with("restart-owed: the vendor script was run again"), "{told_now}");
        facts.clock.boot_secs = Fact::Known(booted + 7200);
        assert!(told(&profile, &facts, "custom-changes.restarted").starts_with("met: another boot"));
        facts.clock.boot_secs = Fact::Unknown("no /proc/stat".into());
        assert!(told(&profile, &facts, "custom-changes.restarted").starts_with("unknown: "));
    }
}

#[test]
fn what_could_not_be_read_is_never_met_and_never_run() {
    let (profile, mut facts) = host(None, None);
    facts.custom_changes.record = Fact::Unknown("torn".into());
    assert!(told(&profile, &facts, "custom-changes.applied").starts_with("unknown: "));
    assert_eq!(remedied(&profile, &facts, Some(Decision::Rerun)), []);
}

#[test]
fn a_restart_is_told_from_the_boot_id() {
    let (profile, mut facts) = host(Some(1), Some(Outcome::Applied));
    assert!(told(&profile, &facts, "custom-changes.restarted").starts_with("met: another boot"));
    let record = edit(&mut facts.custom_changes.record).clone().unwrap();
    facts.boot_id = Fact::Known(record.boot_id);
    assert!(told(&profile, &facts, "custom-changes.restarted").starts_with("restart-owed: "));
    let restart = Remedy::Restart { first: Vec::new() };
    assert_eq!(remedy("custom-changes.restarted", &profile, &facts, &Request::default()), restart);
    facts.boot_id = Fact::Unknown("no /proc".into());
    assert!(told(&profile, &facts, "custom-changes.restarted").starts_with("unknown: "));
    assert_ne!(facts.boot_id, Fact::Known(BOOT_ID.into()));
}

#[test]
fn of_a_run_by_hand_clocks_alone_prove_nothing() {
    let booted = *edit(&mut ready().1.clock.boot_secs);
    let (profile, mut facts) = host(Some(booted - 3600), None);
    assert!(told(&profile, &facts, "custom-changes.restarted").starts_with("met: made by hand"));
    facts.multipath.maps = Fact::Known(Vec::new());
    let told_without_maps = told(&profile, &facts, "custom-changes.restarted");
    assert!(told_without_maps.contains("nothing proves"), "{told_without_maps}");
    let record_it = Remedy::Restart { first: vec![Change::RecordCustomChanges { accepted: false }] };
    assert_eq!(remedy("custom-changes.restarted", &profile, &facts, &Request::default()), record_it);
    let (profile, facts) = host(Some(booted + 3600), None);
    assert!(told(&profile, &facts, "custom-changes.restarted").starts_with("restart-owed: "));
}

#[test]
fn the_blacklist_names_this_root_disk_and_not_that_of_a_template() {
    let (profile, mut facts) = ready();
    assert_eq!(told(&profile, &facts, "custom-changes.root-disk"), format!("met: {OS_DISK_ID} (sda)"));
    facts.custom_changes.blacklistrootdev_id = Fact::Known(Some(RETENTION_ID.into()));
    assert!(
        told(&profile, &facts, "custom-changes.root-disk")
            .starts_with("unmet: /usr/sbin/blacklistrootdev.sh")
    );
    let Fact::Known(Some(configuration)) = &mut facts.multipath.configuration else { panic!("it has one") };
    configuration.blacklist_wwids = vec![format!("^{RETENTION_ID}$"), "(".into()];
    let told = told(&profile, &facts, "custom-changes.root-disk");
    assert!(told.starts_with(&format!("unmet: blacklisted: ^{RETENTION_ID}$, (")), "{told}");
    assert_eq!(
        remedy("custom-changes.root-disk", &profile, &facts, &Request::default()),
        Remedy::With {
            changes: vec![Change::BlacklistRootDisk {
                scsi_id: OS_DISK_ID.into(),
                replaces: Some(RETENTION_ID.into())
            }],
            needs: &["scsi.ids-unique"],
        }
    );
}

#[test]
fn a_blacklist_that_hides_more_than_the_root_disk_or_less_is_for_a_person_to_correct() {
    let (profile, ready) = ready();
    let judged = |change: &dyn Fn(&mut Configuration)| {
        let mut facts = ready.clone();
        let Fact::Known(Some(configuration)) = &mut facts.multipath.configuration else {
            panic!("it has one")
        };
        change(configuration);
        let request = Request::default();
        (
            told(&profile, &facts, "custom-changes.root-disk"),
            remedy("custom-changes.root-disk", &profile, &facts, &request),
        )
    };
    for wide in [".*", "*", "", "36000c29", "^36000c29", &OS_DISK_ID[3..], &OS_DISK_ID[..30]] {
        let (said, remedy) = judged(&|c| c.blacklist_wwids.push(wide.into()));
        let found = format!("`wwid {wide}` hides other disks than the root disk from multipath");
        assert!(said.starts_with(&format!("unmet: {found}")), "{wide}: {said}");
        assert_eq!(remedy, Remedy::Refused(format!("{found}: {CORRECT_BY_HAND}")));
    }
    for change in [
        &(|c: &mut Configuration| c.blacklist_devnodes.push("^sd".into())) as &dyn Fn(&mut Configuration),
        &|c| c.blacklist_devices.push(("VMware".into(), String::new())),
        &|c| c.blacklist_wwids.push(format!("^{RETENTION_ID}$")),
    ] {
        let (said, remedy) = judged(change);
        assert!(said.starts_with(&format!("unmet: the blacklist hides sdb ({RETENTION_ID})")), "{said}");
        assert!(matches!(remedy, Remedy::Refused(_)), "{remedy:?}");
    }
    let (said, _) = judged(&|c| c.exception_wwids.push(OS_DISK_ID.into()));
    assert!(said.contains("takes the root disk out of the blacklist again"), "{said}");
    let (said, _) = judged(&|c| c.problems.push("line 3: a quotation mark is not closed".into()));
    assert_eq!(
        said,
        "unknown: /etc/multipath.conf is not understood: line 3: a quotation mark is not closed"
    );
    for narrow in [format!("^{OS_DISK_ID}$"), format!("^{OS_DISK_ID}"), "^cciss".into()] {
        assert!(judged(&|c| c.blacklist_wwids.push(narrow.clone())).0.starts_with("met: "), "{narrow}");
    }
}
