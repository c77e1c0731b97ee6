//! The number of a block device: `8:16`.

use std::fmt;
use std::str::FromStr;

use nix::sys::stat::{major, makedev, minor};
use serde::{Deserialize, Serialize};

use crate::host::text;

/// Major and minor number of a block device, as the kernel writes them: `8:16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceNumber {
    major: u32,
    minor: u32,
}

impl Default for DeviceNumber {
    /// A number that no device has: Linux has 12 bits for the driver.
    fn default() -> Self {
        Self { major: u32::MAX, minor: u32::MAX }
    }
}

impl DeviceNumber {
    /// Of its two parts.
    pub fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// From `st_dev` or `st_rdev`.
    pub fn of(dev: u64) -> Self {
        // Linux has 12 bits of the one and 20 of the other.
        let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        Self { major: narrow(major(dev)), minor: narrow(minor(dev)) }
    }

    /// As in `st_rdev`.
    pub fn dev(self) -> u64 {
        makedev(self.major.into(), self.minor.into())
    }

    /// The kernel's number of the driver.
    pub fn major(self) -> u32 {
        self.major
    }

    /// Whether it is of no device: what lies on several (btrfs), on none (tmpfs), or elsewhere (NFS).
    pub fn is_anonymous(self) -> bool {
        self.major == 0
    }
}

impl fmt::Display for DeviceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.major, self.minor)
    }
}

impl FromStr for DeviceNumber {
    type Err = String;

    fn from_str(found: &str) -> Result<Self, String> {
        let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?;
        found
            .split_once(':')
            .and_then(|(major, minor)| Some(Self { major: number(major)?, minor: number(minor)? }))
            .ok_or_else(|| format!("\"{}\" is not the number of a device (8:16)", text::safe(found)))
    }
}

impl TryFrom<String> for DeviceNumber {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<DeviceNumber> for String {
    fn from(number: DeviceNumber) -> Self {
        number.to_string()
    }
}

#[cfg(test)]
impl From<&str> for DeviceNumber {
    fn from(text: &str) -> Self {
        text.parse().unwrap()
    }
}

#[cfg(test)]
impl From<&String> for DeviceNumber {
    fn from(text: &String) -> Self {
        text.parse().unwrap()
    }
}

#[cfg(test)]
impl PartialEq<str> for DeviceNumber {
    fn eq(&self, text: &str) -> bool {
        text.parse() == Ok(*self)
    }
}

#[cfg(test)]
impl PartialEq<&str> for DeviceNumber {
    fn eq(&self, text: &&str) -> bool {
        text.parse() == Ok(*self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_the_kernel_writes_it() {
        let number: DeviceNumber = "253:1048575".parse().unwrap();
        assert_eq!(number.to_string(), "253:1048575");
        assert_eq!(DeviceNumber::of(number.dev()), number);
        assert_eq!(serde_json::to_string(&number).unwrap(), "\"253:1048575\"");
        assert!(DeviceNumber::from("0:40").is_anonymous() && !number.is_anonymous());
        // 8:3 is not 8:32: numbers are compared whole.
        assert_ne!(DeviceNumber::from("8:3"), DeviceNumber::from("8:32"));
        for none in ["", "8", "8:", ":0", "8:x", "+8:0", "8:0 ", "8:0:0", "8:4294967296"] {
            assert!(none.parse::<DeviceNumber>().is_err(), "{none}");
        }
    }
}
