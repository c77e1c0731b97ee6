//! How text reaches a person: 80 columns, colour, plain ASCII where the console has no UTF-8, and nothing that
//! a disk or a command prints can drive the terminal.

use crate::host::text;

/// Columns of the console that reports are made for.
pub const WIDTH: usize = 80;

/// What the reader's terminal can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Colours, by ANSI escapes.
    pub color: bool,
    /// Characters beyond ASCII.
    pub unicode: bool,
}

/// A colour, by what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Text as it is.
    Plain,
    /// A heading.
    Bold,
    /// All is well.
    Good,
    /// Something ought to be looked at.
    Warn,
    /// Something is wrong.
    Bad,
    /// Beside the point.
    Dim,
}

impl Paint {
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "1",
            Self::Good => "32",
            Self::Warn => "33",
            Self::Bad => "31",
            Self::Dim => "2",
        }
    }
}

/// A text under construction. Whatever is added is made safe first.
#[derive(Debug)]
pub struct Page {
    style: Style,
    out: String,
}

impl Page {
    /// An empty page.
    pub fn new(style: Style) -> Self {
        Self { style, out: String::new() }
    }

    /// What this page can show.
    pub fn style(&self) -> Style {
        self.style
    }

    /// Adds text within a line.
    pub fn put(&mut self, paint: Paint, text: &str) -> &mut Self {
        let text = self.clean(text);
        if self.style.color && paint != Paint::Plain && !text.is_empty() {
            self.out.push_str("\x1b[");
            self.out.push_str(paint.code());
            self.out.push('m');
            self.out.push_str(&text);
            self.out.push_str("\x1b[0m");
        } else {
            self.out.push_str(&text);
        }
        self
    }

    /// Ends the line; spaces at its end are dropped.
    pub fn end(&mut self) -> &mut Self {
        self.out.truncate(self.out.trim_end_matches(' ').len());
        self.out.push('\n');
        self
    }

    /// Adds a line of plain text, wrapped at the page's width.
    pub fn line(&mut self, text: &str) -> &mut Self {
        self.wrapped("", Paint::Plain, "", text)
    }

    /// Adds `indent`, then `label`, then `text` wrapped in what is left of the width: further lines are
    /// indented to where the text began.
    pub fn wrapped(&mut self, indent: &str, paint: Paint, label: &str, text: &str) -> &mut Self {
        let start = indent.chars().count() + label.chars().count();
        self.put(Paint::Plain, indent).put(paint, label).hang(start, text)
    }

    /// Ends a line that is `start` columns long with `text`, wrapped in what is left of the width: further
    /// lines begin in the same column. A line end in `text` is kept.
    pub fn hang(&mut self, start: usize, text: &str) -> &mut Self {
        for (number, line) in
            wrap(&self.clean_lines(text), WIDTH.saturating_sub(start).max(20)).iter().enumerate()
        {
            let indent = if number == 0 { 0 } else { start };
            // Made safe before it was wrapped: what is hidden in half a line would make it wider.
            self.out.push_str(&" ".repeat(indent));
            self.out.push_str(line);
            self.end();
        }
        self
    }

    /// Adds an empty line.
    pub fn gap(&mut self) -> &mut Self {
        self.out.push('\n');
        self
    }

    /// The text.
    pub fn finish(self) -> String {
        self.out
    }

    fn clean(&self, text: &str) -> String {
        let safe = text::safe(&text::without_secrets(text));
        if self.style.unicode { safe } else { text::ascii(&safe) }
    }

    fn clean_lines(&self, text: &str) -> Vec<String> {
        text.trim_end().split('\n').map(|line| self.clean(line)).collect()
    }
}

/// `text` for a single field or line: safe, and at most `most` characters, the last of them dots where it
/// was cut.
pub fn cut(text: &str, most: usize) -> String {
    let safe = text::safe(&text::without_secrets(text));
    if safe.chars().count() <= most {
        return safe;
    }
    let kept: String = safe.chars().take(most.saturating_sub(3)).collect();
    format!("{}...", kept.trim_end())
}

/// Breaks each line at spaces so that none is wider than `width`; a word that is wider is broken itself.
fn wrap(lines: &[String], width: usize) -> Vec<String> {
    let mut out = Vec::new();
    for line in lines {
        let hang = " ".repeat((line.len() - line.trim_start().len()).min(width / 2));
        let mut current = hang.clone();
        for word in line.split_whitespace() {
            let mut word: Vec<char> = word.chars().collect();
            let used = current.chars().count();
            if used > hang.len() && used + 1 + word.len() > width {
                out.push(std::mem::replace(&mut current, hang.clone()));
            } else if used > hang.len() {
                current.push(' ');
            }
            while current.chars().count() + word.len() > width {
                let rest = word.split_off(width - current.chars().count());
                current.extend(word);
                out.push(std::mem::replace(&mut current, hang.clone()));
                word = rest;
            }
            current.extend(word);
        }
        out.push(current.trim_end().to_owned());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_under_its_beginning_and_no_line_is_wider_than_the_console() {
        let mut page = Page::new(Style::default());
        page.wrapped(
            "    ",
            Paint::Bold,
            "fix  ",
            &format!("{} {}\nnext", "word ".repeat(20), "z".repeat(90)),
        );
        let text = page.finish();
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
        assert!(text.starts_with("    fix  word word"), "{text}");
        assert!(text.ends_with("\n         next\n"), "{text}");
        assert_eq!(text.matches('z').count(), 90);
    }

    #[test]
    fn escapes_and_secrets_stay_off_the_page_and_colour_is_ours_alone() {
        let mut page = Page::new(Style { color: true, unicode: true });
        page.put(Paint::Bad, "a\x1b[2J").put(Paint::Plain, " http://u:p@h/").end();
        assert_eq!(page.finish(), "\x1b[31ma\\u{1b}[2J\x1b[0m http://***@h/\n");
    }

    #[test]
    fn what_is_hidden_makes_no_line_wider() {
        let mut page = Page::new(Style::default());
        page.line(&format!("{}/ret&token=abc passphrase:", "x".repeat(66)));
        let text = page.finish();
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(!text.contains("abc"), "{text}");
    }

    #[test]
    fn a_console_without_utf8_gets_ascii() {
        let mut page = Page::new(Style::default());
        page.line("Gr\u{fc}\u{df}e");
        assert_eq!(page.finish(), "Gr??e\n");
    }

    #[test]
    fn a_cut_says_that_it_is_one() {
        assert_eq!(cut("abcdefgh", 8), "abcdefgh");
        assert_eq!(cut("abcdefghi", 8), "abcde...");
    }
}
