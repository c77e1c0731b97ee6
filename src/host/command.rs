//! One command runner: explicit argv, no shell, fixed directories, closed stdin unless given, bounded time
//! and output. Failures are told apart, and each carries a command line one can paste.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::{Host, Kind, apart, files, ioctl, text};

/// Where system tools live, on CentOS 6 and on merged-/usr systems alike. The caller's PATH is not asked:
/// a root program runs no tool from a directory that somebody else chose.
const DIRECTORIES: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// How much of each stream is kept, in bytes; the rest is read and dropped.
const KEPT: usize = 8 << 20;

/// How long a descendant may hold the output open after the command itself has ended.
const LINGER: Duration = Duration::from_secs(2);

/// How long a command that was killed may take to be gone. One that waits in the kernel for a device stays.
const KILLED: Duration = Duration::from_millis(500);

/// The variable that shortens every deadline, in whole seconds: for tests, which cannot wait until a tool that hangs is
/// given up.
const SHORTENED: &str = "MT_AGENT_DEADLINE_SECONDS";

/// The variables that pass from our environment to a command: how to reach the network, nothing else.
const PASSED: [&str; 8] =
    ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "TZ"];

/// A command to run. The first word names a tool, by name (looked for in the system's directories) or by
/// absolute path.
#[derive(Clone, Debug)]
pub struct Command {
    tool: String,
    args: Vec<String>,
    stdin: Option<Vec<u8>>,
    dir: Option<PathBuf>,
    deadline: Duration,
    only_looks: bool,
}

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

/// Why there is no usable output.
#[derive(Debug)]
pub enum Failure {
    /// The tool is not in any of the system's directories.
    Missing {
        /// Its name.
        tool: String,
    },
    /// It could not be started.
    Spawn {
        /// The command line.
        line: String,
        /// What the system said.
        source: io::Error,
    },
    /// It ran, and how it ended could not be told.
    Wait {
        /// The command line.
        line: String,
        /// What the system said.
        source: io::Error,
    },
    /// It did not end in time and was killed, with all its descendants.
    Deadline {
        /// The command line.
        line: String,
        /// The time it had.
        after: Duration,
        /// Whether the kernel did not let it end: it waits for a device that does not answer.
        left: bool,
        /// The end of what it said.
        said: String,
    },
    /// A signal ended it.
    Signal {
        /// The command line.
        line: String,
        /// The signal's number.
        signal: i32,
        /// The end of what it said.
        said: String,
    },
    /// It ended with a status other than 0.
    Status {
        /// The command line.
        line: String,
        /// The exit status.
        status: i32,
        /// The end of what it said.
        said: String,
    },
    /// Its output is not UTF-8.
    Undecodable {
        /// The command line.
        line: String,
    },
    /// Its output is longer than what is kept.
    TooLong {
        /// The command line.
        line: String,
    },
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ended = |said: &str| if said.is_empty() { String::new() } else { format!(": {said}") };
        match self {
            Self::Missing { tool } => write!(f, "no `{tool}` in {}", DIRECTORIES.join(", ")),
            Self::Spawn { line, source } => write!(f, "`{line}` could not be started: {source}"),
            Self::Wait { line, source } => write!(f, "how `{line}` ended could not be told: {source}"),
            Self::Deadline { line, after, left, said } => {
                let how = if *left { "could not be stopped: it is left behind" } else { "was stopped" };
                write!(f, "`{line}` did not end within {} s and {how}{}", after.as_secs_f32(), ended(said))
            }
            Self::Signal { line, signal, said } => {
                write!(f, "`{line}` was ended by signal {signal}{}", ended(said))
            }
            Self::Status { line, status, said } => {
                write!(f, "`{line}` ended with status {status}{}", ended(said))
            }
            Self::Undecodable { line } => write!(f, "`{line}` printed bytes that are not UTF-8"),
            Self::TooLong { line } => write!(f, "`{line}` printed more than {} MiB", KEPT >> 20),
        }
    }
}

// Without a source: what the system said is told above, and a chain of errors would say it once more.
impl std::error::Error for Failure {}

impl Output {
    /// The end of what was said, standard error before standard output, made safe and short: for messages.
    #[must_use]
    pub fn said(&self) -> String {
        let stream =
            if self.stderr.iter().all(u8::is_ascii_whitespace) { &self.stdout } else { &self.stderr };
        let decoded = String::from_utf8_lossy(stream);
        let mut last: VecDeque<&str> = decoded.lines().filter(|line| !line.trim().is_empty()).collect();
        while last.len() > 3 {
            last.pop_front();
        }
        // A secret is found by what stands before it, so that is cut off last.
        let joined = text::safe(&text::without_secrets(&Vec::from(last).join("; ")));
        let skip = joined.chars().count().saturating_sub(400);
        joined.chars().skip(skip).collect()
    }
}

/// Whether `tool` can be found in the system's directories of `host`.
#[must_use]
pub fn available(host: &Host, tool: &str) -> bool {
    find(host, tool).is_some()
}

fn find(host: &Host, tool: &str) -> Option<PathBuf> {
    if tool.starts_with('/') {
        return Some(PathBuf::from(tool));
    }
    DIRECTORIES.iter().map(|dir| host.path(dir).join(tool)).find(|path| {
        path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    })
}

impl Command {
    /// A command that runs `tool` with `args` and has `deadline` to end.
    pub fn new<I, S>(tool: &str, args: I, deadline: Duration) -> Self
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        let args = args.into_iter().map(Into::into).collect();
        Self { tool: tool.to_owned(), args, stdin: None, dir: None, deadline, only_looks: false }
    }

    /// Gives it `bytes` on standard input, which is otherwise empty.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// It only looks at something: once a signal asks the run to end, it is not waited for.
    #[must_use]
    pub fn only_looks(mut self) -> Self {
        self.only_looks = true;
        self
    }

    /// Runs it in `dir` instead of `/`.
    #[must_use]
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// Where it runs, if that is not `/`.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        self.dir.as_deref()
    }

    /// The command line, quoted so that it can be pasted into a shell, without credentials.
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = quoted(&self.tool);
        for arg in &self.args {
            let _ = write!(line, " {}", quoted(&text::without_secrets(arg)));
        }
        text::safe(&text::without_secrets(&line))
    }

    /// Runs it to its end, whatever its exit status.
    ///
    /// # Errors
    /// [`Failure::Missing`], [`Failure::Spawn`], [`Failure::Wait`], [`Failure::Deadline`], [`Failure::Signal`].
    pub fn run(&self, host: &Host) -> Result<Output, Failure> {
        self.run_watched(host, &mut |_| {})
    }

    /// Runs it to its end and gives each line that it prints to `watch`, as it comes.
    ///
    /// # Errors
    /// As [`Command::run`].
    pub fn run_watched(&self, host: &Host, watch: &mut dyn FnMut(&str)) -> Result<Output, Failure> {
        match host.kind() {
            Kind::Live => {}
            Kind::Recorded => return self.recorded(host),
            // Nothing from an image's tree is run: it may be another architecture's, or an enemy's.
            Kind::Image => return Err(Failure::Missing { tool: self.tool.clone() }),
        }
        let path = find(host, &self.tool).ok_or_else(|| Failure::Missing { tool: self.tool.clone() })?;
        self.spawn_and_wait(&path, watch)
    }

    /// Its standard output as text, when it ended with status 0.
    ///
    /// # Errors
    /// Every [`Failure`].
    pub fn read(&self, host: &Host) -> Result<String, Failure> {
        let output = self.run(host)?;
        let line = || self.line();
        if output.status != 0 {
            return Err(Failure::Status { line: line(), status: output.status, said: output.said() });
        }
        if output.truncated {
            return Err(Failure::TooLong { line: line() });
        }
        String::from_utf8(output.stdout).map_err(|_| Failure::Undecodable { line: line() })
    }

    /// What the recorded tree says that this tool printed.
    fn recorded(&self, host: &Host) -> Result<Output, Failure> {
        let stdout = files::read(&host.path("/commands").join(&self.tool))
            .map_err(|_| Failure::Missing { tool: self.tool.clone() })?;
        Ok(Output { stdout, ..Output::default() })
    }

    fn spawn_and_wait(&self, path: &Path, watch: &mut dyn FnMut(&str)) -> Result<Output, Failure> {
        let deadline = shortened(self.deadline);
        let spawn = |source| Failure::Spawn { line: self.line(), source };
        let (out_reader, out_writer) = io::pipe().map_err(spawn)?;
        let (err_reader, err_writer) = io::pipe().map_err(spawn)?;
        let environment = PASSED
            .iter()
            .filter_map(|name| std::env::var_os(name).map(|value| ((*name).into(), value)))
            .chain([
                ("PATH".into(), DIRECTORIES.join(":").into()),
                ("HOME".into(), "/root".into()),
                ("LC_ALL".into(), "C".into()),
                ("TERM".into(), "dumb".into()),
            ])
            .collect::<Vec<(std::ffi::OsString, std::ffi::OsString)>>();
        let expression = duct::cmd(path, &self.args)
            .dir(self.dir.as_deref().unwrap_or(Path::new("/")))
            .full_env(environment)
            .stdout_file(out_writer)
            .stderr_file(err_writer)
            .unchecked()
            // A group of its own: a deadline ends every descendant, and a key pressed on our terminal none.
            .before_spawn(|command| {
                command.process_group(0);
                ioctl::begin_with_no_signal_held_back(command);
                Ok(())
            });
        let complete = match &self.stdin {
            Some(bytes) => expression.stdin_file(filled(bytes).map_err(spawn)?),
            None => expression.stdin_null(),
        };
        // Before the command, so that one that could not be listened to is not started.
        // A few chunks wait at most: a command that prints faster than it is listened to is held up by its pipe.
        let (sender, chunks) = mpsc::sync_channel(16);
        drain(OwnedFd::from(out_reader), false, sender.clone()).map_err(spawn)?;
        drain(OwnedFd::from(err_reader), true, sender).map_err(spawn)?;
        let started = Instant::now();
        let handle = complete.start().map_err(spawn)?;
        // Both expressions hold the write ends; while one of them lives, no reader sees the end.
        drop((expression, complete));

        let mut collected = Collected { output: Output::default(), partial: [Vec::new(), Vec::new()] };
        let mut ended: Option<Instant> = None;
        let (mut given_up, mut asked): (bool, Option<Instant>) = (false, None);
        loop {
            match chunks.recv_timeout(Duration::from_millis(20)) {
                Ok((is_err, bytes)) => collected.take(is_err, &bytes, watch),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if ended.is_none() && matches!(handle.try_wait(), Ok(Some(_)) | Err(_)) {
                ended = Some(Instant::now());
            }
            if self.only_looks && asked.is_none() && apart::is_ending() {
                asked = Some(Instant::now());
            }
            given_up = ended.is_none() && asked.is_some_and(|at| at.elapsed() > apart::GRACE);
            if ended.is_some_and(|at| at.elapsed() > LINGER) || started.elapsed() > deadline || given_up {
                break;
            }
        }
        collected.flush(watch);
        let mut output = collected.output;
        let left = if given_up { Duration::ZERO } else { deadline.saturating_sub(started.elapsed()) };
        let wait = |source| Failure::Wait { line: self.line(), source };
        let status = match handle.wait_timeout(left).map_err(wait)? {
            Some(done) => done.status,
            None => {
                for pid in handle.pids() {
                    if let Ok(pid) = i32::try_from(pid) {
                        let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
                    }
                }
                let _ = handle.kill();
                let left = !matches!(handle.wait_timeout(KILLED), Ok(Some(_)));
                let after = if given_up { started.elapsed() } else { deadline };
                return Err(Failure::Deadline { line: self.line(), after, left, said: output.said() });
            }
        };
        match (status.code(), status.signal()) {
            (Some(code), _) => {
                output.status = code;
                Ok(output)
            }
            (None, signal) => Err(Failure::Signal {
                line: self.line(),
                signal: signal.unwrap_or_default(),
                said: output.said(),
            }),
        }
    }
}

/// The deadline, or what [`SHORTENED`] says where that is less.
pub(super) fn shortened(deadline: Duration) -> Duration {
    shortened_to(deadline, std::env::var(SHORTENED).ok().as_deref())
}

fn shortened_to(deadline: Duration, seconds: Option<&str>) -> Duration {
    let most = seconds.and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
    most.map_or(deadline, |most| deadline.min(most))
}

struct Collected {
    output: Output,
    partial: [Vec<u8>; 2],
}

impl Collected {
    fn take(&mut self, is_err: bool, bytes: &[u8], watch: &mut dyn FnMut(&str)) {
        let kept = if is_err { &mut self.output.stderr } else { &mut self.output.stdout };
        let room = KEPT.saturating_sub(kept.len());
        kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.output.truncated |= bytes.len() > room;
        let partial = &mut self.partial[usize::from(is_err)];
        for &byte in bytes {
            if matches!(byte, b'\n' | b'\r') {
                watch_line(partial, watch);
            } else if partial.len() < 4096 {
                partial.push(byte);
            }
        }
    }

    fn flush(&mut self, watch: &mut dyn FnMut(&str)) {
        for partial in &mut self.partial {
            watch_line(partial, watch);
        }
    }
}

fn watch_line(partial: &mut Vec<u8>, watch: &mut dyn FnMut(&str)) {
    if !partial.is_empty() {
        watch(&text::safe(&text::without_secrets(&String::from_utf8_lossy(partial))));
        partial.clear();
    }
}

/// A pipe that holds `bytes` and then ends. They fit into it as a whole, so that no thread need feed it: duct's own
/// panics where none can be started.
fn filled(bytes: &[u8]) -> io::Result<io::PipeReader> {
    /// What the smallest pipe takes without a reader.
    const ROOM: usize = 4096;
    if bytes.len() > ROOM {
        return Err(io::Error::other(format!("more than {ROOM} bytes for its standard input")));
    }
    let (reader, mut writer) = io::pipe()?;
    writer.write_all(bytes)?;
    Ok(reader)
}

/// Reads `fd` to its end on a thread of its own, so that a command that says much never blocks.
fn drain(fd: OwnedFd, is_err: bool, sender: SyncSender<(bool, Vec<u8>)>) -> io::Result<()> {
    let reading = thread::Builder::new().spawn(move || {
        let mut file = File::from(fd);
        let mut buffer = [0; 16 << 10];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => {
                    if sender.send((is_err, buffer[..read].to_vec())).is_err() {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
    });
    reading.map(drop)
}

pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%^".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
