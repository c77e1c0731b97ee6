//! What an image must not carry is overwritten before it goes: a name that is removed leaves its bytes on the disk, and a
//! golden image is copied block by block.
//!
//! A journal of the file system holds names and sizes, not contents (ext4's default, `data=ordered`). What other programs
//! removed earlier is reached by [`fill_free_space`] alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use nix::libc;

use crate::host::{Host, files};

/// The zeros that are written at a time.
const PIECE: usize = 1 << 20;

/// Under this name free space is filled; an interrupted run leaves it, and the next one removes it.
pub const FILLER: &str = ".mt-agent-zeros";

/// Overwrites the file at `path` with zeros and removes it; a link or an empty directory is only removed. `false`: nothing
/// was there. A file that has another name too keeps its content for that name.
///
/// # Errors
/// What failed, naming the file; it may be overwritten in part then, and is still there.
pub fn remove(path: &Path) -> Result<bool> {
    let meta = match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        meta => meta.with_context(|| format!("looking at {}", path.display()))?,
    };
    let removed = if meta.is_dir() {
        fs::remove_dir(path)
    } else {
        if meta.is_file() && meta.nlink() == 1 {
            overwrite(&open(path)?).with_context(|| format!("overwriting {}", path.display()))?;
        }
        fs::remove_file(path)
    };
    removed.with_context(|| format!("removing {}", path.display()))?;
    files::sync_parent(path)?;
    Ok(true)
}

/// Replaces the file at `path` whole, as [`files::replace`] does, and overwrites what it held.
///
/// # Errors
/// What failed, naming the file; it is then either as it was or as it is to be.
pub fn replace(path: &Path, content: &[u8], mode_if_new: u32) -> Result<()> {
    let old = match path.symlink_metadata() {
        Ok(meta) if meta.is_file() && meta.nlink() == 1 => Some(open(path)?),
        _ => None,
    };
    files::replace(path, content, mode_if_new)?;
    // It has no name any more, and its blocks are still its own.
    old.map_or(Ok(()), |old| overwrite(&old))
        .with_context(|| format!("overwriting what {} held before", path.display()))
}

fn open(path: &Path) -> Result<File> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let opened = OpenOptions::new().write(true).custom_flags(flags).open(path);
    opened.with_context(|| format!("opening {}", path.display()))
}

/// Zeros over all that the file has on the disk, to the end of its last block, and waits until they are there.
fn overwrite(file: &File) -> io::Result<()> {
    let meta = file.metadata()?;
    let zeros = vec![0; PIECE];
    let (mut at, end) = (0, meta.len().next_multiple_of(meta.blksize().max(512)));
    while at < end {
        let length = usize::try_from(end - at).unwrap_or(PIECE).min(PIECE);
        file.write_all_at(&zeros[..length], at)?;
        at += length as u64;
    }
    file.sync_all()
}

/// Fills what is free on the file system of `directory` with zeros, and frees it again; the bytes written.
///
/// # Errors
/// What failed other than that the disk is full, which is the end.
pub fn fill_free_space(directory: &Path) -> Result<u64> {
    let path = directory.join(FILLER);
    ensure!(directory.is_dir(), "{} is not a directory", directory.display());
    remove_filler(directory)?;
    let kept_back = kept_back(directory);
    let before = kept_back.as_ref().and_then(|path| fs::read_to_string(path).ok());
    let set = |value: &str| {
        kept_back.as_ref().map_or(Ok(()), |path| {
            let written = OpenOptions::new()
                .write(true)
                .open(path)
                .and_then(|mut file| file.write_all(value.as_bytes()));
            written.with_context(|| format!("writing {}", path.display()))
        })
    };
    if before.is_some() {
        set("0")?;
    }
    let filled = fill(&path).with_context(|| format!("filling {}", path.display()));
    remove_filler(directory)?;
    if let Some(before) = before {
        set(before.trim())?;
    }
    filled
}

/// Where ext4 keeps the number of clusters that it gives to nobody, not even to root (since Linux 3.11): what was removed
/// from there would stay. A crash forgets the number: it is set anew at each mount.
fn kept_back(directory: &Path) -> Option<PathBuf> {
    let device = directory.metadata().ok()?.dev();
    let number = format!("{}:{}", nix::sys::stat::major(device), nix::sys::stat::minor(device));
    // Also of a tree: the file system is this machine's.
    let host = Host::live();
    let block = host.path(format!("/sys/dev/block/{number}")).read_link().ok()?;
    let name = block.file_name()?.to_str()?.to_owned();
    Some(host.path(format!("/sys/fs/ext4/{name}/reserved_clusters"))).filter(|path| path.exists())
}

/// Removes what an interrupted [`fill_free_space`] left; `false`: nothing.
///
/// # Errors
/// What failed, naming the file.
pub fn remove_filler(directory: &Path) -> Result<bool> {
    let path = directory.join(FILLER);
    match fs::remove_file(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        removed => {
            removed.with_context(|| format!("removing {}", path.display()))?;
            files::sync_parent(&path)?;
            Ok(true)
        }
    }
}

fn fill(path: &Path) -> io::Result<u64> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let zeros = vec![0; PIECE];
    let mut written = 0;
    // In ever smaller pieces at the end, as a piece that does not fit is not written in part on every file system; and once
    // more, as blocks that were freed lately can be had only after they were written back.
    for size in [PIECE, 4096, PIECE, 4096, 512] {
        loop {
            match file.write(&zeros[..size]) {
                Ok(0) => break,
                Ok(length) => written += length as u64,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error)
                    if matches!(error.raw_os_error(), Some(libc::ENOSPC | libc::EFBIG | libc::EDQUOT)) =>
                {
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        match file.sync_all() {
            // Blocks that were only reserved until now may turn out to be too many.
            Err(error) if error.raw_os_error() == Some(libc::ENOSPC) => {}
            synced => synced?,
        }
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn put(path: &Path, content: &[u8]) {
        files::replace(path, content, 0o600).unwrap();
    }

    #[test]
    fn what_is_removed_is_overwritten_first() {
        let dir = tempfile::tempdir().unwrap();
        let (file, other) = (dir.path().join("key"), dir.path().join("other"));
        put(&file, b"the secret");
        // An open descriptor sees what the blocks hold after the name is gone.
        let seen = File::open(&file).unwrap();
        assert!(remove(&file).unwrap() && !file.exists());
        let mut now = vec![1; 4096];
        let length = seen.read_at(&mut now, 0).unwrap();
        assert!(length >= 10 && now[..length].iter().all(|byte| *byte == 0));
        assert!(!remove(&file).unwrap());
        put(&other, b"kept");
        symlink(&other, &file).unwrap();
        assert!(remove(&file).unwrap());
        assert_eq!(fs::read(&other).unwrap(), b"kept", "a link is removed, not what it leads to");
        fs::hard_link(&other, &file).unwrap();
        assert!(remove(&file).unwrap());
        assert_eq!(fs::read(&other).unwrap(), b"kept", "what has another name keeps its content");
    }

    #[test]
    fn what_is_replaced_is_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("multipath.conf");
        put(&file, b"wwid 36000c29");
        let seen = File::open(&file).unwrap();
        replace(&file, b"wwid none", 0o644).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"wwid none");
        let mut now = [1; 13];
        seen.read_exact_at(&mut now, 0).unwrap();
        assert_eq!(now, [0; 13]);
        replace(&dir.path().join("new"), b"x", 0o600).unwrap();
    }

    #[test]
    fn a_directory_goes_when_it_is_empty() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("saved");
        fs::create_dir(&inner).unwrap();
        put(&inner.join("x"), b"");
        assert!(format!("{:#}", remove(&inner).unwrap_err()).starts_with("removing "));
        remove(&inner.join("x")).unwrap();
        assert!(remove(&inner).unwrap());
    }
}
