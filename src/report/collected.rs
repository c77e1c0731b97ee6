//! `apply --download-only`: what an unconnected master target can be given.

use serde::Serialize;

use super::json;
use super::style::{Page, Paint, Style};
use crate::changes::collection::Collection;
use crate::changes::collection::manifest::{Entry, Manifest, Role};
use crate::platform::packages::{Database, NO_SIGNATURE, NOT_VERIFIED};

#[derive(Debug)]
pub struct Collected {
    pub collection: Collection,
    /// What was done; `None` where all of it was there already.
    pub changed: Option<String>,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    directory: String,
    changed: &'a Option<String>,
    notes: &'a [String],
    manifest: &'a Manifest,
}

impl Collected {
    fn directory(&self) -> String {
        self.collection.directory.display().to_string()
    }

    fn notes(&self) -> Vec<String> {
        let files = &self.collection.manifest.files;
        let mut notes = Vec::new();
        if !files.iter().any(|entry| entry.role == Role::Agent) {
            notes.push(
                "the agent's own package is not among them: name it with --agent-package FILE".to_owned(),
            );
        }
        let doubtful = files.iter().filter(|entry| entry.verified.contains(NOT_VERIFIED)).count();
        if doubtful > 0 {
            notes.push(format!(
                "{doubtful} of {} files are not verified, as the profile accepts",
                files.len()
            ));
        }
        let unsigned =
            |entry: &&Entry| entry.verified.ends_with(NO_SIGNATURE) && !entry.verified.contains(NOT_VERIFIED);
        let unsigned = files.iter().filter(unsigned).count();
        if unsigned > 0 {
            notes.push(format!(
                "{unsigned} of {} files have no signature: the target refuses them, unless its profile says \
                 `files.unverified: install-without-verification`",
                files.len()
            ));
        }
        notes
    }
}

pub fn document(collected: &Collected) -> anyhow::Result<String> {
    json::document(&Document {
        schema: "mt-agent/collected/v1",
        directory: collected.directory(),
        changed: &collected.changed,
        notes: &collected.notes(),
        manifest: &collected.collection.manifest,
    })
}

/// As text: what is there, and what to do with it.
pub fn render(collected: &Collected, style: Style) -> String {
    let mut page = Page::new(style);
    let (files, directory) = (&collected.collection.manifest.files, collected.directory());
    let count = files.len();
    match collected.changed {
        Some(_) => page.line(&format!("{count} files in {directory}: copy them to the master target")),
        None => {
            page.line(&format!("nothing to collect: all {count} files in {directory} are there, and whole"))
        }
    };
    page.line("on the master target, as root:");
    if let Some(agent) = files.iter().find(|entry| entry.role == Role::Agent) {
        page.line(&format!("  {} DIR/{}", Database::Rpm.tool().install, agent.file));
    }
    page.line("  mt-agent apply --offline DIR");
    for note in collected.notes() {
        page.wrapped("", Paint::Warn, "note: ", &note);
    }
    page.finish()
}
