//! SHA-256 of what is read.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

/// A reader that hashes what passes.
pub struct Hashing<R> {
    inner: R,
    hasher: Sha256,
}

impl<R: Read> Hashing<R> {
    /// Hashes what is read from `inner`.
    pub fn new(inner: R) -> Self {
        Self { inner, hasher: Sha256::new() }
    }

    /// The SHA-256 of all that was read, lower-case hex.
    #[must_use]
    pub fn sha256(self) -> String {
        super::text::hex(&self.hasher.finalize())
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}

/// The SHA-256 of a whole file, lower-case hex, and its size in bytes.
///
/// # Errors
/// What reading it says.
pub fn sha256(mut file: &File) -> io::Result<(String, u64)> {
    file.rewind()?;
    let mut hashing = Hashing::new(file);
    let size = io::copy(&mut hashing, &mut io::sink())?;
    Ok((hashing.sha256(), size))
}

/// The SHA-256 of what is left of a file, lower-case hex; `None` where it takes longer than `time`.
///
/// # Errors
/// What reading it says.
pub fn sha256_within(file: &File, time: Duration) -> io::Result<Option<String>> {
    let begun = Instant::now();
    let mut hashing = Hashing::new(file);
    let mut buffer = vec![0; 1 << 20];
    while hashing.read(&mut buffer)? > 0 {
        if begun.elapsed() > time {
            return Ok(None);
        }
    }
    Ok(Some(hashing.sha256()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_that_of_sha256sum_and_is_not_waited_for() {
        let file = tempfile::NamedTempFile::new().unwrap();
        crate::host::files::replace(file.path(), b"abc", 0o600).unwrap();
        let open = || crate::host::files::open(file.path()).unwrap();
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(&open()).unwrap(), (abc.to_owned(), 3));
        assert_eq!(sha256_within(&open(), Duration::from_secs(600)).unwrap().as_deref(), Some(abc));
        assert_eq!(sha256_within(&open(), Duration::ZERO).unwrap(), None);
    }
}
