//! Interfaces with their configuration files and addresses, the resolver, the hosts file, and whether the
//! servers that the profile names answer.

mod bonding;
mod hosts;
mod ifcfg;
mod ini;
mod interfaces;
mod keyfile;
mod netplan;
mod networkd;
mod nics;
pub mod persistent;
mod resolver;
pub mod servers;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Fact;
use super::shell::Sourced;
use crate::host::Host;

pub use hosts::parse as parse_hosts;
pub use persistent::Persistent;
pub use resolver::parse as parse_resolver;

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
    #[serde(default = "persistent::not_read")]
    pub names: Fact<Vec<Persistent>>,
}

impl Network {
    /// Nothing is known, for one reason.
    #[must_use]
    pub fn unknown(why: &str) -> Self {
        Self {
            nics: Fact::Unknown(why.into()),
            resolvers: Fact::Unknown(why.into()),
            hosts: Fact::Unknown(why.into()),
            names: Fact::Unknown(why.into()),
        }
    }
}

/// Gives `text` to the parser of every kind of interface file, and of what the bonding driver tells.
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
///
/// # Errors
/// It cannot be told without running the file.
pub fn address_in_ifcfg(path: &str, text: &str) -> anyhow::Result<Option<String>> {
    let read = ifcfg::parse(path, "", text, &Sourced::default(), ifcfg::Dialect::Later)?;
    Ok(read.configuration.address)
}

/// Reads all of it; servers are asked apart ([`servers::ask`]).
#[must_use]
pub fn load(host: &Host) -> Network {
    let (nics, names) = (nics::load(host), persistent::load(host));
    Network { nics, resolvers: resolver::load(host), hosts: hosts::load(host), names }
}

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nic {
    /// `eth0`.
    pub name: String,
    /// Hardware address, lower case.
    pub mac: Option<String>,
    /// Kernel driver (`vmxnet3`).
    pub driver: Option<String>,
    /// Whether it is a physical (PCI) device and not a bridge, tunnel or the like.
    pub physical: bool,
    /// `up`, `down`, `unknown`: /sys/class/net/X/operstate.
    pub state: Option<String>,
    /// Whether it has a link: /sys/class/net/X/carrier, which tells only of an interface that is up (IFF_UP).
    #[serde(default)]
    pub carrier: Option<bool>,
    /// Whether it is a member of a bond or a port of a bridge now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub member: bool,
    /// Addresses in effect, link-local IPv6 excepted (an image: those configured).
    pub addresses: Vec<IpAddr>,
    /// How it is configured; `Known(None)` when no configuration file of a kind we read names it.
    pub configuration: Fact<Option<NicConfiguration>>,
}

/// How an interface comes up at boot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NicConfiguration {
    /// The file: /etc/sysconfig/network-scripts/ifcfg-eth0, /etc/network/interfaces, a netplan or NetworkManager file.
    pub file: String,
    /// Whether it starts on boot.
    pub on_boot: bool,
    /// `static`, `dhcp` or whatever stands there; `none` is written as `static` when an address is given.
    pub protocol: String,
    /// Configured address, with its prefix length where one is given: `192.0.2.10/24`.
    pub address: Option<String>,
    /// Why it will not come up as it stands, although a file names it (`HWADDR` of another machine); then
    /// `on_boot` is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What is otherwise than it says once it is up: no default route, or what a second file sets that is started as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// A line of /etc/hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostsEntry {
    /// Line number, from 1.
    pub line: usize,
    /// The address.
    pub address: IpAddr,
    /// Its names.
    pub names: Vec<String>,
}

/// A server that the profile names, asked once over TCP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// `configuration-server` or `process-server`.
    pub role: String,
    /// Host name or address.
    pub address: String,
    /// TCP port.
    pub port: u16,
    /// `Known(true)`: it answered; `Known(false)` is not used: a failure is `Unknown` only when we could not ask.
    pub answers: Fact<Answer>,
}

/// How a server answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// A TCP connection was made, in this many milliseconds.
    Connected(u64),
    /// It was not, and why (refused, no route, timed out, name not resolved).
    Failed(String),
}
