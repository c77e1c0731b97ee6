//! The processes that run, by name: one scan of /proc for all who want to know.

use std::collections::BTreeMap;

use super::{Fact, read};
use crate::host::{Host, Kind};

/// Process ids by the kernel's name of the process, which it cuts to 15 bytes.
pub(crate) type Processes = BTreeMap<String, Vec<u32>>;

/// PF_KTHREAD of the kernel's sched.h, among the flags in /proc/PID/stat: a thread of the kernel itself.
const KERNEL_THREAD: u64 = 0x0020_0000;

/// Reads the names of all processes. /proc/PID/stat has them on every kernel.
pub(crate) fn load(host: &Host) -> Fact<Processes> {
    if host.kind() == Kind::Image {
        return Fact::needs_kernel();
    }
    // Where /proc is mounted with hidepid, we see our own processes alone, and nobody is missed.
    if let Err(error) = host.read("/proc/1/stat") {
        return Fact::Unknown(format!(
            "other users' processes cannot be seen: reading /proc/1/stat: {error}"
        ));
    }
    if let Err(why) = sees_all(host) {
        return Fact::Unknown(why);
    }
    let names = match host.list("/proc") {
        Ok(names) => names,
        Err(error) => return Fact::Unknown(format!("{:#}", read::explain("/proc", error))),
    };
    let mut processes = Processes::new();
    for pid in names.iter().filter_map(|name| name.parse::<u32>().ok()) {
        // One that ends while we look is gone, and that is all.
        let Ok(stat) = host.read(format!("/proc/{pid}/stat")) else { continue };
        if let Some(name) = parse(&stat) {
            processes.entry(name.to_owned()).or_default().push(pid);
        }
    }
    for pids in processes.values_mut() {
        pids.sort_unstable();
    }
    Fact::Known(processes)
}

/// That this process sees those of the whole machine: in a PID namespace of its own the second process is not the
/// kernel's kthreadd (on every kernel since 2.6.27).
/// Errors: It does not, and what to do.
pub(crate) fn sees_all(host: &Host) -> Result<(), String> {
    let stat = host.read("/proc/2/stat").unwrap_or_default();
    let flags =
        stat.rsplit_once(')').and_then(|(_, rest)| rest.split_ascii_whitespace().nth(6)?.parse::<u64>().ok());
    if parse(&stat) == Some("kthreadd") && flags.is_some_and(|flags| flags & KERNEL_THREAD != 0) {
        return Ok(());
    }
    Err("not all processes of this machine can be seen: mt-agent runs in a PID namespace of its own (a container); run it \
         outside"
        .to_owned())
}

/// The name in a stat line: what stands between the first opening and the last closing parenthesis, as a name
/// may have some of its own. A dead process that nobody has waited for does not run, nor does one that a signal stopped.
pub(crate) fn parse(stat: &str) -> Option<&str> {
    let (_, rest) = stat.split_once('(')?;
    let (name, rest) = rest.rsplit_once(')')?;
    (!matches!(rest.trim_start().bytes().next(), Some(b'Z' | b'X' | b'x' | b'T') | None)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    #[test]
    fn names_are_cut_out_and_the_dead_left_out() {
        assert_eq!(parse("7 (a) b (c)) S 1 2"), Some("a) b (c)"));
        assert_eq!((parse("7 (multipathd) T 1"), parse("7 (multipathd) t 1")), (None, Some("multipathd")));
        assert_eq!((parse("7 (vmtoolsd) Z 1"), parse("7 (x"), parse("")), (None, None, None));
        testing::damage("1234 (vmtoolsd) S 1 1234", |text| {
            let _ = parse(text);
        });
    }

    #[test]
    fn this_very_process_is_seen() {
        let Fact::Known(processes) = load(&Host::live()) else { panic!() };
        assert!(processes.values().flatten().any(|pid| *pid == std::process::id()));
    }

    #[test]
    fn a_pid_namespace_of_its_own_shows_a_part_of_the_processes() {
        let seen = |stat: &str| {
            let dir = testing::tree(&[("proc/2/stat", stat)]);
            sees_all(&Host::recorded(dir.path())).is_ok()
        };
        // 2.6.32 and 6.1.
        assert!(seen("2 (kthreadd) S 0 0 0 0 -1 2149613632 0 0 0 0 0 0 0 0 15 -5 1 0 3 0 0\n"));
        assert!(seen("2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 3 0 0\n"));
        assert!(
            !seen("2 (kthreadd) S 1 2 1 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 3 0 0\n"),
            "a program of that name"
        );
        assert!(!seen("2 (bash) S 1 2 1 0 -1 4194304 0 0\n") && !seen(""));
        sees_all(&Host::live()).unwrap();
    }

    #[test]
    fn hidden_processes_are_not_missing_ones() {
        let dir = testing::tree(&[("proc/77/stat", "77 (sh) S 1\n")]);
        let Fact::Unknown(why) = load(&Host::recorded(dir.path())) else { panic!() };
        assert!(why.starts_with("other users' processes cannot be seen"), "{why}");
    }
}
