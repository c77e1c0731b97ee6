//! Erasing what a disk carries, and what the kernel still shows of it.
//!
//! The tools of CentOS 6.6 do only a part of that. `wipefs -a` of util-linux-ng 2.17.2 removes no partition table: RHEL 6's
//! warns and ends with status 0, upstream's ends with status 1 and has then wiped nothing at all. mke2fs 1.41.12 zeroes
//! the first two sectors, which leaves the copy of a GPT, and neither tells the kernel, which goes on showing sdc1. Their
//! libblkid knows less than the newer one that may have written what is there. So:
//!
//! 1. The kernel forgets the partitions; it refuses where one is in use. It is not made to read the table again, for then
//!    udev would see them appear, and assemble what is on them.
//! 2. Under a claim, both ends are written over with zeros: tables of every kind, a GPT with its copy, the superblocks and
//!    labels of file systems, LVM, RAID and ZFS lie there. The next run resumes an interrupted one only where the first
//!    sectors are zero (see `still_ours`).
//! 3. wipefs removes what lies elsewhere.
//! 4. That nothing is left is read back: by the kernel no partition, by libblkid nothing.

use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::Format;
use super::tool::run_watched;
use crate::changes::Context;
use crate::changes::device::{Device, Node};
use crate::changes::identity::{self, Identity};
use crate::facts::disks::{Disk, users};
use crate::facts::signature;
use crate::host::command::Command;

/// What is zeroed at either end, in bytes. RAID's, ZFS's and GPT's copies lie in the last 768 KiB, LVM's label and text in the
/// first 1 MiB.
const END_BYTES: u64 = 1 << 20;

const SECTOR: u64 = 512;
const DEADLINE: Duration = Duration::from_secs(120);

/// How often, and after what pause, the kernel is asked to forget a partition that is open.
const TRIES: u32 = 6;
const PAUSE: Duration = Duration::from_millis(500);

/// Removes all that `device`, of which `node` is our own node, carries: the disk or map that `format` names.
/// Errors: A part of it is in use, and nothing was written; or what failed, and what is left.
pub fn erase(
    context: &mut Context<'_>,
    identity: &dyn Identity,
    device: &Device,
    node: &Node,
    format: &Format,
) -> Result<()> {
    let host = context.host;
    let look = || identity::verify(host, identity, device, &format.target.scsi_id);
    forget_partitions(context, &look()?)?;
    let claim = device.claim()?;
    for place in ends(format.size_bytes) {
        zero(context, device, node, place)?;
    }
    drop(claim);
    run_watched(context, device, &Command::new("wipefs", ["-a", &node.path()], DEADLINE))?;

    // udev may have had the table read again while it was there.
    forget_partitions(context, &look()?)?;
    let left = identity::partitions(&look()?);
    ensure!(left.is_empty(), "it was erased, and the kernel still shows {}", left.join(", "));
    device.flush()?;
    let found = signature::read(host, &node.path()).context("looking at it after it was erased")?;
    ensure!(found.is_nothing(), "it was erased, and still carries {found}");
    Ok(())
}

/// Removes the partitions of the map of `disks` that kpartx made, and on which nothing is built: while one is there the map
/// cannot be claimed. On CentOS 6 rc.sysinit and udev's rules for multipath make them of every partition table.
/// Errors: One of them is in use: device-mapper removes none that is open.
pub fn remove_map_partitions(context: &mut Context<'_>, disks: &[Disk]) -> Result<()> {
    // The paths of a map all show the same.
    let parts = disks.first().map(users::map_partitions).unwrap_or_default();
    for (part, _) in parts {
        let Some(name) = &part.dm_name else { continue };
        let output = context.run(&Command::new("dmsetup", ["remove", name], DEADLINE))?;
        ensure!(output.status == 0, "the map partition {name} is in use: {}", output.message());
    }
    Ok(())
}

/// Makes the kernel forget the partitions of `disks`: of each path where they are those of a map, on which the kernel itself
/// has none. That is `partx -d` as udev's own rule for multipath runs it on CentOS 6, where `blockdev --rereadpt` on a path
/// would be refused by newer kernels, as the map holds it.
/// Errors: One of them is in use.
pub fn forget_partitions(context: &mut Context<'_>, disks: &[Disk]) -> Result<()> {
    for disk in disks.iter().filter(|disk| !disk.partitions.is_empty()) {
        let device = Device::open(context.host, &disk.path)?;
        ensure!(device.major_minor() == disk.major_minor, "{} became another device", disk.path);
        let node = device.node(context.host)?;
        let forget = Command::new("partx", ["-d", "--nr", "1-1024", &node.path()], DEADLINE);
        let mut tried = run_watched(context, &device, &forget);
        // udev opens a partition for the moment in which it looks what is on it.
        for _ in 1..TRIES {
            if tried.is_ok() {
                break;
            }
            thread::sleep(PAUSE);
            tried = run_watched(context, &device, &forget);
        }
        tried.with_context(|| format!("making the kernel forget the partitions of {}", disk.path))?;
    }
    Ok(())
}

/// Both ends of a device of `size` bytes, as sectors: the first and their count.
fn ends(size: u64) -> [(u64, u64); 2] {
    let all = size / SECTOR;
    let count = all.min(END_BYTES / SECTOR);
    [(0, count), (all - count, count)]
}

/// Writes zeros over sectors of `device`. By a tool, so that a disk that does not answer holds up a process that can be left
/// behind.
fn zero(context: &mut Context<'_>, device: &Device, node: &Node, (first, count): (u64, u64)) -> Result<()> {
    let arguments = [
        "if=/dev/zero".to_owned(),
        format!("of={}", node.path()),
        format!("bs={SECTOR}"),
        format!("seek={first}"),
        format!("count={count}"),
        "conv=nocreat,notrunc,fsync".to_owned(),
    ];
    run_watched(context, device, &Command::new("dd", arguments, DEADLINE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_lie_within_the_device() {
        assert_eq!(ends(1 << 40), [(0, 2048), ((1 << 31) - 2048, 2048)]);
        assert_eq!(ends(3 << 19), [(0, 2048), (1024, 2048)], "they may overlap");
        assert_eq!(ends(64 << 10), [(0, 128), (0, 128)]);
    }
}
