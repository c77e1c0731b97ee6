//! The values of the file format. Each is checked as it is read, by the very pattern that the JSON Schema shows.

#[cfg(test)]
use std::borrow::Cow;
use std::net::Ipv6Addr;
use std::sync::LazyLock;
use std::time::Duration;

use regex::Regex;
#[cfg(test)]
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Text types: a name, what is expected (for messages and the schema), a pattern, and what a pattern cannot say.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident, $expected:literal, $pattern:literal, $and:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            fn checked(text: &str) -> Option<Self> {
                static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new($pattern).ok());
                let and: fn(&str) -> bool = $and;
                let right = PATTERN.as_ref().is_some_and(|pattern| pattern.is_match(text)) && and(text);
                right.then(|| Self(text.to_owned()))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Text { expected: $expected, check: Self::checked })
            }
        }

        #[cfg(test)]
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn inline_schema() -> bool {
                true
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "pattern": $pattern, "title": $expected})
            }
        }
    )+};
}

texts! {
    /// The name of a profile.
    Name, "a name of up to 100 ASCII characters", r"^[!-~]([ -~]{0,98}[!-~])?$", |_| true;
    /// Words for people.
    Words, "some words (up to 1000 characters)", r"\S",
        |text| text.chars().count() <= 1000 && !text.chars().any(|c| c.is_control() && !c.is_whitespace());
    /// Another profile.
    Reference, "the name of a built-in profile or a path", r"^[!-~]([ -~]{0,4000}[!-~])?$", |_| true;
    /// A release text.
    Release, "a release such as `CentOS release 6.6 (Final)`", r"^[!-~]([ -~]{0,126}[!-~])?$", |_| true;
    /// A time zone.
    Timezone, "a time zone such as `Europe/Berlin`",
        r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$", |text| text.len() <= 64;
    /// A file or directory of the host.
    AbsolutePath, "an absolute path without `.`, `..` or spaces (letters, digits and ._+@%=:~-)",
        r"^(/[A-Za-z0-9._+@%=:~-]+)+$", straight;
    /// Where a partition is mounted.
    PartitionMount, "an absolute mount point without `.`, `..` or spaces (letters, digits and ._+@%=:~-)",
        r"^(/|(/[A-Za-z0-9._+@%=:~-]+)+)$", straight;
    /// A package of the host's package database.
    PackageName, "a package name (letters, digits and ._+-, beginning with a letter or digit)",
        r"^[A-Za-z0-9][A-Za-z0-9._+-]*$", |text| text.len() <= 128;
    /// A package file.
    PackageFile, "a file name that ends in .rpm or .deb, without a directory",
        r"^[A-Za-z0-9][A-Za-z0-9._+~^-]*\.(rpm|deb)$", |text| text.len() <= 255;
    /// A script.
    ScriptName, "a file name without a directory (letters, digits and ._+-)",
        r"^[A-Za-z0-9_][A-Za-z0-9._+-]*$", |text| text.len() <= 255;
    /// Where a file is fetched from.
    Url, "an address that begins with http:// or https:// (for a local directory there is `files.from`)",
        // Two slashes by count: written out, the part behind them looks like the credentials of an address, which
        // no document that we print keeps.
        r"^https?:/{2}[A-Za-z0-9._~%!$&*+,;=:@\[\]-]+(/[!#-;=?-\[\]_a-z~]*)?$", names_a_host;
    /// A SHA-256 checksum.
    Sha256, "a SHA-256 checksum of 64 hexadecimal digits", r"^[0-9A-Fa-f]{64}$", |_| true;
    /// A server.
    Address, "a host name or an IP address, without scheme and port", r"^[A-Za-z0-9:][A-Za-z0-9.:_-]{0,252}$",
        |text| !text.contains(':') || text.parse::<Ipv6Addr>().is_ok();
    /// A version.
    Version, "a version such as '9.10.4149.1'", r"^[0-9]{1,9}(\.[0-9]{1,9}){1,3}$", |_| true;
    /// A disk.
    DiskName, "a SCSI ID, a name below /dev/disk/by-id, or a path below /dev",
        // Of SCSI IDs, those of the types 0, 1 and S are made of vendor and model, and can have blanks.
        r"^([01S][ -~]*|[A-Za-z0-9][A-Za-z0-9._+@%=:~#\\-]*|/dev(/[A-Za-z0-9._+@%=:~-]+)+)$",
        |text| text.len() <= 256 && !text.ends_with(' ') && straight(text);
    /// A requirement's id.
    RequirementId, "the id of a requirement such as `sizing.memory`", r"^[a-z][a-z-]*\.[a-z][a-z-]*$",
        |text| text.len() <= 80;
    /// A day.
    Day, "a date of this century such as '2026-12-31'", r"^20[0-9]{2}-[0-9]{2}-[0-9]{2}$", |text| date(text).is_some();
}

pub mod installation;

/// No component that leads elsewhere than it reads.
fn straight(text: &str) -> bool {
    text.len() <= 1024 && !text.split('/').any(|part| matches!(part, "." | ".."))
}

fn names_a_host(text: &str) -> bool {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    text.len() <= 2048 && !name.is_empty() && !name.starts_with('.')
}

/// The date in `YYYY-MM-DD`.
pub fn date(text: &str) -> Option<time::Date> {
    time::Date::parse(text, time::macros::format_description!("[year]-[month]-[day]")).ok()
}

struct Text<T> {
    expected: &'static str,
    check: fn(&str) -> Option<T>,
}

impl<T> Text<T> {
    fn unquoted<E: de::Error>(&self, found: &str) -> E {
        E::custom(format!("found {found}, which is not text, expected {}; put it in quotes", self.expected))
    }
}

impl<T> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.check)(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<T, E> {
        Err(self.unquoted(&format!("the number {value}")))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<T, E> {
        Err(self.unquoted(&format!("the number {value}")))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<T, E> {
        Err(self.unquoted(&format!("`{value}`")))
    }
}

/// A whole number from `LEAST` to `MOST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Whole<const LEAST: u64, const MOST: u64>(pub u64);

impl<'de, const LEAST: u64, const MOST: u64> Deserialize<'de> for Whole<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Range<const LEAST: u64, const MOST: u64>;
        impl<const LEAST: u64, const MOST: u64> Visitor<'_> for Range<LEAST, MOST> {
            type Value = u64;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "a whole number from {LEAST} to {MOST}")
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<u64, E> {
                let right = (LEAST..=MOST).contains(&value);
                if right { Ok(value) } else { Err(E::invalid_value(Unexpected::Unsigned(value), &self)) }
            }
        }
        deserializer.deserialize_any(Range::<LEAST, MOST>).map(Self)
    }
}

#[cfg(test)]
impl<const LEAST: u64, const MOST: u64> JsonSchema for Whole<LEAST, MOST> {
    fn schema_name() -> Cow<'static, str> {
        format!("WholeFrom{LEAST}To{MOST}").into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": LEAST, "maximum": MOST})
    }
}

/// A size in bytes; GB and the like count in 1024s, as VMware does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

#[cfg(test)]
const SIZE_PATTERN: &str = r"^[0-9]{1,15} ?([KMGT]i?B|B)$";

impl Size {
    fn checked(text: &str) -> Option<Self> {
        let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
        let unit = unit.strip_prefix(' ').unwrap_or(unit);
        let factor = match unit {
            "B" => 1,
            "KB" | "KiB" => 1 << 10,
            "MB" | "MiB" => 1 << 20,
            "GB" | "GiB" => 1 << 30,
            "TB" | "TiB" => 1 << 40,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(factor).filter(|bytes| *bytes > 0).map(Self)
    }

    fn text(self) -> Option<String> {
        const UNITS: [(&str, u64); 4] = [("TB", 1 << 40), ("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)];
        let (name, factor) = UNITS.iter().find(|(_, factor)| self.0.is_multiple_of(*factor))?;
        Some(format!("{} {name}", self.0 / factor))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Size;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(
                    "a size such as `6 GB` (KB, MB, GB or TB, whole, more than 0) or a number of bytes",
                )
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Size, E> {
                if value > 0 {
                    Ok(Size(value))
                } else {
                    Err(E::invalid_value(Unexpected::Unsigned(0), &self))
                }
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Size, E> {
                Size::checked(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Bytes)
    }
}

impl Serialize for Size {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.text() {
            Some(text) => serializer.serialize_str(&text),
            None => serializer.serialize_u64(self.0),
        }
    }
}

#[cfg(test)]
impl JsonSchema for Size {
    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "bytes, or a whole number with KB, MB, GB or TB, which count in 1024s",
            "anyOf": [{"type": "string", "pattern": SIZE_PATTERN}, {"type": "integer", "minimum": 1}],
        })
    }
}

/// A time from one second to one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

const DAY: u64 = 24 * 60 * 60;
const SPAN_EXPECTED: &str = "a time such as `90s`, `10m` or `1h`, from 1s to 24h";

impl Span {
    fn checked(text: &str) -> Option<Self> {
        let unit = text.chars().last()?;
        let factor = match unit {
            's' => 1,
            'm' => 60,
            'h' => 60 * 60,
            _ => return None,
        };
        let number = &text[..text.len() - unit.len_utf8()];
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let secs = number.parse::<u64>().ok()?.checked_mul(factor)?;
        (1..=DAY).contains(&secs).then(|| Self(Duration::from_secs(secs)))
    }

    fn text(self) -> String {
        match self.0.as_secs() {
            secs if secs.is_multiple_of(3600) => format!("{}h", secs / 3600),
            secs if secs.is_multiple_of(60) => format!("{}m", secs / 60),
            secs => format!("{secs}s"),
        }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Time;
        impl Visitor<'_> for Time {
            type Value = Span;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(SPAN_EXPECTED)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
                Span::checked(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Time)
    }
}

impl Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

#[cfg(test)]
impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9]{1,5}[smh]$", "title": SPAN_EXPECTED})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_count_in_1024s() {
        let bytes = |text| Size::checked(text).map(|size| size.0);
        assert_eq!(bytes("6 GB"), Some(6 << 30));
        assert_eq!(bytes("6GiB"), Some(6 << 30));
        assert_eq!(bytes("1 TB"), Some(1 << 40));
        assert_eq!(bytes("512 MB"), Some(512 << 20));
        assert_eq!(bytes("10 B"), Some(10));
        for wrong in [
            "",
            "GB",
            "6",
            "6 gb",
            "6  GB",
            "6 G",
            "-6 GB",
            "6.5 GB",
            "6 GB ",
            "0 KB",
            "17000000 TB",
            "６ GB",
        ] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_are_short_words() {
        let secs = |text| Span::checked(text).map(|span| span.0.as_secs());
        assert_eq!((secs("90s"), secs("10m"), secs("24h")), (Some(90), Some(600), Some(86_400)));
        for wrong in
            ["", "s", "10", "10 m", "1d", "-1s", "+1s", "0m", "86401s", "99999999999999999999h", "1ß"]
        {
            assert_eq!(secs(wrong), None, "{wrong}");
        }
        for text in ["1s", "90s", "2m", "3h"] {
            assert_eq!(Span::checked(text).unwrap().text(), text);
        }
    }

    #[test]
    fn every_pattern_is_one() {
        let right = Name::checked("a").is_some()
            && Words::checked("ä").is_some()
            && Reference::checked("../a b.yaml").is_some()
            && Release::checked("CentOS release 6.6 (Final)").is_some()
            && Timezone::checked("America/Argentina/Buenos_Aires").is_some()
            && AbsolutePath::checked("/a/.b/c-1.x").is_some()
            && PartitionMount::checked("/").is_some()
            && PackageName::checked("python2-pyasn1").is_some()
            && PackageFile::checked("libstdc++-4.4.7-4.el6.x86_64.rpm").is_some()
            && ScriptName::checked("ApplyCustomChanges.sh").is_some()
            && Sha256::checked(&"aB".repeat(32)).is_some()
            && Version::checked("9.42.6215.1").is_some()
            && RequirementId::checked("packages.base").is_some()
            && Day::checked("2028-02-29").is_some();
        assert!(right);
    }

    #[test]
    fn paths_lead_where_they_read() {
        for wrong in
            ["", "/", "a", "/a/", "//a", "/a//b", "/a/../b", "/./a", "/a b", "/a\n", "/a\0", "/ä", "~/a"]
        {
            assert!(AbsolutePath::checked(wrong).is_none(), "{wrong:?}");
        }
        assert!(AbsolutePath::checked("/..a/b..").is_some());
    }

    #[test]
    fn addresses_are_of_the_web_and_name_a_host() {
        for right in ["http://h/x", "https://u:p@h:8080/a?b=c&d#e", "https://[fe80::1]/x", "http://h"] {
            assert!(Url::checked(right).is_some(), "{right}");
        }
        for wrong in
            ["", "h/x", "file:///x", "https://", "https:///x", "https://u@/x", "http://h/a b", "http://h/`x`"]
        {
            assert!(Url::checked(wrong).is_none(), "{wrong}");
        }
        for right in ["cs", "cs.example.com", "10.0.0.4", "fe80::1"] {
            assert!(Address::checked(right).is_some(), "{right}");
        }
        for wrong in ["", "cs:443", "https://cs", "cs/x", "-o", "a b"] {
            assert!(Address::checked(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn disks_are_named_by_id_or_below_dev() {
        for right in [
            "36000c2982b5df41a25811b07e74971e8",
            "scsi-36000c29",
            "SVMware Virtual disk 1",
            "/dev/disk/by-id/x",
        ] {
            assert!(DiskName::checked(right).is_some(), "{right}");
        }
        for wrong in [
            "",
            "/dev",
            "/dev/",
            "/etc/x",
            "/dev/../x",
            "../x",
            "-x",
            "x ",
            " x",
            "a\nb",
            "not a disk",
            "disk!",
        ] {
            assert!(DiskName::checked(wrong).is_none(), "{wrong}");
        }
    }
}
