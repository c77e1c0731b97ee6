//! The operating system: release, architecture, names and time.

use super::Requirement;

/// This section's requirements, in order.
pub const REQUIREMENTS: &[Requirement] = &[];
