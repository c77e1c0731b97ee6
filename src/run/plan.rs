//! What `apply` would change, in order, and what only a person can fix. Pure.

mod foreseen;
mod idle;
#[cfg(test)]
mod tests;

use self::foreseen::Foreseen;
pub(super) use self::idle::{is_open, left};
use crate::changes::mkfs::Format;
use crate::changes::{Change, Target};
use crate::facts::Facts;
use crate::facts::blank::Probe;
use crate::profile::Profile;
use crate::report::{Manual, Plan, PlannedChange};
use crate::steps::layout::own_disks;
use crate::steps::remedy::{Remedy, Request};
use crate::steps::{self, Finding, Selection, Status, id, judge_all, retention, waivers};

/// Plans what brings a host with `facts` closer to `profile`. The facts must hold probes of idle disks when
/// a retention disk may have to be chosen.
pub fn plan(
    profile: &Profile,
    facts: &Facts,
    selection: &Selection,
    today: time::Date,
    request: &Request,
) -> Plan {
    let mut plan = Plan {
        profile: profile.name.to_string(),
        host: facts.os.hostname.known().cloned().unwrap_or_else(|| "unknown".to_owned()),
        ..Plan::default()
    };
    // What a change needs may lie outside the selection: judged all the same, never changed.
    let everything = judge_all(profile, facts, today, &Selection::default());
    if !facts.privileged {
        plan.notes
            .push("not run as root: disks cannot be probed, and what only root can read is unknown".into());
    }
    plan.notes.extend(selection.note());
    plan.notes.extend(idle::options(profile, facts, selection, request, &everything));
    plan.undetermined = request.grow
        && selection.includes(id::RETENTION_CAPACITY)
        && retention::growth_undetermined(profile, facts).is_some();
    plan.notes.extend(retention::takeover::note(profile, facts, request));
    let mut foreseen = Foreseen::from(&everything);
    let profile = &waivers::in_force(profile, today);
    let names_a_disk = request.retention_disk.is_some() || request.erase_disk.is_some();
    let is_shown = |finding: &Finding| names_a_disk || is_decided(finding, request);
    for finding in judge_all(profile, facts, today, selection) {
        let Some(requirement) = steps::find(finding.id) else { continue };
        let ordered = (requirement.orders.takeover)(profile, facts, request);
        let again = ordered.is_some() || (requirement.orders.again)(profile, facts, request);
        if finding.status.holds() && !again {
            continue;
        }
        let blocker = blocker(&finding);
        let in_vain = blocker.is_some_and(|by| !foreseen.holds(by));
        // Of what it needs nothing is unknown; what is not known of the earlier volume matters no more.
        let is_ordered = ordered.is_some();
        match ordered.unwrap_or_else(|| requirement.remedy(profile, facts, request)) {
            // What holds is in nobody's way.
            Remedy::None if finding.status.holds() => {}
            Remedy::Refused(why) if finding.status.holds() => {
                plan.notes.extend((!plan.notes.contains(&why)).then_some(why));
            }
            // A repair of what is not known may do harm. A restart is how to find out; the rest is a person's decision.
            Remedy::None | Remedy::With { .. }
                if is_unknown(&finding) && !is_ordered && !is_decided(&finding, request) =>
            {
                plan.manual.push(manual(&finding, None));
            }
            Remedy::Refused(_) if is_unknown(&finding) && !is_shown(&finding) => {
                plan.manual.push(manual(&finding, None));
            }
            // What only waits for something else is not a person's to do, and comes of it; that a named disk is refused is
            // shown at once.
            Remedy::None if blocker.is_some() => match blocker {
                Some(by) if foreseen.waits(by) => foreseen.after_restart(finding.id),
                Some(by) if foreseen.holds(by) => foreseen.now(finding.id),
                _ => {}
            },
            Remedy::Refused(_) if in_vain && !is_shown(&finding) => {}
            Remedy::Restart { .. } | Remedy::With { .. } if in_vain => {
                plan.notes.extend(blocker.and_then(|by| idle::waits(finding.id, request, by)));
            }
            Remedy::Restart { first } => {
                for change in first {
                    let requirement = finding.id.to_owned();
                    add(&mut plan.changes, PlannedChange { requirement, change, after_restart: false });
                }
                plan.restart = true;
                foreseen.after_restart(finding.id);
            }
            Remedy::With { changes, needs } => {
                let missing = foreseen.lacking(needs);
                if !missing.is_empty() {
                    plan.notes.extend(idle::waits(finding.id, request, &missing.join(", ")));
                    if again {
                        // What is to be erased is not mounted meanwhile.
                        foreseen.holding.remove(finding.id);
                    }
                    if finding.status.holds() && finding.id != id::RETENTION_DISK {
                        continue;
                    }
                    let why = format!("needs {} first; then mt-agent apply does it", missing.join(", "));
                    plan.manual.push(manual(&finding, Some(why)));
                    continue;
                }
                let after_restart = needs.iter().copied().chain(blocker).any(|id| foreseen.waits(id));
                if after_restart {
                    foreseen.after_restart(finding.id);
                } else {
                    foreseen.now(finding.id);
                }
                for change in changes {
                    let requirement = finding.id.to_owned();
                    add(&mut plan.changes, PlannedChange { requirement, change, after_restart });
                }
            }
            Remedy::None => plan.manual.push(manual(&finding, None)),
            Remedy::Refused(why) => plan.manual.push(manual(&finding, Some(why))),
        }
    }
    if plan.changes.iter().any(|planned| matches!(planned.change, Change::MountRetention { .. }))
        && let Some(then) = retention::takeover::recorded(profile, facts, request)
    {
        // What the record of the volume that is taken resolves is not a person's to do.
        let only = Selection::new(vec![id::OWN_DISKS.to_owned()], Vec::new()).unwrap_or_default();
        let is_resolved = judge_all(profile, &then, today, &only).iter().all(|one| one.status.holds());
        plan.manual.retain(|manual| manual.id != id::OWN_DISKS || !is_resolved);
    }
    plan.notes.extend(idle::unreported(&plan, &everything, selection, request));
    // What a person says of what is done already needs nothing, and nothing that fails keeps it from being noted.
    plan.changes.sort_by_key(|planned| planned.change != Change::RecordCustomChanges { accepted: true });
    let written = plan.changes.iter().filter_map(|planned| written_to(facts, &planned.change));
    let idle = plan.changes.iter().filter_map(|planned| own_disks::note(profile, facts, &planned.change));
    let notes: Vec<String> = written.chain(idle).collect();
    plan.notes.extend(notes);
    plan
}

/// That the disk to be formatted, blank as it looks, was written to since this boot.
fn written_to(facts: &Facts, change: &Change) -> Option<String> {
    let Change::FormatRetention(Format { target, .. }) = change else { return None };
    let Target { scsi_id, device, .. } = target;
    let disks = facts.disks.known()?;
    let is_it = |probe: &&Probe| disks.iter().any(|disk| disk.name == probe.disk && disk.has_id(scsi_id));
    let probe = facts.probes.iter().find(is_it)?;
    (probe.written == Some(true)).then(|| {
        format!(
            "something was written to {device} (SCSI ID {scsi_id}) since this boot: be sure that nobody needs it before it is \
             formatted"
        )
    })
}

fn blocker(finding: &Finding) -> Option<&'static str> {
    match &finding.status {
        Status::Blocked { by } => steps::find(by).map(|requirement| requirement.id),
        _ => None,
    }
}

/// Adds `new`; all packages from repositories go into one transaction, and nothing is planned twice.
fn add(changes: &mut Vec<PlannedChange>, new: PlannedChange) {
    if let Change::InstallPackages { packages, .. } = &new.change
        && let Some(already) = changes.iter_mut().find_map(|planned| match &mut planned.change {
            Change::InstallPackages { packages, .. } => Some(packages),
            _ => None,
        })
    {
        let others: Vec<_> = packages.iter().filter(|name| !already.contains(name)).cloned().collect();
        already.extend(others);
    } else if !changes.iter().any(|planned| planned.change == new.change) {
        changes.push(new);
    }
}

fn is_unknown(finding: &Finding) -> bool {
    matches!(finding.status, Status::Unknown { .. })
}

/// Whether a person has said what is to be done about `finding`, unknown as it is.
fn is_decided(finding: &Finding, request: &Request) -> bool {
    idle::order(finding.id, request).is_some()
}

fn manual(finding: &Finding, why: Option<String>) -> Manual {
    let (found, fix) = match &finding.status {
        Status::Unmet { found, fix, .. } => (found.clone(), fix.clone()),
        Status::Unknown { why } => (why.clone(), finding.find_out.clone().unwrap_or_default()),
        Status::Blocked { by } => (format!("blocked by {by}"), format!("see {by}")),
        Status::RestartOwed { found } => (found.clone(), "restart the machine".to_owned()),
        Status::Met { .. } | Status::NotApplicable { .. } | Status::Waived { .. } => Default::default(),
    };
    let status = finding.status.word();
    Manual { id: finding.id.to_owned(), severity: finding.severity, status, found, fix: why.unwrap_or(fix) }
}
