//! Sealing a template: what is found is taken out, step by step; the first boot of each clone is armed at the end. An
//! interrupted run is resumed by the next one, or by the service at the next boot.

mod finding;
mod hooks;
mod perform;
mod work;

use std::path::Path;

use anyhow::{Result, bail, ensure};

use self::finding::{NOT_THE_TEMPLATE, Run, is_template};
use super::engine::Engine;
use super::read_facts;
use super::sources::Sources;
use super::watcher::{Consent, Proposal, Watcher};
use crate::facts::gather::Probing;
use crate::host::{Host, Kind};
use crate::image::seal::table::TABLE;
use crate::image::seal::{AUTHORIZED_KEYS, choose, steps};
use crate::profile::Profile;
use crate::report::ended::Ended;
use crate::report::seal::{List, Listed, Sealing};
use crate::state::sealing::Order;

/// What a person asked for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub only: Vec<String>,
    pub skip: Vec<String>,
    pub wipe_free_space: bool,
    pub remove_authorized_keys: bool,
}

/// What there is to do, and why it may not be done. Changes nothing.
/// Errors: As [`seal`]; something could not be read, so that nobody knows what is left in the image.
pub fn look(sources: &Sources, asked: &Asked) -> Result<Sealing> {
    let order = order(sources, asked)?;
    let (host, profile) = (&sources.host, sources.profile()?);
    let facts = read_facts(host, &profile, Probing::None);
    let mut found = Run::new(host, &profile, &order, &facts)?.look(Ended::DryRun)?;
    if !found.refusals.is_empty() {
        found.ended = Ended::Refused;
    }
    Ok(found)
}

/// Seals the running template or its tree.
/// Errors: An unknown step, not root, a bad profile, nobody to ask, another run is in progress, or something
/// failed, with its name; what is left is done by the next run.
pub fn seal(
    sources: &Sources,
    asked: &Asked,
    consent: Consent,
    watcher: &mut dyn Watcher,
) -> Result<Sealing> {
    let order = order(sources, asked)?;
    sources.refuse_unsafe_profile("seal")?;
    run(&sources.host, &sources.profile()?, &order, consent, watcher)
}

/// Resumes a sealing that a loss of power interrupted, on the template itself.
/// Errors: As [`seal`]; this is a clone of an image that was never sealed to its end.
pub(super) fn resume(sources: &Sources, order: &Order, watcher: &mut dyn Watcher) -> Result<Sealing> {
    let profile = sources.with_profile(order.profile.clone()).profile()?;
    let facts = read_facts(&sources.host, &profile, Probing::None);
    ensure!(is_template(&facts), NOT_THE_TEMPLATE);
    run(&sources.host, &profile, order, Consent::Given, watcher)
}

pub fn list() -> List {
    let does = |id: &str| TABLE.iter().filter(|row| row.step == id).map(|row| row.summary()).collect();
    List {
        steps: steps().map(|(id, title)| Listed { id, title, does: does(id) }).collect(),
        kept: TABLE.iter().filter(|row| row.is_kept()).map(|row| row.summary()).collect(),
        left: TABLE.iter().filter(|row| row.is_left()).map(|row| row.summary()).collect(),
    }
}

/// What is asked for, where it may be done.
fn order(sources: &Sources, asked: &Asked) -> Result<Order> {
    let chosen = choose(asked.only.clone(), asked.skip.clone())?;
    ensure!(
        !asked.wipe_free_space || chosen.has("free-space"),
        "--wipe-free-space: --only and --skip leave the step free-space out"
    );
    ensure!(
        !asked.remove_authorized_keys || chosen.has(AUTHORIZED_KEYS),
        "--remove-authorized-keys: --only and --skip leave the step {AUTHORIZED_KEYS} out"
    );
    ensure!(nix::unistd::geteuid().is_root(), "seal needs root: run it as root or with sudo");
    let host = &sources.host;
    if host.kind() == Kind::Image && host.root().canonicalize()? == Path::new("/") {
        bail!("--root / is this machine, which is running: seal it without --root");
    }
    Ok(Order {
        chosen,
        wipe_free_space: asked.wipe_free_space,
        remove_authorized_keys: asked.remove_authorized_keys,
        // A profile of this machine says nothing to the machines made from a tree.
        profile: sources.profile_name().filter(|_| host.is_live()),
    })
}

fn run(
    host: &Host,
    profile: &Profile,
    order: &Order,
    consent: Consent,
    watcher: &mut dyn Watcher,
) -> Result<Sealing> {
    let engine = Engine::start(host, "seal")?;
    engine.close_files(host, watcher);
    let facts = read_facts(host, profile, Probing::None);
    let run = Run::new(host, profile, order, &facts)?;
    let mut found = run.look(Ended::Finished)?;
    found.ended = if !found.refusals.is_empty() {
        Ended::Refused
    } else if found.is_idle() {
        Ended::Nothing
    } else if !engine.is_agreed(Proposal::Sealing(&found), consent, watcher)? {
        Ended::Declined
    } else {
        work::carry_out(&run, &found, &engine, watcher)?
    };
    Ok(found)
}
