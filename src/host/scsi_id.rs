//! The ID of a SCSI disk.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

/// The ID of a SCSI disk as udev's scsi_id writes it, which is also the WWID of its multipath map: `36000c29…`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScsiId(String);

impl ScsiId {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for ScsiId {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ScsiId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ScsiId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<String> for ScsiId {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for ScsiId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl PartialEq<str> for ScsiId {
    fn eq(&self, text: &str) -> bool {
        self.0 == text
    }
}

impl PartialEq<&str> for ScsiId {
    fn eq(&self, text: &&str) -> bool {
        self.0 == *text
    }
}

impl PartialEq<ScsiId> for str {
    fn eq(&self, id: &ScsiId) -> bool {
        id.0 == self
    }
}

impl PartialEq<ScsiId> for String {
    fn eq(&self, id: &ScsiId) -> bool {
        id.0 == *self
    }
}

impl PartialEq<String> for ScsiId {
    fn eq(&self, text: &String) -> bool {
        self.0 == *text
    }
}
