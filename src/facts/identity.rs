//! What tells one machine from another, and what we recorded of it: of this machine when `apply` last ran on it, and of
//! the image that it was cloned from.
//!
//! A record travels inside an image. It holds no identifier, only salted SHA-256 sums of them: enough to see that two are
//! the same, and nothing of the template that a search through the image's bytes would find.

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Fact, Facts, read as files, record};
use crate::host::{Host, text};

/// This machine's identity, as `apply` last saw it.
pub const RECORD: &str = "/var/lib/mt-agent/identity.json";

/// The identity of the machine that this one was cloned from: written by `seal` into the image.
pub const TEMPLATE: &str = "/var/lib/mt-agent/template.json";

/// What an apply, a sealing or the first boot of a clone leaves for after a restart. Of another machine it names that one's
/// disks.
pub const PENDING: &str = "/var/lib/mt-agent/resume.json";

/// The version of both records.
pub const SCHEMA: &str = "mt-agent/identity/v1";

/// Where sshd keeps the keys by which a host is known.
pub const SSH_DIRECTORY: &str = "/etc/ssh";

/// What is known of identities beside the firmware's, the disks' and the interfaces'.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The host keys of sshd.
    pub ssh_host_keys: Fact<Vec<HostKey>>,
    /// This machine's record.
    pub recorded: Fact<Option<Record>>,
    /// The image's record.
    pub template: Fact<Option<Record>>,
    /// Whether a sealing of this machine or of its image was interrupted, by [`PENDING`].
    #[serde(default = "not_sealing")]
    pub half_sealed: Fact<bool>,
}

/// Of recordings by an agent that could not seal.
fn not_sealing() -> Fact<bool> {
    Fact::Known(false)
}

/// Recordings of an agent that did not read it yet.
impl Default for Identity {
    fn default() -> Self {
        Self::unknown("the recording was made by an agent that did not look")
    }
}

/// A host key of sshd.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostKey {
    /// `ssh_host_rsa_key.pub`.
    pub file: String,
    /// SHA-256 of the public key as it stands there (base64), lower-case hex.
    pub sha256: String,
}

/// Marks by which a machine is known again: [`RECORD`] and [`TEMPLATE`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Record {
    /// `mt-agent/identity/v1`.
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
    /// What it identifies.
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
    /// What it identifies.
    pub kind: Kind,
    /// Where it is: `sda`, `eth0`, `ssh_host_rsa_key.pub`; empty for the machine itself.
    pub place: String,
    /// The identifier, in lower case.
    pub value: String,
}

impl Identity {
    /// Nothing is known, for one reason.
    #[must_use]
    pub fn unknown(why: &str) -> Self {
        Self {
            ssh_host_keys: Fact::Unknown(why.into()),
            recorded: Fact::Unknown(why.into()),
            template: Fact::Unknown(why.into()),
            half_sealed: Fact::Unknown(why.into()),
        }
    }
}

impl Record {
    /// A record of `present`, made `at` (RFC 3339 UTC).
    #[must_use]
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
    pub fn own(&mut self, scsi_ids: &[String]) -> bool {
        let sums: Vec<String> = scsi_ids.iter().map(|id| self.disk(id).sha256).collect();
        let own = self.own_disks.get_or_insert_default();
        let before = own.len();
        own.extend(sums);
        own.sort();
        own.dedup();
        own.len() != before
    }

    /// Whether the disk with this SCSI ID is on record as one of this host's own. Of an older record, which does not tell,
    /// only the one that carried `/` is.
    #[must_use]
    pub fn owns(&self, scsi_id: &str) -> bool {
        let sum = self.disk(scsi_id).sha256;
        match &self.own_disks {
            Some(own) => own.contains(&sum),
            None => self.marks.iter().any(|mark| mark.kind == Kind::RootDisk && mark.sha256 == sum),
        }
    }

    /// Whether the disk with this SCSI ID was there when the record was made.
    #[must_use]
    pub fn saw(&self, scsi_id: &str) -> bool {
        self.marks.contains(&self.disk(scsi_id)) || self.owns(scsi_id)
    }

    /// The mark that the disk with this SCSI ID has, or would have.
    #[must_use]
    pub fn disk(&self, scsi_id: &str) -> Mark {
        let value = scsi_id.to_ascii_lowercase();
        self.mark(&Present { kind: Kind::Disk, place: String::new(), value })
    }

    /// The mark that `present` has in this record. A disk keeps its mark when it becomes the root disk, or stops being it.
    #[must_use]
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

    /// Whether this record has the identifier.
    #[must_use]
    pub fn has(&self, present: &Present) -> bool {
        let mark = self.mark(present);
        let is_disk = |kind| matches!(kind, Kind::RootDisk | Kind::Disk);
        self.marks.iter().any(|own| {
            own.sha256 == mark.sha256 && (own.kind == mark.kind || (is_disk(own.kind) && is_disk(mark.kind)))
        })
    }

    /// Whether the SCSI ID of any disk is on record.
    #[must_use]
    pub fn tells_of_disks(&self) -> bool {
        self.own_disks.is_some() || self.knows(Kind::RootDisk) || self.knows(Kind::Disk)
    }

    /// Whether anything of this kind is on record.
    #[must_use]
    pub fn knows(&self, kind: Kind) -> bool {
        self.marks.iter().any(|mark| mark.kind == kind)
    }
}

/// Reads host keys and records.
#[must_use]
pub fn load(host: &Host) -> Identity {
    Identity {
        ssh_host_keys: Fact::from_result(ssh_host_keys(host)),
        recorded: recorded(host),
        template: template(host),
        half_sealed: Fact::from_result(half_sealed(host)),
    }
}

/// This machine's record; `Known(None)` where there is none. A torn one is unknown.
#[must_use]
pub fn recorded(host: &Host) -> Fact<Option<Record>> {
    Fact::from_result(read(host))
}

/// This machine's record; `None` where there is none.
///
/// # Errors
/// Why it is not believed.
pub fn read(host: &Host) -> Result<Option<Record>, record::Unread> {
    let record = record::load::<Record>(host, RECORD, SCHEMA)?;
    // No apply writes such a one, and a machine is not known again by it.
    if record.as_ref().is_some_and(|record| record.marks.is_empty() && record.own_disks.is_none()) {
        return Err(record::Unread::damaged(format!("{RECORD} identifies nothing: no mark stands in it")));
    }
    Ok(record)
}

/// The image's record, likewise.
#[must_use]
pub fn template(host: &Host) -> Fact<Option<Record>> {
    // Of the image nothing on this host tells.
    let way_out =
        Some("copy it from the template or another clone of it; mt-agent state tells what else can be done");
    let read = record::load(host, TEMPLATE, SCHEMA);
    Fact::from_result(read.map_err(|unread| record::Unread { way_out, ..unread }))
}

fn half_sealed(host: &Host) -> Result<bool, record::Unread> {
    let Some(text) = record::text(host, PENDING)? else { return Ok(false) };
    let pending = record::document(PENDING, &text)?;
    Ok(pending.get("seal").is_some_and(|order| !order.is_null()))
}

fn ssh_host_keys(host: &Host) -> Result<Vec<HostKey>> {
    let names = host.list(SSH_DIRECTORY).map_err(|error| files::explain(SSH_DIRECTORY, error))?;
    let mut keys = Vec::new();
    for key in names.iter().filter(|name| name.starts_with("ssh_host_") && name.ends_with("key")) {
        let file = format!("{key}.pub");
        // Without its public half nobody can say whose key it is.
        let text = files::text(host, &format!("{SSH_DIRECTORY}/{file}"))?;
        let public =
            public_key(&text).with_context(|| format!("{SSH_DIRECTORY}/{file} has no key that we know"))?;
        let sha256 = text::hex(&Sha256::digest(public));
        keys.push(HostKey { file, sha256 });
    }
    Ok(keys)
}

/// The key in a `.pub` file: after its type, base64; of SSH 1, which el6's sshd still makes, the modulus after length and
/// exponent. What follows is a comment.
#[must_use]
pub fn public_key(text: &str) -> Option<&str> {
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let first = words.next().filter(|word| !word.starts_with('#'))?;
        words.nth(usize::from(first.bytes().all(|byte| byte.is_ascii_digit())))
    })
}

/// What identifies the machine that `facts` were read from, as far as it is known. `root` is the kernel name of the disk
/// that carries `/`. An interface counts when it is a card: bridges and tunnels draw their addresses.
#[must_use]
pub fn present(facts: &Facts, root: Option<&str>) -> Vec<Present> {
    let mut all = Vec::new();
    let mut add = |kind, place: &str, value: &str| {
        all.push(Present { kind, place: place.to_owned(), value: value.to_ascii_lowercase() });
    };
    if let Some(uuid) = facts.dmi.known().and_then(|dmi| dmi.uuid.known()?.as_ref()) {
        add(Kind::BiosUuid, "", uuid);
    }
    for disk in facts.disks.known().into_iter().flatten() {
        let kind = if root == Some(disk.name.as_str()) { Kind::RootDisk } else { Kind::Disk };
        if let Some(id) = &disk.scsi_id {
            add(kind, &disk.name, id);
        }
    }
    for nic in facts.network.nics.known().into_iter().flatten() {
        if let (true, Some(mac)) = (nic.physical, &nic.mac) {
            add(Kind::Mac, &nic.name, mac);
        }
    }
    for key in facts.identity.ssh_host_keys.known().into_iter().flatten() {
        add(Kind::SshHostKey, &key.file, &key.sha256);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

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
        let ids = ["36c".to_owned(), "36b".to_owned()];
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

    #[test]
    fn host_keys_and_records_are_read_and_a_torn_record_is_unknown() {
        let dir = testing::tree(&[
            ("etc/ssh/ssh_host_rsa_key.pub", "# old\nssh-rsa AAAAB3Nza root@template\n"),
            ("etc/ssh/ssh_host_rsa_key", "secret"),
            ("etc/ssh/ssh_host_key", "secret"),
            ("etc/ssh/ssh_host_key.pub", "2048 65537 1234567890 root@template\n"),
            (&RECORD[1..], "{\"schema\":"),
        ]);
        let seen = load(&Host::image(dir.path()));
        let keys = seen.ssh_host_keys.known().unwrap();
        assert_eq!((keys.len(), keys[0].file.as_str()), (2, "ssh_host_key.pub"));
        // The exponent is everybody's.
        assert_eq!(public_key("2048 65537 1234567890 x"), Some("1234567890"));
        testing::put(dir.path(), "etc/ssh/ssh_host_dsa_key", "secret");
        let Fact::Unknown(why) = load(&Host::image(dir.path())).ssh_host_keys else { panic!() };
        assert!(why.starts_with("reading /etc/ssh/ssh_host_dsa_key.pub: "), "{why}");
        testing::put(dir.path(), &PENDING[1..], "{\"seal\": {}, \"first-boot\": true}");
        assert_eq!(load(&Host::image(dir.path())).half_sealed, Fact::Known(true));
        testing::put(dir.path(), &PENDING[1..], "{");
        assert!(matches!(load(&Host::image(dir.path())).half_sealed, Fact::Unknown(_)));
        assert!(
            matches!(&seen.recorded, Fact::Unknown(why) if why.starts_with(RECORD)),
            "{:?}",
            seen.recorded
        );
        assert_eq!(seen.template, Fact::Known(None));
        testing::put(dir.path(), &TEMPLATE[1..], "garbage");
        let Fact::Unknown(why) = template(&Host::image(dir.path())) else { panic!() };
        assert!(why.contains("copy it from the template") && !why.contains("state repair"), "{why}");
        let bare = Record::new("00", "2026-06-01T00:00:00Z", &[]);
        testing::put(dir.path(), &RECORD[1..], &serde_json::to_string(&bare).unwrap());
        let Fact::Unknown(why) = recorded(&Host::image(dir.path())) else { panic!() };
        assert!(why.contains("no mark stands in it") && why.contains("mt-agent state repair"), "{why}");
        testing::damage("ssh-rsa AAAA x", |text| {
            let _ = public_key(text);
        });
    }
}
