//! YAML text to a tree.
//!
//! `serde_yaml` gives the position of an error and of nothing else. So each scalar is read by a visitor that
//! keeps the value and then refuses it: the refusal, which names the line, is caught and the value kept.
//! One pass gives the whole tree, and the same pass bounds depth and size: `serde_yaml`'s own limit on
//! repetition still lets a few aliases to a long list fill the memory.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::LazyLock;

use regex::Regex;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::tree::{Node, Source, Value};
use super::wrong::{Wrong, quoted};

/// How deep mappings and lists may be nested; the format needs five levels.
const DEEPEST: usize = 12;

/// What a tree may weigh: the bytes of its texts, and [`NODE`] for each value. Sixteen times the largest file.
const HEAVIEST: usize = 4 << 20;

/// What a value weighs beside its text.
const NODE: usize = 128;

/// The longest key; those of the format have less than 30 characters.
const LONGEST_KEY: usize = 80;

/// The most keys of one mapping; the format's largest has fifteen.
const MOST_KEYS: usize = 100;

/// The most brackets of flow style: the parser's time grows with the square of how deep they are nested.
const MOST_BRACKETS: usize = 2000;

/// What is reported of a value with a tag of its own.
const TAG: &str = "found a YAML tag (`!...`), expected a plain value";

/// Reads one YAML document.
/// Errors: The first thing wrong with it as YAML, or beyond the bounds.
pub fn parse(text: &str, source: Source) -> Result<Node, Wrong> {
    let source = Rc::new(source);
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let wrong = |line: Option<usize>, what: String| Wrong {
        at: Some(line.map_or_else(|| source.to_string(), |line| format!("{source}:{line}"))),
        path: None,
        what,
    };
    if text.matches(['[', '{']).count() > MOST_BRACKETS {
        return Err(wrong(None, format!("holds more than {MOST_BRACKETS} brackets")));
    }
    if let Some((line, what)) = ambiguous_anchor(text) {
        return Err(wrong(Some(line), what));
    }
    let state = State {
        source: Rc::clone(&source),
        left: Cell::new(HEAVIEST),
        line: Cell::new(1),
        wrong: RefCell::new(None),
    };
    let seed = Seed { state: &state, depth: 0 };
    let root = seed.deserialize(serde_yaml::Deserializer::from_str(text)).map_err(|error| {
        if let Some((line, what)) = state.wrong.take() {
            return wrong(Some(line), what);
        }
        explain(&error, text, &wrong)
    })?;
    match root.value {
        Value::Map(_) => Ok(root),
        Value::Null => Err(wrong(None, "is empty; it must at least say `extends: centos-6.6`".into())),
        _ => Err(wrong(Some(root.line), "found no mapping of keys to values (`key: value`)".into())),
    }
}

/// What the YAML parser says, in one line and with a hint where there is one.
fn explain(error: &serde_yaml::Error, text: &str, wrong: &dyn Fn(Option<usize>, String) -> Wrong) -> Wrong {
    let line = error.location().map(|location| location.line());
    let message = error.to_string();
    if message.starts_with("deserializing from YAML containing more than one document") {
        return wrong(None, "holds more than one YAML document; keep one".into());
    }
    if message.starts_with("repetition limit exceeded") {
        return wrong(None, "aliases repeat more than a profile can need".into());
    }
    if let Some(start) = message.find(TAG) {
        let path = message[..start].trim_end_matches(": ").to_owned();
        return Wrong { path: Some(path), ..wrong(line, TAG.into()) };
    }
    if message.starts_with("unknown anchor") {
        return wrong(line, "found an alias (`*...`) of an anchor that is not defined before it".into());
    }
    // What the reader below the parser finds has a position only, and line 1.
    let position = message.split_once("at position ").and_then(|(_, rest)| rest.parse::<usize>().ok());
    let line =
        position.map_or(line, |at| Some(text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1));
    let message = match message.rfind(" at line ") {
        // `… at line 3 column 1, while parsing a block mapping at line 2 column 1` tells more than it repeats.
        Some(at) if !message.contains(", while ") => &message[..at],
        _ => &message,
    };
    let tab = line.and_then(|line| text.lines().nth(line - 1)).is_some_and(|line| line.contains('\t'));
    let hint = if tab { " (there is a tab in this line: YAML is indented with spaces)" } else { "" };
    wrong(line, format!("is not YAML: {message}{hint}"))
}

/// An anchor that is defined twice, when there are aliases. `serde_yaml` 0.9.34 then resolves an alias to the
/// wrong anchor, and silently.
fn ambiguous_anchor(text: &str) -> Option<(usize, String)> {
    if !text.contains('&') {
        return None;
    }
    static WORDS: LazyLock<Option<(Regex, Regex)>> = LazyLock::new(|| {
        let word = |sign: &str| Regex::new(&format!(r"(?:^|[\s\[\{{,:\-]){sign}([^\s,\[\]\{{\}}]+)")).ok();
        Some((word("&")?, word(r"\*")?))
    });
    let (anchor, alias) = WORDS.as_ref()?;
    if !text.lines().any(|line| alias.is_match(line)) {
        return None;
    }
    let mut seen = std::collections::BTreeSet::new();
    for (index, line) in text.lines().enumerate() {
        for found in anchor.captures_iter(line) {
            if !seen.insert(found[1].to_owned()) {
                let what =
                    format!("the anchor {} is defined more than once", quoted(&format!("&{}", &found[1])));
                return Some((index + 1, what));
            }
        }
    }
    None
}

struct State {
    source: Rc<Source>,
    left: Cell<usize>,
    line: Cell<usize>,
    wrong: RefCell<Option<(usize, String)>>,
}

impl State {
    fn stop<E: de::Error>(&self, line: usize, what: impl Into<String>) -> E {
        self.wrong.borrow_mut().get_or_insert((line, what.into()));
        E::custom("")
    }

    fn charge<E: de::Error>(&self, weight: usize) -> Result<(), E> {
        let left = self.left.get().checked_sub(weight).ok_or_else(|| {
            self.stop(self.line.get(), "holds more than a profile can need (do aliases repeat each other?)")
        })?;
        self.left.set(left);
        Ok(())
    }

    fn node(&self, value: Value, line: usize) -> Node {
        Node { value, line, source: Rc::clone(&self.source) }
    }
}

#[derive(Clone, Copy)]
struct Seed<'a> {
    state: &'a State,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        if self.depth > DEEPEST {
            let what = format!("nested deeper than {DEEPEST} levels");
            return Err(self.state.stop(self.state.line.get(), what));
        }
        self.state.charge(NODE)?;
        let scalar = RefCell::new(None);
        let reader = Reader { seed: self, scalar: &scalar };
        deserializer.deserialize_any(reader).or_else(|error| match scalar.take() {
            Some(value) => {
                let line = line_of(&error.to_string());
                self.state.line.set(line);
                if let Value::Text(text) = &value {
                    self.state.charge(text.len())?;
                }
                Ok(self.state.node(value, line))
            }
            None => Err(error),
        })
    }
}

/// The line in a message of `serde_yaml` that ends in ` at line N column N`. It says nothing for the very
/// first character.
fn line_of(message: &str) -> usize {
    message.rsplit_once(" at line ").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok()).unwrap_or(1)
}

struct Reader<'a> {
    seed: Seed<'a>,
    scalar: &'a RefCell<Option<Value>>,
}

impl Reader<'_> {
    /// Keeps a scalar and refuses it, for the sake of the line that the refusal names.
    fn keep<E: de::Error>(&self, value: Value) -> Result<Node, E> {
        *self.scalar.borrow_mut() = Some(value);
        Err(E::custom(""))
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value without a tag")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Node, E> {
        self.keep(Value::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Node, E> {
        self.keep(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Node, E> {
        self.keep(Value::Bool(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Node, E> {
        self.keep(Value::Whole(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "shown in a message, never used")]
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Node, E> {
        self.keep(Value::Number(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "shown in a message, never used")]
    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Node, E> {
        self.keep(Value::Number(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "shown in a message, never used")]
    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Node, E> {
        self.keep(Value::Number(value as f64))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Node, E> {
        self.keep(Value::Number(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Node, E> {
        // Charged before it is copied, and once more as part of the tree.
        self.seed.state.charge(value.len())?;
        self.keep(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let above = self.seed.state.line.get();
        let seed = Seed { depth: self.seed.depth + 1, ..self.seed };
        let mut items: Vec<Node> = Vec::new();
        while let Some(item) = access.next_element_seed(seed)? {
            items.push(item);
        }
        let line = items.first().map_or(above, |item| item.line);
        Ok(self.seed.state.node(Value::List(items), line))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let state = self.seed.state;
        let above = state.line.get();
        let seed = Seed { depth: self.seed.depth + 1, ..self.seed };
        let mut entries: Vec<(String, Node)> = Vec::new();
        while let Some(Node { value, line, .. }) = access.next_key_seed(seed)? {
            let key = match value {
                Value::Text(key) if key == "<<" => {
                    return Err(state.stop(line, "found the merge key `<<`; use `extends` instead"));
                }
                Value::Text(key) if key.len() <= LONGEST_KEY => key,
                Value::Text(key) => return Err(state.stop(line, format!("unknown key {}", quoted(&key)))),
                _ => return Err(state.stop(line, "found a key that is not text; keys are words")),
            };
            if let Some((_, first)) = entries.iter().find(|(other, _)| *other == key) {
                let what = format!("the key {} is set already in line {}", quoted(&key), first.line);
                return Err(state.stop(line, what));
            }
            if entries.len() == MOST_KEYS {
                return Err(state.stop(line, format!("found more than {MOST_KEYS} keys in one mapping")));
            }
            state.line.set(line);
            let mut node = access.next_value_seed(seed)?;
            node.line = line;
            entries.push((key, node));
        }
        let line = entries.first().map_or(above, |(_, node)| node.line);
        Ok(state.node(Value::Map(entries), line))
    }

    fn visit_enum<A: de::EnumAccess<'de>>(self, _: A) -> Result<Node, A::Error> {
        Err(de::Error::custom(TAG))
    }
}
