//! What is recorded of a making: before mkfs starts and after it ended.

use anyhow::{Context as _, Result};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::changes::{Context, Target};
use crate::host::{Host, files};
use crate::state::paths::RETENTION;
use crate::state::retention::{Record, read, write};
use crate::state::saved;

/// Whether the record is of the very making that `target` asks for.
pub fn is_of(record: &Record, target: &Target) -> bool {
    record.scsi_id == target.scsi_id
        && Some(&record.uuid) == target.uuid.as_ref()
        && record.fs_type == target.fs_type
}

/// A record of making `target`, which begins now.
pub fn begun(target: &Target, boot_id: &str) -> Record {
    Record { finished: false, ..target.record(boot_id, now()) }
}

/// Records `target`, which is mounted, where it is ours and its record was lost.
pub fn adopt(context: &Context<'_>, target: &Target) -> Result<()> {
    if is_on_record(context.host, target)? {
        return Ok(());
    }
    keep_other(context.host, &target.scsi_id)?;
    write(context.host, &target.record(context.boot_id, now()))
}

/// Whether there is nothing to record of `target`: one without a UUID of ours is not ours.
pub fn is_on_record(host: &Host, target: &Target) -> Result<bool> {
    let Some(uuid) = &target.uuid else { return Ok(true) };
    Ok(read(host)?.is_some_and(|old| old.scsi_id == target.scsi_id && old.uuid == *uuid))
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

fn now() -> String {
    let now = OffsetDateTime::now_utc();
    now.format(&Rfc3339).unwrap_or_else(|_| now.unix_timestamp().to_string())
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
