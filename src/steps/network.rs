//! Interfaces, resolver and hosts file.

use super::Requirement;

/// This section's requirements, in order.
pub const REQUIREMENTS: &[Requirement] = &[];

/// Whether of network.static only the recommended part fails.
pub fn only_static_address_fails(_profile: &crate::profile::Profile, _facts: &crate::facts::Facts) -> bool {
    false
}
