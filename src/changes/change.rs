//! Changes as values, and what `plan` says of each.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::collection::Order;
use super::mkfs::Format;
use super::package_file::PackageFile;
use super::target::Target;
use crate::host::{DeviceNumber, FileSystem, ScsiId, text};
use crate::platform::packages::Manager;

/// Something to be done to the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Change {
    /// Install packages from the configured repositories, in one transaction.
    InstallPackages {
        /// Their names.
        packages: Vec<String>,
        /// The collection that they come from, instead of from the repositories.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<PathBuf>,
        /// What installs them from the repositories. Versions that did not tell it knew yum alone.
        #[serde(default, skip_serializing_if = "Manager::is_default")]
        manager: Manager,
        /// SHA-256 of the collection's manifest, lower-case hex, once a person has been asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        manifest_sha256: Option<String>,
    },
    /// Fetch (or take from a directory), verify and install packages that come as files.
    InstallFiles {
        /// Which.
        files: Vec<PackageFile>,
    },
    /// Collect what an unconnected master target needs in a directory. Nothing else of the host is changed.
    Collect(Order),
    /// Make nodes in /dev anew that every program expects.
    MakeDeviceNodes {
        /// Their paths.
        nodes: Vec<String>,
    },
    /// Run the vendor's ApplyCustomChanges.sh, once.
    RunCustomChanges {
        /// The archive.
        archive: PathBuf,
        /// Whether a person decided that it runs again, after a run that was interrupted or undone.
        rerun: bool,
        /// SHA-256 of the archive, lower-case hex, once a person has been asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        archive_sha256: Option<String>,
    },
    /// Write our record of custom changes that a person made (seen, or accepted after an interrupted run).
    RecordCustomChanges {
        /// Whether a person said that they are in place.
        accepted: bool,
    },
    /// Set the records of the machine that this one is a copy of aside, and begin its own.
    SetRecordsAside,
    /// Put disks on record as this host's own, as a person said.
    RecordOwnDisks {
        /// Their SCSI IDs.
        scsi_ids: Vec<ScsiId>,
    },
    /// Make the multipath blacklist name this machine's root disk.
    BlacklistRootDisk {
        /// SCSI ID of the root disk.
        scsi_id: ScsiId,
        /// The stale SCSI ID that it replaces, if there is one.
        replaces: Option<String>,
    },
    /// Make /etc/multipath.conf name maps by their IDs and take every disk.
    ConfigureMultipath {
        /// Settings of `defaults` that become `no`.
        off: Vec<String>,
        /// `devnode` entries of the blacklist, as written, that become comments.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unhide: Vec<String>,
    },
    /// Let multipathd start at boot, start it, have it go by its configuration file, and make the maps that are missing.
    StartMultipathd {
        /// The disks without a map.
        disks: Vec<ScsiId>,
        /// Whether it runs already, by an earlier file.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        reload: bool,
    },
    /// Make a file system on the retention disk. The only change that can destroy data: see design.md's rules.
    FormatRetention(Format),
    /// Let fstab mount the retention volume at every boot.
    WriteFstab {
        /// A name that cannot move: /dev/mapper/WWID or UUID=….
        device: String,
        /// SCSI ID of its disk; empty where it has none.
        #[serde(default, skip_serializing_if = "str::is_empty")]
        scsi_id: ScsiId,
        /// The mount point.
        mount_point: String,
        /// File system type.
        fs_type: FileSystem,
        /// Options. Version 0.1.0, whose journal does not say them, wrote these.
        #[serde(default = "options_of_0_1_0")]
        options: String,
        /// The options of our own earlier entry that they replace, if they do.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replaces: Option<String>,
    },
    /// Mount the retention volume, then write, sync, read back and remove a probe file.
    MountRetention {
        /// The volume.
        #[serde(flatten)]
        target: Target,
        /// The mount point.
        mount_point: String,
        /// Whether it is mounted there already: then it is proved, and goes on record.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        mounted: bool,
    },
    /// Unmount the volume whose place another one takes; it stays as it is.
    UnmountRetention {
        /// Where it is mounted.
        mount_point: String,
        /// `major:minor` of what is mounted there.
        major_minor: DeviceNumber,
        /// The disk that carries it, with its SCSI ID, for people.
        disk: String,
    },
    /// Take our own entries for the volume whose place another one takes out of fstab.
    RemoveFstab {
        /// Their mount point.
        mount_point: String,
        /// Their devices.
        devices: Vec<String>,
    },
    /// Grow the mounted retention volume to the size of its disk.
    GrowRetention {
        /// The volume.
        #[serde(flatten)]
        target: Target,
        /// Where it is mounted.
        mount_point: String,
    },
}

fn options_of_0_1_0() -> String {
    "rw,nofail".to_owned()
}

impl Change {
    /// One line that says what it does, for the plan.
    pub fn summary(&self) -> String {
        match self {
            Self::InstallPackages { packages, from: None, manager, .. } => {
                format!("install {} with {}", packages.join(", "), manager.tool())
            }
            Self::InstallPackages { packages, from: Some(from), manager, .. } => {
                let (names, tool) = (packages.join(", "), manager.database().tool().name);
                format!("install {names} from {} alone, with {tool}", from.display())
            }
            Self::InstallFiles { files } => {
                let names: Vec<_> = files.iter().map(|file| file.file.as_str()).collect();
                // A collection names no address.
                let fetch = if files.iter().all(|file| file.urls.is_empty()) { "" } else { "fetch, " };
                format!("{fetch}verify and install {}", names.join(", "))
            }
            Self::Collect(Order { directory, packages, files, .. }) => {
                let files = files.iter().map(|file| &file.file);
                let names: Vec<_> = packages.iter().chain(files).map(String::as_str).collect();
                format!("collect {} with all that they need in {}", names.join(", "), directory.display())
            }
            Self::MakeDeviceNodes { nodes } => format!("make {} anew", nodes.join(", ")),
            Self::RunCustomChanges { archive, rerun, .. } => {
                let often = if *rerun { "again" } else { "once" };
                format!("unpack {} and run ApplyCustomChanges.sh, {often}", archive.display())
            }
            Self::RecordCustomChanges { accepted: true } => {
                "record that the custom changes are accepted".into()
            }
            Self::RecordCustomChanges { accepted: false } => {
                "record the custom changes that were made by hand".into()
            }
            Self::SetRecordsAside => "set the records of the machine that this one is a copy of aside".into(),
            Self::RecordOwnDisks { scsi_ids } => {
                let what = if scsi_ids.len() == 1 { "a disk" } else { "disks" };
                format!("put {} on record as {what} of this host itself", scsi_ids.join(", "))
            }
            Self::BlacklistRootDisk { scsi_id, .. } => {
                format!(
                    "make the multipath blacklist in /etc/multipath.conf name this machine's root disk {scsi_id}"
                )
            }
            Self::ConfigureMultipath { off, unhide } => {
                let settings = off.iter().map(|key| format!("set {key} to no"));
                let entries = unhide.iter().map(|entry| format!("take devnode {entry} out of the blacklist"));
                let all: Vec<_> = settings.chain(entries).collect();
                format!("{} in /etc/multipath.conf", all.join(", "))
            }
            Self::StartMultipathd { disks, reload } => {
                let what = match (*reload, disks.is_empty()) {
                    (false, true) => return "start multipathd, now and at every boot".into(),
                    (true, _) => "have multipathd read /etc/multipath.conf again",
                    (false, false) => "let multipathd run, now and at every boot",
                };
                if disks.is_empty() {
                    what.into()
                } else {
                    format!("{what}, with maps of {}", disks.join(", "))
                }
            }
            Self::FormatRetention(Format { target, size_bytes, erase, .. }) => format!(
                "{}make an {} file system on {} (SCSI ID {}, {})",
                if *erase { "ERASE and " } else { "" },
                target.fs_type,
                target.device,
                target.scsi_id,
                text::bytes(*size_bytes),
            ),
            Self::WriteFstab { device, mount_point, replaces: None, .. } => {
                format!("add {device} on {mount_point} to /etc/fstab")
            }
            Self::WriteFstab { mount_point, options, replaces: Some(old), .. } => {
                format!(
                    "give our own line for {mount_point} in /etc/fstab the options {options} instead of {old}"
                )
            }
            Self::MountRetention { target, mount_point, mounted: true } => format!(
                "take {} (SCSI ID {}), which is mounted at {mount_point}, on record as the retention volume",
                target.device, target.scsi_id
            ),
            Self::MountRetention { target, mount_point, mounted: false } => {
                format!("mount {} at {mount_point} and prove that it can be written", target.device)
            }
            Self::UnmountRetention { mount_point, disk, .. } => {
                format!("unmount {mount_point}; that volume stays as it is on {disk}")
            }
            Self::RemoveFstab { mount_point, devices } => {
                format!("take mt-agent's line for {} on {mount_point} out of /etc/fstab", devices.join(", "))
            }
            Self::GrowRetention { target, mount_point } => {
                format!(
                    "grow the {} file system at {mount_point} to the size of {}",
                    target.fs_type, target.device
                )
            }
        }
    }
}
