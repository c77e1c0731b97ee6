//! How a run can end that does not do its work.

use super::*;

#[test]
fn status_0_without_the_marker_is_no_success() {
    let mut desk = Desk::new();
    let error = desk.run("#!/bin/sh\nexit 0\n").unwrap_err();
    contains(&error, "ended with status 0 without its marker /etc/.appliedmtcustomchanges; it said nothing");
    assert!(matches!(desk.outcome(), Outcome::Failed(_)));
}

#[test]
fn half_a_run_is_unknown_and_is_not_repeated() {
    let mut desk = Desk::new();
    let half = "#!/bin/bash\necho x >> $ROOT/runs\necho new > $ROOT/etc/multipath.conf\nexit 1\n";
    let error = desk.run(half).unwrap_err();
    contains(&error, "failed: it ended with status 1 without its marker");
    contains(&error, "it changed /etc/multipath.conf; the files as they were are in ");
    contains(&error, "--custom-changes=accept");
    let error = desk.again().unwrap_err();
    contains(&error, "it changed /etc/multipath.conf; the files as they were are in ");
    contains(&error, "it is not run again by itself");
    assert_eq!(fs::read_to_string(desk.path("/runs")).unwrap(), "x\n");
}

#[test]
fn a_hanging_script_is_stopped_and_its_state_is_unknown() {
    let mut desk = Desk::new();
    desk.profile.custom_changes.deadline = Duration::from_secs(5).into();
    let error = desk.run("#!/bin/bash\necho waiting; sleep 600\n").unwrap_err();
    contains(&error, "did not end within 5 s and was stopped: waiting; its marker is not there; ");
    assert_eq!(desk.outcome(), Outcome::Started);
    contains(&desk.again().unwrap_err(), "it is not run again by itself");
}

#[test]
fn a_script_that_kills_itself_is_unknown() {
    let mut desk = Desk::new();
    let error = desk.run("#!/bin/bash\necho x > $ROOT/.blacklistrootdev\nkill -9 $$\n").unwrap_err();
    contains(&error, "was ended by signal 9; its marker is not there; it changed /.blacklistrootdev; ");
    assert_eq!(desk.outcome(), Outcome::Started);
}

#[test]
fn a_script_that_asks_for_ever_neither_fills_the_log_nor_lives_on() {
    let mut desk = Desk::new();
    desk.profile.custom_changes.deadline = Duration::from_secs(10).into();
    let error = desk.run("#!/bin/bash\nwhile :; do printf 'Continue? \\377\\n'; read a; done\n").unwrap_err();
    contains(&error, "was stopped: Continue? \u{fffd}; Continue?");
    assert!(desk.seen.log.len() < crate::changes::context::LINES + 10, "{} lines", desk.seen.log.len());
    assert!(desk.seen.log.iter().any(|line| line.contains("it prints more")));
}

#[test]
fn megabytes_of_noise_do_not_hide_the_end() {
    let mut desk = Desk::new();
    let noisy = VENDOR.replace("touch $ROOT", "head -c 12000000 /dev/urandom | base64\ntouch $ROOT");
    assert!(matches!(desk.run(&noisy), Ok(Done::Changed(_))));
    assert_eq!(desk.outcome(), Outcome::Applied);
}
