//! multipathd, and the maps that it has to have made.

use crate::changes::Change;
use crate::facts::disks::{Disk, Map};
use crate::facts::multipath::hides;
use crate::facts::{Fact, Facts};
use crate::host::command::pasted;
use crate::host::{ScsiId, text};
use crate::profile::Profile;
use crate::steps::devices::own_uses;
use crate::steps::id;
use crate::steps::known::but;
use crate::steps::remedy::Remedy;
use crate::steps::tally::Tally;
use crate::steps::{Status, is_image, need};

use super::finds::seen;
use super::settings::mounted;

const BY_APPLY: &str = "mt-agent apply lets multipathd start at boot, starts it, and has it read its configuration and make the maps";
const BY_RESTART: &str = "restart the machine: a disk that is in use gets its map at the boot alone; where it does not, `multipath -v 3 \
                          /dev/sdX` says why";

pub(super) fn judge(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let multipath = &facts.multipath;
    let mut tally = Tally::default();
    let at_boot = tally.know(need(&multipath.at_boot, "whether multipathd starts at boot"));
    if at_boot == Some(&None) {
        tally.problem("nothing starts multipathd at boot");
    }
    let expected =
        "multipathd, running and started at boot, and a map over each disk that is not this host's own";
    let at_boot = at_boot.and_then(Option::as_deref).unwrap_or_default();
    if is_image(facts) {
        return Ok(tally.status(format!("starts at boot ({at_boot})"), expected, BY_APPLY));
    }
    let daemon = tally.know(need(&multipath.daemon, "whether multipathd runs"));
    if daemon == Some(&None) {
        tally.problem(but("multipathd does not run", &multipath.others));
    }
    if let Some(Some(_)) = daemon
        && let Some(Some(what)) =
            tally.know(need(&multipath.unread, "whether multipathd has read its configuration"))
    {
        tally.problem(format!("multipathd has not read /etc/multipath.conf as it is now: {what}"));
    }
    let without = tally.know(without_map(profile, facts)).unwrap_or_default();
    for disk in &without {
        let id = disk.id().map_or("", ScsiId::as_str);
        tally.problem(format!("no map over {} ({id})", disk.name));
    }
    let found = format!("process {}, at boot by {at_boot}", daemon.copied().flatten().unwrap_or_default());
    let mut fix = Vec::new();
    if tally.failures() > 0 {
        fix.push(if change(facts, &without).is_some() { BY_APPLY } else { BY_RESTART }.to_owned());
    }
    for map in multipath.maps.known().into_iter().flatten().filter(|map| is_dead(facts, map)) {
        let name = text::safe(&map.dm_name);
        tally.problem(format!("the map {name} ({}) has lost all of its disks", map.name));
        let mounts = facts.mounts.known().into_iter().flatten();
        let users = mounts.filter(|mount| mount.major_minor == map.major_minor);
        let unmount: String =
            users.map(|mount| format!("`umount {}`, then ", pasted(&mount.mount_point))).collect();
        fix.push(format!(
            "once its disk is detached for good: {unmount}`multipath -f {}`, which leaves one that is in use",
            pasted(&map.dm_name)
        ));
    }
    Ok(tally.status(found, expected, fix.join("; ")))
}

/// Whether none of the map's disks is there any more: what is read from or written to it fails, or waits for ever.
fn is_dead(facts: &Facts, map: &Map) -> bool {
    let disks = facts.disks.known();
    disks.is_some_and(|disks| !disks.iter().any(|disk| map.paths.contains(&disk.name)))
}

/// Whether only maps of disks that were detached are too many: the disks that are there have theirs.
pub(in crate::steps) fn only_leftovers_fail(profile: &Profile, facts: &Facts) -> bool {
    if !facts.multipath.maps.known().is_some_and(|maps| maps.iter().any(|map| is_dead(facts, map))) {
        return false;
    }
    let mut without = facts.clone();
    if let Fact::Known(maps) = &mut without.multipath.maps {
        maps.retain(|map| !is_dead(facts, map));
    }
    matches!(judge(profile, &without), Ok(Status::Met { .. }))
}

/// The disks that lack their map: SCSI disks that are neither this host's own nor hidden, which `multipath.finds` tells.
fn without_map<'a>(profile: &Profile, facts: &'a Facts) -> Result<Vec<&'a Disk>, Status> {
    let maps = need(&facts.multipath.maps, "the multipath maps")?;
    let configuration = need(&facts.multipath.configuration, "/etc/multipath.conf")?;
    mounted(facts)?;
    let disks = need(&facts.disks, "the disks")?;
    // Without a file all are.
    let Some(file) = configuration else { return Ok(Vec::new()) };
    let lacks = |disk: &&Disk| {
        let has = |map: &Map| disk.has_id(&map.wwid) && map.paths.contains(&disk.name);
        disk.is_scsi()
            && !maps.iter().any(has)
            && own_uses(facts, disk, &profile.retention.mount_point).is_empty()
    };
    let lacking = || disks.iter().filter(lacks).filter_map(|disk| Some((disk, seen(disk)?)));
    let seen: Vec<_> = lacking().map(|(_, seen)| seen).collect();
    let hidden = hides(file, &seen, usize::MAX);
    let is_hidden = |number: usize| hidden.iter().any(|(_, at)| *at == number);
    Ok(lacking().enumerate().filter(|(at, _)| !is_hidden(*at)).map(|(_, (disk, _))| disk).collect())
}

/// What can be done while the machine runs.
fn change(facts: &Facts, without: &[&Disk]) -> Option<Change> {
    let idle = without.iter().filter(|disk| disk.used_by.is_empty());
    let disks: Vec<ScsiId> = idle.filter_map(|disk| disk.id().cloned()).collect();

    let off = facts.multipath.daemon == Fact::Known(None) || facts.multipath.at_boot == Fact::Known(None);
    let reload = matches!(facts.multipath.unread, Fact::Known(Some(_)));
    (off || reload || !disks.is_empty()).then_some(Change::StartMultipathd { disks, reload })
}

pub(in crate::steps) fn mend(profile: &Profile, facts: &Facts) -> Remedy {
    let without = without_map(profile, facts).unwrap_or_default();
    match change(facts, &without) {
        Some(change) => Remedy::With {
            changes: vec![change],
            needs: &[
                id::DEVICE_NODES,
                id::PACKAGES_MULTIPATH,
                // Two disks of one ID would become one map.
                id::SCSI_IDS_UNIQUE,
                id::CUSTOM_CHANGES_APPLIED,
                id::CUSTOM_CHANGES_RESTARTED,
                id::CUSTOM_CHANGES_ROOT_DISK,
                id::MULTIPATH_FINDS,
            ],
        },
        None => Remedy::None,
    }
}
