//! Where words go: reports to standard output, diagnostics to standard error.

use std::env;
use std::io::{self, IsTerminal, Write};

use anyhow::Context;
use clap::ValueEnum;

use crate::host::text;
use crate::report::style::Style;

/// When to colour: `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal that can, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// What standard output can show, by this choice and the environment.
    pub fn style(self) -> Style {
        let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let color = match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                io::stdout().is_terminal()
                    && !set("NO_COLOR")
                    && env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        };
        Style { color, unicode: is_utf8_locale(|name| env::var(name).ok()) }
    }
}

/// Whether the locale's character set is UTF-8: the first of LC_ALL, LC_CTYPE and LANG that is set decides.
pub fn is_utf8_locale(variable: impl Fn(&str) -> Option<String>) -> bool {
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(variable).find(|value| !value.is_empty());
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// Writes to standard output. A reader that has gone away (`| head`) has what it wanted.
/// Errors: Any other failure: a full disk must not look like a report.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.context("writing to standard output"),
    }
}

/// Writes one diagnostic line to standard error. Where that cannot be written, nothing else can report it.
pub fn complain(message: &str) {
    let message = text::safe(&text::without_secrets(message));
    let message = if Color::Never.style().unicode { message } else { text::ascii(&message) };
    let _ = writeln!(io::stderr(), "mt-agent: {message}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_locale_variable_that_is_set_decides() {
        let locale = |list: &'static [(&str, &str)]| {
            is_utf8_locale(|name| list.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
        };
        assert!(locale(&[("LANG", "en_US.UTF-8")]));
        assert!(locale(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8"), ("LANG", "C")]));
        assert!(!locale(&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")]));
        assert!(!locale(&[]));
    }
}
