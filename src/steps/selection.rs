//! Which requirements are looked at: `--only` and `--skip`, by id or section.

use anyhow::{Result, bail};

use super::all;
use super::nearest::nearest;

/// Requirements selected by id (`retention.mounted`) or section (`retention`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// These alone; empty means all.
    pub only: Vec<String>,
    /// Not these.
    pub skip: Vec<String>,
}

impl Selection {
    /// A selection by names of requirements and sections.
    ///
    /// # Errors
    /// A name that is neither an id nor a section; a selection that leaves nothing to look at.
    pub fn new(only: Vec<String>, skip: Vec<String>) -> Result<Self> {
        for (option, names) in [("--only", &only), ("--skip", &skip)] {
            for name in names {
                if !all().any(|requirement| covers(name, requirement.id)) {
                    bail!("{option}: {}", unknown(name));
                }
            }
        }
        let selection = Self { only, skip };
        if !all().any(|requirement| selection.includes(requirement.id)) {
            bail!("--only and --skip leave no requirement to look at");
        }
        Ok(selection)
    }

    /// Whether the requirement `id` is selected.
    #[must_use]
    pub fn includes(&self, id: &str) -> bool {
        (self.only.is_empty() || self.only.iter().any(|name| covers(name, id)))
            && !self.skip.iter().any(|name| covers(name, id))
    }
}

/// The sections, in the order of the procedure: the first words of the ids.
#[must_use]
pub fn sections() -> Vec<&'static str> {
    let mut sections: Vec<_> = all().map(|requirement| section(requirement.id)).collect();
    sections.dedup();
    sections
}

/// Whether `name` is `id` or its section.
fn covers(name: &str, id: &str) -> bool {
    name == id || name == section(id)
}

fn section(id: &str) -> &str {
    id.split_once('.').map_or(id, |(section, _)| section)
}

/// One line for a name that is no requirement's.
pub(super) fn unknown(name: &str) -> String {
    let name = &crate::host::text::safe(name);
    let sections = sections();
    let close = nearest(name, all().map(|requirement| requirement.id).chain(sections.iter().copied()));
    if close.is_empty() {
        format!("no requirement or section is called \"{name}\"; the sections are {}", sections.join(", "))
    } else {
        format!("no requirement or section is called \"{name}\"; close to it: {}", close.join(", "))
    }
}
