//! What there is to do to seal a host, and why it may not be done.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail, ensure};

use super::hooks;
use crate::facts::identity::Kind;
use crate::facts::{Fact, Facts};
use crate::host::{Host, text};
use crate::image::seal::{self, AUTHORIZED_KEYS, Item, STEPS, Template};
use crate::profile::Profile;
use crate::report::ended::Ended;
use crate::report::seal::{Found, Sealing};
use crate::run::engine::boot_id;
use crate::run::{check, now, today};
use crate::state::paths;
use crate::state::request::Stage;
use crate::state::resume::{self, Pending};
use crate::state::sealing::Order;
use crate::steps::image::identifiers;
use crate::steps::{Selection, Severity};

/// What is reported on a clone of a half-sealed image.
pub(super) const NOT_THE_TEMPLATE: &str = "the sealing of this machine's image was interrupted, and this is not the template: the \
     image still carries what a clone must not have. Start the template (which resumes it by itself) or run mt-agent seal there, \
     and clone it again";

/// What was removed otherwise since the last sealing is in the free space still.
const FILLED: &str = "free space was filled with zeros by the last sealing, and is left as it is: what was removed since then \
     goes by mt-agent seal --only free-space --wipe-free-space";

/// A sealing of a host.
pub(super) struct Run<'a> {
    pub host: &'a Host,
    pub profile: &'a Profile,
    pub order: &'a Order,
    pub facts: &'a Facts,
    pub hooks: Vec<PathBuf>,
}

impl<'a> Run<'a> {
    /// A sealing by `order`.
    /// Errors: The hooks cannot be read, or are not root's alone.
    pub(super) fn new(
        host: &'a Host,
        profile: &'a Profile,
        order: &'a Order,
        facts: &'a Facts,
    ) -> Result<Self> {
        let hooks = if has(order, "hooks") { hooks::hooks()? } else { Vec::new() };
        Ok(Self { host, profile, order, facts, hooks })
    }
}

impl Run<'_> {
    fn template(&self) -> Template<'_> {
        Template::new(self.host, self.facts, self.profile)
    }

    /// The record of the template's identity. Single steps make no template; and once it is written, an interrupted run does
    /// not touch it again.
    pub(super) fn record(&self) -> Result<Option<Item>> {
        let there = matches!(self.facts.identity.template, Fact::Known(Some(_)));
        if !self.order.chosen.is_sealing() || (there && self.interrupted()?) {
            Ok(None)
        } else {
            seal::template_record(&self.template(), &now())
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

    pub(super) fn look(&self, ended: Ended) -> Result<Sealing> {
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
        let mut notes = self.notes()?;
        let mut free_space = self.free_space()?;
        // Nor filled again, unless that is all that is asked for.
        if idle && chosen.is_sealing() && !free_space.is_empty() && self.is_filled()? {
            free_space.clear();
            notes.push(FILLED.to_owned());
        }
        let mut items: BTreeMap<&str, Vec<String>> =
            work.iter().map(|(step, items)| (*step, summaries(items))).collect();
        items.insert("hooks", hooks);
        items.insert("free-space", summaries(&free_space));
        items.insert("first-boot", first_boot.map(|(what, _)| what).into_iter().collect());
        let mut found = |id, title| {
            let items = items.remove(id).unwrap_or_default();
            Found { id, title, skipped: !chosen.has(id) && items.is_empty(), items }
        };
        let mut steps: Vec<_> = seal::steps().map(|(id, title)| found(*id, *title)).collect();
        let (title, items) = ("record what identifies the template", summaries(&record));
        steps.insert(1, Found { id: "identity", title, skipped: false, items });
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

    pub(super) fn find(&self, step: &str) -> Result<Vec<Item>> {
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
    pub(super) fn free_space(&self) -> Result<Vec<Item>> {
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
    pub(super) fn first_boot(&self) -> Result<Option<(String, Option<Pending>)>> {
        let chosen = &self.order.chosen;
        let waiting = resume::read(self.host)?;
        if !chosen.has("first-boot") {
            let what = || (format!("remove {}: nothing is done at the first boot", paths::RESUME), None);
            return Ok(waiting.filter(|_| chosen.is_sealing()).map(|_| what()));
        }
        let pending = self.pending(None)?;
        let same = waiting.is_some_and(|waiting| {
            let (boot_id, free_space_filled) = (pending.boot_id.clone(), pending.free_space_filled);
            Pending { boot_id, free_space_filled, ..waiting } == pending
        });
        let what = format!("{}: apply runs at the first boot of each clone", paths::RESUME);
        Ok((!same).then_some((what, Some(pending))))
    }

    pub(super) fn pending(&self, seal: Option<Order>) -> Result<Pending> {
        Ok(Pending {
            schema: resume::SCHEMA.to_owned(),
            boot_id: boot_id(self.host)?,
            profile: self.order.profile.clone(),
            first_boot: true,
            free_space_filled: seal.is_none() && self.order.wipe_free_space,
            seal,
            ..Pending::default()
        })
    }
}

/// Whether `order` has the step done: authorized_keys are removed only by one's own word.
pub(super) fn has(order: &Order, step: &str) -> bool {
    let asked =
        || order.remove_authorized_keys || order.chosen.only.iter().any(|only| only == AUTHORIZED_KEYS);
    order.chosen.has(step) && (step != AUTHORIZED_KEYS || asked())
}

/// Whether this is the machine whose identity was recorded. A clone of a half-sealed image has that one's host keys still.
pub(super) fn is_template(facts: &Facts) -> bool {
    let Some(template) = facts.identity.template.known().and_then(Option::as_ref) else { return false };
    let now = identifiers(facts);
    let comparable = [Kind::BiosUuid, Kind::RootDisk, Kind::Mac]
        .into_iter()
        .find(|kind| template.knows(*kind) && now.iter().any(|one| one.kind == *kind));
    // Where nothing can be compared, what is taken out is taken out all the same.
    comparable.is_none_or(|kind| now.iter().any(|one| one.kind == kind && template.has(one)))
}
