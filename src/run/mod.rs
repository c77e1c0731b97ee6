//! Check, plan, apply: order and dependencies, the journal, the lock, resuming.

pub(crate) mod apply;
pub mod check;
pub(crate) mod collect;
mod disks;
mod engine;
mod identity;
pub mod journal;
mod kickstart;
mod lock;
pub(crate) mod log;
pub(crate) mod offline;
pub mod plan;
pub(crate) mod private;
pub(crate) mod read_only;
mod recorder;
pub(crate) mod seal;
mod signals;
pub(crate) mod sources;
pub(crate) mod state;
pub mod waiting;
pub(crate) mod watcher;

pub use check::check;
pub use disks::disks;
pub use kickstart::kickstart;
pub use plan::plan;
pub use sources::check_profile;

use crate::facts::Facts;
use crate::facts::boot_id::PATH as BOOT_ID;
use crate::facts::gather::{Probing, Wanted, gather};
use crate::host::Host;
use crate::profile::Profile;

pub use self::lock::under_way;
pub use crate::state::time::{now, today};

/// Reads everything about `host` that judging it by `profile` needs.
pub fn read_facts(host: &Host, profile: &Profile, probe: Probing) -> Facts {
    gather(host, &Wanted::by_profile(profile, probe))
}

#[cfg(test)]
mod property_tests;
