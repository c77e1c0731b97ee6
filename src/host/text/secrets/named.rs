//! One line: where in it the value of something stands that is called a secret.
//!
//! A value without quotes has no end that can be told (a passphrase has blanks, a password commas), so the rest of the line
//! is hidden with it.

use std::ops::Range;

use super::names::{self, MASK};
use super::place::{Above, Place, Value};
use super::quotes::{Quote, quoted};

/// What a line leaves open.
#[derive(Debug)]
pub(super) enum Open {
    Nothing,
    /// The value stands below.
    Value,
    /// The value may go on in lines that are indented more: a folded header, a plain value of YAML.
    More,
    /// The quote that the value began with was not closed.
    Quote(Quote),
    /// The tag of this name was not closed.
    Tag(String),
}

pub(super) struct Values {
    pub at: Vec<Range<usize>>,
    pub open: Open,
    /// Whether a secret is named here whose value follows: `name: password`.
    pub names_one: bool,
}

/// What opens a value that stands in the lines below.
const OPENERS: [&str; 4] = ["\\", "{", "[", "("];

/// Where such values are, and what the line leaves open. Names within `passed_over` are parts of something else.
pub(super) fn values(line: &str, passed_over: &[Range<usize>], above: Above) -> Values {
    let mut found = Values { at: piped(line), open: Open::Nothing, names_one: false };
    let mut at = 0;
    while let Some(word) = word(line, at) {
        at = word.end;
        if let Some(other) = passed_over.iter().find(|other| other.contains(&word.start)) {
            at = at.max(other.end);
            continue;
        }
        let above = if found.names_one { Above::NamesOne } else { above };
        let place = Place::new(line, word, above);
        found.names_one |= place.is_named();
        let Some(value) = place.value() else { continue };
        match value {
            Value::Assigned(from) if is_below(&line[from..]) => found.open = Open::Value,
            _ => {
                let Some((secret, open)) = secret(line, &value) else { continue };
                found.open = match (open, &value) {
                    (Some(quote), _) => Open::Quote(quote),
                    (None, Value::InTag(_, None)) => Open::Tag(place.plain),
                    (None, Value::Assigned(from)) if secret.end == line.trim_end().len() => {
                        let value = &line[*from..secret.end];
                        match value {
                            _ if value.ends_with('\\') => Open::Value,
                            _ if value.starts_with(['"', '\'', '`']) => Open::Nothing,
                            _ => Open::More,
                        }
                    }
                    _ => Open::Nothing,
                };
                at = at.max(secret.end);
                found.at.push(secret);
            }
        }
    }
    found
}

/// What is written for programs that read passwords: `echo user:x | chpasswd`.
fn piped(line: &str) -> Vec<Range<usize>> {
    let read = line.match_indices('|').filter_map(|(pipe, _)| {
        let command = line[pipe + 1..].trim_start();
        let command = command.strip_prefix("sudo ").unwrap_or(command).trim_start();
        let program = command.split_whitespace().next()?.rsplit('/').next()?;
        let written = line[..pipe].trim_end();
        let words = ["echo ", "printf "].iter().filter_map(|word| Some(written.find(word)? + word.len()));
        let from = words.min().filter(|_| names::reads_passwords(program))?;
        (from < written.len()).then_some(from..written.len())
    });
    read.collect()
}

/// The next name from byte `from` on.
fn word(line: &str, from: usize) -> Option<Range<usize>> {
    let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-".contains(byte);
    let bytes = &line.as_bytes()[from..];
    let start = bytes.iter().position(in_name)?;
    let length = bytes[start..].iter().position(|byte| !in_name(byte)).unwrap_or(bytes.len() - start);
    let (start, end) = (from + start, from + start + length);
    Some(start..second(line, start, end).unwrap_or(end))
}

/// Where a name of two words ends: `pass phrase`, `API key`.
fn second(line: &str, start: usize, end: usize) -> Option<usize> {
    let behind = line[end..].trim_start_matches([' ', '\t']);
    let begin = line.len() - behind.len();
    let word = ["phrase", "word", "code", "key"].into_iter().find(|word| {
        behind.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word))
            && !behind[word.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '-')
    });
    let end_of_both = begin + word.filter(|_| begin > end)?.len();
    let first = line[start..end].to_ascii_lowercase();
    let both = line[start..end_of_both].to_ascii_lowercase();
    (names::is_secret(&both) && !names::is_secret_of_words(&first)).then_some(end_of_both)
}

/// Whether the value stands below: nothing, an opening bracket, or how a block of YAML begins (`|`, `>-`, `!!str |2`).
fn is_below(value: &str) -> bool {
    let value = value.trim();
    let tagged = value.starts_with("!!") || value.starts_with("!vault");
    let value = value.split_once(' ').filter(|_| tagged).map_or(value, |(_, value)| value.trim_start());
    let block = value.split_once(" #").map_or(value, |(block, _)| block.trim_end());
    let is_block = block
        .strip_prefix(['|', '>'])
        .is_some_and(|marks| marks.bytes().all(|byte| byte == b'+' || byte == b'-' || byte.is_ascii_digit()));
    value.is_empty() || OPENERS.contains(&value) || is_block
}

/// Where the secret is that begins there, and the quote that it leaves open; `None` where there is none, or none any more.
fn secret(line: &str, value: &Value) -> Option<(Range<usize>, Option<Quote>)> {
    const ENDS: &[char] = &['&', ';', '#', '"', '\'', '`', '<', '>', ' ', '\t'];
    let (Value::At(from) | Value::Assigned(from) | Value::InQuery(from) | Value::InTag(from, _)) = *value;
    let text = &line[from..];
    let masked = text.trim_start_matches('*');
    let is_masked = text.len() - masked.len() >= MASK.len();
    if is_masked && !masked.starts_with(|c: char| c.is_alphanumeric() || "@_%$+=/~^\\".contains(c)) {
        return None;
    }
    let whole = text.trim_end().len();
    let (length, quote) = match value {
        Value::InQuery(_) => (text.find(ENDS).unwrap_or(text.len()), None),
        Value::InTag(_, end) => (end.map_or(whole, |end| end - from), None),
        Value::At(_) | Value::Assigned(_) => quoted(text).unwrap_or((whole, None)),
    };
    (length > 0 || matches!(value, Value::InTag(_, None))).then_some((from..from + length, quote))
}
