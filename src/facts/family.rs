//! The family of the system, which decides what installs packages, where the network is configured and what the installer is.

use std::fmt;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use super::fact::Fact;
use super::{read, shell};
use crate::host::{Host, text};

/// A family of systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// CentOS, Red Hat Enterprise Linux and what is made from them.
    RedHat,
    /// Debian, Ubuntu and what is made from them.
    Debian,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RedHat => "Red Hat",
            Self::Debian => "Debian",
        })
    }
}

/// How a release of the Red Hat family begins in /etc/redhat-release, with its `ID` of /etc/os-release.
pub(super) const RED_HAT: [(&str, &str); 7] = [
    ("CentOS", "centos"),
    ("Red Hat Enterprise Linux", "rhel"),
    ("Scientific Linux", "scientific"),
    ("Oracle Linux", "ol"),
    ("Rocky Linux", "rocky"),
    ("AlmaLinux", "almalinux"),
    ("Fedora", "fedora"),
];

/// The same of Debian's, by `PRETTY_NAME`.
const DEBIAN: [(&str, &str); 2] = [("Debian", "debian"), ("Ubuntu", "ubuntu")];

impl Family {
    /// That of a release as a profile names it (`CentOS release 6.6 (Final)`); `None` where it is of neither.
    pub fn of_release(release: &str) -> Option<Self> {
        Self::of(|(name, _)| release.starts_with(name))
    }

    fn of_id(id: &str) -> Option<Self> {
        Self::of(|(_, known)| *known == id)
    }

    fn of(fits: impl Fn(&(&str, &str)) -> bool) -> Option<Self> {
        if RED_HAT.iter().any(&fits) {
            Some(Self::RedHat)
        } else if DEBIAN.iter().any(&fits) {
            Some(Self::Debian)
        } else {
            None
        }
    }
}

pub fn load(host: &Host) -> Fact<Family> {
    Fact::from_result(of(host))
}

/// What names the release on a system of the Red Hat family. CentOS has its own, to which the other one is a link.
pub(super) const RELEASES: [&str; 2] = ["/etc/redhat-release", "/etc/centos-release"];

/// The family of `host`. A release file of the Red Hat family decides: there are systems of that family with dpkg on them, and
/// Debians with rpm.
pub fn of(host: &Host) -> Result<Family> {
    if RELEASES.iter().any(|path| host.exists(path)) {
        return Ok(Family::RedHat);
    }
    let mut os_release = read::text_if_exists(host, "/etc/os-release")?;
    if os_release.is_none() {
        os_release = read::text_if_exists(host, "/usr/lib/os-release")?;
    }
    match os_release {
        Some(os_release) => parse(&os_release),
        // Debian has os-release since 7.
        None if host.exists("/var/lib/dpkg/status") => Ok(Family::Debian),
        None => bail!("there is neither /etc/redhat-release nor /etc/os-release"),
    }
}

/// Whether `host` is known to be of the Red Hat family.
pub fn is_red_hat(host: &Host) -> bool {
    of(host).is_ok_and(|family| family == Family::RedHat)
}

/// The family by os-release(5): `ID`, else the first of `ID_LIKE` that is known.
pub fn parse(os_release: &str) -> Result<Family> {
    let values = shell::parse(os_release);
    let id = values.known("ID").unwrap_or_default();
    let like = values.known("ID_LIKE").unwrap_or_default();
    match [id.as_str()].into_iter().chain(like.split_whitespace()).find_map(Family::of_id) {
        Some(family) => Ok(family),
        None => {
            bail!("a system with ID={} in /etc/os-release is of no family that is known", text::safe(&id))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    #[test]
    fn the_release_file_decides_then_the_id_then_what_it_is_like() {
        let family = |files: &[(&str, &str)]| {
            of(&Host::image(testing::tree(files).path())).map_err(|error| error.to_string())
        };
        const DPKG: (&str, &str) = ("var/lib/dpkg/status", "");
        const UBUNTU: (&str, &str) = ("etc/os-release", "ID=ubuntu\nID_LIKE=debian\n");
        assert_eq!(family(&[("etc/redhat-release", "X release 1\n"), DPKG, UBUNTU]), Ok(Family::RedHat));
        assert_eq!(family(&[("etc/centos-release", "CentOS release 6.6 (Final)\n")]), Ok(Family::RedHat));
        assert_eq!(family(&[UBUNTU]), Ok(Family::Debian));
        assert_eq!(
            family(&[("usr/lib/os-release", "ID=amzn\nID_LIKE=\"centos rhel\"\n"), DPKG]),
            Ok(Family::RedHat)
        );
        assert_eq!(family(&[DPKG]), Ok(Family::Debian));
        for (files, why) in [
            (&[][..], "there is neither /etc/redhat-release nor /etc/os-release"),
            (
                &[("etc/os-release", "ID=arch\n"), DPKG],
                "a system with ID=arch in /etc/os-release is of no family",
            ),
            (&[("etc/os-release", "")], "a system with ID= in"),
        ] {
            let refused = family(files).unwrap_err();
            assert!(refused.starts_with(why), "{refused}");
        }
        testing::damage(UBUNTU.1, |text| drop(parse(text)));
    }

    #[test]
    fn a_profile_s_release_is_of_a_family() {
        assert_eq!(Family::of_release("CentOS release 6.6 (Final)"), Some(Family::RedHat));
        assert_eq!(Family::of_release("Ubuntu 20.04.6 LTS"), Some(Family::Debian));
        assert_eq!(Family::of_release("Another release 6"), None);
    }
}
