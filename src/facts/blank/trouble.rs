//! Why the storage under a disk does not answer, and what to do: another disk is no help where a map is suspended or a
//! path is failed for the moment.

use std::time::Duration;

use crate::facts::disks::{Disk, sysfs};
use crate::facts::storage::mapped::failed_in;
use crate::host::Host;
use crate::host::command::Command;

/// What dmsetup says comes from memory.
const DEADLINE: Duration = Duration::from_secs(10);

/// What is wrong with the map or the paths of `disk`, with what to do; `None` where nothing is known to be.
pub fn of(host: &Host, disk: &Disk) -> Option<String> {
    let mut found = Vec::new();
    let mut paths = vec![disk.name.clone()];
    if let Some(map) = &disk.multipath {
        paths.clone_from(&map.paths);
        let name = &map.dm_name;
        if is_suspended(host, &map.name, name) {
            found.push(format!(
                "the map {name} is suspended: dmsetup resume {name}, once whoever suspended it is gone"
            ));
        }
        let status = dmsetup(host, "status", name);
        for number in failed_in(&status).unwrap_or_default() {
            let path = paths.iter().find(|path| sysfs::number(host, path) == Ok(number));
            found.push(format!(
                "the path {} of the map {name} is failed, and stays so on a healthy disk while no multipathd runs: see that \
                 multipathd runs, or: dmsetup message {name} 0 \"reinstate_path {number}\"",
                path.cloned().unwrap_or_else(|| number.to_string())
            ));
        }
    }
    for path in &paths {
        // scsi_device.h: running, blocked, offline, transport-offline, ...
        if let Some(state) = sysfs::word(host, path, "device/state").filter(|state| state != "running") {
            found.push(format!(
                "{path} is {state}: once its storage answers again, echo running >/sys/block/{path}/device/state"
            ));
        }
    }
    (!found.is_empty()).then(|| found.join("; "))
}

/// Kernels before 2.6.33 do not tell it in /sys.
fn is_suspended(host: &Host, kernel_name: &str, dm_name: &str) -> bool {
    match sysfs::word(host, kernel_name, "dm/suspended") {
        Some(word) => word == "1",
        None => dmsetup(host, "info", dm_name)
            .lines()
            .any(|line| line.starts_with("State:") && line.contains("SUSPENDED")),
    }
}

fn dmsetup(host: &Host, verb: &str, name: &str) -> String {
    Command::new("dmsetup", [verb, name], DEADLINE).only_looks().read(host).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::disks::Map;
    use crate::facts::testing;

    #[test]
    fn a_suspended_map_and_failed_paths_have_their_advice() {
        let dir = testing::tree(&[
            ("sys/block/dm-0/dm/suspended", "1\n"),
            ("sys/block/sdb/dev", "8:16\n"),
            ("sys/block/sdc/dev", "8:32\n"),
            ("sys/block/sdc/device/state", "offline\n"),
            (
                "commands/dmsetup",
                "0 2097152 multipath 2 1 1 0 2 1 A 0 1 2 8:16 A 0 0 1 E 0 1 2 8:32 F 1 0 1\n",
            ),
        ]);
        let map = Map {
            name: "dm-0".into(),
            dm_name: "36000c29a".into(),
            paths: vec!["sdb".into(), "sdc".into()],
            ..Map::default()
        };
        let disk = Disk { name: "sdb".into(), multipath: Some(map), ..Disk::default() };
        let host = Host::recorded(dir.path());
        assert_eq!(
            of(&host, &disk).unwrap(),
            "the map 36000c29a is suspended: dmsetup resume 36000c29a, once whoever suspended it is gone; the path sdc of the \
             map 36000c29a is failed, and stays so on a healthy disk while no multipathd runs: see that multipathd runs, or: \
             dmsetup message 36000c29a 0 \"reinstate_path 8:32\"; sdc is offline: once its storage answers again, echo \
             running >/sys/block/sdc/device/state"
        );
        assert_eq!(of(&host, &Disk { name: "sdb".into(), ..Disk::default() }), None);
    }

    #[test]
    fn without_sysfs_dmsetup_tells_that_a_map_is_suspended() {
        let info = "Name:              36000c29a\nState:             SUSPENDED\nRead Ahead:        256\n";
        let dir = testing::tree(&[("commands/dmsetup", info)]);
        assert!(is_suspended(&Host::recorded(dir.path()), "dm-0", "36000c29a"));
        let dir = testing::tree(&[("commands/dmsetup", "State:             ACTIVE\n")]);
        assert!(!is_suspended(&Host::recorded(dir.path()), "dm-0", "36000c29a"));
    }
}
