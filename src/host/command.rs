//! One command runner: explicit argv, no shell, fixed directories, closed stdin unless given, bounded time
//! and output. Failures are told apart, and each carries a command line one can paste.

mod argument;
mod failure;
mod tools;

use std::fmt::Write as _;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use self::argument::Argument;
pub(crate) use self::argument::{pasted, quoted};
pub(crate) use self::failure::Failure;
pub use self::tools::available;
use self::tools::{DIRECTORIES, find};
use super::deadline::shortened;
use super::running::{AtDeadline, Running, Stream, Watch, drain};
pub use super::running::{Became, Output};
use super::{Host, Kind, apart, files, ioctl, isolation, text};

/// How long a command may take to end once it was asked to.
const ASKED: Duration = Duration::from_secs(2);

/// How long a transaction of packages may: rpm ends at the next point at which it can, and a package may be a large one.
const TRANSACTION: Duration = Duration::from_secs(300);

/// The variables that pass from our environment to a command: how to reach the network, nothing else.
const PASSED: [&str; 8] =
    ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "TZ"];

/// What starts a command that is held: it becomes the command when it is told to, and ends where nobody can tell it any
/// more. The line is taken off byte by byte, as a pipe cannot be sought in, so the rest is the command's.
const HELD: &str = "read -r line && exec \"$@\"";

/// What is done with the process id of a command that is held, before it begins.
type Begin<'a> = &'a mut dyn FnMut(u32) -> anyhow::Result<()>;

/// A command to run. The first word names a tool, by name (looked for in the system's directories) or by
/// absolute path.
#[derive(Clone, Debug)]
pub struct Command {
    tool: String,
    args: Vec<Argument>,
    stdin: Option<Vec<u8>>,
    dir: Option<PathBuf>,
    deadline: Duration,
    grace: Duration,
    at_deadline: AtDeadline,
    only_looks: bool,
    no_network: bool,
}

impl Command {
    /// A command that runs `tool` with `args` and has `deadline` to end.
    pub fn new<I, S>(tool: &str, args: I, deadline: Duration) -> Self
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        let args = args.into_iter().map(|word| Argument::Shown(word.into())).collect();
        Self {
            tool: tool.to_owned(),
            args,
            stdin: None,
            dir: None,
            deadline,
            grace: ASKED,
            at_deadline: AtDeadline::Kill,
            only_looks: false,
            no_network: false,
        }
    }

    /// Adds an argument that is a secret.
    pub fn secret(mut self, word: impl Into<String>) -> Self {
        self.args.push(Argument::Secret(word.into()));
        self
    }

    /// Gives it `bytes` on standard input, which is otherwise empty.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// It only looks at something: once a signal asks the run to end, it is not waited for.
    pub fn only_looks(mut self) -> Self {
        self.only_looks = true;
        self
    }

    /// It reaches no network, unless [`isolation::refused`] says why that cannot be kept from it.
    pub fn without_network(mut self) -> Self {
        self.no_network = true;
        self
    }

    /// It changes the package database. At its deadline it is asked to end, it alone, so that no scriptlet is ended in the
    /// middle; it has 5 minutes for that, and goes on after them: killed, it would leave packages half installed.
    pub fn transaction(mut self) -> Self {
        (self.at_deadline, self.grace) = (AtDeadline::Ask, TRANSACTION);
        self
    }

    /// Runs it in `dir` instead of `/`.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// Where it runs, if that is not `/`.
    pub fn directory(&self) -> Option<&Path> {
        self.dir.as_deref()
    }

    /// The command line, quoted so that it can be pasted into a shell, without its secrets. Of an argument of more than
    /// 300 characters only the beginning is there.
    pub fn line(&self) -> String {
        let mut line = quoted(&self.tool);
        for arg in &self.args {
            let _ = write!(line, " {}", arg.shown());
        }
        text::safe(&line)
    }

    /// Runs it to its end, whatever its exit status.
    /// Errors: [`Failure::Missing`], [`Failure::Spawn`], [`Failure::Wait`], [`Failure::Deadline`],
    /// [`Failure::Signal`].
    pub fn run(&self, host: &Host) -> Result<Output, Failure> {
        self.find_and_run(host, None, None)
    }

    /// Runs it to its end and gives each line that it prints to `watch`, as it comes.
    pub fn run_watched(&self, host: &Host, watch: &mut dyn FnMut(&str)) -> Result<Output, Failure> {
        self.find_and_run(host, Some(watch), None)
    }

    /// As [`Command::run_watched`], but it is held until `begin` has been given its process id, which is its group's
    /// too. Where that fails, or this process ends meanwhile, it never begins.
    /// Errors: As [`Command::run`]; [`Failure::Spawn`] with what `begin` said.
    pub fn run_held(
        &self,
        host: &Host,
        watch: &mut dyn FnMut(&str),
        begin: Begin<'_>,
    ) -> Result<Output, Failure> {
        self.find_and_run(host, Some(watch), Some(begin))
    }

    fn find_and_run(
        &self,
        host: &Host,
        watch: Option<Watch<'_>>,
        begin: Option<Begin<'_>>,
    ) -> Result<Output, Failure> {
        match host.kind() {
            Kind::Live => {}
            Kind::Recorded => return self.recorded(host),
            // Nothing from an image's tree is run: it may be another architecture's, or an enemy's.
            Kind::Image => return Err(Failure::Missing { tool: self.tool.clone() }),
        }
        let tool = |tool: &str| find(host, tool).ok_or_else(|| Failure::Missing { tool: tool.to_owned() });
        let path = tool(&self.tool)?;
        // It would wait now and then for a lock that nobody gives back: each would be late without a reason that can be seen.
        if ioctl::is_a_copy() {
            let source = io::Error::other("a copy of this process starts no command");
            return Err(Failure::Spawn { line: self.line(), source });
        }
        let words = self.args.iter().map(|arg| arg.word().to_owned());
        if begin.is_none() {
            return self.spawn_and_wait(&path, &words.collect::<Vec<_>>(), watch, None);
        }
        let named = ["-c", HELD, "held"].map(str::to_owned).into_iter();
        let args: Vec<String> = named.chain([path.display().to_string()]).chain(words).collect();
        self.spawn_and_wait(&tool("bash")?, &args, watch, begin)
    }

    /// Whether `output`, which it gave, is that of an end with status 0.
    /// Errors: [`Failure::Status`].
    pub fn succeeded(&self, output: &Output) -> Result<(), Failure> {
        match output.status {
            0 => Ok(()),
            status => Err(Failure::Status { line: self.line(), status, message: output.message() }),
        }
    }

    /// Its standard output as text, when it ended with status 0.
    pub fn read(&self, host: &Host) -> Result<String, Failure> {
        let output = self.run(host)?;
        self.succeeded(&output)?;
        let line = || self.line();
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

    fn spawn_and_wait(
        &self,
        path: &Path,
        args: &[String],
        watch: Option<Watch<'_>>,
        begin: Option<Begin<'_>>,
    ) -> Result<Output, Failure> {
        let deadline = shortened(self.deadline);
        let spawn = |source| Failure::Spawn { line: self.line(), source };
        let no_network = self.no_network && isolation::refused().is_none();
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
        // Never /dev/null: it may be away, or no device, and no command would start or each would read from a file.
        let bytes = self.stdin.as_deref().unwrap_or_default();
        let (input, mut feed) = input(bytes).map_err(spawn)?;
        let expression = duct::cmd(path, args)
            .stdin_file(input)
            .dir(self.dir.as_deref().unwrap_or(Path::new("/")))
            .full_env(environment)
            .stdout_file(out_writer)
            .stderr_file(err_writer)
            .unchecked()
            // A group of its own: a deadline ends every descendant, and a key pressed on our terminal none.
            .before_spawn(move |command| {
                command.process_group(0);
                if no_network {
                    ioctl::begin_without_network(command);
                }
                ioctl::begin_afresh(command);
                Ok(())
            });
        // What goes on when we have ended is to find a reader still.
        let left_to = if self.at_deadline == AtDeadline::Ask {
            vec![out_reader.try_clone().map_err(spawn)?, err_reader.try_clone().map_err(spawn)?]
        } else {
            Vec::new()
        };
        // Before the command, so that one that could not be listened to is not started.
        // A few chunks wait at most: a command that prints faster than it is listened to is held up by its pipe.
        let (sender, chunks) = mpsc::sync_channel(16);
        drain(OwnedFd::from(out_reader), Stream::Out, sender.clone()).map_err(spawn)?;
        drain(OwnedFd::from(err_reader), Stream::Err, sender).map_err(spawn)?;
        let started = Instant::now();
        let handle = expression.start().map_err(spawn)?;
        // It holds the write ends; while it lives, no reader sees the end.
        drop(expression);
        if let Some(begin) = begin {
            let pid = handle.pids().first().copied().unwrap_or_default();
            if let Err(error) = begin(pid) {
                drop(feed);
                let _ = handle.wait_timeout(deadline);
                return Err(spawn(io::Error::other(format!("{error:#}"))));
            }
            let _ = feed.write_all(b"\n");
        }
        // One that has ended already, or reads nothing, is judged by how it ends.
        let _ = feed.write_all(bytes);
        drop(feed);

        let mut running = Running {
            handle,
            chunks,
            output: Output::default(),
            watch,
            partial: [Vec::new(), Vec::new()],
            maskers: Default::default(),
        };
        let wait = |source| Failure::Wait { line: self.line(), source };
        let (mut given_up, mut asked): (bool, Option<Instant>) = (false, None);
        let status = running.listen(&mut || {
            if self.only_looks && asked.is_none() && apart::is_ending() {
                asked = Some(Instant::now());
            }
            given_up = asked.is_some_and(|at| at.elapsed() > apart::GRACE);
            given_up || started.elapsed() > deadline
        });
        let status = match status.map_err(wait)? {
            Some(status) => status,
            None => {
                let after = if given_up { started.elapsed() } else { deadline };
                let grace = if given_up { Duration::ZERO } else { shortened(self.grace) };
                let became = running.stop(self.at_deadline, grace, &left_to);
                return Err(Failure::Deadline {
                    line: self.line(),
                    after,
                    became,
                    message: running.output.message(),
                });
            }
        };
        let mut output = running.output;
        match (status.code(), status.signal()) {
            (Some(code), _) => {
                output.status = code;
                Ok(output)
            }
            (None, signal) => Err(Failure::Signal {
                line: self.line(),
                signal: signal.unwrap_or_default(),
                message: output.message(),
            }),
        }
    }
}

/// A pipe that will take `bytes`, and a line before them, as a whole, so that no thread need feed it: duct's own panics
/// where none can be started.
fn input(bytes: &[u8]) -> io::Result<(io::PipeReader, io::PipeWriter)> {
    /// What the smallest pipe takes without a reader.
    const ROOM: usize = 4096;
    if bytes.len() >= ROOM {
        return Err(io::Error::other(format!("{ROOM} bytes or more for its standard input")));
    }
    io::pipe()
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
