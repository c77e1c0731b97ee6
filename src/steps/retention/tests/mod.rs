//! A ready host of [`testing`], spoiled one point at a time.

mod choosing;
mod gone;
mod judging;
mod lines;
mod mounting;
mod naming;
mod room;
mod strays;
mod taking_over;
mod twins;
mod unnamed;
mod volumes;
mod waivers;

use super::choice::{Chosen, choose};
use super::{lasting, takeover};
use crate::changes::Change;
use crate::facts::blank::Probe;
use crate::facts::custom_changes::Outcome;
use crate::facts::disks::{Disk, Holder};
use crate::facts::fstab::Entry;
use crate::facts::mounts::Mount;
use crate::facts::retention::{Record, Volume};
use crate::facts::site_agent::SiteAgent;
use crate::facts::{Fact, Facts};
use crate::profile::Profile;
use crate::run::plan;
use crate::steps::remedy::Request;
use crate::steps::testing::{self, OS_DISK_ID, RETENTION_ID, TODAY, mount, ready, told, virtual_disk};
use crate::steps::{Selection, Severity, Status, Verdict, judge_all, verdict};

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

/// What a read of the map of sdb finds.
fn map_carries(facts: &mut Facts, volume: Option<Volume>) {
    spoil(&mut facts.storage).iter_mut().find(|one| one.name == "dm-0").unwrap().volume = volume;
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
    match choose(profile, facts, request) {
        Chosen::Disk { disk, format, .. } => Ok((&disk.name, format.erase)),
        Chosen::Refused(why) => Err(why),
    }
}

fn refused(profile: &Profile, facts: &Facts, request: &Request, words: &[&str]) {
    let why = chosen(profile, facts, request).expect_err("must be refused");
    for word in words {
        assert!(why.contains(word), "{word:?} is not in: {why}");
    }
}
