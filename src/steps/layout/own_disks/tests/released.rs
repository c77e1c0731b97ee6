//! How a foreign disk in use is told, and what releases it.

use super::*;

#[test]
fn a_foreign_disk_that_is_attached_or_written_by_failback_is_nobody_s_business() {
    for on in ALL {
        let found = if on == On::Record { "met: sda, sdb" } else { "met: sda, sdb (not on record yet)" };
        let data = |facts: &mut Facts| carries(facts, "sdc1", ("ext", "1-2", "customer"));
        assert_eq!(finding_of(on, data), found, "{on:?}");
        // Under its map, as multipath takes every disk, with the map's partitions.
        let under_map = |facts: &mut Facts| {
            let part = holder("dm-6", "253:6", Some(("36dp1", "part1-mpath-36d")), Vec::new());
            let map = holder("dm-5", "253:5", Some(("36d", "mpath-36d")), vec![part]);
            let disk = &mut disks(facts)[2];
            (disk.holders, disk.multipath) = (vec![map], Some(Map::default()));
            edit(&mut facts.storage).push(answering("dm-6", "253:6"));
        };
        assert_eq!(finding_of(on, under_map), found, "{on:?}");
    }
}

#[test]
fn started_from_a_foreign_disk_nothing_else_is_advised_and_nothing_is_changed() {
    let (profile, mut facts) = host(On::Record, |facts| {
        mount_of(facts, "/").major_minor = "8:33".into();
        carries(facts, "sdc1", ("ext4", ROOT, ""));
    });
    facts.services_off = Fact::Known(vec!["multipathd".into()]);
    facts.boot_entry = Fact::Unknown("torn".into());
    fstab(&mut facts).retain(|entry| entry.mount_point != "/home");
    let finding = told(&profile, &facts, ID);
    assert!(finding.contains("/ ITSELF LIES ON sdc"), "{finding}");
    assert!(finding.ends_with("start it from its own disk"), "{finding}");
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
        let finding = finding_of(on, used);
        let expected = format!(
            "unmet: sdc ({FOREIGN}), {why}, is mounted at /srv/a b (sdc1), mounted at /opt/x (sdc1), active swap (sdc2), held by \
             RAID md127 (sdc3), held by LVM cust--omer-data (md127) | {EXPECTED} | `swapoff /dev/sdc2`, `swapoff '/srv/a \
             b/swapfile'`, `umount /opt/x`, `umount '/srv/a b/tmp'`, `umount '/srv/a b'`, `vgchange -an cust-omer`, `mdadm \
             --stop /dev/md127`, and leave sdc to failback or detach it. If it is this host's own: mt-agent apply --own-disk \
             {FOREIGN}"
        );
        assert_eq!(finding, expected, "{on:?}");
    }
    // Other things that can be built on it, each alone.
    for (dm, command) in [
        (("36d1", "CRYPT-LUKS1-x-y"), "`cryptsetup luksClose 36d1`"),
        (("copy", "other-x"), "`dmsetup remove copy`"),
    ] {
        let finding = finding_of(On::Record, |facts| {
            disks(facts)[2].holders = vec![holder("dm-9", "253:9", Some(dm), Vec::new())];
        });
        assert!(finding.starts_with("unmet: sdc (") && finding.contains(command), "{finding}");
    }
}

#[test]
fn a_host_that_started_from_a_disk_not_on_record_is_told_loudly() {
    for on in [On::Older, On::Record] {
        let finding = finding_of(on, |facts| {
            mount_of(facts, "/").major_minor = "8:33".into();
        });
        begins(&finding, &format!("unmet: / ITSELF LIES ON sdc ({FOREIGN}), which is not on record"));
        assert!(
            finding.contains("shut this machine down at once, detach sdc") && !finding.contains("umount"),
            "{finding}"
        );
    }
    // On several disks, one of them not on record.
    finding_begins(On::Record, "unmet: / ITSELF LIES ON sdc", |facts| {
        let raid = holder("md0", "9:0", None, Vec::new());
        disks(facts)[0].partitions[0].holders = vec![raid.clone()];
        disks(facts)[2].partitions[0].holders = vec![raid];
        mount_of(facts, "/").major_minor = "9:0".into();
    });
    let finding = finding_of(On::Record, |facts| {
        mount_of(facts, "/").major_minor = "43:1".into();
    });
    assert!(
        finding.starts_with("unknown: / (") && finding.contains("lies on no disk that was found"),
        "{finding}"
    );
}
