//! Hosts and requests out of a seed: every mix of disks, uses, names and records, most of them dangerous.

mod probes;
mod uses;

use super::dice::Dice;
use crate::facts::disks::fill_users;
use crate::facts::fstab::Entry;
use crate::facts::retention::{LABEL, Record, uuid_of};
use crate::facts::site_agent::SiteAgent;
use crate::facts::{Fact, Facts};
use crate::host::{DeviceNumber, Uuid};
use crate::profile::Profile;
use crate::steps::remedy::Request;
use crate::steps::testing::{BOOT_ID, edit, entry, mount, ready};

/// The SCSI ID of a disk that was attached once. A link in by-id still carries it.
pub(super) const GONE: &str = "36000c29ffffffffffffffffffffffff0";

/// What a disk is used for or carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Blank,
    Content,
    /// A volume that an agent made on this very disk.
    Ours,
    /// A read error, or a probe that could not run.
    Unread,
    Partitions,
    Mounted,
    MountedPartition,
    /// btrfs shows a number of its own; only the source tells the device.
    MountedBySource,
    Swap,
    SwapPartition,
    Lvm,
    MountedLvm,
    Raid,
    Encrypted,
    /// Told by the probe alone: neither mounts nor holders show them.
    Writer,
    Loop,
    Root,
    RootOnLvm,
}

use State::{
    Blank, Content, Encrypted, Loop, Lvm, Mounted, MountedBySource, MountedLvm, MountedPartition, Ours,
    Partitions, Raid, Root, RootOnLvm, Swap, SwapPartition, Unread, Writer,
};

/// What one physical disk really is; what the rules must find out from facts and probes.
#[derive(Clone, Debug)]
pub struct Truth {
    pub state: State,
    /// Kernel names: several for a disk with several paths.
    pub names: Vec<String>,
    pub id: Option<String>,
    /// Name and `major:minor` of its multipath map.
    pub map: Option<(String, DeviceNumber)>,
    pub size: u64,
    pub read_only: bool,
    /// Whether it is a virtual disk of VMware.
    pub vmware: bool,
    /// Whether it is what a person adds for the retention volume: VMware's, on LSI Logic, large enough.
    pub likely: bool,
    /// Whether its probe, were it told truly, finds it eligible and is there.
    pub seen_eligible: bool,
}

impl Truth {
    pub fn idle(&self) -> bool {
        matches!(self.state, Blank | Content | Ours | Unread | Partitions)
    }

    /// Whether facts alone show that it is not to be taken, whatever a probe says.
    fn shown_by_facts(&self) -> bool {
        !matches!(self.state, Blank | Content | Ours | Unread | Writer | Loop)
            || self.read_only
            || self.size == 0
    }
}

/// What a name that a person gave means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Means {
    Nothing,
    /// The disk with this number among the truths.
    Disk(usize),
    /// The disk that answers with this SCSI ID, whatever any link says.
    Id(String),
}

#[derive(Debug)]
pub struct World {
    pub profile: Profile,
    pub facts: Facts,
    pub request: Request,
    pub truths: Vec<Truth>,
    /// What the name of the retention disk means, where there is one.
    pub named: Option<Means>,
    pub erased: Option<Means>,
    /// What tells of an earlier master target, beside what the facts always have.
    pub traces: Vec<&'static str>,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let (profile, facts) = ready();
        let mut world = Self {
            profile,
            facts,
            request: Request::default(),
            truths: vec![],
            named: None,
            erased: None,
            traces: vec![],
        };
        world.facts.probes.clear();
        world.facts.retention_record = Fact::Known(None);
        // Its disks are others than those of the recording.
        world.facts.identity.recorded = Fact::Known(None);
        edit(&mut world.facts.fstab).retain(|entry| entry.mount_point != "/mnt/retention");
        edit(&mut world.facts.mounts).retain(|mount| mount.major_minor.is_anonymous());
        edit(&mut world.facts.swaps).clear();
        edit(&mut world.facts.storage).clear();
        let links = edit(&mut world.facts.filesystems);
        (links.by_id, links.by_mapper, links.by_uuid) = Default::default();
        edit(&mut world.facts.disks).clear();
        world.attach_disks(&mut dice);
        world.link(&mut dice);
        world.spoil(&mut dice);
        world.waive(&mut dice);
        let line_of = world.leave_traces(&mut dice);
        if let (Fact::Known(disks), Fact::Known(mounts), Fact::Known(swaps)) =
            (&mut world.facts.disks, &world.facts.mounts, &world.facts.swaps)
        {
            fill_users(disks, mounts, swaps);
        }
        world.probe(&mut dice);
        if line_of.is_some_and(|number| world.truths[number].seen_eligible) {
            world.traces.push("line of fstab");
        }
        world.ask(&mut dice);
        world
    }

    fn attach_disks(&mut self, dice: &mut Dice) {
        const STATES: [State; 25] = [
            Ours,
            Blank,
            Blank,
            Blank,
            Blank,
            Blank,
            Blank,
            Blank,
            Blank,
            Blank,
            Blank,
            Content,
            Content,
            Unread,
            Partitions,
            Mounted,
            MountedPartition,
            MountedBySource,
            Swap,
            SwapPartition,
            Lvm,
            MountedLvm,
            Raid,
            Encrypted,
            Writer,
        ];
        let count = 2 + dice.below(4);
        let root = dice.below(count);
        for number in 0..count {
            let state = match (number == root, dice.percent(20)) {
                (true, false) => Root,
                (true, true) => RootOnLvm,
                (false, _) if dice.percent(2) => Loop,
                (false, _) => dice.pick(&STATES),
            };
            let id = match dice.below(100) {
                0..12 => None,
                12..20 if !self.truths.is_empty() => self.truths[dice.below(self.truths.len())].id.clone(),
                _ => Some(format!("36000c29{:016x}{:09x}", dice.next(), number)),
            };
            let size = if dice.percent(4) { 0 } else { dice.pick(&[1 << 40, 200 << 30, 5 << 20]) };
            self.attach(dice, state, id, size);
        }
    }

    /// The links of udev, some of which were left behind by a disk that is gone or elsewhere now.
    fn link(&mut self, dice: &mut Dice) {
        let tops: Vec<DeviceNumber> = (0..self.truths.len()).map(|number| self.top(number)).collect();
        let links = edit(&mut self.facts.filesystems);
        links.by_id.insert(format!("scsi-{GONE}"), tops[dice.below(tops.len())]);
        for (number, truth) in self.truths.iter().enumerate() {
            let Some(id) = &truth.id else { continue };
            for name in [format!("scsi-{id}"), format!("wwn-0x{}", &id[1..])] {
                let to = if dice.percent(6) { dice.below(tops.len()) } else { number };
                links.by_id.insert(name, tops[to]);
            }
            if truth.state == Ours && dice.percent(80) {
                links.by_uuid.insert(uuid_of(id), tops[number]);
                links.by_label.insert(LABEL.into(), tops[number]);
            }
            if let Some((dm_name, major_minor)) = &truth.map {
                links.by_mapper.insert(dm_name.clone(), *major_minor);
            }
        }
    }

    fn top(&self, number: usize) -> DeviceNumber {
        let truth = &self.truths[number];
        let first =
            self.facts.disks.known().unwrap().iter().find(|disk| disk.name == truth.names[0]).unwrap();
        truth.map.as_ref().map_or_else(|| first.major_minor, |(_, number)| *number)
    }

    /// The rest of the host: the procedure half done, records of ours, software installed, facts unknown.
    fn spoil(&mut self, dice: &mut Dice) {
        let facts = &mut self.facts;
        match dice.below(100) {
            0..8 => edit(&mut facts.custom_changes.record).as_mut().unwrap().boot_id = BOOT_ID.into(),
            8..14 => {
                self.profile.custom_changes.archive = Some("/root/agent.tar.gz".parse().unwrap());
                facts.custom_changes.archive_bytes = Fact::Known(Some(200 << 20));
                facts.custom_changes.marker_ctime_secs = Fact::Known(None);
                facts.custom_changes.record = Fact::Known(None);
            }
            14..16 => facts.custom_changes.record = Fact::Unknown("torn".into()),
            16..20 => facts.custom_changes.marker_ctime_secs = Fact::Known(None),
            _ => {}
        }
        if dice.percent(25) {
            facts.site_agent =
                Fact::Known(SiteAgent { version: Some("9.6.0".into()), ..SiteAgent::default() });
        } else if dice.percent(10) {
            facts.site_agent = Fact::Known(SiteAgent { install_log: true, ..SiteAgent::default() });
        }
        let some_id = |truths: &[Truth], dice: &mut Dice| {
            let id = truths[dice.below(truths.len())].id.clone();
            id.filter(|_| !dice.percent(15)).unwrap_or_else(|| GONE.into())
        };
        if dice.percent(35) {
            let uuid = Uuid::from("deadbeef-0000-8000-8000-000000000000");
            let record = Record {
                schema: "mt-agent/retention/v1".into(),
                scsi_id: some_id(&self.truths, dice).into(),
                uuid: uuid.clone(),
                fs_type: "ext4".into(),
                boot_id: BOOT_ID.into(),
                started_at: "2026-06-01T12:00:00Z".into(),
                finished: dice.percent(40),
            };
            if dice.percent(30) {
                let number = dice.below(self.truths.len());
                let top = self.top(number);
                edit(&mut self.facts.filesystems).by_uuid.insert(uuid, top);
            }
            self.facts.retention_record = Fact::Known(Some(record));
        }
        let number = dice.below(self.truths.len());
        let top = self.top(number);
        let facts = &mut self.facts;
        if dice.percent(15) {
            let truth = &mut self.truths[number];
            truth.state = if truth.idle() { Mounted } else { truth.state };
            let at = dice.pick(&["/mnt/retention", "/mnt/retention", "/mnt/earlier"]);
            edit(&mut facts.mounts).push(mount(at, top, "/dev/something", 1 << 40));
        }
        if dice.percent(10) {
            let device =
                dice.pick(&["/dev/sdb", "UUID=deadbeef-0000-8000-8000-000000000000", "/dev/mapper/gone"]);
            let at = dice.pick(&["/mnt/retention", "/mnt/retention", "/mnt/earlier"]);
            let ours = dice.percent(60);
            edit(&mut facts.fstab).push(Entry { ours, ..entry(20, device, at, "ext4", 0) });
        }
        let why = || "reading it: Input/output error".to_owned();
        match dice.below(100) {
            0..3 => facts.mounts = Fact::Unknown(why()),
            3..6 => facts.swaps = Fact::Unknown(why()),
            6..9 => facts.site_agent = Fact::Unknown(why()),
            9..12 => facts.retention_record = Fact::Unknown(why()),
            12..14 => facts.filesystems = Fact::Unknown(why()),
            14 => facts.disks = Fact::Unknown(why()),
            _ => {}
        }
    }
}
