//! Whatever is lost of it, a trace of a run of the vendor's script is a run.

use serde_json::json;

use super::support::contains;
use super::{run, with_records};

/// How custom-changes.applied stands in a plan after `script`, on a machine with all records whose marker is gone; its words.
fn applied_after(script: &str) -> (String, String) {
    let world = with_records();
    world.file(
        "/etc/mt-agent/profile.yaml",
        "extends: centos-6.6\ncustom-changes: {archive: /root/agent.tar.gz}\n",
    );
    world.file("/root/agent.tar.gz", "an archive that is never opened");
    let script = format!(
        "chmod -R go= /root; rm /etc/.appliedmtcustomchanges; {script}; $AGENT apply --yes --only custom-changes >&2; exec \
         $AGENT plan --only custom-changes --format json"
    );
    let (output, plan) = run(&world, &script);
    assert_eq!(plan["changes"], json!([]), "{output:?}");
    let mut rows = plan["manual"].as_array().unwrap().iter();
    let row = rows.find(|row| row["id"] == "custom-changes.applied").unwrap_or_else(|| panic!("{output:?}"));
    (row["status"].as_str().unwrap().to_owned(), row.to_string())
}

#[test]
fn the_script_does_not_run_twice_unasked_whatever_is_lost() {
    let log = "/var/log/appliedmtcustomchanges.log";
    // An uninstaller took the marker away; the record, or the whole directory is lost; the log is there.
    for lose in [
        "rm -r /var/lib/mt-agent",
        "rm /var/lib/mt-agent/custom-changes.json",
        ": >/var/lib/mt-agent/custom-changes.json",
    ] {
        for repair in ["true", "$AGENT $REPAIR >/dev/null"] {
            let (status, said) = applied_after(&format!("{lose}; {repair}"));
            assert_eq!(status, "unknown", "{lose}; {repair}: {said}");
            assert!(
                said.contains("--custom-changes=accept") || said.contains("mt-agent state repair"),
                "{said}"
            );
        }
    }
    // The journal alone tells of it, set aside or not.
    let done = "echo '{\"at\":\"2026-01-01T00:00:00Z\",\"boot_id\":\"b\",\"pid\":7,\"event\":\"done\",\"requirement\":\
                \"custom-changes.applied\",\"changed\":\"it ran\"}' >>/var/lib/mt-agent/journal.jsonl";
    for (aside, told) in [
        ("true", "its run in the journal (/var/lib/mt-agent/journal.jsonl)"),
        ("chmod 666 /var/lib/mt-agent/journal.jsonl; $AGENT $REPAIR >/dev/null", ""),
        ("echo garbage >>/var/lib/mt-agent/journal.jsonl; $AGENT $REPAIR >/dev/null", ""),
    ] {
        let (status, said) =
            applied_after(&format!("rm {log} /var/lib/mt-agent/custom-changes.json; {done}; {aside}"));
        assert_eq!(status, "unknown", "{aside}: {said}");
        contains(&said, told);
    }
    // A person accepted it before that.
    let accepted = "sed -i 's/observed/accepted/' /var/lib/mt-agent/custom-changes.json";
    let (status, said) = applied_after(&format!("{accepted}; rm -r /var/lib/mt-agent"));
    assert_eq!(status, "unknown", "{said}");
    // The torn record alone is left, set aside or not.
    for repair in [
        "true",
        "$AGENT $REPAIR >/dev/null",
        "$AGENT $REPAIR >/dev/null; rm /var/lib/mt-agent/custom-changes.json",
    ] {
        let (status, said) =
            applied_after(&format!("rm {log}; echo torn >/var/lib/mt-agent/custom-changes.json; {repair}"));
        assert_eq!(status, "unknown", "{repair}: {said}");
    }
    // Without any trace it has not run.
    let (status, said) = applied_after(&format!("rm {log}; rm -r /var/lib/mt-agent"));
    assert_eq!(status, "unmet", "{said}");
}
