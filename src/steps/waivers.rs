//! Waivers: what no profile can waive, how long one can run, and when its end is announced.

use std::borrow::Cow;

use time::{Date, Duration};

use super::registry::find;
use super::requirement::{Requirement, Waivable};
use super::status::Status;
use crate::profile::{Profile, Waiver};

/// How long a waiver can still run: a year and the time to renew it. A longer one is a decision that nobody looks at again.
const LONGEST: Duration = Duration::days(400);

/// How long before its end a waiver is announced.
const ANNOUNCED: Duration = Duration::days(14);

/// Why the requirement `id` cannot be waived; `None` where it can.
pub fn never(id: &str) -> Option<&'static str> {
    match find(id)?.waiver {
        Waivable::Never(why) => Some(why),
        Waivable::Always | Waivable::WhereUnknown => None,
    }
}

/// In words, whether `requirement` can be waived, where that is not plainly so.
pub(super) fn limits(requirement: &Requirement) -> Option<String> {
    match requirement.waiver {
        Waivable::Always => None,
        Waivable::WhereUnknown => Some("only where it is unknown".to_owned()),
        Waivable::Never(why) => Some(format!("none: {why}")),
    }
}

/// Why a waiver has no effect on the day `today` (UTC), whatever is found; `None` where it has one.
pub(super) fn fault(waiver: &Waiver, today: Date) -> Option<String> {
    let Waiver { requirement, until, .. } = waiver;
    if let Some(why) = never(requirement) {
        Some(format!("{requirement} cannot be waived: {why}"))
    } else if !waiver.holds(today) {
        Some(format!("it ended on {until}"))
    } else if **until - today > LONGEST {
        Some(format!("it runs until {until}, and a waiver can run for {} days at most", LONGEST.whole_days()))
    } else {
        None
    }
}

/// Why a waiver of `requirement` does not reach `status`.
pub(super) fn too_much(requirement: &Requirement, status: &Status) -> Option<String> {
    let reaches = matches!(status, Status::Unknown { .. }) || status.holds();
    let id = requirement.id;
    (requirement.waiver == Waivable::WhereUnknown && !reaches)
        .then(|| format!("{id} can be waived only where it is unknown, and this is known"))
}

/// The status of what `waiver`, which has an effect, waives.
pub(super) fn status(waiver: &Waiver, today: Date) -> Status {
    Status::Waived {
        reason: waiver.reason.to_string(),
        until: waiver.until.to_string(),
        approved_by: waiver.approved_by.as_ref().map(ToString::to_string),
        ends_soon: *waiver.until - today <= ANNOUNCED,
    }
}

/// The profile as it holds on the day `today` (UTC): without the waivers that have no effect.
pub fn in_force(profile: &Profile, today: Date) -> Cow<'_, Profile> {
    let has_effect = |waiver: &Waiver| fault(waiver, today).is_none();
    if profile.waivers.iter().all(has_effect) {
        return Cow::Borrowed(profile);
    }
    let mut profile = profile.clone();
    profile.waivers.retain(has_effect);
    Cow::Owned(profile)
}

/// The waivers of `profile` that have no effect on the day `today` (UTC), each with its place and why.
pub fn faults(profile: &Profile, today: Date) -> Vec<String> {
    let describe = |(index, waiver): (usize, &Waiver)| {
        let path = format!("waivers[{index}]");
        let origin = profile.origins.get(&format!("{path}.requirement")).map(|at| format!("{at}: "));
        fault(waiver, today).map(|fault| {
            let place = origin.unwrap_or_default();
            format!("{place}{path}: the waiver of {} has no effect: {fault}", waiver.requirement)
        })
    };
    profile.waivers.iter().enumerate().filter_map(describe).collect()
}

#[cfg(test)]
mod tests {
    use crate::facts::scsi::NoId;
    use std::collections::BTreeSet;

    use time::macros::date;

    use super::super::testing::{TODAY, disks, edit, fstab, judged, mounts, outcome, ready, waiver};
    use super::super::{Finding, Selection, Verdict, all, judge_all, verdict};
    use super::*;
    use crate::facts::Fact;
    use crate::facts::disks::ControllerKind;

    fn waiving(ids: &[&str]) -> Profile {
        let (profile, _) = ready();
        Profile { waivers: ids.iter().map(|id| waiver(id, TODAY + LONGEST)).collect(), ..profile }
    }

    fn never_waived() -> Vec<(&'static str, &'static str)> {
        all().filter_map(|requirement| Some((requirement.id, never(requirement.id)?))).collect()
    }

    fn where_unknown() -> Vec<&'static str> {
        let only = all().filter(|requirement| requirement.waiver == Waivable::WhereUnknown);
        only.map(|requirement| requirement.id).collect()
    }

    #[test]
    fn what_no_profile_can_waive_is_this_and_says_why() {
        let ids: BTreeSet<_> = never_waived().into_iter().map(|(id, _)| id).collect();
        let expected = "custom-changes.root-disk hypervisor.vmware retention.alive retention.dedicated retention.disk \
            retention.mounted retention.unlocked scsi.ids scsi.ids-unique scsi.uuid-enabled";
        assert_eq!(ids.into_iter().collect::<Vec<_>>(), expected.split_whitespace().collect::<Vec<_>>());
        assert!(never_waived().iter().all(|(_, why)| why.len() > 20));
        assert_eq!(where_unknown(), ["layout.own-disks", "image.identity"]);
    }

    #[test]
    fn the_manual_page_lists_them_all() {
        let page = include_str!("../../packaging/man/mt-agent-profile.5.roff").replace("\\-", "-");
        for (id, why) in never_waived() {
            assert!(page.contains(&format!(".TP\n.B {id}\n{why}\n")), "{id}");
        }
        let mut ids = where_unknown();
        ids.sort_unstable();
        let only = format!("{} can be waived only where they are unknown", ids.join(" and "));
        assert!(page.contains(&only), "{only}");
    }

    #[test]
    fn what_cannot_be_waived_stays_what_it_is_and_the_waiver_is_named() {
        let (_, mut facts) = ready();
        for disk in disks(&mut facts) {
            disk.scsi_id = Err(NoId::default());
        }
        edit(&mut facts.dmi).vendor = Fact::Known(Some("QEMU".into()));
        mounts(&mut facts).retain(|mount| mount.mount_point != "/mnt/retention");
        fstab(&mut facts).retain(|line| line.mount_point != "/mnt/retention");
        let ids: Vec<_> = never_waived().into_iter().map(|(id, _)| id).collect();
        let waived = waiving(&ids);
        let findings = |profile: &Profile| judge_all(profile, &facts, TODAY, &Selection::default());
        let (with, without) = (findings(&waived), findings(&waiving(&[])));
        let plain =
            |findings: &[Finding]| findings.iter().map(|f| (f.id, f.status.clone())).collect::<Vec<_>>();
        assert_eq!(plain(&with), plain(&without));
        assert_eq!(verdict(&with), Verdict::NotReady);
        for finding in with.iter().filter(|finding| ids.contains(&finding.id)) {
            let note = finding.note.as_deref().unwrap_or_default();
            let start = format!("waiver without effect: {} cannot be waived: ", finding.id);
            assert!(note.starts_with(&start) && note.ends_with("(its reason: lab)"), "{note}");
        }
    }

    #[test]
    fn a_waiver_runs_for_400_days_at_most() {
        let (mut profile, mut facts) = ready();
        facts.network.resolvers = Fact::Known(Vec::new());
        profile.waivers = vec![waiver("network.dns", TODAY + LONGEST)];
        assert!(matches!(
            judged(&profile, &facts, "network.dns").status,
            Status::Waived { ends_soon: false, .. }
        ));
        profile.waivers[0].until = date!(2027 - 07 - 07).into();
        let longer = judged(&profile, &facts, "network.dns");
        assert!(matches!(longer.status, Status::Unmet { .. }));
        assert_eq!(
            longer.note.as_deref(),
            Some(
                "waiver without effect: it runs until 2027-07-07, and a waiver can run for 400 days at most (its \
                 reason: lab)"
            )
        );
        assert_eq!(in_force(&profile, TODAY).waivers, []);
        assert_eq!(verdict(&judge_all(&profile, &facts, TODAY, &Selection::default())), Verdict::NotReady);
    }

    #[test]
    fn the_last_14_days_are_announced() {
        let (mut profile, mut facts) = ready();
        disks(&mut facts)[1].controller.as_mut().unwrap().kind = ControllerKind::Ahci;
        for (until, soon) in [(TODAY, true), (TODAY + ANNOUNCED, true), (date!(2026 - 06 - 16), false)] {
            profile.waivers = vec![waiver("hypervisor.controllers", until)];
            let status = judged(&profile, &facts, "hypervisor.controllers").status;
            assert!(
                matches!(status, Status::Waived { ends_soon, .. } if ends_soon == soon),
                "{until}: {status:?}"
            );
        }
    }

    #[test]
    fn another_machine_s_identity_cannot_be_waived_and_an_unknown_one_can() {
        let (_, mut facts) = ready();
        let profile = waiving(&["image.identity"]);
        facts.identity.template = facts.identity.recorded.clone();
        let kept = judged(&profile, &facts, "image.identity");
        assert!(matches!(kept.status, Status::Unmet { .. }), "{kept:?}");
        assert!(kept.note.unwrap().contains("can be waived only where it is unknown"));
        facts.identity.template = Fact::Unknown("no".into());
        assert!(outcome(&profile, &facts, "image.identity").starts_with("waived: lab"));
    }

    #[test]
    fn the_faults_of_a_profile_are_named_with_their_places() {
        let mut profile = waiving(&["scsi.ids", "network.dns", "os.clock", "sizing.memory"]);
        profile.waivers[1].until = date!(2026 - 05 - 31).into();
        profile.waivers[2].until = date!(2099 - 12 - 31).into();
        profile.origins.insert("waivers[0].requirement".into(), "p.yaml:7".into());
        assert_eq!(
            faults(&profile, TODAY),
            [
                "p.yaml:7: waivers[0]: the waiver of scsi.ids has no effect: scsi.ids cannot be waived: data for a disk \
                 without an ID has nowhere to go",
                "waivers[1]: the waiver of network.dns has no effect: it ended on 2026-05-31",
                "waivers[2]: the waiver of os.clock has no effect: it runs until 2099-12-31, and a waiver can run for 400 \
                 days at most",
            ]
        );
    }
}
