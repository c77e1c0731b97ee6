//! What `state repair` has set aside, below [`SET_ASIDE`]. What stood in them is lost; that there was something is a trace.

use std::io;

use super::paths::SET_ASIDE;
use crate::host::Host;

/// How the directories begin in which `state repair` puts records of this machine. Those of another machine lie in others.
pub const DAMAGED: &str = "damaged";

/// The names of the records (`retention.json`).
pub fn names(host: &Host) -> io::Result<Vec<String>> {
    Ok(all(host)?.into_iter().map(|(_, name)| name).collect())
}

/// Where what lay at `path` lies now, the oldest first.
pub fn places(host: &Host, path: &str) -> io::Result<Vec<String>> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_it =
        |other: &str| other.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let of_it = all(host)?.into_iter().filter(|(_, other)| is_it(other));
    Ok(of_it.map(|(directory, name)| format!("{SET_ASIDE}/{directory}/{name}")).collect())
}

/// Directory and name of each.
fn all(host: &Host) -> io::Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    let directories = match host.list(SET_ASIDE) {
        // Something else lies in its place.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Vec::new(),
        listed => listed?,
    };
    for directory in directories.into_iter().filter(|name| name.starts_with(DAMAGED)) {
        let names = host.list(format!("{SET_ASIDE}/{directory}"))?;
        all.extend(names.into_iter().map(|name| (directory.clone(), name)));
    }
    Ok(all)
}
