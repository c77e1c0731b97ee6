//! Making the file system of the retention volume: the only change that can destroy data.
//!
//! A master target has disks of protected machines attached to it, and a fresh failback disk looks blank. So
//! everything that was judged when the plan was made is judged again here, on one descriptor, while the kernel
//! keeps everybody else off the device:
//!
//! 1. The device is opened and stays open until the end. That pins its number: whatever is plugged in or out,
//!    that number means this device.
//! 2. It is claimed (`O_EXCL`): not mounted, not swap, not held by anything, and none of that can begin.
//! 3. Under the claim: the SCSI ID that the descriptor itself answers with, the size, whether it can be written,
//!    all disks read again (partitions, holders, users, another disk of the same ID), and the blankness, which takes
//!    up to two minutes to read.
//! 4. The record is written and synced, so that a run that finds the disk half-made knows whose work that is.
//! 5. All of 3 once more, but of the bytes only both ends; and nothing was written to the disk since 3 began, by the
//!    kernel's own counts. If it was, the record is put back as it was.
//! 6. mkfs runs on a private node made from the number. The claim must be dropped for it, as mkfs makes one of
//!    its own: mke2fs and mkfs.xfs refuse a device that is in use, and keep it from then on.
//! 7. What was made is read back from the disk, the SCSI ID asked again, udev told; when that has settled nobody may
//!    have the disk open for writing; the record is closed.
//!
//! What is left to chance: somebody who claims the device in the instant between our claim and that of mkfs
//! makes mkfs refuse; somebody who in that instant claims it, writes, and lets go again is not noticed. Who
//! writes to a raw device without a claim is not held off by anything that Linux has, and is noticed until 5 and after 6.

mod erase;
mod format;
pub(crate) mod record;
pub mod tool;
mod watch;
mod written;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use super::device::{Device, Node};
use super::identity::{self, Identity};
use super::{Context, Done, Target};
use crate::facts::blank::examine::{self, examine};
use crate::facts::blank::{blkid, trouble};
use crate::facts::disks::Disk;
use crate::facts::retention::uuid_of;
use crate::facts::signature::{self, Signature, Stage};
use crate::facts::site_agent;
use crate::host::command::{self, Command};
use crate::host::{FileSystem, Host, Uuid, files, text};
use crate::state::retention;
pub use format::Format;
use tool::{Ground, Making, Naming};
use watch::Watch;

/// The disk on which a file system is made.
struct Opened<'a> {
    /// The disk or the map, as it was opened.
    device: &'a Device,
    /// The agent's own node of it.
    node: &'a Node,
    /// What was planned for it.
    format: &'a Format,
}

/// Whether an earlier run began to make this file system on this disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Earlier {
    /// It did, and did not end.
    Interrupted,
    /// None did, or one that ended.
    None,
}

/// What is to be done with the device.
enum Work {
    /// Make the file system, on what is there.
    Make(Ground),
    /// An interrupted run made it to its end: nothing is left but to say so.
    Adopt,
    /// An interrupted run made an XFS that lacks its UUID.
    Name,
}

/// Makes the file system on the disk that `format` names.
/// Errors: Why it was refused: the disk is then bit for bit as it was. Or what failed while it was made: the
/// record then says that it is unfinished, and the next run goes on.
pub fn format(context: &mut Context<'_>, identity: &dyn Identity, format: &Format) -> Result<Done> {
    let target = &format.target;
    attempt(context, identity, format)
        .with_context(|| format!("formatting {} (SCSI ID {})", target.device, text::safe(&target.scsi_id)))
}

fn attempt(context: &mut Context<'_>, identity: &dyn Identity, format: &Format) -> Result<Done> {
    let host = context.host;
    let target = &format.target;
    check_target(host, format)?;
    tool::check(host, format)?;
    let device = Device::open(host, &target.device)?;
    let node = device.node(host)?;
    let old = retention::read(host)?.filter(|old| record::is_of(old, target));

    // First without a claim: what is found here is said in its own words, and a claim would only say "busy".
    let disks = identity::verify(host, identity, &device, &target.scsi_id)?;
    // A person who orders what we finished to be erased finds it damaged: it is made again.
    if !format.erase
        && old.as_ref().is_some_and(|old| old.finished)
        && is_made(&signature::read(host, &node.path())?, target)
    {
        // An erased table's, of which the kernel was not told.
        erase::forget_partitions(context, &disks)?;
        // Where udev was not told of it, or made no link, it has another chance.
        announce(context, &device);
        return Ok(Done::Unchanged);
    }
    let disks = if format.erase {
        erase::remove_map_partitions(context, &disks)?;
        identity::verify(host, identity, &device, &target.scsi_id)?
    } else {
        disks
    };
    // A finished record of a file system that is not there (a disk was replaced behind the same ID, or wiped)
    // proves nothing: the disk must be blank like any other.
    idle(host, &disks)?;

    let claim = device.claim()?;
    let disks = idle_as_planned(host, identity, &device, format)?;
    let mut watch = Watch::begin(host, &disks)?;
    let earlier = match old {
        Some(old) if !old.finished => Earlier::Interrupted,
        _ => Earlier::None,
    };
    let opened = Opened { device: &device, node: &node, format };
    let work = judge(host, &opened, &disks, earlier)?;
    watch.remember(&device, format.size_bytes)?;
    let naming = tool::naming(host, format)?;

    let before = retention::read(host)?;
    record::keep_other(host, &target.scsi_id)?;
    let mut entry = record::begun(target, context.boot_id);
    retention::write(host, &entry)?;
    context.observer.progress(&format!("looking at {} once more", target.device));
    let last_look = idle_as_planned(host, identity, &device, format)
        .and_then(|disks| watch.still(host, &disks, &device, format.size_bytes));
    if let Err(why) = last_look {
        record::put_back(host, before.as_ref()).with_context(|| format!("{why:#}; and its record stays"))?;
        return Err(why);
    }
    drop(claim);

    if let Err(why) = carry_out(context, identity, &opened, &work, naming) {
        // What a tool that failed has left in memory would look to the next run as if somebody wrote.
        let _ = device.flush();
        return Err(why.context("its file system is not finished: run apply again to resume"));
    }
    // Before the record says so: an agent killed in between would leave a finished volume that no plan can find.
    announce(context, &device);
    watch::nobody_writes(host, &identity::verify(host, identity, &device, &target.scsi_id)?)?;
    entry.finished = true;
    retention::write(host, &entry)?;
    let what = match work {
        Work::Adopt => "finished the interrupted making of the",
        Work::Make(_) | Work::Name => "made an",
    };
    Ok(Done::Changed(format!(
        "{what} {} file system {} on {} (SCSI ID {}, {})",
        target.fs_type,
        target.uuid(),
        target.device,
        target.scsi_id,
        text::bytes(format.size_bytes)
    )))
}

/// The disk, or all paths of the map, that `device` is: as planned, writable, and used by nobody.
fn idle_as_planned(
    host: &Host,
    identity: &dyn Identity,
    device: &Device,
    format: &Format,
) -> Result<Vec<Disk>> {
    let disks = identity::verify(host, identity, device, &format.target.scsi_id)?;
    device.still_at_path(host)?;
    idle(host, &disks)?;
    let size = device.size_bytes()?;
    ensure!(
        size == format.size_bytes,
        "it has {size} bytes; {} were planned: it was resized or is another disk",
        format.size_bytes
    );
    ensure!(!device.is_read_only()?, "it is read-only");
    Ok(disks)
}

/// Makes the file system, and sees that it is there. The disk is touched at once.
fn carry_out(
    context: &mut Context<'_>,
    identity: &dyn Identity,
    opened: &Opened<'_>,
    work: &Work,
    naming: Naming,
) -> Result<()> {
    let host = context.host;
    let Opened { device, node, format } = *opened;
    let target = &format.target;
    match *work {
        Work::Make(ground) => {
            context.observer.progress(&format!(
                "making an {} file system on {} ({})",
                target.fs_type,
                target.device,
                text::bytes(format.size_bytes)
            ));
            if format.erase && ground == Ground::Used {
                erase::erase(context, identity, device, node, format)?;
            }
            tool::make(context, device, &node.path(), format, Making { ground, naming })?;
        }
        Work::Name => tool::name_xfs(context, device, &node.path(), format)?,
        Work::Adopt => {}
    }
    device.flush()?;
    let made = signature::read(host, &node.path())?;
    ensure!(is_made(&made, target), "after mkfs it carries {made}; {target} was expected");
    identity::verify(host, identity, device, &target.scsi_id).context("looking at it again after mkfs")?;
    Ok(())
}

/// That nothing uses the disks.
fn idle(host: &Host, disks: &[Disk]) -> Result<()> {
    let uses = identity::uses(host, disks)?;
    ensure!(uses.is_empty(), "it is in use: {}", uses.join("; "));
    Ok(())
}

fn check_target(host: &Host, format: &Format) -> Result<()> {
    ensure!(host.is_live(), "{host} is not the running machine: nothing is formatted there");
    ensure!(
        !format.target.scsi_id.is_empty(),
        "no SCSI ID was planned: a disk without one is never formatted"
    );
    ensure!(format.size_bytes > 0, "a disk of no size was planned");
    ensure!(
        matches!(format.target.uuid, Some(Uuid::Rfc(_))),
        "`{}` is not a UUID in lower case",
        text::safe(&format.target.uuid())
    );
    Ok(())
}

/// Whether it is the file system that `target` asks for, and nothing beside it.
fn is_made(found: &Signature, target: &Target) -> bool {
    found.is_only(&target.fs_type) && Some(found.uuid()) == target.uuid
}

/// What may be done, from what the device carries.
fn judge(host: &Host, opened: &Opened<'_>, disks: &[Disk], earlier: Earlier) -> Result<Work> {
    let Opened { device, node, format } = *opened;
    let target = &format.target;
    let unfinished = earlier == Earlier::Interrupted;
    let content = examine(device.file(), format.size_bytes);
    if let Some(why) = &content.error {
        // Nobody can say of what cannot be read that it is not needed, and no volume on it would last.
        let trouble = disks.first().and_then(|disk| trouble::of(host, disk));
        bail!(
            "it does not count as blank, as it could not be read: {why}; --erase-disk does not lift that: {}",
            trouble.as_deref().unwrap_or("attach another disk")
        );
    }
    let partitions = identity::partitions(disks);
    let probed = signature::read(host, &node.path());
    if format.erase {
        // Lifts "not blank", for what the person said so of; that nothing uses it was seen before. What our own
        // interrupted run completed is kept all the same.
        let made = probed.as_ref().is_ok_and(|found| is_made(found, target));
        let complete =
            made && matches!(signature::stage(device.file(), &target.fs_type), Ok(Stage::Complete));
        if unfinished && complete {
            return Ok(Work::Adopt);
        }
        let now =
            examine::fingerprint(device.file(), format.size_bytes, &blkid::signatures(host, &node.path()))
                .map_err(|why| anyhow!("what is on it could not be read: {why}"))?;
        ensure!(
            format.fingerprint.as_ref() == Some(&now),
            "what is on it is not what was there when --erase-disk was given: if nothing on it is needed, say so once \
             more: mt-agent apply --retention-disk {0} --erase-disk {0}",
            target.scsi_id
        );
        return Ok(Work::Make(Ground::Used));
    }
    let ours = probed.as_ref().is_ok_and(|found| found.uuid() == uuid_of(&target.scsi_id));
    let hint = match ours && !unfinished {
        true => "it is the retention volume that mt-agent made: run apply again, which mounts it".to_owned(),
        false => format!("if nothing on it is needed: --erase-disk {}", target.scsi_id),
    };
    let found = probed.with_context(|| format!("it does not count as blank ({hint})"))?;
    ensure!(
        partitions.is_empty(),
        "it is not blank: it has the partition{} {}; {hint}",
        if partitions.len() == 1 { "" } else { "s" },
        partitions.join(", ")
    );
    if found.is_nothing() {
        if content.blank() == Some(true) {
            return Ok(Work::Make(Ground::Blank));
        }
        ensure!(unfinished, "it is not blank: {}; {hint}", content.found().join(", "));
        still_ours(host, device, &target.fs_type, &hint)?;
        return Ok(Work::Make(Ground::Used));
    }
    ensure!(unfinished, "it is not blank: it carries {found}; {hint}");
    let named = is_made(&found, target);
    let nameless = found.is_only(&FileSystem::Xfs)
        && target.fs_type == FileSystem::Xfs
        && found.label() == tool::unfinished_label(&target.uuid());
    ensure!(
        named || nameless,
        "it carries {found}, which is not what our interrupted run was making ({target}); {hint}"
    );
    match signature::stage(device.file(), &target.fs_type)? {
        Stage::Complete if named => Ok(Work::Adopt),
        Stage::Complete => Ok(Work::Name),
        Stage::HalfMade => Ok(Work::Make(Ground::Used)),
        Stage::Doubtful => bail!(
            "it carries the file system that our interrupted run was making, but that is damaged or was mounted \
             since, so files may be on it; {hint}"
        ),
    }
}

/// Refuses to take bytes without any signature for our own interrupted work where they could be something else.
///
/// mkfs writes what tells its file system last, so an interrupted one is zeros and a few nameless blocks. We
/// began it on this very disk when that was blank, and libblkid knows nothing of what is there now. What could
/// deceive us is raw data without a signature, written to this one disk since then. Failback writes to raw
/// disks, and only the master target software does failback: where that has been installed, a person decides. Others
/// write from the start of a disk on, where neither tool leaves a byte without what tells its file system: mke2fs
/// leaves the boot block as it was, and the first sector of an XFS is its superblock.
fn still_ours(host: &Host, device: &Device, fs_type: &FileSystem, hint: &str) -> Result<()> {
    let sectors: [u8; 1024] =
        signature::start(device.file()).with_context(|| format!("reading {}", device.path()))?;
    let start = &sectors[..if *fs_type == FileSystem::Ext4 { 1024 } else { 512 }];
    ensure!(
        start.iter().all(|&byte| byte == 0),
        "an interrupted run of ours was making {fs_type} on it, but would have left its first {} bytes zero: something \
         else was written to it since; {hint}",
        start.len()
    );
    let agent =
        identity::known(site_agent::load(host)).context("telling whether the master target is installed")?;
    ensure!(
        !agent.has_been_installed(),
        "an interrupted run of ours may have left what is on it, but the master target software was installed \
         since, and could have written it; {hint}"
    );
    Ok(())
}

/// Lets udev know what the disk carries now, and waits for its links (by-uuid). mkfs wrote through a node that
/// udev does not watch, so it is told. All of it is a courtesy: nothing that follows depends on it.
fn announce(context: &mut Context<'_>, device: &Device) {
    let host = context.host;
    let uevent = host.path(format!("/sys/dev/block/{}/uevent", device.major_minor()));
    let sent = files::open_with(&uevent, OpenOptions::new().write(true), 0)
        .and_then(|mut file| file.write_all(b"change"));
    if sent.is_ok() && command::available(host, "udevadm") {
        let settle = Command::new("udevadm", ["settle", "--timeout=30"], Duration::from_secs(40));
        let _ = context.run(&settle);
    }
}
