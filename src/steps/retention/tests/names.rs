//! What each way to name a disk comes to: for `disks --probe`, for `plan` and `apply --retention-disk`, for `profile check`, and in
//! the first column of fstab.

use super::*;
use crate::facts::disks::testing::{Tree, vmware_id};
use crate::facts::{disks, filesystems};
use crate::host::DeviceName;
use crate::host::device_name::{can_move, is_for_fstab};
use crate::steps::devices::resolve;
use crate::steps::retention::name::{self, By, Named, find};

/// A system disk with LVM, two paths of one map, a disk with a friendly map, one without any, two that answer with one ID, a disk
/// that is no SCSI disk, and what is no disk.
fn tree() -> Tree {
    let tree = Tree::new();
    let sas = tree.adapter("0000:03:00.0", ("1000", "0054"), 2, "mptsas");
    let mut blocks = Vec::new();
    for (at, (name, id)) in
        [("sda", 1), ("sdb", 2), ("sdc", 2), ("sdd", 3), ("sde", 4), ("sdf", 5), ("sdg", 5)]
            .iter()
            .enumerate()
    {
        let dev = format!("8:{}", at * 16);
        blocks.push(tree.scsi_disk(&sas, &format!("2:0:{at}:0"), name, &dev, 1 << 40));
        tree.vmware_pages(name, *id).file(&format!("/dev/{name}"), "");
    }
    tree.partition(&blocks[0], "sda1", "8:1", 1 << 20, 1 << 30).file("/dev/sda1", "").file("/dev/loop0", "");
    let id = vmware_id(2);
    tree.mapped("dm-0", "253:0", (&id, &format!("mpath-{id}")), &[&blocks[1], &blocks[2]])
        .mapped("dm-1", "253:1", ("mpatha", &format!("mpath-{}", vmware_id(3))), &[&blocks[3]])
        .mapped("dm-2", "253:2", ("vg-home", "LVM-abc"), &[&format!("{}/sda1", blocks[0])])
        .block("/sys/devices/virtual/block/loop0", "7:0", 1 << 30)
        .block("/sys/devices/virtual/block/md0", "9:0", 1 << 30)
        .block("/sys/devices/pci0000:00/0000:0b:00.0/nvme/nvme0/nvme0n1", "259:0", 1 << 30)
        .file("/dev/dm-0", "")
        .file("/dev/dm-1", "")
        .file("/dev/nvme0n1", "")
        .link("/dev/disk/by-id/nvme-VMware_1", "/dev/nvme0n1")
        .link(&format!("/dev/disk/by-id/wwn-0x{}", &vmware_id(9)[1..]), "/dev/sde")
        .link("/dev/disk/by-id/dm-name-mpatha", "/dev/dm-1")
        .link("/dev/disk/by-path/pci-0000:03:00.0-sas-4", "/dev/sde")
        .link("/dev/disk/by-uuid/1234-ABCD", "/dev/sde")
        .link("/dev/disk/by-label/DATA", "/dev/sde");
    tree
}

#[test]
fn every_name_of_a_disk_means_the_same_to_all_who_ask() {
    let (tree, (mut profile, mut facts)) = (tree(), ready());
    let host = tree.host();
    facts.disks = disks::load(&host);
    facts.filesystems = filesystems::load(&host);
    let [one, two, three, four, five, gone] = [1, 2, 3, 4, 5, 9].map(vmware_id);
    let [by_id, by_path] =
        ["by-id", "by-path"].map(|directory| move |link: &str| format!("/dev/disk/{directory}/{link}"));
    let mapper = |name: &str| format!("/dev/mapper/{name}");
    let (place, stale) = ("pci-0000:03:00.0-sas-4", format!("wwn-0x{}", &gone[1..]));
    let (no_disk, nobody) = ("is no disk of the tree", "no disk is called");
    let (is_place, is_stale) = ("is the name of a place", "the link is older than the disk");
    let (twins, part) = ("could be sdf or sdg", "is a partition of sda");
    // Of fstab: `moves`; `stays`; `ours`, which the agent itself writes; `no` where the name is no path; and what it leads to.
    let eui = "2e4f1c0a2b3d45566";
    let table: [(&str, &str, &str, bool, &str); 42] = [
        // name, disks --probe, plan and apply, profile check, fstab
        (&one, "> sda", "> sda", true, "no"),
        (&two, "> sdb", "> sdb", true, "no"),
        (&mapper(&two), "> sdb", "> sdb", true, "ours 253:0"),
        (&by_id(&format!("scsi-{four}")), no_disk, "> sde", true, "stays"),
        (&format!("scsi-{four}"), "> sde", "> sde", true, "no"),
        (&format!("wwn-0x{}", &four[1..]), "> sde", "> sde", true, "no"),
        (&format!("dm-uuid-mpath-{three}"), "> sdd", "> sdd", true, "no"),
        (&mapper(&four), no_disk, "> sde", true, "ours"),
        (eui, no_disk, nobody, true, "no"),
        (&mapper(eui), no_disk, nobody, true, "ours"),
        (&five, twins, twins, true, "no"),
        (&gone, no_disk, nobody, true, "no"),
        (&stale, is_stale, is_stale, true, "no"),
        (&by_id(&stale), is_stale, is_stale, true, "stays 8:64"),
        ("nvme-VMware_1", "> nvme0n1", "> nvme0n1", true, "no"),
        (&by_id("nvme-VMware_1"), "> nvme0n1", "> nvme0n1", true, "stays 259:0"),
        (&by_id("nvme-VMware_2"), no_disk, nobody, true, "stays"),
        ("SATA_disk", no_disk, nobody, true, "no"),
        (place, "> sde", is_place, false, "no"),
        (&by_path(place), "> sde", is_place, false, "moves ?"),
        (&by_path("pci-0"), no_disk, is_place, false, "moves ?"),
        ("sde", "> sde", "> sde", false, "no"),
        ("/dev/sde", "> sde", "> sde", false, "moves 8:64"),
        ("sdc", "> sdb", "> sdb", false, "no"),
        ("/dev/sdc", "> sdb", "> sdb", false, "moves 8:32"),
        ("sdz", no_disk, nobody, false, "no"),
        ("/dev/sdz", no_disk, nobody, false, "moves"),
        ("nvme0n1", "> nvme0n1", "> nvme0n1", false, "no"),
        ("mpatha", "> sdd", "> sdd", false, "no"),
        (&mapper("mpatha"), "> sdd", "> sdd", false, "stays 253:1"),
        ("dm-name-mpatha", "> sdd", "> sdd", false, "no"),
        (&by_id("dm-name-mpatha"), "> sdd", "> sdd", false, "stays 253:1"),
        ("dm-1", "> sdd", "> sdd", false, "no"),
        ("/dev/dm-1", "> sdd", "> sdd", false, "moves 253:1"),
        ("sda1", part, nobody, false, "no"),
        ("/dev/sda1", part, nobody, false, "moves 8:1"),
        ("vg-home", "is a logical volume", nobody, false, "no"),
        ("md0", "is a RAID device", nobody, false, "no"),
        ("loop0", "> loop0", nobody, false, "no"),
        ("/dev/disk/by-uuid/1234-ABCD", "> sde", nobody, false, "stays 8:64"),
        ("DATA", no_disk, nobody, false, "no"),
        ("", no_disk, nobody, false, "no"),
    ];
    let listed = facts.disks.known().unwrap();
    for (called, probe, plan, is_kept, fstab) in table {
        let probed = disks::resolve(&host, listed, called);
        let probed = probed.map_or_else(|why| why, |disk| format!("> {}", disk.name));
        assert!(probed.contains(probe), "disks --probe {called}: {probed}");
        let planned = find(&facts, called).map_or_else(|why| why, |disk| format!("> {}", disk.name));
        assert!(planned.contains(plan), "plan of {called}: {planned}");
        // No two of them mean different disks.
        assert!(!(probed.starts_with('>') && planned.starts_with('>')) || probed == planned, "{called}");

        profile.retention.disk = called.parse().ok();
        let kept = profile.retention.disk.is_some() && DeviceName::of_disk(called).names_a_disk_for_good();
        assert_eq!(kept, is_kept, "profile check of {called}");
        // Where a profile with it passes, `plan` takes it for a name that lasts as long as a disk has it.
        let moves = name::moves(&facts, &Named { name: called, by: By::Profile }).is_some();
        assert!(!moves || !is_kept || !planned.starts_with('>'), "plan says that {called} can move");
        assert!(moves || is_kept, "profile check refuses {called}, which plan takes");

        if !called.starts_with('/') {
            assert_eq!((fstab, is_for_fstab(called)), ("no", false), "{called}");
            continue;
        }
        let held = match (can_move(called), is_for_fstab(called)) {
            (true, false) => "moves",
            (false, false) => "stays",
            (false, true) => "ours",
            (true, true) => panic!("the agent writes {called}, which can move"),
        };
        let leads = match resolve(called, &facts) {
            Ok(Some(number)) => format!(" {number}"),
            Ok(None) => String::new(),
            Err(_) => " ?".to_owned(),
        };
        assert_eq!(format!("{held}{leads}"), fstab, "{called} in fstab");
    }
}

/// A device from before SPC-3 can answer with fewer digits, and a vendor's ID with characters that map names lack.
#[test]
fn what_an_attached_disk_answers_with_is_its_id_whatever_its_form() {
    for id in ["3600144f0", "1VP-8Kd0d3:mS8g#BlKv3a/zKg"] {
        let (_, mut facts) = ready();
        let moves = |facts: &Facts| name::moves(facts, &Named { name: id, by: By::Profile }).is_some();
        assert!(moves(&facts), "no disk has {id}");
        let Fact::Known(disks) = &mut facts.disks else { panic!() };
        disks[0].scsi_id = Ok(id.into());
        assert!(!moves(&facts), "{id}");
    }
}
