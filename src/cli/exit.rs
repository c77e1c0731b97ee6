//! The exit codes, the same for every verb (`check --format nagios` alone has the plugin guidelines' own).

/// Ready: every required requirement is met (plan: nothing to change); of a selection, all that was looked at.
pub const READY: u8 = 0;
/// Not ready (plan: there are changes to make).
pub const NOT_READY: u8 = 1;
/// Could not do the work: bad usage, bad profile, not permitted, I/O error.
pub const FAILED: u8 = 2;
/// Ready after a restart that is still owed.
pub const RESTART_OWED: u8 = 3;
