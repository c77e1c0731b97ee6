//! The ready master target with a third disk, which is a protected machine's.

mod groups;
mod layers;
mod loops;
mod lost;
mod named;
mod partitions;
mod recorded;
mod released;
mod volume;

use super::*;
use crate::facts::Fact;
use crate::facts::disks::testing::holder;
use crate::facts::disks::{Map, Partition};
use crate::facts::identity::{Kind, Record};
use crate::facts::retention::{Volume, uuid_of};
use crate::facts::storage::{Entry, Read, Storage, Table};
use crate::facts::swaps::Swap;
use crate::host::DeviceNumber;
use crate::steps::testing::{
    OS_DISK_ID, RETENTION_ID, answering, disks, edit, entry, fstab, line_of, mount, mount_of, mounts, ready,
    stored, told, virtual_disk,
};
use crate::testing::{begins, ends, has};

const ID: &str = "layout.own-disks";
const FOREIGN: &str = "36000c29dddddddddddddddddddddddddd";
const HOME: &str = "4d9a0b16-72ce-4f83-b5d1-90e7c2a86403";
const ROOT: &str = "0f3c6a52-8d1b-4e07-9a64-1c5b7d2e9f01";

/// What is on record of the ready host.
#[derive(Clone, Copy, Debug, PartialEq)]
enum On {
    /// Nothing: an apply never ran.
    Nothing,
    /// What an agent recorded that did not know of own disks.
    Older,
    /// The system disk as an own one.
    Record,
}

const ALL: [On; 3] = [On::Nothing, On::Older, On::Record];

/// The ready host with a third disk of three partitions, which carry nothing, after `change`.
fn host(on: On, change: impl Fn(&mut Facts)) -> (Profile, Facts) {
    let (profile, mut facts) = ready();
    match on {
        On::Nothing => {
            facts.identity.recorded = Fact::Known(None);
            (facts.retention_record, facts.custom_changes.record) = (Fact::Known(None), Fact::Known(None));
            // As mt-agent makes it: known again by its UUID.
            stored(&mut facts, "dm-0").volume.as_mut().unwrap().uuid = uuid_of(RETENTION_ID);
        }
        On::Older => {}
        On::Record => {
            edit(&mut facts.identity.recorded).as_mut().unwrap().own(&[OS_DISK_ID.into()]);
        }
    }
    let mut disk = virtual_disk(2, FOREIGN, 100 << 30);
    disk.partitions = (1..4_u32)
        .map(|number| Partition {
            name: format!("sdc{number}"),
            start_bytes: Some(u64::from(number) << 30),
            major_minor: DeviceNumber::new(8, 32 + number),
            size_bytes: 1 << 30,
            holders: Vec::new(),
        })
        .collect();
    disks(&mut facts).push(disk);
    let devices = (1..4).map(|number| answering(&format!("sdc{number}"), &format!("8:{}", 32 + number)));
    let entries =
        (1..4).map(|number| Entry { number, start_bytes: u64::from(number) << 30, ..Entry::default() });
    let table = Table { dos_id: "0000cccc".into(), entries: entries.collect(), damaged: false };
    edit(&mut facts.storage).push(Storage { table: Some(table), ..answering("sdc", "8:32") });
    edit(&mut facts.storage).extend(devices);
    change(&mut facts);
    (profile, facts)
}

fn finding_of(on: On, change: impl Fn(&mut Facts)) -> String {
    let (profile, facts) = host(on, change);
    told(&profile, &facts, ID)
}

/// That it is told so.
#[track_caller]
fn finding_begins(on: On, expected: &str, change: impl Fn(&mut Facts)) {
    let found = finding_of(on, change);
    assert!(found.starts_with(expected), "{on:?}: {found}");
}

fn carries(facts: &mut Facts, name: &str, volume: (&str, &str, &str)) {
    let (fs_type, uuid, label) = volume;
    stored(facts, name).volume =
        Some(Volume { fs_type: fs_type.into(), uuid: uuid.into(), label: label.into() });
}

fn mounted(facts: &mut Facts, point: &str, number: impl Into<DeviceNumber>, source: &str) {
    mounts(facts).push(mount(point, number, source, 1 << 30));
}
