//! NetworkManager's key files: /etc/NetworkManager/system-connections. Only root may read them.

use anyhow::Result;

use super::NicConfiguration;
use super::ini;
use super::nics::Candidate;
use crate::facts::read;
use crate::host::Host;

const DIRECTORY: &str = "/etc/NetworkManager/system-connections";

/// The connections that can belong to a network card.
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

/// One file; `None` when it is no wired connection. Nothing secret is taken out of it.
pub(super) fn parse(path: &str, text: &str) -> Option<Candidate> {
    let triples = ini::parse(text);
    let connection = |key| ini::value(&triples, &["connection"], key);
    if !matches!(connection("type")?, "ethernet" | "802-3-ethernet") {
        return None;
    }
    let name = connection("interface-name").map(str::to_owned);
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
        "manual" => "static",
        "auto" => "dhcp",
        other => other,
    };
    Some(Candidate {
        any_physical: name.is_none() && mac.is_none(),
        name,
        mac,
        mac_must_match: true,
        physical: true,
        configuration: NicConfiguration {
            file: path.to_owned(),
            on_boot: connection("autoconnect").is_none_or(|value| matches!(value, "true" | "yes" | "1")),
            protocol: protocol.to_owned(),
            address: addresses.first().cloned(),
            problem: None,
        },
        addresses,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
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
        testing::damage(WIRED, |text| drop(parse("f", text)));
    }
}
