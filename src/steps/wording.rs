//! Texts with the values of the profile in them.

use std::borrow::Cow;

use crate::host::text;
use crate::profile::{PackageName, Profile, Server};

/// What a text may name: a key of the profile, and how its value is written there.
const VALUES: &[(&str, fn(&Profile) -> String)] = &[
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
    ("site.process-server", |profile| server(profile.site.process_server.as_ref())),
];

/// Address and port, as telnet(1) takes them; of a server that the profile does not name, a word to be replaced.
fn server<const PORT: u16>(server: Option<&Server<PORT>>) -> String {
    let (address, port) = server.map_or(("SERVER", PORT), Server::endpoint);
    format!("{address} {port}")
}

fn words(packages: &[PackageName]) -> String {
    packages.iter().map(|name| &**name).collect::<Vec<_>>().join(" ")
}

/// `template` with the values of `profile` in the place of their keys in braces.
pub(super) fn fill(template: &'static str, profile: &Profile) -> Cow<'static, str> {
    let mut parts = template.split('{');
    let first = parts.next().unwrap_or_default();
    if first.len() == template.len() {
        return Cow::Borrowed(template);
    }
    let mut filled = first.to_owned();
    for part in parts {
        let value = part.split_once('}').and_then(|(key, rest)| {
            let (_, value) = VALUES.iter().find(|(known, _)| *known == key)?;
            Some((value(profile), rest))
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
                let filled = fill(template, &profile);
                assert!(!filled.contains(['{', '}']), "{}: {filled}", requirement.id);
            }
        }
        for (key, _) in VALUES {
            let is_used = |text: &str| text.contains(&format!("{{{key}}}"));
            let mut texts = all().flat_map(|one| [one.title, one.why, one.by_hand, one.look]);
            assert!(texts.any(is_used), "no text names {key}");
            assert!(profile.origins.contains_key(*key), "the profile has no key {key}");
        }
    }

    #[test]
    fn values_come_in_the_place_of_their_keys() {
        let (mut profile, _) = ready();
        profile.retention.mount_point = MountPoint::unchecked("/srv/{os.release}");
        assert_eq!(fill("plain", &profile), "plain");
        let filled = fill("mount {retention.mount-point} by {\"x\"}: {site.process-server}", &profile);
        assert_eq!(filled, "mount /srv/{os.release} by {\"x\"}: 192.0.2.21 9443");
        profile.site.process_server = None;
        assert_eq!(fill("{site.process-server}", &profile), "SERVER 9443");
    }
}
