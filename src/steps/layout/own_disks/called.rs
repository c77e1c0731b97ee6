//! How devices on other disks are called in a finding.

use crate::facts::disks::Disk;
use crate::facts::storage::Storage;
use crate::steps::twins;

use super::owner::describe;

/// Whether a device on `disk`, or the partition `number` of it that the kernel does not show, is in no use.
pub(super) fn is_there(disk: &Disk, on: &Storage, number: Option<u32>) -> bool {
    match number {
        None => disk.ends().iter().any(|(_, number)| *number == on.major_minor),
        Some(_) => disk.partitioned().iter().any(|one| one.major_minor == on.major_minor),
    }
}

/// How a device on `disk` is called in a finding.
pub(super) fn called(disk: &Disk, on: &Storage, number: Option<u32>) -> String {
    match number {
        Some(number) if on.name == disk.name => twins::named(&describe(disk), Some(number)),
        _ => format!("{} of {}", twins::named(&on.name, number), describe(disk)),
    }
}

/// Adds what is to be done, once.
pub(super) fn add(fix: &mut Vec<String>, what: String) {
    if !fix.contains(&what) {
        fix.push(what);
    }
}
