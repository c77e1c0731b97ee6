//! What is at the mount point of the retention volume while it is not mounted: files that were written there fill the root file system,
//! and a mount hides them; on a file or a link nothing can be mounted by that name.

use std::path::Path;

use crate::facts::Facts;
use crate::facts::mounts::Mount;
use crate::facts::strays::{Instead, MOST};
use crate::host::command::{pasted, quoted};
use crate::host::text;
use crate::steps::devices::same_path;
use crate::steps::unmounting;

/// What lies there, where anything does.
pub(super) struct Strays {
    /// `7 entries lie in that directory (a, b, c, d, e, and 2 others), which a mount would hide`, or what is in its place.
    pub found: String,
    /// What a person does.
    pub fix: String,
}

pub(super) fn at(point: &str, facts: &Facts) -> Option<Strays> {
    if let Some(mounted) = mounted_inside(point, facts) {
        return Some(mounted);
    }
    let strays = facts.strays.known().filter(|strays| strays.count > 0 || strays.instead.is_some())?;
    let plain = point.trim_end_matches('/');
    let place = quoted(plain);
    let taken = strays.instead.as_ref().map_or_else(|| place.clone(), |instead| quoted(&instead.at));
    // Facts of a version that did not look for a free name: then the date makes one.
    let away = match strays.free_name.as_str() {
        "" => format!("{taken}.found.$(date +%Y%m%d%H%M%S)"),
        free => quoted(free),
    };
    // `-T`: never into a directory that came there meanwhile.
    let moved = format!("`mv -T {taken} {away} && mkdir -p {place}`");
    if let Some(Instead { at, what, to }) = &strays.instead {
        let leads = to.as_ref().map_or(String::new(), |to| format!(" that leads to {to}"));
        let or = to
            .as_ref()
            .map_or(String::new(), |to| format!("; or put {to} into the profile (retention.mount-point)"));
        return Some(Strays {
            found: format!("{at} is {what}{leads}, on which no volume can be mounted"),
            fix: format!("move it away: {moved}{or}"),
        });
    }
    let (count, named) = (strays.count, strays.names.len());
    let or_more = if count >= MOST { " or more" } else { "" };
    let what = if count == 1 { "1 entry lies".to_owned() } else { format!("{count}{or_more} entries lie") };
    let others = match count.saturating_sub(named) {
        0 => String::new(),
        others => format!(", and {others}{or_more} others"),
    };
    Some(Strays {
        found: format!(
            "{what} in that directory ({}{others}), which a mount would hide",
            strays.names.join(", ")
        ),
        fix: format!(
            "move away what was written there: {moved} (it takes up room on the root file system until it is removed, or moved onto \
             the volume)"
        ),
    })
}

/// What is mounted in that directory: no file that was written there, and a move would take it along.
fn mounted_inside(point: &str, facts: &Facts) -> Option<Strays> {
    let mounts = facts.mounts.known()?;
    let inside = unmounting::order(mounts, |mount| {
        Path::new(&mount.mount_point).starts_with(point) && !same_path(&mount.mount_point, point)
    });
    if inside.is_empty() {
        return None;
    }
    let describe = |mount: &&Mount| {
        format!("{} is mounted at {}", text::safe(&mount.source), text::safe(&mount.mount_point))
    };
    let unmounted = |mount: &&Mount| format!("`umount {}`", pasted(&mount.mount_point));
    Some(Strays {
        found: format!(
            "{}, which a mount would hide",
            inside.iter().rev().map(describe).collect::<Vec<_>>().join(", ")
        ),
        fix: format!(
            "{}{}, then mt-agent check shows what else lies there",
            unmounting::saved_before(&inside).unwrap_or_default(),
            inside.iter().map(unmounted).collect::<Vec<_>>().join(", ")
        ),
    })
}
