//! Who holds the locks of yum, dnf and rpm.

use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use regex::Regex;

use crate::host::command::{Command, Output};
use crate::host::{Host, text};

/// The process that `output` says held the lock, when the lock is why nothing was done: `None` inside when it
/// is not named.
///
/// The words decide: yum 3.2 ends with 1, dnf with 200, and yum with 200 too when it cannot remove its own lock
/// after it has done everything.
#[must_use]
pub fn refused(output: &Output) -> Option<Option<u32>> {
    const WORDS: [&str; 4] = [
        "holding the yum lock",
        "already locked by",
        "obtain the transaction lock",
        "obtain rpm transaction lock",
    ];
    let said =
        format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let locked = output.status != 0 && WORDS.iter().any(|word| said.contains(word));
    locked.then(|| {
        let pid = Regex::new(r"(?:running as pid|locked by|process with pid) (\d+)").ok()?;
        pid.captures(&said)?.get(1)?.as_str().parse().ok()
    })
}

/// The process that holds rpm's transaction lock, when one does. rpm would wait for it without a word.
#[must_use]
pub fn rpm_holder(host: &Host) -> Option<u32> {
    let path = Command::new("rpm", ["-E", "%{_dbpath}"], Duration::from_secs(30)).read(host).ok()?;
    let meta = host.path(path.trim()).join(".rpm.lock").metadata().ok()?;
    let locks = host.read("/proc/locks").ok()?;
    parse_locks(&locks, meta.dev(), meta.ino())
}

/// The process with a write lock on that inode. A line: `1: POSIX  ADVISORY  WRITE 1234 08:01:131 0 EOF`.
pub(crate) fn parse_locks(locks: &str, device: u64, inode: u64) -> Option<u32> {
    let (major, minor) = (nix::sys::stat::major(device), nix::sys::stat::minor(device));
    let file = format!("{major:02x}:{minor:02x}:{inode}");
    locks.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        // A process that waits has `->` before its kind.
        match fields.as_slice() {
            [_, "POSIX", _, "WRITE", pid, on, ..] if *on == file => pid.parse().ok(),
            _ => None,
        }
    })
}

/// A process in words: `process 1234 (/usr/bin/python /usr/bin/yum)`. Of its arguments only the paths before all others
/// are told, which say what an interpreter runs: another may be a password.
#[must_use]
pub fn process(host: &Host, pid: Option<u32>) -> String {
    let Some(pid) = pid else { return "another process".into() };
    let line = host.read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    // A process may write what it likes there, with blanks.
    let mut words = line.split(['\0', ' ']);
    let program = words.next().into_iter().chain(words.take_while(|word| word.starts_with('/')));
    let line: String = text::safe(&program.collect::<Vec<_>>().join(" ")).chars().take(100).collect();
    if line.is_empty() { format!("process {pid}") } else { format!("process {pid} ({line})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(status: i32, stdout: &str, stderr: &str) -> Output {
        Output { status, stdout: stdout.into(), stderr: stderr.into(), truncated: false }
    }

    #[test]
    fn the_locks_of_yum_and_dnf_are_recognised() {
        let yum = output(
            1,
            "Loaded plugins: fastestmirror\nExisting lock /var/run/yum.pid: another copy is running as pid 4711.\nAnother app is currently holding the yum lock; exiting as configured by exit_on_lock\n",
            "",
        );
        assert_eq!(refused(&yum), Some(Some(4711)));
        assert_eq!(refused(&output(200, "", "metadata already locked by 12\n")), Some(Some(12)));
        let rpm = output(1, "", "Error: Failed to obtain the transaction lock (logged in as: root).\n");
        assert_eq!(refused(&rpm), Some(None));
        assert_eq!(refused(&output(200, "Complete!\n", "")), None);
        assert_eq!(refused(&output(1, "No package wget available.\n", "")), None);
        assert_eq!(refused(&output(0, "waited for the app already locked by 3", "")), None);
    }

    #[test]
    fn a_process_is_named_by_what_it_runs_and_not_by_its_arguments() {
        let dir = tempfile::tempdir().unwrap();
        let said = |line: &str| {
            std::fs::create_dir_all(dir.path().join("proc/7")).unwrap();
            std::fs::write(dir.path().join("proc/7/cmdline"), line).unwrap();
            process(&Host::recorded(dir.path()), Some(7))
        };
        assert_eq!(
            said("/usr/bin/python\0/usr/bin/yum\0--setopt=x=Hidden\0-y\0"),
            "process 7 (/usr/bin/python /usr/bin/yum)"
        );
        assert_eq!(said("curl\0-u\0me:Hidden\0/x"), "process 7 (curl)");
        assert_eq!(said("agent: password Hidden\0"), "process 7 (agent:)");
        assert_eq!(said(""), "process 7");
        assert_eq!(process(&Host::recorded(dir.path()), None), "another process");
    }

    #[test]
    fn the_holder_of_a_lock_is_found_by_device_and_inode() {
        let locks = "1: POSIX  ADVISORY  WRITE 99 fe:00:1 0 EOF\n2: POSIX  ADVISORY  READ 5 fe:00:131 0 EOF\n\
                     3: POSIX  ADVISORY  WRITE 1234 fe:00:131 0 EOF\n3: -> POSIX  ADVISORY  WRITE 77 fe:00:131 0 EOF\n";
        let device = nix::sys::stat::makedev(0xfe, 0);
        assert_eq!(parse_locks(locks, device, 131), Some(1234));
        assert_eq!(parse_locks(locks, device, 13), None);
    }
}
