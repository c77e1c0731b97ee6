//! From a name or a file, along `extends`, to a validated profile.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::builtin;
use super::chain::{Start, chain, is_path};
use super::decode::{below, decode};
use super::model::Profile;
use super::source::Writers;
use super::tree::{Node, Source, Value};
use super::validate::{disk_lasts, validate};
use super::wrong::{Wrong, suggestion};
use crate::host::Host;
use crate::host::text;

/// Where a host keeps its own profile.
pub const HOST_FILE: &str = "/etc/mt-agent/profile.yaml";

/// Loads the profile that `choice` names: a built-in one, else a file. Without a choice it is the host's own
/// ([`HOST_FILE`]) where there is one, else the built-in one that fits the host, else [`super::DEFAULT`].
///
/// `known_ids` are the requirements that a waiver may name. A file that others than `writers` can write is
/// refused.
/// Errors: What is wrong with the profile, in one line: file, line, key, what was found, what is accepted.
pub fn load(choice: Option<&str>, host: &Host, known_ids: &[&str], writers: Writers) -> Result<Profile> {
    load_with(choice, host, known_ids, writers, &[])
}

/// As [`load`], with `settings` put on top: they are checked as if the profile said so.
/// Errors: As [`load`]; what is wrong with a setting is reported by its option.
pub fn load_with(
    choice: Option<&str>,
    host: &Host,
    known_ids: &[&str],
    writers: Writers,
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
    let mut merged = chain(start, writers)?;
    for setting in settings {
        merged.merge(setting.node());
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
    pub key: &'static str,
    pub value: Given,
}

/// What an option gives.
#[derive(Clone, Debug)]
pub enum Given {
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
pub fn check(path: &Path, known_ids: &[&str], writers: Writers) -> Result<Profile> {
    let live = Host::live();
    let start = Start::File(&live, std::path::absolute(path)?, path.display().to_string());
    let profile = finish(&chain(start, writers)?, known_ids)?;
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

fn finish(merged: &Node, known_ids: &[&str]) -> Result<Profile, Wrong> {
    let mut profile: Profile = decode(merged)?;
    collect(merged, "", &mut profile.origins);
    validate(&profile, known_ids)?;
    Ok(profile)
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
    finish(&super::chain::of_text(text, name)?, known_ids)
}
