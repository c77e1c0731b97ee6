//! Hosts of which a file `want` says what must be told: those below `small/`, and with `MT_SCENARIOS=DIRECTORY[:DIRECTORY…]`
//! those of other directories. Each is a scenario, or a directory of scenarios.
//!
//! `want` has the verdict on its first line (`any`; `!ready`: any but this one), then lines `ID STATUS` or `ID !STATUS`,
//! and `ID fix WORDS` or `ID !fix WORDS`, of words that its advice holds or does not hold.

use std::fs;
use std::path::{Path, PathBuf};

use mt_agent::report::json;
use serde_json::Value;

use super::{Judged, below, is_scenario, judge, scenarios};

/// The scenarios in each directory of a list with colons.
///
/// # Panics
/// One is no directory, or holds none.
fn listed(list: &str) -> Vec<PathBuf> {
    list.split(':')
        .filter(|directory| !directory.is_empty())
        .flat_map(|directory| all_in(Path::new(directory)))
        .collect()
}

fn all_in(directory: &Path) -> Vec<PathBuf> {
    if is_scenario(directory) {
        return vec![directory.to_owned()];
    }
    let found = below(directory);
    assert!(!found.is_empty(), "{} is no scenario, nor a directory of scenarios", directory.display());
    found
}

/// What is not as `want` says; empty when all is.
fn differences(want: &str, report: &Value) -> Vec<String> {
    let holds = |wanted: &str, is: &str| match wanted.strip_prefix('!') {
        Some(not) => is != not,
        None => is == wanted,
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut lines = want.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut wrong = Vec::new();
    match lines.next() {
        None => wrong.push("`want` is empty: a verdict was expected on its first line".to_owned()),
        Some("any") => {}
        Some(verdict) if holds(verdict, &text(&report["verdict"])) => {}
        Some(verdict) => wrong.push(format!("the verdict is {}, not {verdict}", text(&report["verdict"]))),
    }
    for line in lines {
        let Some((id, status)) = line.split_once(' ') else {
            wrong.push(format!("`want` has the line {line:?}: expected ID STATUS or ID fix WORDS"));
            continue;
        };
        let words = ["fix ", "!fix "].map(|key| status.trim().strip_prefix(key));
        let finding = report["findings"].as_array().unwrap().iter().find(|finding| finding["id"] == id);
        match finding {
            None => wrong.push(format!("there is no requirement {id}")),
            Some(finding) if words != [None, None] => {
                let fix = text(&finding["fix"]);
                let is_right = match words {
                    [Some(words), _] => fix.contains(words),
                    [None, words] => !fix.is_empty() && words.is_some_and(|words| !fix.contains(words)),
                };
                if !is_right {
                    wrong.push(format!("{id}: not as in {status:?}: {fix}"));
                }
            }
            Some(finding) if holds(status.trim(), &text(&finding["status"])) => {}
            Some(finding) => {
                let told: Vec<_> = ["found", "reason"].map(|key| text(&finding[key])).into();
                wrong.push(format!("{id} is {}, not {status}: {}", text(&finding["status"]), told.concat()));
            }
        }
    }
    wrong
}

/// Judges each, and tells all that is not as wanted.
fn try_all(scenarios: &[PathBuf]) {
    let mut wrong = Vec::new();
    for scenario in scenarios {
        let want = fs::read_to_string(scenario.join("want"))
            .unwrap_or_else(|error| panic!("reading {}/want: {error}", scenario.display()));
        let Judged { report, .. } = judge(scenario);
        let report = serde_json::to_value(json::ReportDocument::from(&report)).unwrap();
        let differences = differences(&want, &report);
        wrong.extend(differences.iter().map(|what| format!("{}: {what}", scenario.display())));
    }
    let tried = scenarios.len();
    assert!(wrong.is_empty(), "of {tried} hosts:\n{}", wrong.join("\n"));
}

#[test]
fn each_small_host_is_judged_as_it_wants() {
    try_all(&all_in(&scenarios().join("small")));
}

#[test]
fn further_hosts_are_judged_as_they_want() {
    try_all(&listed(&std::env::var("MT_SCENARIOS").unwrap_or_default()));
}

#[test]
fn what_a_host_wants_is_held_against_its_report() {
    let report = serde_json::json!({
        "verdict": "not-ready",
        "findings": [{"id": "a.b", "status": "unmet", "found": "x", "fix": "mount it"}, {"id": "c.d", "status": "unknown", "reason": "y"}],
    });
    for right in [
        "any\n",
        "not-ready\na.b unmet\n",
        "!ready\n\na.b !met\nc.d  unknown\n",
        "any\na.b fix mount\na.b !fix fsck\n",
    ] {
        assert_eq!(differences(right, &report), [""; 0], "{right}");
    }
    for (wrong, said) in [
        ("", "`want` is empty: a verdict was expected on its first line"),
        ("ready\n", "the verdict is not-ready, not ready"),
        ("!not-ready\n", "the verdict is not-ready, not !not-ready"),
        ("any\na.b met\n", "a.b is unmet, not met: x"),
        ("any\nc.d !unknown\n", "c.d is unknown, not !unknown: y"),
        ("any\nx.y met\n", "there is no requirement x.y"),
        ("any\na.b\n", "`want` has the line \"a.b\": expected ID STATUS or ID fix WORDS"),
        ("any\na.b fix fsck\n", "a.b: not as in \"fix fsck\": mount it"),
        ("any\na.b !fix mount it\n", "a.b: not as in \"!fix mount it\": mount it"),
        ("any\nc.d !fix mount\n", "c.d: not as in \"!fix mount\": "),
    ] {
        assert_eq!(differences(wrong, &report), [said], "{wrong}");
    }
}

#[test]
#[should_panic(expected = "reading /nonexistent: No such file or directory")]
fn a_directory_that_is_not_there_fails() {
    listed("/nonexistent");
}

#[test]
#[should_panic(expected = "is no scenario, nor a directory of scenarios")]
fn a_directory_without_scenarios_fails() {
    let empty = tempfile::tempdir().unwrap();
    listed(empty.path().to_str().unwrap());
}
