//! What is free on a file system is filled with zeros: what other programs removed is in no block of an image then.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use nix::libc;
use nix::sys::statfs::{EXT4_SUPER_MAGIC, fstatfs};
use nix::sys::statvfs::fstatvfs;

use crate::host::{Host, files, sync, text};

/// The zeros that are written at a time.
const PIECE: usize = 1 << 20;

/// How often, and after which pause, a file system that is full is asked whether it is.
const ROUNDS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// Under this name the file that fills free space begins.
const FILLER: &str = ".mt-agent-zeros";

/// Fills what is free on the file system of `directory` with zeros, and frees it again; the bytes written. The file has no
/// name while it grows: whatever ends this, the room is free again at the latest after the next mount.
/// Errors: What failed other than that the disk is full, which is the end. `stop` said so.
pub fn fill(directory: &Path, stop: &dyn Fn() -> bool) -> Result<u64> {
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
    let filled = write_until_full(file, stop).with_context(|| format!("filling {}", directory.display()));
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

fn write_until_full(mut file: File, stop: &dyn Fn() -> bool) -> io::Result<u64> {
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
        sync::file_system(&file)?;
        thread::sleep(PAUSE);
    }
    let left = fstatvfs(&file)?;
    let left = left.blocks_free().saturating_mul(left.fragment_size());
    Err(io::Error::other(format!("{} stay free: something else writes there", text::bytes(left))))
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOSPC | libc::EFBIG | libc::EDQUOT))
}
