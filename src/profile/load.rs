//! From a name or a file, along `extends`, to a validated profile.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::builtin::{self, BuiltIn};
use super::decode::{below, decode};
use super::model::Profile;
use super::raw::RawProfile;
use super::schema::required_keys;
use super::source;
use super::tree::{self, Node, Source, Value};
use super::validate::{disk_lasts, validate};
use super::wrong::{Wrong, suggestion};
use crate::host::text;
use crate::host::{Host, Kind};

/// Where a host keeps its own profile.
pub const HOST_FILE: &str = "/etc/mt-agent/profile.yaml";

/// How many profiles may extend each other.
const LONGEST_CHAIN: usize = 8;

/// Loads the profile that `choice` names: a built-in one, else a file. Without a choice it is the host's own
/// ([`HOST_FILE`]) where there is one, else the built-in one that fits the host, else [`super::DEFAULT`].
///
/// `known_ids` are the requirements that a waiver may name. A file that users other than root can write is refused
/// unless `allow_unsafe`.
///
/// # Errors
/// What is wrong with the profile, in one line: file, line, key, what was found, what is accepted.
pub fn load(choice: Option<&str>, host: &Host, known_ids: &[&str], allow_unsafe: bool) -> Result<Profile> {
    load_with(choice, host, known_ids, allow_unsafe, &[])
}

/// As [`load`], with `settings` put on top: they are checked as if the profile said so.
///
/// # Errors
/// As [`load`]; what is wrong with a setting is told by its option.
pub fn load_with(
    choice: Option<&str>,
    host: &Host,
    known_ids: &[&str],
    allow_unsafe: bool,
    settings: &[Setting],
) -> Result<Profile> {
    let live = Host::live();
    let start = match choice {
        Some(choice) => match builtin::find(choice) {
            Some(found) => Start::BuiltIn(found),
            None if is_path(choice) => Start::File(&live, std::path::absolute(choice)?, choice.to_owned()),
            None => bail!(
                "no built-in profile is called {}{}; built-in: {}; a file is named by a path with `/`, or ends in .yaml",
                text::safe(choice),
                suggestion(choice, builtin::builtin_names()),
                builtin::builtin_names().join(", ")
            ),
        },
        None => match own(host)? {
            true => Start::File(host, PathBuf::from(HOST_FILE), host.path(HOST_FILE).display().to_string()),
            false => Start::BuiltIn(builtin::fitting(host)),
        },
    };
    let mut merged = chain(start, allow_unsafe)?;
    for setting in settings {
        merge(&mut merged, setting.node());
    }
    Ok(finish(&merged, known_ids)?)
}

/// A value that the command line gives instead of the profile.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The option: `--hostname`.
    pub option: &'static str,
    /// The section of the profile that it stands for.
    pub section: &'static str,
    /// The key in it.
    pub key: &'static str,
    /// The value.
    pub value: Given,
}

/// What an option gives.
#[derive(Clone, Debug)]
pub enum Given {
    /// One value.
    One(String),
    /// A list, which replaces the profile's.
    Many(Vec<String>),
}

impl Setting {
    /// The tree of a profile that says this alone.
    fn node(&self) -> Node {
        let source = std::rc::Rc::new(Source::Option(self.option));
        let node = |value| Node { value, line: 1, source: std::rc::Rc::clone(&source) };
        let text = |text: &String| node(Value::Text(text.clone()));
        let value = match &self.value {
            Given::One(value) => text(value),
            Given::Many(values) => node(Value::List(values.iter().map(text).collect())),
        };
        let section = node(Value::Map(vec![(self.key.to_owned(), value)]));
        node(Value::Map(vec![(self.section.to_owned(), section)]))
    }
}

/// Loads the profile in the file at `path` of this machine, whatever it is called.
///
/// # Errors
/// As [`load`].
pub fn check(path: &Path, known_ids: &[&str], allow_unsafe: bool) -> Result<Profile> {
    let live = Host::live();
    let start = Start::File(&live, std::path::absolute(path)?, path.display().to_string());
    let profile = resolve(start, known_ids, allow_unsafe)?;
    // Not in load: on its host, plan and apply tell which disk it is now, and the ID to put there.
    disk_lasts(&profile)?;
    Ok(profile)
}

/// Whether the host has a profile of its own. A link that leads nowhere counts, and a directory that may not be
/// looked into is an error: silently another profile would then say "ready".
fn own(host: &Host) -> Result<bool> {
    let path = Path::new(HOST_FILE);
    let looked = host
        .resolve(path.parent().unwrap_or(path))
        .and_then(|directory| directory.join(path.file_name().unwrap_or_default()).symlink_metadata());
    match looked {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => bail!("{}: cannot be read: {error}", host.path(path).display()),
    }
}

/// Whether `name` can only mean a file.
fn is_path(name: &str) -> bool {
    let extension = Path::new(name).extension();
    name.contains('/') || extension.is_some_and(|end| end == "yaml" || end == "yml")
}

/// Where a chain begins.
enum Start<'a> {
    BuiltIn(&'static BuiltIn),
    /// A path of a host, and what messages call it.
    File(&'a Host, PathBuf, String),
}

fn resolve(start: Start<'_>, known_ids: &[&str], allow_unsafe: bool) -> Result<Profile, Wrong> {
    let merged = chain(start, allow_unsafe)?;
    finish(&merged, known_ids)
}

/// A merged tree to a profile.
fn finish(merged: &Node, known_ids: &[&str]) -> Result<Profile, Wrong> {
    let raw: RawProfile = decode(merged)?;
    let mut origins = BTreeMap::new();
    collect(merged, "", &mut origins);
    validate(&raw, origins, known_ids)
}

/// Reads the profile at `start` and all that it extends, and merges them.
fn chain(start: Start<'_>, allow_unsafe: bool) -> Result<Node, Wrong> {
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
            Start::BuiltIn(found) => {
                (Layer::new(tree::parse(found.text, Source::BuiltIn(found.name))?)?, None)
            }
            Start::File(host, path, name) => {
                // A recorded tree is only ever judged, by whoever got the recording.
                let anyone = allow_unsafe || host.kind() == Kind::Recorded;
                let opened = source::read(host, &path, &name, anyone)?;
                if seen.contains(&opened.id) {
                    let chain: Vec<_> = layers.iter().map(|layer| layer.tree.source.to_string()).collect();
                    return Err(Wrong::new(format!("{} -> {name}: extends itself", chain.join(" -> "))));
                }
                seen.push(opened.id);
                let layer = Layer::new(tree::parse(&opened.text, Source::File(name.clone()))?)?;
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

/// One profile of a chain.
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

/// Puts `over` on `base`: mappings are merged, everything else replaced.
fn merge(base: &mut Node, over: Node) {
    match (&mut base.value, over.value) {
        (Value::Map(entries), Value::Map(changes)) => {
            for (key, change) in changes {
                match entries.iter_mut().find(|(name, _)| *name == key) {
                    Some((_, entry)) => {
                        let (line, source) = (change.line, change.source.clone());
                        merge(entry, change);
                        if !matches!(entry.value, Value::Map(_)) {
                            (entry.line, entry.source) = (line, source);
                        }
                    }
                    None => entries.push((key, change)),
                }
            }
        }
        (_, value) => *base = Node { value, ..over },
    }
}

/// As [`merge`]. A layer without a name of its own is told from what it extends: a report then does not say
/// `centos-6.6` of something that is not.
fn merge_layer(mut base: Layer, mut over: Layer) -> Layer {
    let named = over.entry("name").is_some();
    let source = std::rc::Rc::clone(&over.tree.source);
    merge(&mut base.tree, over.tree);
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
    for path in required_keys().iter().filter(|path| !has(merged, path)) {
        // A section that is not there at all is named as one.
        let section = path.split('.').next().unwrap_or(path);
        let name = if has(merged, section) { path } else { section };
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

/// Whether there is something at `path`, be it of the wrong kind: that is then told as such.
fn has(node: &Node, path: &str) -> bool {
    let (key, rest) = path.split_once('.').unwrap_or((path, ""));
    match &node.value {
        Value::Map(entries) => match entries.iter().find(|(name, _)| name == key) {
            Some((_, node)) => rest.is_empty() || has(node, rest),
            None => false,
        },
        _ => true,
    }
}

/// Where each value came from, by its path.
fn collect(node: &Node, path: &str, origins: &mut BTreeMap<String, String>) {
    match &node.value {
        Value::Map(entries) => {
            for (key, node) in entries {
                collect(node, &below(path, key), origins);
            }
        }
        Value::List(items) => {
            origins.insert(path.to_owned(), node.at());
            for (index, item) in items.iter().enumerate() {
                collect(item, &format!("{path}[{index}]"), origins);
            }
        }
        _ => {
            origins.insert(path.to_owned(), node.at());
        }
    }
}

/// A profile from a text, as if it were in the file `name`, for tests.
#[cfg(any(test, feature = "fuzzing"))]
pub fn from_text(text: &str, name: &str, known_ids: &[&str]) -> Result<Profile, Wrong> {
    let layer = Layer::new(tree::parse(text, Source::File(name.into()))?)?;
    let merged = match &layer.extends {
        Some((reference, _)) => {
            let found = builtin::find(reference).ok_or_else(|| Wrong::new("no such built-in"))?;
            let base = Layer::new(tree::parse(found.text, Source::BuiltIn(found.name))?)?;
            merge_layer(base, layer).tree
        }
        None => {
            complete(&layer.tree, name)?;
            layer.tree
        }
    };
    finish(&merged, known_ids)
}
