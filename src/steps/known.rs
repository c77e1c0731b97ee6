//! What is known, for a judgement.

use super::status::Status;
use crate::facts::{Fact, Facts};

/// What a fact is, or the status that follows from its not being known. For use with `?` in a judgement.
/// Errors: [`Status::Unknown`] or [`Status::NotApplicable`].
pub fn need<'a, T>(fact: &'a Fact<T>, what: &str) -> Result<&'a T, Status> {
    match fact {
        Fact::Known(value) => Ok(value),
        Fact::Unknown(why) => Err(Status::unknown(format!("{what}: {why}"))),
        Fact::NotApplicable(why) => Err(Status::not_applicable(why.clone())),
    }
}

/// Whether the facts were read from an image's tree: nothing runs there, and no boot has an id.
pub(crate) fn is_image(facts: &Facts) -> bool {
    matches!(facts.boot_id, Fact::NotApplicable(_))
}

/// What was found, with the processes that only have the name: whoever looks for himself sees them.
pub(super) fn but(found: &str, others: &[String]) -> String {
    others.iter().fold(found.to_owned(), |found, other| format!("{found}; {other}"))
}
