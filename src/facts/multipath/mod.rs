//! Multipath configuration and maps.

use serde::{Deserialize, Serialize};

use super::Fact;
use super::disks::Map;

/// Multipath on this host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Multipath {
    /// /etc/multipath.conf; `Known(None)` when there is none (on el6 that blacklists everything).
    pub configuration: Fact<Option<Configuration>>,
    /// The maps that the kernel has now, from /sys/block/dm-*.
    pub maps: Fact<Vec<Map>>,
}

/// What we need of /etc/multipath.conf.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// `user_friendly_names`, as written.
    pub user_friendly_names: Option<String>,
    /// `find_multipaths`, as written.
    pub find_multipaths: Option<String>,
    /// `wwid` entries of the blacklist: unanchored regular expressions.
    pub blacklist_wwids: Vec<String>,
    /// `devnode` entries of the blacklist: unanchored regular expressions.
    pub blacklist_devnodes: Vec<String>,
    /// `device { vendor … product … }` entries of the blacklist.
    pub blacklist_devices: Vec<(String, String)>,
    /// What could not be understood, with line numbers.
    pub problems: Vec<String>,
}
