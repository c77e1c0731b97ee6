//! Memory, processors and the size of the OS disk.

use super::devices::{carriers, mount_at};
use super::{Belongs, Place, Requirement, Severity, Status, need};
use crate::facts::Facts;
use crate::facts::disks::distinct;
use crate::host::text;
use crate::profile::Profile;

const SHARED: Requirement = Requirement {
    severity: Severity::Recommended,
    section: "Set up a Linux VM as the master target server",
    look: "`free -m`, `grep -c ^processor /proc/cpuinfo`, `cat /proc/partitions`",
    place: Place::Elsewhere,
    ..Requirement::DEFAULT
};

pub const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        id: "sizing.memory",
        title: "The machine has the recommended memory",
        why: "The master target keeps a buffer for every disk that it receives; with less memory it takes \
              fewer protected machines at a time, and the kernel may end it under load.",
        by_hand: "Power the VM off and raise its memory to {sizing.memory} in Edit Settings.",
        judge: memory,
        ..SHARED
    },
    Requirement {
        id: "sizing.cpus",
        title: "The machine has the recommended processors",
        why: "Decompressing and writing the data of several machines at once is bound by processors.",
        by_hand: "Power the VM off and raise the number of CPUs to {sizing.cpus} in Edit Settings.",
        judge: cpus,
        ..SHARED
    },
    Requirement {
        id: "sizing.os-disk",
        title: "The disk that carries / has the recommended size",
        why: "Logs, crash dumps and the agent's own cache grow on this disk; a full one stops replication.",
        by_hand: "Make the disk {sizing.os-disk} large in Edit Settings (the VM must have no snapshot), then its last partition; \
                  or reinstall on a larger disk.",
        belongs: |_| Belongs::Both,
        judge: os_disk,
        ..SHARED
    },
];

/// What firmware and kernel keep of the memory that a VM was given: about 7 % on 2.6.32 (page descriptors,
/// firmware tables, the kernel itself), …
const KEPT_PERCENT: u64 = 7;

/// … and the reservation for a crash kernel: 128 MiB and up with `crashkernel=auto` from 4 GiB on.
const CRASH_KERNEL: u64 = 256 << 20;

fn memory(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let usable = *need(&facts.cpu_memory.memory_bytes, "the memory")?;
    let wanted = profile.sizing.memory.bytes();
    // In 128 bits, so that no profile can overflow it.
    let at_least = u128::from(wanted) * u128::from(100 - KEPT_PERCENT) / 100;
    if u128::from(usable) + u128::from(CRASH_KERNEL) >= at_least {
        return Ok(Status::met(format!("{} usable", text::bytes(usable))));
    }
    let wanted = text::bytes(wanted);
    Ok(Status::unmet(
        format!("{} usable", text::bytes(usable)),
        format!("a VM of {wanted} (less what kernel and crash kernel keep)"),
        format!("power the VM off and raise its memory to {wanted} in Edit Settings"),
    ))
}

fn cpus(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let found = *need(&facts.cpu_memory.cpus, "the processors")?;
    let wanted = profile.sizing.cpus.get();
    if found >= wanted {
        return Ok(Status::met(found.to_string()));
    }
    Ok(Status::unmet(
        found.to_string(),
        format!("{wanted} or more"),
        format!("power the VM off and set {wanted} CPUs in Edit Settings"),
    ))
}

fn os_disk(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let mounts = need(&facts.mounts, "the mounts")?;
    let disks = need(&facts.disks, "the disks")?;
    let root = mount_at(mounts, "/").ok_or_else(|| Status::unknown("no mount of / was found"))?;
    // A volume over several disks has the room of all of them; the paths of one map are one disk.
    let under = distinct(carriers(disks, root.major_minor));
    if under.is_empty() {
        return Err(Status::unknown(format!(
            "/ ({}, {}) lies on no disk that was found",
            root.fs_type, root.source
        )));
    }
    let size = under.iter().fold(0_u64, |sum, disk| sum.saturating_add(disk.size_bytes));
    let names: Vec<_> = under.iter().map(|disk| disk.name.as_str()).collect();
    let found = format!("{}: {}", names.join(" and "), text::bytes(size));
    let wanted = profile.sizing.os_disk.bytes();
    if size >= wanted {
        return Ok(Status::met(found));
    }
    Ok(Status::unmet(
        found,
        format!("{} or more", text::bytes(wanted)),
        "make the disk larger in Edit Settings (no snapshot may exist) and its last partition with it, or \
         reinstall on a larger disk",
    ))
}

#[cfg(test)]
mod tests {
    use crate::facts::Fact;
    use crate::steps::testing::{Judged, disks};

    const KIB: u64 = 1 << 10;

    #[test]
    fn memory_that_the_kernel_keeps_is_allowed_for() {
        let mut host = Judged::ready("sizing.memory");
        host.is("met: 5.5 GiB usable");
        // A VM of 6 GiB without a crash kernel; one of 5 GiB.
        host.cpu_memory.memory_bytes = Fact::Known(5_992_252 * KIB);
        host.is("met: 5.7 GiB usable");
        host.cpu_memory.memory_bytes = Fact::Known(5 << 30);
        host.is("unmet: 5 GiB usable | a VM of 6 GiB (less what kernel and crash kernel keep) | power the VM off and \
             raise its memory to 6 GiB in Edit Settings");
        host.cpu_memory.memory_bytes = Fact::Unknown("no MemTotal".into());
        host.is("unknown: the memory: no MemTotal");
        host.cpu_memory.memory_bytes = Fact::NotApplicable("an image's tree".into());
        host.is("not-applicable: an image's tree");
    }

    #[test]
    fn processors_are_counted() {
        let mut host = Judged::ready("sizing.cpus");
        host.is("met: 4");
        host.cpu_memory.cpus = Fact::Known(2);
        host.is("unmet: 2 | 4 or more | power the VM off and set 4 CPUs in Edit Settings");
        host.cpu_memory.cpus = Fact::Unknown("why".into());
        host.is("unknown: the processors: why");
    }

    #[test]
    fn the_os_disk_is_the_one_that_carries_root() {
        let mut host = Judged::ready("sizing.os-disk");
        host.is("met: sda: 100 GiB");

        disks(&mut host)[0].size_bytes = 40 << 30;
        host.starts("unmet: sda: 40 GiB | 100 GiB or more | make the disk");

        host.disks = Fact::Known(Vec::new());
        host.is("unknown: / (ext4, /dev/sda1) lies on no disk that was found");
        host.mounts = Fact::Unknown("no mountinfo".into());
        host.is("unknown: the mounts: no mountinfo");
    }
}
