//! The real binary where it takes something from others: refused in one line with the command that puts it right, which is
//! then carried out and does.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use mt_agent::changes::archive::{Archive, Limits};

use crate::support::{contains, need_root, tool};
use crate::{PACK, said, world};

/// Shell functions: `cure` prints the first command that $1 names between backquotes.
const CURE: &str = r#"cure() { printf '%s\n' "$1" | sed -n 's/[^`]*`\([^`]*\)`.*/\1/p' | head -n 1; }
"#;

/// Of the JSON plan in /var/tmp/plan, what a person is told to do for the vendor's script.
const FIX: &str = r#"fix() {
    $AGENT plan --only custom-changes.applied --format json >/var/tmp/plan
    perl -MJSON::PP -0777 -ne 'for (@{decode_json($_)->{manual}}) { print $_->{fix} if $_->{id} eq "custom-changes.applied" }' /var/tmp/plan
}
"#;

#[test]
fn an_archive_that_others_can_write_is_not_run_until_the_command_was_carried_out() {
    let world = world("custom-changes: {archive: /var/up/here/agent.tar.gz}\n");
    let script = r#"
        set -e
        pack /var/up/here/agent.tar.gz
        chmod 777 /var/up
        chmod 666 /var/up/here/agent.tar.gz
        told=$(fix)
        echo "TOLD $told"
        sha256sum </var/up/here/agent.tar.gz | cut -c1-64
        $AGENT apply --yes --only custom-changes.applied || echo "STATUS $?"
        test ! -e /var/tmp/ran
        sh -ec "$(cure "$told")"
        test -z "$(fix)"
        $AGENT apply --yes --only custom-changes.applied || echo "STATUS $?"
        cat /var/tmp/ran"#;
    let output = world.run(&format!("{PACK}{CURE}{FIX}{script}"), &[]);
    let said = said(&output);
    assert!(output.status.success(), "{said}");
    let told = "TOLD before mt-agent apply can run the script: /var/up/here/agent.tar.gz: users other than root can write \
                /var/up (owner 0, group 0, mode 0777), /var/up/here/agent.tar.gz (owner 0, group 0, mode 0666): run \
                `chmod go-w /var/up /var/up/here/agent.tar.gz`, or pin it in the profile \
                (`custom-changes.sha256: ";
    let sum = said.split_once(told).unwrap_or_else(|| panic!("{said}")).1;
    let (pinned, rest) = sum.split_at(64);
    contains(rest, &format!("`) {pinned} "));
    contains(&said, "STATUS 1");
    assert_eq!(world.left("/var/tmp/ran"), "ran\n", "{said}");
}

#[test]
fn a_pinned_archive_may_be_anybody_s() {
    let world = world("custom-changes: {archive: /var/up/agent.tar.gz, sha256: SUM}\n");
    let script = r#"
        set -e
        pack /var/up/agent.tar.gz
        sed -i "s/SUM/$(sha256sum </var/up/agent.tar.gz | cut -c1-64)/" /etc/mt-agent/profile.yaml
        chown -R 65534:65534 /var/up && chmod -R a+w /var/up
        $AGENT apply --yes --only custom-changes.applied || test $? != 2
        echo more >>/var/up/agent.tar.gz
        rm /etc/.appliedmtcustomchanges /var/lib/mt-agent/custom-changes.json /var/lib/mt-agent/journal.jsonl
        $AGENT apply --yes --only custom-changes.applied || echo "STATUS $?""#;
    let output = world.run(&format!("{PACK}{script}"), &[]);
    let said = said(&output);
    assert!(output.status.success(), "{said}");
    contains(&said, "but the profile names");
    contains(&said, "STATUS 2");
    assert_eq!(world.left("/var/tmp/ran"), "ran\n", "{said}");
}

/// The plan may be older than what lies there when it is carried out.
#[test]
fn the_archive_is_looked_at_again_when_it_is_used() {
    need_root();
    let dir = tempfile::tempdir().unwrap();
    let (script, path) = (dir.path().join("ApplyCustomChanges.sh"), dir.path().join("agent.tar.gz"));
    fs::write(&script, "#!/bin/bash\n").unwrap();
    let (at, to) = (dir.path().to_str().unwrap(), path.to_str().unwrap());
    tool("tar", &["-C", at, "-czf", to, "ApplyCustomChanges.sh"]);
    let open = |pinned: Option<&str>| {
        Archive::open(&path, pinned, &Limits::default()).map_err(|error| format!("{error:#}"))
    };
    let sum = open(None).unwrap().sha256().to_owned();
    fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    let told = open(None).err().unwrap();
    contains(
        &told,
        &format!("run `chmod go-w {to}`, or pin it in the profile (`custom-changes.sha256: {sum}`)"),
    );
    open(Some(&sum)).unwrap();
}

#[test]
fn a_collection_that_others_can_write_is_refused_with_each_of_its_files() {
    let world = world("");
    world.file("/var/coll/manifest.json", "{}");
    let script = r#"
        plan() { $AGENT plan --offline /var/coll 2>&1; echo "STATUS $?"; }
        chmod 777 /var/coll; told=$(plan); echo "$told"; sh -ec "$(cure "$told")"
        chmod 666 /var/coll/manifest.json; told=$(plan); echo "$told"; sh -ec "$(cure "$told")"
        plan"#;
    let said = said(&world.run(&format!("{CURE}{script}"), &[]));
    contains(
        &said,
        "mt-agent: --offline /var/coll: /var/coll: users other than root can write /var/coll (owner 0, group 0, mode 0777): run \
         `chmod go-w /var/coll` STATUS 2",
    );
    contains(&said, "mode 0666): run `chmod go-w /var/coll/manifest.json` STATUS 2");
    contains(&said, "it is no manifest");
}

#[test]
fn a_package_file_and_a_ca_file_that_others_can_write_are_refused() {
    let file = "{package: kmod-x, file: kmod-x-1-1.el6.x86_64.rpm";
    let files = |more: &str, file_s: &str| {
        format!(
            "sources: {{reiserfs: true}}\nfiles: {{directory: /var/kept, {more}, reiserfs: [{file}{file_s}}}]}}\n"
        )
    };
    let run = |profile: &str, script: &str| {
        let world = world(profile);
        world.file("/var/from/kmod-x-1-1.el6.x86_64.rpm", "no rpm");
        world.file("/var/ca.pem", "no certificate");
        let apply = "apply() { $AGENT apply --yes --only packages.reiserfs 2>&1; echo \"STATUS $?\"; }\n";
        said(&world.run(&format!("{CURE}{apply}{script}"), &[]))
    };
    let sum = "9fa84b5eb3dc0a2b04ea0f5d1d5ea4d10ac10e0be6be1ef1fc4f2ed4e3b9b5d7";
    let said = run(
        &files("from: /var/from, unverified: install-without-verification", ", urls: []"),
        "{ printf '\\355\\253\\356\\333'; head -c 92 /dev/zero; printf '\\216\\255\\350'; } >/var/from/kmod-x-1-1.el6.x86_64.rpm\n\
         chmod 777 /var/from; told=$(apply); echo \"$told\"; sh -ec \"$(cure \"$told\")\"; apply",
    );
    contains(
        &said,
        "users other than root can write /var/from (owner 0, group 0, mode 0777): run `chmod go-w /var/from`, or pin it",
    );
    contains(&said, "/var/from: rpm ");
    let said =
        run(&files("from: /var/from", &format!(", urls: [], sha256: {sum}")), "chmod 777 /var/from; apply");
    contains(&said, "but the profile pins");
    let said = run(
        &files("ca-file: /var/ca.pem", ", urls: ['https://127.0.0.1:9/x']"),
        "chmod 666 /var/ca.pem; told=$(apply); echo \"$told\"; sh -ec \"$(cure \"$told\")\"; apply",
    );
    contains(
        &said,
        "users other than root can write /var/ca.pem (owner 0, group 0, mode 0666): run `chmod go-w /var/ca.pem`",
    );
    contains(&said, "holds no certificate");
}

#[test]
fn hooks_of_a_directory_that_others_can_write_are_not_even_looked_at() {
    let world = world("");
    world.file("/etc/mt-agent/seal.d/10-x", "#!/bin/sh\n");
    let script = r#"
        seal() { $AGENT seal --dry-run 2>&1; echo "STATUS $?"; }
        chmod 755 /etc/mt-agent/seal.d/10-x
        chown 65534 /etc/mt-agent/seal.d/10-x /etc/mt-agent/seal.d; chmod 777 /etc/mt-agent/seal.d
        for time in 1 2; do told=$(seal); echo "$told"; sh -ec "$(cure "$told")"; done
        told=$(seal); echo "$told" | tail -n 1; echo "$told" | grep -c 'run /etc/mt-agent/seal.d/10-x'"#;
    let output = world.run(&format!("{CURE}{script}"), &[]);
    let said = said(&output);
    contains(&said, "run `chown root:root /etc/mt-agent/seal.d && chmod go-w /etc/mt-agent/seal.d` STATUS 2");
    contains(&said, "run `chown root:root /etc/mt-agent/seal.d/10-x` STATUS 2");
    assert!(said.ends_with("STATUS 1 1"), "{said}");
}

#[test]
fn records_that_others_can_write_prove_nothing() {
    let world = world("custom-changes: {archive: /var/agent.tar.gz}\n");
    let script = r#"
        pack /var/agent.tar.gz
        mkdir -m 700 /var/lib/mt-agent
        echo '{"schema":"mt-agent/custom-changes/v1","archive_sha256":"a","boot_id":"b","started_at":"2026-01-01T00:00:00Z","outcome":"accepted"}' \
            >/var/lib/mt-agent/custom-changes.json
        echo '{}' >/var/lib/mt-agent/resume.json
        : >/var/lib/mt-agent/journal.jsonl
        chown 65534 /var/lib/mt-agent/*
        check() { $AGENT check --only custom-changes.applied -v 2>&1; }
        check
        $AGENT apply --yes --only custom-changes 2>&1; echo "APPLY $?"
        $AGENT history 2>&1; echo "HISTORY $?"
        rm /var/lib/mt-agent/*; chmod 777 /var/lib/mt-agent
        echo AGAIN; check
        $AGENT apply --yes --only custom-changes 2>&1; echo "APPLY $?"
        test -e /var/tmp/ran && echo RAN
        chmod 700 /var/lib/mt-agent
        $AGENT apply --yes --only custom-changes >/dev/null 2>&1; test -e /var/tmp/ran && echo RAN NOW"#;
    let said = said(&world.run(&format!("{PACK}{script}"), &[]));
    let (first, again) = said.split_once("AGAIN").unwrap();
    contains(first, "run `chown root:root /var/lib/mt-agent/custom-changes.json`");
    contains(
        first,
        "/var/lib/mt-agent/resume.json: users other than root can write /var/lib/mt-agent/resume.json (owner 65534",
    );
    contains(first, "run `chown root:root /var/lib/mt-agent/resume.json` APPLY 2");
    contains(first, "run `chown root:root /var/lib/mt-agent/journal.jsonl` HISTORY 2");
    contains(again, "unknown custom-changes.applied");
    contains(again, "run `chmod go-w /var/lib/mt-agent`");
    contains(again, "APPLY 2");
    assert!(again.ends_with("RAN NOW") && !again.contains("RAN RAN"), "{again}");
}

#[test]
fn a_profile_of_root_s_in_tmp_is_good_and_what_changes_takes_no_unsafe_one() {
    let world = world("");
    let file = tempfile::Builder::new().prefix("it's a ").suffix(".yaml").tempfile_in("/tmp").unwrap();
    fs::write(file.path(), "extends: centos-6.6\n").unwrap();
    fs::set_permissions(file.path(), Permissions::from_mode(0o644)).unwrap();
    let script = r#"
        $AGENT profile check "$P"; echo "GOOD $?"
        $AGENT check --profile "$P" >/dev/null; echo "CHECK $?"
        chown 65534 "$P"
        told=$($AGENT check --profile "$P" 2>&1); echo "$told; REFUSED $?"
        $AGENT check --profile "$P" --allow-unsafe-profile >/dev/null; echo "CHECK $?"
        for verb in apply seal; do $AGENT $verb --yes --profile "$P" --allow-unsafe-profile; echo "CHANGE $?"; done
        sh -ec "$(cure "$told")"
        $AGENT profile check "$P"; echo "GOOD $?""#;
    let path = file.path().to_str().unwrap();
    let quoted = format!("'{}'", path.replace('\'', r"'\''"));
    let said = said(&world.run(&format!("{CURE}{script}"), &[("P", path)]));
    assert_eq!(said.matches("GOOD 0").count(), 2, "{said}");
    assert_eq!(said.matches("CHECK 1").count(), 2, "{said}");
    contains(&said, &format!("mode 0644): run `chown root:root {quoted}`, or pass --allow-unsafe-profile"));
    assert_eq!(said.matches("CHANGE 2").count(), 2, "{said}");
    assert_eq!(
        said.matches("--allow-unsafe-profile is for verbs that change nothing: ").count(),
        2,
        "{said}"
    );
}
