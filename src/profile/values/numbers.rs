//! The numbers of the file format: counts, sizes, times.

use std::time::Duration;

use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// A whole number from `LEAST` to `MOST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Whole<const LEAST: u64, const MOST: u64>(u64);

impl<const LEAST: u64, const MOST: u64> Whole<LEAST, MOST> {
    pub fn get(self) -> u64 {
        self.0
    }
}

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

in_schema! {
    format!("WholeFrom{LEAST}To{MOST}"), {"type": "integer", "minimum": LEAST, "maximum": MOST},
    Whole<LEAST, MOST>, LEAST MOST
}

impl<const LEAST: u64, const MOST: u64> From<u64> for Whole<LEAST, MOST> {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

/// A TCP port: `UNNAMED` where the profile names none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Port<const UNNAMED: u16>(u16);

impl<const UNNAMED: u16> Port<UNNAMED> {
    pub fn get(self) -> u16 {
        self.0
    }
}

impl<const UNNAMED: u16> Default for Port<UNNAMED> {
    fn default() -> Self {
        Self(UNNAMED)
    }
}

impl<const UNNAMED: u16> From<u16> for Port<UNNAMED> {
    fn from(port: u16) -> Self {
        Self(port)
    }
}

impl<'de, const UNNAMED: u16> Deserialize<'de> for Port<UNNAMED> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let named = Option::<Whole<1, 65535>>::deserialize(deserializer)?;
        Ok(named.and_then(|Whole(port)| u16::try_from(port).ok()).map_or_else(Self::default, Self))
    }
}

/// A size in bytes; GB and the like count in 1024s, as VMware does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(u64);

#[cfg(test)]
const SIZE_PATTERN: &str = r"^[0-9]{1,15} ?([KMGT]i?B|B)$";

impl Size {
    pub fn bytes(self) -> u64 {
        self.0
    }

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

impl From<u64> for Size {
    fn from(bytes: u64) -> Self {
        Self(bytes)
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

in_schema! {
    "Size",
    {
        "title": "bytes, or a whole number with KB, MB, GB or TB, which count in 1024s",
        "anyOf": [{"type": "string", "pattern": SIZE_PATTERN}, {"type": "integer", "minimum": 1}],
    },
    Size,
}

/// A time from one second to one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(Duration);

const DAY: u64 = 24 * 60 * 60;
const SPAN_EXPECTED: &str = "a time such as `90s`, `10m` or `1h`, from 1s to 24h";

impl Span {
    pub fn get(self) -> Duration {
        self.0
    }

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

impl From<Duration> for Span {
    fn from(time: Duration) -> Self {
        Self(time)
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

in_schema! {
    "Span", {"type": "string", "pattern": "^[0-9]{1,5}[smh]$", "title": SPAN_EXPECTED}, Span,
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
        for wrong in "GB,6,6 gb,6  GB,6 G,-6 GB,6.5 GB,6 GB ,0 KB,17000000 TB,６ GB,".split(',') {
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
}
