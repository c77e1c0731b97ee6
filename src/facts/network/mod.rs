//! Interfaces with their configuration files and addresses, the resolver, the hosts file, and whether the
//! servers that the profile names answer.

mod bonding;
mod candidate;
mod hosts;
mod ifcfg;
mod ini;
mod interfaces;
mod keyfile;
mod netplan;
mod networkd;
mod nic;
mod nics;
pub(crate) mod persistent;
mod resolver;
pub(crate) mod servers;

use serde::{Deserialize, Serialize};

use super::Fact;
use super::shell::Sourced;
use crate::host::Host;

pub(crate) use hosts::HostsEntry;
#[cfg(feature = "fuzzing")]
pub use hosts::parse as parse_hosts;
pub(crate) use nic::{Nic, NicConfiguration};
pub(crate) use persistent::Persistent;
#[cfg(feature = "fuzzing")]
pub use resolver::parse as parse_resolver;
pub(crate) use servers::{Answer, Server};

/// The network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Every interface but the loopback.
    pub nics: Fact<Vec<Nic>>,
    /// `nameserver` lines of /etc/resolv.conf.
    pub resolvers: Fact<Vec<String>>,
    /// Entries of /etc/hosts.
    pub hosts: Fact<Vec<HostsEntry>>,
    /// The names that udev keeps for network cards.
    #[serde(default = "Fact::not_read")]
    pub names: Fact<Vec<Persistent>>,
}

impl Network {
    /// Nothing is known, for one reason.
    pub fn unknown(why: &str) -> Self {
        Self {
            nics: Fact::Unknown(why.into()),
            resolvers: Fact::Unknown(why.into()),
            hosts: Fact::Unknown(why.into()),
            names: Fact::Unknown(why.into()),
        }
    }
}

/// Gives `text` to the parser of every kind of interface file, and of what the bonding driver prints.
#[cfg(feature = "fuzzing")]
pub(crate) fn parse_every_kind(text: &str) {
    for dialect in [ifcfg::Dialect::Scripts, ifcfg::Dialect::Later] {
        let global = crate::facts::shell::parse(text);
        drop(ifcfg::parse("/etc/sysconfig/network-scripts/ifcfg-eth0", "eth0", text, &global, dialect));
    }
    drop(keyfile::parse("/etc/NetworkManager/system-connections/eth0", text));
    drop(networkd::parse("/etc/systemd/network/eth0.network", text));
    drop(interfaces::parse(text));
    drop(netplan::parse(text));
    drop(bonding::parse(text));
}

/// The address that a file of the Red Hat family's interfaces sets, with its prefix length where one is given. `path` is
/// where it lies.
/// Errors: It cannot be determined without running the file.
pub fn address_in_ifcfg(path: &str, text: &str) -> anyhow::Result<Option<String>> {
    let read = ifcfg::parse(path, "", text, &Sourced::default(), ifcfg::Dialect::Later)?;
    Ok(read.configuration.address)
}

/// Reads all of it; servers are asked apart ([`servers::ask`]).
pub fn load(host: &Host) -> Network {
    let (nics, names) = (nics::load(host), persistent::load(host));
    Network { nics, resolvers: resolver::load(host), hosts: hosts::load(host), names }
}
