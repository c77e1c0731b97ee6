//! The seam to the operating system: root-prefixed paths, whole-file replacement, the command runner.
//!
//! Every reader takes a [`Host`]; no function elsewhere has a literal path that it opens by itself.

pub mod command;
pub mod files;
pub mod ioctl;
pub mod text;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What stands behind a [`Host`]'s root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The running machine: /proc, /sys, devices and commands are real.
    Live,
    /// An image's tree (`--root DIR`): files only; what needs a live kernel is not applicable.
    Image,
    /// A tree recorded from a machine, `/proc` and `/sys` included, for tests and support.
    /// Commands answer from the tree's `commands/` directory and nothing is ever run.
    Recorded,
}

/// A machine, or a tree that stands for one.
#[derive(Clone, Debug)]
pub struct Host {
    root: PathBuf,
    kind: Kind,
}

impl Host {
    /// The running machine.
    #[must_use]
    pub fn live() -> Self {
        Self { root: PathBuf::from("/"), kind: Kind::Live }
    }

    /// An image's tree, mounted or unpacked at `root`.
    #[must_use]
    pub fn image(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), kind: Kind::Image }
    }

    /// A tree recorded from a machine.
    #[must_use]
    pub fn recorded(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), kind: Kind::Recorded }
    }

    /// What stands behind the root.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether this is the running machine.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.kind == Kind::Live
    }

    /// The root directory: `/` for the running machine.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the absolute path `path` of this host lies in the tree of the process.
    #[must_use]
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Reads a whole text file; bytes that are not UTF-8 are replaced, as a reader of /proc or /etc can
    /// never refuse a whole file for one of them.
    ///
    /// # Errors
    /// Whatever opening or reading it says.
    pub fn read(&self, path: impl AsRef<Path>) -> io::Result<String> {
        fs::read(self.path(path)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Reads a whole text file, or `None` where there is none.
    ///
    /// # Errors
    /// Whatever opening or reading it says, other than that it does not exist.
    pub fn read_if_exists(&self, path: impl AsRef<Path>) -> io::Result<Option<String>> {
        match self.read(path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The names in a directory, sorted; none where there is no such directory.
    ///
    /// # Errors
    /// Whatever opening or reading it says, other than that it does not exist.
    pub fn list(&self, path: impl AsRef<Path>) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(self.path(path)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = entries
            .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    }

    /// Whether something lies at `path` (a link that leads nowhere counts).
    #[must_use]
    pub fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.path(path).symlink_metadata().is_ok()
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Live => f.write_str("this host"),
            Kind::Image | Kind::Recorded => write!(f, "the tree {}", self.root.display()),
        }
    }
}
