//! Passwords, passphrases and tokens taken out of text: they reach no log, no journal and no report.
//!
//! It would rather hide a harmless word than show a secret: what it is given is output of other programs. What is not
//! needed is better not kept at all; this is for what has to be shown.

mod addresses;
mod hashes;
mod named;
mod names;
mod place;
mod quotes;
mod sentence;

use std::borrow::Cow;
use std::ops::Range;

use self::named::Open;
pub use self::names::MASK;
use self::place::{Above, end_tag};
use self::quotes::Quote;
use super::unfit_to_show;

/// `text` with what looks like a secret replaced by `***`: credentials of addresses (`scheme://user:password@host`) and
/// what signs them, values of what is called password, passphrase, secret, token or the like, headers that authenticate, users
/// with their passwords, hashes of passwords, and private keys. The number of lines stays. A line of which something is hidden loses
/// its colours and its invisible characters.
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

/// How many lines a value has at most of which the end is missing: a quote or a tag that nothing closes.
const LONGEST_VALUE: usize = 64;

/// In how many lines below `name: password` its `value` may stand.
const NAMED_FOR: usize = 3;

/// Takes secrets out of text that comes line by line: a value can stand in the line below its name, and a private key has
/// many lines.
#[derive(Debug, Default)]
pub struct Masker {
    after: After,
    /// In how many lines a `value` is that of a secret.
    named: usize,
}

/// What the lines before tell of the next one.
#[derive(Debug, Default)]
enum After {
    #[default]
    Nothing,
    /// A value that is named there stands here.
    Value { indent: usize },
    /// It has begun, and goes on as long as lines are indented by more than its name; the items of a list by as much.
    More { indent: usize, is_list: bool },
    /// The value there began with this quote, which may be closed here, for so many lines at most.
    Quote(Quote, usize),
    /// The tag of this name may be closed here, for so many lines at most.
    Tag(String, usize),
    /// A private key goes on, for so many lines at most.
    Key(usize),
}

/// Bytes of a line that are looked at; what stands behind them is hidden. Of a long line each name is looked at with all that
/// follows, and other machines can make a tool print megabytes in one.
const LONGEST_LINE: usize = 8192;

impl Masker {
    /// The next line, without its end, as [`without_secrets`].
    pub fn line(&mut self, line: &str) -> String {
        if line.len() > LONGEST_LINE {
            let end = (0..=LONGEST_LINE).rev().find(|at| line.is_char_boundary(*at)).unwrap_or_default();
            return self.line(&line[..end]) + MASK;
        }
        let plain = plain(line);
        let masked = self.plain_line(&plain);
        if masked == plain { line.to_owned() } else { masked }
    }

    fn plain_line(&mut self, line: &str) -> String {
        let indent = line.len() - line.trim_start().len();
        if line.len() == indent {
            return line.to_owned();
        }
        let hidden = || format!("{}{MASK}", &line[..indent]);
        let is_item = line[indent..].starts_with("- ");
        match std::mem::take(&mut self.after) {
            After::Key(left) => self.key(line, left),
            After::More { indent: of_name, is_list }
                if indent > of_name || (is_list && is_item && indent == of_name) =>
            {
                self.after = After::More { indent: of_name, is_list };
                hidden()
            }
            // `password: ` of dnf's settings is empty, and `passwd:` of apt-cache tells of a package.
            After::Value { indent: of_name }
                if line.trim_start().starts_with("Installed: ")
                    || (indent <= of_name && is_setting(line)) =>
            {
                self.scan(line, indent)
            }
            After::Value { indent: of_name } if key_begins(line).is_none() => {
                if line.trim_end().ends_with('\\') {
                    self.after = After::Value { indent: of_name };
                } else if indent > of_name || is_item {
                    self.after = After::More { indent: of_name.min(indent), is_list: is_item };
                }
                hidden()
            }
            After::Quote(quote, left) => match quote.closed(line) {
                Some(end) => format!("{MASK}{}", self.scan(&line[end..], indent)),
                None => {
                    self.after = if left > 1 { After::Quote(quote, left - 1) } else { After::Nothing };
                    hidden()
                }
            },
            After::Tag(name, left) => match end_tag(line, &name) {
                Some(end) if end <= indent => self.scan(line, indent),
                Some(end) => hidden() + &self.scan(&line[end..], indent),
                None => {
                    self.after = if left > 1 { After::Tag(name, left - 1) } else { After::Nothing };
                    hidden()
                }
            },
            After::Nothing | After::Value { .. } | After::More { .. } => self.scan(line, indent),
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
                self.after = After::Key(LONGEST_KEY);
                return out;
            };
            rest = &tail[end..];
        }
        out + &self.values(rest, indent)
    }

    /// A line without private keys.
    fn values(&mut self, line: &str, indent: usize) -> String {
        let above = if self.named > 0 { Above::NamesOne } else { Above::NamesNone };
        let (mut shown, found) = without_values(line, above);
        // What is masked can make an address out of what stands beside it: masked again, it is to stay as it is.
        let mut changed = shown != line;
        for _ in 0..AGAIN {
            if !changed {
                break;
            }
            let (again, _) = without_values(&shown, above);
            changed = again != shown;
            shown = again;
        }
        self.named = if found.names_one { NAMED_FOR } else { self.named.saturating_sub(1) };
        self.after = match found.open {
            Open::Nothing => After::Nothing,
            Open::Value => After::Value { indent },
            Open::More => After::More { indent, is_list: false },
            Open::Quote(quote) => After::Quote(quote, LONGEST_VALUE),
            Open::Tag(name) => After::Tag(name, LONGEST_VALUE),
        };
        shown
    }

    /// A line of a private key, which may end here.
    fn key(&mut self, line: &str, left: usize) -> String {
        match line.find(KEY_ENDS) {
            Some(end) => hidden(&line[..end]).to_owned() + &self.scan(&line[end..], 0),
            None => {
                self.after = if left > 1 { After::Key(left - 1) } else { After::Nothing };
                MASK.to_owned()
            }
        }
    }
}

/// Whether a line begins with `name: `, in small letters.
fn is_setting(line: &str) -> bool {
    line.trim_start().split_once(": ").is_some_and(|(name, _)| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || b"_-".contains(&byte))
    })
}

/// How often what was masked is looked at again, at most.
const AGAIN: usize = 4;

/// A line without the secrets in it, and what it names.
fn without_values(line: &str, above: Above) -> (String, named::Values) {
    let mut parts = addresses::with_scheme(line);
    // A user may be called `token`. An address that was cut off has no end, and may be no address.
    let whole: Vec<_> = parts.iter().filter(|at| line[at.end..].starts_with('@')).cloned().collect();
    let mut found = named::values(line, &whole, above);
    parts.append(&mut found.at);
    parts.extend(hashes::all(line));
    if line.contains('@') {
        parts.extend(addresses::without_scheme(line));
    }
    (masked(line, parts), found)
}

/// `line` without what a terminal does not show: sequences that colour it, and invisible characters within a name.
fn plain(line: &str) -> Cow<'_, str> {
    let is_shown = |c: char| c == '\t' || c == '\r' || !unfit_to_show(c);
    if line.chars().all(is_shown) {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let behind = &rest[c.len_utf8()..];
        let sequence =
            if c == '\u{9b}' { Some(behind) } else { behind.strip_prefix('[').filter(|_| c == '\u{1b}') };
        let final_of = |text: &'_ str| text.find(|c: char| !(c.is_ascii_digit() || ";:?".contains(c)));
        rest = match sequence.and_then(|text| Some(&text[final_of(text)?..])) {
            Some(text) if text.starts_with(|c: char| c.is_ascii_alphabetic()) => &text[1..],
            _ => {
                out.extend(Some(c).filter(|c| is_shown(*c)));
                behind
            }
        };
    }
    Cow::Owned(out)
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
