//! `mt-agent` turns a fresh Linux VM into a *Linux master target*, the VM that receives failback data in
//! Azure Site Recovery, and proves later that it still is one.
//!
//! One direction, no way back:
//!
//! ```text
//! profile (what a master target must be)  --+
//!                                           +--> steps judge --> findings --> report
//! facts   (what this host is, read once)  --+        |
//!                                                    +--> changes planned --> performed --> journal
//! ```
//!
//! The rooms, from the top down. A lower one never names a higher one, those of one line do not name each other, and no
//! two files import each other: tests/layers holds the source against that.
//!
//! - [`cli`]: clap types, one file a verb, and the exit codes
//! - [`run`]: check, plan, apply, seal; their order, the lock, resuming
//! - [`report`]: one file a format; [`image`]: golden images: the installation that they come from, sealing
//! - [`steps`]: the procedure: requirements, judged purely from a profile and facts
//! - [`changes`]: the only code that alters a host, one file a kind of change
//! - [`platform`]: what differs by the family of the system
//! - [`facts`]: what the host is, one file a subject
//! - [`profile`]: what a master target must be; [`state`]: what the agent keeps on a host: every path and record
//! - [`host`]: the seam to the operating system

#![cfg_attr(not(test), warn(clippy::fn_params_excessive_bools))]
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "files of a test are not the host's"))]

pub mod changes;
pub mod cli;
pub mod facts;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod host;
pub mod image;
pub mod platform;
pub mod profile;
pub mod report;
pub mod run;
pub mod state;
pub mod steps;
#[cfg(test)]
mod testing;
