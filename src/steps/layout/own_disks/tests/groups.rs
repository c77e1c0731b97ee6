//! Volume groups of LVM whose names several have.

use super::*;
use crate::facts::storage::{LVM, Place};

#[test]
fn a_volume_group_of_our_name_on_another_disk_is_found() {
    for (group, status) in [("vg0", "unmet: sdc1 of sdc ("), ("customer", "met: ")] {
        let finding = finding_of(On::Record, |facts| {
            let volume = holder("dm-9", "253:9", Some(("vg0-data", "LVM-x")), Vec::new());
            disks(facts)[0].partitions[2].holders = vec![volume];
            mount_of(facts, "/home").major_minor = "253:9".into();
            edit(&mut facts.storage).push(answering("dm-9", "253:9"));
            carries(facts, "sdc1", (LVM, "pv-uuid", group));
        });
        assert!(finding.starts_with(status), "{group}: {finding}");
    }
    // Its name is no label of a file system.
    finding_begins(On::Record, "met: ", |facts| {
        carries(facts, "sda3", ("ext", HOME, "data"));
        carries(facts, "sdc1", (LVM, HOME, "data"));
        fstab(facts).push(entry(20, "LABEL=data", "/data", "ext4", 0));
    });
}

#[test]
fn no_command_is_advised_that_takes_a_volume_group_by_a_name_that_two_have() {
    let finding = finding_of(On::Record, |facts| {
        let volume =
            |name: &str, number: &str, of: &str| holder(name, number, Some((of, "LVM-x")), Vec::new());
        disks(facts)[0].partitions[2].holders = vec![volume("dm-9", "253:9", "vg0-home")];
        disks(facts)[2].partitions[0].holders = vec![volume("dm-10", "253:10", "vg0-data")];
        mount_of(facts, "/home").major_minor = "253:9".into();
        mounted(facts, "/data", "253:10", "/dev/mapper/vg0-data");
        for (name, number) in [("dm-9", "253:9"), ("dm-10", "253:10")] {
            edit(&mut facts.storage).push(answering(name, number));
        }
        carries(facts, "sdc2", (LVM, "pv-uuid", "vg0"));
    });
    let detach = "| `umount /data`, detach sdc: this host's own volume group has the name vg0 too. If it is this host's own: ";
    assert!(
        finding.contains(detach) && !finding.contains("vgrename") && !finding.contains("vgchange"),
        "{finding}"
    );
    let other = format!(
        "detach sdc before any command of LVM, which may take either group. If it belongs to this host's own group: mt-agent apply \
         --own-disk {FOREIGN}"
    );
    assert!(finding.ends_with(&other), "{finding}");
    // A person's word is the end of it: a volume group over two disks with nothing on the second yet.
    finding_begins(On::Record, "met: ", |facts| {
        let volume = holder("dm-9", "253:9", Some(("vg0-data", "LVM-x")), Vec::new());
        disks(facts)[0].partitions[1].holders = vec![volume];
        edit(&mut facts.storage).push(answering("dm-9", "253:9"));
        carries(facts, "sdc2", (LVM, "pv-uuid", "vg0"));
        edit(&mut facts.identity.recorded).as_mut().unwrap().own(&[FOREIGN.into()]);
    });
}

const GROUP: &str = "7nxyVfAaBb0123cdefghijklmnopqrst";
const OTHER: &str = "Zzzzzz0000000000000000000000zzzz";

/// The own group vg0 with a volume on sda3, and a physical volume on sdc1: with the UUID of its group and its own.
fn second(group: Option<&str>, uuid: &str, change: impl Fn(&mut Facts)) -> String {
    finding_of(On::Record, |facts| {
        let volume = format!("LVM-{GROUP}0123456789abcdefghijklmnopqrstuv");
        let volume = holder("dm-9", "253:9", Some(("vg0-data", &volume)), Vec::new());
        disks(facts)[0].partitions[2].holders = vec![volume];
        edit(&mut facts.storage).push(answering("dm-9", "253:9"));
        mount_of(facts, "/home").major_minor = "253:9".into();
        carries(facts, "sda3", (LVM, "first", "vg0"));
        carries(facts, "sdc1", (LVM, uuid, "vg0"));
        stored(facts, "sdc1").group = group.map(str::to_owned);
        change(facts);
    })
}

#[test]
fn a_second_physical_volume_of_the_own_group_is_this_host_s() {
    assert_eq!(second(Some(GROUP), "second", |_| ()), "met: sda, sdb");
    let detach = "detach sdc before any command of LVM, which may take either";
    assert_eq!(
        second(Some(OTHER), "second", |_| ()),
        format!(
            "unmet: sdc1 of sdc ({FOREIGN}) belongs to another volume group vg0 than this host's own of that name | {EXPECTED} | \
             {detach} group"
        )
    );
    // From the same template.
    assert_eq!(
        second(Some(GROUP), "first", |_| ()),
        format!(
            "unmet: sdc1 of sdc ({FOREIGN}) is a copy of sda3, a physical volume of this host's own volume group vg0 | {EXPECTED} \
             | {detach}"
        )
    );
    // Where one of both UUIDs is not known.
    let either = second(None, "second", |_| ());
    assert!(either.contains("as this host's own is named") && either.contains("--own-disk"), "{either}");
    let either = second(Some(GROUP), "second", |facts| {
        disks(facts)[0].partitions[2].holders[0].dm_uuid = Some("LVM-short".into());
    });
    assert!(either.contains("as this host's own is named"), "{either}");
}

#[test]
fn a_physical_volume_counts_though_the_kernel_does_not_show_its_partition() {
    let finding = |group: Option<&str>, uuid: &str| {
        second(None, uuid, |facts| {
            disks(facts)[2].partitions.clear();
            let storage = edit(&mut facts.storage);
            let volume = storage.iter().find(|one| one.name == "sdc1").unwrap().volume.clone();
            storage.retain(|one| !one.name.starts_with("sdc") || one.name == "sdc");
            let disk = storage.iter_mut().find(|one| one.name == "sdc").unwrap();
            let entries = &mut disk.table.as_mut().unwrap().entries;
            for entry in &mut *entries {
                entry.place = Some(Place::Read { volume: None, group: None, array: None });
            }
            entries[1].place = Some(Place::Read { volume, group: group.map(str::to_owned), array: None });
        })
    };
    let copy = finding(Some(GROUP), "first");
    let expected =
        format!("unmet: partition 2 of sdc ({FOREIGN}) is a copy of sda3, a physical volume of this");
    begins(&copy, &expected);
    begins(
        &finding(Some(OTHER), "second"),
        &format!("unmet: partition 2 of sdc ({FOREIGN}) belongs to another"),
    );
    assert_eq!(finding(Some(GROUP), "second"), "met: sda, sdb");
}

#[test]
fn what_could_not_be_read_can_belong_to_a_group_of_the_own_name() {
    let finding = second(Some(GROUP), "second", |facts| {
        stored(facts, "sdc2").read = Fact::Known(Read::Failed("Input/output error".into()));
        // No line, which would tell it as well.
        fstab(facts).clear();
        facts.boot_entry = Fact::Known(None);
        facts.retention_record = Fact::Known(None);
        mounts(facts).retain(|mount| mount.mount_point != "/mnt/retention");
    });
    begins(&finding, "unknown: whether another attached device has a name of this host's too: sdc2");
}
