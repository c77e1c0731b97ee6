//! Texts with the values of the profile in them.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use crate::host::text;
use crate::platform::Family;
use crate::platform::texts::{Texts, texts};
use crate::profile::{PackageName, Profile, Server};

type ValueOf = fn(&Profile) -> String;
type PartOf = fn(&Texts) -> &'static str;

/// What a text may name: a key of the profile, behind a blank the form of its value, and how that is written.
const VALUES: &[(&str, ValueOf)] = &[
    ("os.release", |profile| profile.os.release.to_string()),
    ("sizing.memory", |profile| text::bytes(profile.sizing.memory.bytes())),
    ("sizing.cpus", |profile| profile.sizing.cpus.get().to_string()),
    ("sizing.os-disk", |profile| text::bytes(profile.sizing.os_disk.bytes())),
    ("packages.base", |profile| words(&profile.packages.base)),
    ("packages.multipath", |profile| words(&profile.packages.multipath)),
    ("custom-changes.marker", |profile| profile.custom_changes.marker.display().to_string()),
    ("custom-changes.log", |profile| profile.custom_changes.log.display().to_string()),
    ("custom-changes.script", |profile| profile.custom_changes.script.to_string()),
    ("retention.mount-point", |profile| profile.retention.mount_point.to_string()),
    ("retention.filesystem", |profile| profile.retention.filesystem.to_string()),
    ("retention.capacity", |profile| text::bytes(profile.retention.capacity.bytes())),
    ("site.configuration-server", |profile| server(profile.site.configuration_server.as_ref())),
    ("site.configuration-server url", |profile| url(profile.site.configuration_server.as_ref())),
    ("site.process-server", |profile| server(profile.site.process_server.as_ref())),
];

/// What a text may name of the system, by its family.
const PARTS: &[(&str, PartOf)] = &[
    ("system.hostname", |texts| texts.hostname),
    ("system.hostname-seen", |texts| texts.hostname_seen),
    ("system.timezone", |texts| texts.timezone),
    ("system.timezone-seen", |texts| texts.timezone_seen),
    ("system.clock", |texts| texts.clock),
    ("system.clock-seen", |texts| texts.clock_seen),
    ("system.interface", |texts| texts.interface),
    ("system.interface-seen", |texts| texts.interface_seen),
    ("system.resolver", |texts| texts.resolver),
    ("system.install", |texts| texts.install),
    ("system.query", |texts| texts.query),
    ("system.repositories", |texts| texts.repositories),
    ("system.multipathd", |texts| texts.multipathd),
    ("system.multipathd-reload", |texts| texts.multipathd_reload),
    ("system.multipathd-seen", |texts| texts.multipathd_seen),
    ("system.boot-entries", |texts| texts.boot_entries),
    ("system.tools", |texts| texts.tools),
    ("system.lsi-drivers", |texts| texts.lsi_drivers),
    ("system.reiserfs", |texts| texts.reiserfs),
    ("system.xfs", |texts| texts.xfs),
    ("system.boot-loader", |texts| texts.boot_loader),
];

/// Address and port, as telnet(1) takes them; of a server that the profile does not name, a word to be replaced.
fn server<const PORT: u16>(server: Option<&Server<PORT>>) -> String {
    let (address, port) = server.map_or(("SERVER", PORT), Server::endpoint);
    format!("{address} {port}")
}

/// As curl(1) takes it: an address of IPv6 in brackets.
fn url<const PORT: u16>(server: Option<&Server<PORT>>) -> String {
    let (address, port) = server.map_or(("SERVER", PORT), Server::endpoint);
    match address.parse::<Ipv6Addr>() {
        Ok(address) => format!("https://[{address}]:{port}/"),
        Err(_) => format!("https://{address}:{port}/"),
    }
}

fn words(packages: &[PackageName]) -> String {
    packages.iter().map(|name| &**name).collect::<Vec<_>>().join(" ")
}

/// `template` with the values of `profile`, and what fits a system of `family`, in the place of their keys in braces.
pub(super) fn fill(template: &'static str, profile: &Profile, family: Family) -> Cow<'static, str> {
    let mut parts = template.split('{');
    let first = parts.next().unwrap_or_default();
    if first.len() == template.len() {
        return Cow::Borrowed(template);
    }
    let mut filled = first.to_owned();
    for part in parts {
        let value = part.split_once('}').and_then(|(key, rest)| {
            let value = VALUES.iter().find(|(known, _)| *known == key).map(|(_, value)| value(profile));
            let part = || PARTS.iter().find(|(known, _)| *known == key).map(|(_, part)| part(texts(family)));
            Some((value.or_else(|| part().map(str::to_owned))?, rest))
        });
        match value {
            Some((value, rest)) => {
                filled.push_str(&value);
                filled.push_str(rest);
            }
            // A brace of the text itself.
            None => {
                filled.push('{');
                filled.push_str(part);
            }
        }
    }
    Cow::Owned(filled)
}

#[cfg(test)]
mod tests {
    use super::super::all;
    use super::super::testing::ready;
    use super::*;
    use crate::profile::MountPoint;

    #[test]
    fn every_key_in_a_text_is_one_of_the_profile() {
        let (profile, _) = ready();
        for requirement in all() {
            for template in [requirement.title, requirement.why, requirement.by_hand, requirement.look] {
                for family in [Family::RedHat, Family::Debian] {
                    let filled = fill(template, &profile, family);
                    assert!(!filled.contains(['{', '}']), "{}: {filled}", requirement.id);
                }
            }
        }
        for key in VALUES.iter().map(|(key, _)| key).chain(PARTS.iter().map(|(key, _)| key)) {
            let is_used = |text: &str| text.contains(&format!("{{{key}}}"));
            let mut texts = all().flat_map(|one| [one.title, one.why, one.by_hand, one.look]);
            assert!(texts.any(is_used), "no text names {key}");
            let is_a_part = PARTS.iter().any(|(part, _)| part == key);
            let of_profile = key.split(' ').next().unwrap_or_default();
            assert!(is_a_part || profile.origins.contains_key(of_profile), "the profile has no key {key}");
        }
    }

    #[test]
    fn values_come_in_the_place_of_their_keys() {
        let (mut profile, _) = ready();
        profile.retention.mount_point = MountPoint::unchecked("/srv/{os.release}");
        assert_eq!(fill("plain", &profile, Family::RedHat), "plain");
        let filled =
            fill("mount {retention.mount-point} by {\"x\"}: {site.process-server}", &profile, Family::RedHat);
        assert_eq!(filled, "mount /srv/{os.release} by {\"x\"}: 192.0.2.21 9443");
        let url = |profile: &Profile| fill("{site.configuration-server url}", profile, Family::RedHat);
        assert_eq!(url(&profile), "https://192.0.2.20:443/");
        profile.site.configuration_server.as_mut().unwrap().address = "fd00::20".parse().unwrap();
        assert_eq!(url(&profile), "https://[fd00::20]:443/");
        profile.site.configuration_server = None;
        assert_eq!(url(&profile), "https://SERVER:443/");
        profile.site.process_server = None;
        assert_eq!(fill("{site.process-server}", &profile, Family::RedHat), "SERVER 9443");
    }

    #[test]
    fn what_differs_by_family_is_of_that_family() {
        let (profile, _) = ready();
        let by_hand = "{system.install} {packages.multipath}";
        assert_eq!(fill(by_hand, &profile, Family::RedHat), "yum install -y device-mapper-multipath");
        assert_eq!(fill(by_hand, &profile, Family::Debian), "apt-get install -y device-mapper-multipath");
        for requirement in all() {
            for template in [requirement.by_hand, requirement.look] {
                let filled = fill(template, &profile, Family::Debian);
                for word in ["chkconfig", "ZONE=", "ifcfg", "yum", "rpm ", "sysconfig", "dracut"] {
                    assert!(!filled.contains(word), "{}: {filled}", requirement.id);
                }
            }
        }
    }
}
