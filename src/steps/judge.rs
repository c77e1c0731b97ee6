//! Judging: requirements against facts, in order, with what blocks them and what waives them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Finding, Requirement, Selection, Severity, Status, all, find, network, retention};
use crate::facts::Facts;
use crate::profile::{Profile, Waiver};

/// Tells whether, of an unmet requirement, only the recommended part fails.
type OnlyAdvice = fn(&Profile, &Facts) -> bool;

/// Requirements of two weights: required, with a part that is only recommended.
const ONLY_ADVICE: &[(&str, OnlyAdvice)] = &[
    ("network.static", network::only_static_address_fails),
    ("retention.capacity", retention::only_size_fails),
    ("retention.persistent", retention::only_nofail_fails),
];

/// What all findings come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every required requirement holds.
    Ready,
    /// All that keeps the host from being ready is a restart that is still owed, and what waits for it.
    RestartOwed,
    /// Something required does not hold, or could not be told.
    NotReady,
}

impl Verdict {
    /// The word of the JSON documents and of the journal.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::RestartOwed => "restart-owed",
            Self::NotReady => "not-ready",
        }
    }
}

/// Judges every selected requirement, in the order of the procedure. `today` (UTC) tells which waivers hold.
///
/// A selected requirement that waits for one that is not selected is blocked all the same: that one is then
/// judged silently.
#[must_use]
pub fn judge_all(profile: &Profile, facts: &Facts, today: time::Date, selection: &Selection) -> Vec<Finding> {
    let in_force = &profile.in_force(today);
    let mut judge = Judge { profile, in_force, facts, today, judged: BTreeMap::new() };
    all()
        .filter(|requirement| selection.includes(requirement.id))
        .map(|requirement| judge.finding(requirement))
        .collect()
}

/// What findings come to. No finding at all is not ready: nothing was proved.
#[must_use]
pub fn verdict(findings: &[Finding]) -> Verdict {
    let failing: Vec<_> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Required && !finding.status.holds())
        .collect();
    if findings.is_empty() {
        Verdict::NotReady
    } else if failing.is_empty() {
        Verdict::Ready
    } else if failing.iter().all(|finding| waits_for_restart(finding, findings, findings.len())) {
        Verdict::RestartOwed
    } else {
        Verdict::NotReady
    }
}

/// Whether a restart is owed by `finding`, or by what it waits for; `steps` bounds the way there.
fn waits_for_restart(finding: &Finding, findings: &[Finding], steps: usize) -> bool {
    match &finding.status {
        Status::RestartOwed { .. } => true,
        Status::Blocked { by } if steps > 0 => findings
            .iter()
            .find(|other| other.id == by)
            .is_some_and(|other| waits_for_restart(other, findings, steps - 1)),
        _ => false,
    }
}

struct Judge<'a> {
    /// With the waivers that have expired, which are told.
    profile: &'a Profile,
    /// Without them: what a requirement is judged by.
    in_force: &'a Profile,
    facts: &'a Facts,
    today: time::Date,
    /// Findings by id, so that none is judged twice.
    judged: BTreeMap<&'static str, Finding>,
}

impl Judge<'_> {
    fn finding(&mut self, requirement: &'static Requirement) -> Finding {
        if let Some(finding) = self.judged.get(requirement.id) {
            return finding.clone();
        }
        let status = match self.blocker(requirement) {
            Some(by) => Status::Blocked { by: by.to_owned() },
            None => (requirement.judge)(self.in_force, self.facts),
        };
        let severity = self.severity(requirement, &status);
        let (status, note) = self.waive(requirement.id, status);
        let finding = Finding { id: requirement.id, title: requirement.title, severity, status, note };
        self.judged.insert(requirement.id, finding.clone());
        finding
    }

    /// What `requirement` waits for. Something that a restart does not help comes first: a host is never said
    /// to lack only a restart because the other reason was not looked at.
    fn blocker(&mut self, requirement: &'static Requirement) -> Option<&'static str> {
        let mut restart = None;
        for id in requirement.after {
            match find(id).map(|other| self.finding(other)) {
                Some(finding) if finding.status.holds() => {}
                Some(finding) if self.waits_for_restart(&finding) => restart = restart.or(Some(*id)),
                _ => return Some(id),
            }
        }
        restart
    }

    fn waits_for_restart(&self, finding: &Finding) -> bool {
        match &finding.status {
            Status::RestartOwed { .. } => true,
            Status::Blocked { by } => {
                self.judged.get(by.as_str()).is_some_and(|other| self.waits_for_restart(other))
            }
            _ => false,
        }
    }

    fn severity(&self, requirement: &Requirement, status: &Status) -> Severity {
        let only_advice = ONLY_ADVICE.iter().find(|(id, _)| *id == requirement.id);
        match (status, only_advice) {
            (Status::Unmet { .. }, Some((_, tell))) if tell(self.profile, self.facts) => {
                Severity::Recommended
            }
            _ => requirement.severity,
        }
    }

    /// Waives what does not hold, where the profile says so; the note keeps what was found.
    fn waive(&self, id: &str, status: Status) -> (Status, Option<String>) {
        // The most lasting one, should a profile have several.
        let waiver = self.profile.waivers.iter().filter(|waiver| waiver.requirement == id);
        match waiver.max_by_key(|waiver| waiver.until) {
            Some(waiver @ Waiver { reason, until, .. }) if !status.holds() => {
                if waiver.holds(self.today) {
                    let note = Some(status.describe());
                    (Status::Waived { reason: reason.clone(), until: until.to_string() }, note)
                } else {
                    (status, Some(format!("waiver expired on {until}: {reason}")))
                }
            }
            _ => (status, None),
        }
    }
}

#[cfg(test)]
mod tests;
