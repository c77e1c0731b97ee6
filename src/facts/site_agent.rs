//! The installed Site Recovery software (the master target itself).

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use super::{Fact, decode, read};
use crate::host::Host;

/// What /usr/local/.vx_version and drscout.conf say; all `None` when nothing is installed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteAgent {
    /// `VERSION=` of /usr/local/.vx_version.
    pub version: Option<String>,
    /// `INSTALLATION_DIR=` of /usr/local/.vx_version.
    pub installation_dir: Option<String>,
    /// `Role=` of drscout.conf: `MasterTarget`.
    pub role: Option<String>,
    /// The drscout.conf that was read.
    pub configuration: Option<String>,
}

impl SiteAgent {
    /// Whether any of the software's traces is there.
    #[must_use]
    pub fn is_installed(&self) -> bool {
        self.version.is_some() || self.installation_dir.is_some() || self.configuration.is_some()
    }
}

/// Where the installer notes version and directory.
const VERSION_FILE: &str = "/usr/local/.vx_version";

/// Reads the version file and the configuration. Of the configuration only `Role` is taken: it also holds
/// what identifies the machine to the site.
#[must_use]
pub fn load(host: &Host) -> Fact<SiteAgent> {
    Fact::from_result(find(host))
}

fn find(host: &Host) -> Result<SiteAgent> {
    let mut agent = SiteAgent::default();
    let mut places = vec!["/usr/local/drscout.conf".to_owned()];
    if let Some(text) = read::text_if_exists(host, VERSION_FILE)? {
        (agent.version, agent.installation_dir) = parse_version(&text);
        if agent.version.is_none() && agent.installation_dir.is_none() {
            bail!("{VERSION_FILE} is there, but has neither VERSION= nor INSTALLATION_DIR=");
        }
        places.extend(agent.installation_dir.iter().map(|dir| format!("{dir}/etc/drscout.conf")));
    }
    for place in places {
        if let Some(text) = read::text_if_exists(host, &place)? {
            agent.role = parse_role(&text);
            agent.configuration = Some(place);
            break;
        }
    }
    Ok(agent)
}

/// `VERSION=` and `INSTALLATION_DIR=` of the version file.
#[must_use]
pub fn parse_version(text: &str) -> (Option<String>, Option<String>) {
    let assignments = decode::assignments(text);
    let told = |key| decode::value(&assignments, key).filter(|value| !value.is_empty());
    (told("VERSION"), told("INSTALLATION_DIR").filter(|dir| dir.starts_with('/')))
}

/// `Role` of drscout.conf, which is written as an INI file.
#[must_use]
pub fn parse_role(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        let value = value.trim();
        (key.trim().eq_ignore_ascii_case("role") && !value.is_empty()).then(|| value.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    #[test]
    fn version_and_role_are_taken_and_nothing_secret() {
        let conf = "[vxagent]\nHostId = 0123-SECRET\nRole = MasterTarget\n";
        let dir = testing::tree(&[
            ("usr/local/.vx_version", "VERSION=9.3.4246.1\nINSTALLATION_DIR=/usr/local/ASR/Vx\n"),
            ("usr/local/ASR/Vx/etc/drscout.conf", conf),
        ]);
        let Fact::Known(agent) = load(&Host::recorded(dir.path())) else { panic!() };
        assert_eq!(agent.version.as_deref(), Some("9.3.4246.1"));
        assert_eq!(agent.role.as_deref(), Some("MasterTarget"));
        assert_eq!(agent.configuration.as_deref(), Some("/usr/local/ASR/Vx/etc/drscout.conf"));
        assert!(agent.is_installed() && !format!("{agent:?}").contains("SECRET"));
        testing::damage(conf, |text| drop((parse_role(text), parse_version(text))));
    }

    #[test]
    fn a_version_file_without_a_version_is_not_an_absent_one() {
        let none = testing::tree(&[]);
        assert_eq!(load(&Host::recorded(none.path())), Fact::Known(SiteAgent::default()));
        let odd = testing::tree(&[("usr/local/.vx_version", "\0\0\0")]);
        let Fact::Unknown(why) = load(&Host::recorded(odd.path())) else { panic!() };
        assert_eq!(why, "/usr/local/.vx_version is there, but has neither VERSION= nor INSTALLATION_DIR=");
    }
}
