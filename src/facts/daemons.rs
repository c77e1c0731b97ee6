//! Whether a daemon runs, as evidence: anybody can run a program under any name, so a process counts by its program's file,
//! by whose that is, and by whom it runs as.

use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::processes::Processes;
use crate::host::{Host, Kind, text};

#[derive(Debug)]
pub(crate) struct Daemon {
    /// The kernel's name of its process, of at most 15 bytes.
    pub name: &'static str,
    /// The file name of its program.
    pub file: &'static str,
    /// As whom it may run beside root: names of /etc/passwd.
    pub users: &'static [&'static str],
}

/// Where the programs of daemons lie.
const DIRECTORIES: &str =
    "/usr/sbin /usr/bin /sbin /bin /usr/lib/systemd /lib/systemd /usr/local/sbin /usr/local/bin";

/// Where VMware's own installer puts its daemons, in directories by architecture; some are started by a loader of another
/// name.
const VMWARE_TOOLS: &str = "/usr/lib/vmware-tools";

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The first that runs: its place in the list, and its process.
    pub running: Option<(usize, u32)>,
    /// Why another may run.
    pub unknown: Option<String>,
    /// Processes of those names that are something else, in words.
    pub others: Vec<String>,
}

/// Looks for `daemons` among the processes; those for which `is_other` holds are not asked for.
pub(crate) fn find(
    host: &Host,
    processes: &Processes,
    daemons: &[Daemon],
    is_other: &dyn Fn(u32) -> bool,
) -> Found {
    let mut found = Found::default();
    for (at, daemon) in daemons.iter().enumerate() {
        for pid in processes.get(daemon.name).into_iter().flatten().copied().filter(|pid| !is_other(*pid)) {
            match judge(host, pid, daemon) {
                Ok(()) if found.running.is_none() => found.running = Some((at, pid)),
                Ok(()) => {}
                Err(Doubt::Gone) => {}
                Err(Doubt::Unknown(why)) => {
                    found.unknown.get_or_insert_with(|| format!("process {pid} ({}): {why}", daemon.name));
                }
                Err(Doubt::Other(why)) => {
                    found
                        .others
                        .push(text::safe(&format!("process {pid} is called {}, but {why}", daemon.name)));
                }
            }
        }
    }
    found
}

/// Why a process is no evidence.
enum Doubt {
    /// It ended while it was looked at.
    Gone,
    /// It is something else: what.
    Other(String),
    Unknown(String),
}

fn judge(host: &Host, pid: u32, daemon: &Daemon) -> Result<(), Doubt> {
    let unread = |what: &str, error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => Doubt::Gone,
        _ => Doubt::Unknown(format!("cannot read {what}: {error}")),
    };
    let status = format!("/proc/{pid}/status");
    let status = host.read(&status).map_err(|error| unread(&status, error))?;
    let Some(uids) = uids(&status) else {
        return Err(Doubt::Unknown(format!("/proc/{pid}/status does not say whose it is")));
    };
    let users = accounts(&host.read("/etc/passwd").unwrap_or_default(), daemon.users);
    let stranger = uids.iter().find(|uid| **uid != 0 && !users.contains(uid));
    let link = format!("/proc/{pid}/exe");
    let program = match fs::read_link(host.path(&link)) {
        Ok(program) => program.to_string_lossy().into_owned(),
        // A thread of the kernel has no program; a process whose status was there a moment ago had one.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(Doubt::Other("it has no program".to_owned()));
        }
        Err(_) if stranger.is_some() => String::new(),
        Err(error) => return Err(unread(&link, error)),
    };
    if let Some(uid) = stranger {
        let of = if program.is_empty() { String::new() } else { format!(" ({program})") };
        return Err(Doubt::Other(format!("it runs as the user {uid}{of}")));
    }
    // As the kernel says it of a file that an upgrade has replaced while its program ran.
    let (path, deleted) = match program.strip_suffix(" (deleted)") {
        Some(path) => (path, true),
        None => (program.as_str(), false),
    };
    if !is_place_of(Path::new(path), daemon) {
        return Err(Doubt::Other(format!("it runs {program}")));
    }
    // A recording keeps neither owners nor numbers of files.
    if host.kind() != Kind::Live {
        return Ok(());
    }
    let running = host.path(&link).metadata().map_err(|error| unread(&link, error))?;
    let open = |meta: &Metadata| meta.uid() != 0 || meta.mode() & 0o022 != 0;
    if open(&running) {
        return Err(Doubt::Other(format!("users other than root can write {program}")));
    }
    for above in Path::new(path).ancestors().skip(1) {
        match host.path(above).metadata() {
            Ok(meta) if !open(&meta) => {}
            Ok(_) => {
                return Err(Doubt::Other(format!("users other than root can write {}", above.display())));
            }
            Err(_) => return Err(Doubt::Other(format!("{program} is none of this machine's programs"))),
        }
    }
    // The path is that of its own root, which a container has of its own.
    let same = |meta: &Metadata| (meta.dev(), meta.ino()) == (running.dev(), running.ino());
    if deleted || host.path(path).metadata().is_ok_and(|meta| same(&meta)) {
        return Ok(());
    }
    Err(Doubt::Other(format!("{program} is none of this machine's programs")))
}

/// Whether the program of the daemon may lie there.
fn is_place_of(path: &Path, daemon: &Daemon) -> bool {
    let named = path.file_name().is_some_and(|name| name == daemon.file);
    let below =
        path.parent().is_some_and(|parent| DIRECTORIES.split(' ').any(|dir| parent == Path::new(dir)));
    (named && below) || (daemon.name.starts_with("vm") && path.starts_with(VMWARE_TOOLS))
}

/// The real, effective, saved and file system user IDs: the line `Uid:` of /proc/PID/status.
pub(crate) fn uids(status: &str) -> Option<Vec<u32>> {
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    let uids: Vec<u32> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    (uids.len() == 4).then_some(uids)
}

/// The user IDs that a passwd(5) file gives these names.
fn accounts(passwd: &str, names: &[&str]) -> Vec<u32> {
    passwd
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            names.contains(&name).then(|| fields.nth(1)?.parse().ok())?
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Fact, processes, testing};

    const DAEMONS: [Daemon; 2] = [
        Daemon { name: "ntpd", file: "ntpd", users: &["ntp"] },
        Daemon { name: "vmtoolsd", file: "vmtoolsd", users: &[] },
    ];

    fn look(files: &[(&str, &str)]) -> Found {
        let dir = testing::tree(files);
        let host = Host::recorded(dir.path());
        let processes = files.iter().filter_map(|(path, content)| {
            let pid = path.strip_prefix("proc/")?.strip_suffix("/status")?;
            let name = content.strip_prefix("Name:\t")?.split('\n').next()?;
            Some((name.to_owned(), vec![pid.parse().unwrap()]))
        });
        find(&host, &processes.collect(), &DAEMONS, &|_| false)
    }

    fn status(name: &str, uids: &str) -> String {
        format!("Name:\t{name}\nState:\tS (sleeping)\nUid:\t{uids}\nGid:\t0\t0\t0\t0\n")
    }

    const ROOT: &str = "0\t0\t0\t0";

    #[test]
    fn a_process_counts_by_its_user_and_its_program() {
        let one = |name: &str, uids: &str, exe: &str| {
            let found = look(&[
                ("proc/9/status", &status(name, uids)),
                ("proc/9/exe", &format!("-> {exe}")),
                ("etc/passwd", "root:x:0:0::/:\nntp:x:38:38::/etc/ntp:/sbin/nologin\nme:x:500:500::/:\n"),
            ]);
            assert_eq!(found.unknown, None);
            found.running.ok_or_else(|| found.others.join("; "))
        };
        assert_eq!(one("vmtoolsd", ROOT, "/usr/bin/vmtoolsd"), Ok((1, 9)));
        assert_eq!(
            one("vmtoolsd", ROOT, "/usr/sbin/vmtoolsd (deleted)"),
            Ok((1, 9)),
            "upgraded while it ran"
        );
        assert_eq!(one("vmtoolsd", ROOT, "/usr/lib/vmware-tools/bin64/appLoader"), Ok((1, 9)));
        assert_eq!(one("ntpd", "38\t38\t38\t38", "/usr/sbin/ntpd"), Ok((0, 9)));
        let wrong = |uids, exe| one("vmtoolsd", uids, exe).unwrap_err();
        assert_eq!(
            wrong("65534\t65534\t65534\t65534", "/tmp/vmtoolsd"),
            "process 9 is called vmtoolsd, but it runs as the user 65534 (/tmp/vmtoolsd)"
        );
        assert_eq!(wrong(ROOT, "/tmp/vmtoolsd"), "process 9 is called vmtoolsd, but it runs /tmp/vmtoolsd");
        // A user may run the real one, and a program of the system may call itself what it likes.
        assert!(wrong("500\t0\t0\t0", "/usr/bin/vmtoolsd").contains("as the user 500"));
        assert!(
            wrong("38\t38\t38\t38", "/usr/bin/vmtoolsd").contains("as the user 38"),
            "the user of another daemon"
        );
        for exe in
            ["/usr/bin/sleep", "/usr/bin/x/vmtoolsd", "/usr/bin/vmtoolsd (deleted) (deleted)", "vmtoolsd"]
        {
            assert!(wrong(ROOT, exe).ends_with(&format!("it runs {exe}")), "{exe}");
        }
        assert!(one("ntpd", ROOT, "/usr/lib/vmware-tools/ntpd").is_err());
    }

    #[test]
    fn what_cannot_be_told_is_neither_met_nor_absent() {
        let unreadable = |files: &[(&str, &str)]| look(files).unknown.unwrap();
        // A directory in the place of the link, as no link can be made unreadable to root.
        assert!(
            unreadable(&[("proc/9/status", &status("ntpd", ROOT)), ("proc/9/exe/x", "")])
                .contains("cannot read /proc/9/exe")
        );
        assert!(unreadable(&[("proc/9/status", "Name:\tntpd\n")]).contains("does not say whose it is"));
        assert_eq!(uids("Uid:\t0\t0\t0\n"), None);
        // A thread of the kernel.
        let thread = look(&[("proc/9/status", &status("ntpd", ROOT))]);
        assert_eq!(thread.others, ["process 9 is called ntpd, but it has no program"]);
        assert_eq!((thread.running, thread.unknown), (None, None));
        testing::damage("ntp:x:38:38::/:\nUid:\t0\t0\t0\t0\n", |text| {
            let _ = (uids(text), accounts(text, &["ntp"]));
        });
    }

    /// Copies of sleep, which really run: root's own in a directory that others can write, and another user's.
    #[test]
    fn a_copy_of_another_program_is_no_daemon_whoever_runs_it() {
        let dir = tempfile::Builder::new().prefix("daemons").tempdir_in("/tmp").unwrap();
        let copy = dir.path().join("vmtoolsd");
        fs::copy("/bin/sleep", &copy).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(dir.path(), mode).unwrap();
        let run = |user: &[&str]| {
            let words = [user, &[copy.to_str().unwrap(), "600"]].concat();
            duct::cmd(words[0], &words[1..]).start().unwrap()
        };
        let nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"];
        let running = [run(&[]), run(&nobody)];
        let pids: Vec<u32> = running.iter().map(|handle| handle.pids()[0]).collect();
        let host = Host::live();
        let find = || {
            let Fact::Known(processes) = processes::load(&host) else { panic!() };
            let others = |pid| !pids.contains(&pid);
            find(&host, &processes, &DAEMONS[1..], &others)
        };
        // Until both have become what they are to be.
        let mut found = find();
        while found.others.len() < 2 {
            assert!(running.iter().all(|handle| handle.try_wait().unwrap().is_none()));
            found = find();
        }
        running.iter().for_each(|handle| drop(handle.kill()));
        assert_eq!((found.running, found.unknown.as_ref()), (None, None));
        assert!(found.others[0].ends_with(&format!("it runs {}", copy.display())), "{found:?}");
        assert!(found.others[1].contains("it runs as the user 65534"), "{found:?}");
    }
}
