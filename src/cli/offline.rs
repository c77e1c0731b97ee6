//! `apply --download-only` and `--offline`: a master target without a connection.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::exit;
use super::session::{Answer, Format, Session};
use crate::changes::collection::manifest::{Entry, Manifest, Role};
use crate::platform::packages::SUFFIX;
use crate::platform::packages::rpm::{NO_SIGNATURE, NOT_VERIFIED};
use crate::report::json;
use crate::report::style::Page;
use crate::run::apply::Watcher;
use crate::run::collect::{self, Collected};

/// Where packages come from, and where to.
#[derive(Args, Debug)]
#[command(next_help_heading = "Without a connection")]
pub struct Offline {
    /// Only collect in DIR what an unconnected master target needs, with a manifest of
    /// SHA-256 sums. Installs nothing and asks nothing; exits 0 when all of it is there
    #[arg(long, value_name = "DIR", conflicts_with_all = ["offline", "resume", "restart", "only", "skip", "stage",
        "Disks", "custom_changes"])]
    download_only: Option<PathBuf>,
    /// Collect from this repository of the target's release (http, https or file
    /// address; repeatable), not from those of this host
    #[arg(long, value_name = "URL", requires = "download_only")]
    repository: Vec<String>,
    /// Collect the agent's own package too [default: mt-agent-VERSION-*.rpm beside the
    /// program, if it is there]
    #[arg(long, value_name = "FILE", requires = "download_only")]
    agent_package: Option<PathBuf>,
    /// Verify what --download-only collected in DIR, and take packages from nowhere else
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    pub offline: Option<PathBuf>,
}

impl Offline {
    /// What is to be collected, if that is what was asked for.
    pub fn collecting(&self) -> Option<collect::Options> {
        Some(collect::Options {
            directory: self.download_only.clone()?,
            repositories: self.repository.clone(),
            agent_package: self.agent_package.clone().or_else(beside_us),
        })
    }
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

const SCHEMA: &str = "mt-agent/collected/v1";

/// The document of `apply --download-only`.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    directory: String,
    changed: &'a Option<String>,
    notes: &'a [String],
    manifest: &'a Manifest,
}

/// Collects and reports.
///
/// # Errors
/// As [`collect::collect`].
pub fn collect(
    session: &Session,
    options: &collect::Options,
    format: Format,
    watcher: &mut dyn Watcher,
) -> Result<Answer> {
    let collected = collect::collect(&session.host, &session.profile()?, options, watcher)?;
    let notes = notes(&collected);
    let Collected { collection, changed } = &collected;
    let directory = collection.directory.display().to_string();
    if format == Format::Json {
        let document =
            Document { schema: SCHEMA, directory, changed, notes: &notes, manifest: &collection.manifest };
        return Ok(Answer::new(json::document(&document)?, exit::READY));
    }
    let mut page = Page::new(session.style);
    let count = collection.manifest.files.len();
    match changed {
        Some(_) => page.line(&format!("{count} files in {directory}: copy them to the master target")),
        None => {
            page.line(&format!("nothing to collect: all {count} files in {directory} are there, and whole"))
        }
    };
    page.line("on the master target, as root:");
    if let Some(agent) = collection.manifest.files.iter().find(|entry| entry.role == Role::Agent) {
        page.line(&format!("  rpm -i DIR/{}", agent.file));
    }
    page.line("  mt-agent apply --offline DIR");
    for note in &notes {
        page.wrapped("", crate::report::style::Paint::Warn, "note: ", note);
    }
    Ok(Answer::new(page.finish(), exit::READY))
}

fn notes(collected: &Collected) -> Vec<String> {
    let files = &collected.collection.manifest.files;
    let mut notes = Vec::new();
    if !files.iter().any(|entry| entry.role == Role::Agent) {
        notes.push("the agent's own package is not among them: name it with --agent-package FILE".to_owned());
    }
    let doubtful = files.iter().filter(|entry| entry.verified.contains(NOT_VERIFIED)).count();
    if doubtful > 0 {
        notes.push(format!("{doubtful} of {} files are not verified, as the profile accepts", files.len()));
    }
    let unsigned =
        |entry: &&Entry| entry.verified.ends_with(NO_SIGNATURE) && !entry.verified.contains(NOT_VERIFIED);
    let unsigned = files.iter().filter(unsigned).count();
    if unsigned > 0 {
        notes.push(format!(
            "{unsigned} of {} files have no signature: the target refuses them, unless its profile says `files.unverified: \
             install-without-verification`",
            files.len()
        ));
    }
    notes
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
