//! Standard output that is full, closed or gone; consoles without UTF-8; colours.

use std::fs::OpenOptions;
use std::process::{Command, Stdio};

use crate::agent::{PROGRAM, agent, mt_agent, run, tool};

/// A verb of each kind of output.
const REPORTS: [&[&str]; 6] =
    [&["check"], &["disks"], &["explain"], &["profile", "show"], &["history"], &["state"]];

#[test]
fn a_full_disk_is_an_error_and_never_a_report() {
    for args in [
        ["check"].as_slice(),
        &["facts"],
        &["profile", "show"],
        &["--help"],
        &["check", "--format", "nagios"],
    ] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let code = if args.contains(&"nagios") { 3 } else { 2 };
        run(agent(args).stdout(full))
            .exits(code)
            .complains("mt-agent: writing to standard output: No space left on device")
            .complains_in_one_line();
    }
}

#[test]
fn a_reader_that_has_gone_away_is_no_error() {
    for args in REPORTS.into_iter().chain([["--help"].as_slice()]) {
        // The reading end is closed before the first byte is written.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command: Command = agent(args);
        let ran = run(command.stdout(Stdio::from(writer)));
        ran.holds("neither a panic nor a signal nor a complaint", |ran| {
            ran.code() < 2 && ran.stderr().is_empty()
        });
    }
}

#[test]
fn closed_streams_do_not_make_it_panic() {
    for redirection in [">&-", "2>&-", "<&-", ">&- 2>&- <&-"] {
        let ran = run(&mut tool("sh", &["-c", &format!("\"$0\" check {redirection}"), PROGRAM]));
        ran.exits(1);
    }
}

#[test]
fn a_console_without_utf8_gets_ascii_alone() {
    for args in REPORTS {
        let ran = run(agent(args).env("LC_ALL", "C"));
        ran.holds("pure ASCII", |ran| !ran.stdout().is_empty() && ran.stdout().is_ascii());
    }
    mt_agent(&["check"]).says("\u{2717} unmet");
    run(agent(&["check"]).env("LC_ALL", "POSIX")).says("[unmet]");
}

#[test]
fn colour_is_for_terminals_that_want_it() {
    let colored = |command: &mut Command| run(command).stdout().contains('\x1b');
    assert!(!colored(&mut agent(&["check"])), "no terminal");
    assert!(colored(&mut agent(&["check", "--color", "always"])));
    // script(1) gives its command a terminal.
    let terminal = |extra: &str| {
        let mut script = tool("script", &["-qec", &format!("\"$AGENT\" check {extra}"), "/dev/null"]);
        script.env("AGENT", PROGRAM);
        script
    };
    assert!(colored(&mut terminal("")));
    assert!(!colored(&mut terminal("--color never")));
    assert!(!colored(terminal("").env("NO_COLOR", "1")));
    assert!(!colored(terminal("").env("TERM", "dumb")));
    assert!(colored(terminal("--color always").env("NO_COLOR", "1")));
}

#[test]
fn no_line_is_wider_than_the_console() {
    for args in REPORTS {
        let ran = mt_agent(args);
        if args != ["profile", "show"] {
            ran.holds("80 columns", |ran| ran.stdout().lines().all(|line| line.chars().count() <= 80));
        }
    }
}

#[test]
fn one_that_ignores_the_end_of_its_children_may_start_it() {
    // The signals that are ignored go on to what is started.
    let start = "$SIG{CHLD} = 'IGNORE'; exec @ARGV or die";
    run(&mut tool("perl", &["-e", start, PROGRAM, "facts"]))
        .exits(0)
        .holds("the packages", |ran| ran.json()["packages"]["known"].is_object())
        .holds("every command's end", |ran| !ran.stdout().contains("No child processes"));
}
