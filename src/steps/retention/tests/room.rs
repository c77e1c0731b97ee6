//! Whether the volume answers, and how full it is.

use super::*;
use crate::facts::storage::{Read, Storage};
use crate::steps::Severity::{Recommended, Required};
use crate::steps::testing::Judged;

const ALIVE: &str = "retention.alive";
const FREE: &str = "retention.free";

fn device(facts: &mut Facts) -> &mut Storage {
    spoil(&mut facts.storage).iter_mut().find(|one| one.name == "dm-0").unwrap()
}

#[test]
fn every_way_to_be_dead_is_told() {
    let host = Judged::ready(ALIVE);
    host.is("met: sdb runs and was read");
    for state in ["offline", "blocked", "transport-offline", "quiesce", "created", "deleted", ""] {
        host.after(|facts| disks(facts)[1].state = Some(state.into()))
            .starts(format!("unmet: sdb is {state} | every disk and path under it runs"))
            .has("echo running > /sys/block/sdb/device/state");
    }
    let reads = |read: Fact<Read>| host.after(|facts| device(facts).read = read);
    let suspended = host.after(|facts| {
        device(facts).suspended = vec!["dm-0".into()];
        device(facts).read = Fact::Unknown("dm-0 does not run, so it was not read".into());
    });
    suspended.starts("unmet: dm-0 is suspended |").has("dmsetup resume");
    let failed = host.after(|facts| {
        device(facts).failed_paths = Fact::Known(vec!["sdb".into()]);
        device(facts).read = Fact::Unknown("the path sdb failed, so it was not read".into());
    });
    failed.starts("unmet: multipath takes the path sdb for failed |");
    reads(Fact::Known(Read::Failed("a read of it did not end".into())))
        .starts("unmet: dm-0 does not answer: a read of it did not end |");
    reads(Fact::Known(Read::Errors("the kernel counts 1".into())))
        .starts("unmet: the file system on dm-0 has errors: the kernel counts 1 |")
        .ends(format!("| `umount /mnt/retention`, `fsck -f {MAP}`, `mount /mnt/retention`"));
    // fsck of XFS does nothing.
    let xfs = host.after(|facts| {
        device(facts).read = Fact::Known(Read::Errors("why".into()));
        mounted(facts).fs_type = "xfs".into();
    });
    xfs.ends(format!(
        "| `umount /mnt/retention`, `mount /mnt/retention`, `umount /mnt/retention`, `xfs_repair {MAP}`, `mount /mnt/retention`"
    ));
}

#[test]
fn what_is_not_known_to_answer_is_unknown() {
    let mut host = Judged::ready(ALIVE);
    let cases: [(Spoiler<'_>, &str); 5] = [
        (&|facts| disks(facts)[1].state = None, "unknown: the state of sdb was not recorded"),
        (
            &|facts| spoil(&mut facts.storage).retain(|one| one.name != "dm-0"),
            "unknown: whether the device 253:0 answers was not looked at",
        ),
        (
            &|facts| device(facts).failed_paths = Fact::Unknown("why".into()),
            "unknown: the paths of dm-0: why",
        ),
        (&|facts| device(facts).read = Fact::Unknown("why".into()), "unknown: dm-0: why"),
        // It waits for what it would look at, and what needs it waits for it.
        (
            &|facts| spoil(&mut facts.mounts).retain(|mount| mount.mount_point != "/mnt/retention"),
            "blocked: retention.mounted",
        ),
    ];
    for (change, expected) in cases {
        host.after(change).is(expected);
    }
    host.after(|facts| facts.storage = crate::facts::storage::not_read())
        .starts("unknown: whether storage answers: it was recorded by a version");
    disks(&mut host)[1].state = Some("offline".into());
    host.of(FREE).is("blocked: retention.alive");
}

#[test]
fn a_full_volume_is_not_ready_and_little_room_is_told() {
    let (mut profile, mut facts) = ready();
    outcome(&profile, &facts, FREE).is("met: 94 % free (956.5 GiB), 99 % of the inodes");
    let size = 1_082_118_303_744;
    let cases = [
        // Of 1,007.8 GiB: 20 %, a byte less, 1 %, less.
        (size, size / 5 + 1, 7, Required, "met: 20 % free"),
        (size, size / 5, 7, Recommended, "unmet: 19 % free (201.5 GiB), 70 % of the inodes | 20 % or more"),
        (size, size / 100 + 1, 7, Recommended, "unmet: 1 % free"),
        (size, size / 100, 7, Required, "unmet: 0 % free (10 GiB), 70 % of the inodes | not full: 1 % and"),
        (size, 0, 7, Required, "unmet: 0 % free (0"),
        // A small one: half of it is less than 1 GiB.
        (1 << 31, (1 << 30) - 1, 7, Required, "unmet: 49 % free"),
        (1 << 31, 1 << 30, 7, Required, "met: 50 % free (1 GiB)"),
        // Inodes.
        (size, size / 2, 1, Recommended, "unmet: 50 % free (503.9 GiB), 10 % of the inodes | 20 % or"),
        (size, size / 2, 0, Required, "unmet: 50 % free (503.9 GiB), 0 % of the inodes | not full: 1 %"),
    ];
    for (size, free, inodes, severity, start) in cases {
        let mount = mounted(&mut facts);
        (mount.size_bytes, mount.free_bytes) = (Fact::Known(size), Fact::Known(free));
        (mount.inodes, mount.free_inodes) = (Fact::Known(10), Fact::Known(inodes));
        let finding = testing::judged(&profile, &facts, FREE);
        let output = told(&profile, &facts, FREE);
        assert!(output.starts_with(start) && finding.severity == severity, "{output} {:?}", finding.severity);
    }
    // The profile's share.
    let mount = mounted(&mut facts);
    (mount.free_bytes, mount.free_inodes) = (Fact::Known(size / 50), Fact::Known(10));
    profile.retention.free_percent = 0.into();
    outcome(&profile, &facts, FREE).starts("met: 1 % free");
    mounted(&mut facts).free_inodes = Fact::Unknown("why".into());
    outcome(&profile, &facts, FREE).is("unknown: the free inodes of /mnt/retention: why");
    // Little room is no advice while there may be no inodes: the host is not ready.
    profile.retention.free_percent = 20.into();
    let finding = testing::judged(&profile, &facts, FREE);
    assert!(matches!(finding.status, Status::Unmet { .. }), "{:?}", finding.status);
    assert_eq!(finding.severity, Required);
}

#[test]
fn what_grows_a_volume_is_one_word_each_for_a_shell() {
    for (fs_type, expected) in [
        ("ext4", r"`multipathd -k'resize map a'\''b'`, then `resize2fs '/dev/mapper/a'\''b'`"),
        ("xfs", r"`multipathd -k'resize map a'\''b'`, then `xfs_growfs /mnt/retention`"),
    ] {
        let (profile, mut facts) = ready();
        let volume = mounted(&mut facts);
        (volume.fs_type, volume.source) = (fs_type.into(), "/dev/mapper/a'b".into());
        volume.size_bytes = Fact::Known(1 << 30);
        disks(&mut facts)[1].multipath.as_mut().unwrap().dm_name = "a'b".into();
        outcome(&profile, &facts, "retention.capacity").has(expected);
    }
}
