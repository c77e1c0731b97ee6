//! A command at work: what it prints is read as it comes, and it is ended where it does not end by itself.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, PipeReader, Read};
use std::os::fd::OwnedFd;
use std::process::ExitStatus;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use super::text::Masker;
use super::{apart, ioctl, text};

/// How much of each stream is kept, in bytes; the rest is read and dropped.
pub(super) const KEPT: usize = 8 << 20;

/// How much of the end of a stream is looked at for a message, in bytes.
const LOOKED_AT: usize = 64 << 10;

/// How often it is looked whether a command has ended.
const SLICE: Duration = Duration::from_millis(20);

/// How long a descendant may hold the output open after the command itself has ended.
pub(super) const LINGER: Duration = Duration::from_secs(2);

/// How much of what a command printed can still wait to be read when it has ended, in bytes: both pipes and the chunks
/// between are smaller.
const LEFT: usize = 2 << 20;

/// How long a command that was killed may take to be gone. One that waits in the kernel for a device stays.
const KILLED: Duration = Duration::from_millis(500);

/// What a command that ended with an exit status left.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// Its exit status.
    pub status: i32,
    /// Its standard output, up to 8 MiB.
    pub stdout: Vec<u8>,
    /// Its standard error, up to 8 MiB.
    pub stderr: Vec<u8>,
    /// Whether more was said than was kept.
    pub truncated: bool,
}

impl Output {
    /// The end of what was said, standard error before standard output, made safe and short: for messages.
    pub fn message(&self) -> String {
        let stream =
            if self.stderr.iter().all(u8::is_ascii_whitespace) { &self.stdout } else { &self.stderr };
        // Of a long one the lines at its end, whole: a secret is found by what stands before it.
        let mut end = &stream[stream.len().saturating_sub(LOOKED_AT)..];
        if end.len() < stream.len() {
            end = end.splitn(2, |byte| *byte == b'\n').nth(1).unwrap_or_default();
        }
        let masked = text::without_secrets(&String::from_utf8_lossy(end));
        let mut last: VecDeque<&str> = masked.lines().filter(|line| !line.trim().is_empty()).collect();
        while last.len() > 3 {
            last.pop_front();
        }
        let joined = text::safe(&Vec::from(last).join("; "));
        let skip = joined.chars().count().saturating_sub(400);
        joined.chars().skip(skip).collect()
    }
}

/// What became of a command that did not end in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Became {
    /// It ended when it was asked to, or was killed, with all its descendants.
    Stopped,
    /// The kernel did not let it end: it waits for a device that does not answer.
    Stuck,
    /// A transaction of packages, which is not killed: it goes on as this process, or in its process group.
    GoesOn(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AtDeadline {
    /// It and its descendants are asked to end, then killed.
    Kill,
    /// A transaction of packages: it alone is asked, and never killed.
    Ask,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Out,
    Err,
}

/// Is given each line that a command prints, as it comes, without secrets.
pub(super) type Watch<'a> = &'a mut dyn FnMut(&str);

pub(super) struct Running<'a> {
    pub(super) handle: duct::Handle,
    /// What it prints, and where.
    pub(super) chunks: Receiver<(Stream, Vec<u8>)>,
    pub(super) output: Output,
    /// Who watches it, if anybody does.
    pub(super) watch: Option<Watch<'a>>,
    /// The line begun on each stream, for who watches.
    pub(super) partial: [Vec<u8>; 2],
    /// What takes the secrets out of each.
    pub(super) maskers: [Masker; 2],
}

impl Running<'_> {
    /// Listens until it has ended and all is read, or until `is_over`; how it ended, if it has.
    pub(super) fn listen(&mut self, is_over: &mut dyn FnMut() -> bool) -> io::Result<Option<ExitStatus>> {
        let (mut ended, mut closed): (Option<(ExitStatus, Instant)>, bool) = (None, false);
        let mut left = LEFT;
        loop {
            let came = self.chunks.recv_timeout(SLICE);
            let silent = came.is_err();
            match came {
                Ok((stream, bytes)) => {
                    left = if ended.is_some() { left.saturating_sub(bytes.len()) } else { left };
                    self.take(stream, &bytes);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => closed = true,
            }
            if ended.is_none() {
                // Where nothing more can be printed, its end is waited for.
                let slice = if closed { SLICE } else { Duration::ZERO };
                ended = self.handle.wait_timeout(slice)?.map(|done| (done.status, Instant::now()));
            }
            // What it printed is read to its end however long that takes here; what a daemon that it left prints is not.
            let all = ended.is_some_and(|(_, at)| closed || at.elapsed() > LINGER && (silent || left == 0));
            if all || (ended.is_none() && is_over()) {
                self.flush();
                return Ok(ended.map(|(status, _)| status));
            }
        }
    }

    /// Asks it to end, and ends it where it does not.
    pub(super) fn stop(&mut self, how: AtDeadline, grace: Duration, left_to: &[PipeReader]) -> Became {
        let Some(pid) = self.handle.pids().first().copied() else { return Became::Stopped };
        let leader = Pid::from_raw(pid.cast_signed());
        let transaction = how == AtDeadline::Ask;
        let _ = if transaction { kill(leader, Signal::SIGTERM) } else { killpg(leader, Signal::SIGTERM) };
        let asked = Instant::now();
        let ended = self.listen(&mut || asked.elapsed() >= grace);
        if transaction {
            let mut lives = !matches!(ended, Ok(Some(_)));
            if !lives && killpg(leader, Signal::SIGTERM).is_ok() {
                // It was a wrapper: what it ran is asked too.
                lives = true;
                while lives && asked.elapsed() < grace {
                    thread::sleep(SLICE);
                    lives = killpg(leader, None).is_ok();
                }
            }
            if !lives {
                return Became::Stopped;
            }
            // Without a reader its next word would end it. That none could be left is no reason to end it now.
            let _ = apart::left_reading(left_to);
            return Became::GoesOn(pid);
        }
        // What it started and what did not listen.
        let _ = killpg(leader, Signal::SIGKILL);
        let _ = self.handle.kill();
        let ended = self.handle.wait_timeout(KILLED);
        // What it started may still be on its way out: who looks next must not take it for alive.
        let killed = Instant::now();
        while killpg(leader, None).is_ok() && killed.elapsed() < KILLED {
            thread::sleep(SLICE);
        }
        if matches!(ended, Ok(Some(_))) { Became::Stopped } else { Became::Stuck }
    }

    fn take(&mut self, stream: Stream, bytes: &[u8]) {
        let kept = match stream {
            Stream::Out => &mut self.output.stdout,
            Stream::Err => &mut self.output.stderr,
        };
        let room = KEPT.saturating_sub(kept.len());
        kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.output.truncated |= bytes.len() > room;
        let Some(watch) = &mut self.watch else { return };
        let (partial, masker) = (&mut self.partial[stream as usize], &mut self.maskers[stream as usize]);
        for &byte in bytes {
            if matches!(byte, b'\n' | b'\r') {
                watch_line(partial, masker, watch);
            } else if partial.len() < 4096 {
                partial.push(byte);
            }
        }
    }

    fn flush(&mut self) {
        let Some(watch) = &mut self.watch else { return };
        for (partial, masker) in self.partial.iter_mut().zip(&mut self.maskers) {
            watch_line(partial, masker, watch);
        }
    }
}

fn watch_line(partial: &mut Vec<u8>, masker: &mut Masker, watch: Watch<'_>) {
    if !partial.is_empty() {
        watch(&text::safe(&masker.line(&String::from_utf8_lossy(partial))));
        partial.clear();
    }
}

/// Reads `fd` to its end on a thread of its own, so that a command that says much never blocks.
pub(super) fn drain(fd: OwnedFd, stream: Stream, sender: SyncSender<(Stream, Vec<u8>)>) -> io::Result<()> {
    ioctl::start_thread(move || {
        let mut file = File::from(fd);
        let mut buffer = [0; 16 << 10];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => {
                    if sender.send((stream, buffer[..read].to_vec())).is_err() {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
    })
}
