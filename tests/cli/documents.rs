//! JSON: one document on standard output for each verb, with the keys that others build on.

use serde_json::Value;

use crate::agent::{PROGRAM, Ran, as_nobody, mt_agent, run, tool};

#[track_caller]
fn document(args: &[&str], schema: &str) -> (Ran, Value) {
    let ran = mt_agent(args);
    let value = ran.json();
    assert_eq!(value["schema"], schema, "{ran}");
    assert!(ran.stdout().is_ascii() && ran.stdout().ends_with("}\n"), "{ran}");
    (ran, value)
}

#[test]
fn each_verb_prints_one_versioned_document() {
    let (ran, report) = document(&["check", "--format", "json"], "mt-agent/report/v1");
    assert_eq!(ran.code(), 1);
    assert_eq!(report["verdict"], "not-ready");
    assert_eq!(report["profile"], "centos-6.6");
    let findings = report["findings"].as_array().unwrap();
    for finding in findings {
        for key in ["id", "title", "status", "severity", "found", "expected", "fix", "reason"] {
            assert!(finding.get(key).is_some(), "{key} is missing: {finding}");
        }
        if finding["status"] == "unmet" {
            assert!(finding["found"].is_string() && finding["fix"].is_string(), "{finding}");
        }
        if finding["status"] == "unknown" {
            for key in ["reason", "expected", "fix"] {
                assert!(finding[key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {finding}");
            }
        }
    }
    let counted: u64 = ["required", "recommended"]
        .iter()
        .flat_map(|weight| report["summary"][weight].as_object().unwrap().values())
        .map(|count| count.as_u64().unwrap())
        .sum();
    assert_eq!(counted, findings.len() as u64, "{ran}");

    let (_, plan) = document(&["plan", "--format", "json"], "mt-agent/plan/v1");
    assert!(plan["changes"].is_array() && plan["manual"].is_array(), "{plan}");
    let (_, disks) = document(&["disks", "--format", "json"], "mt-agent/disks/v1");
    assert!(disks["disks"].is_array(), "{disks}");
    let (_, facts) = document(&["facts"], "mt-agent/facts/v1");
    assert!(facts["os"]["release"].get("known").is_some(), "{facts}");
    document(&["facts", "--format", "json"], "mt-agent/facts/v1");
    document(&["explain", "--format", "json"], "mt-agent/explain/v1");
    document(&["explain", "scsi.ids", "--format", "json"], "mt-agent/explain/v1");
    document(&["explain", "95226", "--format", "json"], "mt-agent/explain/v1");
    document(&["history", "--format", "json"], "mt-agent/history/v1");
    let (_, pending) = document(&["history", "--pending", "--format", "json"], "mt-agent/pending/v1");
    assert!(pending.get("pending").is_some(), "{pending}");
    for act in [&["state"][..], &["state", "check"], &["state", "repair", "--dry-run"]] {
        let (_, state) = document(&[act, &["--format", "json"]].concat(), "mt-agent/state/v1");
        let row = &state["records"][0];
        assert!(["path", "status", "says", "host", "fix"].iter().all(|key| row[key].is_string()), "{state}");
    }
    document(&["profile", "show", "--format", "json"], "mt-agent/profile/v1");
    document(&["profile", "list", "--format", "json"], "mt-agent/profiles/v1");
    let schema = mt_agent(&["profile", "schema"]).exits(0).json();
    assert!(schema.get("$schema").is_some(), "{schema}");
}

#[test]
fn text_and_json_have_the_same_findings() {
    let report = mt_agent(&["check", "--format", "json"]).json();
    let text = mt_agent(&["check"]).stdout();
    for finding in report["findings"].as_array().unwrap() {
        assert!(text.contains(finding["id"].as_str().unwrap()), "{finding}\n{text}");
    }
}

#[test]
fn a_selection_judges_nothing_else_and_says_so() {
    let ran =
        mt_agent(&["check", "--only", "os.release,layout", "--skip", "layout.home", "--format", "json"]);
    let report = ran.json();
    let findings = report["findings"].as_array().unwrap();
    let ids: Vec<_> = findings.iter().map(|finding| finding["id"].as_str().unwrap()).collect();
    assert_eq!(ids[0], "os.release");
    assert!(
        ids.len() > 3 && ids[1..].iter().all(|id| id.starts_with("layout.") && *id != "layout.home"),
        "{ran}"
    );
    let left_out = report["selection"]["left_out"].as_array().unwrap();
    assert_eq!(report["summary"]["left_out"], left_out.len(), "{ran}");
    assert!(left_out.len() > 10 && left_out.contains(&"layout.home".into()), "{ran}");
    assert_eq!(report["selection"]["only"], serde_json::json!(["os.release", "layout"]));
    mt_agent(&["check", "--only", "os"])
        .says(" not looked at\n")
        .says("not looked at: sizing, layout, network");
    assert_eq!(mt_agent(&["check", "--format", "json"]).json()["selection"], Value::Null);
}

/// A part of this host that holds: its name is no other's.
#[test]
fn a_part_that_holds_is_never_called_ready() {
    let part = ["check", "--only", "os.architecture"];
    let json = mt_agent(&[part.as_slice(), &["--format", "json"]].concat()).exits(0);
    assert_eq!(json.json()["verdict"], "selection-ready", "{json}");
    let text = mt_agent(&part).exits(0).says("\nselection only: 1 required met, ");
    assert!(!text.stdout().contains("ready"), "{text}");
    let nagios = mt_agent(&[part.as_slice(), &["--format", "nagios"]].concat()).exits(0);
    let nagios =
        nagios.says("MT-AGENT OK - selection only: 1 required met, ").says("not looked at: os.release, ");
    assert!(!nagios.stdout().contains("ready"), "{nagios}");
    mt_agent(&["plan", "--only", "os.architecture"])
        .exits(0)
        .says("note: selection only (--only os.architecture)");
}

/// What another user cannot read is unknown to him: nothing is wrong because of it, and nothing is to be repaired.
#[test]
fn what_only_root_can_read_is_not_told_as_wrong_to_others() {
    let of = |ran: Ran, list: &str| ran.json()[list].as_array().unwrap().clone();
    let is_unmet = |one: &&Value| one["status"] == "unmet";
    let root = of(mt_agent(&["check", "--format", "json"]), "findings");
    let wrong: Vec<_> = root.iter().filter(is_unmet).map(|finding| &finding["id"]).collect();
    let findings = of(as_nobody(&["check", "--format", "json"]), "findings");
    for finding in findings.iter().filter(is_unmet) {
        assert!(wrong.contains(&&finding["id"]), "{finding}");
    }
    let unknown: Vec<_> = findings.iter().filter(|finding| finding["status"] == "unknown").collect();
    assert!(!unknown.is_empty());
    for finding in unknown {
        let how = finding["fix"].as_str().unwrap();
        assert!(
            how.starts_with("run mt-agent check as root, which can read more; or by hand, as root: "),
            "{finding}"
        );
    }
    for manual in of(as_nobody(&["plan", "--format", "json"]), "manual").iter().filter(is_unmet) {
        assert!(wrong.contains(&&manual["id"]), "{manual}");
    }
}

#[test]
fn a_recording_is_judged_like_the_host_it_was_made_on() {
    let facts = tempfile::NamedTempFile::new().unwrap();
    let path = facts.path().to_str().unwrap();
    let findings = |ran: Ran| ran.json()["findings"].clone();
    let live = || findings(mt_agent(&["check", "--format", "json"]));
    // Other tests attach disks to this host: what is compared is read while it stays as it is.
    let unchanged = (0..10).find_map(|_| {
        let before = live();
        std::fs::write(path, mt_agent(&["facts"]).exits(0).stdout()).unwrap();
        let piped = "\"$0\" facts | \"$0\" check --facts - --format json";
        let piped = findings(run(&mut tool("sh", &["-c", piped, PROGRAM])));
        (live() == before).then_some((before, piped))
    });
    let (live, piped) = unchanged.expect("a host that stays as it is for some seconds");
    let recorded = findings(mt_agent(&["check", "--facts", path, "--format", "json"]).exits(1));
    assert_eq!(live, recorded);
    assert_eq!(live, piped);
}

#[test]
fn nagios_gets_one_line_with_performance_data() {
    let ran = mt_agent(&["check", "--format", "nagios"]).exits(2).says("MT-AGENT CRITICAL - not ready: ");
    let line = ran.stdout();
    assert!(line.lines().count() == 1 && line.matches('|').count() == 1 && line.contains(" | met="), "{ran}");
}
