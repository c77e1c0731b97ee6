//! What the probes of the disks answer.

use super::State::{Blank, Loop, Ours, Unread, Writer};
use super::World;
use crate::facts::blank::Probe;
use crate::facts::retention::{LABEL, Volume, uuid_of};
use crate::run::property_tests::dice::Dice;

impl World {
    /// The probes, told truly, but for a few that were true a moment ago: what facts show counts all the same.
    pub(super) fn probe(&mut self, dice: &mut Dice) {
        let Some(disks) = self.facts.disks.known() else { return };
        let ids: Vec<Option<String>> = self.truths.iter().map(|truth| truth.id.clone()).collect();
        let is_known = self.facts.mounts.known().is_some() && self.facts.swaps.known().is_some();
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
                        Unread => None,
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
                        (!is_known, "what is mounted cannot be determined"),
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
