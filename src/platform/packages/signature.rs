//! What the signatures of a package file are worth.

use anyhow::{Result, bail, ensure};

use crate::profile::Files;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// Every one is good, and made with a key that was imported: the key's id.
    Good(String),
    /// There is none; digests alone prove nothing about who made it.
    None,
    /// It was made with a key that was not imported: the key's id.
    NoKey(String),
    /// It, or a digest, is wrong: rpm's line.
    Bad(String),
}

impl Signature {
    /// How the file is known to be genuine, where it is or `files`, the profile's rules, accept that it is not.
    /// Errors: It is not, and why. `advice` is what else than accepting it helps.
    pub fn settle(self, files: &Files, advice: &str) -> Result<String> {
        let doubt = match self {
            Self::Good(key) => return Ok(format!("verified by its signature with key {key}")),
            Self::Bad(line) => {
                bail!("its signature or digest is wrong ({line}): it was changed or is damaged")
            }
            Self::None => NO_SIGNATURE.to_owned(),
            Self::NoKey(key) => format!("it is signed with key {key}, which was not imported"),
        };
        ensure!(
            files.unverified.is_accepted(),
            "it cannot be verified: {doubt}; {advice}, or say `files.unverified: install-without-verification` in the \
             profile"
        );
        Ok(format!("{NOT_VERIFIED}, as the profile accepts: {doubt}"))
    }
}

/// The mark of a file that nothing shows to be genuine.
pub const NOT_VERIFIED: &str = "NOT VERIFIED";

/// Why a file without a signature is doubtful.
pub const NO_SIGNATURE: &str = "it has no signature";
