//! The retention volume: a disk of its own at /mnt/retention.

pub mod choice;
mod condition;
mod disk;
mod identity;
mod line;
mod mounted;
mod name;
mod now;
mod persistent;
mod probes;
mod remedy;
mod room;
mod size;
mod strays;
pub(crate) mod takeover;
#[cfg(test)]
mod tests;
mod traces;
mod volumes;
mod waiting;

use super::{Orders, RemediedBy, Requirement, Waivable, id};

pub(super) use identity::identity;
pub(super) use name::find;
pub use name::{disagreement, lasting, means};
pub(super) use persistent::only_nofail_fails;
pub(super) use remedy::{format, fstab, mount};
pub use remedy::{is_made_again, unnamed};
pub(super) use room::only_share_fails;
pub(super) use size::{grow, only_size_fails};
pub use size::{growth_undetermined, nothing_to_grow};
pub use volumes::{Recalled, Used, on_record, recall};
pub use waiting::disk_now;

/// What the requirements of this section share.
const OF_THE_VOLUME: Requirement = Requirement {
    section: "Common things to check on a master target",
    look: "`cat /proc/mounts /etc/fstab`, `df -h`, mt-agent disks",
    ..Requirement::DEFAULT
};

/// This section's requirements, in order.
pub const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        id: id::RETENTION_DISK,
        title: "A disk of its own carries the retention volume",
        why: "Without a retention drive the master target is not offered when machines are reprotected.",
        by_hand: "Shut the VM down, add a disk of {retention.capacity} on the LSI Logic controller, start it, and name the disk: \
                  mt-agent apply --retention-disk SCSI-ID.",
        waiver: Waivable::Never("without a retention drive the master target is not offered"),
        judge: disk::disk,
        remedy: RemediedBy::Apply(format),
        orders: Orders { again: is_made_again, takeover: takeover::disk, ..Orders::NONE },
        ..OF_THE_VOLUME
    },
    Requirement {
        id: id::RETENTION_MOUNTED,
        title: "The retention volume is mounted",
        why: "What the master target writes while the volume is not mounted fills the root file system instead, and a mount hides \
              it then.",
        by_hand: "Where {retention.mount-point} is not empty: `mv -T {retention.mount-point} {retention.mount-point}.found` (a name that nothing has), and \
                  remove it, or move it onto the volume: it takes up room on the root file system. mkdir -p {retention.mount-point}; mount \
                  /dev/mapper/SCSI-ID {retention.mount-point}. `chattr +i {retention.mount-point}` while it is not mounted keeps it empty.",
        after: &[id::RETENTION_DISK],
        waiver: Waivable::Never("what is written for the volume would fill the root file system"),
        judge: mounted::mounted,
        remedy: RemediedBy::Apply(mount),
        orders: Orders { takeover: takeover::mounted, ..Orders::NONE },
        ..OF_THE_VOLUME
    },
    Requirement {
        id: id::RETENTION_PERSISTENT,
        title: "fstab mounts the retention volume at every boot",
        why: "A volume that is not mounted after the next restart is found missing during a disaster. A name such \
              as /dev/sdb belongs to another disk as soon as one is attached. On CentOS 6 `nofail` makes mount(8) record \
              the volume as one of the network, which `service netfs stop` unmounts.",
        by_hand: "Add to /etc/fstab: /dev/mapper/SCSI-ID {retention.mount-point} {retention.filesystem} rw 0 0 (where systemd starts the machine: \
                  rw,nofail 0 0).",
        after: &[id::RETENTION_MOUNTED],
        judge: persistent::persistent,
        only_advice: only_nofail_fails,
        remedy: RemediedBy::Apply(fstab),
        orders: Orders { takeover: takeover::persistent, ..Orders::NONE },
        ..OF_THE_VOLUME
    },
    Requirement {
        id: "retention.filesystem",
        title: "The retention volume is not FAT, and of the profile's type where mt-agent made it",
        why: "A FAT volume is not listed as a retention drive.",
        by_hand: "Use another disk (mt-agent apply --replace-retention SCSI-ID), or put its type into the profile.",
        after: &[id::RETENTION_MOUNTED],
        judge: condition::filesystem,
        ..OF_THE_VOLUME
    },
    Requirement {
        id: id::RETENTION_CAPACITY,
        title: "The retention volume is large enough",
        why: "It must not be of size zero; with less than the recommended {retention.capacity} the points in time of larger \
              machines do not fit.",
        by_hand: "Enlarge the disk in vSphere, `echo 1 > /sys/block/sdX/device/rescan`, then mt-agent apply --grow; or attach \
                  a larger one, and mt-agent apply --replace-retention SCSI-ID.",
        after: &[id::RETENTION_MOUNTED],
        judge: size::capacity,
        only_advice: only_size_fails,
        remedy: RemediedBy::Order(grow),
        ..OF_THE_VOLUME
    },
    Requirement {
        id: "retention.unlocked",
        title: "The retention volume can be written",
        why: "A volume in lock mode (read-only) is not listed as a retention drive, and failback stops on it.",
        by_hand: "Find out why it is read-only (dmesg: an error makes ext4 read-only), repair it, mount it again.",
        after: &[id::RETENTION_MOUNTED],
        waiver: Waivable::Never("failback stops on a volume that cannot be written"),
        judge: condition::unlocked,
        ..OF_THE_VOLUME
    },
    Requirement {
        id: "retention.alive",
        title: "The storage under the retention volume answers",
        why: "A volume stays mounted when its disk is gone: what reads or writes it then fails or waits for ever, and \
              failback stops. When the disk is back, a journal that the kernel gave up meanwhile (ext4), or a file system that it \
              shut down (XFS), stays so until it is mounted again; /proc/mounts says rw all the same, and the kernel's log alone \
              tells.",
        by_hand: "`cat /sys/block/*/device/state` (running), `dmsetup info` (ACTIVE), `multipath -ll` (active ready), dmesg; \
                  in vSphere, whether the disk is attached and its datastore answers. Where its file system has errors or the kernel \
                  gave up its journal: `umount {retention.mount-point}`, `fsck -f /dev/mapper/SCSI-ID`, `mount {retention.mount-point}` (XFS: `umount`, \
                  `mount`, `umount`, `xfs_repair /dev/mapper/SCSI-ID`, `mount`).",
        look: "`cat /sys/block/*/device/state`, `dmsetup info`, `multipath -ll`, dmesg; and `dd if=/dev/DISK of=/dev/null bs=4096 \
               count=1 iflag=direct`, which waits for ever where the disk does not answer",
        after: &[id::RETENTION_MOUNTED],
        waiver: Waivable::Never("failback stops on storage that does not answer"),
        judge: room::alive,
        ..OF_THE_VOLUME
    },
    Requirement {
        id: "retention.free",
        title: "The retention volume has room",
        why: "On a full volume (less than 1 % or 1 GiB free, or no inode) failback stops; with little room the points in time \
              of a larger machine do not fit. Free is what `df` shows: root's reserve does not count.",
        by_hand: "`df -h` and `df -i` of it; remove what does not belong there, or enlarge the disk and grow the file system.",
        look: "`df -h` and `df -i` of the retention volume",
        after: &["retention.alive"],
        judge: room::free,
        only_advice: only_share_fails,
        ..OF_THE_VOLUME
    },
    Requirement {
        id: "retention.dedicated",
        title: "The retention disk is used for nothing else",
        why: "A volume that is used for another purpose, such as a target of replication, is not listed.",
        by_hand: "Move the other use to another disk.",
        after: &[id::RETENTION_MOUNTED],
        waiver: Waivable::Never("what else uses the disk and the retention data would damage each other"),
        judge: condition::dedicated,
        ..OF_THE_VOLUME
    },
    Requirement {
        id: "retention.not-cache",
        title: "The master target is not installed on the retention volume",
        why: "The volume with the master target's installation is its cache volume and is never a retention drive.",
        by_hand: "Install the master target elsewhere (/usr/local/ASR), or use another disk for retention.",
        look: "`cat /usr/local/.vx_version`, and `df` of its INSTALLATION_DIR",
        after: &[id::RETENTION_MOUNTED],
        judge: condition::not_cache,
        ..OF_THE_VOLUME
    },
];
