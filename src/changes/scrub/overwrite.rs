//! Zeros in place of what a file holds.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};

use nix::errno::Errno;
use nix::unistd::{Whence, lseek};

/// The zeros that are written at a time.
const PIECE: usize = 1 << 20;

/// Zeros over all that the file has on the disk, to the end of its last block.
pub(super) fn overwrite(file: &File) -> io::Result<()> {
    let meta = file.metadata()?;
    if meta.blocks() * 512 < meta.len() {
        return overwrite_sparse(file, &meta);
    }
    let zeros = vec![0; PIECE];
    let (mut at, end) = (0, meta.len().next_multiple_of(meta.blksize().max(512)));
    while at < end {
        let length = usize::try_from(end - at).unwrap_or(PIECE).min(PIECE);
        file.write_all_at(&zeros[..length], at)?;
        at += length as u64;
    }
    Ok(())
}

/// The size of the pieces in which a file with holes is read: a hole that is written to takes room on the disk, and
/// /var/log/lastlog can seem to be larger than that.
const BLOCK: usize = 4096;

fn overwrite_sparse(file: &File, meta: &Metadata) -> io::Result<()> {
    let (zeros, mut block) = ([0; BLOCK], [0; BLOCK]);
    let mut at = 0;
    while at < meta.len() {
        // Before Linux 3.1 there is no SEEK_DATA: then all is read.
        at = match lseek(file, i64::try_from(at).map_err(io::Error::other)?, Whence::SeekData) {
            Ok(data) => u64::try_from(data).map_err(io::Error::other)? / BLOCK as u64 * BLOCK as u64,
            Err(Errno::ENXIO) => return Ok(()),
            Err(Errno::EINVAL | Errno::EOPNOTSUPP) => at,
            Err(error) => return Err(error.into()),
        };
        let length = file.read_at(&mut block, at)?;
        if length == 0 {
            return Ok(());
        }
        if block[..length] != zeros[..length] {
            file.write_all_at(&zeros[..length], at)?;
        }
        at += BLOCK as u64;
    }
    Ok(())
}
