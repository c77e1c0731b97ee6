//! Probing real block devices (loop devices over images): what is told of each, and that not a byte changes.
//! Needs root, loop devices, and the tools that make file systems and partition tables.
#![allow(clippy::disallowed_methods, reason = "files and devices of a test are not the host's")]
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "support/content.rs"]
mod content;

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use mt_agent::facts::Fact;
use mt_agent::facts::blank::{Probe, examine, probes};
use mt_agent::facts::disks::{Disk, resolve};
use mt_agent::facts::gather::Probing;
use mt_agent::facts::{mounts, swaps};
use mt_agent::host::Host;
use mt_agent::host::command::Command;
use nix::libc::O_EXCL;

use content::content;

const MIB: u64 = 1 << 20;
/// Larger than what is read whole, so that samples are taken.
const SIZE: u64 = 1088 * MIB;

/// Runs a tool, with a clear word when it is missing or fails: a test never skips for want of one.
fn run(tool: &str, args: &[&str]) -> String {
    tool_with(tool, args, "")
}

fn tool_with(tool: &str, args: &[&str], stdin: &str) -> String {
    assert!(nix::unistd::geteuid().is_root(), "these tests need root: loop devices are theirs alone");
    Command::new(tool, args.iter().copied(), Duration::from_secs(600))
        .stdin(stdin)
        .read(&Host::live())
        .unwrap_or_else(|failure| panic!("a tool that this test needs: {failure}"))
}

/// An image in a directory of its own.
struct Image {
    dir: tempfile::TempDir,
    path: PathBuf,
}

impl Image {
    fn new(size: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image");
        File::create(&path).unwrap().set_len(size).unwrap();
        Self { dir, path }
    }

    fn name(&self) -> &str {
        self.path.to_str().unwrap()
    }

    fn write(&self, bytes: &[u8], at: u64) -> &Self {
        let file = OpenOptions::new().write(true).open(&self.path).unwrap();
        file.write_all_at(bytes, at).unwrap();
        file.sync_all().unwrap();
        self
    }

    /// SHA-256 and time of the last change.
    fn state(&self) -> (String, i64, i64) {
        let meta = fs::metadata(&self.path).unwrap();
        (content(&self.path), meta.mtime(), meta.mtime_nsec())
    }

    fn attach(&self, options: &[&str]) -> Loop<'_> {
        let device = run(
            "flock",
            &[&["/dev/loop-control", "losetup", "--find", "--show"], options, &[self.name()]].concat(),
        );
        Loop { image: self, device: device.trim().to_owned() }
    }

    /// The probe of the image on a loop device of its own.
    fn probe(&self) -> Probe {
        self.attach(&[]).probe()
    }
}

/// A loop device, detached when dropped.
struct Loop<'a> {
    image: &'a Image,
    device: String,
}

impl Loop<'_> {
    fn name(&self) -> &str {
        self.device.strip_prefix("/dev/").unwrap()
    }

    fn disk(&self) -> Disk {
        resolve(&Host::live(), &[], &self.device).unwrap()
    }

    /// Probes it and proves that the image stayed as it was.
    fn probe(&self) -> Probe {
        self.probe_as(&self.disk())
    }

    fn probe_as(&self, disk: &Disk) -> Probe {
        let host = Host::live();
        let before = self.image.state();
        let named = Probing::Named(vec![disk.name.clone()]);
        let found =
            probes(&host, std::slice::from_ref(disk), &mounts::load(&host), &swaps::load(&host), &named)
                .remove(0);
        run("sync", &["-d", &self.device]);
        assert_eq!(self.image.state(), before, "probing changed the image");
        assert_eq!(found.disk, self.name());
        assert_eq!(found.eligible, found.why_not.is_empty(), "{found:?}");
        found
    }

    /// Whether it could be detached: a device may be busy for a moment after its last user.
    fn detach(&self) -> bool {
        let command = Command::new("losetup", ["--detach", &self.device], Duration::from_secs(600));
        command.run(&Host::live()).is_ok_and(|output| output.status == 0)
    }
}

impl Drop for Loop<'_> {
    fn drop(&mut self) {
        let until = Instant::now() + Duration::from_secs(60);
        while !self.detach() && Instant::now() < until {
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A command that undoes something when this is dropped, also when the test fails.
struct Undo(&'static str, Vec<String>);

impl Undo {
    fn with(tool: &'static str, args: &[&str]) -> Self {
        Self(tool, args.iter().map(|arg| (*arg).to_owned()).collect())
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        // What was just unmounted or looked at may be busy for a moment, and for longer on a busy machine.
        let until = Instant::now() + Duration::from_secs(60);
        let undone = || {
            let command = Command::new(self.0, self.1.iter().map(String::as_str), Duration::from_secs(600));
            command.run(&Host::live()).is_ok_and(|output| output.status == 0)
        };
        while !undone() {
            if Instant::now() >= until {
                assert!(thread::panicking(), "{} {:?} fails", self.0, self.1);
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Makes a partition of 8 MiB known to the kernel, which here may lack the parsers of partition tables.
fn add_partition(device: &Loop<'_>, number: u32) -> Undo {
    let (number, start) = (number.to_string(), (2048 + (number - 1) * 16384).to_string());
    run("addpart", &[&device.device, &number, &start, "16384"]);
    Undo::with("delpart", &[&device.device, &number])
}

fn not_blank(found: &Probe, what: &str) {
    assert_eq!((found.blank, found.eligible), (Some(false), false), "{found:?}");
    assert!(found.found.iter().any(|find| find == what), "{what} is not in {found:?}");
    let why = format!("it is not blank: {}", found.found.join("; "));
    assert_eq!(found.why_not, [why]);
}

#[test]
fn zeros_are_eligible() {
    for size in [SIZE, 6 * MIB, 512] {
        let found = Image::new(size).probe();
        assert_eq!((found.blank, found.eligible), (Some(true), true), "{size} bytes: {found:?}");
        assert!(found.found.is_empty() && found.in_use.is_empty() && found.why_not.is_empty(), "{found:?}");
    }
}

#[test]
fn every_signature_is_told_by_its_name() {
    let ext4 = Image::new(SIZE);
    run("mkfs.ext4", &["-q", "-L", "my data", ext4.name()]);
    not_blank(&ext4.probe(), "ext4 file system \"my data\" (libblkid)");

    let xfs = Image::new(320 * MIB);
    run("mkfs.xfs", &["-q", xfs.name()]);
    not_blank(&xfs.probe(), "xfs file system (libblkid)");

    let swap = Image::new(SIZE);
    run("mkswap", &[swap.name()]);
    not_blank(&swap.probe(), "swap area (libblkid)");

    let mbr = Image::new(SIZE);
    tool_with("sfdisk", &["-q", mbr.name()], "label: dos\n,8M\n");
    not_blank(&mbr.probe(), "MBR partition table (libblkid)");

    let gpt = Image::new(SIZE);
    tool_with("sfdisk", &["-q", gpt.name()], "label: gpt\n,8M\n");
    not_blank(&gpt.probe(), "GPT partition table (libblkid)");
}

#[test]
fn a_copy_of_a_partition_table_at_the_end_is_enough() {
    let gpt = Image::new(SIZE);
    tool_with("sfdisk", &["-q", gpt.name()], "label: gpt\n,8M\n");
    gpt.write(&[0; 34 * 512], 0);
    let found = gpt.probe();
    // libblkid does not look for the copy alone; the bytes tell.
    let entries = SIZE - 33 * 512;
    assert!(
        found.found.iter().any(|find| *find == format!("non-zero bytes at offset {entries}")),
        "{found:?}"
    );
    assert_eq!((found.blank, found.eligible), (Some(false), false));
}

#[test]
fn two_signatures_at_once_are_not_blank() {
    let both = Image::new(320 * MIB);
    run("mkfs.xfs", &["-q", both.name()]);
    let superblock = fs::read(&both.path).unwrap()[..512].to_vec();
    run("mkfs.ext4", &["-q", "-F", both.name()]);
    both.write(&superblock, 0);
    not_blank(&both.probe(), "signatures that contradict each other (libblkid: ambivalent)");
}

#[test]
fn a_single_byte_at_each_region_is_found() {
    let places = examine::places(SIZE);
    let (first, middle, last) = (&places[1], &places[512], &places[1024]);
    let offsets = [
        0,
        examine::END_BYTES - 1,
        first.start,
        middle.start + 100,
        last.end - 1,
        SIZE - examine::END_BYTES,
        SIZE - 1,
    ];
    for offset in offsets {
        let image = Image::new(SIZE);
        image.write(&[1], offset);
        let found = image.probe();
        assert_eq!(found.found, [format!("non-zero bytes at offset {offset}")]);
        not_blank(&found, &format!("non-zero bytes at offset {offset}"));
    }
}

#[test]
fn the_kernel_s_partitions_are_told_by_name() {
    let image = Image::new(SIZE);
    let device = image.attach(&[]);
    let _undo = (add_partition(&device, 1), add_partition(&device, 2));
    let name = device.name();
    let found = device.probe();
    not_blank(&found, &format!("partitions {name}p1, {name}p2"));
    let refused = resolve(&Host::live(), &[], &format!("/dev/{name}p1")).unwrap_err();
    assert_eq!(refused, format!("/dev/{name}p1 is a partition of {name}: name the whole disk"));
}

#[test]
fn what_is_mounted_is_in_use() {
    let image = Image::new(SIZE);
    run("mkfs.ext4", &["-q", image.name()]);
    let device = image.attach(&[]);
    let at = image.dir.path().join("a mount");
    fs::create_dir(&at).unwrap();
    let at = at.to_str().unwrap();
    run("mount", &["-o", "ro,noload", &device.device, at]);
    let _undo = Undo::with("umount", &[at]);
    let found = device.probe();
    assert_eq!(found.in_use, [format!("mounted at {at} ({})", device.name())]);
    assert_eq!(found.why_not[0], format!("it is in use: mounted at {at} ({})", device.name()));
    assert!(!found.eligible);
    // A bind mount elsewhere, of a directory of it, is the same use of the same disk.
    let other = image.dir.path().join("other");
    fs::create_dir(&other).unwrap();
    let other = other.to_str().unwrap();
    run("mount", &["--bind", &format!("{at}/lost+found"), other]);
    let _mounted = Undo::with("umount", &[other]);
    assert!(device.probe().in_use.contains(&format!("mounted at {other} ({})", device.name())));
}

#[test]
fn active_swap_is_in_use() {
    let image = Image::new(SIZE);
    run("mkswap", &[image.name()]);
    let device = image.attach(&[]);
    run("swapon", &["--priority", "0", &device.device]);
    let _undo = Undo::with("swapoff", &[&device.device]);
    let found = device.probe();
    assert_eq!(found.in_use, [format!("active swap ({})", device.name())]);
    assert!(!found.eligible);
}

#[test]
fn a_partition_that_is_mounted_keeps_the_whole_disk() {
    let image = Image::new(SIZE);
    let device = image.attach(&[]);
    let _undo = add_partition(&device, 1);
    let partition = format!("{}p1", device.device);
    run("mkfs.ext4", &["-q", &partition]);
    let at = image.dir.path().join("mount");
    fs::create_dir(&at).unwrap();
    let at = at.to_str().unwrap();
    run("mount", &["-o", "ro,noload", &partition, at]);
    let _mounted = Undo::with("umount", &[at]);
    let found = device.probe();
    assert_eq!(found.in_use, [format!("mounted at {at} ({}p1)", device.name())]);
}

#[test]
fn a_claim_that_nothing_else_shows_is_seen() {
    let image = Image::new(SIZE);
    let device = image.attach(&[]);
    let claim = OpenOptions::new().read(true).custom_flags(O_EXCL).open(&device.device).unwrap();
    let found = device.probe();
    assert_eq!(found.in_use, ["claimed by the kernel or another program (EBUSY)"]);
    assert_eq!((found.blank, found.eligible), (Some(true), false));
    drop(claim);
    assert!(device.probe().eligible);
}

#[test]
fn a_program_that_writes_to_it_is_named() {
    let image = Image::new(SIZE);
    let device = image.attach(&[]);
    let (ready, stop) = (image.dir.path().join("ready"), image.dir.path().join("stop"));
    run("mkfifo", &[stop.to_str().unwrap()]);
    // Builtins only: a child would have the descriptor too.
    let script = r#"exec 3<>"$1"; : >"$2"; read -r <"$3" || :"#;
    let args = ["-c", script, "sh", &device.device, ready.to_str().unwrap(), stop.to_str().unwrap()];
    let writer = Command::new("bash", args, Duration::from_secs(600));
    let writer = thread::spawn(move || writer.read(&Host::live()).map(|_| ()));
    let until = Instant::now() + Duration::from_secs(600);
    while !ready.exists() && Instant::now() < until {
        thread::sleep(Duration::from_millis(20));
    }
    let found = device.probe();
    drop(OpenOptions::new().write(true).open(&stop).unwrap());
    writer.join().unwrap().unwrap();
    let [use_] = found.in_use.as_slice() else { panic!("{found:?}") };
    assert!(use_.starts_with("open for writing by process ") && use_.ends_with(" (bash)"), "{use_}");
    assert!(!found.eligible);
}

#[test]
fn a_loop_device_over_it_is_a_use() {
    let image = Image::new(SIZE);
    let below = image.attach(&[]);
    let device = run("flock", &["/dev/loop-control", "losetup", "--find", "--show", &below.device]);
    let above = Loop { image: &image, device: device.trim().to_owned() };
    let found = below.probe();
    assert!(found.in_use.contains(&format!("below the loop device {}", above.name())), "{found:?}");
    assert!(!found.eligible);
}

#[test]
fn read_only_and_empty_devices_are_refused() {
    let image = Image::new(SIZE);
    let found = image.attach(&["--read-only"]).probe();
    assert_eq!((found.blank, found.why_not), (Some(true), vec!["it is read-only".to_owned()]));
    let empty = Image::new(0).probe();
    assert_eq!((empty.blank, empty.why_not), (None, vec!["its size is zero".to_owned()]));
}

#[test]
fn a_read_error_is_not_blank() {
    let image = Image::new(SIZE);
    let device = image.attach(&[]);
    let disk = device.disk();
    // The device keeps its size, and what lies below is gone.
    OpenOptions::new().write(true).open(&image.path).unwrap().set_len(SIZE / 2).unwrap();
    let found = device.probe_as(&disk);
    assert_eq!((found.blank, found.eligible), (None, false), "{found:?}");
    let why = &found.why_not[0];
    assert!(why.starts_with("it cannot be determined whether it is blank: "), "{why}");
    assert!(why.contains("reading at offset ") && why.contains("Input/output error"), "{why}");
}

#[test]
fn what_the_page_cache_remembers_is_not_believed() {
    let image = Image::new(SIZE);
    let device = image.attach(&[]);
    let mut zeros = vec![1; 4096];
    let file = File::open(&device.device).unwrap();
    file.read_exact_at(&mut zeros, 0).unwrap();
    assert!(zeros.iter().all(|byte| *byte == 0));
    // Written past the loop device, as another path or host writes past a disk's device.
    image.write(b"data", 0);
    not_blank(&device.probe(), "non-zero bytes at offset 0");
}

#[test]
fn a_name_that_means_no_disk_is_answered_too() {
    let host = Host::live();
    let image = Image::new(SIZE);
    let device = image.attach(&[]);
    let names = Probing::Named(vec!["/dev/null".into(), device.device.clone(), "sdzzz".into()]);
    let found = probes(&host, &[], &mounts::load(&host), &swaps::load(&host), &names);
    assert_eq!(found[0].why_not, ["/dev/null is not a block device"]);
    assert!(found[1].eligible && found[1].disk == device.name(), "{found:?}");
    assert!(found[2].why_not[0].starts_with("sdzzz is no disk of this host: expected a kernel name"));
    let unknown = Fact::Unknown("reading /proc/swaps: denied".into());
    let doubtful = probes(&host, &[], &mounts::load(&host), &unknown, &names);
    assert_eq!(doubtful[1].why_not, ["what is swap cannot be determined: reading /proc/swaps: denied"]);
    assert!(!doubtful[1].eligible && Path::new(&device.device).exists());
}
