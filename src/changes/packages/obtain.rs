//! A verified copy of a package file: the one that is there, or from a directory or one of its addresses.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::changes::fetch::{self, Fetch, GivenUp, Turn};
use crate::changes::package_file::PackageFile;
use crate::changes::{Context, Observer};
use crate::host::sum::{self, sha256};
use crate::host::{files as host_files, text, trust};
use crate::platform::packages::Database;
use crate::profile::Profile;

const LIMIT: u64 = 512 << 20;

/// What an address has to send while others wait: 1 KiB/s, over a quarter of a minute. A modem is faster.
const LEAST: (u64, Duration) = (15 << 10, Duration::from_secs(15));

/// Makes sure that `directory` holds a verified copy of the file under its name; how it was verified.
/// Errors: No copy could be had: why not, for each place.
pub(in crate::changes) fn obtain(
    context: &mut Context<'_>,
    database: Database,
    directory: &Path,
    spec: &PackageFile,
) -> Result<String> {
    let target = directory.join(&spec.file);
    if target.symlink_metadata().is_ok() {
        match verify(context, database, &target, spec) {
            Ok(how) => return Ok(format!("already there, {how}")),
            Err(why) => context.observer.progress(&format!(
                "{} is there, but is not used: {why:#}; getting another",
                target.display()
            )),
        }
    }
    let part = directory.join(format!("{}.part", spec.file));
    let mut sources = sources(context.profile, database, spec, &part)?;
    let until = Instant::now() + context.profile.files.deadline.get();
    let mut failed: Vec<(String, String)> = Vec::new();
    // Each has its turn; then those that were given up for being slow have another, as slow is better than none.
    for (least, within) in [LEAST, (0, fetch::STALL)] {
        let mut slow = Vec::new();
        let all = sources.len();
        for (at, source) in sources.into_iter().enumerate() {
            let now = Instant::now();
            let share = until.saturating_duration_since(now) / u32::try_from(all - at).unwrap_or(u32::MAX);
            let turn = (all > 1).then_some(Turn { ends: now + share, least, within });
            let shown = source.shown();
            let got = source
                .get(context, spec, &part, (until, turn))
                .and_then(|()| verify(context, database, &part, spec).inspect_err(|_| fetch::discard(&part)));
            let error = match got {
                Ok(how) => {
                    keep(&part, &target)?;
                    return Ok(format!("from {shown}, {how}"));
                }
                Err(error) => error,
            };
            let why = text::without_secrets(&format!("{error:#}"));
            context.observer.log(&format!("{shown}: {why}"));
            failed.retain(|(place, _)| *place != shown);
            failed.push((shown, why));
            if fetch::is_full(&error) {
                // The next one would meet the same.
                slow.clear();
                break;
            }
            if error.is::<GivenUp>() {
                slow.push(source);
            }
        }
        sources = slow;
    }
    let failed: Vec<String> = failed
        .into_iter()
        .map(|(place, why)| if why.contains(&place) { why } else { format!("{place}: {why}") })
        .collect();
    bail!("no copy of {} could be had: {}", spec.file, failed.join("; "))
}

/// Where the file may come from, in the order in which it is tried: the profile's, but begun where an interrupted run can
/// be resumed, and behind an address that was given up the last time.
fn sources<'a>(
    profile: &'a Profile,
    database: Database,
    spec: &'a PackageFile,
    part: &Path,
) -> Result<Vec<Source<'a>>> {
    if let Some(from) = &profile.files.from {
        return Ok(vec![Source::Directory(from, database)]);
    }
    let mut sources: Vec<Source<'a>> = spec.urls.iter().map(|url| Source::Address(url)).collect();
    ensure!(
        !sources.is_empty(),
        "the profile names no address of {}, and no directory (files.from)",
        spec.file
    );
    let first = fetch::left_off(part, &spec.urls);
    sources.rotate_left(first);
    Ok(sources)
}

#[derive(Clone, Copy)]
enum Source<'a> {
    Directory(&'a Path, Database),
    Address(&'a str),
}

impl Source<'_> {
    fn shown(&self) -> String {
        match self {
            Self::Directory(path, _) => path.display().to_string(),
            Self::Address(url) => text::without_secrets(&text::safe(url)),
        }
    }

    /// Makes `part` a whole copy: when that must be done, and how long it is this place's turn where others wait.
    fn get(
        &self,
        context: &mut Context<'_>,
        spec: &PackageFile,
        part: &Path,
        (until, turn): (Instant, Option<Turn>),
    ) -> Result<()> {
        match self {
            Self::Directory(from, database) => {
                let from = context.host.path(from).join(&spec.file);
                fetch::discard(part);
                let file = open(&from, *database, spec)?;
                copy(file, &from, part, &spec.file, context.observer).inspect_err(|_| fetch::discard(part))
            }
            Self::Address(url) => {
                ensure!(
                    url.starts_with("http://") || url.starts_with("https://"),
                    "only http and https are fetched; name a directory as files.from for files that are here"
                );
                context.observer.log(&format!("fetch: {}", self.shown()));
                let ca_file = context.profile.files.ca_file.as_ref().map(|path| context.host.path(path));
                let fetch = Fetch {
                    url,
                    what: &spec.file,
                    part,
                    limit: LIMIT,
                    ca_file: ca_file.as_deref(),
                    until,
                    turn,
                    environment: &fetch::environment,
                };
                fetch.run(context.observer)
            }
        }
    }
}

/// Opens the package file `from`. What is pinned may be anybody's, as its copy is what is verified.
fn open(from: &Path, database: Database, spec: &PackageFile) -> Result<File> {
    let seen = match trust::look(Path::new("/"), from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            bail!("there is no {}: copy it there", spec.file)
        }
        seen => seen.with_context(|| format!("reading {}", from.display()))?,
    };
    if let (None, Some(doubt)) = (&spec.sha256, seen.doubt) {
        let reading = || format!("reading {}", from.display());
        // Before anything else is reported of it: whoever can write it may have put there what they like.
        database.is_package(&seen.file).with_context(reading)?;
        let sum = sum::to_pin(&seen.file, LIMIT).with_context(reading)?;
        bail!("{}: {}", from.display(), doubt.unless_pinned("sha256", &sum));
    }
    Ok(seen.file)
}

/// Makes `part`, which must not exist, a whole copy of `file`, which lies at `from`.
pub(in crate::changes) fn copy(
    mut file: File,
    from: &Path,
    part: &Path,
    what: &str,
    observer: &mut dyn Observer,
) -> Result<()> {
    let meta = file.metadata().with_context(|| format!("reading {}", from.display()))?;
    ensure!(meta.len() <= LIMIT, "{} has more than {}", from.display(), text::bytes(LIMIT));
    let mut to = host_files::create(part).with_context(|| format!("writing {}", part.display()))?;
    let mut buffer = vec![0; 256 << 10];
    let mut done = 0;
    loop {
        match file.read(&mut buffer).with_context(|| format!("reading {}", from.display()))? {
            0 => break,
            read => {
                if let Err(error) = to.write_all(&buffer[..read]) {
                    return Err(fetch::unwritten(error, to, part, Some(meta.len())));
                }
                done += read as u64;
                ensure!(done <= LIMIT, "{} grows while it is read", from.display());
                observer.transfer(what, done, Some(meta.len()));
            }
        }
    }
    match to.sync_all() {
        Ok(()) => Ok(()),
        Err(error) => Err(fetch::unwritten(error, to, part, Some(meta.len()))),
    }
}

fn keep(part: &Path, target: &Path) -> Result<()> {
    let keeping = || format!("keeping {}", target.display());
    fs::set_permissions(part, fs::Permissions::from_mode(0o644)).with_context(keeping)?;
    fs::rename(part, target).with_context(keeping)?;
    fetch::discard(part);
    host_files::sync_parent(target)
}

/// The file at `path`, which nobody but root can change after it was verified, and which is no link.
pub(in crate::changes) fn own(path: &Path) -> Result<File> {
    let meta = path.symlink_metadata().with_context(|| format!("reading {}", path.display()))?;
    ensure!(!meta.is_symlink(), "{} is a symbolic link, not a regular file", path.display());
    trust::file(path)
}

/// The SHA-256 of the package file at `path`, which is as [`own`] wants it, lower-case hex, and its size in bytes.
/// Errors: As [`own`]; what reading it says; it is larger than a package.
pub(in crate::changes) fn sum_of(path: &Path) -> Result<(String, u64)> {
    sha256(&own(path)?, LIMIT, sum::PATIENCE).with_context(|| format!("reading {}", path.display()))
}

/// Makes sure that the file at `path` is the package, by its pinned SHA-256 or by a good signature, and says by which.
fn verify(context: &Context<'_>, database: Database, path: &Path, spec: &PackageFile) -> Result<String> {
    let (sum, size) = sha256(&own(path)?, LIMIT, sum::PATIENCE)?;
    ensure!(size > 0, "it is empty");
    for (pinned, by) in
        [(&spec.sha256, "the profile pins"), (&spec.collected_sha256, "the collection's manifest says")]
    {
        if let Some(pinned) = pinned
            && *pinned != sum
        {
            bail!("its SHA-256 is {sum}, but {by} {pinned}: it is another file, or damaged");
        }
    }
    let directory = path.parent().context("a package file lies in a directory")?;
    let name = path.file_name().and_then(OsStr::to_str).context("a package file has a plain name")?;
    spec.names(&database.look_at(context.host, directory, name)?, &sum)?;
    if spec.sha256.is_some() {
        return Ok("verified by its SHA-256".into());
    }
    let advice = format!(
        "pin its SHA-256 ({sum}, if you trust this copy), import its maker's key ({})",
        database.tool().import_key
    );
    database.signature(context.host, directory, name)?.settle(&context.profile.files, &advice)
}
