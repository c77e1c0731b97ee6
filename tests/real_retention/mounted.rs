//! A mount hides nothing, and proves itself or is undone.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;

use mt_agent::changes::Done;
use mt_agent::changes::mount::mount_retention;
use mt_agent::facts::disks::{self, Map};
use mt_agent::facts::retention;
use mt_agent::host::Host;
use mt_agent::state::paths::RETENTION;

use super::desk::*;

#[test]
fn a_mount_hides_nothing_and_proves_itself_or_is_undone() {
    isolated(module_path!(), "a_mount_hides_nothing_and_proves_itself_or_is_undone", || {
        let device = Loop::new(64 * MIB);
        let refuse = |fs_type: &str, said: &str| {
            let error = mount(&device, fs_type).unwrap_err();
            let reason = error.strip_prefix(&format!("mounting {} at {MOUNT_POINT}: ", device.device));
            assert!(reason.is_some_and(|reason| reason.starts_with(said)), "{error}\n{said}");
            assert!(!is_mounted(MOUNT_POINT));
        };
        fs::create_dir_all("/mnt/real").unwrap();
        symlink("/mnt/real", MOUNT_POINT).unwrap();
        refuse("ext4", "/mnt/retention is a symbolic link: name the directory itself");
        fs::remove_file(MOUNT_POINT).unwrap();
        refuse("ext4", "it carries nothing; ext4 was expected");
        changed(format(&device, &device.target("ext4")));
        refuse("xfs", &format!("it carries ext4, UUID {UUID}, label mt-retention; xfs was expected"));

        File::create("/mnt/retention/kept").unwrap();
        refuse(
            "ext4",
            "/mnt/retention is not empty, and the mount would hide what is in it (kept): move that away",
        );
        fs::remove_file("/mnt/retention/kept").unwrap();

        interrupted(&device.target("ext4"));
        refuse("ext4", "the making of its file system was interrupted: run apply again");
        fs::remove_file(RETENTION).unwrap();
        // Other tests have devices with the UUID that was made, at the same time.
        run("tune2fs", &["-U", "random", &device.device]);

        let wrong = StandIn { answer: Ok("36000c29other".into()), ..StandIn::of(&device) };
        let error =
            perform(|context| mount_retention(context, &wrong, &volume(&device, "ext4"), MOUNT_POINT))
                .unwrap_err();
        assert!(
            error.ends_with(&format!("it answers with the SCSI ID 36000c29other; {ID} was planned")),
            "{error}"
        );

        run("mount", &[&device.device, "/mnt/real"]);
        refuse("ext4", "the disk is mounted at /mnt/real already: unmount it there");
        // Nothing can be written to it: the proof fails, and the mount is undone.
        run("chattr", &["+i", "/mnt/real"]);
        run("umount", &["/mnt/real"]);
        refuse("ext4", "it was unmounted again: making /mnt/retention/.mt-agent-probe-");
        run("mount", &[&device.device, "/mnt/real"]);
        run("chattr", &["-i", "/mnt/real"]);
        // One that is full has no room for the proof, and is mounted: else what is meant for it goes below.
        let filled =
            duct::cmd!("dd", "if=/dev/zero", "of=/mnt/real/full", "bs=64k").stderr_null().unchecked().run();
        assert!(!filled.unwrap().status.success());
        run("umount", &["/mnt/real"]);
        changed(mount(&device, "ext4"));
        assert_eq!(mount(&device, "ext4"), Ok(Done::Unchanged));
        assert_eq!(fs::read_dir(MOUNT_POINT).unwrap().count(), 2, "nothing is left of the proof");
        run("umount", &[MOUNT_POINT]);

        run("mount", &["-t", "tmpfs", "other", MOUNT_POINT]);
        let error = mount(&device, "ext4").unwrap_err();
        assert!(
            error.contains(": other (tmpfs, 0:") && error.ends_with("name another mount point"),
            "{error}"
        );
        run("umount", &[MOUNT_POINT]);
        run("mount", &["-o", "ro", &device.device, MOUNT_POINT]);
        let error = mount(&device, "ext4").unwrap_err();
        assert!(error.ends_with("read-only: look into the kernel's log for why"), "{error}");
        run("umount", &[MOUNT_POINT]);
    });
}

#[test]
fn of_two_devices_with_one_uuid_none_is_mounted_nor_one_that_is_not_on_record() {
    let name = "of_two_devices_with_one_uuid_none_is_mounted_nor_one_that_is_not_on_record";
    isolated(module_path!(), name, || {
        let device = Loop::new(64 * MIB);
        run("mkfs.ext4", &["-q", &device.device]);
        let copied = |image: &Path| assert_eq!(fs::copy(device.image(), image).unwrap(), 64 * MIB);
        run("sync", &[]);
        let twin = Loop::with(64 * MIB, &[], copied);
        let before = (device.hash(), twin.hash());
        for (one, other) in [(&device, &twin), (&twin, &device)] {
            let error = mount(one, "ext4").unwrap_err();
            assert!(error.contains(&format!(": {} carries the UUID ", other.device)), "{error}");
            assert!(!is_mounted(MOUNT_POINT));
        }
        // Another disk is on record.
        run("tune2fs", &["-U", "random", &twin.device]);
        let made = Loop::new(64 * MIB);
        changed(format(&made, &made.target("ext4")));
        let of_another =
            fs::read_to_string(RETENTION).unwrap().replace(ID, "36000c29aaaaaaaaaaaaaaaaaaaaaaaaa");
        fs::write(RETENTION, of_another).unwrap();
        let error = mount(&device, "ext4").unwrap_err();
        assert!(
            error.contains("on record is on another disk, 36000c29aaaaaaaaaaaaaaaaaaaaaaaaa, and it"),
            "{error}"
        );
        assert_eq!(device.hash(), before.0, "nothing was written");
        fs::remove_file(RETENTION).unwrap();
        changed(mount(&device, "ext4"));
        run("umount", &[MOUNT_POINT]);
    });
}

#[test]
fn a_volume_of_type_auto_is_mounted_as_what_it_carries() {
    isolated(module_path!(), "a_volume_of_type_auto_is_mounted_as_what_it_carries", || {
        let device = Loop::new(64 * MIB);
        let said = mount(&device, "auto").unwrap_err();
        assert!(said.ends_with("it carries nothing; a file system was expected"), "{said}");
        changed(format(&device, &device.target("ext4")));
        changed(mount(&device, "auto"));
        let mounts = fs::read_to_string("/proc/mounts").unwrap();
        assert!(mounts.contains(&format!("{} {MOUNT_POINT} ext4 rw", device.device)), "{mounts}");
        assert_eq!(mount(&device, "auto"), Ok(Done::Unchanged));
        run("umount", &[MOUNT_POINT]);
    });
}

#[test]
fn a_finished_volume_is_known_without_a_link_of_udev_and_nothing_else_is_taken_for_it() {
    let name = "a_finished_volume_is_known_without_a_link_of_udev_and_nothing_else_is_taken_for_it";
    isolated(module_path!(), name, || {
        let device = Loop::new(64 * MIB);
        changed(format(&device, &device.target("ext4")));
        let record = record().unwrap();
        let mut disk = disks::describe(&Host::live(), device.name()).unwrap();
        disk.scsi_id = Ok(ID.into());
        let found = |record: &retention::Record, disk: &disks::Disk| {
            let sought = retention::sought(record, std::slice::from_ref(disk)).unwrap();
            retention::unlinked(&Host::live(), record, sought)
        };
        let number = run("mountpoint", &["-x", &device.device]).parse().unwrap();
        assert_eq!(found(&record, &disk), Some(number));
        let other =
            retention::Record { uuid: "00000000-0b6c-4c1e-9f5a-3d1c2b4a5e6f".into(), ..record.clone() };
        assert_eq!(found(&other, &disk), None, "another UUID");
        let other = retention::Record { fs_type: "xfs".into(), ..record.clone() };
        assert_eq!(found(&other, &disk), None, "another type");
        // The name leads to another device than the one that has the ID.
        let moved = disks::Disk { major_minor: "7:999".parse().unwrap(), ..disk.clone() };
        assert_eq!(found(&record, &moved), None);
        let map = Map { dm_name: "none".into(), major_minor: number, ..Map::default() };
        let mapped = disks::Disk { multipath: Some(map), ..disk.clone() };
        assert_eq!(found(&record, &mapped), None, "a path of a map is looked at through its map alone");
        // A partition table beside it; then nothing that libblkid knows.
        device.write_at(510, &[0x55, 0xaa]);
        device.write_at(446, &[0x80, 1, 1, 0, 0x83, 1, 1, 0, 0, 8, 0, 0, 0, 8, 0, 0]);
        assert_eq!(found(&record, &disk), None, "a partition table beside it");
        run("wipefs", &["-q", "-a", &device.device]);
        assert_eq!(found(&record, &disk), None, "wiped");
    });
}
