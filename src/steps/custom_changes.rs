//! The vendor script ApplyCustomChanges.sh.

use super::Requirement;

/// This section's requirements, in order.
pub const REQUIREMENTS: &[Requirement] = &[];
