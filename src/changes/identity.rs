//! Which disk stands behind an open device, and whether anything uses it.

use std::fs::File;
use std::os::fd::AsFd;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use super::device::Device;
use crate::facts::blank::in_use;
use crate::facts::disks::{self, Disk};
use crate::facts::{Fact, mounts, scsi, swaps};
use crate::host::apart::apart;
use crate::host::{Host, ScsiId};

/// How long a disk may take to say who it is.
const ASKING: Duration = Duration::from_secs(30);

/// Who a disk is. The real one asks the hardware; a test puts a stand-in here for devices that no SCSI layer
/// drives, and everything else about them stays real.
pub trait Identity {
    /// The SCSI ID of what is open as `device`.
    fn scsi_id(&self, device: &File) -> Result<ScsiId, String>;

    /// Every disk of `host`, read now.
    fn disks(&self, host: &Host) -> Result<Vec<Disk>, String>;
}

/// The hardware itself.
#[derive(Clone, Copy, Debug)]
pub struct Hardware;

impl Identity for Hardware {
    fn scsi_id(&self, device: &File) -> Result<ScsiId, String> {
        apart("asking it for its SCSI ID", ASKING, &[device.as_fd()], || scsi::id_of(device))
            .map_err(|error| error.to_string())?
    }

    fn disks(&self, host: &Host) -> Result<Vec<Disk>, String> {
        known(disks::load(host)).map_err(|error| format!("{error:#}"))
    }
}

/// The disk, or every path of the multipath map, that `device` is: each answers with `scsi_id`, and nothing
/// else on this host does.
/// Errors: It is a partition, a path of a map or another device; or it answers otherwise, or another disk alike.
pub fn verify(host: &Host, identity: &dyn Identity, device: &Device, scsi_id: &str) -> Result<Vec<Disk>> {
    let number = device.major_minor();
    let all = identity.disks(host).map_err(|why| anyhow!("reading the disks: {why}"))?;
    let is_map = |disk: &Disk| disk.multipath.as_ref().is_some_and(|map| map.major_minor == number);
    let (mine, others): (Vec<Disk>, Vec<Disk>) =
        all.into_iter().partition(|disk| disk.major_minor == number || is_map(disk));
    for disk in &mine {
        if let Some(map) = disk.multipath.as_ref().filter(|map| map.major_minor != number) {
            bail!(
                "{} is a path of the multipath map /dev/mapper/{}: the map must be named, never its path",
                device.path(),
                map.dm_name
            );
        }
    }
    if mine.is_empty() {
        for disk in &others {
            if let Some(partition) = disk.partitions.iter().find(|partition| partition.major_minor == number)
            {
                bail!("{} is the partition {} and not a whole disk", device.path(), partition.name);
            }
        }
        bail!("{} is neither a whole disk nor a multipath map", device.path());
    }
    let answered = identity.scsi_id(device.file()).map_err(|why| anyhow!("it has no SCSI ID: {why}"))?;
    ensure!(answered == scsi_id, "it answers with the SCSI ID {answered}; {scsi_id} was planned");
    for disk in &mine {
        match &disk.scsi_id {
            Ok(found) => ensure!(
                found.id == scsi_id,
                "the SCSI ID of {} is {}; {scsi_id} was planned",
                disk.name,
                found.id
            ),
            Err(no_id) => bail!("{} has no SCSI ID: {}; {scsi_id} was planned", disk.name, no_id.why),
        }
    }
    if let Some(other) = others.iter().find(|other| other.has_id(scsi_id)) {
        bail!("{} answers with the same SCSI ID: which of the two is meant cannot be determined", other.name);
    }
    if let Some(why) = disks::not_one_disk(&mine) {
        bail!("{why}: see scsi.ids-unique");
    }
    Ok(mine)
}

/// What uses the disks or a part of them, beyond the map that they are paths of: programs that have one open for
/// writing among them, as a failback writes to a protected machine's new disk without any claim.
pub fn uses(host: &Host, disks: &[Disk]) -> Result<Vec<String>> {
    let mounts = known(mounts::load(host)).context("reading what is mounted")?;
    let swaps = known(swaps::load(host)).context("reading active swap")?;
    let mut found = Vec::new();
    for disk in disks {
        for one in disks::users::uses(disk, &mounts, &swaps) {
            found.push(one.to_string());
        }
        found.extend(in_use::loops(host, disk));
    }
    found.extend(
        in_use::writers(host, disks).map_err(|why| anyhow!("cannot determine who has it open: {why}"))?,
    );
    found.sort();
    found.dedup();
    Ok(found)
}

/// The partitions on the disks, those of their map among them.
pub fn partitions(disks: &[Disk]) -> Vec<String> {
    let mut names: Vec<String> =
        disks.iter().flat_map(|disk| &disk.partitions).map(|partition| partition.name.clone()).collect();
    names.sort();
    names
}

/// What was read.
pub fn known<T>(fact: Fact<T>) -> Result<T> {
    match fact {
        Fact::Known(value) => Ok(value),
        Fact::Unknown(why) | Fact::NotApplicable(why) => Err(anyhow!(why)),
    }
}
