//! Reading a profile's file: bounded, never from a pipe or a device, and only when nobody but root can write it.
//! Root formats disks and runs scripts by what a profile says, so who can write it is root.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::Mode;

use super::wrong::Wrong;
use crate::host::Host;

/// The largest file, in bytes.
pub const LARGEST: u64 = 256 << 10;

/// How one gets past the rule of ownership.
const FLAG: &str = "pass --allow-unsafe-profile (at a desk, never on a master target)";

/// A file that was read.
#[derive(Debug)]
pub struct Opened {
    /// Its text.
    pub text: String,
    /// Where it really lies, every link followed.
    pub real: PathBuf,
    /// Device and inode: what tells it from any other file.
    pub id: (u64, u64),
}

/// Reads the file at `path` of `host`, which messages call `name`. With `anyone`, who can write it does not
/// matter.
///
/// # Errors
/// Why it is refused, in one line.
pub fn read(host: &Host, path: &Path, name: &str, anyone: bool) -> Result<Opened, Wrong> {
    let wrong = |what: String| Wrong { at: Some(name.to_owned()), path: None, what };
    let real = host
        .resolve(path)
        .and_then(fs::canonicalize)
        .map_err(|error| wrong(format!("cannot be read: {error}")))?;
    // Looked at before it is opened: opening a device can already do something.
    let meta = fs::symlink_metadata(&real).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    regular(&meta).map_err(wrong)?;
    let file = if anyone { open_file(&real) } else { open_guarded(&real, name) }.map_err(wrong)?;
    let meta = file.metadata().map_err(|error| wrong(format!("cannot be read: {error}")))?;
    regular(&meta).map_err(wrong)?;
    if !anyone {
        guard(&meta, &real, "the file").map_err(wrong)?;
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| wrong(format!("cannot be read: {error}")))?;
    if bytes.len() as u64 > LARGEST {
        return Err(wrong(format!("is larger than {} KiB; no profile is", LARGEST >> 10)));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
        wrong(format!("is not UTF-8 text (line {line})"))
    })?;
    Ok(Opened { text, real, id: (meta.dev(), meta.ino()) })
}

fn regular(meta: &Metadata) -> Result<(), String> {
    let kind = meta.file_type();
    let what = if kind.is_file() {
        return Ok(());
    } else if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    Err(format!("is {what}, expected a file"))
}

/// Without waiting: what was a file a moment ago may be a pipe now.
const FILE: OFlag = OFlag::O_RDONLY
    .union(OFlag::O_NONBLOCK)
    .union(OFlag::O_NOCTTY)
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);

const DIRECTORY: OFlag =
    OFlag::O_RDONLY.union(OFlag::O_DIRECTORY).union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);

fn open_file(real: &Path) -> Result<File, String> {
    open(real, FILE, Mode::empty()).map(File::from).map_err(unreadable)
}

fn unreadable(error: Errno) -> String {
    format!("cannot be read: {}", error.desc())
}

/// Opens `real`, which has no link in it, from the root down. Each directory is looked at on the descriptor
/// through which the next one is opened, so nobody can put another in its place in between.
fn open_guarded(real: &Path, name: &str) -> Result<File, String> {
    let mut at = PathBuf::from("/");
    let mut directory = enter(open(&at, DIRECTORY, Mode::empty()), &at)?;
    let parts: Vec<&OsStr> = real
        .components()
        .filter_map(|part| if let Component::Normal(part) = part { Some(part) } else { None })
        .collect();
    let Some((last, parents)) = parts.split_last() else {
        return Err(format!("{name} does not name a file"));
    };
    for part in parents {
        at.push(part);
        directory = enter(openat(&directory, *part, DIRECTORY, Mode::empty()), &at)?;
    }
    openat(&directory, *last, FILE, Mode::empty()).map(File::from).map_err(unreadable)
}

fn enter(opened: nix::Result<OwnedFd>, at: &Path) -> Result<OwnedFd, String> {
    let blind = |error: String| {
        let at = at.display();
        format!(
            "is refused: who can write the directory {at} cannot be told ({error}); run as root, or {FLAG}"
        )
    };
    let directory = File::from(opened.map_err(|error| blind(error.desc().to_owned()))?);
    let meta = directory.metadata().map_err(|error| blind(error.to_string()))?;
    guard(&meta, at, "the directory")?;
    Ok(directory.into())
}

/// Refuses what others than root can write. An access list that lets others write shows in the group bits, and
/// the sticky bit of /tmp does not keep others from putting a directory of theirs in the way.
fn guard(meta: &Metadata, at: &Path, what: &str) -> Result<(), String> {
    let (owner, mode) = (meta.uid(), meta.mode() & 0o7777);
    let mut cures = Vec::new();
    let at = at.display();
    if owner != 0 {
        cures.push(format!("chown root: {at}"));
    }
    if mode & 0o022 != 0 {
        cures.push(format!("chmod go-w {at}"));
    }
    if cures.is_empty() {
        return Ok(());
    }
    // Nobody should be told to take /tmp from its users.
    let cure = if mode & 0o1000 != 0 && meta.is_dir() {
        "keep it in a directory of root's such as /etc/mt-agent".to_owned()
    } else {
        format!("run `{}`", cures.join(" && "))
    };
    Err(format!(
        "is refused: others than root can write {what} {at} (owner {owner}, mode {mode:04o}); {cure}, or {FLAG}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn refused(path: &Path, anyone: bool) -> String {
        read(&Host::live(), path, "P", anyone).unwrap_err().to_string()
    }

    #[test]
    fn what_only_root_can_write_is_read_and_links_are_followed() {
        let opened = read(&Host::live(), Path::new("/etc/passwd"), "P", false).unwrap();
        assert!(opened.text.starts_with("root:"), "{opened:?}");
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("link");
        symlink("/etc/passwd", &link).unwrap();
        // The link may lie anywhere: what it leads to is what counts.
        assert_eq!(read(&Host::live(), &link, "P", false).unwrap().real, Path::new("/etc/passwd"));
    }

    #[test]
    fn a_directory_that_others_can_write_refuses_the_file_and_the_flag_lifts_it() {
        let dir = tempfile::Builder::new().tempdir_in("/tmp").unwrap();
        let file = dir.path().join("p.yaml");
        File::create(&file).unwrap();
        let tmp = fs::metadata("/tmp").unwrap();
        assert_eq!(
            refused(&file, false),
            format!(
                "P: is refused: others than root can write the directory /tmp (owner {}, mode {:04o}); keep it in a \
                 directory of root's such as /etc/mt-agent, or pass --allow-unsafe-profile (at a desk, never on a \
                 master target)",
                tmp.uid(),
                tmp.mode() & 0o7777
            )
        );
        assert_eq!(read(&Host::live(), &file, "P", true).unwrap().text, "");
    }

    #[test]
    fn owner_and_mode_are_told_with_the_cure() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("p.yaml");
        File::create(&file).unwrap();
        for (mode, right) in [(0o644, true), (0o600, true), (0o664, false), (0o602, false), (0o4646, false)] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let meta = fs::metadata(&file).unwrap();
            let told = guard(&meta, &file, "the file");
            if meta.uid() == 0 {
                assert_eq!(told.is_ok(), right, "{mode:o}: {told:?}");
            }
            if !right {
                let told = told.unwrap_err();
                assert!(told.contains(&format!("chmod go-w {}`, or pass --allow", file.display())), "{told}");
                assert!(told.contains(&format!("mode {mode:04o})")), "{told}");
            }
        }
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        if nix::unistd::geteuid().is_root() {
            std::os::unix::fs::chown(&file, Some(1234), None).unwrap();
        }
        let meta = fs::metadata(&file).unwrap();
        let told = guard(&meta, &file, "the file").unwrap_err();
        assert!(told.contains(&format!(
            "(owner {}, mode 0644); run `chown root: {}`",
            meta.uid(),
            file.display()
        )));
    }

    #[test]
    fn what_is_no_file_is_named_and_never_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        nix::unistd::mkfifo(&fifo, Mode::S_IRWXU).unwrap();
        assert_eq!(refused(&fifo, true), "P: is a pipe, expected a file");
        assert_eq!(refused(dir.path(), true), "P: is a directory, expected a file");
        assert_eq!(refused(Path::new("/dev/zero"), true), "P: is a device, expected a file");
        assert_eq!(refused(Path::new("/dev/zero"), false), "P: is a device, expected a file");
        let none = refused(&dir.path().join("none"), true);
        assert_eq!(none, "P: cannot be read: No such file or directory (os error 2)");
    }

    #[test]
    fn size_and_encoding_are_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let big = dir.path().join("big");
        File::create(&big).unwrap().set_len(1 << 40).unwrap();
        assert_eq!(refused(&big, true), "P: is larger than 256 KiB; no profile is");
        let latin = dir.path().join("latin");
        crate::host::files::replace(&latin, b"name: a\ndescription: K\xf6ln\n", 0o644).unwrap();
        assert_eq!(refused(&latin, true), "P: is not UTF-8 text (line 2)");
    }
}
