//! The installation of a collection, killed: the agent or rpm, at one of the calls by which either writes; the next run
//! finishes it, and the one after that changes nothing.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files of a test are not the host's")]

#[path = "support/samples.rs"]
mod samples;
mod support;

use std::collections::BTreeMap;
use std::process::Output;
use std::time::Duration;

use serde_json::Value;

use samples::samples;
use support::need_root;
use support::offline::{DATABASE, Site};

const CALLS: &str = "execve,fsync,fdatasync,syncfs,rename,renameat2,unlink,unlinkat,ftruncate,pwrite64";

const APPLY: &str = "$AGENT apply --yes --only packages --offline $OUT";

/// One run as strace runs it, to its end or not; strace waits for all that the agent started. The second one; what is
/// installed then; the third one.
fn runs(site: &Site, strace: &str) -> Output {
    let script = format!(
        "{DATABASE}strace -f -qq -e trace={CALLS} {strace} {APPLY} >/var/tmp/first 2>&1; echo $? >/var/tmp/status\n\
         {APPLY} >/var/tmp/second 2>&1 || exit 64\n\
         $AGENT history >/var/tmp/history || exit 65\n\
         rpm -qa --qf '%{{NAME}}\\n' | sort >/var/tmp/installed; rpm -Va >/var/tmp/verified || exit 66\n\
         exec {APPLY} --format json"
    );
    let world = site.machine("");
    let output = world.run(&script, &site.out());
    let told = ["status", "first", "second"].map(|name| world.left(&format!("/var/tmp/{name}")));
    assert_eq!(output.status.code(), Some(0), "{strace}: {output:?} {told:?}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["changed"], serde_json::json!([]), "{strace}");
    let all = ["a", "b", "base", "deep", "lib"].map(|name| format!("mt-agent-test-{name}\n")).concat();
    assert_eq!(world.left("/var/tmp/installed"), all, "{strace}: {told:?}");
    let status = told[0].trim().to_owned();
    Output {
        stdout: if strace.starts_with("-o /var") { world.left("/var/tmp/trace") } else { status }.into(),
        ..output
    }
}

#[test]
fn an_installation_that_is_killed_at_any_call_is_finished_by_the_next_run() {
    need_root();
    let site = Site::new();
    site.collected();
    let trace = String::from_utf8(runs(&site, "-o /var/tmp/trace").stdout).unwrap();
    // Each process has its own count: so strace counts them.
    let mut counts: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for line in trace.lines() {
        let Some((pid, call)) = line.split_once(' ') else { continue };
        let name = call.trim().split('(').next().unwrap_or_default();
        if CALLS.split(',').any(|call| call == name) {
            *counts.entry((pid, name)).or_default() += 1;
        }
    }
    let mut points = Vec::new();
    for name in CALLS.split(',') {
        let most = counts.iter().filter(|((_, call), _)| *call == name).map(|(_, count)| *count).max();
        points.extend((1..=most.unwrap_or_default()).map(|number| (name, number)));
    }
    assert!(points.len() > 20, "{counts:?}");
    // Every eighth point, and the ones between as far as there is time.
    let eighth = |first: usize| (first..points.len()).step_by(8);
    let floor = u64::try_from(eighth(0).count()).unwrap();
    let (mut killed, mut all) = (0, 0);
    for (point, _) in (0..8).flat_map(eighth).zip(samples(floor, Duration::from_secs(20))) {
        let (name, number) = points[point];
        let ended = runs(&site, &format!("-o /dev/null -e inject={name}:signal=KILL:when={number}"));
        all += 1;
        killed += usize::from(ended.stdout != b"0");
    }
    assert!(killed >= all * 8 / 10, "{killed} of {all} runs were killed");
}
