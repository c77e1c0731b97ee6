//! Whether the machine has restarted since the custom changes.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::changes::Change;
use crate::facts::custom_changes::{Outcome, Record};
use crate::facts::{Fact, Facts};
use crate::profile::Profile;
use crate::state::record::SEE;
use crate::steps::remedy::Remedy;
use crate::steps::{Status, need};

/// A marker this much older than the boot was certainly there before it, in spite of a clock set at boot.
const CLOCK_MARGIN_SECS: u64 = 60;

/// Whether a restart has happened is determined by the boot id that was recorded; where a person ran the script and
/// nothing was recorded, clocks are believed only where both times of the boot agree, with multipath's maps as a further witness.
pub(super) fn restarted(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let boot_id = need(&facts.boot_id, "the boot id")?;
    let changes = &facts.custom_changes;
    let record = need(&changes.record, "the record of the vendor script's run")?.as_ref();
    if let Some(record) = record.filter(|record| !matches!(record.outcome, Outcome::Failed(_))) {
        if record.boot_id.trim().is_empty() {
            return Err(Status::unknown(format!(
                "the record of the vendor script's run does not say in which boot it was: {SEE}"
            )));
        }
        return Ok(if made_again(profile, facts, record)? {
            Status::restart_owed("the vendor script was run again by hand since the machine booted")
        } else if &record.boot_id == boot_id {
            Status::restart_owed("still the boot in which the custom changes were made")
        } else {
            Status::met("another boot than that of the custom changes")
        });
    }
    let marker = need(&changes.marker_ctime_secs, "the marker of the vendor script")?.unwrap_or_default();
    if !in_an_earlier_boot(facts, marker)? {
        return Ok(Status::restart_owed("the custom changes were made by hand since the machine booted"));
    }
    Ok(if need(&facts.multipath.maps, "the multipath maps")?.is_empty() {
        Status::unknown(unproved("multipath has no map"))
    } else {
        Status::met("made by hand before this boot; multipath has its maps")
    })
}

fn unproved(why: &str) -> String {
    format!(
        "the custom changes were made by hand, and nothing proves that the machine has restarted since ({why}): run mt-agent \
         apply, which records this boot, and restart"
    )
}

/// Whether what was made at `marker` (seconds since 1970) was made before this boot. Two times of the boot are held against it:
/// the kernel's, which moves with a clock that is set, and init's record, which may be lost. Before both it is of an earlier boot;
/// after either, or within a minute of one, it is of this boot.
fn in_an_earlier_boot(facts: &Facts, marker: u64) -> Result<bool, Status> {
    let booted = *need(&facts.clock.boot_secs, "the time of boot")?;
    if marker > booted + CLOCK_MARGIN_SECS {
        return Ok(false);
    }
    match &facts.clock.boot_record_secs {
        Fact::Known(record) => Ok(marker + CLOCK_MARGIN_SECS < booted.min(*record)),
        Fact::Unknown(why) | Fact::NotApplicable(why) => {
            Err(Status::unknown(unproved(&format!("when it booted, by the clock of then: {why}"))))
        }
    }
}

/// Whether the marker is not that of the recorded run, but of one in this boot: a person ran the script again after
/// an uninstallation had removed the marker. Both times are of this machine's clock at that time.
fn made_again(profile: &Profile, facts: &Facts, record: &Record) -> Result<bool, Status> {
    let marker = need(&facts.custom_changes.marker_ctime_secs, "the marker of the vendor script")?;
    let started = OffsetDateTime::parse(&record.started_at, &Rfc3339)
        .map_err(|error| Status::unknown(format!("the time of the vendor script's run: {error}: {SEE}")))?;
    let ended = u64::try_from(started.unix_timestamp()).unwrap_or_default()
        + profile.custom_changes.deadline.get().as_secs()
        + CLOCK_MARGIN_SECS;
    match marker {
        Some(marker) if *marker > ended => in_an_earlier_boot(facts, *marker).map(|earlier| !earlier),
        _ => Ok(false),
    }
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
