//! What is wrong with a profile, as one line: where, which key, what was found, what is accepted.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use crate::host::text;

/// Why a profile is refused.
#[derive(Debug, Default)]
pub struct Wrong {
    /// `FILE:LINE`, where that is known.
    pub at: Option<String>,
    /// Path of the key: `retention.mount-point`.
    pub path: Option<String>,
    /// What was found and what is accepted.
    pub what: String,
}

impl Wrong {
    /// Says what is wrong; where is added on the way out.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), ..Self::default() }
    }

    /// Says what is wrong with the value at `path`, which stands at `at`.
    pub fn at(at: impl Into<String>, path: impl Into<String>, what: impl Into<String>) -> Self {
        Self { at: Some(at.into()), path: Some(path.into()), what: what.into() }
    }

    /// Adds where it is, unless a deeper level has said so more exactly.
    pub fn or_at(mut self, at: impl FnOnce() -> String, path: &str) -> Self {
        if self.at.is_none() {
            self.at = Some(at());
            self.path = Some(path.to_owned());
        }
        self
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = String::new();
        for part in [&self.at, &self.path].into_iter().flatten().filter(|part| !part.is_empty()) {
            line.push_str(part);
            line.push_str(": ");
        }
        line.push_str(&self.what);
        f.write_str(&text::safe(&text::without_secrets(&line)))
    }
}

impl std::error::Error for Wrong {}

impl de::Error for Wrong {
    fn custom<T: fmt::Display>(what: T) -> Self {
        Self::new(what.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("found {}, expected {expected}", unexpected(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_variant(found: &str, accepted: &'static [&'static str]) -> Self {
        Self::new(format!("found {}, expected {}", quoted(found), one_of(accepted)))
    }

    fn unknown_field(found: &str, accepted: &'static [&'static str]) -> Self {
        let meant = suggestion(found, accepted);
        Self::new(format!("unknown key {}{meant}; accepted keys: {}", quoted(found), accepted.join(", ")))
    }

    fn missing_field(key: &'static str) -> Self {
        Self::new(format!("the key `{key}` is missing"))
    }
}

/// `` `x` ``, or `` one of `x`, `y` ``.
pub fn one_of(accepted: &[&str]) -> String {
    let names: Vec<_> = accepted.iter().map(|name| format!("`{name}`")).collect();
    if names.len() == 1 { names.concat() } else { format!("one of {}", names.join(", ")) }
}

/// Text of a file, short enough for a message.
pub fn quoted(found: &str) -> String {
    const MOST: usize = 60;
    let found = text::without_secrets(found);
    if found.chars().count() > MOST {
        format!("`{}...`", found.chars().take(MOST).collect::<String>())
    } else {
        format!("`{found}`")
    }
}

fn unexpected(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(value) => format!("the number {value}"),
        Unexpected::Signed(value) => format!("the number {value}"),
        Unexpected::Float(value) => format!("the number {value}"),
        Unexpected::Str(value) => quoted(value),
        Unexpected::Unit | Unexpected::Option => "nothing".into(),
        Unexpected::Seq => "a list".into(),
        Unexpected::Map => "a mapping".into(),
        Unexpected::Other(what) => what.into(),
        other => other.to_string(),
    }
}

/// ` (did you mean …?)` when something known is near to what was written, else nothing.
pub fn suggestion<S: AsRef<str>>(found: &str, known: &[S]) -> String {
    let near = near(found, known);
    if near.is_empty() {
        return String::new();
    }
    let names: Vec<_> = near.iter().map(|name| format!("`{name}`")).collect();
    format!(" (did you mean {}?)", names.join(" or "))
}

/// Up to three of the known names that are near to `found`, the nearest first.
fn near<'a, S: AsRef<str>>(found: &str, known: &'a [S]) -> Vec<&'a str> {
    if found.len() > 80 {
        return Vec::new();
    }
    // A third of the letters may differ; and the words may be joined in another way (`mountpoint`).
    let limit = (found.chars().count() / 3).max(1);
    let bare = |name: &str| name.replace(['-', '_', '.', ' '], "").to_lowercase();
    let mut near: Vec<(usize, &str)> = known
        .iter()
        .map(|name| (strsim::levenshtein(&bare(found), &bare(name.as_ref())), name.as_ref()))
        .filter(|(distance, _)| *distance <= limit)
        .collect();
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_offered_and_far_ones_are_not() {
        let known = ["memory", "mount-point", "filesystem", "retention.mounted"];
        assert_eq!(suggestion("mountpoint", &known), " (did you mean `mount-point`?)");
        assert_eq!(suggestion("memroy", &known), " (did you mean `memory`?)");
        assert_eq!(suggestion("retention.mount", &known), " (did you mean `retention.mounted`?)");
        assert_eq!(suggestion("colour", &known), "");
    }

    #[test]
    fn a_message_is_one_safe_line_without_secrets() {
        let wrong = Wrong::at("a\nb.yaml:3", "files.xfs", "found `https://u:p@h/x\u{1b}[2J`");
        assert_eq!(wrong.to_string(), "a b.yaml:3: files.xfs: found `https://***@h/x`");
        let wrong = Wrong::at("a", "files.xfs", "found `https://h/x\u{1b}[2J`");
        assert_eq!(wrong.to_string(), "a: files.xfs: found `https://h/x\\u{1b}[2J`");
    }
}
