//! What tells one file system from another.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::fmt::Hyphenated;

/// The UUID of a file system, as udev and libblkid write it. Two are the same where they are written alike: one in capitals is
/// none that those write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Uuid {
    /// A UUID of RFC 9562, in lower case.
    Rfc(uuid::Uuid),
    /// Any other ID: the serial number of a FAT (`1234-ABCD`) or an NTFS, the ID of an LVM physical volume. Empty: none.
    Other(String),
}

impl Uuid {
    /// From the 16 bytes of a superblock, where none of all zeros is one.
    pub fn of_superblock(bytes: [u8; 16]) -> Self {
        if bytes == [0; 16] { Self::default() } else { Self::Rfc(uuid::Uuid::from_bytes(bytes)) }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Other(id) if id.is_empty())
    }
}

impl Default for Uuid {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl From<&str> for Uuid {
    fn from(text: &str) -> Self {
        match uuid::Uuid::try_parse(text) {
            Ok(uuid) if Self::Rfc(uuid) == *text => Self::Rfc(uuid),
            _ => Self::Other(text.to_owned()),
        }
    }
}

impl From<String> for Uuid {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<Uuid> for String {
    fn from(uuid: Uuid) -> Self {
        uuid.to_string()
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rfc(uuid) => f.pad(uuid.hyphenated().encode_lower(&mut [0; Hyphenated::LENGTH])),
            Self::Other(id) => f.pad(id),
        }
    }
}

/// As they are written: the order in which they are shown.
impl Ord for Uuid {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Rfc(one), Self::Rfc(other)) => one.cmp(other),
            _ => self.to_string().cmp(&other.to_string()),
        }
    }
}

impl PartialOrd for Uuid {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq<str> for Uuid {
    fn eq(&self, text: &str) -> bool {
        match self {
            Self::Rfc(uuid) => uuid.hyphenated().encode_lower(&mut [0; Hyphenated::LENGTH]) == text,
            Self::Other(id) => id == text,
        }
    }
}

impl PartialEq<&str> for Uuid {
    fn eq(&self, text: &&str) -> bool {
        *self == **text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stays_as_it_is_written_and_is_the_same_where_it_is_written_alike() {
        const RFC: &str = "30ef1c40-2cfe-8764-838a-54b27fe8b884";
        let others = [
            "",
            "1234-ABCD",
            "01D4F1B2C3A49E80",
            "30EF1C40-2CFE-8764-838A-54B27FE8B884",
            "30ef1c402cfe8764838a54b27fe8b884",
            "{30ef1c40-2cfe-8764-838a-54b27fe8b884}",
            "urn:uuid:30ef1c40-2cfe-8764-838a-54b27fe8b884",
            "YkC2Bq-PvQ1-6c0U-hhjn-1cS2-9sXz-abcdef",
        ];
        let rfc = Uuid::from(RFC);
        assert!(matches!(rfc, Uuid::Rfc(_)));
        for text in others {
            let uuid = Uuid::from(text);
            assert!(matches!(uuid, Uuid::Other(_)), "{text}");
            assert!(uuid == text && uuid != RFC && uuid != rfc, "{text}");
        }
        let mut all: Vec<Uuid> = others.into_iter().chain([RFC]).map(Uuid::from).collect();
        let mut texts: Vec<String> = all.iter().map(ToString::to_string).collect();
        all.sort();
        texts.sort();
        assert_eq!(serde_json::to_string(&all).unwrap(), serde_json::to_string(&texts).unwrap());
    }
}
