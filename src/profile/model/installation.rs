//! `installation:` of the validated profile.

use std::net::Ipv4Addr;
use std::path::PathBuf;

/// `installation:`: each value is right by itself; whether they make a whole is asked when a kickstart is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// The language of the installed system: `en_US.UTF-8`.
    pub language: String,
    /// The keyboard layout: `us`.
    pub keyboard: String,
    /// Where the system is installed from.
    pub source: InstallSource,
    /// The one disk that is erased and written to: a kernel name (`sda`), or a path below /dev/disk.
    pub disk: String,
    /// Where the boot loader is put.
    pub boot_loader: BootLoaderPlace,
    /// The size of each partition.
    pub sizes: Vec<PartitionSize>,
    /// The mount point of the partition that takes what is left of the disk.
    pub grow: Option<String>,
    /// Size of the swap partition in bytes.
    pub swap_bytes: Option<u64>,
    /// How the interface gets its address.
    pub network: NetworkKind,
    /// The network interface: a name, `link`, or a MAC address.
    pub interface: String,
    /// The name of the host.
    pub hostname: Option<String>,
    /// Its address with the prefix of its network: `10.0.0.5/24`.
    pub address: Option<String>,
    /// The gateway.
    pub gateway: Option<Ipv4Addr>,
    /// Name servers.
    pub dns: Vec<Ipv4Addr>,
    /// Whether the interface uses IPv6 too.
    pub ipv6: bool,
    /// The file with the hash of root's password.
    pub root_hash_file: Option<PathBuf>,
    /// The agent's rpm: an http or https address, or a path below /mnt/source.
    pub agent: Option<String>,
    /// Its pinned SHA-256, lower-case hex.
    pub agent_sha256: Option<String>,
    /// What happens at the end.
    pub finish: Finish,
}

impl Installation {
    /// The static address and the prefix of its network.
    #[must_use]
    pub fn host_address(&self) -> Option<(Ipv4Addr, u8)> {
        crate::profile::values::installation::of_a_host(self.address.as_deref()?)
    }
}

/// One of `installation.sizes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionSize {
    /// Where the partition is mounted.
    pub mount: String,
    /// Its size in bytes; its least size when it grows.
    pub bytes: u64,
}

/// Where the system is installed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstallSource {
    /// The CD.
    Cdrom,
    /// An installation tree at this http or https address.
    Url(String),
}

impl InstallSource {
    /// As the profile says it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Cdrom => "cdrom",
            Self::Url(address) => address,
        }
    }
}

/// Where the boot loader is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootLoaderPlace {
    /// The first sector of the disk.
    Mbr,
    /// The first sector of the partition with the kernel.
    Partition,
}

impl BootLoaderPlace {
    /// As the profile says it, and the installer.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mbr => "mbr",
            Self::Partition => "partition",
        }
    }
}

/// How an interface gets its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkKind {
    /// It keeps the one that it is given.
    Static,
    /// From a server.
    Dhcp,
}

impl NetworkKind {
    /// As the profile says it, and the installer.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Dhcp => "dhcp",
        }
    }
}

/// What happens when the system is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The machine starts again.
    Reboot,
    /// The machine is switched off.
    Poweroff,
}

impl Finish {
    /// As the profile says it, and the installer.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reboot => "reboot",
            Self::Poweroff => "poweroff",
        }
    }
}
