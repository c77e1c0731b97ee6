//! Attributes of block devices in /sys/block, and where its links lead.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::host::{DeviceNumber, Host, text};

/// sysfs counts in these, whatever the sector size of the disk.
const SECTOR_BYTES: u64 = 512;

pub(super) fn bytes(host: &Host, name: &str, attribute: &str) -> Result<u64, String> {
    let text = need(host, name, attribute)?;
    text.parse::<u64>()
        .ok()
        .and_then(|sectors| sectors.checked_mul(SECTOR_BYTES))
        .ok_or_else(|| format!("/sys/block/{name}/{attribute} holds \"{text}\", not a number of sectors"))
}

pub(super) fn need(host: &Host, name: &str, attribute: &str) -> Result<String, String> {
    let path = format!("/sys/block/{name}/{attribute}");
    match host.read(&path) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) => Err(format!("reading {path}: {error}")),
    }
}

/// The number of a device.
pub fn number(host: &Host, name: &str) -> Result<DeviceNumber, String> {
    need(host, name, "dev")?.parse().map_err(|why| format!("reading /sys/block/{name}/dev: {why}"))
}

/// An attribute that not every device has.
pub(super) fn optional(host: &Host, name: &str, attribute: &str) -> Result<Option<String>, String> {
    let path = format!("/sys/block/{name}/{attribute}");
    match host.read(&path) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("reading {path}: {error}")),
    }
}

/// An attribute, trimmed; `None` where there is none.
pub fn word(host: &Host, name: &str, attribute: &str) -> Option<String> {
    need(host, name, attribute).ok()
}

/// An attribute that the device itself made up.
pub(super) fn shown(host: &Host, name: &str, attribute: &str) -> Option<String> {
    word(host, name, attribute).map(|word| text::safe(&word)).filter(|word| !word.is_empty())
}

/// Where a path of this host leads when all links are followed, as a path of this host.
pub fn real(host: &Host, path: &str) -> Option<PathBuf> {
    let resolved = fs::canonicalize(host.resolve(path).ok()?).ok()?;
    let root = fs::canonicalize(host.root()).ok()?;
    Some(Path::new("/").join(resolved.strip_prefix(root).ok()?))
}

/// `message`, with what to do when it was a permission that lacked: root is refused as well, where a
/// container keeps it off devices.
pub fn needs_root(error: &io::Error, message: String) -> String {
    let lacks = error.kind() == io::ErrorKind::PermissionDenied && !nix::unistd::geteuid().is_root();
    if lacks { format!("{message}: it needs root") } else { message }
}
