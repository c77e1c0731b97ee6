//! The type of a file system.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

/// The type of a file system, as fstab, the kernel and libblkid name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum FileSystem {
    /// `ext4`, which the agent makes.
    Ext4,
    /// `xfs`, which the agent makes.
    Xfs,
    /// `auto`: whichever is there.
    Auto,
    /// Any other type, or list of types, that a host may carry.
    Other(String),
}

impl FileSystem {
    /// As text.
    pub fn as_str(&self) -> &str {
        self
    }
}

impl Default for FileSystem {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl Deref for FileSystem {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
            Self::Auto => "auto",
            Self::Other(name) => name,
        }
    }
}

impl From<&str> for FileSystem {
    fn from(name: &str) -> Self {
        match name {
            "ext4" => Self::Ext4,
            "xfs" => Self::Xfs,
            "auto" => Self::Auto,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl From<String> for FileSystem {
    fn from(name: String) -> Self {
        name.as_str().into()
    }
}

impl From<FileSystem> for String {
    fn from(kind: FileSystem) -> Self {
        kind.to_string()
    }
}

impl fmt::Display for FileSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl PartialEq<str> for FileSystem {
    fn eq(&self, name: &str) -> bool {
        **self == *name
    }
}

impl PartialEq<&str> for FileSystem {
    fn eq(&self, name: &&str) -> bool {
        **self == **name
    }
}
