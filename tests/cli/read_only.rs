//! The verbs that only look change nothing, ask little, and say so on this very machine.

use std::time::{Duration, Instant};

use crate::agent::{PROGRAM, Ran, as_nobody, as_nobody_where, mt_agent, run, tool};

/// The verbs that only look, each as one may run it.
const LOOKING: [&[&str]; 14] = [
    &["check"],
    &["check", "--format", "json"],
    &["plan"],
    &["disks"],
    &["disks", "--probe"],
    &["facts"],
    &["explain"],
    &["history"],
    &["history", "--pending"],
    &["state"],
    &["state", "repair", "--dry-run"],
    &["check", "--stage", "image"],
    // Of a system that it covers, which this machine need not be.
    &[
        "seal",
        "--dry-run",
        "--root",
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios/centos-6.6-ready/host"),
    ],
    &["seal", "--list"],
];

/// As the others, with a profile that says all that a kickstart needs.
#[test]
fn a_kickstart_is_printed_and_nothing_else_is_written() {
    let work = tempfile::tempdir().unwrap();
    let (profile, hash) = (work.path().join("p.yaml"), work.path().join("hash"));
    std::fs::write(&profile, "extends: centos-6.6\nos: {timezone: UTC}\ninstallation: {network: dhcp}\n")
        .unwrap();
    std::fs::write(&hash, format!("$1$salt${}", "a".repeat(22))).unwrap();
    let (profile, hash) = (profile.to_str().unwrap(), hash.to_str().unwrap());
    let args = [
        "kickstart",
        "--allow-unsafe-profile",
        "--profile",
        profile,
        "--root-hash-file",
        hash,
        "--hostname=x",
    ];
    let (ran, calls) = traced(&args, CALLS);
    ran.exits(0).says("clearpart --all --initlabel --drives=sda\n");
    for call in &calls {
        assert!(looks(call), "it did more than look: {call}");
    }
    // Nor does any argument that the kernel shows to others hold the hash.
    assert!(calls.iter().all(|call| !call.contains("$1$salt")), "{calls:#?}");
}

/// Runs the binary under strace; answers its calls (of all its threads and processes), one a line, without the
/// process ids.
fn traced(args: &[&str], wanted: &str) -> (Ran, Vec<String>) {
    let log = tempfile::NamedTempFile::new().unwrap();
    let path = log.path().to_str().unwrap();
    let before =
        ["-f", "-qq", "-y", "-s", "200", "-e", "signal=none", "-o", path, "-e", wanted, "--", PROGRAM];
    let ran = run(&mut tool("strace", &[before.as_slice(), args].concat()));
    let calls = calls(path);
    assert!(!calls.is_empty(), "strace saw nothing\n{ran}");
    (ran, calls)
}

/// The calls in a trace, without the process ids.
fn calls(path: &str) -> Vec<String> {
    let without = |line: &str| line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ').to_owned();
    std::fs::read_to_string(path).unwrap().lines().map(without).collect()
}

/// Whether an open asks for more than reading.
fn writes(call: &str) -> bool {
    ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND", "O_TMPFILE"]
        .iter()
        .any(|flag| call.contains(flag))
}

/// What is nobody's data.
fn harmless(call: &str) -> bool {
    ["\"/dev/null\"", "\"/dev/tty\""].iter().any(|path| call.contains(path))
}

/// Whether `call` only looks.
fn looks(call: &str) -> bool {
    match call.split('(').next().unwrap_or_default() {
        "open" | "openat" | "openat2" => !writes(call) || harmless(call),
        "execve" | "access" | "faccessat" | "faccessat2" | "readlink" | "readlinkat" | "stat" | "lstat"
        | "newfstatat" | "statx" | "statfs" | "getcwd" | "chdir" => true,
        "getxattr" | "lgetxattr" | "listxattr" | "llistxattr" => true,
        // What strace prints of a thread that was killed at the entry of a call, as by another's exit_group: the
        // kernel did not carry it out.
        "???" => call == "???( <unfinished ...>",
        // strace prints the end of a call that another thread interrupted on a line of its own.
        resumed => resumed.starts_with("<...") || resumed.starts_with("+++"),
    }
}

/// All calls that take a path, and those that alter what a descriptor stands for.
const CALLS: &str =
    "trace=%file,truncate,ftruncate,fallocate,fchmod,fchown,mount,umount2,reboot,fsync,fdatasync,sync";

#[test]
fn verbs_that_look_open_nothing_for_writing_and_alter_no_name() {
    let disks = mt_agent(&["disks", "--format", "json"]).json();
    let named: Vec<_> =
        disks["disks"].as_array().unwrap().iter().filter_map(|disk| disk["name"].as_str()).collect();
    let probe = [["disks", "--probe"].as_slice(), &named].concat();
    // The last one may be refused by the system's name.
    for args in LOOKING.into_iter().chain([probe.as_slice(), &["seal", "--dry-run"]]) {
        let (ran, calls) = traced(args, CALLS);
        assert!(ran.code() < 2 || ran.stderr().contains(": seal covers release 6 of "), "{ran}");
        assert!(calls.iter().any(|call| call.starts_with("open")), "no open in the trace of {args:?}");
        for call in &calls {
            assert!(looks(call), "{args:?} did more than look: {call}");
        }
    }
}

#[test]
fn the_trace_would_see_a_change() {
    let dir = tempfile::tempdir().unwrap();
    for script in
        ["echo >file", "echo >>file", "mkdir dir", "mv file other", "rm other", "ln -s x link", "chmod 700 ."]
    {
        let log = tempfile::NamedTempFile::new().unwrap();
        let path = log.path().to_str().unwrap();
        let args = ["-f", "-qq", "-o", path, "-e", CALLS, "--", "sh", "-c", script];
        run(tool("strace", &args).current_dir(dir.path())).exits(0);
        let calls = calls(path);
        assert!(calls.iter().any(|call| !looks(call)), "{script}: {calls:#?}");
    }
}

#[test]
fn disks_are_asked_nothing_but_what_they_are() {
    for args in [["disks", "--probe"].as_slice(), &["plan"]] {
        let (_, calls) = traced(args, "trace=ioctl");
        for call in calls.iter().filter(|call| call.contains("</dev/")) {
            let asks = [
                "BLKGETSIZE64",
                "BLKROGET",
                "BLKSSZGET",
                "BLKPBSZGET",
                "BLKDISCARDZEROES",
                "LOOP_GET_STATUS64",
                "SG_IO",
                "TCGETS",
                "TIOCGWINSZ",
                "CDROM",
            ];
            assert!(asks.iter().any(|ask| call.contains(ask)), "{args:?}: {call}");
            // 0x12 is INQUIRY; strace shows the command block's first byte.
            assert!(!call.contains("SG_IO") || call.contains("cmdp=\"\\x12"), "{args:?}: {call}");
        }
    }
}

#[test]
fn check_starts_at_most_three_processes() {
    let (ran, calls) = traced(&["check"], "trace=execve");
    let started: Vec<_> =
        calls.iter().filter(|call| call.starts_with("execve") && call.ends_with("= 0")).collect();
    // The first is the agent itself.
    assert!((1..=4).contains(&started.len()), "{started:?}\n{ran}");
}

#[test]
fn check_on_this_machine_is_honest_and_quick() {
    let timed = || {
        let since = Instant::now();
        (mt_agent(&["check"]).exits(1), since.elapsed())
    };
    // What waits for a deadline of its own takes 5 s each time; on a busy machine some runs may by themselves.
    let mut runs = (0..20).map(|_| timed());
    let quick = runs.find(|(_, took)| *took < Duration::from_secs(5));
    let (ran, _) = quick.expect("each of 20 runs takes 5 s");
    let last = ran.stdout().trim_end().lines().last().unwrap_or_default().to_owned();
    assert!(last.starts_with("not ready: ") && last.contains(" required unmet"), "{ran}");
    assert!(!ran.stdout().contains("\nready"), "{ran}");
}

#[test]
fn who_is_not_root_is_told_what_could_not_be_seen() {
    let ran = as_nobody(&["check"]).exits(1);
    ran.says("note: not run as root: what only root can read is unknown");
    let waits = "not run as root: cannot determine whether an apply waits for a restart";
    assert!(
        !as_nobody_where("mount -t tmpfs -o mode=0755 none /var/lib", &["check"]).stdout().contains(waits)
    );
    for args in [["check", "--format=json"], ["plan", "--format=json"]] {
        as_nobody_where("mount -t tmpfs -o mode=0700 none /var/lib", &args).says(waits);
    }
}
