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
use crate::facts::custom_changes::Pinned;
use crate::facts::gather::{Probing, Wanted, gather};
use crate::host::Host;
use crate::profile::{Profile, Server};

pub use self::lock::under_way;
pub use crate::state::time::{now, today};

/// Reads everything about `host` that judging it by `profile` needs.
pub fn read_facts(host: &Host, profile: &Profile, probe: Probing) -> Facts {
    let site = &profile.site;
    let servers = [
        ("configuration-server", site.configuration_server.as_ref().map(Server::endpoint)),
        ("process-server", site.process_server.as_ref().map(Server::endpoint)),
    ]
    .into_iter()
    .filter_map(|(role, server)| server.map(|(address, port)| (role.to_owned(), address.to_owned(), port)))
    .collect();
    let changes = &profile.custom_changes;
    let wanted = Wanted {
        servers,
        marker: changes.marker.to_path_buf(),
        log: changes.log.to_path_buf(),
        archive: changes.archive.as_deref().map(ToOwned::to_owned),
        archive_pinned: if changes.sha256.is_some() { Pinned::Yes } else { Pinned::No },
        mount_point: profile.retention.mount_point.to_string(),
        probe,
    };
    gather(host, &wanted)
}

#[cfg(test)]
mod property_tests;
