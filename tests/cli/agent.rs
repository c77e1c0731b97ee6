//! Runs the binary and keeps all that it said, for the assertion that fails.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_mt-agent");

/// The unprivileged user of the tests.
pub const NOBODY: &str = "65534";

/// A command line and what came of it.
pub struct Ran {
    line: String,
    output: Output,
}

/// The binary with `args`, in an environment that is the same on every machine, with nothing on standard input.
pub fn agent(args: &[&str]) -> Command {
    tool(PROGRAM, args)
}

/// Runs the binary as a user who is not root, from a copy: where it was built, that user may not be let in.
pub fn as_nobody(args: &[&str]) -> Ran {
    as_nobody_where(":", args)
}

/// The same, with mounts of its own, which the shell makes as `setup` says.
pub fn as_nobody_where(setup: &str, args: &[&str]) -> Ran {
    let copy = tempfile::Builder::new().permissions(Permissions::from_mode(0o755)).tempdir().unwrap();
    let program = copy.path().join("mt-agent");
    let program = program.to_str().unwrap();
    // By another process: a file that is open for writing here, for a child that starts meanwhile too, cannot be run.
    run(&mut tool("install", &["-m", "755", PROGRAM, program])).exits(0);
    let setup =
        format!("{setup} && exec setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups -- \"$0\" \"$@\"");
    run(&mut tool("unshare", &[&["--mount", "sh", "-c", &setup, program], args].concat()))
}

/// `program` in the same environment.
pub fn tool<S: AsRef<OsStr>>(program: &str, args: &[S]) -> Command {
    let mut command = Command::new(program);
    command.args(args).env_clear().stdin(Stdio::null());
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C.UTF-8").env("TERM", "xterm");
    command
}

/// Runs it to its end.
pub fn run(command: &mut Command) -> Ran {
    let words: Vec<OsString> =
        std::iter::once(command.get_program()).chain(command.get_args()).map(OsStr::to_owned).collect();
    let line = words.join(OsStr::new(" ")).to_string_lossy().into_owned();
    let output = command.output().unwrap_or_else(|error| panic!("{line}: {error}"));
    Ran { line, output }
}

/// Runs the binary with `args`.
pub fn mt_agent(args: &[&str]) -> Ran {
    run(&mut agent(args))
}

impl Ran {
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    pub fn code(&self) -> i32 {
        self.output.status.code().unwrap_or_else(|| panic!("it was ended by a signal\n{self}"))
    }

    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert!(self.output.status.code() == Some(code), "expected exit code {code}\n{self}");
        self
    }

    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(self.stdout().contains(words), "expected on stdout: {words}\n{self}");
        self
    }

    #[track_caller]
    pub fn says_nothing(self) -> Self {
        assert!(self.stdout().is_empty(), "expected nothing on stdout\n{self}");
        self
    }

    #[track_caller]
    pub fn complains(self, words: &str) -> Self {
        assert!(self.stderr().contains(words), "expected on stderr: {words}\n{self}");
        self
    }

    /// Asserts that standard error is one line that begins as our diagnostics do.
    #[track_caller]
    pub fn complains_in_one_line(self) -> Self {
        let stderr = self.stderr();
        assert!(stderr.starts_with("mt-agent: ") && stderr.lines().count() == 1, "expected one line\n{self}");
        self
    }

    #[track_caller]
    pub fn holds(self, what: &str, condition: impl Fn(&Self) -> bool) -> Self {
        assert!(condition(&self), "expected: {what}\n{self}");
        self
    }

    /// Standard output as the one JSON document that it must be.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.output.stdout).unwrap_or_else(|error| panic!("no JSON: {error}\n{self}"))
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Output { status, stdout, stderr } = &self.output;
        let show =
            |bytes: &[u8]| String::from_utf8_lossy(bytes).escape_debug().to_string().replace("\\n", "\n");
        writeln!(f, "$ {}\n{status}\n--- stdout\n{}\n--- stderr\n{}", self.line, show(stdout), show(stderr))
    }
}
