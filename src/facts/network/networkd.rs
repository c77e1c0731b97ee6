//! systemd-networkd's .network files, where the service is enabled.

use std::collections::BTreeMap;

use anyhow::Result;

use super::candidate::Candidate;
use super::ini;
use crate::facts::read;
use crate::host::Host;

/// Where a person, and where a generator (netplan) puts files. Those of the distribution in /usr/lib set up
/// containers and links of its own.
const DIRECTORIES: [&str; 2] = ["/run/systemd/network", "/etc/systemd/network"];

/// The link that enables the service is in one of these.
const ENABLED: [&str; 3] = [
    "/etc/systemd/system/multi-user.target.wants/systemd-networkd.service",
    "/etc/systemd/system/sysinit.target.wants/systemd-networkd.service",
    "/run/systemd/generator/multi-user.target.wants/systemd-networkd.service",
];

/// The configurations in all files; none where nothing starts the service.
pub(super) fn load(host: &Host) -> Result<Vec<Candidate>> {
    if !ENABLED.iter().any(|path| host.exists(path)) {
        return Ok(Vec::new());
    }
    // The first name in the order of all directories wins; /etc's file replaces the one in /run.
    let mut files = BTreeMap::new();
    for directory in DIRECTORIES {
        for name in host.list(directory).map_err(|error| read::explain(directory, error))? {
            if name.ends_with(".network") {
                files.insert(name.clone(), format!("{directory}/{name}"));
            }
        }
    }
    let mut found = Vec::new();
    for path in files.values() {
        if let Some(text) = read::text_if_exists(host, path)? {
            found.extend(parse(path, &text));
        }
    }
    Ok(found)
}

/// One file: a candidate for each name it matches.
pub(super) fn parse(path: &str, text: &str) -> Vec<Candidate> {
    let triples = ini::parse(text);
    let matched = |key| ini::value(&triples, &["Match"], key);
    let mac = matched("MACAddress").and_then(|macs| macs.split_whitespace().next());
    let mac = mac.map(str::to_ascii_lowercase);
    let addresses: Vec<String> = triples
        .iter()
        .filter(|(section, key, _)| matches!(*section, "Network" | "Address") && *key == "Address")
        .map(|(_, _, value)| (*value).to_owned())
        .collect();
    let dhcp = ini::value(&triples, &["Network"], "DHCP").unwrap_or("no");
    let protocol = match dhcp.to_ascii_lowercase().as_str() {
        "yes" | "true" | "both" | "ipv4" | "v4" | "1" | "on" => "dhcp",
        _ if addresses.is_empty() => "none",
        _ => "static",
    };
    let unmanaged = ini::value(&triples, &["Link"], "Unmanaged").is_some_and(|value| value == "yes");
    let held = ini::value(&triples, &["Link"], "ActivationPolicy")
        .is_some_and(|policy| matches!(policy, "manual" | "always-down" | "down"));
    let names: Vec<Option<String>> = match matched("Name") {
        Some(names) => names.split_whitespace().map(|name| Some(name.to_owned())).collect(),
        None => vec![None],
    };
    let mut set = Candidate { mac, ..Candidate::set_by(path, protocol, addresses) };
    set.configuration.on_boot = !unmanaged && !held;
    let is_for_all = set.mac.is_none() && matched("Type").is_some_and(|kind| kind == "ether");
    let candidate =
        |name: Option<String>| Candidate { any_physical: is_for_all && name.is_none(), name, ..set.clone() };
    names.into_iter().map(candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    const STATIC: &str = "[Match]\nName=en* eth0\n[Network]\nAddress=192.0.2.10/24\nAddress=192.0.2.11/24\n";

    #[test]
    fn files_count_only_where_the_service_starts() {
        let files = [
            ("etc/systemd/network/10-a.network", STATIC),
            ("run/systemd/network/10-a.network", "[Match]\nName=eth9\n"),
            (
                "run/systemd/network/20-b.network",
                "[Match]\nMACAddress=00:50:56:AA:BB:CC\n[Network]\nDHCP=yes\n",
            ),
        ];
        let dir = testing::tree(&files);
        assert!(load(&Host::image(dir.path())).unwrap().is_empty());
        testing::put(dir.path(), &ENABLED[0][1..], "-> /usr/lib/systemd/system/systemd-networkd.service");
        let found = load(&Host::image(dir.path())).unwrap();
        let seen: Vec<_> =
            found.iter().map(|c| (c.name.as_deref(), c.configuration.protocol.as_str())).collect();
        assert_eq!(seen, [(Some("en*"), "static"), (Some("eth0"), "static"), (None, "dhcp")]);
        assert_eq!(found[2].mac.as_deref(), Some("00:50:56:aa:bb:cc"));
        testing::damage(STATIC, |text| drop(parse("f", text)));
    }
}
