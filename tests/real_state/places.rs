//! Where the records lie: in a directory that others can write, in the place of something else, in an image's tree.

use serde_json::{Value, json};

use super::support::{self, contains};
use super::{RECORDS, begin, machine, open, row, run, said, with_records};

#[test]
fn what_a_repair_cannot_mend_is_told_with_what_does_and_nothing_is_changed() {
    // A directory that others can write: nothing in it is believed.
    let world = with_records();
    let (output, looked) = run(&world, "chmod 777 /var/lib/mt-agent; exec $AGENT $LOOK");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    for name in ["mt-agent", "journal.jsonl", "retention.json", "custom-changes.json", "identity.json"] {
        let row = row(&looked, name);
        assert_eq!(row["status"], "damaged", "{row}");
        contains(row["says"].as_str().unwrap(), "run `chmod go-w /var/lib/mt-agent`");
    }
    // What is not there is not damaged.
    let absent = row(&looked, "resume.json");
    assert_eq!((&absent["status"], &absent["fix"]), (&json!("none"), &json!("")), "{absent}");
    let (output, looked) = run(&machine(), "rm -rf /var/lib/mt-agent; chmod 777 /var/lib; exec $AGENT $LOOK");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(open(&looked)[0], ("mt-agent".to_owned(), "damaged".to_owned()), "{looked:#}");
    contains(row(&looked, "mt-agent")["says"].as_str().unwrap(), "run `chmod go-w /var/lib`");
    for name in RECORDS {
        assert_ne!(row(&looked, name)["status"], "damaged", "{looked:#}");
    }
    let output =
        world.run(&format!("{}chmod 777 /var/lib/mt-agent; exec $AGENT state repair --yes", begin()), &[]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    contains(&said(&output), "run `chmod go-w /var/lib/mt-agent`");
    assert_eq!(said(&output).lines().count(), 1, "{output:?}");
    assert!(!world.all_left().iter().any(|(path, ..)| path.contains("set-aside")));
    let (_, dry) =
        run(&world, "chmod 777 /var/lib/mt-agent; exec $AGENT state repair --dry-run --format json");
    assert_eq!(dry["changes"], Value::Null, "{dry:#}");
    // What lies in the place of the lock, of the log and of the directories.
    for (path, name) in
        [("/var/run/mt-agent.lock", "mt-agent.lock"), ("/var/log/mt-agent.log", "mt-agent.log")]
    {
        let (_, looked) = run(&world, &format!("rm -f {path}; mkdir {path}; exec $AGENT $LOOK"));
        assert_eq!(row(&looked, name)["fix"], format!("mv {path} /root/"));
    }
    let (_, looked) = run(&world, "echo x >/var/lib/mt-agent/saved; exec $AGENT $LOOK");
    assert_eq!(row(&looked, "saved")["fix"], "mv /var/lib/mt-agent/saved /root/");
    // A profile that cannot be used: the records are shown, and a repair needs it.
    world.file("/etc/mt-agent/profile.yaml", "extends: nowhere\n");
    let (output, looked) = run(&world, "exec $AGENT $LOOK");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    contains(row(&looked, "profile.yaml")["fix"].as_str().unwrap(), "mt-agent profile check");
    assert_eq!(row(&looked, "retention.json")["status"], "agrees");
    let output = world.run(&format!("{}exec $AGENT state repair --yes", begin()), &[]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn of_an_image_s_tree_the_records_are_shown_and_nothing_is_repaired() {
    let root = support::RECORDED;
    let agent = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_mt-agent"));
        command.args(args).args(["--root", root]).output().unwrap()
    };
    let output = agent(&["state", "--format", "json"]);
    let looked: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(row(&looked, "retention.json")["status"], "agrees");
    // What is advised can be done there.
    let dir = tempfile::tempdir().unwrap();
    let own = |path: &str, text: &str| {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    for name in RECORDS {
        own(&format!("var/lib/mt-agent/{name}"), "torn");
    }
    own("etc/mt-agent/profile.yaml", "extends: nowhere\n");
    own("etc/redhat-release", "CentOS release 6.6 (Final)\n");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_mt-agent"));
    command.args(["state", "--format", "json", "--root"]).arg(dir.path());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let looked: Value = serde_json::from_slice(&output.stdout).unwrap();
    for name in RECORDS {
        let row = row(&looked, name);
        assert_eq!(row["status"], "damaged", "{row}");
        assert_eq!(
            row["fix"],
            "start this system: there mt-agent state holds it against the disks and shows what repairs it",
            "{row}"
        );
    }
    let profile = dir.path().join("etc/mt-agent/profile.yaml");
    let fix = format!("put that right in {}", profile.display());
    assert_eq!(row(&looked, "profile.yaml")["fix"], fix.as_str());
    let output = agent(&["state", "repair", "--yes"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    contains(&said(&output), "state repair changes the running host only");
}
