//! Judging a host: the value that every report format is made from.

use super::plan;
use crate::facts::Facts;
use crate::profile::Profile;
use crate::report::{Plan, Report};
use crate::steps::remedy::Request;
use crate::steps::{Selection, Stage, Status, id, is_image, judge_all};

/// Judges `facts` by `profile`. Pure: the date is given, for waivers.
pub fn check(profile: &Profile, facts: &Facts, selection: &Selection, today: time::Date) -> Report {
    let mut plan = plan(profile, facts, selection, today, &Request::default());
    // Which disk could be taken is known from probes, which are made for a plan alone.
    plan.manual.retain(|manual| manual.id != id::RETENTION_DISK);
    report(profile, facts, selection, today, &plan)
}

/// The same with the advice of `plan`, so that nobody is told that apply does what it does not do.
pub fn report(
    profile: &Profile,
    facts: &Facts,
    selection: &Selection,
    today: time::Date,
    plan: &Plan,
) -> Report {
    let mut findings = judge_all(profile, facts, today, selection);
    for manual in &plan.manual {
        let finding = findings.iter_mut().find(|finding| finding.id == manual.id);
        if let Some(Status::Unmet { fix, .. }) = finding.map(|finding| &mut finding.status) {
            fix.clone_from(&manual.fix);
        }
    }
    let stage = selection.part.stage;
    let limits = [
        (stage == Some(Stage::Image), "stage image: what belongs to each machine is not looked at"),
        (stage == Some(Stage::Machine), "stage machine: what belongs to the image is not looked at"),
        (!facts.privileged, "not run as root: what only root can read is unknown"),
        (is_image(facts), "of an image's tree: what needs a running machine is not looked at"),
    ];
    let mut notes: Vec<String> =
        limits.into_iter().filter(|(holds, _)| *holds).map(|(_, note)| note.to_owned()).collect();
    notes.extend(selection.note());
    let mut report = Report {
        profile: profile.name.to_string(),
        host: facts.os.hostname.known().cloned().unwrap_or_else(|| "unknown".to_owned()),
        selection: selection.clone(),
        of_tree: is_image(facts),
        left_out: selection.left_out(),
        findings,
        notes,
        waiting: None,
    };
    let ending = report.ending().map(|(id, until)| {
        format!("the waiver of {id} ends on {until}: renew it, or see to {id} before the day after")
    });
    let ending: Vec<_> = ending.collect();
    report.notes.extend(ending);
    report
}
