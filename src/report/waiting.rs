//! `history --pending`: the apply that waits for a restart. `check`, `plan` and `apply` show its note.

use serde::Serialize;

use super::style::{Page, Paint, Style};

/// An apply that waits, as it is reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    pub state: Stands,
    /// That it waits and what becomes of it, in a sentence.
    pub note: String,
    /// When a person gave it, RFC 3339 UTC; none of the first boot of a clone.
    pub given_at: Option<String>,
    /// Until when it holds, RFC 3339 UTC.
    pub until: Option<String>,
    /// What it was asked for, as options of `apply`.
    pub asks: Vec<String>,
}

/// How an apply that waits stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stands {
    /// The restart has not happened yet.
    RestartOwed,
    /// It has: it is resumed now.
    Due,
    /// It has, and a person is asked before it is resumed.
    Asks,
    /// It does not hold any more; nothing of it is carried out.
    Void,
    /// The first boot of a clone, until it is finished.
    FirstBoot,
    Sealing,
    /// The record cannot be read; nothing of it is carried out.
    Unreadable,
}

impl Stands {
    /// In a few words, where there is one line.
    pub fn words(self) -> &'static str {
        match self {
            Self::RestartOwed => "an apply waits for a restart",
            Self::Due => "an apply waits to be resumed",
            Self::Asks => "an apply waits for a person's word",
            Self::Void => "an apply that waited is void",
            Self::FirstBoot => "the first boot is not finished",
            Self::Sealing => "a sealing was interrupted",
            Self::Unreadable => "what waits cannot be determined",
        }
    }
}

impl Waiting {
    /// What waits, among the `notes` too; where that is not known, why is one of them.
    pub fn noted(waiting: Result<Option<Self>, &str>, notes: &mut Vec<String>) -> Option<Self> {
        let waiting = waiting.unwrap_or_else(|why| {
            notes.push(why.to_owned());
            None
        });
        notes.extend(waiting.iter().map(|waiting| waiting.note.clone()));
        waiting
    }

    /// A record that cannot be read, and why.
    pub fn unreadable(why: &str) -> Self {
        let note =
            format!("what waits for a restart cannot be determined, and nothing of it is carried out: {why}");
        Self { state: Stands::Unreadable, note, given_at: None, until: None, asks: Vec::new() }
    }
}

/// The document of `history --pending`.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    schema: &'static str,
    pending: Option<&'a Waiting>,
}

/// The document on what waits, if anything does.
pub fn document(waiting: Option<&Waiting>) -> Document<'_> {
    Document { schema: "mt-agent/pending/v1", pending: waiting }
}

pub fn render(waiting: Option<&Waiting>, style: Style) -> String {
    let mut page = Page::new(style);
    let Some(waiting) = waiting else {
        page.line("no apply waits for a restart");
        return page.finish();
    };
    page.hang(0, &waiting.note);
    let rows = [("given", &waiting.given_at), ("until", &waiting.until)];
    for (name, value) in rows.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
        page.wrapped("  ", Paint::Dim, &format!("{name}  "), value);
    }
    for option in &waiting.asks {
        page.wrapped("  ", Paint::Dim, "asks   ", option);
    }
    page.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_shown_with_all_that_it_asks_for() {
        assert_eq!(render(None, Style::default()), "no apply waits for a restart\n");
        let waiting = Waiting {
            state: Stands::RestartOwed,
            note: "an apply waits".into(),
            given_at: Some("2026-06-01T10:00:00Z".into()),
            until: Some("2026-06-02T10:00:00Z".into()),
            asks: vec!["--erase-disk 36000c29".into(), "--skip site".into()],
        };
        assert_eq!(
            render(Some(&waiting), Style::default()),
            "\
an apply waits
  given  2026-06-01T10:00:00Z
  until  2026-06-02T10:00:00Z
  asks   --erase-disk 36000c29
  asks   --skip site
"
        );
        let json = serde_json::to_value(document(Some(&waiting))).unwrap();
        assert_eq!(
            (&json["pending"]["state"], &json["pending"]["asks"][1]),
            (&"restart-owed".into(), &"--skip site".into())
        );
        assert_eq!(serde_json::to_value(document(None)).unwrap()["pending"], serde_json::Value::Null);
    }
}
