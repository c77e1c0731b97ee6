//! Time, and who keeps it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use sysinfo::System;

use super::daemons::{self, Daemon};
use super::processes::Processes;
use super::{Fact, read, wtmp};
use crate::host::command::Command;
use crate::host::{Host, Kind};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Now, seconds since 1970-01-01 UTC.
    pub now_secs: u64,
    /// When the machine booted, by its own clock, seconds since 1970-01-01 UTC.
    pub boot_secs: Fact<u64>,
    /// When the machine booted, by its clock of then, seconds since 1970-01-01 UTC: what init wrote into [`wtmp::UTMP`]. It stays
    /// where a clock that is set moves the other.
    #[serde(default = "Fact::not_read")]
    pub boot_record_secs: Fact<u64>,
    /// What keeps the time (ntpd, chronyd, systemd-timesyncd, VMware Tools), if anything does.
    pub service: Fact<Option<String>>,
    /// Processes that are called like one and are something else, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
}

/// Time services, with the users that packages of CentOS, Debian and Ubuntu make for them.
const SERVICES: [Daemon; 5] = [
    Daemon { name: "ntpd", file: "ntpd", users: &["ntp", "ntpsec", "_ntp", "openntpd"] },
    Daemon { name: "chronyd", file: "chronyd", users: &["chrony", "_chrony"] },
    Daemon { name: "systemd-timesyn", file: "systemd-timesyncd", users: &["systemd-timesync"] },
    Daemon { name: "ptp4l", file: "ptp4l", users: &[] },
    Daemon { name: "openntpd", file: "openntpd", users: &["openntpd", "_ntp"] },
];

/// Tells the time. A recording's "now" is when it was made, by /proc/stat and /proc/uptime.
pub(crate) fn load(host: &Host, processes: &Fact<Processes>) -> Clock {
    let boot_secs =
        match host.kind() {
            Kind::Image => Fact::needs_kernel(),
            Kind::Live => Fact::from_result(System::boot_time()),
            Kind::Recorded => Fact::from_result(read::text(host, "/proc/stat").and_then(|text| {
                parse_btime(&text).context("/proc/stat does not say when the kernel booted")
            })),
        };
    let boot_record_secs = match host.kind() {
        Kind::Image => Fact::needs_kernel(),
        Kind::Live | Kind::Recorded => Fact::from_result(wtmp::this_boot(host)),
    };
    let recorded_now = || {
        let uptime = parse_uptime(&host.read("/proc/uptime").ok()?)?;
        boot_secs.known()?.checked_add(uptime)
    };
    let recorded_now = if host.kind() == Kind::Recorded { recorded_now() } else { None };
    let (service, others) = service(host, processes);
    Clock { now_secs: recorded_now.unwrap_or_else(now), boot_secs, boot_record_secs, service, others }
}

/// Now, seconds since 1970-01-01 UTC; 0 for a clock that stands before that.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn service(host: &Host, processes: &Fact<Processes>) -> (Fact<Option<String>>, Vec<String>) {
    let processes = match processes {
        Fact::Known(processes) => processes,
        Fact::Unknown(why) => return (Fact::Unknown(why.clone()), Vec::new()),
        Fact::NotApplicable(why) => return (Fact::NotApplicable(why.clone()), Vec::new()),
    };
    let found = daemons::find(host, processes, &SERVICES, &|_| false);
    let service = match found.running {
        Some((at, _)) => Some(SERVICES[at].file.to_owned()),
        None => tools_keep_time(host).then(|| "the synchronisation of VMware Tools".to_owned()),
    };
    let service = match (service, found.unknown) {
        (None, Some(why)) => Fact::Unknown(why),
        (service, _) => Fact::Known(service),
    };
    (service, found.others)
}

/// Whether the time synchronisation of VMware Tools is on: `vmware-toolbox-cmd timesync status` says `Enabled`.
fn tools_keep_time(host: &Host) -> bool {
    let status = Command::new("vmware-toolbox-cmd", ["timesync", "status"], Duration::from_secs(10));
    status.read(host).is_ok_and(|output| output.trim() == "Enabled")
}

/// When the kernel booted: `btime` of /proc/stat.
pub fn parse_btime(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

/// Whole seconds since boot: the first number of /proc/uptime.
pub fn parse_uptime(text: &str) -> Option<u64> {
    text.split(['.', ' ', '\n']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    #[test]
    fn a_recording_tells_its_own_time_and_service() {
        let dir = testing::tree(&[
            ("proc/stat", "cpu 1\nbtime 1420000000\n"),
            ("proc/uptime", "3600.25 7.00\n"),
            ("proc/800/status", "Uid:\t990\t990\t990\t990\n"),
            ("proc/800/exe", "-> /usr/sbin/chronyd"),
            ("etc/passwd", "chrony:x:990:990::/:/sbin/nologin\n"),
        ]);
        let running = Fact::Known([("chronyd".to_owned(), vec![800])].into());
        let clock = load(&Host::recorded(dir.path()), &running);
        assert_eq!((clock.now_secs, clock.boot_secs), (1_420_003_600, Fact::Known(1_420_000_000)));
        assert_eq!((clock.service, clock.others.len()), (Fact::Known(Some("chronyd".into())), 0));
        // Of the same user, but not its program.
        std::fs::remove_file(dir.path().join("proc/800/exe")).unwrap();
        testing::put(dir.path(), "proc/800/exe", "-> /usr/bin/sleep");
        let other = load(&Host::recorded(dir.path()), &running);
        assert_eq!((other.service, other.others.len()), (Fact::Known(None), 1));
        let none = Fact::Known(Processes::new());
        for (status, service) in
            [("Enabled\n", Some("the synchronisation of VMware Tools")), ("Disabled\n", None)]
        {
            let dir = testing::tree(&[("commands/vmware-toolbox-cmd", status)]);
            let found = load(&Host::recorded(dir.path()), &none).service;
            assert_eq!(found, Fact::Known(service.map(str::to_owned)));
        }
        testing::damage("cpu 1\nbtime 1420000000\n", |text| {
            let _ = (parse_btime(text), parse_uptime(text));
        });
    }

    #[test]
    fn this_machine_booted_before_now() {
        let clock = load(&Host::live(), &Fact::needs_kernel());
        assert!(
            clock.boot_secs.known().is_some_and(|boot| *boot > 0 && *boot <= clock.now_secs),
            "{clock:?}"
        );
    }
}
