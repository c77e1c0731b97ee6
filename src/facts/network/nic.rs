//! An interface, and how it comes up at boot.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::facts::Fact;

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
    /// Whether it has a link: /sys/class/net/X/carrier, which is known only of an interface that is up (IFF_UP).
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
