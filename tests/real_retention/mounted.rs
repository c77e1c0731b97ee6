//! A mount hides nothing, and proves itself or is undone.

use std::fs::{self, File};
use std::os::unix::fs::symlink;

use mt_agent::changes::mount::mount_as;
use mt_agent::facts::retention::RECORD;

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
        fs::remove_file(RECORD).unwrap();

        let wrong = StandIn { answer: Ok("36000c29other".into()), ..StandIn::of(&device) };
        let error = perform(|context| mount_as(context, &wrong, &volume(&device, "ext4"))).unwrap_err();
        assert!(
            error.ends_with(&format!("it answers with the SCSI ID 36000c29other; {ID} was planned")),
            "{error}"
        );

        run("mount", &[&device.device, "/mnt/real"]);
        refuse("ext4", "the disk is mounted at /mnt/real already: unmount it there");
        // A file system that is full: the proof fails, and the mount is undone.
        let filled =
            duct::cmd!("dd", "if=/dev/zero", "of=/mnt/real/full", "bs=64k").stderr_null().unchecked().run();
        assert!(!filled.unwrap().status.success());
        run("umount", &["/mnt/real"]);
        refuse("ext4", "it was unmounted again: writing /mnt/retention/.mt-agent-probe-");

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
