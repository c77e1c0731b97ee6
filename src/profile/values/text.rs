//! What the text types of the file format have in common.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::net::Ipv4Addr;
use std::path::Path;

use serde::de::{self, Unexpected, Visitor};

/// How a type stands in the schema, at each place where it is used: its name, its schema, the type, its parameters.
macro_rules! in_schema {
    ($called:expr, $schema:tt, $name:ty, $($bound:ident)*) => {
        #[cfg(test)]
        impl<$(const $bound: u64),*> schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $called.into()
            }
            fn inline_schema() -> bool {
                true
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}

/// Text types: a name, what it holds and what it is used as, what is expected (for messages and the schema), a pattern, and
/// what reads a text that the pattern lets pass.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident($held:ty => $used:ty), $expected:literal, $pattern:literal, $read:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name($held);

        impl $crate::profile::values::text::Checked for $name {
            const EXPECTED: &str = $expected;

            fn checked(text: &str) -> Option<Self> {
                static PATTERN: std::sync::LazyLock<Option<regex::Regex>> =
                    std::sync::LazyLock::new(|| regex::Regex::new($pattern).ok());
                let read: fn(&str) -> Option<$held> = $read;
                PATTERN.as_ref().filter(|pattern| pattern.is_match(text)).and_then(|_| read(text)).map(Self)
            }
        }

        impl std::ops::Deref for $name {
            type Target = $used;

            fn deref(&self) -> &$used {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                $crate::profile::values::text::Checked::checked(text)
                    .ok_or_else(|| concat!("expected ", $expected).to_owned())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any($crate::profile::values::text::Text::default())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&$crate::profile::values::text::Written::written(&**self))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&$crate::profile::values::text::Written::written(&**self))
            }
        }

        in_schema! { stringify!($name), {"type": "string", "pattern": $pattern, "title": $expected}, $name, }
    )+};
}

/// Comparisons with plain text, for the types that are used as it.
macro_rules! compared {
    ($($name:ident)+) => {$(
        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                **self == *other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                **self == **other
            }
        }

        impl PartialEq<$name> for String {
            fn eq(&self, other: &$name) -> bool {
                **self == **other
            }
        }
    )+};
}

/// A value that is made of a text.
pub trait Checked: Sized {
    const EXPECTED: &str;

    /// The value, where the text is one.
    fn checked(text: &str) -> Option<Self>;
}

/// How a value stands in a profile.
pub trait Written {
    fn written(&self) -> Cow<'_, str>;
}

impl Written for str {
    fn written(&self) -> Cow<'_, str> {
        self.into()
    }
}

impl Written for Path {
    fn written(&self) -> Cow<'_, str> {
        self.to_string_lossy()
    }
}

impl Written for time::Date {
    fn written(&self) -> Cow<'_, str> {
        self.to_string().into()
    }
}

impl Written for Ipv4Addr {
    fn written(&self) -> Cow<'_, str> {
        self.to_string().into()
    }
}

pub struct Text<T>(PhantomData<T>);

impl<T> Default for Text<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T: Checked> Text<T> {
    fn unquoted<E: de::Error>(&self, found: &str) -> E {
        E::custom(format!("found {found}, which is not text, expected {}; put it in quotes", T::EXPECTED))
    }
}

impl<T: Checked> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        T::checked(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
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

/// `text` as it is, where `right` holds for it.
#[expect(clippy::fn_params_excessive_bools, reason = "a condition that the caller writes out")]
pub fn kept(text: &str, right: bool) -> Option<String> {
    right.then(|| text.to_owned())
}

/// No component that leads elsewhere than it reads.
pub fn straight(text: &str) -> bool {
    text.len() <= 1024 && !text.split('/').any(|part| matches!(part, "." | ".."))
}

/// Whether an http or https address has a host in it.
pub fn names_a_host(text: &str) -> bool {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    text.len() <= 2048 && !name.is_empty() && !name.starts_with('.')
}
