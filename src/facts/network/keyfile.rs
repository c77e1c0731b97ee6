//! NetworkManager's key files: /etc/NetworkManager/system-connections. Only root may read them.

use anyhow::Result;

use super::candidate::Candidate;
use super::ini;
use crate::facts::read;
use crate::host::Host;

const DIRECTORY: &str = "/etc/NetworkManager/system-connections";

/// The connections of network cards, and of what is built on them.
pub(super) fn load(host: &Host) -> Result<Vec<Candidate>> {
    let names = host.list(DIRECTORY).map_err(|error| read::explain(DIRECTORY, error))?;
    let mut found = Vec::new();
    // NetworkManager passes over hidden files and copies of editors.
    for name in names.iter().filter(|name| !name.starts_with('.') && !name.ends_with('~')) {
        let path = format!("{DIRECTORY}/{name}");
        if let Some(text) = read::text_if_exists(host, &path)? {
            found.extend(parse(&path, &text));
        }
    }
    Ok(found)
}

/// One file; `None` when it is for no network card, bond, bridge, team or VLAN. Nothing secret is taken out of it.
pub(super) fn parse(path: &str, text: &str) -> Option<Candidate> {
    let triples = ini::parse(text);
    let connection = |key| ini::value(&triples, &["connection"], key);
    let physical = match connection("type")? {
        "ethernet" | "802-3-ethernet" => true,
        "bond" | "bridge" | "team" | "vlan" => false,
        _ => return None,
    };
    let name = connection("interface-name").map(str::to_owned);
    if !physical && name.is_none() {
        return None;
    }
    // A member of a bond or bridge has no address of its own (nm-settings-keyfile(5); `controller` since version 1.42).
    let is_member = connection("master").or_else(|| connection("controller")).is_some();
    let mac = ini::value(&triples, &["ethernet", "802-3-ethernet"], "mac-address");
    let mac = mac.map(str::to_ascii_lowercase);
    // `address1=192.0.2.10/24,192.0.2.1`; `addresses=` and `address=` are older spellings.
    let addresses: Vec<String> = triples
        .iter()
        .filter(|(section, key, _)| *section == "ipv4" && key.starts_with("address"))
        .filter(|(_, key, _)| *key != "address-data")
        .filter_map(|(_, _, value)| value.split([',', ';']).next())
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
        .collect();
    let protocol = match ini::value(&triples, &["ipv4"], "method").unwrap_or("auto") {
        _ if is_member => "none",
        "manual" => "static",
        "auto" => "dhcp",
        other => other,
    };
    let any_physical = name.is_none() && mac.is_none();
    let set = Candidate::set_by(path, protocol, addresses);
    let mut candidate = Candidate { any_physical, name, mac, physical, ..set };
    candidate.configuration.on_boot =
        connection("autoconnect").is_none_or(|value| matches!(value, "true" | "yes" | "1"));
    Some(candidate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::network::NicConfiguration;
    use crate::facts::testing;

    const WIRED: &str = "\
[connection]
id=ens192
type=ethernet
interface-name=ens192

[ipv4]
address1=192.0.2.10/24,192.0.2.1
dns=192.0.2.1;
method=manual
";

    #[test]
    fn a_wired_connection_is_read_and_others_are_not() {
        let candidate = parse("f", WIRED).unwrap();
        assert_eq!(candidate.name.as_deref(), Some("ens192"));
        let NicConfiguration { on_boot, protocol, address, .. } = candidate.configuration;
        assert_eq!((on_boot, protocol.as_str(), address.as_deref()), (true, "static", Some("192.0.2.10/24")));
        let any = "[connection]\ntype=ethernet\nautoconnect=false\n[ipv4]\nmethod=auto\n";
        let any = parse("f", any).unwrap();
        assert!(any.any_physical && !any.configuration.on_boot);
        assert_eq!(any.configuration.protocol, "dhcp");
        assert!(parse("f", "[connection]\ntype=wifi\n[wifi-security]\npsk=SECRET\n").is_none());
        let member = "[connection]\ntype=ethernet\ninterface-name=eth0\nmaster=bond0\nslave-type=bond\n";
        let member = parse("f", member).unwrap();
        assert_eq!((member.configuration.protocol.as_str(), member.physical), ("none", true));
        let bond = WIRED.replace("type=ethernet", "type=bond").replace("ens192", "bond0");
        let bond = parse("f", &bond).unwrap();
        assert_eq!((bond.name.as_deref(), bond.physical), (Some("bond0"), false));
        assert_eq!(bond.configuration.address.as_deref(), Some("192.0.2.10/24"));
        testing::damage(WIRED, |text| drop(parse("f", text)));
    }
}
