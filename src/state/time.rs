//! Times in records: RFC 3339 UTC to the second.

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// How they are written.
pub const FORMAT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

/// Now.
#[must_use]
pub fn now() -> String {
    OffsetDateTime::now_utc().format(FORMAT).unwrap_or_default()
}
