//! Packages from the configured repositories.

use anyhow::{Context as _, Result, bail};

use super::names::{describe, missing};
use super::transaction::transaction;
use crate::changes::{Context, Done};
use crate::host::sync;
use crate::platform::packages::{Database, Manager, reason};

/// Installs `packages` in one transaction.
/// Errors: Which packages are still missing, and what the manager printed; or who holds a lock.
pub fn install(context: &mut Context<'_>, packages: &[String]) -> Result<Done> {
    let database =
        Database::of(context.host).with_context(|| format!("installing {}", packages.join(", ")))?;
    let missing = missing(context.host, database, packages)?;
    if missing.is_empty() {
        return Ok(Done::Unchanged);
    }
    let manager =
        database.manager(context.host).with_context(|| format!("installing {}", missing.join(", ")))?;
    install_with(context, manager, packages)
}

/// As [`install`], with a certain manager.
pub fn install_with(context: &mut Context<'_>, manager: Manager, packages: &[String]) -> Result<Done> {
    let (host, database) = (context.host, manager.database());
    let wanted = missing(host, database, packages)?;
    if wanted.is_empty() {
        return Ok(Done::Unchanged);
    }
    let mut kept: Vec<String> = database.all_installed(host)?.into_iter().map(|(name, _)| name).collect();
    kept.sort();
    kept.dedup();
    let unfinished = manager.unfinished(host);
    if let Some(unfinished) = &unfinished {
        // The manager itself only warns of it, and can work in spite of it; so we do not refuse either.
        context.observer.progress(unfinished);
        context.observer.log(unfinished);
    }
    let ran = transaction(context, manager, &wanted, &kept);
    // Of rpm, the database is synced and no file: after a loss of power it would list packages whose files are empty.
    sync::system(host)?;
    let installed = database.installed(host, &wanted)?;
    let left: Vec<&str> = wanted.iter().copied().filter(|name| !installed.contains_key(*name)).collect();
    let tool = manager.tool();
    let mut why = match ran {
        Ok(_) if left.is_empty() => return Ok(Done::Changed(describe(&installed))),
        Ok(output) => format!("{tool} did not install {}: {}", left.join(", "), reason(&output)),
        // Stopped, it may have left a package half installed, whatever the database says.
        Err(error) if left.is_empty() => format!("installing {}: {error:#}", wanted.join(", ")),
        Err(error) => format!("{tool} did not install {}: {error:#}", left.join(", ")),
    };
    why = manager.explain(why);
    if let Some(unfinished) = unfinished {
        why.push_str("; ");
        why.push_str(&unfinished);
    }
    bail!(why)
}
