//! The multipath blacklist names this machine's root disk: in /etc/multipath.conf and in the script that the
//! vendor's changes leave behind. On a clone both still name the template's. What else of multipath is changed:
//! [`configure`], [`start`]; what a running multipathd makes of it: [`daemon`].

pub(crate) mod configure;
pub(crate) mod daemon;
pub(crate) mod edit;
pub(crate) mod start;

use std::io;

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use super::identity::{self, Hardware, Identity};
use super::{Context, Done};
use crate::facts::disks::Disk;
use crate::facts::mounts;
pub use crate::facts::multipath::CONFIGURATION;
use crate::facts::multipath::Dialect;
use crate::host::{DeviceNumber, Host, ScsiId, files};
use crate::state::{paths, saved};

/// The script that the vendor's ApplyCustomChanges.sh writes; it carries the root disk's SCSI ID literally.
pub const SCRIPT: &str = "/usr/sbin/blacklistrootdev.sh";

/// Makes the blacklist name `scsi_id`, in place of `replaces` where that stands. The files as they were are
/// kept first, and every byte that does not say this stays.
/// Errors: It is not the root disk's ID, the configuration cannot be understood, or the blacklist would hide
/// another disk; the files are then as they were.
pub fn blacklist_root_disk(context: &mut Context<'_>, scsi_id: &str, replaces: Option<&str>) -> Result<Done> {
    let root = root_device(context.host)?;
    let done = replace_as(context.host, &Hardware, root, scsi_id, replaces)?;
    daemon::read_again(context, &done)?;
    Ok(done)
}

/// `root` is the `major:minor` of what carries `/`.
fn replace_as(
    host: &Host,
    identity: &dyn Identity,
    root: DeviceNumber,
    scsi_id: &str,
    replaces: Option<&str>,
) -> Result<Done> {
    let disks = identity.disks(host).map_err(|why| anyhow!("reading the disks: {why}"))?;
    let others = others(&disks, root, scsi_id)?;
    let replaces = replaces.filter(|stale| !stale.is_empty() && *stale != scsi_id);

    let before = match files::read(&host.path(CONFIGURATION)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => bail!(
            "there is no {CONFIGURATION}: the vendor's ApplyCustomChanges.sh writes it, so that comes first"
        ),
        read => read.with_context(|| format!("reading {CONFIGURATION}"))?,
    };
    let dialect = Dialect::of(host);
    let after = edit::with_wwid(&before, scsi_id, replaces, dialect)
        .and_then(|after| edit::check_hidden(&after, scsi_id, &others, dialect).map(|()| after))
        .with_context(|| format!("writing the root disk's SCSI ID into {CONFIGURATION}"))?;
    let script_before = match files::read(&host.path(SCRIPT)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        read => Some(read.with_context(|| format!("reading {SCRIPT}"))?),
    };
    let script_after = match (&script_before, replaces) {
        (Some(script), Some(stale)) => Some(edit::with_id(script, stale, scsi_id)),
        _ => script_before.clone(),
    };

    let stamp = saved::stamp("multipath");
    let mut changed = Vec::new();
    for (path, before, after) in
        [(CONFIGURATION, Some(before), Some(after)), (SCRIPT, script_before, script_after)]
    {
        let (Some(before), Some(after)) = (before, after) else { continue };
        if before == after {
            continue;
        }
        write(host, path, &after, &stamp)?;
        changed.push(path);
    }
    if changed.is_empty() {
        return Ok(Done::Unchanged);
    }
    Ok(Done::Changed(format!(
        "{} name{} the root disk {scsi_id} (as it was: {}/{stamp})",
        changed.join(" and "),
        if changed.len() == 1 { "s" } else { "" },
        paths::SAVED
    )))
}

/// Replaces the file `path`, of which a copy is kept under `stamp`.
fn write(host: &Host, path: &str, after: &[u8], stamp: &str) -> Result<()> {
    saved::keep(host, path, stamp)?;
    files::replace(&host.path(path), after, 0o644)?;
    let now = files::read(&host.path(path)).with_context(|| format!("reading {path} again"))?;
    ensure!(now == after, "{path} was changed by another program at the same time: look at it and run again");
    Ok(())
}

/// The disk that carries `/`, which is the block device `root`.
fn carrier(disks: &[Disk], root: DeviceNumber) -> Result<&Disk> {
    let carries = |disk: &&Disk| disk.all_devices().contains(&root);
    disks.iter().find(carries).with_context(|| format!("no disk carries / (device {root})"))
}

/// That multipath leaves the root disk alone with the configuration `text`.
fn leaves_root_alone(disks: &[Disk], root: DeviceNumber, text: &[u8], dialect: Dialect) -> Result<()> {
    let disk = carrier(disks, root)?;
    let id =
        disk.id().with_context(|| format!("the root disk {} has no SCSI ID to be blacklisted", disk.name))?;
    edit::check_hidden(text, id, &[], dialect)
}

/// The SCSI IDs that the blacklist must not hide: all but that of the disk that carries `/`, which `scsi_id` is.
fn others(disks: &[Disk], root: DeviceNumber, scsi_id: &str) -> Result<Vec<ScsiId>> {
    let disk = carrier(disks, root)?;
    let found = disk.id().with_context(|| {
        format!("the root disk {} has no SCSI ID: {}; {scsi_id} was planned", disk.name, disk.no_id())
    })?;
    ensure!(
        *found == scsi_id,
        "the SCSI ID of the root disk {} is {found}; {scsi_id} was planned",
        disk.name
    );
    Ok(disks.iter().filter_map(|disk| disk.id().cloned()).filter(|id| *id != scsi_id).collect())
}

/// `major:minor` of what carries `/`.
fn root_device(host: &Host) -> Result<DeviceNumber> {
    let mounted = identity::known(mounts::load(host)).context("reading what is mounted")?;
    let root = mounted.iter().rfind(|mount| mount.mount_point == "/").context("nothing is mounted at /")?;
    Ok(root.major_minor)
}

#[cfg(test)]
#[path = "multipath/tests.rs"]
mod tests;
