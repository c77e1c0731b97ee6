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

use anyhow::Result;

use self::act::{Act, Held};
use self::kept::Runs;
use self::look::Look;
pub use self::verb::{check, dry_run, repair};
use super::private;
use super::waiting::Order;
use crate::facts::{Fact, Facts};
use crate::host::Host;
use crate::profile::{HOST_FILE, Profile};
use crate::report::ended::Ended;
use crate::report::state::{Row, Stands, State};
use crate::state::paths::{self, DIRECTORY};
use crate::steps::is_image;
use crate::steps::retention::{Used, recall};

/// What the records are held against.
pub struct Seen {
    /// The profile; a built-in one where the host's own cannot be used.
    pub profile: Profile,
    pub facts: Facts,
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
    let changed = used || !retention.row.content.is_empty() || saved.row.status != Stands::None;
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

/// What a repair would do, and its acts in their order: the journal comes first, as the others are noted there.
fn foresee(host: &Host, seen: &Seen) -> (State, Vec<Act>) {
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
    let mut state = State::new(rows);
    state.ended = Some(if acts.is_empty() { Ended::Nothing } else { Ended::DryRun });
    state.changes = acts.iter().map(Act::summary).collect();
    (state, acts)
}
