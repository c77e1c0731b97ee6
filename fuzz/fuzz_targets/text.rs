//! What makes strings of others safe to show.

use mt_agent::host::text::{ascii, safe, without_secrets};
use mt_agent::report::style::{Page, Paint, Style, WIDTH, cut};
use mt_agent::report::{json, nagios};
use mt_agent_fuzz::{STYLES, safe_document, safe_line, safe_page, text};

#[path = "../../tests/support/forms.rs"]
mod forms;

pub fn run(data: &[u8]) {
    let text = text(data);
    let shown = safe(&text);
    safe_line(&shown);
    assert_eq!(safe(&shown), shown, "safe text stays as it is");
    assert!(ascii(&text).is_ascii());
    let masked = without_secrets(&text);
    assert_eq!(without_secrets(&masked), masked, "masked text stays as it is");
    // A secret within an address, in the middle of anything.
    let before = text.trim_end_matches(|c: char| !c.is_whitespace());
    for hidden in [
        format!("{before}http://user:Hidden@host/{text}"),
        format!("{text} https://:Hidden@host"),
        format!("{text} passphrase=Hidden"),
    ] {
        if !text.contains("idden") {
            assert!(!without_secrets(&hidden).contains("Hidden"), "{hidden:?}");
        }
    }
    // And in a form that the bytes choose, with the text around it.
    let mut bytes = data.iter();
    let mut choose = |end: usize| bytes.next().map_or(0, |byte| usize::from(*byte) % end);
    let planted = forms::planted(choose(forms::forms()), &mut choose);
    let hidden = without_secrets(&planted.text);
    assert!(planted.parts.iter().all(|part| !hidden.contains(part.as_str())), "{}: {hidden}", planted.form);
    assert_eq!(without_secrets(&hidden), hidden, "{}", planted.form);
    for most in [0, 3, 20, 300] {
        let cut = cut(&text, most);
        assert!(cut.chars().count() <= most.max(3), "{cut:?}");
        safe_line(&cut);
    }
    for style in STYLES {
        let mut page = Page::new(style);
        page.put(Paint::Bad, &text).end();
        page.wrapped("    ", Paint::Bold, "label ", &text).line(&text);
        safe_page(&page.finish(), style);
        let mut page = Page::new(Style { color: false, ..style });
        page.wrapped("  ", Paint::Plain, "label ", &text).line(&text);
        for line in page.finish().lines() {
            assert!(line.chars().count() <= WIDTH, "too wide: {line:?}");
        }
    }
    let nagios = nagios::error(&text);
    assert!(nagios.is_ascii() && nagios.lines().count() == 1 && !nagios.contains('|'));
    let document = json::document(&[&*text]).expect("a document");
    let back = safe_document(&document);
    assert_eq!(back[0].as_str(), Some(masked.as_str()), "the text is what is documented");
}
