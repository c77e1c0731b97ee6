//! One file a format. Text and JSON come from the same values: those defined here.

pub(crate) mod apply;
pub(crate) mod collected;
pub mod disks;
pub(crate) mod ended;
pub(crate) mod explain;
pub mod history;
pub mod json;
pub mod nagios;
pub mod plan;
pub(crate) mod profiles;
pub(crate) mod seal;
pub(crate) mod state;
pub mod style;
pub mod text;
pub(crate) mod waiting;

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::changes::Change;
use crate::steps::{Finding, Selection, Severity, Status, verdict};
use waiting::Waiting;

pub use crate::steps::Verdict;

/// A host judged: what `check` reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Name of the profile.
    pub profile: String,
    /// Name of the host.
    pub host: String,
    /// What was looked at.
    pub selection: Selection,
    /// The requirements judged, in the order of the procedure.
    pub findings: Vec<Finding>,
    /// The requirements that the selection leaves out, by id: a verdict on a part is not one on the host.
    pub left_out: Vec<&'static str>,
    /// Whether an image's tree was judged: what needs a running machine was not looked at.
    pub of_tree: bool,
    /// What limits this report: not root, judged from a recording, an image's tree.
    pub notes: Vec<String>,
    /// The apply that waits for a restart, if one does.
    pub waiting: Option<Waiting>,
}

impl Report {
    /// The verdict on what was judged: "ready" is of a whole host that runs alone.
    pub fn verdict(&self) -> Verdict {
        match verdict(&self.findings) {
            Verdict::Ready if self.of_tree || !self.left_out.is_empty() => Verdict::SelectionReady,
            verdict => verdict,
        }
    }

    /// The waivers in effect that end within 14 days: id and last day.
    pub fn ending(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.findings.iter().filter_map(|finding| match &finding.status {
            Status::Waived { until, ends_soon: true, .. } => Some((finding.id, until.as_str())),
            _ => None,
        })
    }

    /// How many requirements have which status.
    pub(crate) fn summary(&self) -> Summary {
        let mut summary = Summary { left_out: self.left_out.len(), ..Summary::default() };
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
pub(crate) struct Summary {
    pub required: Counts,
    pub recommended: Counts,
    /// Those that the selection leaves out.
    pub left_out: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    pub met: usize,
    pub unmet: usize,
    pub restart_owed: usize,
    pub unknown: usize,
    pub blocked: usize,
    pub waived: usize,
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Name of the profile.
    pub profile: String,
    /// Name of the host.
    pub host: String,
    /// What limits this plan: disks were not probed, not root.
    pub notes: Vec<String>,
    /// The apply that waits for a restart, if one does.
    #[serde(rename = "pending", skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// The changes, in order.
    pub changes: Vec<PlannedChange>,
    /// What only a person can fix.
    pub manual: Vec<Manual>,
    /// Whether a restart is owed now, or will be once the changes are made.
    pub restart: bool,
    /// Whether it cannot be determined if there is something to do of what was ordered.
    #[serde(skip)]
    pub undetermined: bool,
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

/// A requirement that does not hold and that no change can meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Manual {
    /// Its id.
    pub id: String,
    /// Its weight.
    pub severity: Severity,
    /// Its status, by the word of the report's findings.
    pub status: &'static str,
    /// What was found; why it is unknown.
    pub found: String,
    /// What to do; of what is unknown, how to find out.
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
        let finding = |id, severity, status| {
            let find_out =
                matches!(status, Status::Unknown { .. }).then(|| "run it as root, or by hand: `ls`".into());
            Finding {
                id,
                title: "What must hold".into(),
                severity,
                why: String::new().into(),
                status,
                find_out,
                note: None,
            }
        };
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
                Status::Waived {
                    reason: "known".into(),
                    until: "2030-01-01".into(),
                    approved_by: Some("A. Person".into()),
                    ends_soon: true,
                },
            ),
            finding("c.restart", required, Status::RestartOwed { found: "it ran in this boot".into() }),
        ];
        let notes = vec!["not run as root".into()];
        Report {
            profile: "centos-6.6".into(),
            host: "mt01".into(),
            selection: Selection::new(Vec::new(), vec!["os.clock".into()]).unwrap(),
            of_tree: false,
            findings,
            left_out: vec!["os.clock", "scsi.ids"],
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
        assert_eq!(report.ending().collect::<Vec<_>>(), [("b.waived", "2030-01-01")]);
    }

    #[test]
    fn a_status_has_one_name_in_findings_and_in_the_summary() {
        let report = sample();
        let summary = serde_json::to_value(report.summary()).unwrap();
        for finding in &report.findings {
            let key = finding.status.word().replace('-', "_");
            let weight = serde_json::to_value(finding.severity).unwrap();
            let count = &summary[weight.as_str().unwrap()][&key];
            assert_eq!(count, 1, "{key}: {summary}");
        }
    }

    #[test]
    fn a_part_of_a_host_is_never_ready() {
        let mut report = sample();
        report.findings.truncate(1);
        assert_eq!(report.verdict(), Verdict::SelectionReady);
        report.left_out.clear();
        assert_eq!(report.verdict(), Verdict::Ready);
        report.findings.clear();
        report.left_out.push("os.clock");
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
