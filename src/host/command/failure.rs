//! Why a command has no usable output: told apart, each with a command line one can paste.

use std::io;
use std::time::Duration;

use super::tools::DIRECTORIES;
use crate::host::running::{Became, KEPT};

/// Why there is no usable output.
#[derive(Debug)]
pub enum Failure {
    /// The tool is not in any of the system's directories.
    Missing { tool: String },
    /// It could not be started.
    Spawn { line: String, source: io::Error },
    /// It ran, and its exit status cannot be determined.
    Wait { line: String, source: io::Error },
    /// It did not end in time.
    Deadline { line: String, after: Duration, became: Became, message: String },
    /// A signal ended it.
    Signal { line: String, signal: i32, message: String },
    /// It ended with a status other than 0.
    Status { line: String, status: i32, message: String },
    /// Its output is not UTF-8.
    Undecodable { line: String },
    /// Its output is longer than what is kept.
    TooLong { line: String },
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ended = |message: &str| if message.is_empty() { String::new() } else { format!(": {message}") };
        match self {
            Self::Missing { tool } => write!(f, "no `{tool}` in {}", DIRECTORIES.join(", ")),
            Self::Spawn { line, source } => write!(f, "`{line}` could not be started: {source}"),
            Self::Wait { line, source } => write!(f, "cannot determine how `{line}` ended: {source}"),
            Self::Deadline { line, after, became, message } => {
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
                f.write_str(&ended(message))
            }
            Self::Signal { line, signal, message } => {
                write!(f, "`{line}` was ended by signal {signal}{}", ended(message))
            }
            Self::Status { line, status, message } => {
                write!(f, "`{line}` ended with status {status}{}", ended(message))
            }
            Self::Undecodable { line } => write!(f, "`{line}` printed bytes that are not UTF-8"),
            Self::TooLong { line } => write!(f, "`{line}` printed more than {} MiB", KEPT >> 20),
        }
    }
}

// Without a source: what the system said is told above, and a chain of errors would say it once more.
impl std::error::Error for Failure {}
