//! clap types, one file a verb; what they do lives elsewhere.

pub mod apply;
pub mod check;
pub mod disks;
pub mod exit;
pub mod explain;
pub mod facts;
pub mod history;
pub mod kickstart;
pub mod offline;
pub mod output;
pub mod plan;
pub mod profile;
mod progress;
pub mod seal;
pub mod session;
pub mod state;

use std::env;
use std::ffi::OsString;
use std::hash::RandomState;
use std::panic;
use std::process::{self, ExitCode};

use clap::error::ErrorKind;
use clap::{ArgAction, Parser, Subcommand};

use crate::host::{ioctl, text};
use crate::report::{json, nagios};
use session::{Answer, Global, Session};

/// Turns a Linux VM into a master target of Azure Site Recovery, and proves later that it still is one.
#[derive(Debug, Parser)]
#[command(name = "mt-agent", version, term_width = 80, after_help = EXIT_CODES)]
#[command(arg_required_else_help = true, disable_help_subcommand = true, disable_help_flag = true)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    global: Global,
    /// Print help
    // The short form for both: the long one does not fit a console's 25 lines.
    #[arg(short, long, global = true, action = ArgAction::HelpShort, help_heading = "Global options")]
    help: Option<bool>,
}

const EXIT_CODES: &str = "Exit codes:
  0  ready: every required requirement is met (plan: nothing to change)
  1  not ready (plan: there are changes to make)
  2  could not do the work: bad usage, bad profile, not permitted, I/O error
  3  ready after a restart that is still owed";

/// What to do.
#[derive(Debug, Subcommand)]
enum Verb {
    /// Judge this host; changes nothing
    Check(check::Args),
    /// Show what apply would change, in order, and what only a person can fix
    Plan(plan::Args),
    /// Make the changes; resumable: a second run changes nothing
    Apply(apply::Args),
    /// List every disk: address, controller, size, SCSI ID, what uses it
    Disks(disks::Args),
    /// Print everything that is read from this host, as JSON
    Facts(facts::Args),
    /// Make this host safe to clone as a golden image
    Seal(seal::Args),
    /// Print an unattended installation of CentOS 6 that meets the profile
    Kickstart(kickstart::Args),
    /// Explain a requirement or a Site Recovery error code: cause, fix, what is checked
    Explain(explain::Args),
    /// List, show and check profiles
    Profile(profile::Args),
    /// Show what apply did on this host, and when
    History(history::Args),
    /// Show what the agent keeps here, held against the host; repair it
    State(state::Args),
}

/// How a failure is told, beside the line on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Text,
    Json,
    Nagios,
}

/// Parses the command line, does what it says, and answers the exit code.
#[must_use]
pub fn main() -> ExitCode {
    ioctl::keep_exit_statuses();
    ioctl::keep_descriptors_from_commands();
    // Without getrandom (3.17) this opens /dev/urandom once and for all: not while a copy of this process is made, where it
    // would be begun for ever.
    let _ = RandomState::new();
    let args: Vec<OsString> = env::args_os().collect();
    let language = language(&args);
    end_by_panics(language);
    let result = match Cli::try_parse_from(args) {
        Ok(cli) => run(&cli),
        Err(error) if !error.use_stderr() => Ok(Answer::new(error.render().to_string(), exit::READY)),
        Err(error) => {
            return usage(&error, language);
        }
    };
    let result = result.and_then(|answer| output::print(&answer.text).map(|()| answer.code));
    ExitCode::from(result.unwrap_or_else(|error| failed(&format!("{error:#}"), language)))
}

/// Lets a defect of ours end the process like any failure: one line, one document, an exit code that is not "ready". What is
/// under way is interrupted, as by a kill. A copy of the process ends without an answer.
#[expect(clippy::disallowed_methods, reason = "main does not return after a panic")]
fn end_by_panics(language: Language) {
    panic::set_hook(Box::new(move |defect| {
        // At once, and without a word: another thread may have held the lock of stderr when the copy was made.
        if ioctl::is_a_copy() {
            ioctl::end(1);
        }
        output::complain(&defect.to_string());
        process::exit(failed("an internal error, told above: please report it", language).into());
    }));
}

fn run(cli: &Cli) -> anyhow::Result<Answer> {
    let session = Session::open(&cli.global)?;
    match &cli.verb {
        Verb::Check(args) => args.run(&session),
        Verb::Plan(args) => args.run(&session),
        Verb::Apply(args) => args.run(&session),
        Verb::Disks(args) => args.run(&session),
        Verb::Facts(args) => args.run(&session),
        Verb::Seal(args) => args.run(&session),
        Verb::Kickstart(args) => args.run(&session),
        Verb::Explain(args) => args.run(&session),
        Verb::Profile(args) => args.run(&session),
        Verb::History(args) => args.run(&session),
        Verb::State(args) => args.run(&session),
    }
}

/// The language that the command line asks for, told before it is understood: a usage error has to be told
/// in it as well.
fn language(args: &[OsString]) -> Language {
    let args: Vec<_> = args.iter().skip(1).map(|arg| arg.to_string_lossy()).collect();
    let value = args.iter().enumerate().find_map(|(at, arg)| match arg.strip_prefix("--format") {
        Some("") => args.get(at + 1).map(|value| value.as_ref()),
        Some(rest) => rest.strip_prefix('='),
        None => None,
    });
    match value {
        Some("json") => Language::Json,
        Some("nagios") if args.iter().any(|arg| arg == "check") => Language::Nagios,
        None if args.first().is_some_and(|verb| verb == "facts") => Language::Json,
        _ => Language::Text,
    }
}

/// Tells a failure; answers the exit code.
fn failed(message: &str, language: Language) -> u8 {
    output::complain(message);
    tell(message, language)
}

/// Tells a usage error in clap's words.
fn usage(error: &clap::Error, language: Language) -> ExitCode {
    use std::io::Write;
    let words = error.render().to_string();
    let words = text::without_secrets(words.trim_end());
    let lines: Vec<_> = words.lines().map(text::safe).collect();
    let _ = writeln!(std::io::stderr(), "{}", lines.join("\n"));
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return ExitCode::from(exit::FAILED);
    }
    let first = lines.first().map_or("", |line| line.strip_prefix("error: ").unwrap_or(line));
    ExitCode::from(tell(first, language))
}

/// Says `message` on standard output where the format has a place for errors; answers the exit code.
fn tell(message: &str, language: Language) -> u8 {
    let (document, code) = match language {
        Language::Text => return exit::FAILED,
        Language::Json => (json::error(message), exit::FAILED),
        Language::Nagios => (nagios::error(message), nagios::State::Unknown.code()),
    };
    // Should this fail too, the line on standard error has been said.
    let _ = output::print(&document);
    code
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use nix::sys::wait::{WaitStatus, waitpid};
    use nix::unistd::{dup2_stderr, dup2_stdout};

    use super::*;

    #[test]
    fn a_defect_ends_with_a_line_a_document_and_no_exit_code_of_ready() {
        let dir = tempfile::tempdir().unwrap();
        let files = ["out", "err"].map(|name| dir.path().join(name));
        for (language, code, said) in [
            (Language::Text, 2, ""),
            (Language::Json, 2, "{\n  \"schema\": \"mt-agent/error/v1\""),
            (Language::Nagios, 3, "MT-AGENT UNKNOWN - an internal error"),
        ] {
            let copy = ioctl::in_a_copy(|| {
                let [out, err] = files.each_ref().map(|file| File::create(file).unwrap());
                dup2_stdout(out).unwrap();
                dup2_stderr(err).unwrap();
                end_by_panics(language);
                panic!("a defect");
            })
            .unwrap();
            assert_eq!(waitpid(copy, None).unwrap(), WaitStatus::Exited(copy, code));
            let [out, err] = files.each_ref().map(|file| fs::read_to_string(file).unwrap());
            assert!(out.starts_with(said) && out.is_empty() == said.is_empty(), "{out}");
            assert!(err.contains("a defect") && err.contains("please report it"), "{err}");
        }
    }
}
