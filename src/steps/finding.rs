//! A requirement with its status, as reports show it.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use super::requirement::Severity;
use super::status::Status;

/// A requirement with its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The requirement's.
    pub id: &'static str,
    /// The requirement's, with the values of the profile.
    pub title: Cow<'static, str>,
    /// Its weight. A requirement may find that only its recommended part fails: then this is `Recommended`.
    pub severity: Severity,
    /// What goes wrong when it does not hold, with the values of the profile.
    pub why: Cow<'static, str>,
    /// How it was judged.
    pub status: Status,
    /// Of what is unknown: how a person finds out.
    pub find_out: Option<String>,
    /// A note beside the status: a waiver without effect, for instance.
    pub note: Option<String>,
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
                (None, Some(self.title.clone().into_owned()), self.find_out.clone(), Some(why.clone()))
            }
            Status::NotApplicable { why } => (None, None, None, Some(why.clone())),
            Status::Waived { reason, .. } => (self.note.clone(), None, None, Some(reason.clone())),
            Status::Blocked { by } => (None, None, None, Some(format!("blocked by {by}"))),
        };
        let reason = match (reason, &self.note) {
            (reason @ Some(_), _) if matches!(self.status, Status::Waived { .. }) => reason,
            (Some(reason), Some(note)) => Some(format!("{reason}; {note}")),
            (reason, note) => reason.or_else(|| note.clone()),
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", self.id)?;
        map.serialize_entry("title", &self.title)?;
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
