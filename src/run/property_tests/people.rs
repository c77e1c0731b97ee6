//! What people left on a host, what its profile waives, and what they ask for.

use time::macros::date;

use super::dice::Dice;
use super::worlds::State::{Blank, Ours};
use super::worlds::{GONE, Means, World};
use crate::facts::Fact;
use crate::facts::retention::{LABEL, uuid_of};
use crate::profile::{DiskName, Waiver};
use crate::steps::remedy::Takeover;
use crate::steps::testing::entry;

impl World {
    /// Waivers, some of them expired: none reaches a rule about disks.
    pub(super) fn waive(&mut self, dice: &mut Dice) {
        const IDS: [&str; 8] = [
            "scsi.ids-unique",
            "scsi.ids",
            "image.identity",
            "retention.disk",
            "retention.mounted",
            "custom-changes.applied",
            "custom-changes.restarted",
            "hypervisor.controllers",
        ];
        for id in IDS {
            if dice.percent(12) {
                let until = if dice.percent(70) { date!(2026 - 12 - 31) } else { date!(2026 - 05 - 31) };
                let (requirement, reason) = (id.parse().unwrap(), "tried".parse().unwrap());
                self.profile.waivers.push(Waiver {
                    requirement,
                    reason,
                    approved_by: None,
                    until: until.into(),
                });
            }
        }
    }

    /// What an earlier master target left, beside what [`World::spoil`] leaves; the number of the disk that a line of fstab is for,
    /// which tells only where that disk is a candidate.
    pub(super) fn leave_traces(&mut self, dice: &mut Dice) -> Option<usize> {
        let facts = &mut self.facts;
        let (Fact::Known(links), Fact::Known(lines)) = (&mut facts.filesystems, &mut facts.fstab) else {
            return None;
        };
        let number = dice.below(self.truths.len());
        let first = self.truths[number].clone();
        if dice.percent(6) {
            links.by_label.insert(LABEL.into(), "8:999".into());
            self.traces.push("label");
        }
        if let (Some(id), true) = (&first.id, dice.percent(4)) {
            links.by_uuid.insert(uuid_of(id), "8:999".into());
            self.traces.push("UUID");
        }
        if first.state == Blank && dice.percent(8) {
            let name = &first.names[0];
            let device = match (dice.below(4), &first.id) {
                (0, Some(id)) => format!("/dev/mapper/{id}p1"),
                (1, Some(id)) => format!("/dev/disk/by-id/scsi-{id}-part1"),
                (2, _) => format!("/dev/{name}"),
                _ => format!("/dev/{name}1"),
            };
            lines.push(entry(30, &device, "/data", "ext4", 0));
            return Some(number);
        }
        None
    }

    pub(super) fn ask(&mut self, dice: &mut Dice) {
        self.request.at_terminal = dice.percent(70);
        if dice.percent(60) {
            let mut number = dice.below(self.truths.len());
            if !self.truths[number].idle() {
                // Most people name a disk that could be meant.
                number = dice.below(self.truths.len());
            }
            let (name, means) = self.name(dice, number);
            if dice.percent(30) {
                // The command line wins over the profile.
                self.profile.retention.disk = Some(DiskName::unchecked(&self.name(dice, number).0));
            }
            match dice.below(100) {
                0..60 => self.request.retention_disk = Some(name),
                60..80 => self.profile.retention.disk = Some(DiskName::unchecked(&name)),
                _ if self.profile.retention.disk.is_none() => {
                    self.facts.guest_retention_disk = Fact::Known(Some(name));
                }
                _ => self.request.retention_disk = Some(name),
            }
            if self.facts.guest_retention_disk == Fact::Known(None) && dice.percent(15) {
                // What the VM's configuration says comes last.
                let other = dice.below(self.truths.len());
                self.facts.guest_retention_disk = Fact::Known(Some(self.name(dice, other).0));
            }
            self.named = Some(means);
            if dice.percent(if self.truths[number].state == Ours { 80 } else { 45 }) {
                let other = if dice.percent(75) { number } else { dice.below(self.truths.len()) };
                let (name, means) = self.name(dice, other);
                self.request.erase_disk = Some(name);
                self.erased = Some(means);
            }
        } else if dice.percent(6) {
            let number = dice.below(self.truths.len());
            let (name, means) = self.name(dice, number);
            self.request.erase_disk = Some(name);
            self.erased = Some(means);
        }
        self.order_a_takeover(dice);
        self.request.grow = dice.percent(20);
    }

    /// That the disk which the command line names takes the place of another one.
    fn order_a_takeover(&mut self, dice: &mut Dice) {
        if self.request.retention_disk.is_none() || dice.percent(40) {
            return;
        }
        let adopt = dice.percent(25);
        self.request.takeover = Some(if adopt { Takeover::Adopt } else { Takeover::Replace });
        if adopt && dice.percent(80) {
            (self.request.erase_disk, self.erased) = (None, None);
        }
        if dice.percent(70) {
            // Most profiles name none.
            self.profile.retention.disk = None;
            self.facts.guest_retention_disk = Fact::Known(None);
        }
    }

    fn name(&self, dice: &mut Dice, number: usize) -> (String, Means) {
        let truth = &self.truths[number];
        let path = &truth.names[dice.below(truth.names.len())];
        let by_kernel = || (format!("/dev/{path}"), Means::Disk(number));
        if dice.percent(4) {
            return (format!("/dev/disk/by-id/scsi-{GONE}"), Means::Id(GONE.into()));
        }
        match (dice.below(11), &truth.id, &truth.map) {
            (0, ..) => (path.clone(), Means::Disk(number)),
            (1, ..) => (format!("/dev/{path}1"), Means::Nothing),
            (2, ..) => (
                dice.pick(&["", "-F", "/dev/", "sd", "sdzz", "/dev/mapper/", "scsi-"]).into(),
                Means::Nothing,
            ),
            (3 | 4, Some(id), _) => (id.clone(), Means::Id(id.clone())),
            (5, Some(id), _) => (format!("/dev/disk/by-id/scsi-{id}"), Means::Id(id.clone())),
            (6, Some(id), _) => (format!("scsi-{id}"), Means::Id(id.clone())),
            (7, Some(id), _) => (format!("wwn-0x{}", &id[1..]), Means::Id(id.clone())),
            (8, _, Some((dm_name, _))) => (format!("/dev/mapper/{dm_name}"), Means::Disk(number)),
            (9, _, Some(_)) => (format!("/dev/dm-{number}"), Means::Disk(number)),
            _ => by_kernel(),
        }
    }
}
