//! `kickstart`: the unattended installation, with the hash of root's password where a file is named.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::sources::{Sources, given};
use crate::image::kickstart::{self, LONGEST_HASH, PasswordHash};
use crate::profile::Setting;

/// The kickstart by the profile with `settings` on top; `hash_file` counts more than the file that the profile names.
/// Errors: An answer is wrong, missing, or contradicts another; the hash cannot be read.
pub fn kickstart(sources: &Sources, settings: &[Setting], hash_file: Option<&Path>) -> Result<String> {
    let profile = sources.profile_with(settings)?;
    let named = profile.installation.root_hash_file.as_deref();
    let read = |file: &Path| {
        let hash = given(file, LONGEST_HASH).and_then(|text| PasswordHash::parse(&text));
        hash.with_context(|| format!("reading the hash of root's password in {}", file.display()))
    };
    let hash = hash_file.or(named).map(read).transpose()?;
    kickstart::kickstart(&profile, hash.as_ref())
}
