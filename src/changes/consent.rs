//! Whether a change is one that a person agreed to: told by what it is about (a SCSI ID, the content of a file), as
//! names can come to mean something else while a person thinks.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use super::Change;
use super::collection::manifest;
use super::mkfs::Format;
use crate::facts::custom_changes::LARGEST_ARCHIVE;
use crate::host::sum::{PATIENCE, sha256};
use crate::host::{Host, files};

impl Change {
    /// Writes into the change what the files that it uses hold now: its performing refuses other ones. Where one cannot be
    /// read its performing says so, after what comes before it; one that can be read by then is another one.
    pub fn pin(&mut self, host: &Host) {
        match self {
            Self::RunCustomChanges { archive, archive_sha256, .. } => {
                *archive_sha256 = digest(&host.path(archive)).ok();
            }
            Self::InstallPackages { from: Some(from), manifest_sha256, .. } => {
                *manifest_sha256 = digest(&from.join(manifest::FILE)).ok();
            }
            // A file package is pinned by its own SHA-256, or has to be signed.
            Self::InstallPackages { from: None, .. }
            | Self::InstallFiles { .. }
            | Self::MakeDeviceNodes { .. }
            | Self::Collect(_)
            | Self::RecordCustomChanges { .. }
            | Self::SetRecordsAside
            | Self::RecordOwnDisks { .. }
            | Self::BlacklistRootDisk { .. }
            | Self::ConfigureMultipath { .. }
            | Self::StartMultipathd { .. }
            | Self::FormatRetention { .. }
            | Self::WriteFstab { .. }
            | Self::MountRetention { .. }
            | Self::UnmountRetention { .. }
            | Self::RemoveFstab { .. }
            | Self::GrowRetention { .. } => {}
        }
    }

    /// Whether who agreed to `agreed` has agreed to this change: the same one, or less of the same.
    ///
    /// Every field is named here, so that a new one, and a new kind of change, asks how it is compared.
    pub fn is_within(&self, agreed: &Self) -> bool {
        match self {
            // Whatever installs them, it is the same packages from the same repositories.
            Self::InstallPackages {
                packages: now,
                from: now_from,
                manager: _,
                manifest_sha256: now_manifest,
            } => {
                let Self::InstallPackages { packages, from, manager: _, manifest_sha256 } = agreed else {
                    return false;
                };
                now.iter().all(|name| packages.contains(name))
                    && now_from == from
                    && now_manifest == manifest_sha256
            }
            Self::InstallFiles { files: now } => {
                let Self::InstallFiles { files } = agreed else { return false };
                now.iter().all(|file| files.contains(file))
            }
            Self::MakeDeviceNodes { nodes: now } => {
                let Self::MakeDeviceNodes { nodes } = agreed else { return false };
                now.iter().all(|node| nodes.contains(node))
            }
            Self::RecordOwnDisks { scsi_ids: now } => {
                let Self::RecordOwnDisks { scsi_ids } = agreed else { return false };
                now.iter().all(|id| scsi_ids.contains(id))
            }
            Self::ConfigureMultipath { off: now_off, unhide: now_unhide } => {
                let Self::ConfigureMultipath { off, unhide } = agreed else { return false };
                now_off.iter().all(|key| off.contains(key))
                    && now_unhide.iter().all(|entry| unhide.contains(entry))
            }
            Self::StartMultipathd { disks: now, reload: now_reload } => {
                let Self::StartMultipathd { disks, reload } = agreed else { return false };
                now.iter().all(|disk| disks.contains(disk)) && now_reload <= reload
            }
            Self::RunCustomChanges { archive: now, rerun: now_rerun, archive_sha256: now_sha256 } => {
                let Self::RunCustomChanges { archive, rerun, archive_sha256 } = agreed else { return false };
                now == archive && now_rerun == rerun && now_sha256 == archive_sha256
            }
            Self::FormatRetention(now) => {
                let Format { target, size_bytes, erase, fingerprint } = now;
                let Self::FormatRetention(agreed) = agreed else { return false };
                target.is_within(&agreed.target)
                    && *size_bytes == agreed.size_bytes
                    && *erase == agreed.erase
                    && *fingerprint == agreed.fingerprint
            }
            // Before the volume is made, its line is foreseen by the one name or the other; both follow from the disk.
            Self::WriteFstab {
                device: now,
                scsi_id: now_id,
                mount_point: now_point,
                fs_type: now_type,
                options: now_options,
                replaces: now_replaced,
            } => {
                let Self::WriteFstab { device, scsi_id, mount_point, fs_type, options, replaces } = agreed
                else {
                    return false;
                };
                let same_volume = now_id == scsi_id && (!now_id.is_empty() || now == device);
                same_volume
                    && now_point == mount_point
                    && (now_type == fs_type || (fs_type == "auto" && !scsi_id.is_empty()))
                    && now_options == options
                    && now_replaced == replaces
            }
            Self::MountRetention { target: now, mount_point: now_point, mounted: now_mounted } => {
                let Self::MountRetention { target, mount_point, mounted } = agreed else { return false };
                // To put on record what is mounted is the less.
                now.is_within(target) && now_point == mount_point && now_mounted >= mounted
            }
            // Where it is mounted, and what, says it all.
            Self::UnmountRetention { mount_point: now_point, major_minor: now, disk: _ } => {
                let Self::UnmountRetention { mount_point, major_minor, .. } = agreed else { return false };
                now_point == mount_point && now == major_minor
            }
            Self::RemoveFstab { mount_point: now_point, devices: now } => {
                let Self::RemoveFstab { mount_point, devices } = agreed else { return false };
                now_point == mount_point && now.iter().all(|device| devices.contains(device))
            }
            Self::GrowRetention { target: now, mount_point: now_point } => {
                let Self::GrowRetention { target, mount_point } = agreed else { return false };
                now.is_within(target) && now_point == mount_point
            }
            Self::BlacklistRootDisk { scsi_id: _, replaces: _ }
            | Self::RecordCustomChanges { accepted: _ }
            | Self::SetRecordsAside
            | Self::Collect(_) => self == agreed,
        }
    }
}

/// Refuses `what`, whose content is `now`, where a person agreed to other content.
pub(super) fn unchanged(what: &str, now: &str, agreed: Option<&str>) -> Result<()> {
    ensure!(
        agreed.is_none_or(|agreed| agreed == now),
        "{what} has changed since the plan was shown (its SHA-256 is {now} now): run apply again"
    );
    Ok(())
}

/// The SHA-256 of a regular file, lower-case hex.
/// Errors: It cannot be read; it is larger than all that is pinned.
pub(super) fn digest(path: &Path) -> Result<String> {
    let file = files::open(path).with_context(|| format!("reading {}", path.display()))?;
    let sum = sha256(&file, LARGEST_ARCHIVE, PATIENCE);
    Ok(sum.with_context(|| format!("reading {}", path.display()))?.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changes::Target;
    use crate::host::{FileSystem, Uuid, files};
    use crate::platform::packages::Manager;

    fn target(device: &str, scsi_id: &str, uuid: Option<&str>) -> Target {
        let (scsi_id, device) = (scsi_id.into(), device.into());
        Target { scsi_id, device, fs_type: FileSystem::Ext4, uuid: uuid.map(Uuid::from) }
    }

    fn fstab(device: &str, scsi_id: &str) -> Change {
        Change::WriteFstab {
            device: device.into(),
            scsi_id: scsi_id.into(),
            mount_point: "/mnt/retention".into(),
            fs_type: "ext4".into(),
            options: "rw".into(),
            replaces: None,
        }
    }

    fn format(device: &str, fingerprint: Option<&str>) -> Change {
        Change::FormatRetention(Format {
            target: target(device, "36000c29a", Some("30ef1c40-2cfe-8764-838a-54b27fe8b884")),
            size_bytes: 1 << 40,
            erase: fingerprint.is_some(),
            fingerprint: fingerprint.map(str::to_owned),
        })
    }

    fn install(packages: &[&str], from: Option<&str>, manifest: Option<&str>) -> Change {
        Change::InstallPackages {
            packages: packages.iter().map(|&name| name.to_owned()).collect(),
            from: from.map(Into::into),
            manager: Manager::default(),
            manifest_sha256: manifest.map(str::to_owned),
        }
    }

    #[test]
    fn what_was_agreed_to_is_told_by_identity() {
        let run = |rerun, sum: &str| Change::RunCustomChanges {
            archive: "/root/agent.tar.gz".into(),
            rerun,
            archive_sha256: Some(sum.into()),
        };
        let blacklist = |id: &str| Change::BlacklistRootDisk { scsi_id: id.into(), replaces: None };
        let all = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        let ids = |ids: &[&str]| ids.iter().map(|&id| id.into()).collect();
        let configure =
            |off: &[&str], unhide: &[&str]| Change::ConfigureMultipath { off: all(off), unhide: all(unhide) };
        let own = |disks: &[&str]| Change::RecordOwnDisks { scsi_ids: ids(disks) };
        let start = |disks: &[&str]| Change::StartMultipathd { disks: ids(disks), reload: false };
        let mount = |device: &str, id: &str, point: &str| Change::MountRetention {
            target: target(device, id, None),
            mount_point: point.into(),
            mounted: false,
        };
        let recorded = |id: &str| {
            let mut change = mount("/dev/sdb", id, "/mnt/retention");
            let Change::MountRetention { mounted, .. } = &mut change else { panic!("it mounts") };
            *mounted = true;
            change
        };
        let unmount = |at: &str, number: &str, disk: &str| Change::UnmountRetention {
            mount_point: at.into(),
            major_minor: number.into(),
            disk: disk.into(),
        };
        let remove = |devices: &[&str]| Change::RemoveFstab {
            mount_point: "/mnt/retention".into(),
            devices: devices.iter().map(|device| (*device).to_owned()).collect(),
        };
        let grow = |device: &str, scsi_id: &str| Change::GrowRetention {
            target: target(device, scsi_id, Some("1-2")),
            mount_point: "/mnt/retention".into(),
        };
        let same = [
            (format("/dev/sdb", None), format("/dev/sdc", None)),
            (format("/dev/sdb", Some("aa")), format("/dev/mapper/36000c29a", Some("aa"))),
            (fstab("UUID=30ef", "36000c29a"), fstab("/dev/mapper/36000c29a", "36000c29a")),
            (
                mount("/dev/sdb", "36000c29a", "/mnt/retention"),
                mount("/dev/sdc", "36000c29a", "/mnt/retention"),
            ),
            (mount("/dev/sdb", "36000c29a", "/mnt/retention"), recorded("36000c29a")),
            (install(&["perl", "wget"], None, None), install(&["wget"], None, None)),
            (run(false, "aa"), run(false, "aa")),
            (blacklist("36000c29a"), blacklist("36000c29a")),
            (configure(&["find_multipaths"], &["^sd"]), configure(&["find_multipaths"], &[])),
            (start(&["36000c29a", "36000c29b"]), start(&["36000c29b"])),
            (unmount("/mnt/retention", "253:0", "sdb"), unmount("/mnt/retention", "253:0", "sdc")),
            (remove(&["UUID=1", "UUID=2"]), remove(&["UUID=2"])),
            (grow("/dev/sdb", "36000c29a"), grow("/dev/mapper/36000c29a", "36000c29a")),
        ];
        for (agreed, now) in same {
            assert!(now.is_within(&agreed), "{now:?} is {agreed:?}");
        }
        let other = [
            (fstab("UUID=30ef", "36000c29a"), fstab("UUID=30ef", "36000c29b")),
            (fstab("UUID=30ef", ""), fstab("UUID=31ef", "")),
            (format("/dev/sdb", None), format("/dev/sdb", Some("aa"))),
            (format("/dev/sdb", Some("aa")), format("/dev/sdb", Some("ab"))),
            (mount("/dev/sdb", "36000c29a", "/mnt/retention"), mount("/dev/sdb", "36000c29a", "/srv")),
            (
                mount("/dev/sdb", "36000c29a", "/mnt/retention"),
                mount("/dev/sdb", "36000c29b", "/mnt/retention"),
            ),
            (install(&["perl"], None, None), install(&["perl", "wget"], None, None)),
            (install(&["perl"], Some("/srv"), Some("aa")), install(&["perl"], Some("/srv"), Some("ab"))),
            (run(false, "aa"), run(true, "aa")),
            (run(false, "aa"), run(false, "ab")),
            (blacklist("36000c29a"), blacklist("36000c29b")),
            (configure(&["find_multipaths"], &[]), configure(&["user_friendly_names"], &[])),
            (configure(&["find_multipaths"], &[]), configure(&["find_multipaths"], &["^sd"])),
            (start(&["36000c29a"]), start(&["36000c29a", "36000c29b"])),
            (unmount("/mnt/retention", "253:0", "sdb"), unmount("/mnt/retention", "253:1", "sdb")),
            (unmount("/mnt/retention", "253:0", "sdb"), unmount("/srv", "253:0", "sdb")),
            (remove(&["UUID=1"]), remove(&["UUID=2"])),
            (grow("/dev/sdb", "36000c29a"), grow("/dev/sdb", "36000c29b")),
            (start(&[]), configure(&[], &[])),
            (own(&["36000c29a"]), own(&["36000c29a", "36000c29b"])),
            (Change::SetRecordsAside, Change::RecordCustomChanges { accepted: false }),
            (Change::RecordCustomChanges { accepted: false }, Change::RecordCustomChanges { accepted: true }),
        ];
        for (agreed, now) in other {
            assert!(!now.is_within(&agreed), "{now:?} is not {agreed:?}");
        }
    }

    #[test]
    fn another_file_under_the_same_name_is_another_one() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::image(dir.path());
        std::fs::create_dir(dir.path().join("root")).unwrap();
        let archive = dir.path().join("root/agent.tar.gz");
        let pinned = |content: &str| {
            files::replace(&archive, content.as_bytes(), 0o600).unwrap();
            let mut change = Change::RunCustomChanges {
                archive: "/root/agent.tar.gz".into(),
                rerun: false,
                archive_sha256: None,
            };
            change.pin(&host);
            change
        };
        let agreed = pinned("one");
        assert!(pinned("one").is_within(&agreed) && !pinned("two").is_within(&agreed));
        let collection = dir.path().join("collection");
        std::fs::create_dir(&collection).unwrap();
        let mut change = install(&["perl"], collection.to_str(), None);
        change.pin(&host);
        let unreadable = change.clone();
        files::replace(&collection.join("manifest.json"), b"{}", 0o600).unwrap();
        change.pin(&host);
        assert!(!change.is_within(&unreadable), "it came after the plan was shown");
        let Change::InstallPackages { manifest_sha256: Some(sum), .. } = change else { panic!() };
        assert_eq!(sum.len(), 64);
    }
}
