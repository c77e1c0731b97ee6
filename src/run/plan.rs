//! What `apply` would change, in order, and what only a person can fix. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::changes::Change;
use crate::facts::Facts;
use crate::facts::blank::Probe;
use crate::profile::Profile;
use crate::report::{Manual, Plan, PlannedChange};
use crate::steps::layout::own_disks;
use crate::steps::remedy::{Decision, Remedy, Request, remedy};
use crate::steps::{self, Finding, Selection, Status, judge_all, retention, waivers};

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
    let everything = judge_all(profile, facts, today, &Selection::default());
    if !facts.privileged {
        plan.notes
            .push("not run as root: disks cannot be probed, and what only root can read is unknown".into());
    }
    plan.notes.extend(selection.note());
    plan.notes.extend(idle_options(profile, facts, selection, request, &everything));
    let mut foreseen = Foreseen::from(&everything);
    let profile = &waivers::in_force(profile, today);
    let names_a_disk = request.retention_disk.is_some() || request.erase_disk.is_some();
    for finding in judge_all(profile, facts, today, selection) {
        let again = match finding.id {
            "retention.disk" => retention::is_made_again(profile, facts, request),
            "layout.own-disks" => own_disks::is_asked(profile, facts, request),
            _ => false,
        };
        if finding.status.holds() && !again {
            continue;
        }
        let blocker = blocker(&finding);
        let in_vain = blocker.is_some_and(|by| !foreseen.holds(by));
        match remedy(finding.id, profile, facts, request) {
            // A repair of what is not known may do harm. A restart is how to find out; the rest is a person's decision.
            Remedy::None | Remedy::With { .. } if is_unknown(&finding) && !is_decided(&finding, request) => {
                plan.manual.push(manual(&finding, None));
            }
            Remedy::Refused(_) if is_unknown(&finding) && !names_a_disk && !is_decided(&finding, request) => {
                plan.manual.push(manual(&finding, None));
            }
            // What only waits for something else is not a person's to do, and comes of it; that a named disk is refused is
            // told at once.
            Remedy::None if blocker.is_some() => match blocker {
                Some(by) if foreseen.waits(by) => foreseen.after_restart(finding.id),
                Some(by) if foreseen.holds(by) => foreseen.now(finding.id),
                _ => {}
            },
            Remedy::Refused(_) if in_vain && !names_a_disk => {}
            Remedy::Restart { .. } | Remedy::With { .. } if in_vain => {}
            Remedy::Restart { first } => {
                for change in first {
                    add(&mut plan.changes, finding.id, false, change);
                }
                plan.restart = true;
                foreseen.after_restart(finding.id);
            }
            Remedy::With { changes, needs } => {
                let missing = foreseen.lacking(needs);
                if !missing.is_empty() {
                    if again {
                        // What is to be erased is not mounted meanwhile.
                        foreseen.holding.remove(finding.id);
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
                    add(&mut plan.changes, finding.id, after_restart, change);
                }
            }
            Remedy::None => plan.manual.push(manual(&finding, None)),
            Remedy::Refused(why) => plan.manual.push(manual(&finding, Some(why))),
        }
    }
    let written = plan.changes.iter().filter_map(|planned| written_to(facts, &planned.change));
    let notes: Vec<String> = written.collect();
    plan.notes.extend(notes);
    plan
}

/// That the disk to be formatted, blank as it looks, was written to since this boot.
fn written_to(facts: &Facts, change: &Change) -> Option<String> {
    let Change::FormatRetention { scsi_id, device, .. } = change else { return None };
    let disks = facts.disks.known()?;
    let is_it = |probe: &&Probe| {
        disks.iter().any(|disk| disk.name == probe.disk && disk.scsi_id.as_deref() == Some(scsi_id))
    };
    let probe = facts.probes.iter().find(is_it)?;
    (probe.written == Some(true)).then(|| {
        format!(
            "something was written to {device} (SCSI ID {scsi_id}) since this boot: be sure that nobody needs it before it is \
             formatted"
        )
    })
}

/// What a person asked for that this plan has no use for: said, as nothing happens.
fn idle_options(
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
    if let (Some(decision), Some(why)) = (request.custom_changes, idle("custom-changes.applied")) {
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
    if !request.own_disks.is_empty()
        && idle("layout.own-disks").is_some()
        && !own_disks::is_asked(profile, facts, request)
    {
        notes.push("--own-disk is not needed: what it names is on record".to_owned());
    }
    let no_disk = findings.iter().any(|finding| finding.id == "retention.disk" && !finding.status.holds());
    notes.extend(no_disk.then(|| retention::disagreement(profile, facts, request)).flatten());
    if retention::is_made_again(profile, facts, request) {
        return notes;
    }
    let carrying = retention::disk_now(profile, facts);
    for (option, name) in
        [("--retention-disk", &request.retention_disk), ("--erase-disk", &request.erase_disk)]
    {
        let (Some(name), Some(why)) = (name, idle("retention.disk")) else { continue };
        if option == "--erase-disk" || !retention::means(facts, name, carrying.as_deref()) {
            notes.push(format!("{option} {name} is not needed: {why}; that disk is left as it is"));
        }
    }
    notes
}

/// Which requirements will hold once the plan so far has been carried out.
struct Foreseen {
    holding: BTreeSet<&'static str>,
    waiting: BTreeSet<&'static str>,
    /// What waits for which other requirement now.
    blocked: BTreeMap<&'static str, String>,
}

impl Foreseen {
    fn from(findings: &[Finding]) -> Self {
        let blocked = findings.iter().filter_map(|finding| match &finding.status {
            Status::Blocked { by } => Some((finding.id, by.clone())),
            _ => None,
        });
        Self {
            holding: findings.iter().filter(|finding| finding.status.holds()).map(|f| f.id).collect(),
            waiting: BTreeSet::new(),
            blocked: blocked.collect(),
        }
    }

    /// What of `needs` will not hold, but for what only waits for another of them.
    fn lacking(&self, needs: &[&'static str]) -> Vec<&'static str> {
        let missing: Vec<_> = needs.iter().copied().filter(|need| !self.holds(need)).collect();
        let follows = |id: &str| self.blocked.get(id).is_some_and(|by| missing.contains(&by.as_str()));
        missing.iter().copied().filter(|id| !follows(id)).collect()
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
    if let Change::InstallPackages { packages, .. } = &change
        && let Some(already) = changes.iter_mut().find_map(|planned| match &mut planned.change {
            Change::InstallPackages { packages, .. } => Some(packages),
            _ => None,
        })
    {
        let new: Vec<_> = packages.iter().filter(|name| !already.contains(name)).cloned().collect();
        already.extend(new);
    } else if !changes.iter().any(|planned| planned.change == change) {
        changes.push(PlannedChange { requirement: requirement.to_owned(), change, after_restart });
    }
}

fn is_unknown(finding: &Finding) -> bool {
    matches!(finding.status, Status::Unknown { .. })
}

/// Whether a person has said what is to be done about `finding`, unknown as it is.
fn is_decided(finding: &Finding, request: &Request) -> bool {
    finding.id == "custom-changes.applied" && request.custom_changes.is_some()
}

fn manual(finding: &Finding, why: Option<String>) -> Manual {
    let (found, fix) = match &finding.status {
        Status::Unmet { found, fix, .. } => (found.clone(), fix.clone()),
        Status::Unknown { why } => (why.clone(), finding.find_out.clone().unwrap_or_default()),
        Status::Blocked { by } => (format!("waits for {by}"), format!("see {by}")),
        Status::RestartOwed { found } => (found.clone(), "restart the machine".to_owned()),
        Status::Met { .. } | Status::NotApplicable { .. } | Status::Waived { .. } => Default::default(),
    };
    let status = finding.status.word();
    Manual { id: finding.id.to_owned(), severity: finding.severity, status, found, fix: why.unwrap_or(fix) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Fact;
    use crate::steps::testing::{TODAY, never_ran, ready};

    fn planned(profile: &Profile, facts: &Facts, selection: &Selection) -> Plan {
        plan(profile, facts, selection, TODAY, &Request::default())
    }

    /// The ready host before anything was done to it but attaching a disk that is not probed.
    fn fresh() -> (Profile, Facts) {
        let (mut profile, mut facts) = ready();
        profile.custom_changes.archive = Some("/root/agent.tar.gz".into());
        let Fact::Known(packages) = &mut facts.packages else { panic!("known") };
        packages.installed.remove("perl");
        packages.installed.remove("device-mapper-multipath");
        never_ran(&mut facts);
        facts.custom_changes.archive_bytes = Fact::Known(Some(200 << 20));
        (profile, facts)
    }

    #[test]
    fn a_ready_host_has_nothing_to_plan() {
        let (profile, facts) = ready();
        let plan = planned(&profile, &facts, &Selection::default());
        assert_eq!((plan.changes, plan.manual, plan.restart), (vec![], vec![], false));
    }

    #[test]
    fn all_packages_go_into_one_transaction_before_the_vendor_script() {
        let (profile, facts) = fresh();
        let plan = planned(&profile, &facts, &Selection::default());
        let changes: Vec<_> = plan.changes.iter().map(|planned| planned.change.clone()).collect();
        assert_eq!(
            changes,
            [
                Change::InstallPackages {
                    packages: vec!["perl".into(), "device-mapper-multipath".into()],
                    from: None,
                    manifest_sha256: None,
                },
                Change::RunCustomChanges {
                    archive: "/root/agent.tar.gz".into(),
                    rerun: false,
                    archive_sha256: None
                },
            ]
        );
        assert!(plan.restart);
    }

    #[test]
    fn what_lies_outside_the_selection_is_neither_changed_nor_taken_for_done() {
        let (profile, facts) = fresh();
        let only = |id: &str| Selection::new(vec![id.into()], vec![]).unwrap();
        let plan = planned(&profile, &facts, &only("packages.multipath"));
        assert_eq!(plan.changes.len(), 1);
        assert_eq!(
            plan.changes[0].change,
            Change::InstallPackages {
                packages: vec!["device-mapper-multipath".into()],
                from: None,
                manifest_sha256: None
            }
        );
        let plan = planned(&profile, &facts, &only("custom-changes.applied"));
        assert_eq!(plan.changes, []);
        let needs = "needs packages.base, packages.multipath first; then mt-agent apply does it";
        assert_eq!(plan.manual[0].fix, needs);
    }

    #[test]
    fn without_scsi_ids_the_vendor_script_does_not_run() {
        let (profile, mut facts) = fresh();
        let Fact::Known(disks) = &mut facts.disks else { panic!("known") };
        disks[0].scsi_id = None;
        disks[0].scsi_id_error = Some("ILLEGAL REQUEST".into());
        let plan = planned(&profile, &facts, &Selection::default());
        assert!(
            !plan.changes.iter().any(|planned| matches!(planned.change, Change::RunCustomChanges { .. }))
        );
        let applied = plan.manual.iter().find(|manual| manual.id == "custom-changes.applied").unwrap();
        // scsi.ids follows from it.
        assert_eq!(applied.fix, "needs scsi.uuid-enabled first; then mt-agent apply does it");
    }

    #[test]
    fn what_cannot_be_determined_has_no_repair() {
        let (profile, mut facts) = ready();
        facts.custom_changes.marker_ctime_secs = Fact::Unknown("the disk does not answer".into());
        let plan = planned(&profile, &facts, &Selection::default());
        let applied = plan.manual.iter().find(|manual| manual.id == "custom-changes.applied").unwrap();
        assert!(applied.found.contains("the disk does not answer"), "{}", applied.found);
        assert_eq!(applied.status, "unknown");
        assert!(applied.fix.contains("by hand: `ls -l /etc/.appliedmtcustomchanges "), "{}", applied.fix);
    }

    #[test]
    fn a_change_that_could_be_made_is_not_made_to_what_is_unknown() {
        let (profile, mut facts) = ready();
        let Fact::Known(Some(configuration)) = &mut facts.multipath.configuration else { panic!("known") };
        configuration.problems.push("line 3: a section is not closed".into());
        let id = "custom-changes.root-disk";
        assert!(matches!(remedy(id, &profile, &facts, &Request::default()), Remedy::With { .. }));
        let plan = planned(&profile, &facts, &Selection::default());
        assert_eq!(plan.changes, []);
        assert_eq!((plan.manual[0].id.as_str(), plan.manual[0].status), (id, "unknown"));
    }

    #[test]
    fn what_a_person_decided_about_an_unknown_is_done() {
        let (profile, mut facts) = ready();
        let Fact::Known(Some(record)) = &mut facts.custom_changes.record else { panic!("known") };
        record.outcome = crate::facts::custom_changes::Outcome::Started;
        assert_eq!(planned(&profile, &facts, &Selection::default()).changes, []);
        let request = Request { custom_changes: Some(Decision::Accept), ..Request::default() };
        let plan = plan(&profile, &facts, &Selection::default(), TODAY, &request);
        assert_eq!(plan.changes[0].change, Change::RecordCustomChanges { accepted: true });
    }

    #[test]
    fn what_waits_for_what_nobody_mends_here_is_not_told_twice() {
        let (profile, mut facts) = fresh();
        let Fact::Known(disks) = &mut facts.disks else { panic!("known") };
        disks.iter_mut().for_each(|disk| disk.scsi_id = None);
        let plan = planned(&profile, &facts, &Selection::default());
        let ids: Vec<_> = plan.manual.iter().map(|manual| manual.id.as_str()).collect();
        assert_eq!(ids, ["scsi.uuid-enabled", "custom-changes.applied"]);
    }

    #[test]
    fn an_option_that_nothing_comes_of_is_told() {
        let (profile, facts) = ready();
        let request = Request {
            custom_changes: Some(Decision::Rerun),
            retention_disk: Some("sda".into()),
            ..Request::default()
        };
        let idle = plan(&profile, &facts, &Selection::default(), TODAY, &request);
        assert_eq!(idle.changes, []);
        assert_eq!(
            idle.notes,
            [
                "--custom-changes=rerun is not needed: custom-changes.applied is met already; to run the script again \
                 all the same, remove /etc/.appliedmtcustomchanges first",
                "--retention-disk sda is not needed: retention.disk is met already; that disk is left as it is",
            ]
        );
        let request = Request { retention_disk: Some("sdb".into()), ..Request::default() };
        let named = plan(&profile, &facts, &Selection::default(), TODAY, &request);
        assert_eq!(named.notes, [] as [&str; 0], "it is the retention disk");
    }

    #[test]
    fn a_run_by_hand_is_recorded_and_owes_a_restart() {
        let (profile, mut facts) = ready();
        facts.custom_changes.record = Fact::Known(None);
        facts.multipath.maps = Fact::Known(Vec::new());
        let plan = planned(&profile, &facts, &Selection::default());
        assert_eq!(plan.changes.len(), 1);
        assert_eq!(plan.changes[0].change, Change::RecordCustomChanges { accepted: false });
        assert!(plan.restart);
    }
}
