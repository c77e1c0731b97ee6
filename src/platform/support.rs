//! What is supported.

use anyhow::{Error, anyhow};

use super::Family;

/// That the agent cannot do `what` on systems of `family` yet, in one line. `advice` is what a person can do instead.
pub fn unsupported(family: Family, what: &str, advice: &str) -> Error {
    anyhow!("{what} is not supported on {family} systems yet, only on those of the Red Hat family: {advice}")
}
