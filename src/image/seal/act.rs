//! What can be done at a place of an image.

use anyhow::Result;

use super::{Item, Template};

/// What is done at a place. In a place `~/` stands for the home of every user, `*` for any characters of one name.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// Overwritten and removed.
    Remove,
    /// What is below the directory is overwritten and removed; the directory stays.
    Clear,
    /// Likewise, but not overwritten: what everybody can fetch.
    Discard,
    /// Overwritten and emptied: a program has the file open, or looks for it, with its owner and mode.
    Empty,
    /// Below the directory, copies that were rotated are removed and the others emptied.
    Logs,
    /// In the directory, files that hold a private key are removed with their public halves, known by their content.
    PrivateKeys,
    /// Assignments of these keys are taken out of shell files.
    Keys(&'static [&'static str]),
    /// Settings of these options are taken out of dhclient's files, where they are constants.
    Options(&'static [&'static str]),
    /// As the title of the step says.
    Code(fn(&Template<'_>) -> Result<Vec<Item>>),
    /// Stays, and is shown where it is there.
    Keep,
    /// Stays in every image.
    KeepAlways,
    /// Stays, is shown where it is there, and a person decides.
    Leave,
    /// Below the directory, files that hold a private key and that no step removes: likewise.
    LeavePrivateKeys,
    /// Stays in every image, and a person decides.
    LeaveAlways,
}

/// A line of the list.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The step; `kept` and `left` are none.
    pub step: &'static str,
    /// What is done.
    pub act: Act,
    /// Where.
    pub places: &'static [&'static str],
    /// Why it stays, or what there is to know.
    pub why: &'static str,
    /// Whether only a tree has it done: a running template uses what lies there.
    pub only_tree: bool,
}

impl Row {
    /// One line that says what is done, where, and why.
    pub fn summary(&self) -> String {
        let does = match self.act {
            Act::Remove => "remove ".to_owned(),
            Act::Clear => "remove what is below ".to_owned(),
            Act::Discard => "remove, without overwriting it, what is below ".to_owned(),
            Act::Empty => "empty ".to_owned(),
            Act::Logs => "remove rotated logs and empty the others below ".to_owned(),
            Act::PrivateKeys => {
                "remove private keys, known by their content, and their public halves in ".to_owned()
            }
            Act::Keys(keys) => format!("take {} out of ", keys.join(", ")),
            Act::Options(options) => format!("take constants for {} out of ", options.join(", ")),
            Act::Code(_) => "in ".to_owned(),
            Act::LeavePrivateKeys => "private keys below ".to_owned(),
            Act::Keep | Act::KeepAlways | Act::Leave | Act::LeaveAlways => String::new(),
        };
        let mut line = does + &self.places.join(", ");
        if self.only_tree {
            line += ", of a tree only";
        }
        if !self.why.is_empty() {
            line += &format!(": {}", self.why);
        }
        line
    }

    /// Whether it stays with a reason.
    pub fn is_kept(&self) -> bool {
        matches!(self.act, Act::Keep | Act::KeepAlways)
    }

    /// Whether it stays, and a person decides.
    pub fn is_left(&self) -> bool {
        matches!(self.act, Act::Leave | Act::LeavePrivateKeys | Act::LeaveAlways)
    }
}
