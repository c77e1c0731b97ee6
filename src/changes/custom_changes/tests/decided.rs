//! What a person decides, and what is on record then.

use super::*;

#[test]
fn an_interrupted_run_waits_for_a_person() {
    let mut desk = Desk::new();
    desk.archive(VENDOR);
    desk.set_outcome(Outcome::Started);
    contains(&desk.again().unwrap_err(), "--custom-changes=accept");
    assert!(!desk.path("/where").exists());
    contains(
        &format!("{:#}", desk.with(|context| record(context, false)).unwrap_err()),
        "its end is not known",
    );

    // Run again: only when a person says so.
    assert!(matches!(desk.rerun(), Ok(Done::Changed(_))));
    contains(&desk.seen.progress.join("\n"), "the vendor script runs again, although it was started at");
    // An archive that is none takes no marker away.
    fs::rename(desk.path("/root/agent.tar.gz"), desk.path("/root/kept")).unwrap();
    assert!(desk.rerun().is_err());
    assert!(desk.path("/etc/.appliedmtcustomchanges").exists());
    assert_eq!(desk.outcome(), Outcome::Applied);
    fs::rename(desk.path("/root/kept"), desk.path("/root/agent.tar.gz")).unwrap();
    // Even after it reached its end: then its marker goes out of the way first.
    assert!(matches!(desk.rerun(), Ok(Done::Changed(_))));
    contains(&desk.seen.progress.join("\n"), "took /etc/.appliedmtcustomchanges away");
    assert_eq!(fs::read_to_string(desk.path("/etc/bashrc")).unwrap().matches("ulimit").count(), 2);
}

#[test]
fn an_accepted_run_keeps_the_boot_under_which_it_was_started() {
    let mut desk = Desk::new();
    desk.set_outcome(Outcome::Started);
    assert!(matches!(desk.with(|context| record(context, true)).unwrap(), Done::Changed(_)));
    let kept = desk.record();
    assert_eq!((kept.outcome, kept.boot_id.as_str()), (Outcome::Accepted, "boot-0"));
    assert_eq!(desk.with(|context| record(context, true)).unwrap(), Done::Unchanged);
    desk.archive(VENDOR);
    assert_eq!(desk.again().unwrap(), Done::Unchanged);
}

#[test]
fn a_run_by_hand_is_seen_by_its_marker_alone() {
    let mut desk = Desk::new();
    let error = format!("{:#}", desk.with(|context| record(context, false)).unwrap_err());
    contains(&error, "there is no /etc/.appliedmtcustomchanges");
    fs::write(desk.path("/etc/.appliedmtcustomchanges"), "").unwrap();
    contains(&desk.run(VENDOR).unwrap_err(), "somebody has run the vendor script");
    assert!(matches!(desk.with(|context| record(context, false)).unwrap(), Done::Changed(_)));
    assert_eq!((desk.outcome(), desk.record().archive_sha256), (Outcome::Observed, String::new()));
    // Run again after all, and not started then: the record alone still tells that it ran.
    fs::remove_file(desk.path(VENDOR_SCRIPT)).unwrap();
    desk.with(|context| take_marker_away(context, None)).unwrap();
    assert!(!desk.path("/etc/.appliedmtcustomchanges").exists());
    contains(&desk.again().unwrap_err(), "is gone (the vendor's uninstaller removes it)");
    fs::write(desk.path("/etc/.appliedmtcustomchanges"), "").unwrap();
    // The vendor's uninstaller takes the marker away: that is no reason to run it by ourselves.
    fs::remove_file(desk.path("/etc/.appliedmtcustomchanges")).unwrap();
    contains(&desk.again().unwrap_err(), "is gone (the vendor's uninstaller removes it)");
    assert!(matches!(desk.with(|context| record(context, true)).unwrap(), Done::Changed(_)));
    assert_eq!(desk.outcome(), Outcome::Accepted);
}

#[test]
fn a_record_that_cannot_be_understood_stops_everything() {
    let mut desk = Desk::new();
    desk.set_outcome(Outcome::Applied);
    for (text, part) in [("{\"schema\":", "nobody knows whether"), ("", "nobody knows whether")] {
        fs::write(desk.path(VENDOR_SCRIPT), text).unwrap();
        contains(&desk.run(VENDOR).unwrap_err(), part);
    }
    let mut other = Record::new("", "boot", Outcome::Applied);
    other.schema = "mt-agent/custom-changes/v9".into();
    vendor_script::write(&desk.host, &other).unwrap();
    contains(&desk.again().unwrap_err(), "has the schema `mt-agent/custom-changes/v9`");
    assert!(!desk.path("/where").exists());
}
