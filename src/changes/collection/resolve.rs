//! Downloads the packages that a target needs, with all their dependencies.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use super::order::Order;
use super::work::Work;
use crate::changes::Context;
use crate::platform::packages::resolve::{Desk, Wanted};
use crate::platform::packages::{Act, Database, LONG_QUESTION, SUFFIX, no_repository, plain, reason};

#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub directory: PathBuf,
    pub files: Vec<String>,
}

/// Downloads the packages of `order` with all their dependencies.
/// Errors: One line: there is neither yum nor dnf, this host's repositories are another release's, or what the
/// package manager said.
pub(super) fn resolve(context: &mut Context<'_>, order: &Order, work: &Work) -> Result<Resolved> {
    if order.packages.is_empty() {
        return Ok(Resolved::default());
    }
    for name in &order.packages {
        plain(name, "a package")?;
    }
    let profile = context.profile;
    let wanted = Wanted {
        packages: &order.packages,
        repositories: &order.repositories,
        ca_file: profile.files.ca_file.as_deref(),
        release: &profile.os.release,
        deadline: profile.packages.deadline.get(),
    };
    let (root, packages) = (work.directory("root")?, work.directory("packages")?);
    let desk = Desk { root: &root, packages: &packages, configuration: work.top() };
    let (manager, command) = wanted.command(context.host, &desk)?;
    let tool = manager.tool();
    let names = order.packages.join(", ");
    let output = context.run(&command).with_context(|| format!("collecting {names}"))?;
    if output.status != 0 {
        let why = format!("{tool} did not collect {names}: {}", reason(&output));
        bail!(no_repository(why, wanted.repositories_advice()));
    }
    let mut found = Vec::new();
    find(&packages, &mut found)?;
    find(&root, &mut found)?;
    for path in found {
        let to = packages.join(path.file_name().unwrap_or_default());
        fs::rename(&path, &to).with_context(|| format!("moving {}", path.display()))?;
    }
    let files = super::directory::packages(&packages)?;
    ensure!(
        !files.is_empty(),
        "{tool} resolved {names} and downloaded nothing: {}",
        manager.when_nothing_came()
    );
    Ok(Resolved { directory: packages, files })
}

/// Makes sure, by their tool's own judgement, that every dependency of `packages` is among them.
/// Errors: What is missing, as the tool says it.
pub(super) fn is_whole(
    context: &mut Context<'_>,
    database: Database,
    packages: &Resolved,
    work: &Work,
) -> Result<()> {
    if packages.files.is_empty() {
        return Ok(());
    }
    let directory = work.directory("database")?.display().to_string();
    let files: Vec<&str> = packages.files.iter().map(String::as_str).collect();
    let trial = database.command(Act::TryAlone(&directory), &packages.directory, &files, LONG_QUESTION)?;
    let output = context.run(&trial.without_network())?;
    ensure!(output.status == 0, "what was downloaded is not whole: {}", reason(&output));
    Ok(())
}

fn find(directory: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let reading = || format!("reading the directory {}", directory.display());
    for entry in fs::read_dir(directory).with_context(reading)? {
        let entry = entry.with_context(reading)?;
        let kind = entry.file_type().with_context(reading)?;
        if kind.is_dir() {
            find(&entry.path(), found)?;
        } else if kind.is_file() && entry.file_name().to_string_lossy().ends_with(SUFFIX) {
            found.push(entry.path());
        }
    }
    Ok(())
}
