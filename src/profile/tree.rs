//! A tree of YAML values in which each knows the line it stands on.

use std::fmt;
use std::rc::Rc;

/// How the origin of a built-in profile's value begins.
pub const BUILT_IN: &str = "built-in ";

/// Where a text came from, for messages and origins.
#[derive(Debug, PartialEq, Eq)]
pub enum Source {
    /// A built-in profile.
    BuiltIn(&'static str),
    /// A file, as it is called in messages.
    File(String),
    /// An option of the command line: `--hostname`.
    Option(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn(name) => write!(f, "{BUILT_IN}{name}"),
            Self::File(name) => f.write_str(name),
            Self::Option(name) => f.write_str(name),
        }
    }
}

#[derive(Debug)]
pub struct Node {
    pub value: Value,
    /// The line, from 1: of its key, where it has one.
    pub line: usize,
    /// The text it stands in.
    pub source: Rc<Source>,
}

#[derive(Debug)]
pub enum Value {
    /// `null`, `~`, or nothing.
    Null,
    Bool(bool),
    /// A whole number from 0 up.
    Whole(u64),
    Number(f64),
    Text(String),
    List(Vec<Node>),
    /// A mapping, in the order of the file.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// `FILE:LINE`, or the name of the built-in profile or of the option.
    pub fn at(&self) -> String {
        match &*self.source {
            Source::BuiltIn(_) | Source::Option(_) => self.source.to_string(),
            Source::File(name) => format!("{name}:{}", self.line),
        }
    }

    /// Puts `over` on this one: mappings are merged, everything else replaced.
    pub fn merge(&mut self, over: Node) {
        match (&mut self.value, over.value) {
            (Value::Map(entries), Value::Map(changes)) => {
                for (key, change) in changes {
                    match entries.iter_mut().find(|(name, _)| *name == key) {
                        Some((_, entry)) => {
                            let (line, source) = (change.line, change.source.clone());
                            entry.merge(change);
                            if !matches!(entry.value, Value::Map(_)) {
                                (entry.line, entry.source) = (line, source);
                            }
                        }
                        None => entries.push((key, change)),
                    }
                }
            }
            (_, value) => *self = Node { value, ..over },
        }
    }

    /// Whether there is something at `path`, be it of the wrong kind: that is then reported as such.
    pub fn has(&self, path: &str) -> bool {
        let (key, rest) = path.split_once('.').unwrap_or((path, ""));
        match &self.value {
            Value::Map(entries) => match entries.iter().find(|(name, _)| name == key) {
                Some((_, node)) => rest.is_empty() || node.has(rest),
                None => false,
            },
            _ => true,
        }
    }
}
