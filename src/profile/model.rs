//! The profile: what serde reads, once the files that extend each other are merged, and what the rest of the crate works
//! with. The JSON Schema is made of these types, and its descriptions of their comments.

mod installation;

pub use installation::{Installation, PartitionSize};

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{
    AbsolutePath, Address, Architecture, Day, DiskName, MountPoint, Name, PackageFile, PackageName,
    PartitionMount, PartitionType, Port, Reference, Release, RequirementId, RetentionType, ScriptName,
    ScriptStage, Sha256, Size, Span, Timezone, Unverified, Url, Version, Whole, Words,
};

/// What a Linux master target must be. A file that extends another profile says only what is different:
/// mappings are merged, lists are replaced, null takes an optional value away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Profile {
    /// The profile that this one changes: a built-in name, or a file relative to this one.
    // Followed while the files are merged: the result has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extends: Option<Reference>,
    /// What the profile is called in reports.
    pub name: Name,
    /// What the profile is for.
    #[serde(default)]
    pub description: Option<Words>,
    /// The operating system.
    pub os: Os,
    /// Recommended sizes of the VM.
    pub sizing: Sizing,
    /// Partitions and swap.
    pub layout: Layout,
    /// How interfaces are to be configured.
    pub network: Network,
    /// The virtual hardware.
    pub hypervisor: Hypervisor,
    /// Packages from repositories.
    pub packages: Packages,
    /// File systems that protected machines use for root or boot.
    pub sources: Sources,
    /// Packages that come as files.
    pub files: Files,
    /// The vendor's script.
    pub custom_changes: CustomChanges,
    /// The retention volume.
    pub retention: Retention,
    /// Servers of the Site Recovery site.
    pub site: Site,
    /// What the installer is answered (`mt-agent kickstart`).
    pub installation: Installation,
    /// Requirements that need not hold for a while.
    #[serde(default)]
    pub waivers: Vec<Waiver>,
    /// Where each value came from: key path (`retention.mount-point`) to `built-in centos-6.6` or `FILE:LINE`.
    #[serde(skip)]
    pub origins: BTreeMap<String, String>,
}

/// The operating system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Os {
    /// The exact release text wanted: the first line of /etc/redhat-release.
    pub release: Release,
    /// The architecture.
    pub architecture: Architecture,
    /// The time zone wanted; null: any.
    #[serde(default)]
    pub timezone: Option<Timezone>,
}

/// Recommended sizes of the VM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sizing {
    /// Memory.
    pub memory: Size,
    /// Virtual processors.
    pub cpus: Whole<1, 1024>,
    /// The disk that carries `/`.
    pub os_disk: Size,
}

/// Partitions and swap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Layout {
    /// File systems of their own, `/` among them.
    #[cfg_attr(test, schemars(length(min = 1)))]
    pub partitions: Vec<PartitionSpec>,
    /// Whether a swap partition is wanted.
    pub swap: bool,
    /// Whether root may lie on LVM.
    pub root_on_lvm: bool,
}

/// A file system of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Partition"))]
pub struct PartitionSpec {
    /// Where it is mounted.
    pub mount: PartitionMount,
    /// Its type.
    #[serde(rename = "type")]
    pub fs_type: PartitionType,
}

/// How interfaces are to be configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Network {
    /// Whether a static address is recommended.
    pub static_address: bool,
}

/// The virtual hardware.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Hypervisor {
    /// The most disks that a master target can have: 4 SCSI controllers with 15 each.
    pub max_disks: Whole<1, 60>,
}

/// Packages from repositories.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Packages {
    /// What the procedure installs.
    #[cfg_attr(test, schemars(length(min = 1)))]
    pub base: Vec<PackageName>,
    /// What gives disks their names below /dev/mapper.
    #[cfg_attr(test, schemars(length(min = 1)))]
    pub multipath: Vec<PackageName>,
    /// How long to wait while another yum holds the lock.
    pub lock_timeout: Span,
    /// How long one transaction may take.
    pub deadline: Span,
}

/// File systems that protected machines use for root or boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sources {
    /// Some protected machine uses ReiserFS for root or boot.
    pub reiserfs: bool,
    /// Some protected machine uses XFS for root or boot.
    pub xfs: bool,
}

/// Packages that come as files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Files {
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
    pub reiserfs: Vec<FileSpec>,
    /// Needed when sources.xfs is true.
    pub xfs: Vec<FileSpec>,
}

/// A package that comes as a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "File"))]
pub struct FileSpec {
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
    /// SHA-256, lower-case hex, that a collection's manifest says: the file is still what was collected. Who made it, it
    /// does not say.
    #[serde(skip)]
    pub collected_sha256: Option<String>,
}

/// The vendor's script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CustomChanges {
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Retention {
    /// The disk named for it; null: guestinfo.mt-agent.retention-disk, or a person at a terminal.
    #[serde(default)]
    pub disk: Option<DiskName>,
    /// Where it is mounted.
    pub mount_point: MountPoint,
    /// What to make on it.
    pub filesystem: RetentionType,
    /// Recommended capacity.
    pub capacity: Size,
    /// How much of it is recommended to be free, in per cent.
    pub free_percent: Whole<0, 99>,
}

/// TCP port of a configuration server.
const CONFIGURATION_PORT: u16 = 443;

/// TCP port on which a process server takes data.
const DATA_PORT: u16 = 9443;

/// Servers of the Site Recovery site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Site {
    /// The configuration server, port 443 unless named; null: it is not asked.
    #[serde(default)]
    pub configuration_server: Option<Server<CONFIGURATION_PORT>>,
    /// The process server, port 9443 unless named; null: it is not asked.
    #[serde(default)]
    // One definition in the schema for both.
    #[cfg_attr(test, schemars(with = "Option<Server<CONFIGURATION_PORT>>"))]
    pub process_server: Option<Server<DATA_PORT>>,
    /// Version of the configuration server: the master target's must not be newer.
    #[serde(default)]
    pub configuration_server_version: Option<Version>,
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Server"))]
pub struct Server<const PORT: u16> {
    /// Host name or address.
    pub address: Address,
    /// TCP port.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Option<Whole<1, 65535>>"))]
    pub port: Port<PORT>,
}

impl<const PORT: u16> Server<PORT> {
    /// Host name or address, and TCP port.
    pub fn endpoint(&self) -> (&str, u16) {
        (&self.address, self.port.get())
    }
}

/// A requirement that need not hold for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Waiver {
    /// Its id.
    pub requirement: RequirementId,
    /// Why it need not hold.
    pub reason: Words,
    /// Who approved that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<Words>,
    /// The last day of the waiver (UTC), 400 days from today at most.
    pub until: Day,
}

impl Waiver {
    /// Whether it still holds on `today` (UTC): its last day counts. A requirement whose waiver has expired is
    /// judged as if there were none.
    pub fn holds(&self, today: time::Date) -> bool {
        today <= *self.until
    }
}
