//! A FIFO, a socket, an endless device or a directory at each place where the agent expects a file: it ends by itself, and
//! says what lies there.

use crate::support::contains;
use crate::{PACK, said, world};

/// `try PLACE COMMAND...` runs the command with each kind of thing at the place. What waits for ever is killed, and shows.
const TRY: &str = r#"
try() {
    place=$1; shift
    mkdir -p "$(dirname "$place")"
    for kind in fifo socket zero directory; do
        rm -rf "$place"
        case $kind in
        fifo) mkfifo "$place" ;;
        socket) perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => shift, Listen => 1) or die' "$place" ;;
        zero) ln -s /dev/zero "$place" ;;
        directory) mkdir "$place" ;;
        esac
        timeout -k 5 600 "$@" >/var/tmp/out 2>&1
        echo "[$place $kind $? $(tr -s ' \n' ' ' </var/tmp/out)]"
    done
    rm -rf "$place"
}
"#;

/// What `try` found at `place`, by kind: the exit status, and what was said.
fn found<'a>(said: &'a str, place: &str) -> Vec<(&'a str, &'a str)> {
    ["fifo", "socket", "zero", "directory"]
        .map(|kind| {
            let head = format!("[{place} {kind} ");
            let rest = said.split_once(&head).unwrap_or_else(|| panic!("{head}: {said}")).1;
            rest.split_once(' ').unwrap()
        })
        .to_vec()
}

#[track_caller]
fn named(said: &str, place: &str, words: [&str; 4], status: &str) {
    for ((code, text), words) in found(said, place).into_iter().zip(words) {
        assert_eq!(code, status, "{place}: {text}");
        let text = text.split_once(" [/").map_or(text, |(text, _)| text);
        contains(text, &words.replace("PLACE", place));
    }
}

/// At a place of the agent's own: a link is not followed, and it is to be removed.
const OWN: [&str; 4] = [
    "PLACE is a FIFO, not a regular file: remove it",
    "PLACE is a socket, not a regular file: remove it",
    "PLACE is a symbolic link, not a regular file: remove it",
    "PLACE is a directory, not a regular file: remove it",
];

/// Where others put it.
const GIVEN: [&str; 4] = [
    "it is a FIFO, not a regular file",
    "it is a socket, not a regular file",
    "it is a character device, not a regular file",
    "it is a directory, not a regular file",
];

/// In the place of a record that is believed: a link is not followed.
const RECORD: [&str; 4] = [
    "it is a FIFO, not a regular file",
    "it is a socket, not a regular file",
    "PLACE is a symbolic link, not a regular file",
    "it is a directory, not a regular file",
];

#[test]
fn apply_ends_by_itself_whatever_lies_at_its_own_places_and_holds_no_lock_then() {
    let world = world("custom-changes: {archive: /var/agent.tar.gz}\n");
    let script = r#"
        pack /var/agent.tar.gz
        for place in /var/log/mt-agent.log /var/lib/mt-agent/journal.jsonl /var/run/mt-agent.lock; do
            try $place $AGENT apply --yes --only custom-changes.applied
        done
        for name in resume custom-changes; do
            try /var/lib/mt-agent/$name.json $AGENT apply --yes --only custom-changes.applied
        done
        test -e /var/tmp/ran && echo RAN
        $AGENT apply --yes --only custom-changes.applied >/dev/null 2>&1
        cat /var/tmp/ran"#;
    let output = world.run(&format!("{PACK}{TRY}{script}"), &[]);
    let said = said(&output);
    for place in ["/var/log/mt-agent.log", "/var/run/mt-agent.lock"] {
        named(&said, place, OWN, "2");
    }
    // It may tell of a run of the script.
    named(&said, "/var/lib/mt-agent/journal.jsonl", RECORD, "1");
    named(&said, "/var/lib/mt-agent/resume.json", RECORD, "2");
    // Without its record nobody knows whether the script has run.
    named(&said, "/var/lib/mt-agent/custom-changes.json", RECORD, "1");
    assert!(!said.contains("RAN"), "{said}");
    assert_eq!(world.left("/var/tmp/ran"), "ran\n", "{said}");
}

#[test]
fn looking_ends_by_itself_whatever_is_given_to_it() {
    let world = world("custom-changes: {archive: /var/agent.tar.gz}\n");
    let script = r#"
        try /var/p.yaml $AGENT check --profile /var/p.yaml
        try /var/base.yaml sh -c 'echo "extends: base.yaml" >/var/q.yaml; exec $AGENT plan --profile /var/q.yaml'
        try /var/facts.json $AGENT check --facts /var/facts.json
        try /var/hash $AGENT kickstart --root-hash-file /var/hash --hostname x
        try /var/coll/manifest.json $AGENT plan --offline /var/coll
        try /etc/mt-agent/profile.yaml $AGENT apply --yes
        try /var/lib/mt-agent/retention.json $AGENT state -q
        try /var/lib/mt-agent/journal.jsonl $AGENT history"#;
    let said = said(&world.run(&format!("{TRY}{script}"), &[]));
    for place in
        ["/var/p.yaml", "/var/base.yaml", "/var/facts.json", "/var/hash", "/etc/mt-agent/profile.yaml"]
    {
        named(&said, place, GIVEN, "2");
    }
    named(&said, "/var/lib/mt-agent/journal.jsonl", RECORD, "2");
    named(&said, "/var/lib/mt-agent/retention.json", RECORD, "1");
    let manifest = ["it is a FIFO", "it is a socket", "is a symbolic link", "it is a directory"];
    named(&said, "/var/coll/manifest.json", manifest, "2");
}

#[test]
fn a_file_of_the_host_that_is_none_is_unknown_and_says_so() {
    let world = world("");
    let script = r#"
        try /etc/hosts $AGENT check -v --only network.hosts-file
        try /etc/fstab $AGENT check -v --only layout.swap
        try /var/log/appliedmtcustomchanges.log $AGENT facts
        try /etc/multipath.conf $AGENT facts"#;
    let said = said(&world.run(&format!("{TRY}{script}"), &[]));
    named(&said, "/etc/hosts", GIVEN, "1");
    named(&said, "/etc/fstab", GIVEN, "1");
    named(&said, "/var/log/appliedmtcustomchanges.log", GIVEN, "0");
    named(&said, "/etc/multipath.conf", GIVEN, "0");
}

/// A tool that does not answer, while the lock is held and before anything is changed.
#[test]
fn sigterm_ends_an_apply_that_waits_and_frees_the_lock() {
    let world = world("custom-changes: {archive: /var/agent.tar.gz}\n");
    world.tool("rpm", "echo $$ >/var/tmp/rpm; exec sleep 600");
    let script = r#"
        pack /var/agent.tar.gz
        $AGENT apply --yes --only custom-changes.applied >/dev/null 2>/var/tmp/said &
        agent=$!
        until test -s /var/tmp/rpm && test -s /var/run/mt-agent.lock; do sleep 0.05; done
        begun=$(date +%s)
        kill -TERM $agent; wait $agent; echo "STATUS $?"
        test $(($(date +%s) - begun)) -lt 300 && echo SOON
        flock -n /var/run/mt-agent.lock true && echo FREE
        kill "$(cat /var/tmp/rpm)" 2>/dev/null
        cat /var/tmp/said
        test -e /var/lib/mt-agent/journal.jsonl || echo UNTOUCHED"#;
    let said = said(&world.run(&format!("{PACK}{script}"), &[]));
    let expected = "STATUS 143 SOON FREE mt-agent: ended by SIGTERM: nothing was changed UNTOUCHED";
    // The shell may add that it was terminated.
    assert!(said.starts_with(expected), "{said}");
}
