//! Judging whether the retention volume is mounted.

use super::now::{elsewhere, mount_now};
use super::waiting::{Waiting, waiting};
use super::{strays, volumes};
use crate::facts::Facts;
use crate::facts::disks::Disk;
use crate::host::ScsiId;
use crate::host::command::pasted;
use crate::profile::Profile;
use crate::steps::devices::{fstab_entry, hidden_by, resolve};
use crate::steps::{Status, need, twins};

pub(super) fn mounted(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let point = &profile.retention.mount_point;
    let mounts = need(&facts.mounts, "the mounts")?;
    Ok(match mount_now(profile, facts)? {
        Some(mount) if let Some(over) = hidden_by(mounts, mount) => Status::unmet(
            format!(
                "{} at {point} is hidden by {}, which was mounted at {} later",
                mount.source, over.source, over.mount_point
            ),
            format!("the retention volume at {point}"),
            format!("umount {}", pasted(&over.mount_point)),
        ),
        Some(mount) if mount.root != "/" => Status::unmet(
            format!("{point} is the directory {} of another file system", mount.root),
            "a file system of its own",
            format!("unmount {point} and mount the retention volume there"),
        ),
        Some(mount) => Status::met(format!("{} at {point}", mount.source)),
        None => {
            let has_line = facts.fstab.known().is_some_and(|all| fstab_entry(all, point).is_some());
            let expected = format!("the retention volume at {point}");
            let named = profile.retention.disk.as_deref();
            let ours = volumes::ours(facts, named).ok().flatten();
            let id = ours.as_ref().and_then(|ours| ours.disk.id()).map_or("SCSI-ID", ScsiId::as_str);
            let by_hand = if has_line { point.to_string() } else { format!("/dev/mapper/{id} {point}") };
            let (mut found, mut fix) = match ours.and_then(|ours| elsewhere(facts, ours.disk)) {
                Some(mount) => (
                    format!("it is mounted at {}, and nothing at {point}", mount.mount_point),
                    format!(
                        "mt-agent apply mounts it at {point} instead, where nothing uses it; or put {} into the profile \
                         (retention.mount-point)",
                        mount.mount_point
                    ),
                ),
                None => {
                    let fix = match waiting(profile, facts, named) {
                        Err(_) => "see retention.disk".to_owned(),
                        Ok(Some(Waiting { refused: Some(why), .. })) => why,
                        // What mount(8) takes by fstab's name can be another device.
                        Ok(Some(waiting)) if has_line && !names_only(profile, facts, waiting.disk) => {
                            format!("mt-agent apply, or: mount {} {point}", pasted(&waiting.disk.device()))
                        }
                        Ok(_) => format!("mt-agent apply, or: mount {by_hand}"),
                    };
                    (format!("nothing is mounted at {point}"), fix)
                }
            };
            if let Some(strays) = strays::at(point, facts) {
                found = format!("{found}; {}", strays.found);
                fix = format!("{}; then {fix}", strays.fix);
            }
            Status::unmet(found, expected, fix)
        }
    })
}

/// Whether the line of fstab for the mount point names what is on `disk` and no other attached device.
fn names_only(profile: &Profile, facts: &Facts, disk: &Disk) -> bool {
    let entry = facts.fstab.known().and_then(|all| fstab_entry(all, &profile.retention.mount_point));
    entry.is_some_and(|entry| {
        let number = resolve(&entry.device, facts).ok().flatten();
        number.is_some_and(|number| disk.all_devices().contains(&number))
            && twins::of(&entry.device, facts).is_ok_and(|twins| twins.is_empty())
    })
}
