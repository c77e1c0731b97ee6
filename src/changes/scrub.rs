//! What an image must not carry is overwritten before it goes: a name that is removed leaves its bytes on the disk, and a
//! golden image is copied block by block.
//!
//! A journal of the file system holds names and sizes, not contents (ext4's default, `data=ordered`). What other programs
//! removed earlier is reached by [`super::free_space::fill`] alone.

mod clear;
mod overwrite;

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use nix::libc;

pub use self::clear::{DEPTH, Files, clear};
use self::overwrite::overwrite;
use crate::host::files;

/// Overwrites the file at `path` with zeros and removes it; what is no file, and an empty directory, is only removed.
/// `false`: nothing was there. A file that has another name too keeps its content for that name.
/// Errors: What failed, naming the file; it may be overwritten in part then, and is still there. It is mounted
/// there from another file system, whose it is.
pub fn remove(path: &Path) -> Result<bool> {
    let meta = match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        meta => meta.with_context(|| format!("looking at {}", path.display()))?,
    };
    let removed = if meta.is_dir() {
        fs::remove_dir(path)
    } else {
        if let Some(file) = open_alone(path, &meta)? {
            overwrite(&file)
                .and_then(|()| file.sync_all())
                .with_context(|| format!("overwriting {}", path.display()))?;
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
/// Errors: What failed, naming the file; it is then either as it was or as it is to be.
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

/// The file at `path`, which `meta` was told of, opened to be overwritten; `None`: it is no file, or has another name, for which
/// it keeps its content.
fn open_alone(path: &Path, meta: &Metadata) -> Result<Option<File>> {
    if !meta.is_file() || meta.nlink() != 1 {
        return Ok(None);
    }
    let directory = path.parent().unwrap_or(Path::new("/"));
    let around = directory.metadata().with_context(|| format!("looking at {}", directory.display()))?;
    ensure!(around.dev() == meta.dev(), "{} is mounted there: unmount it first", path.display());
    let opened = files::open_with(path, OpenOptions::new().read(true).write(true), libc::O_NOFOLLOW);
    let file = opened.with_context(|| format!("opening {}", path.display()))?;
    // Between the look and the opening, somebody may have put another file there, which has another name too.
    let opened = file.metadata().with_context(|| format!("looking at {}", path.display()))?;
    let same = (opened.dev(), opened.ino(), opened.nlink()) == (meta.dev(), meta.ino(), 1);
    ensure!(same && opened.is_file(), "{} is being changed by another program", path.display());
    Ok(Some(file))
}

/// Overwrites the file at `path` with zeros and cuts it to nothing, in place: a program that has it open goes on writing to
/// it. `false`: there is no file, or it is empty. One that has another name too keeps its content for that name.
pub fn empty(path: &Path) -> Result<bool> {
    let meta = match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        meta => meta.with_context(|| format!("looking at {}", path.display()))?,
    };
    if !meta.is_file() || meta.len() == 0 {
        return Ok(false);
    }
    let Some(file) = open_alone(path, &meta)? else { return replace(path, b"", 0o600).map(|()| true) };
    // The zeros are on the disk before the blocks are given back.
    let emptied = overwrite(&file)
        .and_then(|()| file.sync_all())
        .and_then(|()| file.set_len(0))
        .and_then(|()| file.sync_all());
    emptied.with_context(|| format!("emptying {}", path.display())).map(|()| true)
}

/// What lies below a directory on its own file system.
#[derive(Debug, Default)]
pub struct Below {
    /// All but directories.
    pub files: Vec<PathBuf>,
    /// Directories of which all is in here, those within others first.
    pub directories: Vec<PathBuf>,
}

/// What lies below `directory`: what is mounted there is another file system's, and `lost+found` at its top the file
/// system's own.
pub fn below(directory: &Path) -> Result<Below> {
    let mut found = Below::default();
    let device = directory.metadata().with_context(|| format!("looking at {}", directory.display()))?.dev();
    look_below(directory, device, DEPTH, &mut found)?;
    Ok(found)
}

/// Whether all of `directory` was found.
fn look_below(directory: &Path, device: u64, depth: usize, found: &mut Below) -> Result<bool> {
    let reading = || format!("reading the directory {}", directory.display());
    ensure!(depth > 0, "{} lies {DEPTH} directories deep", directory.display());
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        entries => entries.with_context(reading)?,
    };
    let mut all = true;
    for entry in entries {
        let path = entry.with_context(reading)?.path();
        let meta = match path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            meta => meta.with_context(|| format!("looking at {}", path.display()))?,
        };
        let is_own = meta.dev() == device && !(depth == DEPTH && path.ends_with("lost+found"));
        if !is_own {
            all = false;
        } else if !meta.is_dir() {
            found.files.push(path);
        } else if look_below(&path, device, depth - 1, found)? {
            found.directories.push(path);
        } else {
            all = false;
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{FileExt, symlink};

    use nix::sys::stat::Mode;

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
        nix::unistd::mkfifo(&file, Mode::S_IRUSR).unwrap();
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
    fn what_is_emptied_keeps_its_place_and_its_writer() {
        let dir = tempfile::tempdir().unwrap();
        let (log, other) = (dir.path().join("messages"), dir.path().join("other"));
        put(&log, b"a secret line\n");
        let inode = log.metadata().unwrap().ino();
        let mut writer = OpenOptions::new().append(true).open(&log).unwrap();
        assert!(empty(&log).unwrap() && !empty(&log).unwrap() && !empty(&other).unwrap());
        io::Write::write_all(&mut writer, b"later\n").unwrap();
        assert_eq!((fs::read(&log).unwrap(), log.metadata().unwrap().ino()), (b"later\n".to_vec(), inode));
        fs::hard_link(&log, &other).unwrap();
        assert!(empty(&log).unwrap());
        assert_eq!((fs::read(&log).unwrap(), fs::read(&other).unwrap()), (Vec::new(), b"later\n".to_vec()));
        fs::remove_file(&log).unwrap();
        symlink(&other, &log).unwrap();
        assert!(!empty(&log).unwrap());
        assert_eq!(fs::read(&other).unwrap(), b"later\n", "a link is left, with what it leads to");
    }

    #[test]
    fn a_file_with_holes_is_overwritten_without_filling_them() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("lastlog");
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&log).unwrap();
        // As large as lastlog of a machine whose nfsnobody has the number 4294967294.
        file.set_len(4_294_967_294 * 292).unwrap();
        file.write_all_at(b"mt01 pts/0", 500 * 292).unwrap();
        file.sync_all().unwrap();
        let before = file.metadata().unwrap().blocks();
        overwrite(&file).unwrap();
        file.sync_all().unwrap();
        let mut now = [1; 10];
        file.read_exact_at(&mut now, 500 * 292).unwrap();
        assert_eq!((now, file.metadata().unwrap().blocks()), ([0; 10], before));
        assert!(remove(&log).unwrap());
    }

    #[test]
    fn what_is_below_a_directory_goes_and_the_directory_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (top, kept) = (dir.path().join("crash"), dir.path().join("kept"));
        fs::create_dir_all(top.join("127.0.0.1-2026/deep")).unwrap();
        fs::create_dir_all(top.join("lost+found")).unwrap();
        put(&top.join("127.0.0.1-2026/vmcore"), b"a secret");
        put(&top.join("127.0.0.1-2026/deep/dmesg"), b"a secret");
        put(&kept, b"kept");
        symlink(&kept, top.join("link")).unwrap();
        symlink(dir.path(), top.join("127.0.0.1-2026/up")).unwrap();
        fs::hard_link(&kept, top.join("127.0.0.1-2026/kept")).unwrap();
        let seen = File::open(top.join("127.0.0.1-2026/vmcore")).unwrap();
        let found = below(&top).unwrap();
        assert_eq!((found.files.len(), found.directories.len()), (5, 2));
        clear(&top, Files::Overwritten, &|| true).unwrap();
        assert!(top.join("127.0.0.1-2026/vmcore").exists(), "it was to stop");
        clear(&top, Files::Overwritten, &|| false).unwrap();
        let left: Vec<_> = fs::read_dir(&top).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!((left, fs::read(&kept).unwrap()), (vec!["lost+found".into()], b"kept".to_vec()));
        let mut now = [1; 8];
        seen.read_exact_at(&mut now, 0).unwrap();
        assert_eq!(now, [0; 8]);
        clear(&top, Files::Overwritten, &|| false).unwrap();
    }

    #[test]
    fn a_directory_that_is_replaced_by_a_link_meanwhile_leads_nowhere() {
        for (files, at) in [(Files::Overwritten, 1), (Files::Overwritten, 4), (Files::Discarded, 1)] {
            let dir = tempfile::tempdir().unwrap();
            let (top, kept) = (dir.path().join("abrt"), dir.path().join("etc"));
            fs::create_dir_all(top.join("a")).unwrap();
            fs::create_dir_all(&kept).unwrap();
            put(&top.join("a/passwd"), b"a secret");
            put(&kept.join("passwd"), b"kept");
            let calls = std::cell::Cell::new(0);
            // Its owner swaps it as soon as somebody looks into it.
            let swap = || {
                calls.set(calls.get() + 1);
                if calls.get() == at + 1 {
                    fs::rename(top.join("a"), dir.path().join("away")).unwrap();
                    symlink(&kept, top.join("a")).unwrap();
                }
                false
            };
            let _ = clear(&top, files, &swap);
            assert!(calls.get() > at, "{}", calls.get());
            assert_eq!(fs::read(kept.join("passwd")).unwrap(), b"kept", "{files:?} {at}");
        }
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
