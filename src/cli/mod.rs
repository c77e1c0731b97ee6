//! clap types, one file a verb, and the calls; what they do lives elsewhere.

mod apply;
mod check;
mod disks;
mod exit;
mod explain;
mod facts;
mod failure;
mod history;
mod kickstart;
mod offline;
mod options;
mod output;
mod plan;
mod profile;
mod progress;
mod seal;
mod session;
mod state;
mod terminal;

use std::env;
use std::ffi::OsString;
use std::hash::RandomState;
use std::process::ExitCode;

use clap::{ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand};

use self::check::Format;
use self::session::{Answer, Global, Session};
use crate::host::ioctl;

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
  1  not ready (plan: there are changes to make, or a restart is owed)
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

/// Parses the command line, does what it says, and answers the exit code.
pub fn main() -> ExitCode {
    ioctl::keep_exit_statuses();
    ioctl::keep_descriptors_from_commands();
    // Without getrandom (3.17) this opens /dev/urandom once and for all: not while a copy of this process is made, where it
    // would be begun for ever.
    let _ = RandomState::new();
    failure::end_by_panics(Format::Text);
    let args: Vec<OsString> = env::args_os().collect();
    let command = Cli::command();
    let matches = match command.clone().try_get_matches_from(&args) {
        Ok(matches) => matches,
        Err(error) if !error.use_stderr() => {
            return answer(Ok(Answer::new(error.render().to_string(), exit::READY)), Format::Text);
        }
        Err(error) => return failure::usage(&error, failure::format_of_wrong(&command, &args)),
    };
    let format = failure::format_of(&matches);
    failure::end_by_panics(format);
    match Cli::from_arg_matches(&matches) {
        Ok(cli) => answer(run(&cli), format),
        Err(error) => failure::usage(&error, format),
    }
}

/// Prints the answer, or what failed; answers the exit code.
fn answer(result: anyhow::Result<Answer>, format: Format) -> ExitCode {
    let result = result.and_then(|answer| output::print(&answer.text).map(|()| answer.code));
    ExitCode::from(result.unwrap_or_else(|error| failure::failed(&format!("{error:#}"), format)))
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
