//! A ready host of [`testing`], spoiled one point at a time.

mod choosing;
mod gone;
mod judging;
mod lines;
mod mounting;
mod names;
mod naming;
mod room;
mod strays;
mod taking_over;
mod twins;
mod unnamed;
mod volumes;
mod waivers;

use super::choice::choose;
use super::{lasting, takeover};
use crate::changes::Change;
use crate::facts::blank::Probe;
use crate::facts::custom_changes::Outcome;
use crate::facts::disks::{Disk, Holder};
use crate::facts::fstab::Entry;
use crate::facts::mounts::Mount;
use crate::facts::retention::{Record, Volume, uuid_of};
use crate::facts::site_agent::SiteAgent;
use crate::facts::{Fact, Facts};
use crate::host::DeviceNumber;
use crate::profile::Profile;
use crate::run::plan;
use crate::steps::remedy::Request;
use crate::steps::testing::{
    self, OS_DISK_ID, RETENTION_ID, TODAY, mount, outcome, ready, told, virtual_disk,
};
use crate::steps::{Selection, Severity, Status, Verdict, judge_all, verdict};
use crate::testing::{begins, has};

/// The multipath map of the retention disk.
const MAP: &str = "/dev/mapper/36000c2982b5df41a25811b07e74971e8";

const OTHER_ID: &str = "36000c29aaaaaaaaaaaaaaaaaaaaaaaaa";

type Spoiler<'a> = &'a dyn Fn(&mut Facts);

/// The known value of a fact, to be spoiled.
fn spoil<T>(fact: &mut Fact<T>) -> &mut T {
    match fact {
        Fact::Known(value) => value,
        _ => panic!("the ready host knows it"),
    }
}

/// The mount of the retention volume.
fn mounted(facts: &mut Facts) -> &mut Mount {
    let mounts = spoil(&mut facts.mounts);
    mounts.iter_mut().find(|mount| mount.mount_point == "/mnt/retention").unwrap()
}

fn disks(facts: &mut Facts) -> &mut Vec<Disk> {
    spoil(&mut facts.disks)
}

fn eligible(disk: &str) -> Probe {
    Probe { disk: disk.into(), blank: Some(true), written: Some(false), eligible: true, ..Probe::default() }
}

/// The ready host before its retention volume was made: sdb is blank and idle.
fn without_volume() -> (Profile, Facts) {
    let (profile, mut facts) = ready();
    spoil(&mut facts.mounts).retain(|mount| mount.mount_point != "/mnt/retention");
    spoil(&mut facts.fstab).retain(|entry| entry.mount_point != "/mnt/retention");
    spoil(&mut facts.filesystems).by_uuid.retain(|_, device| device != "253:0");
    disks(&mut facts)[1].used_by.clear();
    facts.retention_record = Fact::Known(None);
    map_carries(&mut facts, None);
    facts.probes = vec![eligible("sdb")];
    (profile, facts)
}

/// Of a volume that was made on the disk with this SCSI ID.
fn record_of(id: &str) -> Record {
    Record {
        schema: "mt-agent/retention/v1".into(),
        scsi_id: id.into(),
        uuid: uuid_of(id),
        fs_type: "ext4".into(),
        boot_id: testing::BOOT_ID.into(),
        started_at: "2026-06-01T12:00:00Z".into(),
        finished: true,
    }
}

/// The UUID of a volume of an agent that drew them.
const DRAWN: &str = "deadbeef-0000-8000-8000-000000000000";

/// The probe of a disk that is not blank, and why.
fn not_blank(disk: &str, why: &str) -> Probe {
    Probe { disk: disk.into(), blank: Some(false), why_not: vec![why.into()], ..Probe::default() }
}

fn formats(changes: &[Change]) -> bool {
    changes.iter().any(|change| matches!(change, Change::FormatRetention { .. }))
}

/// What is planned, but for the maps of the disks, which are another requirement's; and all that is said.
fn planned(profile: &Profile, facts: &Facts, request: &Request) -> (Vec<Change>, String) {
    let plan = plan(profile, facts, &Selection::default(), TODAY, request);
    let message = format!("{:?} {:?}", plan.manual, plan.notes);
    let changes = plan.changes.into_iter().map(|planned| planned.change);
    (changes.filter(|change| !matches!(change, Change::StartMultipathd { .. })).collect(), message)
}

/// What a read of the map of sdb finds.
fn map_carries(facts: &mut Facts, volume: Option<Volume>) {
    spoil(&mut facts.storage).iter_mut().find(|one| one.name == "dm-0").unwrap().volume = volume;
}

/// Adds sdc, another path of the map of sdb.
fn second_path(facts: &mut Facts) {
    let (name, path, major_minor) = ("sdc".into(), "/dev/sdc".into(), "8:32".into());
    let second = Disk { name, path, major_minor, ..disks(facts)[1].clone() };
    disks(facts).push(second);
    facts.probes.push(eligible("sdc"));
}

/// The map `dm-NUMBER`.
fn holder(number: u32, dm_name: &str, dm_uuid: &str) -> Holder {
    Holder {
        name: format!("dm-{number}"),
        major_minor: DeviceNumber::new(253, number),
        dm_name: Some(dm_name.into()),
        dm_uuid: Some(dm_uuid.into()),
        ..Holder::default()
    }
}

fn with_second_blank_disk() -> (Profile, Facts) {
    let (profile, mut facts) = without_volume();
    disks(&mut facts).push(virtual_disk(2, OTHER_ID, 1 << 40));
    facts.probes.push(eligible("sdc"));
    (profile, facts)
}

/// What `mt-agent apply` asks for where nobody names a disk and a person is there.
fn at_terminal() -> Request {
    Request { at_terminal: true, ..Request::default() }
}

fn naming(disk: &str) -> Request {
    Request { retention_disk: Some(disk.into()), ..Request::default() }
}

fn chosen<'a>(profile: &Profile, facts: &'a Facts, request: &Request) -> Result<(&'a str, bool), String> {
    choose(profile, facts, request).map(|chosen| (chosen.disk.name.as_str(), chosen.format.erase))
}

fn refused(profile: &Profile, facts: &Facts, request: &Request, words: &[&str]) {
    let why = chosen(profile, facts, request).expect_err("must be refused");
    for word in words {
        assert!(why.contains(word), "{word:?} is not in: {why}");
    }
}
