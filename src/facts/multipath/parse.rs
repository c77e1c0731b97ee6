//! /etc/multipath.conf, read as libmultipath reads it (parser.c: `validate_config_strvec`, `process_stream`): one entry or brace a
//! line, tolerant of what is not known.
//!
//! What 0.4.9-80 of CentOS 6.6 does was seen on such a machine; later versions were read in their source.

use std::collections::BTreeSet;
use std::ops::Range;

use super::lexer::{Dialect, Kind, Piece, first_line, is_cut, pieces};
use super::{Configuration, IDS, Setting, expression, pattern};

/// A value of the file, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Line number, from 1.
    pub line: usize,
    /// Where it stands in the file, in bytes, its quotes included.
    pub span: Range<usize>,
    /// The value itself, without quotes.
    pub text: String,
}

/// What was read, and where in the file it stands: for who rewrites one of the WWIDs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// What it means.
    pub configuration: Configuration,
    /// The values of the `wwid` entries of the blacklist.
    pub blacklist_wwids: Vec<Word>,
    /// The values of those of `blacklist_exceptions`.
    pub exception_wwids: Vec<Word>,
    /// Where the first entry of a blacklist begins, in bytes.
    pub blacklist_first: Option<usize>,
    /// Where the line begins that ends the first blacklist, in bytes.
    pub blacklist_end: Option<usize>,
    /// The values of the `devnode` entries of the blacklist.
    pub blacklist_devnodes: Vec<Word>,
    /// The values of `user_friendly_names` and `find_multipaths`: their section, their name, and themselves.
    pub switches: Vec<(String, String, Word)>,
    /// Where the line begins that ends the first `defaults`, in bytes.
    pub defaults_end: Option<usize>,
    /// The number of a line that is longer than multipath reads at once: it takes the rest as a line of its own.
    pub overlong: Option<usize>,
    /// A section that has no end, which multipath does without.
    pub unclosed: Option<String>,
}

/// A section that is open.
struct Section {
    name: String,
    /// Whether its `{` was seen: it may stand on the next line.
    brace: bool,
    /// `vendor` and `product` of a device, `wwid` and `alias` of a map, where they are given.
    pair: [Option<String>; 2],
    /// `product_blacklist` of a device.
    product_blacklist: Option<String>,
    /// What else it says that is judged.
    settings: Vec<(String, String)>,
}

/// Reads the file. What multipath passes over, or takes otherwise than it looks, goes to `problems`.
pub fn parse(text: &[u8], dialect: Dialect) -> Parsed {
    let mut reader = Reader {
        text,
        dialect,
        parsed: Parsed::default(),
        open: Vec::new(),
        named: BTreeSet::new(),
        line: 1,
    };
    let mut start = 0;
    while let Some((length, read)) = first_line(&text[start..], dialect) {
        reader.line(start, &text[start..start + length]);
        start += read;
        if is_cut(&text[..start], read) {
            reader.parsed.overlong.get_or_insert(reader.line);
        }
        // People count lines by newlines.
        reader.line += usize::from(text[start - 1] == b'\n');
    }
    reader.parsed.unclosed = reader.open.last().map(|section| section.name.clone());
    while let Some(section) = reader.open.pop() {
        reader.close(section);
    }
    reader.parsed
}

struct Reader<'a> {
    text: &'a [u8],
    dialect: Dialect,
    parsed: Parsed,
    open: Vec<Section>,
    /// The WWIDs that a `multipath` was for.
    named: BTreeSet<String>,
    /// The number of the line that is read.
    line: usize,
}

impl Reader<'_> {
    fn problem(&mut self, what: &str) {
        let long =
            if self.parsed.overlong == Some(self.line) { ", which is too long and divided" } else { "" };
        self.parsed.configuration.problems.push(format!("line {}{long}: {what}", self.line));
    }

    fn text(&self, piece: &Piece) -> String {
        String::from_utf8_lossy(&self.text[piece.span.clone()]).into_owned()
    }

    fn line(&mut self, start: usize, line: &[u8]) {
        let pieces = pieces(line, start, self.dialect);
        let Some((first, rest)) = pieces.split_first() else { return };
        let used = match first.kind {
            Kind::Close => {
                match self.open.pop() {
                    Some(section) => {
                        match section.name.as_str() {
                            _ if !self.open.is_empty() => {}
                            "blacklist" => drop(self.parsed.blacklist_end.get_or_insert(start)),
                            "defaults" => drop(self.parsed.defaults_end.get_or_insert(start)),
                            _ => {}
                        }
                        self.close(section);
                    }
                    None => self.problem("a `}` that closes nothing"),
                }
                0
            }
            Kind::Open => {
                match self.open.last_mut() {
                    Some(section) if !section.brace => section.brace = true,
                    _ => self.problem("a `{` without the name of a section"),
                }
                0
            }
            Kind::Quote => return self.problem("multipath passes over a name in quotation marks"),
            Kind::Word => {
                let name = self.text(first);
                if self.is_section(&name) {
                    let brace = rest.first().is_some_and(|piece| piece.kind == Kind::Open);
                    if !brace && !rest.is_empty() {
                        self.problem(&format!("a `{{` was expected behind `{name}`"));
                    }
                    self.open.push(Section {
                        name,
                        brace,
                        pair: Default::default(),
                        product_blacklist: None,
                        settings: Vec::new(),
                    });
                    usize::from(brace)
                } else if rest.first().is_some_and(|piece| piece.kind == Kind::Open) {
                    return self.problem(&format!("`{name}` is no section here"));
                } else {
                    self.entry(&name, first.span.start, rest)
                }
            }
        };
        // One entry or brace a line: `blacklist { wwid x }` is an open section and no entry.
        if rest.len() > used {
            self.problem("multipath passes over what follows on this line");
        }
    }

    /// Whether `name` opens a section where one stands.
    fn is_section(&self, name: &str) -> bool {
        let later = self.dialect == Dialect::Later;
        match self.open.as_slice() {
            [] => {
                matches!(name, "defaults" | "blacklist" | "blacklist_exceptions" | "devices" | "multipaths")
                    || later && name == "overrides"
            }
            [outer] => match outer.name.as_str() {
                "multipaths" => name == "multipath",
                "overrides" => name == "protocol",
                "devices" | "blacklist_exceptions" | "blacklist" => name == "device",
                _ => false,
            },
            _ => false,
        }
    }

    /// Takes in one entry: a key that stands at byte `at`, and what follows it. Returns how much of that belongs to it.
    fn entry(&mut self, key: &str, at: usize, rest: &[Piece]) -> usize {
        let path: Vec<&str> = self.open.iter().map(|section| section.name.as_str()).collect();
        let path = path.join(" ");
        if path == "blacklist" {
            self.parsed.blacklist_first.get_or_insert(at);
        }
        let Some(first) = rest.first() else {
            self.parsed.configuration.wwid_without_value |= key == "wwid" && path == "blacklist";
            self.problem(&format!("`{key}` has no value"));
            return 0;
        };
        // A quoted value is one piece, or none.
        let (text, span, used) = match (&first.kind, rest.get(1)) {
            (Kind::Quote, Some(end)) if end.kind == Kind::Quote => {
                (String::new(), first.span.start..end.span.end, 2)
            }
            (Kind::Quote, Some(word)) => {
                let end = rest.get(2).filter(|end| end.kind == Kind::Quote);
                if end.is_none() {
                    self.problem("a quotation mark is not closed");
                }
                let text = self.text(word);
                let text = if self.dialect == Dialect::Later { text.replace("\"\"", "\"") } else { text };
                (text, first.span.start..end.unwrap_or(word).span.end, 2 + usize::from(end.is_some()))
            }
            (Kind::Quote, None) => {
                self.problem("the value in quotation marks begins with `!` or `#` or has no end, and is empty to multipath");
                (String::new(), first.span.clone(), 1)
            }
            _ => (self.text(first), first.span.clone(), 1),
        };
        let value = Word { line: self.line, span, text };
        self.take(&path, key, value);
        used
    }

    fn take(&mut self, path: &str, key: &str, value: Word) {
        let (text, is_later) = (value.text.clone(), self.dialect == Dialect::Later);
        let parsed = &mut self.parsed;
        match (path, key) {
            (_, "user_friendly_names") | ("defaults", "find_multipaths") => {
                parsed.switches.push((path.to_owned(), key.to_owned(), value));
            }
            ("blacklist", "wwid") => parsed.blacklist_wwids.push(value),
            ("blacklist", "devnode") => parsed.blacklist_devnodes.push(value),
            ("blacklist_exceptions", "wwid") => parsed.exception_wwids.push(value),
            _ => {}
        }
        let configuration = &mut parsed.configuration;
        let patterns = match (path, key) {
            ("blacklist", "wwid") => Some(&mut configuration.blacklist_wwids),
            ("blacklist", "devnode") => Some(&mut configuration.blacklist_devnodes),
            ("blacklist", "protocol") if is_later => Some(&mut configuration.blacklist_protocols),
            ("blacklist_exceptions", "wwid") => Some(&mut configuration.exception_wwids),
            ("blacklist_exceptions", "devnode") => Some(&mut configuration.exception_devnodes),
            ("blacklist_exceptions", "protocol") if is_later => Some(&mut configuration.exception_protocols),
            _ => None,
        };
        if let Some(patterns) = patterns {
            patterns.push(text.clone());
            return self.pattern(&text);
        }
        match (path, key) {
            ("", _) => self.problem(&format!("`{key}` stands outside of every section")),
            ("defaults", "user_friendly_names") => configuration.user_friendly_names = Some(text),
            ("defaults", "find_multipaths") => configuration.find_multipaths = Some(text),
            // Sections beside `defaults` go before it; who makes the ID counts wherever it is said.
            ("defaults" | "overrides" | "devices device" | "multipaths multipath", key)
                if IDS.contains(&key) || key == "user_friendly_names" =>
            {
                if let Some(section) = self.open.last_mut() {
                    section.settings.push((key.to_owned(), text));
                }
            }
            // It looks at the names of what udev knows of a disk, which are not among the facts.
            ("blacklist", "property") if is_later => self.problem("what `property` hides is not judged"),
            ("blacklist device" | "blacklist_exceptions device", "vendor" | "product") => {
                self.pair(usize::from(key == "product"), text.clone());
                self.pattern(&text);
            }
            ("devices device", "product_blacklist") => {
                self.pattern(&text);
                if let Some(section) = self.open.last_mut() {
                    section.product_blacklist = Some(text);
                }
            }
            ("devices device", "vendor" | "product") => self.pair(usize::from(key == "product"), text),
            ("multipaths multipath", "wwid" | "alias") => self.pair(usize::from(key == "alias"), text),
            _ => {}
        }
    }

    fn pair(&mut self, at: usize, text: String) {
        if let Some(section) = self.open.last_mut() {
            section.pair[at] = Some(text);
        }
    }

    fn pattern(&mut self, text: &str) {
        if pattern::literal(text).is_some() {
            return;
        }
        if let Err(error) = pattern::regex(text) {
            let last = error.to_string().lines().last().unwrap_or_default().trim().to_owned();
            self.problem(&format!("`{text}` is no regular expression: {last}"));
        } else if text != "*" && !expression::is_plain(text.strip_prefix('!').unwrap_or(text)) {
            self.problem(&format!("what `{text}` matches is not judged"));
        }
    }

    /// Takes in a section that ends.
    fn close(&mut self, section: Section) {
        // An expression that is given and empty matches everything, as one that is not given does.
        let is_given = section.pair.iter().any(Option::is_some);
        let [first, second] = section.pair.map(Option::unwrap_or_default);
        if section.product_blacklist.is_some() {
            self.pattern(&first);
        }
        let configuration = &mut self.parsed.configuration;
        for (key, value) in section.settings {
            let (section, one, other) = (section.name.clone(), first.clone(), second.clone());
            let of = if section == "multipath" { (one, String::new()) } else { (one, other) };
            configuration.settings.push(Setting { section, of, key, value });
        }
        match (self.open.last().map(|outer| outer.name.as_str()), section.name.as_str()) {
            (Some("devices"), "device") => {
                configuration.product_blacklists.extend(section.product_blacklist.map(|it| (first, it)));
            }
            _ if !is_given => {}
            (Some("blacklist"), "device") => configuration.blacklist_devices.push((first, second)),
            (Some("blacklist_exceptions"), "device") => configuration.exception_devices.push((first, second)),
            (Some("multipaths"), "multipath") if !first.is_empty() => {
                // `find_mpe` of 0.4.9 takes the first, alias or not; later versions merge them (`merge_mptable`).
                let is_first = self.named.insert(first.clone());
                if !second.is_empty() && (is_first || self.dialect == Dialect::Later) {
                    configuration.aliases.push((first, second));
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
