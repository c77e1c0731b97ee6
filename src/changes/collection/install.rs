//! Installs from a collection, and from nothing else: by the tool that knows no repository and is given no address.
//!
//! The collection holds what an empty system would need; of that, this host gets what the tool says it lacks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use super::directory::Collection;
use super::examine::{Examined, examine};
use super::manifest::{FILE, Role};

use crate::changes::packages::{describe, file_transaction, missing, wait_for_lock};
use crate::changes::{Context, Done, consent};
use crate::host::{Host, text};
use crate::platform::packages::{Act, Database, LONG_QUESTION, Need, reason};

/// Installs those of `packages` that are missing, with what they need, from the collection in `directory`. `agreed` is
/// the SHA-256 of the manifest that a person agreed to.
/// Errors: One line: the collection is not what its manifest says, lacks something, or what the tool printed.
pub fn install(
    context: &mut Context<'_>,
    directory: &Path,
    agreed: Option<&str>,
    packages: &[String],
) -> Result<Done> {
    let database =
        Database::of(context.host).with_context(|| format!("installing {}", packages.join(", ")))?;
    if agreed.is_some() {
        let manifest = directory.join(FILE);
        consent::unchanged(&manifest.display().to_string(), &consent::digest(&manifest)?, agreed)?;
    }
    let wanted = missing(context.host, database, packages)?;
    if wanted.is_empty() {
        return Ok(Done::Unchanged);
    }
    let collection = Collection::open(directory)?;
    wait_for_lock(context, database, Instant::now() + context.profile.packages.lock_timeout.get())?;
    let examined = examine(context.host, &collection, context.profile)
        .with_context(|| collection.directory.display().to_string())?;
    let chosen = choose(context, database, &collection, &examined, &wanted)?;
    for file in &chosen {
        context.observer.log(&format!("{}: {}", file.entry.file, file.verified));
        if file.is_doubtful() {
            context.observer.progress(&format!("{}: {}", file.entry.file, file.verified));
        }
    }
    let ran = file_transaction(context, database, Act::Upgrade, &collection.directory, &names(&chosen))?;
    let installed = database.installed(context.host, &wanted)?;
    let left: Vec<&str> = wanted.iter().copied().filter(|name| !installed.contains_key(*name)).collect();
    match ran {
        Ok(_) if left.is_empty() => {
            let others = chosen.len() - wanted.len().min(chosen.len());
            let with = if others == 0 { String::new() } else { format!(", with {others} that they need") };
            Ok(Done::Changed(format!("{}{with}", describe(&installed))))
        }
        Ok(output) => {
            bail!("{} did not install {}: {}", database.tool().name, left.join(", "), reason(&output))
        }
        Err(failure) => Err(anyhow!(failure).context("installing the collected packages")),
    }
}

/// The files that install `wanted` on this host, with what it lacks for them.
fn choose<'a>(
    context: &Context<'_>,
    database: Database,
    collection: &Collection,
    examined: &'a [Examined<'a>],
    wanted: &[&str],
) -> Result<Vec<&'a Examined<'a>>> {
    let (host, architecture) = (context.host, context.profile.os.architecture.name());
    let directory = collection.directory.display();
    let files: Vec<&Examined<'_>> = examined.iter().filter(|file| file.entry.role != Role::Agent).collect();
    let mut chosen: Vec<&Examined<'_>> = Vec::new();
    for name in wanted {
        let file = files
            .iter()
            .filter(|file| file.package.name == *name)
            .min_by_key(|file| file.package.architecture != architecture)
            .with_context(|| lacks(collection, &[*name]))?;
        chosen.push(file);
    }
    let mut provided: Option<BTreeMap<String, Vec<usize>>> = None;
    loop {
        let trial =
            database.command(Act::TryUpgrade, &collection.directory, &names(&chosen), LONG_QUESTION)?;
        let output = trial.without_network().run(host)?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        let needs = database.needs(&stderr)?;
        // Anything else that stands in the way is reported by the transaction itself.
        if output.status == 0 || needs.is_empty() {
            break;
        }
        if provided.is_none() {
            provided = Some(provides(host, database, &collection.directory, &files)?);
        }
        let before = chosen.len();
        for need in &needs {
            let Some(found) = provided.as_ref().and_then(|provided| provider(need, &files, provided)) else {
                continue;
            };
            if !chosen.iter().any(|file| file.entry == found.entry) {
                chosen.push(found);
            }
        }
        ensure!(
            chosen.len() > before,
            "{directory} does not hold all that this host needs: {}; collect again, for this host's profile",
            needs
                .iter()
                .map(Need::line)
                .collect::<BTreeSet<_>>()
                .into_iter()
                .take(4)
                .collect::<Vec<_>>()
                .join("; ")
        );
    }
    // Upgrading would take the running kernel away.
    ensure!(
        !chosen.iter().any(|file| file.package.is_kernel()),
        "the packages in {directory} need another kernel than this host's, which the agent does not replace: install \
         it by hand ({}), or collect from the repositories of {}",
        database.tool().install,
        text::safe(&collection.manifest.release)
    );
    refuse_removals(host, database, &chosen).with_context(|| directory.to_string())?;
    Ok(chosen)
}

/// Refuses what would take packages off this host: an upgrade removes what a package obsoletes. What conflicts, the tool refuses
/// itself.
fn refuse_removals(host: &Host, database: Database, chosen: &[&Examined<'_>]) -> Result<()> {
    if chosen.iter().all(|file| file.package.obsoletes.is_empty()) {
        return Ok(());
    }
    let installed = database.all_installed(host)?;
    for file in chosen {
        let package = &file.package;
        for obsolete in package.obsoletes.iter().filter(|obsolete| obsolete.name != package.name) {
            // A path stands for the package that holds it (rpm 4.8).
            let removed = |name: &str, version| {
                obsolete.name.starts_with('/') || name == obsolete.name && obsolete.holds(version)
            };
            let stays = |name: &str| chosen.iter().any(|other| other.package.name == name);
            let found = installed.iter().find(|(name, version)| removed(name, version) && !stays(name));
            if let Some((name, _)) = found {
                let what = if obsolete.name.starts_with('/') { &obsolete.name } else { name };
                bail!(
                    "{} obsoletes {what}, which {} would remove from this host: remove it yourself first ({}), if it is not \
                     needed, or install {} by hand",
                    file.entry.file,
                    database.tool().name,
                    database.tool().remove,
                    package.name
                );
            }
        }
    }
    Ok(())
}

pub(super) fn lacks(collection: &Collection, names: &[&str]) -> String {
    format!(
        "{} has no package {}: it was collected for the profile {}; collect again, for this host's profile",
        collection.directory.display(),
        names.join(", "),
        text::safe(&collection.manifest.profile)
    )
}

fn names<'a>(files: &[&Examined<'a>]) -> Vec<&'a str> {
    files.iter().map(|file| file.entry.file.as_str()).collect()
}

/// What each of `files` provides, the paths of what is in it among it: name to positions in `files`.
fn provides(
    host: &Host,
    database: Database,
    directory: &Path,
    files: &[&Examined<'_>],
) -> Result<BTreeMap<String, Vec<usize>>> {
    let mut provided: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, file) in files.iter().enumerate() {
        // One file at a time: together, their lists are longer than what is kept of an answer.
        let paths = database.paths(host, directory, &file.entry.file)?;
        for name in file.package.provides.iter().chain(&paths) {
            let all = provided.entry(name.clone()).or_default();
            if all.last() != Some(&at) {
                all.push(at);
            }
        }
    }
    Ok(provided)
}

/// The file that answers `need`: of several that do, the one with the shortest name, as yum chooses.
fn provider<'a>(
    need: &Need,
    files: &[&'a Examined<'a>],
    provided: &BTreeMap<String, Vec<usize>>,
) -> Option<&'a Examined<'a>> {
    // An installed package that would be broken has to be replaced by its own new edition.
    let own = || files.iter().find(|file| need.is_by(&file.package.name)).copied();
    if need.installed {
        return own();
    }
    let found = provided.get(&need.name)?.iter().filter_map(|at| files.get(*at).copied());
    found.min_by_key(|file| (file.package.name.len(), file.package.name.clone()))
}
