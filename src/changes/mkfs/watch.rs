//! Nobody else writes to the disk while it is examined: the last look before mkfs is held against the first.

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use nix::libc;

use crate::changes::device::Device;
use crate::changes::identity;
use crate::facts::blank::counts::{self, Counts};
use crate::facts::blank::examine;
use crate::facts::disks::Disk;
use crate::host::apart::apart;
use crate::host::{DeviceNumber, Host, files, ioctl};

/// How long what others have written to memory may take to reach the disk.
const WRITING_OUT: Duration = Duration::from_secs(60);

/// What the disk was like when its examination began, and at its end.
pub struct Watch {
    began: Counts,
    ends: Option<String>,
}

impl Watch {
    /// Begins to watch the disk, or all paths of the map, that `disks` are.
    /// Errors: It is being written to, or that cannot be determined.
    pub fn begin(host: &Host, disks: &[Disk]) -> Result<Self> {
        let watch = Self { began: now(host, disks)?, ends: None };
        watch.unmoved(host, disks)?;
        Ok(watch)
    }

    /// Remembers both ends of the disk, once it was found that it may be taken.
    pub fn remember(&mut self, device: &Device, size: u64) -> Result<()> {
        self.ends = Some(ends(device, size)?);
        Ok(())
    }

    /// That the disk is still what was examined. Nothing slow follows: mkfs is started next.
    /// Errors: Something was written to it, or that cannot be determined.
    pub fn still(&self, host: &Host, disks: &[Disk], device: &Device, size: u64) -> Result<()> {
        // Another machine, or a program that speaks SCSI past the kernel, moves no count.
        ensure!(
            self.ends.is_some() && self.ends == Some(ends(device, size)?),
            "it is in use: both ends of it are not what they were when it was examined"
        );
        self.unmoved(host, disks)
    }

    /// What a program has only written to memory (a mapping, a file without O_SYNC) is written out first, so that it
    /// counts.
    fn unmoved(&self, host: &Host, disks: &[Disk]) -> Result<()> {
        write_out(host, disks)?;
        let moved = self.began.moved(&now(host, disks)?);
        ensure!(moved.is_empty(), "it is in use: since its examination began {}", moved.join("; "));
        Ok(())
    }
}

fn now(host: &Host, disks: &[Disk]) -> Result<Counts> {
    let mut names: Vec<&str> = disks.iter().flat_map(counts::names).collect();
    names.sort_unstable();
    names.dedup();
    Counts::read(host, &names).map_err(|why| anyhow!("cannot determine whether it is written to: {why}"))
}

fn ends(device: &Device, size: u64) -> Result<String> {
    examine::ends(device.file(), size).map_err(|why| anyhow!("it could not be read once more: {why}"))
}

/// Each path, partition and map has pages of its own in memory.
fn write_out(host: &Host, disks: &[Disk]) -> Result<()> {
    let mut nodes: Vec<(String, DeviceNumber)> = Vec::new();
    for disk in disks {
        nodes.push((disk.path.clone(), disk.major_minor));
        nodes.extend(disk.partitions.iter().map(|part| (format!("/dev/{}", part.name), part.major_minor)));
        nodes.extend(
            disk.multipath.iter().map(|map| (format!("/dev/mapper/{}", map.dm_name), map.major_minor)),
        );
    }
    let all = || -> Result<(), String> {
        for (path, number) in &nodes {
            one(host, path, *number).map_err(|error| format!("{error:#}"))?;
        }
        Ok(())
    };
    apart("writing out what others wrote to it", WRITING_OUT, &[], all)
        .map_err(|error| error.to_string())
        .and_then(|done| done)
        .map_err(|why| anyhow!("cannot determine whether it is written to: {why}"))
}

fn one(host: &Host, path: &str, number: DeviceNumber) -> Result<()> {
    let file = files::node(&host.path(path), libc::O_NONBLOCK).with_context(|| format!("opening {path}"))?;
    let meta = file.metadata().with_context(|| format!("looking at {path}"))?;
    ensure!(
        meta.file_type().is_block_device() && DeviceNumber::of(meta.rdev()) == number,
        "{path} is not the device {number}"
    );
    ioctl::write_out(&file).with_context(|| format!("writing out {path}"))
}

/// That no program has the new file system's disk open for writing: what it writes would go into the volume.
/// Errors: One has, or that cannot be determined.
pub fn nobody_writes(host: &Host, disks: &[Disk]) -> Result<()> {
    let uses = identity::uses(host, disks)?;
    ensure!(
        uses.is_empty(),
        "it was made, but the disk is in use: {}; what writes there would damage it: end that first",
        uses.join("; ")
    );
    Ok(())
}
