//! The proof that a volume can be written and holds what is written to it. A full one has no room for the proof and is taken as
//! it is: left unmounted, what is meant for it would be written to the file system below. That it is full is another finding.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, anyhow, ensure};
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};

use crate::host::apart::apart;
use crate::host::files;

const SIZE: usize = 1 << 20;

/// How long the proof may take.
const DEADLINE: Duration = Duration::from_secs(120);

/// Writes 1 MiB to a new file in `directory`, syncs it, reads it back from the disk, removes it and syncs the
/// directory. Whatever fails, the file is removed where that is still possible. Nothing is proved where the file system is full.
/// Errors: What failed, naming the file; that it did not end.
pub fn write_and_read_back(directory: &Path) -> Result<()> {
    apart(&format!("writing to {}", directory.display()), DEADLINE, &[], || {
        prove(directory).map_err(|error| format!("{error:#}"))
    })?
    .map_err(|why| anyhow!(why))
}

fn prove(directory: &Path) -> Result<()> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let path = directory.join(format!(".mt-agent-probe-{}-{since}", std::process::id()));
    let file = match files::create(&path) {
        Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(()),
        made => made.with_context(|| format!("making {}", path.display()))?,
    };
    let written = round_trip(file, &path, since);
    let removed = fs::remove_file(&path).with_context(|| format!("removing {}", path.display()));
    written?;
    removed?;
    files::directory(directory)
        .and_then(|directory| directory.sync_all())
        .with_context(|| format!("syncing the directory {}", directory.display()))
}

fn round_trip(mut file: File, path: &Path, seed: u128) -> Result<()> {
    let pattern = pattern(seed);
    match file.write_all(&pattern) {
        // Told by the file system's own count. A disk whose datastore is full fails when it is synced.
        Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(()),
        written => written.with_context(|| format!("writing {}", path.display()))?,
    }
    file.sync_all().with_context(|| format!("syncing {}", path.display()))?;
    // What is read next is to come from the disk, not from what was just written to memory. Only advice.
    let _ = posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED);
    drop(file);
    let back = files::read(path).with_context(|| format!("reading {} back", path.display()))?;
    ensure!(back == pattern, "reading {} back gives other bytes than were written", path.display());
    Ok(())
}

/// Bytes that differ from block to block and from run to run: a disk that returns an old or another block is
/// found out.
fn pattern(seed: u128) -> Vec<u8> {
    let mut state = u64::try_from(seed & u128::from(u64::MAX)).unwrap_or(1) | 1;
    let mut bytes = Vec::with_capacity(SIZE);
    while bytes.len() < SIZE {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_can_be_written_is_left_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        write_and_read_back(dir.path()).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_named() {
        let error = format!("{:#}", write_and_read_back(Path::new("/proc/self")).unwrap_err());
        assert!(error.starts_with("making /proc/self/.mt-agent-probe-"), "{error}");
    }

    #[test]
    fn no_two_blocks_and_no_two_runs_are_alike() {
        let (one, other) = (pattern(1), pattern(2));
        assert_eq!(one.len(), SIZE);
        assert_ne!(one, other);
        assert_ne!(one[..4096], one[4096..8192]);
    }
}
