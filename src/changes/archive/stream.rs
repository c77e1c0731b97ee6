//! The bytes of a compressed archive: hashed as they are read, bounded as they unfold.

use std::fs::File;
use std::io::{self, Read, Seek, Take};

use flate2::read::MultiGzDecoder;

use crate::host::sum::Hashing;

/// What a gzip file unfolds to, up to a bound.
pub struct Stream<'a> {
    decoder: MultiGzDecoder<Take<Hashing<&'a File>>>,
    left: u64,
    exceeded: bool,
}

impl<'a> Stream<'a> {
    /// The stream from the beginning of `file`, of which a byte more than its `size` is read (it may grow without an end), and
    /// which may unfold to `limit` bytes.
    pub fn new(mut file: &'a File, size: u64, limit: u64) -> io::Result<Self> {
        file.rewind()?;
        let bounded = Hashing::new(file).take(size.saturating_add(1));
        Ok(Self { decoder: MultiGzDecoder::new(bounded), left: limit, exceeded: false })
    }

    /// Whether it was about to unfold to more than its bound.
    pub fn exceeded(&self) -> bool {
        self.exceeded
    }

    /// Reads what is left, so that the checksum at the end is verified.
    /// Errors: What reading says: the file is damaged behind the archive's last entry.
    pub fn finish(&mut self) -> io::Result<()> {
        io::copy(self, &mut io::sink()).map(drop)
    }

    /// The SHA-256 of the compressed file, when all of it was read.
    pub fn sha256(self) -> String {
        self.decoder.into_inner().into_inner().sha256()
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
