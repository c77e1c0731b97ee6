//! Two runs at once: the second says who is at work, and `check` says that what it sees is still changing.

use std::fs;

use crate::agent::{NOBODY, PROGRAM, run, tool};

/// Runs `script`, to which `$AGENT` is the binary, with a /run of its own, in which the agent's lock is held as a run of it holds it: by a process that lives.
fn while_locked(script: &str) -> crate::agent::Ran {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("script");
    let whole = format!(
        "mount -t tmpfs tmpfs /run && exec 9<>/run/mt-agent.lock && echo \"pid $$, apply, since yesterday\" >&9 && \
         flock -n 9 && {script}"
    );
    fs::write(&file, whole).unwrap();
    let file = file.to_str().unwrap();
    run(tool("unshare", &["--mount", "--propagation", "private", "bash", file]).env("AGENT", PROGRAM))
}

#[test]
fn a_second_apply_says_who_holds_the_lock() {
    let ran = while_locked("exec \"$AGENT\" apply --yes");
    ran.exits(2)
        .says_nothing()
        .complains("another run is in progress (pid ")
        .complains(", apply, since yesterday): wait for it to end")
        .complains_in_one_line();
}

#[test]
fn check_and_plan_say_that_a_run_is_going_on() {
    for verb in ["check", "plan"] {
        let ran = while_locked(&format!("exec \"$AGENT\" {verb} --format json"));
        let notes = ran.json()["notes"].to_string();
        assert!(notes.contains("a run that changes this host is in progress (pid "), "{ran}");
        assert!(notes.contains(", apply, since yesterday"), "{ran}");
    }
}

#[test]
fn one_who_is_not_root_learns_of_the_run_and_cannot_hold_the_lock() {
    let ran = while_locked(&format!(
        "chmod 600 /run/mt-agent.lock && install -m 755 \"$AGENT\" /run/mt-agent && setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups -- \
         bash -c '! flock --shared /run/mt-agent.lock true 2>/dev/null && exec /run/mt-agent check --format json'"
    ));
    let notes = ran.json()["notes"].to_string();
    assert!(notes.contains("a run that changes this host is in progress (pid "), "{ran}");
}
