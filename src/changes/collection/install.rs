//! Installs from a collection, and from nothing else: rpm alone, which knows no repository and no address.
//!
//! The collection holds what an empty system would need; of that, this host gets what rpm says it lacks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use super::Collection;
use super::manifest::{Entry, FILE, Role};
use crate::changes::packages::{describe, missing, not_debian, reason, rpm, wait_for_rpm};
use crate::changes::{Context, Done, consent};
use crate::host::command::Command;
use crate::host::{Host, files, text};

/// How long rpm may think about a transaction, or about what some hundred files provide.
const QUESTION: Duration = Duration::from_secs(300);

/// Installs those of `packages` that are missing, with what they need, from the collection in `directory`. `agreed` is
/// the SHA-256 of the manifest that a person agreed to.
///
/// # Errors
/// One line: the collection is not what its manifest says, lacks something, or what rpm said.
pub fn install(
    context: &mut Context<'_>,
    directory: &Path,
    agreed: Option<&str>,
    packages: &[String],
) -> Result<Done> {
    not_debian(context.host).with_context(|| format!("installing {}", packages.join(", ")))?;
    if agreed.is_some() {
        let manifest = directory.join(FILE);
        consent::unchanged(&manifest.display().to_string(), &consent::digest(&manifest)?, agreed)?;
    }
    install_with_rpm(context, directory, packages)
}

/// As [`install`], whatever else than rpm this host has.
///
/// # Errors
/// As [`install`].
pub fn install_with_rpm(context: &mut Context<'_>, directory: &Path, packages: &[String]) -> Result<Done> {
    let wanted = missing(context.host, packages)?;
    if wanted.is_empty() {
        return Ok(Done::Unchanged);
    }
    let collection = Collection::open(directory)?;
    let settings = &context.profile.packages;
    wait_for_rpm(context, Instant::now() + settings.lock_timeout)?;
    let chosen = choose(context.host, &collection, &wanted, &context.profile.os.architecture)?;
    let arguments = ["-Uv".to_owned()].into_iter().chain(paths(&collection, &chosen));
    let ran = context.run(&Command::new("rpm", arguments, settings.deadline).transaction());
    // As after yum: what rpm wrote is to outlive a loss of power.
    files::sync_system(context.host)?;
    let installed = rpm::installed(context.host, &wanted)?;
    let left: Vec<&str> = wanted.iter().copied().filter(|name| !installed.contains_key(*name)).collect();
    match ran {
        Ok(_) if left.is_empty() => {
            let others = chosen.len() - wanted.len().min(chosen.len());
            let with = if others == 0 { String::new() } else { format!(", with {others} that they need") };
            Ok(Done::Changed(format!("{}{with}", describe(&installed))))
        }
        Ok(output) => bail!("rpm did not install {}: {}", left.join(", "), reason(&output)),
        Err(failure) => Err(anyhow!(failure).context("installing the collected packages")),
    }
}

/// The files that install `wanted` on this host, with what it lacks for them, as rpm says.
fn choose<'a>(
    host: &Host,
    collection: &'a Collection,
    wanted: &[&str],
    architecture: &str,
) -> Result<Vec<&'a Entry>> {
    let directory = collection.directory.display();
    let entries: Vec<&Entry> =
        collection.manifest.files.iter().filter(|entry| entry.role != Role::Agent).collect();
    let mut chosen: Vec<&Entry> = Vec::new();
    for name in wanted {
        let entry = entries
            .iter()
            .filter(|entry| entry.package == *name)
            .min_by_key(|entry| entry.architecture != architecture)
            .with_context(|| lacks(collection, &[*name]))?;
        chosen.push(entry);
    }
    let mut provided: Option<BTreeMap<String, Vec<usize>>> = None;
    loop {
        let arguments = ["-U", "--test"].map(str::to_owned).into_iter().chain(paths(collection, &chosen));
        let output = Command::new("rpm", arguments, QUESTION).run(host)?;
        let said = String::from_utf8_lossy(&output.stderr);
        let needs = parse_needs(&said);
        // Anything else that stands in the way is told by the transaction itself.
        if output.status == 0 || needs.is_empty() {
            break;
        }
        if provided.is_none() {
            provided = Some(provides(host, collection, &entries)?);
        }
        let before = chosen.len();
        for need in &needs {
            let Some(found) = provided.as_ref().and_then(|provided| provider(need, &entries, provided))
            else {
                continue;
            };
            if !chosen.contains(&found) {
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
    // rpm -U would take the running kernel away.
    ensure!(
        chosen.iter().all(|entry| entry.package != "kernel"),
        "the packages in {directory} need another kernel than this host's, which the agent does not replace: install \
         it by hand (rpm -i), or collect from the repositories of {}",
        text::safe(&collection.manifest.release)
    );
    Ok(chosen)
}

/// That the collection has none of the packages `names`.
pub(super) fn lacks(collection: &Collection, names: &[&str]) -> String {
    format!(
        "{} has no package {}: it was collected for the profile {}; collect again, for this host's profile",
        collection.directory.display(),
        names.join(", "),
        text::safe(&collection.manifest.profile)
    )
}

fn paths(collection: &Collection, entries: &[&Entry]) -> Vec<String> {
    entries.iter().map(|entry| collection.path(entry).to_string_lossy().into_owned()).collect()
}

/// What each of `entries` provides, its files' paths among it: name to positions in `entries`.
fn provides(
    host: &Host,
    collection: &Collection,
    entries: &[&Entry],
) -> Result<BTreeMap<String, Vec<usize>>> {
    let mut provided: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, entry) in entries.iter().enumerate() {
        let path = collection.path(entry);
        // One file at a time: together, their lists are longer than what is kept of an answer.
        let args =
            ["-qp", "--nosignature", "--qf", r"[%{PROVIDENAME}\n][%{FILENAMES}\n]", &path.to_string_lossy()];
        let answer = Command::new("rpm", args, QUESTION).read(host)?;
        for name in answer.lines().filter(|line| !line.is_empty() && *line != "(none)") {
            let all = provided.entry(name.to_owned()).or_default();
            if all.last() != Some(&at) {
                all.push(at);
            }
        }
    }
    Ok(provided)
}

/// A dependency that rpm found unmet.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Need {
    /// What is needed, without a version.
    name: String,
    /// What is needed, as rpm says it.
    what: String,
    /// Who needs it.
    by: String,
    /// Whether that is an installed package, which the transaction would break.
    installed: bool,
}

impl Need {
    fn line(&self) -> String {
        text::safe(&format!("{} is needed by {}", self.what, self.by))
    }
}

/// `\tperl-libs = 4:5.10.1-136.el6 is needed by perl-4:5.10.1-136.el6.x86_64`, from rpm 4.8 to 4.18; with
/// `(installed) ` before a package that is there already.
fn parse_needs(stderr: &str) -> Vec<Need> {
    stderr
        .lines()
        .filter_map(|line| line.trim().split_once(" is needed by "))
        .filter_map(|(what, by)| {
            let (by, installed) = match by.strip_prefix("(installed) ") {
                Some(by) => (by, true),
                None => (by, false),
            };
            let name = what.split_whitespace().next()?.to_owned();
            Some(Need { name, what: what.to_owned(), by: by.to_owned(), installed })
        })
        .collect()
}

/// The file that answers `need`: of several that do, the one with the shortest name, as yum chooses.
fn provider<'a>(
    need: &Need,
    entries: &[&'a Entry],
    provided: &BTreeMap<String, Vec<usize>>,
) -> Option<&'a Entry> {
    // An installed package that would be broken has to be replaced by its own new edition.
    let own = || entries.iter().find(|entry| names(&need.by, &entry.package)).copied();
    if need.installed {
        return own();
    }
    let found = provided.get(&need.name)?.iter().filter_map(|at| entries.get(*at).copied());
    found.min_by_key(|entry| (entry.package.len(), entry.package.clone()))
}

/// Whether `full` (`glibc-common-2.12-1.el6.x86_64`) is a package called `name`.
fn names(full: &str, name: &str) -> bool {
    let rest = full.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
    rest.is_some_and(|rest| rest.matches('-').count() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rpm_needs_is_read() {
        let needs = parse_needs(
            "error: Failed dependencies:\n\tperl-libs = 4:5.10.1-136.el6 is needed by perl-4:5.10.1-136.el6.x86_64\n\
             \tlibc.so.6(GLIBC_2.14)(64bit) is needed by x-1-1.x86_64\n\
             \tglibc = 2.12-1 is needed by (installed) glibc-common-2.12-1.x86_64\n\ta conflicts with b\n",
        );
        let short: Vec<_> = needs.iter().map(|need| (need.name.as_str(), need.installed)).collect();
        assert_eq!(short, [("perl-libs", false), ("libc.so.6(GLIBC_2.14)(64bit)", false), ("glibc", true)]);
        assert_eq!(needs[0].line(), "perl-libs = 4:5.10.1-136.el6 is needed by perl-4:5.10.1-136.el6.x86_64");
        assert!(names(&needs[2].by, "glibc-common") && !names(&needs[2].by, "glibc"));
    }
}
