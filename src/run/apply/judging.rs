//! What an apply finds: the host, the plan, and whether it may be carried out.

use anyhow::Result;

use super::terms::Options;
use crate::changes::mkfs::Format;
use crate::changes::{Change, records};
use crate::facts::Facts;
use crate::facts::gather::Probing;
use crate::host::{Host, ScsiId};
use crate::profile::Profile;
use crate::report::Plan;
use crate::report::apply::Applied;
use crate::report::ended::Ended;
use crate::run::{check, identity, now, plan, read_facts, today};
use crate::state::request::Request;
use crate::steps::{Selection, id, image, retention};

/// An apply on a host.
pub(super) struct Run<'a> {
    pub host: &'a Host,
    pub profile: &'a Profile,
    pub options: &'a Options,
    /// What is asked for still: what a person confirmed is named, and what was erased is not erased again.
    pub request: Request,
    pub boot_id: &'a str,
}

impl Run<'_> {
    pub(super) fn facts(&self) -> Facts {
        let erase = self.request.erase_disk.as_deref();
        read_facts(self.host, self.profile, Probing::idle(erase))
    }

    pub(super) fn plan(&self, facts: &Facts) -> Plan {
        let mut plan = plan(self.profile, facts, &self.options.selection, today(), &self.request);
        plan.notes.extend(self.options.notes.iter().cloned());
        plan
    }

    /// The SCSI ID of the disk that `plan` formats although nobody named it.
    pub(super) fn unnamed(&self, facts: &Facts, plan: &Plan) -> Option<ScsiId> {
        let disk = retention::unnamed(self.profile, facts, &self.request)?;
        plan.changes.iter().find_map(|planned| match &planned.change {
            Change::FormatRetention(Format { target, .. }) if disk.has_id(&target.scsi_id) => {
                Some(target.scsi_id.clone())
            }
            _ => None,
        })
    }

    pub(super) fn judged(&self, facts: &Facts, changed: Vec<String>, ended: Ended) -> Applied {
        let left = self.plan(facts);
        let mut report = check::report(self.profile, facts, &self.options.selection, today(), &left);
        // Options that nothing came of; and what was ordered and is open, whatever else was changed.
        let is_shown = |note: &&String| changed.is_empty() || plan::is_open(note);
        let new = left.notes.iter().filter(is_shown).filter(|note| !report.notes.contains(note));
        let new: Vec<_> = new.cloned().collect();
        report.notes.extend(new);
        Applied { report, left, changed, recorded: None, ended }
    }

    /// Why a run that nobody watches changes nothing: the machine may be its own template, or a copy to which another
    /// machine's orders came with its disk.
    pub(super) fn waits_for_identity(&self, facts: &Facts) -> Option<String> {
        if !self.options.resumed {
            return None;
        }
        (!identity::holds(self.profile, facts, id::IMAGE_IDENTITY)).then(|| {
            "what nobody watches waits until image.identity is met, and changes nothing before (on a clone: its first \
             boot): it is tried again at each boot, or by mt-agent apply"
                .to_owned()
        })
    }

    /// Of the template that was started again: what it has anew is recorded as what its clones must not have.
    pub(super) fn remember_template(&self, facts: &Facts) -> Result<Option<String>> {
        if !image::is_template(facts) {
            return Ok(None);
        }
        records::extend_template(self.host, &now(), &image::identifiers(facts))?;
        Ok(Some(
            "this is the template itself, started again: run mt-agent seal again before it is cloned, or its clones share \
             what this start made, SSH host keys among it"
                .to_owned(),
        ))
    }

    /// What is found about `requirement` now, in words.
    pub(super) fn still(&self, facts: &Facts, requirement: &str) -> String {
        let report = check(self.profile, facts, &Selection::default(), today());
        let finding = report.findings.iter().find(|finding| finding.id == requirement);
        finding.map(|finding| finding.status.describe()).unwrap_or_default()
    }
}
