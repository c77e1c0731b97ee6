//! What the records are held against.

use crate::facts::Facts;
use crate::host::Host;
use crate::profile::Profile;
use crate::run::today;
use crate::steps::{self, Selection, Status};

/// A host, and all that is known of it.
pub(super) struct Look<'a> {
    pub host: &'a Host,
    pub profile: &'a Profile,
    pub facts: &'a Facts,
    /// Whether the agent has been at work here, by what else it left.
    pub lived: bool,
}

/// What a person does where the host itself could not be read.
pub(super) const UNREAD_HOST: &str = "see to what could not be read, then mt-agent state";

impl Look<'_> {
    /// How the requirement `id` is judged by `facts`.
    pub(super) fn status(&self, id: &str, facts: &Facts) -> Status {
        let one = Selection::new(vec![id.to_owned()], Vec::new()).unwrap_or_default();
        let all = steps::judge_all(self.profile, facts, today(), &one);
        let finding = all.into_iter().find(|finding| finding.id == id);
        finding.map_or(Status::Unknown { why: String::new() }, |finding| finding.status)
    }

    /// The facts without the records `spoil` takes out: what the host alone shows.
    pub(super) fn without(&self, spoil: impl Fn(&mut Facts)) -> Facts {
        let mut facts = self.facts.clone();
        spoil(&mut facts);
        facts
    }
}
