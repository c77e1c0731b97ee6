//! What is recorded of a making: before mkfs starts and after it ended.

use anyhow::{Context as _, Result};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Target;
use crate::changes::Context;
use crate::host::{Host, files};
use crate::state::paths::RETENTION;
use crate::state::retention::{Record, SCHEMA, read, write};
use crate::state::saved;

/// Whether the record is of the very making that `target` asks for.
pub fn is_of(record: &Record, target: &Target<'_>) -> bool {
    record.scsi_id == target.scsi_id && record.uuid == target.uuid && record.fs_type == target.fs_type
}

/// A record of making `target`, which begins now.
pub fn begun(target: &Target<'_>, boot_id: &str) -> Record {
    of_today(target.scsi_id, target.uuid, target.fs_type, boot_id)
}

/// Records the volume `uuid` of ours, which is mounted, where its record was lost.
pub fn adopt(context: &Context<'_>, scsi_id: &str, uuid: Option<&str>, fs_type: &str) -> Result<()> {
    let Some(uuid) = uuid else { return Ok(()) };
    if is_on_record(context.host, scsi_id, Some(uuid))? {
        return Ok(());
    }
    keep_other(context.host, scsi_id)?;
    let record = Record { finished: true, ..of_today(scsi_id, uuid, fs_type, context.boot_id) };
    write(context.host, &record)
}

/// Whether there is nothing to record of the volume `uuid` of ours: one that has none is not ours.
pub fn is_on_record(host: &Host, scsi_id: &str, uuid: Option<&str>) -> Result<bool> {
    let Some(uuid) = uuid else { return Ok(true) };
    Ok(read(host)?.is_some_and(|old| old.scsi_id == scsi_id && old.uuid == uuid))
}

/// Keeps the record of a volume on another disk than `scsi_id`, before one of that disk takes its place: by it that volume can be
/// known again.
/// Errors: It cannot be read or copied.
pub fn keep_other(host: &Host, scsi_id: &str) -> Result<()> {
    if read(host)?.is_some_and(|old| old.finished && old.scsi_id != scsi_id) {
        saved::keep(host, RETENTION, &saved::stamp("retention"))?;
    }
    Ok(())
}

fn of_today(scsi_id: &str, uuid: &str, fs_type: &str, boot_id: &str) -> Record {
    let now = OffsetDateTime::now_utc();
    Record {
        schema: SCHEMA.to_owned(),
        scsi_id: scsi_id.into(),
        uuid: uuid.to_owned(),
        fs_type: fs_type.to_owned(),
        boot_id: boot_id.to_owned(),
        started_at: now.format(&Rfc3339).unwrap_or_else(|_| now.unix_timestamp().to_string()),
        finished: false,
    }
}

/// Puts back the record that was there before a making that did not begin: one that says so would let the next run take
/// for its own what others wrote.
pub fn put_back(host: &Host, before: Option<&Record>) -> Result<()> {
    if let Some(before) = before {
        return write(host, before);
    }
    let path = host.path(RETENTION);
    std::fs::remove_file(&path).with_context(|| format!("removing {RETENTION}"))?;
    files::sync_parent(&path)
}
