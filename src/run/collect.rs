//! `apply --download-only`: collects what an unconnected master target needs. Changes nothing of this host but the
//! directory that was named, and what the agent itself keeps (journal, log, lock).

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};

use super::apply::{Both, Watcher};
use super::journal::{self, Event};
use super::log::Log;
use super::{lock, private, signals};
use crate::changes::PackageFile;
use crate::changes::collection::{Collection, can_be_collected_in};
use crate::changes::{self, Change, Done};
use crate::host::Host;
use crate::profile::Profile;

/// What is collected for, in the journal.
const REQUIREMENT: &str = "download-only";

/// What a person asked for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where to.
    pub directory: PathBuf,
    /// Repositories instead of this host's own.
    pub repositories: Vec<String>,
    /// The agent's own package.
    pub agent_package: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug)]
pub struct Collected {
    /// The collection, every file verified.
    pub collection: Collection,
    /// What was done; `None` where all of it was there already.
    pub changed: Option<String>,
}

/// Collects what `profile` needs.
///
/// # Errors
/// Not root, another run is going on, something could not be had or does not belong there: then the directory is as
/// it was, or without a manifest.
pub fn collect(
    host: &Host,
    profile: &Profile,
    options: &Options,
    watcher: &mut dyn Watcher,
) -> Result<Collected> {
    ensure!(host.is_live(), "apply --download-only works on the running host only, not on {host}");
    let directory = std::path::absolute(&options.directory).context("looking at the current directory")?;
    can_be_collected_in(&directory)?;
    // It is never told of changes: a signal ends the run at once, which harms nothing.
    let _guard = signals::Guard::install(host)?;
    let boot_id = host.read("/proc/sys/kernel/random/boot_id").context("reading the boot id")?;
    let boot_id = boot_id.trim();
    let _lock = lock::take(host, "apply", boot_id)?;
    if let Some(closed) = private::close(host) {
        watcher.note(&closed);
    }
    let change = Change::Collect {
        directory,
        packages: packages(profile),
        files: files(profile),
        repositories: options.repositories.clone(),
        agent_package: options.agent_package.clone(),
    };
    let mut journal = journal::open(host, boot_id)?;
    let mut log = Log::open(host)?;
    journal.write(Event::Begin {
        agent: env!("CARGO_PKG_VERSION").to_owned(),
        profile: profile.name.to_string(),
        resumed: false,
        selection: None,
    })?;
    watcher.begin(1, &change.summary());
    log.line(&format!("change: {}", change.summary()));
    journal.write(Event::Intent { requirement: REQUIREMENT.into(), change: change.clone() })?;
    let mut observer = Both { watcher: &mut *watcher, log: &mut log };
    let mut context = changes::Context { host, profile, boot_id, observer: &mut observer };
    let done = change.perform(&mut context).inspect_err(|error| {
        log.line(&format!("failed: {error:#}"));
        let error = crate::host::text::without_secrets(&format!("{error:#}"));
        // What failed is told, even where it cannot be written down.
        let _ = journal.write(Event::Failed { requirement: REQUIREMENT.into(), error });
        let _ = journal.write(Event::End { verdict: "failed".into() });
    })?;
    watcher.end(&done);
    let changed = match done {
        Done::Changed(what) => Some(what),
        Done::Unchanged => None,
    };
    journal.write(Event::Done { requirement: REQUIREMENT.into(), changed: changed.clone() })?;
    journal.write(Event::End { verdict: "collected".into() })?;
    // As the target will read it.
    Ok(Collected { collection: Collection::open(&options.directory)?, changed })
}

/// The packages that `profile` wants from repositories, each once.
pub(super) fn packages(profile: &Profile) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in profile.packages.base.iter().chain(&profile.packages.multipath) {
        if !names.iter().any(|other| other == &**name) {
            names.push(name.to_string());
        }
    }
    names
}

/// The packages that come as files and that the protected machines need.
pub(super) fn files(profile: &Profile) -> Vec<PackageFile> {
    let (wanted, files) = (&profile.sources, &profile.files);
    let kinds = [(wanted.reiserfs, &files.reiserfs), (wanted.xfs, &files.xfs)];
    kinds
        .into_iter()
        .filter(|(wanted, _)| *wanted)
        .flat_map(|(_, files)| files)
        .map(PackageFile::from)
        .collect()
}
