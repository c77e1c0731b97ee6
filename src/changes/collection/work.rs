//! The directory in which a collection is made, inside of its own.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// What the work under way is called in the directory; the number of the process follows.
pub(super) const WORK: &str = ".mt-agent-work.";

/// The directory of the work under way; it goes with all in it when the work ends.
pub(super) struct Work(PathBuf);

impl Work {
    pub(super) fn new(directory: &Path) -> Result<Self> {
        let path = directory.join(format!("{WORK}{}", std::process::id()));
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("making the directory {}", path.display()))?;
        Ok(Self(path))
    }

    pub(super) fn directory(&self, name: &str) -> Result<PathBuf> {
        let path = self.0.join(name);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("making the directory {}", path.display()))?;
        Ok(path)
    }

    pub(super) fn top(&self) -> &Path {
        &self.0
    }

    /// Ends with the directory left, empty: it shows the next run that packages without a manifest are ours.
    pub(super) fn leave(self) {
        for name in names(&self.0).unwrap_or_default() {
            let path = self.0.join(name);
            let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
        }
        std::mem::forget(self);
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(super) fn names(directory: &Path) -> Result<Vec<String>> {
    let reading = || format!("reading the directory {}", directory.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).with_context(reading)? {
        names.push(entry.with_context(reading)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
