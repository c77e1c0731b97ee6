//! Hosts and requests out of a seed: every mix of disks, uses, names and records, most of them dangerous.

use super::dice::Dice;
use crate::facts::blank::Probe;
use crate::facts::disks::{ControllerKind, Disk, Holder, Map, Partition, fill_users};
use crate::facts::fstab::Entry;
use crate::facts::retention::{LABEL, Record, Volume, uuid_of};
use crate::facts::scsi::KnownId;
use crate::facts::site_agent::SiteAgent;
use crate::facts::swaps::Swap;
use crate::facts::{Fact, Facts};
use crate::host::DeviceNumber;
use crate::profile::Profile;
use crate::steps::remedy::Request;
use crate::steps::testing::{BOOT_ID, edit, entry, mount, ready, virtual_disk};

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
    Untold,
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
    Partitions, Raid, Root, RootOnLvm, SwapPartition, Untold, Writer,
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
        matches!(self.state, Blank | Content | Ours | Untold | Partitions)
    }

    /// Whether facts alone show that it is not to be taken, whatever a probe says.
    fn shown_by_facts(&self) -> bool {
        !matches!(self.state, Blank | Content | Ours | Untold | Writer | Loop)
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
            Untold,
            Partitions,
            Mounted,
            MountedPartition,
            MountedBySource,
            State::Swap,
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

    /// Attaches a disk by one path or two, with or without a map, and makes what its state says of it.
    fn attach(&mut self, dice: &mut Dice, state: State, id: Option<String>, size: u64) {
        let number = self.truths.len();
        let first = edit(&mut self.facts.disks).len();
        let paths = if state != Root && dice.percent(15) { 2 } else { 1 };
        let read_only = dice.percent(5);
        let map = id.clone().filter(|_| state != Root && dice.percent(45)).map(|id| {
            let dm_name = if dice.percent(20) { format!("mpath{number}") } else { id };
            (dm_name, numbered(253, number))
        });
        let lone_second_path = dice.percent(10);
        let names: Vec<String> = (first..first + paths).map(kernel_name).collect();
        // Of two paths mostly an array's, passed through: a virtual disk of VMware has one.
        let vmware = dice.percent(if paths > 1 { 25 } else { 85 });
        let lsi = dice.percent(85);
        for path in 0..paths {
            let index = first + path;
            let mut disk = virtual_disk(u8::try_from(index).unwrap(), "", size);
            disk.scsi_id = id.clone().map(KnownId::from).ok_or_else(|| "page 0x83 is not supported".into());
            if !vmware {
                disk.vendor = Some("DGC".into());
            }
            if !lsi {
                disk.controller.as_mut().unwrap().kind = ControllerKind::ParavirtualScsi;
            }
            disk.read_only = read_only;
            let in_map = map.as_ref().filter(|_| path == 0 || !lone_second_path);
            self.build_on(&mut disk, state, number, in_map, &names);
            edit(&mut self.facts.disks).push(disk);
        }
        let top = map.as_ref().map_or_else(|| numbered(8, first * 16), |(_, number)| *number);
        self.use_it(state, number, first, top, map.as_ref());
        let likely = vmware && lsi && size >= 1 << 40;
        let truth = Truth { state, names, id, map, size, read_only, vmware, likely, seen_eligible: false };
        self.truths.push(truth);
    }

    /// Holders and partitions.
    #[expect(clippy::too_many_arguments, reason = "what was drawn for one disk")]
    fn build_on(
        &self,
        disk: &mut Disk,
        state: State,
        number: usize,
        map: Option<&(String, DeviceNumber)>,
        names: &[String],
    ) {
        let holder = |name: String, major_minor: DeviceNumber, dm: Option<(String, String)>| Holder {
            start_bytes: None,
            name,
            major_minor,
            dm_name: dm.as_ref().map(|(name, _)| name.clone()),
            dm_uuid: dm.map(|(_, uuid)| uuid),
            holders: Vec::new(),
        };
        let upper = match state {
            Lvm | MountedLvm | RootOnLvm => Some(holder(
                format!("dm-{}", 40 + number),
                numbered(253, 40 + number),
                Some((format!("vg{number}-data"), format!("LVM-{number}"))),
            )),
            Encrypted => Some(holder(
                format!("dm-{}", 60 + number),
                numbered(253, 60 + number),
                Some((format!("secret{number}"), format!("CRYPT-LUKS1-{number}"))),
            )),
            Raid => Some(holder(format!("md{number}"), numbered(9, number), None)),
            _ => None,
        };
        let partitioned = matches!(state, Partitions | MountedPartition | SwapPartition | Root | RootOnLvm);
        if partitioned {
            disk.partitions.push(Partition {
                name: format!("{}1", disk.name),
                start_bytes: None,
                major_minor: DeviceNumber::of(disk.major_minor.dev() + 1),
                size_bytes: disk.size_bytes / 2,
                holders: upper.iter().filter(|_| state == RootOnLvm).cloned().collect(),
            });
        }
        let upper = upper.filter(|_| state != RootOnLvm);
        match map {
            None => disk.holders.extend(upper),
            Some((dm_name, major_minor)) => {
                let wwid = disk.id().cloned().unwrap();
                let name = format!("dm-{number}");
                let uuid = format!("mpath-{wwid}");
                let mut own = holder(name.clone(), *major_minor, Some((dm_name.clone(), uuid)));
                own.holders.extend(upper);
                if partitioned {
                    let part = (format!("{dm_name}1"), format!("part1-mpath-{wwid}"));
                    own.holders.push(holder(
                        format!("dm-{}", 20 + number),
                        numbered(253, 20 + number),
                        Some(part),
                    ));
                }
                disk.holders.push(own);
                disk.multipath = Some(Map {
                    name,
                    dm_name: dm_name.clone(),
                    major_minor: *major_minor,
                    wwid,
                    paths: names.to_vec(),
                });
            }
        }
    }

    /// Mounts and swap.
    #[expect(clippy::too_many_arguments, reason = "what was drawn for one disk")]
    fn use_it(
        &mut self,
        state: State,
        number: usize,
        first: usize,
        top: DeviceNumber,
        map: Option<&(String, DeviceNumber)>,
    ) {
        let name = kernel_name(first);
        let part = if map.is_some() { numbered(253, 20 + number) } else { numbered(8, first * 16 + 1) };
        let lvm = numbered(253, 40 + number);
        let source =
            map.map_or_else(|| format!("/dev/{name}"), |(dm_name, _)| format!("/dev/mapper/{dm_name}"));
        let at = format!("/data{number}");
        let mounts = edit(&mut self.facts.mounts);
        match state {
            Root => {
                mounts.push(mount("/", numbered(8, first * 16 + 1), &format!("/dev/{name}1"), 1 << 30));
            }
            RootOnLvm => mounts.push(mount("/", lvm, "/dev/mapper/vg-root", 1 << 30)),
            Mounted => mounts.push(mount(&at, top, &source, 1 << 30)),
            MountedPartition => mounts.push(mount(&at, part, "/dev/root-of-something", 1 << 30)),
            MountedBySource => mounts.push(mount(&at, "0:57", &source, 1 << 30)),
            MountedLvm => mounts.push(mount(&at, lvm, "/dev/mapper/vg-data", 1 << 30)),
            _ => {}
        }
        let device = match state {
            State::Swap => top,
            SwapPartition => part,
            _ => return,
        };
        edit(&mut self.facts.swaps).push(Swap {
            path: format!("/dev/block/{device}"),
            is_partition: true,
            major_minor: Some(device),
        });
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
            let uuid = "deadbeef-0000-8000-8000-000000000000".to_owned();
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

    /// The probes, told truly, but for a few that were true a moment ago: what facts show counts all the same.
    fn probe(&mut self, dice: &mut Dice) {
        let Some(disks) = self.facts.disks.known() else { return };
        let ids: Vec<Option<String>> = self.truths.iter().map(|truth| truth.id.clone()).collect();
        let told = self.facts.mounts.known().is_some() && self.facts.swaps.known().is_some();
        for truth in &mut self.truths {
            let joined = disks
                .iter()
                .filter(|disk| truth.names.contains(&disk.name))
                .all(|disk| disk.multipath.is_some() || truth.names.len() == 1);
            let twin = truth.id.is_some() && ids.iter().filter(|id| **id == truth.id).count() > 1 || !joined;
            for (path, name) in truth.names.iter().enumerate() {
                if dice.percent(if truth.idle() { 4 } else { 60 }) {
                    continue;
                }
                let mut probe = Probe { disk: name.clone(), written: Some(false), ..Probe::default() };
                let stale = truth.shown_by_facts() && dice.percent(8);
                let second = path > 0 && truth.map.is_some();
                if second {
                    probe.why_not.push("it is one more path of the multipath map".into());
                } else if stale {
                    probe.blank = Some(true);
                } else {
                    if let (Ours, Some(id)) = (truth.state, &truth.id) {
                        let (fs_type, label) = ("ext4".into(), LABEL.into());
                        probe.volume = Some(Box::new(Volume { fs_type, uuid: uuid_of(id), label }));
                    }
                    probe.blank = match truth.state {
                        Untold => None,
                        Blank | Writer | Loop => Some(true),
                        _ => Some(false),
                    };
                    if !truth.idle() {
                        probe.in_use.push("a use of it".into());
                        probe.why_not.push("it is in use: a use of it".into());
                    }
                    let refusals = [
                        (truth.read_only, "it is read-only"),
                        (truth.size == 0, "its size is zero"),
                        (twin, "another answers with the same SCSI ID"),
                        (!told, "what is mounted cannot be determined"),
                        (probe.blank != Some(true), "it is not blank"),
                    ];
                    probe.why_not.extend(
                        refusals.iter().filter(|(holds, _)| *holds).map(|(_, why)| (*why).to_owned()),
                    );
                }
                probe.eligible = probe.why_not.is_empty();
                truth.seen_eligible |= probe.eligible && !stale;
                self.facts.probes.push(probe);
            }
        }
    }
}

fn numbered(major: u32, minor: usize) -> DeviceNumber {
    DeviceNumber::new(major, u32::try_from(minor).unwrap())
}

fn kernel_name(index: usize) -> String {
    format!("sd{}", char::from(b'a' + u8::try_from(index).unwrap()))
}
