//! What the tests of changes need: a profile and an observer that keeps what it is told.

use super::Observer;
use crate::host::Host;
use crate::profile::{self, Profile};

/// The built-in profile, of which a test sets what it needs.
pub fn profile() -> Profile {
    profile::load(Some(profile::DEFAULT), &Host::live(), &[], profile::Writers::Root).unwrap()
}

/// Everything an observer was told.
#[derive(Default)]
pub struct Seen {
    /// Progress lines.
    pub progress: Vec<String>,
    /// Log lines.
    pub log: Vec<String>,
}

impl Observer for Seen {
    fn progress(&mut self, line: &str) {
        self.progress.push(line.to_owned());
    }

    fn transfer(&mut self, _what: &str, _done: u64, _total: Option<u64>) {}

    fn log(&mut self, line: &str) {
        self.log.push(line.to_owned());
    }
}
