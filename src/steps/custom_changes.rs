//! Apply custom changes: the vendor's ApplyCustomChanges.sh, once, and the restart after it.

mod restarted;
mod root_disk;

use std::path::Path;

use super::remedy::{Decision, Remedy, Request};
use super::stage::with_the_script;
use super::status::settle;
use super::{Orders, RemediedBy, Requirement, Status, Waivable, id, need};
use crate::changes::Change;
use crate::changes::custom_changes::DECIDE;
use crate::facts::custom_changes::{BLACKLIST_FLAG, BLACKLIST_SCRIPT, Outcome, running, words};
use crate::facts::{Fact, Facts};
use crate::profile::Profile;
use crate::state::paths::{JOURNAL, SET_ASIDE, VENDOR_SCRIPT};

use restarted::{restart, restarted};
use root_disk::blacklist;

const SHARED: Requirement = Requirement { section: "Apply custom changes", ..Requirement::DEFAULT };

pub const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        id: id::CUSTOM_CHANGES_APPLIED,
        title: "The vendor's ApplyCustomChanges.sh has run to its end",
        why: "It sets up multipath so that disks keep their names while the disks of protected machines come and \
              go. It must run exactly once; its exit status proves nothing, the marker it creates at its end does.",
        by_hand: "Unpack the Unified Agent archive for RHEL 6-64 outside /usr/local, chmod 755 \
                  {custom-changes.script}, run it once, answer Y, and read {custom-changes.log} for \
                  FAILED. It removes /dev/null: see mt-agent explain os.device-nodes.",
        look: "`ls -l {custom-changes.marker} /etc/multipath.conf`, and the end of \
               {custom-changes.log}",
        belongs: with_the_script,
        judge: applied,
        remedy: RemediedBy::Apply(apply),
        orders: Orders { option, ..Orders::NONE },
        ..SHARED
    },
    Requirement {
        id: id::CUSTOM_CHANGES_RESTARTED,
        title: "The machine has restarted since the custom changes",
        why: "Multipath takes the disks over at boot; until then they have names that will not last.",
        by_hand: "Restart the machine.",
        look: "`who -b`, `grep btime /proc/stat`, and `ls -lc {custom-changes.marker}`: the last has to be older than both",
        after: &[id::CUSTOM_CHANGES_APPLIED],
        judge: restarted,
        remedy: RemediedBy::Apply(|_, facts, _| restart(facts)),
        ..SHARED
    },
    Requirement {
        id: id::CUSTOM_CHANGES_ROOT_DISK,
        title: "Multipath leaves this machine's root disk alone",
        why: "The vendor script writes the root disk's SCSI ID into the blacklist. On a clone it is the \
              template's: multipath would then claim the clone's own root disk. A map that holds it already goes at a \
              restart only.",
        by_hand: "Put the root disk's SCSI ID (/lib/udev/scsi_id --whitelisted --device=/dev/sdX) as a wwid line \
                  into the blacklist of /etc/multipath.conf and into /usr/sbin/blacklistrootdev.sh, in place of \
                  the old one; restart.",
        look: "`grep wwid /etc/multipath.conf /usr/sbin/blacklistrootdev.sh`, and `/lib/udev/scsi_id --whitelisted \
               --device=/dev/sdX` of the disk that carries /",
        after: &[id::CUSTOM_CHANGES_APPLIED],
        waiver: Waivable::Never("multipath could claim the root disk at the next boot"),
        judge: root_disk::judge,
        remedy: RemediedBy::Apply(|profile, facts, _| blacklist(profile, facts)),
        ..SHARED
    },
];

/// How the root disk in what the script wrote is judged where the disks in use may not be this host's: as a sign of a copy.
pub fn root_disk_in_blacklist(profile: &Profile, facts: &Facts) -> Status {
    settle(root_disk::judge_of_any_owner(profile, facts))
}

/// How a person said what is to be done after an interrupted run.
fn option(request: &Request) -> Option<String> {
    request.custom_changes.map(|decision| match decision {
        Decision::Accept => "--custom-changes=accept".to_owned(),
        Decision::Rerun => "--custom-changes=rerun".to_owned(),
    })
}

/// What must hold before a retention volume is made, since multipath gives disks their names only after the restart;
/// what the profile waives is not waited for.
pub(super) fn before_retention(profile: &Profile, facts: &Facts) -> Vec<(&'static str, Status)> {
    let waived = |id: &str| profile.waivers.iter().any(|waiver| waiver.requirement == id);
    [
        (id::CUSTOM_CHANGES_APPLIED, settle(applied(profile, facts))),
        (id::CUSTOM_CHANGES_RESTARTED, settle(restarted(profile, facts))),
    ]
    .into_iter()
    .filter(|(id, _)| !waived(id))
    .collect()
}

fn applied(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let changes = &facts.custom_changes;
    let marker = need(&changes.marker_ctime_secs, "the marker of the vendor script")?;
    let record = need(&changes.record, "the record of the vendor script's run")?;
    let outcome = record.as_ref().map(|record| &record.outcome);
    if let Some(why) = living(facts)? {
        return Ok(Status::unknown(why));
    }
    let path = profile.custom_changes.marker.display();
    let expected = format!("{path}, which the script creates at its end");
    let fix = match archive(profile, facts) {
        Ok(archive) => format!("mt-agent apply: it unpacks {} and runs the script once", archive.display()),
        Err(why) => why,
    };
    Ok(match (marker, outcome) {
        // Killed after its marker, or before what it wrote was on disk: what it did is not proved.
        (marker, Some(Outcome::Started)) => {
            let left = match marker {
                Some(_) => format!(" before its outcome was known, although it had made {path}"),
                None => ", and it never runs twice by itself".to_owned(),
            };
            Status::unknown(format!(
                "a run of the vendor script was interrupted (boot {}){left}: read {}, then mt-agent apply \
                 --custom-changes=accept if it did its work, or =rerun if it did not",
                record.as_ref().map(|record| record.boot_id.as_str()).unwrap_or_default(),
                profile.custom_changes.log.display()
            ))
        }
        (Some(_), _) => match need(&facts.multipath.configuration, "/etc/multipath.conf")? {
            Some(_) => match without_effect(profile, facts)? {
                Some(status) => status,
                None => Status::met(match outcome {
                    None | Some(Outcome::Observed | Outcome::Failed(_)) => format!("run by hand; {path}"),
                    _ => path.to_string(),
                }),
            },
            None => Status::unmet(
                format!("{path} is there, but /etc/multipath.conf, which the script writes, is not"),
                expected,
                "find out who removed it; then mt-agent apply --custom-changes=rerun",
            ),
        },
        (None, Some(Outcome::Accepted)) => Status::met("accepted by a person after an interrupted run"),
        (None, Some(Outcome::Applied | Outcome::Observed)) => Status::unmet(
            format!("it ran, but {path} is gone: uninstalling the master target software removes it"),
            expected,
            "mt-agent apply --custom-changes=rerun to run the script again, or =accept to leave its changes as they are",
        ),
        (None, Some(Outcome::Failed(why))) => Status::unmet(
            format!("its last run failed: {why}"),
            expected,
            format!("put that right, then {DECIDE}"),
        ),
        (None, None) => match left_over(profile, facts)? {
            Some(trace) => Status::unknown(format!(
                "{path} is not there, but {trace} is: the vendor script has run here, and it never runs twice by itself: \
                     mt-agent apply --custom-changes=accept if what it did is still in place, or =rerun to run it again"
            )),
            None => Status::unmet(format!("{path} is not there"), expected, fix),
        },
    })
}

/// What a run of the script has left that neither its marker nor our record tells of: uninstalling the master target software
/// removes the one, and a restored system may lack the other.
pub fn left_over(profile: &Profile, facts: &Facts) -> Result<Option<String>, Status> {
    let changes = &facts.custom_changes;
    let log = need(&changes.log_tail, "the log of the vendor script")?;
    Ok(match log {
        // Of a run that says FAILED of nothing no line is judged: that there is a log is the trace.
        Some(_) => Some(profile.custom_changes.log.display().to_string()),
        _ if changes.blacklistrootdev_script => Some(BLACKLIST_SCRIPT.to_owned()),
        _ if changes.blacklistrootdev_flag => Some(BLACKLIST_FLAG.to_owned()),
        _ if is_set_aside(facts)? => Some(format!("a record of its run in {SET_ASIDE}")),
        _ if need(&facts.journal, "the journal")?.vendor_script => {
            Some(format!("its run in the journal ({JOURNAL})"))
        }
        _ => root_disk::is_blacklisted(facts)
            .then(|| "the root disk's SCSI ID in /etc/multipath.conf".to_owned()),
    })
}

/// Whether our record of the run was set aside: what it said cannot be determined, but it is written when the script starts.
fn is_set_aside(facts: &Facts) -> Result<bool, Status> {
    let names = need(&facts.records_set_aside, "what was set aside")?;
    Ok(names.iter().any(|name| VENDOR_SCRIPT.ends_with(&format!("/{name}"))))
}

/// That a run of the script lives of which no end, or no good one, is recorded.
fn living(facts: &Facts) -> Result<Option<String>, Status> {
    let record = need(&facts.custom_changes.record, "the record of the vendor script's run")?.as_ref();
    let Some(record) = record.filter(|record| record.outcome.is_open()) else { return Ok(None) };
    let running = need(&facts.custom_changes.running, "whether the vendor script is still running")?;
    Ok(running.map(|pid| running::in_words(record, pid)))
}

/// How a run that reached its end did not do its work: it says FAILED and goes on, and it says OK without the SCSI ID of
/// the root disk. Whoever has accepted its changes has looked at that.
fn without_effect(profile: &Profile, facts: &Facts) -> Result<Option<Status>, Status> {
    let changes = &facts.custom_changes;
    let record = need(&changes.record, "the record of the vendor script's run")?.as_ref();
    if record.is_some_and(|record| record.outcome == Outcome::Accepted) {
        return Ok(None);
    }
    let log = need(&changes.log_tail, "the log of the vendor script")?;
    let (name, fix) = (profile.custom_changes.log.display(), format!("put that right, then {DECIDE}"));
    if let Some(failures) = log.as_deref().and_then(words::failures) {
        // Where a run by hand begins in the log is not known: an earlier one may have said it.
        return Ok(Some(if record.is_some_and(|record| record.log_bytes.is_some()) {
            let found = format!("it reached its end, but its log says: {failures}");
            Status::unmet(found, "a run that says FAILED of nothing", fix)
        } else {
            let why = format!("{name} says: {failures}; of this run, or of one before it: {fix}");
            Status::Unknown { why }
        }));
    }
    Ok(root_disk::no_id(facts)?.map(|found| {
        let found = format!("it reached its end without the root disk's SCSI ID: {found}");
        Status::unmet(
            found,
            "the root disk's SCSI ID in what it wrote",
            format!("see scsi.uuid-enabled; {fix}"),
        )
    }))
}

/// Runs the script, or carries out what a person decided about an interrupted run.
pub(super) fn apply(profile: &Profile, facts: &Facts, request: &Request) -> Remedy {
    const NEEDS: &[&str] = &[
        id::OS_RELEASE,
        id::DEVICE_NODES,
        id::NO_LVM,
        id::SCSI_IDS,
        id::UUID_ENABLED,
        id::PACKAGES_BASE,
        id::PACKAGES_MULTIPATH,
    ];
    let (Some(marker), Some(record)) =
        (facts.custom_changes.marker_ctime_secs.known(), facts.custom_changes.record.known())
    else {
        return Remedy::None;
    };
    let outcome = record.as_ref().map(|record| &record.outcome);
    match (&facts.custom_changes.running, record) {
        (Fact::Known(None), _) => {}
        // What its end left behind in its group lets no second run begin either.
        (Fact::Known(Some(pid)), Some(record))
            if request.custom_changes.is_some() || record.outcome.is_open() =>
        {
            return Remedy::Refused(running::in_words(record, *pid));
        }
        (Fact::Known(Some(_)), _) => {}
        (Fact::Unknown(why) | Fact::NotApplicable(why), _) => {
            return Remedy::Refused(format!(
                "whether the vendor script is still running cannot be determined: {why}"
            ));
        }
    }
    let run = |rerun| match archive(profile, facts) {
        Ok(archive) => Remedy::With {
            changes: vec![Change::RunCustomChanges {
                archive: archive.to_owned(),
                rerun,
                archive_sha256: None,
            }],
            needs: NEEDS,
        },
        Err(why) if rerun => Remedy::Refused(format!("--custom-changes=rerun: {why}")),
        Err(_) => Remedy::None,
    };
    match (request.custom_changes, marker, outcome) {
        (Some(Decision::Rerun), ..) => run(true),
        (Some(Decision::Accept), _, Some(Outcome::Started))
        | (Some(Decision::Accept), None, Some(Outcome::Applied | Outcome::Observed | Outcome::Failed(_)))
        // It reached its end, and does not hold all the same.
        | (Some(Decision::Accept), Some(_), _) => accept(facts),
        (Some(Decision::Accept), None, None) if matches!(left_over(profile, facts), Ok(Some(_))) => accept(facts),
        (Some(Decision::Accept), ..) => Remedy::Refused(
            "--custom-changes=accept: no run of the vendor script is recorded, so there is nothing to accept; without it, \
             mt-agent apply does what is to be done"
                .to_owned(),
        ),
        (None, None, None) if matches!(left_over(profile, facts), Ok(None)) => run(false),
        (None, ..) => Remedy::None,
    }
}

/// Records that an interrupted run did its work, where it can have done it.
fn accept(facts: &Facts) -> Remedy {
    match &facts.multipath.configuration {
        Fact::Known(Some(_)) => Remedy::one(Change::RecordCustomChanges { accepted: true }),
        Fact::Known(None) => Remedy::Refused(
            "--custom-changes=accept: its changes are not in place, as there is no /etc/multipath.conf; \
             --custom-changes=rerun runs the script again"
                .to_owned(),
        ),
        Fact::Unknown(why) | Fact::NotApplicable(why) => {
            Remedy::Refused(format!("--custom-changes=accept: /etc/multipath.conf: {why}"))
        }
    }
}

/// The archive of the vendor script; or why there is none, and what a person does about it.
fn archive<'a>(profile: &'a Profile, facts: &Facts) -> Result<&'a Path, String> {
    let Some(archive) = &profile.custom_changes.archive else {
        return Err(
            "name the archive of the Unified Agent for RHEL 6-64 in the profile as custom-changes.archive, \
                    then mt-agent apply"
                .to_owned(),
        );
    };
    match &facts.custom_changes.archive_bytes {
        Fact::Known(Some(_)) => Ok(archive),
        Fact::Known(None) => Err(format!(
            "copy the Unified Agent for RHEL 6-64 (latestlinuxmobsvc.tar.gz) from the configuration server to {}, then \
             mt-agent apply",
            archive.display()
        )),
        Fact::Unknown(why) | Fact::NotApplicable(why) => {
            Err(format!("before mt-agent apply can run the script: {why}"))
        }
    }
}

#[cfg(test)]
mod tests;
