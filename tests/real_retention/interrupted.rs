//! Making a file system, interrupted: the next run makes it good, and takes nothing else for its own work.

use std::fs::{self, File};
use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use mt_agent::changes::Target;
use mt_agent::changes::mkfs::{self, Format};
use mt_agent::host::FileSystem;
use mt_agent::state::paths::RETENTION;

use super::desk::*;
use super::samples::samples;

/// Runs mkfs by hand, to its end or until it is killed after `delay`.
fn made(device: &Loop, fs_type: &str, delay: Option<Duration>) {
    let uuid = format!("uuid={UUID}");
    let command = match fs_type {
        "ext4" => duct::cmd!("mkfs.ext4", "-q", "-U", UUID, "-L", "mt-retention", &device.device),
        _ => duct::cmd!("mkfs.xfs", "-q", "-m", uuid, "-L", "mt-retention", &device.device),
    };
    let handle = command.stdin_null().unchecked().start().unwrap();
    if let Some(delay) = delay {
        thread::sleep(delay);
        handle.kill().unwrap();
    }
    handle.wait().unwrap();
}

#[test]
fn a_mkfs_killed_at_any_time_is_made_good_by_the_next_run() {
    isolated(module_path!(), "a_mkfs_killed_at_any_time_is_made_good_by_the_next_run", || {
        for (fs_type, size) in [("ext4", 256 * MIB), ("xfs", 512 * MIB)] {
            for step in samples(10, Duration::from_secs(4)) {
                let device = Loop::new(size);
                let target = device.target(fs_type);
                interrupted(&target);
                // Ten steps, and then between them.
                let delay = Duration::from_micros(1500 * (step % 10) + 150 * (step / 10));
                made(&device, fs_type, Some(delay));
                changed(format(&device, &target));
                assert_eq!(device.carries(), (fs_type.into(), UUID.into(), "mt-retention".into()));
                assert!(record().unwrap().finished);
            }
        }
    });
}

#[test]
fn our_own_unfinished_work_is_told_from_everything_else() {
    isolated(module_path!(), "our_own_unfinished_work_is_told_from_everything_else", || {
        // Complete but for our record: nothing is written again.
        for (fs_type, size) in [("ext4", 64 * MIB), ("xfs", 512 * MIB)] {
            let device = Loop::new(size);
            let target = device.target(fs_type);
            made(&device, fs_type, None);
            interrupted(&target);
            let hash = device.hash();
            let what = changed(format(&device, &target));
            assert!(what.starts_with(&format!("finished the interrupted making of the {fs_type}")), "{what}");
            assert_eq!(device.hash(), hash);
            assert!(record().unwrap().finished);
            fs::remove_file(RETENTION).unwrap();
        }

        // Superblocks that say that mkfs did not come to its end.
        let ext4 = Loop::new(64 * MIB);
        made(&ext4, "ext4", None);
        ext4.write_at(1024 + 0x3a, &[0]);
        interrupted(&ext4.target("ext4"));
        // Somebody mounted it: there may be files.
        ext4.write_at(1024 + 0x34, &[1]);
        let said = "it carries the file system that our interrupted run was making, but that is damaged or was mounted";
        refused(&ext4, &StandIn::of(&ext4), &ext4.target("ext4"), said);
        ext4.write_at(1024 + 0x34, &[0]);
        let what = changed(format(&ext4, &ext4.target("ext4")));
        assert!(what.starts_with("made an ext4"), "{what}");
        let xfs = Loop::new(512 * MIB);
        made(&xfs, "xfs", None);
        xfs.write_at(126, &[1]);
        interrupted(&xfs.target("xfs"));
        changed(format(&xfs, &xfs.target("xfs")));
        assert_eq!(xfs.carries().1, UUID);

        // XFS of an mkfs.xfs that cannot set a UUID, interrupted before it got one.
        let device = Loop::new(512 * MIB);
        run("mkfs.xfs", &["-q", "-L", &mkfs::tool::unfinished_label(UUID), &device.device]);
        refused(
            &device,
            &StandIn::of(&device),
            &device.target("xfs"),
            "it is not blank: it carries xfs, UUID ",
        );
        interrupted(&device.target("xfs"));
        changed(format(&device, &device.target("xfs")));
        assert_eq!(device.carries(), ("xfs".into(), UUID.into(), "mt-retention".into()));

        // The same bytes without a record of ours, with that of another disk, another UUID, another type.
        let device = Loop::new(64 * MIB);
        device.write_at(8 * MIB, b"nameless");
        device.write_at(100, b"nameless");
        let target = device.target("ext4");
        let other_uuid = "00000000-0b6c-4c1e-9f5a-3d1c2b4a5e6f";
        for other in [
            with(&target, |other| other.scsi_id = "36000c29other".into()),
            with(&target, |other| other.uuid = Some(other_uuid.into())),
            with(&target, |other| other.fs_type = FileSystem::Xfs),
        ] {
            interrupted(&other);
            refused(&device, &StandIn::of(&device), &target, "it is not blank: non-zero bytes at offset ");
        }
        // With our record, another file system is still another.
        interrupted(&target);
        run("mkfs.ext4", &["-q", "-F", "-U", other_uuid, &device.device]);
        refused(
            &device,
            &StandIn::of(&device),
            &target,
            &format!(
                "it carries ext4, UUID {other_uuid}, which is not what our interrupted run was making (ext4 {UUID})"
            ),
        );
        run("wipefs", &["-q", "-a", &device.device]);

        // What a person wrote to it raw begins where mkfs writes nothing.
        for (fs_type, last) in [("ext4", 1023), ("xfs", 511)] {
            let raw = Loop::new(512 * MIB);
            let target = raw.target(fs_type);
            interrupted(&target);
            for at in [0, last] {
                raw.write_at(at, b"x");
                let said = format!(
                    "an interrupted run of ours was making {fs_type} on it, but would have left its first"
                );
                refused(&raw, &StandIn::of(&raw), &target, &said);
                raw.write_at(at, &[0]);
            }
            raw.write_at(last + 1, b"x");
            changed(format(&raw, &target));
        }

        // Nameless bytes may be raw data of a protected machine once the software that writes it is there.
        fs::create_dir_all("/mnt/local").unwrap();
        let mut version = File::create("/mnt/local/.vx_version").unwrap();
        version.write_all(b"VERSION=9.6.0.0\nINSTALLATION_DIR=/usr/local/ASR\n").unwrap();
        run("mount", &["--bind", "/mnt/local", "/usr/local"]);
        let said =
            "an interrupted run of ours may have left what is on it, but the master target software was";
        device.write_at(100, &[0; 8]);
        interrupted(&target);
        refused(&device, &StandIn::of(&device), &target, said);
        run("umount", &["/usr/local"]);
        changed(format(&device, &target));
    });
}

const VICTIM: &str = "MT_AGENT_TEST_VICTIM";

#[test]
fn an_agent_killed_while_it_formats_is_made_good_by_the_next_run() {
    // The second process: formats the device that it is told, and is killed.
    if let Ok(device) = std::env::var(VICTIM) {
        let size_bytes = 256 * MIB;
        let (fs_type, uuid) = (FileSystem::Ext4, Some(UUID.into()));
        let target = Target { scsi_id: ID.into(), device: device.clone(), fs_type, uuid };
        let target = Format { target, size_bytes, erase: false, fingerprint: None };
        let names = vec![device.strip_prefix("/dev/").unwrap().to_owned()];
        let identity = StandIn { names, answer: Ok(ID.into()), adapt: |_| {} };
        perform(|context| mkfs::format(context, &identity, &target)).unwrap();
        return;
    }
    isolated(module_path!(), "an_agent_killed_while_it_formats_is_made_good_by_the_next_run", || {
        let name = "interrupted::an_agent_killed_while_it_formats_is_made_good_by_the_next_run";
        let mut states = Vec::new();
        // Until it was killed both before it began and before it ended: when it really dies, a busy machine decides.
        let both = |states: &[_]| states.contains(&None) && states.contains(&Some(false));
        for step in 0..100 {
            if step >= 10 && both(&states) {
                break;
            }
            let device = Loop::new(256 * MIB);
            let own = std::env::current_exe().unwrap();
            let victim =
                duct::cmd!(own, "--exact", name).env(VICTIM, &device.device).stdout_null().stderr_null();
            let handle = victim.unchecked().start().unwrap();
            // Steps from the moment on at which it is about to start mkfs.
            let until = Instant::now() + Duration::from_secs(600);
            while step % 10 > 0 && record().is_none() {
                assert!(Instant::now() < until, "it never came to write its record");
                thread::sleep(Duration::from_millis(1));
            }
            thread::sleep(Duration::from_millis(4 * (step % 10)));
            handle.kill().unwrap();
            handle.wait().unwrap();
            states.push(record().map(|record| record.finished));
            // An orphaned mkfs keeps the device until it ends; that is said, and waited for by a person.
            let until = Instant::now() + Duration::from_secs(600);
            loop {
                match format(&device, &device.target("ext4")) {
                    Ok(_) => break,
                    Err(error) if error.contains("it is in use") && Instant::now() < until => {
                        thread::sleep(Duration::from_millis(50));
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            assert_eq!(device.carries(), ("ext4".into(), UUID.into(), "mt-retention".into()));
            assert!(record().unwrap().finished);
            fs::remove_file(RETENTION).unwrap();
        }
        assert!(both(&states), "{states:?}");
    });
}
