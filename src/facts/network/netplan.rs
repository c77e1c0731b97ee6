//! /etc/netplan/*.yaml: Ubuntu's.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow};
use serde::Deserialize;
use serde_yaml::Value;

use super::NicConfiguration;
use super::nics::Candidate;
use crate::facts::read;
use crate::host::Host;

const DIRECTORY: &str = "/etc/netplan";

/// What of a file concerns us; all the rest is passed over.
#[derive(Deserialize)]
struct File {
    network: Option<Network>,
}

#[derive(Deserialize)]
struct Network {
    #[serde(default)]
    ethernets: BTreeMap<String, Ethernet>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct Ethernet {
    dhcp4: Option<Value>,
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
    let names = host.list(DIRECTORY).map_err(|error| read::explain(DIRECTORY, error))?;
    let mut merged: BTreeMap<String, (String, Ethernet)> = BTreeMap::new();
    for name in names.iter().filter(|name| name.ends_with(".yaml")) {
        let path = format!("{DIRECTORY}/{name}");
        let Some(text) = read::text_if_exists(host, &path)? else { continue };
        for (id, ethernet) in parse(&text).with_context(|| format!("reading {path}"))? {
            let (file, known) = merged.entry(id).or_default();
            file.clone_from(&path);
            known.dhcp4 = ethernet.dhcp4.or(known.dhcp4.take());
            known.r#match = ethernet.r#match.or(known.r#match.take());
            known.set_name = ethernet.set_name.or(known.set_name.take());
            known.activation_mode = ethernet.activation_mode.or(known.activation_mode.take());
            if let Some(more) = ethernet.addresses {
                known.addresses.get_or_insert_default().extend(more);
            }
        }
    }
    Ok(merged.into_iter().map(|(id, (file, ethernet))| candidate(id, file, ethernet)).collect())
}

pub(super) fn parse(text: &str) -> Result<BTreeMap<String, Ethernet>> {
    if text.trim().is_empty() {
        return Ok(BTreeMap::new());
    }
    // What it says of a fault can quote a value, and netplan's files have the passwords of networks.
    let file: File = serde_yaml::from_str(text).map_err(|error| match error.location() {
        Some(at) => anyhow!("line {}: it is no YAML, or no interface as netplan has it", at.line()),
        None => anyhow!("it is no YAML, or no interface as netplan has it"),
    })?;
    Ok(file.network.map(|network| network.ethernets).unwrap_or_default())
}

fn candidate(id: String, file: String, ethernet: Ethernet) -> Candidate {
    let addresses: Vec<String> = ethernet.addresses.iter().flatten().filter_map(address).collect();
    let dhcp = ethernet.dhcp4.as_ref().is_some_and(|value| match value {
        Value::Bool(value) => *value,
        Value::String(text) => matches!(text.as_str(), "yes" | "on" | "y"),
        _ => false,
    });
    let protocol = match (dhcp, addresses.is_empty()) {
        (true, _) => "dhcp",
        (false, false) => "static",
        (false, true) => "none",
    };
    let (name, mac) = match ethernet.r#match {
        Some(Match { name, macaddress }) => (ethernet.set_name.or(name), macaddress),
        None => (Some(id), None),
    };
    let mac = mac.map(|mac| mac.to_ascii_lowercase());
    Candidate {
        any_physical: name.is_none() && mac.is_none(),
        name,
        mac,
        mac_must_match: true,
        physical: true,
        configuration: NicConfiguration {
            file,
            on_boot: ethernet.activation_mode.is_none(),
            protocol: protocol.to_owned(),
            address: addresses.first().cloned(),
            problem: None,
        },
        addresses,
    }
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
