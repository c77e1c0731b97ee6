//! What the agent keeps on a host, held against the host; and its repair: what follows from the host is written anew, what is
//! not believed is set aside, and for the rest a person is asked.

mod act;
mod kept;
mod look;
mod machine;
mod order;
mod retention;
mod script;
#[cfg(test)]
mod tests;
mod verb;

use anyhow::{Context as _, Result, bail, ensure};

use self::act::{Act, Held};
use self::kept::Runs;
use self::look::Look;
pub use self::verb::{check, dry_run, repaired};
use super::journal::{self, Event};
use super::log::Log;
use super::waiting::Order;
use super::{lock, private, signals};
use crate::changes::{self, Done};
use crate::facts::boot_id;
use crate::facts::custom_changes::running;
use crate::facts::{Fact, Facts};
use crate::host::Host;
use crate::profile::{HOST_FILE, Profile};
use crate::report::state::{Ended, Row, Stands, State};
use crate::state::paths::{self, DIRECTORY};
use crate::state::resume;
use crate::steps::is_image;
use crate::steps::retention::{Used, recall};

/// What the records are held against.
pub struct Seen {
    /// The profile; a built-in one where the host's own cannot be used.
    pub profile: Profile,
    pub facts: Facts,
    /// What waits for a restart.
    pub order: Result<Option<Order>>,
}

/// Everything that the agent keeps on `host`, as it stands. Changes nothing.
pub fn look(host: &Host, seen: &Seen) -> State {
    State::new(hold(host, seen).into_iter().map(|held| held.row).collect())
}

fn hold(host: &Host, seen: &Seen) -> Vec<Held> {
    let Seen { profile, facts, order } = seen;
    let used = recall(profile, facts).is_ok_and(|all| all.iter().any(|volume| volume.used != Used::Attached));
    let (saved, log) = (kept::saved(host), kept::log(host));
    let with = |lived| Look { host, profile, facts, lived };
    // That a volume waits to be adopted does not show which machine's it is.
    let retention = with(false).retention();
    let changed = used || !retention.row.says.is_empty() || saved.row.status != Stands::None;
    let (journal, has_run) = kept::journal(host, if changed { Runs::Shown } else { Runs::NotShown });
    let resume = with(false).resume(order);
    // What an order that is set aside leaves open does not stand in the way of the rest.
    let without = (!resume.acts.is_empty()).then(|| {
        let mut facts = facts.clone();
        facts.identity.half_sealed = Fact::Known(false);
        facts
    });
    let facts = without.as_ref().unwrap_or(facts);
    // A repair writes a journal: what that would show afterwards counts now, or the next repair had more to do.
    let to_do = [&resume, &retention, &journal].iter().any(|held| !held.acts.is_empty());
    let lived = changed || has_run || to_do || log.row.status != Stands::None || host.exists(paths::IDENTITY);
    let script = Look { host, profile, facts, lived }.script();
    let look = Look { host, profile, facts, lived: lived || !script.acts.is_empty() };
    let mut all = vec![
        kept::profile(host),
        kept::directory(host),
        journal,
        resume,
        retention,
        script,
        look.identity(),
        look.template(),
        saved,
        kept::set_aside(host),
        log,
        kept::lock(host),
    ];
    let other = kept::other_agent(host);
    for held in &mut all {
        absent(host, held);
        closed(host, held);
        if let (Stands::Newer, Some(version)) = (held.row.status, &other) {
            held.row.fix = format!("use mt-agent {version} (so the journal), or: {}", held.row.fix);
        }
        if is_image(facts) {
            elsewhere(host, held);
        }
    }
    all
}

/// A record of which nothing is there has no damage: what is to be done about a directory that others can write stands in the
/// directory's own row.
fn absent(host: &Host, held: &mut Held) {
    let path = held.row.path;
    if held.row.status == Stands::Damaged && path != DIRECTORY && !host.exists(path) {
        *held = Held::none(path);
        "it is not there; others can have removed it".clone_into(&mut held.row.host);
    }
}

/// What a person does about a record in an image's tree: its commands are for the machine that it becomes.
fn elsewhere(host: &Host, held: &mut Held) {
    held.acts.clear();
    if held.row.status.holds() {
        return;
    }
    held.row.fix = if held.row.path == HOST_FILE {
        format!("put that right in {}", host.path(HOST_FILE).display())
    } else {
        "start this system: there mt-agent state holds it against the disks and shows what repairs it"
            .to_owned()
    };
}

/// What others can read is closed by a repair.
fn closed(host: &Host, held: &mut Held) {
    let Row { path, status, .. } = held.row;
    if !status.holds() || !host.is_live() {
        return;
    }
    let Some(open) = private::open_below(host, path) else { return };
    held.row.status = Stands::Damaged;
    held.row.host = open;
    held.row.fix = format!("{} closes it", act::REPAIR);
    held.acts.push(Act::Close);
}

/// Rebuilds what follows from the host and sets aside what is not believed, once `confirm` agrees to what would be done.
/// `read` looks at the host: before, and again after.
/// Errors: Not root; another run is in progress, or a sealing was interrupted; something that failed, after which
/// it can be run again.
pub fn repair(
    host: &Host,
    read: &dyn Fn() -> Result<Seen>,
    confirm: &mut dyn FnMut(&State) -> Result<bool>,
) -> Result<State> {
    ensure!(nix::unistd::geteuid().is_root(), "state repair needs root: run it with sudo or as root");
    ensure!(host.is_live(), "state repair changes the running host only, not {host}");
    let guard = signals::Guard::install(host)?;
    let boot_id = boot_id::read(host)?;
    let _lock = lock::take(host, "state repair", &boot_id)?;
    changes::custom_changes::refuse_while_running(host, &boot_id)?;
    if let Ok(Some(_)) = resume::sealing(host) {
        bail!("a sealing of this machine was interrupted: run mt-agent seal again first, which resumes it");
    }
    let directory = kept::directory(host).row;
    ensure!(directory.status.holds(), "{}: {}", directory.says, directory.fix);
    let seen = read()?;
    let (rows, acts) = plan(host, &seen);
    if acts.iter().any(|act| matches!(act, Act::Script(..))) {
        let script = &seen.profile.custom_changes.script;
        if let Some(pid) = running::by_name(host, script)? {
            bail!("{script} is running (process {pid}): wait for its end, then run this again");
        }
    }
    let mut state = State::new(rows);
    if acts.is_empty() {
        state.ended = Some(Ended::NothingToDo);
        return Ok(state);
    }
    state.changes = acts.iter().map(Act::summary).collect();
    state.ended = Some(Ended::DryRun);
    if !confirm(&state)? {
        state.ended = Some(Ended::Declined);
        return Ok(state);
    }
    guard.begin_changes();
    let mut changed = Vec::new();
    for act in &acts {
        if let Some(signal) = guard.seen() {
            bail!("ended by {signal}: what was done is recorded; run it again for the rest");
        }
        let Done::Changed(what) = act.perform(host).with_context(|| act.summary())? else { continue };
        note(host, &boot_id, &what)?;
        changed.push(what);
    }
    let mut state = look(host, &read()?);
    state.ended = Some(Ended::Repaired);
    state.changes = changed;
    Ok(state)
}

/// What a repair would do: for `--dry-run`.
pub fn foresee(host: &Host, seen: &Seen) -> State {
    let (rows, acts) = plan(host, seen);
    let mut state = State::new(rows);
    state.ended = Some(if acts.is_empty() { Ended::NothingToDo } else { Ended::DryRun });
    state.changes = acts.iter().map(Act::summary).collect();
    state
}

/// The rows, and the acts in their order: the journal comes first, as the others are noted there.
fn plan(host: &Host, seen: &Seen) -> (Vec<Row>, Vec<Act>) {
    let (mut rows, mut acts) = (Vec::new(), Vec::<Act>::new());
    for held in hold(host, seen) {
        rows.push(held.row);
        let is_new = |act: &Act| !matches!(act, Act::Close);
        let closes = acts.iter().any(|act| matches!(act, Act::Close));
        acts.extend(held.acts.into_iter().filter(|act| is_new(act) || !closes));
    }
    if !kept::directory(host).row.status.holds() {
        // Nothing that is written there would be believed.
        acts.clear();
    }
    // What is set aside or written anew keeps its mode, and is closed with the rest.
    let is_open = || host.is_live() && private::open_below(host, "/").is_some();
    if !acts.is_empty() && !acts.iter().any(|act| matches!(act, Act::Close)) && is_open() {
        acts.push(Act::Close);
    }
    acts.sort_by_key(|act| match act {
        Act::Journal | Act::Begin | Act::Aside(paths::JOURNAL) => 0,
        Act::Close => 2,
        _ => 1,
    });
    (rows, acts)
}

/// In the journal, which earlier versions can read too, and in the log.
fn note(host: &Host, boot_id: &str, what: &str) -> Result<()> {
    let done = Event::Done { requirement: "state.repair".to_owned(), changed: Some(what.to_owned()) };
    journal::open(host, boot_id)?.write(done)?;
    Log::open(host)?.line(&format!("state repair: {what}"));
    Ok(())
}
