//! One line: where in it the value of something stands that is called a secret.
//!
//! A value without quotes has no end that can be told (a passphrase has blanks, a password commas), so the rest of the line
//! is hidden with it.

use std::ops::Range;

use super::names::{self, MASK};

/// What a line leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Open {
    /// Nothing.
    Nothing,
    /// The value stands below.
    Value,
    /// The quote that the value began with was not closed.
    Quote(char),
}

/// What is said of a package or of a state, and no value: the end of a line, or how it goes on.
const STATES: [&str; 11] = [
    "required",
    "needed",
    "wrong",
    "incorrect",
    "invalid",
    "empty",
    "missing",
    "expired",
    "locked",
    "not set",
    "not valid",
];
const OF_PACKAGES: [&str; 6] =
    ["needed by ", "obsoleted by ", "already ", "not installed", "intended for a ", "not a package"];

/// Whose value may be a user and a password, between them `:` or, of SMB, `%`.
const USERS: [&str; 6] = ["u", "user", "username", "login", "proxy-user", "proxyuser"];

/// What opens a value that stands in the lines below.
const OPENERS: [&str; 14] =
    ["|", "|-", "|+", ">", ">-", ">+", "\\", "{", "[", "(", "\"", "'", "\"\"\"", "'''"];

/// Where a secret stands, and the quote that it leaves open.
struct Secret {
    at: Range<usize>,
    quote: Option<char>,
}

/// Where a value begins.
enum Value {
    /// At this byte of the line.
    At(usize),
    /// There, and it may stand in the next line.
    Assigned(usize),
    /// There, up to the end of a part of an address.
    InQuery(usize),
    /// There, up to the next tag.
    InTag(usize),
}

/// Where such values are, and what the line leaves open. Names within `passed_over` are parts of something else.
pub(super) fn values(line: &str, passed_over: &[Range<usize>]) -> (Vec<Range<usize>>, Open) {
    let mut found = Vec::new();
    let (mut at, mut open) = (0, Open::Nothing);
    while let Some(word) = word(line, at) {
        at = word.end;
        if let Some(other) = passed_over.iter().find(|other| other.contains(&word.start)) {
            at = at.max(other.end);
            continue;
        }
        let Some(value) = Place::new(line, word).value() else { continue };
        if let Value::Assigned(from) = value
            && is_below(&line[from..])
        {
            open = Open::Value;
        } else if let Some(secret) = secret(line, &value) {
            at = at.max(secret.at.end);
            open = secret.quote.map_or(Open::Nothing, Open::Quote);
            found.push(secret.at);
        }
    }
    (found, open)
}

/// The next name from byte `from` on.
fn word(line: &str, from: usize) -> Option<Range<usize>> {
    let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-".contains(byte);
    let bytes = &line.as_bytes()[from..];
    let start = bytes.iter().position(in_name)?;
    let length = bytes[start..].iter().position(|byte| !in_name(byte)).unwrap_or(bytes.len() - start);
    Some(from + start..from + start + length)
}

fn is_below(value: &str) -> bool {
    let value = value.trim();
    value.is_empty() || OPENERS.contains(&value)
}

/// A name in its line.
struct Place<'a> {
    line: &'a str,
    before: &'a str,
    name: &'a str,
    after: &'a str,
    /// The name in lower case, without the dashes of an option.
    plain: String,
}

impl<'a> Place<'a> {
    fn new(line: &'a str, word: Range<usize>) -> Self {
        let (before, name, after) = (&line[..word.start], &line[word.clone()], &line[word.end..]);
        let plain = name.trim_start_matches('-').to_ascii_lowercase();
        Self { line, before, name, after, plain }
    }

    /// Where the value begins, if what stands here has one that is to be hidden.
    fn value(&self) -> Option<Value> {
        let is_secret = names::is_secret(&self.plain);
        if self.before.ends_with(['?', '&', ';'])
            && self.after.starts_with('=')
            && (names::signs(&self.plain) || self.is_user())
            && (self.is_in_address() || !is_secret)
        {
            return Some(Value::InQuery(self.at(&self.after[1..])));
        }
        // What an option takes may itself look like a name.
        if let Some(from) = self.option() {
            return Some(Value::At(from));
        }
        let other = || self.credentials().map(|value| self.at(value)).or_else(|| self.follows());
        is_secret.then(|| self.of_secret()).flatten().or_else(|| other().map(Value::At))
    }

    /// Where the value of an option begins that takes a secret.
    fn option(&self) -> Option<usize> {
        let length = names::option(self.name, self.before)?;
        if length < self.name.len() {
            return Some(self.before.len() + length);
        }
        self.argument().map(|argument| self.at(argument))
    }

    /// Where the value begins that follows a word: `Bearer x`, `IDENTIFIED BY 'x'`, `KEY1=x` of an interface.
    fn follows(&self) -> Option<usize> {
        let value = match self.plain.as_str() {
            "bearer" => self.argument()?,
            "identified" => {
                let argument = self.argument()?;
                argument.strip_prefix("by ").or_else(|| argument.strip_prefix("BY "))?.trim_start()
            }
            _ if self.name.trim_end_matches(|c: char| c.is_ascii_digit()) == "KEY" => {
                self.after.strip_prefix('=')?
            }
            _ => return None,
        };
        Some(self.at(value))
    }

    /// The byte of the line at which its end `rest` begins.
    fn at(&self, rest: &str) -> usize {
        self.line.len() - rest.len()
    }

    fn of_secret(&self) -> Option<Value> {
        if self.before.ends_with('<') {
            return self.after.split_once('>').map(|(_, value)| Value::InTag(self.at(value)));
        }
        if let Some(value) = self.assigned() {
            let of_package = names::is_package(&self.plain)
                || self.after.contains(" is needed by ")
                || self.before.contains("Requires: ");
            return (!of_package && !self.is_told_of_path(value)).then_some(Value::Assigned(self.at(value)));
        }
        // `/etc/passwd is no directory`, `token.json is a link`: files, of which something is told.
        let is_file = self.is_path() || !names::is_secret(self.plain.rsplit('.').next().unwrap_or_default());
        if let Some(value) = self.told().filter(|_| !is_file) {
            return Some(Value::Assigned(self.at(value)));
        }
        let value = self.listed().or_else(|| self.argument_of_option())?;
        Some(Value::At(self.at(value)))
    }

    /// What follows `=`, `:` and their kin behind the name.
    fn assigned(&self) -> Option<&'a str> {
        const SIGNS: [&str; 7] = ["=>", ":=", "=", ":", "%3D", "%3d", "%3A"];
        let name = self.after.strip_prefix("%22").unwrap_or(self.after);
        let closed = name.trim_start_matches(['"', '\'', '`', ']', ')', '\\']).trim_start();
        SIGNS.iter().find_map(|sign| closed.strip_prefix(sign)).map(str::trim_start)
    }

    /// What follows blanks behind the name.
    fn argument(&self) -> Option<&'a str> {
        let closed = self.after.strip_prefix(['"', '\'']).filter(|rest| rest.starts_with([' ', '\t']));
        let closed = closed.unwrap_or(self.after);
        let argument = closed.trim_start();
        let is_apart = argument.len() < closed.len() || argument.starts_with(['"', '\'']);
        (is_apart && !argument.is_empty()).then_some(argument)
    }

    fn argument_of_option(&self) -> Option<&'a str> {
        self.name.starts_with('-').then(|| self.argument()).flatten()
    }

    /// `password is x`, `password for the user: x`, `password "x"`.
    fn told(&self) -> Option<&'a str> {
        let said = self.argument()?;
        let (verb, rest) = said.split_once(' ').unwrap_or((said, ""));
        match verb {
            "is" | "was" => {
                let value = rest.trim_start();
                let state = value.trim_end_matches(|c: char| c == '.' || c == '!' || c.is_whitespace());
                let is_state = value.is_empty()
                    || STATES.contains(&state)
                    || OF_PACKAGES.iter().any(|said| value.starts_with(said));
                (!is_state).then_some(value)
            }
            "for" | "of" => {
                let mut behind = rest.match_indices(':').take(4).map(|(at, _)| &rest[at + 1..]);
                behind.find(|rest| rest.is_empty() || rest.starts_with([' ', '\t'])).map(str::trim_start)
            }
            // A shell's `unexpected token "x"` is about a program's text.
            _ => (said.starts_with(['"', '\'']) && !self.before.ends_with("unexpected ")).then_some(said),
        }
    }

    /// What follows without a sign: `rootpw x` and `bindpw x`; `login me password x` of a .netrc; a line of two words.
    fn listed(&self) -> Option<&'a str> {
        let value = self.argument()?;
        let is_setting = self.plain.ends_with("pw") || ["requirepass", "masterauth"].contains(&&*self.plain);
        let is_password = ["password", "passphrase", "secret"].contains(&&*self.plain);
        let is_alone = self.before.trim().is_empty() && !value.trim_end().contains(char::is_whitespace);
        let of_netrc = self.before.contains("login ") || self.before.contains("machine ");
        let state = value.trim_end().trim_end_matches('.');
        (is_setting || (is_password && (of_netrc || is_alone) && !STATES.contains(&state))).then_some(value)
    }

    fn is_user(&self) -> bool {
        USERS.contains(&&*self.plain)
    }

    /// A user and a password: the value of an option or a setting that takes both.
    fn credentials(&self) -> Option<&'a str> {
        let is_short = self.name.starts_with("-u") || self.name.starts_with("-U");
        // `user:password@host` is an address, and no user with an `@` in its name.
        let mut is_address = false;
        let value = if self.is_user() && (self.plain != "u" || is_short) {
            is_address = self.after.starts_with(':');
            self.assigned().or_else(|| self.argument_of_option())?
        } else if is_short && self.after.starts_with([':', '%']) {
            &self.line[self.before.len() + 2..]
        } else {
            return None;
        };
        let user = value.trim_start_matches(['"', '\'']);
        let in_user = |c: char| c.is_alphanumeric() || "_.\\/-".contains(c) || (c == '@' && !is_address);
        let password = user.trim_start_matches(in_user);
        let is_password = |rest: &str| !rest.is_empty() && !rest.starts_with(char::is_whitespace);
        let has_both =
            password.len() < user.len() && password.strip_prefix([':', '%']).is_some_and(is_password);
        has_both.then_some(value)
    }

    /// Whether the name stands in an address, or in a part of one.
    fn is_in_address(&self) -> bool {
        let word = self.before.rsplit(char::is_whitespace).next().unwrap_or_default();
        word.contains('?') || word.contains("://")
    }

    /// Whether the name is the end of a path or an address.
    fn is_path(&self) -> bool {
        let begins = |c: char| c.is_whitespace() || "\"'`(=,[".contains(c);
        let word = self.before.rsplit(begins).next().unwrap_or_default();
        word.starts_with('/') || word.contains("://")
    }

    /// Whether something is told of the path that the name ends: `/etc/passwd: permission denied`.
    fn is_told_of_path(&self, value: &str) -> bool {
        let sign = &self.after[..self.after.len() - value.len()];
        let is_told = sign.ends_with(' ') || value.is_empty();
        self.is_path() && is_told && sign.trim_start_matches(['"', '\'', '`']).trim_end() == ":"
    }
}

/// Where the secret is that begins there; `None` where there is none, or none any more.
fn secret(line: &str, value: &Value) -> Option<Secret> {
    let (from, ends): (usize, Option<&[char]>) = match value {
        Value::At(from) | Value::Assigned(from) => (*from, None),
        Value::InQuery(from) => (*from, Some(&['&', ';', '#', '"', '\'', '`', '<', '>', ' ', '\t'])),
        Value::InTag(from) => (*from, Some(&['<'])),
    };
    let text = &line[from..];
    let masked = text.trim_start_matches('*');
    let is_masked = text.len() - masked.len() >= MASK.len();
    if is_masked && !masked.starts_with(|c: char| c.is_alphanumeric() || "@_%$+=/~^\\".contains(c)) {
        return None;
    }
    let (length, quote) = match ends {
        Some(ends) => (text.find(ends).unwrap_or(text.len()), None),
        None => quoted(text).unwrap_or((text.trim_end().len(), None)),
    };
    (length > 0).then_some(Secret { at: from..from + length, quote })
}

/// How long the value in quotes is with which `text` begins, and the quote, where nothing closes it.
fn quoted(text: &str) -> Option<(usize, Option<char>)> {
    let bare = text.strip_prefix(['u', 'b', 'r', 'f', '$', '@']).filter(|rest| rest.starts_with(['"', '\'']));
    let bare = bare.unwrap_or(text);
    // Within a document that is itself in quotes.
    let escapes = usize::from(bare.starts_with("\\\"") || bare.starts_with("\\'"));
    let quote = bare[escapes..].chars().next().filter(|c| ['"', '\'', '`'].contains(c))?;
    let start = text.len() - bare.len() + escapes + 1;
    let (bytes, mut at) = (text.as_bytes(), start);
    while at < bytes.len() {
        let backslashes = bytes[at..].iter().take_while(|byte| **byte == b'\\').count();
        let end = at + backslashes;
        let closes = bytes.get(end) == Some(&(quote as u8)) && backslashes == escapes;
        if !closes {
            // What is escaped is a part of it.
            at = end + 1;
        } else if bytes.get(end + 1) == Some(&(quote as u8)) && escapes == 0 && end > start {
            at = end + 2;
        } else {
            let rest = &text[end + 1..];
            let ends =
                rest.is_empty() || rest.starts_with(|c: char| c.is_whitespace() || ",;:)]}>&|\\".contains(c));
            let is_whole = ends && !rest.starts_with("\\'");
            return Some((if is_whole { end + 1 } else { text.trim_end().len() }, None));
        }
    }
    Some((text.trim_end().len(), Some(quote)))
}
