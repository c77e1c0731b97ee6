//! What version 0.1.0 left on a host, read by today's code (tests/state-0.1.0).

use std::fs;
use std::path::{Path, PathBuf};

use mt_agent::changes::Change;
use mt_agent::changes::mkfs::Format;
use mt_agent::facts::Facts;
use mt_agent::facts::gather::Probing;
use mt_agent::host::Host;
use mt_agent::profile::{self, Profile};
use mt_agent::run::journal::{self, Event};
use mt_agent::run::waiting::{self, State};
use mt_agent::state::resume;
use mt_agent::steps::remedy::Request;
use mt_agent::steps::{self, Finding, Selection, Severity, Status};
use mt_agent::{report, run};

use super::{TODAY, build, lay, remove};

/// The retention disk of the recording, and of the desk.
const ID: &str = "36000c2982b5df41a25811b07e74971e8";
/// What the file system on it has for a UUID.
const UUID: &str = "3817aa48-f3e5-88cf-8178-26462a4c110d";

fn state(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/state-0.1.0").join(name)
}

/// The recorded host with what that version left, and what else was so on the desk then.
fn host(name: &str, tree: &Path) -> Host {
    build("centos-6.6-ready", tree);
    remove(&tree.join("var/lib/mt-agent"));
    lay(&state(name).join("var"), &tree.join("var"));
    let edit = |path: &str, edit: &dyn Fn(&str) -> String| {
        let path = tree.join(path);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, edit(&text)).unwrap();
    };
    let without_volume = |text: &str| -> String {
        text.lines().filter(|line| !line.contains("/mnt/retention")).map(|line| format!("{line}\n")).collect()
    };
    match name {
        // As it wrote it.
        "ready" => edit("etc/fstab", &|text| {
            let ours = format!(
                "# mt-agent keeps the next line: the retention volume on /mnt/retention\n\
                 /dev/mapper/{ID} /mnt/retention ext4 rw,nofail 0 0\n"
            );
            without_volume(text) + &ours
        }),
        _ => {
            edit("etc/fstab", &without_volume);
            edit("proc/self/mountinfo", &without_volume);
        }
    }
    // Its volume is on the disk only where it was made.
    if name == "ready" {
        edit("commands/read", &|text| text.replace("7a5e4c31-9b02-4d68-a7f3-c8160e2d9b4f", UUID));
    }
    // The marker is as old as the script's end, which the journal shows to the second.
    let seconds = match name {
        "restart-owed" => 1_795_889_720,
        "ready" => 1_795_889_726,
        _ => 1_795_889_733,
    };
    edit("commands/ctime", &|_| format!("/etc/.appliedmtcustomchanges {seconds}\n"));
    if name == "interrupted-script" {
        remove(&tree.join("etc/.appliedmtcustomchanges"));
    }
    if name == "interrupted-mkfs" {
        fs::create_dir_all(tree.join("commands/probe")).unwrap();
        let probe = r#"{"blank":false,"found":["non-zero bytes at offset 4096"],"in_use":[],"eligible":false,
            "why_not":["it is not blank: non-zero bytes at offset 4096"]}"#;
        fs::write(tree.join("commands/probe/sdb.json"), probe).unwrap();
    }
    Host::recorded(tree)
}

fn default_profile() -> Profile {
    profile::load(Some(profile::DEFAULT), &Host::live(), &steps::ids(), profile::Writers::Anyone).unwrap()
}

/// What is said today, in the words of `said`: the verdict, and what is said of what stands there.
fn said(name: &str, report: &report::Report) -> String {
    let before = fs::read_to_string(state(name).join("said")).unwrap();
    let mut now = format!("verdict {}\n", report.verdict().word());
    for line in before.lines().skip(1) {
        let id = line.split(' ').next().unwrap();
        let finding = report.findings.iter().find(|finding| finding.id == id).unwrap();
        let word = match &finding.status {
            // It had no word of its own in a document.
            Status::RestartOwed { .. } => "unmet",
            status => status.word(),
        };
        now.push_str(&format!("{id} {word}\n"));
    }
    now
}

fn finding<'a>(report: &'a report::Report, id: &str) -> &'a Finding {
    report.findings.iter().find(|finding| finding.id == id).unwrap()
}

fn judged(name: &str) -> (Host, tempfile::TempDir, Facts, report::Report) {
    let tree = tempfile::tempdir().unwrap();
    let host = host(name, tree.path());
    let facts = run::read_facts(&host, &default_profile(), Probing::Idle);
    let report = run::check(&default_profile(), &facts, &Selection::default(), TODAY);
    (host, tree, facts, report)
}

fn before(name: &str) -> String {
    fs::read_to_string(state(name).join("said")).unwrap()
}

/// Every line of the journal is understood; how it begins and ends.
fn whole_journal(host: &Host, entries: usize, last: &dyn Fn(&Event) -> bool) {
    let (read, torn) = journal::read(host).unwrap();
    assert_eq!((read.len(), torn), (entries, vec![]));
    assert!(matches!(&read[0].event, Event::Begin { agent, .. } if agent == "0.1.0"));
    assert!(last(&read.last().unwrap().event), "{:?}", read.last());
}

#[test]
fn a_machine_that_0_1_0_made_ready_is_ready_and_its_line_of_fstab_is_moved() {
    let (host, _tree, facts, report) = judged("ready");
    assert_eq!(said("ready", &report), before("ready").replace("persistent met", "persistent unmet"));
    let persistent = finding(&report, "retention.persistent");
    assert_eq!(persistent.severity, Severity::Recommended);
    assert!(
        matches!(&persistent.status, Status::Unmet { found, .. } if found.contains("nofail")),
        "{persistent:?}"
    );
    let plan = run::plan(&default_profile(), &facts, &Selection::default(), TODAY, &Request::default());
    let [planned] = plan.changes.as_slice() else { panic!("{:?}", plan.changes) };
    assert!(matches!(&planned.change, Change::WriteFstab { options, replaces: Some(old), .. }
        if options == "rw" && old == "rw,nofail"));
    whole_journal(&host, 14, &|event| matches!(event, Event::End { verdict } if verdict == "ready"));
    let record = facts.retention_record.known().unwrap().as_ref().unwrap();
    assert_eq!(
        (record.scsi_id.as_str(), record.uuid.to_string().as_str(), record.finished),
        (ID, UUID, true)
    );
    assert_eq!(resume::read(&host).unwrap(), None);
}

#[test]
fn facts_that_0_1_0_read_are_judged_and_what_they_lack_is_named() {
    let text = fs::read_to_string(state("ready").join("facts.json")).unwrap();
    let facts: Facts = serde_json::from_str(&text).unwrap();
    let report = run::check(&default_profile(), &facts, &Selection::default(), TODAY);
    let before = before("ready").replace("verdict ready", "verdict not-ready");
    assert_eq!(said("ready", &report), before.replace("persistent met", "persistent unknown"));
    // What it did not look at is not known, and each is named.
    let lacks = [
        ("retention.alive", "the state of sdb was not recorded"),
        ("layout.free", "it was recorded by a version that did not ask for inodes"),
    ];
    for (id, says) in lacks {
        let status = &finding(&report, id).status;
        assert!(matches!(status, Status::Unknown { why } if why.contains(says)), "{id}: {status:?}");
    }
    assert!(
        matches!(&finding(&report, "retention.free").status, Status::Blocked { by } if by == "retention.alive")
    );
    let Status::Unknown { why } = &finding(&report, "retention.persistent").status else {
        panic!("{report:?}")
    };
    assert!(why.contains("a version that did not look for systemd"), "{why}");
    let Status::Unknown { why } = &finding(&report, "multipath.running").status else { panic!("{report:?}") };
    assert!(
        why.contains("whether multipathd starts at boot: these facts were read by a version that"),
        "{why}"
    );
    assert!(why.contains("whether multipathd runs: "), "{why}");
}

#[test]
fn a_restart_that_0_1_0_owes_is_owed_and_what_it_agreed_to_is_read() {
    let (host, _tree, _, report) = judged("restart-owed");
    assert_eq!(said("restart-owed", &report), before("restart-owed"));
    whole_journal(&host, 6, &|event| matches!(event, Event::End { verdict } if verdict == "restart-owed"));
    let pending = resume::read(&host).unwrap().unwrap();
    assert_eq!(pending.request, Request { retention_disk: Some(ID.into()), ..Request::default() });
    assert!(!pending.first_boot && pending.only.is_empty() && pending.skip.is_empty());
    // It is read, and not carried out: it tells neither when nor for what it was given.
    let order = waiting::find(&host, &|_| Ok(default_profile())).unwrap().unwrap();
    assert!(
        matches!(&order.state, State::Void(why) if why.ends_with("(an earlier version left it)")),
        "{order:?}"
    );
}

#[test]
fn a_mkfs_of_0_1_0_that_was_interrupted_is_resumed() {
    let (host, _tree, facts, report) = judged("interrupted-mkfs");
    assert_eq!(said("interrupted-mkfs", &report), before("interrupted-mkfs"));
    let plan = run::plan(&default_profile(), &facts, &Selection::default(), TODAY, &Request::default());
    assert!(
        matches!(&plan.changes[0].change, Change::FormatRetention(Format { target, erase: false, .. })
            if target.scsi_id == ID && target.uuid == Some(UUID.into())),
        "{:?}",
        plan.changes
    );
    whole_journal(
        &host,
        8,
        &|event| matches!(event, Event::Intent { requirement, .. } if requirement == "retention.disk"),
    );
}

#[test]
fn a_vendor_script_of_0_1_0_that_was_interrupted_waits_for_a_person() {
    let (host, _tree, facts, report) = judged("interrupted-script");
    assert_eq!(said("interrupted-script", &report), before("interrupted-script"));
    let plan = run::plan(&default_profile(), &facts, &Selection::default(), TODAY, &Request::default());
    assert_eq!(plan.changes, []);
    let waits = plan.manual.iter().find(|manual| manual.id == "custom-changes.applied").unwrap();
    assert!(waits.found.contains("--custom-changes=accept"), "{waits:?}");
    whole_journal(
        &host,
        4,
        &|event| matches!(event, Event::Intent { requirement, .. } if requirement == "custom-changes.applied"),
    );
}
