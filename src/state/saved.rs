//! Files as they were before a change: `/var/lib/mt-agent/saved/STAMP/PATH`, with `/` written as `%`.

use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use time::OffsetDateTime;
use time::macros::format_description;

use super::paths::{DIRECTORY, SAVED};
use crate::host::{Host, files, trust};

/// A name for one change's saved files: `fstab-20260801T120000Z`.
pub fn stamp(what: &str) -> String {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let now = OffsetDateTime::now_utc();
    format!("{what}-{}", now.format(&format).unwrap_or_else(|_| now.unix_timestamp().to_string()))
}

/// Makes the directory `path` of the host and those above it that are missing, each 0700, so that they
/// survive a power loss.
/// Errors: What failed, naming the directory: it is something else, users other than root can write it, or an
/// operating system error.
pub fn directory(host: &Host, path: &str) -> Result<PathBuf> {
    let whole = host.path(path);
    // A link in the place of one of ours leads to where nothing of the agent's is looked for.
    let ours = whole.ancestors().take_while(|place| *place != host.path(DIRECTORY));
    for place in ours.filter(|place| place.starts_with(host.path(DIRECTORY))) {
        let Ok(meta) = place.symlink_metadata() else { continue };
        ensure!(!meta.is_symlink(), "{} is a symbolic link, not a directory: move it away", place.display());
        ensure!(meta.is_dir(), "{} is not a directory: move it away", place.display());
    }
    let missing: Vec<&Path> = whole.ancestors().take_while(|dir| dir.symlink_metadata().is_err()).collect();
    for dir in missing.into_iter().rev() {
        match DirBuilder::new().mode(0o700).create(dir) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made.with_context(|| format!("making the directory {}", dir.display()))?,
        }
        files::sync_parent(dir)?;
    }
    ensure!(whole.is_dir(), "{} is not a directory: move it away", whole.display());
    if host.is_live() {
        trust::place(&whole)?;
    }
    Ok(whole)
}

/// Copies the file at `path` of the host, with its mode and owner, to `saved/STAMP/`, synced; returns where
/// the copy lies, or `None` where there is no such file. A link is followed. A copy that is already there
/// under this stamp is never overwritten: it is what the file was first, and a different one gets a number.
/// Errors: What failed, naming the file: then nothing may be changed, as the way back would be missing.
pub fn keep(host: &Host, path: &str, stamp: &str) -> Result<Option<PathBuf>> {
    ensure!(
        !stamp.is_empty() && !stamp.starts_with('.') && !stamp.contains('/'),
        "`{stamp}` cannot be the name of a directory"
    );
    let source = host.path(path);
    let from = match files::open(&source) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.with_context(|| format!("saving {}", source.display()))?,
    };
    let meta = from.metadata().with_context(|| format!("saving {}", source.display()))?;
    let content = files::read_at_most(from, files::LARGEST);
    let content = content.with_context(|| format!("saving {}", source.display()))?;

    let dir = directory(host, &format!("{SAVED}/{stamp}"))?;
    let name = path.replace('/', "%");
    for number in 0..1000 {
        let copy = dir.join(if number == 0 { name.clone() } else { format!("{name}.{number}") });
        match files::read(&copy) {
            Ok(old) if old == content => return Ok(Some(copy)),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                write(&copy, &content, &meta)
                    .with_context(|| format!("saving {} as {}", source.display(), copy.display()))?;
                files::sync_parent(&copy)?;
                return Ok(Some(copy));
            }
            Err(error) => return Err(error).with_context(|| format!("reading {}", copy.display())),
        }
    }
    bail!("{} holds 1,000 versions of {}: move it away", dir.display(), source.display())
}

fn write(copy: &Path, content: &[u8], meta: &fs::Metadata) -> io::Result<()> {
    // Written under another name first: an interrupted copy must never pass for the file as it was.
    let beside = copy.with_extension("mt-agent-new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = files::create(&beside)?;
    file.write_all(content)?;
    fchown(&file, Some(meta.uid()), Some(meta.gid()))?;
    file.set_permissions(fs::Permissions::from_mode(meta.mode() & 0o7777))?;
    file.sync_all()?;
    fs::rename(&beside, copy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    fn host_with(path: &str, content: &str, mode: u32) -> (tempfile::TempDir, Host) {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::image(dir.path());
        put(&host, path, content, mode);
        (dir, host)
    }

    fn put(host: &Host, path: &str, content: &str, mode: u32) {
        let file = host.path(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let mut file = File::create(file).unwrap();
        file.write_all(content.as_bytes()).unwrap();
        file.set_permissions(fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_copy_has_content_and_mode_and_lies_in_private_directories() {
        let (_dir, host) = host_with("/etc/multipath.conf", "blacklist {\n}\n", 0o640);
        let copy = keep(&host, "/etc/multipath.conf", "s1").unwrap().unwrap();
        assert_eq!(copy, host.path("/var/lib/mt-agent/saved/s1/%etc%multipath.conf"));
        assert_eq!(fs::read(&copy).unwrap(), b"blacklist {\n}\n");
        assert_eq!(copy.metadata().unwrap().mode() & 0o7777, 0o640);
        for dir in [DIRECTORY, SAVED, "/var/lib/mt-agent/saved/s1"] {
            assert_eq!(host.path(dir).metadata().unwrap().mode() & 0o7777, 0o700, "{dir}");
        }
        assert_eq!(fs::read_dir(copy.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn what_the_file_was_first_is_never_overwritten() {
        let (_dir, host) = host_with("/etc/fstab", "first", 0o644);
        let first = keep(&host, "/etc/fstab", "s").unwrap().unwrap();
        assert_eq!(keep(&host, "/etc/fstab", "s").unwrap().unwrap(), first);
        put(&host, "/etc/fstab", "second", 0o644);
        let second = keep(&host, "/etc/fstab", "s").unwrap().unwrap();
        assert_eq!(second, first.with_file_name("%etc%fstab.1"));
        assert_eq!(
            (fs::read(first).unwrap(), fs::read(second).unwrap()),
            (b"first".into(), b"second".into())
        );
    }

    #[test]
    fn no_file_is_no_copy_and_no_directory() {
        let (_dir, host) = host_with("/etc/x", "", 0o644);
        assert_eq!(keep(&host, "/etc/bashrc", "s").unwrap(), None);
        assert!(!host.exists(DIRECTORY));
    }

    #[test]
    fn what_cannot_be_copied_is_refused_by_name() {
        let (_dir, host) = host_with("/etc/a/b", "", 0o644);
        let error = format!("{:#}", keep(&host, "/etc/a", "s").unwrap_err());
        assert!(error.ends_with("/etc/a: it is a directory, not a regular file"), "{error}");
        assert!(keep(&host, "/etc/a/b", "../s").unwrap_err().to_string().contains("cannot be the name"));
        put(&host, "/var/lib/mt-agent", "", 0o644);
        let error = format!("{:#}", keep(&host, "/etc/a/b", "s").unwrap_err());
        assert!(error.contains("mt-agent"), "{error}");
    }

    #[test]
    fn a_stamp_is_a_name_that_sorts_by_time() {
        let stamp = stamp("fstab");
        assert_eq!(stamp.len(), "fstab-20260801T120000Z".len(), "{stamp}");
        assert!(stamp.starts_with("fstab-20") && stamp.ends_with('Z'), "{stamp}");
    }
}
