//! Recorded hosts, judged and reported, against golden files.
//!
//! ```text
//! tests/scenarios/NAME/
//!     host/          the recorded tree, or instead:
//!     base           the name of the scenario whose tree this one changes
//!     remove         paths taken out of that tree, one a line
//!     overlay/       files put into it
//!     about          what it is, in a sentence
//!     profile.yaml   the profile, where it is not the built-in one
//!     expected.txt   check, disks and plan as text
//!     expected.json  check as JSON
//! ```
//!
//! `MT_AGENT_BLESS=1 cargo test --test scenarios` writes the golden files anew: read the difference in git.
//!
//! Below `small/` are hosts with one thing about them, of which a file `want` says all that matters. Further ones are
//! tried with `MT_SCENARIOS` (`scenarios/wanted.rs`).

#![allow(clippy::disallowed_methods, reason = "tests write golden files and trees of their own")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "scenarios/agreement.rs"]
mod agreement;
#[path = "scenarios/earlier.rs"]
mod earlier;
#[path = "scenarios/wanted.rs"]
mod wanted;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use mt_agent::facts::Facts;
use mt_agent::facts::gather::Probing;
use mt_agent::host::Host;
use mt_agent::profile::Profile;
use mt_agent::report::style::Style;
use mt_agent::report::text::Detail;
use mt_agent::report::{Report, disks, json, plan, text};
use mt_agent::steps::remedy::Request;
use mt_agent::steps::{self, Selection};
use mt_agent::{profile, run};
use tempfile::TempDir;

/// A day on which no waiver of the scenarios' profiles has expired but the one that is to have.
const TODAY: time::Date = time::macros::date!(2026 - 06 - 01);

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

fn names() -> Vec<String> {
    let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    below(&scenarios()).into_iter().map(name).collect()
}

/// Whether a scenario lies in `directory`.
fn is_scenario(directory: &Path) -> bool {
    directory.join("base").is_file() || directory.join("host").is_dir()
}

/// The scenarios that lie directly in `directory`, sorted.
fn below(directory: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(directory)
        .unwrap_or_else(|error| panic!("reading {}: {error}", directory.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| is_scenario(path))
        .collect();
    found.sort();
    found
}

/// Puts the tree at `from` over the one at `to`; links stay links.
fn lay(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            if target.is_symlink() {
                fs::remove_file(&target).unwrap();
            }
            lay(&source, &target);
            continue;
        }
        remove(&target);
        if kind.is_symlink() {
            symlink(fs::read_link(&source).unwrap(), &target).unwrap();
        } else if let Some(to) = lost_link(&source) {
            symlink(to, &target).unwrap();
        } else {
            fs::copy(&source, &target).unwrap();
        }
    }
}

/// Where a link led that was stored as a file, as git does where links cannot be: it holds the target alone, without a newline.
fn lost_link(file: &Path) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    (text.starts_with("../") && !text.contains('\n')).then_some(text)
}

fn remove(path: &Path) {
    match path.symlink_metadata() {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path).unwrap(),
        Ok(_) => fs::remove_file(path).unwrap(),
        Err(_) => {}
    }
}

/// Makes the tree of the scenario `name` at `to`.
fn build(name: &str, to: &Path) {
    build_in(&scenarios().join(name), to);
}

/// Makes the tree of the scenario that lies in `scenario` at `to`.
fn build_in(scenario: &Path, to: &Path) {
    if let Ok(base) = fs::read_to_string(scenario.join("base")) {
        build(base.trim(), to);
    } else {
        lay(&scenario.join("host"), to);
    }
    if let Ok(list) = fs::read_to_string(scenario.join("remove")) {
        for path in list.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let path = to.join(path.trim_start_matches('/'));
            assert!(
                path.symlink_metadata().is_ok(),
                "{}/remove: there is no {} to remove",
                scenario.display(),
                path.display()
            );
            remove(&path);
        }
    }
    if scenario.join("overlay").is_dir() {
        lay(&scenario.join("overlay"), to);
    }
}

/// A scenario, judged.
struct Judged {
    tree: TempDir,
    profile: Profile,
    facts: Facts,
    report: Report,
}

/// The profile that a scenario is judged by, and the facts of its tree at `tree`.
fn read(scenario: &Path, tree: &Path) -> (Profile, Facts) {
    build_in(scenario, tree);
    let host = Host::recorded(tree);
    let own = scenario.join("profile.yaml");
    let choice = if own.exists() { own.to_str().unwrap().to_owned() } else { profile::DEFAULT.to_owned() };
    let profile = profile::load(Some(&choice), &host, &steps::ids(), profile::Writers::Anyone)
        .unwrap_or_else(|error| panic!("{}: {error:#}", scenario.display()));
    let facts = run::read_facts(&host, &profile, Probing::None);
    (profile, facts)
}

fn facts_of(name: &str) -> (Profile, Facts) {
    read(&scenarios().join(name), tempfile::tempdir().unwrap().path())
}

fn judge(scenario: &Path) -> Judged {
    let tree = tempfile::tempdir().unwrap();
    let (profile, facts) = read(scenario, tree.path());
    let report = run::check(&profile, &facts, &Selection::default(), TODAY);

    // What was recorded is judged as what was read.
    let recorded: Facts = serde_json::from_str(&json::document(&facts).unwrap()).unwrap();
    assert_eq!(recorded, facts, "{}: facts do not survive being recorded", scenario.display());
    Judged { tree, profile, facts, report }
}

/// What the reports on a scenario are: text and JSON.
fn reports(name: &str) -> (String, String) {
    let Judged { tree, profile, facts, report } = judge(&scenarios().join(name));
    let planned = run::plan(&profile, &facts, &Selection::default(), TODAY, &Request::default());
    let all = facts.disks.known().unwrap_or_else(|| panic!("{name}: {:?}", facts.disks));
    let style = Style::default();
    let text = format!(
        "$ mt-agent check\n{}\n$ mt-agent disks\n{}\n$ mt-agent plan\n{}",
        text::render(&report, style, Detail::Normal),
        disks::render(all, &[], style),
        plan::render(&planned, style),
    );
    let json = json::document(&json::ReportDocument::from(&report)).unwrap();
    // The tree lies somewhere else each time.
    let here = tree.path().to_str().unwrap();
    (text.replace(here, "TREE"), json.replace(here, "TREE"))
}

/// Compares, or writes with MT_AGENT_BLESS; answers what is wrong.
fn compare(name: &str, file: &str, actual: &str) -> Option<String> {
    let path = scenarios().join(name).join(file);
    if std::env::var_os("MT_AGENT_BLESS").is_some() {
        fs::write(&path, actual).unwrap();
        return None;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    if expected == actual {
        return None;
    }
    let mut lines = expected.lines().zip(actual.lines()).enumerate();
    let at = lines
        .find(|(_, (a, b))| a != b)
        .map_or(expected.lines().count().min(actual.lines().count()), |(at, _)| at);
    let around = |text: &str| {
        let lines: Vec<_> = text.lines().skip(at.saturating_sub(2)).take(6).collect();
        lines.join("\n")
    };
    Some(format!(
        "{name}/{file}, from line {}:\n--- expected\n{}\n--- is\n{}\n",
        at + 1,
        around(&expected),
        around(actual)
    ))
}

/// What each host is, so that no blessing of golden files makes a wrong host ready.
fn verdict(name: &str) -> &'static str {
    match name {
        "centos-6.6-ready" => "ready",
        "restart-owed" => "restart-owed",
        _ => "not-ready",
    }
}

#[test]
fn every_recorded_host_is_reported_as_its_golden_files_say() {
    let names = names();
    assert!(names.iter().any(|name| name == "centos-6.6-ready"), "{names:?}");
    let mut wrong = Vec::new();
    for name in &names {
        let (text, json) = reports(name);
        for line in text.lines() {
            assert!(line.len() <= 80, "{name}: too wide: {line}");
        }
        assert!(text.is_ascii() && json.is_ascii(), "{name}: not ASCII");
        assert!(!text.contains('\x1b') && !json.contains('\x1b'), "{name}: an escape");
        let document: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(document["verdict"], verdict(name), "{name}");
        for (weight, counts) in document["summary"].as_object().unwrap().iter().filter(|(_, c)| c.is_object())
        {
            for (status, count) in counts.as_object().unwrap() {
                let is_of = |finding: &&serde_json::Value| {
                    finding["severity"] == **weight && finding["status"] == status.replace('_', "-")
                };
                let found = document["findings"].as_array().unwrap().iter().filter(is_of).count();
                assert_eq!(*count, found, "{name}: {weight} {status}");
            }
        }
        wrong.extend(compare(name, "expected.txt", &text));
        wrong.extend(compare(name, "expected.json", &json));
    }
    assert!(
        wrong.is_empty(),
        "{}\nIf this is as it should be: MT_AGENT_BLESS=1 cargo test --test scenarios",
        wrong.join("\n")
    );
}

/// What came after 2.6.32 and CentOS 6.6: a recording with any of it would prove nothing about them.
const LATER: [&str; 14] = [
    "vpd_pg80",
    "vpd_pg83",
    "wwid",
    "hidden",
    "thread-self",
    "loop-control",
    "os-release",
    "machine-id",
    "systemctl",
    "systemd",
    "lsblk",
    "findmnt",
    "dnf",
    "rpmdb.sqlite",
];

#[test]
fn the_recorded_centos_6_6_has_nothing_that_came_later() {
    for name in ["centos-6.6-fresh", "centos-6.6-ready", "restart-owed"] {
        let tree = tempfile::tempdir().unwrap();
        build(name, tree.path());
        let mut found = Vec::new();
        let mut left = vec![tree.path().to_owned()];
        while let Some(directory) = left.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let entry = entry.unwrap();
                if LATER.iter().any(|later| entry.file_name() == *later) {
                    found.push(entry.path());
                }
                if entry.file_type().unwrap().is_dir() {
                    left.push(entry.path());
                }
            }
        }
        assert!(found.is_empty(), "{name}: {found:?}");
        let meminfo = fs::read_to_string(tree.path().join("proc/meminfo")).unwrap();
        assert!(meminfo.contains("MemTotal:") && !meminfo.contains("MemAvailable:"), "{name}: {meminfo}");
        let kernel = fs::read_to_string(tree.path().join("proc/sys/kernel/osrelease")).unwrap();
        assert_eq!(kernel.trim(), "2.6.32-504.el6.x86_64", "{name}");
    }
}
