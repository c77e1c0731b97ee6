//! The journal as a run writes it: its changes, and where it begins after an earlier one is lost.

use anyhow::Result;

use crate::changes::Change;
use crate::facts;
use crate::host::Host;
use crate::state::journal::{self, FOUND_LOST, IDENTITY};

pub use crate::state::journal::Journal;

/// One line.
pub type Entry = journal::Entry<Change>;

/// What happened.
pub type Event = journal::Event<Change>;

/// The entries of a journal's text, oldest first, and the numbers of the lines that are none: of a change that this version does not
/// know among them.
pub fn parse(text: &str) -> (Vec<Entry>, Vec<usize>) {
    journal::parse(text)
}

/// The journal of `host`: as [`parse`]; empty when there is none yet.
/// Errors: It cannot be read; users other than root can write it.
pub fn read(host: &Host) -> Result<(Vec<Entry>, Vec<usize>)> {
    Ok(journal::read(host)?)
}

/// Opens the journal, making it and its directory when they are missing.
pub fn open(host: &Host, boot_id: &str) -> Result<Journal> {
    // As soon as this one is begun, what shows that an earlier one is lost is no trace of that any more.
    let is_lost = facts::journal::follows_a_lost_one(host);
    let mut journal = Journal::open(host, boot_id)?;
    if is_lost {
        let changed = Some(FOUND_LOST.to_owned());
        journal.write(Event::Done { requirement: IDENTITY.to_owned(), changed })?;
    }
    Ok(journal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::packages::Manager;

    #[test]
    fn what_is_looked_for_among_the_facts_is_what_is_written() {
        use crate::facts::{custom_changes, journal as facts_journal};
        use crate::state::journal::ON_RECORD;
        use crate::state::paths;
        assert!(ON_RECORD.ends_with(paths::IDENTITY));
        assert!(crate::changes::custom_changes::DECIDE.contains(custom_changes::ACCEPT));
        assert!([custom_changes::APPLIED, IDENTITY].into_iter().all(|id| crate::steps::find(id).is_some()));
        let dir = tempfile::tempdir().unwrap();
        let host = Host::recorded(dir.path());
        let mut journal = open(&host, "boot").unwrap();
        let requirement = custom_changes::APPLIED.to_owned();
        journal
            .write(Event::Failed { requirement, error: crate::changes::custom_changes::DECIDE.into() })
            .unwrap();
        journal.write(Event::End { verdict: "restart-owed".into() }).unwrap();
        let expected = facts_journal::Journal {
            vendor_script: true,
            identity: true,
            ..facts_journal::Journal::default()
        };
        assert_eq!(facts_journal::load(&host), facts::Fact::Known(expected));
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
