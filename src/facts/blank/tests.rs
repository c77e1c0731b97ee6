use super::*;
use crate::facts::disks::testing::Tree;
use crate::facts::disks::testing::holder;
use crate::facts::disks::{Holder, Map, Partition};

const NO_MOUNTS: Fact<Vec<Mount>> = Fact::Known(Vec::new());
const NO_SWAPS: Fact<Vec<Swap>> = Fact::Known(Vec::new());

fn disk() -> Disk {
    Disk {
        name: "sdz".into(),
        path: "/dev/no-such-disk".into(),
        // No device has this number.
        major_minor: "511:1048575".into(),
        size_bytes: 1 << 30,
        ..Disk::default()
    }
}

fn probed(disk: &Disk) -> Probe {
    probe(&Host::live(), disk, &NO_MOUNTS, &NO_SWAPS, Depth::Blank)
}

#[test]
fn a_disk_that_cannot_be_opened_is_not_blank() {
    let found = probed(&disk());
    assert_eq!((found.blank, found.eligible), (None, false));
    assert_eq!(
        found.why_not,
        [
            "it cannot be determined whether it is blank: opening /dev/no-such-disk: No such file or directory (os \
          error 2)"
        ]
    );
}

#[test]
fn another_device_under_the_name_is_not_the_disk() {
    let found = probed(&Disk { path: "/dev/null".into(), ..disk() });
    assert_eq!((found.blank, found.eligible), (None, false));
    assert_eq!(
        found.why_not,
        [
            "it cannot be determined whether it is blank: /dev/null is not the block device 511:1048575 that it \
          should be"
        ]
    );
}

#[test]
fn holders_and_partitions_count_without_reading() {
    let raid = Holder { name: "md0".into(), major_minor: "9:0".into(), ..Holder::default() };
    let held = probed(&Disk { holders: vec![raid], ..disk() });
    assert_eq!(held.in_use, ["held by RAID md0 (sdz)"]);
    assert_eq!(held.why_not[0], "it is in use: held by RAID md0 (sdz)");
    let partition = Partition { name: "sdz1".into(), major_minor: "8:401".into(), ..Partition::default() };
    let partitioned = probed(&Disk { partitions: vec![partition], ..disk() });
    assert_eq!(partitioned.blank, Some(false));
    assert_eq!(partitioned.why_not[0], "it is not blank: partitions sdz1");
}

#[test]
fn its_own_map_is_no_use_but_what_is_on_the_map_is() {
    let kpartx = holder("dm-3", "253:3", Some(("36000c29p1", "part1-mpath-36000c29")), Vec::new());
    let own = |holders| holder("dm-0", "253:0", Some(("36000c29", "mpath-36000c29")), holders);
    let map = Map {
        name: "dm-0".into(),
        dm_name: "36000c29".into(),
        major_minor: "253:0".into(),
        wwid: "36000c29".into(),
        paths: vec!["sdz".into(), "sdy".into()],
    };
    let mapped = |holders| Disk { holders: vec![own(holders)], multipath: Some(map.clone()), ..disk() };
    assert_eq!(probed(&mapped(Vec::new())).in_use, [""; 0]);
    assert_eq!(probed(&mapped(vec![kpartx])).in_use, ["held by map partition 36000c29p1 (dm-0)"]);
    // Of two paths one stands for the disk, so that one disk is never two candidates.
    let second = probed(&Disk { name: "sdy".into(), ..mapped(Vec::new()) });
    assert_eq!((second.blank, second.eligible), (None, false));
    assert_eq!(
        second.why_not,
        ["it is one more path of the multipath map 36000c29: the disk is probed as sdz"]
    );
}

#[test]
fn what_is_not_known_of_users_counts_against_the_disk() {
    let unread = Fact::Unknown("reading /proc/self/mountinfo: denied".into());
    let found = probe(&Host::live(), &disk(), &unread, &NO_SWAPS, Depth::Blank);
    assert_eq!(
        found.why_not[0],
        "what is mounted cannot be determined: reading /proc/self/mountinfo: denied"
    );
    assert!(!found.eligible);
}

#[test]
fn a_disk_without_size_is_not_read() {
    let found = probed(&Disk { size_bytes: 0, read_only: true, ..disk() });
    assert_eq!(
        (found.blank, found.why_not),
        (None, vec!["it is read-only".into(), "its size is zero".into()])
    );
}

#[test]
fn a_recording_answers_with_what_it_recorded() {
    let tree = Tree::new();
    tree.file(
        "/commands/probe/sdz.json",
        r#"{"blank":true,"found":[],"in_use":[],"eligible":true,"why_not":[]}"#,
    );
    let found = probe(&tree.host(), &disk(), &NO_MOUNTS, &NO_SWAPS, Depth::Blank);
    assert_eq!((found.disk.as_str(), found.blank, found.eligible), ("sdz", Some(true), true));
    let other =
        probe(&tree.host(), &Disk { name: "sdy".into(), ..disk() }, &NO_MOUNTS, &NO_SWAPS, Depth::Blank);
    assert!(!other.eligible && other.why_not[0].starts_with("reading /commands/probe/sdy.json: "));
}
