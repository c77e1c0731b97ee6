//! Files of the host: opened without ever waiting for one, read up to a bound, and replaced whole.
//!
//! Opened is what is a regular file, and nothing else unless it is said so ([`node`], [`directory`]): a FIFO would be waited
//! for, and a device does something when it is opened.
//!
//! Replaced is: written beside, fsynced, mode, owner, SELinux label and access list kept, renamed, directory fsynced. At no
//! instant does a reader, or a machine that lost power, see half a file.
#![allow(clippy::disallowed_methods, reason = "the one place where files are opened")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use nix::libc;
use xattr::FileExt;

/// The largest file that is read whole, in bytes: none of /proc, /sys or /etc comes near it, and a sparse file of a terabyte
/// does not exhaust memory.
pub const LARGEST: u64 = 16 << 20;

/// Opens the regular file that `path` leads to, for reading.
/// Errors: What the system said; it is something other than a regular file, which is named and not waited for.
pub fn open(path: &Path) -> io::Result<File> {
    open_with(path, OpenOptions::new().read(true), 0)
}

/// As [`open`], in the way and with the flags that are given.
pub fn open_with(path: &Path, options: &mut OpenOptions, flags: libc::c_int) -> io::Result<File> {
    let seen = if flags & libc::O_NOFOLLOW == 0 { path.metadata() } else { path.symlink_metadata() };
    match seen {
        // Before it is opened: opening a device can already do something (/dev/watchdog).
        Ok(meta) => regular(meta.mode())?,
        // It may be made.
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let file = options.custom_flags(flags | libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    regular(file.metadata()?.mode())?;
    Ok(file)
}

/// Opens a file of our own to write to, readable by root alone where it is new: no link is followed, and it has no other name
/// under which something else would be written to.
/// Errors: One line that names the file: it is something else, or what the system said.
pub fn own(path: &Path, options: &mut OpenOptions) -> Result<File> {
    let there = path.symlink_metadata();
    if let Some(what) = there.ok().and_then(|meta| other_kind(meta.mode())) {
        bail!("{} is {what}, not a regular file: remove it", path.display());
    }
    let opening = || format!("opening {}", path.display());
    let file = open_with(path, options.create(true).mode(0o600), libc::O_NOFOLLOW).with_context(opening)?;
    let names = file.metadata().with_context(opening)?.nlink();
    ensure!(names < 2, "{} has {names} names (hard links), one was expected: remove it", path.display());
    Ok(file)
}

/// Makes a file, for writing, where there is none: what an enemy might have put under that name is not followed.
/// Errors: What the system said; there is one.
pub fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Opens what may be a device, for reading, with `flags`: whoever does that looks at what it is.
pub fn node(path: &Path, flags: libc::c_int) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

/// Opens a directory, to sync it or to look at its file system.
/// Errors: What the system said; it is something else.
pub fn directory(path: &Path) -> io::Result<File> {
    node(path, libc::O_DIRECTORY)
}

/// Reads the whole regular file that `path` leads to.
/// Errors: As [`open`]; `FileTooLarge` beyond [`LARGEST`].
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    read_at_most(open(path)?, LARGEST)
}

/// Reads `file` to its end, which comes after at most `most` bytes.
/// Errors: What the system said; `FileTooLarge`.
pub fn read_at_most(file: impl Read, most: u64) -> io::Result<Vec<u8>> {
    // Files of /proc say no size: room for most of them in one read.
    let mut bytes = Vec::with_capacity(4096);
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

/// Refuses what is no regular file, by its mode.
pub(super) fn regular(mode: u32) -> io::Result<()> {
    if other_kind(mode).is_none() { Ok(()) } else { Err(not_regular(mode)) }
}

/// That it is something other than a regular file.
pub(super) fn not_regular(mode: u32) -> io::Error {
    let what = other_kind(mode).unwrap_or("another one");
    let kind = if what == "a directory" { ErrorKind::IsADirectory } else { ErrorKind::Other };
    io::Error::new(kind, format!("it is {what}, not a regular file"))
}

/// What it is by its mode, where that is no regular file.
fn other_kind(mode: u32) -> Option<&'static str> {
    Some(match mode & libc::S_IFMT {
        libc::S_IFREG => return None,
        libc::S_IFDIR => "a directory",
        libc::S_IFLNK => "a symbolic link",
        libc::S_IFIFO => "a FIFO",
        libc::S_IFSOCK => "a socket",
        libc::S_IFBLK => "a block device",
        _ => "a character device",
    })
}

/// Replaces the file at `path` (a path of the process, see [`super::Host::path`]) with `content`.
///
/// A file that exists keeps its mode, owner, SELinux label and access list; a new one gets `mode_if_new`. A symbolic link is followed:
/// the file it leads to is the one replaced, and the link stays. An interrupted call leaves the old file whole.
/// Errors: What failed, naming the file: it is not a regular file, or an operating system error.
pub fn replace(path: &Path, content: &[u8], mode_if_new: u32) -> Result<()> {
    let target = follow(path).with_context(|| format!("replacing {}", path.display()))?;
    let old = match fs::metadata(&target) {
        Ok(old) if !old.is_file() => {
            let what = other_kind(old.mode()).unwrap_or("another one");
            bail!("{} is {what}, not a regular file", target.display())
        }
        Ok(old) => Some(old),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("looking at {}", target.display())),
    };
    let beside = temporary(&target)?;
    write_beside(&beside, content, mode_if_new, old.as_ref().map(|old| (target.as_path(), old)))
        .and_then(|()| fs::rename(&beside, &target))
        .inspect_err(|_| {
            let _ = fs::remove_file(&beside);
        })
        .with_context(|| format!("replacing {}", target.display()))?;
    sync_parent(&target)
}

/// The file that a chain of links at `path` leads to; `path` itself where there is no link.
fn follow(path: &Path) -> Result<PathBuf> {
    match path.symlink_metadata() {
        Ok(meta) if meta.is_symlink() => path.canonicalize().context("following the link"),
        _ => Ok(path.to_path_buf()),
    }
}

/// How the name ends under which a file is written before it takes its place.
pub const NEW: &str = ".mt-agent-new";

/// The name beside `target` that an interrupted replacement may leave behind; the next one reuses it.
fn temporary(target: &Path) -> Result<PathBuf> {
    let name = target.file_name().with_context(|| format!("{} does not name a file", target.display()))?;
    Ok(target.with_file_name(format!(".{}{NEW}", name.to_string_lossy())))
}

fn write_beside(
    beside: &Path,
    content: &[u8],
    mode_if_new: u32,
    old: Option<(&Path, &fs::Metadata)>,
) -> io::Result<()> {
    match fs::remove_file(beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = create(beside)?;
    file.write_all(content)?;
    if let Some((_, old)) = old {
        fchown(&file, Some(old.uid()), Some(old.gid()))?;
    }
    let mode = old.map_or(mode_if_new, |(_, old)| old.mode() & 0o7777);
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    match old {
        Some((old, _)) => keep_attributes(old, &file)?,
        None => label(beside)?,
    }
    file.sync_all()
}

/// Where SELinux keeps the label of a file.
const LABEL: &str = "security.selinux";

/// Gives what was made at `path` its directory's SELinux label, where it has none and the directory has one. The kernel of a
/// machine with SELinux gives a new file a label by itself; in an image's tree, sealed on another machine, nobody does, and a
/// confined service of the clone may not read it. Without a rule of its own a new file of the policy has its directory's type.
pub fn label_like_parent(path: &Path) -> Result<()> {
    label(path).with_context(|| format!("giving {} an SELinux label", path.display()))
}

fn label(path: &Path) -> io::Result<()> {
    // Without root's rights nobody labels a file, and needs to: such a user has no tree of an image.
    let without = |error: &io::Error| matches!(error.raw_os_error(), Some(libc::EOPNOTSUPP | libc::EPERM));
    let label_of = |path: &Path| match xattr::get(path, LABEL) {
        Err(error) if without(&error) => Ok(None),
        label => label,
    };
    let Some(of_directory) = label_of(directory_of(path))? else { return Ok(()) };
    if label_of(path)?.is_some() {
        return Ok(());
    }
    match xattr::set(path, LABEL, &of_directory) {
        Err(error) if without(&error) => Ok(()),
        set => set,
    }
}

/// Gives `new` the SELinux label, the access list and the users' attributes of the file at `old`: a new file has
/// its directory's label, with which a confined service may not read what it could read before. Signatures of
/// the content (security.ima, security.evm) are not taken along.
fn keep_attributes(old: &Path, new: &File) -> io::Result<()> {
    let names = match xattr::list(old) {
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => return Ok(()),
        names => names?,
    };
    for name in names {
        let is_kept =
            name == LABEL || name == "system.posix_acl_access" || name.as_bytes().starts_with(b"user.");
        let Some(value) = is_kept.then(|| xattr::get(old, &name)).transpose()?.flatten() else { continue };
        if new.get_xattr(&name)?.as_ref() == Some(&value) {
            continue;
        }
        match new.set_xattr(&name, &value) {
            // A file system that is mounted with one label for all.
            Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => {}
            set => set?,
        }
    }
    Ok(())
}

/// The directory that has the name `path`.
fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a name that was just created, renamed or removed at `path` survive a power loss.
/// Errors: What opening or syncing its directory says.
pub fn sync_parent(path: &Path) -> Result<()> {
    let directory = directory_of(path);
    self::directory(directory)
        .and_then(|directory| directory.sync_all())
        .with_context(|| format!("syncing the directory {}", directory.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn mode_and_link_are_kept_and_nothing_is_left_beside() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("fstab"), dir.path().join("link"));
        File::create(&file).unwrap().set_permissions(fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        File::create(dir.path().join(".fstab.mt-agent-new")).unwrap();
        replace(&link, b"new", 0o644).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o640);
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_new_file_has_its_directory_s_label() {
        let dir = tempfile::tempdir().unwrap();
        let (file, own) = (dir.path().join("new"), b"system_u:object_r:var_lib_t:s0".as_slice());
        xattr::set(dir.path(), LABEL, own).expect("root, on a file system with labels");
        replace(&file, b"", 0o600).unwrap();
        assert_eq!(xattr::get(&file, LABEL).unwrap().as_deref(), Some(own));
        let other = b"system_u:object_r:etc_t:s0".as_slice();
        xattr::set(&file, LABEL, other).unwrap();
        replace(&file, b"x", 0o600).unwrap();
        assert_eq!(
            xattr::get(&file, LABEL).unwrap().as_deref(),
            Some(other),
            "one that is replaced keeps its own"
        );
    }

    #[test]
    fn a_file_of_our_own_is_a_regular_one_with_one_name() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let append = |name: &str| own(&at(name), OpenOptions::new().append(true)).map(drop);
        append("log").unwrap();
        assert_eq!(fs::metadata(at("log")).unwrap().mode() & 0o777, 0o600);
        append("log").unwrap();
        nix::unistd::mkfifo(&at("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        symlink("log", at("link")).unwrap();
        symlink("none", at("nowhere")).unwrap();
        for (name, what) in [
            ("fifo", "a FIFO"),
            ("socket", "a socket"),
            ("link", "a symbolic link"),
            ("nowhere", "a symbolic link"),
            ("", "a directory"),
        ] {
            let message = append(name).unwrap_err().to_string();
            assert_eq!(message, format!("{} is {what}, not a regular file: remove it", at(name).display()));
        }
        assert!(!at("none").exists());
        // Whoever can link into the directory would have another file written to.
        fs::hard_link(at("log"), at("second")).unwrap();
        let message = append("log").unwrap_err().to_string();
        assert!(message.ends_with("/log has 2 names (hard links), one was expected: remove it"), "{message}");
    }

    #[test]
    fn what_is_read_whole_has_a_bound() {
        let dir = tempfile::tempdir().unwrap();
        File::create(dir.path().join("big")).unwrap().set_len(1 << 40).unwrap();
        assert_eq!(read(&dir.path().join("big")).unwrap_err().kind(), ErrorKind::FileTooLarge);
        assert_eq!(read_at_most(&b"abc"[..], 3).unwrap(), b"abc");
        assert_eq!(read_at_most(&b"abcd"[..], 3).unwrap_err().kind(), ErrorKind::FileTooLarge);
    }

    #[test]
    fn a_directory_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let error = replace(dir.path(), b"", 0o644).unwrap_err().to_string();
        assert!(error.ends_with(" is a directory, not a regular file"), "{error}");
    }
}
