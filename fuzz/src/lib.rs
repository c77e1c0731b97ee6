//! What the targets have in common: what must hold of text that a person reads.

use std::borrow::Cow;

use mt_agent::report::style::Style;

/// The styles of the four kinds of terminal.
pub const STYLES: [Style; 4] = [
    Style { color: false, unicode: false },
    Style { color: false, unicode: true },
    Style { color: true, unicode: false },
    Style { color: true, unicode: true },
];

/// Bytes as a reader of files sees them.
pub fn text(data: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(data)
}

/// Whether `c` can drive a terminal, reorder or hide text.
fn dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Asserts that `line` is one line that no terminal obeys.
pub fn safe_line(line: &str) {
    assert!(!line.chars().any(dangerous), "not safe to show: {line:?}");
}

/// Asserts that `page` was made for `style`: no escapes but our colours, ASCII where that is all there is.
pub fn safe_page(page: &str, style: Style) {
    let mut plain = page.to_owned();
    if style.color {
        for code in ["0", "1", "2", "31", "32", "33"] {
            plain = plain.replace(&format!("\x1b[{code}m"), "");
        }
    }
    let bad = plain.chars().find(|c| *c != '\n' && dangerous(*c));
    assert!(bad.is_none(), "{bad:?} in {plain:?}");
    assert!(style.unicode || page.is_ascii(), "not ASCII: {page:?}");
}

/// Asserts that `document` is one JSON document in ASCII without control characters.
pub fn safe_document(document: &str) -> serde_json::Value {
    assert!(document.is_ascii() && !document.chars().any(|c| c != '\n' && c.is_control()), "{document:?}");
    serde_json::from_str(document).unwrap_or_else(|error| panic!("{error}: {document:?}"))
}
