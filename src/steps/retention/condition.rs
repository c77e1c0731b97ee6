//! Judging what the retention volume is: its file system, whether it can be written, and what else its disk is used for.

use super::identity::describe;
use super::now::volume;
use super::{choice, volumes};
use crate::facts::Facts;
use crate::facts::mounts::Mount;
use crate::host::command::pasted;
use crate::profile::Profile;
use crate::steps::devices::mount_over;
use crate::steps::layout::own_disks::ours::not_own;
use crate::steps::storage::mend;
use crate::steps::{Status, need};

pub(super) fn filesystem(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let (mount, disks) = volume(profile, facts)?;
    let wanted = profile.retention.filesystem.name();
    // exfat and the FUSE drivers for FAT count with them: none is listed, and none keeps Unix permissions.
    let fat = ["vfat", "msdos", "umsdos", "fat", "exfat", "fuseblk"].contains(&mount.fs_type.as_str());
    Ok(if fat {
        let fix = not_own(profile, facts, mount.major_minor).unwrap_or_else(|| {
            let again = match disks[0].id() {
                Some(id) => format!("mt-agent apply --retention-disk {id} --erase-disk {id}"),
                None => "give it a SCSI ID (scsi.ids)".to_owned(),
            };
            format!(
                "save what is on it, unmount it and remove its line from /etc/fstab; then {again}, or use another disk"
            )
        });
        Status::unmet(
            mount.fs_type.as_str(),
            format!("{} or another Unix file system", profile.retention.filesystem),
            fix,
        )
    } else if mount.fs_type != *wanted && volumes::on(facts, disks[0]).is_some() {
        // A person's own volume may be of any type.
        let fix = format!(
            "put {} into the profile (retention.filesystem), or make a new volume on another disk: mt-agent apply \
             --replace-retention SCSI-ID",
            mount.fs_type
        );
        Status::unmet(mount.fs_type.as_str(), format!("{wanted}, by the profile"), fix)
    } else {
        Status::met(mount.fs_type.as_str())
    })
}

pub(super) fn unlocked(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let (mount, disks) = volume(profile, facts)?;
    let expected = "device and mount writable";
    Ok(if disks.iter().any(|disk| disk.read_only) {
        let fix = "in vSphere, see whether the disk is an independent or shared read-only one";
        Status::unmet(format!("the device {} is read-only", disks[0].name), expected, fix)
    } else if mount.is_writable() {
        Status::met("read-write")
    } else {
        let fix = not_own(profile, facts, mount.major_minor).unwrap_or_else(|| {
            format!(
                "see in /etc/fstab whether its line says ro, and in dmesg whether it met errors: then {}; else `mount -o remount,rw {}`",
                mend(facts, mount, &disks[0].name),
                pasted(&mount.mount_point)
            )
        });
        Status::unmet("mounted read-only", expected, fix)
    })
}

pub(super) fn dedicated(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let (mount, disks) = volume(profile, facts)?;
    let mounts = need(&facts.mounts, "the mounts")?;
    let swaps = need(&facts.swaps, "active swap")?;
    let (mut others, mut fixes) = (Vec::new(), Vec::new());
    for disk in &disks {
        let all = disk.all_devices();
        let is_volume = |other: &Mount| {
            other.mount_point == mount.mount_point
                && other.major_minor == mount.major_minor
                && other.root == "/"
        };
        for other in mounts {
            if all.contains(&other.major_minor) && !is_volume(other) {
                others.push(format!("mounted at {}", other.mount_point));
                fixes.push(format!("`umount {}`", pasted(&other.mount_point)));
            }
        }
        for swap in swaps {
            let is_on_it = swap.major_minor.is_some_and(|device| all.contains(&device));
            // Swap files lie in a file system, not on a device of their own.
            let is_in_it = || !swap.is_partition && mount_over(mounts, &swap.path).is_some_and(is_volume);
            if is_on_it || is_in_it() {
                let what = if is_on_it { "swap" } else { "swap file" };
                others.push(format!("{what} {}", swap.path));
                fixes.push(format!("`swapoff {}`", pasted(&swap.path)));
            }
        }
        let holders = choice::foreign_holders(disk, mount.major_minor);
        if !holders.is_empty() {
            fixes.push("move what holds it to another disk".to_owned());
        }
        others.extend(holders);
    }
    for list in [&mut others, &mut fixes] {
        list.sort();
        list.dedup();
    }
    Ok(if others.is_empty() {
        Status::met(describe(disks[0]))
    } else {
        let fix = format!(
            "{}, and take it out of /etc/fstab where it stands there: use another disk for it",
            fixes.join(", ")
        );
        Status::unmet(
            format!("{} is also: {}", disks[0].name, others.join(", ")),
            "nothing else on that disk",
            fix,
        )
    })
}

pub(super) fn not_cache(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let (volume, _) = volume(profile, facts)?;
    let agent = need(&facts.site_agent, "the installed Site Recovery software")?;
    if !agent.is_installed() {
        return Ok(Status::NotApplicable {
            why: "the master target software is not installed yet".to_owned(),
        });
    }
    let Some(directory) = &agent.installation_dir else {
        return Ok(Status::Unknown {
            why: "/usr/local/.vx_version does not say where it is installed".to_owned(),
        });
    };
    let over = mount_over(need(&facts.mounts, "the mounts")?, directory);
    Ok(match over {
        None => Status::Unknown { why: format!("cannot determine on which file system {directory} lies") },
        Some(mount) if mount.major_minor == volume.major_minor => Status::unmet(
            format!("the master target is installed in {directory}, on the retention volume"),
            "an installation elsewhere",
            not_own(profile, facts, volume.major_minor).unwrap_or_else(|| {
                "uninstall it and install it in /usr/local/ASR, or use another disk for retention".to_owned()
            }),
        ),
        Some(mount) => Status::met(format!("installed in {directory}, on {}", mount.mount_point)),
    })
}
