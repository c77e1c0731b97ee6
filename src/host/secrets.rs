//! Passwords, passphrases and tokens taken out of text: they reach no log, no journal and no report.
//!
//! It would rather hide a harmless word than show a secret: what it is given is output of other programs. What is not
//! needed is better not kept at all; this is for what has to be shown.

mod addresses;
mod named;
mod names;

use std::ops::Range;

use self::named::Open;
pub use self::names::MASK;

/// `text` with what looks like a secret replaced by `***`: credentials of addresses (`scheme://user:password@host`) and
/// what signs them, values of what is called password, passphrase, secret, token or the like, headers that authenticate, users
/// with their passwords, and private keys. The number of lines stays.
#[must_use]
pub fn without_secrets(text: &str) -> String {
    let mut masker = Masker::default();
    let masked = text.split_inclusive(['\n', '\r']).map(|line| {
        let (line, end) = line.split_at(line.trim_end_matches(['\n', '\r']).len());
        masker.line(line) + end
    });
    masked.collect()
}

/// How many lines a private key has at most: one of 16,384 bits has some 200.
const LONGEST_KEY: usize = 400;

/// Takes secrets out of text that comes line by line: a value can stand in the line below its name, and a private key has
/// many lines.
#[derive(Debug, Default)]
pub struct Masker(After);

/// What the lines before tell of the next one.
#[derive(Clone, Copy, Debug, Default)]
enum After {
    /// Nothing.
    #[default]
    Nothing,
    /// A value that is named there stands here, and goes on as long as lines are indented by more than its name.
    Value { indent: usize, has_begun: bool },
    /// The value there began with this quote, which may be closed here.
    Quote(char),
    /// A private key goes on, for so many lines at most.
    Key(usize),
}

/// Bytes of a line that are looked at; what stands behind them is hidden. Of a long line each name is looked at with all that
/// follows, and other machines can make a tool print megabytes in one.
const LONGEST_LINE: usize = 8192;

impl Masker {
    /// The next line, without its end, as [`without_secrets`].
    #[must_use]
    pub fn line(&mut self, line: &str) -> String {
        if line.len() > LONGEST_LINE {
            let end = (0..=LONGEST_LINE).rev().find(|at| line.is_char_boundary(*at)).unwrap_or_default();
            return self.line(&line[..end]) + MASK;
        }
        let indent = line.len() - line.trim_start().len();
        if line.len() == indent {
            return line.to_owned();
        }
        match std::mem::take(&mut self.0) {
            After::Key(left) => self.key(line, left),
            After::Value { indent: of_name, has_begun: true } if indent > of_name => {
                self.0 = After::Value { indent: of_name, has_begun: true };
                format!("{}{MASK}", &line[..indent])
            }
            After::Value { indent: of_name, has_begun: false } if key_begins(line).is_none() => {
                if indent > of_name {
                    self.0 = After::Value { indent: of_name, has_begun: true };
                }
                format!("{}{MASK}", &line[..indent])
            }
            After::Quote(quote) => match line.find(quote) {
                Some(at) => format!("{MASK}{}", self.scan(&line[at + 1..], indent)),
                None => self.scan(line, indent),
            },
            After::Nothing | After::Value { .. } => self.scan(line, indent),
        }
    }

    fn scan(&mut self, line: &str, indent: usize) -> String {
        let mut out = String::new();
        let mut rest = line;
        while let Some(begin) = key_begins(rest) {
            out.push_str(&self.values(&rest[..begin], indent));
            let tail = &rest[begin..];
            let end = tail.find(KEY_ENDS);
            out.push_str(hidden(&tail[..end.unwrap_or(tail.len())]));
            let Some(end) = end else {
                self.0 = After::Key(LONGEST_KEY);
                return out;
            };
            rest = &tail[end..];
        }
        out + &self.values(rest, indent)
    }

    /// A line without private keys.
    fn values(&mut self, line: &str, indent: usize) -> String {
        let (mut shown, open) = without_values(line);
        // What is masked can make an address out of what stands beside it: masked again, it is to stay as it is.
        for _ in 0..AGAIN {
            let (again, _) = without_values(&shown);
            if again == shown {
                break;
            }
            shown = again;
        }
        self.0 = match open {
            Open::Nothing => After::Nothing,
            Open::Value => After::Value { indent, has_begun: false },
            Open::Quote(quote) => After::Quote(quote),
        };
        shown
    }

    /// A line of a private key, which may end here.
    fn key(&mut self, line: &str, left: usize) -> String {
        match line.find(KEY_ENDS) {
            Some(end) => hidden(&line[..end]).to_owned() + &self.scan(&line[end..], 0),
            None => {
                self.0 = if left > 1 { After::Key(left - 1) } else { After::Nothing };
                MASK.to_owned()
            }
        }
    }
}

/// How often what was masked is looked at again, at most.
const AGAIN: usize = 4;

/// A line without the secrets in it, and what it leaves open.
fn without_values(line: &str) -> (String, Open) {
    let mut found = addresses::with_scheme(line);
    // A user may be called `token`. An address that was cut off has no end, and may be no address.
    let whole: Vec<_> = found.iter().filter(|at| line[at.end..].starts_with('@')).cloned().collect();
    let (values, open) = named::values(line, &whole);
    found.extend(values);
    if line.contains('@') {
        found.extend(addresses::without_scheme(line));
    }
    (masked(line, found), open)
}

/// `line` with these parts of it, which may overlap, masked.
fn masked(line: &str, mut parts: Vec<Range<usize>>) -> String {
    parts.sort_by_key(|part| part.start);
    let mut out = String::with_capacity(line.len());
    let mut end: Option<usize> = None;
    for part in parts {
        if end.is_none_or(|end| part.start > end) {
            out.push_str(&line[end.unwrap_or_default()..part.start]);
            out.push_str(MASK);
        }
        end = end.max(Some(part.end));
    }
    out.push_str(&line[end.unwrap_or_default()..]);
    out
}

/// What stands in place of a part of a private key.
fn hidden(key: &str) -> &str {
    if key.trim().is_empty() { key } else { MASK }
}

/// How the line that ends a private key begins.
const KEY_ENDS: &str = "-----END ";

/// Where what a private key holds begins in the line, behind its first words.
fn key_begins(line: &str) -> Option<usize> {
    const BEGIN: &str = "-----BEGIN ";
    line.match_indices(BEGIN).find_map(|(at, _)| {
        let begin = at + BEGIN.len();
        let end = begin + line[begin..].find("-----")?;
        line[begin..end].contains("PRIVATE KEY").then_some(end + "-----".len())
    })
}

/// The JSON document `json` without secrets in any of its strings; it stays the document that it is.
#[must_use]
pub fn json_without_secrets(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(start) = rest.find('"') {
        let mut escaped = false;
        let inside = |c: char| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        };
        let Some(length) = rest[start + 1..].find(inside) else { break };
        let end = start + 1 + length + 1;
        let literal = &rest[start..end];
        let masked = serde_json::from_str::<String>(literal).ok().and_then(|plain| {
            let masked = without_secrets(&plain);
            (masked != plain).then(|| serde_json::to_string(&masked).ok()).flatten()
        });
        out.push_str(&rest[..start]);
        out.push_str(masked.as_deref().unwrap_or(literal));
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
#[path = "secrets/tests.rs"]
mod tests;
