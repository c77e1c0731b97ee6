//! A directory that is emptied.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat};
use nix::libc;
use nix::sys::stat::{Mode, fstatat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::overwrite::overwrite;
use crate::host::sync;

/// How deep directories are looked into: deeper than paths go, and not for ever.
pub const DEPTH: usize = 100;

/// What is done with files before they are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Files {
    /// They are overwritten.
    Overwritten,
    /// Nothing: anybody can fetch what is in them.
    Discarded,
}

/// Removes what is [below](super::below) `directory`. What is overwritten is written out
/// once, not one by one: there may be thousands. `stop` ends it between two files; the next call goes on.
///
/// Users can write there. Each name is looked at, and removed, in the directory that was opened: one that is meanwhile
/// replaced by a link leads nowhere.
pub fn clear(directory: &Path, files: Files, stop: &dyn Fn() -> bool) -> Result<()> {
    let opening = || format!("opening the directory {}", directory.display());
    let top = open(directory, DIRECTORY, Mode::empty()).map(File::from).with_context(opening)?;
    let device = top.metadata().with_context(opening)?.dev();
    let pass = |removes| Clearing { device, removes, stop }.walk(&top, directory, DEPTH);
    if files == Files::Overwritten {
        pass(false)?;
        if stop() {
            return Ok(());
        }
        // The zeros are on the disk before the blocks are given back.
        sync::file_system(&top).with_context(opening)?;
    }
    pass(true)?;
    sync::file_system(&top).with_context(|| format!("syncing the file system of {}", directory.display()))
}

const DIRECTORY: OFlag =
    OFlag::O_RDONLY.union(OFlag::O_DIRECTORY).union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);

const FILE: OFlag = OFlag::O_RDWR
    .union(OFlag::O_NONBLOCK)
    .union(OFlag::O_NOCTTY)
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);

/// One pass over what is below a directory: files are overwritten, or all is removed.
struct Clearing<'a> {
    device: u64,
    removes: bool,
    stop: &'a dyn Fn() -> bool,
}

impl Clearing<'_> {
    /// Whether all of the directory `path`, which is `open`, was done.
    fn walk(&self, open: &File, path: &Path, depth: usize) -> Result<bool> {
        let reading = || format!("reading the directory {}", path.display());
        ensure!(depth > 0, "{} lies {DEPTH} directories deep", path.display());
        let mut listed = Dir::openat(open, ".", DIRECTORY, Mode::empty()).with_context(reading)?;
        let names =
            listed.iter().map(|entry| Ok(OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned()));
        let names = names.collect::<nix::Result<Vec<_>>>().with_context(reading)?;
        let mut all = true;
        for name in names.iter().filter(|name| *name != "." && *name != "..") {
            if (self.stop)() {
                return Ok(false);
            }
            let below = path.join(name);
            match self.one(open, name, &below, depth) {
                Err(error) if error.downcast_ref::<Errno>() == Some(&Errno::ENOENT) => {}
                done => all &= done?,
            }
        }
        Ok(all)
    }

    /// Whether the name, which is `path`, was done.
    fn one(&self, open: &File, name: &OsStr, path: &Path, depth: usize) -> Result<bool> {
        let doing = |what: &str| format!("{what} {}", path.display());
        let meta = fstatat(open, name, AtFlags::AT_SYMLINK_NOFOLLOW).with_context(|| doing("looking at"))?;
        if meta.st_dev != self.device || (depth == DEPTH && name == "lost+found") {
            return Ok(false);
        }
        let kind = meta.st_mode & libc::S_IFMT;
        if kind == libc::S_IFDIR {
            let opened = openat(open, name, DIRECTORY, Mode::empty()).with_context(|| doing("opening"))?;
            let is_done = self.walk(&File::from(opened), path, depth - 1)?;
            if is_done && self.removes {
                unlinkat(open, name, UnlinkatFlags::RemoveDir).with_context(|| doing("removing"))?;
            }
            return Ok(is_done);
        }
        if self.removes {
            unlinkat(open, name, UnlinkatFlags::NoRemoveDir).with_context(|| doing("removing"))?;
        } else if kind == libc::S_IFREG && meta.st_nlink == 1 {
            let file = File::from(openat(open, name, FILE, Mode::empty()).with_context(|| doing("opening"))?);
            let now = file.metadata().with_context(|| doing("looking at"))?;
            // Somebody may have put another file there, which has another name too.
            let is_same =
                (now.dev(), now.ino(), now.nlink()) == (meta.st_dev, meta.st_ino, 1) && now.is_file();
            ensure!(is_same, "{} is being changed by another program", path.display());
            overwrite(&file).with_context(|| doing("overwriting"))?;
        }
        Ok(true)
    }
}
