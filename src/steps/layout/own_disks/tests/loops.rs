//! What lies on loop devices.

use super::*;

#[test]
fn a_disk_below_a_loop_device_is_in_use() {
    for below in ["8:33", "/dev/sdc1", "/lost/image"] {
        let finding = finding_of(On::Record, |facts| {
            mounted(facts, "/lost", "8:33", "/dev/sdc1");
            // Only the file keeps it: the mount may be gone.
            mounted(facts, "/mnt/iso", "7:0", "/dev/loop0");
            let mut device = answering("loop0", "7:0");
            device.below = vec![below.into()];
            edit(&mut facts.storage).push(device);
        });
        assert!(finding.contains("mounted at /mnt/iso (sdc1)"), "{below}: {finding}");
        assert!(
            finding.contains("`umount /mnt/iso`, `losetup -d /dev/loop0`, `umount /lost`"),
            "{below}: {finding}"
        );
    }
    let untold = |facts: &mut Facts| mounted(facts, "/mnt/iso", "7:0", "/dev/loop0");
    assert_eq!(
        finding_of(On::Record, untold),
        "unknown: /mnt/iso (/dev/loop0) lies on no disk that was found"
    );
    let optical = |facts: &mut Facts| mounted(facts, "/mnt/iso", "11:0", "/dev/sr0");
    finding_begins(On::Record, "met: ", optical);
}

/// A container's file system, by Docker's mapping on two loop devices with files in these places.
fn container(below: [&str; 2]) -> String {
    finding_of(On::Record, |facts| {
        mounted(facts, "/var/lib/docker/devicemapper/mnt/1", "253:9", "/dev/mapper/docker-8:1-9-1");
        let mut device = answering("dm-9", "253:9");
        device.below = below.map(str::to_owned).into();
        edit(&mut facts.storage).push(device);
    })
}

#[test]
fn a_mapping_on_files_lies_where_all_of_the_files_lie() {
    // As the kernel tells it: the number of the device with the file; as a recording does: its path.
    for own in [["8:1", "8:1"], ["/var/lib/docker/data", "/var/lib/docker/metadata"], ["8:1", "8:2"]] {
        assert_eq!(container(own), "met: sda, sdb", "{own:?}");
    }
    for foreign in [["8:33", "8:1"], ["8:1", "8:33"], ["8:33", "8:34"]] {
        let finding = container(foreign);
        assert!(
            finding.starts_with(&format!("unmet: sdc ({FOREIGN}), which is not on record")),
            "{foreign:?}: {finding}"
        );
        assert_eq!(finding.matches("`umount ").count(), 1, "{finding}");
    }
    for untold in [["8:1", "loop1"], ["9:9", "8:1"]] {
        let finding = container(untold);
        assert!(
            finding.starts_with("unknown: /var/lib/docker") && finding.contains("lies on no disk"),
            "{finding}"
        );
    }
}

#[test]
fn what_lies_on_a_disk_and_on_a_file_lies_on_both() {
    let volume = |below: &str| {
        finding_of(On::Record, |facts| {
            let volume = holder("dm-9", "253:9", Some(("vg0-data", "LVM-x")), Vec::new());
            disks(facts)[2].partitions[0].holders = vec![volume];
            mounted(facts, "/data", "253:9", "/dev/mapper/vg0-data");
            let mut device = answering("dm-9", "253:9");
            device.below = vec![below.into()];
            edit(&mut facts.storage).push(device);
        })
    };
    // That its file is this host's own does not make the other part so.
    let finding = volume("8:1");
    assert!(finding.starts_with("unmet: sdc (") && finding.contains("mounted at /data"), "{finding}");
}
