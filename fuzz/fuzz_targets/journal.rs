//! The journal: whatever lies in it, the history is shown and nothing is lost from sight.

use mt_agent::report::{history, json};
use mt_agent::run::journal;
use mt_agent_fuzz::{STYLES, safe_document, safe_page, text};

pub fn run(data: &[u8]) {
    let text = text(data);
    let (entries, torn) = journal::parse(&text);
    let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
    assert_eq!(entries.len() + torn.len(), lines);
    for style in STYLES {
        safe_page(&history::render(&entries, &torn, style), style);
    }
    safe_document(&json::document(&history::document(&entries, &torn)).expect("a document"));
}
