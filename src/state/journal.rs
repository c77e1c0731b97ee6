//! The journal: intents and outcomes, one JSON line each, on disk before the next step. A torn last line
//! (the machine lost power while it was written) is tolerated and never joined with the next.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};

use anyhow::{Context as _, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::paths::{DIRECTORY, JOURNAL};
use super::record::{self, Unread};
use super::request::Part;
use super::{saved, time};
use crate::host::{Host, files, text, trust};

/// Under which requirement an apply notes that it recorded this machine's identity, or set another machine's aside.
pub const IDENTITY: &str = "image.identity";

/// How the note begins that it was recorded, by a repair as well.
pub const RECORDED: &str = "recorded this machine's identity";

/// How the note ends that a person put disks on record there.
pub const ON_RECORD: &str = " on record in /var/lib/mt-agent/identity.json";

/// What the first line of a journal notes where an apply had been at work before: that makes none of a lost record a new machine.
pub const FOUND_LOST: &str = "found all records of this machine lost";

/// One line; `C` is what a change is written as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry<C> {
    /// When, RFC 3339 UTC.
    pub at: String,
    /// The boot in which it was written.
    pub boot_id: String,
    /// Process id of the run: entries of one run share it and the boot id.
    pub pid: u32,
    #[serde(flatten)]
    pub event: Event<C>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event<C> {
    Begin {
        agent: String,
        profile: String,
        /// Whether it resumes an earlier run after a restart.
        resumed: bool,
        /// What it looks at, where that is not everything.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        selection: Option<Part>,
    },
    /// A change is about to be made.
    Intent { requirement: String, change: C },
    /// It was made, or the host was so already.
    Done {
        requirement: String,
        /// What changed; `None` when nothing had to.
        changed: Option<String>,
    },
    /// It failed.
    Failed { requirement: String, error: String },
    End {
        /// `ready`, `selection-ready`, `restart-owed`, `not-ready`, `collected`, `failed` or `interrupted`.
        verdict: String,
    },
}

/// The journal, open for appending.
pub struct Journal {
    file: File,
    boot_id: String,
    /// Whether a write failed, half a line may be there, and the next entry must not join it.
    torn: bool,
}

impl Journal {
    /// Opens it, making it and its directory when they are missing.
    pub fn open(host: &Host, boot_id: &str) -> Result<Self> {
        let path = host.path(JOURNAL);
        saved::directory(host, DIRECTORY)?;
        let existed = path.exists();
        let options = &mut OpenOptions::new();
        let mut file = files::own(&path, options.read(true).append(true)).context("opening the journal")?;
        // Later runs believe it.
        trust::record_file(host, JOURNAL)?;
        if !existed {
            files::sync_parent(&path)?;
        }
        end_torn_line(&mut file).with_context(|| format!("mending the end of {}", path.display()))?;
        Ok(Self { file, boot_id: boot_id.to_owned(), torn: false })
    }

    /// Writes one entry and waits until it is on disk.
    pub fn write<C: Serialize>(&mut self, event: Event<C>) -> Result<()> {
        let entry = Entry { at: time::now(), boot_id: self.boot_id.clone(), pid: std::process::id(), event };
        let line = serde_json::to_string(&entry).context("encoding a journal entry")?;
        let line = text::json_without_secrets(&line) + "\n";
        let written = self.append(line.as_bytes());
        self.torn = written.is_err();
        written.with_context(|| format!("writing the journal {JOURNAL}"))
    }

    fn append(&mut self, line: &[u8]) -> std::io::Result<()> {
        if self.torn {
            end_torn_line(&mut self.file)?;
        }
        self.file.write_all(line)?;
        self.file.sync_data()
    }
}

/// Ends a line that a power loss tore, so that the next entry stands on a line of its own.
fn end_torn_line(file: &mut File) -> std::io::Result<()> {
    let length = file.seek(SeekFrom::End(0))?;
    if length == 0 {
        return Ok(());
    }
    file.seek(SeekFrom::Start(length - 1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    if last != *b"\n" {
        file.write_all(b"\n")?;
        file.sync_data()?;
    }
    Ok(())
}

/// The entries of a journal's text, oldest first, and the numbers of the lines that are none.
pub fn parse<C: DeserializeOwned>(text: &str) -> (Vec<Entry<C>>, Vec<usize>) {
    let mut entries = Vec::new();
    let mut torn = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str(line) {
            Ok(entry) => entries.push(entry),
            Err(_) => torn.push(index + 1),
        }
    }
    (entries, torn)
}

/// The journal of `host`: as [`parse`]; empty when there is none yet.
/// Errors: It cannot be read; users other than root can write it.
pub fn read<C: DeserializeOwned>(host: &Host) -> Result<(Vec<Entry<C>>, Vec<usize>), Unread> {
    let text = record::text(host, JOURNAL)?;
    Ok(parse(&text.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn host() -> (tempfile::TempDir, Host) {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::recorded(dir.path());
        (dir, host)
    }

    fn end(verdict: &str) -> Event<()> {
        Event::End { verdict: verdict.to_owned() }
    }

    /// The events in the journal, and the lines that are torn.
    fn events(host: &Host) -> (Vec<Event<()>>, Vec<usize>) {
        let (entries, torn) = read::<()>(host).unwrap();
        (entries.into_iter().map(|entry| entry.event).collect(), torn)
    }

    #[test]
    fn a_torn_last_line_is_tolerated_and_the_next_entry_is_whole() {
        let (_dir, host) = host();
        Journal::open(&host, "boot").unwrap().write(end("ready")).unwrap();
        let path = host.path(JOURNAL);
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str(&text.clone()[..20]);
        fs::write(&path, &text).unwrap();
        Journal::open(&host, "boot").unwrap().write(end("failed")).unwrap();
        assert_eq!(events(&host), (vec![end("ready"), end("failed")], vec![2]));
        assert!(fs::read_to_string(&path).unwrap().starts_with(&text), "what was there is never rewritten");
    }

    #[test]
    fn an_entry_after_one_that_could_not_be_written_whole_is_whole() {
        let (_dir, host) = host();
        let mut journal = Journal::open(&host, "boot").unwrap();
        // What a disk that fills up in the middle of a line leaves, and the error that was reported.
        journal.file.write_all(b"{\"at\": \"20").unwrap();
        journal.torn = true;
        journal.write(end("failed")).unwrap();
        journal.write(end("ready")).unwrap();
        assert_eq!(events(&host), (vec![end("failed"), end("ready")], vec![1]));
    }

    #[test]
    fn a_run_of_a_part_is_recorded_as_one() {
        let begin = |selection| Entry::<()> {
            at: "2026-01-01T00:00:00Z".into(),
            boot_id: "b".into(),
            pid: 7,
            event: Event::Begin { agent: "0".into(), profile: "p".into(), resumed: false, selection },
        };
        let part = begin(Some(Part { only: vec!["os".into()], skip: vec!["os.clock".into()], stage: None }));
        let line = serde_json::to_string(&part).unwrap();
        assert!(line.contains(r#""selection":{"only":["os"],"skip":["os.clock"],"stage":null}"#), "{line}");
        assert_eq!(parse(&line), (vec![part], vec![]));
        let whole = serde_json::to_string(&begin(None)).unwrap();
        assert!(!whole.contains("selection"), "{whole}");
        assert_eq!(parse(&whole), (vec![begin(None)], vec![]));
    }
}
