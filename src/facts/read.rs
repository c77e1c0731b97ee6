//! Reading files of the host, with reasons that a person can act upon.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;

use anyhow::{Context, Result, anyhow};

use super::decode;
use crate::host::{Host, Kind};

/// The text of a file.
pub(crate) fn text(host: &Host, path: &str) -> Result<String> {
    host.read(path).map_err(|error| explain(path, error))
}

/// The text of a file, or `None` where there is none.
pub(crate) fn text_if_exists(host: &Host, path: &str) -> Result<Option<String>> {
    if_there(path, host.read(path))
}

/// What looking at `path` found, or `None` where nothing is there; nor is anything below a file.
pub(crate) fn if_there<T>(path: &str, found: io::Result<T>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(explain(path, error)),
    }
}

/// Why `path` could not be read.
pub(crate) fn explain(path: &str, error: io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::PermissionDenied if !nix::unistd::geteuid().is_root() => {
            anyhow!("reading {path}: not permitted; run mt-agent as root")
        }
        _ => anyhow::Error::new(error).context(format!("reading {path}")),
    }
}

/// One line of a file of /proc or /sys, without the blanks around it; `None` where it is empty or not there.
pub(crate) fn attribute(host: &Host, path: &str) -> Result<Option<String>> {
    let text = text_if_exists(host, path)?;
    Ok(text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()))
}

/// When a file was changed last, its name and owner included (ctime): seconds since 1970; `None` where there is none.
pub(crate) fn ctime(host: &Host, path: &str) -> Result<Option<u64>> {
    let found = if_there(path, host.resolve(path).and_then(|path| path.metadata()))?;
    let secs = |meta: Metadata| match host.kind() {
        Kind::Recorded => recorded_ctime(host, path),
        _ => u64::try_from(meta.ctime()).with_context(|| format!("{path} is older than 1970")),
    };
    found.map(secs).transpose()
}

/// A copy of a tree has times of its own: those of the machine stand in lines `PATH SECONDS`.
fn recorded_ctime(host: &Host, path: &str) -> Result<u64> {
    let text = host.read("/commands/ctime").unwrap_or_default();
    let found = text.lines().find_map(|line| {
        let (name, secs) = line.rsplit_once(' ')?;
        (decode::octal(name) == path).then(|| secs.trim().parse().ok()).flatten()
    });
    found.with_context(|| format!("{path} is there, but the recording does not say since when"))
}
