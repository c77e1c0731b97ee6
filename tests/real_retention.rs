//! The retention disk from blank to mounted, and every way in which it is left alone: on real loop devices, with
//! the real tools. Only the SCSI ID is a stand-in, as no SCSI layer drives a loop device.

mod retention;

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use mt_agent::changes::Done;
use mt_agent::changes::mkfs::{self, Target};
use mt_agent::changes::mount::{Volume, create_mount_point, mount_as};
use mt_agent::facts::disks::Map;
use mt_agent::facts::retention::RECORD;
use retention::*;

fn format(device: &Loop, target: &Target<'_>) -> Result<Done, String> {
    perform(|context| mkfs::format_as(context, &StandIn::of(device), target))
}

fn volume<'a>(device: &'a Loop, fs_type: &'a str) -> Volume<'a> {
    Volume { device: &device.device, scsi_id: ID, mount_point: MOUNT_POINT, fs_type }
}

fn mount(device: &Loop, fs_type: &str) -> Result<Done, String> {
    perform(|context| mount_as(context, &StandIn::of(device), &volume(device, fs_type)))
}

fn is_mounted(place: &str) -> bool {
    fs::read_to_string("/proc/self/mountinfo")
        .unwrap()
        .lines()
        .any(|line| line.split(' ').nth(4) == Some(place))
}

fn changed(done: Result<Done, String>) -> String {
    match done {
        Ok(Done::Changed(what)) => what,
        other => panic!("{other:?}"),
    }
}

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
    assert_eq!((written.finished, written.scsi_id.as_str(), written.uuid.as_str()), (true, ID, UUID));
    assert_eq!(nodes_left(&device.device), Vec::<std::path::PathBuf>::new());

    let hash = device.hash();
    assert_eq!(format(&device, &target), Ok(Done::Unchanged));
    assert_eq!(device.hash(), hash);

    changed(perform(|context| create_mount_point(context, MOUNT_POINT)));
    assert_eq!(perform(|context| create_mount_point(context, MOUNT_POINT)), Ok(Done::Unchanged));
    let what = changed(mount(&device, fs_type));
    let expected = "; 1 MiB was written, synced, read back and removed";
    assert_eq!(what, format!("mounted {} at {MOUNT_POINT}{expected}", device.device));
    let names: Vec<_> = fs::read_dir(MOUNT_POINT).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| name == "lost+found"), "{names:?}");
    assert_eq!(mount(&device, fs_type), Ok(Done::Unchanged));
    assert_eq!(format(&device, &target), Ok(Done::Unchanged));
    run("umount", &[MOUNT_POINT]);
}

#[test]
fn ext4_from_blank_to_mounted() {
    isolated("ext4_from_blank_to_mounted", || from_blank_to_mounted("ext4", 64 * MIB));
}

#[test]
fn xfs_from_blank_to_mounted() {
    isolated("xfs_from_blank_to_mounted", || from_blank_to_mounted("xfs", 512 * MIB));
}

/// That `target` is refused with `said`, that no bit of the disk changes, and that no record is left.
fn refused(device: &Loop, identity: &StandIn, target: &Target<'_>, said: &str) {
    let (hash, before) = (device.hash(), fs::read(RECORD).ok());
    let error = perform(|context| mkfs::format_as(context, identity, target)).unwrap_err();
    let reason = error.strip_prefix(&format!("formatting {} (SCSI ID {}): ", target.device, target.scsi_id));
    let reason = reason.unwrap_or_else(|| panic!("{error}"));
    assert!(reason.starts_with(said), "{reason}\ndoes not begin with\n{said}");
    assert_eq!(device.hash(), hash, "{said}");
    assert_eq!(fs::read(RECORD).ok(), before, "{said}");
    assert_eq!(nodes_left(&device.device), Vec::<std::path::PathBuf>::new());
}

/// Refused with and without `--erase-disk`.
fn refused_always(device: &Loop, said: &str) {
    for erase in [false, true] {
        refused(device, &StandIn::of(device), &Target { erase, ..device.target("ext4") }, said);
    }
}

const HINT: &str = "if nothing on it is needed: --erase-disk 36000c2982b5df41a25811b07e74971e8";

#[test]
fn what_is_not_blank_is_left_bit_for_bit() {
    isolated("what_is_not_blank_is_left_bit_for_bit", || {
        let refuse = |device: &Loop, said: &str| {
            refused(device, &StandIn::of(device), &device.target("ext4"), said);
        };
        let device = Loop::new(64 * MIB);
        run("mkfs.ext4", &["-q", "-U", "11111111-2222-3333-4444-555555555555", &device.device]);
        refuse(
            &device,
            &format!("it is not blank: it carries ext4, UUID 11111111-2222-3333-4444-555555555555; {HINT}"),
        );
        // Its own UUID is no proof either, where no record says that we made it.
        run("mkfs.ext4", &["-q", "-F", "-U", UUID, &device.device]);
        refuse(&device, &format!("it is not blank: it carries ext4, UUID {UUID}; {HINT}"));

        let device = Loop::new(64 * MIB);
        run("mkswap", &[&device.device]);
        refuse(&device, "it is not blank: it carries swap, UUID ");

        // Bytes that mean nothing to libblkid.
        for at in [0, 513, 5 * 4096, 4 * MIB - 1, 60 * MIB, 64 * MIB - 1] {
            let device = Loop::new(64 * MIB);
            device.write_at(at, b"x");
            refuse(&device, "it is not blank: non-zero bytes at offset ");
        }
    });
}

#[test]
fn a_signature_at_the_end_alone_is_found() {
    isolated("a_signature_at_the_end_alone_is_found", || {
        // A RAID member of version 0.90 keeps its superblock in the last 64 KiB but one.
        let device = Loop::new(64 * MIB);
        let mut superblock = vec![0; 4096];
        superblock[..4].copy_from_slice(&0xa92b_4efc_u32.to_le_bytes());
        superblock[8..12].copy_from_slice(&90_u32.to_le_bytes());
        device.write_at(64 * MIB - 65536, &superblock);
        refused(&device, &StandIn::of(&device), &device.target("ext4"), "it is not blank: ");
        // What is left of a GPT whose beginning was overwritten: its copy in the last sectors.
        let device = Loop::with(64 * MIB, &[], |image| {
            duct::cmd!("sfdisk", "-q", image).stdin_bytes("label: gpt\n,8M\n").run().unwrap();
        });
        device.write_at(0, &vec![0; usize::try_from(MIB).unwrap()]);
        refused(&device, &StandIn::of(&device), &device.target("ext4"), "it is not blank: ");
    });
}

#[test]
fn partitions_are_not_blank_until_a_person_says_so() {
    isolated("partitions_are_not_blank_until_a_person_says_so", || {
        let device = Loop::with(64 * MIB, &["--partscan"], |image| {
            duct::cmd!("sfdisk", "-q", image).stdin_bytes("label: dos\n,8M\n,8M\n").run().unwrap();
        });
        // Kernels without a parser for the table are told.
        run("partx", &["--update", &device.device]);
        let name = device.name();
        let said = format!("it is not blank: it has the partitions {name}p1, {name}p2; {HINT}");
        refused(&device, &StandIn::of(&device), &device.target("ext4"), &said);

        // The partition itself is never a target.
        let path = format!("{}p1", device.device);
        let target = Target { device: &path, size_bytes: 8 * MIB, ..device.target("ext4") };
        refused(
            &device,
            &StandIn::of(&device),
            &target,
            &format!("{path} is the partition {name}p1 and not a whole disk"),
        );

        // A partition in use is a disk in use, whatever a person says.
        run("mkfs.ext4", &["-q", &path]);
        fs::create_dir_all("/mnt/other").unwrap();
        run("mount", &[&path, "/mnt/other"]);
        refused_always(&device, "it is in use: ");
        run("umount", &["/mnt/other"]);

        changed(format(&device, &Target { erase: true, ..device.target("ext4") }));
        assert_eq!(device.carries(), ("ext4".into(), UUID.into(), "mt-retention".into()));
        assert!(!Path::new(&path).exists() && !Path::new(&format!("/sys/block/{name}/{name}p1")).exists());
    });
}

#[test]
fn what_is_in_use_is_refused_whatever_a_person_says() {
    isolated("what_is_in_use_is_refused_whatever_a_person_says", || {
        let device = Loop::new(64 * MIB);
        run("mkfs.ext4", &["-q", &device.device]);
        fs::create_dir_all("/mnt/other").unwrap();
        run("mount", &["-o", "ro", &device.device, "/mnt/other"]);
        refused_always(&device, "it is in use: the kernel does not give exclusive access to it");
        run("umount", &["/mnt/other"]);

        let device = Loop::new(64 * MIB);
        run("mkswap", &[&device.device]);
        run("swapon", &[&device.device]);
        let end = Swapoff(&device.device);
        refused_always(&device, "it is in use: the kernel does not give exclusive access to it");
        drop(end);

        // Claimed by a program that neither mounts nor maps it.
        let device = Loop::new(64 * MIB);
        let claim = File::options().read(true).custom_flags(nix::libc::O_EXCL).open(&device.device).unwrap();
        refused_always(&device, "it is in use: the kernel does not give exclusive access to it");
        drop(claim);
    });
}

struct Swapoff<'a>(&'a str);

impl Drop for Swapoff<'_> {
    fn drop(&mut self) {
        run("swapoff", &[self.0]);
    }
}

#[test]
fn another_disk_than_planned_is_refused() {
    isolated("another_disk_than_planned_is_refused", || {
        let device = Loop::new(64 * MIB);
        let other = Loop::new(64 * MIB);
        let target = device.target("ext4");
        let own = || StandIn::of(&device);
        let refuse =
            |identity: &StandIn, target: &Target<'_>, said: &str| refused(&device, identity, target, said);

        refuse(
            &own(),
            &Target { size_bytes: 65 * MIB, ..target },
            "it has 67108864 bytes; 68157440 were planned",
        );
        refuse(
            &StandIn { answer: Ok("36000c29other".into()), ..own() },
            &target,
            &format!("it answers with the SCSI ID 36000c29other; {ID} was planned"),
        );
        refuse(
            &StandIn { answer: Err("page 0x83 is not supported".into()), ..own() },
            &target,
            "it has no SCSI ID: page 0x83 is not supported",
        );
        refuse(
            &StandIn { names: vec![device.name().into(), other.name().into()], ..own() },
            &target,
            &format!("{} answers with the same SCSI ID", other.name()),
        );
        refuse(
            &StandIn { names: vec![other.name().into()], ..own() },
            &target,
            &format!("{} is neither a whole disk nor a multipath map", device.device),
        );
        let path_of_map = |disks: &mut Vec<mt_agent::facts::disks::Disk>| {
            disks[0].multipath =
                Some(Map { dm_name: ID.into(), major_minor: "253:7".into(), ..Map::default() });
        };
        refuse(
            &StandIn { adapt: path_of_map, ..own() },
            &target,
            &format!(
                "{} is a path of the multipath map /dev/mapper/{ID}: the map must be named, never its path",
                device.device
            ),
        );
        refuse(&own(), &Target { scsi_id: "", ..target }, "no SCSI ID was planned");
        refuse(&own(), &Target { uuid: "-F", ..target }, "`-F` is not a UUID in lower case");
        refuse(
            &own(),
            &Target { fs_type: "btrfs", ..target },
            "`btrfs` is not made here: expected ext4 or xfs",
        );
        let image = device.image();
        let file = Target { device: image.to_str().unwrap(), ..target };
        refuse(&own(), &file, &format!("{} is not a block device", image.display()));
        refuse(
            &own(),
            &Target { device: "/dev/none", ..target },
            "opening /dev/none: No such file or directory",
        );

        let locked = Loop::with(64 * MIB, &["--read-only"], |_| {});
        refused_always(&locked, "it is read-only");

        fs::create_dir_all("/var/lib/mt-agent").unwrap();
        File::create(RECORD).unwrap();
        refuse(&own(), &target, "reading /var/lib/mt-agent/retention.json: ");
    });
}

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
    isolated("a_mkfs_killed_at_any_time_is_made_good_by_the_next_run", || {
        for (fs_type, size) in [("ext4", 256 * MIB), ("xfs", 512 * MIB)] {
            for step in 0..10 {
                let device = Loop::new(size);
                let target = device.target(fs_type);
                interrupted(&target);
                made(&device, fs_type, Some(Duration::from_micros(1500 * step)));
                changed(format(&device, &target));
                assert_eq!(device.carries(), (fs_type.into(), UUID.into(), "mt-retention".into()));
                assert!(record().unwrap().finished);
            }
        }
    });
}

#[test]
fn our_own_unfinished_work_is_told_from_everything_else() {
    isolated("our_own_unfinished_work_is_told_from_everything_else", || {
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
            fs::remove_file(RECORD).unwrap();
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
            Target { scsi_id: "36000c29other", ..target },
            Target { uuid: other_uuid, ..target },
            Target { fs_type: "xfs", ..target },
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

        // Nameless bytes may be raw data of a protected machine once the software that writes it is there.
        fs::create_dir_all("/mnt/local").unwrap();
        let mut version = File::create("/mnt/local/.vx_version").unwrap();
        version.write_all(b"VERSION=9.6.0.0\nINSTALLATION_DIR=/usr/local/ASR\n").unwrap();
        run("mount", &["--bind", "/mnt/local", "/usr/local"]);
        let said =
            "an interrupted run of ours may have left what is on it, but the master target software was";
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
        let target =
            Target { scsi_id: ID, device: &device, fs_type: "ext4", uuid: UUID, size_bytes, erase: false };
        let names = vec![device.strip_prefix("/dev/").unwrap().to_owned()];
        let identity = StandIn { names, answer: Ok(ID.into()), adapt: |_| {} };
        perform(|context| mkfs::format_as(context, &identity, &target)).unwrap();
        return;
    }
    isolated("an_agent_killed_while_it_formats_is_made_good_by_the_next_run", || {
        let name = "an_agent_killed_while_it_formats_is_made_good_by_the_next_run";
        let mut states = Vec::new();
        for step in 0..10 {
            let device = Loop::new(256 * MIB);
            let own = std::env::current_exe().unwrap();
            let victim =
                duct::cmd!(own, "--exact", name).env(VICTIM, &device.device).stdout_null().stderr_null();
            let handle = victim.unchecked().start().unwrap();
            thread::sleep(Duration::from_millis(6 * step));
            handle.kill().unwrap();
            handle.wait().unwrap();
            states.push(record().map(|record| record.finished));
            // An orphaned mkfs keeps the device until it ends; that is said, and waited for by a person.
            let until = Instant::now() + Duration::from_secs(60);
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
            fs::remove_file(RECORD).unwrap();
        }
        println!("found: {states:?}");
    });
}

#[test]
fn erasing_lifts_not_blank_and_leaves_one_file_system() {
    isolated("erasing_lifts_not_blank_and_leaves_one_file_system", || {
        for (fs_type, size) in [("ext4", 64 * MIB), ("xfs", 512 * MIB)] {
            // An end that would win over any file system, were it left.
            let device = Loop::with(size, &[], |image| {
                duct::cmd!("sfdisk", "-q", image).stdin_bytes("label: gpt\n,8M\n").run().unwrap();
            });
            device.write_at(9 * MIB, b"old data");
            changed(format(&device, &Target { erase: true, ..device.target(fs_type) }));
            assert_eq!(device.carries(), (fs_type.into(), UUID.into(), "mt-retention".into()));
            fs::remove_file(RECORD).unwrap();
        }
    });
}

#[test]
fn a_mount_hides_nothing_and_proves_itself_or_is_undone() {
    isolated("a_mount_hides_nothing_and_proves_itself_or_is_undone", || {
        let device = Loop::new(64 * MIB);
        let refuse = |fs_type: &str, said: &str| {
            let error = mount(&device, fs_type).unwrap_err();
            let reason = error.strip_prefix(&format!("mounting {} at {MOUNT_POINT}: ", device.device));
            assert!(reason.is_some_and(|reason| reason.starts_with(said)), "{error}\n{said}");
            assert!(!is_mounted(MOUNT_POINT));
        };
        refuse("ext4", "looking at /mnt/retention: No such file or directory");
        fs::create_dir_all("/mnt/real").unwrap();
        symlink("/mnt/real", MOUNT_POINT).unwrap();
        refuse("ext4", "/mnt/retention is a symbolic link: name the directory itself");
        fs::remove_file(MOUNT_POINT).unwrap();
        fs::create_dir(MOUNT_POINT).unwrap();
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
