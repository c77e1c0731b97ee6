//! Memory and processors.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

use super::{Fact, read};
use crate::host::{Host, Kind};

/// What the kernel can use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CpuMemory {
    /// Memory that the kernel manages, in bytes: less than what the VM was given, by what kernel, firmware
    /// and crash kernel reserve.
    pub memory_bytes: Fact<u64>,
    /// Logical processors online.
    pub cpus: Fact<u64>,
}

/// Asks sysinfo on the running machine; reads /proc/meminfo and /proc/cpuinfo of a recording.
pub fn load(host: &Host) -> CpuMemory {
    match host.kind() {
        Kind::Live => live(),
        Kind::Image => CpuMemory { memory_bytes: Fact::needs_kernel(), cpus: Fact::needs_kernel() },
        Kind::Recorded => {
            let memory = || -> Result<u64> {
                let text = read::text(host, "/proc/meminfo")?;
                parse_meminfo(&text).context("/proc/meminfo has no MemTotal")
            };
            let cpus = || -> Result<u64> {
                let text = read::text(host, "/proc/cpuinfo")?;
                parse_cpuinfo(&text).context("/proc/cpuinfo lists no processor")
            };
            CpuMemory { memory_bytes: Fact::from_result(memory()), cpus: Fact::from_result(cpus()) }
        }
    }
}

/// Only what is needed is refreshed: a scan of processes would cost more than all the rest.
fn live() -> CpuMemory {
    let kinds = RefreshKind::nothing()
        .with_memory(MemoryRefreshKind::nothing().with_ram())
        .with_cpu(CpuRefreshKind::nothing());
    let system = match System::new_with_specifics(kinds) {
        Ok(system) => system,
        Err(error) => {
            let why = || Fact::Unknown(error.to_string());
            return CpuMemory { memory_bytes: why(), cpus: why() };
        }
    };
    // sysinfo answers 0 where it could not read.
    let known = |number: u64, what: &str| match number {
        0 => Fact::Unknown(format!("the kernel does not report {what}")),
        number => Fact::Known(number),
    };
    CpuMemory {
        memory_bytes: known(system.total_memory(), "its memory"),
        cpus: known(system.cpus().len() as u64, "its processors"),
    }
}

/// MemTotal of /proc/meminfo, in bytes.
pub fn parse_meminfo(text: &str) -> Option<u64> {
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let (kib, unit) = total.trim().split_once(' ')?;
    (unit == "kB").then(|| kib.parse::<u64>().ok()?.checked_mul(1024)).flatten()
}

/// The number of processors in /proc/cpuinfo, if it lists any.
pub fn parse_cpuinfo(text: &str) -> Option<u64> {
    let is_processor = |line: &&str| {
        line.split_once(':')
            .is_some_and(|(key, value)| key.trim_end() == "processor" && value.trim().parse::<u32>().is_ok())
    };
    Some(text.lines().filter(is_processor).count() as u64).filter(|count| *count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    #[test]
    fn memory_and_processors_of_a_recording() {
        assert_eq!(parse_meminfo("MemTotal:        5984312 kB\nMemFree: 1 kB\n"), Some(6_127_935_488));
        assert_eq!(parse_meminfo("MemTotal:        5984312\n"), None);
        let cpuinfo = "processor\t: 0\nmodel name\t: x\n\nprocessor\t: 1\n";
        assert_eq!((parse_cpuinfo(cpuinfo), parse_cpuinfo("")), (Some(2), None));
        testing::damage("MemTotal:        5984312 kB\nprocessor\t: 0\n", |text| {
            let _ = (parse_meminfo(text), parse_cpuinfo(text));
        });
    }

    #[test]
    fn sysinfo_agrees_with_proc_on_this_machine() {
        let live = load(&Host::live());
        let proc = load(&Host::recorded("/"));
        assert_eq!(live, proc);
        assert!(live.memory_bytes.known().is_some() && live.cpus.known().is_some(), "{live:?}");
    }
}
