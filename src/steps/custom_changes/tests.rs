mod restarted;
mod root_disk;

use super::root_disk::CORRECT_BY_HAND;
use super::*;
use crate::facts::disks::Map;
use crate::facts::multipath::Configuration;
use crate::facts::multipath::parse::{Dialect, parse};
use crate::state::vendor_script::Record;
use crate::steps::testing::remedy;
use crate::steps::testing::{
    BOOT_ID, OS_DISK_ID, RETENTION_ID, TODAY, disks, edit, never_ran, ready, told, virtual_disk,
};
use crate::steps::{Selection, Verdict, judge_all, verdict};

/// The ready host with another marker and record.
fn host(marker: Option<u64>, outcome: Option<Outcome>) -> (Profile, Facts) {
    let (mut profile, mut facts) = ready();
    profile.custom_changes.archive = Some("/root/agent.tar.gz".parse().unwrap());
    let Fact::Known(Some(record)) = facts.custom_changes.record.clone() else {
        panic!("the ready host has one")
    };
    facts.custom_changes.archive_bytes = Fact::Known(Some(200 << 20));
    facts.custom_changes.marker_ctime_secs = Fact::Known(marker);
    if (marker, &outcome) == (None, &None) {
        never_ran(&mut facts);
    } else {
        facts.custom_changes.record = Fact::Known(outcome.map(|outcome| Record { outcome, ..record }));
    }
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
fn a_script_that_was_never_started_is_run_once() {
    let (profile, facts) = host(None, None);
    assert!(told(&profile, &facts, "custom-changes.applied").starts_with("unmet: "));
    assert_eq!(remedied(&profile, &facts, None), run(false));
    let (mut profile, mut facts) = host(None, None);
    facts.custom_changes.archive_bytes = Fact::Known(None);
    assert!(told(&profile, &facts, "custom-changes.applied").contains("copy the Unified Agent"));
    assert_eq!(remedied(&profile, &facts, None), []);
    profile.custom_changes.archive = None;
    assert!(told(&profile, &facts, "custom-changes.applied").contains("custom-changes.archive"));
    assert_eq!(remedied(&profile, &facts, None), []);
}

#[test]
fn what_a_run_left_behind_lets_no_second_one_begin_by_itself() {
    let ran = |leave: &dyn Fn(&mut Facts)| {
        let (profile, mut facts) = host(None, None);
        facts.multipath.configuration = Fact::Known(Some(Configuration::default()));
        leave(&mut facts);
        (profile, facts)
    };
    let (profile, facts) = ran(&|_| ());
    assert_eq!(
        remedied(&profile, &facts, None),
        run(false),
        "a configuration of another's making is no trace"
    );
    type Leave<'a> = (&'a dyn Fn(&mut Facts), &'a str);
    let traces: [Leave<'_>; 5] = [
        (
            &|facts| facts.records_set_aside = Fact::Known(vec!["custom-changes.json".into()]),
            "a record of its run in /var/lib/mt-agent/set-aside",
        ),
        (
            &|facts| facts.custom_changes.log_tail = Fact::Known(Some(String::new())),
            "/var/log/appliedmtcustomchanges.log",
        ),
        (&|facts| facts.custom_changes.blacklistrootdev_script = true, "/usr/sbin/blacklistrootdev.sh"),
        (&|facts| facts.custom_changes.blacklistrootdev_flag = true, "/.blacklistrootdev"),
        (
            &|facts| {
                let blacklist_wwids = vec![OS_DISK_ID.into()];
                facts.multipath.configuration =
                    Fact::Known(Some(Configuration { blacklist_wwids, ..Configuration::default() }));
            },
            "the root disk's SCSI ID in /etc/multipath.conf",
        ),
    ];
    for (leave, trace) in traces {
        let (profile, facts) = ran(leave);
        let told = told(&profile, &facts, "custom-changes.applied");
        assert!(
            told.starts_with("unknown: ") && told.contains(&format!("is not there, but {trace} is: ")),
            "{told}"
        );
        assert_eq!(remedied(&profile, &facts, None), []);
        assert_eq!(remedied(&profile, &facts, Some(Decision::Rerun)), run(true));
        let accept = [Change::RecordCustomChanges { accepted: true }];
        assert_eq!(remedied(&profile, &facts, Some(Decision::Accept)), accept);
    }
    let (profile, facts) = ran(&|facts| facts.custom_changes.log_tail = Fact::Unknown("why".into()));
    assert!(told(&profile, &facts, "custom-changes.applied").starts_with("unknown: "));
    assert_eq!(remedied(&profile, &facts, None), []);
}

#[test]
fn one_that_failed_waits_for_a_person_and_says_why() {
    let (profile, facts) = host(None, Some(Outcome::Failed("it said: perl; FAILED".into())));
    let told = told(&profile, &facts, "custom-changes.applied");
    assert!(told.starts_with("unmet: its last run failed: it said: perl; FAILED |"), "{told}");
    assert!(told.contains("put that right, then ") && told.contains("--custom-changes=rerun"), "{told}");
    assert_eq!(remedied(&profile, &facts, None), []);
    assert_eq!(remedied(&profile, &facts, Some(Decision::Rerun)), run(true));
    let accept = [Change::RecordCustomChanges { accepted: true }];
    assert_eq!(remedied(&profile, &facts, Some(Decision::Accept)), accept);
}

#[test]
fn one_that_still_lives_is_unknown_and_nobodys_to_decide() {
    for outcome in [Outcome::Started, Outcome::Failed("x".into())] {
        for marker in [None, Some(1)] {
            let (profile, mut facts) = host(marker, Some(outcome.clone()));
            facts.custom_changes.running = Fact::Known(Some(4711));
            let told = told(&profile, &facts, "custom-changes.applied");
            assert!(
                told.starts_with("unknown: the vendor script is still running (process 4711, "),
                "{told}"
            );
            for decision in [None, Some(Decision::Rerun), Some(Decision::Accept)] {
                assert_eq!(remedied(&profile, &facts, decision), []);
            }
            facts.custom_changes.running = Fact::Unknown("hidden".into());
            assert!(
                settle(applied(&profile, &facts))
                    == Status::Unknown { why: "whether the vendor script is still running: hidden".into() }
            );
            assert_eq!(remedied(&profile, &facts, Some(Decision::Rerun)), []);
        }
    }
    // What a run that reached its end has left behind in its group is no reason to judge it otherwise.
    let (profile, mut facts) = host(Some(1), Some(Outcome::Applied));
    facts.custom_changes.running = Fact::Known(Some(4711));
    assert!(told(&profile, &facts, "custom-changes.applied").starts_with("met: "));
    assert_eq!(remedied(&profile, &facts, Some(Decision::Rerun)), []);
}

#[test]
fn a_log_that_says_failed_is_a_finding_although_the_marker_is_there() {
    let with = |outcome: Option<Outcome>, log_bytes, log: &str| {
        let (profile, mut facts) = host(Some(1), outcome);
        facts.custom_changes.log_tail = Fact::Known(Some(log.into()));
        if let Fact::Known(Some(record)) = &mut facts.custom_changes.record {
            record.log_bytes = log_bytes;
        }
        (told(&profile, &facts, "custom-changes.applied"), remedied(&profile, &facts, Some(Decision::Accept)))
    };
    let log = "scsi_id of sda\nFAILED\ndone";
    let (told, accept) = with(Some(Outcome::Applied), Some(7), log);
    assert!(
        told.starts_with("unmet: it reached its end, but its log says: scsi_id of sda; FAILED |"),
        "{told}"
    );
    assert_eq!(accept, [Change::RecordCustomChanges { accepted: true }]);
    // By hand, or by version 0.1.0: it may be of an earlier run.
    for outcome in [None, Some(Outcome::Observed), Some(Outcome::Applied)] {
        let (told, accept) = with(outcome, None, log);
        assert!(told.starts_with("unknown: /var/log/appliedmtcustomchanges.log says: "), "{told}");
        assert_eq!(accept, [Change::RecordCustomChanges { accepted: true }]);
    }
    assert!(with(Some(Outcome::Accepted), Some(7), log).0.starts_with("met: "), "a person has looked");
    assert!(with(Some(Outcome::Applied), Some(7), "all is OK").0.starts_with("met: "));
    let (profile, mut facts) = host(Some(1), Some(Outcome::Applied));
    facts.custom_changes.log_tail = Fact::Unknown("torn".into());
    let told = settle(applied(&profile, &facts));
    assert_eq!(told, Status::Unknown { why: "the log of the vendor script: torn".into() });
}

#[test]
fn an_end_without_the_root_disks_id_is_a_finding() {
    let judged = |change: &dyn Fn(&mut Facts)| {
        let (profile, mut facts) = host(Some(1), Some(Outcome::Applied));
        change(&mut facts);
        let request = Request { custom_changes: Some(Decision::Rerun), ..Request::default() };
        let accepted = Request { custom_changes: Some(Decision::Accept), ..Request::default() };
        assert_ne!(remedy("custom-changes.applied", &profile, &facts, &request), Remedy::None);
        assert_ne!(remedy("custom-changes.applied", &profile, &facts, &accepted), Remedy::None);
        told(&profile, &facts, "custom-changes.applied")
    };
    let says = |told: String, part: &str| {
        let expected = format!("unmet: it reached its end without the root disk's SCSI ID: {part} |");
        assert!(told.starts_with(&expected), "{told}");
    };
    let no_script_id = |facts: &mut Facts| facts.custom_changes.blacklistrootdev_id = Fact::Known(None);
    says(judged(&no_script_id), "/usr/sbin/blacklistrootdev.sh names none");
    says(
        judged(&|facts| {
            no_script_id(facts);
            facts.custom_changes.blacklistrootdev_script = false;
        }),
        "/.blacklistrootdev is there, and no /usr/sbin/blacklistrootdev.sh",
    );
    let parsed = |text: &'static str| {
        move |facts: &mut Facts| {
            let parsed = parse(text.as_bytes(), Dialect::El6).configuration;
            facts.multipath.configuration = Fact::Known(Some(parsed));
        }
    };
    for text in [
        "blacklist {\n wwid \n}\n",
        "blacklist {\n wwid\n devnode \"^cciss\"\n}\n",
        "blacklist {\n wwid \"\"\n}\n",
    ] {
        says(judged(&parsed(text)), "an entry `wwid` of /etc/multipath.conf is empty");
    }
    assert!(
        judged(&parsed("blacklist {\n wwid 36000c29b3c1a4e5f60718293a4b5c6d7\n}\n")).starts_with("met: ")
    );
    // Accepted, or corrected in one place alone, the root disk's own requirement still sees it.
    let (profile, mut facts) = host(Some(1), Some(Outcome::Accepted));
    no_script_id(&mut facts);
    assert!(told(&profile, &facts, "custom-changes.applied").starts_with("met: "));
    let said = told(&profile, &facts, "custom-changes.root-disk");
    assert!(said.starts_with("unmet: /usr/sbin/blacklistrootdev.sh names none |"), "{said}");
    let remedied = remedy("custom-changes.root-disk", &profile, &facts, &Request::default());
    assert!(
        matches!(remedied, Remedy::Refused(why) if why.starts_with("/usr/sbin/blacklistrootdev.sh names none: "))
    );
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
    let why = refused(None, None, Decision::Accept);
    assert!(why.contains("no run of the vendor script is recorded"), "{why}");
    for (marker, outcome) in
        [(None, Outcome::Started), (None, Outcome::Failed("x".into())), (Some(1), Outcome::Applied)]
    {
        let why = refused(marker, Some(outcome), Decision::Accept);
        assert!(why.contains("there is no /etc/multipath.conf; --custom-changes=rerun"), "{why}");
    }
    let (mut profile, facts) = host(None, Some(Outcome::Started));
    profile.custom_changes.archive = None;
    let request = Request { custom_changes: Some(Decision::Rerun), ..Request::default() };
    let Remedy::Refused(why) = remedy("custom-changes.applied", &profile, &facts, &request) else {
        panic!("not refused")
    };
    assert!(why.starts_with("--custom-changes=rerun: name the archive"), "{why}");
}

#[test]
fn what_could_not_be_read_is_never_met_and_never_run() {
    let (profile, mut facts) = host(None, None);
    facts.custom_changes.record = Fact::Unknown("torn".into());
    assert!(told(&profile, &facts, "custom-changes.applied").starts_with("unknown: "));
    assert_eq!(remedied(&profile, &facts, Some(Decision::Rerun)), []);
}
