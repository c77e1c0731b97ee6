//! From a requirement that does not hold to the changes that make it hold. Pure: the choice of the retention
//! disk is made here too, from facts and probes alone.

use super::{custom_changes, image, layout, multipath, os, packages, retention};
use crate::changes::Change;
use crate::facts::Facts;
use crate::profile::Profile;

pub use crate::state::request::{Decision, Request, Takeover};

/// What `apply` can do about a requirement that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing: only a person can.
    None,
    /// It could, but must not: why, and what a person decides.
    Refused(String),
    /// A restart makes it hold, once these changes are made.
    Restart {
        /// The changes, often none.
        first: Vec<Change>,
    },
    /// These changes, in this order, once the requirements in `needs` hold.
    With {
        /// The changes.
        changes: Vec<Change>,
        /// Ids of requirements.
        needs: &'static [&'static str],
    },
}

impl Remedy {
    /// One change that needs nothing else.
    #[must_use]
    pub fn one(change: Change) -> Self {
        Self::With { changes: vec![change], needs: &[] }
    }
}

/// What `apply` can do so that the requirement `id` holds.
#[must_use]
pub fn remedy(id: &str, profile: &Profile, facts: &Facts, request: &Request) -> Remedy {
    match id {
        "os.device-nodes" => os::device_nodes::make(facts),
        "layout.own-disks" => layout::own_disks::record(profile, facts, request),
        "image.identity" => image::adopt(facts),
        "packages.base" => packages::install(&profile.packages.base, facts, request),
        "packages.multipath" => packages::install(&profile.packages.multipath, facts, request),
        "packages.reiserfs" => packages::install_files(&profile.files.reiserfs, facts),
        "packages.xfs" => packages::install_files(&profile.files.xfs, facts),
        "custom-changes.applied" => custom_changes::apply(profile, facts, request),
        "custom-changes.restarted" => custom_changes::restart(facts),
        "custom-changes.root-disk" => custom_changes::blacklist(profile, facts),
        "multipath.names" => multipath::names::mend(facts),
        "multipath.finds" => multipath::finds::mend(profile, facts),
        "multipath.running" => multipath::running::mend(profile, facts),
        "retention.disk" => retention::format(profile, facts, request),
        "retention.mounted" => retention::mount(profile, facts, request),
        "retention.persistent" => retention::fstab(profile, facts, request),
        "retention.capacity" => retention::grow(profile, facts, request),
        _ => Remedy::None,
    }
}
