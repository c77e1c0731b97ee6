//! The retention volume grows with its disk, while it is mounted.
//!
//! ext4 is grown by a call of the kernel that wants CAP_SYS_RESOURCE. Where this machine does not have that, the tool is called by
//! one that unmounts the volume meanwhile: all else is as it is, and what the kernel does is not seen here.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use mt_agent::changes::Done;
use mt_agent::changes::Target;
use mt_agent::changes::grow;
use mt_agent::facts::{Fact, disks, mounts, storage};
use mt_agent::host::Host;
use nix::mount::MsFlags;

use super::desk::*;

const VICTIM: &str = "MT_AGENT_TEST_GROWN";

/// The number of CAP_SYS_RESOURCE in linux/capability.h.
const SYS_RESOURCE: u32 = 24;

/// Puts a stand-in over resize2fs where the kernel would not let it grow what is mounted; whether it did.
fn stand_in_where_denied() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
    if u64::from_str_radix(effective.trim(), 16).unwrap() & (1 << SYS_RESOURCE) != 0 {
        return false;
    }
    println!("without CAP_SYS_RESOURCE ext4 is grown while it is not mounted");
    let (real, stand_in) = ("/var/lib/resize2fs", "/var/lib/stand-in");
    fs::copy("/usr/sbin/resize2fs", real).unwrap();
    let script = format!(
        "#!/bin/sh\nset -e\nsource=$(findmnt -no SOURCE {MOUNT_POINT})\numount {MOUNT_POINT}\n{real} -f \"$source\"\n\
         mount -o rw \"$source\" {MOUNT_POINT}\n"
    );
    mt_agent::host::files::replace(Path::new(stand_in), script.as_bytes(), 0o755).unwrap();
    let bind = MsFlags::MS_BIND;
    nix::mount::mount(Some(stand_in), "/usr/sbin/resize2fs", None::<&str>, bind, None::<&str>).unwrap();
    true
}

/// As an administrator enlarges the disk, and the kernel is told.
fn enlarge(device: &Loop, size: u64) {
    File::options().write(true).open(device.image()).unwrap().set_len(size).unwrap();
    run("losetup", &["--set-capacity", &device.device]);
}

fn grow(name: &str, fs_type: &str, uuid: &str) -> Result<Done, String> {
    let device = format!("/dev/{name}");
    let (fs_type, uuid) = (fs_type.into(), Some(uuid.into()));
    let target = Target { scsi_id: ID.into(), device, fs_type, uuid };
    let identity = StandIn { names: vec![name.to_owned()], answer: Ok(ID.to_owned()), adapt: |_| {} };
    perform(|context| grow::grow(context, &identity, &target, MOUNT_POINT))
}

/// What the file system leaves unused of its device, as `check` finds it.
fn unused(device: &Loop) -> Option<u64> {
    let host = Host::live();
    let mounts = mounts::load(&host);
    let disk = disks::describe(&host, device.name()).unwrap();
    let (number, size) = (disk.major_minor, disk.size_bytes);
    let Fact::Known(all) = storage::load(&host, &mounts, &Fact::Known(vec![disk])) else { panic!() };
    let extent = all.iter().find(|one| one.major_minor == number).unwrap().extent.unwrap();
    let Fact::Known(mounts) = mounts else { panic!() };
    let mount = mounts.into_iter().find(|mount| mount.mount_point == MOUNT_POINT).unwrap();
    let Fact::Known(told) = mount.size_bytes else { panic!() };
    extent.unused_of(size, told)
}

#[test]
fn a_volume_grows_to_its_disk_and_what_is_on_it_stays() {
    if let Ok(told) = std::env::var(VICTIM) {
        let words: Vec<&str> = told.split(' ').collect();
        grow(words[0], words[1], UUID).unwrap();
        return;
    }
    isolated(module_path!(), "a_volume_grows_to_its_disk_and_what_is_on_it_stays", || {
        let denied = stand_in_where_denied();
        for (fs_type, size) in [("ext4", 256 * MIB), ("xfs", 512 * MIB)] {
            let device = Loop::new(size);
            changed(format(&device, &device.target(fs_type)));
            changed(mount(&device, fs_type));
            let content: Vec<u8> = (0..3 * MIB).map(|at| u8::try_from(at % 251).unwrap()).collect();
            fs::write("/mnt/retention/points-in-time", &content).unwrap();
            assert_eq!(unused(&device), None);
            assert_eq!(grow(device.name(), fs_type, UUID), Ok(Done::Unchanged));

            // Twice as large; killed where the tool is started, and at calls by which it has the kernel grow it.
            enlarge(&device, 2 * size);
            assert!(unused(&device).is_some_and(|unused| unused > size * 9 / 10), "{:?}", unused(&device));
            let error = grow(device.name(), fs_type, "00000000-0b6c-4c1e-9f5a-3d1c2b4a5e6f").unwrap_err();
            assert!(error.contains("it carries") && error.contains("was expected"), "{error}");
            let own = std::env::current_exe().unwrap();
            let name = "grown::a_volume_grows_to_its_disk_and_what_is_on_it_stays";
            let calls =
                [("execve", 1), ("execve", 2), ("ioctl", 2), ("ioctl", 3), ("ioctl", 5), ("ioctl", 7)];
            // The stand-in is not to be killed while the volume is not mounted.
            let last = if denied && fs_type == "ext4" { 2 } else { calls.len() };
            for (call, number) in &calls[..last] {
                let inject = format!("inject={call}:signal=KILL:when={number}");
                let words =
                    ["-f", "-qq", "-o", "/dev/null", "-e", &inject, own.to_str().unwrap(), "--exact", name];
                let told = format!("{} {fs_type}", device.name());
                let killed = duct::cmd("strace", words).env(VICTIM, told).stdout_null().stderr_null();
                killed.unchecked().run().unwrap();
            }
            let done = grow(device.name(), fs_type, UUID).unwrap();
            println!("{done:?}");
            assert_eq!(unused(&device), None);
            assert_eq!(grow(device.name(), fs_type, UUID), Ok(Done::Unchanged));

            // And once more, in one go.
            enlarge(&device, 3 * size);
            let what = changed(grow(device.name(), fs_type, UUID));
            assert!(
                what.starts_with(&format!("grew the {fs_type} file system at /mnt/retention to ")),
                "{what}"
            );
            assert_eq!(unused(&device), None);
            assert_eq!(fs::read("/mnt/retention/points-in-time").unwrap(), content);
            run("umount", &[MOUNT_POINT]);
            match fs_type {
                "ext4" => run("e2fsck", &["-fn", &device.device]),
                _ => run("xfs_repair", &["-n", &device.device]),
            };
            let error = grow(device.name(), fs_type, UUID).unwrap_err();
            assert!(error.ends_with("nothing is mounted at /mnt/retention"), "{error}");
            fs::remove_file("/var/lib/mt-agent/retention.json").unwrap();
        }
    });
}

#[test]
fn the_size_of_a_file_system_is_read_as_its_tools_tell_it() {
    isolated(module_path!(), "the_size_of_a_file_system_is_read_as_its_tools_tell_it", || {
        let read = |device: &Loop| {
            let mut start = vec![0; 4096];
            File::open(&device.device).unwrap().read_exact_at(&mut start, 0).unwrap();
            start
        };
        let field = |text: &str, name: &str| -> u64 {
            let line =
                text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}: {text}"));
            line.rsplit([' ', '\t', '=']).next().unwrap().parse().unwrap()
        };
        for options in [&["-b", "1024"][..], &["-b", "4096", "-O", "64bit"], &["-O", "^64bit"]] {
            let device = Loop::new(300 * MIB);
            run("mkfs.ext4", &[&["-q"], options, &[&device.device]].concat());
            let told = run("dumpe2fs", &["-h", &device.device]);
            let extent = storage::extent(&read(&device)).unwrap();
            assert_eq!(extent.bytes, field(&told, "Block count:") * field(&told, "Block size:"));
            assert_eq!(extent.log_bytes, 0);
        }
        let device = Loop::new(512 * MIB);
        run("mkfs.xfs", &["-q", &device.device]);
        let told =
            run("xfs_db", &["-r", "-c", "sb 0", "-c", "print dblocks blocksize logblocks", &device.device]);
        let extent = storage::extent(&read(&device)).unwrap();
        let block = field(&told, "blocksize");
        assert_eq!(
            (extent.bytes, extent.log_bytes),
            (field(&told, "dblocks") * block, field(&told, "logblocks") * block)
        );
    });
}
