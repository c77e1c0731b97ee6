//! Transactions: waiting for locks, running, and what was left unfinished.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::changes::Context;
use crate::host::command::{Became, Failure, Output};
use crate::host::{isolation, sync};
use crate::platform::packages::{Act, Database, Manager, process};

const AGAIN: Duration = Duration::from_secs(1);

/// Runs the transaction, waiting for locks as long as the profile says.
pub(super) fn transaction(
    context: &mut Context<'_>,
    manager: Manager,
    packages: &[&str],
    installed: &[String],
) -> Result<Output> {
    let settings = &context.profile.packages;
    let until = Instant::now() + settings.lock_timeout.get();
    let command = manager.install(packages, installed, settings.deadline.get())?;
    wait_for_lock(context, manager.database(), until)?;
    let mut shown = None;
    loop {
        let output = context.run(&command).map_err(|failure| {
            let stopped =
                matches!(failure, Failure::Deadline { became: Became::Stopped | Became::Stuck, .. });
            anyhow::anyhow!("{failure}{}", if stopped { manager.when_stopped() } else { "" })
        })?;
        let Some(holder) = manager.refused(&output) else { return Ok(output) };
        let holder = process(context.host, holder);
        wait(context, until, manager.tool(), &holder, &mut shown)?;
    }
}

/// Does `act`, a transaction, with `files` in `directory`, without a network where the host can do that, and writes out what it
/// wrote.
pub(in crate::changes) fn file_transaction(
    context: &mut Context<'_>,
    database: Database,
    act: Act<'_>,
    directory: &Path,
    files: &[&str],
) -> Result<Result<Output, Failure>> {
    let settings = &context.profile.packages;
    wait_for_lock(context, database, Instant::now() + settings.lock_timeout.get())?;
    let mut command = database.command(act, directory, files, settings.deadline.get())?.transaction();
    // systemd itself starts the daemons that a scriptlet restarts. Elsewhere they would begin in the scriptlet's
    // namespace and be out of reach until the next boot: glibc's of CentOS 6 restarts sshd.
    if context.host.exists(SYSTEMD) {
        if let Some(why) = isolation::refused() {
            let note = format!("{} keeps its network: {why}", database.tool().name);
            context.observer.progress(&note);
            context.observer.log(&note);
        }
        command = command.without_network();
    }
    let ran = context.run(&command);
    // As after a manager: what was written is to outlive a loss of power.
    sync::system(context.host)?;
    Ok(ran)
}

/// Exists where systemd is the init (sd_booted(3)).
const SYSTEMD: &str = "/run/systemd/system";

/// Waits until nobody holds the lock of the database.
pub(in crate::changes) fn wait_for_lock(
    context: &mut Context<'_>,
    database: Database,
    until: Instant,
) -> Result<()> {
    let mut shown = None;
    while let Some(holder) = database.lock_holder(context.host) {
        wait(context, until, database.tool().name, &holder, &mut shown)?;
    }
    Ok(())
}

/// Waits a moment for the lock of `tool`, showing once who holds it.
fn wait(
    context: &mut Context<'_>,
    until: Instant,
    tool: &str,
    holder: &str,
    shown: &mut Option<String>,
) -> Result<()> {
    let timeout = context.profile.packages.lock_timeout.get().as_secs();
    ensure!(
        Instant::now() < until,
        "{holder} holds the lock of {tool}, for more than {timeout} s: let it end, then apply again"
    );
    if shown.as_deref() != Some(holder) {
        context.observer.progress(&format!("{holder} holds the lock of {tool}; waiting up to {timeout} s"));
        *shown = Some(holder.to_owned());
    }
    sleep(AGAIN.min(until.saturating_duration_since(Instant::now())));
    Ok(())
}
