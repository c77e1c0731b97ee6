//! A name in a line: whether it is that of a secret, and where its value begins.

use std::ops::Range;

use super::{names, sentence};

/// Whether the lines above named a secret: what is called `value` is one then.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Above {
    NamesOne,
    NamesNone,
}

/// Whose value may be a user and a password, between them `:` or, of SMB, `%`.
const USERS: [&str; 6] = ["u", "user", "username", "login", "proxy-user", "proxyuser"];

/// Where a value begins.
pub(super) enum Value {
    /// At this byte of the line.
    At(usize),
    /// There, and it may stand in the next line.
    Assigned(usize),
    /// There, up to the end of a part of an address.
    InQuery(usize),
    /// There, up to the end tag where it is in this line.
    InTag(usize, Option<usize>),
}

pub(super) struct Place<'a> {
    line: &'a str,
    before: &'a str,
    name: &'a str,
    after: &'a str,
    /// The name in lower case, without the dashes of an option.
    pub plain: String,
    above: Above,
}

impl<'a> Place<'a> {
    pub fn new(line: &'a str, word: Range<usize>, above: Above) -> Self {
        let (before, name, after) = (&line[..word.start], &line[word.clone()], &line[word.end..]);
        let plain = name.trim_start_matches('-').to_ascii_lowercase();
        Self { line, before, name, after, plain, above }
    }

    /// Where the value begins, if what stands here has one that is to be hidden.
    pub fn value(&self) -> Option<Value> {
        let is_secret = names::is_secret(&self.plain)
            || (self.plain == "value" && self.above == Above::NamesOne)
            // Of Docker's configuration; elsewhere it is how somebody logs in.
            || (self.plain == "auth" && self.after.starts_with(['"', '\'', '\\']));
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
        let from = self.before.len() + names::option(self.name, self.before)?;
        let attached = &self.line[from..];
        let is_attached = !attached.starts_with(|c: char| c.is_whitespace() || "\"'`,.;:|)]".contains(c));
        if is_attached && !attached.is_empty() {
            return Some(from);
        }
        self.argument().map(|argument| self.at(argument))
    }

    /// Where the value begins that follows a word: `Bearer x`, `IDENTIFIED BY 'x'`, `KEY1=x` of an interface,
    /// `chpasswd <<< user:x`.
    fn follows(&self) -> Option<usize> {
        let value = match self.plain.as_str() {
            "bearer" | "sharedaccesssignature" => self.argument()?,
            "identified" => {
                let argument = self.argument()?;
                argument.strip_prefix("by ").or_else(|| argument.strip_prefix("BY "))?.trim_start()
            }
            name if names::reads_passwords(name) => self.after.split_once("<<<")?.1.trim_start(),
            _ if self.name.trim_end_matches(|c: char| c.is_ascii_digit()) == "KEY" => {
                self.after.strip_prefix('=')?
            }
            _ => return None,
        };
        (!value.is_empty()).then(|| self.at(value))
    }

    /// Whether this is the name of something whose value follows: `name: password`, `<name>password</name>`.
    pub fn is_named(&self) -> bool {
        let begin = self.before.trim_end_matches(['"', '\'', '\\']).trim_end();
        let Some(key) = begin.strip_suffix([':', '=', '>']) else { return false };
        let key = key.trim_end().trim_end_matches(['"', '\'', '\\']).as_bytes();
        let ends_in =
            |word: &[u8]| key.len() >= word.len() && key[key.len() - word.len()..].eq_ignore_ascii_case(word);
        (ends_in(b"name") || ends_in(b"key")) && names::is_secret(&self.plain)
    }

    /// The byte of the line at which its end `rest` begins.
    fn at(&self, rest: &str) -> usize {
        self.line.len() - rest.len()
    }

    fn of_secret(&self) -> Option<Value> {
        if self.opens_tag() {
            let (tag, text) = self.after.split_once('>')?;
            if !tag.ends_with('/') {
                return Some(Value::InTag(self.at(text), self.end_tag(text)));
            }
            return tag.find("value=").map(|at| Value::At(self.at(&self.after[at + "value=".len()..])));
        }
        if let Some(value) = self.assigned() {
            let of_package = names::is_package(&self.plain)
                || self.after.contains(" is needed by ")
                || self.before.contains("Requires: ");
            let is_no_value = of_package || self.is_about_path(value) || self.is_output(value);
            return (!is_no_value).then_some(Value::Assigned(self.at(value)));
        }
        // `/etc/passwd is no directory`, `token.json is a link`: files, of which something is told.
        let is_file = self.is_path() || !names::is_secret(self.plain.rsplit('.').next().unwrap_or_default());
        let value =
            || self.argument().and_then(|argument| sentence::value(self.before, &self.plain, argument));
        if let Some(value) = (!is_file || self.plain.contains(' ')).then(value).flatten() {
            return Some(Value::Assigned(self.at(value)));
        }
        let value = self.listed().or_else(|| self.argument_of_option())?;
        Some(Value::At(self.at(value)))
    }

    /// Whether the name is that of a tag, which may have a namespace.
    fn opens_tag(&self) -> bool {
        let Some((_, space)) = self.before.rsplit_once('<') else { return false };
        space.strip_suffix(':').unwrap_or(space).bytes().all(|byte| byte.is_ascii_alphanumeric())
            && (space.is_empty() || space.ends_with(':'))
    }

    fn end_tag(&self, text: &str) -> Option<usize> {
        end_tag(text, &self.plain).map(|at| self.at(text) + at)
    }

    /// Whether `value` is what a program, a unit or a module of PAM of that name says, or a part of a label of SELinux.
    fn is_output(&self, value: &str) -> bool {
        let is_output = self.after.starts_with(": ") && !value.starts_with(['"', '\'', '{', '[', '|', '>']);
        let process = self.after.strip_prefix('[').and_then(|number| number.split_once("]: "));
        let is_process = process.is_some_and(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()))
            && names::reads_passwords(&self.plain);
        let is_module = self.before.ends_with('(') && self.before.contains("pam_");
        let is_label = self.before.ends_with("_r:") && self.plain.ends_with("_t");
        (is_output && !value.is_empty() && names::prints(&self.plain, value))
            || is_process
            || is_module
            || is_label
    }

    /// What follows `=`, `:` and their kin behind the name.
    fn assigned(&self) -> Option<&'a str> {
        const SIGNS: [&str; 10] = ["=>", ":=", "+=", "?=", "->", "=", ":", "%3D", "%3d", "%3A"];
        let name = self.after.strip_prefix("%22").unwrap_or(self.after);
        let closed = name.trim_start_matches(['"', '\'', '`', ']', ')', '}', '\\']).trim_start();
        // Of an array.
        let index = closed.strip_prefix('[').and_then(|index| index.split_once(']'));
        let closed = index.map_or(closed, |(_, behind)| behind.trim_start());
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
        // `  -k, --keep-tokens    change password only if expired` is help.
        let is_help = self.line.trim_start().starts_with('-') && self.after.starts_with("  ");
        (self.name.starts_with('-') && !is_help).then(|| self.argument()).flatten()
    }

    /// What follows without a sign: `rootpw x` and `bindpw x`; `login me password x` of a .netrc; a line of two words.
    fn listed(&self) -> Option<&'a str> {
        let value = self.argument()?;
        let is_setting = self.plain.ends_with("pw")
            || ["requirepass", "masterauth", "activationkey"].contains(&&*self.plain);
        let is_password = ["password", "passphrase", "secret"].contains(&&*self.plain);
        let is_alone = self.before.trim().is_empty() && !value.trim_end().contains(char::is_whitespace);
        let of_netrc = self.before.contains("login ") || self.before.contains("machine ");
        let state = value.trim_end().trim_end_matches('.');
        (is_setting || (is_password && (of_netrc || is_alone) && !sentence::is_state(state))).then_some(value)
    }

    fn is_user(&self) -> bool {
        USERS.contains(&&*self.plain)
    }

    /// A user and a password: the value of an option or a setting that takes both.
    fn credentials(&self) -> Option<&'a str> {
        // curl takes several in one: `-sSu user:x`, `-sSuuser:x`.
        let is_option = self.name.starts_with('-');
        let flag = self.name.find(['u', 'U']).filter(|at| {
            is_option
                && (*at == 1
                    || (*at > 1 && !self.name[1..].starts_with('-') && names::runs(self.before, "curl")))
        });
        let is_flag = flag.is_some_and(|at| at + 1 == self.name.len());
        // `user:password@host` is an address, and no user with an `@` in its name.
        let mut is_address = false;
        let value = if is_flag || (self.is_user() && self.plain != "u") {
            is_address = self.after.starts_with(':');
            self.assigned().or_else(|| self.argument_of_option())?
        } else if let Some(flag) = flag.filter(|_| self.after.starts_with([':', '%'])) {
            &self.line[self.before.len() + flag + 1..]
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
    fn is_about_path(&self, value: &str) -> bool {
        let sign = &self.after[..self.after.len() - value.len()];
        let is_about = sign.ends_with(' ') || value.is_empty();
        self.is_path() && is_about && sign.trim_start_matches(['"', '\'', '`']).trim_end() == ":"
    }
}

/// Where in `text` the end tag of `name`, in lower case, begins.
pub(super) fn end_tag(text: &str, name: &str) -> Option<usize> {
    text.match_indices("</").map(|(at, _)| at).find(|at| {
        let tag = text[at + 2..].split('>').next().unwrap_or_default();
        tag.rsplit(':').next().is_some_and(|tag| tag.trim_end().eq_ignore_ascii_case(name))
    })
}
