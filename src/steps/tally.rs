//! Several conditions of one requirement, added up: a failure weighs more than a doubt, a doubt more than
//! success.

use super::Status;

/// What fails and what cannot be determined.
#[derive(Debug, Default)]
pub(super) struct Tally {
    problems: Vec<String>,
    untold: Option<Status>,
}

impl Tally {
    /// Notes something that does not hold.
    pub fn problem(&mut self, problem: impl Into<String>) {
        self.problems.push(problem.into());
    }

    /// Notes something that cannot be determined.
    pub fn unknown(&mut self, why: impl Into<String>) {
        self.note(Status::Unknown { why: why.into() });
    }

    /// What is known, or `None` with its reason noted.
    pub fn know<T>(&mut self, known: Result<T, Status>) -> Option<T> {
        known.map_err(|status| self.note(status)).ok()
    }

    /// Takes over what `other` noted of `what`.
    pub fn take(&mut self, what: &str, other: Self) {
        self.problems.extend(other.problems.into_iter().map(|problem| format!("{what}: {problem}")));
        match other.untold {
            Some(Status::Unknown { why }) => self.unknown(format!("{what}: {why}")),
            Some(status) => self.note(status),
            None => {}
        }
    }

    /// How many conditions fail.
    pub fn failures(&self) -> usize {
        self.problems.len()
    }

    /// Whether all that was looked at is known.
    pub fn is_certain(&self) -> bool {
        self.untold.is_none()
    }

    fn note(&mut self, status: Status) {
        match (&mut self.untold, status) {
            (Some(Status::Unknown { why }), Status::Unknown { why: more }) if !why.contains(&more) => {
                why.push_str("; ");
                why.push_str(&more);
            }
            (Some(Status::Unknown { .. }), _) => {}
            (untold, status) => *untold = Some(status),
        }
    }

    /// The status that all of it comes to; `found` is what is said when all holds.
    pub fn status(self, found: String, expected: impl Into<String>, fix: impl Into<String>) -> Status {
        if !self.problems.is_empty() {
            return Status::unmet(self.problems.join("; "), expected, fix);
        }
        self.untold.unwrap_or_else(|| Status::met(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_outweighs_a_doubt_and_a_doubt_success() {
        let mut tally = Tally::default();
        assert_eq!(tally.know(Err::<(), _>(Status::NotApplicable { why: "an image".into() })), None);
        tally.unknown("no disks");
        tally.unknown("no mounts");
        tally.know(Err::<(), _>(Status::NotApplicable { why: "an image".into() }));
        let doubtful = Tally { untold: tally.untold.clone(), ..Tally::default() };
        assert_eq!(
            doubtful.status("all".into(), "e", "f"),
            Status::Unknown { why: "no disks; no mounts".into() }
        );
        tally.problem("one");
        tally.problem("two");
        assert_eq!(tally.status("all".into(), "e", "f"), Status::unmet("one; two", "e", "f"));
        assert_eq!(Tally::default().status("all".into(), "e", "f"), Status::met("all"));
    }
}
