//! Our record of the one run: read strictly, written whole and synced.

use anyhow::{Context, Result};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::changes::saved;
use crate::facts::custom_changes::{Outcome, RECORD, Record, SCHEMA};
use crate::facts::record;
use crate::host::{Host, files};

/// The record, if there is one.
///
/// # Errors
/// It cannot be read or understood: then nobody knows whether the script has run.
pub fn load(host: &Host) -> Result<Option<Record>> {
    record::load(host, RECORD, SCHEMA).context("without it nobody knows whether the vendor script has run")
}

/// Writes the record, so that it survives a power loss.
///
/// # Errors
/// What failed; the old record is then whole.
pub fn store(host: &Host, record: &Record) -> Result<()> {
    saved::directory(host, saved::STATE)?;
    let mut text = serde_json::to_string_pretty(record).context("writing down the vendor script's run")?;
    text.push('\n');
    files::replace(&host.path(RECORD), text.as_bytes(), 0o600)
}

/// A new record, of now.
#[must_use]
pub fn new(archive_sha256: &str, boot_id: &str, outcome: Outcome) -> Record {
    let now = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap_or_else(|_| OffsetDateTime::now_utc());
    Record {
        schema: SCHEMA.into(),
        archive_sha256: archive_sha256.into(),
        boot_id: boot_id.into(),
        started_at: now.format(&Rfc3339).unwrap_or_else(|_| now.unix_timestamp().to_string()),
        outcome,
        process: None,
        log_bytes: None,
    }
}
