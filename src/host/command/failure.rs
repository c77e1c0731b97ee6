//! Why a command has no usable output: told apart, each with a command line one can paste.

use std::io;
use std::time::Duration;

use super::tools::DIRECTORIES;
use crate::host::running::{Became, KEPT};

/// Why there is no usable output.
#[derive(Debug)]
pub enum Failure {
    /// The tool is not in any of the system's directories.
    Missing {
        /// Its name.
        tool: String,
    },
    /// It could not be started.
    Spawn {
        /// The command line.
        line: String,
        /// What the system said.
        source: io::Error,
    },
    /// It ran, and its exit status cannot be determined.
    Wait {
        /// The command line.
        line: String,
        /// What the system said.
        source: io::Error,
    },
    /// It did not end in time.
    Deadline {
        /// The command line.
        line: String,
        /// The time it had.
        after: Duration,
        /// What became of it.
        became: Became,
        /// The end of what it said.
        said: String,
    },
    /// A signal ended it.
    Signal {
        /// The command line.
        line: String,
        /// The signal's number.
        signal: i32,
        /// The end of what it said.
        said: String,
    },
    /// It ended with a status other than 0.
    Status {
        /// The command line.
        line: String,
        /// The exit status.
        status: i32,
        /// The end of what it said.
        said: String,
    },
    /// Its output is not UTF-8.
    Undecodable {
        /// The command line.
        line: String,
    },
    /// Its output is longer than what is kept.
    TooLong {
        /// The command line.
        line: String,
    },
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ended = |said: &str| if said.is_empty() { String::new() } else { format!(": {said}") };
        match self {
            Self::Missing { tool } => write!(f, "no `{tool}` in {}", DIRECTORIES.join(", ")),
            Self::Spawn { line, source } => write!(f, "`{line}` could not be started: {source}"),
            Self::Wait { line, source } => write!(f, "cannot determine how `{line}` ended: {source}"),
            Self::Deadline { line, after, became, said } => {
                write!(f, "`{line}` did not end within {} s and ", after.as_secs_f32())?;
                match became {
                    Became::Stopped => f.write_str("was stopped")?,
                    Became::Stuck => f.write_str("could not be stopped: it is left behind")?,
                    Became::GoesOn(pid) => write!(
                        f,
                        "keeps running as process {pid}, which was asked to end and is not killed in the middle: let it end, then \
                         run mt-agent apply again"
                    )?,
                }
                f.write_str(&ended(said))
            }
            Self::Signal { line, signal, said } => {
                write!(f, "`{line}` was ended by signal {signal}{}", ended(said))
            }
            Self::Status { line, status, said } => {
                write!(f, "`{line}` ended with status {status}{}", ended(said))
            }
            Self::Undecodable { line } => write!(f, "`{line}` printed bytes that are not UTF-8"),
            Self::TooLong { line } => write!(f, "`{line}` printed more than {} MiB", KEPT >> 20),
        }
    }
}

// Without a source: what the system said is told above, and a chain of errors would say it once more.
impl std::error::Error for Failure {}
