//! Whether users other than root can change what root runs or believes: an archive, a package, a hook, a profile, a record.
//!
//! A file is trusted when it, and every directory on the way to it, belongs to root (or to us, where we are not root) and
//! nobody else can write it. [`way`] walks that way, and opens the file at its end: what is looked at is what is used.

mod way;

use std::fmt;
use std::fs::{DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use nix::libc;
use nix::unistd::geteuid;

use self::way::{Fault, Way};
use super::command::quoted;
use super::{Host, files, text};

/// A file that was opened for reading.
#[derive(Debug)]
pub struct Seen {
    /// The file.
    pub file: File,
    /// Where it really lies, every link followed.
    pub real: PathBuf,
    /// Who else can write it, if anybody can.
    pub doubt: Option<Untrusted>,
}

/// Users other than root can write something, or put another one in its place. Told in one line, with what puts it right.
#[derive(Debug)]
pub struct Untrusted {
    /// Where it really lies.
    path: PathBuf,
    subject: Subject,
    faults: Vec<Fault>,
}

/// What it is that others can write, by what one does about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    File,
    Directory,
    /// A directory that the agent makes where it is told to.
    Made,
    /// What has its place and no other.
    Fixed,
}

/// Opens the regular file at `path`, for reading: in the tree at `root`, where links lead into that tree (`/`: this machine).
/// Errors: What the system said; it is no regular file; a directory on the way cannot be looked at.
pub fn look(root: &Path, path: &Path) -> io::Result<Seen> {
    let mut way = Way::from(root)?;
    let Some((file, real)) = way.go(path)? else {
        return Err(files::not_regular(libc::S_IFDIR));
    };
    let doubt = Untrusted::of(&real, Subject::File, way.faults);
    Ok(Seen { file, real, doubt })
}

/// The regular file at `path` of this machine, opened for reading, when nobody but root can change it.
/// Errors: As [`look`], naming the file; others can write it.
pub fn file(path: &Path) -> Result<File> {
    let seen = look(Path::new("/"), path).with_context(|| format!("opening {}", path.display()))?;
    match seen.doubt {
        None => Ok(seen.file),
        Some(doubt) => bail!("{}: {doubt}", path.display()),
    }
}

/// The directory at `path` of the tree at `root` (`/`: this machine), open, and where it really lies: whoever can write to it,
/// for what is taken out of it. A link on the way leads on only where root can have made it, or whose the tree is.
/// Errors: What the system said; a link that somebody else can have made, which is named.
pub fn reach(root: &Path, path: &Path) -> io::Result<(File, PathBuf)> {
    let mut way = Way::from(root)?;
    if way.go(path)?.is_some() {
        return Err(ErrorKind::NotADirectory.into());
    }
    if let Some(link) = &way.foreign {
        let why = format!("{} is a link that a user can have made, and is not followed", link.display());
        return Err(io::Error::other(why));
    }
    way.end_open()
}

/// The directory behind `path`, links resolved, when nobody but root can change what lies in it.
/// Errors: It is no directory; others can write it, or one on the way to it.
pub fn directory(path: &Path) -> Result<PathBuf> {
    enter(path, Subject::Directory, Way::end_in_directory)
}

/// As [`directory`], of one to write to.
pub fn destination(path: &Path) -> Result<PathBuf> {
    enter(path, Subject::Made, Way::end_in_directory)
}

/// As [`directory`], of one that has its place and no other.
pub fn place(path: &Path) -> Result<PathBuf> {
    enter(path, Subject::Fixed, Way::end_in_directory)
}

/// As [`directory`], and makes it, for root alone, where it does not exist.
/// Errors: As [`directory`], with nothing made; what making it says.
pub fn make_directory(path: &Path) -> Result<PathBuf> {
    if !path.is_absolute() {
        bail!("{} is not an absolute path", path.display());
    }
    let there = path.ancestors().find(|level| level.symlink_metadata().is_ok()).unwrap_or(path);
    if there != path {
        // Nothing is made where it would then be refused.
        enter(there, Subject::Made, Way::end_above)?;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(|| format!("making the directory {}", path.display()))?;
    }
    destination(path)
}

fn enter(path: &Path, subject: Subject, end: fn(&mut Way) -> io::Result<PathBuf>) -> Result<PathBuf> {
    let looking = || format!("looking at the directory {}", path.display());
    let mut way = Way::from(Path::new("/")).with_context(looking)?;
    if way.go(path).with_context(looking)?.is_some() {
        bail!("{} is not a directory", path.display());
    }
    let real = end(&mut way).with_context(looking)?;
    match Untrusted::of(&real, subject, way.faults) {
        None => Ok(real),
        Some(doubt) => bail!("{}: {doubt}", path.display()),
    }
}

/// The text of a record that the agent keeps at `path` of `host`: as [`record_file`].
/// Errors: As there; reading it.
pub fn record(host: &Host, path: &str) -> Result<Option<String>> {
    let Some(file) = record_file(host, path)? else { return Ok(None) };
    let bytes = files::read_at_most(file, files::LARGEST).with_context(|| format!("reading {path}"))?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// A record that the agent keeps at `path` of `host` and believes, opened for reading; `None` where there is none. On a running
/// machine nobody but root can have written or removed it; in a tree, whose owners are those of a desk, that is not asked.
/// Errors: It cannot be read; others can write it or the directory that it is kept in, so that it proves nothing.
pub fn record_file(host: &Host, path: &str) -> Result<Option<File>> {
    let reading = || format!("reading {path}");
    let seen = if host.is_live() {
        look(host.root(), Path::new(path))
    } else {
        host.resolve(path).and_then(|real| Ok(Seen { file: files::open(&real)?, real, doubt: None }))
    };
    let seen = match seen {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            // Where others could have removed it, that it is not there proves nothing either.
            let kept_in = Path::new(path).ancestors().skip(1).find(|level| host.is_live() && level.is_dir());
            return kept_in.map_or(Ok(None), |directory| place(directory).map(|_| None));
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied && !geteuid().is_root() => {
            let denied = io::Error::new(error.kind(), "not permitted; run mt-agent as root");
            return Err(denied).with_context(reading);
        }
        seen => seen.with_context(reading)?,
    };
    match seen.doubt {
        None => Ok(Some(seen.file)),
        Some(doubt) => bail!("{path}: {}", Untrusted { subject: Subject::Fixed, ..doubt }),
    }
}

impl Untrusted {
    fn of(path: &Path, subject: Subject, faults: Vec<Fault>) -> Option<Self> {
        (!faults.is_empty()).then(|| Self { path: path.to_path_buf(), subject, faults })
    }

    /// In one line, of what may be anybody's once the profile names its SHA-256, which is `sum` now, as `key`.
    pub fn unless_pinned(&self, key: &str, sum: &str) -> String {
        format!("{self}, or pin it in the profile (`{key}: {sum}`)")
    }

    /// What a person does about it.
    fn cure(&self) -> String {
        let paths = |wanted: fn(&Fault) -> bool| -> Vec<&Path> {
            self.faults.iter().filter(|fault| wanted(fault)).map(|fault| fault.at.as_path()).collect()
        };
        if !paths(|_| true).into_iter().chain([self.path.as_path()]).all(is_printable) {
            return "give it to root by hand, as its name cannot be printed".to_owned();
        }
        let copy = |tool: &str| {
            let to = Path::new("/root").join(self.path.file_name().unwrap_or_default());
            let from_to = words(&[self.path.as_path(), to.as_path()]);
            format!("copy it where only root can write, as by `{tool} {from_to}`, and name the copy")
        };
        if self.faults.iter().any(|fault| fault.is_theirs) {
            match self.subject {
                Subject::File => return copy("install -m 600"),
                Subject::Directory => return copy("cp -r"),
                Subject::Made => return "choose another directory".to_owned(),
                Subject::Fixed => {}
            }
        }
        let (owners, modes) = (paths(|fault| fault.owner), paths(|fault| fault.mode));
        let mut commands = Vec::new();
        if !owners.is_empty() {
            commands.push(format!("chown root:root {}", words(&owners)));
        }
        if !modes.is_empty() {
            commands.push(format!("chmod go-w {}", words(&modes)));
        }
        match self.subject {
            _ if commands.is_empty() => "remove it".to_owned(),
            Subject::Made => format!("choose another directory, or run `{}`", commands.join(" && ")),
            _ => format!("run `{}`", commands.join(" && ")),
        }
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(OTHERS)?;
        for (index, fault) in self.faults.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{} ({})", fault.at.display(), fault.what)?;
        }
        write!(f, ": {}", self.cure())
    }
}

impl std::error::Error for Untrusted {}

/// How it is told that others can write something.
const OTHERS: &str = "users other than root can write ";

/// Whether this is the error that something is not believed because users other than root can write it.
pub fn is_untrusted(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.to_string().contains(OTHERS))
}

/// Whether a shell that is given the path as it is printed finds it.
fn is_printable(path: &Path) -> bool {
    path.to_str().is_some_and(|path| text::safe(path) == path)
}

fn words(paths: &[&Path]) -> String {
    paths.iter().map(|path| quoted(&path.to_string_lossy())).collect::<Vec<_>>().join(" ")
}
