//! The profiles that the program carries.

use crate::host::Host;

/// Name of the default one.
pub const DEFAULT: &str = "centos-6.6";

/// A profile that the program carries.
#[derive(Debug)]
pub struct BuiltIn {
    pub name: &'static str,
    /// The release it is for: the first line of /etc/redhat-release.
    release: &'static str,
    pub text: &'static str,
}

static ALL: &[BuiltIn] = &[BuiltIn {
    name: DEFAULT,
    release: "CentOS release 6.6 (Final)",
    text: include_str!("builtin/centos-6.6.yaml"),
}];

static NAMES: [&str; 1] = [DEFAULT];

/// The names of the built-in profiles.
pub fn builtin_names() -> &'static [&'static str] {
    &NAMES
}

/// The YAML text of a built-in profile.
pub fn builtin(name: &str) -> Option<&'static str> {
    find(name).map(|found| found.text)
}

pub fn find(name: &str) -> Option<&'static BuiltIn> {
    ALL.iter().find(|built_in| built_in.name == name)
}

/// The one that is for the release of `host`, else the default one.
pub fn fitting(host: &Host) -> &'static BuiltIn {
    let release = host.read("/etc/redhat-release").unwrap_or_default();
    let release = release.lines().next().unwrap_or_default().trim();
    ALL.iter().find(|built_in| built_in.release == release).unwrap_or(&ALL[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::load;

    #[test]
    fn every_built_in_is_complete_and_says_what_the_table_says() {
        assert_eq!(ALL.iter().map(|built_in| built_in.name).collect::<Vec<_>>(), builtin_names());
        assert_eq!(ALL[0].name, DEFAULT);
        for built_in in ALL {
            let profile =
                load(Some(built_in.name), &Host::live(), &[], crate::profile::Writers::Root).unwrap();
            assert_eq!(profile.name, built_in.name);
            assert_eq!(profile.os.release, built_in.release);
            assert!(profile.origins.values().all(|origin| origin == &format!("built-in {}", built_in.name)));
        }
    }
}
