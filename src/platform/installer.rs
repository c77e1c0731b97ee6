//! What installs a system unattended.

use anyhow::Result;

use super::support::unsupported;
use crate::facts::family::Family;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installer {
    /// anaconda, by a kickstart.
    Kickstart,
}

/// The installer of `release`, as a profile names it. One that is made from a release of the Red Hat family may have any name.
/// Errors: The agent cannot answer it yet.
pub fn installer(release: &str) -> Result<Installer> {
    match Family::of_release(release) {
        None | Some(Family::RedHat) => Ok(Installer::Kickstart),
        Some(family @ Family::Debian) => {
            Err(unsupported(family, "an unattended installation", "install the system by hand"))
        }
    }
}
