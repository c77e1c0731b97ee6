//! A kind of change.

use super::{Context, Done};

/// Makes the mount point.
///
/// # Errors
/// To be said.
pub fn create_mount_point(_context: &mut Context<'_>, _path: &str) -> anyhow::Result<Done> {
    unimplemented!()
}

/// Mounts the retention volume and proves that it can be written.
///
/// # Errors
/// To be said.
pub fn mount_retention(
    _context: &mut Context<'_>,
    _device: &str,
    _scsi_id: &str,
    _mount_point: &str,
    _fs_type: &str,
) -> anyhow::Result<Done> {
    unimplemented!()
}
