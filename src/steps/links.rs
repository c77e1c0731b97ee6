//! The names that udev links below /dev/disk, and how fstab writes them.

use crate::facts::Facts;
use crate::facts::filesystems::Filesystems;

use super::{Status, need};

/// The names of file systems, where udev makes links at all.
pub fn linked(facts: &Facts) -> Result<&Filesystems, Status> {
    let links = need(&facts.filesystems, "the names of file systems")?;
    if links.by_id.is_empty() && links.by_uuid.is_empty() && links.by_label.is_empty() {
        // Without any disk none is missing.
        need(&facts.disks, "the disks")?;
    }
    if no_links(facts, links) {
        return Err(Status::unknown("udev has made no link below /dev/disk (see layout.next-boot)"));
    }
    Ok(links)
}

/// Whether no disk of this host has a link below /dev/disk. The UUID of our own volume is known without.
pub fn no_links(facts: &Facts, links: &Filesystems) -> bool {
    let own = facts.retention_record.known().and_then(Option::as_ref).map(|record| &record.uuid);
    links.by_id.is_empty()
        && links.by_label.is_empty()
        && links.by_uuid.keys().all(|uuid| Some(uuid) == own)
        && facts.disks.known().is_some_and(|disks| !disks.is_empty())
}

/// What a tag names: libblkid takes quotation marks of either kind off, up to the last one. `None` where that is missing.
pub fn unquoted(value: &str) -> Option<&str> {
    match value.strip_prefix(['"', '\'']) {
        Some(rest) => rest.rfind(&value[..1]).map(|end| &rest[..end]),
        None => Some(value),
    }
}
