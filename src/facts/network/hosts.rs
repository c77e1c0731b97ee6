//! /etc/hosts.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::facts::{Fact, read};
use crate::host::Host;

/// A line of /etc/hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostsEntry {
    /// Line number, from 1.
    pub line: usize,
    pub address: IpAddr,
    pub names: Vec<String>,
}

/// Reads /etc/hosts; a missing file maps nothing.
pub(super) fn load(host: &Host) -> Fact<Vec<HostsEntry>> {
    let text = read::text_if_exists(host, "/etc/hosts");
    Fact::from_result(text.map(|text| parse(&text.unwrap_or_default())))
}

/// The entries of a hosts file. Lines without an address or without a name are passed over, as the resolver
/// passes over them.
pub fn parse(text: &str) -> Vec<HostsEntry> {
    text.lines().enumerate().filter_map(|(index, line)| entry(index + 1, line)).collect()
}

fn entry(line: usize, text: &str) -> Option<HostsEntry> {
    let mut words = text.split('#').next()?.split_whitespace();
    let address = words.next()?;
    let address = address.split_once('%').map_or(address, |(address, _scope)| address).parse().ok()?;
    let names: Vec<String> = words.map(str::to_owned).collect();
    (!names.is_empty()).then_some(HostsEntry { line, address, names })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    #[test]
    fn addresses_names_and_comments_are_told_apart() {
        let text = "\
127.0.0.1   localhost localhost.localdomain
::1\t\tlocalhost6 # mt01
#192.0.2.9 mt01
  192.0.2.10 mt01.example.com\tmt01#x
fe80::1%eth0 gate
192.0.2.300 bad
192.0.2.11
";
        let entries = parse(text);
        let seen: Vec<_> =
            entries.iter().map(|e| format!("{} {} {}", e.line, e.address, e.names.join(" "))).collect();
        assert_eq!(
            seen,
            [
                "1 127.0.0.1 localhost localhost.localdomain",
                "2 ::1 localhost6",
                "4 192.0.2.10 mt01.example.com mt01",
                "5 fe80::1 gate"
            ]
        );
        testing::damage(text, |text| drop(parse(text)));
        assert_eq!(load(&Host::image(testing::tree(&[]).path())), Fact::Known(Vec::new()));
    }
}
