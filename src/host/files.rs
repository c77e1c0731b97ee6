//! Files of the host are replaced whole: written beside, fsynced, mode, owner, SELinux label and access list kept,
//! renamed, directory fsynced. At no instant does a reader, or a machine that lost power, see half a file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::libc;
use xattr::FileExt;

/// Replaces the file at `path` (a path of the process, see [`super::Host::path`]) with `content`.
///
/// A file that exists keeps its mode, owner, SELinux label and access list; a new one gets `mode_if_new`. A symbolic link is followed:
/// the file it leads to is the one replaced, and the link stays. An interrupted call leaves the old file whole.
///
/// # Errors
/// What failed, naming the file: it is not a regular file, or an operating system error.
pub fn replace(path: &Path, content: &[u8], mode_if_new: u32) -> Result<()> {
    let target = follow(path).with_context(|| format!("replacing {}", path.display()))?;
    let old = match fs::metadata(&target) {
        Ok(old) if !old.is_file() => bail!("{} is not a regular file", target.display()),
        Ok(old) => Some(old),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
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
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // create_new: what an enemy might have put under that name is not followed.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(beside)?;
    file.write_all(content)?;
    if let Some((_, old)) = old {
        fchown(&file, Some(old.uid()), Some(old.gid()))?;
    }
    let mode = old.map_or(mode_if_new, |(_, old)| old.mode() & 0o7777);
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    if let Some((old, _)) = old {
        keep_attributes(old, &file)?;
    }
    file.sync_all()
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
        let is_kept = name == "security.selinux"
            || name == "system.posix_acl_access"
            || name.as_bytes().starts_with(b"user.");
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

/// Makes a name that was just created, renamed or removed at `path` survive a power loss.
///
/// # Errors
/// What opening or syncing its directory says.
pub fn sync_parent(path: &Path) -> Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(directory)
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
    fn a_directory_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let error = replace(dir.path(), b"", 0o644).unwrap_err().to_string();
        assert!(error.contains("is not a regular file"), "{error}");
    }
}
