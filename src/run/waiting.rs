//! What waits for a restart: whether it may still be carried out, how that is reported, and how it is called off.
//!
//! An order is carried out by nobody's hand, so it is bound: to a day, to the machine, to the content of the profile, and
//! for an erasure to what was on the disk. That a machine was restored from a backup shows in the time for which it was
//! down: the boot that an order waits for follows the one in which it was given within minutes. Else a person is asked.

use anyhow::{Context as _, Result, bail, ensure};
use time::{Duration, OffsetDateTime};

use super::lock;
use super::log::Log;
use crate::facts::boot_id;
use crate::facts::clock::parse_uptime;
use crate::facts::machine;
use crate::facts::wtmp;
use crate::host::{Host, text};
use crate::profile::{self, Profile};
use crate::report::waiting::{Stands, Waiting};
use crate::state::machine::Machine;
use crate::state::paths;
use crate::state::request::{Request, Stage};
use crate::state::resume::{self, Pending};
use crate::state::time::FORMAT;

/// How long an order holds after it was given.
const HOLDS: Duration = Duration::hours(24);

/// How far a clock may have been set back since, as a time service sets one right.
const SET_BACK: Duration = Duration::minutes(5);

/// How long a machine may have been down before this boot for an order to be resumed by nobody's hand. A server takes
/// some minutes to restart, and an offline update or a check of a large file system more.
const DOWN: Duration = Duration::minutes(30);

/// Whether there is a run to resume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Yes, after the restart that has not happened yet.
    RestartOwed,
    /// Yes, now.
    Due,
    /// Yes, once a person agrees: why that is asked.
    Asks(String),
    /// No: why it does not hold any more.
    Void(String),
}

/// An order that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The record.
    pub pending: Pending,
    /// Whether it holds.
    pub state: State,
}

/// Loads the profile that an order names.
pub type Load<'a> = &'a dyn Fn(&Pending) -> Result<Profile>;

/// The order that waits on `host`, if one does; `load` gives the profile that it names, as it is now.
/// Errors: The record or the boot id cannot be read.
pub fn find(host: &Host, load: Load<'_>) -> Result<Option<Order>> {
    let Some(pending) = resume::read(host)? else { return Ok(None) };
    // An image has no boot, and nothing of it is carried out here.
    let boot_id = if host.is_live() { boot_id::read(host)? } else { pending.boot_id.clone() };
    let profile_sha256 = || match load(&pending) {
        Ok(profile) => Ok(profile::digest(&profile)),
        Err(error) => Err(format!("its profile cannot be used: {error:#}")),
    };
    let bound = if host.is_live() || pending.bound.is_none() {
        binds(&pending, OffsetDateTime::now_utc(), &machine::load(host), &profile_sha256)
    } else {
        Ok(())
    };
    let state = match bound {
        Err(why) => State::Void(why),
        Ok(()) if pending.boot_id == boot_id => State::RestartOwed,
        Ok(()) => asks_first(&pending, host).map_or(State::Due, State::Asks),
    };
    Ok(Some(Order { pending, state }))
}

/// Whether all that the order is bound to is as it was. Pure.
fn binds(
    pending: &Pending,
    now: OffsetDateTime,
    here: &Machine,
    profile_sha256: &dyn Fn() -> Result<String, String>,
) -> Result<(), String> {
    if let Some(why) = &pending.failed {
        return Err(format!("the run that resumed it failed: {}", text::safe(why)));
    }
    let Some(bound) = &pending.bound else {
        // The first boot of a clone names no disk: that is left to the profile and to the virtual machine.
        if pending.first_boot && pending.request == Request::default() {
            return Ok(());
        }
        return Err("it does not say when, on which machine and by which profile it was given (an earlier version left it)"
            .to_owned());
    };
    let Some(given) = bound.given() else {
        return Err(format!(
            "`{}` is no time at which it could have been given",
            text::safe(&bound.given_at)
        ));
    };
    if now < given - SET_BACK {
        return Err(format!(
            "it was given at {}, and the clock says that this is yet to come",
            bound.given_at
        ));
    }
    if now - given > HOLDS {
        return Err(format!("it was given more than {} hours ago", HOLDS.whole_hours()));
    }
    bound.machine.is(here)?;
    if profile_sha256()? != bound.profile_sha256 {
        return Err("the profile is another one than it was given by".to_owned());
    }
    Ok(())
}

/// Why a person is asked before the order is resumed in this boot, if one is.
fn asks_first(pending: &Pending, host: &Host) -> Option<String> {
    // What a sealing leaves is for each clone, whenever that is started.
    let given = pending.bound.as_ref()?.given()?;
    if pending.asks.is_some() {
        return pending.asks.clone();
    }
    let Some(up) = host.read("/proc/uptime").ok().as_deref().and_then(parse_uptime) else {
        return Some(
            "cannot determine how long this machine was down: /proc/uptime cannot be read".to_owned(),
        );
    };
    let booted = OffsetDateTime::now_utc() - Duration::seconds(u32::try_from(up).unwrap_or(u32::MAX).into());
    let written =
        host.path(paths::RESUME).metadata().and_then(|meta| meta.modified()).ok().map(OffsetDateTime::from);
    was_down(booted, [Some(given), written].into_iter().flatten().chain(wtmp::before_this_boot(host)))
}

/// That the machine was down for too long before the boot at `booted`, by the `signs` of life that the boots before left. Pure.
fn was_down(booted: OffsetDateTime, signs: impl Iterator<Item = OffsetDateTime>) -> Option<String> {
    // What is of this boot is no sign of the time before it; clocks are set right by moments meanwhile.
    let alive = signs.filter(|sign| *sign <= booted + SET_BACK).max();
    let down = alive.map(|alive| booted - alive).filter(|down| *down > DOWN)?;
    Some(format!(
        "this machine was down for {} hours and {} minutes before this boot, as one that was restored from a backup",
        down.whole_hours(),
        down.whole_minutes() % 60
    ))
}

/// How the order is reported.
pub fn describe(order: &Order) -> Waiting {
    let Order { pending, state } = order;
    let given = pending.bound.as_ref().map(|bound| bound.given_at.clone());
    let until =
        pending.bound.as_ref().and_then(|bound| bound.given()?.checked_add(HOLDS)?.format(FORMAT).ok());
    let when = given.as_ref().map(|given| format!(" (given at {})", text::safe(given))).unwrap_or_default();
    let by = until.as_ref().map(|until| format!(" before {until}")).unwrap_or_default();
    let clears = "mt-agent apply --forget clears it";
    let (stands, note) = match state {
        _ if pending.seal.is_some() => (
            Stands::Sealing,
            "a sealing was interrupted: the image still carries what a clone must not have; run mt-agent seal again"
                .to_owned(),
        ),
        State::Void(why) => (
            Stands::Void,
            format!(
                "the apply that waited for a restart{when} is void: {why}; nothing of it is carried out: run mt-agent apply, \
                 which plans anew, or {clears}"
            ),
        ),
        _ if pending.first_boot => (
            Stands::FirstBoot,
            "the first boot of this clone is not finished: the service mt-agent-resume tries again at each boot, mt-agent \
             apply at once"
                .to_owned(),
        ),
        State::RestartOwed => (
            Stands::RestartOwed,
            format!(
                "an apply waits for the restart{when}: restarted{by}, this machine resumes it by itself; {clears}"
            ),
        ),
        State::Asks(why) => (
            Stands::Asks,
            format!(
                "an apply waits for a person's word{when}: {why}; nothing of it is carried out by itself: mt-agent apply \
                 --resume at a terminal shows it and asks, or {clears}"
            ),
        ),
        State::Due => (
            Stands::Due,
            format!(
                "an apply waited for the restart{when}, which has happened: the service mt-agent-resume resumes it, \
                 mt-agent apply at once; {clears}"
            ),
        ),
    };
    Waiting { state: stands, note, given_at: given, until, asks: asks(pending) }
}

/// What it was asked for, as options.
fn asks(pending: &Pending) -> Vec<String> {
    let Request { retention_disk, erase_disk, offline, .. } = &pending.request;
    let offline = offline.as_ref().map(|path| path.to_string_lossy());
    let one = [
        ("profile", pending.profile.as_deref()),
        ("stage", pending.stage.map(Stage::word)),
        ("retention-disk", retention_disk.as_deref()),
        ("erase-disk", erase_disk.as_deref()),
        ("offline", offline.as_deref()),
    ];
    let many = [("only", &pending.only), ("skip", &pending.skip)];
    let one = one.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let many =
        many.into_iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value.as_str())));
    one.chain(many).map(|(name, value)| format!("--{name} {}", text::safe(value))).collect()
}

/// Notes that the order asks a person, and why; in the log as well, the first time.
/// Errors: Another run is in progress; what failed.
pub fn ask(host: &Host, why: &str) -> Result<()> {
    let boot_id = boot_id::read(host).unwrap_or_default();
    let _lock = lock::take(host, "apply --resume", &boot_id)?;
    if resume::ask(host, why)? {
        Log::open(host)?.line(&format!("apply --resume: asks a person: {why}"));
    }
    Ok(())
}

/// Calls off what waits: in words, what that was; `None` where nothing waits. Nothing else is done.
/// Errors: Another run is in progress; a sealing was interrupted, which only a sealing can finish; what failed.
pub fn forget(host: &Host) -> Result<Option<String>> {
    if !host.exists(paths::RESUME) {
        return Ok(None);
    }
    let boot_id = boot_id::read(host).unwrap_or_default();
    let _lock = lock::take(host, "apply --forget", &boot_id)?;
    let what = match resume::read(host) {
        Ok(None) => return Ok(None),
        Ok(Some(pending)) if pending.seal.is_some() => bail!(
            "a sealing of this machine was interrupted, and forgotten it would count as one that was never begun: run mt-agent \
             seal again, which finishes it"
        ),
        Ok(Some(pending)) => words(&pending),
        Err(_) => {
            let text = host.read(paths::RESUME).with_context(|| {
                format!(
                    "reading {}: remove it, and if this machine was about to be cloned, seal it anew",
                    paths::RESUME
                )
            })?;
            ensure!(
                !resume::is_of_sealing(&text),
                "{} is not forgotten: {}",
                paths::RESUME,
                resume::UNREADABLE_SEALING
            );
            "an order that this version cannot read".to_owned()
        }
    };
    resume::clear(host)?;
    if let Ok(mut log) = Log::open(host) {
        log.line(&format!("apply --forget: {what}"));
    }
    Ok(Some(what))
}

fn words(pending: &Pending) -> String {
    let what =
        if pending.first_boot { "the first boot of a clone" } else { "an apply that waited for a restart" };
    let given = pending.bound.as_ref().map(|bound| format!("given at {}", text::safe(&bound.given_at)));
    let more: Vec<_> = given.into_iter().chain(asks(pending)).collect();
    if more.is_empty() { what.to_owned() } else { format!("{what} ({})", more.join(", ")) }
}

#[cfg(test)]
#[path = "waiting_tests.rs"]
mod tests;
