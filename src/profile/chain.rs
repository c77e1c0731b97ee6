//! A profile's file and all that it extends, merged to one tree.

use std::path::{Path, PathBuf};

use super::builtin::{self, BuiltIn};
use super::parse::parse;
use super::schema::required_keys;
use super::source::{self, Writers};
use super::tree::{Node, Source, Value};
use super::wrong::{Wrong, suggestion};
use crate::host::text;
use crate::host::{Host, Kind};

/// How many profiles may extend each other.
const LONGEST_CHAIN: usize = 8;

/// Where a chain begins.
pub enum Start<'a> {
    BuiltIn(&'static BuiltIn),
    /// A path of a host, and what messages call it.
    File(&'a Host, PathBuf, String),
}

/// Reads the profile at `start` and all that it extends, and merges them.
pub fn chain(start: Start<'_>, writers: Writers) -> Result<Node, Wrong> {
    let mut layers: Vec<Layer> = Vec::new();
    let mut seen = Vec::new();
    let mut next = Some(start);
    let mut root = None;
    while let Some(start) = next.take() {
        if layers.len() == LONGEST_CHAIN {
            let first = &layers[0].tree.source;
            return Err(Wrong::new(format!(
                "{first}: extends a chain of more than {LONGEST_CHAIN} profiles"
            )));
        }
        let (layer, following) = match start {
            Start::BuiltIn(found) => (Layer::new(parse(found.text, Source::BuiltIn(found.name))?)?, None),
            Start::File(host, path, name) => {
                // A recorded tree is only ever judged, by whoever got the recording.
                let writers = if host.kind() == Kind::Recorded { Writers::Anyone } else { writers };
                let opened = source::read(host, &path, &name, writers)?;
                if seen.contains(&opened.id) {
                    let chain: Vec<_> = layers.iter().map(|layer| layer.tree.source.to_string()).collect();
                    return Err(Wrong::new(format!("{} -> {name}: extends itself", chain.join(" -> "))));
                }
                seen.push(opened.id);
                let layer = Layer::new(parse(&opened.text, Source::File(name.clone()))?)?;
                let following = match &layer.extends {
                    Some((reference, at)) => Some(follow(reference, at, host, &opened.real, &name)?),
                    None => {
                        root = Some(name);
                        None
                    }
                };
                (layer, following)
            }
        };
        layers.push(layer);
        next = following;
    }
    let merged = layers.into_iter().rev().reduce(merge_layer);
    let merged = merged.ok_or_else(|| Wrong::new("no profile"))?.tree;
    match root {
        Some(name) => complete(&merged, &name).map(|()| merged),
        None => Ok(merged),
    }
}

struct Layer {
    tree: Node,
    /// What it extends, and where it says so.
    extends: Option<(String, String)>,
    /// The line that says so.
    line: usize,
}

impl Layer {
    fn new(mut tree: Node) -> Result<Self, Wrong> {
        let mut extends = None;
        let mut line = tree.line;
        if let Value::Map(entries) = &mut tree.value
            && let Some(index) = entries.iter().position(|(key, _)| key == "extends")
        {
            let (_, node) = entries.remove(index);
            line = node.line;
            let at = node.at();
            match node.value {
                Value::Text(text) => extends = Some((text, at)),
                Value::Null => {}
                _ => {
                    let what = "found no text, expected the name of a built-in profile or a path";
                    return Err(Wrong::at(at, "extends", what));
                }
            }
        }
        Ok(Self { tree, extends, line })
    }

    fn entry(&mut self, key: &str) -> Option<&mut Node> {
        match &mut self.tree.value {
            Value::Map(entries) => entries.iter_mut().find(|(name, _)| name == key).map(|(_, node)| node),
            _ => None,
        }
    }
}

/// Where `reference`, which stands in the file `name` at `real`, leads.
fn follow<'a>(
    reference: &str,
    at: &str,
    host: &'a Host,
    real: &Path,
    name: &str,
) -> Result<Start<'a>, Wrong> {
    if let Some(found) = builtin::find(reference) {
        return Ok(Start::BuiltIn(found));
    }
    if !is_path(reference) {
        let what = format!(
            "no built-in profile is called `{reference}`{}; built-in: {}; a file is named by a path with `/`, or ends \
             in .yaml",
            suggestion(reference, builtin::builtin_names()),
            builtin::builtin_names().join(", ")
        );
        return Err(Wrong::at(at, "extends", what));
    }
    // Beside the file itself, not beside a link that led to it.
    let beside = real.with_file_name(reference);
    let path = if Path::new(reference).is_absolute() {
        PathBuf::from(reference)
    } else if host.is_live() {
        beside
    } else {
        let root = std::fs::canonicalize(host.root()).unwrap_or_else(|_| host.root().to_path_buf());
        beside.strip_prefix(&root).map(|inside| Path::new("/").join(inside)).unwrap_or(beside)
    };
    let name = match path.strip_prefix("/") {
        Ok(inside) if Path::new(reference).is_absolute() => host.root().join(inside),
        _ => Path::new(name).with_file_name(reference),
    };
    Ok(Start::File(host, path, name.display().to_string()))
}

/// Whether `name` can only mean a file.
pub fn is_path(name: &str) -> bool {
    let extension = Path::new(name).extension();
    name.contains('/') || extension.is_some_and(|end| end == "yaml" || end == "yml")
}

/// Puts `over` on `base`. A layer without a name of its own is named after what it extends and its file: a report then does not say
/// `centos-6.6` of something that is not.
fn merge_layer(mut base: Layer, mut over: Layer) -> Layer {
    let named = over.entry("name").is_some();
    let source = std::rc::Rc::clone(&over.tree.source);
    base.tree.merge(over.tree);
    if !named
        && let Source::File(file) = &*source
        && let Some(node) = base.entry("name")
        && let Value::Text(name) = &node.value
    {
        let file = Path::new(file).file_name().map_or_else(String::new, |file| file.to_string_lossy().into());
        let name: String = text::ascii(&text::safe(&format!("{name} + {file}"))).chars().take(100).collect();
        *node = Node { value: Value::Text(name.trim_end().to_owned()), line: over.line, source };
    }
    base
}

/// Refuses a profile that extends nothing and lacks keys.
fn complete(merged: &Node, name: &str) -> Result<(), Wrong> {
    let mut missing: Vec<&str> = Vec::new();
    for path in required_keys().iter().filter(|path| !merged.has(path)) {
        // A section that is not there at all is named as one.
        let section = path.split('.').next().unwrap_or(path);
        let name = if merged.has(section) { path } else { section };
        if missing.last() != Some(&name) {
            missing.push(name);
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let what = format!(
        "extends no other profile and lacks {}; add what is missing, or `extends: {}`",
        missing.join(", "),
        builtin::DEFAULT
    );
    Err(Wrong { at: Some(name.to_owned()), path: None, what })
}

/// The tree of a text, as if it were in the file `name`, for tests. It can extend a built-in profile alone.
#[cfg(any(test, feature = "fuzzing"))]
pub fn of_text(text: &str, name: &str) -> Result<Node, Wrong> {
    let layer = Layer::new(parse(text, Source::File(name.into()))?)?;
    let Some((reference, _)) = &layer.extends else {
        complete(&layer.tree, name)?;
        return Ok(layer.tree);
    };
    let found = builtin::find(reference).ok_or_else(|| Wrong::new("no such built-in"))?;
    let base = Layer::new(parse(found.text, Source::BuiltIn(found.name))?)?;
    Ok(merge_layer(base, layer).tree)
}
