//! What real devices (loop devices over images) carry, as the tools that made it and libblkid tell it, and what the kernel's log says
//! of file systems that it gave up; not a byte changes. Needs root, loop devices, and those tools.
#![allow(clippy::disallowed_methods, reason = "files and devices of a test are not the host's")]
#![allow(clippy::unwrap_used, reason = "a test")]

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use mt_agent::facts::Fact;
use mt_agent::facts::disks::{self, Disk};
use mt_agent::facts::mounts;
use mt_agent::facts::storage::{Entry, LVM, Place, Read, Storage, Table, dos_uuid, load};
use mt_agent::host::Host;
use mt_agent::host::command::Command;

const MIB: u64 = 1 << 20;

/// Runs a tool, with a clear word when it is missing or fails: a test never skips for want of one.
fn run(tool: &str, args: &[&str]) -> String {
    run_with(tool, args, "")
}

fn run_with(tool: &str, args: &[&str], stdin: &str) -> String {
    assert!(nix::unistd::geteuid().is_root(), "these tests need root: loop devices are theirs alone");
    Command::new(tool, args.iter().copied(), Duration::from_secs(120))
        .stdin(stdin)
        .read(&Host::live())
        .unwrap_or_else(|failure| panic!("a tool that this test needs: {failure}"))
        .trim()
        .to_owned()
}

/// A loop device over an image of its own, detached when dropped.
struct Loop {
    image: PathBuf,
    device: String,
    mounted: Option<PathBuf>,
    dir: tempfile::TempDir,
}

impl Loop {
    fn new(size: u64, options: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("image");
        File::create(&image).unwrap().set_len(size).unwrap();
        Self::over(dir, image, options)
    }

    fn over(dir: tempfile::TempDir, image: PathBuf, options: &[&str]) -> Self {
        let attach = ["/dev/loop-control", "losetup", "--find", "--show"];
        let device = run("flock", &[&attach, options, &[image.to_str().unwrap()]].concat());
        Self { image, device, mounted: None, dir }
    }

    /// Another device with the same content.
    fn copy(&self) -> Self {
        run("sync", &["-d", &self.device]);
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("copy");
        fs::copy(&self.image, &image).unwrap();
        Self::over(dir, image, &[])
    }

    fn name(&self) -> &str {
        self.device.strip_prefix("/dev/").unwrap()
    }

    fn disk(&self) -> Disk {
        disks::describe(&Host::live(), self.name()).unwrap()
    }

    /// What the agent reads of it and its partitions, whole disk first.
    fn read(&self) -> Vec<Storage> {
        let host = Host::live();
        let Fact::Known(mut all) = load(&host, &mounts::load(&host), &Fact::Known(vec![self.disk()])) else {
            panic!("nothing was read")
        };
        all.retain(|one| one.name.starts_with(self.name()));
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// What libblkid's probe says of it, or of its partition `number`.
    fn blkid(&self, tag: &str, number: Option<u32>) -> String {
        let device = number.map_or_else(|| self.device.clone(), |number| format!("{}p{number}", self.device));
        run("blkid", &["-p", "-o", "value", "-s", tag, &device])
    }

    fn mount(&mut self, fs_type: &str) {
        let place = self.dir.path().join("mounted");
        fs::create_dir_all(&place).unwrap();
        run("mount", &["-t", fs_type, &self.device, place.to_str().unwrap()]);
        self.mounted = Some(place);
    }

    fn unmount(&mut self) {
        if let Some(place) = self.mounted.take() {
            run("umount", &[place.to_str().unwrap()]);
        }
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        self.unmount();
        // Those of which partprobe told the kernel stay else, on the next device of this name too.
        let _ = Command::new("partx", ["-d", &self.device], Duration::from_secs(10)).read(&Host::live());
        // Whoever looked last may still be at it.
        let until = Instant::now() + Duration::from_secs(10);
        let detach =
            || Command::new("losetup", ["-d", &self.device], Duration::from_secs(10)).read(&Host::live());
        while detach().is_err() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

#[test]
fn fat_of_each_kind_is_read_as_libblkid_reads_it() {
    for (size, args) in [
        (2 * MIB, &["-F", "12"][..]),
        (2 * MIB, &["-F", "12", "-n", "EFI"]),
        (32 * MIB, &["-F", "16", "-n", "BOOT EFI"]),
        (32 * MIB, &["-F", "16", "-r", "112", "-s", "8", "-f", "1"]),
        (64 * MIB, &["-F", "32", "-n", "ESP"]),
        (300 * MIB, &["-F", "32", "-S", "4096", "-s", "1"]),
        (64 * MIB, &["-F", "32", "-R", "17", "-n", "ELEVEN-CHAR"]),
    ] {
        let device = Loop::new(size, &[]);
        run("mkfs.vfat", &[args, &["-i", "abcd1234", &device.device]].concat());
        let told = || device.read().remove(0).volume.unwrap();
        let volume = told();
        assert_eq!(
            (volume.fs_type.as_str(), volume.uuid.to_string().as_str()),
            ("vfat", "ABCD-1234"),
            "{args:?}"
        );
        let expected = ["TYPE", "UUID", "LABEL"].map(|tag| device.blkid(tag, None));
        assert_eq!([volume.fs_type.to_string(), volume.uuid.to_string(), volume.label], expected, "{args:?}");
        // It changes in the directory, and in the boot sector or not.
        run("fatlabel", &[&device.device, "ANOTHER"]);
        assert_eq!(
            (told().label.as_str(), device.blkid("LABEL", None).as_str()),
            ("ANOTHER", "ANOTHER"),
            "{args:?}"
        );
    }
}

#[test]
fn partition_tables_are_read_as_the_kernel_and_libblkid_read_them() {
    const GPT: &str = "label: gpt\nfirst-lba: 64\n\
        size=1M,uuid=0F3C6A52-8D1B-4E07-9A64-1C5B7D2E9F01,name=\"EFI System\"\n\
        size=2M,name=\"h\u{f6}me\"\n/dev/x5 : size=1M\n";
    const DOS: &str =
        "label: dos\nlabel-id: 0x09AB3F7A\nsize=1M\nsize=2M\nsize=8M,type=5\nsize=1M\nsize=1M\nsize=1M\n";
    for (script, sector) in
        [(GPT, "512"), (GPT, "4096"), (DOS, "512"), ("label: gpt\n", "512"), ("label: dos\n", "512")]
    {
        let device = Loop::new(64 * MIB, &["-P", "--sector-size", sector]);
        run_with("sfdisk", &["-q", &device.device], script);
        // Kernels without readers of tables (CONFIG_MSDOS_PARTITION) are told of them.
        run("partprobe", &[&device.device]);
        let (disk, all) = (device.disk(), device.read());
        let table = all[0].table.as_ref().expect("a table");
        assert!(!table.damaged && all[1..].iter().all(|one| one.table.is_none()), "{table:?}");
        assert_eq!(disk.partitions.len(), script.matches("size=").count(), "{disk:?}");
        let shown = disk.partitioned().remove(0).shown;
        for part in &shown {
            let [uuid, label] =
                ["PART_ENTRY_UUID", "PART_ENTRY_NAME"].map(|tag| device.blkid(tag, Some(part.number)));
            let entry = table.entries.iter().find(|entry| entry.number == part.number);
            match entry {
                Some(entry) => assert_eq!(Some(entry.start_bytes), part.start_bytes),
                None => panic!("{part:?} is not in {table:?}"),
            }
            assert!(entry.is_some_and(|entry| entry.place.is_none()), "the kernel shows {part:?}");
            let own = entry.filter(|entry| !entry.uuid.is_empty());
            let told = own.map_or_else(|| dos_uuid(&table.dos_id, part.number), |entry| entry.uuid.clone());
            assert_eq!(told, uuid, "{part:?}");
            assert_eq!(entry.map_or("", |entry| &entry.label), label, "{part:?}");
        }
        assert!(
            table.entries.iter().all(|entry| shown.iter().any(|part| part.number == entry.number)),
            "{table:?}"
        );
        if sector == "512" && script == GPT {
            // Half written: its protective MBR says that it is one.
            let file = File::options().write(true).open(&device.device).unwrap();
            std::os::unix::fs::FileExt::write_all_at(&file, &[0; 16], 1024 + 56).unwrap();
            file.sync_all().unwrap();
            drop(file);
            let table = device.read().remove(0).table.unwrap();
            assert!(table.damaged && table.entries.is_empty(), "{table:?}");
        }
    }
    // Nothing that only looks like one.
    let device = Loop::new(64 * MIB, &[]);
    run("mkfs.vfat", &["-F", "32", &device.device]);
    let table = device.read().remove(0).table;
    assert!(table.is_none_or(|table| table.entries.is_empty() && !table.damaged));
}

#[test]
fn partitions_that_the_kernel_has_not_read_are_in_the_table_alone() {
    let device = Loop::new(64 * MIB, &["-P"]);
    // As what failback writes: the kernel is not told.
    run_with("sfdisk", &["-q", "--no-reread", "--no-tell-kernel", &device.device], "label: dos\n,8M\n");
    let numbers = |all: &[Storage]| {
        all[0].table.as_ref().unwrap().entries.iter().map(|entry| entry.number).collect::<Vec<_>>()
    };
    assert_eq!((device.disk().partitions.len(), numbers(&device.read())), (0, vec![1]));
    run("partprobe", &[&device.device]);
    assert_eq!((device.disk().partitions.len(), numbers(&device.read())), (1, vec![1]));
}

/// A table of five partitions that the kernel has not read, with something in each but one: the device, its table, and what libblkid
/// says of them.
fn unread(script: &str, sector: &str) -> (Loop, Table, Vec<[String; 3]>) {
    let device = Loop::new(600 * MIB, &["--sector-size", sector]);
    run_with("sfdisk", &["-q", "--no-reread", "--no-tell-kernel", &device.device], script);
    let entries = device.read().remove(0).table.unwrap().entries;
    let is_extended = |entry: &&Entry| script.contains("dos") && entry.number == 2;
    let mut told = Vec::new();
    for (entry, tool) in entries.iter().filter(|entry| !is_extended(entry)).zip([
        &["mkfs.ext4", "-q", "-F", "-L", "customer"][..],
        &["mkfs.xfs", "-q", "-f", "-L", "home"],
        &["mkswap", "-q", "-L", "own swap"],
        &["mkfs.vfat", "-F", "16", "-n", "EFI"],
        &[],
    ]) {
        let [start, size] = [entry.start_bytes, entry.size_bytes].map(|bytes| bytes.to_string());
        let within = ["--sector-size", sector, "--offset", &start, "--sizelimit", &size];
        let part = Loop::over(tempfile::tempdir().unwrap(), device.image.clone(), &within);
        if let [tool, args @ ..] = tool {
            run(tool, &[args, &[&part.device]].concat());
            run("sync", &["-d", &part.device]);
            told.push(["TYPE", "UUID", "LABEL"].map(|tag| part.blkid(tag, None)));
        }
    }
    let table = device.read().remove(0).table.unwrap();
    assert_eq!((device.disk().partitions.len(), device.read().len()), (0, 1), "the kernel shows none");
    (device, table, told)
}

#[test]
fn what_lies_in_partitions_that_the_kernel_has_not_read_is_what_it_shows_of_them_later() {
    const DOS: &str = "label: dos\nsize=32M\nsize=500M,type=5\n/dev/x5 : size=310M\n/dev/x6 : size=16M\n/dev/x7 : size=64M\n/dev/x8 : size=2M\n";
    const GPT: &str = "label: gpt\nsize=32M\nsize=310M\nsize=16M\nsize=64M\nsize=2M\n";
    for (script, sector) in [(DOS, "512"), (DOS, "4096"), (GPT, "512"), (GPT, "4096")] {
        let (device, table, expected) = unread(script, sector);
        let places = |table: &Table| -> Vec<_> {
            let volume = |entry: &Entry| match entry.place.clone() {
                Some(Place::Read { volume, .. }) => volume,
                other => panic!("{script} {sector} {}: {other:?}", entry.number),
            };
            table.entries.iter().filter_map(volume).collect()
        };
        let found = places(&table);
        let kind =
            |fs_type: &str| if fs_type.starts_with("ext") { "ext".to_owned() } else { fs_type.to_owned() };
        let told: Vec<_> =
            found.iter().map(|one| [kind(&one.fs_type), one.uuid.to_string(), one.label.clone()]).collect();
        let expected: Vec<_> =
            expected.into_iter().map(|[fs_type, uuid, label]| [kind(&fs_type), uuid, label]).collect();
        assert_eq!(told, expected, "{script} {sector}");
        assert_eq!(told.len(), 4);
        run("partprobe", &[&device.device]);
        let all = device.read();
        let entries = &all[0].table.as_ref().unwrap().entries;
        assert!(entries.iter().all(|entry| entry.place.is_none()), "the kernel shows them: {entries:?}");
        let shown: Vec<_> = all[1..].iter().filter_map(|one| one.volume.clone()).collect();
        assert_eq!(shown, found, "{script} {sector}");
    }
}

#[test]
fn a_table_that_is_not_written_to_its_end_is_not_known() {
    const DOS: &str = "label: dos\nsize=1M\nsize=20M,type=5\n/dev/x5 : size=1M\n/dev/x6 : size=1M\n";
    for sector in ["512", "4096"] {
        let device = Loop::new(64 * MIB, &["--sector-size", sector]);
        run_with("sfdisk", &["-q", "--no-reread", "--no-tell-kernel", &device.device], DOS);
        let table = || device.read().remove(0).table.unwrap();
        let whole = table();
        let numbers = |table: &Table| table.entries.iter().map(|entry| entry.number).collect::<Vec<_>>();
        assert_eq!((numbers(&whole), whole.damaged), (vec![1, 2, 5, 6], false), "{whole:?}");
        // The table of the second logical one lies behind the first, and that of the first at the begin of the extended partition.
        let file = File::options().write(true).open(&device.device).unwrap();
        let clear = |at: u64| {
            std::os::unix::fs::FileExt::write_all_at(&file, &[0; 4096], at).unwrap();
            file.sync_all().unwrap();
        };
        clear(whole.entries[2].start_bytes + whole.entries[2].size_bytes);
        let cut = table();
        assert_eq!((numbers(&cut), cut.damaged), (vec![1, 2, 5], true), "{cut:?}");
        clear(whole.entries[1].start_bytes);
        let cut = table();
        assert_eq!((numbers(&cut), cut.damaged), (vec![1, 2], false), "{cut:?}");
        assert!(matches!(cut.entries[1].place, Some(Place::Unread(_))), "{cut:?}");
    }
    // An entry beyond the end of the disk.
    let device = Loop::new(64 * MIB, &[]);
    run_with("sfdisk", &["-q", "--no-reread", "--no-tell-kernel", &device.device], "label: dos\n,1M\n");
    let file = File::options().write(true).open(&device.device).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &0x1000_0000_u32.to_le_bytes(), 446 + 8).unwrap();
    file.sync_all().unwrap();
    drop(file);
    let table = device.read().remove(0).table.unwrap();
    assert!(matches!(table.entries[0].place, Some(Place::Unread(_))), "{table:?}");
}

#[test]
fn a_volume_group_is_known_by_its_uuid() {
    let (one, two) = (Loop::new(64 * MIB, &[]), Loop::new(64 * MIB, &[]));
    let (own, foreign) = ([one.device.as_str(), &two.device], Loop::new(64 * MIB, &[]));
    let name = format!("mt_{}", std::process::id());
    let lvm = |tool: &str, args: &[&str], devices: &[&str]| {
        let accepted: Vec<_> = devices.iter().map(|device| format!("\"a|^{device}$|\"")).collect();
        let filter = format!(
            "devices {{ filter=[{},\"r|.*|\"] use_devicesfile=0 scan_lvs=0 }} backup {{ backup=0 archive=0 }} global {{ \
             event_activation=0 use_lvmpolld=0 }} activation {{ monitoring=0 }}",
            accepted.join(",")
        );
        run(tool, &[&["--driverloaded", "n", "--config", &filter], args].concat())
    };
    lvm("pvcreate", &own, &own);
    lvm("vgcreate", &[&[name.as_str()], &own[..]].concat(), &own);
    lvm("pvcreate", &[&foreign.device], &[&foreign.device]);
    lvm("vgcreate", &[&name, &foreign.device], &[&foreign.device]);
    let copy = one.copy();
    let told = |device: &Loop| {
        let read = device.read().remove(0);
        let volume = read.volume.unwrap();
        assert_eq!((volume.fs_type.as_str(), &volume.label), (LVM, &name));
        (read.group.expect("a group"), volume.uuid.to_string())
    };
    let by_lvm = |devices: &[&str]| {
        let said =
            lvm("pvs", &["--noheadings", "-o", "vg_uuid,pv_uuid", devices[0]], devices).replace('-', "");
        let mut words = said.split_whitespace().map(str::to_owned);
        (words.next().unwrap(), words.next().unwrap())
    };
    assert_eq!(told(&one), by_lvm(&own));
    assert_eq!(told(&two), by_lvm(&[own[1], own[0]]));
    assert_eq!(told(&foreign), by_lvm(&[&foreign.device]));
    let groups = [&one, &two, &foreign, &copy].map(|device| told(device).0);
    assert!(groups[0] == groups[1] && groups[0] != groups[2] && told(&copy) == told(&one), "{groups:?}");
    assert!(told(&one).1 != told(&two).1);
}

#[test]
fn a_file_system_that_the_kernel_shut_down_has_errors_until_it_is_mounted_again() {
    for (fs_type, mkfs) in [("ext4", &["mkfs.ext4", "-q", "-F"][..]), ("xfs", &["mkfs.xfs", "-q", "-f"])] {
        let mut device = Loop::new(400 * MIB, &[]);
        run(mkfs[0], &[&mkfs[1..], &[&device.device]].concat());
        device.mount(fs_type);
        let place = device.mounted.clone().unwrap();
        let read = |device: &Loop| device.read().remove(0).read;
        assert_eq!(read(&device), Fact::Known(Read::Done), "{fs_type}");
        run("xfs_io", &["-x", "-c", "shutdown", place.to_str().unwrap()]);
        // As it was with a disk that was away: the mount shows `rw`, and nothing is counted.
        let Fact::Known(Read::Errors(why)) = read(&device) else { panic!("{fs_type}: {:?}", read(&device)) };
        assert!(why.starts_with("the kernel's log says `") && why.contains(device.name()), "{why}");
        device.unmount();
        assert_eq!(read(&device), Fact::Known(Read::Done), "{fs_type}, not mounted");
        device.mount(fs_type);
        assert_eq!(read(&device), Fact::Known(Read::Done), "{fs_type}, mounted again");
    }
}
