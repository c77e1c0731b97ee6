//! `installation:`: each value is right by itself; whether they make a whole is asked when a kickstart is made.

use std::net::Ipv4Addr;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::profile::values::{
    AbsolutePath, AgentPackage, BootLoaderPlace, Finish, HostAddress, HostName, Interface, Keyboard,
    Language, Medium, NetworkKind, OtherAddress, PartitionMount, Sha256, Size, SystemDisk,
};

/// What the installer is answered (`mt-agent kickstart`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Installation {
    /// The language of the installed system.
    pub language: Language,
    /// The keyboard layout.
    pub keyboard: Keyboard,
    /// Where the system is installed from: the CD, or an installation tree's address.
    pub source: Medium,
    /// The one disk that is erased and written to.
    pub disk: SystemDisk,
    /// Where the boot loader is put.
    pub boot_loader: BootLoaderPlace,
    /// The size of each of layout.partitions.
    pub sizes: Vec<PartitionSize>,
    /// The partition that takes what is left of the disk; null: what is left stays free.
    #[serde(default)]
    pub grow: Option<PartitionMount>,
    /// The size of the swap partition, where layout.swap wants one.
    #[serde(default)]
    pub swap: Option<Size>,
    /// How the interface gets its address.
    pub network: NetworkKind,
    /// The network interface.
    pub interface: Interface,
    /// The name of the host.
    #[serde(default)]
    pub hostname: Option<HostName>,
    /// Its static address.
    #[serde(default)]
    pub address: Option<HostAddress>,
    /// The gateway of its network.
    #[serde(default)]
    pub gateway: Option<OtherAddress>,
    /// Name servers, the first one first.
    pub dns: Vec<OtherAddress>,
    /// Whether the interface uses IPv6 too.
    pub ipv6: bool,
    /// The file with the hash of root's password, on the machine that prints the kickstart.
    #[serde(default)]
    pub root_hash_file: Option<AbsolutePath>,
    /// The agent's rpm, which the installed system gets; null: something else installs it.
    #[serde(default)]
    pub agent: Option<AgentPackage>,
    /// Its pinned checksum.
    #[serde(default)]
    pub agent_sha256: Option<Sha256>,
    /// What happens at the end.
    pub finish: Finish,
}

impl Installation {
    /// The static address and the prefix of its network.
    pub fn host_address(&self) -> Option<(Ipv4Addr, u8)> {
        self.address.as_ref()?.parts()
    }
}

/// How large a partition is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PartitionSize {
    /// Where it is mounted.
    pub mount: PartitionMount,
    /// Its size, or its least size when it grows.
    pub size: Size,
}
