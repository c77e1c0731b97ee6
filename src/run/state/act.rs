//! What a repair does about a record. Each act is whole or not done, and done again it finds nothing to do.

use anyhow::{Result, bail};

use crate::changes::{Done, records};
use crate::host::{Host, ScsiId};
use crate::report::state::{Row, Stands};
use crate::run::{journal, now, private};
use crate::state::identity::Present;
use crate::state::record::{self, Doubt};
use crate::state::vendor_script::{self, Outcome};
use crate::state::{paths, retention};

/// A record as it stands, and what a repair does about it.
pub(super) struct Held {
    pub row: Row,
    pub acts: Vec<Act>,
    /// What comes before any other way out.
    first: &'static str,
}

/// Something that a repair does.
pub(super) enum Act {
    Close,
    /// Moves what lies there below set-aside.
    Aside(&'static str),
    /// Writes the journal anew with the lines that can be read; all of it is kept below set-aside.
    Journal,
    Begin,
    /// Records the volume that the host shows.
    Retention(Box<retention::Record>),
    /// Records the run of the vendor's script that the host shows, in this boot or an earlier one.
    Script(Outcome, String),
    /// Records what identifies this machine, and of its own disks those that carry `/`, by their SCSI IDs: of others that are in use
    /// it cannot be determined any more.
    Identity(Vec<Present>, Vec<ScsiId>),
}

pub(super) use crate::state::record::REPAIR;

impl Held {
    pub(super) fn new(path: &'static str, status: Stands, content: &str, host: &str) -> Self {
        let row =
            Row { path, status, content: content.to_owned(), host: host.to_owned(), fix: String::new() };
        Self { row, acts: Vec::new(), first: "" }
    }

    pub(super) fn none(path: &'static str) -> Self {
        Self::new(path, Stands::None, "", "")
    }

    pub(super) fn unread(path: &'static str, unread: &record::Unread, host: &str) -> Self {
        let status = if unread.doubt == Doubt::Newer { Stands::Newer } else { Stands::Damaged };
        let first = match unread.doubt {
            Doubt::Newer => "use the newer mt-agent that wrote it; else ",
            Doubt::Untrusted => "run that command, if nobody else has written to it; else ",
            Doubt::Damaged | Doubt::Denied => "",
        };
        Self { first, ..Self::new(path, status, &unread.why, host) }
    }

    pub(super) fn fix(mut self, fix: &str) -> Self {
        self.row.fix = format!("{}{fix}", self.first);
        self
    }

    /// A repair sets it aside, and does what `then` says.
    pub(super) fn aside(self, then: &str) -> Self {
        let path = self.row.path;
        self.act(Act::Aside(path)).fix(&format!("{REPAIR} sets it aside{then}"))
    }

    pub(super) fn act(self, act: Act) -> Self {
        self.maybe(Some(act))
    }

    pub(super) fn maybe(mut self, act: Option<Act>) -> Self {
        self.acts.extend(act);
        self
    }
}

impl Act {
    pub(super) fn summary(&self) -> String {
        match self {
            Self::Close => "close what other users can read of the log and the records".to_owned(),
            Self::Aside(path) => format!("set {path} aside, below {}", paths::SET_ASIDE),
            Self::Journal => {
                format!(
                    "write {} without what cannot be read; all of it is kept below {}",
                    paths::JOURNAL,
                    paths::SET_ASIDE
                )
            }
            Self::Begin => format!("begin {} anew: what was done before is not on record", paths::JOURNAL),
            Self::Retention(new) => format!(
                "record in {} the {} volume with the UUID {} on the disk {}",
                paths::RETENTION,
                new.fs_type,
                new.uuid,
                new.scsi_id
            ),
            Self::Script(Outcome::Observed, _) => {
                format!(
                    "record in {} that the vendor script's run was seen, by its marker",
                    paths::VENDOR_SCRIPT
                )
            }
            Self::Script(..) => format!(
                "record in {} that the vendor script was started, with an end that is not known",
                paths::VENDOR_SCRIPT
            ),
            Self::Identity(..) => format!(
                "record in {} what identifies this machine now, and as its own disk that of / alone",
                paths::IDENTITY
            ),
        }
    }

    /// Does it. What is on record by then is never written over.
    pub(super) fn perform(&self, host: &Host) -> Result<Done> {
        match self {
            Self::Close => Ok(private::close(host).map_or(Done::Unchanged, Done::Changed)),
            Self::Aside(path) => records::put_aside(host, path),
            Self::Journal => {
                let Some(text) = record::text(host, paths::JOURNAL)? else { return Ok(Done::Unchanged) };
                let (_, torn) = journal::parse(&text);
                let lines = text.lines().enumerate().filter(|(index, line)| {
                    !line.trim().is_empty() && torn.binary_search(&(index + 1)).is_err()
                });
                let kept: String = lines.flat_map(|(_, line)| [line, "\n"]).collect();
                if torn.is_empty() {
                    Ok(Done::Unchanged)
                } else {
                    records::rewrite(host, paths::JOURNAL, &text, &kept)
                }
            }
            // The note about it is its first entry.
            Self::Begin => Ok(Done::Changed(self.summary())),
            Self::Retention(new) => match retention::read(host)? {
                None => retention::write(host, new).map(|()| Done::Changed(self.summary())),
                Some(_) => already(paths::RETENTION),
            },
            Self::Script(outcome, boot_id) => match vendor_script::read(host)? {
                None => {
                    vendor_script::write(host, &vendor_script::Record::new("", boot_id, outcome.clone()))?;
                    Ok(Done::Changed(self.summary()))
                }
                Some(_) => already(paths::VENDOR_SCRIPT),
            },
            Self::Identity(present, own) => records::keep_identity(host, &now(), present, Some(own)),
        }
    }
}

fn already(path: &str) -> Result<Done> {
    bail!("{path} has been written since it was looked at: run {REPAIR} again")
}
