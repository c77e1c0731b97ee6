//! Who holds the locks of yum, dnf and rpm.

use std::os::unix::fs::MetadataExt;

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use regex::Regex;

use crate::facts::daemons;
use crate::host::command::Output;
use crate::host::{Host, files, text};

/// The process that `output` says held the lock, when the lock is why nothing was done: `None` inside when it
/// is not named.
///
/// The words decide: yum 3.2 ends with 1, dnf with 200, and yum with 200 too when it cannot remove its own lock
/// after it has done everything.
pub fn refused(output: &Output) -> Option<Option<u32>> {
    const WORDS: [&str; 4] = [
        "holding the yum lock",
        "already locked by",
        "obtain the transaction lock",
        "obtain rpm transaction lock",
    ];
    let output_text =
        format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let locked = output.status != 0 && WORDS.iter().any(|word| output_text.contains(word));
    locked.then(|| {
        let pid = Regex::new(r"(?:running as pid|locked by|process with pid) (\d+)").ok()?;
        pid.captures(&output_text)?.get(1)?.as_str().parse().ok()
    })
}

/// Who holds a lock of the file at `path` that keeps others from writing, in words. The kernel is asked as rpm asks it: for
/// reading or for writing, of the process or of what it has open (`F_OFD_SETLK`, whose holder has no number).
pub fn holder(host: &Host, path: &str) -> Option<String> {
    let file = files::open(&host.path(path)).ok()?;
    let meta = file.metadata().ok()?;
    // rpm locks one byte at the beginning (lib/rpmlock.c); a length of 0 is all of the file.
    let mut lock = libc::flock {
        l_type: libc::F_WRLCK.try_into().ok()?,
        l_whence: libc::SEEK_SET.try_into().ok()?,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    fcntl(&file, FcntlArg::F_GETLK(&mut lock)).ok()?;
    if i32::from(lock.l_type) == libc::F_UNLCK {
        return None;
    }
    let pid = u32::try_from(lock.l_pid).ok().filter(|pid| *pid > 0).or_else(|| who_has_open(host, path));
    // Who can read a file can lock it for reading, and rpm then waits.
    let is_root = pid.and_then(|pid| uid(host, pid)) == Some(0);
    let with = if is_root || meta.mode() & 0o044 == 0 {
        String::new()
    } else {
        format!(", with {path}, which users other than root can lock,")
    };
    Some(format!("{}{with}", process(host, pid)))
}

fn who_has_open(host: &Host, path: &str) -> Option<u32> {
    let ours = std::process::id();
    let numbers = host.list("/proc").unwrap_or_default();
    // By the names alone: a file that lies on a dead network mount does not answer.
    let is_open = |pid: &u32| {
        let directory = format!("/proc/{pid}/fd");
        let descriptors = host.list(&directory).unwrap_or_default();
        descriptors.iter().any(|fd| {
            std::fs::read_link(host.path(format!("{directory}/{fd}")))
                .is_ok_and(|file| file == host.path(path))
        })
    };
    numbers.iter().filter_map(|name| name.parse().ok()).filter(|pid| *pid != ours).find(is_open)
}

/// A process in words, with the user whose it is: `process 1234 (/usr/bin/python /usr/bin/yum, uid 0)`. Of its arguments only
/// the paths before all others are shown, which say what an interpreter runs: another may be a password.
pub fn process(host: &Host, pid: Option<u32>) -> String {
    let Some(pid) = pid else { return "another process".into() };
    let line = host.read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    // A process may write what it likes there, with blanks.
    let mut words = line.split(['\0', ' ']);
    let program = words.next().into_iter().chain(words.take_while(|word| word.starts_with('/')));
    let line: String = text::safe(&program.collect::<Vec<_>>().join(" ")).chars().take(100).collect();
    let uid = uid(host, pid).map(|uid| format!("uid {uid}"));
    let known: Vec<String> = [line].into_iter().filter(|line| !line.is_empty()).chain(uid).collect();
    if known.is_empty() { format!("process {pid}") } else { format!("process {pid} ({})", known.join(", ")) }
}

fn uid(host: &Host, pid: u32) -> Option<u32> {
    let status = host.read(format!("/proc/{pid}/status")).ok()?;
    daemons::uids(&status)?.first().copied()
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
        let named = |line: &str| {
            std::fs::create_dir_all(dir.path().join("proc/7")).unwrap();
            std::fs::write(dir.path().join("proc/7/cmdline"), line).unwrap();
            std::fs::write(dir.path().join("proc/7/status"), "Uid:\t500\t0\t0\t0\n").unwrap();
            process(&Host::recorded(dir.path()), Some(7))
        };
        assert_eq!(
            named("/usr/bin/python\0/usr/bin/yum\0--setopt=x=Hidden\0-y\0"),
            "process 7 (/usr/bin/python /usr/bin/yum, uid 500)"
        );
        assert_eq!(named("curl\0-u\0me:Hidden\0/x"), "process 7 (curl, uid 500)");
        assert_eq!(named("agent: password Hidden\0"), "process 7 (agent:, uid 500)");
        assert_eq!(named(""), "process 7 (uid 500)");
        assert_eq!(process(&Host::recorded(dir.path()), None), "another process");
    }

    /// A process of another user that takes the lock `kind` on `path`, and keeps it until it is ended.
    fn taken(kind: &str, path: &std::path::Path) -> duct::ReaderHandle {
        use std::io::Read as _;
        const PROGRAM: &str = "import fcntl, os, struct, sys, time\n\
            kind, path = sys.argv[1:]\n\
            os.setuid(65534)\n\
            file = os.open(path, os.O_RDONLY if 'read' in kind else os.O_RDWR)\n\
            lock = fcntl.F_RDLCK if 'read' in kind else fcntl.F_WRLCK\n\
            if 'ofd' in kind: fcntl.fcntl(file, fcntl.F_OFD_SETLK, struct.pack('hhqqi4x', lock, 0, 0, 0, 0))\n\
            elif 'flock' in kind: fcntl.flock(file, fcntl.LOCK_EX)\n\
            else: fcntl.lockf(file, fcntl.LOCK_SH if 'read' in kind else fcntl.LOCK_EX, 1)\n\
            print('x', flush=True)\n\
            time.sleep(600)\n";
        let words = ["-c", PROGRAM, kind];
        let all = words.iter().map(std::ffi::OsStr::new).chain([path.as_os_str()]);
        let reader = duct::cmd("/usr/bin/python3", all).reader().unwrap();
        let mut byte = [0];
        (&reader).read_exact(&mut byte).expect("/usr/bin/python3, as root");
        reader
    }

    fn end(holds: &duct::ReaderHandle) {
        holds.kill().unwrap();
        while matches!(holds.try_wait(), Ok(None)) {}
    }

    #[test]
    fn every_lock_that_rpm_would_wait_for_is_seen_and_its_holder_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".rpm.lock");
        let host = Host::live();
        let look = || holder(&host, path.to_str().unwrap());
        let mode = |mode| std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode));
        std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        assert_eq!(look(), None, "there is none");
        files::create(&path).unwrap();
        assert_eq!(look(), None);
        for kind in ["write", "read", "ofd-write", "ofd-read"] {
            mode(0o666).unwrap();
            let holds = taken(kind, &path);
            let pid = holds.pids()[0];
            let holder = format!("process {pid} (/usr/bin/python3, uid 65534)");
            let unsafe_lock =
                format!("{holder}, with {}, which users other than root can lock,", path.display());
            assert_eq!(look().as_deref(), Some(unsafe_lock.as_str()), "{kind}");
            mode(0o600).unwrap();
            assert_eq!(look(), Some(holder), "{kind}");
            end(&holds);
            assert_eq!(look(), None, "{kind}");
        }
        // One of another kind, which rpm does not look at.
        mode(0o666).unwrap();
        let holds = taken("flock", &path);
        assert_eq!(look(), None);
        end(&holds);
    }
}
