//! A machine, or a tree that stands for one: where its paths lie, and what can be read there.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::files;

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
    pub fn live() -> Self {
        Self { root: PathBuf::from("/"), kind: Kind::Live }
    }

    /// An image's tree, mounted or unpacked at `root`.
    pub fn image(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), kind: Kind::Image }
    }

    /// A tree recorded from a machine.
    pub fn recorded(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), kind: Kind::Recorded }
    }

    /// What stands behind the root.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether this is the running machine.
    pub fn is_live(&self) -> bool {
        self.kind == Kind::Live
    }

    /// The root directory: `/` for the running machine.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the absolute path `path` of this host lies in the tree of the process.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// As [`Host::path`], with every symbolic link followed as this host would: in a tree that stands for a
    /// machine, an absolute link leads into that tree, never to the machine that we run on.
    /// Errors: Whatever looking at a component says; ELOOP after 40 links.
    pub fn resolve(&self, path: impl AsRef<Path>) -> io::Result<PathBuf> {
        if self.is_live() {
            return Ok(self.path(path));
        }
        let mut resolved = self.root.clone();
        let mut left: Vec<OsString> = components(path.as_ref());
        let mut links = 0;
        while let Some(component) = left.pop() {
            if component == ".." {
                if resolved != self.root {
                    resolved.pop();
                }
                continue;
            }
            let next = resolved.join(&component);
            // Below what does not exist, nothing is a link: the caller's own call then says so.
            if !next.symlink_metadata().is_ok_and(|meta| meta.is_symlink()) {
                resolved = next;
                continue;
            }
            links += 1;
            if links > 40 {
                return Err(nix::errno::Errno::ELOOP.into());
            }
            let target = fs::read_link(&next)?;
            if target.is_absolute() {
                resolved.clone_from(&self.root);
            }
            left.extend(components(&target));
        }
        Ok(resolved)
    }

    /// Reads a whole text file of at most [`files::LARGEST`] bytes; bytes that are not UTF-8 are replaced, as a reader of
    /// /proc or /etc can never refuse a whole file for one of them.
    /// Errors: Whatever opening or reading it says; it is no regular file; `FileTooLarge`.
    pub fn read(&self, path: impl AsRef<Path>) -> io::Result<String> {
        let bytes = files::read(&self.resolve(path)?)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Reads a whole text file, or `None` where there is none.
    /// Errors: Whatever opening or reading it says, other than that it does not exist.
    pub fn read_if_exists(&self, path: impl AsRef<Path>) -> io::Result<Option<String>> {
        match self.read(path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The names in a directory, sorted; none where there is no such directory.
    /// Errors: Whatever opening or reading it says, other than that it does not exist.
    pub fn list(&self, path: impl AsRef<Path>) -> io::Result<Vec<String>> {
        let entries = match self.resolve(path).and_then(fs::read_dir) {
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

    /// Where the name `path` itself lies: as [`Host::resolve`], but a link in the last place is not followed.
    pub fn place(&self, path: impl AsRef<Path>) -> io::Result<PathBuf> {
        let path = path.as_ref();
        match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) => self.resolve(parent).map(|parent| parent.join(name)),
            _ => self.resolve(path),
        }
    }

    /// Whether something lies at `path` (a link that leads nowhere counts).
    pub fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.place(path).and_then(|place| place.symlink_metadata()).is_ok()
    }
}

/// The components of `path` that name something, last one first.
pub(super) fn components(path: &Path) -> Vec<OsString> {
    let named = |component: Component<'_>| match component {
        Component::Normal(_) | Component::ParentDir => Some(component.as_os_str().to_owned()),
        _ => None,
    };
    path.components().rev().filter_map(named).collect()
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Live => f.write_str("this host"),
            Kind::Image | Kind::Recorded => write!(f, "the tree {}", self.root.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_tree_s_links_lead_into_the_tree() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("etc/x")).unwrap();
        files::replace(&dir.path().join("etc/passwd"), b"of the tree", 0o644).unwrap();
        symlink("/etc/passwd", dir.path().join("etc/absolute")).unwrap();
        symlink("../../../../../../../../etc/passwd", dir.path().join("etc/x/relative")).unwrap();
        symlink("loop", dir.path().join("etc/loop")).unwrap();
        let host = Host::image(dir.path());
        assert_eq!(host.read("/etc/absolute").unwrap(), "of the tree");
        assert_eq!(host.read("/etc/x/relative").unwrap(), "of the tree");
        assert_eq!(host.read_if_exists("/etc/none/at/all").unwrap(), None);
        symlink("/", dir.path().join("etc/top")).unwrap();
        assert!(host.exists("/etc/top/etc/passwd") && !host.exists("/etc/top/proc"));
        assert!(host.exists("/etc/loop") && host.exists("/"));
        let error = host.read("/etc/loop").unwrap_err();
        assert_eq!(error.raw_os_error(), Some(nix::errno::Errno::ELOOP as i32));
    }

    #[test]
    fn what_is_no_file_is_named_and_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let mode = nix::sys::stat::Mode::S_IRUSR;
        nix::unistd::mkfifo(&dir.path().join("hosts"), mode).unwrap();
        let host = Host::image(dir.path());
        assert_eq!(host.read("/hosts").unwrap_err().to_string(), "it is a FIFO, not a regular file");
        let error = host.read("/").unwrap_err();
        assert_eq!(error.to_string(), "it is a directory, not a regular file");
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
        let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
        assert_eq!(host.read("/socket").unwrap_err().to_string(), "it is a socket, not a regular file");
        let error = Host::live().read("/dev/zero").unwrap_err();
        assert_eq!(error.to_string(), "it is a character device, not a regular file");
    }

    #[test]
    fn an_endless_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::File::create(dir.path().join("big")).unwrap().set_len(files::LARGEST + 1).unwrap();
        let error = Host::recorded(dir.path()).read("/big").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
