//! What every verb is given, and what it answers.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::output::Color;
use crate::profile::Writers;
use crate::report::style::Style;
use crate::report::text::Detail;
use crate::run::sources::Sources;

/// Options that every verb takes.
#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Profile to judge by: the name of a built-in one, or a file [default:
    /// /etc/mt-agent/profile.yaml, else the built-in one that fits the host]
    #[arg(long, global = true, value_name = "NAME|FILE", value_parser = NonEmptyStringValueParser::new())]
    pub profile: Option<String>,
    /// Accept a profile file that is writable by other users (at a desk; apply and seal
    /// do not)
    #[arg(long, global = true)]
    pub allow_unsafe_profile: bool,
    /// Look at the tree of an image, not at the running host
    #[arg(long, global = true, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// When to use colours
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t)]
    pub color: Color,
    /// Say less: only what is not met, and the verdict
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more: shorten nothing
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// What a verb works with.
#[derive(Clone, Debug)]
pub struct Session {
    pub sources: Sources,
    pub style: Style,
    pub detail: Detail,
}

/// What a verb answers: the text for standard output, and the exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub text: String,
    pub code: u8,
}

impl Answer {
    pub fn new(text: impl Into<String>, code: u8) -> Self {
        Self { text: text.into(), code }
    }
}

impl Session {
    /// A session by the global options.
    /// Errors: `--root` does not name a directory.
    pub fn open(global: &Global) -> Result<Self> {
        let detail = match (global.quiet, global.verbose) {
            (true, _) => Detail::Quiet,
            (_, true) => Detail::Verbose,
            _ => Detail::Normal,
        };
        let (profile, root) = (global.profile.clone(), global.root.as_deref());
        let writers = if global.allow_unsafe_profile { Writers::Anyone } else { Writers::Root };
        let sources = Sources::open(root, profile, writers)?;
        Ok(Self { sources, style: global.color.style(), detail })
    }
}
