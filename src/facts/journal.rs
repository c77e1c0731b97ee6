//! What the journal shows of records that may be lost: the vendor script's run, and this machine's identity. The whole of it is
//! read where it is written; here a line that is none of ours is passed over.

use std::io::Read;

use serde::{Deserialize, Serialize};

use super::{Fact, custom_changes, fstab, read};
use crate::host::{Host, files};
use crate::state::journal::{FOUND_LOST, IDENTITY, ON_RECORD, RECORDED};
use crate::state::paths::{self, JOURNAL, SET_ASIDE, TEMPLATE};
use crate::state::{record, set_aside};

/// What is known by the journal, and by those that `state repair` has set aside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// Whether the vendor's script has run, or its run was seen or accepted.
    pub vendor_script: bool,
    /// Whether this machine's identity is on record by it.
    pub identity: bool,
    /// Whether there is none at all, nor one that was set aside.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missing: bool,
    /// Whether the agent's own log is there, of which no line comes before the first one of the journal.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub log: bool,
}

#[derive(Deserialize)]
struct Line {
    event: String,
    #[serde(default)]
    requirement: String,
    changed: Option<String>,
    error: Option<String>,
    verdict: Option<String>,
}

impl Journal {
    /// Adds what the lines of `text` show, the oldest first.
    fn read(&mut self, text: &str) {
        for line in text.lines() {
            let Ok(line) = serde_json::from_str::<Line>(line) else { continue };
            match (line.event.as_str(), line.requirement.as_str()) {
                ("done", custom_changes::APPLIED) => self.vendor_script = true,
                // What failed before the script was started asks for no decision. What was begun alone may not have come so far.
                ("failed", custom_changes::APPLIED) => {
                    self.vendor_script |=
                        line.error.is_some_and(|error| error.contains(custom_changes::ACCEPT));
                }
                ("done", requirement) => {
                    let changed = line.changed.unwrap_or_default();
                    let is_recorded = changed.starts_with(RECORDED)
                        || changed.ends_with(ON_RECORD)
                        || changed == FOUND_LOST;
                    if is_recorded || requirement == IDENTITY && !changed.is_empty() {
                        self.identity = is_recorded;
                    }
                }
                // Of earlier versions, which did not note it: no apply ended so without it.
                ("end", _) => {
                    self.identity |= matches!(line.verdict.as_deref(), Some("ready" | "restart-owed"));
                }
                _ => {}
            }
        }
    }
}

pub fn load(host: &Host) -> Fact<Journal> {
    let read = || -> anyhow::Result<Journal> {
        let mut journal = Journal { missing: true, log: has_log(host)?, ..Journal::default() };
        for path in set_aside::places(host, JOURNAL).map_err(|error| read::explain(SET_ASIDE, error))? {
            // What is no file holds no lines.
            let meta = host.place(&path)?.symlink_metadata()?;
            if meta.is_file() {
                // One that grew too large to be read was not believed for that, and began as all do.
                let text =
                    if meta.len() > files::LARGEST { begin(host, &path)? } else { read::text(host, &path)? };
                journal.read(&text);
                journal.missing = false;
            }
        }
        let text = record::text(host, JOURNAL)?.unwrap_or_default();
        journal.missing &= text.is_empty();
        journal.read(&text);
        Ok(journal)
    };
    Fact::from_result(read())
}

fn begin(host: &Host, path: &str) -> anyhow::Result<String> {
    let mut text = Vec::new();
    files::open(&host.place(path)?)?.take(files::LARGEST).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Whether there is a log of the agent's in which something stands.
fn has_log(host: &Host) -> anyhow::Result<bool> {
    let (directory, name) = paths::log();
    let names = host.list(directory).map_err(|error| read::explain(directory, error))?;
    let is_one = |one: &String| {
        let place = host.place(format!("{directory}/{one}")).and_then(|place| place.symlink_metadata());
        one.starts_with(name) && place.is_ok_and(|meta| meta.is_file() && meta.len() > 0)
    };
    Ok(names.iter().any(is_one))
}

/// Whether a journal that is begun now on `host` follows one that is lost. What cannot be read is no sign here: whoever
/// judges reads it too.
pub fn follows_a_lost_one(host: &Host) -> bool {
    let has_line =
        || fstab::load(host).known().is_some_and(|fstab| fstab::has_ours(&fstab.entries, &fstab.ignored));
    let is_one = |journal: &Journal| journal.missing && (journal.log || has_line());
    // A sealing takes the log out, and what the first boot of a clone writes there is its own.
    !host.exists(TEMPLATE) && load(host).known().is_some_and(is_one)
}

/// Of recordings by an agent that did not look.
pub(crate) fn not_read() -> Fact<Journal> {
    Fact::Known(Journal::default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    fn parsed(text: &str) -> (bool, bool) {
        let mut journal = Journal::default();
        journal.read(text);
        (journal.vendor_script, journal.identity)
    }

    #[test]
    fn a_run_of_the_script_is_told_by_its_end_and_by_a_failure_that_asks_for_a_decision() {
        let event = |event: &str, of: &str, more: &str| {
            format!(r#"{{"event":"{event}","requirement":"custom-changes.{of}",{more}}}"#)
        };
        let decide = r#""error":"failed: decide with `mt-agent apply --custom-changes=accept`""#;
        for (line, expected) in [
            (event("done", "applied", r#""changed":null"#), true),
            (event("done", "applied", r#""changed":"it ran""#), true),
            (event("done", "restarted", r#""changed":"x""#), false),
            (event("failed", "applied", decide), true),
            (event("failed", "applied", r#""error":"there is no bash""#), false),
            (event("intent", "applied", r#""change":{"kind":"run-custom-changes"}"#), false),
            ("torn".to_owned(), false),
            (r#"{"event":"done","requirement":"custom-changes.appl"#.to_owned(), false),
            ("[1]".to_owned(), false),
        ] {
            assert_eq!(parsed(&line), (expected, false), "{line}");
        }
        testing::damage(r#"{"event":"done","requirement":"custom-changes.applied"}"#, |text| {
            let _ = parsed(text);
        });
    }

    #[test]
    fn an_identity_is_on_record_from_its_note_until_another_machine_s_is_set_aside() {
        let recorded =
            format!(r#"{{"event":"done","requirement":"{IDENTITY}","changed":"{RECORDED} in x"}}"#);
        let aside =
            format!(r#"{{"event":"done","requirement":"{IDENTITY}","changed":"the other machine's"}}"#);
        let nothing = format!(r#"{{"event":"done","requirement":"{IDENTITY}","changed":null}}"#);
        let ended = |verdict: &str| format!(r#"{{"event":"end","verdict":"{verdict}"}}"#);
        for (lines, expected) in [
            (vec![recorded.clone()], true),
            (vec![recorded.clone(), nothing], true),
            (vec![recorded.clone(), aside.clone()], false),
            (vec![ended("ready"), aside.clone(), ended("failed")], false),
            (vec![aside, recorded], true),
            (vec![ended("ready")], true),
            (
                vec![
                    r#"{"event":"done","requirement":"layout.own-disks","changed":"36c on record in /var/lib/mt-agent/identity.json"}"#
                        .to_owned(),
                ],
                true,
            ),
            (vec![r#"{"event":"done","requirement":"layout.own-disks","changed":null}"#.to_owned()], false),
            (vec![ended("restart-owed")], true),
            (vec![ended("not-ready"), ended("failed"), ended("selection-ready"), ended("collected")], false),
        ] {
            assert_eq!(parsed(&lines.join("\n")), (false, expected), "{lines:?}");
        }
    }

    #[test]
    fn what_was_set_aside_counts_and_one_that_cannot_be_read_is_unknown() {
        let done = r#"{"event":"done","requirement":"custom-changes.applied","changed":null}"#;
        let end = "{\"event\":\"end\",\"verdict\":\"ready\"}\ngarbage\n";
        let aside = "var/lib/mt-agent/set-aside/damaged-20260601T100000Z/journal.jsonl.1";
        let dir = testing::tree(&[(aside, done), (&JOURNAL[1..], end)]);
        assert_eq!(
            load(&Host::recorded(dir.path())),
            Fact::Known(Journal { vendor_script: true, identity: true, ..Journal::default() })
        );
        // Another machine's, and what lay in the place of a file.
        let other = "var/lib/mt-agent/set-aside/records-20260601T100000Z/journal.jsonl";
        let inside = "var/lib/mt-agent/set-aside/damaged-20260601T100000Z/journal.jsonl/x";
        let dir = testing::tree(&[(other, done), (inside, "")]);
        assert_eq!(
            load(&Host::recorded(dir.path())),
            Fact::Known(Journal { missing: true, ..Journal::default() })
        );
        let dir = testing::tree(&[("var/lib/mt-agent/journal.jsonl/x", "")]);
        let Fact::Unknown(why) = load(&Host::recorded(dir.path())) else { panic!() };
        assert!(why.contains("it is a directory, not a regular file"), "{why}");
    }
    #[test]
    fn a_log_without_a_journal_or_our_line_of_fstab_shows_that_one_is_lost() {
        let line = format!("{}/mnt/retention\nUUID=1 /mnt/retention ext4 rw 0 0\n", fstab::COMMENT);
        let log = "var/log/mt-agent.log";
        for (files, expected) in [
            (vec![(log, "x\n")], true),
            (vec![("var/log/mt-agent.log-20260601", "x\n"), (log, "")], true),
            (vec![(log, "")], false),
            (vec![("var/log/other.log", "x\n")], false),
            (vec![("etc/fstab", line.as_str())], true),
            (vec![("etc/fstab", "UUID=1 /mnt/retention ext4 rw 0 0\n")], false),
            (vec![(log, "x\n"), ("etc/fstab", line.as_str()), (&JOURNAL[1..], "{}\n")], false),
            (vec![(log, "x\n"), (&JOURNAL[1..], "")], true),
            (vec![(log, "x\n"), (&TEMPLATE[1..], "{}")], false),
            (vec![], false),
        ] {
            let dir = testing::tree(&files);
            let host = Host::recorded(dir.path());
            assert_eq!(follows_a_lost_one(&host), expected, "{files:?}");
        }
        let found = format!(r#"{{"event":"done","requirement":"{IDENTITY}","changed":"{FOUND_LOST}"}}"#);
        assert_eq!(parsed(&found), (false, true));
    }
}
