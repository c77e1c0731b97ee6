use super::testing::{Tree, vmware_designator, vmware_id};
use super::*;
use crate::facts::Fact;
use crate::facts::mounts::Mount;
use crate::facts::swaps::Swap;
use crate::host::{DeviceNumber, Host};

const GIB: u64 = 1 << 30;

fn known(host: &Host) -> Vec<Disk> {
    match load(host) {
        Fact::Known(disks) => disks,
        other => panic!("the disks are {other:?}"),
    }
}

fn mount(at: &str, major_minor: impl Into<DeviceNumber>, source: &str) -> Mount {
    Mount {
        mount_point: at.into(),
        major_minor: major_minor.into(),
        root: "/".into(),
        fs_type: "ext4".into(),
        source: source.into(),
        options: vec!["rw".into()],
        super_options: vec!["rw".into()],
        size_bytes: Fact::Known(0),
        free_bytes: Fact::Known(0),
        inodes: Fact::Known(0),
        free_inodes: Fact::Known(0),
    }
}

/// As CentOS 6.6 shows a master target: LSI SAS, no VPD page in sysfs, a system disk with LVM beside plain
/// partitions, a mapped retention disk, an optical drive and a floppy.
fn centos_6() -> Tree {
    let tree = Tree::new();
    let sas = tree.adapter("0000:03:00.0", ("1000", "0054"), 2, "mptsas");
    let sda = tree.scsi_disk(&sas, "2:0:0:0", "sda", "8:0", 100 * GIB);
    tree.partition(&sda, "sda1", "8:1", 1 << 20, 50 * GIB)
        .partition(&sda, "sda2", "8:2", 51 * GIB, 4 * GIB)
        .partition(&sda, "sda10", "8:10", 60 * GIB, 8 * GIB)
        .vmware_pages("sda", 1);
    tree.mapped("dm-1", "253:1", ("vg-root", "LVM-abc"), &[&format!("{sda}/sda10")]);
    let sdb = tree.scsi_disk(&sas, "2:0:1:0", "sdb", "8:16", 1024 * GIB);
    let id = vmware_id(2);
    tree.mapped("dm-0", "253:0", (&id, &format!("mpath-{id}")), &[&sdb]).vmware_pages("sdb", 2);
    tree.scsi_disk(&sas, "2:0:2:0", "sdc", "8:32", GIB);
    tree.page("sdc", 0, &[0, 0x80]).page("sdc", 0x80, b" 4711 ");
    for (name, dev) in [("sr0", "11:0"), ("fd0", "2:0"), ("loop0", "7:0"), ("ram0", "1:0"), ("md0", "9:0")] {
        tree.block(&format!("/sys/devices/virtual/block/{name}"), dev, 0);
    }
    tree
}

#[test]
fn centos_6_disks_are_read_without_vpd_pages_in_sysfs() {
    let disks = known(&centos_6().host());
    let names: Vec<_> = disks.iter().map(|disk| disk.name.as_str()).collect();
    assert_eq!(names, ["sda", "sdb", "sdc"]);
    let sda = &disks[0];
    assert_eq!((sda.path.as_str(), sda.major_minor, sda.size_bytes), ("/dev/sda", "8:0".into(), 100 * GIB));
    assert_eq!(sda.hctl.as_deref(), Some("2:0:0:0"));
    assert_eq!((sda.vendor.as_deref(), sda.model.as_deref()), (Some("VMware"), Some("Virtual disk")));
    let lsi = Controller {
        kind: ControllerKind::LsiLogicSas,
        driver: Some("mptsas".into()),
        pci: Some("1000:0054".into()),
    };
    assert_eq!(sda.controller, Some(lsi));
    let known = sda.scsi_id.as_ref().unwrap();
    assert_eq!(known.id, vmware_id(1));
    assert_eq!(known.source.as_deref(), Some("SG_IO 0x83 NAA 6"));
    let partitions: Vec<_> =
        sda.partitions.iter().map(|part| (part.name.as_str(), part.size_bytes)).collect();
    assert_eq!(partitions, [("sda1", 50 * GIB), ("sda2", 4 * GIB), ("sda10", 8 * GIB)]);
    assert_eq!(disks[2].scsi_id, Err("its list of VPD pages lacks 0x83 (serial number 4711)".into()));
}

#[test]
fn a_mapped_disk_is_addressed_by_its_map() {
    let tree = centos_6();
    let disks = known(&tree.host());
    let map = disks[1].multipath.as_ref().unwrap();
    assert_eq!((map.name.as_str(), map.major_minor), ("dm-0", "253:0".into()));
    assert_eq!((map.wwid.as_str(), &map.dm_name), (&*vmware_id(2), &vmware_id(2)));
    assert_eq!(map.paths, ["sdb"]);
    assert_eq!(disks[1].device(), format!("/dev/mapper/{}", vmware_id(2)));
    assert_eq!(sysfs::maps(&tree.host()).unwrap(), std::slice::from_ref(map));
}

#[test]
fn users_are_told_by_number_and_not_by_a_part_of_the_name() {
    let mut disks = known(&centos_6().host());
    let mounts = [
        mount("/", "253:1", "/dev/mapper/vg-root"),
        mount("/boot", "8:1", "/dev/sda1"),
        mount("/mnt/retention", "253:0", "/dev/dm-0"),
        mount("/proc", "0:3", "proc"),
        mount("/btrfs", "0:40", "/dev/sdc"),
        mount("/other", "8:160", "/dev/sdk"),
    ];
    let swap = Swap { path: "/dev/sda2".into(), is_partition: true, major_minor: Some("8:2".into()) };
    let file = Swap { path: "/swapfile".into(), is_partition: false, major_minor: None };
    fill_users(&mut disks, &mounts, &[swap, file]);
    assert_eq!(disks[0].used_by, ["/boot (sda1)", "/ (vg-root)", "swap (sda2)", "LVM vg-root (sda10)"]);
    assert_eq!(disks[1].used_by, ["/mnt/retention (dm-0)"]);
    assert_eq!(disks[2].used_by, ["/btrfs (sdc)"]);
}

#[test]
fn raid_and_its_partitions_are_users_and_devices_of_the_disk() {
    let tree = Tree::new();
    let sas = tree.adapter("0000:03:00.0", ("1000", "0030"), 0, "mptspi");
    let sda = tree.scsi_disk(&sas, "0:0:0:0", "sda", "8:0", GIB);
    let md = "/sys/devices/virtual/block/md0";
    tree.block(md, "9:0", GIB).partition(md, "md0p1", "259:0", 0, GIB).holds("md0", &[&sda]);
    let mut disks = known(&tree.host());
    assert_eq!(disks[0].all_devices(), ["8:0", "9:0", "259:0"]);
    fill_users(&mut disks, &[mount("/data", "259:0", "/dev/md0p1")], &[]);
    assert_eq!(disks[0].used_by, ["/data (md0p1)", "RAID md0 (sda)"]);
    assert_eq!(disks[0].controller.as_ref().unwrap().kind, ControllerKind::LsiLogicParallel);
}

#[test]
fn a_modern_kernel_gives_the_id_without_asking_the_disk() {
    let tree = Tree::new();
    let pvscsi = tree.adapter("0000:03:00.0", ("15AD", "07C0"), 0, "vmw_pvscsi");
    let sda = tree.scsi_disk(&pvscsi, "0:0:0:0", "sda", "8:0", GIB);
    tree.file(
        &format!("{sda}/device/vpd_pg83"),
        [&[0, 0x83, 0, 20], vmware_designator(7).as_slice()].concat(),
    );
    let virtio = "/sys/devices/pci0000:00/0000:00:02.0/virtio1";
    tree.file("/sys/devices/pci0000:00/0000:00:02.0/vendor", "0x1af4\n")
        .file("/sys/devices/pci0000:00/0000:00:02.0/device", "0x1001\n")
        .file(&format!("{virtio}/vendor"), "0x1af4\n")
        .file(&format!("{virtio}/device"), "0x0002\n")
        .file("/sys/bus/virtio/drivers/virtio_blk/uevent", "")
        .link(&format!("{virtio}/driver"), "/sys/bus/virtio/drivers/virtio_blk")
        .block(&format!("{virtio}/block/vda"), "254:0", GIB)
        .link(&format!("{virtio}/block/vda/device"), virtio);
    let disks = known(&tree.host());
    let known = disks[0].scsi_id.as_ref().unwrap();
    assert_eq!(known.id, vmware_id(7));
    assert_eq!(known.source.as_deref(), Some("vpd_pg83 NAA 6"));
    assert_eq!(disks[0].controller.as_ref().unwrap().kind, ControllerKind::ParavirtualScsi);
    assert_eq!(disks[0].controller.as_ref().unwrap().pci.as_deref(), Some("15ad:07c0"));
    let vda = &disks[1];
    assert_eq!((vda.name.as_str(), vda.hctl.as_deref(), vda.vendor.as_deref()), ("vda", None, None));
    assert_eq!(vda.scsi_id, Err("it is not a SCSI disk (driver virtio_blk)".into()));
    assert_eq!(vda.controller.as_ref().unwrap().kind, ControllerKind::Virtio);
    assert_eq!(vda.controller.as_ref().unwrap().pci.as_deref(), Some("1af4:1001"));
}

#[test]
fn sixty_disks_come_in_the_order_in_which_people_count() {
    let tree = Tree::new();
    let sas = tree.adapter("0000:03:00.0", ("1000", "0054"), 0, "mptsas");
    let letters = |n: u8| {
        let last = char::from(b'a' + n % 26);
        if n < 26 { format!("sd{last}") } else { format!("sd{}{last}", char::from(b'a' + n / 26 - 1)) }
    };
    for n in (0..60).rev() {
        let name = letters(n);
        tree.scsi_disk(&sas, &format!("0:0:{n}:0"), &name, &format!("8:{}", u32::from(n) * 16), GIB);
        tree.vmware_pages(&name, n);
    }
    let disks = known(&tree.host());
    let names: Vec<_> = disks.iter().map(|disk| disk.name.clone()).collect();
    assert_eq!(names, (0..60).map(letters).collect::<Vec<_>>());
    assert!(disks.iter().zip(0..).all(|(disk, n)| disk.has_id(&vmware_id(n))));
    // What else stands beside a disk in /sys, shorter than any family's name.
    let mut names =
        ["sda10", "sdaa", "ro", "x", "sda2", "dm-10", "dm-9", "nvme0n10", "nvme0n9"].map(str::to_owned);
    in_order(&mut names);
    assert_eq!(names, ["dm-9", "dm-10", "nvme0n9", "nvme0n10", "ro", "sda2", "sda10", "sdaa", "x"]);
}

#[test]
fn what_cannot_be_read_is_unknown_and_not_empty() {
    let tree = Tree::new();
    assert_eq!(load(&tree.host()), Fact::Unknown("there is no /sys/block".into()));
    tree.file("/sys/block/sda/dev", "8:0\n").file("/sys/block/sda/size", "many\n");
    assert_eq!(
        load(&tree.host()),
        Fact::Unknown("/sys/block/sda/size holds \"many\", not a number of sectors".into())
    );
    assert!(matches!(load(&Host::image("/")), Fact::NotApplicable(_)));
}

#[test]
fn a_disk_can_be_named_in_many_ways() {
    let tree = centos_6();
    tree.file("/dev/sdb", "").file("/dev/sda1", "").file("/dev/dm-0", "");
    tree.link("/dev/disk/by-id/scsi-2", "/dev/sdb").link("/dev/disk/by-id/dm-name", "/dev/dm-0");
    let (host, id) = (tree.host(), vmware_id(2));
    let disks = known(&host);
    let mapper = format!("/dev/mapper/{id}");
    let ways =
        ["sdb", "/dev/sdb", &id, "scsi-2", "/dev/disk/by-id/scsi-2", "dm-name", "dm-0", "/dev/dm-0", &mapper];
    for way in ways {
        let found = resolve(&host, &disks, way).unwrap_or_else(|error| panic!("{way}: {error}"));
        assert_eq!((found.name.as_str(), found.device().as_str()), ("sdb", mapper.as_str()), "{way}");
    }
    assert_eq!(resolve(&host, &disks, "loop0").unwrap().device(), "/dev/loop0");
}

#[test]
fn what_is_no_disk_is_refused_with_what_it_is() {
    let tree = centos_6();
    tree.file("/dev/sda1", "");
    let host = tree.host();
    let mut disks = known(&host);
    let refusal = |disks: &[Disk], name: &str| resolve(&host, disks, name).unwrap_err();
    assert_eq!(refusal(&disks, "/dev/sda1"), "/dev/sda1 is a partition of sda: name the whole disk");
    assert_eq!(refusal(&disks, "vg-root"), "vg-root is a logical volume, not a disk");
    assert_eq!(refusal(&disks, "sr0"), "sr0 is an optical drive, not a disk");
    assert!(refusal(&disks, "sdz").starts_with("sdz is no disk of the tree "), "{}", refusal(&disks, "sdz"));
    assert!(refusal(&disks, "").contains("expected a kernel name"));
    assert!(refusal(&disks, "../../etc").contains("expected a kernel name"));
    // Two disks with one ID and no map over both: it names neither.
    disks[0].scsi_id = disks[1].scsi_id.clone();
    assert_eq!(
        refusal(&disks, &vmware_id(2)),
        format!("{} could be sda or sdb: give a name that only one disk has", vmware_id(2))
    );
}

#[test]
fn where_partitions_of_a_map_and_of_a_raid_begin_is_told() {
    let tree = Tree::new();
    let sas = tree.adapter("0000:03:00.0", ("1000", "0054"), 0, "mptsas");
    let [sdb, sdc] = [("sdb", "8:16"), ("sdc", "8:32")]
        .map(|(name, dev)| tree.scsi_disk(&sas, &format!("0:0:{}:0", &dev[2..]), name, dev, 1 << 30));
    let map = "/sys/devices/virtual/block/dm-1";
    tree.mapped("dm-1", "253:1", ("36a", "mpath-36a"), &[&sdb])
        .mapped("dm-2", "253:2", ("36ap1", "part1-mpath-36a"), &[map])
        .mapped("dm-3", "253:3", ("36ap2", "part2-mpath-36a"), &[map])
        .file("/commands/dm-table/dm-2", "0 204800 linear 253:1 2048\n");
    let raid = "/sys/devices/virtual/block/md0";
    tree.block(raid, "9:0", 1 << 30).holds("md0", &[&sdc]);
    tree.partition(raid, "md0p1", "259:0", 4096, 1 << 20);
    let Fact::Known(disks) = load(&tree.host()) else { panic!() };
    let begins =
        |at: usize| disks[at].holders[0].holders.iter().map(|one| one.start_bytes).collect::<Vec<_>>();
    assert_eq!(begins(0), [Some(1 << 20), None]);
    assert_eq!(begins(1), [Some(4096)]);
}
