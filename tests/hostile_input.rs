//! Input of enemies to the real binary: nothing that a profile says is more than one word of a command, and
//! nothing that a host says drives a terminal.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files of a test are not the host's")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use mt_agent::facts::gather::Probing;
use mt_agent::host::Host;
use mt_agent::report::style::Style;
use mt_agent::report::text::Detail;
use mt_agent::report::{disks, json, nagios, plan, text};
use mt_agent::run;
use mt_agent::steps::Selection;
use mt_agent::steps::remedy::Request;
use serde_json::Value;

use support::world::World;
use support::{need_root, profile};

/// What a shell, or a tool's parser of options, would make something of.
const WORDS: [&str; 14] = [
    "a b",
    "a'b",
    "a\"b",
    "a\nb",
    "--help",
    "-e",
    "$(touch /var/tmp/owned)",
    "`touch /var/tmp/owned`",
    "a;touch /var/tmp/owned",
    "a|b",
    "a&&b",
    "../../etc/passwd",
    "a\u{0}b",
    "a\u{1b}[2Jb",
];

/// What a disk, a host or a package may be called to drive a terminal, forge a line or hide.
const ESCAPES: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\r\u{8}\u{202e}\u{200b}\u{7f}|x";

fn agent(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mt-agent"))
        .args(args)
        .env_clear()
        .env("LC_ALL", "C.UTF-8")
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .output()
        .unwrap()
}

/// Asserts that no terminal obeys `bytes`: UTF-8, lines, and nothing that controls or hides.
#[track_caller]
fn harmless(what: &str, bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
    let bad = |c: &char| {
        c.is_control() && *c != '\n'
            || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
    };
    if let Some(c) = text.chars().find(bad) {
        panic!("{what}: {c:?} in {text:?}");
    }
}

#[track_caller]
fn all_harmless(what: &str, output: &Output) {
    harmless(&format!("{what}, stdout"), &output.stdout);
    harmless(&format!("{what}, stderr"), &output.stderr);
    assert!(output.status.code().is_some(), "{what}: ended by a signal");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!stderr.contains("panicked"), "{what}: {stderr}");
}

/// The keys whose values come into a command, a path that is opened, or fstab.
const KEYS: [&str; 10] = [
    "packages: {base: [%]}",
    "packages: {multipath: [%]}",
    "files: {directory: %}",
    "files: {from: %}",
    "files: {reiserfs: [{package: %, file: a.rpm, urls: ['http://h/a.rpm']}]}",
    "files: {reiserfs: [{package: a, file: %, urls: ['http://h/a.rpm']}]}",
    "files: {reiserfs: [{package: a, file: a.rpm, urls: [%]}]}",
    "retention: {mount-point: %}",
    "retention: {filesystem: %}",
    "custom-changes: {archive: %}",
];

#[test]
fn no_value_of_a_profile_that_reaches_a_command_may_be_more_than_one_plain_word() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("p.yaml");
    let path = file.to_str().unwrap();
    for key in KEYS {
        for word in WORDS {
            // JSON is YAML, with every escape that is needed.
            let value = serde_json::to_string(word).unwrap();
            fs::write(&file, format!("extends: centos-6.6\n{}\n", key.replace('%', &value))).unwrap();
            let output = agent(&["profile", "check", path, "--allow-unsafe-profile"]);
            all_harmless(key, &output);
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{key} with {word:?} was accepted: {stderr}");
            assert_eq!(stderr.lines().count(), 1, "{stderr}");
            let section = key.split(':').next().unwrap();
            assert!(stderr.contains(section) || stderr.contains("control character"), "{key}: {stderr}");
        }
    }
}

#[test]
fn a_disk_s_name_may_have_anything_in_it_and_reaches_no_command() {
    need_root();
    for word in WORDS.into_iter().filter(|word| !word.contains('\0')) {
        for option in ["--retention-disk", "--erase-disk"] {
            let argument = format!("{option}={word}");
            let trace = tempfile::NamedTempFile::new().unwrap();
            let output = Command::new("strace")
                .args(["-f", "-qq", "-s", "4096", "-e", "trace=execve", "-o"])
                .arg(trace.path())
                .args(["--", env!("CARGO_BIN_EXE_mt-agent"), "plan", &argument])
                .env("LC_ALL", "C.UTF-8")
                .output()
                .unwrap();
            all_harmless(&argument, &output);
            let calls = fs::read_to_string(trace.path()).unwrap();
            let ours = calls.lines().filter(|line| line.contains("execve(")).skip(1);
            for call in ours {
                assert!(!call.contains("owned") && !call.contains("--help"), "{call}");
                assert!(!call.contains("bin/sh\"") && !call.contains("/bash\""), "a shell: {call}");
            }
        }
    }
}

#[test]
fn what_a_profile_names_is_exactly_one_argument_each_and_no_shell_is_there() {
    need_root();
    let world = World::new();
    let list = r#"for argument; do printf '[%s]' "$argument"; done >> /var/tmp/NAME; echo >> /var/tmp/NAME"#;
    world.tool("yum", &format!("{}\nexit 1\n", list.replace("NAME", "yum")));
    let answers = r#"
        case "$1" in
        -qa) case "$*" in *EPOCH*) printf 'bash\t(none)\t4.1-1\n' ;; *) printf 'bash\t4.1-1\n' ;; esac ;;
        -E) echo /var/lib/rpm ;;
        -q) shift 3; for name; do echo "package $name is not installed"; done ;;
        esac"#;
    world.tool("rpm", &format!("{}\n{answers}\n", list.replace("NAME", "rpm")));
    world.file("/var/lib/rpm/Packages", "");
    world.file("/etc/redhat-release", "CentOS release 6.6 (Final)\n");
    // All that a package's name may have in it.
    world.file(
        "/etc/mt-agent/profile.yaml",
        "extends: centos-6.6\npackages: {base: ['gcc-c++', 'a.b_C-1', '0x'], lock-timeout: 1s}\n",
    );
    let output = world.run(
        "strace -f -qq -s 4096 -e trace=execve -o /var/tmp/trace $AGENT apply --yes --only packages.base",
        &[],
    );
    all_harmless("apply", &output);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(
        world.left("/var/tmp/yum"),
        "[-y][--setopt=exit_on_lock=1][--setopt=protected_packages=bash][install][gcc-c++][a.b_C-1][0x]\n"
    );
    let rpm = world.left("/var/tmp/rpm");
    assert!(rpm.lines().any(|line| line.ends_with("[gcc-c++][a.b_C-1][0x]")), "{rpm}");
    let trace = world.left("/var/tmp/trace");
    let started: Vec<&str> = trace.lines().filter(|line| line.contains("execve(")).collect();
    assert!(started.len() > 3, "{trace}");
    for call in started {
        assert!(!call.contains("bin/sh\"") && !call.contains("/bash\""), "a shell: {call}");
    }
}

fn recording() -> Value {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/centos-6.6-ready/host");
    let facts = run::read_facts(&Host::recorded(tree), &profile(), Probing::None);
    serde_json::to_value(facts).unwrap()
}

/// How many places in a document hold a text.
fn texts(value: &mut Value) -> Vec<&mut String> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter_mut().flat_map(texts).collect(),
        Value::Object(entries) => entries.values_mut().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn a_hostile_recording_drives_no_terminal_through_any_verb() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("facts.json");
    let path = file.to_str().unwrap();
    // Every text that may be anything: not an address, a date or one of a few words.
    let mut facts = recording();
    let mut poisoned = 0;
    for place in 0..texts(&mut facts).len() {
        let before = texts(&mut facts)[place].clone();
        texts(&mut facts)[place].push_str(ESCAPES);
        match mt_agent::facts::parse(&facts.to_string()) {
            Ok(_) => poisoned += 1,
            Err(_) => *texts(&mut facts)[place] = before,
        }
    }
    assert!(poisoned > 100, "{poisoned}");
    fs::write(&file, facts.to_string()).unwrap();
    for verb in ["check", "plan"] {
        for more in [&["--format", "text"][..], &["--format", "json"], &["-v"], &["-q"], &["--color=never"]] {
            let args = [&[verb, "--facts", path], more].concat();
            let output = agent(&args);
            all_harmless(&args.join(" "), &output);
            // A plan of nothing but what a person can do says 0.
            let codes = if verb == "check" { 1..=1 } else { 0..=1 };
            assert!(output.status.code().is_some_and(|code| codes.contains(&code)), "{args:?}: {output:?}");
        }
    }
    let output = agent(&["check", "--facts", path, "--format", "nagios"]);
    all_harmless("nagios", &output);
    let line = String::from_utf8(output.stdout).unwrap();
    assert!(line.is_ascii() && line.lines().count() == 1 && line.matches('|').count() == 1, "{line}");
}

#[test]
fn any_one_text_of_a_recording_made_hostile_is_harmless() {
    let (profile, mut whole) = (profile(), recording());
    let count = texts(&mut whole).len();
    assert!(count > 100, "{count}");
    let mut judged = 0;
    for place in 0..count {
        let mut document = whole.clone();
        texts(&mut document)[place].insert_str(0, ESCAPES);
        let Ok(facts) = mt_agent::facts::parse(&document.to_string()) else { continue };
        judged += 1;
        reports(&format!("text {place}"), &profile, &facts);
    }
    assert!(judged > count / 2, "{judged} of {count}");
}

/// Renders everything that is told of `facts`, and asserts that it is harmless.
fn reports(what: &str, profile: &mt_agent::profile::Profile, facts: &mt_agent::facts::Facts) {
    let all = Selection::default();
    let report = run::check(profile, facts, &all, time::macros::date!(2026 - 06 - 01));
    let planned = run::plan(profile, facts, &all, time::macros::date!(2026 - 06 - 01), &Request::default());
    let found = facts.disks.known().map(Vec::as_slice).unwrap_or_default();
    for unicode in [false, true] {
        let style = Style { color: false, unicode };
        let pages = [
            text::render(&report, style, Detail::Verbose),
            text::render(&report, style, Detail::Normal),
            plan::render(&planned, style),
            disks::render(found, &facts.probes, style),
            nagios::render(&report),
            json::document(&json::ReportDocument::from(&report)).unwrap(),
            json::document(&json::PlanDocument::from(&planned)).unwrap(),
            json::document(&disks::document(found, &facts.probes)).unwrap(),
            json::document(facts).unwrap(),
        ];
        for page in pages {
            harmless(what, page.as_bytes());
            assert!(unicode || page.is_ascii(), "{what}: not ASCII: {page}");
        }
    }
}

/// Every file below `dir`, links left out.
fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            files(&entry.path(), found);
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
}

#[test]
fn any_one_file_of_a_host_made_hostile_is_harmless() {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/centos-6.6-ready/host");
    let dir = tempfile::tempdir().unwrap();
    let copied = Command::new("cp").arg("-a").arg(&tree).arg(dir.path()).status().unwrap();
    assert!(copied.success());
    let (root, profile) = (dir.path().join("host"), profile());
    let mut all = Vec::new();
    files(&root, &mut all);
    assert!(all.len() > 50, "{}", all.len());
    for file in all {
        let before = fs::read(&file).unwrap();
        let spaced = String::from_utf8_lossy(&before).replace([' ', '='], &format!("={ESCAPES} "));
        for after in
            [ESCAPES.as_bytes().to_vec(), spaced.into_bytes(), [&before[..], &[0xff, 0x1b, 0x9b]].concat()]
        {
            fs::write(&file, after).unwrap();
            let facts = run::read_facts(&Host::recorded(&root), &profile, Probing::None);
            reports(&file.display().to_string(), &profile, &facts);
        }
        fs::write(&file, before).unwrap();
    }
}

#[test]
fn a_hostile_image_and_hostile_arguments_drive_no_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let put = |path: &str, content: &str| {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    for path in ["etc/redhat-release", "etc/fstab", "etc/hosts", "etc/hostname", "etc/multipath.conf"] {
        put(path, &format!("{ESCAPES} {ESCAPES} {ESCAPES}\n"));
    }
    put("etc/sysconfig/network", &format!("HOSTNAME={ESCAPES}\n"));
    let head = r#""at":"2026-01-01T00:00:00Z","boot_id":"b","pid":7"#;
    let error = serde_json::to_string(ESCAPES).unwrap();
    put(
        "var/lib/mt-agent/journal.jsonl",
        &format!("{{{head},\"event\":\"failed\",\"requirement\":{error},\"error\":{error}}}\n{ESCAPES}\n"),
    );
    put("var/lib/mt-agent/custom-changes.json", &format!("{{\"schema\":{error}}}"));
    put(
        "var/lib/mt-agent/retention.json",
        &format!(
            "{{\"schema\":\"mt-agent/retention/v1\",\"scsi_id\":{error},\"uuid\":{error},\"fs_type\":{error},\"boot_id\":{error},\
             \"started_at\":{error},\"finished\":true}}"
        ),
    );
    put(
        "var/lib/mt-agent/identity.json",
        &format!(
            "{{\"schema\":\"mt-agent/identity/v1\",\"recorded-at\":{error},\"salt\":{error},\"marks\":[]}}"
        ),
    );
    put("var/lib/mt-agent/resume.json", &format!("{{\"schema\":\"mt-agent/resume/v1\",{error}:1}}"));
    fs::create_dir_all(dir.path().join("var/lib/mt-agent/set-aside").join(ESCAPES.replace('/', ""))).unwrap();
    let root = dir.path().to_str().unwrap();
    for verb in ["check", "plan", "disks", "facts", "history", "state"] {
        for format in ["text", "json"] {
            let args = [verb, "--root", root, "--format", format];
            let args = if verb == "facts" { &args[..3] } else { &args[..] };
            all_harmless(&args.join(" "), &agent(args));
        }
    }
    let history = agent(&["history", "--root", root]);
    assert!(String::from_utf8_lossy(&history.stdout).contains("FAILED:"), "{history:?}");
    put("etc/mt-agent/profile.yaml", &format!("extends: centos-6.6\n{ESCAPES}: x\n"));
    for args in [
        &["check", "--root", root, "--allow-unsafe-profile"][..],
        &["explain", ESCAPES],
        &["check", "--only", ESCAPES],
        &["check", "--profile", ESCAPES],
        &["check", "--facts", ESCAPES],
        &["check", "--root", ESCAPES],
        &["disks", ESCAPES],
        &["profile", "check", ESCAPES],
        &[ESCAPES],
        &["check", "--format", ESCAPES],
        &["plan", "--retention-disk", ESCAPES],
        &["history", "-n", ESCAPES],
    ] {
        let output = agent(args);
        all_harmless(&format!("{args:?}"), &output);
    }
}
