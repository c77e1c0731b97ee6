//! The person at the terminal, or the script that said --yes: what a run shows and asks.

use std::io::{self, BufRead, IsTerminal};

use anyhow::{Context as _, Result, ensure};

use super::options::Format;
use super::output::{complain, print};
use super::progress::Progress;
use super::session::Session;
use crate::changes::Done;
use crate::report::ended::Ended;
use crate::report::seal::Sealing;
use crate::report::style::{Page, Paint};
use crate::report::text::Detail;
use crate::report::{plan, seal, state};
use crate::run::watcher::{Consent, Proposal, Step, Watcher};

/// How many characters of a SCSI ID show that a person looked at it.
const CONFIRMED: usize = 8;

pub(super) struct Terminal<'a> {
    session: &'a Session,
    format: Format,
    progress: Progress,
    /// Whether a person has seen what is reported at the end.
    pub(super) shown: bool,
}

impl<'a> Terminal<'a> {
    pub(super) fn new(session: &'a Session, format: Format) -> Self {
        let progress = Progress::new(session.detail);
        Self { session, format, progress, shown: false }
    }

    /// Part of the report for people, beside the document for machines. That it cannot be written must not end a run half-way; the
    /// report at the end says all.
    fn put(&mut self, fill: impl FnOnce(&mut Page)) {
        self.progress.clear();
        let mut page = Page::new(self.session.style);
        fill(&mut page);
        let _ = print(&page.finish());
    }

    fn line(&mut self, line: &str) {
        if self.format == Format::Json {
            self.progress.line(line);
        } else {
            self.put(|page| {
                page.line(line);
            });
        }
    }

    /// That a person can be asked: `preview` shows what is wanted, and --yes is to be added `to` do it.
    fn can_ask(&self, preview: &str, to: &str) -> Result<()> {
        ensure!(
            self.format == Format::Text,
            "--format json asks nothing: add --yes once {preview} shows what you want; nothing was changed"
        );
        ensure!(at_terminal(), "no terminal to ask on: add --yes to {to}; nothing was changed");
        Ok(())
    }

    fn asks_to_proceed(&mut self, report: &str) -> Result<bool> {
        print(&format!("{report}\nProceed? [y/N] "))?;
        self.shown = true;
        agrees(&mut io::stdin().lock())
    }
}

impl Watcher for Terminal<'_> {
    fn confirm(&mut self, proposal: Proposal<'_>, consent: Consent) -> Result<bool> {
        let style = self.session.style;
        if let (Proposal::Changes { plan, .. }, Format::Text) = (proposal, self.format) {
            print(&format!("{}\n", plan::render(plan, style)))?;
        }
        if consent == Consent::Given {
            return Ok(true);
        }
        match proposal {
            Proposal::Changes { unnamed, .. } => {
                self.can_ask("\"mt-agent plan\"", "make these changes")?;
                let Some(scsi_id) = unnamed else {
                    print("Proceed? [y/N] ")?;
                    return agrees(&mut io::stdin().lock());
                };
                print(&format!(
                    "Nobody named the disk {scsi_id}, which is to be formatted. To proceed, type its SCSI ID, or the last \
                     {CONFIRMED} characters of it: "
                ))?;
                confirms(&mut io::stdin().lock(), scsi_id.as_str())
            }
            Proposal::Sealing(found) => {
                self.can_ask("--dry-run", "seal it")?;
                let foreseen = Sealing { ended: Ended::DryRun, ..found.clone() };
                self.asks_to_proceed(&seal::render(&foreseen, style))
            }
            Proposal::Repair(found) => {
                self.can_ask("--dry-run", "repair it")?;
                self.asks_to_proceed(&state::render(found, style, self.session.detail))
            }
        }
    }

    fn remark(&mut self, line: &str) {
        self.line(line);
    }

    fn note(&mut self, line: &str) {
        self.progress.clear();
        complain(line);
    }

    fn begin(&mut self, step: Step<'_>) {
        match step {
            Step::Change(number, summary) => self.line(&format!("{number}. {summary}")),
            Step::Seal(step, what) => {
                if self.format == Format::Text && self.session.detail == Detail::Verbose {
                    // No colon: what follows `passphrases:` would be hidden as a secret.
                    self.put(|page| {
                        page.wrapped("", Paint::Plain, &format!("{step:18}"), what);
                    });
                } else {
                    self.progress.clear();
                }
            }
        }
    }

    fn end(&mut self, done: &Done) {
        match done {
            Done::Changed(what) => self.line(&format!("   done: {what}")),
            Done::Unchanged => self.line("   done already: nothing changed"),
        }
    }

    fn progress(&mut self, line: &str) {
        self.progress.work(line);
    }

    fn transfer(&mut self, what: &str, done: u64, total: Option<u64>) {
        self.progress.transfer(what, done, total);
    }
}

pub(super) fn at_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

fn answer(input: &mut impl BufRead) -> Result<String> {
    let mut answer = String::new();
    input.read_line(&mut answer).context("reading the answer")?;
    Ok(answer.trim().to_ascii_lowercase())
}

/// Whether the answer is the SCSI ID, or the end of it.
fn confirms(input: &mut impl BufRead, scsi_id: &str) -> Result<bool> {
    let (answer, whole) = (answer(input)?, scsi_id.to_ascii_lowercase());
    Ok(answer == whole || (answer.len() >= CONFIRMED && whole.ends_with(&answer)))
}

/// Whether the answer is yes: nothing else is, neither an empty line nor the end of input.
fn agrees(input: &mut impl BufRead) -> Result<bool> {
    Ok(matches!(answer(input)?.as_str(), "y" | "yes"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;
    use crate::report::Plan;

    #[test]
    fn only_yes_is_yes() {
        for (answer, yes) in
            [("y\n", true), ("Yes\n", true), ("\n", false), ("", false), ("n\n", false), ("yn\n", false)]
        {
            assert_eq!(agrees(&mut answer.as_bytes()).unwrap(), yes, "{answer:?}");
        }
    }

    #[test]
    fn an_unnamed_disk_is_confirmed_by_its_id_alone() {
        let id = "36000c29f0c4be2a1d0a7b9d3c2e1f405";
        let confirmed = |answer: &str| confirms(&mut answer.as_bytes(), id).unwrap();
        for answer in ["36000c29f0c4be2a1d0a7b9d3c2e1f405\n", "c2e1f405\n", " D3C2E1F405 \n"] {
            assert!(confirmed(answer), "{answer:?}");
        }
        for answer in
            ["", "\n", "y\n", "yes\n", "2e1f405\n", "c2e1f406\n", "x36000c29f0c4be2a1d0a7b9d3c2e1f405\n"]
        {
            assert!(!confirmed(answer), "{answer:?}");
        }
    }

    #[test]
    fn a_document_asks_nothing_and_needs_yes() {
        let confirmed = |consent| {
            let cli = Cli::try_parse_from(["mt-agent", "apply", "--format", "json"]).unwrap();
            let session = Session::open(&cli.global).unwrap();
            let mut terminal = Terminal::new(&session, Format::Json);
            let proposal = Proposal::Changes { plan: &Plan::default(), unnamed: None };
            terminal.confirm(proposal, consent).map_err(|error| error.to_string())
        };
        assert_eq!(confirmed(Consent::Given), Ok(true));
        let refusal = confirmed(Consent::Asked).unwrap_err();
        assert!(refusal.contains("add --yes") && refusal.ends_with("nothing was changed"), "{refusal}");
    }
}
