//! /var/log/mt-agent.log: what was run, and its output, for the person who asks a year later.

use std::fs::{File, OpenOptions};
use std::io::Write;

use anyhow::{Context, Result};

use crate::host::{Host, files, text};
use crate::state::paths::LOG;
use crate::state::time;

pub struct Log(File);

impl Log {
    /// Opens it, making it when it is missing; readable by root only.
    pub fn open(host: &Host) -> Result<Self> {
        let file = files::own(&host.path(LOG), OpenOptions::new().append(true)).context("opening the log")?;
        Ok(Self(file))
    }

    /// Writes a line with the time. A log that cannot be written to stops nothing: the journal, which can,
    /// is what later runs rely on.
    pub fn line(&mut self, line: &str) {
        let line = text::safe(&text::without_secrets(line));
        let _ = writeln!(self.0, "{} {line}", time::now());
    }
}
