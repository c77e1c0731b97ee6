mod groups;
mod loops;
mod lost;
mod partitions;

use super::*;
use crate::facts::Fact;
use crate::facts::disks::{Holder, Map, Partition};
use crate::facts::identity::{Kind, Record};
use crate::facts::retention::{Volume, uuid_of};
use crate::facts::storage::{Entry, Read, Storage, Table};
use crate::facts::swaps::Swap;
use crate::steps::testing::{
    OS_DISK_ID, RETENTION_ID, answering, disks, edit, entry, fstab, mount, mounts, ready, told, virtual_disk,
};

const ID: &str = "layout.own-disks";
const FOREIGN: &str = "36000c29dddddddddddddddddddddddddd";
const HOME: &str = "4d9a0b16-72ce-4f83-b5d1-90e7c2a86403";
const ROOT: &str = "0f3c6a52-8d1b-4e07-9a64-1c5b7d2e9f01";

/// What is on record of the ready host.
#[derive(Clone, Copy, Debug, PartialEq)]
enum On {
    /// Nothing: an apply never ran.
    Nothing,
    /// What an agent recorded that did not know of own disks.
    Older,
    /// The system disk as an own one.
    Record,
}

const ALL: [On; 3] = [On::Nothing, On::Older, On::Record];

/// The ready host with a third disk of three partitions, which carry nothing, after `change`.
fn host(on: On, change: impl Fn(&mut Facts)) -> (Profile, Facts) {
    let (profile, mut facts) = ready();
    match on {
        On::Nothing => {
            facts.identity.recorded = Fact::Known(None);
            (facts.retention_record, facts.custom_changes.record) = (Fact::Known(None), Fact::Known(None));
            // As mt-agent makes it: known again by its UUID.
            let map = edit(&mut facts.storage).iter_mut().find(|one| one.name == "dm-0").unwrap();
            map.volume.as_mut().unwrap().uuid = uuid_of(RETENTION_ID);
        }
        On::Older => {}
        On::Record => {
            edit(&mut facts.identity.recorded).as_mut().unwrap().own(&[OS_DISK_ID.to_owned()]);
        }
    }
    let mut disk = virtual_disk(2, FOREIGN, 100 << 30);
    disk.partitions = (1..4_u32)
        .map(|number| Partition {
            name: format!("sdc{number}"),
            start_bytes: Some(u64::from(number) << 30),
            major_minor: format!("8:{}", 32 + number),
            size_bytes: 1 << 30,
            holders: Vec::new(),
        })
        .collect();
    disks(&mut facts).push(disk);
    let devices = (1..4).map(|number| answering(&format!("sdc{number}"), &format!("8:{}", 32 + number)));
    let entries =
        (1..4).map(|number| Entry { number, start_bytes: u64::from(number) << 30, ..Entry::default() });
    let table = Table { dos_id: "0000cccc".into(), entries: entries.collect(), damaged: false };
    edit(&mut facts.storage).push(Storage { table: Some(table), ..answering("sdc", "8:32") });
    edit(&mut facts.storage).extend(devices);
    change(&mut facts);
    (profile, facts)
}

fn says(on: On, change: impl Fn(&mut Facts)) -> String {
    let (profile, facts) = host(on, change);
    told(&profile, &facts, ID)
}

fn carries(facts: &mut Facts, name: &str, volume: (&str, &str, &str)) {
    let device = edit(&mut facts.storage).iter_mut().find(|one| one.name == name).unwrap();
    let (fs_type, uuid, label) = volume;
    device.volume = Some(Volume { fs_type: fs_type.into(), uuid: uuid.into(), label: label.into() });
}

fn mounted(facts: &mut Facts, point: &str, number: &str, source: &str) {
    mounts(facts).push(mount(point, number, source, 1 << 30));
}

fn holder(name: &str, number: &str, dm: Option<(&str, &str)>, holders: Vec<Holder>) -> Holder {
    Holder {
        name: name.into(),
        major_minor: number.into(),
        dm_name: dm.map(|dm| dm.0.into()),
        dm_uuid: dm.map(|dm| dm.1.into()),
        holders,
    }
}

#[test]
fn a_foreign_disk_that_is_attached_or_written_by_failback_is_nobody_s_business() {
    for on in ALL {
        let found = if on == On::Record { "met: sda, sdb" } else { "met: sda, sdb (not on record yet)" };
        let data = |facts: &mut Facts| carries(facts, "sdc1", ("ext", "1-2", "customer"));
        assert_eq!(says(on, data), found, "{on:?}");
        // Under its map, as multipath takes every disk, with the map's partitions.
        let under_map = |facts: &mut Facts| {
            let part = holder("dm-6", "253:6", Some(("36dp1", "part1-mpath-36d")), Vec::new());
            let map = holder("dm-5", "253:5", Some(("36d", "mpath-36d")), vec![part]);
            let disk = &mut disks(facts)[2];
            (disk.holders, disk.multipath) = (vec![map], Some(Map::default()));
            edit(&mut facts.storage).push(answering("dm-6", "253:6"));
        };
        assert_eq!(says(on, under_map), found, "{on:?}");
    }
}

#[test]
fn started_from_a_foreign_disk_nothing_else_is_advised_and_nothing_is_changed() {
    let (profile, mut facts) = host(On::Record, |facts| {
        let root = mounts(facts).iter_mut().find(|mount| mount.mount_point == "/").unwrap();
        root.major_minor = "8:33".into();
        carries(facts, "sdc1", ("ext4", ROOT, ""));
    });
    facts.services_off = Fact::Known(vec!["multipathd".into()]);
    facts.boot_entry = Fact::Unknown("torn".into());
    fstab(&mut facts).retain(|entry| entry.mount_point != "/home");
    let said = told(&profile, &facts, ID);
    assert!(said.contains("/ ITSELF LIES ON sdc"), "{said}");
    assert!(said.ends_with("start it from its own disk"), "{said}");
    for id in ["custom-changes.root-disk", "layout.next-boot", "layout.home"] {
        assert_eq!(told(&profile, &facts, id), "blocked: layout.own-disks", "{id}");
    }
    // What is put right in vCenter is told.
    edit(&mut facts.dmi).vendor = Fact::Known(Some("QEMU".into()));
    assert!(!told(&profile, &facts, "hypervisor.vmware").contains("layout.own-disks"));
    let plan = |request: &Request| {
        let today = crate::steps::testing::TODAY;
        crate::run::plan(&profile, &facts, &crate::steps::Selection::default(), today, request)
    };
    let planned = plan(&Request::default());
    assert!(planned.changes.is_empty(), "{:?}", planned.changes);
}

#[test]
fn a_foreign_file_system_in_the_place_of_our_volume_is_not_taken_for_it() {
    let point = "/mnt/retention";
    let (mut profile, facts) = host(On::Nothing, |facts| {
        mounts(facts).retain(|mount| mount.mount_point != point);
        mounted(facts, point, "8:33", "/dev/sdc1");
        carries(facts, "dm-0", ("ext4", &uuid_of(RETENTION_ID), "mt-retention"));
    });
    let said = told(&profile, &facts, "retention.disk");
    assert!(said.starts_with(&format!("unmet: sdc ({FOREIGN}")) && said.contains(RETENTION_ID), "{said}");
    assert!(said.contains(&format!("mt-agent apply --adopt-retention {RETENTION_ID}")), "{said}");
    // A person has named the disk.
    profile.retention.disk = Some(FOREIGN.to_owned());
    assert!(told(&profile, &facts, "retention.disk").starts_with("met: "));
}

#[test]
fn a_disk_of_which_nothing_is_in_use_is_put_on_record_with_a_warning() {
    let note = |facts: &Facts, profile: &Profile| {
        note(profile, facts, &Change::RecordOwnDisks { scsi_ids: vec![FOREIGN.to_owned()] })
    };
    let (profile, facts) = host(On::Record, |_| ());
    assert!(note(&facts, &profile).unwrap().contains("nothing of this host is mounted from sdc"));
    let (profile, facts) = host(On::Record, |facts| mounted(facts, "/data", "8:33", "/dev/sdc1"));
    assert_eq!(note(&facts, &profile), None);
}

#[test]
fn what_is_mounted_from_a_foreign_disk_is_named_with_the_commands_that_release_it() {
    let used = |facts: &mut Facts| {
        mounted(facts, "/srv/a b", "8:33", "/dev/sdc1");
        mounted(facts, "/srv/a b/tmp", "0:40", "tmpfs");
        // A bind mount of a directory on it.
        mounted(facts, "/opt/x", "8:33", "/dev/sdc1");
        edit(&mut facts.swaps).extend([
            Swap { path: "/dev/sdc2".into(), is_partition: true, major_minor: Some("8:34".into()) },
            Swap { path: "/srv/a b/swapfile".into(), is_partition: false, major_minor: None },
        ]);
        let volume = holder("dm-9", "253:9", Some(("cust--omer-data", "LVM-x")), Vec::new());
        let raid = holder("md127", "9:127", None, vec![volume]);
        disks(facts)[2].partitions[2].holders = vec![raid];
    };
    for (on, why) in [
        (On::Nothing, "which no line of /etc/fstab names by a name that stays"),
        (On::Older, "which is not on record as a disk of this host"),
        (On::Record, "which is not on record as a disk of this host"),
    ] {
        let said = says(on, used);
        let expected = format!(
            "unmet: sdc ({FOREIGN}), {why}, is mounted at /srv/a b (sdc1), mounted at /opt/x (sdc1), active swap (sdc2), held by \
             RAID md127 (sdc3), held by LVM cust--omer-data (md127) | {EXPECTED} | `swapoff /dev/sdc2`, `swapoff '/srv/a \
             b/swapfile'`, `umount /opt/x`, `umount '/srv/a b/tmp'`, `umount '/srv/a b'`, `vgchange -an cust-omer`, `mdadm \
             --stop /dev/md127`, and leave sdc to failback or detach it. If it is this host's own: mt-agent apply --own-disk \
             {FOREIGN}"
        );
        assert_eq!(said, expected, "{on:?}");
    }
    // Other things that can be built on it, each alone.
    for (dm, command) in [
        (("36d1", "CRYPT-LUKS1-x-y"), "`cryptsetup luksClose 36d1`"),
        (("copy", "other-x"), "`dmsetup remove copy`"),
    ] {
        let said = says(On::Record, |facts| {
            disks(facts)[2].holders = vec![holder("dm-9", "253:9", Some(dm), Vec::new())];
        });
        assert!(said.starts_with("unmet: sdc (") && said.contains(command), "{said}");
    }
}

#[test]
fn a_twin_is_named_whichever_is_mounted_and_the_name_that_holds() {
    let by_id = format!("/dev/disk/by-id/scsi-{OS_DISK_ID}-part3");
    for on in ALL {
        // Its own is mounted.
        let twin = |facts: &mut Facts| carries(facts, "sdc1", ("ext", HOME, "home"));
        let said = says(on, twin);
        assert_eq!(
            said,
            format!(
                "unmet: line 4 of /etc/fstab (/home): UUID={HOME} can mean sda3 ({OS_DISK_ID}) and sdc1 ({FOREIGN}) | {EXPECTED} \
                 | in line 4 of /etc/fstab (/home), put {by_id} in the place of its UUID or label, or detach sdc ({FOREIGN}), to \
                 which nothing may be written"
            ),
            "{on:?}"
        );
        // The customer's is mounted, and udev's link leads to it.
        let said = says(on, |facts| {
            twin(facts);
            mounts(facts).iter_mut().find(|mount| mount.mount_point == "/home").unwrap().major_minor =
                "8:33".into();
            edit(&mut facts.filesystems).by_uuid.insert(HOME.into(), "8:33".into());
        });
        assert!(
            said.contains("is mounted at /home (sdc1)") && said.contains("`umount /home`"),
            "{on:?}: {said}"
        );
        assert!(said.contains("can mean sda3") && said.contains(&by_id), "{on:?}: {said}");
        // By another name, quoted, and by its label.
        for name in [format!("UUID=\"{HOME}\""), "LABEL=home".into(), "/dev/disk/by-label/home".into()] {
            let said = says(on, |facts| {
                carries(facts, "sda3", ("ext", HOME, "home"));
                twin(facts);
                fstab(facts)
                    .iter_mut()
                    .find(|entry| entry.mount_point == "/home")
                    .unwrap()
                    .device
                    .clone_from(&name);
            });
            assert!(said.contains(&format!("{name} can mean sda3")), "{on:?} {name}: {said}");
        }
        // The advice taken: the name of the disk, which no other has.
        let said = says(on, |facts| {
            twin(facts);
            fstab(facts)
                .iter_mut()
                .find(|entry| entry.mount_point == "/home")
                .unwrap()
                .device
                .clone_from(&by_id);
        });
        assert!(said.starts_with("met: "), "{on:?}: {said}");
        // What is not mounted at boot.
        let said = says(on, |facts| {
            twin(facts);
            let line = fstab(facts).iter_mut().find(|entry| entry.mount_point == "/home").unwrap();
            (line.options, line.pass) = (vec!["noauto".into()], 0);
        });
        assert!(said.starts_with("met: "), "{on:?}: {said}");
        // `fsck -A` of CentOS 6 checks it all the same.
        let said = says(on, |facts| {
            twin(facts);
            let line = fstab(facts).iter_mut().find(|entry| entry.mount_point == "/home").unwrap();
            (line.options, line.pass) = (vec!["noauto".into()], 2);
        });
        assert!(said.contains("can mean sda3"), "{on:?}: {said}");
    }
}

#[test]
fn a_twin_of_root_is_found_by_the_boot_entry_and_swap_by_its_line() {
    let said = says(On::Record, |facts| {
        carries(facts, "sdc1", ("ext", ROOT, ""));
        let line = fstab(facts).iter_mut().find(|entry| entry.mount_point == "/").unwrap();
        line.device = format!("/dev/disk/by-id/scsi-{OS_DISK_ID}-part1");
    });
    assert!(
        said.starts_with(&format!("unmet: root= of /boot/grub/grub.conf: UUID={ROOT} can mean sda1")),
        "{said}"
    );
    let said = says(On::Record, |facts| {
        carries(facts, "sdc2", ("swap", "68c2f3d7-1e45-4a9b-8c70-3f5d6b0e2a05", ""));
    });
    assert!(said.contains("/etc/fstab (swap): UUID=68c2f3d7") && said.contains("can mean sda5"), "{said}");
    // What could not be read can be one.
    let said = says(On::Record, |facts| {
        edit(&mut facts.storage).last_mut().unwrap().read =
            Fact::Known(Read::Failed("Input/output error".into()));
    });
    assert!(said.starts_with("unknown: whether another attached device has a name"), "{said}");
}

#[test]
fn a_host_that_started_from_a_disk_not_on_record_is_told_loudly() {
    for on in [On::Older, On::Record] {
        let said = says(on, |facts| {
            let root = mounts(facts).iter_mut().rfind(|mount| mount.mount_point == "/").unwrap();
            root.major_minor = "8:33".into();
        });
        assert!(
            said.starts_with(&format!("unmet: / ITSELF LIES ON sdc ({FOREIGN}), which is not on record")),
            "{said}"
        );
        assert!(
            said.contains("shut this machine down at once, detach sdc") && !said.contains("umount"),
            "{said}"
        );
    }
    // On several disks, one of them not on record.
    let said = says(On::Record, |facts| {
        let raid = holder("md0", "9:0", None, Vec::new());
        disks(facts)[0].partitions[0].holders = vec![raid.clone()];
        disks(facts)[2].partitions[0].holders = vec![raid];
        mounts(facts).iter_mut().rfind(|mount| mount.mount_point == "/").unwrap().major_minor = "9:0".into();
    });
    assert!(said.starts_with("unmet: / ITSELF LIES ON sdc"), "{said}");
    let said = says(On::Record, |facts| {
        mounts(facts).iter_mut().rfind(|mount| mount.mount_point == "/").unwrap().major_minor = "43:1".into();
    });
    assert!(said.starts_with("unknown: / (") && said.contains("lies on no disk that was found"), "{said}");
}

#[test]
fn before_anything_is_on_record_fstab_tells_and_what_it_does_not_tell_is_no_doubt() {
    // A small disk for /var/crash, as it was at the installation.
    let crash = |facts: &mut Facts| {
        let point = mounts(facts).iter_mut().find(|mount| mount.mount_point == "/var/crash").unwrap();
        point.major_minor = "8:33".into();
        edit(&mut facts.filesystems)
            .by_uuid
            .insert("2b7e1c94-35af-4d60-8f12-6e09a4c3d702".into(), "8:33".into());
        carries(facts, "sda2", ("ext", "9-9", ""));
        carries(facts, "sdc1", ("ext", "2b7e1c94-35af-4d60-8f12-6e09a4c3d702", ""));
    };
    let (profile, facts) = host(On::Nothing, crash);
    assert_eq!(told(&profile, &facts, ID), "met: sda, sdb, sdc (not on record yet)");
    assert_eq!(first(&profile, &facts), Some(vec![OS_DISK_ID.to_owned(), FOREIGN.to_owned()]));
    // By a name that leads nowhere among the facts, and without links.
    for name in ["PARTUUID=1-1", "UUID=2b7e1c94-35af-4d60-8f12-6e09a4c3d702"] {
        let said = says(On::Nothing, |facts| {
            crash(facts);
            fstab(facts).iter_mut().find(|entry| entry.mount_point == "/var/crash").unwrap().device =
                name.into();
            if name.starts_with("UUID") {
                let links = edit(&mut facts.filesystems);
                (links.by_uuid, links.by_id) = Default::default();
            }
        });
        assert!(said.starts_with("met: sda, sdb, sdc"), "{name}: {said}");
    }
    // Once there is a record, it counts.
    for on in [On::Older, On::Record] {
        let (profile, facts) = host(on, crash);
        let said = told(&profile, &facts, ID);
        assert!(said.contains(&format!("mt-agent apply --own-disk {FOREIGN}")), "{on:?}: {said}");
        assert_eq!(first(&profile, &facts), None);
    }
    // Of two disks with the name, none of them the system's, which is meant is not known: nothing is told to be unmounted.
    let said = says(On::Nothing, |facts| {
        crash(facts);
        disks(facts).push(virtual_disk(3, "36000c29e", 1 << 30));
        edit(&mut facts.storage).push(answering("sdd", "8:48"));
        carries(facts, "sdd", ("ext", "2b7e1c94-35af-4d60-8f12-6e09a4c3d702", ""));
    });
    assert!(said.contains("can mean sdc1") && !said.contains("umount"), "{said}");
    // No name by a UUID: one that carries no SCSI ID is the system disk all the same.
    let (profile, facts) = host(On::Nothing, |facts| disks(facts)[0].scsi_id = None);
    assert!(told(&profile, &facts, ID).starts_with("met: sda"));
    assert_eq!(first(&profile, &facts), None, "what has no ID cannot be known again");
    let (profile, facts) = host(On::Record, |facts| disks(facts)[0].scsi_id = None);
    assert_eq!(told(&profile, &facts, ID), "blocked: scsi.ids");
}

#[test]
fn the_retention_volume_is_this_host_s_by_its_own_record_or_place() {
    for on in [On::Older, On::Record] {
        let said = says(on, |facts| {
            let point = mounts(facts).iter_mut().find(|mount| mount.mount_point == "/mnt/retention").unwrap();
            point.mount_point = "/mnt/old".into();
        });
        assert!(said.starts_with("met: sda, sdb"), "{on:?}: {said}");
        let uuid = "7a5e4c31-9b02-4d68-a7f3-c8160e2d9b4f";
        let said = says(on, |facts| carries(facts, "sdc1", ("ext", uuid, "mt-retention")));
        let devices = format!("dm-0 ({RETENTION_ID}) and sdc1 ({FOREIGN})");
        assert!(
            said.starts_with(&format!("unmet: the retention volume, UUID={uuid}, can be {devices}")),
            "{said}"
        );
    }
}

#[test]
fn a_person_puts_a_disk_on_record_by_its_name_alone() {
    let crash = |facts: &mut Facts| mounted(facts, "/data", "8:33", "/dev/sdc1");
    let request = |names: &[&str]| Request {
        own_disks: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Request::default()
    };
    let asked = |on, names: &[&str], change: &dyn Fn(&mut Facts)| {
        let (profile, facts) = host(on, change);
        record(&profile, &facts, &request(names))
    };
    let puts = |ids: &[&str]| Remedy::With {
        changes: vec![Change::RecordOwnDisks { scsi_ids: ids.iter().map(|id| (*id).to_owned()).collect() }],
        needs: &["scsi.ids-unique"],
    };
    for on in ALL {
        assert_eq!(asked(on, &[], &crash), Remedy::None);
        let all: &[&str] = if on == On::Record { &[FOREIGN] } else { &[OS_DISK_ID, FOREIGN] };
        assert_eq!(asked(on, &[FOREIGN], &crash), puts(all), "{on:?}");
        assert_eq!(asked(on, &["/dev/sdc"], &|_| ()), puts(all), "before it is used");
    }
    assert_eq!(asked(On::Record, &[OS_DISK_ID], &crash), Remedy::None, "on record already");
    let summary = |ids: &[&str]| {
        Change::RecordOwnDisks { scsi_ids: ids.iter().map(|id| (*id).to_owned()).collect() }.summary()
    };
    assert_eq!(summary(&["36a"]), "put 36a on record as a disk of this host itself");
    assert_eq!(summary(&["36a", "36b"]), "put 36a, 36b on record as disks of this host itself");
    assert!(matches!(asked(On::Record, &["/dev/sdq"], &crash), Remedy::Refused(why) if why.contains("sdq")));
    let no_id = |facts: &mut Facts| disks(facts)[2].scsi_id = None;
    assert!(
        matches!(asked(On::Record, &["/dev/sdc"], &no_id), Remedy::Refused(why) if why.contains("no SCSI ID"))
    );
    let twin = |facts: &mut Facts| carries(facts, "sdc1", ("ext", HOME, ""));
    let refused = asked(On::Record, &[FOREIGN], &twin);
    let named = format!(
        "--own-disk: sdc ({FOREIGN}) is not put on record: it has the name UUID={HOME} (line 4 of /etc/fstab (/home)) of this \
         host's own disk sda ({OS_DISK_ID}). If it is a protected machine's, detach it"
    );
    assert_eq!(refused, Remedy::Refused(named));
    let refused = asked(On::Record, &[RETENTION_ID], &crash);
    assert!(matches!(&refused, Remedy::Refused(why) if why.contains("a record of its own")), "{refused:?}");
    // One that no record names.
    let by_hand = |facts: &mut Facts| facts.retention_record = Fact::Known(None);
    assert_eq!(asked(On::Record, &[RETENTION_ID], &by_hand), puts(&[RETENTION_ID]));
    // Once it is there, it holds.
    let said = says(On::Record, |facts| {
        crash(facts);
        edit(&mut facts.identity.recorded).as_mut().unwrap().own(&[FOREIGN.to_owned()]);
    });
    assert_eq!(said, "met: sda, sdb, sdc");
}

#[test]
fn a_copy_of_another_machine_waits_for_its_own_identity_and_an_image_has_no_disks() {
    let other =
        |facts: &mut Facts| {
            let marks = [Kind::BiosUuid, Kind::RootDisk, Kind::Mac].map(|kind| {
                crate::facts::identity::Present { kind, place: String::new(), value: "another".into() }
            });
            facts.identity.recorded = Fact::Known(Some(Record::new("00", "", &marks)));
        };
    assert_eq!(says(On::Nothing, other), "blocked: image.identity");
    assert_eq!(
        says(On::Nothing, |facts| facts.mounts = Fact::NotApplicable("an image's tree".into())),
        "not-applicable: an image's tree"
    );
    for spoil in [
        |facts: &mut Facts| facts.mounts = Fact::Unknown("why".into()),
        |facts: &mut Facts| facts.swaps = Fact::Unknown("why".into()),
        |facts: &mut Facts| facts.identity.recorded = Fact::Unknown("torn".into()),
    ] {
        assert!(says(On::Record, spoil).starts_with("unknown: "));
    }
}

#[test]
fn a_name_that_can_move_is_no_evidence_that_a_disk_is_this_host_s() {
    let data = |device: &str, fs_type: &str, options: &str| {
        says(On::Nothing, |facts| {
            if fs_type == "swap" {
                edit(&mut facts.swaps).push(Swap {
                    path: "/dev/sdc1".into(),
                    is_partition: true,
                    major_minor: Some("8:33".into()),
                });
            } else {
                mounted(facts, "/data", "8:33", "/dev/sdc1");
            }
            let links = edit(&mut facts.filesystems);
            links.by_uuid.insert("1-1".into(), "8:33".into());
            links.by_label.insert("data".into(), "8:33".into());
            let mut line = entry(20, device, if fs_type == "swap" { "swap" } else { "/data" }, fs_type, 0);
            line.options = vec![options.into()];
            fstab(facts).push(line);
        })
    };
    for device in
        ["/dev/sdc1", "/dev/dm-2", "/dev/disk/by-path/pci-0000:00:10.0-scsi-0:0:2:0-part1", "PARTLABEL=x"]
    {
        for (fs_type, options) in [("ext4", "defaults"), ("ext4", "noauto"), ("swap", "defaults")] {
            let said = data(device, fs_type, options);
            let expected =
                format!("unmet: sdc ({FOREIGN}), which no line of /etc/fstab names by a name that stays");
            assert!(said.starts_with(&expected), "{device} {fs_type} {options}: {said}");
        }
    }
    for device in ["UUID=1-1", "LABEL=data"] {
        assert!(data(device, "ext4", "noauto").starts_with("met: sda, sdb, sdc"), "{device}");
    }
    // Of what is not mounted at boot the names are not looked at elsewhere.
    let said = says(On::Nothing, |facts| {
        mounted(facts, "/data", "8:33", "/dev/sdc1");
        for (name, number) in [("sdd", "8:48"), ("sdc1", "8:33")] {
            if name == "sdd" {
                disks(facts).push(virtual_disk(3, "36000c29e", 1 << 30));
                edit(&mut facts.storage).push(answering(name, number));
            }
            carries(facts, name, ("ext", "1-1", ""));
        }
        edit(&mut facts.filesystems).by_uuid.insert("1-1".into(), "8:33".into());
        let mut line = entry(20, "UUID=1-1", "/data", "ext4", 0);
        line.options = vec!["noauto".into()];
        fstab(facts).push(line);
    });
    assert!(said.starts_with(&format!("unmet: sdc ({FOREIGN}), whose name in /etc/fstab another")), "{said}");
}

#[test]
fn what_lies_in_the_place_of_the_retention_volume_is_this_host_s_by_evidence_alone() {
    let foreign = |facts: &mut Facts| {
        let point = mounts(facts).iter_mut().find(|mount| mount.mount_point == "/mnt/retention").unwrap();
        (point.major_minor, point.source) = ("8:33".into(), "/dev/sdc1".into());
    };
    let nothing = |facts: &mut Facts| {
        facts.retention_record = Fact::Known(None);
        // It would be told as one that leads to another disk.
        fstab(facts).retain(|entry| entry.mount_point != "/mnt/retention");
    };
    // The record names another disk.
    for on in [On::Older, On::Record] {
        assert!(says(on, foreign).starts_with(&format!("unmet: sdc ({FOREIGN}), ")), "{on:?}");
    }
    // No record: a host that was built by hand, before the first apply.
    let (profile, facts) = host(On::Nothing, |facts| {
        nothing(facts);
        foreign(facts);
    });
    assert_eq!(told(&profile, &facts, ID), "met: sda, sdc (not on record yet)");
    assert_eq!(
        first(&profile, &facts),
        Some(vec![OS_DISK_ID.to_owned(), FOREIGN.to_owned()]),
        "is remembered"
    );
    for on in [On::Older, On::Record] {
        let said = says(on, |facts| {
            nothing(facts);
            foreign(facts);
        });
        let fix = format!(
            "`umount /mnt/retention`, and leave sdc to failback or detach it. If it carries this host's retention volume: mt-agent \
             apply --adopt-retention {FOREIGN} where mt-agent made it, else mt-agent apply --own-disk {FOREIGN}"
        );
        assert!(
            said.starts_with(&format!("unmet: sdc ({FOREIGN})")) && said.ends_with(&fix),
            "{on:?}: {said}"
        );
        let said = says(on, |facts| {
            nothing(facts);
            foreign(facts);
            carries(facts, "sdc1", ("ext", &uuid_of(FOREIGN), "mt-retention"));
        });
        assert!(said.starts_with("met: sda, sdc"), "{on:?}: {said}");
        let said = says(on, |facts| {
            facts.retention_record = Fact::Unknown("torn".into());
            foreign(facts);
        });
        assert!(said.starts_with("unknown: ") && said.contains("torn"), "{on:?}: {said}");
    }
    // Made by hand and put on record by a person, or by the first apply.
    let said = says(On::Record, |facts| {
        nothing(facts);
        foreign(facts);
        edit(&mut facts.identity.recorded).as_mut().unwrap().own(&[FOREIGN.to_owned()]);
    });
    assert_eq!(said, "met: sda, sdc");
}

#[test]
fn a_root_on_a_raid_is_this_host_s_by_an_older_record_that_knows_both_disks() {
    let raid = |facts: &mut Facts| {
        let raid = holder("md0", "9:0", None, Vec::new());
        disks(facts)[0].partitions[0].holders = vec![raid.clone()];
        disks(facts)[2].partitions[0].holders = vec![raid];
        edit(&mut facts.storage).push(answering("md0", "9:0"));
        mounts(facts).iter_mut().rfind(|mount| mount.mount_point == "/").unwrap().major_minor = "9:0".into();
    };
    let seen = |facts: &mut Facts| {
        let recorded = edit(&mut facts.identity.recorded).as_mut().unwrap();
        recorded.extend(&[crate::facts::identity::Present {
            kind: Kind::Disk,
            place: String::new(),
            value: FOREIGN.into(),
        }]);
    };
    let (profile, facts) = host(On::Older, |facts| {
        raid(facts);
        seen(facts);
    });
    assert_eq!(told(&profile, &facts, ID), "met: sda, sdb, sdc (not on record yet)");
    assert!(says(On::Older, raid).starts_with("unmet: / ITSELF LIES ON sdc"), "which was not there");
    let said = says(On::Older, |facts| {
        seen(facts);
        mounts(facts).iter_mut().rfind(|mount| mount.mount_point == "/").unwrap().major_minor = "8:33".into();
    });
    assert!(said.starts_with("unmet: / ITSELF LIES ON sdc"), "was there, and / was not on it: {said}");
}

#[test]
fn a_record_of_disks_without_scsi_ids_tells_of_none_once_they_have_them() {
    let said = says(On::Older, |facts| {
        let recorded = edit(&mut facts.identity.recorded).as_mut().unwrap();
        recorded.marks.retain(|mark| !matches!(mark.kind, Kind::RootDisk | Kind::Disk));
    });
    assert_eq!(said, "met: sda, sdb (not on record yet)");
}

#[test]
fn a_snapshot_is_no_twin_of_its_origin() {
    let snapshot = |uuid: &str| {
        says(On::Record, |facts| {
            let lvm =
                |name: &str, number: &str, of: (&str, &str), above| holder(name, number, Some(of), above);
            let copy = lvm("dm-4", "253:4", ("vg0-copy", "LVM-c"), Vec::new());
            let home = lvm("dm-1", "253:1", ("vg0-home", "LVM-a"), Vec::new());
            let real = lvm("dm-2", "253:2", ("vg0-home-real", uuid), vec![home, copy.clone()]);
            let cow = lvm("dm-3", "253:3", ("vg0-copy-cow", "LVM-d-cow"), vec![copy]);
            disks(facts)[0].partitions[2].holders = vec![real, cow];
            for (name, number) in [("dm-1", "253:1"), ("dm-4", "253:4")] {
                edit(&mut facts.storage).push(answering(name, number));
                carries(facts, name, ("ext", HOME, ""));
            }
            mounts(facts).iter_mut().find(|mount| mount.mount_point == "/home").unwrap().major_minor =
                "253:1".into();
        })
    };
    assert!(snapshot("LVM-a-real").starts_with("met: "), "{}", snapshot("LVM-a-real"));
    assert!(snapshot("CRYPT-x").contains("can mean dm-1"), "of no LVM");
}

#[test]
fn a_line_that_leads_to_an_idle_disk_is_judged_by_whose_that_is() {
    let led = |facts: &mut Facts| {
        carries(facts, "sdc1", ("ext", "1-1", ""));
        edit(&mut facts.filesystems).by_uuid.insert("1-1".into(), "8:33".into());
        fstab(facts).push(entry(20, "UUID=1-1", "/data", "ext4", 0));
    };
    let said = says(On::Record, led);
    assert!(
        said.starts_with(&format!(
            "unmet: line 20 of /etc/fstab (/data): UUID=1-1 leads to sdc ({FOREIGN}) alone"
        )),
        "{said}"
    );
    // Whose it is, nobody knows.
    let said = says(On::Record, |facts| {
        led(facts);
        disks(facts)[2].scsi_id = None;
    });
    assert!(!said.starts_with("met: "), "{said}");
    // A person has put it on record.
    let said = says(On::Record, |facts| {
        led(facts);
        edit(&mut facts.identity.recorded).as_mut().unwrap().own(&[FOREIGN.to_owned()]);
    });
    assert!(said.starts_with("met: "), "{said}");
}
