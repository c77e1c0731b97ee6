//! SHA-256 of what is read.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::text;

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
    pub fn sha256(self) -> String {
        text::hex(&self.hasher.finalize())
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}

/// How long the sum of a file may take that is used: a file may be on a mount of somebody who sends a byte now and then.
pub const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// How long the sum of a file may take that a person is only told: a look at the host is not to take minutes.
const GLANCE: Duration = Duration::from_secs(4);

/// The SHA-256 of a whole file, lower-case hex, and its size in bytes. It may have `most` bytes, and grows no further than that
/// while it is read.
/// Errors: What reading it says; `FileTooLarge`, with the bound; `TimedOut` after `time`.
pub fn sha256(mut file: &File, most: u64, time: Duration) -> io::Result<(String, u64)> {
    let too_large =
        || io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {}", text::bytes(most)));
    // A sparse file of a terabyte takes an hour, and no room.
    if file.metadata()?.len() > most {
        return Err(too_large());
    }
    file.rewind()?;
    let begun = Instant::now();
    let mut hashing = Hashing::new(file);
    let mut buffer = vec![0; 1 << 20];
    let mut size = 0;
    loop {
        let read = hashing.read(&mut buffer)?;
        size += read as u64;
        if read == 0 {
            return Ok((hashing.sha256(), size));
        }
        if size > most {
            return Err(too_large());
        }
        if begun.elapsed() > time {
            let why = format!("it takes longer than {} s to read", time.as_secs());
            return Err(io::Error::new(io::ErrorKind::TimedOut, why));
        }
    }
}

/// The SHA-256 of a file of at most `most` bytes for a person to pin, or, where that takes long, how to have it.
/// Errors: What reading it says; `FileTooLarge`, with the bound.
pub fn to_pin(file: &File, most: u64) -> io::Result<String> {
    match sha256(file, most, GLANCE) {
        Ok((sum, _)) => Ok(sum),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => Ok("what sha256sum says of it".to_owned()),
        Err(error) => Err(error),
    }
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
        assert_eq!(sha256(&open(), 3, PATIENCE).unwrap(), (abc.to_owned(), 3));
        assert_eq!(to_pin(&open(), 3).unwrap(), abc);
        let late = sha256(&open(), 3, Duration::ZERO).unwrap_err();
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);
        let large = sha256(&open(), 2, PATIENCE).unwrap_err();
        assert_eq!(
            (large.kind(), large.to_string().as_str()),
            (io::ErrorKind::FileTooLarge, "it has more than 2 bytes")
        );
        // All of it would be read for days; what is looked at is its size.
        open_to_write(file.path()).set_len(1 << 42).unwrap();
        assert_eq!(sha256(&open(), 1 << 30, PATIENCE).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        // Something without a size, which goes on for ever.
        let zeros = crate::host::files::node(std::path::Path::new("/dev/zero"), 0).unwrap();
        assert_eq!(sha256(&zeros, 4 << 20, PATIENCE).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(to_pin(&zeros, 1 << 50).unwrap(), "what sha256sum says of it");
    }

    fn open_to_write(path: &std::path::Path) -> File {
        crate::host::files::open_with(path, std::fs::OpenOptions::new().write(true), 0).unwrap()
    }
}
