//! What an apply leaves for after the restart that it owes.

use anyhow::Result;

use super::judging::Run;
use crate::changes::Change;
use crate::facts::Facts;
use crate::report::Plan;
use crate::report::apply::Applied;
use crate::report::ended::Ended;
use crate::run::{identity, today};
use crate::state::request::Request;
use crate::state::resume::{self, Pending};
use crate::state::{paths, saved};
use crate::steps::retention::lasting;
use crate::steps::{self, Requirement, Selection};

impl Run<'_> {
    /// All that can be done is done: what is owed is recorded.
    pub(super) fn finish(&self, facts: &Facts, changed: Vec<String>, agreed: &Plan) -> Result<Applied> {
        let mut applied = self.judged(facts, changed, Ended::Finished);
        applied.recorded = identity::keep(self.host, self.profile, facts, self.boot_id)?;
        let waiting = resume::read(self.host).ok().flatten();
        let first_boot = waiting.as_ref().is_some_and(|waiting| waiting.first_boot);
        match &self.options.pending {
            _ if self.is_part_of(waiting.as_ref()) => {}
            // It is tried again at each boot, until a person has decided what the profile does not say.
            _ if first_boot && !applied.left.restart && self.has_more(facts, waiting.as_ref()) => {}
            Some(pending) if applied.left.restart => {
                // A clone that waits still waits, whoever has looked in meanwhile.
                let first_boot = pending.first_boot || first_boot;
                let pending = Pending { first_boot, ..pending.clone() };
                match self.after_restart(&pending, facts, agreed) {
                    Some(pending) if waiting.as_ref().is_some_and(|waiting| waiting.stands_for(&pending)) => {
                    }
                    Some(pending) => {
                        saved::directory(self.host, paths::DIRECTORY)?;
                        resume::write(self.host, &pending)?;
                    }
                    None => resume::clear(self.host)?,
                }
            }
            _ => resume::clear(self.host)?,
        }
        Ok(applied)
    }

    /// Whether something that apply could change does not hold yet, of what `waiting` is to do.
    fn has_more(&self, facts: &Facts, waiting: Option<&Pending>) -> bool {
        let everything = || Selection::default().at_stage(waiting?.stage, self.profile).ok();
        let all = steps::judge_all(self.profile, facts, today(), &everything().unwrap_or_default());
        let changeable = |id| steps::find(id).is_some_and(Requirement::is_changeable);
        all.iter().any(|finding| changeable(finding.id) && !finding.status.holds())
    }

    /// Whether this run looks at a part of the host alone while another one waits for a restart, with more to do.
    fn is_part_of(&self, waiting: Option<&Pending>) -> bool {
        !self.options.resumed
            && !self.options.selection.is_everything()
            && waiting.is_some_and(|waiting| {
                (waiting.first_boot || waiting.boot_id == self.boot_id) && waiting.only.is_empty()
            })
    }

    /// What the run after the restart is to do; `None` where that is nothing.
    pub(super) fn after_restart(&self, pending: &Pending, facts: &Facts, agreed: &Plan) -> Option<Pending> {
        let mut pending = pending.clone();
        pending.request.retention_disk.clone_from(&self.request.retention_disk);
        pending.request.erase_disk.clone_from(&self.request.erase_disk);
        self.boot_id.clone_into(&mut pending.boot_id);
        if pending.first_boot && pending.request == Request::default() {
            // Whoever has looked in gave it no other day to end.
            pending.bound = None;
            return Some(pending);
        }
        // What will be erased after the restart is what the person saw in the plan, and for what is on it now.
        let fingerprint = agreed.changes.iter().find_map(|planned| match &planned.change {
            Change::FormatRetention(format) => format.fingerprint.clone(),
            _ => None,
        });
        match lasting(self.profile, facts, &pending.request) {
            Some(request) => pending.request = request,
            // Nobody watches that run: the retention volume waits for a person.
            None => {
                (pending.request.retention_disk, pending.request.takeover) = (None, None);
                if !pending.first_boot && !pending.skip.iter().any(|name| name == "retention") {
                    pending.skip.push("retention".to_owned());
                }
            }
        }
        // An order of an earlier restart stays what it was: it was for what was on the disk then.
        if !self.options.resumed {
            pending.request.erase_fingerprint = fingerprint;
        }
        if pending.request.erase_fingerprint.is_none() || pending.request.retention_disk.is_none() {
            // There was nothing to erase.
            (pending.request.erase_disk, pending.request.erase_fingerprint) = (None, None);
        }
        // A decision is for the run that it was given to.
        pending.request.custom_changes = None;
        let selection = Selection::new(pending.only.clone(), pending.skip.clone()).ok()?;
        selection.at_stage(pending.stage, self.profile).ok().map(|_| pending)
    }

    /// The order to erase is carried out: neither this run nor one that resumes it has it any more.
    pub(super) fn forget_erasure(&mut self) -> Result<()> {
        self.request.erase_disk = None;
        let Some(mut waiting) = resume::read(self.host)? else { return Ok(()) };
        if waiting.request.erase_disk.is_some() {
            (waiting.request.erase_disk, waiting.request.erase_fingerprint) = (None, None);
            resume::write(self.host, &waiting)?;
        }
        Ok(())
    }
}
