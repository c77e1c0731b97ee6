//! What must hold of every plan, on thousands of hosts out of a seed: a disk is formatted only if it is named, or a person at
//! a terminal confirms the sole candidate, and blank, idle, and known by one SCSI ID. Nothing is mounted that was not made.
//!
//! `MT_AGENT_SAMPLE_SECONDS=3600` soaks; a failure names the seed of its own case, which
//! `MT_AGENT_PROPERTY_SEED=0x… MT_AGENT_PROPERTY_CASES=1` repeats.

mod dice;
mod people;
mod worlds;

use std::collections::BTreeMap;
use std::time::Duration;

use super::plan;
use crate::changes::Change;
use crate::changes::mkfs::Format;
use crate::facts::disks::Disk;
use crate::facts::identity::Record;
use crate::facts::{Fact, Facts, retention};
use crate::host::{FileSystem, Uuid};
use crate::report::Plan;
use crate::steps::image::identifiers;
use crate::steps::remedy::Takeover;
use crate::steps::retention::choice::choose;
use crate::steps::testing::TODAY;
use crate::steps::{Selection, Status, judge_all};
use crate::testing::samples;
use dice::Dice;
use worlds::{Means, State, Truth, World};

const CASES: u64 = 4_000;
const SEED: u64 = 0x006d_745f_6167_656e;

/// A number from the environment, decimal or `0x…`.
fn number(name: &str, default: u64) -> u64 {
    let Ok(text) = std::env::var(name) else { return default };
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.unwrap_or_else(|error| panic!("{name}={text}: {error}"))
}

/// The formattings that are planned, each with whether it waits for a restart.
fn formats(plan: &Plan) -> Vec<(&Format, bool)> {
    let all = plan.changes.iter().filter_map(|planned| match &planned.change {
        Change::FormatRetention(format) => Some((format, planned.after_restart)),
        _ => None,
    });
    all.collect()
}

fn must(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}

/// Everything that is wrong with the plan for this world; and what kind of formatting it is, for the count.
fn judge(world: &World, plan: &Plan) -> Result<Vec<&'static str>, String> {
    // The choice by itself, which no requirement that must hold first keeps from going wrong.
    let chosen = choose(&world.profile, &world.facts, &world.request);
    if let Ok(chosen) = &chosen {
        lawful(world, &chosen.format).map_err(|why| format!("chosen: {why}"))?;
    }
    only_what_was_made_is_mounted(world, plan)?;
    nothing_recommends_erasing_ours(world, plan)?;
    only_an_order_puts_another_in_its_place(world, plan)?;
    let formats = formats(plan);
    let Some(&(format, after_restart)) = formats.first() else { return Ok(kinds_of_mount(world, plan)) };
    must(formats.len() == 1, "more than one disk is formatted")?;
    let facts = &world.facts;
    for planned in &plan.changes {
        if let Change::MountRetention { target, .. } = &planned.change {
            let made = &format.target;
            let same = target.device == made.device && target.scsi_id == made.scsi_id;
            must(same, "another disk is mounted than made")?;
        }
    }
    let mounted = |mount: &crate::facts::mounts::Mount| mount.mount_point == "/mnt/retention";
    let makes = |change: &Change| matches!(change, Change::FormatRetention { .. });
    let unmounts = |change: &Change| matches!(change, Change::UnmountRetention { .. });
    let mut before = plan.changes.iter().map(|planned| &planned.change).take_while(|change| !makes(change));
    let unmounted = before.any(unmounts);
    must(
        unmounted || !facts.mounts.known().is_some_and(|mounts| mounts.iter().any(mounted)),
        "a volume is mounted already",
    )?;
    let only = Selection::new(vec!["custom-changes.restarted".into()], vec![]).unwrap();
    let findings = judge_all(&world.profile, facts, TODAY, &only);
    let done =
        findings.iter().all(|finding| matches!(finding.status, Status::Met { .. } | Status::Waived { .. }));
    must(done || after_restart, "the vendor's script and the restart come first")?;
    let mut kinds = lawful(world, format)?;
    kinds.extend(after_restart.then_some("after the restart"));
    if let Some(Takeover::Replace) = world.request.takeover {
        kinds.push(if unmounted { "replaced while mounted" } else { "replaced" });
    }
    Ok(kinds)
}

/// The earlier volume goes only because a person ordered that another one takes its place, or moved the mount point; of fstab only
/// our own lines; and what is adopted is not made.
fn only_an_order_puts_another_in_its_place(world: &World, plan: &Plan) -> Result<(), String> {
    let lines = || world.facts.fstab.known().into_iter().flatten().filter(|line| line.ours);
    let ordered = world.request.takeover.is_some();
    let adopted = world.request.takeover == Some(Takeover::Adopt);
    for planned in &plan.changes {
        match &planned.change {
            Change::UnmountRetention { mount_point, .. } => {
                let moved =
                    mount_point != "/mnt/retention" && lines().any(|line| line.mount_point == *mount_point);
                must(ordered || moved, "a volume is unmounted that nobody replaces")?;
            }
            Change::RemoveFstab { devices, mount_point } => {
                let ours = |device: &String| {
                    lines().any(|line| line.device == *device && line.mount_point == *mount_point)
                };
                // Without an order: one that leads nowhere and is replaced, or that mounts the volume at another place too.
                let replaced =
                    plan.changes.iter().any(|other| matches!(other.change, Change::WriteFstab { .. }));
                let second = mount_point != "/mnt/retention";
                must(
                    (ordered || replaced || second) && devices.iter().all(ours),
                    "a line of fstab goes that is not ours",
                )?;
            }
            Change::FormatRetention { .. } => must(!adopted, "what is to be adopted is made")?,
            Change::GrowRetention { .. } => must(world.request.grow, "it is grown unasked")?,
            _ => {}
        }
    }
    Ok(())
}

fn mounts(plan: &Plan) -> impl Iterator<Item = (&str, &str)> {
    plan.changes.iter().filter_map(|planned| match &planned.change {
        Change::MountRetention { target, .. } => Some((target.device.as_str(), target.scsi_id.as_str())),
        _ => None,
    })
}

/// A mount replays a journal: of what the plan makes, what fstab names, or what an agent made, and of nothing else.
fn only_what_was_made_is_mounted(world: &World, plan: &Plan) -> Result<(), String> {
    let made: Vec<_> = formats(plan).iter().map(|(format, _)| format.target.scsi_id.clone()).collect();
    let named = world.facts.fstab.known().into_iter().flatten();
    let by_fstab = named.filter(|line| line.mount_point == "/mnt/retention").count() > 0;
    for (_, scsi_id) in mounts(plan) {
        let ours = world
            .truths
            .iter()
            .any(|truth| truth.state == State::Ours && truth.id.as_deref() == Some(scsi_id));
        let record = world.facts.retention_record.known().and_then(Option::as_ref);
        let recorded = record.is_some_and(|record| record.finished && record.scsi_id == scsi_id);
        let made = made.iter().any(|made| made == scsi_id);
        must(made || by_fstab || ours || recorded, "a disk is mounted that nobody made or named")?;
    }
    Ok(())
}

fn kinds_of_mount(world: &World, plan: &Plan) -> Vec<&'static str> {
    let adopted = mounts(plan).any(|(_, scsi_id)| {
        let is_it = |truth: &Truth| truth.state == State::Ours && truth.id.as_deref() == Some(scsi_id);
        world.truths.iter().any(is_it)
    });
    match (adopted, world.request.takeover) {
        (true, Some(Takeover::Adopt)) => vec!["none", "adopted", "adopted by order"],
        (true, _) => vec!["none", "adopted"],
        (false, _) => vec!["none"],
    }
}

/// Whoever follows the plan must not be led to erase retention data.
fn nothing_recommends_erasing_ours(world: &World, plan: &Plan) -> Result<(), String> {
    let ours = world.truths.iter().filter(|truth| truth.state == State::Ours);
    // Without link and probe nobody can know it.
    let known = |id: &str| {
        let uuid = retention::uuid_of(id);
        let linked = world.facts.filesystems.known().is_some_and(|links| links.by_uuid.contains_key(&uuid));
        linked || world.facts.probes.iter().any(|probe| probe.volume.as_ref().is_some_and(|v| v.uuid == uuid))
    };
    for id in ours.filter_map(|truth| truth.id.as_deref()).filter(|id| known(id)) {
        let recommended = format!("--erase-disk {id}");
        let recommends = |text: &str| text.contains(&recommended);
        must(
            !plan.manual.iter().any(|manual| recommends(&manual.fix)),
            "the erasure of a volume of ours is recommended",
        )?;
    }
    Ok(())
}

/// What must hold of a disk that is to be formatted, whatever led to it.
fn lawful(world: &World, format: &Format) -> Result<Vec<&'static str>, String> {
    let facts = &world.facts;
    must(facts.mounts.known().is_some() && facts.swaps.known().is_some(), "what is mounted is not known")?;

    // One disk answers with that ID, and it is addressed as it must be.
    let disks = facts.disks.known().ok_or("the disks are not known")?;
    let mine: Vec<&Disk> = disks.iter().filter(|disk| disk.has_id(&format.target.scsi_id)).collect();
    let same_id: Vec<&Truth> = world
        .truths
        .iter()
        .filter(|truth| truth.id.as_deref() == Some(format.target.scsi_id.as_str()))
        .collect();
    let [truth] = same_id.as_slice() else {
        return Err(format!("{} disks answer with the SCSI ID {}", same_id.len(), format.target.scsi_id));
    };
    must(!format.target.scsi_id.is_empty(), "it has no SCSI ID")?;
    must(truth.names.len() == 1 || !truth.vmware, "two disks of VMware that multipath took for one")?;
    must(
        mine.len() == 1 || mine.iter().all(|disk| disk.multipath.is_some()),
        "two paths with one ID that no map joins",
    )?;
    let device = match &truth.map {
        Some((dm_name, _)) => format!("/dev/mapper/{dm_name}"),
        None => format!("/dev/{}", truth.names[0]),
    };
    must(format.target.device == device, "it is not addressed by its map, or as another disk")?;

    // Idle, read-write, of that size.
    must(truth.idle(), "it is in use")?;
    must(!truth.read_only, "it is read-only")?;
    must(truth.size > 0 && truth.size == format.size_bytes, "its size is zero or another")?;
    must(mine.iter().all(|disk| disk.used_by.is_empty()), "facts say that it is used")?;

    // Named, or our own work, or the sole candidate where no failback can be going on.
    let number = world.truths.iter().position(|other| other.id == truth.id).unwrap();
    let is = |means: &Means| {
        *means == Means::Disk(number) || *means == Means::Id(format.target.scsi_id.to_string())
    };
    let ours = facts
        .retention_record
        .known()
        .and_then(Option::as_ref)
        .is_some_and(|record| !record.finished && record.scsi_id == format.target.scsi_id);
    let erased = world.erased.as_ref().is_some_and(is);
    let blank = truth.state == State::Blank;
    match &world.named {
        Some(named) => must(is(named), "another disk was named")?,
        None => {
            let candidates = world.truths.iter().filter(|truth| truth.seen_eligible).count();
            let free = never_used(facts, &format.target.scsi_id)
                && world.traces.is_empty()
                && candidates == 1
                && blank
                && truth.likely
                && world.request.at_terminal;
            must(
                free || ours,
                "it is not named, and not the sole candidate of a host without master target",
            )?;
            must(world.erased.is_none(), "an erasure was asked for without naming the retention disk")?;
        }
    }
    must(world.erased.is_none() || erased, "the erasure of another disk was asked for")?;
    must(erased || !format.erase, "it is erased without being asked for")?;
    must(blank || format.erase || ours, "it is not blank")?;
    let probed =
        facts.probes.iter().any(|probe| truth.names.contains(&probe.disk) && probe.in_use.is_empty());
    must(probed, "it was not probed")?;

    must(matches!(format.target.fs_type, FileSystem::Ext4 | FileSystem::Xfs), "an unknown file system")?;
    must(matches!(format.target.uuid, Some(Uuid::Rfc(_))), "no UUID")?;
    let mut kinds = vec!["some"];
    let mut count = |holds: bool, kind| kinds.extend(holds.then_some(kind));
    count(world.named.is_some(), "named");
    count(world.named.is_none() && !ours, "sole candidate");
    count(format.erase && !blank, "erased");
    count(format.erase && truth.state == State::Ours, "damaged and made again");
    count(ours && !blank, "our own work");
    count(truth.map.is_some(), "by its map");
    count(mine.len() > 1, "two paths");
    count(facts.site_agent.known().is_some_and(|agent| agent.is_installed()), "master target installed");
    Ok(kinds)
}

/// Whether nothing tells that the host has been a master target, other than with the disk `scsi_id` as its retention disk.
fn never_used(facts: &Facts, scsi_id: &str) -> bool {
    let changes = &facts.custom_changes;
    let is_set = |fact: &Fact<Option<u64>>| fact.known().is_some_and(Option::is_some);
    let other = |record: &retention::Record| record.scsi_id != scsi_id;
    facts.site_agent.known().is_some_and(|agent| !agent.has_been_installed())
        && changes.record.known().is_some_and(|record| record.is_none() || is_set(&changes.marker_ctime_secs))
        && facts.retention_record.known().is_some_and(|record| !record.as_ref().is_some_and(other))
        && facts
            .fstab
            .known()
            .is_some_and(|lines| lines.iter().all(|line| line.mount_point != "/mnt/retention"))
}

/// A world whose plan is wrong, and how to see it again.
fn describe(seed: u64, world: &World, plan: &Plan) -> String {
    format!(
        "MT_AGENT_PROPERTY_SEED={seed:#x} MT_AGENT_PROPERTY_CASES=1\nnamed {:?}, erased {:?}, request {:?}, profile \
         {:?}\nrecord {:?}\n{:#?}\n{:#?}\nplanned {:#?}",
        world.named,
        world.erased,
        world.request,
        world.profile.retention.disk,
        world.facts.retention_record,
        world.truths,
        world.facts.probes,
        plan.changes
    )
}

#[test]
fn no_plan_formats_what_it_must_not() {
    let (seed, least) = (number("MT_AGENT_PROPERTY_SEED", SEED), number("MT_AGENT_PROPERTY_CASES", CASES));
    let budget = if least == CASES { Duration::from_secs(15) } else { Duration::ZERO };
    println!("worlds from the seed {seed:#x}");
    let mut cases = 0;
    let mut seeds = Dice(seed);
    let mut seen = BTreeMap::<&str, u64>::new();
    let mut wrong = BTreeMap::<String, (u64, String)>::new();
    for number in samples(least, budget) {
        cases += 1;
        // The first case is the seed itself, so that one that failed can be repeated.
        let own = if number == 0 { seed } else { seeds.next() };
        let world = World::new(own);
        let plan = plan(&world.profile, &world.facts, &Selection::default(), TODAY, &world.request);
        match judge(&world, &plan) {
            Ok(kinds) => kinds.into_iter().for_each(|kind| *seen.entry(kind).or_default() += 1),
            Err(why) => {
                let (times, _) = wrong.entry(why).or_insert_with(|| (0, describe(own, &world, &plan)));
                *times += 1;
            }
        }
    }
    for (why, (times, first)) in &wrong {
        println!("{why}: {times} times, first in {first}");
    }
    assert!(wrong.is_empty(), "{:?}", wrong.iter().map(|(why, (times, _))| (why, times)).collect::<Vec<_>>());
    println!("{seen:?}");
    // A rule that forbids everything would hold too: every kind of formatting must have come up.
    let kinds = [
        "none",
        "some",
        "adopted",
        "damaged and made again",
        "named",
        "sole candidate",
        "erased",
        "our own work",
        "by its map",
        "two paths",
        "after the restart",
        "master target installed",
        "replaced",
        "replaced while mounted",
        "adopted by order",
    ];
    for kind in kinds.iter().filter(|_| cases >= CASES) {
        let times = seen.get(kind).copied().unwrap_or_default();
        assert!(times >= cases / 2000, "{kind}: only {times} of {cases}");
    }
}

#[test]
fn nothing_is_formatted_on_a_machine_that_its_image_s_template_may_be() {
    let (mut seeds, mut would) = (Dice(SEED), 0);
    for _ in samples(CASES / 4, Duration::from_secs(5)) {
        let mut world = World::new(seeds.next());
        let planned =
            |world: &World| plan(&world.profile, &world.facts, &Selection::default(), TODAY, &world.request);
        would += u64::from(!formats(&planned(&world)).is_empty());
        // One identifier alone, by turns, is the template's.
        let present = identifiers(&world.facts);
        let Some(one) = present.get(usize::try_from(would).unwrap() % present.len().max(1)) else { continue };
        let record = Record::new("00", "2026-06-01T00:00:00Z", std::slice::from_ref(one));
        world.facts.identity.template = Fact::Known(Some(record));
        assert_eq!(formats(&planned(&world)).len(), 0, "{one:?} is the template's");
    }
    assert!(would >= CASES / 200, "only {would} of the machines would be changed at all");
}

#[test]
fn nobody_is_told_that_apply_does_what_it_does_not() {
    let (mut seeds, mut left) = (Dice(SEED), 0);
    for _ in samples(CASES / 4, Duration::from_secs(1)) {
        let seed = seeds.next();
        let world = World::new(seed);
        let plan = plan(&world.profile, &world.facts, &Selection::default(), TODAY, &world.request);
        for manual in &plan.manual {
            let rest = manual.fix.strip_prefix("mt-agent apply");
            if rest.is_some_and(|rest| !rest.starts_with(" --")) {
                panic!("{seed:#x}: {manual:?} {:?} {:?}", world.request, world.profile.retention.disk);
            }
            let planned = plan.changes.iter().any(|planned| planned.requirement == manual.id);
            assert!(!planned, "{seed:#x}: {manual:?} is planned too");
            left += 1;
        }
    }
    assert!(left > 1000, "only {left}");
}
