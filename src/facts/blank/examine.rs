//! Reading the places where data shows: both ends of a disk whole, and samples between; a small one whole.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::blkid::Signatures;
use super::remains;
use crate::host::apart::apart;
use crate::host::text;

/// What is read whole at either end, in bytes: partition tables and their copies, superblocks, RAID and LVM
/// metadata lie there.
pub const END_BYTES: u64 = 4 << 20;
/// How many places between are read.
pub const SAMPLES: u64 = 1024;
/// How much of each, in bytes.
pub const SAMPLE_BYTES: u64 = 4096;
/// A disk of up to so many bytes is read whole: it takes seconds.
pub const READ_WHOLE: u64 = 1 << 30;
/// How long reading may take. A disk that is so slow is not told to be blank.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// How much longer one read may take that began within the deadline.
const MARGIN: Duration = Duration::from_secs(15);

/// How much is asked for at once, in bytes.
const CHUNK: u64 = 1 << 20;
/// How many finds are enough.
const ENOUGH: usize = 3;

/// What reading found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Examination {
    /// Offsets in bytes of the first byte that is not zero, in each of the first few pieces that have one.
    pub nonzero: Vec<u64>,
    /// What they are, as far as that is known.
    pub remains: Vec<String>,
    /// Why not everything could be read.
    pub error: Option<String>,
}

impl Examination {
    /// Whether everything that was to be read is zero; `None` where nothing else was found, but not
    /// everything could be read.
    pub fn blank(&self) -> Option<bool> {
        match (self.nonzero.is_empty(), &self.error) {
            (false, _) => Some(false),
            (true, None) => Some(true),
            (true, Some(_)) => None,
        }
    }

    /// What was found, in words.
    pub fn found(&self) -> Vec<String> {
        let bytes = self.nonzero.iter().map(|offset| format!("non-zero bytes at offset {offset}"));
        self.remains.iter().cloned().chain(bytes).collect()
    }
}

/// The places to read on a device of `size` bytes, in order and without overlap: the first and last 4 MiB, and
/// 1,024 evenly spaced pieces of 4 KiB between; all of it up to [`READ_WHOLE`].
pub fn places(size: u64) -> Vec<Range<u64>> {
    let head = size.min(END_BYTES);
    let tail = size.saturating_sub(END_BYTES).max(head);
    let between = tail - head;
    let mut places = Vec::new();
    places.push(0..head);
    if size <= READ_WHOLE {
        places.push(head..tail);
    } else {
        // u128: the product passes u64 from 16 PiB on. Whole sectors of 512 bytes, the first piece right behind
        // the head, the last right before the tail.
        let span = u128::from(between - SAMPLE_BYTES);
        places.extend((0..SAMPLES).map(|index| {
            let offset = span * u128::from(index) / u128::from(SAMPLES - 1);
            let start = head + u64::try_from(offset).unwrap_or(between) / 512 * 512;
            start..start + SAMPLE_BYTES
        }));
    }
    places.push(tail..size);
    places.retain(|place| !place.is_empty());
    places
}

/// As [`read_places`], of a device that may never answer.
pub fn examine(file: &File, size: u64) -> Examination {
    apart("reading it", DEADLINE + MARGIN, &[file.as_fd()], || read_places(file, size))
        .unwrap_or_else(|error| Examination { error: Some(error.to_string()), ..Examination::default() })
}

/// A fingerprint of both ends of the device of `size` bytes behind `file`, read from the disk; its device may never
/// answer.
pub fn ends(file: &File, size: u64) -> Result<String, String> {
    let read = || -> io::Result<String> {
        let _ = posix_fadvise(file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED);
        let mut hash = Sha256::new();
        let mut buffer = vec![0; usize::try_from(END_BYTES).unwrap_or(4 << 20)];
        for place in [0..size.min(END_BYTES), size.saturating_sub(END_BYTES)..size] {
            let piece = &mut buffer[..usize::try_from(place.end - place.start).unwrap_or(0)];
            file.read_exact_at(piece, place.start)?;
            hash.update(&*piece);
        }
        Ok(text::hex(&hash.finalize()))
    };
    apart("reading its ends", DEADLINE, &[file.as_fd()], || {
        read().map_err(|error| format!("reading its ends: {error}"))
    })
    .map_err(|error| error.to_string())?
}

/// Reads the [`places`] of the device of `size` bytes behind `file`, which must be open for reading. Stops at
/// the third find, and after [`DEADLINE`].
fn read_places(file: &File, size: u64) -> Examination {
    let mut found = read(file, size, None);
    if !found.nonzero.is_empty() {
        found.remains = remains::known(file, size).into_iter().map(str::to_owned).collect();
    }
    found
}

/// What is on a disk, as one value: the SHA-256 (lower-case hex) of its size, of what `signatures` names, and of the
/// bytes in all of the [`places`]. It is the same under each name and path of the disk.
pub fn fingerprint(file: &File, size: u64, signatures: &Signatures) -> Result<String, String> {
    let found = match signatures {
        Signatures::Nothing => [].as_slice(),
        Signatures::Found(found) => found,
        Signatures::Unknown(why) => return Err(why.clone()),
    };
    let read = || {
        let mut hasher = Sha256::new();
        hasher.update(size.to_le_bytes());
        found.iter().for_each(|one| hasher.update(format!("{one}\n")));
        let error = read(file, size, Some(&mut hasher)).error;
        error.map_or_else(|| Ok(text::hex(&hasher.finalize())), Err)
    };
    apart("reading it", DEADLINE + MARGIN, &[file.as_fd()], read).map_err(|error| error.to_string())?
}

/// Reads the places, to the third find; with a hasher to their end.
fn read(file: &File, size: u64, mut hasher: Option<&mut Sha256>) -> Examination {
    // What the page cache holds of the device may be older than the disk: another path of the same disk, or
    // another host, does not write through it. Pages that are clean are dropped; those that are not are newer
    // than the disk, and right. Read-ahead around samples would read a hundred times as much.
    let _ = posix_fadvise(file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED);
    let _ = posix_fadvise(file, 0, 0, PosixFadviseAdvice::POSIX_FADV_RANDOM);
    let mut found = Examination::default();
    if size == 0 {
        found.error = Some("there is nothing to read: its size is zero".into());
        return found;
    }
    let until = Instant::now() + DEADLINE;
    let mut buffer = vec![0; usize::try_from(CHUNK).unwrap_or(1 << 20)];
    let zeros = buffer.clone();
    for place in places(size) {
        let mut at = place.start;
        while at < place.end {
            let length = (place.end - at).min(CHUNK);
            let piece = &mut buffer[..usize::try_from(length).unwrap_or(0)];
            if Instant::now() > until {
                found.error = Some(format!("reading it took more than {} s", DEADLINE.as_secs()));
                return found;
            }
            if let Err(error) = file.read_exact_at(piece, at) {
                found.error = Some(failure(&error, at));
                return found;
            }
            if let Some(hasher) = &mut hasher {
                hasher.update(&*piece);
            // Compared as a whole: memcmp is fast whatever this is optimised for, a loop over bytes is not.
            } else if *piece != zeros[..piece.len()]
                && let Some(index) = piece.iter().position(|byte| *byte != 0)
            {
                found.nonzero.push(at + index as u64);
                if found.nonzero.len() == ENOUGH {
                    return found;
                }
            }
            at += length;
        }
    }
    found
}

fn failure(error: &io::Error, at: u64) -> String {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        format!("it ends before offset {at} and its size say")
    } else {
        format!("reading at offset {at}: {error}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const GIB: u64 = 1 << 30;
    const TIB: u64 = 1 << 40;

    #[test]
    fn places_are_in_order_and_cover_both_ends() {
        for size in [512, 4096, 4 << 20, (4 << 20) + 512, 8 << 20, GIB, GIB + 512, TIB, 64 * TIB] {
            let places = places(size);
            assert_eq!((places.first().unwrap().start, places.last().unwrap().end), (0, size), "{size}");
            assert!(places.windows(2).all(|pair| pair[0].end <= pair[1].start), "{size}");
            let read: u64 = places.iter().map(|place| place.end - place.start).sum();
            let sampled = 2 * END_BYTES + SAMPLES * SAMPLE_BYTES;
            assert_eq!(read, if size <= GIB { size } else { sampled }, "{size}");
        }
        let places = places(TIB);
        assert_eq!(places.len(), 1026);
        assert_eq!(places[0], 0..END_BYTES);
        assert_eq!(places[1].start, END_BYTES);
        assert_eq!(places[1024].end, TIB - END_BYTES);
        let gaps: Vec<u64> = places[1..1025].windows(2).map(|pair| pair[1].start - pair[0].start).collect();
        assert!(gaps.iter().max().unwrap() - gaps.iter().min().unwrap() <= 512, "evenly spaced");
    }

    #[test]
    fn one_byte_is_found_wherever_it_is_read() {
        let size = 2 * GIB;
        for place in places(size).iter().step_by(93) {
            for at in [place.start, place.end - 1] {
                let mut file = tempfile::tempfile().unwrap();
                file.set_len(size).unwrap();
                file.write_all_at(&[1], at).unwrap();
                file.flush().unwrap();
                let found = examine(&file, size);
                assert_eq!((found.blank(), found.nonzero.as_slice()), (Some(false), [at].as_slice()));
                assert_eq!(found.found(), [format!("non-zero bytes at offset {at}")]);
            }
        }
    }

    #[test]
    fn a_small_disk_is_read_whole() {
        let size: u64 = 64 << 20;
        for at in [END_BYTES, 31 << 20, (32 << 20) + 4097, size - END_BYTES - 1] {
            let file = tempfile::tempfile().unwrap();
            file.set_len(size).unwrap();
            file.write_all_at(&[1], at).unwrap();
            assert_eq!(examine(&file, size).nonzero, [at]);
        }
    }

    #[test]
    fn zeros_are_blank_and_what_cannot_be_read_is_not() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(16 << 20).unwrap();
        assert_eq!(examine(&file, 16 << 20).blank(), Some(true));
        let short = examine(&file, 17 << 20);
        assert_eq!(short.blank(), None);
        assert!(short.error.unwrap().contains("it ends before"));
        assert_eq!(examine(&file, 0).blank(), None);
        let writable_only = std::fs::OpenOptions::new().write(true).open("/dev/null").unwrap();
        let unread = examine(&writable_only, 512);
        assert_eq!(unread.blank(), None);
        assert!(unread.error.unwrap().starts_with("reading at offset 0: "));
    }
}
