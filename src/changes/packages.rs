//! A kind of change.

use super::{Context, Done};
use crate::profile::FileSpec;

/// Installs `packages` in one transaction.
///
/// # Errors
/// To be said.
pub fn install(_context: &mut Context<'_>, _packages: &[String]) -> anyhow::Result<Done> {
    unimplemented!()
}

/// Fetches, verifies and installs `files`.
///
/// # Errors
/// To be said.
pub fn install_files(_context: &mut Context<'_>, _files: &[FileSpec]) -> anyhow::Result<Done> {
    unimplemented!()
}
