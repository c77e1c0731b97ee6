//! A kind of change.

use super::{Context, Done};

/// Makes the blacklist name the root disk.
///
/// # Errors
/// To be said.
pub fn blacklist_root_disk(
    _context: &mut Context<'_>,
    _scsi_id: &str,
    _replaces: Option<&str>,
) -> anyhow::Result<Done> {
    unimplemented!()
}
