//! Something read from the host, or why it was not.

use serde::{Deserialize, Serialize};

/// Something read from the host, or why it was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact<T> {
    /// It was read.
    Known(T),
    /// It could not be read, and why: never judged as met.
    Unknown(String),
    /// There is nothing to read: it belongs to a running kernel, and this is an image's tree.
    NotApplicable(String),
}

impl<T> Fact<T> {
    /// What was read, if it was.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) | Self::NotApplicable(_) => None,
        }
    }

    /// What belongs to a running kernel, of an image's tree.
    pub fn needs_kernel() -> Self {
        Self::NotApplicable("needs the running kernel; this is an image's tree".into())
    }

    /// What a version that recorded it did not look at.
    pub(crate) fn not_read() -> Self {
        Self::Unknown("it was recorded by a version that did not look at it".into())
    }

    /// A fact from a result: an error becomes the reason why it is unknown.
    pub fn from_result<E: std::fmt::Display>(result: Result<T, E>) -> Self {
        match result {
            Ok(value) => Self::Known(value),
            Err(error) => Self::Unknown(format!("{error:#}")),
        }
    }
}
