//! Whether the machine has restarted since the run.

use super::*;

fn with(marker: Option<u64>, outcome: Option<Outcome>) -> Judged {
    super::with(marker, outcome).judged_by("custom-changes.restarted")
}

#[test]
fn a_run_by_hand_after_a_recorded_one_owes_its_own_restart() {
    let booted = 1_780_311_600;
    // The agent's run failed in an earlier boot; a person ran the script in this one.
    let host = with(Some(booted + 3600), Some(Outcome::Failed("no perl".into())));
    host.starts("restart-owed: ");
    host.of("custom-changes.applied").starts("met: run by hand");
    let record_it = Remedy::Restart { first: vec![Change::RecordCustomChanges { accepted: false }] };
    assert_eq!(host.remedy(), record_it);
    // It had run; an uninstallation removed the marker, and a person ran the script again in this boot.
    for outcome in [Outcome::Applied, Outcome::Observed, Outcome::Accepted] {
        let mut host = with(Some(booted + 3600), Some(outcome.clone()));
        host.starts("restart-owed: the vendor script was run again");
        host.clock.boot_secs = Fact::Known(booted + 7200);
        host.clock.boot_record_secs = Fact::Known(booted + 7200);
        host.starts("met: another boot");
        host.clock.boot_secs = Fact::Unknown("no /proc/stat".into());
        host.starts("unknown: ");
    }
}

#[test]
fn a_restart_is_told_from_the_boot_id() {
    let mut host = with(Some(1), Some(Outcome::Applied));
    host.starts("met: another boot");
    let record = edit(&mut host.custom_changes.record).clone().unwrap();
    host.boot_id = Fact::Known(record.boot_id);
    host.starts("restart-owed: ");
    let restart = Remedy::Restart { first: Vec::new() };
    assert_eq!(host.remedy(), restart);
    host.boot_id = Fact::Unknown("no /proc".into());
    host.starts("unknown: ");
    assert_ne!(host.boot_id, Fact::Known(BOOT_ID.into()));
}

#[test]
fn of_a_run_by_hand_clocks_alone_prove_nothing() {
    let booted = *edit(&mut ready().1.clock.boot_secs);
    let mut host = with(Some(booted - 3600), None);
    host.starts("met: made by hand");
    host.multipath.maps = Fact::Known(Vec::new());
    host.has("nothing proves");
    let record_it = Remedy::Restart { first: vec![Change::RecordCustomChanges { accepted: false }] };
    assert_eq!(host.remedy(), record_it);
    let host = with(Some(booted + 3600), None);
    host.starts("restart-owed: ");
}

#[test]
fn a_clock_that_is_set_within_a_boot_is_no_restart() {
    let boot = *edit(&mut ready().1.clock.boot_record_secs);
    let outcome = |marker: u64, kernels: u64, record: Fact<u64>| {
        let mut host = with(Some(marker), None);
        host.clock.boot_secs = Fact::Known(kernels);
        host.clock.boot_record_secs = record;
        host.outcome()
    };
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
        let outcome = outcome(marker, kernels, record.clone());
        assert!(outcome.starts_with(expected), "{marker} {kernels} {record:?}: {outcome}");
    }
    // A second run by hand, after one that is recorded under another boot.
    let mut host = with(Some(1_780_311_600), Some(Outcome::Applied));
    let set = |host: &mut Facts, kernels: u64, record| {
        host.clock.boot_secs = Fact::Known(kernels);
        host.clock.boot_record_secs = record;
    };
    set(&mut host, 1_780_311_600 + hour, Fact::Known(1_780_311_600 - 600));
    host.starts("restart-owed: the vendor script was run again");
    set(&mut host, 1_780_311_600 + hour, Fact::Known(1_780_311_600 + hour));
    host.starts("met: another boot");
    set(&mut host, 1_780_311_600 + hour, unknown());
    host.starts("unknown: ");
}
