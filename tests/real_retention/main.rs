//! The retention disk from blank to mounted, and every way in which it is left alone: on real loop devices, with
//! the real tools. Only the SCSI ID is a stand-in, as no SCSI layer drives a loop device.
#![allow(clippy::disallowed_methods, reason = "files and devices of a test are not the host's")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod adopted;
mod answers;
#[path = "../support/content.rs"]
mod content;
mod desk;
mod grown;
mod hangs;
mod interrupted;
mod mounted;
mod old_tools;
mod races;
mod refused;
#[path = "../support/samples.rs"]
mod samples;
#[allow(dead_code, reason = "shared with the tests of what a disk can carry")]
mod stand_ins;
mod taken_over;
mod taken_over_restart;

use std::fs;
use std::path::Path;

use mt_agent::changes::Done;
use mt_agent::changes::mount::create_mount_point;
use mt_agent::state::paths::RETENTION;

use desk::*;

/// The whole way, twice: the second time nothing changes.
fn from_blank_to_mounted(fs_type: &'static str, size: u64) {
    let device = Loop::new(size);
    let target = device.target(fs_type);
    let what = changed(format(&device, &target));
    assert!(
        what.starts_with(&format!("made an {fs_type} file system {UUID} on {}", device.device)),
        "{what}"
    );
    assert_eq!(device.carries(), (fs_type.into(), UUID.into(), "mt-retention".into()));
    let written = record().unwrap();
    assert_eq!((written.finished, written.scsi_id.as_str(), written.uuid), (true, ID, UUID.into()));
    assert_eq!(nodes_left(&device.device), Vec::<std::path::PathBuf>::new());

    let hash = device.hash();
    assert_eq!(format(&device, &target), Ok(Done::Unchanged));
    assert_eq!(device.hash(), hash);

    assert!(!Path::new(MOUNT_POINT).exists());
    let what = changed(mount(&device, fs_type));
    let expected = "; 1 MiB was written, synced, read back and removed";
    assert_eq!(what, format!("mounted {} at {MOUNT_POINT}{expected}", device.device));
    assert_eq!(perform(|context| create_mount_point(context, MOUNT_POINT)), Ok(Done::Unchanged));
    let names: Vec<_> = fs::read_dir(MOUNT_POINT).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| name == "lost+found"), "{names:?}");
    assert_eq!(mount(&device, fs_type), Ok(Done::Unchanged));
    assert_eq!(format(&device, &target), Ok(Done::Unchanged));
    run("umount", &[MOUNT_POINT]);
}

#[test]
fn ext4_from_blank_to_mounted() {
    isolated(module_path!(), "ext4_from_blank_to_mounted", || from_blank_to_mounted("ext4", 64 * MIB));
}

#[test]
fn xfs_from_blank_to_mounted() {
    isolated(module_path!(), "xfs_from_blank_to_mounted", || from_blank_to_mounted("xfs", 512 * MIB));
}

#[test]
fn erasing_lifts_not_blank_and_leaves_one_file_system() {
    isolated(module_path!(), "erasing_lifts_not_blank_and_leaves_one_file_system", || {
        for (fs_type, size) in [("ext4", 64 * MIB), ("xfs", 512 * MIB)] {
            // An end that would win over any file system, were it left.
            let device = Loop::with(size, &[], |image| {
                duct::cmd!("sfdisk", "-q", image).stdin_bytes("label: gpt\n,8M\n").run().unwrap();
            });
            device.write_at(9 * MIB, b"old data");
            changed(format(&device, &device.erasing(fs_type, &device.fingerprint())));
            assert_eq!(device.carries(), (fs_type.into(), UUID.into(), "mt-retention".into()));
            fs::remove_file(RETENTION).unwrap();
        }
    });
}
