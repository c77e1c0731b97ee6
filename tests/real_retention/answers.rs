//! Whether what is mounted answers, and how full it is, of real file systems.

use std::path::Path;
use std::time::{Duration, Instant};

use mt_agent::facts::mounts::{self, Mount};
use mt_agent::facts::storage::{self, LVM, Read, Storage};
use mt_agent::facts::{Fact, disks};
use mt_agent::host::Host;
use nix::sys::signal::Signal;

use super::desk::*;
use super::hangs::Stoppable;

/// Makes a file system on the disk and mounts it.
fn mounted(disk: &Loop, options: &[&str]) {
    run("mkfs.ext4", &[&["-q", "-F"], options, &[disk.device.as_str()]].concat());
    std::fs::create_dir_all(MOUNT_POINT).unwrap();
    run("mount", &[&disk.device, MOUNT_POINT]);
}

/// What is read of it now.
fn looked() -> (Mount, Storage) {
    let all = mounts::load(&Host::live());
    let storage = storage::load(&Host::live(), &all, &Fact::Known(Vec::new()));
    let mount = all.known().unwrap().iter().find(|mount| mount.mount_point == MOUNT_POINT).unwrap();
    let number = mount.major_minor;
    let storage = storage.known().unwrap().iter().find(|one| one.major_minor == number).unwrap();
    (mount.clone(), storage.clone())
}

/// What is read once it is `as_wanted`: the kernel takes its time to note an error.
fn in_the_end(as_wanted: impl Fn(&Storage) -> bool) -> (Mount, Storage) {
    let started = Instant::now();
    loop {
        let looked = looked();
        if as_wanted(&looked.1) || started.elapsed() > Duration::from_secs(300) {
            return looked;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn what_answers_is_read() {
    isolated(module_path!(), "what_answers_is_read", || {
        let disk = Loop::new(64 * MIB);
        mounted(&disk, &[]);
        let before = disk.hash();
        let (_, storage) = looked();
        assert_eq!((storage.name.as_str(), storage.read), (disk.name(), Fact::Known(Read::Done)));
        assert_eq!((storage.suspended, storage.failed_paths), (Vec::new(), Fact::Known(Vec::new())));
        assert_eq!(disk.hash(), before);
        run("umount", &[MOUNT_POINT]);
    });
}

#[test]
fn the_same_file_system_is_read_from_each_disk_that_carries_it() {
    isolated(module_path!(), "the_same_file_system_is_read_from_each_disk_that_carries_it", || {
        let uuid = "3f0a6a52-8d1b-4e07-9a64-1c5b7d2e9f01";
        let (own, twin, blank) = (Loop::new(64 * MIB), Loop::new(64 * MIB), Loop::new(64 * MIB));
        mounted(&own, &["-U", uuid, "-L", "home"]);
        run("mkfs.ext4", &["-q", "-F", "-U", uuid, &twin.device]);
        let before = [own.hash(), twin.hash(), blank.hash()];
        let host = Host::live();
        let disks = [&own, &twin, &blank].map(|disk| disks::describe(&host, disk.name()).unwrap());
        let read = storage::load(&host, &mounts::load(&host), &Fact::Known(disks.to_vec()));
        let carries = |disk: &Loop| {
            let one = read.known().unwrap().iter().find(|one| one.name == disk.name()).unwrap();
            assert_eq!(one.read, Fact::Known(Read::Done));
            one.volume.as_ref().map(|volume| (volume.uuid.clone(), volume.label.clone()))
        };
        assert_eq!(carries(&own), Some((uuid.into(), "home".to_owned())));
        assert_eq!(carries(&twin), Some((uuid.into(), String::new())));
        assert_eq!(carries(&blank), None);
        assert_eq!([own.hash(), twin.hash(), blank.hash()], before);
        run("umount", &[MOUNT_POINT]);
    });
}

#[test]
fn the_group_of_a_physical_volume_is_read_as_lvm_wrote_it() {
    isolated(module_path!(), "the_group_of_a_physical_volume_is_read_as_lvm_wrote_it", || {
        let (first, second, alone) = (Loop::new(64 * MIB), Loop::new(64 * MIB), Loop::new(64 * MIB));
        // Without a look at the disks of this machine.
        let ours = [&first, &second, &alone].map(|disk| format!("\"a|^{}$|\"", disk.device)).join(", ");
        let config = format!("devices {{ filter=[{ours}, \"r|.*|\"] use_devicesfile=0 }}");
        let lvm = |words: &[&str]| run(words[0], &[&words[1..], &["--config", &config]].concat());
        let group = "a-group_of.ours";
        lvm(&["pvcreate", "-qq", "-y", &alone.device]);
        // As LVM does it by default, and with its text at another place.
        lvm(&["vgcreate", "-qq", "-y", group, &first.device]);
        lvm(&["pvcreate", "-qq", "-y", "--dataalignment", "1m", "--labelsector", "3", &second.device]);
        lvm(&["vgextend", "-qq", group, &second.device]);
        // Each change puts the text further on, and once around.
        for _ in 0..3 {
            lvm(&["vgchange", "-qq", "--addtag", "tag", group]);
            lvm(&["vgchange", "-qq", "--deltag", "tag", group]);
        }
        let before = [first.hash(), second.hash(), alone.hash()];
        let host = Host::live();
        let all = [&first, &second, &alone].map(|disk| disks::describe(&host, disk.name()).unwrap());
        let read = storage::load(&host, &mounts::load(&host), &Fact::Known(all.to_vec()));
        let carries = |disk: &Loop| {
            let one = read.known().unwrap().iter().find(|one| one.name == disk.name()).unwrap();
            let volume = one.volume.as_ref().unwrap_or_else(|| panic!("{one:?}"));
            assert_eq!(volume.fs_type, LVM);
            let told = lvm(&["pvs", "--noheadings", "-o", "pv_uuid", &disk.device]);
            assert_eq!(volume.uuid, *told.trim().replace('-', ""));
            volume.label.clone()
        };
        assert_eq!([carries(&first), carries(&second), carries(&alone)], [group, group, ""]);
        assert_eq!([first.hash(), second.hash(), alone.hash()], before);
    });
}

#[test]
fn what_lies_below_a_loop_device_is_told_by_the_kernel() {
    isolated(module_path!(), "what_lies_below_a_loop_device_is_told_by_the_kernel", || {
        let disk = Loop::new(64 * MIB);
        mounted(&disk, &[]);
        let number = |mount: &str| {
            let all = mounts::load(&Host::live());
            all.known().unwrap().iter().find(|one| one.mount_point == mount).unwrap().major_minor
        };
        // In a file on it, and on itself.
        for image in [format!("{MOUNT_POINT}/image"), disk.device.clone()] {
            if image != disk.device {
                let file = std::fs::File::create_new(&image).unwrap();
                file.set_len(16 * MIB).unwrap();
                run("mkfs.ext4", &["-q", "-F", &image]);
            }
            std::fs::create_dir_all("/mnt/inner").unwrap();
            let upper = run("losetup", &["--find", "--show", "--read-only", &image]);
            run("mount", &["-o", "ro,noload", upper.trim(), "/mnt/inner"]);
            let all = mounts::load(&Host::live());
            let read = storage::load(&Host::live(), &all, &Fact::Known(Vec::new()));
            let inner = number("/mnt/inner");
            let below =
                read.known().unwrap().iter().find(|one| one.major_minor == inner).unwrap().below.clone();
            run("umount", &["/mnt/inner"]);
            run("losetup", &["--detach", upper.trim()]);
            assert_eq!(below, [number(MOUNT_POINT).to_string()], "{image}");
        }
        run("umount", &[MOUNT_POINT]);
    });
}

#[test]
fn storage_that_stands_still_is_told_and_not_waited_for() {
    isolated(module_path!(), "storage_that_stands_still_is_told_and_not_waited_for", || {
        let storage = Stoppable::new();
        mounted(storage.disk(), &[]);
        let image = std::fs::File::open(storage.disk().image()).unwrap();
        image.sync_all().unwrap();
        // The loop device reads through the cache of its image.
        let forget = nix::fcntl::PosixFadviseAdvice::POSIX_FADV_DONTNEED;
        nix::fcntl::posix_fadvise(&image, 0, 0, forget).unwrap();
        drop(image);
        let started = Instant::now();
        storage.signal(Signal::SIGSTOP);
        let (mount, looked) = looked();
        assert!(started.elapsed() < Duration::from_secs(300));
        storage.signal(Signal::SIGCONT);
        run("umount", &["--lazy", MOUNT_POINT]);
        let late = "a read of it did not end within 10 s";
        assert_eq!(looked.read, Fact::Known(Read::Failed(late.into())));
        assert!(mount.size_bytes.known().is_some(), "ext4 tells that from memory: {mount:?}");
    });
}

#[test]
fn a_full_file_system_has_nothing_free() {
    isolated(module_path!(), "a_full_file_system_has_nothing_free", || {
        let disk = Loop::new(64 * MIB);
        mounted(&disk, &["-N", "16"]);
        let (fresh, _) = looked();
        assert!(fresh.inodes.known().is_some_and(|inodes| *inodes < 1000), "{fresh:?}");
        assert!(fresh.free_bytes.known().is_some_and(|free| *free > 40 * MIB), "{fresh:?}");
        // All but root's reserve.
        let free = fresh.free_bytes.known().unwrap().to_string();
        run("fallocate", &["--length", &free, &format!("{MOUNT_POINT}/fill")]);
        let left = *looked().0.free_bytes.known().unwrap();
        assert!(left < MIB, "{left} bytes are left");
        std::fs::remove_file(format!("{MOUNT_POINT}/fill")).unwrap();
        for number in 0.. {
            let made = std::fs::write(Path::new(MOUNT_POINT).join(number.to_string()), "");
            if made.is_err() {
                break;
            }
        }
        let (full, _) = looked();
        assert_eq!(full.free_inodes, Fact::Known(0));
        assert!(full.free_bytes.known().is_some_and(|free| *free > 40 * MIB), "{full:?}");
        run("umount", &[MOUNT_POINT]);
    });
}

#[test]
fn errors_that_ext4_met_are_told_until_fsck_has_mended_them() {
    isolated(module_path!(), "errors_that_ext4_met_are_told_until_fsck_has_mended_them", || {
        let disk = Loop::new(64 * MIB);
        mounted(&disk, &["-e", "continue"]);
        let trigger = format!("/sys/fs/ext4/{}/trigger_fs_error", disk.name());
        std::fs::write(&trigger, "for the test").unwrap();
        let told = |storage: &Storage| matches!(storage.read, Fact::Known(Read::Errors(_)));
        let (mount, storage) = in_the_end(told);
        assert!(mount.is_writable(), "the kernel keeps it writable: {mount:?}");
        assert!(told(&storage), "{storage:?}");
        run("umount", &[MOUNT_POINT]);
        // A mount alone mends nothing.
        run("mount", &[&disk.device, MOUNT_POINT]);
        assert_eq!(looked().1.read, Fact::Known(Read::Errors("the kernel counts 1".into())));
        run("umount", &[MOUNT_POINT]);
        let checked =
            std::process::Command::new("fsck.ext4").args(["-f", "-y", &disk.device]).output().unwrap();
        assert!(checked.status.code() <= Some(1), "{checked:?}");
        run("mount", &[&disk.device, MOUNT_POINT]);
        assert_eq!(looked().1.read, Fact::Known(Read::Done));
        run("umount", &[MOUNT_POINT]);
    });
}

#[test]
fn a_file_system_that_was_shut_down_has_no_size() {
    isolated(module_path!(), "a_file_system_that_was_shut_down_has_no_size", || {
        let disk = Loop::new(512 * MIB);
        run("mkfs.xfs", &["-q", &disk.device]);
        std::fs::create_dir_all(MOUNT_POINT).unwrap();
        run("mount", &[&disk.device, MOUNT_POINT]);
        assert!(looked().0.size_bytes.known().is_some());
        run("xfs_io", &["-x", "-c", "shutdown", MOUNT_POINT]);
        let (mount, _) = looked();
        assert!(mount.is_writable(), "its options say nothing: {mount:?}");
        assert!(
            matches!(&mount.size_bytes, Fact::Unknown(why) if why.contains("Input/output error")),
            "{mount:?}"
        );
        run("umount", &[MOUNT_POINT]);
    });
}
