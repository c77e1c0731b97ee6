//! /proc/net/bonding: the hardware addresses that bonded interfaces have of their own. As members they show that
//! of the bond.

use std::collections::BTreeMap;

use crate::facts::read;
use crate::host::Host;

const DIRECTORY: &str = "/proc/net/bonding";

/// The permanent hardware address of every member, lower case; what cannot be read is left out.
pub(super) fn permanent(host: &Host) -> BTreeMap<String, String> {
    let bonds = host.list(DIRECTORY).unwrap_or_default();
    let text = |bond: String| read::text_if_exists(host, &format!("{DIRECTORY}/{bond}")).ok().flatten();
    bonds.into_iter().filter_map(text).flat_map(|text| parse(&text)).collect()
}

/// The members of one bond with their addresses.
pub(super) fn parse(text: &str) -> Vec<(String, String)> {
    let mut member = None;
    let mut found = Vec::new();
    for (key, value) in text.lines().filter_map(|line| line.split_once(": ")) {
        match key.trim() {
            "Slave Interface" => member = Some(value.trim()),
            "Permanent HW addr" => {
                found.extend(member.take().map(|name| (name.to_owned(), value.trim().to_ascii_lowercase())));
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    // CentOS 6.6, without the lines of the bond's modes.
    const BOND: &str = "\
Ethernet Channel Bonding Driver: v3.6.0 (September 26, 2009)

Bonding Mode: fault-tolerance (active-backup)
Currently Active Slave: eth1
MII Status: up

Slave Interface: eth1
MII Status: up
Permanent HW addr: 00:50:56:00:00:01
Slave queue ID: 0

Slave Interface: eth2
MII Status: up
Permanent HW addr: 00:50:56:00:00:0A
";

    #[test]
    fn members_and_their_permanent_addresses() {
        let dir = testing::tree(&[("proc/net/bonding/bond0", BOND), ("proc/net/bonding/bond1", "x\n")]);
        let expected = [("eth1", "00:50:56:00:00:01"), ("eth2", "00:50:56:00:00:0a")];
        let expected = expected.map(|(name, mac)| (name.to_owned(), mac.to_owned()));
        assert_eq!(permanent(&Host::recorded(dir.path())), expected.into());
        assert!(permanent(&Host::recorded(testing::tree(&[]).path())).is_empty());
        testing::damage(BOND, |text| drop(parse(text)));
    }
}
