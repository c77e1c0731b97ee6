//! Whether the storage under something answers, whether its file system met errors, and whether there is room on it.

use super::devices::carriers;
use super::tally::Tally;
use super::{need, unmounting};
use crate::facts::Facts;
use crate::facts::disks::Disk;
use crate::facts::mounts::Mount;
use crate::facts::storage::{Read, Storage};
use crate::host::command::pasted;
use crate::host::{DeviceNumber, text};

/// What brings `disk` back.
pub fn bring_back(disk: &Disk) -> String {
    let name = &disk.name;
    format!(
        "see in dmesg and in vSphere what became of {name}; once it is there again, `echo running > \
         /sys/block/{name}/device/state`"
    )
}

/// Looks whether what lies on the block device `major_minor` can be read now, and its file system is without errors; what is to
/// be done where something speaks against it. Of a file system on a disk that is not this host's, `not_own` tells what is advised in
/// the place of mending it.
pub fn answers(
    facts: &Facts,
    major_minor: DeviceNumber,
    not_own: &dyn Fn() -> Option<String>,
    tally: &mut Tally,
) -> Vec<String> {
    let mut fixes = Vec::new();
    let disks =
        tally.know(need(&facts.disks, "the disks")).map_or(Vec::new(), |all| carriers(all, major_minor));
    for disk in &disks {
        if let Some(why) = disk.not_answering() {
            tally.problem(why);
            fixes.push(bring_back(disk));
        } else if disk.is_scsi() && disk.state.is_none() {
            tally.unknown(format!("the state of {} was not recorded", disk.name));
        }
    }
    let Some(storage) = tally.know(need(&facts.storage, "whether storage answers")) else { return fixes };
    let Some(device) = storage.iter().find(|device| device.major_minor == major_minor) else {
        tally.unknown(format!("whether the device {major_minor} answers was not looked at"));
        return fixes;
    };
    for map in &device.suspended {
        tally.problem(format!("{map} is suspended"));
        let mut maps = disks.iter().filter_map(|disk| disk.multipath.as_ref());
        let name = maps.find(|other| other.name == *map).map_or(map, |map| &map.dm_name);
        let name = pasted(name);
        fixes.push(format!("`dmsetup resume {name}`, once whoever suspended it is gone"));
    }
    let failed = tally.know(need(&device.failed_paths, &format!("the paths of {}", device.name)));
    for path in failed.into_iter().flatten() {
        tally.problem(format!("multipath takes the path {path} for failed"));
        fixes.push(format!(
            "see in dmesg and in vSphere what became of {path}; once it answers again, `multipathd -k\"reinstate path {path}\"`"
        ));
    }
    let name = &device.name;
    match tally.know(need(&device.read, name)) {
        Some(Read::Failed(why)) => {
            tally.problem(format!("{name} does not answer: {why}"));
            fixes.push(format!("see in dmesg and in vSphere what became of the disk of {name}"));
        }
        Some(Read::Errors(why)) => {
            tally.problem(format!("the file system on {name} has errors: {why}"));
            fixes.push(not_own().unwrap_or_else(|| check_file_system(facts, device)));
        }
        Some(Read::Lost(why)) => tally.unknown(format!(
            "whether the file system on {name} was checked since the kernel lost a write to it, or found it corrupt, before it was \
             mounted last: {why} (ext4: `tune2fs -l /dev/{name}` at \"Last checked\"; a check of it while it is not mounted clears this, and so does a \
             restart, which begins the log anew)"
        )),
        Some(Read::Unlogged(why)) => tally.unknown(format!(
            "whether the kernel gave up the file system on {name}, or lost a write to it: {why} (root reads it with `dmesg`)"
        )),
        Some(Read::Done) | None => {}
    }
    fixes
}

/// How its file system is mended.
fn check_file_system(facts: &Facts, device: &Storage) -> String {
    let mounts = facts.mounts.known().into_iter().flatten();
    let at: Vec<&Mount> = mounts.filter(|mount| mount.major_minor == device.major_minor).collect();
    match at.iter().find(|mount| mount.mount_point == "/").or_else(|| at.first()) {
        Some(mount) if mount.mount_point != "/" => mend(facts, mount, &device.name),
        mount => mend_root(mount.map_or("", |mount| &mount.fs_type), &device.name),
    }
}

/// How the file system of `/` is mended, on the device with the kernel name `name`. A file /forcefsck cannot be made where its journal
/// was aborted. rc.sysinit of CentOS 6 and systemd-fsck read the word on the kernel line; fsck.xfs does nothing.
fn mend_root(fs_type: &str, name: &str) -> String {
    if fs_type == "xfs" {
        return format!("start a rescue system, and `xfs_repair /dev/{name}` there");
    }
    format!(
        "restart, and in the boot loader's menu add the word forcefsck to the kernel line of the boot entry, for this boot alone (GRUB: \
         e on the entry, e on its kernel line, b); or start a rescue system, and `fsck -f /dev/{name}` there"
    )
}

/// The commands that mend the file system of `mount`, on the device with the kernel name `name`: none looks at what is mounted, wherever
/// that is, and what is mounted below it holds it. That for XFS wants its log to have been replayed, which mounting does, and its fsck
/// does nothing.
pub fn mend(facts: &Facts, mount: &Mount, name: &str) -> String {
    let mounts = facts.mounts.known().map_or(&[][..], Vec::as_slice);
    let mut unmounted = unmounting::order(mounts, |other| other.major_minor == mount.major_minor);
    if unmounted.is_empty() {
        unmounted.push(mount);
    }
    let source = &mount.source;
    // The kernel's name of a map says little to people.
    let device = if source.starts_with("/dev/") { pasted(source) } else { format!("/dev/{name}") };
    let mut all: Vec<String> =
        unmounted.iter().map(|mount| format!("umount {}", pasted(&mount.mount_point))).collect();
    let again = unmounting::again(facts, &unmounted);
    if mount.fs_type == "xfs" {
        // The first is one of its own.
        if let Some((first, command)) = again.first() {
            all.extend([command.clone(), format!("umount {}", pasted(&first.mount_point))]);
        }
        all.push(format!("xfs_repair {device}"));
    } else {
        all.push(format!("fsck -f {device}"));
    }
    all.extend(again.into_iter().map(|(_, command)| command));
    let commands: Vec<_> = all.iter().map(|command| format!("`{command}`")).collect();
    unmounting::saved_before(&unmounted).unwrap_or_default() + &commands.join(", ")
}

/// How much room a file system has, for people, and what of it is none.
pub struct Room {
    /// `94 % free (956 GiB), 99 % of the inodes`
    pub text: String,
    /// Of the bytes, in whole per cent, rounded down.
    pub percent: u64,
    /// Of the inodes, likewise; 100 where they are not counted.
    pub inode_percent: u64,
    pub bytes: u64,
    /// Whether no file can be made any more.
    pub no_inodes: bool,
}

/// What finds out where the room of the file system at `path` went.
pub fn what_fills(path: &str, room: &Room) -> String {
    if room.no_inodes || room.inode_percent < room.percent {
        format!(
            "see where its files are: `find {path} -xdev -printf '%h\\n' | sort | uniq -c | sort -n | tail` (each takes an inode)"
        )
    } else {
        format!("see what fills it: `du -xh --max-depth=2 {path}`")
    }
}

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
    let mut text = format!("{percent} % free ({})", text::bytes(bytes));
    if inodes != 0 {
        text.push_str(&format!(", {inode_percent} % of the inodes"));
    }
    Some(Room { text, percent, inode_percent, bytes, no_inodes: inodes != 0 && free_inodes == 0 })
}

/// Rounded down: what is not all there is not there.
fn percent(part: u64, whole: u64) -> u64 {
    let percent = u128::from(part) * 100 / u128::from(whole.max(1));
    u64::try_from(percent).unwrap_or(100).min(100)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{mount, ready};
    use super::*;
    use crate::facts::Fact;

    #[test]
    fn what_is_pasted_into_a_shell_is_one_word_of_it() {
        let (_, mut facts) = ready();
        let mut mended = |mount: Mount| {
            facts.mounts = Fact::Known(vec![mount.clone()]);
            mend(&facts, &mount, "sda1")
        };
        assert_eq!(
            mended(mount("/mnt/a b;\u{1b}", "8:1", "/dev/mapper/x$(y)", 1 << 30)),
            r"`umount '/mnt/a b;\u{1b}'`, `fsck -f '/dev/mapper/x$(y)'`, `mount -t ext4 '/dev/mapper/x$(y)' '/mnt/a b;\u{1b}'`"
        );
        let mut plain = mount("/mnt/retention", "8:1", "/dev/sda1", 1 << 30);
        assert_eq!(
            mended(plain.clone()),
            "`umount /mnt/retention`, `fsck -f /dev/sda1`, `mount /mnt/retention`"
        );
        plain.fs_type = "xfs".into();
        assert_eq!(
            mended(plain),
            "`umount /mnt/retention`, `mount /mnt/retention`, `umount /mnt/retention`, `xfs_repair /dev/sda1`, `mount /mnt/retention`"
        );
    }

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
            (room.text.as_str(), room.no_inodes, room.inode_percent),
            ("50 % free (50 GiB)", false, 100)
        );
    }
}
