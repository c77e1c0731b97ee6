//! A kind of change.

use super::{Context, Done};

/// Adds the entry.
///
/// # Errors
/// To be said.
pub fn write(
    _context: &mut Context<'_>,
    _device: &str,
    _mount_point: &str,
    _fs_type: &str,
) -> anyhow::Result<Done> {
    unimplemented!()
}
