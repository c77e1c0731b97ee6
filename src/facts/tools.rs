//! VMware Tools or open-vm-tools: installed, and running.

use serde::{Deserialize, Serialize};

use super::daemons::{self, Daemon, Found};
use super::processes::Processes;
use super::{Fact, os};
use crate::host::Host;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tools {
    /// The daemon's program file (/usr/bin/vmtoolsd, /usr/sbin/vmtoolsd, …), where there is one.
    pub program: Option<String>,
    /// Process id of a running vmtoolsd (or vmware-guestd); `Known(None)` when none runs.
    pub pid: Fact<Option<u32>>,
    /// Processes that are called so and are something else, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
}

const DAEMONS: [Daemon; 2] = [
    Daemon { name: "vmtoolsd", file: "vmtoolsd", users: &[] },
    Daemon { name: "vmware-guestd", file: "vmware-guestd", users: &[] },
];

/// Where open-vm-tools and VMware's own installer put the daemon. vmware-guestd is that of the oldest Tools.
const PROGRAMS: &str = "/usr/bin/vmtoolsd /usr/sbin/vmtoolsd /usr/local/bin/vmtoolsd /usr/lib/vmware-tools/sbin64/vmtoolsd \
     /usr/lib/vmware-tools/bin64/vmtoolsd /usr/lib/vmware-tools/sbin64/vmware-guestd \
     /usr/sbin/vmware-guestd";

/// Looks for the program file and for the running daemon.
pub(crate) fn load(host: &Host, processes: &Fact<Processes>) -> Fact<Tools> {
    let program = PROGRAMS.split(' ').find(|path| os::is_file(host, path)).map(str::to_owned);
    let (pid, others) = match processes {
        Fact::Known(processes) => match daemons::find(host, processes, &DAEMONS, &|pid| is_helper(host, pid))
        {
            Found { running: Some((_, pid)), others, .. } => (Fact::Known(Some(pid)), others),
            Found { unknown: Some(why), others, .. } => (Fact::Unknown(why), others),
            Found { others, .. } => (Fact::Known(None), others),
        },
        Fact::Unknown(why) => (Fact::Unknown(why.clone()), Vec::new()),
        Fact::NotApplicable(why) => (Fact::NotApplicable(why.clone()), Vec::new()),
    };
    Fact::Known(Tools { program, pid, others })
}

/// Whether the process serves a user's desktop session (`vmtoolsd -n vmusr`).
fn is_helper(host: &Host, pid: u32) -> bool {
    let line = host.read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    line.split('\0').any(|word| word == "vmusr")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{processes, testing};

    #[test]
    fn the_daemon_is_told_from_a_desktop_s_helper() {
        let dir = testing::tree(&[
            ("proc/1/stat", "1 (init) S 0\n"),
            ("proc/2/stat", "2 (kthreadd) S 0 0 0 0 -1 2149613632\n"),
            ("proc/900/stat", "900 (vmtoolsd) S 1\n"),
            ("proc/900/cmdline", "/usr/bin/vmtoolsd\0-n\0vmusr\0"),
            ("usr/sbin/vmtoolsd", ""),
        ]);
        let look = || {
            let host = Host::recorded(dir.path());
            load(&host, &processes::load(&host)).known().cloned().unwrap()
        };
        let program = || Some("/usr/sbin/vmtoolsd".to_owned());
        assert_eq!(look(), Tools { program: program(), pid: Fact::Known(None), others: Vec::new() });
        testing::put(dir.path(), "proc/1000/stat", "1000 (vmtoolsd) S 1\n");
        testing::put(dir.path(), "proc/1000/cmdline", "/usr/sbin/vmtoolsd\0");
        testing::put(dir.path(), "proc/1000/status", "Uid:\t0\t0\t0\t0\n");
        testing::put(dir.path(), "proc/1000/exe", "-> /usr/sbin/vmtoolsd");
        assert_eq!(look().pid, Fact::Known(Some(1000)));
        std::fs::remove_file(dir.path().join("proc/1000/exe")).unwrap();
        testing::put(dir.path(), "proc/1000/exe", "-> /tmp/vmtoolsd");
        assert_eq!((look().pid, look().others.len()), (Fact::Known(None), 1));
        let image = Host::image(dir.path());
        let tools = load(&image, &processes::load(&image)).known().cloned().unwrap();
        assert_eq!(tools.pid, Fact::needs_kernel());
    }
}
