//! What was found by reading a disk.

use crate::facts::Facts;
use crate::facts::blank::Probe;
use crate::facts::disks::{Disk, users};

use super::identity::describe;

/// What was found by reading `disk`.
/// Errors: It was not read, and why, in words.
pub(super) fn probe_of<'a>(facts: &'a Facts, disk: &Disk) -> Result<&'a Probe, String> {
    let same = |probe: &&Probe| probe.disk == disk.name;
    facts.probes.iter().find(same).ok_or_else(|| {
        let uses = match (facts.mounts.known(), facts.swaps.known()) {
            // What `used_by` does not show to people (partitions of a map) keeps a disk from being probed too.
            (Some(mounts), Some(swaps)) if disk.used_by.is_empty() => {
                users::uses(disk, mounts, swaps).iter().map(ToString::to_string).collect()
            }
            _ => disk.used_by.clone(),
        };
        if uses.is_empty() {
            format!("{} was not probed: run this on the host itself, as root", describe(disk))
        } else {
            format!("{} is in use: {}", describe(disk), uses.join("; "))
        }
    })
}
