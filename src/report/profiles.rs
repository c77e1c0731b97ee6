//! `profile`: the built-in profiles listed, one shown, a file checked.

use std::path::Path;

use serde::Serialize;

use super::json::{self, Titled};
use super::style::{Page, Paint, Style};
use crate::host::Host;
use crate::profile::{self, Profile};

/// The built-in profiles, and whether a host has one of its own.
#[derive(Debug, Serialize)]
pub struct List {
    schema: &'static str,
    profiles: Vec<Listed>,
    host_file: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Listed {
    name: String,
    description: String,
    default: bool,
}

impl List {
    /// The list of `profiles`; `host` may have one of its own.
    pub fn new(profiles: Vec<Profile>, host: &Host) -> Self {
        let listed = |Profile { name, description, .. }| {
            let default = name == profile::DEFAULT;
            let description = description.map(|words| words.to_string()).unwrap_or_default();
            Listed { name: name.to_string(), description, default }
        };
        Self {
            schema: "mt-agent/profiles/v1",
            profiles: profiles.into_iter().map(listed).collect(),
            host_file: host.exists(profile::HOST_FILE).then_some(profile::HOST_FILE),
        }
    }
}

/// The list as text; `host` is the one that it was made for.
pub fn render_list(list: &List, host: &Host, style: Style) -> String {
    let mut page = Page::new(style);
    for Listed { name, description, default } in &list.profiles {
        let description = format!("{description}{}", if *default { " (default)" } else { "" });
        page.wrapped("", Paint::Bold, &format!("{name:12}  "), &description);
    }
    match list.host_file {
        Some(file) => page.line(&format!("{host} has a profile of its own: {file}")),
        None => page.line(&format!("{host} has no {}", profile::HOST_FILE)),
    };
    page.finish()
}

pub fn render(profile: &Profile, style: Style) -> String {
    lines(&profile::show(profile), style)
}

/// The document that says that a file holds a profile that can be used.
pub fn checked_document(file: &Path, profile: &Profile) -> anyhow::Result<String> {
    let value = &serde_json::json!({ "file": file, "name": &*profile.name, "valid": true });
    json::document(&Titled { schema: "mt-agent/profile-check/v1", value })
}

pub fn render_checked(file: &Path, profile: &Profile, style: Style) -> String {
    lines(&format!("{}: the profile {} can be used\n", file.display(), profile.name), style)
}

/// A text of several lines as it is, but safe: its columns have a meaning, so it is not wrapped.
fn lines(text: &str, style: Style) -> String {
    let mut page = Page::new(style);
    for line in text.lines() {
        page.put(Paint::Plain, line).end();
    }
    page.finish()
}
