//! Editing multipath.conf in place: the few bytes that name a disk, and no other.

use std::ops::Range;

use anyhow::{Context as _, Result, bail, ensure};
use regex::Regex;

use crate::host::text;

/// What begins a section, and never an attribute.
const SECTIONS: [&str; 9] = [
    "defaults",
    "blacklist",
    "blacklist_exceptions",
    "devnode_blacklist",
    "devices",
    "device",
    "multipaths",
    "multipath",
    "overrides",
];

/// A `keyword value` line.
struct Attribute {
    /// Line number, from 1.
    line: usize,
    /// The sections that it stands in, outermost first.
    sections: Vec<String>,
    name: String,
    value: String,
    /// Where the value stands in the file, quotes included.
    at: Range<usize>,
}

/// What is understood of the file.
struct Configuration {
    attributes: Vec<Attribute>,
    /// Where the line begins that ends the first top-level `blacklist` section.
    blacklist_end: Option<usize>,
}

/// A word of a line and where it stands; `quoted` tells a word `"{"` from a brace.
struct Word {
    text: String,
    at: Range<usize>,
    quoted: bool,
}

impl Word {
    fn is(&self, brace: &str) -> bool {
        !self.quoted && self.text == brace
    }
}

/// `before` with a blacklist that names `scsi_id`: where `stale` stands as a blacklisted wwid it is replaced,
/// else a line is added to the blacklist, else a blacklist to the file. A file that names it already is
/// returned as it is.
///
/// # Errors
/// The file cannot be understood to its end.
pub fn with_wwid(before: &[u8], scsi_id: &str, stale: Option<&str>) -> Result<Vec<u8>> {
    let configuration = parse(before)?;
    let entry = format!("\"^{}$\"", escaped(scsi_id));
    let wwids = || configuration.blacklisted();
    let mut edits: Vec<(Range<usize>, String)> = wwids()
        .filter(|attribute| stale.is_some_and(|stale| attribute.names(stale)))
        .map(|attribute| (attribute.at.clone(), entry.clone()))
        .collect();
    if edits.is_empty() && !wwids().any(|attribute| attribute.names(scsi_id)) {
        edits.push(match configuration.blacklist_end {
            Some(end) => {
                let first = configuration.attributes.iter().find(|one| one.sections == ["blacklist"]);
                let indent = first.map_or_else(|| "\t".to_owned(), |one| indent(before, one.at.start));
                (end..end, format!("{indent}wwid {entry}\n"))
            }
            None => {
                let newline = if before.is_empty() || before.ends_with(b"\n") { "" } else { "\n" };
                (before.len()..before.len(), format!("{newline}blacklist {{\n\twwid {entry}\n}}\n"))
            }
        });
    }
    let mut after = before.to_vec();
    for (at, new) in edits.into_iter().rev() {
        after.splice(at, new.into_bytes());
    }
    Ok(after)
}

/// That the blacklist in `text` hides the root disk `scsi_id` and none of `others` by its SCSI ID.
///
/// # Errors
/// Which entry does otherwise, or cannot be understood.
pub fn check_hidden(text: &[u8], scsi_id: &str, others: &[String]) -> Result<()> {
    let configuration = parse(text)?;
    for attribute in configuration.blacklisted() {
        for other in others {
            ensure!(
                !attribute.matches(other)?,
                "line {} (`wwid {}`) hides the disk {other} from multipath too: correct that line by hand",
                attribute.line,
                text::safe(&attribute.value)
            );
        }
    }
    for attribute in &configuration.attributes {
        if attribute.sections == ["blacklist_exceptions"]
            && attribute.name == "wwid"
            && attribute.matches(scsi_id)?
        {
            bail!(
                "line {} (`wwid {}`) takes the root disk {scsi_id} out of the blacklist again: remove that line by \
                 hand",
                attribute.line,
                text::safe(&attribute.value)
            );
        }
    }
    let mut hidden = false;
    for attribute in configuration.blacklisted() {
        hidden |= attribute.matches(scsi_id)?;
    }
    ensure!(hidden, "the blacklist does not name {scsi_id} after the change");
    Ok(())
}

/// `script` with `stale`, wherever it stands as a word of its own, replaced by `scsi_id`.
#[must_use]
pub fn with_id(script: &[u8], stale: &str, scsi_id: &str) -> Vec<u8> {
    let part_of_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let mut after = Vec::with_capacity(script.len());
    let mut at = 0;
    while at < script.len() {
        let rest = &script[at..];
        let alone = rest.starts_with(stale.as_bytes())
            && !part_of_word(after.last())
            && !part_of_word(rest.get(stale.len()));
        if alone && !stale.is_empty() {
            after.extend_from_slice(scsi_id.as_bytes());
            at += stale.len();
        } else {
            after.push(script[at]);
            at += 1;
        }
    }
    after
}

impl Configuration {
    fn blacklisted(&self) -> impl Iterator<Item = &Attribute> {
        self.attributes.iter().filter(|one| one.sections == ["blacklist"] && one.name == "wwid")
    }
}

impl Attribute {
    /// Whether the value is `id` and nothing but it, anchored or not.
    fn names(&self, id: &str) -> bool {
        let core = self.value.strip_prefix('^').unwrap_or(&self.value);
        let core = core.strip_suffix('$').unwrap_or(core);
        core == id || core == escaped(id)
    }

    /// Whether multipath takes the value, an unanchored regular expression, for one of `id`. A `!` before it
    /// turns it round (0.8 and later), and `*` alone means everything.
    fn matches(&self, id: &str) -> Result<bool> {
        let (inverse, pattern) = match self.value.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, self.value.as_str()),
        };
        let pattern = if pattern == "*" { ".*" } else { pattern };
        let regex = Regex::new(pattern).ok().with_context(|| {
            format!("line {} (`{}`) is not a regular expression", self.line, text::safe(&self.value))
        })?;
        Ok(regex.is_match(id) != inverse)
    }
}

/// What would mean something else in a regular expression, escaped.
fn escaped(id: &str) -> String {
    let mut out = String::new();
    for c in id.chars() {
        if r".^$*+?()[]{}|\".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The blanks before what stands at `at`, on its line.
fn indent(text: &[u8], at: usize) -> String {
    let begin = text[..at].iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    text[begin..at]
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .map(|&byte| char::from(byte))
        .collect()
}

/// The configuration, where all of it is written as multipath's own documentation writes it: a section's
/// brace behind its name or alone on the next line, its end alone on a line, one attribute a line.
fn parse(text: &[u8]) -> Result<Configuration> {
    let mut configuration = Configuration { attributes: Vec::new(), blacklist_end: None };
    let mut sections: Vec<String> = Vec::new();
    // A name alone on its line: the brace must follow.
    let mut pending: Option<String> = None;
    let mut start = 0;
    for (index, line) in text.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let number = index + 1;
        let words = words(line, start).with_context(|| format!("line {number}"))?;
        let odd = || format!("line {number} is not understood: `{}`", shown(line));
        match words.as_slice() {
            [] => {}
            [brace] if brace.is("{") => sections.push(pending.take().with_context(odd)?),
            _ if pending.is_some() => bail!(odd()),
            [brace] if brace.is("}") => {
                if sections == ["blacklist"] {
                    configuration.blacklist_end.get_or_insert(start);
                }
                sections.pop().with_context(odd)?;
            }
            [name, brace] if brace.is("{") && !name.quoted => sections.push(name.text.clone()),
            _ if words.iter().any(|word| word.is("{") || word.is("}")) => bail!(odd()),
            // Without its brace, readers differ on where that section ends.
            [name, _, ..] if SECTIONS.contains(&name.text.as_str()) => bail!(odd()),
            [name] => pending = Some(name.text.clone()),
            [name, value] => configuration.attributes.push(Attribute {
                line: number,
                sections: sections.clone(),
                name: name.text.clone(),
                value: value.text.clone(),
                at: value.at.clone(),
            }),
            [name, ..] if name.text == "wwid" => bail!(odd()),
            _ => {}
        }
        start += line.len();
    }
    if let Some(open) = pending.or_else(|| sections.pop()) {
        bail!("the section `{}` has no end", text::safe(&open));
    }
    Ok(configuration)
}

fn shown(line: &[u8]) -> String {
    text::safe(String::from_utf8_lossy(line).trim())
}

/// The words of a line that stands at `start` in the file, without its comment.
fn words(line: &[u8], start: usize) -> Result<Vec<Word>> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(&byte) = line.get(at) {
        if byte.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        if matches!(byte, b'#' | b'!') {
            break;
        }
        let begin = at;
        let quoted = byte == b'"';
        let content = if quoted {
            let length = line[at + 1..].iter().position(|&byte| byte == b'"');
            let length = length.with_context(|| format!("a quote has no end: `{}`", shown(line)))?;
            at += length + 2;
            &line[begin + 1..at - 1]
        } else {
            let length = line[at..].iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'"');
            at += length.unwrap_or(line.len() - at);
            &line[begin..at]
        };
        let text = String::from_utf8_lossy(content).into_owned();
        // Versions differ on a brace that touches a word.
        if !quoted && text.len() > 1 && text.contains(['{', '}']) {
            bail!("a brace touches a word: `{}`", shown(line));
        }
        // Versions differ on where such a word ends.
        if !quoted && (text.contains(['#', '!']) || !text.bytes().all(|byte| byte.is_ascii_graphic())) {
            bail!("a comment touches a word, or it has odd characters: `{}`", shown(line));
        }
        words.push(Word { text, at: start + begin..start + at, quoted });
    }
    Ok(words)
}
