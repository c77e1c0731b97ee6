//! Our record of the retention disk, kept before mkfs starts and after it ended.

use anyhow::{Context as _, Result};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Target;
use crate::changes::saved;
use crate::facts::retention::{RECORD, Record};
use crate::host::{Host, files};

/// The record, where there is one.
///
/// # Errors
/// It cannot be read or understood: then nothing is known, and nothing may be formatted on its word.
pub fn read(host: &Host) -> Result<Option<Record>> {
    let text = host.read_if_exists(RECORD).with_context(|| format!("reading {RECORD}"))?;
    text.map(|text| serde_json::from_str(&text).with_context(|| format!("reading {RECORD}"))).transpose()
}

/// Whether the record is of the very making that `target` asks for.
#[must_use]
pub fn is_of(record: &Record, target: &Target<'_>) -> bool {
    record.scsi_id == target.scsi_id && record.uuid == target.uuid && record.fs_type == target.fs_type
}

/// A record of making `target`, which begins now.
#[must_use]
pub fn begun(target: &Target<'_>, boot_id: &str) -> Record {
    let now = OffsetDateTime::now_utc();
    Record {
        schema: "mt-agent/retention/v1".to_owned(),
        scsi_id: target.scsi_id.to_owned(),
        uuid: target.uuid.to_owned(),
        fs_type: target.fs_type.to_owned(),
        boot_id: boot_id.to_owned(),
        started_at: now.format(&Rfc3339).unwrap_or_else(|_| now.unix_timestamp().to_string()),
        finished: false,
    }
}

/// Puts back the record that was there before a making that did not begin: one that says so would let the next run take
/// for its own what others wrote.
///
/// # Errors
/// What failed, naming the file.
pub fn put_back(host: &Host, before: Option<&Record>) -> Result<()> {
    if let Some(before) = before {
        return write(host, before);
    }
    let path = host.path(RECORD);
    std::fs::remove_file(&path).with_context(|| format!("removing {RECORD}"))?;
    files::sync_parent(&path)
}

/// Writes the record so that it survives a power loss.
///
/// # Errors
/// What failed, naming the file.
pub fn write(host: &Host, record: &Record) -> Result<()> {
    saved::directory(host, saved::STATE)?;
    let mut text = serde_json::to_vec_pretty(record).context("writing the record of the retention disk")?;
    text.push(b'\n');
    files::replace(&host.path(RECORD), &text, 0o600)
}
