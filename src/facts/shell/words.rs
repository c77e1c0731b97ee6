//! The words and operators of a text, as bash parts them: a word ends at a blank, a tab, a newline or one of `|&;()<>`, and at
//! nothing else. A carriage return and a no-break space are parts of it.

/// What a character stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    None,
    Double,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token {
    Word(Word),
    Newline,
    /// `;`, or one after the other.
    Then,
    /// `&&` or `||`.
    And,
    /// `|` or `|&`.
    Pipe,
    /// `&`.
    Background,
    Open,
    Close,
    /// `<` or `>` and their like; the next word is the file.
    Redirection,
    /// `<<`: what follows is no command.
    Document,
    End,
    /// A quotation or an expansion without an end.
    Broken,
}

/// A word, without its quotes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    pub text: String,
    /// Whether any of it is quoted: then it is no reserved word.
    pub quoted: bool,
    /// Whether there is an expansion in it.
    pub computed: bool,
    /// Whether an expansion in it may set a variable: `${A:=x}`, `$((A=1))`.
    pub sets: bool,
    /// Where the sign of an assignment stands, whose name is not quoted.
    sign: Option<usize>,
}

impl Word {
    /// Name and value, where it is an assignment; the name of one that adds ends with `+`.
    pub(super) fn assigned(&self) -> Option<(&str, &str)> {
        self.sign.map(|sign| (&self.text[..sign], &self.text[sign + 1..]))
    }

    /// Whether what is read so far is a name that can be assigned to, or an element of an array.
    fn is_name(&self) -> bool {
        let name = self.text.strip_suffix('+').unwrap_or(&self.text);
        let name =
            name.strip_suffix(']').and_then(|name| name.split_once('[')).map_or(name, |(name, _)| name);
        !self.quoted
            && !self.computed
            && !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    }
}

pub(super) struct Lexer<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text, line: 1 }
    }

    /// The number of the line, from 1, on which the last token ended.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        self.line += usize::from(c == '\n');
        Some(c)
    }

    /// Takes `text`, where it is next.
    fn take(&mut self, text: &str) -> bool {
        let found = self.rest.starts_with(text);
        if found {
            text.chars().for_each(|_| _ = self.next());
        }
        found
    }

    pub(super) fn token(&mut self) -> Token {
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t']);
            if !self.take("\\\n") {
                break;
            }
        }
        if self.peek() == Some('#') {
            self.rest = &self.rest[self.rest.find('\n').unwrap_or(self.rest.len())..];
        }
        // The number of a descriptor belongs to what redirects it.
        let after = self.rest.trim_start_matches(|c: char| c.is_ascii_digit());
        if after.len() < self.rest.len() && after.starts_with(['<', '>']) {
            self.rest = after;
        }
        let operators = [
            ("\n", Token::Newline),
            ("&&", Token::And),
            ("||", Token::And),
            ("|&", Token::Pipe),
            ("|", Token::Pipe),
            ("&>", Token::Redirection),
            ("&", Token::Background),
            (";", Token::Then),
            ("(", Token::Open),
            (")", Token::Close),
            ("<<", Token::Document),
            (">>", Token::Redirection),
            (">&", Token::Redirection),
            ("<&", Token::Redirection),
            (">|", Token::Redirection),
            ("<>", Token::Redirection),
            ("<", Token::Redirection),
            (">", Token::Redirection),
        ];
        for (text, token) in operators {
            if self.take(text) {
                return token;
            }
        }
        if self.rest.is_empty() {
            return Token::End;
        }
        self.word().map_or(Token::Broken, Token::Word)
    }

    fn word(&mut self) -> Option<Word> {
        let mut word = Word::default();
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\n' | '|' | '&' | ';' | ')' | '<' | '>' => break,
                // An array.
                '(' if word.sign == Some(word.text.len().wrapping_sub(1)) => {
                    self.next();
                    self.passes_over(')', '(')?;
                    word.computed = true;
                }
                '(' => break,
                '\\' => {
                    self.next();
                    match self.next() {
                        Some('\n') => continue,
                        c => word.text.push(c.unwrap_or('\\')),
                    }
                    word.quoted = true;
                }
                '\'' => {
                    let rest = &self.rest[1..];
                    let end = rest.find('\'')?;
                    word.text.push_str(&rest[..end]);
                    self.line += rest[..end].matches('\n').count();
                    self.rest = &rest[end + 1..];
                    word.quoted = true;
                }
                '"' => {
                    self.next();
                    self.in_double_quotes(&mut word)?;
                    word.quoted = true;
                }
                '$' | '`' => self.expansion(&mut word, Quotes::None)?,
                '~' if word.sign == Some(word.text.len().wrapping_sub(1))
                    || word.text.ends_with(':') && word.sign.is_some() =>
                {
                    self.next();
                    word.computed = true;
                }
                c => {
                    if c == '=' && word.sign.is_none() && word.is_name() {
                        word.sign = Some(word.text.len());
                        word.computed = word.text.contains('[');
                    }
                    word.text.push(c);
                    self.next();
                }
            }
        }
        Some(word)
    }

    fn in_double_quotes(&mut self, word: &mut Word) -> Option<()> {
        loop {
            match self.peek()? {
                '"' => return self.next().map(|_| ()),
                '$' | '`' => self.expansion(word, Quotes::Double)?,
                '\\' => {
                    self.next();
                    match self.peek()? {
                        '\n' => _ = self.next(),
                        c @ ('"' | '\\' | '$' | '`') => {
                            word.text.push(c);
                            self.next();
                        }
                        _ => word.text.push('\\'),
                    }
                }
                c => {
                    word.text.push(c);
                    self.next();
                }
            }
        }
    }

    /// A `$` or a backquote, and what it expands; nothing comes of it here.
    fn expansion(&mut self, word: &mut Word, quotes: Quotes) -> Option<()> {
        let quoted = quotes == Quotes::Double;
        if self.take("`") {
            self.passes_over('`', '`')?;
        } else if self.rest.starts_with("${") || self.rest.starts_with("$((") {
            let all = self.rest;
            let brace = self.take("${");
            if !brace {
                self.take("$(");
            }
            let (close, open) = if brace { ('}', '{') } else { (')', '(') };
            self.passes_over(close, open)?;
            word.sets |= all[..all.len() - self.rest.len()].contains('=');
        } else if self.take("$(") {
            self.passes_over(')', '(')?;
        } else if !quoted && self.take("$'") {
            self.passes_over('\'', '\'')?;
        } else {
            self.next();
            match self.peek() {
                // `$".."` is translated, and here the same.
                Some('"') if !quoted => return Some(()),
                Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                    self.rest = self.rest.trim_start_matches(is_name);
                }
                Some(c) if c.is_ascii_digit() || "@*#?-$!".contains(c) => _ = self.next(),
                _ => {
                    word.text.push('$');
                    return Some(());
                }
            }
        }
        word.computed = true;
        Some(())
    }

    /// Passes over what stands up to `close`; `open` inside it wants a `close` of its own.
    fn passes_over(&mut self, close: char, open: char) -> Option<()> {
        let mut depth = 1;
        while depth > 0 {
            match self.next()? {
                '\\' => _ = self.next(),
                c if c == close => depth -= 1,
                c if c == open => depth += 1,
                _ => {}
            }
        }
        Some(())
    }
}
