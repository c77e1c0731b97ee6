//! A blank disk was agreed on; then something happens to it before its file system is made.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, symlink};

use mt_agent::changes::identity::Identity;
use mt_agent::changes::mkfs::{self, Format};
use mt_agent::facts::disks::{self, Disk};
use mt_agent::host::Host;
use mt_agent::host::ScsiId;

use super::desk::{ID, Loop, MIB, StandIn, isolated, perform, refused, refused_always, run, with};
use super::judge::{agreed, choices, probed};

const SIZE: u64 = 64 * MIB;

/// A blank disk that would be taken.
fn blank() -> Loop {
    let device = Loop::new(SIZE);
    agreed(&device);
    device
}

/// That the probe and the choice would not take it now either.
fn no_candidate(device: &Loop, words: &str) {
    for choice in choices(device) {
        let why = choice.unwrap_err();
        assert!(why.contains(words), "{words:?} is not in: {why}");
    }
    assert!(!probed(device).eligible);
}

#[test]
fn mounted_or_swapped_to_or_held_meanwhile() {
    isolated(module_path!(), "mounted_or_swapped_to_or_held_meanwhile", || {
        fs::create_dir_all("/mnt/other").unwrap();
        let device = blank();
        run("mkfs.ext4", &["-q", &device.device]);
        run("mount", &[&device.device, "/mnt/other"]);
        // As for a quiesced snapshot: the file system itself writes nothing meanwhile, and who syncs it waits.
        run("fsfreeze", &["--freeze", "/mnt/other"]);
        let words = format!("it is in use: mounted at /mnt/other ({})", device.name());
        refused_always(&device, &words);
        no_candidate(&device, &words["it ".len()..]);
        run("fsfreeze", &["--unfreeze", "/mnt/other"]);
        run("umount", &["/mnt/other"]);

        let device = blank();
        run("mkswap", &[&device.device]);
        run("swapon", &[&device.device]);
        let words = format!("it is in use: active swap ({})", device.name());
        refused_always(&device, &words);
        no_candidate(&device, &words["it ".len()..]);
        run("swapoff", &[&device.device]);

        let device = blank();
        let above = run("losetup", &["--find", "--show", &device.device]);
        let words = format!("in use: below the loop device {}", above.strip_prefix("/dev/").unwrap());
        refused_always(&device, &format!("it is {words}"));
        no_candidate(&device, &words);
        run("losetup", &["--detach", &above]);

        let device = blank();
        let name = device.name().to_owned();
        run("addpart", &[&device.device, "1", "2048", "16384"]);
        let words = format!("it is not blank: it has the partition {name}p1; ");
        refused(&device, &StandIn::of(&device), &device.target("ext4"), &words);
        no_candidate(&device, &format!("partitions {name}p1"));
        run("delpart", &[&device.device, "1"]);
        agreed(&device);
    });
}

#[test]
fn opened_for_writing_or_claimed_meanwhile() {
    isolated(module_path!(), "opened_for_writing_or_claimed_meanwhile", || {
        use std::io::Read;
        use std::os::unix::fs::OpenOptionsExt;
        // As failback does it: no claim, and not a byte written so far.
        let device = blank();
        let (mut up, tell) = std::io::pipe().unwrap();
        let (end, keep) = std::io::pipe().unwrap();
        let script = format!("exec 3<>{}; echo up; read -r line", device.device);
        let writer = duct::cmd!("bash", "-c", script).stdin_file(end).stdout_file(tell).unchecked();
        let writer = writer.start().unwrap();
        up.read_exact(&mut [0; 3]).unwrap();
        let words = format!("in use: open for writing by process {} (bash)", writer.pids()[0]);
        refused_always(&device, &format!("it is {words}"));
        no_candidate(&device, &words);
        drop(keep);
        writer.wait().unwrap();
        agreed(&device);

        let claim = File::options().read(true).custom_flags(nix::libc::O_EXCL).open(&device.device).unwrap();
        refused_always(&device, "it is in use: the kernel does not give exclusive access to it");
        no_candidate(&device, "claimed by the kernel or another program (EBUSY)");
        drop(claim);
        agreed(&device);
    });
}

#[test]
fn written_to_or_locked_meanwhile() {
    isolated(module_path!(), "written_to_or_locked_meanwhile", || {
        let device = blank();
        device.write_at(SIZE / 2, &vec![7; 65536]);
        let own = StandIn::of(&device);
        refused(&device, &own, &device.target("ext4"), "it is not blank: non-zero bytes at offset ");

        // Past this device, as another path or host writes: the page cache still holds zeros.
        let device = blank();
        let image = File::options().write(true).open(device.image()).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&image, b"customer", 4096).unwrap();
        let own = StandIn::of(&device);
        refused(&device, &own, &device.target("ext4"), "it is not blank: non-zero bytes at offset 4096");

        let device = blank();
        run("blockdev", &["--setro", &device.device]);
        refused_always(&device, "it is read-only");
        no_candidate(&device, "read-only");
        run("blockdev", &["--setrw", &device.device]);
        agreed(&device);
    });
}

#[test]
fn resized_meanwhile() {
    isolated(module_path!(), "resized_meanwhile", || {
        for size in [SIZE + MIB, SIZE - MIB, 0] {
            let device = blank();
            // What was planned, before the size changes.
            let target = Format { size_bytes: SIZE, ..device.target("ext4") };
            File::options().write(true).open(device.image()).unwrap().set_len(size).unwrap();
            run("losetup", &["--set-capacity", &device.device]);
            let said = format!("it has {size} bytes; {SIZE} were planned: it was resized or is another disk");
            for erase in [false, true] {
                refused(&device, &StandIn::of(&device), &Format { erase, ..target.clone() }, &said);
            }
            if size == 0 {
                no_candidate(&device, "its size is zero");
            }
        }
        let device = Loop::new(0);
        no_candidate(&device, "its size is zero");
        let planned = Format { size_bytes: SIZE, ..device.target("ext4") };
        refused(&device, &StandIn::of(&device), &planned, "it has 0 bytes; ");
        refused(&device, &StandIn::of(&device), &device.target("ext4"), "a disk of no size was planned");
    });
}

#[test]
fn what_lies_below_fails_meanwhile() {
    isolated(module_path!(), "what_lies_below_fails_meanwhile", || {
        // The device keeps its size; its second half gives read errors from now on.
        let device = blank();
        let target = Format { size_bytes: SIZE, ..device.target("ext4") };
        File::options().write(true).open(device.image()).unwrap().set_len(SIZE / 2).unwrap();
        let said = "it does not count as blank, as it could not be read: reading at offset ";
        for erase in [false, true] {
            refused(&device, &StandIn::of(&device), &Format { erase, ..target.clone() }, said);
        }
        no_candidate(&device, "Input/output error");
    });
}

#[test]
fn gone_meanwhile() {
    isolated(module_path!(), "gone_meanwhile", || {
        let device = blank();
        let hash = device.hash();
        // A directory where nodes of devices work, as in /dev.
        let dir = tempfile::tempdir_in("/dev").unwrap();
        let node = dir.path().join("sdb");
        let name = node.to_str().unwrap();
        let refuse = |said: &str| {
            for erase in [false, true] {
                let target =
                    Format { erase, ..with(&device.target("ext4"), |target| target.device = name.into()) };
                let error =
                    perform(|context| mkfs::format(context, &StandIn::of(&device), &target)).unwrap_err();
                assert!(error.ends_with(said), "{error}");
            }
        };
        // udev has taken the name away.
        refuse(&format!("opening {name}: No such file or directory (os error 2)"));
        // The name is still there, and nothing is behind it: no disk has this number.
        run("mknod", &[name, "b", "8", "4080"]);
        refuse(&format!("opening {name}: No such device or address (os error 6)"));
        assert_eq!(device.hash(), hash);
    });
}

/// A machine whose disks answer each with an ID of its own, by what they are and not by name.
struct Machine(BTreeMap<String, String>);

impl Identity for Machine {
    fn scsi_id(&self, device: &File) -> Result<ScsiId, String> {
        let number = device.metadata().unwrap().rdev();
        let is = |path: &&String| fs::metadata(path).is_ok_and(|meta| meta.rdev() == number);
        let path = self.0.keys().find(is).ok_or("it is none of ours")?;
        Ok(self.0[path].clone().into())
    }

    fn disks(&self, host: &Host) -> Result<Vec<Disk>, String> {
        let disk = |(path, id): (&String, &String)| {
            let disk = disks::describe(host, path.strip_prefix("/dev/").unwrap())?;
            Ok(Disk { scsi_id: Ok(id.clone().into()), ..disk })
        };
        self.0.iter().map(disk).collect()
    }
}

#[test]
fn the_name_is_another_disks_meanwhile() {
    isolated(module_path!(), "the_name_is_another_disks_meanwhile", || {
        const OTHER: &str = "36000c29aaaaaaaaaaaaaaaaaaaaaaaaa";
        let (planned, other) = (blank(), blank());
        let machine = Machine(
            [(planned.device.clone(), ID.to_owned()), (other.device.clone(), OTHER.to_owned())].into(),
        );
        // What /dev/sdb was when the plan was made, and is no more after a restart.
        let dir = tempfile::tempdir().unwrap();
        let name = dir.path().join("sdb");
        symlink(&other.device, &name).unwrap();
        let target = with(&planned.target("ext4"), |target| target.device = name.to_str().unwrap().into());
        let before = [planned.hash(), other.hash()];
        for erase in [false, true] {
            let target = Format { erase, ..target.clone() };
            let said = perform(|context| mkfs::format(context, &machine, &target)).unwrap_err();
            assert!(
                said.ends_with(&format!("it answers with the SCSI ID {OTHER}; {ID} was planned")),
                "{said}"
            );
        }
        assert_eq!([planned.hash(), other.hash()], before);

        // Two that answer alike cannot be distinguished from each other.
        let twins = Machine(machine.0.keys().map(|path| (path.clone(), ID.to_owned())).collect());
        let target = with(&target, |target| target.device = planned.device.clone());
        let said = perform(|context| mkfs::format(context, &twins, &target)).unwrap_err();
        assert!(said.contains(&format!("{} answers with the same SCSI ID", other.name())), "{said}");
        assert_eq!([planned.hash(), other.hash()], before);

        // By its right name the planned one is made, and the other stays as it is.
        perform(|context| mkfs::format(context, &machine, &target)).unwrap();
        assert_ne!(planned.hash(), before[0]);
        assert_eq!(other.hash(), before[1]);
    });
}
