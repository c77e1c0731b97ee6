//! What a file sets that bash sources: ifcfg-*, /etc/sysconfig/*, os-release.
//!
//! Assignments are read as bash(1) reads them, and nothing is run. A value that an expansion computes cannot be determined, nor can
//! any of a file that has more in it than assignments, functions and commands.

mod words;

use words::{Lexer, Token, Word};

use crate::host::text::has_word;

/// What a file sets.
#[derive(Debug, Default)]
pub struct Sourced {
    /// In the order in which they are set.
    values: Vec<(String, Value)>,
    /// What of the file only bash can tell the outcome of.
    beyond: Option<String>,
}

#[derive(Debug)]
enum Value {
    Text(String),
    /// By an expansion, or added to what was there.
    Computed,
    Unset,
}

/// What begins a command that is more than one.
const COMPOUND: &str =
    "if then else elif fi for while until case esac do done select function { } [[ time coproc !";

/// Builtins that set variables in other ways than by an assignment, or that end the reading.
const SETTING: &str = ". source eval read set shift let readonly local trap alias unalias printf mapfile readarray getopts \
    exec exit shopt enable";

/// Reads the text of a file.
pub fn parse(text: &str) -> Sourced {
    let mut reader = Reader { lexer: Lexer::new(text), line: Line::default() };
    let mut sourced = Sourced::default();
    // Bash reads a whole line before it carries any of it out, and stops at an error.
    while reader.line() {
        let line = std::mem::take(&mut reader.line);
        sourced.values.extend(line.values);
        sourced.beyond = sourced.beyond.or(line.beyond);
        if line.ends {
            break;
        }
    }
    sourced
}

impl Sourced {
    /// The value that `name` has in the end; `None` where it is not set.
    /// Errors: It cannot be determined without running the file.
    pub fn get(&self, name: &str) -> Result<Option<String>, String> {
        if let Some(beyond) = &self.beyond {
            return Err(beyond.clone());
        }
        match self.values.iter().rev().find(|(other, _)| other == name) {
            None | Some((_, Value::Unset)) => Ok(None),
            Some((_, Value::Text(text))) => Ok(Some(text.clone())),
            Some((_, Value::Computed)) => Err(format!("the value of {name} is computed")),
        }
    }

    /// As [`Self::get`], for who has no use for a value that cannot be determined; an empty one is none.
    pub fn known(&self, name: &str) -> Option<String> {
        self.get(name).ok().flatten().filter(|value| !value.is_empty())
    }
}

/// What one line does.
#[derive(Default)]
struct Line {
    values: Vec<(String, Value)>,
    beyond: Option<String>,
    /// Whether nothing after it is read, or nothing is left.
    ends: bool,
}

struct Reader<'a> {
    lexer: Lexer<'a>,
    line: Line,
}

impl Reader<'_> {
    /// Reads the commands up to the next newline; false at an error of syntax, with which nothing of the line counts.
    fn line(&mut self) -> bool {
        // Whether the next command is a part of a pipeline, or depends on the one before.
        let (mut piped, mut depends) = (false, false);
        // Whether the definition of a function has just ended, which is a command.
        let mut defined = false;
        loop {
            let mut words = Vec::new();
            let end = loop {
                match self.lexer.token() {
                    Token::Word(word) => words.push(word),
                    Token::Redirection => match self.lexer.token() {
                        Token::Word(_) => {}
                        Token::Open => break Token::Open,
                        _ => return false,
                    },
                    other => break other,
                }
            };
            match (&end, words.as_slice()) {
                (Token::Broken, _) | (Token::Close, _) => return false,
                (Token::Open, [name]) if !name.quoted && name.assigned().is_none() => {
                    if !self.function() {
                        return false;
                    }
                    (piped, depends, defined) = (false, false, true);
                    continue;
                }
                (Token::Open | Token::Document, _) => {
                    self.beyond("a compound command");
                    self.line.ends = true;
                    return true;
                }
                (Token::Newline | Token::End, []) if piped || depends => match end {
                    Token::Newline => continue,
                    _ => return false,
                },
                (Token::Newline | Token::End, _) => {}
                (_, []) if !defined => return false,
                _ => {}
            }
            defined = false;
            // Whatever it is a part of: what follows may belong to it.
            if words.first().is_some_and(|word| !word.quoted && has_word(COMPOUND, &word.text)) {
                self.beyond("a compound command");
            }
            let pipes = matches!(end, Token::Pipe | Token::Background);
            if !(piped || pipes) {
                self.command(&words, depends);
            }
            (piped, depends) = (end == Token::Pipe, matches!(end, Token::And));
            match end {
                Token::End => self.line.ends = true,
                Token::Newline => {}
                _ if self.line.ends => {}
                _ => continue,
            }
            return true;
        }
    }

    fn beyond(&mut self, what: &str) {
        let line = self.lexer.line();
        self.line
            .beyond
            .get_or_insert_with(|| format!("line {line} has {what}, whose outcome only bash can tell"));
    }

    /// A simple command; whether it `depends` on the one before.
    #[expect(clippy::fn_params_excessive_bools, reason = "its only caller has a variable of that name")]
    fn command(&mut self, words: &[Word], depends: bool) {
        if words.iter().any(|word| word.sets) {
            self.beyond("an expansion that may set anything");
        }
        let assigned = words.iter().take_while(|word| word.assigned().is_some()).count();
        let Some(command) = words.get(assigned) else {
            if depends && assigned > 0 {
                self.beyond("a condition");
            }
            words.iter().for_each(|word| self.set(word));
            return;
        };
        let arguments = &words[assigned + 1..];
        if command.computed {
            return self.beyond("a command that is computed");
        }
        // Depending on another command, or with variables of its own.
        if (depends || assigned > 0) && has_word("export declare typeset unset return", &command.text) {
            return self.beyond("a condition");
        }
        match command.text.as_str() {
            // Assignments before a command are for that command alone.
            "export" | "declare" | "typeset" => {
                if arguments
                    .iter()
                    .any(|word| word.text.starts_with('-') || word.computed && word.assigned().is_none())
                {
                    self.beyond("a declaration with options");
                }
                arguments.iter().for_each(|word| self.set(word));
            }
            "unset" => {
                let names = arguments.iter().map(|word| (word.text.clone(), Value::Unset));
                self.line.values.extend(names);
            }
            "return" => self.line.ends = true,
            _ if has_word(SETTING, &command.text) => self.beyond("a command that may set anything"),
            _ => {}
        }
    }

    fn set(&mut self, word: &Word) {
        let Some((name, value)) = word.assigned() else { return };
        let is_added = name.ends_with('+');
        let name = name.split(['+', '[']).next().unwrap_or_default().to_owned();
        let value = if word.computed || is_added { Value::Computed } else { Value::Text(value.to_owned()) };
        self.line.values.push((name, value));
    }

    /// Passes over the rest of the definition of a function; false where it has no end.
    fn function(&mut self) -> bool {
        if self.lexer.token() != Token::Close {
            return false;
        }
        let (mut depth, mut begins) = (0, true);
        loop {
            match self.lexer.token() {
                Token::Broken | Token::End => return false,
                Token::Word(word) => {
                    let brace = begins && !word.quoted;
                    depth += i32::from(brace && word.text == "{") - i32::from(brace && word.text == "}");
                    match depth {
                        // `f() (..)` and `f() if ..` are functions as well.
                        0 if word.text != "}" => {
                            self.beyond("a function of another form than f() { .. }");
                            return true;
                        }
                        0 => return true,
                        _ => begins = ["{", "then", "do", "else"].contains(&word.text.as_str()),
                    }
                }
                Token::Open | Token::Close | Token::Redirection | Token::Document => {}
                _ => begins = true,
            }
        }
    }
}

#[cfg(test)]
#[path = "shell/tests.rs"]
mod tests;
