//! `check` and `plan` of a host or a recording: what is found, and what limits it.

use std::path::Path;

use anyhow::{Result, bail};

use super::sources::Sources;
use super::{check, offline, plan, private, today, under_way};
use crate::facts::Fact;
use crate::facts::gather::Probing;
use crate::host::text;
use crate::report::waiting::Waiting;
use crate::report::{Plan, Report};
use crate::state::request::{Request, Stage};
use crate::steps::Selection;
use crate::steps::retention::takeover;

/// What is looked at: `--only`, `--skip` and `--stage`.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub selection: Selection,
    /// The stage, whose requirements the profile names: [`Selection::at_stage`].
    pub stage: Option<Stage>,
}

/// Judges the host, or the recording in a file.
/// Errors: A bad profile or recording; nothing left to look at.
pub fn check_host(sources: &Sources, recording: Option<&Path>, wanted: Wanted) -> Result<Report> {
    let (profile, facts) = sources.profile_and_facts(recording, Probing::None)?;
    let selection = wanted.selection.at_stage(wanted.stage, &profile)?;
    let mut report = check(&profile, &facts, &selection, today());
    if recording.is_some() {
        report.notes.push(format!("judged from a recording of {}", text::safe(&facts.recorded_at)));
    } else {
        report.notes.extend(under_way(&sources.host));
        report.notes.extend(private::note(&sources.host));
        report.waiting = Waiting::noted(sources.waiting(), &mut report.notes);
    }
    Ok(report)
}

/// Plans what `apply` would change on the host, or on the one that was recorded in a file.
/// Errors: A bad profile, recording or collection; a request that cannot be met; an image's tree, which is never
/// changed.
pub fn plan_host(
    sources: &Sources,
    recording: Option<&Path>,
    wanted: Wanted,
    request: &Request,
) -> Result<Plan> {
    if !sources.host.is_live() && recording.is_none() {
        bail!("plan works on the running host: an image's tree (--root) can be checked, not changed");
    }
    let probing = Probing::idle(request.erase_disk.as_deref());
    let (mut profile, facts) = sources.profile_and_facts(recording, probing)?;
    if matches!(facts.boot_id, Fact::NotApplicable(_)) {
        bail!("the recording is of an image's tree, which can be checked, not changed");
    }
    let selection = wanted.selection.at_stage(wanted.stage, &profile)?;
    takeover::check(&profile, &facts, request)?;
    let (mut request, mut notes) = (request.clone(), Vec::new());
    if let Some(directory) = &mut request.offline {
        let (found, note) = offline::bind(&sources.host, &mut profile, directory)?;
        *directory = found;
        notes.push(note);
    }
    let mut plan = plan(&profile, &facts, &selection, today(), &request);
    plan.notes.extend(notes);
    if recording.is_some() {
        plan.notes.push("made from a recording: its disks were not probed".into());
    } else {
        plan.notes.extend(under_way(&sources.host));
        plan.notes.extend(private::note(&sources.host));
        plan.waiting = Waiting::noted(sources.waiting(), &mut plan.notes);
    }
    Ok(plan)
}
