//! `history`: the journal for people.

use serde::Serialize;

use super::style::{Page, Paint, Style};
use crate::changes::Change;
use crate::state::journal::{Entry, Event};

/// An entry for people, and how it looks.
fn line(entry: &Entry<Change>) -> (Paint, String) {
    match &entry.event {
        Event::Begin { agent, profile, resumed, selection } => {
            let verb = if *resumed { "apply is resumed after the restart" } else { "apply begins" };
            let only = selection.as_ref().map(|selection| format!(", {}", selection.options()));
            let only = only.unwrap_or_default();
            (Paint::Bold, format!("{verb} (mt-agent {agent}, profile {profile}, pid {}{only})", entry.pid))
        }
        Event::Intent { requirement, change } => (Paint::Dim, format!("{requirement}: {}", change.summary())),
        Event::Done { requirement, changed: Some(what) } => {
            (Paint::Good, format!("{requirement}: done: {what}"))
        }
        Event::Done { requirement, changed: None } => (Paint::Dim, format!("{requirement}: was so already")),
        Event::Failed { requirement, error } => (Paint::Bad, format!("{requirement}: FAILED: {error}")),
        Event::End { verdict } => (Paint::Dim, format!("ended: {}", verdict.replace('-', " "))),
    }
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
pub fn render(entries: &[Entry<Change>], torn: &[usize], style: Style) -> String {
    let mut page = Page::new(style);
    if entries.is_empty() && torn.is_empty() {
        page.line("no run has been recorded on this host");
    }
    for (index, entry) in entries.iter().enumerate() {
        let (paint, text) = line(entry);
        if index > 0 && matches!(entry.event, Event::Begin { .. }) {
            page.gap();
        }
        page.wrapped("", paint, &format!("{}  ", entry.at), &text);
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
    let shown = |run: &[usize]| match run {
        [first, .., last] => format!("{first}-{last}"),
        run => run.iter().map(usize::to_string).collect(),
    };
    let mut text = runs.by_ref().take(SHOWN).map(shown).collect::<Vec<_>>().join(", ");
    let more: usize = runs.map(<[usize]>::len).sum();
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::journal;

    #[test]
    fn runs_are_told_apart_and_each_change_says_what_came_of_it() {
        let journal = "\
{\"at\":\"2026-06-01T10:00:00Z\",\"boot_id\":\"a\",\"pid\":7,\"event\":\"begin\",\"agent\":\"0.1.0\",\"profile\":\"centos-6.6\",\"resumed\":false}
{\"at\":\"2026-06-01T10:00:01Z\",\"boot_id\":\"a\",\"pid\":7,\"event\":\"done\",\"requirement\":\"packages.base\",\"changed\":\"installed perl\"}
{\"at\":\"2026-06-01T10:00:02Z\",\"boot_id\":\"a\",\"pid\":7,\"event\":\"failed\",\"requirement\":\"retention.disk\",\"error\":\"mkfs \\u001b[2J\"}
{\"at\":\"2026-06-01T10:00:03Z\",\"boot_id\":\"a\",\"pid\":7,\"event\":\"end\",\"verdict\":\"not-ready\"}
{\"at\":\"2026-06-01T10:09
{\"at\":\"2026-06-01T11:00:00Z\",\"boot_id\":\"b\",\"pid\":9,\"event\":\"begin\",\"agent\":\"0.1.0\",\"profile\":\"centos-6.6\",\"resumed\":true}
";
        let (entries, torn) = journal::parse::<Change>(journal);
        assert_eq!(
            render(&entries, &torn, Style::default()),
            "\
2026-06-01T10:00:00Z  apply begins (mt-agent 0.1.0, profile centos-6.6, pid 7)
2026-06-01T10:00:01Z  packages.base: done: installed perl
2026-06-01T10:00:02Z  retention.disk: FAILED: mkfs \\u{1b}[2J
2026-06-01T10:00:03Z  ended: not ready

2026-06-01T11:00:00Z  apply is resumed after the restart (mt-agent 0.1.0,
                      profile centos-6.6, pid 9)
line 5 of the journal cannot be read (torn by a power loss, damaged, or of
                      another version)
"
        );
    }

    #[test]
    fn a_run_of_a_part_is_told_as_one() {
        let (entries, _) = journal::parse::<Change>(
            r#"{"at":"t","boot_id":"a","pid":7,"event":"begin","agent":"0","profile":"p","resumed":false,"selection":{"only":["os"],"skip":["os.clock"],"stage":"image"}}
{"at":"t","boot_id":"a","pid":7,"event":"end","verdict":"selection-ready"}"#,
        );
        let lines: Vec<_> = entries.iter().map(|entry| line(entry).1).collect();
        let begins = "apply begins (mt-agent 0, profile p, pid 7, --only os --skip os.clock --stage image)";
        assert_eq!(lines, [begins, "ended: selection ready"]);
    }

    #[test]
    fn a_journal_of_lines_that_cannot_be_read_is_not_called_empty() {
        let render = |text: &str| {
            let (entries, torn) = journal::parse::<Change>(text);
            render(&entries, &torn, Style::default())
        };
        assert_eq!(render(""), "no run has been recorded on this host\n");
        let later = render("{\"version\":2,\"at\":\"2026-06-01T10:00:00Z\"}\n");
        assert!(later.starts_with("line 1 of the journal cannot be read (torn "), "{later}");
        assert!(!later.contains("no run"), "{later}");
        let garbage = render(&"x\n".repeat(390));
        assert!(garbage.starts_with("lines 1-390 of the journal cannot be read"), "{garbage}");
        let run = "{\"at\":\"t\",\"boot_id\":\"a\",\"pid\":7,\"event\":\"end\",\"verdict\":\"ready\"}\n";
        let some = render(&format!("x\nx\n{}", format!("{run}x\n").repeat(7)));
        assert!(some.contains("\nlines 1-2, 4, 6, 8, 10 and 3 more of the journal cannot be read"), "{some}");
    }
}
