//! One file a format. Text and JSON come from the same values: those defined here.

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::changes::Change;
use crate::steps::{Finding, Severity, Status};

/// Whether the host is a master target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every required requirement is met.
    Ready,
    /// At least one is not, or could not be told.
    NotReady,
    /// All are met but for a restart that is still owed.
    RestartOwed,
}

impl Verdict {
    /// The verdict on `findings`: an unknown or a blocked requirement is not met, and no findings are no proof.
    #[must_use]
    pub fn of(findings: &[Finding]) -> Self {
        let mut required = findings.iter().filter(|finding| finding.severity == Severity::Required);
        let owed = |finding: &Finding| matches!(finding.status, Status::RestartOwed { .. });
        if findings.is_empty() || required.clone().any(|f| !f.status.holds() && !owed(f)) {
            Self::NotReady
        } else if required.any(owed) {
            Self::RestartOwed
        } else {
            Self::Ready
        }
    }
}

/// A host judged: what `check` reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Name of the profile.
    pub profile: String,
    /// Name of the host.
    pub host: String,
    /// The requirements judged, in the order of the procedure.
    pub findings: Vec<Finding>,
    /// How many requirements `--only` and `--skip` left out: a verdict on a part is not one on the host.
    pub left_out: usize,
    /// What limits this report: not root, judged from a recording, an image's tree.
    pub notes: Vec<String>,
}

impl Report {
    /// The verdict on what was judged.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        Verdict::of(&self.findings)
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
#[serde(rename_all = "kebab-case")]
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
