//! Several disks at once, each on a thread of its own with a deadline.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::{Depth, Probe, Probing, probe, refused};
use crate::facts::Fact;
use crate::facts::disks::{Disk, not_one_disk, resolve, users};
use crate::facts::mounts::Mount;
use crate::facts::swaps::Swap;
use crate::host::Host;

/// How long all disks together have. Each gives up reading after [`super::examine::DEADLINE`]; this one is for
/// a disk that does not answer at all.
const DEADLINE: Duration = Duration::from_secs(120);

/// Probes the disks that are wanted, in the order of `disks` or of the names. A name that means no disk has
/// a probe too, which says so.
pub fn probes(
    host: &Host,
    disks: &[Disk],
    mounts: &Fact<Vec<Mount>>,
    swaps: &Fact<Vec<Swap>>,
    wanted: &Probing,
) -> Vec<Probe> {
    let idle = |disk: &&Disk| match (mounts, swaps) {
        (Fact::Known(mounts), Fact::Known(swaps)) => {
            let shown = users::map_partitions(disk);
            let counts = |one| !shown.iter().any(|(_, other)| *other == one);
            !users::uses(disk, mounts, swaps).into_iter().any(counts)
        }
        // What uses it is not known: it is probed, and refused for that reason.
        _ => true,
    };
    let chosen: Vec<Result<Disk, Box<Probe>>> = match wanted {
        Probing::None => Vec::new(),
        Probing::Idle | Probing::ToErase(_) => disks.iter().filter(idle).cloned().map(Ok).collect(),
        Probing::Named(names) => names
            .iter()
            .map(|name| resolve(host, disks, name).map_err(|why| Box::new(refused(name, why))))
            .collect(),
    };
    let to_erase = match wanted {
        Probing::ToErase(name) => resolve(host, disks, name).ok().map(|disk| disk.name),
        Probing::None | Probing::Idle | Probing::Named(_) => None,
    };
    let mut probes = each(chosen, DEADLINE, {
        let (host, mounts, swaps) = (host.clone(), mounts.clone(), swaps.clone());
        move |disk| {
            let named = to_erase.as_ref() == Some(&disk.name);
            let depth = if named { Depth::Fingerprint } else { Depth::Blank };
            probe(&host, disk, &mounts, &swaps, depth)
        }
    });
    for probe in &mut probes {
        if let Some(why) = twin(disks, &probe.disk) {
            probe.why_not.push(why);
            probe.eligible = false;
        }
    }
    probes
}

/// Why the disk `name` cannot be distinguished from another one: both answer with one SCSI ID, and no multipath map
/// joins them, or one does that cannot be right. They may be one and the same, used through the other.
fn twin(disks: &[Disk], name: &str) -> Option<String> {
    let disk = disks.iter().find(|disk| disk.name == name)?;
    let id = disk.id()?;
    let alike = || disks.iter().filter(|other| other.has_id(id));
    match alike().find(|other| !other.is_same(disk)) {
        Some(twin) => {
            Some(format!("{} answers with the same SCSI ID {id}, and no multipath map joins them", twin.name))
        }
        None => not_one_disk(alike()),
    }
}

fn each(
    chosen: Vec<Result<Disk, Box<Probe>>>,
    deadline: Duration,
    probe: impl Fn(&Disk) -> Probe + Clone + Send + 'static,
) -> Vec<Probe> {
    let until = Instant::now() + deadline;
    let (sender, answers) = mpsc::channel();
    let mut probes = Vec::new();
    for (index, choice) in chosen.into_iter().enumerate() {
        let disk = match choice {
            Ok(disk) => disk,
            Err(refusal) => {
                probes.push(*refusal);
                continue;
            }
        };
        probes.push(refused(&disk.name, format!("it did not answer within {} s", deadline.as_secs())));
        let (sender, probe) = (sender.clone(), probe.clone());
        let probing = thread::Builder::new().spawn(move || {
            let _ = sender.send((index, probe(&disk)));
        });
        if let Err(error) = probing {
            probes[index].why_not = vec![format!("starting a thread to probe it: {error}")];
        }
    }
    drop(sender);
    while let Ok((index, answer)) = answers.recv_timeout(until.saturating_duration_since(Instant::now())) {
        probes[index] = answer;
    }
    probes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_disks_with_one_id_are_refused_unless_a_map_joins_them() {
        use crate::facts::disks::Map;
        let named = |name: &str, map: Option<&str>| Disk {
            name: name.into(),
            scsi_id: Ok("36000c29".into()),
            multipath: map.map(|map| Map { major_minor: map.into(), ..Map::default() }),
            ..Disk::default()
        };
        let reason = |disks: &[Disk]| twin(disks, "sdb");
        let expected = "sdc answers with the same SCSI ID 36000c29, and no multipath map joins them";
        assert_eq!(reason(&[named("sdb", None), named("sdc", None)]).as_deref(), Some(expected));
        assert_eq!(reason(&[named("sdb", Some("253:0")), named("sdc", None)]).as_deref(), Some(expected));
        let mut joined = [named("sdb", Some("253:0")), named("sdc", Some("253:0"))];
        assert_eq!(reason(&joined), None);
        joined[1].vendor = Some("VMware".into());
        assert!(reason(&joined).is_some_and(|why| why.ends_with("a VMware virtual disk has one path")));
        let host = Host::image("/");
        let disks = [named("sdb", None), named("sdc", None)];
        let found = probes(
            &host,
            &disks,
            &Fact::Known(Vec::new()),
            &Fact::Known(Vec::new()),
            &Probing::Named(vec!["sdb".into()]),
        );
        assert!(!found[0].eligible, "{found:?}");
        // Named by kernel name, it is found among the disks that were read.
        assert_eq!(found[0].why_not, ["an image's tree has no disks", expected]);
    }

    #[test]
    fn a_disk_that_hangs_is_not_blank_and_holds_up_no_other() {
        let named = |name: &str| Ok(Disk { name: name.into(), ..Disk::default() });
        let started = Instant::now();
        let chosen = vec![named("sda"), Err(Box::new(refused("sdx", "sdx is no disk"))), named("sdb")];
        let probes = each(chosen, Duration::from_secs(5), |disk| {
            if disk.name == "sda" {
                thread::sleep(Duration::from_secs(300));
            }
            Probe { disk: disk.name.clone(), blank: Some(true), eligible: true, ..Probe::default() }
        });
        assert!(started.elapsed() < Duration::from_secs(150));
        assert_eq!(probes[0], refused("sda", "it did not answer within 5 s"));
        assert!(!probes[0].eligible && probes[0].blank.is_none());
        assert_eq!(probes[1].why_not, ["sdx is no disk"]);
        assert!(probes[2].eligible);
    }
}
