//! /etc/multipath.conf names maps by their IDs and takes every disk.

use anyhow::{Context as _, Result, anyhow};

use super::{CONFIGURATION, Dialect, daemon, edit, leaves_root_alone, root_device, write};
use crate::changes::identity::{Hardware, Identity};
use crate::changes::{Context, Done};
use crate::host::{DeviceNumber, Host, files};
use crate::state::{paths, saved};

/// Switches the settings `off` of the configuration off and makes the `devnode` entries `unhide` of its blacklist comments;
/// multipathd, if it runs, reads it again. The file as it was is kept first, and every byte that does not say this stays.
/// Errors: The file cannot be understood, or does not name the root disk: it is then as it was. multipathd does
/// not read it again.
pub fn configure(context: &mut Context<'_>, off: &[String], unhide: &[String]) -> Result<Done> {
    let root = root_device(context.host)?;
    let done = edit_as(context.host, &Hardware, root, off, unhide)?;
    daemon::read_again(context, &done)?;
    Ok(done)
}

/// `root` is the number of what carries `/`.
pub(super) fn edit_as(
    host: &Host,
    identity: &dyn Identity,
    root: DeviceNumber,
    off: &[String],
    unhide: &[String],
) -> Result<Done> {
    let disks = identity.disks(host).map_err(|why| anyhow!("reading the disks: {why}"))?;
    let before =
        files::read(&host.path(CONFIGURATION)).with_context(|| format!("reading {CONFIGURATION}"))?;
    let dialect = Dialect::of(host);
    let after = edit::configured(&before, off, unhide, dialect)
        .and_then(|after| leaves_root_alone(&disks, root, &after, dialect).map(|()| after))
        .with_context(|| format!("changing {CONFIGURATION}"))?;
    if before == after {
        return Ok(Done::Unchanged);
    }
    let stamp = saved::stamp("multipath");
    write(host, CONFIGURATION, &after, &stamp)?;
    let mut settings: Vec<String> = off.iter().map(|key| format!("{key} no")).collect();
    settings.extend(unhide.iter().map(|entry| format!("no devnode {entry}")));
    Ok(Done::Changed(format!(
        "{CONFIGURATION} says {} (as it was: {}/{stamp})",
        settings.join(", "),
        paths::SAVED
    )))
}
