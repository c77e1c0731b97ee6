//! How a failure is reported, beside the line on standard error: in the format that the command line asks for.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::panic;
use std::process::{self, ExitCode};

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, ValueEnum as _};

use super::check::Format;
use super::{exit, output};
use crate::host::{ioctl, text};
use crate::report::{json, nagios};

/// The verb that stands for one that was not understood, or that has no format: it knows those of every verb.
const ANY_VERB: &str = "plan";

pub(super) fn format_of(matches: &ArgMatches) -> Format {
    let (verbs, format) = understood(matches);
    named(&verbs, format.as_deref())
}

/// The format of one that was not: a usage error is reported in it as well. clap stops at the first word that is wrong, so
/// the verb and the format are looked for behind each word.
pub(super) fn format_of_wrong(command: &Command, args: &[OsString]) -> Format {
    let command = command.clone().ignore_errors(true);
    let program = OsString::from(command.get_name());
    let parsed = |verbs: &[String], from: usize| {
        let words = verbs.iter().map(OsString::from).chain(args[from..].iter().cloned());
        command.clone().try_get_matches_from([program.clone()].into_iter().chain(words)).ok()
    };
    let verbs = (1..args.len()).find_map(|from| {
        let (verbs, _) = understood(&parsed(&[], from)?);
        (!verbs.is_empty()).then_some(verbs)
    });
    let verbs = verbs.unwrap_or_default();
    let any = [ANY_VERB.to_owned()];
    let format = [&verbs[..], &any]
        .into_iter()
        .find_map(|verbs| (1..args.len()).find_map(|from| understood(&parsed(verbs, from)?).1));
    named(&verbs, format.as_deref())
}

/// A format that the verb does not have is text.
fn named(verbs: &[String], word: Option<&str>) -> Format {
    match word.map(|word| Format::from_str(word, false).unwrap_or_default()) {
        Some(Format::Nagios) if verbs != ["check"] => Format::Text,
        Some(format) => format,
        None if verbs == ["facts"] => Format::Json,
        None => Format::Text,
    }
}

/// The verbs, and the format where the command line names one.
fn understood(mut matches: &ArgMatches) -> (Vec<String>, Option<String>) {
    let (mut verbs, mut format) = (Vec::new(), None);
    loop {
        let is_given = matches.try_contains_id("format").unwrap_or_default()
            && matches.value_source("format") == Some(ValueSource::CommandLine);
        if is_given && let Some(mut words) = matches.get_raw("format") {
            format = words.next().map(|word| word.to_string_lossy().into_owned());
        }
        let Some((verb, below)) = matches.subcommand() else { return (verbs, format) };
        verbs.push(verb.to_owned());
        matches = below;
    }
}

/// Lets a defect of ours end the process like any failure: one line, one document, an exit code that is not "ready". What is
/// under way is interrupted, as by a kill. A copy of the process ends without an answer.
#[expect(clippy::disallowed_methods, reason = "main does not return after a panic")]
pub(super) fn end_by_panics(format: Format) {
    panic::set_hook(Box::new(move |defect| {
        // At once, and without a word: another thread may have held the lock of stderr when the copy was made.
        if ioctl::is_a_copy() {
            ioctl::end(1);
        }
        output::complain(&defect.to_string());
        process::exit(failed("an internal error, shown above: please report it", format).into());
    }));
}

pub(super) fn failed(message: &str, format: Format) -> u8 {
    output::complain(message);
    print_error(message, format)
}

/// Reports a usage error in clap's words.
pub(super) fn usage(error: &clap::Error, format: Format) -> ExitCode {
    let words = error.render().to_string();
    let words = text::without_secrets(words.trim_end());
    let lines: Vec<_> = words.lines().map(text::safe).collect();
    let _ = writeln!(io::stderr(), "{}", lines.join("\n"));
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return ExitCode::from(exit::FAILED);
    }
    let first = lines.first().map_or("", |line| line.strip_prefix("error: ").unwrap_or(line));
    ExitCode::from(print_error(first, format))
}

/// Prints `message` on standard output where the format has a place for errors; answers the exit code.
fn print_error(message: &str, format: Format) -> u8 {
    let (document, code) = match format {
        Format::Text => return exit::FAILED,
        Format::Json => (json::error(message), exit::FAILED),
        Format::Nagios => (nagios::error(message), nagios::State::Unknown.code()),
    };
    // Should this fail too, the line on standard error has been written.
    let _ = output::print(&document);
    code
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::fs::{self, File};
    use std::path::Path;

    use clap::CommandFactory;
    use nix::unistd::{dup2_stderr, dup2_stdout};

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn the_format_of_a_command_line_is_known_however_wrong_it_is() {
        for (words, expected) in [
            ("check --format json", Format::Json),
            ("check --format=nagios", Format::Nagios),
            ("--quiet check --format nagios", Format::Nagios),
            ("facts", Format::Json),
            ("check --profile --format json", Format::Json),
            ("profile list --format json", Format::Json),
            ("check", Format::Text),
            ("check --nope --format json", Format::Json),
            ("check --format nagios --nope", Format::Nagios),
            ("--nope check --format=nagios", Format::Nagios),
            ("facts --nope", Format::Json),
            ("facts --format text", Format::Text),
            ("chekc --format json", Format::Json),
            ("chekc --format nagios", Format::Text),
            ("disks --format nagios", Format::Text),
            ("history -n x --format json", Format::Json),
            ("profile lsit --format json", Format::Json),
            ("profile show x y --format json", Format::Json),
            ("state repare --format json", Format::Json),
            ("apply --forget --yes --format json", Format::Json),
            ("check --format", Format::Text),
            ("", Format::Text),
        ] {
            let args: Vec<OsString> =
                ["mt-agent"].into_iter().chain(words.split_whitespace()).map(Into::into).collect();
            let found = match Cli::command().try_get_matches_from(&args) {
                Ok(matches) => format_of(&matches),
                Err(_) => format_of_wrong(&Cli::command(), &args),
            };
            assert_eq!(found, expected, "{words}");
        }
        assert_eq!(format_of_wrong(&Cli::command(), &[]), Format::Text);
    }

    const INSIDE: &str = "MT_AGENT_TEST_DEFECT";

    #[test]
    fn a_defect_ends_with_a_line_a_document_and_no_exit_code_of_ready() {
        let formats = [
            (Format::Text, 2, ""),
            (Format::Json, 2, "{\n  \"schema\": \"mt-agent/error/v1\""),
            (Format::Nagios, 3, "MT-AGENT UNKNOWN - an internal error"),
        ];
        // A process of its own, as it ends.
        if let Ok(inside) = env::var(INSIDE) {
            let (number, dir) = inside.split_once(' ').unwrap();
            let [out, err] = ["out", "err"].map(|name| File::create(Path::new(dir).join(name)).unwrap());
            dup2_stdout(out).unwrap();
            dup2_stderr(err).unwrap();
            end_by_panics(formats[number.parse::<usize>().unwrap()].0);
            panic!("a defect");
        }
        let name = "cli::failure::tests::a_defect_ends_with_a_line_a_document_and_no_exit_code_of_ready";
        for (number, (_, code, document)) in formats.into_iter().enumerate() {
            let dir = tempfile::tempdir().unwrap();
            let own = env::current_exe().unwrap();
            let command = duct::cmd!(own, "--exact", name, "--nocapture", "--test-threads=1");
            let command = command.env(INSIDE, format!("{number} {}", dir.path().display()));
            let ended = command.stdout_null().stderr_null().unchecked().run().unwrap();
            assert_eq!(ended.status.code(), Some(code));
            let [out, err] = ["out", "err"].map(|name| fs::read_to_string(dir.path().join(name)).unwrap());
            assert!(out.starts_with(document) && out.is_empty() == document.is_empty(), "{out}");
            assert!(err.contains("a defect") && err.contains("please report it"), "{err}");
        }
    }
}
