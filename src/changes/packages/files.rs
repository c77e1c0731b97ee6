//! Packages that come as files: taken from a directory or fetched, verified, and installed in one
//! transaction. They stay in the profile's directory, as the procedure leaves them in /usr/local.
//!
//! Between its verification and its installation nobody but root can change a file: the directory, all above
//! it, and the file itself are root's alone, or the file is not used.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use super::rpm::{self, Signature};
use super::{describe, not_debian, plain, reason, wait_for_rpm};
use crate::changes::fetch::{self, Fetch};
use crate::changes::{Context, Done, Observer};
use crate::host::command::Command;
use crate::host::sum::sha256;
use crate::host::{files as host_files, text, trust};
use crate::profile::FileSpec;

/// The most bytes that a package file may have.
const LIMIT: u64 = 512 << 20;

/// Installs those of `files` whose package is not installed.
///
/// # Errors
/// One line: no copy could be had (and why not, for each address), one is not what it should be, or rpm did not
/// install it. Verified files stay; nothing unverified does.
pub fn install_files(context: &mut Context<'_>, files: &[FileSpec]) -> Result<Done> {
    not_debian(context.host).context("installing package files")?;
    install_files_with_rpm(context, files)
}

/// As [`install_files`], whatever else than rpm this host has.
///
/// # Errors
/// As [`install_files`].
pub fn install_files_with_rpm(context: &mut Context<'_>, files: &[FileSpec]) -> Result<Done> {
    for spec in files {
        plain(&spec.package, "a package")?;
        plain(&spec.file, "a package file")?;
    }
    if files.is_empty() {
        return Ok(Done::Unchanged);
    }
    let names: Vec<&str> = files.iter().map(|spec| spec.package.as_str()).collect();
    let present = rpm::installed(context.host, &names)?;
    let absent: Vec<&FileSpec> = files.iter().filter(|spec| !present.contains_key(&spec.package)).collect();
    if absent.is_empty() {
        return Ok(Done::Unchanged);
    }
    let directory = trust::make_directory(&context.host.path(&context.profile.files.directory))
        .context("keeping package files (files.directory)")?;
    let mut paths = Vec::new();
    for spec in &absent {
        let (path, how) = obtain(context, &directory, spec)?;
        context.observer.log(&format!("{}: {how}", path.display()));
        context.observer.progress(&format!("{}: {how}", spec.file));
        paths.push(path.to_string_lossy().into_owned());
    }
    let until = Instant::now() + context.profile.packages.lock_timeout;
    wait_for_rpm(context, until)?;
    let arguments = ["-iv".to_owned()].into_iter().chain(paths);
    let ran = context.run(&Command::new("rpm", arguments, context.profile.packages.deadline));
    let names: Vec<&str> = absent.iter().map(|spec| spec.package.as_str()).collect();
    // As after yum: what rpm wrote is to outlive a loss of power.
    host_files::sync_system(context.host)?;
    let installed = rpm::installed(context.host, &names)?;
    let left: Vec<&str> = names.into_iter().filter(|name| !installed.contains_key(*name)).collect();
    match ran {
        Ok(_) if left.is_empty() => Ok(Done::Changed(describe(&installed))),
        Ok(output) => bail!("rpm did not install {}: {}", left.join(", "), reason(&output)),
        Err(failure) => Err(anyhow!(failure).context("installing package files")),
    }
}

/// A verified copy of the file in `directory`, and how it was verified.
pub(in crate::changes) fn obtain(
    context: &mut Context<'_>,
    directory: &Path,
    spec: &FileSpec,
) -> Result<(PathBuf, String)> {
    let target = directory.join(&spec.file);
    if target.symlink_metadata().is_ok() {
        match own(&target).and_then(|file| verify(context, &target, &file, spec)) {
            Ok(how) => return Ok((target, format!("already there, {how}"))),
            Err(why) => context.observer.progress(&format!(
                "{} is there, but is not used: {why:#}; getting another",
                target.display()
            )),
        }
    }
    let settings = &context.profile.files;
    let part = directory.join(format!("{}.part", spec.file));
    let sources: Vec<Source<'_>> = match &settings.from {
        Some(from) => vec![Source::Directory(from)],
        None => spec.urls.iter().map(|url| Source::Address(url)).collect(),
    };
    ensure!(
        !sources.is_empty(),
        "the profile names no address of {}, and no directory (files.from)",
        spec.file
    );
    let until = Instant::now() + settings.deadline;
    let mut failed = Vec::new();
    for source in sources {
        let shown = source.shown();
        let got = source.get(context, spec, &part, until).and_then(|()| {
            own(&part)
                .and_then(|file| verify(context, &part, &file, spec))
                .inspect_err(|_| fetch::discard(&part))
        });
        match got {
            Ok(how) => {
                keep(&part, &target)?;
                return Ok((target, format!("from {shown}, {how}")));
            }
            Err(error) => {
                let error = text::without_secrets(&format!("{error:#}"));
                context.observer.log(&format!("{shown}: {error}"));
                failed.push(if error.contains(&shown) { error } else { format!("{shown}: {error}") });
            }
        }
    }
    bail!("no copy of {} could be had: {}", spec.file, failed.join("; "))
}

enum Source<'a> {
    Directory(&'a Path),
    Address(&'a str),
}

impl Source<'_> {
    fn shown(&self) -> String {
        match self {
            Self::Directory(path) => path.display().to_string(),
            Self::Address(url) => text::without_secrets(&text::safe(url)),
        }
    }

    /// Makes `part` a whole copy.
    fn get(&self, context: &mut Context<'_>, spec: &FileSpec, part: &Path, until: Instant) -> Result<()> {
        match self {
            Self::Directory(from) => {
                let from = context.host.path(from).join(&spec.file);
                fetch::discard(part);
                let file = open(&from, spec)?;
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
                    environment: &fetch::environment,
                };
                fetch.run(context.observer)
            }
        }
    }
}

/// Opens the package file `from`. What is pinned may be anybody's, as its copy is what is verified.
fn open(from: &Path, spec: &FileSpec) -> Result<File> {
    let seen = match trust::look(Path::new("/"), from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            bail!("there is no {}: copy it there", spec.file)
        }
        seen => seen.with_context(|| format!("reading {}", from.display()))?,
    };
    if let (None, Some(doubt)) = (&spec.sha256, seen.doubt) {
        let (sum, _) = sha256(&seen.file).with_context(|| format!("reading {}", from.display()))?;
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
                to.write_all(&buffer[..read]).with_context(|| format!("writing {}", part.display()))?;
                done += read as u64;
                ensure!(done <= LIMIT, "{} grows while it is read", from.display());
                observer.transfer(what, done, Some(meta.len()));
            }
        }
    }
    to.sync_all().with_context(|| format!("writing {}", part.display()))
}

/// Gives a verified file its name.
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

/// Makes sure that the file at `path` is the package, by its pinned SHA-256 or by a good signature, and says
/// by which.
fn verify(context: &Context<'_>, path: &Path, file: &File, spec: &FileSpec) -> Result<String> {
    let mut head = [0; 4];
    let read = file.read_at(&mut head, 0)?;
    ensure!(read > 0, "it is empty");
    let (sum, _) = sha256(file)?;
    if let Some(pinned) = &spec.sha256
        && *pinned != sum
    {
        bail!("its SHA-256 is {sum}, but the profile pins {pinned}: it is another file, or damaged");
    }
    ensure!(
        head == [0xed, 0xab, 0xee, 0xdb],
        "it is no rpm package{}",
        if head.contains(&b'<') { " but a web page" } else { "" }
    );
    let name = rpm::name_of(context.host, path)?;
    ensure!(name == spec.package, "it is the package {name}, not {}", spec.package);
    if spec.sha256.is_some() {
        return Ok("verified by its SHA-256".into());
    }
    let accepted = context.profile.files.accept_unverified;
    let doubt = match rpm::signature(context.host, path)? {
        Signature::Good(key) => return Ok(format!("verified by its signature with key {key}")),
        Signature::Bad(line) => {
            bail!("its signature or digest is wrong ({line}): it was changed or is damaged")
        }
        Signature::None => "it has no signature".to_owned(),
        Signature::NoKey(key) => format!("it is signed with key {key}, which was not imported"),
    };
    ensure!(
        accepted,
        "it cannot be verified: {doubt}; pin its SHA-256 in the profile ({sum}, if you trust this copy), import its \
         maker's key (rpm --import), or say `files.unverified: install-without-verification`"
    );
    Ok(format!("NOT VERIFIED, as the profile accepts: {doubt}"))
}
