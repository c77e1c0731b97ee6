//! Values in quotes, which may go on over lines.

#[derive(Clone, Copy, Debug)]
pub(super) struct Quote {
    sign: char,
    /// How many backslashes stand before the one that closes: 1 within a document that is itself in quotes.
    escapes: usize,
}

impl Quote {
    /// How long the part of `line` is that belongs to a value that was opened in a line above.
    pub(super) fn closed(self, line: &str) -> Option<usize> {
        self.closed_from(line, 0)
    }

    /// How long the value is, with all that no blank or sign divides from it. A doubled quote is a part of it, but not
    /// right behind the one that opens it, before `start`: that is an empty value.
    fn closed_from(self, text: &str, start: usize) -> Option<usize> {
        let (bytes, sign, mut at) = (text.as_bytes(), self.sign as u8, start);
        while at < bytes.len() {
            let backslashes = bytes[at..].iter().take_while(|byte| **byte == b'\\').count();
            let end = at + backslashes;
            if bytes.get(end) != Some(&sign) || backslashes != self.escapes {
                // What is escaped is a part of it.
                at = end + 1;
            } else if bytes.get(end + 1) == Some(&sign) && self.escapes == 0 && (end > start || start == 0) {
                at = end + 2;
            } else {
                let rest = &text[end + 1..];
                let ends = rest.is_empty()
                    || rest.starts_with(|c: char| c.is_whitespace() || ",;:)]}>&|\\".contains(c));
                let is_whole = ends && !rest.starts_with("\\'");
                return Some(if is_whole { end + 1 } else { text.trim_end().len() });
            }
        }
        None
    }
}

/// How long the value in quotes is with which `text` begins, and the quote, where nothing closes it.
pub(super) fn quoted(text: &str) -> Option<(usize, Option<Quote>)> {
    let bare = text.strip_prefix(['u', 'b', 'r', 'f', '$', '@']).filter(|rest| rest.starts_with(['"', '\'']));
    let bare = bare.unwrap_or(text);
    let escapes = usize::from(bare.starts_with("\\\"") || bare.starts_with("\\'"));
    let sign = bare[escapes..].chars().next().filter(|c| ['"', '\'', '`'].contains(c))?;
    let begin = text.len() - bare.len() + escapes;
    let quote = Quote { sign, escapes };
    let opening = &text[begin..];
    let length = match ["\"\"\"", "'''"].into_iter().find(|three| opening.starts_with(three)) {
        Some(three) => opening[3..].find(three).map(|at| begin + at + 6),
        None => quote.closed_from(text, begin + 1),
    };
    Some(length.map_or((text.trim_end().len(), Some(quote)), |length| (length, None)))
}
