mod restarted;
mod root_disk;

use super::root_disk::CORRECT_BY_HAND;
use super::*;
use crate::facts::disks::Map;
use crate::facts::mounts::Mount;
use crate::facts::multipath::Configuration;
use crate::facts::multipath::{Dialect, parse::parse};
use crate::state::vendor_script::Record;
use crate::steps::testing::{
    BOOT_ID, Judged, OS_DISK_ID, RETENTION_ID, TODAY, disks, edit, mount_of, mounts, never_ran, ready,
    remedy, virtual_disk,
};
use crate::steps::{Selection, Verdict, judge_all, verdict};

/// The ready host with another marker and record.
fn with(marker: Option<u64>, outcome: Option<Outcome>) -> Judged {
    let mut host = Judged::ready("custom-changes.applied");
    host.profile.custom_changes.archive = Some("/root/agent.tar.gz".parse().unwrap());
    let record = edit(&mut host.custom_changes.record).clone().unwrap();
    host.custom_changes.archive_bytes = Fact::Known(Some(200 << 20));
    host.custom_changes.marker_ctime_secs = Fact::Known(marker);
    if (marker, &outcome) == (None, &None) {
        never_ran(&mut host);
    } else {
        host.custom_changes.record = Fact::Known(outcome.map(|outcome| Record { outcome, ..record }));
    }
    host
}

fn decided(host: &Judged, decision: Option<Decision>) -> Remedy {
    let request = Request { custom_changes: decision, ..Request::default() };
    remedy("custom-changes.applied", &host.profile, host, &request)
}

fn remedied(host: &Judged, decision: Option<Decision>) -> Vec<Change> {
    match decided(host, decision) {
        Remedy::With { changes, .. } => changes,
        _ => Vec::new(),
    }
}

fn accept() -> Vec<Change> {
    vec![Change::RecordCustomChanges { accepted: true }]
}

fn run(rerun: bool) -> Vec<Change> {
    vec![Change::RunCustomChanges { archive: "/root/agent.tar.gz".into(), rerun, archive_sha256: None }]
}

#[test]
fn a_script_that_was_never_started_is_run_once() {
    let host = with(None, None);
    host.starts("unmet: ");
    assert_eq!(remedied(&host, None), run(false));
    let mut host = with(None, None);
    host.custom_changes.archive_bytes = Fact::Known(None);
    host.has("copy the Unified Agent");
    assert_eq!(remedied(&host, None), []);
    host.profile.custom_changes.archive = None;
    host.has("custom-changes.archive");
    assert_eq!(remedied(&host, None), []);
}

#[test]
fn what_a_run_left_behind_lets_no_second_one_begin_by_itself() {
    let ran = |leave: &dyn Fn(&mut Facts)| {
        let mut host = with(None, None);
        host.multipath.configuration = Fact::Known(Some(Configuration::default()));
        leave(&mut host);
        host
    };
    let host = ran(&|_| ());
    assert_eq!(remedied(&host, None), run(false), "a configuration of another's making is no trace");
    type Leave<'a> = (&'a dyn Fn(&mut Facts), &'a str);
    let traces: [Leave<'_>; 5] = [
        (
            &|host| host.records_set_aside = Fact::Known(vec!["custom-changes.json".into()]),
            "a record of its run in /var/lib/mt-agent/set-aside",
        ),
        (
            &|host| host.custom_changes.log_tail = Fact::Known(Some(String::new())),
            "/var/log/appliedmtcustomchanges.log",
        ),
        (&|host| host.custom_changes.blacklistrootdev_script = true, "/usr/sbin/blacklistrootdev.sh"),
        (&|host| host.custom_changes.blacklistrootdev_flag = true, "/.blacklistrootdev"),
        (
            &|host| {
                let blacklist_wwids = vec![OS_DISK_ID.into()];
                host.multipath.configuration =
                    Fact::Known(Some(Configuration { blacklist_wwids, ..Configuration::default() }));
            },
            "the root disk's SCSI ID in /etc/multipath.conf",
        ),
    ];
    for (leave, trace) in traces {
        let host = ran(leave);
        host.starts("unknown: ").has(format!("is not there, but {trace} is: "));
        assert_eq!(remedied(&host, None), []);
        assert_eq!(remedied(&host, Some(Decision::Rerun)), run(true));
        assert_eq!(remedied(&host, Some(Decision::Accept)), accept());
    }
    let host = ran(&|host| host.custom_changes.log_tail = Fact::Unknown("why".into()));
    host.starts("unknown: ");
    assert_eq!(remedied(&host, None), []);
}

#[test]
fn one_that_failed_waits_for_a_person_and_says_why() {
    let host = with(None, Some(Outcome::Failed("it said: perl; FAILED".into())));
    host.starts("unmet: its last run failed: it said: perl; FAILED |")
        .has("put that right, then ")
        .has("--custom-changes=rerun");
    assert_eq!(remedied(&host, None), []);
    assert_eq!(remedied(&host, Some(Decision::Rerun)), run(true));
    assert_eq!(remedied(&host, Some(Decision::Accept)), accept());
}

#[test]
fn one_that_still_lives_is_unknown_and_nobodys_to_decide() {
    for outcome in [Outcome::Started, Outcome::Failed("x".into())] {
        for marker in [None, Some(1)] {
            let mut host = with(marker, Some(outcome.clone()));
            host.custom_changes.running = Fact::Known(Some(4711));
            host.starts("unknown: the vendor script is still running (process 4711, ");
            for decision in [None, Some(Decision::Rerun), Some(Decision::Accept)] {
                assert_eq!(remedied(&host, decision), []);
            }
            host.custom_changes.running = Fact::Unknown("hidden".into());
            assert!(
                settle(applied(&host.profile, &host))
                    == Status::unknown("whether the vendor script is still running: hidden")
            );
            assert_eq!(remedied(&host, Some(Decision::Rerun)), []);
        }
    }
    // What a run that reached its end has left behind in its group is no reason to judge it otherwise.
    let mut host = with(Some(1), Some(Outcome::Applied));
    host.custom_changes.running = Fact::Known(Some(4711));
    host.starts("met: ");
    assert_eq!(remedied(&host, Some(Decision::Rerun)), []);
}

#[test]
fn a_log_that_says_failed_is_a_finding_although_the_marker_is_there() {
    let logged = |outcome: Option<Outcome>, log_bytes, log: &str| {
        let mut host = with(Some(1), outcome);
        host.custom_changes.log_tail = Fact::Known(Some(log.into()));
        if let Fact::Known(Some(record)) = &mut host.custom_changes.record {
            record.log_bytes = log_bytes;
        }
        (host.outcome(), remedied(&host, Some(Decision::Accept)))
    };
    let log = "scsi_id of sda\nFAILED\ndone";
    let (outcome, accepted) = logged(Some(Outcome::Applied), Some(7), log);
    outcome.starts("unmet: it reached its end, but its log says: scsi_id of sda; FAILED |");
    assert_eq!(accepted, accept());
    // By hand, or by version 0.1.0: it may be of an earlier run.
    for outcome in [None, Some(Outcome::Observed), Some(Outcome::Applied)] {
        let (outcome, accepted) = logged(outcome, None, log);
        outcome.starts("unknown: /var/log/appliedmtcustomchanges.log says: ");
        assert_eq!(accepted, accept());
    }
    assert!(logged(Some(Outcome::Accepted), Some(7), log).0.starts_with("met: "), "a person has looked");
    logged(Some(Outcome::Applied), Some(7), "all is OK").0.starts("met: ");
    let mut host = with(Some(1), Some(Outcome::Applied));
    host.custom_changes.log_tail = Fact::Unknown("torn".into());
    let status = settle(applied(&host.profile, &host));
    assert_eq!(status, Status::unknown("the log of the vendor script: torn"));
}

#[test]
fn an_end_without_the_root_disks_id_is_a_finding() {
    let judged = |change: &dyn Fn(&mut Facts)| {
        let mut host = with(Some(1), Some(Outcome::Applied));
        change(&mut host);
        for decision in [Decision::Rerun, Decision::Accept] {
            assert_ne!(decided(&host, Some(decision)), Remedy::None);
        }
        host.outcome()
    };
    let lacks = |change: &dyn Fn(&mut Facts), part: &str| {
        judged(change).starts(format!("unmet: it reached its end without the root disk's SCSI ID: {part} |"));
    };
    let no_script_id = |host: &mut Facts| host.custom_changes.blacklistrootdev_id = Fact::Known(None);
    lacks(&no_script_id, "/usr/sbin/blacklistrootdev.sh names none");
    lacks(
        &|host| {
            no_script_id(host);
            host.custom_changes.blacklistrootdev_script = false;
        },
        "/.blacklistrootdev is there, and no /usr/sbin/blacklistrootdev.sh",
    );
    let parsed = |text: &'static str| {
        move |host: &mut Facts| {
            let parsed = parse(text.as_bytes(), Dialect::El6).configuration;
            host.multipath.configuration = Fact::Known(Some(parsed));
        }
    };
    for text in [
        "blacklist {\n wwid \n}\n",
        "blacklist {\n wwid\n devnode \"^cciss\"\n}\n",
        "blacklist {\n wwid \"\"\n}\n",
    ] {
        lacks(&parsed(text), "an entry `wwid` of /etc/multipath.conf is empty");
    }
    judged(&parsed("blacklist {\n wwid 36000c29b3c1a4e5f60718293a4b5c6d7\n}\n")).starts("met: ");
    // Accepted, or corrected in one place alone, the root disk's own requirement still sees it.
    let mut host = with(Some(1), Some(Outcome::Accepted));
    no_script_id(&mut host);
    host.starts("met: ");
    host.of("custom-changes.root-disk").starts("unmet: /usr/sbin/blacklistrootdev.sh names none |");
    let remedied = host.judged_by("custom-changes.root-disk").remedy();
    assert!(
        matches!(remedied, Remedy::Refused(why) if why.starts_with("/usr/sbin/blacklistrootdev.sh names none: "))
    );
}

#[test]
fn an_interrupted_run_is_unknown_and_never_runs_again_by_itself() {
    let host = with(None, Some(Outcome::Started));
    host.starts("unknown: a run of the vendor script was interrupted")
        .has("--custom-changes=accept")
        .has("=rerun");
    assert_eq!(remedied(&host, None), []);
    assert_eq!(remedied(&host, Some(Decision::Rerun)), run(true));
    assert_eq!(remedied(&host, Some(Decision::Accept)), accept());
}

#[test]
fn an_uninstalled_marker_is_unmet_and_a_persons_to_decide() {
    let host = with(None, Some(Outcome::Applied));
    host.has("uninstalling");
    assert_eq!(remedied(&host, None), []);
    assert_eq!(remedied(&host, Some(Decision::Rerun)), run(true));
}

#[test]
fn an_interrupted_run_that_made_its_marker_is_unknown_too() {
    let host = with(Some(1), Some(Outcome::Started));
    host.starts("unknown: a run of the vendor script was interrupted (boot ")
        .has("it had made /etc/.appliedmtcustomchanges");
}

#[test]
fn a_decision_that_decides_nothing_runs_nothing() {
    let refused = |marker, outcome, decision| {
        let mut host = with(marker, outcome);
        host.multipath.configuration = Fact::Known(None);
        match decided(&host, Some(decision)) {
            Remedy::Refused(why) => why,
            other => panic!("{other:?}"),
        }
    };
    let why = refused(None, None, Decision::Accept);
    assert!(why.contains("no run of the vendor script is recorded"), "{why}");
    for (marker, outcome) in
        [(None, Outcome::Started), (None, Outcome::Failed("x".into())), (Some(1), Outcome::Applied)]
    {
        let why = refused(marker, Some(outcome), Decision::Accept);
        assert!(why.contains("there is no /etc/multipath.conf; --custom-changes=rerun"), "{why}");
    }
    let mut host = with(None, Some(Outcome::Started));
    host.profile.custom_changes.archive = None;
    let Remedy::Refused(why) = decided(&host, Some(Decision::Rerun)) else { panic!("not refused") };
    assert!(why.starts_with("--custom-changes=rerun: name the archive"), "{why}");
}

#[test]
fn what_could_not_be_read_is_never_met_and_never_run() {
    let mut host = with(None, None);
    host.custom_changes.record = Fact::Unknown("torn".into());
    host.starts("unknown: ");
    assert_eq!(remedied(&host, Some(Decision::Rerun)), []);
}
