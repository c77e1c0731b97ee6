//! The bytes of a compressed archive: hashed as they are read, bounded as they unfold.

use std::fs::File;
use std::io::{self, Read, Seek};

use flate2::read::MultiGzDecoder;
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
        crate::host::text::hex(&self.hasher.finalize())
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

/// What a gzip file unfolds to, up to a bound.
pub struct Stream<'a> {
    decoder: MultiGzDecoder<Hashing<&'a File>>,
    left: u64,
    exceeded: bool,
}

impl<'a> Stream<'a> {
    /// The stream from the beginning of `file`, which may unfold to `limit` bytes.
    ///
    /// # Errors
    /// What seeking says.
    pub fn new(mut file: &'a File, limit: u64) -> io::Result<Self> {
        file.rewind()?;
        Ok(Self { decoder: MultiGzDecoder::new(Hashing::new(file)), left: limit, exceeded: false })
    }

    /// Whether it was about to unfold to more than its bound.
    #[must_use]
    pub fn exceeded(&self) -> bool {
        self.exceeded
    }

    /// Reads what is left, so that the checksum at the end is verified.
    ///
    /// # Errors
    /// What reading says: the file is damaged behind the archive's last entry.
    pub fn finish(&mut self) -> io::Result<()> {
        io::copy(self, &mut io::sink()).map(drop)
    }

    /// The SHA-256 of the compressed file, when all of it was read.
    #[must_use]
    pub fn sha256(self) -> String {
        self.decoder.into_inner().sha256()
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.decoder.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => {
                self.exceeded = true;
                return Err(io::Error::other("more than may be unpacked"));
            }
        }
        Ok(read)
    }
}
