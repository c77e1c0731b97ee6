//! A kind of change.

use super::{Context, Done};

/// What to format, as planned.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// SCSI ID of the disk.
    pub scsi_id: &'a str,
    /// The device to write to.
    pub device: &'a str,
    /// `ext4` or `xfs`.
    pub fs_type: &'a str,
    /// The UUID to give it.
    pub uuid: &'a str,
    /// Size in bytes, as planned.
    pub size_bytes: u64,
    /// Whether "not blank" is lifted for it.
    pub erase: bool,
}

/// Makes the file system.
///
/// # Errors
/// To be said.
pub fn format(_context: &mut Context<'_>, _target: &Target<'_>) -> anyhow::Result<Done> {
    unimplemented!()
}
