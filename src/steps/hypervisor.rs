//! VMware, its tools, and the virtual hardware.

use super::Requirement;

/// This section's requirements, in order.
pub const REQUIREMENTS: &[Requirement] = &[];
