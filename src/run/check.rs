//! Judging a host: the value that every report format is made from.

use crate::facts::Facts;
use crate::profile::Profile;
use crate::report::Report;
use crate::steps::{self, Selection, Stage, judge_all};

/// Judges `facts` by `profile`. Pure: the date is given, for waivers.
#[must_use]
pub fn check(profile: &Profile, facts: &Facts, selection: &Selection, today: time::Date) -> Report {
    let findings = judge_all(profile, facts, today, selection);
    let mut notes = Vec::new();
    match selection.stage {
        Some(Stage::Image) => {
            notes.push("stage image: what belongs to each machine is not looked at".to_owned());
        }
        Some(Stage::Machine) => {
            notes.push("stage machine: what belongs to the image is not looked at".to_owned());
        }
        None => {}
    }
    if !facts.privileged {
        notes.push("not run as root: what only root can read is unknown".to_owned());
    }
    Report {
        profile: profile.name.clone(),
        host: facts.os.hostname.known().cloned().unwrap_or_else(|| "unknown".to_owned()),
        stage: selection.stage,
        left_out: steps::all().count().saturating_sub(findings.len()),
        findings,
        notes,
        waiting: None,
    }
}
