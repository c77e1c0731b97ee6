//! Makes a collection: everything is fetched into a directory of its own inside it and verified there, then moved,
//! and the manifest is written last. Killed at any instant, it leaves no manifest, or the old one with all its
//! files; the next run finishes.

use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use super::directory::{no_strangers, packages, read, verify};
use super::manifest::{Entry, FILE, Manifest, Role, SCHEMA};
use super::order::Order;
use super::place::can_be_collected_in;
use super::resolve;
use super::work::{WORK, Work, names};
use crate::changes::packages::{copy, obtain, sum_of};
use crate::changes::{Context, Done};
use crate::host::{files, sync, text, trust};
use crate::platform::packages::look::Package;
use crate::platform::packages::{Database, NO_SIGNATURE, SUFFIX, Signature, plain};
use crate::profile::Profile;

const AGENT: &str = "mt-agent";

/// Collects what is ordered; [`Done::Unchanged`] where all of it is there already.
/// Errors: One line: what could not be had, or does not belong there. What was there before is then still there.
pub fn collect(context: &mut Context<'_>, order: &Order) -> Result<Done> {
    let database = Database::of_release(&context.profile.os.release)?;
    let (directory, made) = prepare(&order.directory)?;
    let result = collect_into(context, database, order, &directory);
    if result.is_err() && made {
        // Only where nothing lies in it.
        let _ = fs::remove_dir(&directory);
    }
    result
}

fn collect_into(
    context: &mut Context<'_>,
    database: Database,
    order: &Order,
    directory: &Path,
) -> Result<Done> {
    let old = read(directory).context("it can be removed, to collect anew")?;
    match &old {
        Some(old) => {
            no_strangers(directory, old)?;
            match finished(context.profile, order, directory, old) {
                Ok(()) => return Ok(Done::Unchanged),
                Err(why) => context.observer.progress(&format!("collecting anew: {why:#}")),
            }
        }
        None => {
            only_ours(directory)?;
            // Before what shows that they are ours: without it a run that fails again would leave them for a stranger's.
            for name in packages(directory)? {
                let path = directory.join(&name);
                fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
            }
        }
    }
    clear(directory);
    let work = Work::new(directory)?;
    let staged = stage(context, database, order, &work)?;
    let manifest = Manifest {
        schema: SCHEMA.into(),
        agent: env!("CARGO_PKG_VERSION").into(),
        made: now(),
        profile: context.profile.name.to_string(),
        release: context.profile.os.release.to_string(),
        architecture: context.profile.os.architecture.to_string(),
        packages: order.packages.clone(),
        files: staged.iter().map(|(_, entry)| entry.clone()).collect(),
    };
    if let Err(error) = keep(directory, &staged, &manifest) {
        work.leave();
        return Err(error);
    }
    let bytes = manifest.files.iter().map(|entry| entry.size).sum();
    Ok(Done::Changed(format!(
        "collected {} in {} ({}), with their SHA-256 sums in {FILE}",
        match manifest.files.len() {
            1 => "1 package".to_owned(),
            many => format!("{many} packages"),
        },
        directory.display(),
        text::bytes(bytes)
    )))
}

/// The directory, made where it does not exist, and whether it was made.
fn prepare(directory: &Path) -> Result<(PathBuf, bool)> {
    let directory = std::path::absolute(directory).context("looking at the current directory")?;
    can_be_collected_in(&directory)?;
    let making = || format!("making the directory {}", directory.display());
    let made = match directory.metadata() {
        Ok(meta) if !meta.is_dir() => bail!("{} is not a directory", directory.display()),
        Ok(_) => false,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(0o755).create(&directory).with_context(making)?;
            true
        }
        Err(error) => return Err(error).with_context(making),
    };
    let real = trust::destination(&directory)?;
    can_be_collected_in(&real)?;
    Ok((real, made))
}

/// Refuses a directory with somebody else's files: what is in a collection is replaced and removed.
fn only_ours(directory: &Path) -> Result<()> {
    let mut names = names(directory)?;
    let unfinished = names.iter().any(|name| name.starts_with(WORK));
    names.retain(|name| {
        !(name == "lost+found" || name.starts_with(WORK) || unfinished && name.ends_with(SUFFIX))
    });
    if let Some(name) = names.first() {
        bail!(
            "{} is not empty ({}) and is no collection: name a new or an empty directory",
            directory.display(),
            text::safe(name)
        );
    }
    Ok(())
}

/// Whether the collection is what is ordered, and whole.
fn finished(profile: &Profile, order: &Order, directory: &Path, old: &Manifest) -> Result<()> {
    let same = old.profile == profile.name
        && old.release == profile.os.release
        && old.architecture == profile.os.architecture.name()
        && old.packages == order.packages;
    ensure!(same, "it was made for the profile {}, or for another edition of it", text::safe(&old.profile));
    for spec in &order.files {
        let entry = old.files.iter().find(|entry| entry.role == Role::File && entry.file == spec.file);
        let entry = entry.with_context(|| format!("it lacks {}", spec.file))?;
        let pinned = spec.sha256.as_ref().is_none_or(|pinned| *pinned == entry.sha256);
        ensure!(pinned, "the profile pins another {}", spec.file);
    }
    if let Some(path) = &order.agent_package {
        let (sum, _) = sum_of(path)?;
        let agent = old.files.iter().find(|entry| entry.role == Role::Agent);
        ensure!(
            agent.is_some_and(|agent| agent.sha256 == sum),
            "it has another package of the agent, or none"
        );
    }
    old.files.iter().try_for_each(|entry| verify(directory, entry))
}

/// Takes away what runs left that were killed. What a program of theirs still holds is left to the next run.
fn clear(directory: &Path) {
    for name in names(directory).unwrap_or_default() {
        if name.starts_with(WORK) {
            let _ = fs::remove_dir_all(directory.join(name));
        }
    }
}

/// All that is ordered, fetched and verified, with what the manifest will say of it.
fn stage(
    context: &mut Context<'_>,
    database: Database,
    order: &Order,
    work: &Work,
) -> Result<Vec<(PathBuf, Entry)>> {
    let os = context.profile.os.clone();
    let mut staged = Vec::new();
    if let Some(from) = &order.agent_package {
        let place = work.directory("agent")?;
        copy(
            trust::file(from)?,
            from,
            &place.join("agent.rpm"),
            "the agent's own package",
            context.observer,
        )?;
        let package =
            database.look_at(context.host, &place, "agent.rpm").context("the agent's own package")?;
        package.fits(&os).context("the agent's own package")?;
        ensure!(package.name == AGENT, "{} is the package {}, not {AGENT}", from.display(), package.name);
        let file = package.file();
        staged.push(entry(&place.join("agent.rpm"), file, package, Role::Agent, "as it was given".into())?);
    }
    let apart = work.directory("files")?;
    for spec in &order.files {
        let how = obtain(context, database, &apart, spec)?;
        context.observer.progress(&format!("{}: {how}", spec.file));
        let package = database.look_at(context.host, &apart, &spec.file)?;
        package.fits(&os).with_context(|| spec.file.clone())?;
        staged.push(entry(&apart.join(&spec.file), spec.file.clone(), package, Role::File, how)?);
    }
    let resolved = resolve::resolve(context, order, work)?;
    for file in &resolved.files {
        plain(file, "a package file of a repository")?;
        let package =
            database.look_at(context.host, &resolved.directory, file).with_context(|| file.clone())?;
        // The same file as one that was verified above.
        if staged.iter().any(|(_, entry)| entry.file == *file) {
            continue;
        }
        package.fits(&os).with_context(|| file.clone())?;
        let how =
            trusted(context, database, order, (&resolved.directory, file)).with_context(|| file.clone())?;
        staged.push(entry(&resolved.directory.join(file), file.clone(), package, Role::Package, how)?);
    }
    let lacking: Vec<&str> = order
        .packages
        .iter()
        .map(String::as_str)
        .filter(|name| !staged.iter().any(|(_, entry)| entry.package == *name))
        .collect();
    ensure!(lacking.is_empty(), "no repository has {}", lacking.join(", "));
    resolve::is_whole(context, database, &resolved, work)?;
    staged.sort_by(|(_, a), (_, b)| a.file.cmp(&b.file));
    Ok(staged)
}

fn entry(
    path: &Path,
    file: String,
    package: Package,
    role: Role,
    verified: String,
) -> Result<(PathBuf, Entry)> {
    let (sha256, size) = sum_of(path)?;
    let Package { name, epoch, version, architecture, .. } = package;
    let entry = Entry { file, size, sha256, package: name, epoch, version, architecture, role, verified };
    Ok((path.to_owned(), entry))
}

/// How a package from a repository is known to be genuine. This host's own repositories say themselves whether
/// signatures are looked at (gpgcheck), and the package manager has done so; for others, the profile's `files`
/// rules hold.
fn trusted(
    context: &Context<'_>,
    database: Database,
    order: &Order,
    (directory, file): (&Path, &str),
) -> Result<String> {
    const ASKED: &str = "as this host's repositories ask for (gpgcheck)";
    let own = order.repositories.is_empty();
    match database.signature(context.host, directory, file)? {
        Signature::None if own => Ok(format!("{ASKED}: {NO_SIGNATURE}")),
        Signature::NoKey(_) if own => Ok(ASKED.into()),
        signature => {
            let advice = format!("import its maker's key ({})", database.tool().import_key);
            signature.settle(&context.profile.files, &advice)
        }
    }
}

fn keep(directory: &Path, staged: &[(PathBuf, Entry)], manifest: &Manifest) -> Result<()> {
    let manifest_path = directory.join(FILE);
    for (path, _) in staged {
        fs::set_permissions(path, fs::Permissions::from_mode(0o644))
            .with_context(|| format!("keeping {}", path.display()))?;
    }
    // What is renamed has to be on disk before; there are too many files to wait for each.
    files::directory(directory)
        .and_then(|open| sync::file_system(&open))
        .with_context(|| format!("syncing the file system of {}", directory.display()))?;
    match fs::remove_file(&manifest_path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("replacing {}", manifest_path.display()));
        }
        _ => files::sync_parent(&manifest_path)?,
    }
    for (path, entry) in staged {
        let target = directory.join(&entry.file);
        fs::rename(path, &target).with_context(|| format!("keeping {}", target.display()))?;
    }
    for name in packages(directory)? {
        if !manifest.files.iter().any(|entry| entry.file == name) {
            let path = directory.join(&name);
            fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        }
    }
    files::sync_parent(&manifest_path)?;
    let mut text = serde_json::to_vec_pretty(manifest).context("encoding the manifest")?;
    text.push(b'\n');
    files::replace(&manifest_path, &text, 0o644)
}

fn now() -> String {
    let format = time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    time::OffsetDateTime::now_utc().format(&format).unwrap_or_default()
}
