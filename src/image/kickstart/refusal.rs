//! How a value is refused.

use anyhow::{Error, anyhow};

use crate::profile::Profile;

/// What is wrong with the value at `path`, and where that stands.
pub(super) fn refused(profile: &Profile, path: &str, what: &str) -> Error {
    match profile.origins.get(path) {
        Some(origin) => anyhow!("{origin}: {path}: {what}"),
        None => anyhow!("{path}: {what}"),
    }
}
