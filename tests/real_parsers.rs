//! Files that other programs read, read as these programs do: generated ones are given to our parsers and to findmnt(8), bash,
//! netplan and multipath. Where they differ, a table beside the test says why; a reason that never occurs fails as well.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "files and commands of a test are not the host's"
)]

use std::collections::BTreeMap;
use std::process::{Command, Output};

#[path = "real_parsers/fstab.rs"]
mod fstab;
#[path = "real_parsers/multipath.rs"]
mod multipath;
#[path = "real_parsers/netplan.rs"]
mod netplan;
#[path = "support/samples.rs"]
mod sampling;
#[path = "real_parsers/shell.rs"]
mod shell;

use sampling::samples;

/// A generator with a fixed seed (xorshift): a failure can be repeated.
struct Random(u64);

impl Random {
    fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit).unwrap()).unwrap()
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

/// Runs a program; that it is not there is a failure, whatever it says of its input is not.
fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error} (scripts/install-tools real)"))
}

/// Why two readers may differ, and of which texts that holds.
type Reason = (&'static str, fn(&str) -> bool);

/// Reasons, and how often each has occurred.
struct Reasons {
    known: &'static [Reason],
    seen: BTreeMap<&'static str, usize>,
}

impl Reasons {
    fn new(known: &'static [Reason]) -> Self {
        Self { known, seen: BTreeMap::new() }
    }

    /// Whether there is a reason for a difference about `what`.
    fn explain(&mut self, what: &str) -> bool {
        let reason = self.known.iter().find(|(_, applies)| applies(what));
        reason.is_some_and(|(reason, _)| {
            *self.seen.entry(reason).or_default() += 1;
            true
        })
    }

    fn all_occurred(&self) {
        let missing: Vec<_> = self
            .known
            .iter()
            .map(|(reason, _)| reason)
            .filter(|reason| !self.seen.contains_key(*reason))
            .collect();
        assert!(missing.is_empty(), "no difference is for these reasons any more: {missing:?}");
    }
}
