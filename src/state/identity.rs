//! What distinguishes one machine from another, as recorded: of this machine when `apply` last ran on it, and of the image that
//! it was cloned from.
//!
//! A record travels inside an image. It holds no identifier, only salted SHA-256 sums of them: enough to see that two are
//! the same, and nothing of the template that a search through the image's bytes would find.

use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use nix::libc;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::paths::{IDENTITY, TEMPLATE};
use super::record::{self, Unread};
use crate::host::{Host, ScsiId, files, text};

pub const SCHEMA: &str = "mt-agent/identity/v1";

const URANDOM: &str = "/dev/urandom";

/// Marks by which a machine is known again: [`IDENTITY`] and [`TEMPLATE`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Record {
    pub schema: String,
    /// When, RFC 3339 UTC.
    pub recorded_at: String,
    /// What is hashed before each identifier: 32 hex digits, drawn when the record was first made.
    pub salt: String,
    /// The marks, sorted.
    pub marks: Vec<Mark>,
    /// Sums of the SCSI IDs of the disks on which this host's own file systems, swap and boot files were made, sorted. Not a
    /// kind of mark: an agent that does not know it has to read the rest. `None` in the records of such an agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_disks: Option<Vec<String>>,
}

/// One identifier of a machine, hashed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    pub kind: Kind,
    /// SHA-256 of salt and identifier, lower-case hex.
    pub sha256: String,
}

/// Kinds of identifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// SMBIOS UUID of the machine (`uuid.bios` in vSphere).
    BiosUuid,
    /// SCSI ID of the disk that carries `/`.
    RootDisk,
    /// SCSI ID of another disk.
    Disk,
    /// Hardware address of a network card.
    Mac,
    /// A host key of sshd.
    SshHostKey,
}

/// An identifier that a machine has now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    pub kind: Kind,
    /// Where it is: `sda`, `eth0`, `ssh_host_rsa_key.pub`; empty for the machine itself.
    pub place: String,
    /// The identifier, in lower case.
    pub value: String,
}

impl Record {
    /// A record of `present`, made `at` (RFC 3339 UTC).
    pub fn new(salt: &str, at: &str, present: &[Present]) -> Self {
        let mut record = Self {
            schema: SCHEMA.to_owned(),
            recorded_at: at.to_owned(),
            salt: salt.to_owned(),
            marks: Vec::new(),
            own_disks: None,
        };
        record.extend(present);
        record
    }

    /// Adds the marks of `present`; whether there is one that was not on record.
    pub fn extend(&mut self, present: &[Present]) -> bool {
        let before = self.marks.clone();
        self.marks.extend(present.iter().map(|one| self.mark(one)).collect::<Vec<_>>());
        self.marks.sort();
        self.marks.dedup();
        self.marks != before
    }

    /// Adds the disks with these SCSI IDs to the own ones; whether there is one that was not on record.
    pub fn own(&mut self, scsi_ids: &[ScsiId]) -> bool {
        let sums: Vec<String> = scsi_ids.iter().map(|id| self.disk(id).sha256).collect();
        let own = self.own_disks.get_or_insert_default();
        let before = own.len();
        own.extend(sums);
        own.sort();
        own.dedup();
        own.len() != before
    }

    /// Whether the disk with this SCSI ID is on record as one of this host's own. Of an older record, which does not have them,
    /// only the one that carried `/` is.
    pub fn owns(&self, scsi_id: &str) -> bool {
        let sum = self.disk(scsi_id).sha256;
        match &self.own_disks {
            Some(own) => own.contains(&sum),
            None => self.marks.iter().any(|mark| mark.kind == Kind::RootDisk && mark.sha256 == sum),
        }
    }

    /// Whether the disk with this SCSI ID was there when the record was made.
    pub fn saw(&self, scsi_id: &str) -> bool {
        self.marks.contains(&self.disk(scsi_id)) || self.owns(scsi_id)
    }

    /// The mark that the disk with this SCSI ID has, or would have.
    pub fn disk(&self, scsi_id: &str) -> Mark {
        let value = scsi_id.to_ascii_lowercase();
        self.mark(&Present { kind: Kind::Disk, place: String::new(), value })
    }

    /// The mark that `present` has in this record. A disk keeps its mark when it becomes the root disk, or stops being it.
    pub fn mark(&self, present: &Present) -> Mark {
        let class = match present.kind {
            Kind::BiosUuid => "bios-uuid",
            Kind::RootDisk | Kind::Disk => "disk",
            Kind::Mac => "mac",
            Kind::SshHostKey => "ssh-host-key",
        };
        let digest = Sha256::digest(format!("{}\n{class}\n{}", self.salt, present.value));
        Mark { kind: present.kind, sha256: text::hex(&digest) }
    }

    pub fn has(&self, present: &Present) -> bool {
        let mark = self.mark(present);
        let is_disk = |kind| matches!(kind, Kind::RootDisk | Kind::Disk);
        self.marks.iter().any(|own| {
            own.sha256 == mark.sha256 && (own.kind == mark.kind || (is_disk(own.kind) && is_disk(mark.kind)))
        })
    }

    /// Whether the SCSI ID of any disk is on record.
    pub fn names_a_disk(&self) -> bool {
        self.own_disks.is_some() || self.knows(Kind::RootDisk) || self.knows(Kind::Disk)
    }

    pub fn knows(&self, kind: Kind) -> bool {
        self.marks.iter().any(|mark| mark.kind == kind)
    }
}

/// This machine's record; `None` where there is none.
/// Errors: Why it is not believed.
pub fn read(host: &Host) -> Result<Option<Record>, Unread> {
    let record = record::load::<Record>(host, IDENTITY, SCHEMA)?;
    // No apply writes such a one, and a machine is not known again by it.
    if record.as_ref().is_some_and(|record| record.marks.is_empty() && record.own_disks.is_none()) {
        return Err(Unread::damaged(format!("{IDENTITY} identifies nothing: no mark stands in it")));
    }
    Ok(record)
}

/// The image's record; `None` where there is none.
/// Errors: Likewise. Nothing on this host can rebuild it.
pub fn template(host: &Host) -> Result<Option<Record>, Unread> {
    let way_out =
        Some("copy it from the template or another clone of it; mt-agent state shows what else can be done");
    record::load(host, TEMPLATE, SCHEMA).map_err(|unread| Unread { way_out, ..unread })
}

/// Writes the record at `path`: [`IDENTITY`] or [`TEMPLATE`].
pub fn write(host: &Host, path: &str, record: &Record) -> Result<()> {
    record::write(host, path, record)
}

/// 32 hex digits from the kernel.
/// Errors: /dev/urandom cannot be read.
pub fn draw_salt() -> Result<String> {
    use std::io::Read;

    let mut bytes = [0_u8; 16];
    let mut urandom = files::node(Path::new(URANDOM), libc::O_NONBLOCK).context("opening /dev/urandom")?;
    // An ordinary file of that name would be the same bytes on every machine.
    ensure!(urandom.metadata()?.file_type().is_char_device(), "{URANDOM} is not the kernel's device");
    urandom.read_exact(&mut bytes).context("reading /dev/urandom")?;
    Ok(text::hex(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(kind: Kind, value: &str) -> Present {
        Present { kind, place: "x".into(), value: value.into() }
    }

    #[test]
    fn a_record_knows_again_and_gives_nothing_away() {
        let uuid = one(Kind::BiosUuid, "564d1c2b-0000");
        let record =
            Record::new("aa", "2026-06-01T00:00:00Z", &[uuid.clone(), one(Kind::RootDisk, "36000c29")]);
        assert!(record.has(&uuid) && record.has(&one(Kind::Disk, "36000c29")));
        assert!(
            !record.has(&one(Kind::BiosUuid, "36000c29")) && !record.has(&one(Kind::Mac, "564d1c2b-0000"))
        );
        assert!(record.knows(Kind::RootDisk) && !record.knows(Kind::Mac));
        let text = serde_json::to_string(&record).unwrap();
        assert!(!text.contains("564d") && !text.contains("36000c29"), "{text}");
        let other = Record::new("bb", "2026-06-01T00:00:00Z", &[uuid]);
        assert_ne!(record.marks[0], other.marks[0], "another salt, another mark");
    }

    #[test]
    fn own_disks_are_told_from_those_that_were_merely_there_and_older_records_stay_readable() {
        let seen = [one(Kind::RootDisk, "36a"), one(Kind::Disk, "36b")];
        let mut record = Record::new("aa", "2026-06-01T00:00:00Z", &seen);
        // As an older agent wrote it.
        assert!(!serde_json::to_string(&record).unwrap().contains("own"));
        assert!(record.owns("36A") && !record.owns("36b") && record.saw("36b") && !record.saw("36c"));
        let ids = ["36c".into(), "36b".into()];
        assert!(record.own(&ids) && !record.own(&ids[..1]));
        assert!(record.owns("36b") && record.owns("36c") && !record.owns("36a") && record.saw("36c"));
        // As an older agent reads it.
        #[derive(Deserialize)]
        struct Older {
            marks: Vec<Mark>,
        }
        let text = serde_json::to_string(&record).unwrap();
        let older: Older = serde_json::from_str(&text).unwrap();
        assert!(older.marks == record.marks && !text.contains("36c"));
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
    }
}
