//! YAML that any reader of it takes for what was meant, with a comment on each value.

use std::fmt::Write;

use serde_yaml::{Mapping, Value};

use super::decode::below;
use crate::host::text::safe;

/// The column at which comments begin, where a line is not longer.
const COLUMN: usize = 60;

/// The keys and values of a mapping; all keys of the file format are text.
pub fn pairs(entries: &Mapping) -> impl Iterator<Item = (&str, &Value)> {
    entries.iter().filter_map(|(key, value)| Some((key.as_str()?, value)))
}

/// The comment on the value at a path, if there is one.
pub type Remark<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A text in YAML that grows.
pub struct Writer<'a> {
    pub out: String,
    remark: Remark<'a>,
}

impl<'a> Writer<'a> {
    /// Goes on after `out`.
    pub fn new(out: String, remark: Remark<'a>) -> Self {
        Self { out, remark }
    }

    pub fn entry(&mut self, key: &str, value: &Value) {
        self.value(0, key, value, key);
    }

    /// Writes `lead` (a key, or the dash of a list) and its value, `indent` spaces in.
    fn value(&mut self, indent: usize, lead: &str, item: &Value, path: &str) {
        let pad = " ".repeat(indent);
        let key = if lead == "-" { "-".to_owned() } else { format!("{lead}:") };
        match item {
            Value::Sequence(items) if items.is_empty() => self.line(&format!("{pad}{key} []"), path),
            Value::Sequence(items) => {
                let _ = writeln!(self.out, "{pad}{key}");
                for (index, item) in items.iter().enumerate() {
                    self.value(indent + 2, "-", item, &format!("{path}[{index}]"));
                }
            }
            Value::Mapping(entries) => {
                // The first key of a list's item stands beside the dash.
                let beside = lead == "-";
                if !beside {
                    let _ = writeln!(self.out, "{pad}{key}");
                }
                for (index, (key, item)) in pairs(entries).enumerate() {
                    let start = self.out.len();
                    self.value(indent + 2, key, item, &below(path, key));
                    if beside && index == 0 {
                        self.out.replace_range(start + indent..=start + indent, "-");
                    }
                }
            }
            scalar => self.line(&format!("{pad}{key} {}", plain_or_quoted(scalar)), path),
        }
    }

    /// Writes the line of the value at `path`, with the comment on it.
    fn line(&mut self, line: &str, path: &str) {
        let _ = match (self.remark)(path) {
            Some(remark) => writeln!(self.out, "{line:<COLUMN$}  # {remark}"),
            None => writeln!(self.out, "{line}"),
        };
    }
}

/// A scalar in YAML that any reader of YAML 1.1 or 1.2 takes for what it is.
fn plain_or_quoted(scalar: &Value) -> String {
    match scalar {
        Value::String(text) if plain(text) => text.clone(),
        Value::String(text) => quoted(text),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        _ => "null".into(),
    }
}

/// Whether `text` needs no quotes: words, paths, addresses, and sizes such as `6 GB`.
fn plain(text: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty()
            && !word.ends_with(':')
            && word.chars().all(|c| c.is_ascii_alphanumeric() || "/._+-:()@%=~,".contains(c))
    };
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || b"._+-:eExXoO".contains(&byte));
    // 36000c29… is text, but 3e5 and 12:30:45 are not, everywhere.
    let like_a_number = text.chars().next().is_none_or(|c| !(c.is_ascii_alphabetic() || c == '/'))
        && (number(text) || text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'.'));
    let reserved = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let begins_well = text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric() || c == '/');
    begins_well
        && !like_a_number
        && !reserved.contains(&text.to_ascii_lowercase().as_str())
        && text.split(' ').all(word)
}

/// `text` in double quotes.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            // What is not shown as itself is not written as itself: a comment or a quote could hide behind it.
            c if safe(c.encode_utf8(&mut [0; 4])).chars().ne([c]) => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
