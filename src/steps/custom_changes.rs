//! Apply custom changes: the vendor's ApplyCustomChanges.sh, once, and the restart after it.

use std::path::PathBuf;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::devices::{carriers, mount_at};
use super::remedy::{Decision, Remedy, Request};
use super::{Belongs, Requirement, Severity, Status, need};
use crate::changes::Change;
use crate::facts::custom_changes::{Outcome, Record};
use crate::facts::disks::Disk;
use crate::facts::multipath::{self, Configuration};
use crate::facts::{Fact, Facts};
use crate::profile::Profile;

const SECTION: &str = "Apply custom changes";

/// A marker this much older than the boot was certainly there before it, in spite of a clock set at boot.
const CLOCK_MARGIN_SECS: u64 = 60;

/// This section's requirements, in order.
pub const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        id: "custom-changes.applied",
        title: "The vendor's ApplyCustomChanges.sh has run to its end",
        severity: Severity::Required,
        section: SECTION,
        why: "It sets up multipath so that disks keep their names while the disks of protected machines come and \
              go. It must run exactly once; its exit status proves nothing, the marker it creates at its end does.",
        by_hand: "Unpack the Unified Agent archive for RHEL 6-64 outside /usr/local, chmod 755 \
                  ApplyCustomChanges.sh, run it once, answer Y, and read /var/log/appliedmtcustomchanges.log for \
                  FAILED.",
        changeable: true,
        belongs: Belongs::Machine,
        after: &[],
        judge: applied,
    },
    Requirement {
        id: "custom-changes.restarted",
        title: "The machine has restarted since the custom changes",
        severity: Severity::Required,
        section: SECTION,
        why: "Multipath takes the disks over at boot; until then they have names that will not last.",
        by_hand: "Restart the machine.",
        changeable: true,
        belongs: Belongs::Machine,
        after: &["custom-changes.applied"],
        judge: restarted,
    },
    Requirement {
        id: "custom-changes.root-disk",
        title: "The multipath blacklist names this machine's root disk",
        severity: Severity::Required,
        section: SECTION,
        why: "The vendor script writes the root disk's SCSI ID into the blacklist. On a clone it is the \
              template's: multipath would then claim the clone's own root disk.",
        by_hand: "Put the root disk's SCSI ID (/lib/udev/scsi_id --whitelisted --device=/dev/sdX) as a wwid line \
                  into the blacklist of /etc/multipath.conf and into /usr/sbin/blacklistrootdev.sh, in place of \
                  the old one; restart.",
        changeable: true,
        belongs: Belongs::Machine,
        after: &["custom-changes.applied"],
        judge: |_, facts| root_disk(facts).unwrap_or_else(|status| status),
    },
];

/// What must hold before a retention volume is made, since multipath gives disks their names only after the restart;
/// what the profile waives is not waited for.
pub(super) fn before_retention(profile: &Profile, facts: &Facts) -> Vec<(&'static str, Status)> {
    let waived = |id: &str| profile.waivers.iter().any(|waiver| waiver.requirement == id);
    [
        ("custom-changes.applied", applied(profile, facts)),
        ("custom-changes.restarted", restarted(profile, facts)),
    ]
    .into_iter()
    .filter(|(id, _)| !waived(id))
    .collect()
}

fn applied(profile: &Profile, facts: &Facts) -> Status {
    judge_applied(profile, facts).unwrap_or_else(|status| status)
}

fn judge_applied(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let changes = &facts.custom_changes;
    let marker = need(&changes.marker_ctime_secs, "the marker of the vendor script")?;
    let record = need(&changes.record, "the record of the vendor script's run")?;
    let outcome = record.as_ref().map(|record| &record.outcome);
    let path = profile.custom_changes.marker.display();
    let expected = format!("{path}, which the script creates at its end");
    let fix = match archive(profile, facts) {
        Ok(archive) => format!("mt-agent apply: it unpacks {} and runs the script once", archive.display()),
        Err(why) => why,
    };
    Ok(match (marker, outcome) {
        // Killed after its marker, or before what it wrote was on disk: what it did is not proved.
        (Some(_), Some(Outcome::Started)) => Status::Unknown {
            why: format!(
                "a run of the vendor script was interrupted (boot {}) before its outcome could be told, although it \
                 had made {path}: read {}, then mt-agent apply --custom-changes=accept if it did its work, or =rerun \
                 if it did not",
                record.as_ref().map(|record| record.boot_id.as_str()).unwrap_or_default(),
                profile.custom_changes.log.display()
            ),
        },
        (Some(_), _) => match need(&facts.multipath.configuration, "/etc/multipath.conf")? {
            Some(_) => Status::met(match outcome {
                None | Some(Outcome::Observed | Outcome::Failed(_)) => format!("run by hand; {path}"),
                _ => path.to_string(),
            }),
            None => Status::unmet(
                format!("{path} is there, but /etc/multipath.conf, which the script writes, is not"),
                expected,
                "find out who removed it; then mt-agent apply --custom-changes=rerun",
            ),
        },
        (None, Some(Outcome::Started)) => Status::Unknown {
            why: format!(
                "a run of the vendor script was interrupted (boot {}), and it never runs twice by itself: read {}, \
                 then mt-agent apply --custom-changes=accept if it did its work, or =rerun if it did not",
                record.as_ref().map(|record| record.boot_id.as_str()).unwrap_or_default(),
                profile.custom_changes.log.display()
            ),
        },
        (None, Some(Outcome::Accepted)) => Status::met("accepted by a person after an interrupted run"),
        (None, Some(Outcome::Applied | Outcome::Observed)) => Status::unmet(
            format!("it ran, but {path} is gone: uninstalling the master target software removes it"),
            expected,
            "mt-agent apply --custom-changes=rerun to run the script again, or =accept to leave its changes as they are",
        ),
        (None, Some(Outcome::Failed(why))) => {
            Status::unmet(format!("its last run failed: {why}"), expected, fix)
        }
        (None, None) => Status::unmet(format!("{path} is not there"), expected, fix),
    })
}

/// Runs the script, or carries out what a person decided about an interrupted run.
pub(super) fn apply(profile: &Profile, facts: &Facts, request: &Request) -> Remedy {
    const NEEDS: &[&str] = &[
        "os.release",
        "layout.no-lvm",
        "scsi.ids",
        "scsi.uuid-enabled",
        "packages.base",
        "packages.multipath",
    ];
    let (Some(marker), Some(record)) =
        (facts.custom_changes.marker_ctime_secs.known(), facts.custom_changes.record.known())
    else {
        return Remedy::None;
    };
    let outcome = record.as_ref().map(|record| &record.outcome);
    let run = |rerun| match archive(profile, facts) {
        Ok(archive) => Remedy::With {
            changes: vec![Change::RunCustomChanges { archive: archive.clone(), rerun, archive_sha256: None }],
            needs: NEEDS,
        },
        Err(why) if rerun => Remedy::Refused(format!("--custom-changes=rerun: {why}")),
        Err(_) => Remedy::None,
    };
    match (request.custom_changes, marker, outcome) {
        (Some(Decision::Rerun), ..) => run(true),
        (Some(Decision::Accept), _, Some(Outcome::Started))
        | (Some(Decision::Accept), None, Some(Outcome::Applied | Outcome::Observed)) => {
            accept(facts)
        }
        (Some(Decision::Accept), ..) => Remedy::Refused(
            "--custom-changes=accept: no interrupted run of the vendor script is recorded, so there is nothing to \
             accept; without it, mt-agent apply does what is to be done"
                .to_owned(),
        ),
        (None, None, None | Some(Outcome::Failed(_))) => run(false),
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
fn archive<'a>(profile: &'a Profile, facts: &Facts) -> Result<&'a PathBuf, String> {
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

/// Whether a restart has happened is told from the boot id that was recorded; where a person ran the script and
/// nothing was recorded, the clocks are believed only with multipath's maps as a second witness.
fn restarted(profile: &Profile, facts: &Facts) -> Status {
    judge_restarted(profile, facts).unwrap_or_else(|status| status)
}

fn judge_restarted(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let boot_id = need(&facts.boot_id, "the boot id")?;
    let changes = &facts.custom_changes;
    let record = need(&changes.record, "the record of the vendor script's run")?.as_ref();
    if let Some(record) = record.filter(|record| !matches!(record.outcome, Outcome::Failed(_))) {
        return Ok(if made_again(profile, facts, record)? {
            Status::RestartOwed {
                found: "the vendor script was run again by hand since the machine booted".to_owned(),
            }
        } else if &record.boot_id == boot_id {
            Status::RestartOwed { found: "still the boot in which the custom changes were made".to_owned() }
        } else {
            Status::met("another boot than that of the custom changes")
        });
    }
    let marker = need(&changes.marker_ctime_secs, "the marker of the vendor script")?.unwrap_or_default();
    let booted = *need(&facts.clock.boot_secs, "the time of boot")?;
    let maps = need(&facts.multipath.maps, "the multipath maps")?;
    Ok(if marker > booted + CLOCK_MARGIN_SECS {
        Status::RestartOwed {
            found: "the custom changes were made by hand since the machine booted".to_owned(),
        }
    } else if marker + CLOCK_MARGIN_SECS < booted && !maps.is_empty() {
        Status::met("made by hand before this boot; multipath has its maps")
    } else {
        Status::Unknown {
            why: "the custom changes were made by hand, and nothing proves that the machine has restarted since: \
                  run mt-agent apply, which records this boot, and restart"
                .to_owned(),
        }
    })
}

/// Whether the marker is not that of the recorded run, but of one in this boot: a person ran the script again after
/// an uninstallation had removed the marker. Both times are of this machine's clock at that time.
fn made_again(profile: &Profile, facts: &Facts, record: &Record) -> Result<bool, Status> {
    let marker = need(&facts.custom_changes.marker_ctime_secs, "the marker of the vendor script")?;
    let started = OffsetDateTime::parse(&record.started_at, &Rfc3339)
        .map_err(|error| Status::Unknown { why: format!("the time of the vendor script's run: {error}") })?;
    let ended = u64::try_from(started.unix_timestamp()).unwrap_or_default()
        + profile.custom_changes.deadline.as_secs()
        + CLOCK_MARGIN_SECS;
    if marker.is_none_or(|marker| marker <= ended) {
        return Ok(false);
    }
    let booted = *need(&facts.clock.boot_secs, "the time of boot")?;
    Ok(marker.is_some_and(|marker| marker > booted + CLOCK_MARGIN_SECS))
}

/// The restart; a run by hand is recorded first, so that the next boot can be told from this one.
pub(super) fn restart(facts: &Facts) -> Remedy {
    let changes = &facts.custom_changes;
    let by_hand =
        matches!(changes.record.known(), Some(None | Some(Record { outcome: Outcome::Failed(_), .. })))
            && changes.marker_ctime_secs.known().is_some_and(Option::is_some);
    let first = if by_hand { vec![Change::RecordCustomChanges { accepted: false }] } else { Vec::new() };
    Remedy::Restart { first }
}

/// The disk that carries `/`, and its SCSI ID.
fn root(facts: &Facts) -> Result<(&Disk, &str), Status> {
    let mount = mount_at(need(&facts.mounts, "the mounts")?, "/")
        .ok_or_else(|| Status::Unknown { why: "what carries / is not among the mounts".to_owned() })?;
    let disk = carriers(need(&facts.disks, "the disks")?, &mount.major_minor).into_iter().next().ok_or_else(
        || Status::Unknown { why: format!("which disk carries / ({}) could not be told", mount.source) },
    )?;
    match &disk.scsi_id {
        Some(id) => Ok((disk, id)),
        None => Err(Status::unmet(
            format!(
                "the root disk {} has no SCSI ID: {}",
                disk.name,
                disk.scsi_id_error.as_deref().unwrap_or("no reason is known")
            ),
            "a SCSI ID to blacklist",
            "see scsi.uuid-enabled: it needs disk.EnableUUID",
        )),
    }
}

fn root_disk(facts: &Facts) -> Result<Status, Status> {
    let configuration = need(&facts.multipath.configuration, "/etc/multipath.conf")?;
    let in_script = need(&facts.custom_changes.blacklistrootdev_id, "/usr/sbin/blacklistrootdev.sh")?;
    let (disk, id) = root(facts)?;
    let expected = format!("{id} ({}) in the blacklist and in /usr/sbin/blacklistrootdev.sh", disk.name);
    let fix = "mt-agent apply writes the right SCSI ID and keeps the old files; or by hand, see \
               mt-agent explain custom-changes.root-disk";
    let Some(configuration) = configuration else {
        let fix =
            "find out who removed it, and bring it back or unpack and run the vendor's script again by hand";
        return Ok(Status::unmet("there is no /etc/multipath.conf", expected, fix));
    };
    if !blacklisted(configuration, id) {
        let found = match configuration.blacklist_wwids.as_slice() {
            [] => "no wwid is blacklisted".to_owned(),
            wwids => format!("blacklisted: {}", wwids.join(", ")),
        };
        return Ok(Status::unmet(found, expected, fix));
    }
    if let Some(found) = not_it_alone(configuration, need(&facts.disks, "the disks")?, id) {
        return Ok(Status::unmet(found, "the root disk alone hidden from multipath", CORRECT_BY_HAND));
    }
    Ok(match in_script {
        Some(other) if other != id => {
            Status::unmet(format!("/usr/sbin/blacklistrootdev.sh has {other}"), expected, fix)
        }
        _ if !configuration.problems.is_empty() => Status::Unknown {
            why: format!(
                "{} is not understood: {}",
                multipath::CONFIGURATION,
                configuration.problems.join("; ")
            ),
        },
        _ => Status::met(format!("{id} ({})", disk.name)),
    })
}

const CORRECT_BY_HAND: &str = "correct that entry of /etc/multipath.conf by hand, and restart";

/// Whether a wwid entry of the blacklist matches `id`.
fn blacklisted(configuration: &Configuration, id: &str) -> bool {
    configuration.blacklist_wwids.iter().any(|entry| multipath::matches(entry, id))
}

/// How the blacklist hides other disks than the root disk, or not the root disk after all.
fn not_it_alone(configuration: &Configuration, disks: &[Disk], id: &str) -> Option<String> {
    if let Some(entry) = configuration.exception_wwids.iter().find(|entry| multipath::matches(entry, id)) {
        return Some(format!(
            "`wwid {entry}` of blacklist_exceptions takes the root disk out of the blacklist again"
        ));
    }
    // Disks that are attached later count too: an entry for one disk matches no ID that differs at either end.
    let first_differs: String = id.chars().skip(1).collect();
    let last_differs: String = id.chars().take(id.chars().count().saturating_sub(1)).collect();
    let others = [format!("_{first_differs}"), format!("{last_differs}_")];
    let is_wide = |entry: &&String| {
        multipath::matches(entry, id) && others.iter().any(|other| multipath::matches(entry, other))
    };
    if let Some(entry) = configuration.blacklist_wwids.iter().find(is_wide) {
        return Some(format!("`wwid {entry}` hides other disks than the root disk from multipath"));
    }
    disks.iter().find_map(|disk| {
        let other = disk.scsi_id.as_deref().filter(|other| *other != id)?;
        let (vendor, model) = (disk.vendor.as_deref().unwrap_or(""), disk.model.as_deref().unwrap_or(""));
        multipath::blacklist_matches(configuration, other, &disk.name, vendor, model)
            .then(|| format!("the blacklist hides {} ({other}) from multipath too", disk.name))
    })
}

/// Names this machine's root disk in the blacklist, in place of the one that is stale.
pub(super) fn blacklist(facts: &Facts) -> Remedy {
    // Before the script has run there is nothing stale: it writes the blacklist itself.
    let changes = &facts.custom_changes;
    let accepted = |record: &Record| record.outcome == Outcome::Accepted;
    let ran = changes.marker_ctime_secs.known().is_some_and(Option::is_some)
        || changes.record.known().and_then(Option::as_ref).is_some_and(accepted);
    if !ran {
        return Remedy::None;
    }
    let Ok((_, id)) = root(facts) else { return Remedy::None };
    let stale =
        facts.custom_changes.blacklistrootdev_id.known().and_then(Option::as_deref).filter(|old| *old != id);
    let Some(Some(configuration)) = facts.multipath.configuration.known() else { return Remedy::None };
    let disks = facts.disks.known().map(Vec::as_slice).unwrap_or_default();
    // What is wrong beside the stale entry is a person's to correct.
    if let Some(found) = (stale.is_none() && blacklisted(configuration, id))
        .then(|| not_it_alone(configuration, disks, id))
        .flatten()
    {
        return Remedy::Refused(format!("{found}: {CORRECT_BY_HAND}"));
    }
    let change = Change::BlacklistRootDisk { scsi_id: id.to_owned(), replaces: stale.map(str::to_owned) };
    // An ID that another disk shares would blacklist that disk too.
    Remedy::With { changes: vec![change], needs: &["scsi.ids-unique"] }
}

#[cfg(test)]
#[path = "custom_changes_tests.rs"]
mod tests;
