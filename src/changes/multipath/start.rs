//! multipathd runs, now and after every boot, and the disks have their maps.

use anyhow::{Context as _, Result, anyhow, ensure};

use super::daemon::{self, DEADLINE, running, service, wait_for};
use super::{CONFIGURATION, Dialect, leaves_root_alone, root_device};
use crate::changes::identity::{Hardware, Identity};
use crate::changes::{Context, Done};
use crate::facts::disks::{Disk, sysfs};
use crate::facts::multipath::SERVICE;
use crate::facts::{Fact, services};
use crate::host::command::Command;
use crate::host::{Host, ScsiId, files};
use crate::platform::services::Verb;

/// Lets multipathd start at boot, starts it, with `reload` has it go by the file where it goes by an earlier one, and has it
/// make the maps of the disks with these SCSI IDs. Never while the blacklist does not name the root disk.
/// Errors: The configuration would let multipath take the root disk: nothing is then done. The service does not
/// start, does not read its configuration, or a disk gets no map, and what multipath says of it.
#[expect(clippy::fn_params_excessive_bools, reason = "a field of the change")]
pub fn start(context: &mut Context<'_>, ids: &[ScsiId], reload: bool) -> Result<Done> {
    let host = context.host;
    let root = root_device(host)?;
    let disks = Hardware.disks(host).map_err(|why| anyhow!("reading the disks: {why}"))?;
    let text = files::read(&host.path(CONFIGURATION)).with_context(|| format!("reading {CONFIGURATION}"))?;
    leaves_root_alone(&disks, root, &text, Dialect::of(host))
        .context("multipathd is not started, as it could take the root disk")?;
    let mut changed = Vec::new();
    let at_boot = || services::at_boot(host, SERVICE).map_err(|why| anyhow!(why));
    if at_boot()?.is_none() {
        service(context, Verb::Enable)?;
        let link =
            at_boot()?.context("multipathd was enabled, and nothing starts it at boot all the same")?;
        changed.push(format!("multipathd starts at boot ({link})"));
    }
    let started = running(host)?.is_none();
    if started {
        service(context, Verb::Start)?;
        let pid = wait_for(|| running(host))?.context("multipathd was started, and does not run")?;
        changed.push(format!("multipathd runs (process {pid})"));
        daemon::settle(host)?;
    } else if reload && matches!(daemon::unread(host), Fact::Known(Some(_))) {
        daemon::reload(context)?;
        changed.push(format!("multipathd has read {CONFIGURATION}"));
    }
    let missing = without_map(host, ids)?;
    if !missing.is_empty() {
        // One that has just started makes them by itself.
        if started {
            wait_for(|| Ok(without_map(host, &missing)?.is_empty().then_some(())))?;
        }
        for id in without_map(host, &missing)? {
            make(context, &disks, &id)?;
        }
        changed.push(format!("maps of {}", missing.join(", ")));
    }
    Ok(if changed.is_empty() { Done::Unchanged } else { Done::Changed(changed.join("; ")) })
}

/// Has multipath make the map of one disk, and no other.
fn make(context: &mut Context<'_>, disks: &[Disk], id: &ScsiId) -> Result<()> {
    let host = context.host;
    let disk = disks.iter().find(|disk| disk.has_id(id));
    let disk = disk.with_context(|| format!("no disk answers with the SCSI ID {id} any more"))?;
    let command = Command::new("multipath", ["-v", "2", &disk.path], DEADLINE);
    let output = context.run(&command)?;
    let made = wait_for(|| Ok(without_map(host, std::slice::from_ref(id))?.is_empty().then_some(())))?;
    ensure!(made.is_some(), "multipath made no map of {} ({id}): {}", disk.name, output.message());
    Ok(())
}

/// Those of `ids` that no map has.
fn without_map(host: &Host, ids: &[ScsiId]) -> Result<Vec<ScsiId>> {
    let maps = sysfs::maps(host).map_err(|error| anyhow!("{error:#}")).context("reading the maps")?;
    Ok(ids.iter().filter(|id| maps.iter().all(|map| map.wwid != **id)).cloned().collect())
}
