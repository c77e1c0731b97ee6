//! /etc/multipath.conf, read as libmultipath reads it: line by line, one entry or brace each, tolerant of
//! what is not known.

use std::ops::Range;

use super::Configuration;

/// A word of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Line number, from 1.
    pub line: usize,
    /// Where it stands in the file, in bytes, its quotes included.
    pub span: Range<usize>,
    /// The word itself, without quotes.
    pub text: String,
}

/// What was read, and where in the file the WWIDs of the blacklist stand: for who rewrites one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// What it means.
    pub configuration: Configuration,
    /// The values of the `wwid` entries of the blacklist.
    pub blacklist_wwids: Vec<Word>,
    /// Where an entry can be put into the blacklist: the byte at which the line after the `{` of the first
    /// `blacklist` section starts.
    pub blacklist_opens: Option<usize>,
}

enum Token {
    Word(Word),
    Open,
    Close,
}

/// A section that is open.
struct Section {
    name: String,
    line: usize,
    /// Whether its `{` was seen: it may stand on the next line.
    brace: bool,
    vendor: String,
    product: String,
}

/// Reads the text of the file. What cannot be understood goes to `problems`, and is passed over.
#[must_use]
pub fn parse(text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    let mut open: Vec<Section> = Vec::new();
    let mut start = 0;
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let tokens = tokens(line, number, start, &mut parsed);
        start += line.len();
        let Some((first, rest)) = tokens.split_first() else { continue };
        let used = match first {
            Token::Close => {
                match open.pop() {
                    Some(section) => parsed.close(&open, section),
                    None => parsed.problem(number, "a `}` that closes nothing"),
                }
                0
            }
            Token::Open => {
                match open.last_mut() {
                    Some(section) if !section.brace => section.brace = true,
                    _ => parsed.problem(number, "a `{` without the name of a section"),
                }
                parsed.opened(&open, start);
                0
            }
            Token::Word(name)
                if is_section(&open, &name.text) || matches!(rest.first(), Some(Token::Open)) =>
            {
                let brace = matches!(rest.first(), Some(Token::Open));
                if !is_section(&open, &name.text) {
                    parsed.problem(number, &format!("`{}` is no section here", name.text));
                }
                let (vendor, product) = (String::new(), String::new());
                open.push(Section { name: name.text.clone(), line: number, brace, vendor, product });
                parsed.opened(&open, start);
                usize::from(brace)
            }
            Token::Word(key) => match rest.first() {
                Some(Token::Word(value)) => {
                    parsed.entry(&mut open, key, value);
                    1
                }
                _ => {
                    parsed.problem(number, &format!("`{}` has no value", key.text));
                    parsed.configuration.wwid_without_value |=
                        key.text == "wwid" && matches!(&open[..], [section] if is_blacklist(&section.name));
                    0
                }
            },
        };
        // multipath reads one entry or brace a line: `blacklist { wwid x }` is an open section and no entry.
        if rest.len() > used {
            parsed.problem(number, "multipath passes over what follows on this line");
        }
    }
    while let Some(section) = open.pop() {
        parsed.problem(section.line, &format!("section `{}` is not closed", section.name));
        parsed.close(&open, section);
    }
    parsed
}

/// Whether `name` opens a section where one stands.
fn is_section(open: &[Section], name: &str) -> bool {
    match open {
        [] => {
            is_blacklist(name)
                || matches!(
                    name,
                    "defaults" | "blacklist_exceptions" | "devices" | "multipaths" | "overrides"
                )
        }
        [outer] => match outer.name.as_str() {
            "multipaths" => name == "multipath",
            "overrides" => name == "protocol",
            "devices" | "blacklist_exceptions" => name == "device",
            outer => is_blacklist(outer) && name == "device",
        },
        _ => false,
    }
}

/// Old files call the section `devnode_blacklist`.
fn is_blacklist(name: &str) -> bool {
    matches!(name, "blacklist" | "devnode_blacklist")
}

impl Parsed {
    fn problem(&mut self, line: usize, what: &str) {
        self.configuration.problems.push(format!("line {line}: {what}"));
    }

    /// Remembers that entries of the blacklist can be put at byte `next`, the start of the next line.
    fn opened(&mut self, open: &[Section], next: usize) {
        if let [section] = open
            && is_blacklist(&section.name)
            && section.brace
            && self.blacklist_opens.is_none()
        {
            self.blacklist_opens = Some(next);
        }
    }

    /// Takes in one entry: a key and its value.
    fn entry(&mut self, open: &mut [Section], key: &Word, value: &Word) {
        let [outer, inner @ ..] = open else {
            return self.problem(key.line, &format!("`{}` stands outside of every section", key.text));
        };
        let exception = outer.name == "blacklist_exceptions";
        let configuration = &mut self.configuration;
        match (inner, key.text.as_str()) {
            ([], "user_friendly_names") if outer.name == "defaults" => {
                configuration.user_friendly_names = Some(value.text.clone());
            }
            ([], "find_multipaths") if outer.name == "defaults" => {
                configuration.find_multipaths = Some(value.text.clone());
            }
            ([], "wwid") if is_blacklist(&outer.name) => {
                configuration.blacklist_wwids.push(value.text.clone());
                self.blacklist_wwids.push(value.clone());
                self.pattern(value);
            }
            ([], "devnode") if is_blacklist(&outer.name) => {
                configuration.blacklist_devnodes.push(value.text.clone());
                self.pattern(value);
            }
            ([], "wwid") if exception => {
                configuration.exception_wwids.push(value.text.clone());
                self.pattern(value);
            }
            ([], "devnode") if exception => {
                configuration.exception_devnodes.push(value.text.clone());
                self.pattern(value);
            }
            ([device], "vendor" | "product")
                if device.name == "device" && (exception || is_blacklist(&outer.name)) =>
            {
                let place = if key.text == "vendor" { &mut device.vendor } else { &mut device.product };
                place.clone_from(&value.text);
                self.pattern(value);
            }
            _ => {}
        }
    }

    fn pattern(&mut self, value: &Word) {
        if let Err(error) = super::regex(&value.text) {
            let last = error.to_string().lines().last().unwrap_or_default().trim().to_owned();
            self.problem(value.line, &format!("`{}` is no regular expression: {last}", value.text));
        }
    }

    /// Takes in a section that ends.
    fn close(&mut self, outer: &[Section], section: Section) {
        let [outer] = outer else { return };
        if section.name != "device" || (section.vendor.is_empty() && section.product.is_empty()) {
            return;
        }
        let device = (section.vendor, section.product);
        if is_blacklist(&outer.name) {
            self.configuration.blacklist_devices.push(device);
        } else if outer.name == "blacklist_exceptions" {
            self.configuration.exception_devices.push(device);
        }
    }
}

/// The tokens of one line, which starts at byte `start` of the file.
fn tokens(line: &str, number: usize, start: usize, parsed: &mut Parsed) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut chars = line.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let word = |end: usize, text: &str| {
            Token::Word(Word { line: number, span: start + at..start + end, text: text.to_owned() })
        };
        match c {
            '#' | '!' => break,
            '{' => tokens.push(Token::Open),
            '}' => tokens.push(Token::Close),
            '"' => match line[at + 1..].find('"') {
                Some(length) => {
                    let end = at + 1 + length;
                    tokens.push(word(end + 1, &line[at + 1..end]));
                    while chars.next_if(|(next, _)| *next <= end).is_some() {}
                }
                None => {
                    parsed.problem(number, "a quotation mark is not closed");
                    tokens.push(word(line.trim_end().len(), line[at + 1..].trim_end()));
                    break;
                }
            },
            c if c.is_whitespace() => {}
            _ => {
                let ends = |c: char| c.is_whitespace() || "\"#!{}".contains(c);
                let end = line[at..].find(ends).map_or(line.len(), |length| at + length);
                tokens.push(word(end, &line[at..end]));
                while chars.next_if(|(next, _)| *next < end).is_some() {}
            }
        }
    }
    tokens
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
