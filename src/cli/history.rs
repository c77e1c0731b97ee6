//! `mt-agent history`.

use std::num::NonZeroUsize;

use anyhow::Result;

use super::exit;
use super::output::complain;
use super::session::{Answer, Format, Session};
use crate::report::history::{self, Line, Tone};
use crate::report::{json, waiting};
use crate::run::journal::{self, Entry, Event};
use crate::run::private;
use crate::run::waiting::describe;

/// Show what apply did on this host, and when, from its journal.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Show the last N entries only
    #[arg(short = 'n', long = "last", value_name = "N", value_parser = at_least_one)]
    pub last: Option<NonZeroUsize>,
    /// Show the apply that waits for a restart instead, and whether it still holds
    #[arg(long, conflicts_with = "last")]
    pub pending: bool,
    /// How to report
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: Format,
}

fn at_least_one(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "a number of 1 or more was expected")
}

impl Args {
    /// Reads the journal and shows it.
    ///
    /// # Errors
    /// The journal or the record cannot be read.
    pub fn run(&self, session: &Session) -> Result<Answer> {
        if let Some(open) = private::note(&session.host) {
            complain(&open);
        }
        if self.pending {
            return self.waiting(session);
        }
        let (all, torn) = journal::read(&session.host)?;
        let entries = &all[all.len().saturating_sub(self.last.map_or(all.len(), NonZeroUsize::get))..];
        let text = match self.format {
            Format::Json => json::document(&history::document(entries, &torn))?,
            Format::Text => {
                let lines: Vec<_> = entries.iter().map(line).collect();
                history::render(&lines, &torn, session.style)
            }
        };
        Ok(Answer::new(text, exit::READY))
    }

    fn waiting(&self, session: &Session) -> Result<Answer> {
        // To users other than root an order that only root can read would look like none.
        let order = session.order()?;
        let waiting = order.as_ref().map(describe);
        let text = match self.format {
            Format::Json => json::document(&waiting::document(waiting.as_ref()))?,
            Format::Text => waiting::render(waiting.as_ref(), session.style),
        };
        Ok(Answer::new(text, exit::READY))
    }
}

pub(crate) fn line(entry: &Entry) -> Line {
    let (tone, text) = match &entry.event {
        Event::Begin { agent, profile, resumed, selection } => {
            let verb = if *resumed { "apply goes on after the restart" } else { "apply begins" };
            let only = selection.as_ref().map(|selection| format!(", {}", selection.options()));
            let only = only.unwrap_or_default();
            (Tone::Begin, format!("{verb} (mt-agent {agent}, profile {profile}, pid {}{only})", entry.pid))
        }
        Event::Intent { requirement, change } => {
            (Tone::Quiet, format!("{requirement}: {}", change.summary()))
        }
        Event::Done { requirement, changed: Some(what) } => {
            (Tone::Good, format!("{requirement}: done: {what}"))
        }
        Event::Done { requirement, changed: None } => (Tone::Quiet, format!("{requirement}: was so already")),
        Event::Failed { requirement, error } => (Tone::Bad, format!("{requirement}: FAILED: {error}")),
        Event::End { verdict } => (Tone::Quiet, format!("ended: {}", verdict.replace('-', " "))),
    };
    Line { at: entry.at.clone(), text, tone }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::style::Style;

    #[test]
    fn runs_are_told_apart_and_each_change_says_what_came_of_it() {
        let journal = "\
{\"at\":\"2026-06-01T10:00:00Z\",\"boot_id\":\"a\",\"pid\":7,\"event\":\"begin\",\"agent\":\"0.1.0\",\"profile\":\"centos-6.6\",\"resumed\":false}
{\"at\":\"2026-06-01T10:00:01Z\",\"boot_id\":\"a\",\"pid\":7,\"event\":\"done\",\"requirement\":\"packages.base\",\"changed\":\"installed perl\"}
{\"at\":\"2026-06-01T10:00:02Z\",\"boot_id\":\"a\",\"pid\":7,\"event\":\"failed\",\"requirement\":\"retention.disk\",\"error\":\"mkfs \\u001b[2J\"}
{\"at\":\"2026-06-01T10:00:03Z\",\"boot_id\":\"a\",\"pid\":7,\"event\":\"end\",\"verdict\":\"not-ready\"}
{\"at\":\"2026-06-01T10:09
{\"at\":\"2026-06-01T11:00:00Z\",\"boot_id\":\"b\",\"pid\":9,\"event\":\"begin\",\"agent\":\"0.1.0\",\"profile\":\"centos-6.6\",\"resumed\":true}
";
        let (entries, torn) = journal::parse(journal);
        let lines: Vec<_> = entries.iter().map(line).collect();
        assert_eq!(
            history::render(&lines, &torn, Style::default()),
            "\
2026-06-01T10:00:00Z  apply begins (mt-agent 0.1.0, profile centos-6.6, pid 7)
2026-06-01T10:00:01Z  packages.base: done: installed perl
2026-06-01T10:00:02Z  retention.disk: FAILED: mkfs \\u{1b}[2J
2026-06-01T10:00:03Z  ended: not ready

2026-06-01T11:00:00Z  apply goes on after the restart (mt-agent 0.1.0, profile
                      centos-6.6, pid 9)
line 5 of the journal cannot be read (torn by a power loss, damaged, or of
                      another version)
"
        );
    }

    #[test]
    fn a_run_of_a_part_is_told_as_one() {
        let (entries, _) = journal::parse(
            r#"{"at":"t","boot_id":"a","pid":7,"event":"begin","agent":"0","profile":"p","resumed":false,"selection":{"only":["os"],"skip":["os.clock"],"stage":"image"}}
{"at":"t","boot_id":"a","pid":7,"event":"end","verdict":"selection-ready"}"#,
        );
        let lines: Vec<_> = entries.iter().map(|entry| line(entry).text).collect();
        let begins = "apply begins (mt-agent 0, profile p, pid 7, --only os --skip os.clock --stage image)";
        assert_eq!(lines, [begins, "ended: selection ready"]);
    }

    #[test]
    fn a_journal_of_lines_that_cannot_be_read_is_not_called_empty() {
        let render = |text: &str| {
            let (entries, torn) = journal::parse(text);
            let lines: Vec<_> = entries.iter().map(line).collect();
            history::render(&lines, &torn, Style::default())
        };
        assert_eq!(render(""), "no run has been recorded on this host\n");
        let later = render("{\"version\":2,\"at\":\"2026-06-01T10:00:00Z\"}\n");
        assert!(later.starts_with("line 1 of the journal cannot be read (torn "), "{later}");
        assert!(!later.contains("no run"), "{later}");
        let garbage = render(&"x\n".repeat(390));
        assert!(garbage.starts_with("lines 1-390 of the journal cannot be read"), "{garbage}");
        let run = "{\"at\":\"t\",\"boot_id\":\"a\",\"pid\":7,\"event\":\"end\",\"verdict\":\"ready\"}\n";
        let some = render(&format!("x\nx\n{}", format!("{run}x\n").repeat(7)));
        assert!(some.contains("\nlines 1-2, 4, 6, 8, 10 and 3 more of the journal cannot be read"), "{some}");
    }
}
