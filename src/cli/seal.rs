//! `mt-agent seal`.

use std::io;

use anyhow::{Result, bail, ensure};

use super::apply::agrees;
use super::exit;
use super::output::{complain, print};
use super::progress::Progress;
use super::session::{Answer, Format, Session};
use crate::host::Kind;
use crate::image::seal::table::TABLE;
use crate::image::seal::{AROUND, AUTHORIZED_KEYS, STEPS, choose};
use crate::report::seal::{
    Ended, List, Listed, Sealing, document, list_document, render, render_list, render_outcome,
};
use crate::report::style::{Page, Paint};
use crate::report::text::Detail;
use crate::run::seal::{self, Watcher};
use crate::state::sealing::Order;

const NOTE: &str = "Exits 0 when the image is sealed, or was already, or the steps chosen are done; 1 when cloning would be \
     unsafe, the person said no, or there is something to do with --dry-run. The tree of an image is sealed by --root, with \
     all that belongs to it mounted there";

/// Makes this host safe to clone as a golden image.
#[derive(clap::Args, Debug)]
#[command(after_help = NOTE)]
pub struct Args {
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Show what would be done, and why it may be refused; change nothing
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// List the steps and what each takes out, what is kept, and what is left to you
    #[arg(long, conflicts_with_all = ["yes", "dry_run", "only", "skip", "wipe_free_space", "remove_authorized_keys"])]
    pub list: bool,
    /// Do these steps alone (repeatable, or comma separated)
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Leave these steps out
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    pub skip: Vec<String>,
    /// Fill free space with zeros at the end: what was removed earlier is then gone as well
    #[arg(long)]
    pub wipe_free_space: bool,
    /// Remove the authorized_keys of root and all users as well: who may log in to each clone
    #[arg(long)]
    pub remove_authorized_keys: bool,
    /// How to report
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: Format,
}

impl Args {
    /// Looks, asks, seals and reports.
    ///
    /// # Errors
    /// Not root, nobody to ask, an unknown step, a bad profile, something that failed.
    pub fn run(&self, session: &Session) -> Result<Answer> {
        if self.list {
            let text = match self.format {
                Format::Text => render_list(&list(), session.style),
                Format::Json => list_document(&list())?,
            };
            return Ok(Answer::new(text, exit::READY));
        }
        let chosen = choose(self.only.clone(), self.skip.clone())?;
        ensure!(
            !self.wipe_free_space || chosen.has("free-space"),
            "--wipe-free-space: --only and --skip leave the step free-space out"
        );
        ensure!(
            !self.remove_authorized_keys || chosen.has(AUTHORIZED_KEYS),
            "--remove-authorized-keys: --only and --skip leave the step {AUTHORIZED_KEYS} out"
        );
        ensure!(nix::unistd::geteuid().is_root(), "seal needs root: run it as root or with sudo");
        if session.host.kind() == Kind::Image
            && session.host.root().canonicalize()? == std::path::Path::new("/")
        {
            bail!("--root / is this machine, which is running: seal it without --root");
        }
        if !self.dry_run {
            session.refuse_unsafe_profile("seal")?;
        }
        // A profile of this machine says nothing to the machines made from a tree.
        let profile = if session.host.is_live() { session.profile_name() } else { None };
        let order = Order {
            chosen,
            wipe_free_space: self.wipe_free_space,
            remove_authorized_keys: self.remove_authorized_keys,
            profile,
        };
        let profile = session.profile()?;
        if self.dry_run {
            return answer(&seal::look(&session.host, &profile, &order)?, session, self.format, false);
        }
        let mut terminal = Terminal { session, format: self.format, yes: self.yes, shown: false };
        let sealed = seal::seal(&session.host, &profile, &order, &mut terminal)?;
        answer(&sealed, session, self.format, terminal.shown)
    }
}

/// What sealing takes out and what it leaves.
fn list() -> List {
    let does = |id: &str| TABLE.iter().filter(|row| row.step == id).map(|row| row.summary()).collect();
    let steps = AROUND[..1].iter().chain(STEPS).chain(&AROUND[1..]);
    List {
        steps: steps.map(|(id, title)| Listed { id, title, does: does(id) }).collect(),
        kept: TABLE.iter().filter(|row| row.is_kept()).map(|row| row.summary()).collect(),
        left: TABLE.iter().filter(|row| row.is_left()).map(|row| row.summary()).collect(),
    }
}

/// Finishes a sealing that was interrupted: what the service finds at the next boot.
///
/// # Errors
/// As [`Args::run`].
pub(super) fn go_on(session: &Session, order: &Order, format: Format) -> Result<Answer> {
    let session = session.with_profile(order.profile.clone());
    let profile = session.profile()?;
    let mut terminal = Terminal { session: &session, format, yes: true, shown: false };
    let sealed = seal::resume(&session.host, &profile, order, &mut terminal)?;
    answer(&sealed, &session, format, terminal.shown)
}

/// The report; what it came to alone where the rest has been shown.
fn answer(sealing: &Sealing, session: &Session, format: Format, shown: bool) -> Result<Answer> {
    let code = match sealing.ended {
        _ if !sealing.refusals.is_empty() => exit::NOT_READY,
        Ended::Sealed | Ended::Nothing => exit::READY,
        Ended::DryRun if sealing.is_idle() => exit::READY,
        Ended::DryRun | Ended::Declined | Ended::Refused => exit::NOT_READY,
        Ended::Interrupted => exit::FAILED,
    };
    let text = match format {
        Format::Json => document(sealing)?,
        Format::Text if shown || session.detail == Detail::Quiet => render_outcome(sealing, session.style),
        Format::Text => render(sealing, session.style),
    };
    Ok(Answer::new(text, code))
}

/// The person at the terminal, or the script that said --yes.
struct Terminal<'a> {
    session: &'a Session,
    format: Format,
    yes: bool,
    shown: bool,
}

impl Watcher for Terminal<'_> {
    fn confirm(&mut self, found: &Sealing) -> Result<bool> {
        if self.yes {
            return Ok(true);
        }
        self.format.can_ask("to seal it")?;
        let plan = Sealing { ended: Ended::DryRun, ..found.clone() };
        print(&format!("{}\nProceed? [y/N] ", render(&plan, self.session.style)))?;
        self.shown = true;
        agrees(&mut io::stdin().lock())
    }

    fn begin(&mut self, step: &str, items: &[String]) {
        if self.format == Format::Json || self.session.detail != Detail::Verbose {
            return;
        }
        let mut page = Page::new(self.session.style);
        for item in items {
            // No colon: what follows `passphrases:` would be hidden as a secret.
            page.wrapped("", Paint::Plain, &format!("{step:18}"), item);
        }
        // That it cannot be written must not end a run half-way.
        let _ = print(&page.finish());
    }

    fn note(&mut self, line: &str) {
        complain(line);
    }

    fn progress(&mut self, line: &str) {
        Progress::new(self.session.detail == Detail::Quiet).work(line);
    }
}
