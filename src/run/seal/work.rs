//! A sealing that was agreed to, under way.

use std::collections::VecDeque;

use anyhow::{Context as _, Result};

use super::finding::{Run, has};
use super::{hooks, perform};
use crate::changes::scrub;
use crate::image::seal::{Item, STEPS};
use crate::report::ended::Ended;
use crate::report::seal::Sealing;
use crate::run::engine::{Engine, Work};
use crate::run::watcher::{Step, Watcher};
use crate::state::paths;

/// The step that comes after all that is taken out.
const FREE_SPACE: &str = "free-space";

pub(super) fn carry_out(
    run: &Run<'_>,
    found: &Sealing,
    engine: &Engine,
    watcher: &mut dyn Watcher,
) -> Result<Ended> {
    prepare(run, found, watcher)?;
    let mut steps: VecDeque<_> =
        STEPS.iter().map(|(step, _)| *step).filter(|step| has(run.order, step)).collect();
    steps.push_back(FREE_SPACE);
    let mut taking = Taking { run, engine, steps, step: "", items: VecDeque::new() };
    let ended = engine.carry_out(&mut taking, watcher)?;
    if ended == Ended::Finished {
        arm(run, watcher)?;
    }
    Ok(ended)
}

/// Hooks, the record of the template's identity, and the order that an interrupted run is resumed by.
fn prepare(run: &Run<'_>, found: &Sealing, watcher: &mut dyn Watcher) -> Result<()> {
    let record = run.record()?;
    // A hook that fails ends it with nothing changed by us, and nothing that would go on at the next boot.
    if found.steps.iter().any(|step| step.id == "hooks" && !step.items.is_empty()) {
        for hook in &run.hooks {
            watcher.begin(Step::Seal("hooks", &format!("run {}", hook.display())));
            hooks::run(hook, run.host.root(), &mut |line| watcher.progress(line))?;
        }
    }
    if let Some(record) = record {
        watcher.begin(Step::Seal("identity", &record.summary()));
        perform::perform(run.host, &record, &|| false)?;
    }
    // From here on an interrupted run is resumed, by whoever comes first.
    if run.order.chosen.is_sealing() {
        perform::write_pending(run.host, &run.pending(Some(run.order.clone()))?)?;
    }
    Ok(())
}

/// Lets the first boot of each clone do the rest; or nothing, where that step is left out.
fn arm(run: &Run<'_>, watcher: &mut dyn Watcher) -> Result<()> {
    let Some((what, pending)) = run.first_boot()? else { return Ok(()) };
    watcher.begin(Step::Seal("first-boot", &what));
    match pending {
        Some(pending) => perform::write_pending(run.host, &pending),
        None => scrub::remove_record(&perform::place(run.host, paths::RESUME)?).map(drop),
    }
}

/// What is taken out, step by step.
struct Taking<'a> {
    run: &'a Run<'a>,
    engine: &'a Engine,
    steps: VecDeque<&'static str>,
    step: &'static str,
    /// What is left of it.
    items: VecDeque<Item>,
}

impl Taking<'_> {
    /// Looked for again: a hook may have made it, or taken it away.
    fn find(&self, step: &str) -> Result<Vec<Item>> {
        if step == FREE_SPACE { self.run.free_space() } else { self.run.find(step) }
    }
}

impl Work for Taking<'_> {
    type Step = (&'static str, Item);

    fn next(&mut self) -> Result<Option<Self::Step>> {
        while self.items.is_empty() {
            let Some(step) = self.steps.pop_front() else { return Ok(None) };
            (self.step, self.items) = (step, self.find(step)?.into());
        }
        Ok(self.items.pop_front().map(|item| (self.step, item)))
    }

    fn perform(&mut self, (step, item): Self::Step, watcher: &mut dyn Watcher) -> Result<()> {
        let stop = || self.engine.is_to_stop();
        watcher.begin(Step::Seal(step, &item.summary()));
        let done = perform::perform(self.run.host, &item, &stop);
        if step == FREE_SPACE && stop() {
            // It ends half-way, and the run with it.
            return Ok(());
        }
        done.with_context(|| format!("in the step {step} of sealing"))
    }
}
