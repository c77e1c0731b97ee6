//! An error code of Site Recovery.

use std::fmt;

use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Code {
    /// The number that the portal shows.
    pub code: u32,
    pub title: &'static str,
    /// What may have led to it; each is one possibility.
    pub causes: &'static [&'static str],
    pub fixes: &'static [&'static str],
    /// The chapter and document that explain it.
    pub section: &'static str,
    /// Ids of the requirements that bear on it; none when only vCenter or Azure can tell.
    pub requirements: &'static [&'static str],
    /// What of it no agent on the master target can see.
    pub not_seen: &'static str,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.title)
    }
}
