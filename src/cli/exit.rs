//! The exit codes, the same for every verb (`check --format nagios` alone has the plugin guidelines' own).

use crate::report::Verdict;
use crate::report::apply::Applied;
use crate::report::ended::Ended;
use crate::report::seal::Sealing;

/// Ready: every required requirement is met (plan: nothing to change); of a selection, all that was looked at.
pub const READY: u8 = 0;
/// Not ready (plan: there are changes to make, or a restart is owed).
pub const NOT_READY: u8 = 1;
/// Could not do the work: bad usage, bad profile, not permitted, I/O error.
pub const FAILED: u8 = 2;
/// Ready after a restart that is still owed.
pub const RESTART_OWED: u8 = 3;

pub fn of_verdict(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Ready | Verdict::SelectionReady => READY,
        Verdict::NotReady => NOT_READY,
        Verdict::RestartOwed => RESTART_OWED,
    }
}

/// The exit code of a run that ended so, where what it came to is no verdict.
pub fn of_ended(ended: Ended) -> u8 {
    match ended {
        Ended::Finished | Ended::Nothing | Ended::NothingWaits | Ended::Forgotten => READY,
        Ended::DryRun | Ended::Declined | Ended::Refused | Ended::Asks => NOT_READY,
        Ended::Interrupted => FAILED,
        Ended::Restarting | Ended::RestartOwed => RESTART_OWED,
    }
}

pub fn of_applied(applied: &Applied) -> u8 {
    match of_ended(applied.ended) {
        READY => match of_verdict(applied.report.verdict()) {
            READY if applied.left.undetermined => NOT_READY,
            code => code,
        },
        code => code,
    }
}

pub fn of_sealing(sealing: &Sealing) -> u8 {
    match sealing.ended {
        _ if !sealing.refusals.is_empty() => NOT_READY,
        Ended::DryRun if sealing.is_idle() => READY,
        ended => of_ended(ended),
    }
}
