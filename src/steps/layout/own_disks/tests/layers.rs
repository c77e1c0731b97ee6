//! Names that lead to other disks at the next boot, and what is built on members that another disk has too.

use super::*;
use crate::facts::multipath::Configuration;
use crate::facts::storage::{BTRFS, LUKS, LVM, Place};

const ARRAY: &str = "01020304-0506-0708-090a-0b0c0d0e0f10";

#[test]
fn a_member_of_an_own_raid_on_another_disk_is_found() {
    let own = |facts: &mut Facts| {
        disks(facts)[0].partitions[2].holders = vec![holder("md0", "9:0", None, Vec::new())];
        edit(&mut facts.storage).push(answering("md0", "9:0"));
        mount_of(facts, "/home").major_minor = "9:0".into();
        stored(facts, "sda3").array = Some(ARRAY.into());
    };
    finding_begins(On::Record, "met: ", own);
    let fix = format!(
        "detach sdc ({FOREIGN}) before the next boot, which may take either. If it is this host's own: mt-agent apply --own-disk \
         {FOREIGN}"
    );
    let shown = finding_of(On::Record, |facts| {
        own(facts);
        stored(facts, "sdc1").array = Some(ARRAY.into());
    });
    let told = format!("a member of the software RAID {ARRAY}, as this host's own sda3 is");
    assert_eq!(shown, format!("unmet: sdc1 of sdc ({FOREIGN}) is {told} | {EXPECTED} | {fix}"));
    // Where the kernel does not show its partition.
    finding_begins(On::Record, &format!("unmet: partition 2 of sdc ({FOREIGN}) is {told} |"), |facts| {
        own(facts);
        let entries = &mut stored(facts, "sdc").table.as_mut().unwrap().entries;
        entries[1].place = Some(Place::Read { volume: None, group: None, array: Some(ARRAY.into()) });
    });
    finding_begins(On::Record, "met: ", |facts| {
        own(facts);
        stored(facts, "sdc1").array = Some("another".into());
    });
}

#[test]
fn an_encrypted_volume_of_this_host_s_on_another_disk_is_found() {
    for (uuid, expected) in [("luks-1", "unmet: sdc2 of sdc ("), ("luks-2", "met: ")] {
        finding_begins(On::Record, expected, |facts| {
            let opened = holder("dm-9", "253:9", Some(("luks-1", "CRYPT-LUKS1-x")), Vec::new());
            disks(facts)[0].partitions[2].holders = vec![opened];
            edit(&mut facts.storage).push(answering("dm-9", "253:9"));
            mount_of(facts, "/home").major_minor = "253:9".into();
            carries(facts, "sda3", (LUKS, "luks-1", ""));
            carries(facts, "sdc2", (LUKS, uuid, ""));
        });
    }
}

/// /data by a name of btrfs that sda3 and sdc1 have.
fn btrfs(parts: [&str; 2]) -> String {
    finding_of(On::Record, |facts| {
        for (name, part) in ["sda3", "sdc1"].into_iter().zip(parts) {
            carries(facts, name, (BTRFS, "b-1", ""));
            stored(facts, name).group = (!part.is_empty()).then(|| part.to_owned());
        }
        fstab(facts).push(entry(20, "UUID=b-1", "/data", "btrfs", 0));
    })
}

#[test]
fn the_devices_of_one_btrfs_are_no_twins_and_each_has_to_be_this_host_s() {
    for copies in [["p", "p"], ["", "p"]] {
        let finding = btrfs(copies);
        assert!(finding.contains("UUID=b-1 can mean sda3") && finding.contains("and sdc1"), "{finding}");
    }
    let finding = btrfs(["p", "q"]);
    let expected = format!(
        "unmet: line 20 of /etc/fstab (/data): UUID=b-1 leads to sdc ({FOREIGN}), which is not on record"
    );
    begins(&finding, &expected);
    finding_begins(On::Record, "met: ", |facts| {
        for (name, part) in [("sda2", "p"), ("sda3", "q")] {
            carries(facts, name, (BTRFS, "b-1", ""));
            stored(facts, name).group = Some(part.to_owned());
        }
        fstab(facts).push(entry(20, "UUID=b-1", "/data", "btrfs", 0));
    });
}

fn by(name: &str, change: impl Fn(&mut Facts)) -> String {
    finding_of(On::Record, |facts| {
        let configuration =
            edit(&mut facts.multipath.configuration).get_or_insert_with(Configuration::default);
        configuration.aliases.push((FOREIGN.into(), "data".into()));
        configuration.aliases.push((OS_DISK_ID.into(), "own".into()));
        carries(facts, "sdc1", (LVM, "pv", "vg-1"));
        carries(facts, "sda2", (LVM, "pv-own", "vg2"));
        fstab(facts).push(entry(20, name, "/data", "ext4", 0));
        change(facts);
    })
}

#[test]
fn a_name_that_leads_nowhere_yet_can_be_a_foreign_disk_s_at_the_next_boot() {
    for name in [
        "/dev/mapper/data",
        "/dev/mapper/datap1",
        "/dev/mapper/data1",
        "/dev/mapper/data-part12",
        "/dev/disk/by-id/dm-name-datap1",
        &format!("/dev/mapper/{FOREIGN}"),
        &format!("/dev/mapper/{FOREIGN}p1"),
        &format!("/dev/disk/by-id/scsi-{FOREIGN}-part1"),
        &format!("/dev/disk/by-id/dm-uuid-mpath-{FOREIGN}"),
        "/dev/mapper/vg--1-data",
        "/dev/vg-1/data",
    ] {
        let finding = by(name, |_| ());
        let expected = format!(
            "unmet: line 20 of /etc/fstab (/data): {name} will lead to sdc ({FOREIGN}) alone, which is not on record"
        );
        assert!(finding.starts_with(&expected), "{name}: {finding}");
        assert!(finding.contains("do not restart: detach it"), "{finding}");
        // Of swap, root= and resume= as well.
        let finding = by("/dev/mapper/x", |facts| {
            let entry = edit(&mut facts.boot_entry).as_mut().unwrap();
            entry.kernel.as_mut().unwrap().push(format!("resume={name}"));
        });
        has(&finding, &format!("resume= of /boot/grub/grub.conf: {name} will lead to sdc"));
    }
    for name in [
        "/dev/mapper/own",
        "/dev/mapper/ownp2",
        "/dev/mapper/datax",
        "/dev/mapper/vg2-data",
        "/dev/vg/1-data",
    ] {
        assert_eq!(by(name, |_| ()), "met: sda, sdb", "{name}");
    }
    let finding = by("/dev/vg2/data", |facts| carries(facts, "sdc2", (LVM, "pv-3", "vg2")));
    assert!(finding.contains(&format!("/dev/vg2/data will lead to sdc ({FOREIGN}), which")), "{finding}");
}

#[test]
fn a_name_whose_device_carries_nothing_that_is_recognised_was_not_compared() {
    let home = |facts: &mut Facts| stored(facts, "sda3").volume = None;
    let finding = finding_of(On::Record, home);
    let expected = format!(
        "unknown: line 4 of /etc/fstab (/home): sda3 carries nothing that mt-agent recognises, so UUID={HOME} was not compared with \
         the other disks: `blkid -c /dev/null -t UUID={HOME}` lists"
    );
    begins(&finding, &expected);
    // By the link itself.
    let finding = finding_of(On::Record, |facts| {
        home(facts);
        line_of(facts, "/home").device = format!("/dev/disk/by-uuid/{HOME}");
    });
    assert!(finding.starts_with("unknown: ") && finding.contains(&format!("-t UUID={HOME}`")), "{finding}");
    // A twin is told all the same.
    finding_begins(
        On::Record,
        &format!("unmet: line 4 of /etc/fstab (/home): UUID={HOME} leads to sdc"),
        |facts| {
            home(facts);
            carries(facts, "sdc1", ("ext", HOME, ""));
        },
    );
}
