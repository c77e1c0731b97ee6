//! A file system whose journal the kernel gave up, as no commit could be written: it shows `rw`, counts no error and tells its size
//! until somebody writes to it. A sync of it fails at once.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::stat::{major, minor};

use crate::host::each::at_once;
use crate::host::files;

/// How long a sync is waited for: one that takes longer waits for what others write, and tells nothing.
const DEADLINE: Duration = Duration::from_secs(3);

/// Why what is mounted at `places`, of the device `number`, takes no writes. Their directories are synced, which writes nothing that
/// the kernel would not (fs/ext4/fsync.c `ext4_sync_file`, fs/jbd2/journal.c `jbd2_log_wait_commit`).
pub(super) fn of(places: &[PathBuf], number: &str) -> Option<String> {
    let seen = |place: &&PathBuf| {
        let of_it = |file: &File| {
            file.metadata().is_ok_and(|meta| format!("{}:{}", major(meta.dev()), minor(meta.dev())) == number)
        };
        files::directory(place).is_ok_and(|file| of_it(&file))
    };
    let place = places.iter().find(seen)?.to_str()?.to_owned();
    let sync = |place: &str| -> Result<(), String> {
        let Ok(directory) = files::directory(Path::new(place)) else { return Ok(()) };
        match directory.sync_all().map_err(|error| error.raw_os_error().map(Errno::from_raw)) {
            Err(Some(errno @ (Errno::EIO | Errno::EROFS))) => Err(errno.desc().to_owned()),
            Ok(()) | Err(_) => Ok(()),
        }
    };
    let told = at_once(std::slice::from_ref(&place), DEADLINE, sync).remove(&place)?;
    told.err().map(|why| format!("a sync of it fails: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_healthy_one_nothing_is_told_nor_of_what_another_hides() {
        let dir = tempfile::tempdir().unwrap();
        let device = dir.path().metadata().unwrap().dev();
        let number = format!("{}:{}", major(device), minor(device));
        assert_eq!(of(&[dir.path().into()], &number), None);
        // The same directory is of no other device. The journal of one that failed: scripts/lab day-two.
        assert_eq!(of(&[dir.path().into(), "/no/such/place".into()], "8:1"), None);
        assert_eq!(of(&[], &number), None);
    }
}
