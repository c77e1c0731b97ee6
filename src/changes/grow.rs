//! Growing the mounted retention volume to the size of its disk, which was enlarged in vSphere.
//!
//! The kernel has to know the new size of each path (`device/rescan`) before this is planned; the size of the multipath map is seen
//! to here. Both tools grow a mounted file system by calls of the kernel that leave it whole wherever they are interrupted: the next
//! run goes on from the size that it has then.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::device::Device;
use super::identity::{self, Identity};
use super::mount::top;
use super::{Context, Done, Target};
use crate::facts::disks::Disk;
use crate::facts::mounts::{self, Mount};
use crate::facts::signature;
use crate::facts::storage;
use crate::host::command::{self, Command};
use crate::host::{FileSystem, Host, text};

/// How long multipathd may take to reload a map.
const RELOADING: Duration = Duration::from_secs(60);

/// How long the tool may take: resize2fs of CentOS 6 adds each group of 128 MiB by itself and writes its inode table.
const GROWING: Duration = Duration::from_secs(4 * 60 * 60);

/// Grows the file system of `target`, one that we made, to its device while it is mounted.
/// Errors: It is not that volume, its map has not the size of the disk, or the tool failed: the file system is
/// then whole, and as large as it was or larger.
pub fn grow(
    context: &mut Context<'_>,
    identity: &dyn Identity,
    target: &Target,
    mount_point: &str,
) -> Result<Done> {
    attempt(context, identity, target, mount_point).with_context(|| format!("growing {}", target.device))
}

fn attempt(
    context: &mut Context<'_>,
    identity: &dyn Identity,
    target: &Target,
    mount_point: &str,
) -> Result<Done> {
    let host = context.host;
    ensure!(host.is_live(), "{host} is not the running machine: nothing is grown there");
    let (tool, package) = match target.fs_type {
        FileSystem::Xfs => ("xfs_growfs", "xfsprogs"),
        _ => ("resize2fs", "e2fsprogs"),
    };
    ensure!(command::available(host, tool), "there is no `{tool}` on this host: install {package}");
    let device = Device::open(host, &target.device)?;
    let disks = identity::verify(host, identity, &device, &target.scsi_id)?;
    let node = device.node(host)?;
    let found = signature::read(host, &node.path())?;
    ensure!(
        found.is_only(&target.fs_type) && target.uuid == Some(found.uuid()),
        "it carries {found}; {target} was expected"
    );
    let mount = mounted(host, &device, target, mount_point)?;
    resize_map(context, &device, &disks)?;
    let size = device.size_bytes()?;
    let Some(_) = unused(&device, size, &mount)? else { return Ok(Done::Unchanged) };

    let at = if tool == "xfs_growfs" { mount_point.to_owned() } else { node.path() };
    let command = Command::new(tool, [at], GROWING);
    let output = context.run(&command)?;
    command.succeeded(&output)?;
    let mount = mounted(host, &device, target, mount_point)?;
    if let Some(unused) = unused(&device, size, &mount)? {
        anyhow::bail!("{tool} left {} of it unused: {}", text::bytes(unused), output.message());
    }
    Ok(Done::Changed(format!(
        "grew the {} file system at {mount_point} to {}",
        target.fs_type,
        text::bytes(size)
    )))
}

/// The mount of the volume, which is seen, whole and writable.
fn mounted(host: &Host, device: &Device, target: &Target, mount_point: &str) -> Result<Mount> {
    let mounted = identity::known(mounts::load(host)).context("reading what is mounted")?;
    let wanted = mount_point.trim_end_matches('/');
    let there = top(&mounted, wanted).with_context(|| format!("nothing is mounted at {wanted}"))?;
    ensure!(
        there.major_minor == device.major_minor() && there.root == "/" && there.fs_type == target.fs_type,
        "{} ({}, {}) is mounted at {wanted}",
        text::safe(&there.source),
        there.fs_type,
        there.major_minor
    );
    ensure!(there.is_writable(), "it is mounted read-only: look into the kernel's log for why");
    Ok(there.clone())
}

/// What the file system leaves unused of a device of `size` bytes.
fn unused(device: &Device, size: u64, mount: &Mount) -> Result<Option<u64>> {
    // From the disk: what the kernel read of it earlier may be older.
    device.forget();
    let start: [u8; 2048] = signature::start(device.file())?;
    let extent = storage::extent(&start).context("its superblock does not give its size")?;
    let of_mount = identity::known(mount.size_bytes.clone()).context("reading its size")?;
    Ok(extent.unused_of(size, of_mount))
}

/// Has multipathd give the map the size of its paths, which have to agree.
fn resize_map(context: &mut Context<'_>, device: &Device, disks: &[Disk]) -> Result<()> {
    let Some(size) = disks.iter().map(|disk| disk.size_bytes).min() else { return Ok(()) };
    if let Some(other) = disks.iter().find(|disk| disk.size_bytes != size) {
        anyhow::bail!(
            "its path {name} has {}, another one {}: `echo 1 > /sys/block/sdX/device/rescan` for each path, then run again",
            text::bytes(other.size_bytes),
            text::bytes(size),
            name = other.name
        );
    }
    let Some(map) = disks.first().and_then(|disk| disk.multipath.as_ref()) else { return Ok(()) };
    if device.size_bytes()? >= size {
        return Ok(());
    }
    let command = Command::new("multipathd", [format!("-kresize map {}", map.dm_name)], RELOADING);
    let output = context.run(&command)?;
    let now = device.size_bytes()?;
    ensure!(
        now >= size,
        "the map has {}, and its disk {}: `{}` said: {}",
        text::bytes(now),
        text::bytes(size),
        command.line(),
        output.message()
    );
    Ok(())
}
