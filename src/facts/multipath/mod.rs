//! Multipath configuration and maps.

pub mod parse;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::Fact;
use super::disks::{Map, sysfs};
use crate::host::{Host, Kind};

/// The configuration file.
pub const CONFIGURATION: &str = "/etc/multipath.conf";
/// Files that newer multipath-tools read after it; not known on el6.
const MORE: &str = "/etc/multipath/conf.d";

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
    /// Whether a `wwid` entry of the blacklist has no value: it hides nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wwid_without_value: bool,
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
    /// WWID and alias of each `multipath` of the section `multipaths`: the map has that name at every boot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<(String, String)>,
    /// What could not be understood, with line numbers.
    pub problems: Vec<String>,
}

/// Reads the configuration file, and the maps that the kernel has.
#[must_use]
pub fn load(host: &Host) -> Multipath {
    let maps = match host.kind() {
        Kind::Image => Fact::NotApplicable("an image's tree has no maps".into()),
        Kind::Live | Kind::Recorded => Fact::from_result(sysfs::maps(host)),
    };
    Multipath { configuration: Fact::from_result(configuration(host)), maps }
}

fn configuration(host: &Host) -> Result<Option<Configuration>, String> {
    let text = host
        .read_if_exists(CONFIGURATION)
        .map_err(|error| sysfs::needs_root(&error, format!("reading {CONFIGURATION}: {error}")))?;
    let Some(text) = text else { return Ok(None) };
    let mut configuration = parse::parse(text.as_bytes(), parse::Dialect::of(host)).configuration;
    let more = host.list(MORE).map_err(|error| format!("reading {MORE}: {error}"))?;
    let unread = more.iter().filter(|name| name.ends_with(".conf"));
    configuration.problems.extend(unread.map(|name| format!("{MORE}/{name} is there and was not read")));
    Ok(Some(configuration))
}

/// A pattern as multipath takes it: an extended regular expression that may match anywhere. `*` alone
/// stands for everything.
fn regex(pattern: &str) -> Result<Regex, regex::Error> {
    Regex::new(if pattern == "*" { "" } else { pattern })
}

/// Whether `pattern` matches `text`. One that is no regular expression matches nothing (it is among the
/// `problems`); newer multipath-tools negate one that begins with `!`.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    match pattern.strip_prefix('!') {
        Some(rest) => regex(rest).is_ok_and(|regex| !regex.is_match(text)),
        None => regex(pattern).is_ok_and(|regex| regex.is_match(text)),
    }
}

/// Whether the blacklist keeps multipath off the disk with this SCSI ID, kernel name, and INQUIRY vendor and
/// product. As in multipath, each kind of entry has exceptions of its own kind.
#[must_use]
pub fn blacklist_matches(
    configuration: &Configuration,
    wwid: &str,
    devnode: &str,
    vendor: &str,
    product: &str,
) -> bool {
    let any = |patterns: &[String], text: &str| patterns.iter().any(|pattern| matches(pattern, text));
    let device = |devices: &[(String, String)]| {
        devices.iter().any(|(one, other)| {
            (one.is_empty() || matches(one, vendor)) && (other.is_empty() || matches(other, product))
        })
    };
    let c = configuration;
    (any(&c.blacklist_devnodes, devnode) && !any(&c.exception_devnodes, devnode))
        || (device(&c.blacklist_devices) && !device(&c.exception_devices))
        || (any(&c.blacklist_wwids, wwid) && !any(&c.exception_wwids, wwid))
}

#[cfg(test)]
mod tests {
    use super::parse::Dialect;
    use super::*;
    use crate::facts::disks::testing::Tree;

    const ID: &str = "36000c2982b5df41a25811b07e74971e8";

    fn blacklisted(blacklist: &[&str], exceptions: &[&str]) -> bool {
        let section = |name: &str, lines: &[&str]| format!("{name} {{\n{}\n}}\n", lines.join("\n"));
        let text = section("blacklist", blacklist) + &section("blacklist_exceptions", exceptions);
        blacklist_matches(
            &parse::parse(text.as_bytes(), Dialect::Later).configuration,
            ID,
            "sda",
            "VMware",
            "Virtual disk",
        )
    }

    #[test]
    fn entries_are_regular_expressions_that_match_anywhere() {
        let one = |line: &str| blacklisted(&[line], &[]);
        assert!(one(&format!("wwid \"^{ID}$\"")));
        assert!(one("wwid 6000c29"));
        assert!(!one("wwid \"^6000c29\""));
        assert!(!one("wwid \"^36000c29$\""));
        assert!(one("devnode \"^sd[a-z]\""));
        assert!(!one("devnode \"^cciss!c[0-9]d[0-9]*\""));
        assert!(one("devnode \"!^(dasd|nvme)\""));
        assert!(one("wwid *"));
        assert!(!one("wwid \"(\""));
    }

    #[test]
    fn a_device_entry_needs_all_that_it_names() {
        assert!(blacklisted(&["device {", "vendor VMware", "}"], &[]));
        assert!(!blacklisted(&["device {", "vendor VMware", "product CD", "}"], &[]));
        assert!(!blacklisted(&["device {", "vendor InMage", "product \".*\"", "}"], &[]));
    }

    #[test]
    fn an_exception_lifts_an_entry_of_its_own_kind_only() {
        assert!(!blacklisted(&["wwid ^3"], &["wwid 82b5"]));
        assert!(blacklisted(&["devnode ^sd"], &["wwid 82b5"]));
        let device = ["device {", "vendor VMware", "}"];
        assert!(!blacklisted(&device, &device));
    }

    #[test]
    fn no_file_is_known_and_one_that_is_not_read_is_told() {
        let tree = Tree::new();
        tree.file("/sys/block/sda/dev", "8:0\n");
        let read = load(&tree.host());
        assert_eq!(read.configuration, Fact::Known(None));
        assert_eq!(read.maps, Fact::Known(Vec::new()));
        tree.file(CONFIGURATION, "blacklist {\n}\n").file("/etc/multipath/conf.d/x.conf", "");
        let Fact::Known(Some(found)) = load(&tree.host()).configuration else { panic!("not known") };
        assert_eq!(found.problems, ["/etc/multipath/conf.d/x.conf is there and was not read"]);
    }
}
