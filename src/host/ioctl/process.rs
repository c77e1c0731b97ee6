//! A copy of this process and its threads, and the signals, open files and network of what is started.

use std::fs;
use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::libc::{self, c_void};
use nix::sys::signal::{self, SigHandler, SigSet, Signal};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{ForkResult, Pid, fork};

/// Lets `command` begin with no signal held back, and make files as root does. The signal mask of the thread that starts a
/// process goes on to it (since Rust 1.66), and through it to every daemon that it starts: one with SIGTERM held back cannot
/// be stopped. The file mode mask is our caller's: with 077 in it, packages make directories that nobody else can read.
pub fn begin_afresh(command: &mut Command) {
    // SAFETY: between fork and exec only sigprocmask(2) and umask(2) are called, which may be called there.
    unsafe {
        command.pre_exec(|| {
            umask(Mode::S_IWGRP | Mode::S_IWOTH);
            SigSet::empty().thread_set_mask().map_err(io::Error::from)
        });
    }
}

/// Keeps from every command what this process was started with beyond the three standard streams: a caller's lock would
/// be held by each daemon that is started. What is opened later is closed for commands by itself (`O_CLOEXEC`). To be called
/// before anything is started.
pub fn keep_descriptors_from_commands() {
    let listed = fs::read_dir("/proc/self/fd").map(|entries| {
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect::<Vec<RawFd>>()
    });
    // Without /proc those that a shell can open.
    for fd in listed.unwrap_or_else(|_| (0..256).collect()).into_iter().filter(|fd| *fd > 2) {
        // SAFETY: the number is used for this one call, which fails where nothing is open under it.
        let _ = fcntl(unsafe { BorrowedFd::borrow_raw(fd) }, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC));
    }
}

/// Takes this process into a network namespace of its own, in which no interface is up: unshare(2), which 2.6.32 has.
/// Errors: `EPERM` without privilege, `EINVAL` where the kernel has no network namespaces; what else the system
/// said.
pub fn leave_the_network() -> io::Result<()> {
    // SAFETY: no memory is handed over.
    Errno::result(unsafe { libc::unshare(libc::CLONE_NEWNET) })?;
    Ok(())
}

/// Lets `command` begin as [`leave_the_network`] leaves a process; where that fails it is not started.
pub fn begin_without_network(command: &mut Command) {
    // SAFETY: between fork and exec only unshare(2) is called, which may be called there.
    unsafe {
        command.pre_exec(leave_the_network);
    }
}

/// Lets the end of a process be waited for also where what started us ignores SIGCHLD: the kernel would then keep no
/// exit status (wait(2)), and every command would seem to have failed. To be called before anything is started.
pub fn keep_exit_statuses() {
    // Safe: no handler is set. It cannot fail for a signal that exists.
    let _ = unsafe { signal::signal(Signal::SIGCHLD, SigHandler::SigDfl) };
}

/// Does `work` in a copy of this process, which then ends; the copy's process id. Nothing of the copy's memory comes
/// back.
pub fn in_a_copy(work: impl FnOnce()) -> io::Result<Pid> {
    // SAFETY: of the threads only this one is in the copy, and a lock that another one held stays locked there. glibc
    // keeps its own (malloc's) usable across fork. `work` is to take no lock that other threads of ours take; one that
    // does would wait, and whoever waits for the copy has a deadline.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            A_COPY.store(true, Ordering::Relaxed);
            // The release is built without unwinding.
            end(catch_unwind(AssertUnwindSafe(work)).map_or(1, |()| 0))
        }
    }
}

/// Whether this process is a copy of another one.
static A_COPY: AtomicBool = AtomicBool::new(false);

/// Whether this process is a copy, in which no command can be started: whatever waits for one takes locks.
pub fn is_a_copy() -> bool {
    A_COPY.load(Ordering::Relaxed)
}

/// Ends this process, which is a copy, at once: nothing of what it has from its parent is run or written twice.
pub fn end(status: i32) -> ! {
    // SAFETY: no memory is handed over.
    unsafe { libc::_exit(status) }
}

/// Does `work` on a thread of its own, also in a copy of this process. Rust's own threads take a lock of the standard
/// library when they begin (`thread_info` of its stack_overflow/thread_info.rs, as of 1.95): where another thread held it while
/// the copy was made, none would ever begin there. glibc makes its own locks usable again in the copy.
pub fn start_thread(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    start(Box::new(work))
}

/// As large as that of Rust's own threads, in bytes.
const STACK: usize = 2 << 20;

type Work = Box<dyn FnOnce() + Send>;

fn start(work: Work) -> io::Result<()> {
    extern "C" fn begin(work: *mut c_void) -> *mut c_void {
        // SAFETY: it is the pointer that `start` made of a box, and this thread alone has it.
        let work = unsafe { Box::from_raw(work.cast::<Work>()) };
        let _ = catch_unwind(AssertUnwindSafe(work));
        std::ptr::null_mut()
    }
    let work = Box::into_raw(Box::new(work));
    // SAFETY: the attributes live until the call is over, and each call gets what it is declared to take. The thread takes
    // over `work`; where none began, it is taken back.
    unsafe {
        let mut attributes = std::mem::zeroed();
        let mut thread = 0;
        let mut failed = libc::pthread_attr_init(&raw mut attributes);
        if failed == 0 {
            libc::pthread_attr_setstacksize(&raw mut attributes, STACK);
            libc::pthread_attr_setdetachstate(&raw mut attributes, libc::PTHREAD_CREATE_DETACHED);
            failed = libc::pthread_create(&raw mut thread, &raw const attributes, begin, work.cast());
            libc::pthread_attr_destroy(&raw mut attributes);
        }
        if failed != 0 {
            drop(Box::from_raw(work));
            return Err(io::Error::from_raw_os_error(failed));
        }
    }
    Ok(())
}
