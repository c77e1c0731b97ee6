//! The file that a fetch writes to, and the note beside it: of what it is a part.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use nix::sys::statvfs::statvfs;
use serde::{Deserialize, Serialize};

use crate::host::{files, text};

/// Of what file the part file is a part; beside it, as `.from`.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct From {
    /// Without credentials: the validator distinguishes another file behind others.
    pub url: String,
    /// A strong `ETag`, or the time of the last modification: what `If-Range` can compare. Empty: the server named none,
    /// and what came is of no use later.
    pub validator: String,
    #[serde(default)]
    pub given_up: bool,
}

impl From {
    pub fn note(&self, part: &Path) -> Result<()> {
        files::replace(&note(part), &serde_json::to_vec(self)?, 0o600)
    }
}

pub fn noted(part: &Path) -> Option<From> {
    serde_json::from_str(&String::from_utf8(files::read(&note(part)).ok()?).ok()?).ok()
}

/// Which of `urls` is to be tried first: the one that `part` is of, or, where that was given up for being slow, the next.
pub fn left_off(part: &Path, urls: &[String]) -> usize {
    let Some(from) = noted(part) else { return 0 };
    let found = urls.iter().position(|url| text::without_secrets(url) == from.url);
    found.map_or(0, |at| (at + usize::from(from.given_up)) % urls.len())
}

/// Removes a part file and its note.
pub fn discard(part: &Path) {
    let _ = fs::remove_file(part);
    let _ = fs::remove_file(note(part));
}

fn note(part: &Path) -> PathBuf {
    let mut name = part.as_os_str().to_owned();
    name.push(".from");
    name.into()
}

/// What a failure to write `file`, the part file `part`, means. It goes: it would keep the disk full, and a copy from
/// elsewhere would not fit either. `needed` is the size of the whole file in bytes, where that is known.
pub fn unwritten(error: io::Error, file: File, part: &Path, needed: Option<u64>) -> anyhow::Error {
    discard(part);
    // Only then is its room free.
    drop(file);
    let directory = part.parent().unwrap_or(part);
    let free = statvfs(directory).map(|found| found.blocks_available() * found.fragment_size());
    let room = match (&free, is_no_room(&error)) {
        (Ok(free), true) => format!(
            ": {} needed and {} free in {}; make room there",
            needed.map_or_else(|| "more".to_owned() + " is", |needed| text::bytes(needed) + " are"),
            text::bytes(*free),
            directory.display()
        ),
        _ => String::new(),
    };
    anyhow!(error).context(format!("writing {}{room}", part.display()))
}

fn is_no_room(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

/// Whether it is that no room was left to write to.
pub fn is_full(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.downcast_ref().is_some_and(is_no_room))
}
