//! Unmounting the retention volume, whose place another one takes. Only what nothing uses: neither by force nor lazily, as what
//! writes to a volume would then go on writing to one that nobody sees.

mod users;

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use super::mount::top;
use super::{Context, Done, identity};
use crate::facts::mounts::{self, Mount};
use crate::host::command::Command;
use crate::host::{DeviceNumber, Host, text};

/// How long it may take: what is dirty is written out.
const DEADLINE: Duration = Duration::from_secs(300);

/// Unmounts the file system of the device `number` (`253:0`) from `mount_point`; `what` names it: its disk with its SCSI ID.
/// Errors: Something else is mounted there, something uses it (what, and which processes), or umount(8) failed:
/// then it is still mounted.
pub fn unmount(
    context: &mut Context<'_>,
    mount_point: &str,
    number: DeviceNumber,
    what: &str,
) -> Result<Done> {
    attempt(context, mount_point, number, what).with_context(|| format!("unmounting {mount_point}"))
}

fn attempt(context: &mut Context<'_>, mount_point: &str, number: DeviceNumber, what: &str) -> Result<Done> {
    let host = context.host;
    ensure!(host.is_live(), "{host} is not the running machine: nothing is unmounted there");
    let Some(now) = there(host, mount_point)? else { return Ok(Done::Unchanged) };
    ensure!(
        now.major_minor == number,
        "{} ({}) is mounted there now; {number} was planned",
        text::safe(&now.source),
        now.major_minor
    );
    // The tool, not the call: on CentOS 6 it takes the line out of /etc/mtab as well.
    let command = Command::new("umount", [mount_point], DEADLINE);
    let output = context.run(&command)?;
    if let Some(still) = there(host, mount_point)? {
        ensure!(still.major_minor == number, "{} is mounted there too", text::safe(&still.source));
        let users = users::of(host, &still)?;
        if users.is_empty() {
            bail!(
                "`{}` ended with status {}: {}; no process is seen that uses it: another mount namespace or the kernel does \
                 (`fuser -vm {mount_point}`)",
                command.line(),
                output.status,
                output.message()
            );
        }
        bail!("it is in use, and stays mounted: {}: end that, then run again", users.join("; "));
    }
    Ok(Done::Changed(format!("unmounted {mount_point}; that volume stays as it is on {what}")))
}

/// What is mounted at `mount_point` now.
fn there(host: &Host, mount_point: &str) -> Result<Option<Mount>> {
    let mounted = identity::known(mounts::load(host)).context("reading what is mounted")?;
    Ok(top(&mounted, mount_point).cloned())
}
