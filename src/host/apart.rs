//! Work that may never return, in a process of its own that can be left behind.
//!
//! A read of a disk whose multipath map queues for ever, a flush to a suspended map, an `open` while the SCSI layer
//! recovers: each waits in the kernel where no signal reaches it, and a process with one such thread cannot exit
//! either. So a copy of this process does the work and hands back what came of it; a copy that does not answer in time
//! is left behind, and ends with this process or when the kernel lets it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::stat::makedev;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, close, dup2_stderr, dup2_stdin, dup2_stdout, setsid};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::deadline::shortened;
use super::{files, ioctl};

/// How often it is looked whether the run is to end.
const SLICE: Duration = Duration::from_millis(100);
/// How long work may still take once the run is to end: what is under way on a disk that answers is let through.
pub(super) const GRACE: Duration = Duration::from_secs(5);
/// How long a process that has answered may take to be gone.
const REAP: Duration = Duration::from_millis(200);
/// More than any answer has.
const LARGEST: usize = 64 << 20;

/// Whether the run is to end.
static ENDING: AtomicBool = AtomicBool::new(false);

/// From now on nothing is waited for long: a signal asks the run to end.
pub fn end_waiting() {
    ENDING.store(true, Ordering::Relaxed);
}

/// Whether [`end_waiting`] was called.
pub fn is_ending() -> bool {
    ENDING.load(Ordering::Relaxed)
}

/// Why there is no answer.
#[derive(Debug)]
pub enum NoAnswer {
    /// It did not come in time.
    Late {
        /// What was done: `reading /dev/sdb`.
        what: String,
        after: Duration,
        left: i32,
    },
    /// A signal asked the run to end meanwhile.
    Ended { what: String, left: i32 },
    /// The process could not be started, or ended without an answer.
    Failed { what: String, source: io::Error },
}

impl std::fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let left = match self {
            Self::Late { what, after, left } => {
                write!(f, "{what} did not end within {} s", after.as_secs())?;
                left
            }
            Self::Ended { what, left } => {
                write!(f, "the run was asked to end while {what} was waited for")?;
                left
            }
            Self::Failed { what, source } => return write!(f, "{what}: {source}"),
        };
        write!(f, "; process {left} is left behind, and what it waits for is in use until it answers")
    }
}

// Without a source: what the system said is told above.
impl std::error::Error for NoAnswer {}

/// Does `work` in a copy of this process and waits at most `deadline` for what it returns. `keep` are the open files
/// that it needs; all others are closed there, so that one that is left behind holds no lock, no pipe and no device
/// but those. `what` names the work in messages: `reading /dev/sdb`.
/// Errors: There is no answer: [`NoAnswer`].
pub fn apart<T: Serialize + DeserializeOwned>(
    what: &str,
    deadline: Duration,
    keep: &[BorrowedFd<'_>],
    work: impl FnOnce() -> T,
) -> Result<T, NoAnswer> {
    let mut work = Some(work);
    let mut answered = || work.take().map(|work| serde_json::to_string(&work())).transpose();
    let answer = asked(what, deadline, keep, &mut || Ok(answered()?.unwrap_or_default()))?;
    serde_json::from_str(&answer)
        .map_err(|error| NoAnswer::Failed { what: what.to_owned(), source: error.into() })
}

/// What `work` answers, as text: [`apart`] but for the type, so that it is compiled once.
fn asked(
    what: &str,
    deadline: Duration,
    keep: &[BorrowedFd<'_>],
    work: &mut dyn FnMut() -> io::Result<String>,
) -> Result<String, NoAnswer> {
    let failed = |source| NoAnswer::Failed { what: what.to_owned(), source };
    let deadline = shortened(deadline);
    let (reader, writer) = io::pipe().map_err(failed)?;
    let kept: Vec<RawFd> = keep.iter().map(AsRawFd::as_raw_fd).chain([writer.as_raw_fd()]).collect();
    let copy = ioctl::in_a_copy(move || {
        let _ = prctl::set_pdeathsig(Signal::SIGKILL);
        // Without an answer, the end of the pipe tells that it failed.
        if close_all_but(&kept).is_ok() {
            let _ = answer(work, writer);
        }
    })
    .map_err(failed)?;
    let answered = wait(&mut File::from(OwnedFd::from(reader)), deadline);
    // One that is late is not killed: while it has the device open, our own close is not the last one, which waits for
    // every page that is being read (blkdev_flush_mapping). It ends with us, or when the device answers.
    let left = copy.as_raw();
    match answered {
        Ok(None) if is_ending() => Err(NoAnswer::Ended { what: what.to_owned(), left }),
        Ok(None) => Err(NoAnswer::Late { what: what.to_owned(), after: deadline, left }),
        Ok(Some(bytes)) => {
            end(copy);
            String::from_utf8(bytes)
                .map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidData, error)))
        }
        Err(error) => {
            end(copy);
            Err(failed(error))
        }
    }
}

/// What the copy does last: the length of the answer, then the answer. The end of the pipe alone would not tell that all
/// is said: where another thread of the copy hangs, its files are closed only when that one is through.
fn answer(work: &mut dyn FnMut() -> io::Result<String>, mut writer: io::PipeWriter) -> io::Result<()> {
    let answer = work()?;
    writer.write_all(&(answer.len() as u64).to_le_bytes())?;
    writer.write_all(answer.as_bytes())
}

/// Leaves a copy of this process behind that reads `pipes` to their end, for a command that goes on when this process has
/// ended: a pipe that nobody reads ends who writes to it.
pub(super) fn left_reading(pipes: &[io::PipeReader]) -> io::Result<()> {
    let kept: Vec<RawFd> = pipes.iter().map(AsRawFd::as_raw_fd).collect();
    ioctl::in_a_copy(|| {
        // Of no terminal, and ended as others are.
        let _ = setsid();
        let _ = SigSet::empty().thread_set_mask();
        if close_all_but(&kept).is_ok() {
            let _ = read_all(pipes);
        }
    })
    .map(drop)
}

fn read_all(pipes: &[io::PipeReader]) -> io::Result<()> {
    let mut open: Vec<&io::PipeReader> = pipes.iter().collect();
    let mut buffer = [0; 4096];
    while !open.is_empty() {
        let mut waiting: Vec<_> =
            open.iter().map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)).collect();
        match poll(&mut waiting, PollTimeout::NONE) {
            Err(Errno::EINTR) => continue,
            polled => polled?,
        };
        let ready: Vec<bool> = waiting.iter().map(|fd| fd.any() == Some(true)).collect();
        let mut ready = ready.into_iter();
        open.retain_mut(|pipe| {
            !ready.next().unwrap_or_default() || pipe.read(&mut buffer).is_ok_and(|read| read > 0)
        });
    }
    Ok(())
}

/// Closes what the copy of a process has open. /dev/null may be no device at this time, so a directory takes the place
/// of the standard streams: a tool that is started finds them taken, and nothing can be written there.
///
/// /dev/urandom stays open: without getrandom (3.17), Rust's standard library keeps it open once and for all and reads
/// it by its number, for the keys of each thread's maps, whatever has that number meanwhile.
fn close_all_but(kept: &[RawFd]) -> io::Result<()> {
    let nothing = files::directory(Path::new("/"))?;
    dup2_stdin(&nothing)?;
    dup2_stdout(&nothing)?;
    dup2_stderr(&nothing)?;
    let open: Vec<RawFd> = fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|fd| *fd > 2 && !kept.contains(fd) && !is_urandom(*fd))
        .collect();
    for fd in open {
        let _ = close(fd);
    }
    // It is closed already.
    let _ = nothing.into_raw_fd();
    Ok(())
}

fn is_urandom(fd: RawFd) -> bool {
    fs::metadata(format!("/proc/self/fd/{fd}"))
        .is_ok_and(|meta| meta.file_type().is_char_device() && meta.rdev() == makedev(1, 9))
}

/// The answer; `None` when the time is over.
fn wait(reader: &mut File, deadline: Duration) -> io::Result<Option<Vec<u8>>> {
    let started = Instant::now();
    let mut asked_to_end: Option<Instant> = None;
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        if is_ending() {
            asked_to_end.get_or_insert_with(Instant::now);
        }
        if started.elapsed() >= deadline || asked_to_end.is_some_and(|at| at.elapsed() >= GRACE) {
            return Ok(None);
        }
        let slice = SLICE.min(deadline.saturating_sub(started.elapsed()));
        let timeout = PollTimeout::try_from(slice).unwrap_or(PollTimeout::ZERO);
        match poll(&mut [PollFd::new(reader.as_fd(), PollFlags::POLLIN)], timeout) {
            Ok(0) | Err(Errno::EINTR) => continue,
            ready => ready?,
        };
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            return Err(io::Error::other("the process that did it ended without an answer"));
        }
        bytes.extend_from_slice(&buffer[..read]);
        if bytes.len() > LARGEST {
            return Err(io::Error::other("the answer has no end"));
        }
        if let Some((length, rest)) = bytes.split_first_chunk::<8>()
            && rest.len() as u64 >= u64::from_le_bytes(*length)
        {
            return Ok(Some(rest.to_vec()));
        }
    }
}

/// Ends the copy, which has answered; a thread of it that hangs keeps it for longer.
fn end(copy: Pid) {
    let _ = kill(copy, Signal::SIGKILL);
    let started = Instant::now();
    while started.elapsed() < REAP && waitpid(copy, Some(WaitPidFlag::WNOHANG)) == Ok(WaitStatus::StillAlive)
    {
        thread::sleep(Duration::from_millis(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::FileExt;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn what_the_copy_returns_comes_back_whole() {
        let long = "x".repeat(3 << 20);
        assert_eq!(apart("copying", LONG, &[], || long.clone()).unwrap(), long);
        let mut changed = 1;
        assert_eq!(
            apart("counting", LONG, &[], || {
                changed += 1;
                changed
            })
            .unwrap(),
            2
        );
        assert_eq!(changed, 1, "the copy has memory of its own");
    }

    #[test]
    fn it_has_the_files_that_it_is_given_and_no_others() {
        let (kept, other) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        kept.write_all_at(b"kept", 0).unwrap();
        let random = File::open("/dev/urandom").unwrap();
        let numbers = [kept.as_raw_fd(), other.as_raw_fd(), random.as_raw_fd()];
        let (read, open) = apart("looking", LONG, &[kept.as_fd()], || {
            let mut bytes = [0; 4];
            let read = kept.read_exact_at(&mut bytes, 0).map(|()| bytes).map_err(|error| error.to_string());
            (read, numbers.map(|fd| Path::new(&format!("/proc/self/fd/{fd}")).exists()))
        })
        .unwrap();
        assert_eq!(
            (read, open),
            (Ok(*b"kept"), [true, false, true]),
            "the library reads urandom by its number"
        );
    }

    #[test]
    fn one_that_does_not_answer_is_left_behind_and_named() {
        let started = Instant::now();
        let error =
            apart("reading /dev/sdb", Duration::from_secs(1), &[], || thread::sleep(LONG)).unwrap_err();
        let message = error.to_string();
        assert!(message.starts_with("reading /dev/sdb did not end within 1 s; process "), "{message}");
        assert!(
            message.ends_with(" is left behind, and what it waits for is in use until it answers"),
            "{message}"
        );
        assert!(started.elapsed() < LONG / 2);
    }

    #[test]
    fn one_that_breaks_has_no_answer() {
        // As the hook for panics ends it: the standard library's own would wait for locks that another test held meanwhile.
        let error = apart("reading /dev/sdb", LONG, &[], || -> u8 { ioctl::end(1) }).unwrap_err();
        assert_eq!(error.to_string(), "reading /dev/sdb: the process that did it ended without an answer");
    }

    #[test]
    fn a_thread_that_hangs_in_it_holds_up_no_answer() {
        let answered = apart("asking", LONG, &[], || {
            thread::spawn(|| thread::sleep(LONG));
            7
        });
        assert_eq!(answered.unwrap(), 7);
    }
}
