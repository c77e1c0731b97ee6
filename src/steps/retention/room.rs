//! Whether the retention volume answers, and whether there is room on it.

use super::now::volume;
use crate::facts::Facts;
use crate::profile::Profile;
use crate::steps::Status;
use crate::steps::layout::own_disks::ours::not_own;
use crate::steps::storage::{self, Room};
use crate::steps::tally::Tally;

/// What is free at least: below it the volume counts as full.
const FULL_PERCENT: u64 = 1;
const FULL_BYTES: u64 = 1 << 30;

pub(super) fn alive(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let (mount, disks) = volume(profile, facts)?;
    let mut tally = Tally::default();
    let fixes = {
        let not_own = || not_own(profile, facts, mount.major_minor);
        storage::answers(facts, mount.major_minor, &not_own, &mut tally)
    };
    let expected = "every disk and path under it runs, no map is suspended, and a read is answered";
    Ok(tally.status(format!("{} runs and was read", disks[0].name), expected, fixes.join("; ")))
}

pub(super) fn free(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let (mount, _) = volume(profile, facts)?;
    let mut tally = Tally::default();
    let room = storage::room(mount, &mut tally);
    let wanted = profile.retention.free_percent.get();
    let mut expected = format!("{wanted} % or more, of the inodes too");
    if let Some(room) = &room {
        let full = is_full(room);
        if full {
            expected =
                format!("not full: {FULL_PERCENT} % and 1 GiB or more, and inodes; recommended: {wanted} %");
        }
        if full || room.percent < wanted || room.inode_percent < wanted {
            tally.problem(room.text.clone());
        }
    }
    let look = room.as_ref().map(|room| storage::what_fills(&mount.mount_point, room)).unwrap_or_default();
    let fix = not_own(profile, facts, mount.major_minor).unwrap_or_else(|| {
        format!(
            "{look}. Retention data goes when failback is committed or the retention window is made shorter; what does not \
             belong there is to be removed; else enlarge the disk in vSphere and grow the file system"
        )
    });
    Ok(tally.status(room.map_or_else(String::new, |room| room.text), expected, fix))
}

/// Whether the volume only has less room than recommended. Where something is not known, it may be full as well.
pub(in crate::steps) fn only_share_fails(profile: &Profile, facts: &Facts) -> bool {
    let mut tally = Tally::default();
    let room = volume(profile, facts).ok().and_then(|(mount, _)| storage::room(mount, &mut tally));
    tally.is_certain() && room.is_some_and(|room| !is_full(&room))
}

fn is_full(room: &Room) -> bool {
    room.percent < FULL_PERCENT || room.bytes < FULL_BYTES || room.no_inodes
}
