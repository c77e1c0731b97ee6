//! `mt-agent apply`.

use std::io::{self, BufRead, IsTerminal};

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use serde::Serialize;

use super::check::verdict_code;
use super::exit;
use super::offline::{self, Offline};
use super::output::{complain, print};
use super::progress::Progress;
use super::session::{Answer, Disks, Format, Selected, Session};
use crate::changes::Done;
use crate::facts::gather::Probing;
use crate::facts::machine;
use crate::profile::{self, Profile};
use crate::report::json::ReportDocument;
use crate::report::style::Page;
use crate::report::text::Detail;
use crate::report::{Plan, json, plan, text};
use crate::run;
use crate::run::apply::{Applied, Ended, Options, Watcher};
use crate::run::waiting::{self, State};
use crate::state::request::{Decision, Request};
use crate::state::resume::{self, Binding, Pending};
use crate::steps::Selection;

const NOTE: &str = "Prints the plan first and asks on a terminal; without one it needs --yes. Exits 3 when a \
     restart is owed: after it, the same apply goes on by itself where the service mt-agent-resume is installed; \
     else run it again.";

/// Makes the changes; resumable: a second run changes nothing.
#[derive(clap::Args, Debug)]
#[command(after_help = NOTE)]
pub struct Args {
    /// Do not ask; takes no retention disk that nobody named
    #[arg(long, short)]
    pub yes: bool,
    /// Restart the host when a restart is owed
    #[arg(long)]
    pub restart: bool,
    /// Which disks
    #[command(flatten)]
    pub disks: Disks,
    /// What to do about a vendor script that did not do its work
    #[arg(long, value_enum, value_name = "DECISION")]
    pub custom_changes: Option<CustomChanges>,
    /// Go on with the apply that owed a restart, if that has happened (for the service)
    #[arg(long, conflicts_with_all = ["only", "skip", "stage", "Disks", "custom_changes"])]
    pub resume: bool,
    /// Call off the apply that waits for a restart, and do nothing else
    #[arg(long, conflicts_with_all = ["yes", "restart", "resume", "only", "skip", "stage", "Disks",
        "custom_changes", "offline", "download_only"])]
    pub forget: bool,
    /// How to report
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: Format,
    /// Which requirements
    #[command(flatten)]
    pub selected: Selected,
    /// Where packages come from
    #[command(flatten)]
    pub offline: Offline,
}

/// Decisions on a vendor script that was started and did not do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CustomChanges {
    /// Its changes are in place: record that
    Accept,
    /// They are not: run it again
    Rerun,
}

impl Args {
    /// Plans, asks, changes and reports.
    ///
    /// # Errors
    /// Not root, nobody to ask, a bad selection or profile, a change that failed.
    pub fn run(&self, session: &Session) -> Result<Answer> {
        ensure!(nix::unistd::geteuid().is_root(), "apply needs root: run it as root or with sudo");
        if !session.host.is_live() {
            bail!("apply works on the running host: an image's tree (--root) can be checked, not changed");
        }
        session.refuse_unsafe_profile("apply")?;
        let progress = Progress::new(session.detail == Detail::Quiet);
        let mut terminal = Terminal { args: self, session, progress, asks: false };
        if let Some(collecting) = self.offline.collecting() {
            let answer = offline::collect(session, &collecting, self.format, &mut terminal);
            terminal.progress.clear();
            return answer;
        }
        if self.resume
            && let Some(order) = resume::sealing(&session.host)?
        {
            return super::seal::go_on(session, &order, self.format);
        }
        if self.forget {
            return self.forget(session);
        }
        let mut stage = self.selected.stage();
        let (session, mut options) = if self.resume {
            let order = session.order()?;
            let note = order.as_ref().map(waiting::describe).map(|waiting| waiting.note).unwrap_or_default();
            let Some(order) = order else { return self.nothing_waits(session) };
            let left = order.pending;
            match order.state {
                State::RestartOwed => {
                    let note = "the restart is still owed";
                    return self.idle(Ended::RestartOwed, note, exit::RESTART_OWED);
                }
                State::Void(_) => bail!("{note}"),
                State::Asks(why) if !(self.yes || at_terminal()) => {
                    waiting::ask(&session.host, &why)?;
                    return self.idle(Ended::Asks, &note, exit::NOT_READY);
                }
                State::Asks(_) | State::Due => {
                    terminal.asks = matches!(order.state, State::Asks(_));
                    stage = left.stage;
                    let options = Options {
                        selection: Selection::new(left.only.clone(), left.skip.clone())?,
                        request: left.request.clone(),
                        // Nobody is there who could restart a clone at its first boot.
                        restart: self.restart || left.first_boot,
                        // What a person has said is said.
                        pending: Some(Pending { asks: None, ..left.clone() }),
                        resumed: true,
                        notes: Vec::new(),
                    };
                    (&session.with_profile(left.profile), options)
                }
            }
        } else {
            if let Ok(Some(waiting)) = session.waiting() {
                terminal.tell(&format!("note: {}", waiting.note));
            }
            (session, self.options(session)?)
        };
        let mut profile = session.profile()?;
        options.selection = options.selection.at_stage(stage, &profile)?;
        if let Some(pending) = options.pending.as_mut().filter(|_| !self.resume) {
            // As the file says it: a collection takes the addresses out of it next.
            pending.bound = Some(Binding {
                given_at: run::now(),
                profile_sha256: profile::digest(&profile),
                machine: machine::load(&session.host),
            });
        }
        self.bind(session, &mut profile, &mut options)?;
        let mut applied = run::apply(&session.host, &profile, &options, &mut terminal)?;
        terminal.progress.clear();
        applied.report.tell(session.waiting());
        self.report(session, &applied)
    }

    /// Binds the run to the collection that it takes packages from, where it does.
    fn bind(&self, session: &Session, profile: &mut Profile, options: &mut Options) -> Result<()> {
        let Some(directory) = options.request.offline.clone() else { return Ok(()) };
        match run::offline::bind(&session.host, profile, &directory) {
            Ok((directory, note)) => {
                if let Some(pending) = &mut options.pending {
                    pending.request.offline = Some(directory.clone());
                }
                options.request.offline = Some(directory);
                options.notes.push(note);
                Ok(())
            }
            // After the restart the medium may be gone, and with it nothing that is still to be done.
            Err(why) if self.resume => {
                options.notes.push(format!("no package can be installed: {why:#}"));
                Ok(())
            }
            Err(why) => Err(why),
        }
    }

    fn options(&self, session: &Session) -> Result<Options> {
        let selection = self.selected.selection()?;
        let mut request = self.disks.request();
        request.at_terminal = !self.yes && self.format == Format::Text && at_terminal();
        request.offline.clone_from(&self.offline.offline);
        request.custom_changes = self.custom_changes.map(|decision| match decision {
            CustomChanges::Accept => Decision::Accept,
            CustomChanges::Rerun => Decision::Rerun,
        });
        let pending = Pending {
            schema: resume::SCHEMA.to_owned(),
            boot_id: String::new(),
            profile: session.profile_name(),
            only: selection.part.only.clone(),
            skip: selection.part.skip.clone(),
            stage: self.selected.stage(),
            first_boot: false,
            seal: None,
            free_space_filled: false,
            bound: None,
            failed: None,
            asks: None,
            // Nobody sits at a terminal after the restart.
            request: Request { at_terminal: false, ..request.clone() },
        };
        let notes = Vec::new();
        Ok(Options {
            selection,
            request,
            restart: self.restart,
            pending: Some(pending),
            resumed: false,
            notes,
        })
    }

    /// Calls off what waits.
    fn forget(&self, session: &Session) -> Result<Answer> {
        match waiting::forget(&session.host)? {
            Some(what) => {
                let note = format!("cleared: {what}; nothing of it is carried out");
                self.idle(Ended::Forgotten, &note, exit::READY)
            }
            None => self.idle(Ended::NothingWaits, NOTHING_WAITS, exit::READY),
        }
    }

    /// The answer where nothing was looked at.
    fn idle(&self, ended: Ended, note: &str, code: u8) -> Result<Answer> {
        Ok(match self.format {
            Format::Text => Answer::new(format!("{note}\n"), code),
            Format::Json => Answer::new(json::document(&Idle { schema: SCHEMA, ended, note })?, code),
        })
    }

    /// The answer of `--resume` when no apply waits: the host as it is, as there was nothing to prove.
    fn nothing_waits(&self, session: &Session) -> Result<Answer> {
        let (profile, facts) = session.profile_and_facts(None, Probing::None)?;
        let everything = Selection::default();
        let report = run::check(&profile, &facts, &everything, run::today());
        let left = run::plan(&profile, &facts, &everything, run::today(), &Request::default());
        let applied =
            Applied { report, left, changed: Vec::new(), recorded: None, ended: Ended::NothingWaits };
        self.report(session, &applied)
    }

    fn report(&self, session: &Session, applied: &Applied) -> Result<Answer> {
        let code = match applied.ended {
            Ended::Finished | Ended::NothingWaits | Ended::Forgotten => {
                match verdict_code(applied.report.verdict()) {
                    exit::READY if applied.left.undetermined => exit::NOT_READY,
                    code => code,
                }
            }
            Ended::Declined | Ended::Asks => exit::NOT_READY,
            Ended::Interrupted => exit::FAILED,
            Ended::Restarting | Ended::RestartOwed => exit::RESTART_OWED,
        };
        let note = match applied.ended {
            Ended::Finished if applied.changed.is_empty() => match &applied.recorded {
                Some(recorded) => &format!("nothing was changed; {recorded}"),
                None => "nothing was changed",
            },
            Ended::Finished => "all that could be changed is changed",
            Ended::Declined => "declined: nothing was changed",
            Ended::Interrupted => {
                "interrupted: the changes made so far are recorded, run apply again to go on"
            }
            Ended::Restarting => "restarting the machine",
            Ended::NothingWaits => NOTHING_WAITS,
            // They look at nothing: see `idle`.
            Ended::RestartOwed | Ended::Asks | Ended::Forgotten => "",
        };
        let text = match self.format {
            Format::Json => json::document(&Document {
                schema: SCHEMA,
                ended: applied.ended,
                note,
                changed: &applied.changed,
                report: ReportDocument::from(&applied.report),
                left: json::PlanDocument::from(&applied.left),
            })?,
            Format::Text if applied.ended == Ended::Declined => format!("{note}\n"),
            Format::Text => {
                format!("{note}\n\n{}", text::render(&applied.report, session.style, Detail::Quiet))
            }
        };
        Ok(Answer::new(text, code))
    }
}

const SCHEMA: &str = "mt-agent/apply/v1";

/// The document of `apply`.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    ended: Ended,
    note: &'a str,
    changed: &'a [String],
    report: ReportDocument<'a>,
    left: json::PlanDocument<'a>,
}

/// The document of `apply --resume` before the restart, and of `--forget`.
#[derive(Serialize)]
struct Idle<'a> {
    schema: &'static str,
    ended: Ended,
    note: &'a str,
}

const NOTHING_WAITS: &str = "no apply waits for a restart";

/// The person at the terminal, or the script that said --yes.
struct Terminal<'a> {
    args: &'a Args,
    session: &'a Session,
    progress: Progress,
    /// Whether the run that goes on after a restart asks like any other.
    asks: bool,
}

impl Terminal<'_> {
    /// A line about a change: part of the report for people, beside the document for machines. That it cannot be
    /// written must not end a run half-way; the report at the end tells.
    fn tell(&mut self, line: &str) {
        self.progress.clear();
        if self.args.format == Format::Json {
            self.progress.line(line);
        } else {
            let mut page = Page::new(self.session.style);
            page.line(line);
            let _ = print(&page.finish());
        }
    }
}

impl Watcher for Terminal<'_> {
    fn confirm(&mut self, agreed: &Plan, unnamed: Option<&str>) -> Result<bool> {
        if self.args.format == Format::Text {
            print(&format!("{}\n", plan::render(agreed, self.session.style)))?;
        }
        if self.args.yes || (self.args.resume && !self.asks) {
            return Ok(true);
        }
        if self.args.format == Format::Json {
            bail!(
                "--format json asks nothing: add --yes once \"mt-agent plan\" shows what you want; nothing was changed"
            );
        }
        if !at_terminal() {
            bail!("no terminal to ask on: add --yes to make these changes; nothing was changed");
        }
        let Some(scsi_id) = unnamed else {
            print("Proceed? [y/N] ")?;
            return agrees(&mut io::stdin().lock());
        };
        print(&format!(
            "Nobody named the disk {scsi_id}, which is to be formatted. To proceed, type its SCSI ID, or the last \
             {CONFIRMED} characters of it: "
        ))?;
        confirms(&mut io::stdin().lock(), scsi_id)
    }

    fn note(&mut self, line: &str) {
        self.progress.clear();
        complain(line);
    }

    fn begin(&mut self, number: usize, summary: &str) {
        self.tell(&format!("{number}. {summary}"));
    }

    fn end(&mut self, done: &Done) {
        match done {
            Done::Changed(what) => self.tell(&format!("   done: {what}")),
            Done::Unchanged => self.tell("   done already: nothing changed"),
        }
    }

    fn progress(&mut self, line: &str) {
        self.progress.work(line);
    }

    fn transfer(&mut self, what: &str, done: u64, total: Option<u64>) {
        self.progress.transfer(what, done, total);
    }
}

/// How many characters of a SCSI ID tell that a person looked at it.
const CONFIRMED: usize = 8;

fn at_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Whether the answer is the SCSI ID, or the end of it.
fn confirms(input: &mut impl BufRead, scsi_id: &str) -> Result<bool> {
    let mut answer = String::new();
    input.read_line(&mut answer).context("reading the answer")?;
    let (answer, whole) = (answer.trim().to_ascii_lowercase(), scsi_id.to_ascii_lowercase());
    Ok(answer == whole || (answer.len() >= CONFIRMED && whole.ends_with(&answer)))
}

/// Whether the answer is yes: nothing else is, neither an empty line nor the end of input.
pub(super) fn agrees(input: &mut impl BufRead) -> Result<bool> {
    let mut answer = String::new();
    input.read_line(&mut answer).context("reading the answer")?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Verb};
    use crate::steps::remedy::Takeover;

    #[test]
    fn only_yes_is_yes() {
        for (answer, yes) in
            [("y\n", true), ("Yes\n", true), ("\n", false), ("", false), ("n\n", false), ("yn\n", false)]
        {
            assert_eq!(agrees(&mut answer.as_bytes()).unwrap(), yes, "{answer:?}");
        }
    }

    #[test]
    fn what_is_to_be_done_with_disks_is_one_thing_and_said_by_a_person() {
        let parsed = |words: &[&str]| {
            let cli = Cli::try_parse_from([["mt-agent", "apply"].as_slice(), words].concat()).ok()?;
            let Cli { verb: Verb::Apply(args), .. } = cli else { panic!("apply was parsed") };
            let request = args.disks.request();
            Some((request.retention_disk, request.takeover, request.erase_disk, request.grow))
        };
        let sdb = || Some("sdb".to_owned());
        assert_eq!(parsed(&["--retention-disk", "sdb", "--grow"]), Some((sdb(), None, None, true)));
        let replace = Some(Takeover::Replace);
        assert_eq!(parsed(&["--replace-retention", "sdb"]), Some((sdb(), replace, None, false)));
        assert_eq!(
            parsed(&["--replace-retention", "sdb", "--erase-disk", "sdb"]),
            Some((sdb(), replace, sdb(), false))
        );
        assert_eq!(parsed(&["--adopt-retention", "sdb"]), Some((sdb(), Some(Takeover::Adopt), None, false)));
        for words in [
            ["--adopt-retention", "sdb", "--erase-disk", "sdb"].as_slice(),
            &["--adopt-retention", "sdb", "--replace-retention", "sdc"],
            &["--replace-retention", "sdb", "--retention-disk", "sdb"],
            &["--replace-retention", ""],
            &["--resume", "--grow"],
            &["--replace-retention", "sdb", "--grow"],
            &["--download-only", "/srv/p", "--grow"],
            &["--download-only", "/srv/p", "--adopt-retention", "sdb"],
            &["--download-only", "/srv/p", "--replace-retention", "sdb"],
            &["--resume", "--adopt-retention", "sdb"],
            &["--resume", "--erase-disk", "sdb"],
            &["--forget", "--replace-retention", "sdb"],
        ] {
            assert_eq!(parsed(words), None, "{words:?}");
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
        let confirmed = |words: &[&str], asks| {
            let cli =
                Cli::try_parse_from([["mt-agent", "apply", "--format", "json"].as_slice(), words].concat());
            let Cli { verb: Verb::Apply(args), global, .. } = cli.unwrap() else {
                panic!("apply was parsed")
            };
            let session = Session::open(&global).unwrap();
            let mut terminal =
                Terminal { args: &args, session: &session, progress: Progress::new(true), asks };
            terminal.confirm(&Plan::default(), None).map_err(|error| error.to_string())
        };
        assert_eq!(confirmed(&["--yes"], false), Ok(true));
        assert_eq!(confirmed(&["--resume"], false), Ok(true));
        assert_eq!(confirmed(&["--resume", "--yes"], true), Ok(true));
        confirmed(&["--resume"], true).unwrap_err();
        let refusal = confirmed(&[], false).unwrap_err();
        assert!(refusal.contains("add --yes") && refusal.ends_with("nothing was changed"), "{refusal}");
    }
}
