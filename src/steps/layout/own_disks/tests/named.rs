//! Names that another attached disk has too, that can move, or that lead elsewhere.

use super::*;
use crate::facts::scsi::NoId;

#[test]
fn a_twin_is_named_whichever_is_mounted_and_the_name_that_holds() {
    let by_id = format!("/dev/disk/by-id/scsi-{OS_DISK_ID}-part3");
    for on in ALL {
        // Its own is mounted.
        let twin = |facts: &mut Facts| carries(facts, "sdc1", ("ext", HOME, "home"));
        let finding = finding_of(on, twin);
        assert_eq!(
            finding,
            format!(
                "unmet: line 4 of /etc/fstab (/home): UUID={HOME} can mean sda3 ({OS_DISK_ID}) and sdc1 ({FOREIGN}) | {EXPECTED} \
                 | in line 4 of /etc/fstab (/home), put {by_id} in the place of its UUID or label, or detach sdc ({FOREIGN}), to \
                 which nothing may be written"
            ),
            "{on:?}"
        );
        // The customer's is mounted, and udev's link leads to it.
        let finding = finding_of(on, |facts| {
            twin(facts);
            mount_of(facts, "/home").major_minor = "8:33".into();
            edit(&mut facts.filesystems).by_uuid.insert(HOME.into(), "8:33".into());
        });
        assert!(
            finding.contains("is mounted at /home (sdc1)") && finding.contains("`umount /home`"),
            "{on:?}: {finding}"
        );
        assert!(finding.contains("can mean sda3") && finding.contains(&by_id), "{on:?}: {finding}");
        // By another name, quoted, and by its label.
        for name in [format!("UUID=\"{HOME}\""), "LABEL=home".into(), "/dev/disk/by-label/home".into()] {
            let finding = finding_of(on, |facts| {
                carries(facts, "sda3", ("ext", HOME, "home"));
                twin(facts);
                line_of(facts, "/home").device.clone_from(&name);
            });
            assert!(finding.contains(&format!("{name} can mean sda3")), "{on:?} {name}: {finding}");
        }
        // The advice taken: the name of the disk, which no other has.
        finding_begins(on, "met: ", |facts| {
            twin(facts);
            line_of(facts, "/home").device.clone_from(&by_id);
        });
        // What is not mounted at boot.
        finding_begins(on, "met: ", |facts| {
            twin(facts);
            let line = line_of(facts, "/home");
            (line.options, line.pass) = (vec!["noauto".into()], 0);
        });
        // `fsck -A` of CentOS 6 checks it all the same.
        let finding = finding_of(on, |facts| {
            twin(facts);
            let line = line_of(facts, "/home");
            (line.options, line.pass) = (vec!["noauto".into()], 2);
        });
        assert!(finding.contains("can mean sda3"), "{on:?}: {finding}");
    }
}

#[test]
fn a_twin_of_root_is_found_by_the_boot_entry_and_swap_by_its_line() {
    finding_begins(
        On::Record,
        &format!("unmet: root= of /boot/grub/grub.conf: UUID={ROOT} can mean sda1"),
        |facts| {
            carries(facts, "sdc1", ("ext", ROOT, ""));
            line_of(facts, "/").device = format!("/dev/disk/by-id/scsi-{OS_DISK_ID}-part1");
        },
    );
    let finding = finding_of(On::Record, |facts| {
        carries(facts, "sdc2", ("swap", "68c2f3d7-1e45-4a9b-8c70-3f5d6b0e2a05", ""));
    });
    assert!(
        finding.contains("/etc/fstab (swap): UUID=68c2f3d7") && finding.contains("can mean sda5"),
        "{finding}"
    );
    // What could not be read can be one.
    finding_begins(On::Record, "unknown: whether another attached device has a name", |facts| {
        edit(&mut facts.storage).last_mut().unwrap().read =
            Fact::Known(Read::Failed("Input/output error".into()));
    });
}

#[test]
fn a_name_that_can_move_is_no_evidence_that_a_disk_is_this_host_s() {
    let data = |device: &str, fs_type: &str, options: &str| {
        finding_of(On::Nothing, |facts| {
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
            let finding = data(device, fs_type, options);
            let expected =
                format!("unmet: sdc ({FOREIGN}), which no line of /etc/fstab names by a name that stays");
            assert!(finding.starts_with(&expected), "{device} {fs_type} {options}: {finding}");
        }
    }
    for device in ["UUID=1-1", "LABEL=data"] {
        assert!(data(device, "ext4", "noauto").starts_with("met: sda, sdb, sdc"), "{device}");
    }
    // Of what is not mounted at boot the names are not looked at elsewhere.
    finding_begins(
        On::Nothing,
        &format!("unmet: sdc ({FOREIGN}), whose name in /etc/fstab another"),
        |facts| {
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
        },
    );
}

#[test]
fn a_snapshot_is_no_twin_of_its_origin() {
    let snapshot = |uuid: &str| {
        finding_of(On::Record, |facts| {
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
            mount_of(facts, "/home").major_minor = "253:1".into();
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
    finding_begins(
        On::Record,
        &format!("unmet: line 20 of /etc/fstab (/data): UUID=1-1 leads to sdc ({FOREIGN}) alone"),
        led,
    );
    // Whose it is, nobody knows.
    let finding = finding_of(On::Record, |facts| {
        led(facts);
        disks(facts)[2].scsi_id = Err(NoId::default());
    });
    assert!(!finding.starts_with("met: "), "{finding}");
    // A person has put it on record.
    finding_begins(On::Record, "met: ", |facts| {
        led(facts);
        edit(&mut facts.identity.recorded).as_mut().unwrap().own(&[FOREIGN.into()]);
    });
}
