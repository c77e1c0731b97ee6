//! Names of packages: those that are missing, and those that were installed.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::host::Host;
use crate::platform::packages::{Database, plain};

/// Those of `packages` that are not installed, in their order.
pub(in crate::changes) fn missing<'a>(
    host: &Host,
    database: Database,
    packages: &'a [String],
) -> Result<Vec<&'a str>> {
    let names: Vec<&str> = packages.iter().map(String::as_str).collect();
    if names.is_empty() {
        return Ok(names);
    }
    for name in &names {
        plain(name, "a package")?;
    }
    let installed = database.installed(host, &names)?;
    Ok(names.into_iter().filter(|name| !installed.contains_key(*name)).collect())
}

pub(in crate::changes) fn describe(installed: &BTreeMap<String, String>) -> String {
    let all: Vec<String> = installed.iter().map(|(name, version)| format!("{name} {version}")).collect();
    format!("installed {}", all.join(", "))
}
