//! /etc/network/interfaces: Debian and what came of it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::candidate::{Candidate, prefix_of};
use crate::facts::read;
use crate::host::Host;

const MAIN: &str = "/etc/network/interfaces";

#[derive(Debug, Default, PartialEq)]
pub(super) struct Parsed {
    /// Interfaces that start on boot.
    auto: BTreeSet<String>,
    /// Each `iface` of family inet or inet6.
    stanzas: Vec<Stanza>,
    /// What else is read.
    sources: Vec<Source>,
}

/// Other files to read.
#[derive(Debug, PartialEq)]
enum Source {
    /// `source`: a file, or a directory with a pattern of the simplest kind (`*`, `*.cfg`).
    Files(String),
    Directory(String),
}

#[derive(Debug, Default, PartialEq)]
pub(super) struct Stanza {
    name: String,
    inet6: bool,
    method: String,
    options: BTreeMap<String, String>,
}

/// The configurations in the main file and in those that it names.
pub(super) fn load(host: &Host) -> Result<Vec<Candidate>> {
    let mut files = vec![MAIN.to_owned()];
    let (mut seen, mut auto, mut found) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    while let Some(file) = files.pop() {
        // Each file once: they may name each other.
        if seen.len() > 200 || !seen.insert(file.clone()) {
            continue;
        }
        let Some(text) = read::text_if_exists(host, &file)? else { continue };
        let parsed = parse(&text);
        for source in parsed.sources {
            files.extend(expand(host, source));
        }
        auto.extend(parsed.auto);
        found.extend(parsed.stanzas.into_iter().map(|stanza| (stanza.inet6, candidate(&file, stanza))));
    }
    // An interface has a stanza for each family; IPv4 is what the procedure is about.
    let (inet6, inet): (Vec<_>, Vec<_>) = found.into_iter().partition(|(inet6, _)| *inet6);
    let mut found: Vec<_> = inet.into_iter().chain(inet6).map(|(_, candidate)| candidate).collect();
    for candidate in &mut found {
        candidate.configuration.on_boot = candidate.name.as_ref().is_some_and(|name| auto.contains(name));
    }
    Ok(found)
}

fn expand(host: &Host, source: Source) -> Vec<String> {
    let (is_directory, source) = match source {
        Source::Files(source) => (false, source),
        Source::Directory(source) => (true, source),
    };
    let source = if source.starts_with('/') { source } else { format!("/etc/network/{source}") };
    let (directory, pattern) = match source.rsplit_once('/') {
        _ if is_directory => (source.trim_end_matches('/').trim_end_matches("/*"), ""),
        Some((directory, pattern)) if pattern.contains('*') => (directory, pattern),
        _ => return vec![source],
    };
    let (start, end) = pattern.split_once('*').unwrap_or_default();
    // ifupdown itself passes over names with anything else in a source-directory: copies of editors.
    let plain = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    let wanted = |name: &&String| {
        if is_directory { plain(name) } else { name.starts_with(start) && name.ends_with(end) }
    };
    let names = host.list(directory).unwrap_or_default();
    names.iter().filter(wanted).map(|name| format!("{directory}/{name}")).collect()
}

pub(super) fn parse(text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    let mut in_stanza = false;
    for line in text.replace("\\\n", " ").lines() {
        let mut words = line.split_whitespace();
        let Some(first) = words.next().filter(|word| !word.starts_with('#')) else { continue };
        let mut rest: Vec<String> = words.map(str::to_owned).collect();
        match first {
            "auto" | "allow-auto" | "allow-hotplug" => {
                parsed.auto.extend(rest);
                in_stanza = false;
            }
            "source" => parsed.sources.extend(rest.into_iter().map(Source::Files)),
            "source-directory" => {
                parsed.sources.extend(rest.into_iter().map(Source::Directory));
                in_stanza = false;
            }
            "iface" => {
                rest.resize(3, String::new());
                in_stanza = rest[1].starts_with("inet") && rest[0] != "lo";
                if in_stanza {
                    let (name, inet6, method) = (rest[0].clone(), rest[1] == "inet6", rest[2].clone());
                    parsed.stanzas.push(Stanza { name, inet6, method, ..Stanza::default() });
                }
            }
            "mapping" | "rename" | "template" => in_stanza = false,
            _ if first.starts_with("no-auto") || first.starts_with("allow-") => in_stanza = false,
            option => {
                if let Some(stanza) = parsed.stanzas.last_mut().filter(|_| in_stanza) {
                    stanza.options.entry(option.to_owned()).or_insert_with(|| rest.join(" "));
                }
            }
        }
    }
    parsed
}

fn candidate(file: &str, stanza: Stanza) -> Candidate {
    let Stanza { name, method, options, .. } = stanza;
    let address = options.get("address").cloned();
    let prefix = options.get("netmask").and_then(|mask| prefix_of(mask));
    let physical = !options.keys().any(|key| key.starts_with("bridge") || key.starts_with("bond"));
    let set = Candidate::set_by(file, &method, address.into_iter().collect());
    let mut candidate = Candidate { name: Some(name), physical, ..set };
    if let (Some(address), Some(prefix)) = (&mut candidate.configuration.address, prefix)
        && !address.contains('/')
    {
        *address = format!("{address}/{prefix}");
    }
    candidate
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::network::NicConfiguration;
    use crate::facts::testing;

    const DEBIAN: &str = "\
# the loopback
auto lo eth0
iface lo inet loopback
iface eth0 inet6 auto
iface eth0 inet static
    address 192.0.2.10
    netmask 255.255.255.0
    # dns
    gateway \\
        192.0.2.1
source /etc/network/interfaces.d/*
source-directory more
";

    #[test]
    fn stanzas_options_and_sources() {
        let dir = testing::tree(&[
            ("etc/network/interfaces", DEBIAN),
            ("etc/network/interfaces.d/ens192", "allow-hotplug ens192\niface ens192 inet dhcp\n"),
            ("etc/network/more/eth1", "iface eth1 inet manual\nsource /etc/network/interfaces\n"),
            ("etc/network/more/eth1.old", "auto eth1\n"),
        ]);
        let mut found = load(&Host::image(dir.path())).unwrap();
        found.sort_by_key(|candidate| candidate.name.clone());
        let seen: Vec<_> = found
            .iter()
            .map(|found| {
                let NicConfiguration { on_boot, protocol, address, .. } = &found.configuration;
                (found.name.as_deref().unwrap(), *on_boot, protocol.as_str(), address.as_deref())
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("ens192", true, "dhcp", None),
                ("eth0", true, "static", Some("192.0.2.10/24")),
                ("eth0", true, "auto", None),
                ("eth1", false, "manual", None)
            ]
        );
        assert_eq!(found[0].configuration.file, "/etc/network/interfaces.d/ens192");
        testing::damage(DEBIAN, |text| drop(parse(text)));
    }
}
