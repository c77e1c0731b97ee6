//! Files at the mount point of the retention volume, written while it was not mounted: they fill the root file system, and a mount
//! hides them.

use crate::facts::Facts;
use crate::facts::strays::MOST;
use crate::host::command::quoted;

/// What lies there, where anything does.
pub(super) struct Strays {
    /// `7 entries lie in that directory (a, b, c, d, e, and 2 others), which a mount would hide`
    pub found: String,
    /// What a person does.
    pub fix: String,
}

pub(super) fn at(point: &str, facts: &Facts) -> Option<Strays> {
    let strays = facts.strays.known().filter(|strays| strays.count > 0)?;
    let (count, named) = (strays.count, strays.names.len());
    let or_more = if count >= MOST { " or more" } else { "" };
    let what = if count == 1 { "1 entry lies".to_owned() } else { format!("{count}{or_more} entries lie") };
    let others = match count.saturating_sub(named) {
        0 => String::new(),
        others => format!(", and {others}{or_more} others"),
    };
    let plain = point.trim_end_matches('/');
    let place = quoted(plain);
    // Facts of a version that did not look for a free name: then the date makes one.
    let away = match strays.free_name.as_str() {
        "" => format!("{}.found.$(date +%Y%m%d%H%M%S)", place),
        free => quoted(free),
    };
    Some(Strays {
        found: format!(
            "{what} in that directory ({}{others}), which a mount would hide",
            strays.names.join(", ")
        ),
        // `-T`: never into a directory that came there meanwhile.
        fix: format!(
            "move away what was written there: `mv -T {place} {away} && mkdir {place}` (it takes up room on the root file system \
             until it is removed, or moved onto the volume)"
        ),
    })
}
