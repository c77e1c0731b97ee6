//! Several conditions of one requirement, added up: a failure weighs more than a doubt, a doubt more than
//! success.

use super::Status;

/// What fails and what cannot be determined.
#[derive(Debug, Default)]
pub(super) struct Tally {
    problems: Vec<String>,
    fixes: Vec<String>,
    unknown: Option<Status>,
}

impl Tally {
    /// Notes something that does not hold.
    pub fn problem(&mut self, problem: impl Into<String>) {
        self.problems.push(problem.into());
    }

    /// Notes something that does not hold, and what to do about it.
    pub fn fault(&mut self, problem: impl Into<String>, fix: impl Into<String>) {
        self.problem(problem);
        self.fix(fix);
    }

    /// Notes what to do about something that does not hold.
    pub fn fix(&mut self, fix: impl Into<String>) {
        self.fixes.push(fix.into());
    }

    /// What to do about it, in the order in which it was noted.
    pub fn fixes(&self) -> String {
        let mut fixes: Vec<&str> = self.fixes.iter().map(String::as_str).collect();
        fixes.dedup();
        fixes.join("; ")
    }

    /// Notes something that cannot be determined.
    pub fn unknown(&mut self, why: impl Into<String>) {
        self.note(Status::unknown(why.into()));
    }

    /// What is known, or `None` with its reason noted.
    pub fn know<T>(&mut self, known: Result<T, Status>) -> Option<T> {
        known.map_err(|status| self.note(status)).ok()
    }

    /// Takes over what `other` noted of `what`.
    pub fn take(&mut self, what: &str, other: Self) {
        self.problems.extend(other.problems.into_iter().map(|problem| format!("{what}: {problem}")));
        self.fixes.extend(other.fixes);
        match other.unknown {
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
        self.unknown.is_none()
    }

    fn note(&mut self, status: Status) {
        match (&mut self.unknown, status) {
            (Some(Status::Unknown { why }), Status::Unknown { why: more }) if !why.contains(&more) => {
                why.push_str("; ");
                why.push_str(&more);
            }
            (Some(Status::Unknown { .. }), _) => {}
            (unknown, status) => *unknown = Some(status),
        }
    }

    /// The status that all of it comes to; `found` is what is said when all holds.
    pub fn status(self, found: String, expected: impl Into<String>, fix: impl Into<String>) -> Status {
        if !self.problems.is_empty() {
            return Status::unmet(self.problems.join("; "), expected, fix);
        }
        self.unknown.unwrap_or_else(|| Status::met(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_outweighs_a_doubt_and_a_doubt_success() {
        let mut tally = Tally::default();
        assert_eq!(tally.know(Err::<(), _>(Status::not_applicable("an image"))), None);
        tally.unknown("no disks");
        tally.unknown("no mounts");
        tally.know(Err::<(), _>(Status::not_applicable("an image")));
        let doubtful = Tally { unknown: tally.unknown.clone(), ..Tally::default() };
        assert_eq!(doubtful.status("all".into(), "e", "f"), Status::unknown("no disks; no mounts"));
        tally.problem("one");
        tally.problem("two");
        assert_eq!(tally.status("all".into(), "e", "f"), Status::unmet("one; two", "e", "f"));
        assert_eq!(Tally::default().status("all".into(), "e", "f"), Status::met("all"));
    }
}
