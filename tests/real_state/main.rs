//! The records of the agent lost and damaged in every way, looked at and repaired by the real binary: with real files, links,
//! owners and modes, killed at each of its renames. The disks are those of the recorded master target; their volume is told by a
//! link of udev's to a node of the map's number, as none of them is here.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files of a test are not the host's")]

mod places;
mod script;
#[path = "../support/mod.rs"]
mod support;

use std::process::Output;

use mt_agent::facts::retention::uuid_of;
use serde_json::{Value, json};

use support::contains;
use support::world::World;

/// The SCSI ID of the recorded retention disk, whose map is 253:0.
const DISK: &str = "36000c2982b5df41a25811b07e74971e8";

const RECORDS: [&str; 5] =
    ["journal.jsonl", "resume.json", "retention.json", "custom-changes.json", "identity.json"];

/// What udev shows, and the records closed to others as the agent leaves them.
fn begin() -> String {
    format!(
        "d=/var/tmp/dev; mkdir $d; mount -t tmpfs dev $d; cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom $d/
         mkdir -p $d/disk/by-uuid $d/mapper; mknod $d/dm-0 b 253 0; ln -s ../../dm-0 $d/disk/by-uuid/{}
         mkdir $d/disk/by-id; ln -s ../../dm-0 $d/disk/by-id/scsi-{DISK}
         mount --bind $d /dev; chmod -R go= /var/lib/mt-agent /var/log/mt-agent.log 2>/dev/null; cd /; ",
        uuid_of(DISK)
    )
}

/// A master target whose vendor script has run to its end, whose fstab has the agent's own line, and with no record.
fn machine() -> World {
    let world = World::new().with_disks().alone();
    world.file("/etc/mt-agent/profile.yaml", "extends: centos-6.6\n");
    world.file("/etc/redhat-release", "CentOS release 6.6 (Final)\n");
    let line = format!(
        "# mt-agent keeps the next line: the retention volume on /mnt/retention\nUUID={} /mnt/retention ext4 rw 0 0\n",
        uuid_of(DISK)
    );
    world.file("/etc/fstab", &line);
    world.file("/etc/.appliedmtcustomchanges", "");
    world.file("/etc/multipath.conf", "defaults {\n\tuser_friendly_names no\n}\n");
    world.file("/var/log/appliedmtcustomchanges.log", "OK\n");
    world
}

/// The same with every record, as the agent itself writes them.
fn with_records() -> World {
    let world = machine();
    let output = world.run(&format!("{}exec $AGENT state repair --yes", begin()), &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let with = machine();
    for name in RECORDS.into_iter().filter(|name| *name != "resume.json") {
        let path = format!("/var/lib/mt-agent/{name}");
        with.file(&path, &world.left(&path));
    }
    with.file("/var/log/mt-agent.log", "");
    with
}

/// What `script` printed last, which is a document; `$REPAIR` and `$LOOK` are the verbs.
fn run(world: &World, script: &str) -> (Output, Value) {
    let verbs = [("REPAIR", "state repair --yes --format json"), ("LOOK", "state --format json")];
    let output = world.run(&format!("{}{script}", begin()), &verbs);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let last = text.rfind("{\n  \"schema\"").unwrap_or_else(|| panic!("no document: {output:?}"));
    let document = serde_json::from_str(&text[last..]).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    (output, document)
}

/// The records that do not agree: name and status.
fn open(document: &Value) -> Vec<(String, String)> {
    let rows = document["records"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let all = rows.map(|row| (text(&row["path"]), text(&row["status"])));
    all.filter(|(_, status)| !["agrees", "none"].contains(&status.as_str())).collect()
}

fn row(document: &Value, name: &str) -> Value {
    let mut rows = document["records"].as_array().unwrap().iter();
    rows.find(|row| row["path"].as_str().unwrap().ends_with(&format!("/{name}"))).unwrap().clone()
}

/// A line of what was said on standard error.
fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_state_directory_that_is_gone_is_rebuilt_once_and_looking_changes_nothing() {
    let world = machine();
    let (output, looked) = run(&world, "exec $AGENT $LOOK");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let missing: Vec<_> = open(&looked).into_iter().filter(|(_, status)| status == "missing").collect();
    assert_eq!(missing.len(), 4, "{looked:#}");
    assert!(!world.all_left().iter().any(|(path, ..)| path.contains("mt-agent")), "looking changes nothing");
    let (output, dry) = run(&world, "exec $AGENT state repair --dry-run --format json");
    assert_eq!((output.status.code(), &dry["ended"]), (Some(1), &json!("dry-run")), "{output:?}");
    assert_eq!(dry["changes"].as_array().unwrap().len(), 4, "{dry:#}");
    assert!(
        !world.all_left().iter().any(|(path, ..)| path.contains("mt-agent")),
        "nor does what would be done"
    );

    let (output, repaired) = run(&world, "$AGENT $REPAIR");
    assert_eq!((output.status.code(), &repaired["ended"]), (Some(0), &json!("repaired")), "{output:?}");
    assert_eq!(open(&repaired), []);
    let retention: Value = serde_json::from_str(&world.left("/var/lib/mt-agent/retention.json")).unwrap();
    assert_eq!(
        (retention["scsi_id"].as_str(), retention["uuid"].as_str(), &retention["finished"]),
        (Some(DISK), Some(&*uuid_of(DISK).to_string()), &json!(true))
    );
    let script: Value = serde_json::from_str(&world.left("/var/lib/mt-agent/custom-changes.json")).unwrap();
    assert_eq!(script["outcome"], "observed");
    for (path, mode, _) in world.all_left().iter().filter(|(path, ..)| path.starts_with("/var/lib/mt-agent"))
    {
        assert_eq!(mode & 0o077, 0, "{path}");
    }
    contains(
        &world.left("/var/log/mt-agent.log"),
        "state repair: record in /var/lib/mt-agent/retention.json",
    );
    // A second time: nothing, and history tells of the first.
    let script = "$AGENT $REPAIR >/dev/null; find /var/lib/mt-agent -type f -exec sha256sum {} + | sort >/var/tmp/before; \
         $AGENT $REPAIR; status=$?; find /var/lib/mt-agent -type f -exec sha256sum {} + | sort | cmp - /var/tmp/before || \
         exit 9; $AGENT history >&2; exit $status";
    let (output, again) = run(&world, script);
    assert_eq!((output.status.code(), &again["ended"]), (Some(0), &json!("nothing-to-do")), "{output:?}");
    contains(&String::from_utf8_lossy(&output.stderr), "state.repair: done: ");
}

#[test]
fn each_record_damaged_in_each_way_is_set_aside_and_the_rest_is_left() {
    // Each in a world of its own would take minutes: the ways one after the other.
    let ways = [
        (": >$f", "damaged"),
        ("head -c 300 /dev/urandom >$f", "damaged"),
        ("printf '{\"schema\":\"mt-ag' >$f", "damaged"),
        ("mkdir $f; echo kept >$f/inside", "damaged"),
        ("ln -s /nowhere $f", "damaged"),
        ("mkfifo $f", "damaged"),
        ("cp -p /var/tmp/whole $f; chmod 666 $f", "damaged"),
        ("cp -p /var/tmp/whole $f; chown 65534 $f", "damaged"),
        ("printf '{\"schema\":\"mt-agent/%s/v7\",\"agent\":\"7.0.0\"}\\n' $(basename $f .json) >$f", "newer"),
    ];
    for name in RECORDS {
        let world = with_records();
        let mut script = format!("f=/var/lib/mt-agent/{name}; ");
        if name == "resume.json" {
            script.push_str("printf '{\"schema\":\"mt-agent/resume/v1\"}' >$f; chmod 600 $f; ");
        }
        script.push_str("cp -p $f /var/tmp/whole; ");
        // An emptied journal has no line that could be damaged.
        let ways = ways.iter().skip(usize::from(name == "journal.jsonl"));
        for (way, status) in ways.clone() {
            let newer = if name == "journal.jsonl" && *status == "newer" { "newer" } else { status };
            script.push_str(&format!(
                "rm -rf $f; {way}; [ -L $f ] || case $(stat -c %a $f) in 666) ;; *) chmod go= $f;; esac; \
                 $AGENT $LOOK >/var/tmp/look; grep -A1 \"\\\"path\\\": \\\"$f\\\"\" /var/tmp/look | grep -q '\"{newer}\"' || \
                 {{ cat /var/tmp/look; echo 'not {newer}: {}' >&2; exit 7; }}; \
                 timeout 60 $AGENT $REPAIR >/var/tmp/repair || {{ cat /var/tmp/repair; exit 8; }}; ",
                way.replace('\'', "")
            ));
        }
        let (output, after) = run(&world, &format!("{script} exec $AGENT $LOOK"));
        assert_eq!(output.status.code(), Some(0), "{name}: {output:?}");
        assert_eq!(open(&after), [], "{name}");
        let left = world.all_left();
        let aside =
            left.iter().filter(|(path, ..)| path.contains("/set-aside/damaged-") && path.contains(name));
        // The FIFO and the link are there as well, which this does not list.
        assert!(aside.count() >= ways.count() - 2, "{name}: {left:#?}");
    }
}

#[test]
fn killed_at_each_rename_it_is_run_again_and_nothing_is_lost() {
    let world = with_records();
    for name in RECORDS.into_iter().filter(|name| *name != "journal.jsonl") {
        world.file(&format!("/var/lib/mt-agent/{name}"), &format!("torn {name}"));
    }
    let mut killed = 0;
    for number in 1..40 {
        let script = format!(
            "strace -f -qq -o /var/tmp/trace -e trace=rename,renameat,renameat2 -e \
             inject=rename,renameat,renameat2:signal=KILL:when={number} $AGENT $REPAIR >/var/tmp/first; echo $? \
             >/var/tmp/status; $AGENT $REPAIR >/var/tmp/second; exec $AGENT $LOOK"
        );
        let (output, after) = run(&world, &script);
        assert_eq!(
            (output.status.code(), open(&after)),
            (Some(0), vec![]),
            "killed at rename {number}: {output:?}"
        );
        let left = world.all_left();
        for name in RECORDS.into_iter().filter(|name| *name != "journal.jsonl") {
            let torn = format!("torn {name}");
            let is_kept =
                |(path, _, content): &(String, u32, String)| path.contains("/set-aside/") && *content == torn;
            assert!(left.iter().any(is_kept), "killed at rename {number}, {name} is gone: {left:#?}");
        }
        if world.left("/var/tmp/status").trim() == "0" {
            break;
        }
        killed += 1;
    }
    assert!(killed >= 7, "it was killed {killed} times");
}

#[test]
fn an_order_from_before_a_reversion_is_told_with_its_way_out_and_dropped_where_it_is_void() {
    // Reverted to between an apply and its restart: started again a day later, the machine finds the order of then.
    let world = with_records();
    let mut order = support::order::given("extends: centos-6.6\n", &[]);
    order["bound"]["given-at"] = "2020-01-01T00:00:00Z".into();
    world.file("/var/lib/mt-agent/resume.json", &order.to_string());
    let (output, looked) = run(&world, "exec $AGENT $LOOK");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let row = row(&looked, "resume.json");
    assert_eq!(row["status"], "differs");
    contains(
        row["says"].as_str().unwrap(),
        "it was given more than 24 hours ago; nothing of it is carried out",
    );
    assert_eq!(row["fix"], "mt-agent state repair sets it aside; mt-agent apply plans anew");
    let (output, after) = run(&world, "exec $AGENT $REPAIR");
    assert_eq!((output.status.code(), open(&after)), (Some(0), vec![]), "{output:?}");
    let left = world.all_left();
    assert!(
        left.iter().any(|(path, ..)| path.contains("/set-aside/damaged-") && path.ends_with("/resume.json"))
    );
    let (_, report) = run(&world, "$AGENT $REPAIR >/dev/null; exec $AGENT check --format json");
    assert_eq!(report["pending"], Value::Null, "{report:#}");
}

#[test]
fn what_does_not_follow_from_the_host_is_asked_for() {
    // Neither marker nor line of fstab: the log of the script and a volume on a disk are all that is left.
    let world = machine();
    let script = "rm /etc/.appliedmtcustomchanges /etc/fstab; : >/etc/fstab; $AGENT $REPAIR";
    let (output, after) = run(&world, script);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let differs = |name: &str| (name.to_owned(), "differs".to_owned());
    assert_eq!(
        open(&after),
        [("retention.json".to_owned(), "missing".to_owned()), differs("custom-changes.json")]
    );
    contains(
        row(&after, "retention.json")["fix"].as_str().unwrap(),
        &format!("mt-agent apply --adopt-retention {DISK}"),
    );
    contains(
        row(&after, "custom-changes.json")["fix"].as_str().unwrap(),
        "mt-agent apply --custom-changes=accept",
    );
    let record: Value = serde_json::from_str(&world.left("/var/lib/mt-agent/custom-changes.json")).unwrap();
    assert_eq!(record["outcome"], "started", "that it ended is not invented");
}

#[test]
fn what_others_can_read_is_told_and_closed() {
    let world = with_records();
    let (output, after) =
        run(&world, "chmod 644 /var/lib/mt-agent/journal.jsonl; $AGENT $LOOK >&2; exec $AGENT $REPAIR");
    contains(
        &String::from_utf8_lossy(&output.stderr),
        "other users can read /var/lib/mt-agent/journal.jsonl (mode 0644)",
    );
    assert_eq!((output.status.code(), open(&after)), (Some(0), vec![]), "{output:?}");
    contains(after["changes"][0].as_str().unwrap(), "closed to other users: /var/lib/mt-agent/journal.jsonl");
    // What is written anew or set aside keeps its mode until it is closed: once is enough as well.
    for (what, name) in [("printf 'garbage\\n' >>", "journal.jsonl"), ("printf garbage >", "retention.json")]
    {
        let script = format!(
            "cd /var/lib/mt-agent; {what} {name}; chmod 644 {name}; $AGENT $REPAIR >&2; exec $AGENT $LOOK"
        );
        let (output, after) = run(&world, &script);
        assert_eq!((output.status.code(), open(&after)), (Some(0), vec![]), "{name}: {output:?}");
    }
    // Beside a journal that nothing can be noted in: once is enough.
    let script = "chmod 644 /var/log/mt-agent.log; cd /var/lib/mt-agent; mv journal.jsonl old; mkdir journal.jsonl; exec $AGENT $REPAIR";
    let (output, after) = run(&world, script);
    assert_eq!((output.status.code(), open(&after)), (Some(0), vec![]), "{output:?}");
}

#[test]
fn an_unknown_from_a_damaged_record_points_to_the_way_out() {
    let world = with_records();
    world.file("/var/lib/mt-agent/retention.json", "");
    let (output, report) = run(&world, "exec $AGENT check --only retention.disk --format json");
    let finding = &report["findings"][0];
    assert_eq!(finding["status"], "unknown", "{output:?}");
    contains(finding["reason"].as_str().unwrap(), "mt-agent state repair sets the record aside");
}

#[test]
fn without_a_terminal_or_root_nothing_is_changed() {
    let world = machine();
    let output = world.run(&format!("{}exec $AGENT state repair", begin()), &[]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    contains(
        &String::from_utf8_lossy(&output.stderr),
        "no terminal to ask on: add --yes to repair it; nothing was changed",
    );
    assert!(!world.all_left().iter().any(|(path, ..)| path.starts_with("/var/lib/mt-agent")));
    let nobody = "cp $AGENT /var/tmp/agent; exec setpriv --reuid 65534 --regid 65534 --clear-groups /var/tmp/agent state";
    let output = world.run(&format!("{}{nobody}", begin()), &[]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    contains(&String::from_utf8_lossy(&output.stderr), "state needs root");
}

#[test]
fn while_the_script_or_another_run_goes_on_nothing_is_repaired() {
    let world = with_records();
    world.file("/var/lib/mt-agent/custom-changes.json", "torn");
    world.file("/var/tmp/ApplyCustomChanges.sh", "echo began >/var/tmp/began; read line\n");
    let script = "cd /var/tmp; mkfifo held; bash ./ApplyCustomChanges.sh <held & exec 9>held; until [ -s began ]; do sleep 0.1; done; \
         $AGENT state repair --yes; status=$?; echo >&9; wait; exit $status";
    let output = world.run(&format!("{}{script}", begin()), &[]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    contains(&said(&output), "ApplyCustomChanges.sh is running (process ");
    assert_eq!(world.left("/var/lib/mt-agent/custom-changes.json"), "torn");
    let held = "exec 9<>/var/run/mt-agent.lock; flock 9; echo 'pid 1, apply, since yesterday' >&9; exec $AGENT state repair --yes";
    let output = world.run(&format!("{}{held}", begin()), &[]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    contains(&said(&output), "another run is in progress (pid 1, apply, since yesterday)");
    assert_eq!(world.left("/var/lib/mt-agent/custom-changes.json"), "torn");
}

#[test]
fn at_a_terminal_a_person_is_asked() {
    let world = with_records();
    world.file("/var/lib/mt-agent/identity.json", "torn");
    let ask = |answer: &str| {
        let script = format!("echo {answer} | script -qec \"$AGENT state repair\" /dev/null");
        let output = world.run(&format!("{}mkdir /dev/pts; mount -t devpts -o newinstance,ptmxmode=666 pts /dev/pts; ln -s pts/ptmx /dev/ptmx; {script}", begin()), &[]);
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (status, said) = ask("n");
    assert_eq!(status, Some(1), "{said}");
    contains(&said, "state repair would:");
    contains(&said, "Proceed? [y/N]");
    contains(&said, "nothing was changed");
    assert_eq!(world.left("/var/lib/mt-agent/identity.json"), "torn");
    let (status, said) = ask("y");
    assert_eq!(status, Some(0), "{said}");
    contains(&said, "what is on record agrees with this host");
    assert_ne!(world.left("/var/lib/mt-agent/identity.json"), "torn");
}
