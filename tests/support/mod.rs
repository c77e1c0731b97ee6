//! What several tests need: an observer that keeps what it is told, small packages made on the spot, and a
//! web server that misbehaves on request.
#![allow(dead_code, reason = "each test takes what it needs")]

pub mod mirror;
pub mod offline;
pub mod order;
pub mod rpms;
pub mod server;
pub mod system;
pub mod world;

use std::time::{Duration, Instant};

use mt_agent::changes::Observer;
use mt_agent::host::Host;
use mt_agent::host::command::{Command, Output};
use mt_agent::profile::{self, Profile};

/// How long is waited for what has to come: no machine is so slow, or so busy.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// The recorded master target.
pub const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios/centos-6.6-ready/host");

/// The last day of a waiver that is in effect while the tests run.
pub fn waived_until() -> String {
    (mt_agent::run::today() + time::Duration::days(300)).to_string()
}

/// What rpm or a shell would take for something else in the name of a directory.
pub const NAMES: [&str; 14] = [
    "a b",
    "it's",
    "\"q\"",
    "[x]",
    "{a,b}",
    "*",
    "?",
    "100%",
    "%{x}",
    "$HOME",
    "~",
    "a;b",
    "back\\slash",
    "ü",
];

/// Waits until `holds`.
#[track_caller]
pub fn until(what: &str, holds: impl Fn() -> bool) {
    let last = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < last, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Everything an observer was told.
#[derive(Default)]
pub struct Seen {
    pub progress: Vec<String>,
    pub transfers: Vec<(u64, Option<u64>)>,
    pub log: Vec<String>,
}

impl Observer for Seen {
    fn progress(&mut self, line: &str) {
        self.progress.push(line.to_owned());
    }

    fn transfer(&mut self, _what: &str, done: u64, total: Option<u64>) {
        self.transfers.push((done, total));
    }

    fn log(&mut self, line: &str) {
        self.log.push(line.to_owned());
    }
}

impl Seen {
    pub fn ran(&self, tool: &str) -> bool {
        self.log.iter().any(|line| line.starts_with(&format!("run: {tool} ")))
    }
}

pub fn profile() -> Profile {
    profile::load(Some(profile::DEFAULT), &Host::live(), &[], profile::Writers::Root).unwrap()
}

pub fn need_root() {
    assert!(nix::unistd::geteuid().is_root(), "this test must be run as root");
}

/// Runs a tool; the test fails loudly when it is missing or fails.
pub fn tool(tool: &str, args: &[&str]) -> Output {
    let command = Command::new(tool, args.iter().copied(), PATIENCE);
    let output =
        command.run(&Host::live()).unwrap_or_else(|failure| panic!("{failure} (scripts/install-tools real)"));
    assert_eq!(output.status, 0, "{}: {}", command.line(), output.message());
    output
}

pub fn contains(text: &str, part: &str) {
    assert!(text.contains(part), "`{part}` is not in: {text}");
}
