use std::thread;

use nix::sys::signal::Signal;

use super::super::running::LINGER;
use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// For what has to come: no machine is so slow, or so busy.
const AMPLE: Duration = Duration::from_secs(300);

fn sh(script: &str, deadline: Duration) -> Command {
    Command::new("sh", ["-c", script], deadline)
}

#[test]
fn streams_status_and_lines_are_kept_apart() {
    let mut seen = Vec::new();
    let output = sh("cat; printf 'a\nb'; echo oops >&2; exit 3", AMPLE)
        .stdin("in\n")
        .run_watched(&Host::live(), &mut |line| seen.push(line.to_owned()))
        .unwrap();
    assert_eq!((output.status, output.stdout.as_slice()), (3, b"in\na\nb".as_slice()));
    assert_eq!(output.message(), "oops");
    seen.sort();
    assert_eq!(seen, ["a", "b", "in", "oops"]);
}

#[test]
fn a_command_that_has_ended_is_not_waited_for_any_longer() {
    let at_once = || {
        let started = Instant::now();
        sh("exit 0", AMPLE).run(&Host::live()).unwrap();
        started.elapsed() < LINGER
    };
    // On a busy machine one may take that long by itself.
    assert!((0..20).any(|_| at_once()), "it takes {LINGER:?} each time");
}

#[test]
fn what_prints_faster_than_it_is_listened_to_is_held_up() {
    let most_kib = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap().to_owned();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let before = most_kib();
    let mut slow = |_: &str| thread::sleep(Duration::from_micros(100));
    let failure = sh("exec yes", 3 * SECOND).run_watched(&Host::live(), &mut slow).unwrap_err();
    assert!(matches!(failure, Failure::Deadline { .. }), "{failure}");
    let grown = most_kib() - before;
    assert!(grown < 128 << 10, "{grown} KiB more");
}

#[test]
fn a_hanging_command_is_stopped_with_its_descendants() {
    let started = Instant::now();
    let failure = sh("echo begun; sleep 600 & sleep 600", 5 * SECOND).run(&Host::live()).unwrap_err();
    assert!(matches!(&failure, Failure::Deadline { message, .. } if message == "begun"), "{failure}");
    assert!(started.elapsed() < AMPLE);
}

#[test]
fn a_command_begins_with_no_signal_held_back() {
    let output = thread::spawn(|| {
        let mut set = nix::sys::signal::SigSet::empty();
        set.add(Signal::SIGTERM);
        set.thread_block().unwrap();
        sh("grep SigBlk /proc/self/status", AMPLE).read(&Host::live()).unwrap()
    });
    assert_eq!(output.join().unwrap(), "SigBlk:\t0000000000000000\n");
}

#[test]
fn a_copy_of_this_process_starts_none() {
    // What waits for a command registers for SIGCHLD (signal-hook): where another thread was in its handler, or registered
    // too, when the copy was made, that never ends there. One check in 400 was late by that.
    let copy = apart::apart("starting it", Duration::from_secs(60), &[], || {
        sh("true", Duration::from_secs(60)).run(&Host::live()).map(drop).map_err(|error| error.to_string())
    });
    let why = copy.unwrap().unwrap_err();
    assert!(why.ends_with("could not be started: a copy of this process starts no command"), "{why}");
}

#[test]
fn a_daemon_that_keeps_the_output_open_is_not_waited_for() {
    let started = Instant::now();
    let output = sh("sleep 200 & echo done", AMPLE).run(&Host::live()).unwrap();
    assert_eq!(output.stdout, b"done\n");
    assert!(started.elapsed() < 150 * SECOND);
}

#[test]
fn failures_are_told_apart_and_can_be_pasted() {
    let host = Host::live();
    let missing = Command::new("no-such-tool", ["x"], AMPLE).run(&host).unwrap_err();
    assert!(matches!(missing, Failure::Missing { .. }), "{missing}");
    let refused = Command::new("/etc/passwd", ["x"], AMPLE).run(&host).unwrap_err();
    assert_eq!(
        format!("{:#}", anyhow::Error::from(refused)),
        "`/etc/passwd x` could not be started: Permission denied (os error 13)"
    );
    let status = sh("echo it\\'s bad >&2; exit 7", AMPLE).read(&host).unwrap_err();
    assert_eq!(status.to_string(), r"`sh -c 'echo it\'\''s bad >&2; exit 7'` ended with status 7: it's bad");
    assert!(matches!(sh("kill -9 $$", AMPLE).run(&host).unwrap_err(), Failure::Signal { signal: 9, .. }));
    assert!(matches!(sh("printf '\\377'", AMPLE).read(&host).unwrap_err(), Failure::Undecodable { .. }));
    let long = sh("head -c 9000000 /dev/zero", AMPLE).read(&host).unwrap_err();
    assert!(matches!(long, Failure::TooLong { .. }), "{long}");
}

#[test]
fn an_argument_is_shown_unless_it_was_given_as_a_secret() {
    let command = sh("echo \"$1\" >&2; exit 3", AMPLE).secret("name").secret("Hidden");
    assert!(!format!("{command:?}").contains("Hidden"));
    assert_eq!(command.run(&Host::live()).unwrap().message(), "Hidden", "it was given");
    let message = command.read(&Host::live()).unwrap_err().to_string();
    assert!(
        message.starts_with(r#"`sh -c 'echo "$1" >&2; exit 3' *** ***` ended with status 3"#),
        "{message}"
    );
    // What looks like one and is none stays: which is one is known.
    let plain = Command::new("cp", ["-P", "/a/token:x", "b"], AMPLE);
    assert_eq!(plain.line(), "cp -P /a/token:x b");
}

#[test]
fn a_secret_below_its_name_is_not_seen_either() {
    let mut seen = Vec::new();
    let script =
        "echo Password:; echo '  Hidden one'; echo done; echo -----BEGIN RSA PRIVATE KEY-----; echo Hidden";
    let output = sh(&format!("{script}; exit 1"), AMPLE)
        .run_watched(&Host::live(), &mut |line| seen.push(line.to_owned()))
        .unwrap();
    assert_eq!(seen, ["Password:", "  ***", "done", "-----BEGIN RSA PRIVATE KEY-----", "***"]);
    assert_eq!(output.message(), "done; -----BEGIN RSA PRIVATE KEY-----; ***");
    let long = sh("echo password: Hidden | head -c 100; yes x | head -n 50000; echo last", AMPLE);
    assert_eq!(long.run(&Host::live()).unwrap().message(), "x; x; last");
}

#[test]
fn nothing_from_an_image_is_run() {
    let failure = Command::new("sh", ["-c", "true"], SECOND).run(&Host::image("/")).unwrap_err();
    assert!(matches!(failure, Failure::Missing { .. }));
}

#[test]
fn a_command_that_is_held_begins_when_it_may_and_never_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let began = dir.path().join("began");
    let command = sh("echo \"$$ $1\"; cat; touch began", AMPLE).dir(dir.path()).stdin("Y\n");
    let mut seen = None;
    let output = command
        .run_held(&Host::live(), &mut |_| {}, &mut |pid| {
            thread::sleep(Duration::from_millis(300));
            assert!(!began.exists());
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
            let group = stat.rsplit(')').next().unwrap().split_whitespace().nth(2).unwrap().to_owned();
            seen = Some((pid, group));
            Ok(())
        })
        .unwrap();
    let (pid, group) = seen.unwrap();
    assert_eq!(group, pid.to_string(), "it leads a group of its own");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{pid} \nY\n"), "it is the same process");
    assert!(began.exists());

    std::fs::remove_file(&began).unwrap();
    let mut refused = 0;
    let failure = command
        .run_held(&Host::live(), &mut |_| {}, &mut |pid| {
            refused = pid;
            Err(anyhow::anyhow!("the disk is full"))
        })
        .unwrap_err();
    assert!(failure.to_string().ends_with("could not be started: the disk is full"), "{failure}");
    assert!(!began.exists() && !Path::new(&format!("/proc/{refused}")).exists());
}

#[test]
fn nothing_on_standard_input_is_its_end_and_no_file() {
    let output = sh("readlink /proc/self/fd/0; wc -c", AMPLE).read(&Host::live()).unwrap();
    assert!(output.starts_with("pipe:[") && output.ends_with("\n0\n"), "{output}");
}

/// A command that prints, and ends only when it has printed all.
const STUBBORN: &str = "trap '' TERM; echo begun; i=0; while [ $i -lt 60 ]; do head -c 5000 /dev/zero | tr '\\0' x; echo; \
     sleep 0.05; i=$((i + 1)); done && echo done >";

/// A variable that says where the copy of the tests leaves what its command leaves.
const LEFT: &str = "MT_AGENT_TEST_LEFT";

#[test]
fn a_transaction_that_does_not_end_goes_on_and_is_read_when_we_have_ended() {
    if let Some(left) = std::env::var_os(LEFT) {
        let mut command = sh(&format!("{STUBBORN} {}", Path::new(&left).display()), SECOND).transaction();
        command.grace = SECOND;
        let failure = command.run(&Host::live()).unwrap_err();
        let Failure::Deadline { became: Became::GoesOn(pid), message, .. } = &failure else {
            panic!("{failure}")
        };
        assert!(Path::new(&format!("/proc/{pid}")).exists());
        assert!(message.ends_with('x'), "{message}");
        let goes_on = format!(
            "and keeps running as process {pid}, which was asked to end and is not killed in the middle"
        );
        assert!(failure.to_string().contains(&goes_on), "{failure}");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let left = dir.path().join("left");
    let name = "host::command::tests::a_transaction_that_does_not_end_goes_on_and_is_read_when_we_have_ended";
    let copy =
        duct::cmd!(std::env::current_exe().unwrap(), "--exact", name, "--test-threads=1").env(LEFT, &left);
    copy.stdout_null().run().unwrap();
    assert!(!left.exists(), "it had not ended when we had");
    let since = Instant::now();
    while !left.exists() {
        assert!(since.elapsed() < AMPLE, "what it wrote afterwards has ended it");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn at_its_deadline_a_command_is_asked_to_end_before_it_is_ended() {
    let asked = "trap 'echo asked >&2; exit 0' TERM; while :; do sleep 0.1; done";
    let failure = sh(asked, SECOND).run(&Host::live()).unwrap_err();
    let Failure::Deadline { became: Became::Stopped, message, .. } = &failure else { panic!("{failure}") };
    assert!(message.ends_with("asked"), "{message}");
    let started = Instant::now();
    let failure = sh("trap '' TERM; while :; do sleep 0.1; done", SECOND).run(&Host::live()).unwrap_err();
    assert!(matches!(failure, Failure::Deadline { became: Became::Stopped, .. }), "{failure}");
    assert!(started.elapsed() < AMPLE);
}

#[test]
fn what_a_transaction_runs_is_not_ended_in_the_middle() {
    // As rpm: it ends when the scriptlet that it runs has ended.
    let script = "trap 'asked=1' TERM; sh -c 'sleep 3; echo scriptlet done' & child=$!; \
         while kill -0 $child 2>/dev/null; do wait $child; done; exit 0";
    let failure = sh(script, SECOND).transaction().run(&Host::live()).unwrap_err();
    let Failure::Deadline { became: Became::Stopped, message, .. } = &failure else { panic!("{failure}") };
    assert_eq!(message, "scriptlet done");
}

#[test]
fn what_a_wrapper_of_a_transaction_leaves_running_is_not_called_stopped() {
    let mut command = sh("sh -c \"trap '' TERM; sleep 6\"; :", SECOND).transaction();
    command.grace = SECOND;
    let failure = command.run(&Host::live()).unwrap_err();
    assert!(matches!(failure, Failure::Deadline { became: Became::GoesOn(_), .. }), "{failure}");
}

#[test]
fn a_command_makes_files_as_root_does_whatever_our_caller_s_mask() {
    const INSIDE: &str = "MT_AGENT_TEST_MASK";
    if std::env::var_os(INSIDE).is_some() {
        assert_eq!(sh("umask", AMPLE).read(&Host::live()).unwrap(), "0022\n");
        return;
    }
    let name = "host::command::tests::a_command_makes_files_as_root_does_whatever_our_caller_s_mask";
    let own = std::env::current_exe().unwrap();
    let script = "umask 077; exec \"$0\" --exact \"$1\" --test-threads=1";
    duct::cmd!("sh", "-c", script, own, name).env(INSIDE, "1").stdout_null().run().unwrap();
}
