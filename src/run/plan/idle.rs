//! What a person asked for and nothing comes of: reported, as nothing happens.

use crate::changes::Change;
use crate::facts::Facts;
use crate::profile::Profile;
use crate::report::Plan;
use crate::steps::layout::own_disks;
use crate::steps::remedy::{Decision, Request};
use crate::steps::{self, Finding, Selection, id, retention};

/// How an order is reported that the plan cannot carry out as the host is. One that has been carried out is not.
const NOT_NOW: &str = " is not carried out: ";

/// Whether the note says that an order is open.
pub(in crate::run) fn is_open(note: &str) -> bool {
    note.contains(NOT_NOW)
}

/// How a person said what is to be done about the requirement `id`.
pub(super) fn order(id: &str, request: &Request) -> Option<String> {
    (steps::find(id)?.orders.option)(request)
}

/// That what a person ordered about the requirement `id` waits for `first`, which nothing here mends: it is not remembered.
pub(super) fn waits(id: &str, request: &Request, first: &str) -> Option<String> {
    let option = order(id, request)?;
    Some(format!("{option}{NOT_NOW}it needs {first} first; then mt-agent apply {option}"))
}

/// What was ordered about what does not hold, and neither planned nor refused: with what keeps it from being done.
pub(super) fn unreported(
    plan: &Plan,
    findings: &[Finding],
    selection: &Selection,
    request: &Request,
) -> Vec<String> {
    let open = findings.iter().filter(|finding| selection.includes(finding.id) && !finding.status.holds());
    let note = |finding: &Finding| {
        let option = order(finding.id, request)?;
        let word = option.split([' ', '=']).next().unwrap_or(&option);
        let is_planned = plan.changes.iter().any(|planned| planned.requirement == finding.id);
        let is_reported = plan.notes.iter().any(|note| note.starts_with(word))
            || plan.manual.iter().any(|manual| manual.id == finding.id && manual.fix.starts_with(word));
        (!is_planned && !is_reported).then(|| format!("{option}{NOT_NOW}{}", finding.status.describe()))
    };
    open.filter_map(note).collect()
}

/// What a person has decided by an option, and `performed` has not: reported where an apply fails before.
pub(in crate::run) fn left(agreed: &Plan, performed: &[Change]) -> Option<&'static str> {
    let mut open = agreed.changes.iter().filter(|planned| !performed.contains(&planned.change));
    open.find_map(|planned| match planned.change {
        Change::RunCustomChanges { rerun: true, .. } => Some("--custom-changes=rerun"),
        Change::RecordOwnDisks { .. } => Some("--own-disk"),
        _ => None,
    })
}

/// What a person asked for that this plan has no use for: reported, as nothing happens.
pub(super) fn options(
    profile: &Profile,
    facts: &Facts,
    selection: &Selection,
    request: &Request,
    findings: &[Finding],
) -> Vec<String> {
    let idle = |id: &str| {
        let finding = findings.iter().find(|finding| finding.id == id)?;
        if !selection.includes(id) {
            Some(format!("{id} is not looked at"))
        } else if finding.status.holds() {
            Some(format!("{id} is {} already", finding.status.word()))
        } else {
            None
        }
    };
    let mut notes = Vec::new();
    if let (Some(decision), Some(why)) = (request.custom_changes, idle(id::CUSTOM_CHANGES_APPLIED)) {
        let (word, hint) = match decision {
            Decision::Accept => ("accept", String::new()),
            Decision::Rerun => (
                "rerun",
                format!(
                    "; to run the script again all the same, remove {} first",
                    profile.custom_changes.marker.display()
                ),
            ),
        };
        notes.push(format!("--custom-changes={word} is not needed: {why}{hint}"));
    }
    if let Some(option) = order(id::OWN_DISKS, request) {
        if !own_disks::is_asked(profile, facts, request) {
            notes.push(format!("{option} is not needed: what it names is on record"));
        } else if !selection.includes(id::OWN_DISKS) {
            notes.push(format!("{option}{NOT_NOW}layout.own-disks is not looked at"));
        }
    }
    let no_disk = findings.iter().any(|finding| finding.id == id::RETENTION_DISK && !finding.status.holds());
    notes.extend(no_disk.then(|| retention::disagreement(profile, facts, request)).flatten());
    if request.grow && !selection.includes(id::RETENTION_CAPACITY) {
        notes.push(format!("--grow{NOT_NOW}retention.capacity is not looked at"));
    } else if let (true, Some(why)) = (request.grow, retention::growth_undetermined(profile, facts)) {
        notes.push(format!("--grow{NOT_NOW}{why}"));
    } else if let (true, Some(why)) = (request.grow, retention::nothing_to_grow(profile, facts)) {
        notes.push(format!("--grow: {why}"));
    }
    if retention::is_made_again(profile, facts, request) {
        return notes;
    }
    let is_left = |id: &&str| {
        let requirement = steps::find(id);
        requirement.is_some_and(|one| (one.orders.takeover)(profile, facts, request).is_some())
    };
    if let (Some(takeover), Some(name)) = (request.takeover, &request.retention_disk) {
        let part = [id::RETENTION_DISK, id::RETENTION_MOUNTED, id::RETENTION_PERSISTENT]
            .iter()
            .find(|id| is_left(id));
        match part {
            None => {
                let option = takeover.option();
                notes.push(format!("{option} {name} is not needed: it carries the retention volume already"));
            }
            Some(id) => notes.extend(idle(id).filter(|_| !selection.includes(id))),
        }
        return notes;
    }
    let carrying = retention::disk_now(profile, facts);
    for (option, name) in
        [("--retention-disk", &request.retention_disk), ("--erase-disk", &request.erase_disk)]
    {
        let (Some(name), Some(why)) = (name, idle(id::RETENTION_DISK)) else { continue };
        if option == "--erase-disk" || !retention::means(facts, name, carrying.as_deref()) {
            let instead = match option {
                "--retention-disk" if selection.includes(id::RETENTION_DISK) => {
                    format!(" (to have the retention volume there: --replace-retention {name})")
                }
                _ => String::new(),
            };
            notes.push(format!("{option} {name} is not needed: {why}; that disk is left as it is{instead}"));
        }
    }
    notes
}
