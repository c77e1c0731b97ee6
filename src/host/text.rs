//! Strings that come from devices, files and commands, made safe to show.

mod secrets;

use std::fmt::Write;

pub use self::secrets::{MASK, Masker, json_without_secrets, without_secrets};

/// `text` with every control character (terminal escapes among them), bidirectional override and other
/// invisible format character written as `\u{…}`, so that nothing a disk or a command says can
/// drive a terminal. Tabs and line ends become spaces.
pub fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' | '\n' | '\r' => out.push(' '),
            c if unfit_to_show(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// Whether `c` can drive a terminal (a control character), reorder text or hide it (a format character): it has
/// no place in a name of a disk or a host.
pub fn unfit_to_show(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// `text` for a console without UTF-8: every character beyond ASCII becomes `?`.
pub fn ascii(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect()
}

/// Whether `word` is in `list`, which has blanks between its words.
pub(crate) fn has_word(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|one| one == word)
}

/// Bytes in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// A size in binary units, as VMware counts them, cut to one decimal: never more than there is.
pub fn bytes(size: u64) -> String {
    const UNITS: [(&str, u64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match UNITS.iter().find(|(_, unit)| size >= *unit) {
        Some((name, unit)) => {
            let tenths = u128::from(size) * 10 / u128::from(*unit);
            if tenths % 10 == 0 {
                format!("{} {name}", tenths / 10)
            } else {
                format!("{}.{} {name}", tenths / 10, tenths % 10)
            }
        }
        None => format!("{size} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_does_not_reach_the_terminal() {
        assert_eq!(safe("disk\x1b[2J\u{202e}x\ny"), "disk\\u{1b}[2J\\u{202e}x y");
    }
}
