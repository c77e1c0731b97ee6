//! One file a format. Text and JSON come from the same values: those defined here.

pub mod disks;
pub mod explain;
pub mod history;
pub mod json;
pub mod nagios;
pub mod plan;
pub mod seal;
pub mod style;
pub mod text;
pub mod waiting;

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::changes::Change;
use crate::steps::{Finding, Severity, Stage, Status, verdict};
use waiting::Waiting;

pub use crate::steps::Verdict;

/// A host judged: what `check` reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Name of the profile.
    pub profile: String,
    /// Name of the host.
    pub host: String,
    /// The stage looked at alone, if one was.
    pub stage: Option<Stage>,
    /// The requirements judged, in the order of the procedure.
    pub findings: Vec<Finding>,
    /// How many requirements `--only` and `--skip` left out: a verdict on a part is not one on the host.
    pub left_out: usize,
    /// What limits this report: not root, judged from a recording, an image's tree.
    pub notes: Vec<String>,
    /// The apply that waits for a restart, if one does.
    pub waiting: Option<Waiting>,
}

impl Report {
    /// Tells what waits, among the notes too.
    pub fn tell(&mut self, waiting: Option<Waiting>) {
        self.notes.extend(waiting.iter().map(|waiting| waiting.note.clone()));
        self.waiting = waiting;
    }

    /// The verdict on what was judged.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        verdict(&self.findings)
    }

    /// How many requirements have which status.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = Summary { left_out: self.left_out, ..Summary::default() };
        for finding in &self.findings {
            match finding.severity {
                Severity::Required => summary.required.add(&finding.status),
                Severity::Recommended => summary.recommended.add(&finding.status),
            }
        }
        summary
    }
}

/// Requirements counted by weight and status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Those that must hold.
    pub required: Counts,
    /// Those that ought to hold.
    pub recommended: Counts,
    /// Those that `--only` and `--skip` left out.
    pub left_out: usize,
}

/// Requirements counted by status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// It holds.
    pub met: usize,
    /// It does not hold.
    pub unmet: usize,
    /// It holds but for a restart.
    pub restart_owed: usize,
    /// It could not be told.
    pub unknown: usize,
    /// It waits for another.
    pub blocked: usize,
    /// The profile waives it.
    pub waived: usize,
    /// It does not apply.
    pub not_applicable: usize,
}

impl Counts {
    fn add(&mut self, status: &Status) {
        let count = match status {
            Status::Met { .. } => &mut self.met,
            Status::Unmet { .. } => &mut self.unmet,
            Status::RestartOwed { .. } => &mut self.restart_owed,
            Status::Unknown { .. } => &mut self.unknown,
            Status::Blocked { .. } => &mut self.blocked,
            Status::Waived { .. } => &mut self.waived,
            Status::NotApplicable { .. } => &mut self.not_applicable,
        };
        *count += 1;
    }
}

/// What `apply` would do, and what only a person can.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Name of the profile.
    pub profile: String,
    /// Name of the host.
    pub host: String,
    /// The changes, in order.
    pub changes: Vec<PlannedChange>,
    /// What only a person can fix.
    pub manual: Vec<Manual>,
    /// Whether a restart is owed now, or will be once the changes are made.
    pub restart: bool,
    /// What limits this plan: disks were not probed, not root.
    pub notes: Vec<String>,
    /// The apply that waits for a restart, if one does.
    pub waiting: Option<Waiting>,
}

impl Plan {
    /// As [`Report::tell`].
    pub fn tell(&mut self, waiting: Option<Waiting>) {
        self.notes.extend(waiting.iter().map(|waiting| waiting.note.clone()));
        self.waiting = waiting;
    }
}

/// A change and the requirement that asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedChange {
    /// Id of the requirement.
    pub requirement: String,
    /// The change.
    pub change: Change,
    /// Whether it can only be made after the restart that this run will owe: foreseen now, planned anew then.
    pub after_restart: bool,
}

/// A requirement that is not met and that no change can meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Manual {
    /// Its id.
    pub id: String,
    /// Its weight.
    pub severity: Severity,
    /// What was found.
    pub found: String,
    /// What to do.
    pub fix: String,
}

impl Serialize for PlannedChange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = serde_json::to_value(&self.change).map_err(serde::ser::Error::custom)?;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", &fields["kind"])?;
        map.serialize_entry("requirement", &self.requirement)?;
        map.serialize_entry("summary", &self.change.summary())?;
        map.serialize_entry("after_restart", &self.after_restart)?;
        for (key, value) in fields.as_object().into_iter().flatten().filter(|(key, _)| *key != "kind") {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A report with one finding of every status, some of them as nasty as a disk can make them.
    pub fn sample() -> Report {
        let finding =
            |id, severity, status| Finding { id, title: "What must hold", severity, status, note: None };
        let (required, recommended) = (Severity::Required, Severity::Recommended);
        let findings = vec![
            finding("a.met", required, Status::met("it is \x1b[2J so")),
            finding(
                "a.unmet",
                required,
                Status::unmet("nothing | at all", "something", "1. do it\n2. do more"),
            ),
            finding("a.advice", recommended, Status::unmet("4 GiB", "6 GiB", "give the VM more")),
            finding("b.unknown", required, Status::Unknown { why: "not root".into() }),
            finding("b.blocked", required, Status::Blocked { by: "a.unmet".into() }),
            finding("b.na", required, Status::NotApplicable { why: "no kernel runs".into() }),
            finding(
                "b.waived",
                required,
                Status::Waived { reason: "known".into(), until: "2030-01-01".into() },
            ),
            finding("c.restart", required, Status::RestartOwed { found: "it ran in this boot".into() }),
        ];
        let notes = vec!["not run as root".into()];
        Report {
            profile: "centos-6.6".into(),
            host: "mt01".into(),
            stage: None,
            findings,
            left_out: 2,
            notes,
            waiting: None,
        }
    }

    #[test]
    fn every_finding_is_counted_once() {
        let report = sample();
        let summary = report.summary();
        let one = Counts {
            met: 1,
            unmet: 1,
            restart_owed: 1,
            unknown: 1,
            blocked: 1,
            waived: 1,
            not_applicable: 1,
        };
        assert_eq!(summary.required, one);
        assert_eq!(summary.recommended, Counts { unmet: 1, ..Counts::default() });
        assert_eq!(summary.left_out, 2);
        assert_eq!(report.verdict(), Verdict::NotReady);
    }

    #[test]
    fn a_planned_change_has_the_keys_of_the_plan_and_its_own() {
        let change = Change::RecordCustomChanges { accepted: false };
        let planned =
            PlannedChange { requirement: "custom-changes.restarted".into(), change, after_restart: true };
        let value = serde_json::to_value(planned).unwrap();
        assert_eq!(
            value,
            serde_json::json!({
                "kind": "record-custom-changes",
                "requirement": "custom-changes.restarted",
                "summary": "record the custom changes that were made by hand",
                "after_restart": true,
                "accepted": false,
            })
        );
    }
}
