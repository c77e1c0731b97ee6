//! The entry of a boot loader that is started.

use serde::{Deserialize, Serialize};

/// The entry that is started where nobody chooses another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootEntry {
    pub file: String,
    /// Its number, from 0; `None` where it is the one that was saved last (`default saved`).
    pub default: Option<u64>,
    pub entries: u64,
    /// The words of its kernel's command line that are judged; `None` where there is no such entry, or it starts no kernel.
    pub kernel: Option<Vec<String>>,
    /// Its kernel and initial file systems that are not where GRUB looks for them, or empty, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacking: Vec<String>,
    /// Why GRUB waits for a person before it starts, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits: Vec<String>,
    /// What of it cannot be determined from here, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untold: Vec<String>,
}

impl BootEntry {
    /// The devices that its kernel's command line names by the parameter `key`: `root`, or `resume` where that is in force.
    pub fn devices<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        let words = || self.kernel.iter().flatten();
        let is_off = key == "resume" && words().any(|word| word == "noresume");
        let value = move |word: &'a String| word.strip_prefix(key)?.strip_prefix('=');
        words().filter_map(value).filter(move |_| !is_off)
    }
}
