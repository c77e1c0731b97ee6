//! Reading a profile's file: bounded, never from a FIFO or a device, and only when nobody but root can write it.
//! Root formats disks and runs scripts by what a profile says, so who can write it is root.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::wrong::Wrong;
use crate::host::{Host, files, trust};

/// The largest file, in bytes.
pub const LARGEST: u64 = 256 << 10;

/// How one gets past the rule of ownership.
const FLAG: &str = "pass --allow-unsafe-profile (at a desk, never on a master target)";

#[derive(Debug)]
pub struct Opened {
    pub text: String,
    /// Where it really lies, every link followed.
    pub real: PathBuf,
    /// Device and inode: what tells it from any other file.
    pub id: (u64, u64),
}

/// Who may be able to write a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writers {
    /// Root alone.
    Root,
    /// Anyone: the profile is used at a desk.
    Anyone,
}

/// Reads the file at `path` of `host`, which messages call `name`, where no others than `writers` can write it.
/// Errors: Why it is refused, in one line.
pub fn read(host: &Host, path: &Path, name: &str, writers: Writers) -> Result<Opened, Wrong> {
    let wrong = |what: String| Wrong { at: Some(name.to_owned()), path: None, what };
    let unreadable = |error: io::Error| wrong(format!("cannot be read: {error}"));
    let (file, real) = if writers == Writers::Anyone {
        open(host, path).map_err(unreadable)?
    } else {
        let seen = trust::look(host.root(), path)
            .map_err(|error| wrong(format!("cannot be read: {error}{}", hint(&error))))?;
        if let Some(doubt) = seen.doubt {
            return Err(wrong(format!("is refused: {doubt}, or {FLAG}")));
        }
        (seen.file, seen.real)
    };
    let meta = file.metadata().map_err(unreadable)?;
    let bytes = files::read_at_most(file, LARGEST).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => wrong(format!("is larger than {} KiB; no profile is", LARGEST >> 10)),
        _ => unreadable(error),
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
        wrong(format!("is not UTF-8 text (line {line})"))
    })?;
    Ok(Opened { text, real, id: (meta.dev(), meta.ino()) })
}

fn open(host: &Host, path: &Path) -> io::Result<(File, PathBuf)> {
    let real = host.resolve(path).and_then(fs::canonicalize)?;
    Ok((files::open(&real)?, real))
}

/// Where a directory on the way cannot be looked at by this user, the flag helps as well.
fn hint(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => format!(", or {FLAG}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn refused(path: &Path, writers: Writers) -> String {
        read(&Host::live(), path, "P", writers).unwrap_err().to_string()
    }

    #[test]
    fn what_only_root_can_write_is_read_and_links_are_followed() {
        let opened = read(&Host::live(), Path::new("/etc/passwd"), "P", Writers::Root).unwrap();
        assert!(opened.text.starts_with("root:"), "{opened:?}");
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("link");
        symlink("/etc/passwd", &link).unwrap();
        assert_eq!(read(&Host::live(), &link, "P", Writers::Root).unwrap().real, Path::new("/etc/passwd"));
    }

    #[test]
    fn what_others_can_write_is_refused_with_the_cure_and_the_flag_lifts_it() {
        let dir = tempfile::Builder::new().tempdir_in("/tmp").unwrap();
        let file = dir.path().join("p.yaml");
        File::create(&file).unwrap();
        let to = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        to(&file, 0o644);
        assert_eq!(
            read(&Host::live(), &file, "P", Writers::Root).unwrap().text,
            "",
            "/tmp itself is no reason"
        );
        to(&file, 0o666);
        let meta = fs::metadata(&file).unwrap();
        let refusal = format!(
            "P: is refused: users other than root can write {0} (owner {1}, group {2}, mode 0666): run `chmod go-w {0}`, or \
             pass --allow-unsafe-profile (at a desk, never on a master target)",
            file.display(),
            meta.uid(),
            meta.gid()
        );
        assert_eq!(refused(&file, Writers::Root), refusal);
        assert_eq!(read(&Host::live(), &file, "P", Writers::Anyone).unwrap().text, "");
        to(&file, 0o644);
        to(dir.path(), 0o777);
        let refusal = refused(&file, Writers::Root);
        assert!(
            refusal.contains(&format!("run `chmod go-w {}`, or pass", dir.path().display())),
            "{refusal}"
        );
        assert_eq!(read(&Host::live(), &file, "P", Writers::Anyone).unwrap().text, "");
    }

    #[test]
    fn what_is_no_file_is_named_and_never_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
        for writers in [Writers::Anyone, Writers::Root] {
            let refuses = |path: &Path, what: &str| {
                assert_eq!(
                    refused(path, writers),
                    format!("P: cannot be read: it is {what}, not a regular file")
                );
            };
            refuses(&fifo, "a FIFO");
            refuses(&dir.path().join("socket"), "a socket");
            refuses(dir.path(), "a directory");
            refuses(Path::new("/dev/zero"), "a character device");
            let none = refused(&dir.path().join("none"), writers);
            assert_eq!(none, "P: cannot be read: No such file or directory (os error 2)");
        }
    }

    #[test]
    fn size_and_encoding_are_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let big = dir.path().join("big");
        File::create(&big).unwrap().set_len(1 << 40).unwrap();
        assert_eq!(refused(&big, Writers::Anyone), "P: is larger than 256 KiB; no profile is");
        let latin = dir.path().join("latin");
        files::replace(&latin, b"name: a\ndescription: K\xf6ln\n", 0o644).unwrap();
        assert_eq!(refused(&latin, Writers::Anyone), "P: is not UTF-8 text (line 2)");
    }
}
