//! Writing what an archive holds, and removing what an interrupted call left.

use std::fs::{self, DirBuilder};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::stream::Stream;
use super::tree::{Admitted, shown_path};
use crate::host::files;

/// The first part of the name that an archive has while it is being unpacked; the beginning of its SHA-256 follows.
pub(super) const UNPACKING: &str = ".unpacking-";

pub(super) fn write(
    staging: &Path,
    admitted: Admitted,
    entry: &mut tar::Entry<'_, &mut Stream<'_>>,
    links: &mut Vec<(PathBuf, PathBuf)>,
) -> Result<()> {
    let parent = |path: &Path| match path.parent() {
        Some(parent) => DirBuilder::new().recursive(true).mode(0o755).create(staging.join(parent)),
        None => Ok(()),
    };
    match admitted {
        Admitted::Top => {}
        Admitted::Directory(path) => DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(staging.join(&path))
            .with_context(|| format!("making the directory {}", shown_path(&path)))?,
        Admitted::File(path) => {
            // Ours to read and write, nobody else's to write, and no set-user-id bits.
            let mode = entry.header().mode().unwrap_or(0o644) & 0o755 | 0o600;
            parent(&path)
                .and_then(|()| files::create(&staging.join(&path)))
                .and_then(|mut file| {
                    copy(entry, &mut file)?;
                    file.set_permissions(fs::Permissions::from_mode(mode))?;
                    // File by file: syncfs() is newer than 2.6.32, and sync() waits for every disk of the machine.
                    file.sync_all()
                })
                .with_context(|| format!("writing {}", shown_path(&path)))?;
        }
        Admitted::HardLink(path, original) => parent(&path)
            .and_then(|()| fs::hard_link(staging.join(&original), staging.join(&path)))
            .with_context(|| format!("making the hard link {}", shown_path(&path)))?,
        Admitted::Symlink(path, target) => {
            parent(&path).with_context(|| format!("making the directory of {}", shown_path(&path)))?;
            links.push((path, target));
        }
    }
    Ok(())
}

/// Plain reads and writes: `io::copy` between descriptors tries system calls that 2.6.32 lacks.
fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut buffer = [0; 64 << 10];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(()),
            read => to.write_all(&buffer[..read])?,
        }
    }
}

/// Removes what interrupted calls left half unpacked below `work`: names of our own making alone.
pub(super) fn sweep(work: &Path) -> Result<()> {
    for entry in fs::read_dir(work)? {
        let entry = entry?;
        let name = entry.file_name();
        let ours = name.to_str().and_then(|name| name.strip_prefix(UNPACKING));
        if ours.is_some_and(|hash| hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

pub(super) fn remove(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", directory.display()))
        }
        _ => Ok(()),
    }
}

pub(super) struct Guard<'a>(pub(super) &'a Path);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0);
    }
}
