//! The formatting of the disk that becomes the retention volume.

use serde::{Deserialize, Serialize};

use crate::changes::Target;

/// What to format, as planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Format {
    /// The volume that is made.
    #[serde(flatten)]
    pub target: Target,
    /// Size of the disk in bytes, as planned: another size at the time of writing is a refusal.
    pub size_bytes: u64,
    /// Whether `--erase-disk` named this disk: lifts "not blank", never "in use".
    pub erase: bool,
    /// What may be erased: the fingerprint of what was on the disk when the person said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}
