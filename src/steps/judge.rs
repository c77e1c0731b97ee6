//! Judging: requirements against facts, in order, with what blocks them and what waives them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::finding::Finding;
use super::layout::own_disks::{self, Foreign};
use super::registry::{all, find};
use super::requirement::{Place, Requirement, Severity, Waivable};
use super::selection::Selection;
use super::status::{Status, settle};
use super::wording::fill;
use super::{find_out, id, waivers};
use crate::facts::Facts;
use crate::platform::words;
use crate::profile::Profile;

/// What all findings come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every required requirement holds.
    Ready,
    /// Only a part was looked at, and every required requirement of it holds: nothing is said of the host.
    SelectionReady,
    /// All that keeps the host from being ready is a restart that is still owed, and what waits for it.
    RestartOwed,
    /// Something required does not hold, or cannot be determined.
    NotReady,
}

impl Verdict {
    /// The word of the JSON documents and of the journal.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::SelectionReady => "selection-ready",
            Self::RestartOwed => "restart-owed",
            Self::NotReady => "not-ready",
        }
    }
}

/// Judges every selected requirement, in the order of the procedure. `today` (UTC) tells which waivers hold.
///
/// A selected requirement that waits for one that is not selected is blocked all the same: that one is then
/// judged silently.
pub fn judge_all(profile: &Profile, facts: &Facts, today: time::Date, selection: &Selection) -> Vec<Finding> {
    let in_force = &waivers::in_force(profile, today);
    let foreign = own_disks::foreign(in_force, facts);
    let mut judge = Judge { profile, in_force, facts, today, foreign, judged: BTreeMap::new() };
    all()
        .filter(|requirement| selection.includes(requirement.id))
        .map(|requirement| judge.finding(requirement))
        .collect()
}

/// What findings come to, as far as they go: of a selection see [`crate::report::Report::verdict`]. No finding at all is
/// not ready: nothing was proved.
pub fn verdict(findings: &[Finding]) -> Verdict {
    let failing: Vec<_> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Required && !finding.status.holds())
        .collect();
    let find = |id: &str| findings.iter().find(|other| other.id == id);
    if findings.is_empty() {
        Verdict::NotReady
    } else if failing.is_empty() {
        Verdict::Ready
    } else if failing.iter().all(|finding| waits_for_restart(finding, &find, findings.len())) {
        Verdict::RestartOwed
    } else {
        Verdict::NotReady
    }
}

/// Whether a restart is owed by `finding`, or by what it waits for; `steps` bounds the way there.
fn waits_for_restart<'a>(
    finding: &Finding,
    find: &impl Fn(&str) -> Option<&'a Finding>,
    steps: usize,
) -> bool {
    match &finding.status {
        Status::RestartOwed { .. } => true,
        Status::Blocked { by } if steps > 0 => {
            find(by).is_some_and(|other| waits_for_restart(other, find, steps - 1))
        }
        _ => false,
    }
}

struct Judge<'a> {
    /// With the waivers that have no effect, which are reported.
    profile: &'a Profile,
    /// Without them: what a requirement is judged by.
    in_force: &'a Profile,
    facts: &'a Facts,
    today: time::Date,
    /// What of this host lies on disks that are not its own.
    foreign: Foreign,
    /// Findings by id, so that none is judged twice.
    judged: BTreeMap<&'static str, Finding>,
}

impl Judge<'_> {
    fn finding(&mut self, requirement: &'static Requirement) -> Finding {
        if let Some(finding) = self.judged.get(requirement.id) {
            return finding.clone();
        }
        let status = match self.blocker(requirement) {
            Some(by) => Status::blocked(by),
            None => settle((requirement.judge)(self.in_force, self.facts)),
        };
        let status = self.or_waits_for_own_disks(requirement, status);
        let severity = match status {
            Status::Unmet { .. } if (requirement.only_advice)(self.profile, self.facts) => {
                Severity::Recommended
            }
            _ => requirement.severity,
        };
        let (status, note) = self.waive(requirement, status);
        let find_out = match &status {
            Status::Unknown { why } => Some(find_out::how(requirement, why, self.profile, self.facts)),
            _ => None,
        };
        let finding = Finding {
            id: requirement.id,
            title: fill(requirement.title, self.profile, words::family(self.facts)),
            why: fill(requirement.why, self.profile, words::family(self.facts)),
            severity,
            status,
            find_out,
            note,
        };
        self.judged.insert(requirement.id, finding.clone());
        finding
    }

    /// Where / or what else is written to lies on a disk that is not this host's, nothing is changed or advised but what puts this
    /// right: it would be written there.
    fn or_waits_for_own_disks(&self, requirement: &Requirement, status: Status) -> Status {
        let asks_for_an_act =
            matches!(status, Status::Unmet { .. } | Status::Unknown { .. } | Status::RestartOwed { .. });
        let is_unknown = matches!(status, Status::Unknown { .. });
        let would_write = match (self.foreign, requirement.place) {
            (Foreign::Nothing, _) | (_, Place::Elsewhere) => false,
            // What is wrong with a record is reported where that is judged.
            (_, Place::Record) if is_unknown => false,
            // What cannot be determined has no repair; why, and how to find out, is reported beside.
            (Foreign::Part, Place::Boot) => !is_unknown,
            (Foreign::Part, Place::Host | Place::Record) => !is_unknown && requirement.is_changeable(),
            (Foreign::Root, Place::Host | Place::Boot | Place::Record) => true,
        };
        if would_write && asks_for_an_act { Status::blocked(id::OWN_DISKS) } else { status }
    }

    /// What `requirement` waits for. Something that a restart does not help comes first: a host is never said
    /// to lack only a restart because the other reason was not looked at.
    fn blocker(&mut self, requirement: &'static Requirement) -> Option<&'static str> {
        let mut restart = None;
        for id in requirement.after {
            match find(id).map(|other| self.finding(other)) {
                Some(finding) if finding.status.holds() => {}
                Some(finding)
                    if waits_for_restart(&finding, &|id| self.judged.get(id), self.judged.len()) =>
                {
                    restart = restart.or(Some(*id));
                }
                _ => return Some(id),
            }
        }
        restart
    }

    /// Waives what does not hold, where the profile says so; the note keeps what was found.
    fn waive(&self, requirement: &Requirement, status: Status) -> (Status, Option<String>) {
        let of_it = self.profile.waivers.iter().filter(|waiver| waiver.requirement == requirement.id);
        // The most lasting one, should a profile have several.
        let waiver = of_it.max_by_key(|waiver| (waivers::fault(waiver, self.today).is_none(), *waiver.until));
        let Some(waiver) = waiver else { return (status, None) };
        match waivers::fault(waiver, self.today).or_else(|| waivers::too_much(requirement, &status)) {
            // What has no effect is reported where it would have had one; what can have none, always.
            Some(fault) => {
                let is_noted = !status.holds() || matches!(requirement.waiver, Waivable::Never(_));
                let note = format!("waiver without effect: {fault} (its reason: {})", waiver.reason);
                (status, is_noted.then_some(note))
            }
            None if status.holds() => (status, None),
            None => {
                let note = Some(status.describe());
                (waivers::status(waiver, self.today), note)
            }
        }
    }
}

#[cfg(test)]
mod mutation;
#[cfg(test)]
mod tests;
