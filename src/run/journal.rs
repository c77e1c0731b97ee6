//! The journal: intents and outcomes, one JSON line each, on disk before anything goes on. A torn last line
//! (the machine lost power while it was written) is tolerated and never joined with the next.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::changes::{Change, saved};
use crate::facts::{journal, record};
use crate::host::{Host, files, text, trust};
use crate::steps::Selection;

pub use crate::facts::journal::PATH;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, RFC 3339 UTC.
    pub at: String,
    /// The boot in which it was written.
    pub boot_id: String,
    /// Process id of the run: entries of one run share it and the boot id.
    pub pid: u32,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A run began.
    Begin {
        /// Version of the agent.
        agent: String,
        /// Name of the profile.
        profile: String,
        /// Whether it resumes an earlier run after a restart.
        resumed: bool,
        /// What it looks at, where that is not everything.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        selection: Option<Selection>,
    },
    /// A change is about to be made.
    Intent {
        /// The requirement that wants it.
        requirement: String,
        /// The change.
        change: Change,
    },
    /// It was made, or the host was so already.
    Done {
        /// The requirement.
        requirement: String,
        /// What changed; `None` when nothing had to.
        changed: Option<String>,
    },
    /// It failed.
    Failed {
        /// The requirement.
        requirement: String,
        /// Why.
        error: String,
    },
    /// The run ended.
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
    ///
    /// # Errors
    /// What failed, naming the file.
    pub fn open(host: &Host, boot_id: &str) -> Result<Self> {
        let path = host.path(PATH);
        saved::directory(host, saved::STATE)?;
        let existed = path.exists();
        let follows = journal::follows_a_lost_one(host);
        let options = &mut OpenOptions::new();
        let mut file = files::own(&path, options.read(true).append(true)).context("opening the journal")?;
        // Later runs believe it.
        trust::record_file(host, PATH)?;
        if !existed {
            files::sync_parent(&path)?;
        }
        end_torn_line(&mut file).with_context(|| format!("mending the end of {}", path.display()))?;
        let mut journal = Self { file, boot_id: boot_id.to_owned(), torn: false };
        // What shows that an earlier one is lost is no trace of that any more as soon as this one is begun.
        if follows {
            let changed = Some(journal::FOUND_LOST.to_owned());
            journal.write(Event::Done { requirement: journal::IDENTITY.to_owned(), changed })?;
        }
        Ok(journal)
    }

    /// Writes one entry and waits until it is on disk.
    ///
    /// # Errors
    /// What the system said.
    pub fn write(&mut self, event: Event) -> Result<()> {
        let entry = Entry { at: super::now(), boot_id: self.boot_id.clone(), pid: std::process::id(), event };
        let line = serde_json::to_string(&entry).context("encoding a journal entry")?;
        let line = text::json_without_secrets(&line)
            + "
";
        let written = self.append(line.as_bytes());
        self.torn = written.is_err();
        written.with_context(|| format!("writing the journal {PATH}"))
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
#[must_use]
pub fn parse(text: &str) -> (Vec<Entry>, Vec<usize>) {
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
///
/// # Errors
/// What reading it said; users other than root can write it.
pub fn read(host: &Host) -> Result<(Vec<Entry>, Vec<usize>)> {
    let text = record::text(host, PATH)?;
    Ok(parse(&text.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::packages::Manager;
    use std::fs;

    #[test]
    fn a_torn_last_line_is_tolerated_and_the_next_entry_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::recorded(dir.path());
        let end = |verdict: &str| Event::End { verdict: verdict.to_owned() };
        Journal::open(&host, "boot").unwrap().write(end("ready")).unwrap();
        let path = host.path(PATH);
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str(&text.clone()[..20]);
        OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(&text.as_bytes()[text.len() - 20..])
            .unwrap();
        Journal::open(&host, "boot").unwrap().write(end("failed")).unwrap();
        let (entries, torn) = read(&host).unwrap();
        assert_eq!(
            entries.iter().map(|entry| &entry.event).collect::<Vec<_>>(),
            [&end("ready"), &end("failed")]
        );
        assert_eq!(torn, [2]);
        assert!(fs::read_to_string(&path).unwrap().starts_with(&text), "what was there is never rewritten");
    }

    #[test]
    fn an_entry_after_one_that_could_not_be_written_whole_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::recorded(dir.path());
        let end = |verdict: &str| Event::End { verdict: verdict.to_owned() };
        let mut journal = Journal::open(&host, "boot").unwrap();
        // What a disk that fills up in the middle of a line leaves, and the error that was told.
        journal.file.write_all(b"{\"at\": \"20").unwrap();
        journal.torn = true;
        journal.write(end("failed")).unwrap();
        journal.write(end("ready")).unwrap();
        let (entries, torn) = read(&host).unwrap();
        assert_eq!(
            entries.iter().map(|entry| &entry.event).collect::<Vec<_>>(),
            [&end("failed"), &end("ready")]
        );
        assert_eq!(torn, [1]);
    }

    #[test]
    fn a_run_of_a_part_is_recorded_as_one() {
        let begin = |selection| Entry {
            at: "2026-01-01T00:00:00Z".into(),
            boot_id: "b".into(),
            pid: 7,
            event: Event::Begin { agent: "0".into(), profile: "p".into(), resumed: false, selection },
        };
        let part = begin(Some(Selection::new(vec!["os".into()], vec!["os.clock".into()]).unwrap()));
        let line = serde_json::to_string(&part).unwrap();
        assert!(line.contains(r#""selection":{"only":["os"],"skip":["os.clock"],"stage":null}"#), "{line}");
        assert_eq!(parse(&line), (vec![part], vec![]));
        let whole = serde_json::to_string(&begin(None)).unwrap();
        assert!(!whole.contains("selection"), "{whole}");
        assert_eq!(parse(&whole), (vec![begin(None)], vec![]));
    }

    #[test]
    fn what_is_looked_for_among_the_facts_is_what_is_written() {
        use crate::facts::{custom_changes, identity, journal};
        assert!(journal::ON_RECORD.ends_with(identity::RECORD));
        assert!(crate::changes::custom_changes::DECIDE.contains(custom_changes::ACCEPT));
        assert!(
            [custom_changes::APPLIED, journal::IDENTITY]
                .into_iter()
                .all(|id| crate::steps::find(id).is_some())
        );
        let dir = tempfile::tempdir().unwrap();
        let host = Host::recorded(dir.path());
        let mut journal = Journal::open(&host, "boot").unwrap();
        let requirement = custom_changes::APPLIED.to_owned();
        journal
            .write(Event::Failed { requirement, error: crate::changes::custom_changes::DECIDE.into() })
            .unwrap();
        journal.write(Event::End { verdict: "restart-owed".into() }).unwrap();
        let told = journal::Journal { vendor_script: true, identity: true, ..journal::Journal::default() };
        assert_eq!(journal::load(&host), crate::facts::Fact::Known(told));
    }

    #[test]
    fn an_entry_reads_back_as_it_was_written() {
        let entry = Entry {
            at: "2026-01-01T00:00:00Z".into(),
            boot_id: "b".into(),
            pid: 7,
            event: Event::Intent {
                requirement: "retention.mounted".into(),
                change: Change::InstallPackages {
                    packages: vec!["perl".into()],
                    from: None,
                    manager: Manager::default(),
                    manifest_sha256: None,
                },
            },
        };
        let line = serde_json::to_string(&entry).unwrap();
        assert_eq!(parse(&line), (vec![entry], vec![]));
    }
}
