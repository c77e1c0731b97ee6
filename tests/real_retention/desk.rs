//! Real loop devices for tests, each test in a process and a mount namespace of its own.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use mt_agent::changes::identity::Identity;
use mt_agent::changes::mkfs::{self, Format};
use mt_agent::changes::mount::mount_retention;
use mt_agent::changes::{Context, Done, Observer, Target};
use mt_agent::facts::blank::blkid;
use mt_agent::facts::blank::examine::fingerprint;
use mt_agent::facts::disks::{self, Disk};
use mt_agent::facts::scsi::{KnownId, NoId};
use mt_agent::host::{Host, ScsiId};
use mt_agent::profile::{self, Profile};
use mt_agent::state::paths::RETENTION;
use mt_agent::state::retention::Record;
use nix::mount::MsFlags;

pub const ID: &str = "36000c2982b5df41a25811b07e74971e8";
pub const UUID: &str = "5a0dbe71-0b6c-4c1e-9f5a-3d1c2b4a5e6f";
pub const MOUNT_POINT: &str = "/mnt/retention";
pub const MIB: u64 = 1 << 20;

const INSIDE: &str = "MT_AGENT_TEST_INSIDE";

/// Runs `body` in a process of its own whose /var/lib and /mnt are empty and private. `module` and `name` are the test's.
pub fn isolated(module: &str, name: &str, body: fn()) {
    isolated_with(&[], module, name, body);
}

/// As [`isolated`], started by the command line `with`.
pub fn isolated_with(with: &[&str], module: &str, name: &str, body: fn()) {
    assert!(nix::unistd::geteuid().is_root(), "these tests attach loop devices: run them as root");
    if std::env::var_os(INSIDE).is_some() {
        for place in ["/var/lib", "/mnt"] {
            nix::mount::mount(Some("tmpfs"), place, Some("tmpfs"), MsFlags::empty(), Some("mode=755"))
                .unwrap();
        }
        return body();
    }
    // As the test harness calls it: without the name of the crate.
    let name = &module.split_once("::").map_or(name.to_owned(), |(_, module)| format!("{module}::{name}"));
    let own = std::env::current_exe().unwrap();
    let own = own.to_str().unwrap();
    let words = ["unshare", "--mount", "--propagation", "private", own, "--exact", name, "--nocapture"];
    let words = [with, &words].concat();
    let command = duct::cmd(words[0], &words[1..]);
    let output = command.env(INSIDE, "1").stderr_to_stdout().stdout_capture().unchecked().run().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{name} ended with {}:\n{said}",
        output.status
    );
    for line in said.lines().filter_map(|line| line.find("samples: ").map(|at| &line[at..])) {
        drop(writeln!(std::io::stderr(), "{line}"));
    }
}

/// The standard output of a command that must succeed.
pub fn run(tool: &str, args: &[&str]) -> String {
    let output = duct::cmd(tool, args).stdout_capture().stderr_capture().unchecked().run();
    let output = output.unwrap_or_else(|error| panic!("{tool} could not be run ({error}): install it"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{tool} {args:?} ended with {}: {said}", output.status);
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// An image file on a loop device, detached at the end.
pub struct Loop {
    dir: tempfile::TempDir,
    pub device: String,
}

impl Loop {
    pub fn new(size: u64) -> Self {
        Self::with(size, &[], |_| {})
    }

    /// `prepare` is given the image before it is attached.
    pub fn with(size: u64, options: &[&str], prepare: impl FnOnce(&Path)) -> Self {
        Self::at(&std::env::temp_dir(), size, options, prepare)
    }

    /// As [`Loop::with`], with the image below `parent`.
    pub fn at(parent: &Path, size: u64, options: &[&str], prepare: impl FnOnce(&Path)) -> Self {
        let dir = tempfile::tempdir_in(parent).unwrap();
        let image = dir.path().join("image");
        File::create(&image).unwrap().set_len(size).unwrap();
        prepare(&image);
        // One at a time: a losetup that looks for a free device opens what another one has just taken.
        let attach = ["/dev/loop-control", "losetup", "--find", "--show"];
        let device = run("flock", &[attach.as_slice(), options, &[image.to_str().unwrap()]].concat());
        let made = Self { dir, device };
        made.drop_partitions();
        made
    }

    /// The kernel keeps partitions that a tool (parted) told it of, also for the next image on this loop device.
    fn drop_partitions(&self) {
        for entry in fs::read_dir(format!("/sys/block/{}", self.name())).into_iter().flatten().flatten() {
            if let Ok(number) = fs::read_to_string(entry.path().join("partition")) {
                let _ = duct::cmd!("delpart", &self.device, number.trim()).stderr_null().unchecked().run();
            }
        }
    }

    pub fn image(&self) -> PathBuf {
        self.dir.path().join("image")
    }

    pub fn name(&self) -> &str {
        self.device.strip_prefix("/dev/").unwrap()
    }

    pub fn size(&self) -> u64 {
        self.image().metadata().unwrap().len()
    }

    /// SHA-256 of every byte; of active swap that of its header, as the kernel writes to the rest when it likes.
    pub fn hash(&self) -> String {
        File::open(&self.device).unwrap().sync_all().unwrap();
        let swaps = fs::read_to_string("/proc/swaps").unwrap();
        if swaps.lines().any(|line| line.split_whitespace().next() == Some(&self.device)) {
            let mut header = [0; 4096];
            File::open(self.image()).unwrap().read_exact(&mut header).unwrap();
            return format!("{header:x?}");
        }
        super::content::content(&self.image())
    }

    /// Writes `bytes` through the device, as another program would.
    pub fn write_at(&self, at: u64, bytes: &[u8]) {
        let file = File::options().write(true).open(&self.device).unwrap();
        file.write_all_at(bytes, at).unwrap();
        file.sync_all().unwrap();
    }

    pub fn target(&self, fs_type: &'static str) -> Format {
        Format {
            target: Target { uuid: Some(UUID.into()), ..volume(self, fs_type) },
            size_bytes: self.size(),
            erase: false,
            fingerprint: None,
        }
    }

    /// What an order to erase it is held against: what is on it now.
    pub fn fingerprint(&self) -> String {
        fingerprint_of(&self.device, self.size())
    }

    /// The target of an order to erase what has that fingerprint.
    pub fn erasing(&self, fs_type: &'static str, fingerprint: &str) -> Format {
        Format { erase: true, fingerprint: Some(fingerprint.to_owned()), ..self.target(fs_type) }
    }

    /// What libblkid finds: type, UUID and label.
    pub fn carries(&self) -> (String, String, String) {
        let value = |tag: &str| {
            let args = ["-p", "-o", "value", "-s", tag, &self.device];
            duct::cmd("blkid", args).unchecked().read().unwrap()
        };
        (value("TYPE"), value("UUID"), value("LABEL"))
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        self.drop_partitions();
        let _ = duct::cmd!("losetup", "--detach", &self.device).stderr_null().unchecked().run();
    }
}

/// The hardware of a machine whose only disks are these, with these answers.
pub struct StandIn {
    pub names: Vec<String>,
    pub answer: Result<String, String>,
    pub adapt: fn(&mut Vec<Disk>),
}

impl StandIn {
    pub fn of(device: &Loop) -> Self {
        Self { names: vec![device.name().to_owned()], answer: Ok(ID.to_owned()), adapt: |_| {} }
    }
}

impl Identity for StandIn {
    fn scsi_id(&self, _device: &File) -> Result<ScsiId, String> {
        self.answer.clone().map(ScsiId::from)
    }

    fn disks(&self, host: &Host) -> Result<Vec<Disk>, String> {
        let read = |name: &String| {
            let mut disk = disks::describe(host, name)?;
            disk.scsi_id = self.answer.clone().map(KnownId::from).map_err(NoId::from);
            Ok(disk)
        };
        let mut disks = self.names.iter().map(read).collect::<Result<Vec<_>, String>>()?;
        (self.adapt)(&mut disks);
        Ok(disks)
    }
}

/// What was told while changes were made.
#[derive(Default)]
pub struct Told(pub Vec<String>);

impl Observer for Told {
    fn progress(&mut self, line: &str) {
        self.0.push(line.to_owned());
    }

    fn transfer(&mut self, what: &str, done: u64, _total: Option<u64>) {
        self.0.push(format!("{what}: {done}"));
    }

    fn log(&mut self, line: &str) {
        self.0.push(line.to_owned());
    }
}

pub fn profile() -> Profile {
    profile::load(Some(profile::DEFAULT), &Host::live(), &[], profile::Writers::Root).unwrap()
}

/// Performs a change on this machine; an error as people see it.
pub fn perform(change: impl FnOnce(&mut Context<'_>) -> anyhow::Result<Done>) -> Result<Done, String> {
    let (host, profile, mut told) = (Host::live(), profile(), Told::default());
    let mut context = Context { host: &host, profile: &profile, boot_id: "b007", observer: &mut told };
    let done = change(&mut context).map_err(|error| format!("{error:#}"));
    println!("{}\n-> {done:?}", told.0.join("\n"));
    done
}

pub fn record() -> Option<Record> {
    let text = Host::live().read_if_exists(RETENTION).unwrap();
    text.map(|text| serde_json::from_str(&text).unwrap())
}

/// `format` of another volume.
pub fn with(format: &Format, change: impl FnOnce(&mut Target)) -> Format {
    let mut format = format.clone();
    change(&mut format.target);
    format
}

/// Leaves the record that an interrupted run leaves.
pub fn interrupted(format: &Format) {
    let target = format.target.clone();
    let record = Record {
        schema: "mt-agent/retention/v1".into(),
        scsi_id: target.scsi_id,
        uuid: target.uuid.unwrap(),
        fs_type: target.fs_type,
        boot_id: "an earlier one".into(),
        started_at: "2026-01-01T00:00:00Z".into(),
        finished: false,
    };
    fs::create_dir_all("/var/lib/mt-agent").unwrap();
    let mut file = File::create(RETENTION).unwrap();
    file.write_all(&serde_json::to_vec(&record).unwrap()).unwrap();
}

/// Private nodes that this process left behind for the device.
pub fn nodes_left(device: &str) -> Vec<PathBuf> {
    use std::os::unix::fs::MetadataExt;
    let number = fs::metadata(device).unwrap().rdev();
    let prefix = format!(".mt-agent-{}-", std::process::id());
    let ours = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with(&prefix);
    let entries = fs::read_dir("/dev").unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter(ours)
        .filter_map(|dir| fs::read_dir(dir).ok())
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.metadata().is_ok_and(|meta| meta.rdev() == number))
        .collect()
}

pub fn format(device: &Loop, format: &Format) -> Result<Done, String> {
    perform(|context| mkfs::format(context, &StandIn::of(device), format))
}

pub fn volume(device: &Loop, fs_type: &str) -> Target {
    Target { scsi_id: ID.into(), device: device.device.clone(), fs_type: fs_type.into(), uuid: None }
}

pub fn mount(device: &Loop, fs_type: &str) -> Result<Done, String> {
    perform(|context| mount_retention(context, &StandIn::of(device), &volume(device, fs_type), MOUNT_POINT))
}

pub fn is_mounted(place: &str) -> bool {
    fs::read_to_string("/proc/self/mountinfo")
        .unwrap()
        .lines()
        .any(|line| line.split(' ').nth(4) == Some(place))
}

pub fn changed(done: Result<Done, String>) -> String {
    match done {
        Ok(Done::Changed(what)) => what,
        other => panic!("{other:?}"),
    }
}

/// What an order to erase the device is held against: what is on it now.
pub fn fingerprint_of(device: &str, size: u64) -> String {
    let signatures = blkid::signatures(&Host::live(), device);
    fingerprint(&File::open(device).unwrap(), size, &signatures).unwrap()
}

/// That `format` is refused with `said`, that no bit of the disk changes, and that no record is left.
pub fn refused(device: &Loop, identity: &StandIn, format: &Format, said: &str) {
    let (hash, before) = (device.hash(), fs::read(RETENTION).ok());
    let error = perform(|context| mkfs::format(context, identity, format)).unwrap_err();
    let target = &format.target;
    let reason = error.strip_prefix(&format!("formatting {} (SCSI ID {}): ", target.device, target.scsi_id));
    let reason = reason.unwrap_or_else(|| panic!("{error}"));
    assert!(reason.starts_with(said), "{reason}\ndoes not begin with\n{said}");
    assert_eq!(device.hash(), hash, "{said}");
    assert_eq!(fs::read(RETENTION).ok(), before, "{said}");
    assert_eq!(nodes_left(&device.device), Vec::<PathBuf>::new());
}

/// Refused with and without `--erase-disk`.
pub fn refused_always(device: &Loop, said: &str) {
    for erase in [false, true] {
        refused(device, &StandIn::of(device), &Format { erase, ..device.target("ext4") }, said);
    }
}

pub const HINT: &str = "if nothing on it is needed: --erase-disk 36000c2982b5df41a25811b07e74971e8";
