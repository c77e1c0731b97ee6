//! What is not eligible is left bit for bit as it was.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use mt_agent::changes::mkfs::Format;
use mt_agent::facts::disks::{Disk, Map};
use mt_agent::state::paths::RETENTION;

use super::desk::*;

#[test]
fn what_is_not_blank_is_left_bit_for_bit() {
    isolated(module_path!(), "what_is_not_blank_is_left_bit_for_bit", || {
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
    isolated(module_path!(), "a_signature_at_the_end_alone_is_found", || {
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
    isolated(module_path!(), "partitions_are_not_blank_until_a_person_says_so", || {
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
        let target = Format {
            size_bytes: 8 * MIB,
            ..with(&device.target("ext4"), |target| target.device = path.clone())
        };
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

        changed(format(&device, &device.erasing("ext4", &device.fingerprint())));
        assert_eq!(device.carries(), ("ext4".into(), UUID.into(), "mt-retention".into()));
        assert!(!Path::new(&path).exists() && !Path::new(&format!("/sys/block/{name}/{name}p1")).exists());
    });
}

#[test]
fn an_order_to_erase_is_for_what_was_there_then() {
    isolated(module_path!(), "an_order_to_erase_is_for_what_was_there_then", || {
        let said = "what is on it is not what was there when --erase-disk was given";
        let device = Loop::new(64 * MIB);
        run("mkfs.ext4", &["-q", "-L", "old", &device.device]);
        let old = device.fingerprint();
        // Without a word on what it is for, and after each kind of change: a file, another file system, a byte.
        refused(&device, &StandIn::of(&device), &Format { erase: true, ..device.target("ext4") }, said);
        fs::create_dir_all("/mnt/other").unwrap();
        run("mount", &[&device.device, "/mnt/other"]);
        File::create("/mnt/other/precious").unwrap().write_all(b"precious").unwrap();
        run("umount", &["/mnt/other"]);
        refused(&device, &StandIn::of(&device), &device.erasing("ext4", &old), said);
        run("mkfs.xfs", &["-q", "-f", "-d", "size=32m", "--unsupported", &device.device]);
        refused(&device, &StandIn::of(&device), &device.erasing("ext4", &old), said);
        let xfs = device.fingerprint();
        device.write_at(64 * MIB - 1, b"x");
        refused(&device, &StandIn::of(&device), &device.erasing("ext4", &xfs), said);
        // One given for a blank disk is for nothing.
        let device = Loop::new(64 * MIB);
        let blank = device.fingerprint();
        assert_eq!(blank, Loop::new(64 * MIB).fingerprint());
        device.write_at(MIB, b"precious");
        refused(&device, &StandIn::of(&device), &device.erasing("ext4", &blank), said);
        changed(format(&device, &device.erasing("ext4", &device.fingerprint())));
    });
}

#[test]
fn what_is_in_use_is_refused_whatever_a_person_says() {
    isolated(module_path!(), "what_is_in_use_is_refused_whatever_a_person_says", || {
        let device = Loop::new(64 * MIB);
        run("mkfs.ext4", &["-q", &device.device]);
        fs::create_dir_all("/mnt/other").unwrap();
        run("mount", &["-o", "ro", &device.device, "/mnt/other"]);
        refused_always(&device, &format!("it is in use: mounted at /mnt/other ({})", device.name()));
        run("umount", &["/mnt/other"]);

        let device = Loop::new(64 * MIB);
        run("mkswap", &[&device.device]);
        run("swapon", &[&device.device]);
        let end = Swapoff(&device.device);
        refused_always(&device, &format!("it is in use: active swap ({})", device.name()));
        drop(end);

        // Mounted where only another mount namespace sees it.
        let device = Loop::new(64 * MIB);
        run("mkfs.ext4", &["-q", &device.device]);
        let script = format!("mount {} /mnt/other && echo up && read line", device.device);
        let (mut up, tell) = std::io::pipe().unwrap();
        let (end, keep) = std::io::pipe().unwrap();
        let elsewhere = duct::cmd!("unshare", "--mount", "--propagation", "private", "sh", "-c", script);
        let handle = elsewhere.stdin_file(end).stdout_file(tell).unchecked().start().unwrap();
        up.read_exact(&mut [0; 3]).unwrap();
        refused_always(&device, "it is in use: the kernel does not give exclusive access to it");
        drop(keep);
        handle.wait().unwrap();

        // Open for writing without any claim, as a failback writes to a protected machine's new disk.
        let device = Loop::new(64 * MIB);
        let (mut up, tell) = std::io::pipe().unwrap();
        let (end, keep) = std::io::pipe().unwrap();
        let script = format!("exec 3<>{} && echo up && read line", device.device);
        let writer =
            duct::cmd!("sh", "-c", script).stdin_file(end).stdout_file(tell).unchecked().start().unwrap();
        up.read_exact(&mut [0; 3]).unwrap();
        refused_always(&device, "it is in use: open for writing by process");
        drop(keep);
        writer.wait().unwrap();

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
    isolated(module_path!(), "another_disk_than_planned_is_refused", || {
        let device = Loop::new(64 * MIB);
        let other = Loop::new(64 * MIB);
        let target = device.target("ext4");
        let own = || StandIn::of(&device);
        let refuse =
            |identity: &StandIn, target: &Format, said: &str| refused(&device, identity, target, said);

        refuse(
            &own(),
            &Format { size_bytes: 65 * MIB, ..target.clone() },
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
        let path_of_map = |disks: &mut Vec<Disk>| {
            disks[0].multipath =
                Some(Map { dm_name: ID.into(), major_minor: "253:7".parse().unwrap(), ..Map::default() });
        };
        refuse(
            &StandIn { adapt: path_of_map, ..own() },
            &target,
            &format!(
                "{} is a path of the multipath map /dev/mapper/{ID}: the map must be named, never its path",
                device.device
            ),
        );
        refuse(&own(), &with(&target, |target| target.scsi_id = "".into()), "no SCSI ID was planned");
        refuse(
            &own(),
            &with(&target, |target| target.uuid = Some("-F".into())),
            "`-F` is not a UUID in lower case",
        );
        refuse(
            &own(),
            &with(&target, |target| target.fs_type = "btrfs".into()),
            "`btrfs` is not made here: expected ext4 or xfs",
        );
        let image = device.image();
        let file = with(&target, |target| target.device = image.to_str().unwrap().into());
        refuse(&own(), &file, &format!("{} is not a block device", image.display()));
        refuse(
            &own(),
            &with(&target, |target| target.device = "/dev/none".into()),
            "opening /dev/none: No such file or directory",
        );

        let locked = Loop::with(64 * MIB, &["--read-only"], |_| {});
        refused_always(&locked, "it is read-only");

        fs::create_dir_all("/var/lib/mt-agent").unwrap();
        File::create(RETENTION).unwrap();
        refuse(&own(), &target, "/var/lib/mt-agent/retention.json is empty: mt-agent state ");
    });
}
