//! The only code that alters a host, one file a kind of change. A change is a value: `plan` prints it, the
//! journal records it, a test compares it.

pub mod archive;
pub mod collection;
mod consent;
pub mod custom_changes;
pub mod device;
mod device_nodes;
pub mod fetch;
pub mod free_space;
pub mod fstab;
pub mod grow;
pub mod identity;
pub mod mkfs;
pub mod mount;
pub mod multipath;
pub mod packages;
pub mod records;
pub mod saved;
pub mod scrub;
#[cfg(test)]
mod testing;
pub mod unmount;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::host::Host;
use crate::host::command::{Command, Failure, Output};
use crate::profile::{FileSpec, Profile};

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
        /// SHA-256 of the collection's manifest, lower-case hex, once a person has been asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        manifest_sha256: Option<String>,
    },
    /// Fetch (or take from a directory), verify and install packages that come as files.
    InstallFiles {
        /// Which.
        files: Vec<FileSpec>,
    },
    /// Collect what an unconnected master target needs in a directory. Nothing else of the host is changed.
    Collect {
        /// The directory.
        directory: PathBuf,
        /// Packages, to come with their dependencies.
        packages: Vec<String>,
        /// Packages that come as files.
        files: Vec<FileSpec>,
        /// Repositories to take the packages from, instead of this host's own.
        repositories: Vec<String>,
        /// The agent's own package.
        agent_package: Option<PathBuf>,
    },
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
        scsi_ids: Vec<String>,
    },
    /// Make the multipath blacklist name this machine's root disk.
    BlacklistRootDisk {
        /// SCSI ID of the root disk.
        scsi_id: String,
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
        /// SCSI IDs of the disks without a map.
        disks: Vec<String>,
        /// Whether it runs already, by an earlier file.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        reload: bool,
    },
    /// Make a file system on the retention disk. The only change that can destroy data: see design.md's rules.
    FormatRetention {
        /// SCSI ID of the disk that was chosen.
        scsi_id: String,
        /// The device to write to: its multipath map where it has one.
        device: String,
        /// `ext4` or `xfs`.
        fs_type: String,
        /// The UUID that the file system will carry.
        uuid: String,
        /// Size of the disk in bytes, as planned: another size at the time of writing is a refusal.
        size_bytes: u64,
        /// Whether `--erase-disk` named this disk: lifts "not blank", never "in use".
        erase: bool,
        /// What may be erased: the fingerprint of what was on the disk when the person said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fingerprint: Option<String>,
    },
    /// Let fstab mount the retention volume at every boot.
    WriteFstab {
        /// A name that cannot move: /dev/mapper/WWID or UUID=….
        device: String,
        /// SCSI ID of its disk; empty where it has none.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        scsi_id: String,
        /// The mount point.
        mount_point: String,
        /// File system type.
        fs_type: String,
        /// Options. Version 0.1.0, whose journal does not tell them, wrote these.
        #[serde(default = "options_of_0_1_0")]
        options: String,
        /// The options of our own earlier entry that they replace, if they do.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replaces: Option<String>,
    },
    /// Mount the retention volume, then write, sync, read back and remove a probe file.
    MountRetention {
        /// The device.
        device: String,
        /// SCSI ID of its disk.
        scsi_id: String,
        /// The mount point.
        mount_point: String,
        /// File system type; `auto`: the one that it carries.
        fs_type: String,
        /// The UUID that the file system must have, where it is one that we made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        uuid: Option<String>,
        /// Whether it is mounted there already: then it is proved, and goes on record.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        mounted: bool,
    },
    /// Unmount the volume whose place another one takes; it stays as it is.
    UnmountRetention {
        /// Where it is mounted.
        mount_point: String,
        /// `major:minor` of what is mounted there.
        major_minor: String,
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
        /// The device: the multipath map where the disk has one.
        device: String,
        /// SCSI ID of its disk.
        scsi_id: String,
        /// Where it is mounted.
        mount_point: String,
        /// `ext4` or `xfs`.
        fs_type: String,
        /// The UUID of the file system.
        uuid: String,
    },
}

fn options_of_0_1_0() -> String {
    "rw,nofail".to_owned()
}

/// What performing a change did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Done {
    /// The host was so already.
    Unchanged,
    /// It was changed: what.
    Changed(String),
}

/// Who watches changes being made.
pub trait Observer {
    /// A line about long work under way: what yum or mkfs prints.
    fn progress(&mut self, line: &str);
    /// Bytes transferred so far, and in all where that is known.
    fn transfer(&mut self, what: &str, done: u64, total: Option<u64>);
    /// A line for /var/log/mt-agent.log: what was run and what it said.
    fn log(&mut self, line: &str);
}

/// How many lines of a command are shown and logged: a script that asks for ever prints for ever.
const LINES: usize = 2000;

/// What performing a change needs.
pub struct Context<'a> {
    /// The host to change.
    pub host: &'a Host,
    /// What it is to become.
    pub profile: &'a Profile,
    /// The boot id of this boot, for records.
    pub boot_id: &'a str,
    /// Who watches.
    pub observer: &'a mut dyn Observer,
}

impl Context<'_> {
    /// Runs `command`, giving each of its lines to the observer and to the log, up to a bound.
    ///
    /// # Errors
    /// As [`Command::run`].
    pub fn run(&mut self, command: &Command) -> Result<Output, Failure> {
        let host = self.host;
        self.watched(command, |watch| command.run_watched(host, watch))
    }

    /// As [`Context::run`], on another host; it begins when `begin` has been given its process id.
    ///
    /// # Errors
    /// As [`Command::run_held`].
    pub fn run_held(
        &mut self,
        host: &Host,
        command: &Command,
        begin: &mut dyn FnMut(u32) -> anyhow::Result<()>,
    ) -> Result<Output, Failure> {
        self.watched(command, |watch| command.run_held(host, watch, begin))
    }

    fn watched(
        &mut self,
        command: &Command,
        run: impl FnOnce(&mut dyn FnMut(&str)) -> Result<Output, Failure>,
    ) -> Result<Output, Failure> {
        let observer = &mut *self.observer;
        let place = command.directory().map(|path| format!(" (in {})", path.display())).unwrap_or_default();
        observer.log(&format!("run: {}{place}", command.line()));
        let mut lines = 0;
        let result = run(&mut |line| {
            lines += 1;
            if lines <= LINES {
                observer.progress(line);
                observer.log(&format!("  {line}"));
            } else if lines == LINES + 1 {
                observer.log("  (it prints more; that is left out)");
            }
        });
        match &result {
            Ok(output) => observer.log(&format!("status: {}", output.status)),
            Err(failure) => observer.log(&format!("failed: {failure}")),
        }
        result
    }
}

impl Change {
    /// One line that says what it does, for the plan.
    #[must_use]
    pub fn summary(&self) -> String {
        match self {
            Self::InstallPackages { packages, from: None, .. } => {
                format!("install {} with yum", packages.join(", "))
            }
            Self::InstallPackages { packages, from: Some(from), .. } => {
                format!("install {} from {} alone, with rpm", packages.join(", "), from.display())
            }
            Self::InstallFiles { files } => {
                let names: Vec<_> = files.iter().map(|file| file.file.as_str()).collect();
                // A collection names no address.
                let fetch = if files.iter().all(|file| file.urls.is_empty()) { "" } else { "fetch, " };
                format!("{fetch}verify and install {}", names.join(", "))
            }
            Self::Collect { directory, packages, files, .. } => {
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
            Self::FormatRetention { scsi_id, device, fs_type, size_bytes, erase, .. } => format!(
                "{}make an {fs_type} file system on {device} (SCSI ID {scsi_id}, {})",
                if *erase { "ERASE and " } else { "" },
                crate::host::text::bytes(*size_bytes),
            ),
            Self::WriteFstab { device, mount_point, replaces: None, .. } => {
                format!("add {device} on {mount_point} to /etc/fstab")
            }
            Self::WriteFstab { mount_point, options, replaces: Some(old), .. } => {
                format!(
                    "give our own line for {mount_point} in /etc/fstab the options {options} instead of {old}"
                )
            }
            Self::MountRetention { device, scsi_id, mount_point, mounted: true, .. } => format!(
                "take {device} (SCSI ID {scsi_id}), which is mounted at {mount_point}, on record as the retention volume"
            ),
            Self::MountRetention { device, mount_point, .. } => {
                format!("mount {device} at {mount_point} and prove that it can be written")
            }
            Self::UnmountRetention { mount_point, disk, .. } => {
                format!("unmount {mount_point}; that volume stays as it is on {disk}")
            }
            Self::RemoveFstab { mount_point, devices } => {
                format!("take mt-agent's line for {} on {mount_point} out of /etc/fstab", devices.join(", "))
            }
            Self::GrowRetention { device, mount_point, fs_type, .. } => {
                format!("grow the {fs_type} file system at {mount_point} to the size of {device}")
            }
        }
    }

    /// Performs it. Checks first whether the host is so already.
    ///
    /// # Errors
    /// What failed, naming the object. The host is then as it was, or as the change's own file says.
    pub fn perform(&self, context: &mut Context<'_>) -> anyhow::Result<Done> {
        match self {
            Self::InstallPackages { packages, from: None, .. } => packages::install(context, packages),
            Self::InstallPackages { packages, from: Some(from), manifest_sha256 } => {
                collection::install(context, from, manifest_sha256.as_deref(), packages)
            }
            Self::Collect { directory, packages, files, repositories, agent_package } => {
                let agent_package = agent_package.as_deref();
                let order = collection::Order { directory, packages, files, repositories, agent_package };
                collection::collect(context, &order)
            }
            Self::InstallFiles { files } => packages::install_files(context, files),
            Self::MakeDeviceNodes { nodes } => device_nodes::make(context, Some(nodes)),
            Self::RunCustomChanges { archive, rerun, archive_sha256 } => {
                custom_changes::run(context, archive, *rerun, archive_sha256.as_deref())
            }
            Self::RecordCustomChanges { accepted } => custom_changes::record(context, *accepted),
            Self::SetRecordsAside => records::set_aside(context),
            Self::RecordOwnDisks { scsi_ids } => records::own_disks(context.host, scsi_ids),
            Self::BlacklistRootDisk { scsi_id, replaces } => {
                multipath::blacklist_root_disk(context, scsi_id, replaces.as_deref())
            }
            Self::ConfigureMultipath { off, unhide } => multipath::configure::configure(context, off, unhide),
            Self::StartMultipathd { disks, reload } => multipath::start::start(context, disks, *reload),
            Self::FormatRetention { scsi_id, device, fs_type, uuid, size_bytes, erase, fingerprint } => {
                let (size_bytes, erase, fingerprint) = (*size_bytes, *erase, fingerprint.as_deref());
                let target = mkfs::Target { scsi_id, device, fs_type, uuid, size_bytes, erase, fingerprint };
                mkfs::format(context, &target)
            }
            Self::WriteFstab { device, mount_point, fs_type, options, .. } => {
                fstab::write(context, &fstab::Entry { device, mount_point, fs_type, options })
            }
            Self::MountRetention { device, scsi_id, mount_point, fs_type, uuid, mounted: _ } => {
                let uuid = uuid.as_deref();
                mount::mount_retention(
                    context,
                    &mount::Volume { device, scsi_id, mount_point, fs_type, uuid },
                )
            }
            Self::UnmountRetention { mount_point, major_minor, disk } => {
                unmount::unmount(context, mount_point, major_minor, disk)
            }
            Self::RemoveFstab { mount_point, devices } => fstab::remove(context.host, mount_point, devices),
            Self::GrowRetention { device, scsi_id, mount_point, fs_type, uuid } => {
                let uuid = Some(uuid.as_str());
                grow::grow(context, &mount::Volume { device, scsi_id, mount_point, fs_type, uuid })
            }
        }
    }
}
