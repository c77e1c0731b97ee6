//! A disk with something on it, from the probe to the formatting.

use std::fs;
use std::path::{Path, PathBuf};

use mt_agent::changes::mkfs;
use mt_agent::facts::blank::{Probe, probes};
use mt_agent::facts::disks::{Disk, resolve};
use mt_agent::facts::gather::{Probing, Wanted, gather};
use mt_agent::facts::{Fact, Facts, mounts, swaps};
use mt_agent::host::Host;
use mt_agent::state::paths::RETENTION;
use mt_agent::steps::remedy::Request;
use mt_agent::steps::retention::choice::choose;

use super::desk::{HINT, ID, Loop, StandIn, interrupted, nodes_left, perform, profile};

/// The disk as it is read now, with the SCSI ID that the stand-in gives it.
pub fn disk(device: &Loop) -> Disk {
    let disk = resolve(&Host::live(), &[], &device.device).unwrap();
    Disk { scsi_id: Ok(ID.into()), ..disk }
}

/// Its probe now.
pub fn probed(device: &Loop) -> Probe {
    let host = Host::live();
    let disk = disk(device);
    let named = Probing::Named(vec![disk.name.clone()]);
    probes(&host, std::slice::from_ref(&disk), &mounts::load(&host), &swaps::load(&host), &named).remove(0)
}

/// The facts of a host whose only disk beside that of the system is `device`, and which never had a retention volume:
/// recorded, but for the disk.
pub fn facts(device: &Loop) -> Facts {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/centos-6.6-ready/host");
    let wanted = Wanted { marker: profile().custom_changes.marker.to_path_buf(), ..Wanted::default() };
    let mut facts = gather(&Host::recorded(tree), &wanted);
    let Fact::Known(disks) = &mut facts.disks else { panic!("{:?}", facts.disks) };
    disks.truncate(1);
    // As what a person adds for the retention volume.
    let lsi = disks[0].controller.clone();
    disks.push(Disk { vendor: Some("VMware".into()), controller: lsi, ..disk(device) });
    let Fact::Known(mounted) = &mut facts.mounts else { panic!("{:?}", facts.mounts) };
    mounted.retain(|mount| mount.mount_point != "/mnt/retention");
    let Fact::Known(lines) = &mut facts.fstab else { panic!("{:?}", facts.fstab) };
    lines.retain(|line| line.mount_point != "/mnt/retention");
    facts.retention_record = Fact::Known(None);
    let Fact::Known(storage) = &mut facts.storage else { panic!("{:?}", facts.storage) };
    storage.retain(|one| one.name.starts_with(&disks[0].name));
    // A loop device's counts outlive its image: those of a disk begin anew.
    facts.probes = vec![Probe { written: Some(false), ..probed(device) }];
    facts
}

/// What the choice is when a person is there and nobody names a disk, and when this one is named.
pub fn choices(device: &Loop) -> [Result<String, String>; 2] {
    let (facts, mut profile) = (facts(device), profile());
    profile.retention.capacity = 1.into();
    [None, Some(ID.to_owned())].map(|name| {
        let request = Request { retention_disk: name, at_terminal: true, ..Request::default() };
        choose(&profile, &facts, &request).map(|chosen| chosen.disk.name.clone())
    })
}

/// That it is refused everywhere: by the probe and the choice with `probed`, by the formatting with `formatted`.
/// `signature`: not even our own interrupted run can have left it.
pub fn foreign(what: &str, device: &Loop, probed_as: &str, formatted: &str, signature: bool) {
    println!("--- {what}");
    let before = device.hash();
    let found = probed(device);
    assert_eq!((found.blank, found.eligible), (Some(false), false), "{what}: {found:?}");
    let why = found.why_not.join("; ");
    assert!(why.contains(probed_as), "{what}: {probed_as:?} is not in: {why}");
    for choice in choices(device) {
        let why = choice.expect_err(what);
        assert!(
            why.contains(probed_as) && why.contains(device.name()),
            "{what}: {probed_as:?} is not in: {why}"
        );
    }
    let refuse = |words: &str| {
        let target = device.target("ext4");
        let error = perform(|context| mkfs::format(context, &StandIn::of(device), &target)).expect_err(what);
        assert!(error.contains(words) && error.contains(HINT), "{what}: {words:?} is not in: {error}");
    };
    refuse(formatted);
    assert!(!Path::new(RETENTION).exists(), "{what}: a record was left");
    if signature {
        interrupted(&device.target("ext4"));
        let record = fs::read(RETENTION).unwrap();
        refuse(formatted);
        assert_eq!(fs::read(RETENTION).unwrap(), record, "{what}");
        fs::remove_file(RETENTION).unwrap();
    }
    assert_eq!(device.hash(), before, "{what}: the image changed");
    assert_eq!(nodes_left(&device.device), Vec::<PathBuf>::new());
}

/// That it would be taken: what the refusals are told from.
pub fn agreed(device: &Loop) {
    let name = device.name().to_owned();
    assert_eq!(choices(device), [Ok(name.clone()), Ok(name)], "{:?}", probed(device));
}
