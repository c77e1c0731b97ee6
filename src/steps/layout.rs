//! Partitions, swap and the boot loader.

use super::Requirement;

/// This section's requirements, in order.
pub const REQUIREMENTS: &[Requirement] = &[];
