//! One thing that sealing does, done.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::changes::{free_space, saved, scrub};
use crate::facts::identity::TEMPLATE;
use crate::host::{Host, files};
use crate::image::seal::{self, Item};
use crate::run::resume::{self, Pending};

pub(super) fn perform(host: &Host, item: &Item, stop: &dyn Fn() -> bool) -> Result<()> {
    match item {
        // The next run reads these: one that is overwritten in part would be damaged to it.
        Item::Remove { path } if path.starts_with(saved::STATE) => {
            scrub::remove_record(&place(host, path)?).map(drop)
        }
        Item::Remove { path } => scrub::remove(&place(host, path)?).map(drop),
        Item::Rewrite { path, content, .. } => {
            let mode = if path == TEMPLATE { 0o600 } else { 0o644 };
            write(host, path, content, mode)
        }
        Item::Empty { path } => scrub::empty(&place(host, path)?).map(drop),
        Item::Clear { path, overwrite, .. } => {
            let directory = seal::directory(host, path).with_context(|| format!("looking for {path}"))?;
            scrub::clear(
                &directory.with_context(|| format!("{path} is no directory any more"))?,
                *overwrite,
                stop,
            )
        }
        Item::FillFreeSpace { path } => free_space::fill(&resolve(host, path)?, stop).map(drop),
    }
}

pub(super) fn place(host: &Host, path: &str) -> Result<PathBuf> {
    host.place(path).with_context(|| format!("looking for {path}"))
}

fn resolve(host: &Host, path: &str) -> Result<PathBuf> {
    host.resolve(path).with_context(|| format!("looking for {path}"))
}

pub(super) fn write_pending(host: &Host, pending: &Pending) -> Result<()> {
    let content = serde_json::to_vec_pretty(pending).context("encoding the first boot")?;
    write(host, resume::PATH, &content, 0o600)
}

/// Writes a file of the agent's or of the system; the directory of the agent's is made where it is missing.
fn write(host: &Host, path: &str, content: &[u8], mode: u32) -> Result<()> {
    if path.starts_with(saved::STATE) && !host.exists(saved::STATE) {
        let directory = place(host, saved::STATE)?;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory)
            .with_context(|| format!("making the directory {}", directory.display()))?;
        files::label_like_parent(&directory)?;
        files::sync_parent(&directory)?;
    }
    let place = resolve(host, path)?;
    // Of a link, what it leads to is replaced.
    scrub::replace(&place.canonicalize().unwrap_or(place), content, mode)
}
