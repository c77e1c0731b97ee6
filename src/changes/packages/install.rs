//! Packages from the configured repositories.

use anyhow::{Context as _, Result, bail};

use super::names::{describe, missing};
use super::transaction::{transaction, unfinished};
use crate::changes::{Context, Done};
use crate::host::sync;
use crate::platform::packages::{Manager, OWN_REPOSITORIES, needs_rpm, no_repository, reason, rpm};

/// Installs `packages` in one transaction.
/// Errors: Which packages are still missing, and what the manager printed; or who holds a lock.
pub fn install(context: &mut Context<'_>, packages: &[String]) -> Result<Done> {
    needs_rpm(context.host).with_context(|| format!("installing {}", packages.join(", ")))?;
    let missing = missing(context.host, packages)?;
    if missing.is_empty() {
        return Ok(Done::Unchanged);
    }
    let manager = Manager::of(context.host).with_context(|| format!("installing {}", missing.join(", ")))?;
    install_with(context, manager, packages)
}

/// As [`install`], with a certain manager.
pub fn install_with(context: &mut Context<'_>, manager: Manager, packages: &[String]) -> Result<Done> {
    let host = context.host;
    let wanted = missing(host, packages)?;
    if wanted.is_empty() {
        return Ok(Done::Unchanged);
    }
    let kept = rpm::installed_names(host)?;
    let unfinished = unfinished(host);
    if let Some(unfinished) = &unfinished {
        // yum itself only warns of it, and can work in spite of it; so we do not refuse either.
        context.observer.progress(unfinished);
        context.observer.log(unfinished);
    }
    let ran = transaction(context, manager, &wanted, &kept);
    // rpm syncs its database and no file: after a loss of power it would list packages whose files are empty.
    sync::system(host)?;
    let installed = rpm::installed(host, &wanted)?;
    let left: Vec<&str> = wanted.iter().copied().filter(|name| !installed.contains_key(*name)).collect();
    let tool = manager.tool();
    let mut why = match ran {
        Ok(_) if left.is_empty() => return Ok(Done::Changed(describe(&installed))),
        Ok(output) => format!("{tool} did not install {}: {}", left.join(", "), reason(&output)),
        // Stopped, it may have left a package half installed, whatever the database says.
        Err(error) if left.is_empty() => format!("installing {}: {error:#}", wanted.join(", ")),
        Err(error) => format!("{tool} did not install {}: {error:#}", left.join(", ")),
    };
    why = no_repository(why, OWN_REPOSITORIES);
    if why.contains("which is protected") || why.contains("protected packages") {
        why.push_str(
            "; what is to be installed would take another package off this host, which the agent does not: remove that one \
             yourself first (rpm -e), if it is not needed",
        );
    }
    if let Some(unfinished) = unfinished {
        why.push_str("; ");
        why.push_str(&unfinished);
    }
    bail!(why)
}
