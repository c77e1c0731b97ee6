//! clap types, one file a verb; what they do lives elsewhere.

pub mod exit;

use std::process::ExitCode;

/// Parses the command line, does what it says, and answers the exit code.
#[must_use]
pub fn main() -> ExitCode {
    unimplemented!()
}
