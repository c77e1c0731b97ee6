//! Multipath configuration and maps.

mod configuration;
mod expression;
mod lexer;
pub mod parse;
mod pattern;
pub(crate) mod unread;

use serde::{Deserialize, Serialize};

pub use self::configuration::{CONFIGURATION, Configuration, IDS, Setting};
pub use self::lexer::Dialect;
#[cfg(test)]
pub(crate) use self::pattern::COMPILED;
pub use self::pattern::{matcher, matches};
use super::daemons::{self, Daemon};
use super::disks::{Map, sysfs};
use super::processes::Processes;
use super::{Fact, services};
use crate::host::{Host, Kind};

/// Files that newer multipath-tools read after it; not known on el6.
const MORE: &str = "/etc/multipath/conf.d";

/// Multipath on this host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Multipath {
    /// /etc/multipath.conf; `Known(None)` when there is none (on el6 that blacklists everything).
    pub configuration: Fact<Option<Configuration>>,
    /// The maps that the kernel has now, from /sys/block/dm-*.
    pub maps: Fact<Vec<Map>>,
    /// The process of multipathd, if it runs.
    #[serde(default = "not_read")]
    pub daemon: Fact<Option<u32>>,
    /// Processes that are called like it and are something else, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
    /// What it has not read of the configuration file yet, in words; `Known(None)` where that is nothing, or it does not run.
    #[serde(default = "not_read")]
    pub unread: Fact<Option<String>>,
    /// The link by which the host starts it at boot, if there is one.
    #[serde(default = "not_read")]
    pub at_boot: Fact<Option<String>>,
}

fn not_read<T>() -> Fact<T> {
    Fact::Unknown("these facts were read by a version that did not look for it".into())
}

impl Multipath {
    /// Nothing of it could be read.
    pub fn unknown(why: &str) -> Self {
        let why = || why.to_owned();
        Self {
            configuration: Fact::Unknown(why()),
            maps: Fact::Unknown(why()),
            daemon: Fact::Unknown(why()),
            others: Vec::new(),
            unread: Fact::Unknown(why()),
            at_boot: Fact::Unknown(why()),
        }
    }
}

/// Reads the configuration file, and the maps that the kernel has.
pub fn load(host: &Host) -> Multipath {
    let maps = match host.kind() {
        Kind::Image => Fact::NotApplicable("an image's tree has no maps".into()),
        Kind::Live | Kind::Recorded => Fact::from_result(sysfs::maps(host)),
    };
    Multipath {
        configuration: Fact::from_result(configuration(host)),
        maps,
        daemon: Fact::needs_kernel(),
        others: Vec::new(),
        unread: Fact::needs_kernel(),
        at_boot: Fact::from_result(services::at_boot(host, SERVICE)),
    }
}

/// The service of multipathd, on el6 as with systemd.
pub const SERVICE: &str = "multipathd";

/// The process of multipathd, if it runs, and what else is called like it.
pub(crate) fn daemon(host: &Host, processes: &Fact<Processes>) -> (Fact<Option<u32>>, Vec<String>) {
    const DAEMON: [Daemon; 1] = [Daemon { name: SERVICE, file: SERVICE, users: &[] }];
    let processes = match processes {
        Fact::Known(processes) => processes,
        Fact::Unknown(why) => return (Fact::Unknown(why.clone()), Vec::new()),
        Fact::NotApplicable(why) => return (Fact::NotApplicable(why.clone()), Vec::new()),
    };
    let found = daemons::find(host, processes, &DAEMON, &|_| false);
    let daemon = match (found.running, found.unknown) {
        (None, Some(why)) => Fact::Unknown(why),
        (running, _) => Fact::Known(running.map(|(_, pid)| pid)),
    };
    (daemon, found.others)
}

/// What multipathd, which is `daemon`, has not read of the configuration file yet.
pub(crate) fn unread(host: &Host, daemon: &Fact<Option<u32>>) -> Fact<Option<String>> {
    match daemon {
        Fact::Known(Some(pid)) => unread::load(host, *pid),
        Fact::Known(None) => Fact::Known(None),
        Fact::Unknown(why) => Fact::Unknown(why.clone()),
        Fact::NotApplicable(why) => Fact::NotApplicable(why.clone()),
    }
}

fn configuration(host: &Host) -> Result<Option<Configuration>, String> {
    let text = host
        .read_if_exists(CONFIGURATION)
        .map_err(|error| sysfs::needs_root(&error, format!("reading {CONFIGURATION}: {error}")))?;
    let Some(text) = text else { return Ok(None) };
    let mut configuration = parse::parse(text.as_bytes(), Dialect::of(host)).configuration;
    let more = host.list(MORE).map_err(|error| format!("reading {MORE}: {error}"))?;
    let unread = more.iter().filter(|name| name.ends_with(".conf"));
    configuration.problems.extend(unread.map(|name| format!("{MORE}/{name} is there and was not read")));
    Ok(Some(configuration))
}

/// A disk, as the blacklist sees it: it may be one that is not attached yet.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Its SCSI ID.
    pub wwid: &'a str,
    /// Its kernel name.
    pub devnode: &'a str,
    /// INQUIRY vendor.
    pub vendor: &'a str,
    /// INQUIRY product.
    pub product: &'a str,
    /// The transport, as later versions call it: `scsi:unspec`.
    pub protocol: &'a str,
}

/// The entry of the blacklist, as it is written, that keeps multipath off one of `disks`, and which of them.
pub fn hidden<'a>(configuration: &Configuration, disks: &[Seen<'a>]) -> Option<(String, Seen<'a>)> {
    hides(configuration, disks, 1).pop().map(|(entry, at)| (entry, disks[at]))
}

/// An entry of the blacklist or of its exceptions.
#[derive(Clone, Copy)]
enum Entry<'c> {
    /// Its key, its expression, and what of a disk that is for.
    One(&'static str, &'c str, for<'s> fn(&Seen<'s>) -> &'s str),
    /// A device: the key of the second expression, that of the vendor, that of the product.
    Device(&'static str, &'c str, &'c str),
}

impl Entry<'_> {
    fn matcher(self) -> Box<dyn Fn(&Seen<'_>) -> bool> {
        match self {
            Self::One(_, pattern, of) => {
                let matches = matcher(pattern);
                Box::new(move |disk| matches(of(disk)))
            }
            Self::Device(_, vendor, product) => {
                let (vendor, product) = (matcher(vendor), matcher(product));
                Box::new(move |disk| vendor(disk.vendor) && product(disk.product))
            }
        }
    }

    /// As it is written.
    fn text(self) -> String {
        match self {
            Self::One(key, pattern, _) => format!("{key} {pattern}"),
            Self::Device(key, vendor, product) => format!("device {{ vendor {vendor} {key} {product} }}"),
        }
    }
}

/// Entries of the blacklist, as they are written, each with the place of one of `disks` that it keeps multipath off: the first
/// for each disk, and `most` at most. As in multipath, each kind of entry has exceptions of its own kind. Each expression is
/// compiled once, and one at a time: there can be thousands, and hundreds of disks.
pub fn hides(configuration: &Configuration, disks: &[Seen<'_>], most: usize) -> Vec<(String, usize)> {
    fn one<'c>(
        key: &'static str,
        of: for<'s> fn(&Seen<'s>) -> &'s str,
        all: [&'c [String]; 2],
    ) -> [Vec<Entry<'c>>; 2] {
        all.map(|patterns| patterns.iter().map(|pattern| Entry::One(key, pattern, of)).collect())
    }
    fn device<'c>(key: &'static str, all: &'c [(String, String)]) -> Vec<Entry<'c>> {
        all.iter().map(|(vendor, product)| Entry::Device(key, vendor, product)).collect()
    }
    let c = configuration;
    let mut devices = device("product", &c.blacklist_devices);
    devices.extend(device("product_blacklist", &c.product_blacklists));
    let kinds = [
        one("devnode", |disk| disk.devnode, [&c.blacklist_devnodes, &c.exception_devnodes]),
        [devices, device("product", &c.exception_devices)],
        one("protocol", |disk| disk.protocol, [&c.blacklist_protocols, &c.exception_protocols]),
        one("wwid", |disk| disk.wwid, [&c.blacklist_wwids, &c.exception_wwids]),
    ];
    let mut found: Vec<(String, usize)> = Vec::new();
    for [entries, exceptions] in kinds {
        let mut left: Vec<usize> = (0..disks.len()).collect();
        left.retain(|at| !found.iter().any(|(_, hidden)| hidden == at));
        for exception in exceptions {
            let matches = exception.matcher();
            left.retain(|&at| !matches(&disks[at]));
        }
        for entry in entries {
            let matches = entry.matcher();
            left.retain(|&at| {
                let hides = found.len() < most && matches(&disks[at]);
                if hides {
                    found.push((entry.text(), at));
                }
                !hides
            });
            if left.is_empty() || found.len() == most {
                break;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::pattern::literal;
    use super::*;
    use crate::facts::disks::testing::Tree;

    const ID: &str = "36000c2982b5df41a25811b07e74971e8";

    fn blacklisted(blacklist: &[&str], exceptions: &[&str]) -> bool {
        let section = |name: &str, lines: &[&str]| format!("{name} {{\n{}\n}}\n", lines.join("\n"));
        let text = section("blacklist", blacklist) + &section("blacklist_exceptions", exceptions);
        let disk = Seen {
            wwid: ID,
            devnode: "sda",
            vendor: "VMware",
            product: "Virtual disk",
            protocol: "scsi:sas",
        };
        hidden(&parse::parse(text.as_bytes(), Dialect::Later).configuration, &[disk]).is_some()
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
    fn what_needs_no_expression_matches_as_the_expression_does() {
        for pattern in
            ["", "^", "$", "^$", "29", "^36", "e8$", ID, &format!("^{ID}$"), "^29", "36$", "!29", "a-b"]
        {
            let bare = pattern.strip_prefix('!').unwrap_or(pattern);
            assert!(literal(bare).is_some(), "{pattern}");
            let regex = Regex::new(bare).unwrap();
            for text in [ID, "", "29", "36", "sda-b"] {
                assert_eq!(
                    matches(pattern, text),
                    regex.is_match(text) != pattern.starts_with('!'),
                    "{pattern} {text}"
                );
            }
        }
        for pattern in ["*", "^*", "3.", "[0-9]", "a|b", r"\$", "^^a", "a$$", "{"] {
            assert!(literal(pattern).is_none(), "{pattern}");
        }
    }

    #[test]
    fn each_disk_is_told_with_its_first_entry() {
        let text = "blacklist {\nwwid a\nwwid b\ndevnode sdb\n}\nblacklist_exceptions {\nwwid ac\n}\n";
        let configuration = parse::parse(text.as_bytes(), Dialect::El6).configuration;
        let disk = |wwid, devnode| Seen { wwid, devnode, vendor: "", product: "", protocol: "" };
        let disks =
            [disk("ab", "sda"), disk("ab", "sdb"), disk("ac", "sdc"), disk("b", "sdd"), disk("c", "sde")];
        let entries = |most| hides(&configuration, &disks, most);
        let all = [("devnode sdb".to_owned(), 1), ("wwid a".to_owned(), 0), ("wwid b".to_owned(), 3)];
        assert_eq!(entries(usize::MAX), all);
        assert_eq!(entries(2), all[..2]);
        assert_eq!(hidden(&configuration, &disks).unwrap().1.devnode, "sdb");
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
