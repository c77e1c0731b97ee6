//! A kind of change.

use std::path::Path;

use super::{Context, Done};

/// Runs the vendor script, once.
///
/// # Errors
/// To be said.
pub fn run(_context: &mut Context<'_>, _archive: &Path) -> anyhow::Result<Done> {
    unimplemented!()
}

/// Records a run that a person made or accepted.
///
/// # Errors
/// To be said.
pub fn record(_context: &mut Context<'_>, _accepted: bool) -> anyhow::Result<Done> {
    unimplemented!()
}

/// Forgets an interrupted run, because a person said so.
///
/// # Errors
/// To be said.
pub fn forget(_context: &mut Context<'_>) -> anyhow::Result<()> {
    unimplemented!()
}
