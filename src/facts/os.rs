//! Release, architecture, kernel, names and time zone.

use serde::{Deserialize, Serialize};

use super::Fact;

/// The operating system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Os {
    /// First line of /etc/redhat-release, else PRETTY_NAME of /etc/os-release.
    pub release: Fact<String>,
    /// `ID` of /etc/os-release, or `centos`, `rhel`… told from redhat-release.
    pub id: Fact<Option<String>>,
    /// The machine's architecture, as uname says it (an image: told from its /bin/sh or rpm database is not attempted).
    pub architecture: Fact<String>,
    /// The running kernel's release.
    pub kernel: Fact<String>,
    /// The hostname in effect (an image: the configured one).
    pub hostname: Fact<String>,
    /// The hostname that the next boot will set: /etc/sysconfig/network HOSTNAME or /etc/hostname.
    pub configured_hostname: Fact<Option<String>>,
    /// Time zone.
    pub timezone: Fact<Timezone>,
}

/// The configured time zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timezone {
    /// Its name (`Europe/Berlin`): /etc/sysconfig/clock ZONE, /etc/timezone or where /etc/localtime leads.
    pub name: Option<String>,
    /// Whether /etc/localtime is there.
    pub localtime: bool,
}
