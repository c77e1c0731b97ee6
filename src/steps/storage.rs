//! Whether the storage under something answers, whether its file system met errors, and whether there is room on it.

use super::devices::carriers;
use super::need;
use super::tally::Tally;
use crate::facts::Facts;
use crate::facts::mounts::Mount;
use crate::facts::storage::Read;
use crate::host::text;

/// What brings a disk back.
pub const BRING_BACK: &str = "see in dmesg and in vSphere what became of the disk. Once it is there again: `echo running > \
    /sys/block/DISK/device/state` for a disk that is offline, `dmsetup resume MAP` for a map that is suspended, `service \
    multipathd start` for paths that failed. A file system with errors: `fsck -f DEVICE` while nothing is mounted from it (on the \
    system disk `touch /forcefsck` and restart)";

/// Looks whether what lies on the block device `major_minor` can be read now; tells whether something speaks against it.
pub fn answers(facts: &Facts, major_minor: &str, tally: &mut Tally) -> bool {
    let mut dead = false;
    let mut problem = |tally: &mut Tally, problem: String| {
        dead = true;
        tally.problem(problem);
    };
    for disk in
        tally.know(need(&facts.disks, "the disks")).map_or(Vec::new(), |all| carriers(all, major_minor))
    {
        if let Some(why) = disk.not_answering() {
            problem(tally, why);
        } else if disk.is_scsi() && disk.state.is_none() {
            tally.unknown(format!("the state of {} was not recorded", disk.name));
        }
    }
    let Some(storage) = tally.know(need(&facts.storage, "whether storage answers")) else { return dead };
    let Some(device) = storage.iter().find(|device| device.major_minor == major_minor) else {
        tally.unknown(format!("whether the device {major_minor} answers was not looked at"));
        return dead;
    };
    for map in &device.suspended {
        problem(tally, format!("{map} is suspended"));
    }
    let failed = tally.know(need(&device.failed_paths, &format!("the paths of {}", device.name)));
    for path in failed.into_iter().flatten() {
        problem(tally, format!("multipath takes the path {path} for failed"));
    }
    match tally.know(need(&device.read, &device.name)) {
        Some(Read::Failed(why)) => problem(tally, format!("{} does not answer: {why}", device.name)),
        Some(Read::Errors(why)) => {
            problem(tally, format!("the file system on {} has errors: {why}", device.name));
        }
        Some(Read::Done) | None => {}
    }
    dead
}

/// How much room a file system has, for people, and what of it is none.
pub struct Room {
    /// `94 % free (956 GiB), 99 % of the inodes`
    pub told: String,
    /// Of the bytes, in whole per cent, rounded down.
    pub percent: u64,
    /// Of the inodes, likewise; 100 where they are not counted.
    pub inode_percent: u64,
    /// What is free in bytes.
    pub bytes: u64,
    /// Whether no file can be made any more.
    pub no_inodes: bool,
}

/// The room of a mounted file system.
pub fn room(mount: &Mount, tally: &mut Tally) -> Option<Room> {
    let at = &mount.mount_point;
    let size = tally.know(need(&mount.size_bytes, &format!("the size of {at}")));
    let free = tally.know(need(&mount.free_bytes, &format!("the free space of {at}")));
    let inodes = tally.know(need(&mount.inodes, &format!("the inodes of {at}")));
    let free_inodes = tally.know(need(&mount.free_inodes, &format!("the free inodes of {at}")));
    let (size, bytes) = (*size?, *free?);
    let percent = percent(bytes, size);
    // What is not known of them is noted above, and fails nothing.
    let (inodes, free_inodes) = inodes.zip(free_inodes).map_or((0, 0), |(all, free)| (*all, *free));
    let inode_percent = if inodes == 0 { 100 } else { self::percent(free_inodes, inodes) };
    let mut told = format!("{percent} % free ({})", text::bytes(bytes));
    if inodes != 0 {
        told.push_str(&format!(", {inode_percent} % of the inodes"));
    }
    Some(Room { told, percent, inode_percent, bytes, no_inodes: inodes != 0 && free_inodes == 0 })
}

/// Rounded down: what is not all there is not there.
fn percent(part: u64, whole: u64) -> u64 {
    let percent = u128::from(part) * 100 / u128::from(whole.max(1));
    u64::try_from(percent).unwrap_or(100).min(100)
}

#[cfg(test)]
mod tests {
    use super::super::testing::mount;
    use super::*;
    use crate::facts::Fact;

    #[test]
    fn a_share_is_rounded_down_and_never_more_than_all() {
        assert_eq!(
            [percent(0, 0), percent(1, 0), percent(199, 1000), percent(u64::MAX, u64::MAX)],
            [0, 100, 19, 100]
        );
    }

    #[test]
    fn inodes_that_are_not_counted_are_not_missing() {
        let mut btrfs = mount("/x", "8:1", "/dev/sda1", 100 << 30);
        (btrfs.inodes, btrfs.free_inodes) = (Fact::Known(0), Fact::Known(0));
        let room = room(&btrfs, &mut Tally::default()).unwrap();
        assert_eq!(
            (room.told.as_str(), room.no_inodes, room.inode_percent),
            ("50 % free (50 GiB)", false, 100)
        );
    }
}
