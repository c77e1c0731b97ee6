//! The validated profile that the rest of the crate works with.

mod installation;

pub use installation::{BootLoaderPlace, Finish, InstallSource, Installation, NetworkKind, PartitionSize};

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// A complete, validated profile.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Operating system.
    pub os: Os,
    /// Recommended sizes.
    pub sizing: Sizing,
    /// Partitions and swap.
    pub layout: Layout,
    /// How interfaces are to be configured.
    pub network: Network,
    /// The virtual hardware.
    pub hypervisor: Hypervisor,
    /// Packages from repositories.
    pub packages: Packages,
    /// File systems that the protected machines use for root or boot.
    pub sources: Sources,
    /// Packages fetched as files.
    pub files: Files,
    /// The vendor script.
    pub custom_changes: CustomChanges,
    /// The retention volume.
    pub retention: Retention,
    /// Servers of the Site Recovery site.
    pub site: Site,
    /// What the installer is answered.
    pub installation: Installation,
    /// Requirements waived, with reason and end date.
    pub waivers: Vec<Waiver>,
    /// Where each value came from: key path (`retention.mount-point`) to `built-in centos-6.6` or `FILE:LINE`.
    pub origins: BTreeMap<String, String>,
}

/// `os:`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Os {
    /// The exact release text wanted.
    pub release: String,
    /// `x86_64`.
    pub architecture: String,
    /// Time zone wanted, if a certain one is.
    pub timezone: Option<String>,
}

/// `sizing:`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sizing {
    /// Memory given to the VM, in bytes.
    pub memory_bytes: u64,
    /// Virtual processors.
    pub cpus: u64,
    /// Size of the disk that carries `/`, in bytes.
    pub os_disk_bytes: u64,
}

/// `layout:`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// File systems of their own, `/` among them.
    pub partitions: Vec<PartitionSpec>,
    /// Whether a swap partition is wanted.
    pub swap: bool,
    /// Whether root may lie on LVM (the procedure: no).
    pub root_on_lvm: bool,
}

/// One partition of `layout.partitions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionSpec {
    /// Where it is mounted.
    pub mount: String,
    /// File system type.
    pub fs_type: String,
}

/// `network:`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Whether a static address is recommended.
    pub static_address: bool,
}

/// `hypervisor:`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hypervisor {
    /// The most disks a master target can have.
    pub max_disks: usize,
}

/// `packages:`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packages {
    /// packages.base
    pub base: Vec<String>,
    /// packages.multipath
    pub multipath: Vec<String>,
    /// How long to wait for yum's lock.
    pub lock_timeout: Duration,
    /// How long one transaction may take.
    pub deadline: Duration,
}

/// `sources:`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sources {
    /// Some protected machine uses ReiserFS for root or boot.
    pub reiserfs: bool,
    /// Some protected machine uses XFS for root or boot.
    pub xfs: bool,
}

/// `files:`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// Where fetched files are kept: /usr/local.
    pub directory: PathBuf,
    /// A directory that already has the files; nothing is then fetched.
    pub from: Option<PathBuf>,
    /// Certificates (PEM) to trust instead of the built-in ones when fetching over HTTPS.
    pub ca_file: Option<PathBuf>,
    /// How long one file may take.
    pub deadline: Duration,
    /// Whether a file without pinned SHA-256 and without a good signature may be installed.
    pub accept_unverified: bool,
    /// The files for ReiserFS.
    pub reiserfs: Vec<FileSpec>,
    /// The files for XFS.
    pub xfs: Vec<FileSpec>,
}

/// A package that comes as a file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FileSpec {
    /// Package name in the rpm database.
    pub package: String,
    /// File name.
    pub file: String,
    /// Addresses to fetch it from, tried in order.
    pub urls: Vec<String>,
    /// Pinned SHA-256, lower-case hex.
    pub sha256: Option<String>,
    /// SHA-256, lower-case hex, that a collection's manifest says: the file is still what was collected. Who made it, it
    /// does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected_sha256: Option<String>,
}

/// `custom-changes:`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomChanges {
    /// The Unified Agent archive (`latestlinuxmobsvc.tar.gz`) on this host, when there is one to run.
    pub archive: Option<PathBuf>,
    /// Its pinned SHA-256, lower-case hex.
    pub sha256: Option<String>,
    /// Name of the script inside it.
    pub script: String,
    /// The file that the script creates at its end.
    pub marker: PathBuf,
    /// The log it appends to.
    pub log: PathBuf,
    /// The private directory it is unpacked below: never under /usr/local.
    pub work_directory: PathBuf,
    /// How long it may take.
    pub deadline: Duration,
    /// Whether it is run in the image that machines are cloned from, and not on each of them.
    pub in_image: bool,
}

/// `retention:`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The disk named for it: a SCSI ID or a /dev/disk/by-id name, which no other disk can have after a restart.
    pub disk: Option<String>,
    /// /mnt/retention
    pub mount_point: String,
    /// What to make: `ext4` or `xfs`.
    pub fs_type: String,
    /// Recommended capacity in bytes: 1 TB.
    pub capacity_bytes: u64,
    /// How much of it is recommended to be free, in per cent.
    pub free_percent: u64,
}

/// `site:`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// The configuration server, port 443 unless named.
    pub configuration_server: Option<Server>,
    /// The process server, port 9443 unless named.
    pub process_server: Option<Server>,
    /// Version of the configuration server, when it is known: the master target's must not be newer.
    pub configuration_server_version: Option<String>,
}

/// A server of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Host name or address.
    pub address: String,
    /// TCP port.
    pub port: u16,
}

/// A requirement that is waived for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// Its id.
    pub requirement: String,
    /// Why.
    pub reason: String,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// The last day on which it holds (UTC).
    pub until: time::Date,
}

impl Waiver {
    /// Whether it still holds on `today` (UTC): its last day counts. A requirement whose waiver has expired is
    /// judged as if there were none.
    #[must_use]
    pub fn holds(&self, today: time::Date) -> bool {
        today <= self.until
    }
}
