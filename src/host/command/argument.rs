//! The words of a command line, and how they are shown.

use crate::host::text;

/// The most characters of an argument in a command line that is shown.
pub(super) const LONG: usize = 300;

/// A word of a command's line. Which of them is a secret is known where the command is made, and not looked for later.
#[derive(Clone)]
pub(super) enum Argument {
    /// It is shown and logged as it is.
    Shown(String),
    /// It is shown and logged nowhere. /proc shows it to everybody while the command runs: standard input is better.
    Secret(String),
}

impl Argument {
    pub(super) fn word(&self) -> &str {
        let (Self::Shown(word) | Self::Secret(word)) = self;
        word
    }

    /// As a shell takes it for one word, where it may be shown.
    pub(super) fn shown(&self) -> String {
        let Self::Shown(word) = self else { return text::MASK.to_owned() };
        // A list of all packages, that nobody reads.
        match word.char_indices().nth(LONG) {
            Some((end, _)) => quoted(&word[..end]) + "...",
            None => quoted(word),
        }
    }
}

impl std::fmt::Debug for Argument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

/// A word that another program or machine made up, as a person can paste it into a shell: a control character in it is shown, and
/// carried out by none.
pub(crate) fn pasted(word: &str) -> String {
    quoted(&text::safe(word))
}

/// `word` as a shell takes it for one word.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%^".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
