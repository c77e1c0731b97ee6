//! What is mounted as the retention volume now, and the disks under it.

use crate::facts::Facts;
use crate::facts::disks::Disk;
use crate::facts::mounts::Mount;
use crate::profile::Profile;
use crate::steps::devices::{carriers, mount_at};
use crate::steps::{Status, need};

/// What is mounted at the retention mount point, if anything.
pub(super) fn mount_now<'a>(profile: &Profile, facts: &'a Facts) -> Result<Option<&'a Mount>, Status> {
    Ok(mount_at(need(&facts.mounts, "the mounts")?, &profile.retention.mount_point))
}

/// The mounted retention volume and the disks that carry it: several for the paths of one multipath map.
pub(super) fn volume<'a>(profile: &Profile, facts: &'a Facts) -> Result<(&'a Mount, Vec<&'a Disk>), Status> {
    let point = &profile.retention.mount_point;
    let mount = mount_now(profile, facts)?
        .ok_or_else(|| Status::Unknown { why: format!("nothing is mounted at {point}") })?;
    let disks = carriers(need(&facts.disks, "the disks")?, mount.major_minor);
    if disks.is_empty() {
        return Err(Status::Unknown { why: format!("no disk was found under {} at {point}", mount.source) });
    }
    Ok((mount, disks))
}

/// Where `disk` is mounted now.
pub(super) fn elsewhere<'a>(facts: &'a Facts, disk: &Disk) -> Option<&'a Mount> {
    facts.mounts.known()?.iter().find(|mount| mount.major_minor == disk.device_number())
}

/// Whether one of the disks carries `/` as well.
pub(super) fn carry_root(facts: &Facts, disks: &[&Disk]) -> Result<bool, Status> {
    let root = mount_at(need(&facts.mounts, "the mounts")?, "/")
        .ok_or_else(|| Status::Unknown { why: "what carries / is not among the mounts".to_owned() })?;
    let root_disks = carriers(need(&facts.disks, "the disks")?, root.major_minor);
    if root_disks.is_empty() {
        return Err(Status::Unknown { why: "cannot determine which disk carries /".to_owned() });
    }
    Ok(root_disks.iter().any(|disk| disks.iter().any(|other| other.major_minor == disk.major_minor)))
}
