//! `apply --download-only`: collects what an unconnected master target needs. Changes nothing of this host but the
//! directory that was named, and what the agent itself keeps (journal, log, lock).

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use super::engine::Engine;
use super::recorder::Recorder;
use super::watcher::Watcher;
use crate::changes::collection::{Collection, Order, can_be_collected_in};
use crate::changes::{Change, PackageFile};
use crate::host::Host;
use crate::platform::packages::SUFFIX;
use crate::profile::Profile;
use crate::report::collected::Collected;

/// What is collected for, in the journal.
const REQUIREMENT: &str = "download-only";

/// What a person asked for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub directory: PathBuf,
    /// Repositories instead of this host's own.
    pub repositories: Vec<String>,
    /// The agent's own package; the one beside the program, where none is named.
    pub agent_package: Option<PathBuf>,
}

/// Collects what `profile` needs.
/// Errors: Not root, another run is in progress, something could not be had or does not belong there: then the
/// directory is as it was, or without a manifest.
pub fn collect(
    host: &Host,
    profile: &Profile,
    options: &Options,
    watcher: &mut dyn Watcher,
) -> Result<Collected> {
    ensure!(host.is_live(), "apply --download-only works on the running host only, not on {host}");
    let directory = std::path::absolute(&options.directory).context("looking at the current directory")?;
    can_be_collected_in(&directory)?;
    // It begins no changes: a signal ends the run at once, which harms nothing.
    let engine = Engine::start(host, "apply")?;
    engine.close_files(host, watcher);
    let change = Change::Collect(Order {
        directory,
        packages: packages(profile),
        files: files(profile),
        repositories: options.repositories.clone(),
        agent_package: options.agent_package.clone().or_else(beside_us),
    });
    let mut recorder = Recorder::open(host, profile, &engine.boot_id)?;
    recorder.begin(false, None)?;
    let changed = recorder.perform(REQUIREMENT, &change, watcher).inspect_err(|_| {
        // What failed is reported, even where it cannot be written down.
        let _ = recorder.end("failed");
    })?;
    recorder.end("collected")?;
    // As the target will read it.
    Ok(Collected { collection: Collection::open(&options.directory)?, changed })
}

/// The agent's own package beside the program, as scripts/build-release leaves it.
fn beside_us() -> Option<PathBuf> {
    let directory = env::current_exe().ok()?.parent()?.to_owned();
    package_in(&directory)
}

fn package_in(directory: &Path) -> Option<PathBuf> {
    let mut names: Vec<String> = directory
        .read_dir()
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with(concat!("mt-agent-", env!("CARGO_PKG_VERSION"), "-")))
        .filter(|name| name.ends_with(SUFFIX))
        .collect();
    names.sort();
    names.pop().map(|name| directory.join(name))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::files::replace;

    #[test]
    fn only_this_version_s_package_beside_the_program_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(package_in(dir.path()), None);
        let name = concat!("mt-agent-", env!("CARGO_PKG_VERSION"), "-1.x86_64.rpm");
        for name in [name, "mt-agent-0.0.0-1.x86_64.rpm", "mt-agent", "other.rpm"] {
            replace(&dir.path().join(name), b"", 0o644).unwrap();
        }
        assert_eq!(package_in(dir.path()), Some(dir.path().join(name)));
    }
}
