//! The servers of the Site Recovery site.

use super::Requirement;

/// This section's requirements, in order.
pub const REQUIREMENTS: &[Requirement] = &[];
