//! netplan's files: Ubuntu's.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow};
use serde::{Deserialize, Deserializer};
use serde_yaml::Value;

use super::candidate::Candidate;
use crate::facts::read;
use crate::host::Host;

/// The file of a name in a later one hides those in the others (netplan(5), and `netplan_parser_load_yaml_hierarchy`).
const DIRECTORIES: [&str; 3] = ["/lib/netplan", "/etc/netplan", "/run/netplan"];

/// What of a file concerns us; all the rest is passed over.
#[derive(Deserialize)]
struct File {
    network: Option<Network>,
}

/// Definitions of one kind, by their ids.
type Definitions = BTreeMap<String, Option<Definition>>;

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Network {
    ethernets: Option<Definitions>,
    bonds: Option<Definitions>,
    bridges: Option<Definitions>,
    vlans: Option<Definitions>,
    vrfs: Option<Definitions>,
    dummy_devices: Option<Definitions>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct Definition {
    #[serde(skip)]
    is_virtual: bool,
    #[serde(deserialize_with = "switch")]
    dhcp4: Option<bool>,
    addresses: Option<Vec<Value>>,
    r#match: Option<Match>,
    set_name: Option<String>,
    activation_mode: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Match {
    name: Option<String>,
    macaddress: Option<String>,
}

/// The configurations in all files, later ones adding to earlier ones.
pub(super) fn load(host: &Host) -> Result<Vec<Candidate>> {
    let mut files = BTreeMap::new();
    for directory in DIRECTORIES {
        let names = host.list(directory).map_err(|error| read::explain(directory, error))?;
        let yaml = names.into_iter().filter(|name| name.ends_with(".yaml"));
        files.extend(yaml.map(|name| (name.clone(), format!("{directory}/{name}"))));
    }
    let mut merged: BTreeMap<String, (String, Definition)> = BTreeMap::new();
    for path in files.values() {
        let Some(text) = read::text_if_exists(host, path)? else { continue };
        for (id, definition) in parse(&text).with_context(|| format!("reading {path}"))? {
            let (file, known) = merged.entry(id).or_default();
            file.clone_from(path);
            known.is_virtual = definition.is_virtual;
            known.dhcp4 = definition.dhcp4.or(known.dhcp4);
            known.r#match = definition.r#match.or(known.r#match.take());
            known.set_name = definition.set_name.or(known.set_name.take());
            known.activation_mode = definition.activation_mode.or(known.activation_mode.take());
            for address in definition.addresses.into_iter().flatten() {
                let all = known.addresses.get_or_insert_default();
                if !all.contains(&address) {
                    all.push(address);
                }
            }
        }
    }
    Ok(merged.into_iter().map(|(id, (file, definition))| candidate(id, file, definition)).collect())
}

pub(super) fn parse(text: &str) -> Result<BTreeMap<String, Definition>> {
    if text.trim().is_empty() {
        return Ok(BTreeMap::new());
    }
    // What it says of a fault can quote a value, and netplan's files have the passwords of networks.
    let file: File = serde_yaml::from_str(text).map_err(|error| match error.location() {
        Some(at) => anyhow!("line {}: it is no YAML, or no interface as netplan has it", at.line()),
        None => anyhow!("it is no YAML, or no interface as netplan has it"),
    })?;
    let network = file.network.unwrap_or_default();
    let Network { ethernets, bonds, bridges, vlans, vrfs, dummy_devices } = network;
    let mut all = BTreeMap::new();
    for (is_virtual, definitions) in [
        (false, ethernets),
        (true, bonds),
        (true, bridges),
        (true, vlans),
        (true, vrfs),
        (true, dummy_devices),
    ] {
        for (id, definition) in definitions.unwrap_or_default() {
            all.insert(id, Definition { is_virtual, ..definition.unwrap_or_default() });
        }
    }
    Ok(all)
}

/// A boolean as netplan reads it (`handle_netdef_bool` in parse.c): anything else is an error, and nothing comes up.
fn switch<'de, D: Deserializer<'de>>(value: D) -> Result<Option<bool>, D::Error> {
    match Value::deserialize(value)? {
        Value::Bool(value) => Ok(Some(value)),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "on" | "yes" | "y" => Ok(Some(true)),
            "false" | "off" | "no" | "n" => Ok(Some(false)),
            _ => Err(serde::de::Error::custom("invalid boolean value")),
        },
        _ => Err(serde::de::Error::custom("invalid boolean value")),
    }
}

fn candidate(id: String, file: String, definition: Definition) -> Candidate {
    let addresses: Vec<String> = definition.addresses.iter().flatten().filter_map(address).collect();
    let protocol = match (definition.dhcp4, addresses.is_empty()) {
        (Some(true), _) => "dhcp",
        (_, false) => "static",
        (_, true) => "none",
    };
    let (name, mac) = match definition.r#match {
        Some(Match { name, macaddress }) => (definition.set_name.or(name), macaddress),
        None => (Some(id), None),
    };
    let mac = mac.map(|mac| mac.to_ascii_lowercase());
    let (any_physical, physical) = (name.is_none() && mac.is_none(), !definition.is_virtual);
    let set = Candidate::set_by(&file, protocol, addresses);
    let mut candidate = Candidate { any_physical, name, mac, physical, ..set };
    candidate.configuration.on_boot = definition.activation_mode.is_none();
    candidate
}

/// An address is text, or a mapping with the address as its only key (and a label or lifetime below).
fn address(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Mapping(mapping) => mapping.keys().next()?.as_str().map(str::to_owned),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::network::NicConfiguration;
    use crate::facts::testing;

    const UBUNTU: &str = "\
network:
  version: 2
  ethernets:
    ens160:
      addresses: [192.0.2.10/24, {192.0.2.11/24: {label: x}}]
      dhcp4: no
      nameservers: {addresses: [192.0.2.1]}
    second:
      match: {macaddress: \"00:50:56:AA:BB:CC\"}
      set-name: lan
      dhcp4: true
";

    #[test]
    fn files_are_merged_in_their_order() {
        let dir = testing::tree(&[
            ("etc/netplan/00-a.yaml", UBUNTU),
            ("etc/netplan/10-b.yaml", "network: {ethernets: {ens160: {activation-mode: manual}}}\n"),
            ("etc/netplan/20-empty.yaml", "\n"),
        ]);
        let found = load(&Host::image(dir.path())).unwrap();
        let NicConfiguration { file, on_boot, protocol, address, .. } = &found[0].configuration;
        assert_eq!((file.as_str(), *on_boot), ("/etc/netplan/10-b.yaml", false));
        assert_eq!((protocol.as_str(), address.as_deref()), ("static", Some("192.0.2.10/24")));
        assert_eq!(found[0].addresses, ["192.0.2.10/24", "192.0.2.11/24"]);
        assert_eq!(
            (found[1].name.as_deref(), found[1].mac.as_deref()),
            (Some("lan"), Some("00:50:56:aa:bb:cc"))
        );
        assert_eq!(found[1].configuration.protocol, "dhcp");
    }

    #[test]
    fn bonds_bridges_and_vlans_have_addresses_of_their_own() {
        const BOND: &str = "\
network:
  version: 2
  ethernets:
    eth0: {dhcp4: false, optional: true}
    eth1: {}
  bonds:
    bond0: {interfaces: [eth0, eth1], addresses: [192.0.2.10/24], parameters: {mode: active-backup}}
  vlans:
    vlan7: {id: 7, link: bond0, dhcp4: On}
  bridges:
    br0: {interfaces: [vlan7]}
";
        let dir = testing::tree(&[("etc/netplan/a.yaml", BOND), ("lib/netplan/a.yaml", UBUNTU)]);
        let found = load(&Host::image(dir.path())).unwrap();
        let seen: Vec<_> = found
            .iter()
            .map(|one| (one.name.as_deref().unwrap(), one.physical, one.configuration.protocol.as_str()))
            .collect();
        let expected = [
            ("bond0", false, "static"),
            ("br0", false, "none"),
            ("eth0", true, "none"),
            ("eth1", true, "none"),
            ("vlan7", false, "dhcp"),
        ];
        assert_eq!(seen, expected);
        assert_eq!(found[0].configuration.address.as_deref(), Some("192.0.2.10/24"));
    }

    #[test]
    fn a_switch_that_netplan_refuses_is_an_error() {
        let parsed = |value: &str| parse(&format!("network: {{ethernets: {{x: {{dhcp4: {value}}}}}}}\n"));
        for value in ["true", "True", "yes", "'on'", "Y"] {
            assert_eq!(parsed(value).unwrap()["x"].dhcp4, Some(true), "{value}");
        }
        for value in ["maybe", "1", "[]"] {
            assert!(parsed(value).is_err(), "{value}");
        }
    }

    #[test]
    fn what_is_no_yaml_is_named_and_aliases_cannot_blow_up() {
        let dir = testing::tree(&[("etc/netplan/a.yaml", "network: [")]);
        let error = format!("{:#}", load(&Host::image(dir.path())).unwrap_err());
        assert_eq!(
            error,
            "reading /etc/netplan/a.yaml: line 1: it is no YAML, or no interface as netplan has it"
        );
        let wrong = "network:\n  ethernets:\n    x: {auth: {password: a}, addresses: Hidden}\n";
        let Err(error) = parse(wrong) else { panic!() };
        assert_eq!(error.to_string(), "line 3: it is no YAML, or no interface as netplan has it");
        let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for (from, to) in "abcdefghij".chars().zip("bcdefghijk".chars()) {
            let aliases = vec![format!("*{from}"); 9].join(",");
            bomb.push_str(&format!("{to}: &{to} [{aliases}]\n"));
        }
        bomb.push_str("network: {ethernets: {x: {dhcp4: *k}}}\n");
        assert!(parse(&bomb).is_err());
        testing::damage(UBUNTU, |text| drop(parse(text)));
    }
}
