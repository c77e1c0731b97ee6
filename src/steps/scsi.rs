//! SCSI identity of the disks.

use super::Requirement;

/// This section's requirements, in order.
pub const REQUIREMENTS: &[Requirement] = &[];
