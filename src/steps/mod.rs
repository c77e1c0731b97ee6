//! The procedure: requirements in its order, one file a section. Pure: the same profile and facts give the
//! same findings on any machine.

mod boot_order;
pub mod custom_changes;
pub mod devices;
pub mod explain;
mod find_out;
pub mod hypervisor;
pub mod image;
mod judge;
pub mod layout;
mod links;
pub mod multipath;
mod nearest;
pub mod network;
pub mod os;
pub mod packages;
pub mod remedy;
pub mod retention;
pub mod scsi;
mod selection;
pub mod site;
pub mod sizing;
mod stage;
mod storage;
mod tally;
#[cfg(test)]
pub mod testing;
mod twins;
mod unmounting;
pub mod waivers;

use serde::{Serialize, Serializer};

use crate::facts::{Fact, Facts};
use crate::profile::Profile;

pub use judge::{Verdict, judge_all, verdict};
pub use selection::{Selection, in_short, sections};
pub use stage::{Belongs, Stage};

/// Every requirement, in the order of the procedure.
pub fn all() -> impl Iterator<Item = &'static Requirement> {
    [
        os::REQUIREMENTS,
        sizing::REQUIREMENTS,
        layout::REQUIREMENTS,
        network::REQUIREMENTS,
        hypervisor::REQUIREMENTS,
        scsi::REQUIREMENTS,
        image::REQUIREMENTS,
        packages::REQUIREMENTS,
        custom_changes::REQUIREMENTS,
        multipath::REQUIREMENTS,
        retention::REQUIREMENTS,
        site::REQUIREMENTS,
    ]
    .into_iter()
    .flatten()
}

/// The requirement called `id`.
#[must_use]
pub fn find(id: &str) -> Option<&'static Requirement> {
    all().find(|requirement| requirement.id == id)
}

/// Every id, in the order of the procedure.
#[must_use]
pub fn ids() -> Vec<&'static str> {
    all().map(|requirement| requirement.id).collect()
}

/// How much a requirement weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Without it the host is not ready.
    Required,
    /// Its absence is told, and the host can be ready all the same.
    Recommended,
}

/// One thing that must hold.
pub struct Requirement {
    /// Stable id: `retention.mounted`.
    pub id: &'static str,
    /// What must hold, in a few words.
    pub title: &'static str,
    /// Its weight.
    pub severity: Severity,
    /// The section of the procedure that it comes from.
    pub section: &'static str,
    /// What goes wrong when it does not hold, and when one notices.
    pub why: &'static str,
    /// What a person does about it by hand.
    pub by_hand: &'static str,
    /// Whether `apply` can change it.
    pub changeable: bool,
    /// Where it is baked or made; what the profile says of the vendor script goes before ([`stage::belongs`]).
    pub belongs: Belongs,
    /// Ids that must hold first; while one does not, this one is `Blocked`.
    pub after: &'static [&'static str],
    /// The judgement.
    pub judge: fn(&Profile, &Facts) -> Status,
}

/// A requirement judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It holds.
    Met {
        /// What was found, when that says more than the title.
        found: Option<String>,
    },
    /// It does not hold.
    Unmet {
        /// What was found.
        found: String,
        /// What was expected.
        expected: String,
        /// What to do, concretely, for what was found.
        fix: String,
    },
    /// It could not be told: never counts as met.
    Unknown {
        /// Why.
        why: String,
    },
    /// It does not apply to this host or tree.
    NotApplicable {
        /// Why.
        why: String,
    },
    /// It does not hold, or could not be told, and the profile waives it.
    Waived {
        /// The reason given.
        reason: String,
        /// The last day, ISO 8601.
        until: String,
        /// Who approved it.
        approved_by: Option<String>,
        /// Whether it ends within 14 days.
        ends_soon: bool,
    },
    /// Not judged: another requirement must hold first.
    Blocked {
        /// Its id.
        by: String,
    },
    /// It holds but for a restart that is still owed.
    RestartOwed {
        /// What was found.
        found: String,
    },
}

/// A requirement with its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its id.
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Its weight. A requirement may find that only its recommended part fails: then this is `Recommended`.
    pub severity: Severity,
    /// How it was judged.
    pub status: Status,
    /// Of what is unknown: how a person finds out.
    pub find_out: Option<String>,
    /// A note beside the status: a waiver without effect, for instance.
    pub note: Option<String>,
}

impl Status {
    /// Met, saying what was found.
    pub fn met(found: impl Into<String>) -> Self {
        Self::Met { found: Some(found.into()) }
    }

    /// Unmet.
    pub fn unmet(found: impl Into<String>, expected: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Unmet { found: found.into(), expected: expected.into(), fix: fix.into() }
    }

    /// The status in one line, for messages.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Unmet { found, expected, .. } => format!("{found}; expected: {expected}"),
            Self::Unknown { why } => format!("cannot be determined: {why}"),
            Self::Blocked { by } => format!("waits for {by}"),
            Self::RestartOwed { found } => format!("{found}; a restart is owed"),
            Self::Met { .. } | Self::NotApplicable { .. } | Self::Waived { .. } => self.word().to_owned(),
        }
    }

    /// The word of the JSON documents.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Met { .. } => "met",
            Self::Unmet { .. } => "unmet",
            Self::RestartOwed { .. } => "restart-owed",
            Self::Unknown { .. } => "unknown",
            Self::NotApplicable { .. } => "not-applicable",
            Self::Waived { .. } => "waived",
            Self::Blocked { .. } => "blocked",
        }
    }

    /// Of a waiver: its reason, its end, and who approved it.
    #[must_use]
    pub fn waiver(&self) -> Option<String> {
        let Self::Waived { reason, until, approved_by, .. } = self else { return None };
        let by = approved_by.as_ref().map(|who| format!(", approved by {who}")).unwrap_or_default();
        Some(format!("{reason} (until {until}{by})"))
    }

    /// Whether a host with this status of a required requirement can be ready.
    #[must_use]
    pub fn holds(&self) -> bool {
        matches!(self, Self::Met { .. } | Self::NotApplicable { .. } | Self::Waived { .. })
    }
}

/// What was found, with the processes that only have the name: whoever looks for himself sees them.
fn but(found: &str, others: &[String]) -> String {
    others.iter().fold(found.to_owned(), |told, other| format!("{told}; {other}"))
}

/// What a fact is, or the status that follows from its not being known. For use with `?` in a judgement
/// written as a closure that returns `Result<Status, Status>`.
///
/// # Errors
/// [`Status::Unknown`] or [`Status::NotApplicable`].
pub fn need<'a, T>(fact: &'a Fact<T>, what: &str) -> Result<&'a T, Status> {
    match fact {
        Fact::Known(value) => Ok(value),
        Fact::Unknown(why) => Err(Status::Unknown { why: format!("{what}: {why}") }),
        Fact::NotApplicable(why) => Err(Status::NotApplicable { why: why.clone() }),
    }
}

/// The status of a judgement written with `?`.
pub(crate) fn settle(result: Result<Status, Status>) -> Status {
    match result {
        Ok(status) | Err(status) => status,
    }
}

/// Whether the facts were read from an image's tree: nothing runs there, and no boot has an id.
pub(crate) fn is_image(facts: &Facts) -> bool {
    matches!(facts.boot_id, Fact::NotApplicable(_))
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let (found, expected, fix, reason) = match &self.status {
            Status::Met { found } => (found.clone(), None, None, None),
            Status::Unmet { found, expected, fix } => {
                (Some(found.clone()), Some(expected.clone()), Some(fix.clone()), None)
            }
            Status::RestartOwed { found } => {
                (Some(found.clone()), None, Some("restart the machine".into()), None)
            }
            // There is no repair for what is not known: what to do is to find out.
            Status::Unknown { why } => {
                (None, Some(self.title.to_owned()), self.find_out.clone(), Some(why.clone()))
            }
            Status::NotApplicable { why } => (None, None, None, Some(why.clone())),
            Status::Waived { reason, .. } => (self.note.clone(), None, None, Some(reason.clone())),
            Status::Blocked { by } => (None, None, None, Some(format!("waits for {by}"))),
        };
        let reason = match (reason, &self.note) {
            (reason @ Some(_), _) if matches!(self.status, Status::Waived { .. }) => reason,
            (Some(reason), Some(note)) => Some(format!("{reason}; {note}")),
            (reason, note) => reason.or_else(|| note.clone()),
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", self.id)?;
        map.serialize_entry("title", self.title)?;
        map.serialize_entry("status", self.status.word())?;
        map.serialize_entry("severity", &self.severity)?;
        map.serialize_entry("found", &found)?;
        map.serialize_entry("expected", &expected)?;
        map.serialize_entry("fix", &fix)?;
        map.serialize_entry("reason", &reason)?;
        match &self.status {
            Status::Blocked { by } => map.serialize_entry("blocked_by", by)?,
            Status::Waived { until, approved_by, .. } => {
                map.serialize_entry("until", until)?;
                map.serialize_entry("approved_by", approved_by)?;
            }
            _ => {}
        }
        map.end()
    }
}
