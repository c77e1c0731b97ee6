//! The file format: the keys that a complete profile has. The JSON Schema is made of these types, and its
//! descriptions of their comments.

mod installation;

pub use installation::{RawBootLoader, RawFinish, RawInstallation, RawNetworkKind};

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{
    AbsolutePath, Address, Day, DiskName, Name, PackageFile, PackageName, PartitionMount, Reference, Release,
    RequirementId, ScriptName, Sha256, Size, Span, Timezone, Url, Version, Whole, Words,
};

/// What a Linux master target must be. A file that extends another profile says only what is different:
/// mappings are merged, lists are replaced, null takes an optional value away.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Profile"))]
pub struct RawProfile {
    /// The profile that this one changes: a built-in name, or a file relative to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extends: Option<Reference>,
    /// What the profile is called in reports.
    pub name: Name,
    /// What the profile is for.
    #[serde(default)]
    pub description: Option<Words>,
    /// The operating system.
    pub os: RawOs,
    /// Recommended sizes of the VM.
    pub sizing: RawSizing,
    /// Partitions and swap.
    pub layout: RawLayout,
    /// How interfaces are to be configured.
    pub network: RawNetwork,
    /// The virtual hardware.
    pub hypervisor: RawHypervisor,
    /// Packages from repositories.
    pub packages: RawPackages,
    /// File systems that protected machines use for root or boot.
    pub sources: RawSources,
    /// Packages that come as files.
    pub files: RawFiles,
    /// The vendor's script.
    pub custom_changes: RawCustomChanges,
    /// The retention volume.
    pub retention: RawRetention,
    /// Servers of the Site Recovery site.
    pub site: RawSite,
    /// What the installer is answered (`mt-agent kickstart`).
    pub installation: RawInstallation,
    /// Requirements that need not hold for a while.
    #[serde(default)]
    pub waivers: Vec<RawWaiver>,
}

/// The operating system.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Os"))]
pub struct RawOs {
    /// The exact release text wanted: the first line of /etc/redhat-release.
    pub release: Release,
    /// The architecture.
    pub architecture: Architecture,
    /// The time zone wanted; null: any.
    #[serde(default)]
    pub timezone: Option<Timezone>,
}

/// An architecture that the vendor supports.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(inline))]
pub enum Architecture {
    /// 64-bit Intel and AMD.
    #[serde(rename = "x86_64")]
    X86_64,
}

/// Recommended sizes of the VM.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Sizing"))]
pub struct RawSizing {
    /// Memory.
    pub memory: Size,
    /// Virtual processors.
    pub cpus: Whole<1, 1024>,
    /// The disk that carries `/`.
    pub os_disk: Size,
}

/// Partitions and swap.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Layout"))]
pub struct RawLayout {
    /// File systems of their own, `/` among them.
    #[cfg_attr(test, schemars(length(min = 1)))]
    pub partitions: Vec<RawPartition>,
    /// Whether a swap partition is wanted.
    pub swap: bool,
    /// Whether root may lie on LVM.
    pub root_on_lvm: bool,
}

/// A file system of its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Partition"))]
pub struct RawPartition {
    /// Where it is mounted.
    pub mount: PartitionMount,
    /// Its type.
    #[serde(rename = "type")]
    pub fs_type: PartitionType,
}

/// A file system type for a partition.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, schemars(inline))]
pub enum PartitionType {
    Ext2,
    Ext3,
    Ext4,
    Xfs,
    Btrfs,
    Vfat,
}

/// How interfaces are to be configured.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Network"))]
pub struct RawNetwork {
    /// Whether a static address is recommended.
    pub static_address: bool,
}

/// The virtual hardware.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Hypervisor"))]
pub struct RawHypervisor {
    /// The most disks that a master target can have: 4 SCSI controllers with 15 each.
    pub max_disks: Whole<1, 60>,
}

/// Packages from repositories.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Packages"))]
pub struct RawPackages {
    /// packages.base: what the procedure installs.
    #[cfg_attr(test, schemars(length(min = 1)))]
    pub base: Vec<PackageName>,
    /// packages.multipath: what gives disks their names below /dev/mapper.
    #[cfg_attr(test, schemars(length(min = 1)))]
    pub multipath: Vec<PackageName>,
    /// How long to wait while another yum holds the lock.
    pub lock_timeout: Span,
    /// How long one transaction may take.
    pub deadline: Span,
}

/// File systems that protected machines use for root or boot.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Sources"))]
pub struct RawSources {
    /// Some protected machine uses ReiserFS for root or boot.
    pub reiserfs: bool,
    /// Some protected machine uses XFS for root or boot.
    pub xfs: bool,
}

/// Packages that come as files.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Files"))]
pub struct RawFiles {
    /// Where fetched files are kept.
    pub directory: AbsolutePath,
    /// A directory that has the files already: nothing is then fetched.
    #[serde(default)]
    pub from: Option<AbsolutePath>,
    /// Certificates (PEM) to trust for HTTPS instead of the built-in ones: of who issues them, or a server's own.
    #[serde(default)]
    pub ca_file: Option<AbsolutePath>,
    /// How long one file may take.
    pub deadline: Span,
    /// What happens to a file without a pinned checksum and without a good signature.
    pub unverified: Unverified,
    /// Needed when sources.reiserfs is true.
    pub reiserfs: Vec<RawFile>,
    /// Needed when sources.xfs is true.
    pub xfs: Vec<RawFile>,
}

/// What happens to an unverified file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, schemars(inline))]
pub enum Unverified {
    /// It is not installed.
    Refuse,
    /// It is installed all the same.
    InstallWithoutVerification,
}

/// Where the vendor script is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, schemars(inline))]
pub enum ScriptStage {
    /// On each machine.
    Machine,
    /// Once, in the image.
    Image,
}

/// A package that comes as a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "File"))]
pub struct RawFile {
    /// Its name in the package database.
    pub package: PackageName,
    /// The file's name.
    pub file: PackageFile,
    /// Where to fetch it from, tried in this order.
    #[serde(default)]
    pub urls: Vec<Url>,
    /// Its pinned checksum; null: a good signature is needed.
    #[serde(default)]
    pub sha256: Option<Sha256>,
}

/// The vendor's script.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "CustomChanges"))]
pub struct RawCustomChanges {
    /// The Unified Agent archive on the host; null: a person runs the script.
    #[serde(default)]
    pub archive: Option<AbsolutePath>,
    /// Its pinned checksum.
    #[serde(default)]
    pub sha256: Option<Sha256>,
    /// Name of the script inside the archive.
    pub script: ScriptName,
    /// The file that the script creates at its end.
    pub marker: AbsolutePath,
    /// The log that it appends to.
    pub log: AbsolutePath,
    /// Where it is unpacked: not below /usr/local.
    pub work_directory: AbsolutePath,
    /// How long it may take.
    pub deadline: Span,
    /// Whether it is run on each machine, or once in the image that machines are cloned from.
    pub stage: ScriptStage,
}

/// The retention volume.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Retention"))]
pub struct RawRetention {
    /// The disk named for it; null: guestinfo.mt-agent.retention-disk, or a person at a terminal.
    #[serde(default)]
    pub disk: Option<DiskName>,
    /// Where it is mounted.
    pub mount_point: AbsolutePath,
    /// What to make on it.
    pub filesystem: RetentionType,
    /// Recommended capacity.
    pub capacity: Size,
    /// How much of it is recommended to be free, in per cent.
    pub free_percent: Whole<0, 99>,
}

/// A file system type for the retention volume.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, schemars(inline))]
pub enum RetentionType {
    Ext4,
    Xfs,
}

/// Servers of the Site Recovery site.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Site"))]
pub struct RawSite {
    /// The configuration server, port 443 unless named; null: it is not asked.
    #[serde(default)]
    pub configuration_server: Option<RawServer>,
    /// The process server, port 9443 unless named; null: it is not asked.
    #[serde(default)]
    pub process_server: Option<RawServer>,
    /// Version of the configuration server: the master target's must not be newer.
    #[serde(default)]
    pub configuration_server_version: Option<Version>,
}

/// A server.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Server"))]
pub struct RawServer {
    /// Host name or address.
    pub address: Address,
    /// TCP port.
    #[serde(default)]
    pub port: Option<Whole<1, 65535>>,
}

/// A requirement that need not hold for a while.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Waiver"))]
pub struct RawWaiver {
    /// Its id.
    pub requirement: RequirementId,
    /// Why it need not hold.
    pub reason: Words,
    /// Who approved that.
    #[serde(default)]
    pub approved_by: Option<Words>,
    /// The last day of the waiver (UTC), 400 days from today at most.
    pub until: Day,
}
