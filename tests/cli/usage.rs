//! Wrong input: one clear line, exit code 2, nothing on standard output, nothing done.

use crate::agent::{PROGRAM, as_nobody, mt_agent, run, tool};

const VERBS: [&str; 11] = [
    "check",
    "plan",
    "apply",
    "disks",
    "facts",
    "seal",
    "kickstart",
    "explain",
    "profile",
    "history",
    "state",
];

#[test]
fn wrong_command_lines_exit_2_and_name_the_mistake() {
    let table: &[(&[&str], &str)] = &[
        (&[], "Usage: mt-agent"),
        (&["chekc"], "a similar subcommand exists: 'check'"),
        (&["check", "--format", "jsn"], "a similar value exists: 'json'"),
        (&["check", "--nope"], "unexpected argument '--nope'"),
        (&["check", "--quiet", "--verbose"], "cannot be used with"),
        (&["disks", "--only", "os"], "unexpected argument '--only'"),
        (&["apply", "--custom-changes", "maybe"], "possible values: accept, rerun"),
        (&["apply", "--resume", "--only", "os"], "cannot be used with"),
        (&["apply", "--resume", "--stage", "image"], "cannot be used with"),
        (&["check", "--stage", "imgae"], "a similar value exists: 'image'"),
        (&["seal", "--list", "--yes"], "cannot be used with"),
        (&["seal", "--dry-run", "--yes"], "cannot be used with"),
        (&["apply", "--download-only", "x", "--offline", "y"], "cannot be used with"),
        (&["apply", "--download-only", "x", "--only", "packages"], "cannot be used with"),
        (&["apply", "--offline", "x", "--resume"], "cannot be used with"),
        (&["apply", "--forget", "--yes"], "cannot be used with"),
        (&["apply", "--forget", "--resume"], "cannot be used with"),
        (&["apply", "--forget", "--only", "os"], "cannot be used with"),
        (&["apply", "--forget", "--download-only", "x"], "cannot be used with"),
        (&["history", "--pending", "--last", "1"], "cannot be used with"),
        (&["state", "repair", "--yes", "--dry-run"], "cannot be used with"),
        (&["state", "repare"], "a similar subcommand exists: 'repair'"),
        (&["state", "--yes"], "unexpected argument '--yes'"),
        (&["apply", "--repository", "http://x/"], "--download-only <DIR>"),
        (&["plan", "--offline", "x", "--facts", "y"], "cannot be used with"),
        (&["history", "-n", "x"], "invalid value 'x'"),
        (&["history", "--last", "0"], "invalid value '0'"),
        (&["plan", "--retention-disk", ""], "a value is required for '--retention-disk <ID>'"),
        (&["apply", "--yes", "--erase-disk="], "a value is required for '--erase-disk <ID>'"),
        (&["disks", "--probe", ""], "a value is required for '--probe"),
        (&["check", "--profile", ""], "a value is required for '--profile"),
        (&["disks", "--format", "nagios"], "invalid value 'nagios'"),
        (&["check", "--format", "\x1b[2Jx\u{9b}y"], "x\\u{9b}y"),
    ];
    for (args, words) in table {
        let ran = mt_agent(args).exits(2).says_nothing().complains(words);
        ran.holds("no escape reaches the terminal", |ran| !ran.stderr().contains(['\x1b', '\u{9b}']));
    }
}

#[test]
fn wrong_values_exit_2_with_one_line_that_names_them() {
    let table: &[(&[&str], &str)] = &[
        (
            &["check", "--only", "retention.mountd"],
            "--only: no requirement or section is called \"retention.mountd\"; close to it: retention.mounted",
        ),
        (&["plan", "--skip", "nonsense"], "the sections are os, sizing, layout, network"),
        (&["check", "--only", "os", "--skip", "os"], "--only and --skip leave no requirement to look at"),
        (
            &["check", "--only", "retention", "--stage", "image"],
            "of what --only and --skip leave, nothing belongs to the stage `image`",
        ),
        (
            &["seal", "--only", "retention"],
            "--only: no step of sealing is called \"retention\"; the steps are hooks, ",
        ),
        (
            &["seal", "--only", "ssh-host-keys", "--wipe-free-space"],
            "--wipe-free-space: --only and --skip leave the step free-space out",
        ),
        (&["seal", "--skip", "free-space", "--wipe-free-space"], "leave the step free-space out"),
        (
            &["seal", "--only", "histories", "--remove-authorized-keys"],
            "--remove-authorized-keys: --only and --skip leave the step authorized-keys out",
        ),
        (&["seal", "--root", "/", "--dry-run"], "--root / is this machine, which is running"),
        (&["seal", "--root", "/etc/passwd"], "--root /etc/passwd: not a directory"),
        (&["check", "--root", "/no/such/tree"], "--root /no/such/tree: No such file or directory"),
        (&["check", "--root", "/etc/passwd"], "--root /etc/passwd: not a directory"),
        (&["check", "--facts", "/no/such/file"], "reading /no/such/file: No such file or directory"),
        (&["check", "--facts", "/etc/passwd"], "reading /etc/passwd: the recording is not a JSON document"),
        (&["check", "--facts", "/"], "reading /: it is a directory, not a regular file"),
        (&["check", "--facts", "-"], "reading -: the recording is not a JSON document"),
        (&["check", "--facts", "x", "--root", "/"], "--facts and --root exclude each other"),
        (&["disks", "--probe", "/dev/null"], "--probe /dev/null: "),
        (&["disks", "--probe", "no-such-disk"], "--probe no-such-disk: "),
        (&["plan", "--retention-disk", "no-such-disk"], "--retention-disk: no disk is called no-such-disk"),
        (&["plan", "--erase-disk", "/dev/no-such-disk"], "--erase-disk: no disk is called /dev/no-such-disk"),
        (&["apply", "--root", "/", "--yes"], "apply works on the running host"),
        (
            &["plan", "--offline", "/no/such"],
            "--offline /no/such: looking at the directory /no/such: No such file",
        ),
        (&["plan", "--offline", "/etc/passwd"], "--offline /etc/passwd: /etc/passwd is not a directory"),
        (
            &["plan", "--offline", "/etc"],
            "--offline /etc: /etc has no manifest.json, so it is no whole collection",
        ),
        (&["plan", "--root", "/"], "plan works on the running host"),
        (&["check", "--profile", "centos-6.7"], "centos-6.7"),
        (&["check", "--profile", "/no/such.yaml"], "/no/such.yaml"),
        (&["check", "--profile", "/etc/passwd"], "/etc/passwd"),
        (
            &["profile", "show", "centos-6.6", "--profile", "centos-6.6"],
            "profile show NAME and --profile exclude each other",
        ),
        (
            &["--profile", "centos-6.6", "profile", "check", "/no/such.yaml"],
            "profile check FILE and --profile exclude each other",
        ),
        (&["kickstart"], "lacks what a kickstart needs: os.timezone, installation.hostname (--hostname), "),
        (
            &["kickstart", "--disk", "sda1"],
            "--disk: installation.disk: found `sda1`, expected a disk such as `sda`",
        ),
        (&["explain", "retention.mountd"], "retention.mounted"),
        (&["explain", "12345"], "12345"),
    ];
    for (args, words) in table {
        mt_agent(args).exits(2).says_nothing().complains(words).complains_in_one_line();
    }
}

#[test]
fn a_document_of_another_kind_is_no_recording() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    for (text, words) in [
        (
            "{\"schema\": \"mt-agent/report/v1\"}",
            "the recording's schema is `mt-agent/report/v1`; `mt-agent/facts/v1` was expected",
        ),
        ("{}", "the recording has no `schema`"),
        ("[]", "it is no recording of facts: an object with the key `schema` was expected"),
        ("\u{feff}{}", "the recording has no `schema`"),
        (
            "{\"schema\": \"mt-agent/facts/v1\"}",
            "the recording does not hold what its schema promises: missing field",
        ),
    ] {
        std::fs::write(path, text).unwrap();
        mt_agent(&["check", "--facts", path])
            .exits(2)
            .says_nothing()
            .complains(words)
            .complains_in_one_line();
    }
}

#[test]
fn errors_are_told_in_the_format_that_was_asked_for() {
    for args in [
        ["check", "--format", "json", "--nope"].as_slice(),
        &["check", "--format=json", "--only", "nonsense"],
        &["plan", "--format", "json", "--profile", "/no/such.yaml"],
        &["apply", "--format", "json", "--root", "/"],
        &["facts", "--nope"],
    ] {
        let ran = mt_agent(args).exits(2);
        let document = ran.json();
        assert_eq!(document["schema"], "mt-agent/error/v1", "{ran}");
        assert!(document["error"].as_str().is_some_and(|error| !error.is_empty()), "{ran}");
        assert!(!ran.stderr().is_empty(), "{ran}");
    }
    let ran = mt_agent(&["check", "--format", "nagios", "--only", "nonsense"]).exits(3);
    ran.says("MT-AGENT UNKNOWN - --only: no requirement or section is called \"nonsense\"");
    mt_agent(&["check", "--format", "nagios", "--nope"])
        .exits(3)
        .says("MT-AGENT UNKNOWN - unexpected argument");
}

#[test]
fn apply_refuses_before_it_reads_anything_when_not_root() {
    let line = "mt-agent: apply needs root: run it as root or with sudo\n";
    for args in [["apply", "--yes"].as_slice(), &["apply", "--yes", "--profile", "/no/such.yaml"]] {
        as_nobody(args).exits(2).says_nothing().complains(line).complains_in_one_line();
    }
}

#[test]
fn a_waiver_without_effect_is_named_with_its_line() {
    let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    let path = file.path().to_str().unwrap();
    let check = |waiver: &str| {
        let text = format!("extends: centos-6.6\nname: x\nwaivers:\n  - {{{waiver}, reason: x}}\n");
        std::fs::write(path, text).unwrap();
        mt_agent(&["profile", "check", "--allow-unsafe-profile", path])
    };
    let day = |days| (mt_agent::run::today() + time::Duration::days(days)).to_string();
    let (ended, soon, last, long) = (day(-1), day(0), day(400), day(402));
    for until in [&soon, &last] {
        check(&format!("requirement: network.dns, until: '{until}'")).exits(0);
        check(&format!("requirement: image.identity, approved-by: A. Person, until: '{until}'")).exits(0);
    }
    for (waiver, why) in [
        (format!("requirement: network.dns, until: '{ended}'"), format!("it ended on {ended}")),
        (format!("requirement: network.dns, until: '{long}'"), format!("it runs until {long}, and")),
        (format!("requirement: scsi.ids, until: '{last}'"), "scsi.ids cannot be waived: data for".to_owned()),
    ] {
        let ran = check(&waiver).exits(2).says_nothing().complains_in_one_line();
        ran.complains(":4: waivers[0]: the waiver of ").complains(&format!(" has no effect: {why}"));
    }
    // It can be judged by all the same, as if there were none.
    let judged = mt_agent(&["check", "--allow-unsafe-profile", "--profile", path, "--format", "json"]).json();
    let ids =
        judged["findings"].as_array().unwrap().iter().find(|finding| finding["id"] == "scsi.ids").unwrap();
    assert!(
        ids["status"] != "waived" && ids["reason"].to_string().contains("scsi.ids cannot be waived"),
        "{ids}"
    );
}

#[test]
fn a_plan_made_without_root_says_what_it_could_not_see() {
    let ran = as_nobody(&["plan", "--format", "json"]);
    let notes = ran.json()["notes"].to_string();
    assert!(notes.contains("not run as root: disks cannot be probed"), "{ran}");
}

#[test]
fn a_report_says_whether_it_is_of_a_recording_or_of_an_image() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    std::fs::write(path, mt_agent(&["facts"]).exits(0).stdout()).unwrap();
    mt_agent(&["check", "--facts", path]).exits(1).says("note: judged from a recording of 20");
    let tree = tempfile::tempdir().unwrap();
    mt_agent(&["check", "--root", tree.path().to_str().unwrap()])
        .exits(1)
        .says("note: of an image's tree: what needs");
    let facts = mt_agent(&["facts", "--root", tree.path().to_str().unwrap()]).exits(0);
    std::fs::write(path, facts.stdout()).unwrap();
    mt_agent(&["check", "--facts", path]).exits(1).says("note: of an image's tree: what needs");
    mt_agent(&["plan", "--facts", path])
        .exits(2)
        .says_nothing()
        .complains("the recording is of an image's tree, which can be checked, not changed")
        .complains_in_one_line();
}

#[test]
fn help_is_on_stdout_documents_every_option_and_fits_the_console() {
    let pages =
        [["--help"].as_slice(), &["-h"], &["profile", "show", "--help"], &["profile", "check", "--help"]];
    let pages = pages.into_iter().map(<[_]>::to_vec).chain(VERBS.map(|verb| vec![verb, "--help"]));
    for args in pages {
        let ran = mt_agent(&args).exits(0).says("Usage: mt-agent");
        let help = ran.stdout();
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "too wide: {line}\n{ran}");
        }
        // An option without a description is a line that has no text after the option, followed by no text.
        let lines: Vec<_> = help.lines().collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.trim_start().starts_with('-')) {
            let described = line.trim().contains("  ")
                || lines.get(at + 1).is_some_and(|next| next.starts_with("          "));
            assert!(described, "no description: {line}\n{ran}");
        }
        assert!(ran.stderr().is_empty() && help.is_ascii(), "{ran}");
    }
}

#[test]
fn the_version_is_that_of_the_crate() {
    mt_agent(&["--version"]).exits(0).says(&format!("mt-agent {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn without_a_terminal_apply_needs_yes() {
    // Only what every machine but a finished master target would have to change. An apply that has nothing to change records
    // whose host it was: not this machine's.
    let alone =
        "for dir in /var/lib /var/log; do mount -t tmpfs -o mode=755 none $dir; done; exec \"$0\" apply";
    let words = ["--mount", "--propagation", "private", "sh", "-c", alone, PROGRAM];
    run(&mut tool("unshare", &words)).holds("exit 2 with the advice, or nothing to change", |ran| match ran
        .code()
    {
        2 => ran.stderr().contains("no terminal to ask on: add --yes"),
        _ => ran.stdout().contains("nothing was changed"),
    });
}

#[test]
fn a_profile_of_the_host_that_cannot_be_used_hides_no_explanation() {
    let dir = tempfile::tempdir().unwrap();
    let profile = dir.path().join("etc/mt-agent/profile.yaml");
    std::fs::create_dir_all(profile.parent().unwrap()).unwrap();
    std::fs::write(&profile, "retention: [\n").unwrap();
    let (root, profile) = (dir.path().to_str().unwrap(), profile.to_str().unwrap());
    let explained = mt_agent(&["--root", root, "explain", "retention.mounted"]);
    explained
        .exits(0)
        .complains(profile)
        .complains("explained by the built-in profile centos-6.6")
        .holds("it is explained", |ran| ran.stdout().contains("/mnt/retention"));
    let named = mt_agent(&["--root", root, "--profile", profile, "explain", "retention.mounted"]);
    named.exits(2).says_nothing().complains(profile);
}
