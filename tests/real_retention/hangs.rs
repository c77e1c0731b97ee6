//! A disk that does not answer: its image lies in a file system whose daemon is stopped. Nothing waits for it for ever, and
//! it is left as it was.

use std::cell::Cell;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use mt_agent::changes::identity::Identity;
use mt_agent::changes::{Context, Observer, mkfs};
use mt_agent::facts::disks::Disk;
use mt_agent::host::{self, Host, ScsiId};
use mt_agent::state::paths::RETENTION;
use nix::mount::{MntFlags, umount2};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::desk::*;

const SIZE: u64 = 64 * MIB;

/// Short enough not to be waited for, and long enough for everything that does answer.
const DEADLINE: &str = "MT_AGENT_DEADLINE_SECONDS=20";

/// A disk whose storage can be stopped.
pub struct Stoppable {
    /// First: it is detached before what carries it.
    disk: Option<Loop>,
    daemon: duct::Handle,
    dir: tempfile::TempDir,
}

impl Stoppable {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (image, place) = (dir.path().join("ntfs"), dir.path().join("mounted"));
        File::create(&image).unwrap().set_len(300 * MIB).unwrap();
        std::fs::create_dir(&place).unwrap();
        run("mkfs.ntfs", &["-Q", "-F", "-q", image.to_str().unwrap()]);
        let daemon = duct::cmd!("ntfs-3g", "-o", "no_detach", &image, &place);
        let daemon = daemon.stdout_null().stderr_null().unchecked().start().unwrap();
        while !is_mounted(place.to_str().unwrap()) {
            assert!(daemon.try_wait().unwrap().is_none(), "ntfs-3g ended");
            std::thread::sleep(Duration::from_millis(20));
        }
        let disk = Some(Loop::at(&place, SIZE, &[], |_| {}));
        Self { disk, daemon, dir }
    }

    pub fn disk(&self) -> &Loop {
        self.disk.as_ref().unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.daemon.pids()[0].try_into().unwrap()), signal).unwrap();
    }

    /// Whether every byte is zero; it answers again from now on.
    fn is_blank(&self) -> bool {
        self.signal(Signal::SIGCONT);
        let bytes = std::fs::read(self.disk().image()).unwrap();
        bytes == vec![0; bytes.len()]
    }
}

impl Drop for Stoppable {
    fn drop(&mut self) {
        self.signal(Signal::SIGCONT);
        drop(self.disk.take());
        // A process that was left behind has the loop device open until now.
        while umount2(&self.dir.path().join("mounted"), MntFlags::empty()) == Err(nix::errno::Errno::EBUSY) {
            std::thread::sleep(Duration::from_millis(100));
        }
        self.daemon.wait().unwrap();
    }
}

/// Stops the storage at a certain look at the disks, or when a tool is started.
struct Stop<'a> {
    storage: &'a Stoppable,
    own: StandIn,
    at_look: u32,
    looks: Cell<u32>,
    and_end: bool,
}

impl Identity for Stop<'_> {
    fn scsi_id(&self, device: &File) -> Result<ScsiId, String> {
        self.own.scsi_id(device)
    }

    fn disks(&self, host: &Host) -> Result<Vec<Disk>, String> {
        self.looks.set(self.looks.get() + 1);
        if self.looks.get() == self.at_look {
            self.storage.signal(Signal::SIGSTOP);
            if self.and_end {
                // As the guard of `apply` does on SIGTERM.
                host::end_waiting();
            }
        }
        self.own.disks(host)
    }
}

struct StopAt<'a>(&'a Stoppable, &'static str);

impl Observer for StopAt<'_> {
    fn progress(&mut self, _line: &str) {}
    fn transfer(&mut self, _what: &str, _done: u64, _total: Option<u64>) {}
    fn log(&mut self, line: &str) {
        if line.starts_with(self.1) {
            self.0.signal(Signal::SIGSTOP);
        }
    }
}

/// How the formatting ends when the storage stops at that look, or when that tool is started.
fn stopped(storage: &Stoppable, at_look: u32, at_tool: &'static str, and_end: bool) -> String {
    let identity = Stop { storage, own: StandIn::of(storage.disk()), at_look, looks: Cell::new(0), and_end };
    let (host, profile, mut observer) = (Host::live(), profile(), StopAt(storage, at_tool));
    let mut context = Context { host: &host, profile: &profile, boot_id: "b007", observer: &mut observer };
    let target = storage.disk().target("ext4");
    format!("{:#}", mkfs::format(&mut context, &identity, &target).unwrap_err())
}

#[test]
fn a_probe_of_a_disk_that_does_not_answer_ends() {
    let name = "a_probe_of_a_disk_that_does_not_answer_ends";
    isolated(module_path!(), name, || {
        let storage = Stoppable::new();
        storage.signal(Signal::SIGSTOP);
        let agent = duct::cmd!(env!("CARGO_BIN_EXE_mt-agent"), "disks", "--probe", &storage.disk().device);
        let (variable, value) = DEADLINE.split_once('=').unwrap();
        let output = agent.env(variable, value).stdout_capture().unchecked().run().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(output.status.success() && said.contains("reading it did not end within 20 s"), "{said}");
        assert!(storage.is_blank());
    });
}

#[test]
fn a_disk_that_stops_while_it_is_examined_is_refused() {
    let name = "a_disk_that_stops_while_it_is_examined_is_refused";
    isolated_with(&["env", DEADLINE], module_path!(), name, || {
        let storage = Stoppable::new();
        let error = stopped(&storage, 2, "nothing", false);
        assert!(
            error.contains("it could not be read: reading it did not end within 20 s")
                && error.contains("--erase-disk does not lift that"),
            "{error}"
        );
        assert!(storage.is_blank() && !Path::new(RETENTION).exists());
    });
}

#[test]
fn a_signal_ends_the_waiting() {
    isolated(module_path!(), "a_signal_ends_the_waiting", || {
        let storage = Stoppable::new();
        let since = Instant::now();
        let error = stopped(&storage, 2, "nothing", true);
        assert!(error.contains("the run was asked to end while reading it was waited for"), "{error}");
        assert!(since.elapsed() < Duration::from_secs(60), "it was not waited for");
        assert!(storage.is_blank() && !Path::new(RETENTION).exists());
    });
}

#[test]
fn a_disk_that_stops_under_mkfs_is_left_unfinished() {
    let name = "a_disk_that_stops_under_mkfs_is_left_unfinished";
    isolated_with(&["env", DEADLINE], module_path!(), name, || {
        let storage = Stoppable::new();
        let error = stopped(&storage, 0, "run: mkfs.ext4", false);
        assert!(error.contains("its file system is not finished: run apply again to resume"), "{error}");
        assert!(error.contains("did not end within 20 s and "), "{error}");
        assert!(!record().unwrap().finished);
    });
}
