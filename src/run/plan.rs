//! What `apply` would change, in order, and what only a person can fix. Pure.

use std::collections::BTreeSet;

use crate::changes::Change;
use crate::facts::Facts;
use crate::profile::Profile;
use crate::report::{Manual, Plan, PlannedChange};
use crate::steps::remedy::{Remedy, Request, remedy};
use crate::steps::{self, Finding, Selection, Status, judge_all};

/// Plans what brings a host with `facts` closer to `profile`. The facts must hold probes of idle disks when
/// a retention disk may have to be chosen.
#[must_use]
pub fn plan(
    profile: &Profile,
    facts: &Facts,
    selection: &Selection,
    today: time::Date,
    request: &Request,
) -> Plan {
    let mut plan = Plan {
        profile: profile.name.clone(),
        host: facts.os.hostname.known().cloned().unwrap_or_else(|| "unknown".to_owned()),
        ..Plan::default()
    };
    // What a change needs may lie outside the selection: judged all the same, never changed.
    let mut foreseen = Foreseen::from(&judge_all(profile, facts, today, &Selection::default()));
    for finding in judge_all(profile, facts, today, selection) {
        if finding.status.holds() {
            continue;
        }
        let blocker = blocker(&finding);
        let remedy = remedy(finding.id, profile, facts, request);
        match remedy {
            Remedy::Restart | Remedy::With { .. } if blocker.is_some_and(|by| !foreseen.holds(by)) => {
                plan.manual.push(manual(&finding, None));
            }
            Remedy::Restart => {
                plan.restart = true;
                foreseen.after_restart(finding.id);
            }
            Remedy::With { changes, needs } => {
                let missing: Vec<_> = needs.iter().copied().filter(|need| !foreseen.holds(need)).collect();
                if !missing.is_empty() {
                    let why = format!("needs {} first; then apply does it", missing.join(", "));
                    plan.manual.push(manual(&finding, Some(why)));
                    continue;
                }
                let after_restart = needs.iter().copied().chain(blocker).any(|id| foreseen.waits(id));
                if after_restart {
                    foreseen.after_restart(finding.id);
                } else if !matches!(finding.status, Status::RestartOwed { .. }) {
                    foreseen.now(finding.id);
                }
                for change in changes {
                    add(&mut plan.changes, finding.id, after_restart, change);
                }
                if matches!(finding.status, Status::RestartOwed { .. }) {
                    plan.restart = true;
                    foreseen.after_restart(finding.id);
                }
            }
            Remedy::None => plan.manual.push(manual(&finding, None)),
            Remedy::Refused(why) => plan.manual.push(manual(&finding, Some(why))),
        }
    }
    plan
}

/// Which requirements will hold once the plan so far has been carried out.
struct Foreseen {
    holding: BTreeSet<&'static str>,
    waiting: BTreeSet<&'static str>,
}

impl Foreseen {
    fn from(findings: &[Finding]) -> Self {
        let holding = findings.iter().filter(|finding| finding.status.holds()).map(|finding| finding.id);
        Self { holding: holding.collect(), waiting: BTreeSet::new() }
    }

    fn holds(&self, id: &str) -> bool {
        self.holding.contains(id)
    }

    /// Whether `id` will hold only after the restart.
    fn waits(&self, id: &str) -> bool {
        self.waiting.contains(id)
    }

    fn now(&mut self, id: &'static str) {
        self.holding.insert(id);
    }

    fn after_restart(&mut self, id: &'static str) {
        self.holding.insert(id);
        self.waiting.insert(id);
    }
}

fn blocker(finding: &Finding) -> Option<&'static str> {
    match &finding.status {
        Status::Blocked { by } => steps::find(by).map(|requirement| requirement.id),
        _ => None,
    }
}

/// Adds `change`; all packages from repositories go into one transaction, and nothing is planned twice.
fn add(changes: &mut Vec<PlannedChange>, requirement: &str, after_restart: bool, change: Change) {
    if let Change::InstallPackages { packages } = &change
        && let Some(already) = changes.iter_mut().find_map(|planned| match &mut planned.change {
            Change::InstallPackages { packages } => Some(packages),
            _ => None,
        })
    {
        let new: Vec<_> = packages.iter().filter(|name| !already.contains(name)).cloned().collect();
        already.extend(new);
    } else if !changes.iter().any(|planned| planned.change == change) {
        changes.push(PlannedChange { requirement: requirement.to_owned(), change, after_restart });
    }
}

fn manual(finding: &Finding, why: Option<String>) -> Manual {
    let by_hand = || steps::find(finding.id).map(|found| found.by_hand.to_owned()).unwrap_or_default();
    let (found, fix) = match &finding.status {
        Status::Unmet { found, fix, .. } => (found.clone(), fix.clone()),
        Status::Unknown { why } => (format!("could not be told: {why}"), by_hand()),
        Status::Blocked { by } => (format!("waits for {by}"), format!("see {by}")),
        Status::RestartOwed { found } => (found.clone(), "restart the machine".to_owned()),
        Status::Met { .. } | Status::NotApplicable { .. } | Status::Waived { .. } => Default::default(),
    };
    Manual { id: finding.id.to_owned(), severity: finding.severity, found, fix: why.unwrap_or(fix) }
}
