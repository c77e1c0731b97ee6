//! Transactions: waiting for locks, running, and what was left unfinished.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::changes::Context;
use crate::facts::packages::unfinished_yum;
use crate::host::command::{Became, Failure, Output};
use crate::host::{Host, isolation, sync};
use crate::platform::packages::{Manager, lock, rpm};

/// How often a lock is tried again.
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
    wait_for_rpm(context, until)?;
    let mut shown = None;
    loop {
        let output = context.run(&command).map_err(|failure| {
            let stopped =
                matches!(failure, Failure::Deadline { became: Became::Stopped | Became::Stuck, .. });
            let advice = if stopped {
                "; see whether `yum-complete-transaction` finds something to finish"
            } else {
                ""
            };
            anyhow::anyhow!("{failure}{advice}")
        })?;
        let Some(holder) = lock::refused(&output) else { return Ok(output) };
        let holder = lock::process(context.host, holder);
        wait(context, until, manager.tool(), &holder, &mut shown)?;
    }
}

/// Runs rpm's transaction of `files` in `directory`, without a network where the host can do that, and writes out what it
/// wrote.
pub(in crate::changes) fn rpm_transaction(
    context: &mut Context<'_>,
    option: &str,
    directory: &Path,
    files: &[&str],
) -> Result<Result<Output, Failure>> {
    let settings = &context.profile.packages;
    wait_for_rpm(context, Instant::now() + settings.lock_timeout.get())?;
    let mut command = rpm::on_files(directory, &[option], files, settings.deadline.get())?.transaction();
    // systemd itself starts the daemons that a scriptlet restarts. Elsewhere they would begin in the scriptlet's
    // namespace and be out of reach until the next boot: glibc's of CentOS 6 restarts sshd.
    if context.host.exists(SYSTEMD) {
        if let Some(why) = isolation::refused() {
            context.observer.progress(&format!("rpm keeps its network: {why}"));
            context.observer.log(&format!("rpm keeps its network: {why}"));
        }
        command = command.without_network();
    }
    let ran = context.run(&command);
    // As after yum: what rpm wrote is to outlive a loss of power.
    sync::system(context.host)?;
    Ok(ran)
}

/// Exists where systemd is the init (sd_booted(3)).
const SYSTEMD: &str = "/run/systemd/system";

/// Waits until nobody holds rpm's own lock.
pub(in crate::changes) fn wait_for_rpm(context: &mut Context<'_>, until: Instant) -> Result<()> {
    let mut shown = None;
    while let Some(holder) = lock::rpm_holder(context.host) {
        wait(context, until, "rpm", &holder, &mut shown)?;
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

/// Transactions that yum began and did not finish, in words.
pub(super) fn unfinished(host: &Host) -> Option<String> {
    let all = unfinished_yum(host);
    (!all.is_empty()).then(|| {
        format!(
            "yum has an unfinished transaction ({}): finish it with `yum-complete-transaction` (package yum-utils)",
            all.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_transaction_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::image(dir.path());
        assert_eq!(unfinished(&host), None);
        let path = dir.path().join("var/lib/yum/transaction-all.2026-01-01.10:00.00");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::File::create(path).unwrap();
        let message = unfinished(&host).unwrap();
        assert!(
            message.contains("(/var/lib/yum/transaction-all.2026-01-01.10:00.00: it is empty): finish it with `yum-complete"),
            "{message}"
        );
    }
}
