//! Reading files of the host, with reasons that a person can act upon.

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
    match host.read_if_exists(path) {
        // A component that is a file: nothing is there either.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(None),
        read => read.map_err(|error| explain(path, error)),
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
    match host.resolve(path).and_then(|path| path.metadata()) {
        Ok(_) if host.kind() == Kind::Recorded => recorded_ctime(host, path).map(Some),
        Ok(meta) => {
            u64::try_from(meta.ctime()).map(Some).with_context(|| format!("{path} is older than 1970"))
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(explain(path, error)),
    }
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
