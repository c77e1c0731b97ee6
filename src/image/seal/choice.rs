//! The steps by their ids, and which of them are done.

use anyhow::{Result, bail};

use super::STEPS;
use crate::host::text;
use crate::state::sealing::Chosen;

/// The ids of the steps around [`STEPS`], with what each does.
const AROUND: &[(&str, &str); 3] = &[
    ("hooks", "run the programs in /etc/mt-agent/seal.d, before all else"),
    ("free-space", "fill free space with zeros (only with --wipe-free-space)"),
    ("first-boot", "let the first boot of each clone do the rest"),
];

/// A choice of steps by id: `--only` and `--skip`.
/// Errors: A name that no step has; a choice of none.
pub fn choose(only: Vec<String>, skip: Vec<String>) -> Result<Chosen> {
    for (option, names) in [("--only", &only), ("--skip", &skip)] {
        if let Some(name) = names.iter().find(|name| !ids().contains(&name.as_str())) {
            bail!(
                "{option}: no step of sealing is called \"{}\"; the steps are {}",
                text::safe(name),
                ids().join(", ")
            );
        }
    }
    let chosen = Chosen { only, skip };
    if !ids().iter().any(|id| chosen.has(id)) {
        bail!("--only and --skip leave no step of sealing");
    }
    Ok(chosen)
}

/// Every step's id and title, in order.
pub fn steps() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    AROUND[..1].iter().chain(STEPS).chain(&AROUND[1..])
}

/// Every step's id, in order.
pub fn ids() -> Vec<&'static str> {
    steps().map(|(id, _)| *id).collect()
}
