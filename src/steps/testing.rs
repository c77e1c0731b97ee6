//! The ready master target of the recorded hosts, for the tests of the sections to spoil.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::OnceLock;

use crate::facts::disks::{Controller, ControllerKind, Disk, Partition};
use crate::facts::fstab::{Entry, Ignored};
use crate::facts::gather::{Probing, Wanted, gather};
use crate::facts::identity::{Kind, Present, Record as Identified};
use crate::facts::mounts::Mount;
use crate::facts::network::{Nic, NicConfiguration};
use crate::facts::retention::Volume;
use crate::facts::scsi::KnownId;
use crate::facts::storage::{Read, Storage};
use crate::facts::{Fact, Facts};
use crate::host::{DeviceNumber, Host};
use crate::profile::{self, Profile, Server, Waiver};

use super::remedy::{Remedy, Request};
use super::{Finding, Selection, Status, find, image, judge_all};

/// SCSI ID of the OS disk `sda`.
pub const OS_DISK_ID: &str = "36000c29b3c1a4e5f60718293a4b5c6d7";

/// SCSI ID of the retention disk `sdb`, and the name of its multipath map `dm-0`.
pub const RETENTION_ID: &str = "36000c2982b5df41a25811b07e74971e8";

/// Boot id of the boot under which the facts were read.
pub const BOOT_ID: &str = "c2f0a6d4-7e19-4f7b-8a35-61b9d0e4c872";

/// A day on which nothing has expired.
pub const TODAY: time::Date = time::macros::date!(2026 - 06 - 01);

/// The tree of the recorded host that is ready: tests/scenarios/README.md tells of it.
const TREE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios/centos-6.6-ready/host");

/// A profile and the facts of a host that meets it in every point: the recorded one, as a clone of another machine on
/// which apply has run.
pub fn ready() -> (Profile, Facts) {
    // Read once: some hundred files.
    static READY: OnceLock<(Profile, Facts)> = OnceLock::new();
    READY.get_or_init(recorded).clone()
}

fn recorded() -> (Profile, Facts) {
    let profile = profile();
    let wanted = Wanted::by_profile(&profile, Probing::default());
    let mut facts = gather(&Host::recorded(TREE), &wanted);
    let record = |marks: &[Present]| Fact::Known(Some(Identified::new("00", "2017-02-06T12:00:00Z", marks)));
    let other = |kind| Present { kind, place: String::new(), value: "of the template".into() };
    facts.identity.template = record(&[other(Kind::BiosUuid), other(Kind::RootDisk)]);
    facts.identity.recorded = record(&image::identifiers(&facts));
    (profile, facts)
}

/// The finding for `id`, as `check --only ID` would have it.
pub fn judged(profile: &Profile, facts: &Facts, id: &str) -> Finding {
    let selection = Selection::new(vec![id.to_owned()], Vec::new()).unwrap();
    let mut findings = judge_all(profile, facts, TODAY, &selection);
    assert_eq!(findings.len(), 1, "{id}: {findings:?}");
    findings.remove(0)
}

/// What `apply` can do so that the requirement `id` holds.
pub fn remedy(id: &str, profile: &Profile, facts: &Facts, request: &Request) -> Remedy {
    find(id).unwrap().remedy(profile, facts, request)
}

/// A host and the requirement that it is judged by: the ready one, to be spoiled.
#[derive(Clone)]
pub struct Judged {
    pub profile: Profile,
    facts: Facts,
    id: &'static str,
}

impl Deref for Judged {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        &self.facts
    }
}

impl DerefMut for Judged {
    fn deref_mut(&mut self) -> &mut Facts {
        &mut self.facts
    }
}

impl Judged {
    pub fn ready(id: &'static str) -> Self {
        let (profile, facts) = ready();
        Self { profile, facts, id }
    }

    pub fn judged_by(self, id: &'static str) -> Self {
        Self { id, ..self }
    }

    pub fn finding(&self) -> Finding {
        judged(&self.profile, self, self.id)
    }

    pub fn outcome(&self) -> Outcome {
        self.of(self.id)
    }

    /// How another requirement is judged.
    pub fn of(&self, id: &str) -> Outcome {
        outcome(&self.profile, self, id)
    }

    /// How it is judged after a change that is not kept.
    pub fn after(&self, change: impl FnOnce(&mut Facts)) -> Outcome {
        let mut host = self.clone();
        change(&mut host);
        host.outcome()
    }

    pub fn remedy(&self) -> Remedy {
        remedy(self.id, &self.profile, self, &Request::default())
    }

    #[track_caller]
    pub fn is(&self, text: impl AsRef<str>) {
        self.outcome().is(text);
    }

    #[track_caller]
    pub fn starts(&self, text: impl AsRef<str>) -> Outcome {
        self.outcome().starts(text)
    }

    #[track_caller]
    pub fn has(&self, text: impl AsRef<str>) -> Outcome {
        self.outcome().has(text)
    }
}

/// A status as one text: `met: …`, `unmet: FOUND | EXPECTED | FIX`, `unknown: …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    id: String,
    text: String,
}

impl Deref for Outcome {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.id, self.text)
    }
}

impl Outcome {
    #[track_caller]
    pub fn is(&self, text: impl AsRef<str>) {
        assert_eq!(self.text, text.as_ref(), "{}", self.id);
    }

    #[track_caller]
    pub fn starts(self, text: impl AsRef<str>) -> Self {
        assert!(self.starts_with(text.as_ref()), "{self} does not start with: {}", text.as_ref());
        self
    }

    /// What is advised.
    pub fn fix(self) -> Self {
        let text = self.rsplit(" | ").next().unwrap().to_owned();
        Self { text, ..self }
    }

    #[track_caller]
    pub fn ends(self, text: impl AsRef<str>) -> Self {
        assert!(self.ends_with(text.as_ref()), "{self} does not end with: {}", text.as_ref());
        self
    }

    #[track_caller]
    pub fn has(self, text: impl AsRef<str>) -> Self {
        assert!(self.contains(text.as_ref()), "{self} does not have: {}", text.as_ref());
        self
    }

    #[track_caller]
    pub fn lacks(self, text: impl AsRef<str>) -> Self {
        assert!(!self.contains(text.as_ref()), "{self} has: {}", text.as_ref());
        self
    }
}

/// The text of [`outcome`].
pub fn told(profile: &Profile, facts: &Facts, id: &str) -> String {
    outcome(profile, facts, id).text
}

/// How `id` is judged.
pub fn outcome(profile: &Profile, facts: &Facts, id: &str) -> Outcome {
    let text = match judged(profile, facts, id).status {
        Status::Met { found } => format!("met: {}", found.unwrap_or_default()),
        Status::Unmet { found, expected, fix } => format!("unmet: {found} | {expected} | {fix}"),
        Status::Unknown { why } => format!("unknown: {why}"),
        Status::NotApplicable { why } => format!("not-applicable: {why}"),
        Status::Waived { reason, until, .. } => format!("waived: {reason} until {until}"),
        Status::Blocked { by } => format!("blocked: {by}"),
        Status::RestartOwed { found } => format!("restart-owed: {found}"),
    };
    Outcome { id: id.to_owned(), text }
}

/// The disks, to be spoiled.
pub fn disks(facts: &mut Facts) -> &mut Vec<Disk> {
    edit(&mut facts.disks)
}

/// The vendor's script has never run.
pub fn never_ran(facts: &mut Facts) {
    let changes = &mut facts.custom_changes;
    (changes.marker_ctime_secs, changes.record) = (Fact::Known(None), Fact::Known(None));
    (changes.log_tail, changes.blacklistrootdev_id) = (Fact::Known(None), Fact::Known(None));
    (changes.blacklistrootdev_script, changes.blacklistrootdev_flag) = (false, false);
    facts.multipath.configuration = Fact::Known(None);
}

/// The mounts, to be spoiled.
pub fn mounts(facts: &mut Facts) -> &mut Vec<Mount> {
    edit(&mut facts.mounts)
}

/// The lines of fstab, to be spoiled.
pub fn fstab(facts: &mut Facts) -> &mut Vec<Entry> {
    edit(&mut facts.fstab)
}

/// What a known fact holds, to be spoiled.
pub fn edit<T>(fact: &mut Fact<T>) -> &mut T {
    match fact {
        Fact::Known(value) => value,
        Fact::Unknown(why) | Fact::NotApplicable(why) => panic!("not known: {why}"),
    }
}

/// The mount at `point`; of several the last, which is seen.
pub fn mount_of<'a>(facts: &'a mut Facts, point: &str) -> &'a mut Mount {
    mounts(facts).iter_mut().rfind(|mount| mount.mount_point == point).unwrap()
}

/// The line of fstab for `point`.
pub fn line_of<'a>(facts: &'a mut Facts, point: &str) -> &'a mut Entry {
    fstab(facts).iter_mut().find(|entry| entry.mount_point == point).unwrap()
}

/// The block device with the kernel name `name`.
pub fn stored<'a>(facts: &'a mut Facts, name: &str) -> &'a mut Storage {
    edit(&mut facts.storage).iter_mut().find(|one| one.name == name).unwrap()
}

pub fn volume(fs_type: &str, uuid: &str, label: &str) -> Volume {
    Volume { fs_type: fs_type.into(), uuid: uuid.into(), label: label.into() }
}

pub fn partition(name: &str, number: &str) -> Partition {
    let (name, major_minor, size_bytes) = (name.into(), number.into(), 1 << 30);
    Partition { name, major_minor, size_bytes, ..Partition::default() }
}

pub fn carrying(name: &str, number: &str, volume: Volume) -> Storage {
    Storage { volume: Some(volume), ..answering(name, number) }
}

/// A line of fstab that is passed over, and why.
pub fn ignored(line: usize, device: &str, mount_point: &str, why: &str) -> Ignored {
    let (device, mount_point) = (device.into(), mount_point.into());
    Ignored { line, device, mount_point, why: why.into(), ours: false }
}

/// A further file system with its line of fstab and its mount: on the partition `name` of the disk at `disk` among the others.
pub fn add_partition(facts: &mut Facts, disk: usize, name: &str, number: &str, (uuid, at): (&str, &str)) {
    disks(facts)[disk].partitions.push(partition(name, number));
    edit(&mut facts.storage).push(carrying(name, number, volume("ext", uuid, "")));
    edit(&mut facts.filesystems).by_uuid.insert(uuid.into(), number.into());
    fstab(facts).push(entry(20, &format!("UUID={uuid}"), at, "ext4", 2));
    mounts(facts).push(mount(at, number, &format!("/dev/{name}"), 1 << 30));
}

/// A waiver of `requirement` for the reason `lab`.
pub fn waiver(requirement: &str, until: time::Date) -> Waiver {
    Waiver {
        requirement: requirement.parse().unwrap(),
        reason: "lab".parse().unwrap(),
        approved_by: None,
        until: until.into(),
    }
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The built-in profile, with a site.
fn profile() -> Profile {
    let none = Host::recorded("/nonexistent");
    let mut profile =
        profile::load(Some(profile::DEFAULT), &none, &super::ids(), profile::Writers::Root).unwrap();
    profile.site = profile::Site {
        configuration_server: Some(Server { address: "192.0.2.20".parse().unwrap(), port: 443.into() }),
        process_server: Some(Server { address: "192.0.2.21".parse().unwrap(), port: 9443.into() }),
        configuration_server_version: Some("9.6.0".parse().unwrap()),
    };
    profile
}

fn lsi_logic_sas() -> Controller {
    Controller {
        kind: ControllerKind::LsiLogicSas,
        driver: Some("mptsas".into()),
        pci: Some("1000:0054".into()),
    }
}

/// A VMware virtual disk on an LSI Logic SAS controller: `sda` is number 0.
pub fn virtual_disk(number: u8, scsi_id: &str, size_bytes: u64) -> Disk {
    let name = format!("sd{}", char::from(b'a' + number));
    Disk {
        path: format!("/dev/{name}"),
        name,
        major_minor: DeviceNumber::new(8, u32::from(number) * 16),
        hctl: Some(format!("2:0:{number}:0")),
        controller: Some(lsi_logic_sas()),
        vendor: Some("VMware".into()),
        model: Some("Virtual disk".into()),
        size_bytes,
        scsi_id: Ok(KnownId { id: scsi_id.into(), source: Some("SG_IO 0x83 NAA 6".into()) }),
        state: Some("running".into()),
        ..Disk::default()
    }
}

/// A mount of the whole of an ext4 file system, read-write.
pub fn mount(
    mount_point: &str,
    major_minor: impl Into<DeviceNumber>,
    source: &str,
    size_bytes: u64,
) -> Mount {
    Mount {
        mount_point: mount_point.into(),
        major_minor: major_minor.into(),
        root: "/".into(),
        fs_type: "ext4".into(),
        source: source.into(),
        options: strings(&["rw", "relatime"]),
        super_options: strings(&["rw", "barrier=1", "data=ordered"]),
        size_bytes: Fact::Known(size_bytes),
        free_bytes: Fact::Known(size_bytes / 2),
        inodes: Fact::Known(1 << 16),
        free_inodes: Fact::Known(1 << 15),
    }
}

/// A device that answers.
pub fn answering(name: &str, major_minor: impl Into<DeviceNumber>) -> Storage {
    Storage {
        name: name.into(),
        major_minor: major_minor.into(),
        suspended: Vec::new(),
        failed_paths: Fact::Known(Vec::new()),
        read: Fact::Known(Read::Done),
        volume: None,
        group: None,
        array: None,
        table: None,
        below: Vec::new(),
        extent: None,
    }
}

/// A line of fstab.
pub fn entry(line: usize, device: &str, mount_point: &str, fs_type: &str, pass: u32) -> Entry {
    Entry {
        line,
        device: device.into(),
        mount_point: mount_point.into(),
        fs_type: fs_type.into(),
        options: strings(&["defaults"]),
        pass,
        ours: false,
        refused: None,
    }
}

/// A physical interface with a static IPv4 address.
pub fn nic(name: &str, address: &str) -> Nic {
    Nic {
        name: name.into(),
        mac: Some("00:50:56:00:00:01".into()),
        driver: Some("vmxnet3".into()),
        physical: true,
        state: Some("up".into()),
        carrier: Some(true),
        member: false,
        addresses: vec![address.parse().unwrap()],
        configuration: Fact::Known(Some(NicConfiguration {
            file: format!("/etc/sysconfig/network-scripts/ifcfg-{name}"),
            on_boot: true,
            protocol: "static".into(),
            address: Some(address.into()),
            problem: None,
            trouble: None,
        })),
    }
}
