//! Installs from a collection, and from nothing else: rpm alone, which knows no repository and is given no address.
//!
//! The collection holds what an empty system would need; of that, this host gets what rpm says it lacks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use super::directory::Collection;
use super::examine::{Examined, examine};
use super::manifest::{FILE, Role};

use crate::changes::packages::{describe, missing, rpm_transaction, wait_for_rpm};
use crate::changes::{Context, Done, consent};
use crate::host::{Host, text};
use crate::platform::packages::{needs_rpm, reason, rpm};

/// How long rpm may think about a transaction, or about what some hundred files provide.
const QUESTION: Duration = Duration::from_secs(300);

/// Installs those of `packages` that are missing, with what they need, from the collection in `directory`. `agreed` is
/// the SHA-256 of the manifest that a person agreed to.
/// Errors: One line: the collection is not what its manifest says, lacks something, or what rpm printed.
pub fn install(
    context: &mut Context<'_>,
    directory: &Path,
    agreed: Option<&str>,
    packages: &[String],
) -> Result<Done> {
    needs_rpm(context.host).with_context(|| format!("installing {}", packages.join(", ")))?;
    if agreed.is_some() {
        let manifest = directory.join(FILE);
        consent::unchanged(&manifest.display().to_string(), &consent::digest(&manifest)?, agreed)?;
    }
    install_missing(context, directory, packages)
}

fn install_missing(context: &mut Context<'_>, directory: &Path, packages: &[String]) -> Result<Done> {
    let wanted = missing(context.host, packages)?;
    if wanted.is_empty() {
        return Ok(Done::Unchanged);
    }
    let collection = Collection::open(directory)?;
    wait_for_rpm(context, Instant::now() + context.profile.packages.lock_timeout.get())?;
    let examined = examine(context.host, &collection, context.profile)
        .with_context(|| collection.directory.display().to_string())?;
    let chosen =
        choose(context.host, &collection, &examined, &wanted, context.profile.os.architecture.name())?;
    for file in &chosen {
        context.observer.log(&format!("{}: {}", file.entry.file, file.verified));
        if file.is_doubtful() {
            context.observer.progress(&format!("{}: {}", file.entry.file, file.verified));
        }
    }
    let ran = rpm_transaction(context, "-Uv", &collection.directory, &names(&chosen))?;
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
    collection: &Collection,
    examined: &'a [Examined<'a>],
    wanted: &[&str],
    architecture: &str,
) -> Result<Vec<&'a Examined<'a>>> {
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
        let trial = rpm::on_files(&collection.directory, &["-U", "--test"], &names(&chosen), QUESTION)?;
        let output = trial.without_network().run(host)?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        let needs = parse_needs(&stderr);
        // Anything else that stands in the way is reported by the transaction itself.
        if output.status == 0 || needs.is_empty() {
            break;
        }
        if provided.is_none() {
            provided = Some(provides(host, collection, &files)?);
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
    // rpm -U would take the running kernel away.
    let is_kernel =
        |file: &&Examined<'_>| file.package.provides.iter().any(|name| KERNELS.contains(&name.as_str()));
    ensure!(
        !chosen.iter().any(is_kernel),
        "the packages in {directory} need another kernel than this host's, which the agent does not replace: install \
         it by hand (rpm -i), or collect from the repositories of {}",
        text::safe(&collection.manifest.release)
    );
    refuse_removals(host, &chosen).with_context(|| directory.to_string())?;
    Ok(chosen)
}

/// What a kernel provides: whatever its package is called (`kernel`, `kernel-core`, `kernel-ml`), one of these.
const KERNELS: [&str; 3] = ["kernel", "kernel-core", "kernel-uname-r"];

/// Refuses what would take packages off this host: rpm's `-U` removes what a package obsoletes. What conflicts, rpm
/// refuses itself.
fn refuse_removals(host: &Host, chosen: &[&Examined<'_>]) -> Result<()> {
    if chosen.iter().all(|file| file.package.obsoletes.is_empty()) {
        return Ok(());
    }
    let installed = rpm::all_installed(host)?;
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
                    "{} obsoletes {what}, which rpm would remove from this host: remove it yourself first (rpm -e), if it is \
                     not needed, or install {} by hand",
                    file.entry.file,
                    package.name
                );
            }
        }
    }
    Ok(())
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

fn names<'a>(files: &[&Examined<'a>]) -> Vec<&'a str> {
    files.iter().map(|file| file.entry.file.as_str()).collect()
}

/// What each of `files` provides, the paths of what is in it among it: name to positions in `files`.
fn provides(
    host: &Host,
    collection: &Collection,
    files: &[&Examined<'_>],
) -> Result<BTreeMap<String, Vec<usize>>> {
    const PATHS: [&str; 4] = ["-qp", "--nosignature", "--qf", r"[%{FILENAMES}\n]"];
    let mut provided: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, file) in files.iter().enumerate() {
        // One file at a time: together, their lists are longer than what is kept of an answer.
        let name = file.entry.file.as_str();
        let answer = rpm::on_files(&collection.directory, &PATHS, &[name], QUESTION)?.read(host)?;
        let paths = answer.lines().filter(|line| !line.is_empty() && *line != "(none)");
        for name in file.package.provides.iter().map(String::as_str).chain(paths) {
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
    files: &[&'a Examined<'a>],
    provided: &BTreeMap<String, Vec<usize>>,
) -> Option<&'a Examined<'a>> {
    // An installed package that would be broken has to be replaced by its own new edition.
    let own = || files.iter().find(|file| is_called(&need.by, &file.package.name)).copied();
    if need.installed {
        return own();
    }
    let found = provided.get(&need.name)?.iter().filter_map(|at| files.get(*at).copied());
    found.min_by_key(|file| (file.package.name.len(), file.package.name.clone()))
}

/// Whether `full` (`glibc-common-2.12-1.el6.x86_64`) is a package called `name`.
fn is_called(full: &str, name: &str) -> bool {
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
        assert!(is_called(&needs[2].by, "glibc-common") && !is_called(&needs[2].by, "glibc"));
    }
}
