//! From a requirement that does not hold to the changes that make it hold. Pure: the choice of the retention
//! disk is made here too, from facts and probes alone.

use crate::changes::Change;

pub use crate::state::request::{Decision, Request, Takeover};

/// What `apply` can do about a requirement that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing: only a person can.
    None,
    /// It could, but must not: why, and what a person decides.
    Refused(String),
    /// A restart makes it hold, once these changes are made.
    Restart {
        /// The changes, often none.
        first: Vec<Change>,
    },
    /// These changes, in this order, once the requirements in `needs` hold.
    With {
        /// The changes.
        changes: Vec<Change>,
        /// Ids of requirements.
        needs: &'static [&'static str],
    },
}

impl Remedy {
    /// One change that needs nothing else.
    pub fn one(change: Change) -> Self {
        Self::With { changes: vec![change], needs: &[] }
    }
}
