//! The journal, the directories, the lock, the log and the profile, as they stand.

use std::path::Path;

use super::act::{Act, Held, REPAIR};
use crate::host::{Host, text, trust};
use crate::profile::{self, HOST_FILE};
use crate::report::history::ranges;
use crate::report::state::Stands;
use crate::run::journal::{self, Event};
use crate::run::lock;
use crate::state::paths::{self, DIRECTORY, LOG, SAVED, SET_ASIDE};
use crate::state::record;
use crate::steps;

/// The directory of the state itself: where others can write it, nothing in it is believed.
pub(super) fn directory(host: &Host) -> Held {
    // Where others can have removed it, that it is not there proves nothing.
    let above = Path::new(DIRECTORY).ancestors().skip(1).find(|level| host.path(level).is_dir());
    if let (true, false, Some(above)) = (host.is_live(), host.exists(DIRECTORY), above)
        && let Err(error) = trust::place(&host.path(above))
    {
        return Held::new(DIRECTORY, Stands::Damaged, &format!("it is not there; {error:#}"), "")
            .fix("run that command");
    }
    kept_in(host, DIRECTORY, |names| {
        format!("{} {} in it", names.len(), if names.len() == 1 { "name" } else { "names" })
    })
}

pub(super) fn saved(host: &Host) -> Held {
    kept_in(host, SAVED, |names| format!("the files as they were before {} changes", names.len()))
}

pub(super) fn set_aside(host: &Host) -> Held {
    kept_in(host, SET_ASIDE, |names| format!("records that are not believed any more: {}", names.join(", ")))
}

/// A directory, by what lies in it.
fn kept_in(host: &Host, path: &'static str, content: impl Fn(&[String]) -> String) -> Held {
    let Ok(meta) = host.place(path).and_then(|place| place.symlink_metadata()) else {
        return Held::none(path);
    };
    let trusted = || if host.is_live() { trust::place(&host.path(path)).map(|_| ()) } else { Ok(()) };
    let away = format!("mv {path} /root/");
    if meta.is_symlink() && path != DIRECTORY {
        let what = format!("{path} is a symbolic link, not a directory");
        return Held::new(path, Stands::Damaged, &what, "").fix(&away);
    }
    if !meta.is_dir() && !host.path(path).is_dir() {
        return Held::new(path, Stands::Damaged, &format!("{path} is no directory"), "").fix(&away);
    }
    if let Err(error) = trusted() {
        return Held::new(path, Stands::Damaged, &format!("{error:#}"), "").fix("run that command");
    }
    match host.list(path) {
        Ok(names) if names.is_empty() => Held::new(path, Stands::Agrees, "it is empty", ""),
        Ok(names) => Held::new(path, Stands::Agrees, &content(&names), ""),
        Err(error) => {
            Held::new(path, Stands::Damaged, &format!("{error}"), "").fix("find out why it cannot be read")
        }
    }
}

/// What the lines of a journal are that are no entries.
#[derive(Default)]
struct Lines {
    torn: Vec<usize>,
    newer: Vec<usize>,
    garbage: Vec<usize>,
}

/// What other records show of earlier runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Runs {
    /// Some were made here.
    Shown,
    NotShown,
}

/// The journal, and whether it has runs.
pub(super) fn journal(host: &Host, others: Runs) -> (Held, bool) {
    const PATH: &str = paths::JOURNAL;
    let text = match record::text(host, PATH) {
        Ok(text) => text.unwrap_or_default(),
        Err(unread) => {
            let held = Held::unread(PATH, &unread, "").aside(" and begins a new one");
            return (held.act(Act::Begin), true);
        }
    };
    let (entries, unread) = journal::parse(&text);
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
        return if unread.is_empty() {
            let held = match others {
                Runs::Shown => {
                    Held::new(PATH, Stands::Missing, "", "other records show that changes were made here")
                        .fix(&format!("{REPAIR} begins a new one; what was done before is not on record"))
                        .act(Act::Begin)
                }
                Runs::NotShown => Held::none(PATH),
            };
            (held, false)
        } else {
            (unreadable(&text, &unread, String::new()), true)
        };
    };
    let how = match &last.event {
        Event::End { verdict } => format!("ended: {}", verdict.replace('-', " ")),
        Event::Failed { requirement, .. } => format!("{requirement} failed"),
        Event::Begin { .. } => "a run began".to_owned(),
        Event::Intent { requirement, .. } => format!("{requirement} was begun"),
        Event::Done { requirement, .. } => format!("{requirement} was done"),
    };
    let content = format!(
        "{} entries from {} to {} ({how})",
        entries.len(),
        text::safe(&first.at),
        text::safe(&last.at)
    );
    (unreadable(&text, &unread, content), true)
}

/// The journal with the lines `others`, which are no entries of ours.
fn unreadable(text: &str, others: &[usize], content: String) -> Held {
    let mut lines = Lines::default();
    let all: Vec<&str> = text.lines().collect();
    for number in others {
        let line = all.get(number - 1).copied().unwrap_or_default();
        match serde_json::from_str::<serde_json::Value>(line) {
            Ok(value) if value.is_object() => lines.newer.push(*number),
            Err(_) if line.starts_with("{\"at\":\"") => lines.torn.push(*number),
            _ => lines.garbage.push(*number),
        }
    }
    let part = |what: &str, numbers: &[usize]| match numbers {
        [] => String::new(),
        [_] => format!("line {} {what}", ranges(numbers)),
        _ => format!("lines {} {what}", ranges(numbers)),
    };
    let status = match (lines.garbage.is_empty(), lines.newer.is_empty()) {
        (true, true) => Stands::Agrees,
        (true, false) => Stands::Newer,
        (false, _) => Stands::Damaged,
    };
    let parts = [
        content,
        part("torn, as by a power loss", &lines.torn),
        part("of a newer mt-agent", &lines.newer),
        part("of something else", &lines.garbage),
    ];
    let content = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ");
    let held = Held::new(paths::JOURNAL, status, &content, "");
    if status == Stands::Agrees {
        return held;
    }
    held.act(Act::Journal)
        .fix(&format!("{REPAIR} keeps all of it below {SET_ASIDE}, and here what can be read"))
}

/// The version of the agent that wrote the last run into the journal, where it is another one than this.
pub(super) fn other_agent(host: &Host) -> Option<String> {
    let text = record::text(host, paths::JOURNAL).ok()??;
    let (_, rest) = text.rsplit_once("\"agent\":\"")?;
    let version = rest.split('"').next()?;
    let fits = version.len() < 40 && version != env!("CARGO_PKG_VERSION");
    fits.then(|| text::safe(version))
}

pub(super) fn lock(host: &Host) -> Held {
    let Ok(meta) = host.place(paths::LOCK).and_then(|place| place.symlink_metadata()) else {
        return Held::none(paths::LOCK);
    };
    if !meta.is_file() {
        let held = Held::new(paths::LOCK, Stands::Damaged, "it is no regular file", "no run can begin");
        return held.fix(&format!("mv {} /root/", paths::LOCK));
    }
    // A repair that shows what it would do is no news.
    let other = |holder: &String| !holder.starts_with(&format!("pid {},", std::process::id()));
    let (content, host) = match lock::holder(host).filter(other) {
        Some(holder) => ("a run is in progress", holder),
        None => ("", "no run is in progress".to_owned()),
    };
    Held::new(paths::LOCK, Stands::Agrees, content, &host)
}

pub(super) fn log(host: &Host) -> Held {
    match host.place(LOG).and_then(|place| place.symlink_metadata()) {
        Err(_) => Held::none(LOG),
        Ok(meta) if meta.is_file() => Held::new(LOG, Stands::Agrees, &text::bytes(meta.len()), ""),
        Ok(_) => {
            Held::new(LOG, Stands::Damaged, "it is no regular file", "").fix(&format!("mv {LOG} /root/"))
        }
    }
}

pub(super) fn profile(host: &Host) -> Held {
    if !host.exists(HOST_FILE) {
        return Held::none(HOST_FILE);
    }
    match profile::load(None, host, &steps::ids(), profile::Writers::Root) {
        Ok(profile) => Held::new(HOST_FILE, Stands::Agrees, &format!("the profile {}", profile.name), ""),
        Err(error) => Held::new(HOST_FILE, Stands::Damaged, &format!("{error:#}"), "").fix(&format!(
            "put that right (mt-agent profile check {HOST_FILE}), or restore it from a backup"
        )),
    }
}
