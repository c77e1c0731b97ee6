//! `history`: the journal for people.

use serde::Serialize;

use super::style::{Page, Paint, Style};

/// Something that the journal tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When, RFC 3339 UTC.
    pub at: String,
    /// What happened.
    pub text: String,
    /// How it looks.
    pub tone: Tone,
}

/// The kinds of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// A run began.
    Begin,
    /// A change is under way, or nothing had to be done.
    Quiet,
    /// A change was made, a run ended well.
    Good,
    /// Something failed.
    Bad,
}

/// The document of `history`.
#[derive(Debug, Serialize)]
pub struct Document<'a, E: Serialize> {
    schema: &'static str,
    entries: &'a [E],
    torn_lines: &'a [usize],
}

/// The document on the journal's `entries`; `torn` are the numbers of lines that are none.
pub fn document<'a, E: Serialize>(entries: &'a [E], torn: &'a [usize]) -> Document<'a, E> {
    Document { schema: "mt-agent/history/v1", entries, torn_lines: torn }
}

/// The journal as text, oldest first.
#[must_use]
pub fn render(lines: &[Line], torn: &[usize], style: Style) -> String {
    let mut page = Page::new(style);
    if lines.is_empty() && torn.is_empty() {
        page.line("no run has been recorded on this host");
    }
    for (index, line) in lines.iter().enumerate() {
        let paint = match line.tone {
            Tone::Begin => Paint::Bold,
            Tone::Quiet => Paint::Dim,
            Tone::Good => Paint::Good,
            Tone::Bad => Paint::Bad,
        };
        if line.tone == Tone::Begin && index > 0 {
            page.gap();
        }
        page.wrapped("", paint, &format!("{}  ", line.at), &line.text);
    }
    if !torn.is_empty() {
        let lines = if torn.len() == 1 { "line" } else { "lines" };
        page.wrapped(
            "",
            Paint::Plain,
            &format!("{lines} {} of the journal ", ranges(torn)),
            "cannot be read (torn by a power loss, damaged, or of another version)",
        );
    }
    page.finish()
}

/// Line numbers that rise, for people: `1, 4-9`. Of many the first.
pub(crate) fn ranges(numbers: &[usize]) -> String {
    const SHOWN: usize = 5;
    let mut runs = numbers.chunk_by(|one, next| *next == one + 1);
    let told = |run: &[usize]| match run {
        [first, .., last] => format!("{first}-{last}"),
        run => run.iter().map(usize::to_string).collect(),
    };
    let mut text = runs.by_ref().take(SHOWN).map(told).collect::<Vec<_>>().join(", ");
    let more: usize = runs.map(<[usize]>::len).sum();
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}
