//! VMware Tools or open-vm-tools: installed, and running.

use serde::{Deserialize, Serialize};

use super::Fact;
use super::processes::Processes;
use crate::host::Host;

/// The guest tools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tools {
    /// The daemon's program file (/usr/bin/vmtoolsd, /usr/sbin/vmtoolsd, …), where there is one.
    pub program: Option<String>,
    /// Process id of a running vmtoolsd (or vmware-guestd); `Known(None)` when none runs.
    pub pid: Fact<Option<u32>>,
}

/// Where open-vm-tools and VMware's own installer put the daemon. vmware-guestd is that of the oldest Tools.
const PROGRAMS: [&str; 7] = [
    "/usr/bin/vmtoolsd",
    "/usr/sbin/vmtoolsd",
    "/usr/local/bin/vmtoolsd",
    "/usr/lib/vmware-tools/sbin64/vmtoolsd",
    "/usr/lib/vmware-tools/bin64/vmtoolsd",
    "/usr/lib/vmware-tools/sbin64/vmware-guestd",
    "/usr/sbin/vmware-guestd",
];

/// Looks for the program file and for the running daemon.
#[must_use]
pub(crate) fn load(host: &Host, processes: &Fact<Processes>) -> Fact<Tools> {
    let there =
        |path: &&&str| host.resolve(path).and_then(|path| path.metadata()).is_ok_and(|meta| meta.is_file());
    let program = PROGRAMS.iter().find(there).map(|path| (*path).to_owned());
    let pid = match processes {
        Fact::Known(processes) => Fact::Known(daemon(host, processes)),
        Fact::Unknown(why) => Fact::Unknown(why.clone()),
        Fact::NotApplicable(why) => Fact::NotApplicable(why.clone()),
    };
    Fact::Known(Tools { program, pid })
}

/// The daemon's process; the one that serves a user's desktop session (`vmtoolsd -n vmusr`) is not it.
fn daemon(host: &Host, processes: &Processes) -> Option<u32> {
    let named = ["vmtoolsd", "vmware-guestd"].into_iter().filter_map(|name| processes.get(name)).flatten();
    named.copied().find(|pid| {
        let line = host.read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        !line.split('\0').any(|word| word == "vmusr")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{processes, testing};

    #[test]
    fn the_daemon_is_told_from_a_desktop_s_helper() {
        let dir = testing::tree(&[
            ("proc/1/stat", "1 (init) S 0\n"),
            ("proc/900/stat", "900 (vmtoolsd) S 1\n"),
            ("proc/900/cmdline", "/usr/bin/vmtoolsd\0-n\0vmusr\0"),
            ("usr/sbin/vmtoolsd", ""),
        ]);
        let look = || {
            let host = Host::recorded(dir.path());
            load(&host, &processes::load(&host)).known().cloned().unwrap()
        };
        assert_eq!(look(), Tools { program: Some("/usr/sbin/vmtoolsd".into()), pid: Fact::Known(None) });
        testing::put(dir.path(), "proc/1000/stat", "1000 (vmtoolsd) S 1\n");
        testing::put(dir.path(), "proc/1000/cmdline", "/usr/sbin/vmtoolsd\0");
        assert_eq!(look().pid, Fact::Known(Some(1000)));
        let image = Host::image(dir.path());
        let told = load(&image, &processes::load(&image)).known().cloned().unwrap();
        assert_eq!(told.pid, Fact::needs_kernel());
    }
}
