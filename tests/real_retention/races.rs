//! Somebody writes to the disk while its file system is about to be made: in every way in which a program of this machine
//! can, at every time at which it hurts. What was written stays, and the refusal says why.

use std::cell::RefCell;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use mt_agent::changes::identity::Identity;
use mt_agent::changes::{Context, Observer, mkfs};
use mt_agent::facts::blank::examine::places;
use mt_agent::facts::disks::Disk;
use mt_agent::host::{Host, ScsiId};
use mt_agent::state::paths::RETENTION;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use super::desk::*;

/// More than what is read whole.
const SIZE: u64 = 1088 * MIB;
const BYTES: &[u8] = b"a protected machine's data";

/// Between two samples: what is written there is not read.
fn unread() -> u64 {
    let places = places(SIZE);
    assert!(places[11].start - places[10].end > 16384);
    // A whole page, for those who map it.
    (places[10].end + 4096).next_multiple_of(4096)
}

/// Who writes, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// And keeps the device open.
    Open,
    /// And is gone when anybody looks.
    Gone,
    /// Through a node that lies elsewhere, with another root directory.
    Chroot,
    /// Through the /dev of another mount namespace.
    Namespace,
    /// Through memory, the descriptor closed.
    Mapped,
    /// From a thread with files of its own.
    Thread,
    /// Under the name of a daemon that keeps disks open.
    Multipathd,
}

/// Opens $dev, writes, says so, and keeps it open until it may end.
const KEEP: &str = "exec 3<>\"$dev\" && dd of=/dev/fd/3 conv=fsync,notrunc bs=1 seek=$at status=none <<<\"$bytes\"; echo up; \
                    read -r line";

/// The same through memory: mmap(2) of one page, the descriptor closed, read(2) into the page.
const MAP: &str = r#"
    my ($dev, $at, $bytes) = @ENV{qw(dev at bytes)};
    open(my $disk, '+<', $dev) or die;
    my $page = syscall(9, 0, 4096, 3, 1, fileno($disk), $at + 0);
    $page > 0 or die;
    close($disk);
    pipe(my $out, my $in) or die;
    syswrite($in, $bytes);
    syscall(0, fileno($out), $page, length $bytes) == length $bytes or die;
    $| = 1; print "up\n"; readline(STDIN);
"#;

/// A writer at work; it ends when this is dropped.
struct Writer {
    keep: Option<std::io::PipeWriter>,
    stop: Option<mpsc::Sender<()>>,
    ended: Option<thread::JoinHandle<()>>,
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop((self.keep.take(), self.stop.take()));
        if let Some(ended) = self.ended.take() {
            ended.join().unwrap();
        }
    }
}

impl Way {
    const ALL: [Self; 7] =
        [Self::Open, Self::Gone, Self::Chroot, Self::Namespace, Self::Mapped, Self::Thread, Self::Multipathd];

    /// Writes; what it has written is on its way to the disk when this returns.
    fn start(self, device: &str) -> Writer {
        let (mut up, tell) = std::io::pipe().unwrap();
        let (end, keep) = std::io::pipe().unwrap();
        let place = PathBuf::from("/var/lib/writer");
        fs::create_dir_all(&place).unwrap();
        let node = place.join("a-node");
        let _ = fs::remove_file(&node);
        let number = fs::read_to_string(format!("/sys/block/{}/dev", &device["/dev/".len()..])).unwrap();
        let number = number.trim().replace(':', " ");
        let make_node = |at: &Path| format!("mknod {} b {number}", at.display());
        let with = |words: &[&str]| duct::cmd(words[0], &words[1..]);
        let command = match self {
            Self::Open => with(&["bash", "-c", KEEP]),
            Self::Gone => with(&["bash", "-c", &KEEP.replace("echo up", "exec 3<&-; echo up")]),
            Self::Chroot => {
                let script = format!("{}; dev={}; {KEEP}", make_node(&node), node.display());
                // A root of its own, in which the node has another path than here.
                let inside = "mkdir -p /var/lib/writer/root && mount --rbind / /var/lib/writer/root && exec chroot \
                              /var/lib/writer/root bash -c \"$script\"";
                with(&["unshare", "--mount", "bash", "-c", inside]).env("script", script)
            }
            Self::Namespace => {
                let script = format!(
                    "mount -t tmpfs none /mnt && {}; dev=/mnt/disk; {KEEP}",
                    make_node(Path::new("/mnt/disk"))
                );
                with(&["unshare", "--mount", "bash", "-c", &script])
            }
            Self::Mapped => with(&["perl", "-e", MAP]),
            Self::Thread => return in_a_thread(device),
            Self::Multipathd => {
                let daemon = place.join("multipathd");
                fs::copy("/bin/bash", &daemon).unwrap();
                with(&[daemon.to_str().unwrap(), "-c", KEEP])
            }
        };
        let command = command
            .env("dev", device)
            .env("at", unread().to_string())
            .env("bytes", std::str::from_utf8(BYTES).unwrap())
            .stdin_file(end)
            .stdout_file(tell)
            .unchecked();
        let handle = command.start().unwrap();
        drop(command);
        std::io::Read::read_exact(&mut up, &mut [0; 3]).unwrap_or_else(|error| panic!("{self:?}: {error}"));
        let ended = thread::spawn(move || {
            handle.wait().unwrap();
        });
        Writer { keep: Some(keep), stop: None, ended: Some(ended) }
    }

    fn stays(self) -> bool {
        self != Self::Gone
    }

    /// What the refusal says.
    fn said(self, reason: &str) -> bool {
        match self {
            Self::Gone => reason.contains(" bytes were written to loop"),
            Self::Mapped => {
                reason.contains("mapped for writing by process ")
                    || reason.contains(" bytes were written to loop")
            }
            Self::Multipathd => {
                reason.contains("open for writing by process ") && reason.contains("(multipathd)")
            }
            _ => reason.contains("open for writing by process "),
        }
    }
}

#[allow(unsafe_code, reason = "unshare(2) has no safe face here")]
fn in_a_thread(device: &str) -> Writer {
    let (tell, up) = mpsc::channel();
    let (stop, end) = mpsc::channel::<()>();
    let device = device.to_owned();
    let ended = thread::spawn(move || {
        // SAFETY: what this thread opens is its own from here on, and it closes nothing of the others.
        assert_eq!(unsafe { nix::libc::unshare(nix::libc::CLONE_FILES) }, 0);
        let file = File::options().write(true).open(device).unwrap();
        file.write_all_at(BYTES, unread()).unwrap();
        tell.send(()).unwrap();
        let _ = end.recv();
    });
    up.recv().unwrap();
    Writer { keep: None, stop: Some(stop), ended: Some(ended) }
}

/// When it begins.
#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    /// Before the formatting.
    Before,
    /// In the middle of reading the samples.
    While,
    /// When the last of them was read.
    After,
    /// When the record is written, before mkfs.
    Recorded,
    /// When everybody was looked for once more but the disks.
    Last,
}

/// Runs a test under strace, which stops the reader after that one of its reads.
fn with_stop(after: u64, name: &str, body: fn()) {
    let log = std::env::temp_dir().join(format!("mt-agent-stops-{}-{after}", std::process::id()));
    let log_path = log.to_str().unwrap();
    let inject = format!("inject=pread64:signal=SIGSTOP:when={after}");
    // Not with --seccomp-bpf: where a filter stops a process, no signal can be added.
    let strace = ["strace", "-f", "-o", log_path, "-e", "trace=pread64", "-e", &inject];
    let told = format!("{STOPS}={log_path}");
    isolated_with(&[strace.as_slice(), &["env", &told]].concat(), module_path!(), name, body);
    let _ = fs::remove_file(log);
}

/// The variable that names the log of what was stopped.
const STOPS: &str = "MT_AGENT_TEST_STOPS";

/// The processes that were stopped so far, in order.
fn stopped() -> Vec<i32> {
    let Some(log) = std::env::var_os(STOPS) else { return Vec::new() };
    let log = fs::read_to_string(log).unwrap_or_default();
    log.lines()
        .filter(|line| line.ends_with("--- stopped by SIGSTOP ---"))
        .map(|line| line.split(' ').next().unwrap().parse().unwrap())
        .collect()
}

/// Calls `act` when one more than `before` was stopped, and lets that one go on.
fn at_stop(before: usize, done: &AtomicBool, act: impl FnOnce()) {
    let mut act = Some(act);
    while !done.load(Ordering::Relaxed) {
        if let Some(pid) = stopped().get(before) {
            if let Some(act) = act.take() {
                act();
            }
            // Again and again: a tracer can miss one. It may be gone by now.
            let _ = kill(Pid::from_raw(*pid), Signal::SIGCONT);
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// A stand-in and an observer that call `act` in their windows.
struct Window<'a> {
    own: StandIn,
    when: When,
    looks: RefCell<u32>,
    act: &'a (dyn Fn() + Sync),
}

impl Identity for Window<'_> {
    fn scsi_id(&self, device: &File) -> Result<ScsiId, String> {
        self.own.scsi_id(device)
    }

    fn disks(&self, host: &Host) -> Result<Vec<Disk>, String> {
        *self.looks.borrow_mut() += 1;
        // The first without a claim, the second before the reads, the third before mkfs.
        if self.when == When::Last && *self.looks.borrow() == 3 {
            (self.act)();
        }
        self.own.disks(host)
    }
}

struct Told<'a>(When, &'a (dyn Fn() + Sync));

impl Observer for Told<'_> {
    fn progress(&mut self, line: &str) {
        if self.0 == When::Recorded && line.ends_with(" once more") {
            assert!(Path::new(RETENTION).exists());
            (self.1)();
        }
    }
    fn transfer(&mut self, _what: &str, _done: u64, _total: Option<u64>) {}
    fn log(&mut self, _line: &str) {}
}

/// The outcome of a formatting during which `way` begins to write at `when`.
fn raced(device: &Loop, way: Way, when: When) -> Result<mt_agent::changes::Done, String> {
    let writer = std::sync::Mutex::new(None);
    let act = || {
        *writer.lock().unwrap() = Some(way.start(&device.device));
    };
    if when == When::Before {
        act();
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let (act, done, before) = (&act, &done, stopped().len());
        if matches!(when, When::While | When::After) {
            scope.spawn(move || at_stop(before, done, act));
        }
        let window = Window { own: StandIn::of(device), when, looks: RefCell::new(0), act };
        let (host, profile, mut told) = (Host::live(), profile(), Told(when, act));
        let mut context = Context { host: &host, profile: &profile, boot_id: "b007", observer: &mut told };
        let outcome = mkfs::format(&mut context, &window, &device.target("ext4"));
        done.store(true, Ordering::Relaxed);
        outcome.map_err(|error| format!("{error:#}"))
    })
}

fn window(when: When) {
    for way in Way::ALL {
        // Who wrote and was gone before anybody looked is beyond what can be told: only the samples are read.
        if when == When::Before && !way.stays() {
            continue;
        }
        let device = Loop::new(SIZE);
        let reason = raced(&device, way, when).expect_err(&format!("{way:?} {when:?}"));
        assert!(way.said(&reason), "{way:?} {when:?}: {reason}");
        let mut there = vec![0; BYTES.len()];
        File::open(&device.device).unwrap().sync_all().unwrap();
        File::open(device.image()).unwrap().read_exact_at(&mut there, unread()).unwrap();
        assert_eq!(there, BYTES, "{way:?} {when:?}");
        assert_eq!(device.carries(), (String::new(), String::new(), String::new()), "{way:?} {when:?}");
        assert!(!Path::new(RETENTION).exists(), "{way:?} {when:?}: a record was left");
        assert_eq!(nodes_left(&device.device), Vec::<PathBuf>::new());
    }
}

#[test]
fn who_writes_before_is_seen() {
    isolated(module_path!(), "who_writes_before_is_seen", || window(When::Before));
}

#[test]
fn who_writes_while_it_is_read_is_seen() {
    with_stop(600, "who_writes_while_it_is_read_is_seen", || window(When::While));
}

#[test]
fn who_writes_after_it_was_read_is_seen() {
    let reads = places(SIZE).iter().map(|place| (place.end - place.start).div_ceil(MIB)).sum();
    with_stop(reads, "who_writes_after_it_was_read_is_seen", || window(When::After));
}

#[test]
fn who_writes_between_the_record_and_mkfs_is_seen() {
    isolated(module_path!(), "who_writes_between_the_record_and_mkfs_is_seen", || {
        window(When::Recorded);
        window(When::Last);
    });
}

#[test]
fn in_a_pid_namespace_of_its_own_nothing_is_formatted() {
    let name = "in_a_pid_namespace_of_its_own_nothing_is_formatted";
    isolated_with(&["unshare", "--pid", "--fork", "--mount-proc"], module_path!(), name, || {
        refused_always(
            &Loop::new(SIZE),
            "cannot determine who has it open: not all processes of this machine can be seen",
        );
    });
}

/// Opens the disk when mkfs has ended.
struct Late(Option<Writer>, String);

impl Observer for Late {
    fn progress(&mut self, _line: &str) {}
    fn transfer(&mut self, _what: &str, _done: u64, _total: Option<u64>) {}
    fn log(&mut self, line: &str) {
        if line == "status: 0" {
            self.0.get_or_insert_with(|| Way::Open.start(&self.1));
        }
    }
}

#[test]
fn who_has_the_new_volume_open_for_writing_keeps_it_from_being_finished() {
    let name = "who_has_the_new_volume_open_for_writing_keeps_it_from_being_finished";
    isolated(module_path!(), name, || {
        let device = Loop::new(SIZE);
        let mut late = Late(None, device.device.clone());
        let (host, profile) = (Host::live(), profile());
        let mut context = Context { host: &host, profile: &profile, boot_id: "b007", observer: &mut late };
        let made = mkfs::format(&mut context, &StandIn::of(&device), &device.target("ext4"));
        let error = format!("{:#}", made.unwrap_err());
        assert!(
            error.contains("it was made, but the disk is in use: open for writing by process"),
            "{error}"
        );
        assert!(!record().unwrap().finished);
        drop(late);
        let what = changed(format(&device, &device.target("ext4")));
        assert!(what.starts_with("finished the interrupted making of the ext4 file system"), "{what}");
    });
}

/// What looks at disks all the time on a healthy machine.
const LOOKERS: [&[&str]; 8] = [
    &["sync", "--data", "DEV"],
    &["dd", "if=DEV", "of=/dev/null", "bs=1M", "count=8", "iflag=direct"],
    &["blkid", "-p", "DEV"],
    &["udevadm", "trigger", "--action=change", "--sysname-match=loop*"],
    &["pvscan", "--cache", "DEV"],
    &["pvs", "-a"],
    &["mdadm", "--examine", "DEV"],
    &["sg_inq", "DEV"],
];

#[test]
fn reads_and_flushes_are_no_writes() {
    isolated(module_path!(), "reads_and_flushes_are_no_writes", || {
        let device = Loop::new(SIZE);
        // Processes of their own: one that this process forks holds its claim until it becomes the command.
        let mut lookers: Vec<_> = LOOKERS
            .iter()
            .map(|words| {
                let words = words.iter().map(|word| word.replace("DEV", &device.device));
                let mut shell = Command::new("sh");
                shell.args(["-c", "while :; do \"$@\" >/dev/null 2>&1; sleep 0.05; done", "sh"]);
                shell.args(words).process_group(0).spawn().unwrap()
            })
            .collect();
        let outcome = format(&device, &device.target("ext4"));
        for looker in &mut lookers {
            // Fails where a looker had ended by itself.
            killpg(Pid::from_raw(looker.id().cast_signed()), Signal::SIGKILL).unwrap();
            looker.wait().unwrap();
        }
        changed(outcome);
    });
}
