//! `apply --own-disk` by the real binary: killed at its calls, run twice, given what it must not take; and a record of identity that
//! was removed by hand. The disks are those of the recorded master target.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files of a test are not the host's")]

mod support;

use std::process::Output;

use serde_json::{Value, json};

use support::contains;
use support::world::World;

/// The disk with `/` of the recorded master target, and its retention disk.
const OWN: &str = "36000c29b3c1a4e5f60718293a4b5c6d7";
const RETENTION: &str = "36000c2982b5df41a25811b07e74971e8";

const IDENTITY: &str = "/var/lib/mt-agent/identity.json";

/// The standard nodes alone, and the records closed to others.
const BEGIN: &str = "d=/var/tmp/dev; mkdir $d; mount -t tmpfs dev $d; cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom $d/; \
    mount --bind $d /dev; chmod -R go= /var/lib/mt-agent 2>/dev/null; cd /; ";

fn machine() -> World {
    let world = World::new().with_disks();
    world.file("/etc/mt-agent/profile.yaml", "extends: centos-6.6\n");
    world.file("/etc/redhat-release", "CentOS release 6.6 (Final)\n");
    world.file("/etc/fstab", "");
    world
}

fn apply(options: &str) -> String {
    format!("$AGENT apply --yes --only layout.own-disks --format json {options}")
}

fn run(world: &World, script: &str) -> Output {
    world.run(&format!("{BEGIN}{script}"), &[])
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// How many disks are on record as this host's own; `None` where there is no record, or none that tells.
fn on_record(world: &World) -> Option<usize> {
    let all = world.all_left();
    let (_, mode, text) = all.iter().find(|(path, ..)| path == IDENTITY)?;
    assert_eq!(mode & 0o077, 0);
    let record: Value = serde_json::from_str(text).unwrap();
    Some(record.get("own-disks")?.as_array().unwrap().len())
}

#[test]
fn a_disk_is_put_on_record_once_however_often_it_is_named() {
    let world = machine();
    // By its ID and by its name: it is one disk.
    let twice = apply(&format!("--own-disk {OWN} --own-disk /dev/sda"));
    let script = format!(
        "{twice} >/var/tmp/first; sha256sum {IDENTITY} >/var/tmp/before; {twice}; sha256sum -c /var/tmp/before >&2 || exit 9"
    );
    let output = run(&world, &script);
    assert_ne!(output.status.code(), Some(9), "{output:?}");
    assert_eq!(on_record(&world), Some(1), "{output:?}");
    let first: Value = serde_json::from_str(&world.left("/var/tmp/first")).unwrap();
    assert_eq!(first["changed"], json!([format!("{OWN} on record in {IDENTITY}")]));
    let second = document(&output);
    assert_eq!(second["changed"], json!([]), "{second:#}");
    let notes = second["report"]["notes"].to_string();
    assert!(!notes.contains("is not carried out"), "{notes}");
}

#[test]
fn an_apply_that_records_the_identity_alone_says_so() {
    let world = machine();
    let once = apply("");
    let output = run(&world, &format!("{once} >/var/tmp/first; {once}"));
    let first: Value = serde_json::from_str(&world.left("/var/tmp/first")).unwrap();
    let note = format!("nothing was changed; recorded this machine's identity in {IDENTITY}");
    assert_eq!((&first["note"], &first["changed"]), (&json!(note), &json!([])), "{first:#}");
    assert_eq!(document(&output)["note"], "nothing was changed");
}

#[test]
fn killed_at_any_call_it_is_run_again_and_the_record_is_whole() {
    const CALLS: &str = "fsync,fdatasync,rename,renameat2,fchmod,ftruncate";
    let order = apply(&format!("--own-disk {OWN}"));
    let mut killed = 0;
    for call in CALLS.split(',') {
        for number in 1..30 {
            let world = machine();
            let script = format!(
                "strace -f -qq -o /dev/null -e trace={call} -e inject={call}:signal=KILL:when={number} {order} >/var/tmp/first 2>&1; \
                 echo $? >/var/tmp/status; cat {IDENTITY} >/var/tmp/between 2>/dev/null; {order} >/var/tmp/second 2>&1; {order}"
            );
            let output = run(&world, &script);
            assert_eq!(on_record(&world), Some(1), "{call} {number}: {output:?}");
            assert_eq!(document(&output)["changed"], json!([]), "{call} {number}");
            let between = world.left("/var/tmp/between");
            assert!(
                between.is_empty() || serde_json::from_str::<Value>(&between).is_ok(),
                "{call} {number}: {between}"
            );
            if world.left("/var/tmp/status").trim() != "137" {
                break;
            }
            killed += 1;
        }
    }
    assert!(killed >= 6, "it was killed {killed} times");
}

#[test]
fn what_is_not_this_host_s_or_cannot_be_known_again_is_refused_in_a_line() {
    let record = json!({"schema": "mt-agent/retention/v1", "scsi_id": RETENTION, "uuid": "7a5e4c31-9b02-4d68-a7f3-c8160e2d9b4f",
        "fs_type": "ext4", "boot_id": "b", "started_at": "2026-01-01T00:00:00Z", "finished": true});
    let unknown = "36000c29ffffffffffffffffffffffff1";
    for (prepare, options, told) in [
        ("", format!("--own-disk {unknown}"), format!("--own-disk: no disk is called {unknown}")),
        ("", "--own-disk ''".to_owned(), "--own-disk".to_owned()),
        (
            "",
            format!("--own-disk {OWN} --own-disk {unknown}"),
            format!("--own-disk: no disk is called {unknown}"),
        ),
        ("rm /sys/block/sdb/device/vpd_pg83; ", "--own-disk /dev/sdb".to_owned(), "--own-disk: ".to_owned()),
        (
            "mkdir -p /var/lib/mt-agent; cp /var/tmp/retention.json /var/lib/mt-agent/; chmod -R go= /var/lib/mt-agent; ",
            format!("--own-disk {RETENTION}"),
            format!(
                "--own-disk: sdb ({RETENTION}) is not put on record: it is the retention disk, which has a record of its own"
            ),
        ),
        // What none of the devices here can be read for.
        (
            "echo 'UUID=1-1 /data ext4 defaults 1 2' >/etc/fstab; ",
            format!("--own-disk {OWN}"),
            format!("--own-disk: sda ({OWN}) is not put on record: cannot be determined: "),
        ),
    ] {
        let world = machine();
        world.file("/var/tmp/retention.json", &record.to_string());
        let output = run(&world, &format!("{prepare}{}", apply(&options)));
        assert!(matches!(output.status.code(), Some(1 | 2)), "{options}: {output:?}");
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        contains(&said, &told);
        assert_eq!(on_record(&world), None, "{options}: {output:?}");
    }
}

#[test]
fn a_record_of_identity_that_was_removed_by_hand_is_not_made_anew_by_an_apply() {
    let world = machine();
    let named = apply(&format!("--own-disk {OWN}"));
    let plain = apply("");
    // What is left of it: the journal alone.
    let script = format!(
        "{named} >/dev/null; rm {IDENTITY}; {plain} >/var/tmp/first; {plain} >/var/tmp/second; [ ! -e {IDENTITY} ] || exit 9; \
         $AGENT state --format json >/var/tmp/state; exec $AGENT check --only layout.own-disks --format json"
    );
    let output = run(&world, &script);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let reason = document(&output)["findings"][0]["reason"].as_str().unwrap().to_owned();
    contains(
        &reason,
        "the record of this machine's identity is lost (the journal shows that it was recorded)",
    );
    contains(&reason, "mt-agent state repair records this machine anew");
    let state: Value = serde_json::from_str(&world.left("/var/tmp/state")).unwrap();
    let mut rows = state["records"].as_array().unwrap().iter();
    let row = rows.find(|row| row["path"] == IDENTITY).unwrap();
    assert_eq!(row["status"], "missing", "{row}");
    contains(row["fix"].as_str().unwrap(), "mt-agent state repair");
    // Either way out.
    for way in ["$AGENT state repair --yes >/dev/null", &format!("{named} >/dev/null")] {
        let script = format!(
            "{named} >/dev/null; rm {IDENTITY}; {way}; exec $AGENT check --only layout.own-disks --format json"
        );
        let output = run(&world, &script);
        assert!(world.all_left().iter().any(|(path, ..)| path == IDENTITY), "{way}: {output:?}");
        let reason = document(&output)["findings"][0]["reason"].to_string();
        assert!(!reason.contains("is lost"), "{way}: {reason}");
    }
}
