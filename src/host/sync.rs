//! What the kernel still holds, written out.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::libc;

use super::apart::apart;
use super::files::directory;
use super::{Host, ioctl};

/// Where the file systems of a system lie that programs of its own write to.
const SYSTEM: [&str; 8] = ["/", "/etc", "/usr", "/usr/local", "/var", "/boot", "/opt", "/home"];

/// How long sync(2) may take where there is no syncfs(2).
const SYNC: Duration = Duration::from_secs(60);

/// Writes out what the kernel still holds for the file systems of the system itself, after a program that syncs nothing.
pub fn system(host: &Host) -> Result<()> {
    let mut seen = BTreeSet::new();
    for path in SYSTEM {
        let path = host.path(path);
        let opened = match directory(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            opened => opened.and_then(|open| Ok((open.metadata()?.dev(), open))),
        };
        let (device, open) = opened.with_context(|| format!("opening {} to sync it", path.display()))?;
        if seen.insert(device) {
            file_system(&open).with_context(|| format!("syncing the file system of {}", path.display()))?;
        }
    }
    Ok(())
}

/// Writes out what the kernel still holds for the file system of `file` alone: sync(2) waits for each of the machine, for
/// ever where the disk of one is suspended. Before 2.6.39 there is only sync(2): there it is waited for a minute, in
/// which what can be written is, and a disk that does not answer is no reason to fail.
pub fn file_system(file: &File) -> io::Result<()> {
    match ioctl::sync_file_system(file) {
        Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => {
            let _ = apart("syncing all file systems", SYNC, &[], nix::unistd::sync);
            file.sync_all()
        }
        synced => synced,
    }
}
