//! An apply that waits for a restart, with the real binary: carried out where it holds, refused where it does not, shown,
//! and called off.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files of a test are not the host's")]

mod support;

use std::process::Output;

use serde_json::{Value, json};

use support::contains;
use support::order::given;
use support::world::World;

const RECORD: &str = "/var/lib/mt-agent/resume.json";

const PROFILE: &str =
    "extends: centos-6.6\npackages: {base: [mt-agent-test-none], multipath: [mt-agent-test-none]}\n";

/// A machine on which `order` waits.
fn machine(order: &str) -> World {
    let world = World::new();
    world.file("/etc/mt-agent/profile.yaml", PROFILE);
    world.file("/etc/redhat-release", "CentOS release 6.6 (Final)\n");
    world.file("/etc/rpm/macros", "%_dbpath /var/lib/rpm\n");
    world.file(RECORD, order);
    // Whoever runs it is to be seen.
    world.tool("yum", "echo ran >>/var/tmp/yum\necho 'Error: it fails' >&2\nexit 1");
    world
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The order changed.
fn but(change: impl Fn(&mut Value)) -> String {
    let mut order = given(PROFILE, &["packages"]);
    change(&mut order);
    order.to_string()
}

/// Of an order that does not hold: the service refuses it each time, changes nothing, and everything that looks says so.
#[track_caller]
fn refused(order: &str, why: &str) {
    let world = machine(order);
    let again = "rpm --initdb; $AGENT apply --resume; echo \"first $?\" >&2; exec $AGENT apply --resume --format json";
    let output = world.run(again, &[]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = err(&output);
    contains(&said, why);
    contains(&said, "first 2");
    assert_eq!(said.lines().filter(|line| line.contains(why)).count(), 2, "{said}");
    contains(serde_json::from_slice::<Value>(&output.stdout).unwrap()["error"].as_str().unwrap(), why);
    assert_eq!(world.left(RECORD), order, "nothing is changed");
    let changed = world.all_left().into_iter().filter(|(path, ..)| {
        path.starts_with("/var/tmp/") || (path.starts_with("/var/lib/mt-agent/") && path != RECORD)
    });
    assert_eq!(changed.collect::<Vec<_>>(), []);
    for verb in ["check", "plan"] {
        let seen = world.run(&format!("$AGENT {verb} --format json"), &[]);
        let document: Value = serde_json::from_slice(&seen.stdout).unwrap();
        contains(document["pending"]["note"].as_str().unwrap(), why);
        assert!(document["notes"].as_array().unwrap().contains(&document["pending"]["note"]), "{verb}");
        contains(&out(&world.run(&format!("$AGENT {verb}"), &[])), why);
    }
}

#[test]
fn an_order_that_holds_is_carried_out_and_gone() {
    // Nothing of it can be changed, so it has come to its end.
    let order = |state| {
        let mut order = given(PROFILE, &["os"]);
        order["boot-id"] = state;
        order.to_string()
    };
    let world = machine(&order("another".into()));
    let output = world.run("$AGENT history --pending; exec $AGENT apply --resume", &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    contains(&out(&output), "an apply waited for the restart (given at 20");
    contains(&out(&output), "asks --only os");
    contains(&out(&output), "selection only");
    assert!(!world.all_left().iter().any(|(path, ..)| path == RECORD));
    // Before the restart it waits.
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let world = machine(&order(boot.trim().into()));
    let output = world.run("$AGENT history --pending; exec $AGENT apply --resume", &[]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    contains(&out(&output), "this machine resumes it by itself");
    contains(&out(&output), "the restart is still owed");
    let left: Value = serde_json::from_str(&world.left(RECORD)).unwrap();
    assert_eq!(left["boot-id"], boot.trim());
}

#[test]
fn an_order_is_refused_where_it_does_not_hold() {
    let time = |at: &'static str| move |order: &mut Value| order["bound"]["given-at"] = at.into();
    refused(&but(time("2020-01-01T00:00:00Z")), "it was given more than 24 hours ago");
    refused(&but(time("2120-01-01T00:00:00Z")), "the clock says that this is yet to come");
    let machine_id = |order: &mut Value| order["bound"]["machine"]["machine-id"] = "0".repeat(64).into();
    refused(&but(machine_id), "it was given on a machine with another machine ID");
    let other = |order: &mut Value| order["bound"]["machine"] = json!({"bios-uuid": "0".repeat(64)});
    contains(&err(&machine(&but(other)).run("exec $AGENT apply --resume", &[])), "BIOS UUID");
    refused(&but(|order| order["bound"] = Value::Null), "it does not say when, on which machine");
    refused(&but(|order| order["failed"] = "packages.base: no".into()), "failed: packages.base: no");
}

/// When seconds ago, RFC 3339 UTC.
fn ago(seconds: u64) -> String {
    let at = std::time::SystemTime::now() - std::time::Duration::from_secs(seconds);
    let date = ["-u", "+%Y-%m-%dT%H:%M:%SZ", "-d"].map(str::to_owned);
    let unix = at.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let output = std::process::Command::new("date").args(date).arg(format!("@{unix}")).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Of a machine that booted a minute ago: a restart's record of login and init, `since` seconds after its shutdown.
fn booted_a_minute_ago(world: &World, since: Option<u64>) -> String {
    world.file("/var/tmp/uptime", "60.00 60.00\n");
    let record = |kind, user, at: &str| {
        let at = at.replace('Z', ",000000+00:00");
        format!(
            "[{kind}] [00000] [~~  ] [{user:8}] [~           ] [2.6.32-504.el6      ] [0.0.0.0        ] [{at}]\n"
        )
    };
    let shutdown = since.map(|since| record(1, "shutdown", &ago(60 + since)));
    let text =
        [record(2, "reboot", &ago(90_000)), shutdown.unwrap_or_default(), record(2, "reboot", &ago(60))];
    world.file("/var/tmp/wtmp.txt", &text.concat());
    // The record is as old as its order.
    "rpm --initdb; mount --bind /var/tmp/uptime /proc/uptime; utmpdump -r -o /var/log/wtmp /var/tmp/wtmp.txt; touch -d '2 \
     hours ago' /var/lib/mt-agent/resume.json; "
        .to_owned()
}

/// An order of two hours ago.
fn two_hours_old() -> String {
    let mut order = given(PROFILE, &["os"]);
    order["bound"]["given-at"] = ago(7200).into();
    order.to_string()
}

#[test]
fn a_machine_that_was_down_for_long_asks_a_person_and_goes_on_asking() {
    for since in [None, Some(3600)] {
        let world = machine(&two_hours_old());
        let begin = booted_a_minute_ago(&world, since);
        // At the second boot, a minute after the first one that asked, it asks still.
        let script = format!(
            "{begin}$AGENT apply --resume; echo \"first $?\"; touch {RECORD}; $AGENT apply --resume; echo \"second $?\"; \
             $AGENT history --pending --format json >/var/tmp/seen; $AGENT check --format nagios; exec $AGENT plan"
        );
        let output = world.run(&script, &[]);
        let said = out(&output);
        contains(&said, "this machine was down for 1 hours and ");
        contains(&said, "first 1");
        contains(&said, "second 1");
        contains(&said, "; an apply waits for a person's word; ");
        assert_eq!(
            said.matches("mt-agent apply --resume at a terminal shows it and asks").count(),
            3,
            "{said}"
        );
        let seen: Value = serde_json::from_str(&world.left("/var/tmp/seen")).unwrap();
        assert_eq!(seen["pending"]["state"], "asks");
        let record: Value = serde_json::from_str(&world.left(RECORD)).unwrap();
        contains(record["asks"].as_str().unwrap(), "this machine was down");
        let log = world.left("/var/log/mt-agent.log");
        assert_eq!(log.matches("apply --resume: asks a person: this machine was down").count(), 1, "{log}");
    }
}

#[test]
fn a_person_s_word_resumes_it_and_a_restart_that_followed_its_shutdown_needs_none() {
    for (since, resume) in [(Some(3600), "apply --resume --yes"), (Some(90), "apply --resume")] {
        let world = machine(&two_hours_old());
        let begin = booted_a_minute_ago(&world, since);
        let output = world.run(&format!("{begin}exec $AGENT {resume}"), &[]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        contains(&out(&output), "selection only");
        assert!(!world.all_left().iter().any(|(path, ..)| path == RECORD));
    }
}

#[test]
fn an_edited_profile_or_the_package_s_own_in_its_place_is_another_one() {
    for other in [
        "extends: centos-6.6\n",
        &format!("{PROFILE}waivers: [{{requirement: sizing.memory, reason: x, until: '2090-01-01'}}]\n"),
    ] {
        let mut order = given(other, &["packages"]);
        order["profile"] = Value::Null;
        refused(&order.to_string(), "the profile is another one than it was given by");
    }
    let named = but(|order| order["profile"] = "/root/gone.yaml".into());
    refused(&named, "its profile cannot be used: /root/gone.yaml");
}

#[test]
fn a_record_of_another_version_is_not_guessed_at() {
    for order in [
        but(|order| order["only-on"] = "mondays".into()),
        but(|order| order["schema"] = "mt-agent/resume/v2".into()),
    ] {
        let world = machine(&order);
        let output =
            world.run("$AGENT apply --resume; $AGENT history --pending; exec $AGENT apply --yes", &[]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert_eq!(err(&output).matches("mt-agent apply --forget clears it").count(), 3, "{output:?}");
        assert_eq!(world.left(RECORD), order);
        let seen = world.run("$AGENT check --format json", &[]);
        let document: Value = serde_json::from_slice(&seen.stdout).unwrap();
        assert_eq!(document["pending"]["state"], "unreadable", "{document}");
    }
}

#[test]
fn a_run_that_fails_is_not_tried_again_by_itself() {
    let world = machine(&but(|_| {}));
    let script = "rpm --initdb; $AGENT apply --resume; echo \"first $?\" >&2; $AGENT apply --resume; echo \"second $?\" >&2; \
                  $AGENT check --format json --only os; exec $AGENT history --pending --format json";
    let output = world.run(script, &[]);
    let said = err(&output);
    contains(&said, "first 2");
    contains(&said, "second 2");
    contains(
        &said,
        "is void: the run that resumed it failed: packages.base: yum did not install mt-agent-test-none",
    );
    assert_eq!(world.left("/var/tmp/yum"), "ran\n", "once");
    let text = out(&output);
    contains(&text, "\"state\": \"void\"");
    let record: Value = serde_json::from_str(&world.left(RECORD)).unwrap();
    contains(record["failed"].as_str().unwrap(), "packages.base");
}

#[test]
fn what_waits_is_called_off_once_and_nothing_else_is_done() {
    let order =
        but(|order| order["request"] = json!({"retention-disk": "36000c29", "erase-disk": "36000c29"}));
    let world = machine(&order);
    let once = world.run("$AGENT apply --forget; exec $AGENT apply --forget", &[]);
    assert_eq!(once.status.code(), Some(0), "{once:?}");
    let said = out(&once);
    contains(&said, "cleared: an apply that waited for a restart (given at 20");
    contains(
        &said,
        "--retention-disk 36000c29, --erase-disk 36000c29, --only packages); nothing of it is carried out",
    );
    assert!(said.ends_with("no apply waits for a restart"), "{said}");
    let left: Vec<_> =
        world.all_left().into_iter().filter(|(path, ..)| !path.ends_with("mt-agent.lock")).collect();
    let files: Vec<_> =
        left.iter().filter(|(.., content)| !content.is_empty()).map(|(path, ..)| path.as_str()).collect();
    assert_eq!(files, ["/var/log/mt-agent.log"]);
    let json = world.run("exec $AGENT apply --forget --format json", &[]);
    let document: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(document["ended"], "forgotten");
    contains(document["note"].as_str().unwrap(), "cleared: ");
    let none = world.run("rm /var/lib/mt-agent/resume.json; $AGENT history --pending; exec $AGENT history --pending --format json", &[]);
    contains(&out(&none), "no apply waits for a restart {");
    contains(&out(&none), "\"pending\": null");
}

/// What is not a master target is none because no apply waits on it.
#[test]
fn with_nothing_to_go_on_with_the_exit_status_is_the_host_s() {
    let world = machine("{}");
    let script = "rm /var/lib/mt-agent/resume.json; rpm --initdb; $AGENT apply --resume; echo \"first $?\"; \
                  $AGENT check >/dev/null; echo \"check $?\"; exec $AGENT apply --resume --format json";
    let output = world.run(script, &[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    let (text, document) = text.split_at(text.find("{\n").unwrap());
    contains(text, "no apply waits for a restart\n");
    contains(text, "not ready: ");
    contains(text, "first 1\ncheck 1\n");
    let document: Value = serde_json::from_str(document).unwrap();
    assert_eq!(
        (&document["ended"], &document["report"]["verdict"]),
        (&"nothing-waits".into(), &"not-ready".into())
    );
    assert_eq!(document["changed"], json!([]));
}

#[test]
fn a_run_of_a_part_is_one_in_the_journal_and_in_what_it_says() {
    let world = machine("{}");
    let script = "rm /var/lib/mt-agent/resume.json; rpm --initdb; \
                  $AGENT apply --yes --only packages --format json; exec $AGENT history --format json";
    let output = world.run(script, &[]);
    let said = String::from_utf8_lossy(&output.stdout);
    let journal: Value =
        serde_json::from_str(&said[said.find("{\n  \"schema\": \"mt-agent/history").unwrap()..]).unwrap();
    assert_eq!(journal["entries"][0]["selection"], json!({"only": ["packages"], "skip": [], "stage": null}));
}

#[test]
fn an_apply_begins_with_what_waits() {
    let world = machine(&but(|order| order["bound"]["given-at"] = "2020-01-01T00:00:00Z".into()));
    let output = world.run("rpm --initdb; exec $AGENT apply --yes --only os", &[]);
    assert!(
        out(&output)
            .starts_with("note: the apply that waited for a restart (given at 2020-01-01T00:00:00Z) is void"),
        "{output:?}"
    );
}
