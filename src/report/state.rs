//! `state`: what the agent keeps on a host, held against the host.

use serde::{Serialize, Serializer};

use super::ended::Ended;
use super::style::{Page, Paint, Style};
use super::text::Detail;

/// How a record stands to the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stands {
    /// It says what the host shows.
    Agrees,
    Differs,
    /// It cannot be believed: torn, garbage, another kind of file, or not root's alone.
    Damaged,
    /// There is none, and the host shows that there was one.
    Missing,
    /// A later version of the agent wrote it.
    Newer,
    /// There is none, and none is expected.
    None,
}

impl Stands {
    /// Whether nothing is to be done about it.
    pub fn holds(self) -> bool {
        matches!(self, Self::Agrees | Self::None)
    }

    fn look(self) -> (Paint, &'static str) {
        match self {
            Self::Agrees => (Paint::Good, "agrees"),
            Self::Differs => (Paint::Warn, "differs"),
            Self::Damaged => (Paint::Bad, "damaged"),
            Self::Missing => (Paint::Warn, "missing"),
            Self::Newer => (Paint::Warn, "newer"),
            Self::None => (Paint::Dim, "none"),
        }
    }
}

/// A record, or another thing that the agent keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    pub path: &'static str,
    pub status: Stands,
    /// What it says, in a line; empty where nothing.
    #[serde(rename = "says")]
    pub content: String,
    /// What the host says, likewise.
    pub host: String,
    /// What a person does about it, likewise.
    pub fix: String,
}

/// The words of the document for a repair that found nothing to do, or did it.
fn word<S: Serializer>(ended: &Option<Ended>, serializer: S) -> Result<S::Ok, S::Error> {
    match ended {
        Some(Ended::Nothing) => serializer.serialize_str("nothing-to-do"),
        Some(Ended::Finished) => serializer.serialize_str("repaired"),
        ended => ended.serialize(serializer),
    }
}

/// Everything that is kept, and what became of it: the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct State {
    schema: &'static str,
    /// How a repair ended; `None` where it was only looked at.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "word")]
    pub ended: Option<Ended>,
    /// What was changed, or would be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
    pub records: Vec<Row>,
}

impl State {
    pub fn new(records: Vec<Row>) -> Self {
        Self { schema: "mt-agent/state/v1", ended: None, changes: Vec::new(), records }
    }

    pub fn holds(&self) -> bool {
        self.records.iter().all(|row| row.status.holds())
    }
}

pub fn render(state: &State, style: Style, detail: Detail) -> String {
    let mut page = Page::new(style);
    for row in &state.records {
        if detail == Detail::Quiet && row.status.holds() {
            continue;
        }
        let (paint, word) = row.status.look();
        page.put(paint, &format!("{:11}", format!("[{word}]"))).put(Paint::Plain, row.path).end();
        let lines = [("says  ", &row.content), ("host  ", &row.host), ("fix   ", &row.fix)];
        for (label, text) in lines.into_iter().filter(|(_, text)| !text.is_empty()) {
            page.wrapped("           ", Paint::Dim, label, text);
        }
    }
    if !state.changes.is_empty() {
        let heading = match state.ended {
            Some(Ended::Finished) => "Repaired:",
            _ => "state repair would:",
        };
        page.gap().put(Paint::Bold, heading).end();
        for change in &state.changes {
            page.wrapped("  ", Paint::Plain, "- ", change);
        }
    }
    let open = state.records.iter().filter(|row| !row.status.holds()).count();
    let summary = match (state.ended, open) {
        (Some(Ended::Declined), _) => "nothing was changed".to_owned(),
        (_, 0) => "what is on record agrees with this host".to_owned(),
        (_, 1) => "1 record does not agree with this host: see its fix".to_owned(),
        (_, open) => format!("{open} records do not agree with this host: see the fix of each"),
    };
    let summary = match state.ended {
        Some(Ended::Nothing) => format!("nothing to repair: {summary}"),
        _ => summary,
    };
    page.gap().line(&summary);
    page.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::json;

    fn row(status: Stands, fix: &str) -> Row {
        Row {
            path: "/var/lib/mt-agent/retention.json",
            status,
            content: "it is empty \u{1b}[2J".into(),
            host: "sdb carries an ext4 volume that mt-agent made, mounted at /mnt/retention é whole".into(),
            fix: fix.into(),
        }
    }

    #[test]
    fn each_record_is_told_in_80_columns_without_utf_8_and_ends_in_what_it_comes_to() {
        let mut state =
            State::new(vec![row(Stands::Agrees, ""), row(Stands::Damaged, "mt-agent state repair")]);
        let text = render(&state, Style::default(), Detail::Normal);
        assert_eq!(
            text,
            "\
[agrees]   /var/lib/mt-agent/retention.json
           says  it is empty \\u{1b}[2J
           host  sdb carries an ext4 volume that mt-agent made, mounted at
                 /mnt/retention ? whole
[damaged]  /var/lib/mt-agent/retention.json
           says  it is empty \\u{1b}[2J
           host  sdb carries an ext4 volume that mt-agent made, mounted at
                 /mnt/retention ? whole
           fix   mt-agent state repair

1 record does not agree with this host: see its fix
"
        );
        assert!(text.is_ascii() && !state.holds());
        let quiet = render(&state, Style::default(), Detail::Quiet);
        assert!(quiet.starts_with("[damaged]") && !quiet.contains("[agrees]"), "{quiet}");
        state.records.truncate(1);
        state.ended = Some(Ended::Nothing);
        let text = render(&state, Style::default(), Detail::Quiet);
        assert_eq!(text, "\nnothing to repair: what is on record agrees with this host\n");
        state.ended = Some(Ended::Finished);
        state.changes = vec!["set it aside".into()];
        let text = render(&state, Style::default(), Detail::Quiet);
        assert_eq!(text, "\nRepaired:\n  - set it aside\n\nwhat is on record agrees with this host\n");
        let json: serde_json::Value = serde_json::from_str(&json::document(&state).unwrap()).unwrap();
        assert_eq!(json["schema"], "mt-agent/state/v1");
        assert_eq!(json["ended"], "repaired");
        assert_eq!(json["records"][0]["status"], "agrees");
        assert_eq!(json["records"][0].as_object().unwrap().len(), 5);
    }
}
