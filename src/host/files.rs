//! Files of the host are replaced whole: written beside, fsynced, mode, owner, SELinux label and access list kept,
//! renamed, directory fsynced. At no instant does a reader, or a machine that lost power, see half a file.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::libc;
use xattr::FileExt;

use super::apart::apart;
use super::{Host, ioctl};

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
///
/// # Errors
/// What failed, naming the path.
pub fn label_like_parent(path: &Path) -> Result<()> {
    label(path).with_context(|| format!("giving {} an SELinux label", path.display()))
}

fn label(path: &Path) -> io::Result<()> {
    // Without root's rights nobody labels a file, and needs to: such a user has no tree of an image.
    let without = |error: &io::Error| matches!(error.raw_os_error(), Some(libc::EOPNOTSUPP | libc::EPERM));
    let told = |path: &Path| match xattr::get(path, LABEL) {
        Err(error) if without(&error) => Ok(None),
        told => told,
    };
    let Some(of_directory) = told(directory_of(path))? else { return Ok(()) };
    if told(path)?.is_some() {
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
///
/// # Errors
/// What opening or syncing its directory says.
pub fn sync_parent(path: &Path) -> Result<()> {
    let directory = directory_of(path);
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .with_context(|| format!("syncing the directory {}", directory.display()))
}

/// Where the file systems of a system lie that programs of its own write to.
const SYSTEM: [&str; 8] = ["/", "/etc", "/usr", "/usr/local", "/var", "/boot", "/opt", "/home"];

/// How long sync(2) may take where there is no syncfs(2).
const SYNC: Duration = Duration::from_secs(60);

/// Writes out what the kernel still holds for the file systems of the system itself, after a program that syncs nothing.
///
/// # Errors
/// What failed, naming the directory.
pub fn sync_system(host: &Host) -> Result<()> {
    let mut seen = BTreeSet::new();
    for path in SYSTEM {
        let path = host.path(path);
        let opened = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            opened => opened.and_then(|directory| Ok((directory.metadata()?.dev(), directory))),
        };
        let (device, directory) = opened.with_context(|| format!("opening {} to sync it", path.display()))?;
        if seen.insert(device) {
            sync_file_system(&directory)
                .with_context(|| format!("syncing the file system of {}", path.display()))?;
        }
    }
    Ok(())
}

/// Writes out what the kernel still holds for the file system of `file` alone: sync(2) waits for each of the machine, for
/// ever where the disk of one is suspended. Before 2.6.39 there is only sync(2): there it is waited for a minute, in
/// which what can be written is, and a disk that does not answer is no reason to fail.
///
/// # Errors
/// What the system said.
pub fn sync_file_system(file: &File) -> io::Result<()> {
    match ioctl::sync_file_system(file) {
        Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => {
            let _ = apart("syncing all file systems", SYNC, &[], nix::unistd::sync);
            file.sync_all()
        }
        synced => synced,
    }
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
    fn a_directory_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let error = replace(dir.path(), b"", 0o644).unwrap_err().to_string();
        assert!(error.contains("is not a regular file"), "{error}");
    }
}
