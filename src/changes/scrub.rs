//! What an image must not carry is overwritten before it goes: a name that is removed leaves its bytes on the disk, and a
//! golden image is copied block by block.
//!
//! A journal of the file system holds names and sizes, not contents (ext4's default, `data=ordered`). What other programs
//! removed earlier is reached by [`fill_free_space`] alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use nix::libc;
use nix::sys::statfs::{EXT4_SUPER_MAGIC, fstatfs};
use nix::sys::statvfs::fstatvfs;

use crate::host::{Host, files, text};

/// The zeros that are written at a time.
const PIECE: usize = 1 << 20;

/// How often, and after which pause, a file system that is full is asked whether it is.
const ROUNDS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// Under this name the file that fills free space begins.
const FILLER: &str = ".mt-agent-zeros";

/// Overwrites the file at `path` with zeros and removes it; what is no file, and an empty directory, is only removed.
/// `false`: nothing was there. A file that has another name too keeps its content for that name.
///
/// # Errors
/// What failed, naming the file; it may be overwritten in part then, and is still there. It is mounted there from another
/// file system, whose it is.
pub fn remove(path: &Path) -> Result<bool> {
    let meta = match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        meta => meta.with_context(|| format!("looking at {}", path.display()))?,
    };
    let removed = if meta.is_dir() {
        fs::remove_dir(path)
    } else {
        if meta.is_file() && meta.nlink() == 1 {
            let directory = path.parent().unwrap_or(Path::new("/"));
            let around =
                directory.metadata().with_context(|| format!("looking at {}", directory.display()))?;
            ensure!(around.dev() == meta.dev(), "{} is mounted there: unmount it first", path.display());
            let file = open(path)?;
            // Between the look and the opening, somebody may have put another file there, which has another name too.
            let opened = file.metadata().with_context(|| format!("looking at {}", path.display()))?;
            let same = (opened.dev(), opened.ino(), opened.nlink()) == (meta.dev(), meta.ino(), 1);
            ensure!(same && opened.is_file(), "{} is being changed by another program", path.display());
            overwrite(&file).with_context(|| format!("overwriting {}", path.display()))?;
        }
        fs::remove_file(path)
    };
    removed.with_context(|| format!("removing {}", path.display()))?;
    files::sync_parent(path)?;
    Ok(true)
}

/// How the name ends under which what a file held is kept until that is overwritten: an interruption leaves it.
pub const OLD: &str = ".mt-agent-old";

fn beside(path: &Path) -> Result<PathBuf> {
    let name = path.file_name().with_context(|| format!("{} names no file", path.display()))?;
    Ok(path.with_file_name(format!(".{}{OLD}", name.to_string_lossy())))
}

/// As [`remove`], for a record that somebody reads: at no instant it is there and overwritten in part.
///
/// # Errors
/// As there.
pub fn remove_record(path: &Path) -> Result<bool> {
    if !path.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
        return remove(path);
    }
    let old = beside(path)?;
    remove(&old)?;
    fs::rename(path, &old).with_context(|| format!("renaming {}", path.display()))?;
    files::sync_parent(path)?;
    remove(&old)
}

/// Replaces the file at `path` (no link) whole, as [`files::replace`] does, and overwrites what it held.
///
/// # Errors
/// What failed, naming the file; it is then either as it was or as it is to be.
pub fn replace(path: &Path, content: &[u8], mode_if_new: u32) -> Result<()> {
    let old = beside(path)?;
    remove(&old)?;
    match fs::hard_link(path, &old) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        linked => linked.with_context(|| format!("keeping {} as {}", path.display(), old.display()))?,
    }
    files::replace(path, content, mode_if_new)?;
    remove(&old).map(drop)
}

fn open(path: &Path) -> Result<File> {
    let opened = files::open_with(path, OpenOptions::new().write(true), libc::O_NOFOLLOW);
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

/// Fills what is free on the file system of `directory` with zeros, and frees it again; the bytes written. The file has no
/// name while it grows: whatever ends this, the room is free again at the latest after the next mount.
///
/// # Errors
/// What failed other than that the disk is full, which is the end. `stop` said so.
pub fn fill_free_space(directory: &Path, stop: &dyn Fn() -> bool) -> Result<u64> {
    ensure!(directory.is_dir(), "{} is not a directory", directory.display());
    let path = directory.join(FILLER);
    let filler = || -> io::Result<File> {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = files::create(&path)?;
        fs::remove_file(&path).map(|()| file)
    };
    let file = filler().with_context(|| format!("making {}", path.display()))?;
    let kept_back = kept_back(directory);
    let before = kept_back.as_ref().and_then(|path| files::read(path).ok());
    let before = before.and_then(|bytes| String::from_utf8(bytes).ok());
    let set = |value: &str| {
        kept_back.as_ref().map_or(Ok(()), |path| {
            let written = files::open_with(path, OpenOptions::new().write(true), 0)
                .and_then(|mut file| file.write_all(value.as_bytes()));
            written.with_context(|| format!("writing {}", path.display()))
        })
    };
    if before.is_some() {
        set("0")?;
    }
    let filled = fill(file, stop).with_context(|| format!("filling {}", directory.display()));
    let given_back = before.map_or(Ok(()), |before| set(before.trim()));
    let filled = filled?;
    given_back?;
    ensure!(!stop(), "ended while {} was filled: its free space is as it was", directory.display());
    Ok(filled)
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

fn fill(mut file: File, stop: &dyn Fn() -> bool) -> io::Result<u64> {
    let zeros = vec![0; PIECE];
    let (mut written, mut was_full) = (0, false);
    let is_ext = fstatfs(&file)?.filesystem_type() == EXT4_SUPER_MAGIC;
    // Again and again: what was freed lately, or is held back for other files, can be had only after a while.
    for _ in 0..ROUNDS {
        // In smaller pieces at the end: a piece that does not fit is not written in part on every file system.
        for size in [PIECE, 4096, 512] {
            while !stop() {
                match file.write(&zeros[..size]) {
                    Ok(0) => break,
                    Ok(length) => written += length as u64,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) if is_full(&error) => break,
                    Err(error) => return Err(error),
                }
            }
        }
        let synced = match file.sync_all() {
            // What was only reserved until now could not be had yet: it counts as used, and is not written.
            Err(error) if is_full(&error) => false,
            synced => synced.map(|()| true)?,
        };
        // Others keep a reserve of their own, and say that it is free.
        let full = !is_ext || (synced && fstatvfs(&file)?.blocks_free() == 0);
        if stop() || (full && was_full) {
            return Ok(written);
        }
        was_full = full;
        files::sync_file_system(&file)?;
        thread::sleep(PAUSE);
    }
    let left = fstatvfs(&file)?;
    let left = left.blocks_free().saturating_mul(left.fragment_size());
    Err(io::Error::other(format!("{} stay free: something else writes there", text::bytes(left))))
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOSPC | libc::EFBIG | libc::EDQUOT))
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
        nix::unistd::mkfifo(&file, nix::sys::stat::Mode::S_IRUSR).unwrap();
        assert!(remove(&file).unwrap(), "nobody writes to the pipe, and nobody waits for that");
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
        // What an interrupted replacement kept goes with the next one.
        put(&dir.path().join(".new.mt-agent-old"), b"wwid 36000c29");
        replace(&dir.path().join("new"), b"y", 0o600).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_record_goes_whole() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("custom-changes.json");
        put(&file, b"{}");
        put(&dir.path().join(".custom-changes.json.mt-agent-old"), b"of an interrupted run");
        let seen = File::open(&file).unwrap();
        assert!(remove_record(&file).unwrap() && !remove_record(&file).unwrap());
        let mut now = [1; 2];
        seen.read_exact_at(&mut now, 0).unwrap();
        assert_eq!((now, fs::read_dir(dir.path()).unwrap().count()), ([0; 2], 0));
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
