//! The installed Site Recovery software (the master target itself).

use std::path::Path;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use super::{Fact, read};
use crate::host::Host;

/// What /usr/local/.vx_version and drscout.conf say; all `None` when nothing is installed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteAgent {
    /// `VERSION=` of /usr/local/.vx_version.
    pub version: Option<String>,
    /// `INSTALLATION_DIR=` of /usr/local/.vx_version, with every link followed: where it really lies.
    pub installation_dir: Option<String>,
    /// `Role=` of drscout.conf: `MasterTarget`. Where it says several, all of them: `Agent, MasterTarget`.
    pub role: Option<String>,
    /// `VmPlatform=` of it, likewise: `VmWare`. Earlier versions of the software have none.
    #[serde(default)]
    pub platform: Option<String>,
    /// The drscout.conf that was read.
    pub configuration: Option<String>,
    /// Whether the installer's log is there, which an uninstallation leaves. A recording of an older agent does not say.
    #[serde(default)]
    pub install_log: bool,
}

impl SiteAgent {
    /// Whether any of the software's traces is there.
    pub fn is_installed(&self) -> bool {
        self.version.is_some() || self.installation_dir.is_some() || self.configuration.is_some()
    }

    /// Whether it is installed, or has been.
    pub fn has_been_installed(&self) -> bool {
        self.is_installed() || self.install_log
    }
}

/// Where the installer notes version and directory.
const VERSION_FILE: &str = "/usr/local/.vx_version";

/// What the installer writes.
pub const INSTALL_LOG: &str = "/var/log/ua_install.log";

/// Reads the version file and the configuration. Of the configuration only `Role` and `VmPlatform` are taken: it also holds
/// what identifies the machine to the site.
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
        agent.installation_dir = agent.installation_dir.map(|dir| real_directory(host, &dir)).transpose()?;
        places.extend(agent.installation_dir.iter().map(|dir| format!("{dir}/etc/drscout.conf")));
    }
    for place in places {
        if let Some(text) = read::text_if_exists(host, &place)? {
            agent.role = parse_configuration(&text, "Role");
            agent.platform = parse_configuration(&text, "VmPlatform");
            agent.configuration = Some(place);
            break;
        }
    }
    agent.install_log = is_there(host, INSTALL_LOG)?;
    Ok(agent)
}

/// `dir` with every link followed; as it is where there is none.
fn real_directory(host: &Host, dir: &str) -> Result<String> {
    // Of the running machine, `resolve` leaves the links to the kernel.
    let real = host.resolve(dir).and_then(|path| match host.is_live() {
        true => path.canonicalize(),
        false => path.symlink_metadata().map(|_| path),
    });
    let Some(path) = read::if_there(dir, real)? else { return Ok(dir.to_owned()) };
    Ok(Path::new("/").join(path.strip_prefix(host.root())?).to_string_lossy().into_owned())
}

/// Whether something lies at `path`, be it a link that leads nowhere.
fn is_there(host: &Host, path: &str) -> Result<bool> {
    let found = host.place(path).and_then(|place| place.symlink_metadata());
    Ok(read::if_there(path, found)?.is_some())
}

/// `VERSION=` and `INSTALLATION_DIR=` of the version file.
pub fn parse_version(text: &str) -> (Option<String>, Option<String>) {
    // Its installer greps it; no shell reads it whole.
    let value = |key: &str| {
        let mut values = text.lines().filter_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='));
        let value = values.next_back()?.trim().trim_matches(['"', '\'']);
        (!value.is_empty()).then(|| value.to_owned())
    };
    (value("VERSION"), value("INSTALLATION_DIR").filter(|dir| dir.starts_with('/')))
}

/// The value of `key` in drscout.conf, which is written as an INI file; all of them, in order, where they differ. How its
/// readers take blanks, quotation marks, case and sections apart is unverified, so every line counts that one of them could
/// take for this key: a key of another section too, and a value is compared as it stands.
pub fn parse_configuration(text: &str, key: &str) -> Option<String> {
    let mut values: Vec<&str> = Vec::new();
    for line in text.trim_start_matches('\u{feff}').lines() {
        let Some((name, value)) = line.split_once('=') else { continue };
        let value = value.trim();
        if name.trim().eq_ignore_ascii_case(key) && !values.contains(&value) {
            values.push(value);
        }
    }
    let found = values.join(", ");
    (!found.is_empty()).then_some(found)
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
        testing::damage(conf, |text| drop((parse_configuration(text, "Role"), parse_version(text))));
    }

    #[test]
    fn every_line_that_could_be_meant_counts() {
        let role = |text: &str| parse_configuration(text, "Role");
        assert_eq!(role("[vxagent]\r\n role =\tMasterTarget \r\n").as_deref(), Some("MasterTarget"));
        assert_eq!(role("\u{feff}Role=Agent\n[x]\nRole=Agent\n").as_deref(), Some("Agent"));
        assert_eq!(role("Role=Agent\n[x]\nROLE=MasterTarget\n").as_deref(), Some("Agent, MasterTarget"));
        assert_eq!(role("Role=MasterTarget\nRole=\n").as_deref(), Some("MasterTarget, "));
        for none in
            ["", "Role=\n", "#Role=MasterTarget", ";Role=MasterTarget", "Role MasterTarget", "MyRole=x"]
        {
            assert_eq!(role(none), None, "{none}");
        }
        assert_eq!(parse_configuration("VmPlatform=VmWare", "VmPlatform").as_deref(), Some("VmWare"));
    }

    #[test]
    fn the_directory_is_where_its_links_lead() {
        let version = |dir: &str| format!("VERSION=9.3.4246.1\nINSTALLATION_DIR={dir}\n");
        let dir = testing::tree(&[
            ("usr/local/.vx_version", &version("/usr/local/ASR/Vx")),
            ("usr/local/ASR", "-> /mnt/retention/ASR"),
            ("mnt/retention/ASR/Vx/etc/drscout.conf", "Role = MasterTarget\n"),
        ]);
        let directory = |host: &Host| load(host).known().and_then(|agent| agent.installation_dir.clone());
        let recorded = Host::recorded(dir.path());
        assert_eq!(directory(&recorded).as_deref(), Some("/mnt/retention/ASR/Vx"));
        let real = dir.path().canonicalize().unwrap();
        let link = real.join("link").to_str().unwrap().to_owned();
        std::os::unix::fs::symlink("mnt/retention", &link).unwrap();
        assert_eq!(
            real_directory(&Host::live(), &link).unwrap(),
            real.join("mnt/retention").to_str().unwrap()
        );

        let put = |content: &str| testing::put(dir.path(), "usr/local/.vx_version", content);
        put(&version("/opt/gone"));
        assert_eq!(directory(&recorded).as_deref(), Some("/opt/gone"));
        std::os::unix::fs::symlink("loop", dir.path().join("loop")).unwrap();
        put(&version("/loop/Vx"));
        let Fact::Unknown(why) = load(&recorded) else { panic!() };
        assert!(why.starts_with("reading /loop/Vx: "), "{why}");
    }

    #[test]
    fn the_installer_s_log_tells_of_what_was_uninstalled() {
        let dir = testing::tree(&[("var/log/ua_install.log", "")]);
        let Fact::Known(agent) = load(&Host::recorded(dir.path())) else { panic!() };
        assert!(agent.has_been_installed() && !agent.is_installed());
        let looped = testing::tree(&[]);
        std::os::unix::fs::symlink("var", looped.path().join("var")).unwrap();
        let Fact::Unknown(why) = load(&Host::recorded(looped.path())) else { panic!() };
        assert!(why.starts_with("reading /var/log/ua_install.log: "), "{why}");
        // As an older agent recorded it.
        let old = r#"{"version":null,"installation_dir":null,"role":null,"configuration":null}"#;
        assert_eq!(serde_json::from_str::<SiteAgent>(old).unwrap(), SiteAgent::default());
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
