//! Whether the machine has restarted since the run.

use super::*;

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
        facts.clock.boot_record_secs = Fact::Known(booted + 7200);
        assert!(told(&profile, &facts, "custom-changes.restarted").starts_with("met: another boot"));
        facts.clock.boot_secs = Fact::Unknown("no /proc/stat".into());
        assert!(told(&profile, &facts, "custom-changes.restarted").starts_with("unknown: "));
    }
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
fn a_clock_that_is_set_within_a_boot_is_no_restart() {
    let record_of_ready = *edit(&mut ready().1.clock.boot_record_secs);
    let said = |marker: u64, kernels: u64, record: Fact<u64>| {
        let (profile, mut facts) = host(Some(marker), None);
        facts.clock.boot_secs = Fact::Known(kernels);
        facts.clock.boot_record_secs = record;
        told(&profile, &facts, "custom-changes.restarted")
    };
    let boot = record_of_ready;
    let hour = 3600;
    let unknown = || Fact::Unknown("no record".into());
    for (marker, kernels, record, expected) in [
        // `date -s +1hour` after the run, and before it.
        (boot + 600, boot + hour, Fact::Known(boot), "restart-owed: the custom changes were made by hand"),
        (boot + hour + 600, boot + hour, Fact::Known(boot), "restart-owed: "),
        // The clock was an hour ahead at boot.
        (boot + 600, boot, Fact::Known(boot + hour), "restart-owed: "),
        (boot - 600, boot - hour, Fact::Known(boot), "restart-owed: "),
        // Within a minute of the boot, on either side.
        (boot + 30, boot, Fact::Known(boot), "restart-owed: "),
        (boot - 60, boot, Fact::Known(boot), "restart-owed: "),
        (boot - 61, boot, Fact::Known(boot), "met: made by hand before this boot"),
        (boot + 30, boot, unknown(), "unknown: the custom changes were made by hand, and nothing proves"),
        (boot - hour, boot, unknown(), "unknown: the custom changes were made by hand, and nothing proves"),
        (boot + hour, boot, unknown(), "restart-owed: "),
    ] {
        let said = said(marker, kernels, record.clone());
        assert!(said.starts_with(expected), "{marker} {kernels} {record:?}: {said}");
    }
    // A second run by hand, after one that is recorded under another boot.
    let (profile, mut facts) = host(Some(1_780_311_600), Some(Outcome::Applied));
    let set = |facts: &mut Facts, kernels: u64, record| {
        facts.clock.boot_secs = Fact::Known(kernels);
        facts.clock.boot_record_secs = record;
    };
    set(&mut facts, 1_780_311_600 + hour, Fact::Known(1_780_311_600 - 600));
    assert!(
        told(&profile, &facts, "custom-changes.restarted")
            .starts_with("restart-owed: the vendor script was run again")
    );
    set(&mut facts, 1_780_311_600 + hour, Fact::Known(1_780_311_600 + hour));
    assert!(told(&profile, &facts, "custom-changes.restarted").starts_with("met: another boot"));
    set(&mut facts, 1_780_311_600 + hour, unknown());
    assert!(told(&profile, &facts, "custom-changes.restarted").starts_with("unknown: "));
}
