//! The order of a sealing, as it is kept until its end.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", from = "Written")]
pub struct Order {
    #[serde(flatten)]
    pub chosen: Chosen,
    /// Whether free space is filled with zeros.
    pub wipe_free_space: bool,
    /// Whether who may log in by a key is removed too.
    pub remove_authorized_keys: bool,
    /// `--profile`, as the first boot is to have it.
    pub profile: Option<String>,
}

/// An [`Order`] as it is read: a key that this version does not know may limit it. `flatten` would pass one over.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Written {
    only: Vec<String>,
    skip: Vec<String>,
    wipe_free_space: bool,
    #[serde(default)]
    remove_authorized_keys: bool,
    profile: Option<String>,
}

impl From<Written> for Order {
    fn from(written: Written) -> Self {
        let Written { only, skip, wipe_free_space, remove_authorized_keys, profile } = written;
        Self { chosen: Chosen { only, skip }, wipe_free_space, remove_authorized_keys, profile }
    }
}

/// Which steps are done: `--only` and `--skip`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Chosen {
    /// These alone; empty means all.
    pub only: Vec<String>,
    pub skip: Vec<String>,
}

impl Chosen {
    /// Whether this is a sealing, and not single steps of one: only that makes a template of a machine.
    pub fn is_sealing(&self) -> bool {
        self.only.is_empty()
    }

    pub fn has(&self, id: &str) -> bool {
        let named = |names: &[String]| names.iter().any(|name| name == id);
        (self.only.is_empty() || named(&self.only)) && !named(&self.skip)
    }
}
