//! Editing multipath.conf in place: the few bytes that name a disk, and no other.

use std::borrow::Cow;
use std::ops::Range;

use anyhow::{Result, bail, ensure};

use crate::facts::multipath::Dialect;
use crate::facts::multipath::parse::{Parsed, Word, parse};
use crate::facts::multipath::{matcher, matches};
use crate::host::{ScsiId, text};

/// `before` with a blacklist that names `scsi_id`: where `stale` stands as a blacklisted wwid it is replaced,
/// else a line is added to the blacklist, else a blacklist to the file. A file that names it already is
/// returned as it is, but for the end of its last line, which el6 needs.
/// Errors: The file cannot be understood to its end.
pub fn with_wwid(before: &[u8], scsi_id: &str, stale: Option<&str>, dialect: Dialect) -> Result<Vec<u8>> {
    let before = &*ended(before, dialect);
    let parsed = understood(before, dialect)?;
    let entry = format!("\"^{}$\"", escaped(scsi_id));
    let wwids = || parsed.blacklist_wwids.iter();
    let mut edits: Vec<(Range<usize>, String)> = wwids()
        .filter(|value| stale.is_some_and(|stale| names(value, stale)))
        .map(|value| (value.span.clone(), entry.clone()))
        .collect();
    if edits.is_empty() && !wwids().any(|value| names(value, scsi_id)) {
        edits.push(match parsed.blacklist_end {
            Some(end) => {
                let indent =
                    parsed.blacklist_first.map_or_else(|| "\t".to_owned(), |first| indent(before, first));
                (end..end, format!("{indent}wwid {entry}\n"))
            }
            None => {
                let newline = newline(before);
                (before.len()..before.len(), format!("{newline}blacklist {{\n\twwid {entry}\n}}\n"))
            }
        });
    }
    Ok(edited(before, edits))
}

/// `before` with the settings `off` of `defaults` at `no`, wherever a section that goes before says otherwise too, and with the
/// `devnode` entries `unhide` of the blacklist made comments.
/// Errors: The file cannot be understood to its end.
pub fn configured(before: &[u8], off: &[String], unhide: &[String], dialect: Dialect) -> Result<Vec<u8>> {
    let before = &*ended(before, dialect);
    let parsed = understood(before, dialect)?;
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let mut missing = String::new();
    for key in off {
        let of_it = || parsed.switches.iter().filter(|(_, name, _)| name == key);
        let is_on =
            |(section, _, value): &&(String, String, Word)| section != "devices device" && value.text != "no";
        edits.extend(of_it().filter(is_on).map(|(_, _, value)| (value.span.clone(), "no".to_owned())));
        if !of_it().any(|(section, ..)| section == "defaults") {
            missing.push_str(&format!("\t{key} no\n"));
        }
    }
    if !missing.is_empty() {
        edits.push(match parsed.defaults_end {
            Some(end) => (end..end, missing),
            None => (before.len()..before.len(), format!("{}defaults {{\n{missing}}}\n", newline(before))),
        });
    }
    for entry in parsed.blacklist_devnodes.iter().filter(|entry| unhide.contains(&entry.text)) {
        let begin = line_start(before, entry.span.start);
        edits.push((begin..begin, "#".to_owned()));
    }
    edits.sort_by_key(|(at, _)| at.start);
    Ok(edited(before, edits))
}

/// `before` with `edits`, which are in the order of their places.
fn edited(before: &[u8], edits: Vec<(Range<usize>, String)>) -> Vec<u8> {
    let mut after = before.to_vec();
    for (at, new) in edits.into_iter().rev() {
        after.splice(at, new.into_bytes());
    }
    after
}

/// `before` with an end of its last line, which 0.4.9 of CentOS 6 does not read without.
fn ended(before: &[u8], dialect: Dialect) -> Cow<'_, [u8]> {
    match (dialect, newline(before)) {
        (Dialect::Later, _) | (_, "") => before.into(),
        (Dialect::El6, newline) => [before, newline.as_bytes()].concat().into(),
    }
}

/// What has to come before a new line at the end.
fn newline(before: &[u8]) -> &'static str {
    if before.is_empty() || before.ends_with(b"\n") { "" } else { "\n" }
}

/// Where the line of the byte `at` begins, as every version of multipath reads it.
fn line_start(text: &[u8], at: usize) -> usize {
    text[..at].iter().rposition(|byte| matches!(byte, b'\n' | b'\r')).map_or(0, |newline| newline + 1)
}

/// That the blacklist in `text` hides the root disk `scsi_id` and none of `others` by its SCSI ID.
/// Errors: Which entry does otherwise, or cannot be understood.
pub fn check_hidden(text: &[u8], scsi_id: &str, others: &[ScsiId], dialect: Dialect) -> Result<()> {
    let parsed = understood(text, dialect)?;
    for Word { line, text, .. } in &parsed.blacklist_wwids {
        let matches = matcher(text);
        if let Some(other) = others.iter().find(|other| matches(other)) {
            bail!(
                "line {line} (`wwid {}`) hides the disk {other} from multipath too: correct that line by hand",
                text::safe(text)
            );
        }
    }
    for Word { line, text, .. } in &parsed.exception_wwids {
        ensure!(
            !matches(text, scsi_id),
            "line {line} (`wwid {}`) takes the root disk {scsi_id} out of the blacklist again: remove that line by \
             hand",
            text::safe(text)
        );
    }
    let hidden = parsed.blacklist_wwids.iter().any(|value| matches(&value.text, scsi_id));
    ensure!(hidden, "the blacklist does not name {scsi_id} after the change");
    Ok(())
}

/// `script` with `stale`, wherever it stands as a word of its own, replaced by `scsi_id`.
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

/// The file, where nothing in it is passed over by multipath or left open.
fn understood(text: &[u8], dialect: Dialect) -> Result<Parsed> {
    let parsed = parse(text, dialect);
    if let Some(line) = parsed.overlong {
        bail!(
            "line {line} is longer than multipath reads at once, and the rest is a line of its own to it: divide it by hand"
        );
    }
    if let Some(problem) = parsed.configuration.problems.first() {
        bail!(text::safe(problem));
    }
    if let Some(open) = &parsed.unclosed {
        bail!("the section `{}` has no end", text::safe(open));
    }
    Ok(parsed)
}

/// Whether the value is `id` and nothing but it, anchored or not.
fn names(value: &Word, id: &str) -> bool {
    let core = value.text.strip_prefix('^').unwrap_or(&value.text);
    let core = core.strip_suffix('$').unwrap_or(core);
    core == id || core == escaped(id)
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
    text[line_start(text, at)..at]
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .map(|&byte| char::from(byte))
        .collect()
}
