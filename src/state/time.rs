//! The time; in records RFC 3339 UTC to the second.

use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

pub const FORMAT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

/// Today, UTC: for waivers.
pub fn today() -> Date {
    OffsetDateTime::now_utc().date()
}

/// Now.
pub fn now() -> String {
    OffsetDateTime::now_utc().format(FORMAT).unwrap_or_default()
}
