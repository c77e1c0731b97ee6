//! The way to a file, walked as the kernel walks it, link by link. Every directory counts in which a name or a link of it
//! lies: who can replace a link replaces the file. Each is looked at on the descriptor through which the next name is opened,
//! so nobody puts another in its place in between.
//!
//! - Writing by the group counts, but for group 0 without an access list. A POSIX access list shows the most that it grants in
//!   the group bits of the mode, which are its mask (acl(5)): it counts as the group's, whoever gets it.
//! - In a sticky directory (/tmp) others can add names, but neither remove nor replace those of root: what root owns is good
//!   there, as long as it has no other name. Linux 2.6.32 lets everybody link a file of root's into /tmp.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat, readlinkat};
use nix::libc;
use nix::sys::stat::{Mode, fstatat};
use nix::unistd::geteuid;
use xattr::FileExt;

use super::super::files;
use super::super::root::components;

/// What lets others write something on the way.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Where it really lies.
    pub(super) at: PathBuf,
    /// Its owner and mode, in words.
    pub(super) what: String,
    /// Whether its owner is wrong.
    pub(super) owner: bool,
    /// Whether its mode is.
    pub(super) mode: bool,
    /// Whether it is not to be mended where it is: the directory of a user stays that user's.
    pub(super) is_theirs: bool,
}

/// Without waiting: what was a file a moment ago may be a FIFO now.
const FILE: OFlag = OFlag::O_RDONLY
    .union(OFlag::O_NONBLOCK)
    .union(OFlag::O_NOCTTY)
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);

const DIRECTORY: OFlag =
    OFlag::O_RDONLY.union(OFlag::O_DIRECTORY).union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);

/// The most links that a way may have, as in the kernel.
const LINKS: usize = 40;

/// The directories from the root down to where we are, each open.
pub(super) struct Way {
    levels: Vec<Level>,
    /// How many of them lead to the top: `..` and absolute links lead no higher.
    floor: usize,
    /// Whose the top is, beside root: the files of a tree that a person unpacked are that person's.
    top: Option<u32>,
    /// What was found, in its order.
    pub(super) faults: Vec<Fault>,
    /// The first link below the top that somebody else can have made.
    pub(super) foreign: Option<PathBuf>,
}

struct Level {
    directory: File,
    at: PathBuf,
    /// Whether others can add names to it, but not remove those of root.
    is_shared: bool,
    /// Whether others can replace what is in it, or it itself.
    is_theirs: bool,
}

impl Way {
    /// At the top of the tree at `root`.
    pub(super) fn from(root: &Path) -> io::Result<Self> {
        let mut way = Self { levels: Vec::new(), floor: 1, top: None, faults: Vec::new(), foreign: None };
        let top = PathBuf::from("/");
        let opened = open(&top, DIRECTORY, Mode::empty()).map_err(|error| blind(&top, error))?;
        way.step(opened.into(), top)?;
        if way.go(root)?.is_some() {
            return Err(Errno::ENOTDIR.into());
        }
        way.floor = way.levels.len();
        way.foreign = None;
        if let Some(top) = way.levels.last_mut() {
            top.is_theirs = false;
            way.top = Some(top.directory.metadata()?.uid());
        }
        Ok(way)
    }

    /// Goes along `path`, and answers the regular file at its end and where that lies; none where it ends in a directory.
    pub(super) fn go(&mut self, path: &Path) -> io::Result<Option<(File, PathBuf)>> {
        let mut left = components(&std::path::absolute(path)?);
        let mut links = 0;
        while let Some(name) = left.pop() {
            if name == ".." {
                self.levels.truncate(self.floor.max(self.levels.len() - 1));
                continue;
            }
            let here = self.here()?;
            let (at, name) = (here.at.join(&name), name.as_os_str());
            let seen = fstatat(&here.directory, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
            match seen.st_mode & libc::S_IFMT {
                libc::S_IFLNK => {
                    links += 1;
                    if links > LINKS {
                        return Err(Errno::ELOOP.into());
                    }
                    let target = PathBuf::from(readlinkat(&here.directory, name)?);
                    let is_shared = here.is_shared && (!is_ours(seen.st_uid) || seen.st_nlink > 1);
                    if is_shared || here.is_theirs {
                        self.foreign.get_or_insert_with(|| at.clone());
                    }
                    if is_shared {
                        self.note(theirs(at, format!("a link, owner {}", seen.st_uid)));
                    }
                    if target.is_absolute() {
                        self.levels.truncate(self.floor);
                    }
                    left.extend(components(&target));
                }
                libc::S_IFDIR => {
                    let opened = openat(&here.directory, name, DIRECTORY, Mode::empty());
                    self.step(opened.map_err(|error| blind(&at, error))?.into(), at)?;
                }
                _ if !left.is_empty() => return Err(Errno::ENOTDIR.into()),
                _ => {
                    // Before it is opened: opening a device can already do something.
                    files::regular(seen.st_mode)?;
                    return self.end_in_file(name, at).map(Some);
                }
            }
        }
        Ok(None)
    }

    /// Where we are, as a directory that is to hold files of root: there a sticky one is no better than another.
    pub(super) fn end_in_directory(&mut self) -> io::Result<PathBuf> {
        let here = self.here()?;
        let (at, here_is_shared) = (here.at.clone(), here.is_shared);
        let fault = fault(&at, &here.directory, &here.directory.metadata()?, Asked::OwnerAndMode)?;
        if let Some(mut fault) = fault {
            self.faults.retain(|known| known.at != at);
            // It is the one that was named, so whose it is can be put right; nobody takes /tmp from its users.
            fault.is_theirs = here_is_shared;
            self.note(fault);
        }
        Ok(at)
    }

    /// Where we are, as a directory to make another one in.
    pub(super) fn end_above(&mut self) -> io::Result<PathBuf> {
        self.here().map(|here| here.at.clone())
    }

    /// Where we are, open.
    pub(super) fn end_open(mut self) -> io::Result<(File, PathBuf)> {
        let here = self.levels.pop().ok_or(Errno::ENOENT)?;
        Ok((here.directory, here.at))
    }

    fn here(&self) -> io::Result<&Level> {
        self.levels.last().ok_or_else(|| Errno::ENOENT.into())
    }

    fn step(&mut self, directory: File, at: PathBuf) -> io::Result<()> {
        let meta = directory.metadata()?;
        let is_sticky = meta.mode() & 0o1000 != 0;
        let mut is_theirs = self.levels.last().is_some_and(|above| above.is_theirs);
        let asked = if is_sticky { Asked::Owner } else { Asked::OwnerAndMode };
        if let Some(fault) = fault(&at, &directory, &meta, asked)? {
            is_theirs |= fault.mode || (fault.owner && self.top != Some(meta.uid()));
            self.note(Fault { is_theirs: fault.owner, ..fault });
        }
        let is_shared = is_sticky && meta.mode() & 0o022 != 0;
        self.levels.push(Level { directory, at, is_shared, is_theirs });
        Ok(())
    }

    fn end_in_file(&mut self, name: &OsStr, at: PathBuf) -> io::Result<(File, PathBuf)> {
        let here = self.here()?;
        let file = File::from(openat(&here.directory, name, FILE, Mode::empty())?);
        let meta = file.metadata()?;
        files::regular(meta.mode())?;
        let is_linked = here.is_shared && meta.nlink() > 1;
        if is_linked {
            self.note(theirs(at.clone(), format!("{} names", meta.nlink())));
        } else if let Some(fault) = fault(&at, &file, &meta, Asked::OwnerAndMode)? {
            self.note(fault);
        }
        Ok((file, at))
    }

    fn note(&mut self, fault: Fault) {
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }
}

fn blind(at: &Path, error: Errno) -> io::Error {
    let why = format!("who can write {} cannot be determined ({}); run as root", at.display(), error.desc());
    io::Error::new(io::Error::from(error).kind(), why)
}

fn is_ours(uid: u32) -> bool {
    uid == 0 || uid == geteuid().as_raw()
}

fn theirs(at: PathBuf, what: String) -> Fault {
    Fault { at, what, owner: false, mode: false, is_theirs: true }
}

/// What of a file or directory is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Owner,
    OwnerAndMode,
}

/// What lets others write what is open here.
fn fault(at: &Path, open: &File, meta: &Metadata, asked: Asked) -> io::Result<Option<Fault>> {
    let mode = meta.mode() & 0o7777;
    let owner = !is_ours(meta.uid());
    let by_group = mode & 0o020 != 0 && (meta.gid() != 0 || has_access_list(open)?);
    let by_others = by_group || mode & 0o002 != 0;
    let what = format!("owner {}, group {}, mode {mode:04o}", meta.uid(), meta.gid());
    let fault = Fault {
        at: at.to_path_buf(),
        what,
        owner,
        mode: asked == Asked::OwnerAndMode && by_others,
        is_theirs: false,
    };
    Ok((fault.owner || fault.mode).then_some(fault))
}

/// Whether it has an access list beside its mode.
fn has_access_list(open: &File) -> io::Result<bool> {
    match open.get_xattr("system.posix_acl_access") {
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => Ok(false),
        list => Ok(list?.is_some()),
    }
}
