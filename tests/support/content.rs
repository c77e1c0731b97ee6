//! What a file of many GiB holds, read in no time where it is sparse.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use nix::unistd::{Whence, lseek};
use sha2::{Digest, Sha256};

/// SHA-256 of where in the file bytes other than zeros lie, and which; holes take no time.
pub fn content(path: &Path) -> String {
    const BLOCK: usize = 4096;
    // Compared at once: a loop over bytes is slow without optimization.
    const ZEROS: [u8; BLOCK] = [0; BLOCK];
    let file = File::open(path).unwrap();
    let mut sum = Sha256::new();
    let mut piece = vec![0; 256 * BLOCK];
    let mut at = 0;
    while let Ok(data) = lseek(&file, at, Whence::SeekData) {
        let read = file.read_at(&mut piece, u64::try_from(data).unwrap()).unwrap();
        for (index, block) in piece[..read].chunks(BLOCK).enumerate() {
            if block != &ZEROS[..block.len()] {
                sum.update((u64::try_from(data).unwrap() + (index * BLOCK) as u64).to_le_bytes());
                sum.update(block);
            }
        }
        at = data + i64::try_from(read).unwrap();
    }
    mt_agent::host::text::hex(&sum.finalize())
}
