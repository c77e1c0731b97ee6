//! What there is to do by the list.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use super::code::{LOG_DIRECTORY, remove, rewritten, walk};
use super::table::{Act, Row, TABLE};
use super::{Item, Template, edit, places};
use crate::changes::scrub::DEPTH;
use crate::state::paths;

/// All that the step of that name has to do, each file once.
pub fn find(template: &Template<'_>, step: &str) -> Result<Vec<Item>> {
    let is_live = template.host.is_live();
    let rows = TABLE.iter().filter(|row| row.step == step && !(row.only_tree && is_live));
    let mut found = Vec::new();
    for row in rows {
        found.extend(items(template, row)?);
    }
    let mut seen = BTreeSet::new();
    found.retain(|item| seen.insert(item.path().to_owned()));
    Ok(found)
}

fn items(template: &Template<'_>, row: &Row) -> Result<Vec<Item>> {
    match row.act {
        Act::Remove => Ok(places::files(template, row.places)?.into_iter().map(remove).collect()),
        Act::Clear | Act::Discard => directories(template, row),
        Act::Empty => Ok(places::files(template, row.places)?
            .into_iter()
            .filter(|path| places::size(template, path).is_some_and(|bytes| bytes > 0))
            .map(|path| Item::Empty { path })
            .collect()),
        Act::Logs => logs(template),
        Act::PrivateKeys => private_keys(template, row.places),
        Act::Keys(keys) => {
            let what = format!("without {}", keys.join(", "));
            rewritten_all(template, row.places, &what, |text| edit::without_keys(text, keys))
        }
        Act::Options(options) => {
            let what = format!("without constants for {}", options.join(", "));
            rewritten_all(template, row.places, &what, |text| edit::without_options(text, options))
        }
        Act::Code(find) => find(template),
        _ => Ok(Vec::new()),
    }
}

/// The directories below which there is something to remove. A link in the place of one, which others can have put there, is
/// removed itself.
fn directories(template: &Template<'_>, row: &Row) -> Result<Vec<Item>> {
    let overwrite = matches!(row.act, Act::Clear);
    let mut found = Vec::new();
    for path in places::expand(template, row.places)? {
        let is_link = template.host.place(&path).is_ok_and(|place| place.is_symlink());
        if is_link && places::is_theirs(template.host, &path) {
            found.push(remove(path));
            continue;
        }
        let entries = places::count_below(template, &path)?;
        if entries > 0 {
            found.push(Item::Clear { path, entries, overwrite });
        }
    }
    Ok(found)
}

fn rewritten_all(
    template: &Template<'_>,
    places: &[&str],
    what: &str,
    edit: impl Fn(&[u8]) -> Vec<u8>,
) -> Result<Vec<Item>> {
    let mut found = Vec::new();
    for path in places::files(template, places)? {
        found.extend(rewritten(template, &path, what, &edit)?);
    }
    Ok(found)
}

/// Private keys in the directories, and the public ones beside them: a key that is half there is of no use.
fn private_keys(template: &Template<'_>, places: &[&str]) -> Result<Vec<Item>> {
    let mut found = Vec::new();
    for directory in places::expand(template, places)? {
        // A link may lead to any directory, and what lies there is not the user's.
        let place = template.host.place(&directory).with_context(|| format!("looking for {directory}"))?;
        if place.is_symlink() {
            continue;
        }
        let mut names = BTreeSet::new();
        walk(template, &directory, DEPTH, &mut |path| {
            names.insert(path.to_owned());
        })?;
        for path in &names {
            let place = template.host.resolve(path).with_context(|| format!("looking for {path}"))?;
            if places::holds_private_key(&place)? || places::is_overwritten(&place)? {
                // First: without the private one nobody knows what it belongs to.
                let public = format!("{path}.pub");
                found.extend(names.contains(&public).then(|| remove(public)));
                found.push(remove(path));
            }
        }
    }
    Ok(found)
}

/// Logs below /var/log, but for the vendor's, which is kept, and the agent's, which another step removes. Directories stay:
/// a service does not start without its own.
fn logs(template: &Template<'_>) -> Result<Vec<Item>> {
    let vendor_s = template.profile.custom_changes.log.display().to_string();
    let mut found = Vec::new();
    walk(template, LOG_DIRECTORY, DEPTH, &mut |path| {
        let name = path.rsplit('/').next().unwrap_or_default();
        if path == vendor_s || name.starts_with(paths::log().1) {
            return;
        }
        let Some(bytes) = places::size(template, path) else { return };
        if is_rotated(name) {
            found.push(remove(path));
        } else if bytes > 0 {
            found.push(Item::Empty { path: path.to_owned() });
        }
    })?;
    Ok(found)
}

/// Whether a log of that name is a copy that logrotate or a program of its own has put aside: `messages-20260101`,
/// `messages.1`, `cron.2.gz`, `dmesg.old`.
fn is_rotated(name: &str) -> bool {
    const ENDS: [&str; 6] = [".gz", ".bz2", ".xz", ".Z", ".old", ".1"];
    let digits = |text: &str, length: std::ops::RangeInclusive<usize>| {
        length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    ENDS.iter().any(|end| name.ends_with(end))
        || name.rsplit_once('.').is_some_and(|(_, number)| digits(number, 1..=3))
        || name.rsplit_once('-').is_some_and(|(_, date)| digits(date, 8..=10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotated_log_is_told_from_one_in_use() {
        for name in [
            "messages-20260101",
            "messages.1",
            "cron.2.gz",
            "dmesg.old",
            "audit.log.12",
            "x-2026010112",
            "y.xz",
        ] {
            assert!(is_rotated(name), "{name}");
        }
        for name in
            ["messages", "boot.log", "Xorg.0.log", "lastlog", "vmware-vmsvc.log", "mt-2026", "a-20260101.log"]
        {
            assert!(!is_rotated(name), "{name}");
        }
    }
}
