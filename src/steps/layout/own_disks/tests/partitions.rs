//! Names that partition tables give, and tables that the kernel has not read.

use super::*;
use crate::facts::disks::Partitioned;
use crate::facts::storage::{LVM, Place};

const GUID: &str = "0f3c6a52-8d1b-4e07-9a64-1c5b7d2e9f01";

/// The line of /home by another name, on a host whose disks have these tables.
fn by(name: &str, tables: [Table; 2], change: impl Fn(&mut Facts)) -> String {
    finding_of(On::Record, |facts| {
        for (name, table) in ["sda", "sdc"].into_iter().zip(tables.clone()) {
            let device = stored(facts, name);
            device.table = Some(table);
        }
        line_of(facts, "/home").device = name.into();
        change(facts);
    })
}

/// A table for the partitions of the disk `at`, of which the one with the number `number` has the UUID and the label.
fn gpt(at: usize, number: u32, uuid: &str, label: &str) -> Table {
    let (_, mut facts) = host(On::Record, |_| ());
    let disk = &disks(&mut facts)[at];
    let Partitioned { shown, .. } = disk.partitioned().remove(0);
    let entries = shown.iter().map(|one| {
        let is_it = one.number == number;
        let told = |what: &str| if is_it { what.to_owned() } else { format!("other-{at}-{}", one.number) };
        Entry {
            number: one.number,
            start_bytes: one.start_bytes.unwrap(),
            uuid: told(uuid),
            label: told(label),
            ..Entry::default()
        }
    });
    Table { entries: entries.collect(), ..Table::default() }
}

fn dos(at: usize, id: &str) -> Table {
    let mut table = gpt(at, 0, "", "");
    table.entries.iter_mut().for_each(|entry| (entry.uuid, entry.label) = Default::default());
    table.entries.retain(|entry| entry.number < 5);
    Table { dos_id: id.into(), ..table }
}

#[test]
fn a_twin_by_the_uuid_or_the_name_of_a_partition_is_named() {
    let found = |finding: &str, name: &str, twin: &str| {
        let expected = format!(
            "unmet: line 4 of /etc/fstab (/home): {name} can mean sda3 ({OS_DISK_ID}) and {twin} ({FOREIGN}) |"
        );
        begins(finding, &expected);
        assert!(
            finding
                .contains(&format!("put /dev/disk/by-id/scsi-{OS_DISK_ID}-part3 in the place of its UUID")),
            "{finding}"
        );
    };
    let both = || [gpt(0, 3, GUID, "my home"), gpt(2, 1, GUID, "my home")];
    for name in [
        format!("PARTUUID={GUID}"),
        format!("PARTUUID=\"{}\"", GUID.to_uppercase()),
        format!("/dev/disk/by-partuuid/{GUID}"),
        "PARTLABEL=my home".into(),
        "/dev/disk/by-partlabel/my\\x20home".into(),
    ] {
        found(&by(&name, both(), |_| ()), &name, "sdc1");
        // Which is this host's alone.
        let finding = by(&name, [gpt(0, 3, GUID, "my home"), gpt(2, 1, "another", "another")], |_| ());
        assert!(finding.starts_with("met: "), "{name}: {finding}");
    }
    // The id of an MBR, of whose logical partitions the kernel alone tells.
    let tables = |id: &str| [dos(0, "000b3f7a"), dos(2, id)];
    found(&by("PARTUUID=000b3f7a-03", tables("000b3f7a"), |_| ()), "PARTUUID=000b3f7a-03", "sdc3");
    assert!(by("PARTUUID=000b3f7a-03", tables("000b3f7b"), |_| ()).starts_with("met: "));
    let logical = |facts: &mut Facts| {
        let five = Partition { name: "sdc5".into(), major_minor: "8:37".into(), ..Partition::default() };
        disks(facts)[2].partitions.push(five);
    };
    let finding = by("PARTUUID=000B3F7A-05", tables("000b3f7a"), logical);
    assert!(finding.contains("can mean sda5") && finding.contains("and sdc5"), "{finding}");
    // root= of the boot entry, as the kernel takes it.
    let finding = by("/dev/mapper/x", both(), |facts| {
        let entry = edit(&mut facts.boot_entry).as_mut().unwrap();
        entry.kernel = Some(vec![format!("root=PARTUUID={GUID}/PARTNROFF=1")]);
    });
    assert!(
        finding
            .contains(&format!("root= of /boot/grub/grub.conf: PARTUUID={GUID}/PARTNROFF=1 can mean sda3")),
        "{finding}"
    );
}

#[test]
fn a_twin_of_an_efi_system_partition_is_named_by_its_volume_id() {
    let finding = by("UUID=ABCD-1234", [dos(0, "0"), dos(2, "1")], |facts| {
        for name in ["sda3", "sdc2"] {
            carries(facts, name, ("vfat", "ABCD-1234", "EFI"));
        }
    });
    assert!(finding.contains("UUID=ABCD-1234 can mean sda3") && finding.contains("and sdc2"), "{finding}");
}

#[test]
fn without_its_table_a_disk_can_have_any_name_of_a_partition() {
    for name in ["PARTUUID=000b3f7a-03", "PARTLABEL=home"] {
        let finding = by(name, [dos(0, "000b3f7a"), dos(2, "1")], |facts| {
            stored(facts, "sdc").table = None;
        });
        assert_eq!(
            finding,
            "unknown: whether another attached device has a name of this host's too: the partition table of sdc was not read"
        );
    }
}

#[test]
fn a_table_that_the_kernel_has_not_read_leaves_unknown_what_a_disk_carries() {
    let unread = |what: &str, command: &str| {
        format!("unknown: whether another attached device has a name of this host's too: {what}: `{command}`")
    };
    // Of a version that did not look at their places.
    let new =
        |numbers: &str| format!("sdc ({FOREIGN}) has partitions that the kernel has not read ({numbers})");
    for on in ALL {
        assert_eq!(finding_of(on, fresh), unread(&new("1, 2, 3"), "blockdev --rereadpt /dev/sdc"), "{on:?}");
    }
    // One of them cannot be read.
    let failed = |facts: &mut Facts| {
        fresh(facts);
        places(facts, [read(None), Place::Unread("Input/output error".into()), read(None)]);
    };
    let what = new("2: Input/output error");
    assert_eq!(finding_of(On::Record, failed), unread(&what, "blockdev --rereadpt /dev/sdc"));
    // Written anew over another one.
    let moved = |facts: &mut Facts| disks(facts)[2].partitions[1].start_bytes = Some(1 << 20);
    assert_eq!(finding_of(On::Record, moved), unread(&new("2"), "partprobe /dev/sdc"));
    // Under its map kpartx makes them; a path's own are nobody's.
    let mapped = |facts: &mut Facts| {
        let part = holder("dm-6", "253:6", Some(("36dp1", "part1-mpath-36d")), Vec::new());
        let map = holder("dm-5", "253:5", Some(("36d", "mpath-36d")), vec![part]);
        (disks(facts)[2].holders, disks(facts)[2].multipath) = (vec![map], Some(Map::default()));
        let table = edit(&mut facts.storage).iter().find(|one| one.name == "sdc").unwrap().table.clone();
        let map = Storage { table, ..answering("dm-5", "253:5") };
        edit(&mut facts.storage).extend([map, answering("dm-6", "253:6")]);
    };
    let new = format!("dm-5 ({FOREIGN}) has partitions that the kernel has not read (2, 3)");
    assert_eq!(finding_of(On::Record, mapped), unread(&new, "kpartx -a -p p /dev/mapper/36d"));
    let by_systemd = |facts: &mut Facts| {
        mapped(facts);
        facts.os.systemd = Fact::Known(true);
    };
    assert_eq!(finding_of(On::Record, by_systemd), unread(&new, "kpartx -a -p -part /dev/mapper/36d"));
    let half = |facts: &mut Facts| {
        fresh(facts);
        stored(facts, "sdc").table = Some(Table { damaged: true, ..Table::default() });
    };
    let what = format!(
        "sdc ({FOREIGN}) has a partition table that is damaged or not written to its end; once it is whole"
    );
    assert_eq!(finding_of(On::Record, half), unread(&what, "blockdev --rereadpt /dev/sdc"));
    // None, an empty one, and one without a partition.
    for table in [None, Some(Table::default()), Some(Table { dos_id: "1".into(), ..Table::default() })] {
        let finding = finding_of(On::Record, |facts| {
            fresh(facts);
            stored(facts, "sdc").table = table.clone();
        });
        assert_eq!(finding, "met: sda, sdb");
    }
    // A twin that is known is told all the same.
    let finding = finding_of(On::Record, |facts| {
        fresh(facts);
        carries(facts, "sdc", ("ext", HOME, ""));
    });
    assert!(finding.starts_with("unmet: line 4") && finding.contains("can mean sda3"), "{finding}");
}

fn read(volume: Option<(&str, &str, &str)>) -> Place {
    let volume = volume.map(|(fs_type, uuid, label)| Volume {
        fs_type: fs_type.into(),
        uuid: uuid.into(),
        label: label.into(),
    });
    Place::Read { volume, group: None, array: None }
}

/// What lies at the places of the foreign disk's partitions.
fn places(facts: &mut Facts, places: [Place; 3]) {
    let device = stored(facts, "sdc");
    let entries = &mut device.table.as_mut().unwrap().entries;
    entries.iter_mut().zip(places).for_each(|(entry, place)| entry.place = Some(place));
}

/// The kernel shows none of them.
fn fresh(facts: &mut Facts) {
    disks(facts)[2].partitions.clear();
    edit(&mut facts.storage).retain(|one| !one.name.starts_with("sdc") || one.name == "sdc");
}

#[test]
fn what_lies_at_the_places_of_a_table_is_known_though_the_kernel_does_not_show_it() {
    let carrying = |volume| {
        move |facts: &mut Facts| {
            fresh(facts);
            places(facts, [read(Some(("ext", "1-2", "customer"))), read(volume), read(None)]);
        }
    };
    for on in ALL {
        let found = if on == On::Record { "met: sda, sdb" } else { "met: sda, sdb (not on record yet)" };
        assert_eq!(finding_of(on, carrying(None)), found, "{on:?}");
        let finding = finding_of(on, carrying(Some(("ext", HOME, "home"))));
        let expected = format!(
            "unmet: line 4 of /etc/fstab (/home): UUID={HOME} can mean sda3 ({OS_DISK_ID}) and partition 2 of sdc ({FOREIGN}; once the \
             kernel has read its table) | {EXPECTED} | in line 4 of /etc/fstab (/home), put \
             /dev/disk/by-id/scsi-{OS_DISK_ID}-part3 in the place of its UUID or label, or detach sdc ({FOREIGN}), to which \
             nothing may be written"
        );
        assert_eq!(finding, expected, "{on:?}");
    }
    // Which LVM has whole is mounted by none of its own names.
    assert_eq!(finding_of(On::Record, carrying(Some((LVM, HOME, "vg0")))), "met: sda, sdb");
    // A table that was written over another one, whose partitions the kernel still shows: both count.
    let stale = |place: Place| {
        finding_of(On::Record, |facts| {
            disks(facts)[2].partitions[1].start_bytes = Some(7 << 30);
            places(facts, [read(None), place.clone(), read(None)]);
            stored(facts, "sdc").table.as_mut().unwrap().entries[0].place = None;
        })
    };
    assert_eq!(stale(read(None)), "met: sda, sdb");
    let finding = stale(read(Some(("ext", HOME, ""))));
    assert!(finding.starts_with("unmet: ") && finding.contains("and partition 2 of sdc"), "{finding}");
    let finding = finding_of(On::Record, |facts| {
        disks(facts)[2].partitions[1].start_bytes = Some(7 << 30);
        places(facts, [read(None), read(None), read(None)]);
        carries(facts, "sdc2", ("ext", HOME, ""));
    });
    assert!(finding.contains("can mean sda3") && finding.contains("and sdc2"), "{finding}");
    // A partition by its own UUID.
    let name = "PARTUUID=000b3f7a-03";
    let finding = by(name, [dos(0, "000b3f7a"), dos(2, "000b3f7a")], |facts| {
        fresh(facts);
        places(facts, [read(None), read(None), read(None)]);
    });
    assert!(finding.contains(&format!("can mean sda3 ({OS_DISK_ID}) and partition 3 of sdc (")), "{finding}");
    // Numbers that changed their places: the kernel shows what lies there.
    let finding = finding_of(On::Record, |facts| {
        let parts = &mut disks(facts)[2].partitions;
        let places = [2, 1].map(|at: usize| parts[at].start_bytes);
        [parts[1].start_bytes, parts[2].start_bytes] = places;
    });
    assert_eq!(finding, "met: sda, sdb");
}

#[test]
fn a_table_that_has_the_partitions_of_this_host_elsewhere_is_unknown() {
    let finding = |number: u32| {
        finding_of(On::Record, |facts| {
            let mut table = gpt(0, 0, "", "");
            let entry = table.entries.iter_mut().find(|entry| entry.number == number).unwrap();
            (entry.start_bytes, entry.place) = (entry.start_bytes + 4096, Some(read(None)));
            stored(facts, "sda").table = Some(table);
        })
    };
    assert_eq!(
        finding(3),
        format!(
            "unknown: whether another attached device has a name of this host's too: sda ({OS_DISK_ID}) has partitions that the \
             kernel has not read (3): `partprobe /dev/sda`"
        )
    );
    // One that is only new takes nothing from it.
    let finding = finding_of(On::Record, |facts| {
        let mut table = gpt(0, 0, "", "");
        table.entries.push(Entry {
            number: 9,
            start_bytes: 99 << 30,
            place: Some(read(None)),
            ..Entry::default()
        });
        stored(facts, "sda").table = Some(table);
    });
    assert_eq!(finding, "met: sda, sdb");
}
