//! Check, plan, apply: order and dependencies, the journal, the lock, resuming.

pub mod apply;
pub mod check;
pub mod collect;
mod identity;
pub mod journal;
pub mod lock;
pub mod log;
pub mod offline;
pub mod plan;
pub mod private;
pub mod seal;
pub mod signals;
pub mod state;
pub mod waiting;

pub use apply::apply;
pub use check::check;
pub use plan::plan;

use crate::facts::Facts;
use crate::facts::gather::{Probing, Wanted, gather};
use crate::host::Host;
use crate::profile::{Profile, Server};

pub use crate::state::time::now;

/// The kernel's id of this boot.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Reads everything about `host` that judging it by `profile` needs.
#[must_use]
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
        archive_is_pinned: changes.sha256.is_some(),
        mount_point: profile.retention.mount_point.to_string(),
        probe,
    };
    gather(host, &wanted)
}

/// That a run is going on now, in words: what is read meanwhile is not what will be found when it has ended.
#[must_use]
pub fn under_way(host: &Host) -> Option<String> {
    let holder = host.is_live().then(|| lock::holder(host)).flatten()?;
    Some(format!("a run that changes this host is going on ({holder}): look again when it has ended"))
}

/// Today, UTC: for waivers.
#[must_use]
pub fn today() -> time::Date {
    time::OffsetDateTime::now_utc().date()
}

#[cfg(test)]
mod property_tests;
