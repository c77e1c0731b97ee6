//! Which paths multipath takes for failed: the status that the kernel's multipath target gives of itself. It asks neither
//! multipathd, which may hang, nor a disk.

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use nix::libc;

use crate::facts::disks::{Mapped, sysfs};
use crate::facts::read;
use crate::host::command::Command;
use crate::host::ioctl::{self, DEVICE_MAPPER as CONTROL};
use crate::host::map_status::MapStatus;
use crate::host::{DeviceNumber, Host, files};

/// What dmsetup says comes from memory.
const DEADLINE: Duration = Duration::from_secs(10);

/// What dmsetup says of all multipath maps, `None` where the device mapper itself can be asked. It is a command, and none may
/// be started where the maps are asked one by one, in a copy of this process.
pub(super) type Statuses = Option<std::result::Result<String, String>>;

/// Asks dmsetup where nobody has made the device mapper's node, which udev does; dmsetup makes it where it can.
pub(super) fn statuses(host: &Host) -> Statuses {
    if !host.is_live() || host.exists(CONTROL) {
        return None;
    }
    let command = Command::new("dmsetup", ["status", "--target", "multipath"], DEADLINE).only_looks();
    Some(command.read(host).map_err(|why| format!("there is no {CONTROL}: {why}")))
}

/// The kernel names of the failed paths of the multipath maps among `names`; `told` by [`told`].
pub(super) fn failed_paths(host: &Host, names: &[String], statuses: &Statuses) -> Result<Vec<String>> {
    let mut failed = Vec::new();
    for name in names.iter().filter(|name| name.starts_with("dm-")) {
        let uuid = read::attribute(host, &format!("/sys/block/{name}/dm/uuid"))?.unwrap_or_default();
        if !Mapped::of(&uuid).is_multipath() {
            continue;
        }
        let text = status(host, name, statuses)?;
        for number in failed_in(&text).with_context(|| format!("the status of {name} has no path: {text}"))? {
            failed.push(sysfs::kernel_name(host, number).unwrap_or_else(|| number.to_string()));
        }
    }
    Ok(failed)
}

/// The numbers of the failed paths in a status (`multipath_status` of dm-mpath.c): each path's number, then `A` or `F`.
/// `None` where no path is in it.
pub fn failed_in(status: &str) -> Option<Vec<DeviceNumber>> {
    let words: Vec<&str> = status.split_whitespace().collect();
    let path = |pair: &[&str]| Some((pair[0].parse().ok()?, pair[1] != "A"));
    let mut paths = words.windows(2).filter_map(path).peekable();
    paths.peek()?;
    Some(paths.filter(|(_, has_failed)| *has_failed).map(|(number, _)| number).collect())
}

/// The status of all targets of a map, as text.
fn status(host: &Host, name: &str, statuses: &Statuses) -> Result<String> {
    if !host.is_live() {
        return read::text(host, &format!("/commands/dm-status/{name}"));
    }
    if let Some(statuses) = statuses {
        let statuses = statuses.as_ref().map_err(|why| anyhow!(why.clone()))?;
        let map = read::attribute(host, &format!("/sys/block/{name}/dm/name"))?.unwrap_or_default();
        return Ok(of_map(statuses, &map));
    }
    Ok(asked(host, name).map_err(anyhow::Error::msg)?.texts().join("\n"))
}

/// The lines about `map`, without its name and the extent of the target: `mpatha: 0 2097152 multipath 2 0 ...`.
fn of_map(statuses: &str, map: &str) -> String {
    let lines = statuses.lines().filter_map(|line| line.strip_prefix(map)?.strip_prefix(": "));
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether a device-mapper device is suspended; where neither /sys nor the device mapper tells, a read of it does.
pub(super) fn is_suspended(host: &Host, name: &str) -> bool {
    match sysfs::word(host, name, "dm/suspended") {
        Some(word) => word != "0",
        None => host.is_live() && asked(host, name).is_ok_and(|status| status.suspended),
    }
}

fn asked(host: &Host, name: &str) -> std::result::Result<MapStatus, String> {
    let number = sysfs::number(host, name)?;
    files::node(&host.path(CONTROL), libc::O_NONBLOCK)
        .and_then(|control| ioctl::device_mapper_status(&control, number.dev()))
        .map_err(|error| {
            sysfs::needs_root(&error, format!("asking {CONTROL} for the status of {name}: {error}"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_paths_are_those_that_the_kernel_marks() {
        // As 2.6.32 prints it, with two groups; as of today, with arguments of a selector.
        let old = "2 0 1 0 2 1 A 0 1 0 8:16 A 0 E 0 1 0 8:32 F 7";
        assert_eq!(failed_in(old), Some(vec!["8:32".into()]));
        assert_eq!(failed_in("2 0 0 0 1 1 A 0 2 2 8:16 A 0 0 1 8:32 A 0 0 1"), Some(vec![]));
        assert_eq!(
            failed_in("2 0 0 0 1 1 E 0 2 2 8:16 F 1 0 1 8:32 F 2 0 1"),
            Some(vec!["8:16".into(), "8:32".into()])
        );
        for none in ["", "2 0 0 0 0 0", "8:16", ": A", "x:1 F"] {
            assert_eq!(failed_in(none), None, "{none}");
        }
    }

    #[test]
    fn what_dmsetup_says_is_told_by_the_name_of_the_map() {
        let statuses = "mpathb: 0 2048 multipath 2 0 0 0 1 1 A 0 1 0 8:32 A 0\nmpatha: 0 2048 multipath 2 0 0 0 1 1 E 0 1 0 8:16 F 3\n";
        assert_eq!(failed_in(&of_map(statuses, "mpatha")), Some(vec!["8:16".into()]));
        assert_eq!(failed_in(&of_map(statuses, "mpathb")), Some(vec![]));
        for none in ["mpath", "a", "", "mpathc"] {
            assert_eq!(failed_in(&of_map(statuses, none)), None, "{none}");
        }
    }
}
