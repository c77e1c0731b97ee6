//! A configuration that is for an interface, whichever kind of file it stands in.

use std::net::Ipv4Addr;

use super::nic::NicConfiguration;

/// A configuration, and what it says of the interface that it is for.
#[derive(Clone, Debug, Default)]
pub(super) struct Candidate {
    /// The interface's name; `*` and `?` stand for any characters.
    pub(super) name: Option<String>,
    /// The interface's hardware address, lower case.
    pub(super) mac: Option<String>,
    /// Whether an interface of that name with another hardware address is refused.
    pub(super) mac_must_match: bool,
    /// Whether it is for every network card, as it names none.
    pub(super) any_physical: bool,
    /// Whether it is for a network card, and not a bridge or the like.
    pub(super) physical: bool,
    /// Whether it is started with every other one for the same interface, and not instead of them.
    pub(super) each_starts: bool,
    /// All addresses that it sets, with or without a prefix length.
    pub(super) addresses: Vec<String>,
    pub(super) configuration: NicConfiguration,
}

impl Candidate {
    /// What `file` sets for a network card that comes up at boot; the first of `addresses` is its own.
    pub(super) fn set_by(file: &str, protocol: &str, addresses: Vec<String>) -> Self {
        let configuration = NicConfiguration {
            file: file.to_owned(),
            on_boot: true,
            protocol: protocol.to_owned(),
            address: addresses.first().cloned(),
            ..NicConfiguration::default()
        };
        Self { mac_must_match: true, physical: true, addresses, configuration, ..Self::default() }
    }
}

/// The prefix length that a network mask means, as text; a mask with a hole means none. A number is one already.
pub(super) fn prefix_of(mask: &str) -> Option<String> {
    if mask.parse::<u8>().is_ok_and(|prefix| prefix <= 128) {
        return Some(mask.to_owned());
    }
    let bits = u32::from(mask.parse::<Ipv4Addr>().ok()?);
    (bits.leading_ones() == bits.count_ones()).then(|| bits.count_ones().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_is_a_prefix_unless_it_has_a_hole() {
        assert_eq!(prefix_of("255.255.255.0").as_deref(), Some("24"));
        assert_eq!((prefix_of("255.0.255.0"), prefix_of("x")), (None, None));
    }
}
