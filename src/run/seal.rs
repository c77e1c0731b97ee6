//! Sealing a template: what is found is taken out, step by step; the first boot of each clone is armed at the end. An
//! interrupted run is resumed by the next one, or by the service at the next boot.

mod hooks;
mod perform;

use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail, ensure};

use super::{check, lock, private, read_facts, signals, today};
use crate::changes::scrub;
use crate::facts::gather::Probing;
use crate::facts::identity::Kind;
use crate::facts::{Fact, Facts};
use crate::host::{Host, files, text};
use crate::image::seal::{self, AROUND, AUTHORIZED_KEYS, Item, STEPS, Template};
use crate::profile::Profile;
use crate::report::seal::{Ended, Found, Sealing};
use crate::state::paths;
use crate::state::request::{Request, Stage};
use crate::state::resume::{self, Pending};
use crate::state::sealing::Order;
use crate::steps::image::identifiers;
use crate::steps::{Selection, Severity};

/// Stands for the boot of a tree, which has none: every boot of a clone is another one.
const NO_BOOT: &str = "sealed as a tree";

/// What a clone of a half-sealed image is told, and who looks at it.
const NOT_THE_TEMPLATE: &str = "the sealing of this machine's image was interrupted, and this is not the template: the \
     image still carries what a clone must not have. Start the template (it goes on by itself) or run mt-agent seal there, \
     and clone it again";

/// What was removed by others since the last sealing is in the free space still.
const FILLED: &str = "free space was filled with zeros by the last sealing, and is left as it is: what was removed since then \
     goes by mt-agent seal --only free-space --wipe-free-space";

/// The hooks of this machine, where `order` has them run.
fn hooks_of(order: &Order) -> Result<Vec<PathBuf>> {
    if has(order, "hooks") { hooks::hooks() } else { Ok(Vec::new()) }
}

/// Whether `order` has the step done: authorized_keys are removed only by one's own word.
fn has(order: &Order, step: &str) -> bool {
    let asked =
        || order.remove_authorized_keys || order.chosen.only.iter().any(|only| only == AUTHORIZED_KEYS);
    order.chosen.has(step) && (step != AUTHORIZED_KEYS || asked())
}

/// Who watches.
pub trait Watcher {
    /// Shows what is found and asks; `false` ends it with nothing changed.
    ///
    /// # Errors
    /// There is nobody to ask.
    fn confirm(&mut self, found: &Sealing) -> Result<bool>;
    /// A step begins.
    fn begin(&mut self, step: &str, items: &[String]);
    /// Something that a person should know, beside the report.
    fn note(&mut self, line: &str);
    /// A line that a hook prints.
    fn progress(&mut self, line: &str);
}

/// What there is to do, and why it may not be done. Changes nothing.
///
/// # Errors
/// Something could not be read, so that nobody knows what is left in the image.
pub fn look(host: &Host, profile: &Profile, order: &Order) -> Result<Sealing> {
    let facts = read_facts(host, profile, Probing::None);
    let mut found =
        Run { host, profile, order, facts: &facts, hooks: hooks_of(order)? }.look(Ended::DryRun)?;
    if !found.refusals.is_empty() {
        found.ended = Ended::Refused;
    }
    Ok(found)
}

/// Seals `host`: the running template or its tree.
///
/// # Errors
/// Not root, another run is going on, or something failed, with its name; what is left is done by the next run.
pub fn seal(host: &Host, profile: &Profile, order: &Order, watcher: &mut dyn Watcher) -> Result<Sealing> {
    ensure!(nix::unistd::geteuid().is_root(), "seal needs root: run it with sudo or as root");
    // Signals are this machine's, also where a tree is sealed.
    let guard = signals::Guard::install(&Host::live())?;
    let _lock = hold(host)?;
    // Of a tree nobody else is a user, and it is looked through by its steps.
    if let Some(closed) = host.is_live().then(|| private::close(host)).flatten() {
        watcher.note(&closed);
    }
    let facts = read_facts(host, profile, Probing::None);
    let run = Run { host, profile, order, facts: &facts, hooks: hooks_of(order)? };
    let mut found = run.look(Ended::Sealed)?;
    if !found.refusals.is_empty() {
        found.ended = Ended::Refused;
    } else if found.is_idle() {
        found.ended = Ended::Nothing;
    } else if !watcher.confirm(&found)? {
        found.ended = Ended::Declined;
    } else {
        guard.begin_changes();
        found.ended = run.carry_out(&found, watcher, &guard)?;
    }
    Ok(found)
}

/// Resumes a sealing that a loss of power interrupted, on the template itself.
///
/// # Errors
/// As [`seal`]; this is a clone of an image that was never sealed to its end.
pub fn resume(host: &Host, profile: &Profile, order: &Order, watcher: &mut dyn Watcher) -> Result<Sealing> {
    let facts = read_facts(host, profile, Probing::None);
    ensure!(is_template(&facts), NOT_THE_TEMPLATE);
    seal(host, profile, order, watcher)
}

/// Whether this is the machine whose identity was recorded. A clone of a half-sealed image has that one's host keys still.
fn is_template(facts: &Facts) -> bool {
    let Some(template) = facts.identity.template.known().and_then(Option::as_ref) else { return false };
    let now = identifiers(facts);
    let told = [Kind::BiosUuid, Kind::RootDisk, Kind::Mac]
        .into_iter()
        .find(|kind| template.knows(*kind) && now.iter().any(|one| one.kind == *kind));
    // Where nothing can be compared, what is taken out is taken out all the same.
    told.is_none_or(|kind| now.iter().any(|one| one.kind == kind && template.has(one)))
}

/// One run at a time: on the running machine the agent's lock, of a tree its top directory.
fn hold(host: &Host) -> Result<Held> {
    if host.is_live() {
        return lock::take(host, "seal", &boot_id(host)?).map(|lock| Held { _lock: Some(lock), _tree: None });
    }
    let tree = files::directory(host.root()).with_context(|| format!("opening {}", host.root().display()))?;
    match tree.try_lock() {
        Ok(()) => Ok(Held { _lock: None, _tree: Some(tree) }),
        Err(_) => bail!("another run is sealing {}: wait for it to end", host.root().display()),
    }
}

struct Held {
    _lock: Option<lock::Lock>,
    _tree: Option<File>,
}

fn boot_id(host: &Host) -> Result<String> {
    if !host.is_live() {
        return Ok(NO_BOOT.to_owned());
    }
    let text = host.read(super::BOOT_ID).context("reading the boot id")?;
    Ok(text.trim().to_owned())
}

struct Run<'a> {
    host: &'a Host,
    profile: &'a Profile,
    order: &'a Order,
    facts: &'a Facts,
    hooks: Vec<PathBuf>,
}

impl Run<'_> {
    fn template(&self) -> Template<'_> {
        Template::new(self.host, self.facts, self.profile)
    }

    /// The record of the template's identity. Single steps make no template; and once it is written, an interrupted run does
    /// not touch it again.
    fn record(&self) -> Result<Option<Item>> {
        let there = matches!(self.facts.identity.template, Fact::Known(Some(_)));
        if !self.order.chosen.is_sealing() || (there && self.interrupted()?) {
            Ok(None)
        } else {
            seal::template_record(&self.template(), &super::now())
        }
    }

    /// Whether an earlier run was interrupted: its hooks had run, and the identity was recorded.
    fn interrupted(&self) -> Result<bool> {
        Ok(resume::sealing(self.host)?.is_some())
    }

    /// A sealing that was interrupted is resumed by one that does as much, and on the template.
    fn check_interrupted(&self) -> Result<()> {
        let Some(recorded) = resume::sealing(self.host)? else { return Ok(()) };
        let left = |id: &&&str| has(&recorded, id) && !has(self.order, id);
        if let Some(id) = seal::ids().iter().find(left) {
            bail!(
                "a sealing that has the step {id} too was interrupted: finish it first, by mt-agent seal without --only and \
                 with no other --skip than then{}",
                if *id == AUTHORIZED_KEYS { ", and with --remove-authorized-keys" } else { "" }
            );
        }
        ensure!(!self.host.is_live() || is_template(self.facts), NOT_THE_TEMPLATE);
        Ok(())
    }

    fn look(&self, ended: Ended) -> Result<Sealing> {
        seal::check_covered(&self.template())?;
        self.check_interrupted()?;
        let summaries = |items: &[Item]| items.iter().map(Item::summary).collect::<Vec<_>>();
        let chosen = &self.order.chosen;
        let mut work = Vec::new();
        for (step, _) in STEPS.iter().filter(|(step, _)| has(self.order, step)) {
            work.push((*step, self.find(step)?));
        }
        let first_boot = self.first_boot()?;
        let record: Vec<Item> = self.record()?.into_iter().collect();
        let idle =
            first_boot.is_none() && record.is_empty() && work.iter().all(|(_, items)| items.is_empty());
        // Sealed once, an image is not sealed again: a hook would do its work a second time.
        let hooks = if idle || self.interrupted()? {
            Vec::new()
        } else {
            self.hooks.iter().map(|hook| format!("run {}", hook.display())).collect()
        };
        let found = |id, title, items: Vec<String>| Found {
            id,
            title,
            skipped: !chosen.has(id) && items.is_empty(),
            items,
        };
        let mut notes = self.notes()?;
        let mut free_space = self.free_space()?;
        // Nor filled again, unless that is all that is asked for.
        if idle && chosen.is_sealing() && !free_space.is_empty() && self.is_filled()? {
            free_space.clear();
            notes.push(FILLED.to_owned());
        }
        let [hook, free, boot] = AROUND;
        let mut steps = vec![
            found(hook.0, hook.1, hooks),
            Found {
                id: "identity",
                title: "record what identifies the template",
                skipped: false,
                items: summaries(&record),
            },
        ];
        for (step, title) in STEPS {
            let items = work.iter().find(|(id, _)| id == step);
            let items = items.map(|(_, items)| summaries(items)).unwrap_or_default();
            steps.push(found(*step, *title, items));
        }
        steps.push(found(free.0, free.1, summaries(&free_space)));
        steps.push(found(boot.0, boot.1, first_boot.map(|(what, _)| what).into_iter().collect()));
        // Single steps say nothing of the rest.
        let (kept, left) = match chosen.is_sealing() {
            true => seal::stays(&self.template(), &work).context("looking for what stays in the image")?,
            false => (Vec::new(), Vec::new()),
        };
        Ok(Sealing {
            host: self.facts.os.hostname.known().cloned().unwrap_or_else(|| "unknown".to_owned()),
            tree: (!self.host.is_live()).then(|| text::safe(&self.host.root().to_string_lossy())),
            profile: self.profile.name.to_string(),
            ended,
            refusals: seal::refusals(&self.template(), chosen, &work),
            steps,
            notes,
            kept,
            left,
        })
    }

    fn find(&self, step: &str) -> Result<Vec<Item>> {
        // No colon behind the name: what follows `passphrases:` would be hidden as a secret.
        let looking = || format!("looking for what the step {step} takes out");
        seal::find(&self.template(), step).with_context(looking)
    }

    fn notes(&self) -> Result<Vec<String>> {
        let mut notes = seal::notes(&self.template());
        let stage = Selection::default().at_stage(Some(Stage::Image), self.profile)?;
        let report = check(self.profile, self.facts, &stage, today());
        let failing: Vec<_> = report
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Required && !finding.status.holds())
            .map(|finding| finding.id)
            .collect();
        if !failing.is_empty() {
            notes.push(format!(
                "the image is not ready: {} (mt-agent check --stage image)",
                failing.join(", ")
            ));
        }
        Ok(notes)
    }

    /// The image's file systems whose free space is filled, where that was asked for.
    fn free_space(&self) -> Result<Vec<Item>> {
        if !self.order.wipe_free_space || !self.order.chosen.has("free-space") {
            return Ok(Vec::new());
        }
        let template = self.template();
        ensure!(
            template.is_mounted(),
            "--wipe-free-space: {} is not a file system of its own, and what is free there is this machine's",
            self.host.root().display()
        );
        let mut seen = Vec::new();
        let mut items = Vec::new();
        for point in template.own_mount_points() {
            let device = template.device_of(point);
            if !seen.contains(&device) {
                items.push(Item::FillFreeSpace { path: point.to_owned() });
            }
            seen.push(device);
        }
        Ok(items)
    }

    /// Whether the last sealing filled free space.
    fn is_filled(&self) -> Result<bool> {
        Ok(resume::read(self.host)?.is_some_and(|waiting| waiting.free_space_filled))
    }

    /// What the first boot of a clone is to find, and in words what is to be done for it; `None`: it is so. Single steps do
    /// not touch it.
    fn first_boot(&self) -> Result<Option<(String, Option<Pending>)>> {
        let chosen = &self.order.chosen;
        let waiting = resume::read(self.host)?;
        if !chosen.has("first-boot") {
            let what = || (format!("remove {}: nothing goes on at the first boot", paths::RESUME), None);
            return Ok(waiting.filter(|_| chosen.is_sealing()).map(|_| what()));
        }
        let pending = self.pending(None)?;
        let same = waiting.is_some_and(|waiting| {
            let (boot_id, free_space_filled) = (pending.boot_id.clone(), pending.free_space_filled);
            Pending { boot_id, free_space_filled, ..waiting } == pending
        });
        let what = format!("{}: apply goes on at the first boot of each clone", paths::RESUME);
        Ok((!same).then_some((what, Some(pending))))
    }

    fn pending(&self, seal: Option<Order>) -> Result<Pending> {
        Ok(Pending {
            schema: resume::SCHEMA.to_owned(),
            boot_id: boot_id(self.host)?,
            profile: self.order.profile.clone(),
            only: Vec::new(),
            skip: Vec::new(),
            stage: None,
            first_boot: true,
            free_space_filled: seal.is_none() && self.order.wipe_free_space,
            seal,
            bound: None,
            failed: None,
            asks: None,
            request: Request::default(),
        })
    }

    fn carry_out(&self, found: &Sealing, watcher: &mut dyn Watcher, guard: &signals::Guard) -> Result<Ended> {
        let items_of = |id: &str| {
            found.steps.iter().find(|step| step.id == id).map(|step| step.items.clone()).unwrap_or_default()
        };
        let record = self.record()?;
        let stop = || guard.seen().is_some();
        // A hook that fails ends it with nothing changed by us, and nothing that would go on at the next boot.
        if !items_of("hooks").is_empty() {
            for hook in &self.hooks {
                watcher.begin("hooks", &[format!("run {}", hook.display())]);
                hooks::run(hook, self.host.root(), &mut |line| watcher.progress(line))?;
            }
        }
        if let Some(record) = record {
            watcher.begin("identity", &[record.summary()]);
            perform::perform(self.host, &record, &stop)?;
        }
        // From here on an interrupted run is resumed, by whoever comes first.
        if self.order.chosen.is_sealing() {
            perform::write_pending(self.host, &self.pending(Some(self.order.clone()))?)?;
        }
        for (step, _) in STEPS.iter().filter(|(step, _)| has(self.order, step)) {
            // Looked for again: a hook may have made it, or taken it away.
            let items = self.find(step)?;
            if !items.is_empty() {
                watcher.begin(step, &items.iter().map(Item::summary).collect::<Vec<_>>());
            }
            for item in &items {
                if stop() {
                    return Ok(Ended::Interrupted);
                }
                perform::perform(self.host, item, &stop)
                    .with_context(|| format!("in the step {step} of sealing"))?;
            }
        }
        // The last one may have ended half-way.
        if stop() {
            return Ok(Ended::Interrupted);
        }
        for item in self.free_space()? {
            watcher.begin("free-space", &[item.summary()]);
            let filled = perform::perform(self.host, &item, &stop);
            if stop() {
                return Ok(Ended::Interrupted);
            }
            filled.context("in the step free-space of sealing")?;
        }
        match self.first_boot()? {
            Some((what, Some(pending))) => {
                watcher.begin("first-boot", &[what]);
                perform::write_pending(self.host, &pending)?;
            }
            Some((what, None)) => {
                watcher.begin("first-boot", &[what]);
                scrub::remove_record(&perform::place(self.host, paths::RESUME)?)?;
            }
            None => {}
        }
        Ok(Ended::Sealed)
    }
}
