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
    /// Whether udev's scsi_id can print `text`: the type of a designator as a digit, and what it holds. NAA (3) and EUI-64 (2) have
    /// eight bytes or more, as hexadecimal digits or as a device writes them in ASCII. T10 vendor IDs (1), vendor-specific ones (0) and
    /// serial numbers (S) begin with vendor and model, fields of 8 and 16 characters whose blanks scsi_id keeps or makes `_`.
    pub fn is_one(text: &str) -> bool {
        let Some((kind, rest)) = text.split_at_checked(1) else { return false };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "#+-.:=@_".contains(c);
        let is_padded =
            || rest.trim().contains([' ', '_']) && rest.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if is_partition(text) || text.contains('-') && uuid::Uuid::try_parse(text).is_ok() {
            return false;
        }
        match kind {
            "3" | "2" => rest.len() >= 16 && rest.chars().all(is_plain),
            "1" => is_padded() || rest.len() > 8 && rest.chars().all(is_plain),
            "0" | "S" => is_padded() || rest.len() > 24 && rest.chars().all(is_plain),
            _ => false,
        }
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether it is an ID and the number of a partition, as udev's links (`-part1`) and kpartx (`p1`) have it.
fn is_partition(text: &str) -> bool {
    let of = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let hexadecimal = |id: &str| id.bytes().all(|byte| byte.is_ascii_hexdigit());
    of.len() < text.len() && (of.ends_with("-part") || of.strip_suffix('p').is_some_and(hexadecimal))
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
