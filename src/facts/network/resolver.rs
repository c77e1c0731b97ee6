//! /etc/resolv.conf.

use crate::facts::{Fact, read};
use crate::host::Host;

/// Reads /etc/resolv.conf; a missing file names no server.
pub(super) fn load(host: &Host) -> Fact<Vec<String>> {
    let text = read::text_if_exists(host, "/etc/resolv.conf");
    Fact::from_result(text.map(|text| parse(&text.unwrap_or_default())))
}

/// The addresses after `nameserver`, which the resolver wants at the very start of a line.
pub fn parse(text: &str) -> Vec<String> {
    let server = |line: &str| {
        let rest = line.strip_prefix("nameserver")?;
        let address = rest.starts_with([' ', '\t']).then(|| rest.split_whitespace().next()).flatten()?;
        (!address.starts_with(['#', ';'])).then(|| address.to_owned())
    };
    text.lines().filter_map(server).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    #[test]
    fn only_nameserver_lines_count() {
        let text = "; generated\nsearch example.com\nnameserver 192.0.2.1 # one\nnameserver\t::1\n#nameserver 192.0.2.2\nnameserver\nnameservers 192.0.2.3\nnameserver # none\n";
        assert_eq!(parse(text), ["192.0.2.1", "::1"]);
        testing::damage(text, |text| drop(parse(text)));
    }

    #[test]
    fn a_link_that_leads_nowhere_names_no_server() {
        let dir = testing::tree(&[("etc/resolv.conf", "-> ../run/systemd/resolve/stub-resolv.conf")]);
        assert_eq!(load(&Host::image(dir.path())), Fact::Known(Vec::new()));
    }
}
