//! What counts of /etc/multipath.conf.

use serde::{Deserialize, Serialize};

/// The configuration file.
pub const CONFIGURATION: &str = "/etc/multipath.conf";

/// How multipath and multipathd can be told where a disk's ID comes from, by version: a command (0.4.9), or what udev knows.
pub const IDS: [&str; 3] = ["getuid_callout", "uid_attribute", "uid_attrs"];

/// Something that a section says of the names and IDs of its maps. Of `defaults`, only where the ID comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// `defaults`, `overrides`, `device` (of `devices`) or `multipath` (of `multipaths`).
    pub section: String,
    /// Vendor and product of a device, the WWID of a map; empty for any.
    pub of: (String, String),
    /// `user_friendly_names`, or one of [`IDS`].
    pub key: String,
    /// As written.
    pub value: String,
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
    /// Whether a `wwid` entry of the blacklist has no value: it hides nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wwid_without_value: bool,
    /// Vendor and `product_blacklist` of each `device` of `devices` that has one: entries of the blacklist as well
    /// (`setup_default_blist` of blacklist.c).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub product_blacklists: Vec<(String, String)>,
    /// `devnode` entries of the blacklist: unanchored regular expressions.
    pub blacklist_devnodes: Vec<String>,
    /// `device { vendor … product … }` entries of the blacklist; a part that is not given is empty and
    /// matches everything.
    pub blacklist_devices: Vec<(String, String)>,
    /// `wwid` entries of `blacklist_exceptions`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exception_wwids: Vec<String>,
    /// `devnode` entries of `blacklist_exceptions`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exception_devnodes: Vec<String>,
    /// `device` entries of `blacklist_exceptions`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exception_devices: Vec<(String, String)>,
    /// WWID and alias of each `multipath` of the section `multipaths`: the map has that name at every boot. Of several for one
    /// WWID the last counts; what counts in el6 is the first, which alone is here then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<(String, String)>,
    /// `protocol` entries of the blacklist: later versions alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blacklist_protocols: Vec<String>,
    /// `protocol` entries of `blacklist_exceptions`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exception_protocols: Vec<String>,
    /// What sections beside `defaults` say of names, and any of IDs, in the order of their ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<Setting>,
    /// What could not be understood, with line numbers.
    pub problems: Vec<String>,
}
