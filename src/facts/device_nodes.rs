//! The nodes in /dev that every program expects. The vendor's script removes /dev/null as root, and what opens it for
//! writing then makes an ordinary file of it.

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use anyhow::{Context, Result};
use nix::sys::stat::{major, minor};
use nix::sys::statvfs::{FsFlags, statvfs};
use serde::{Deserialize, Serialize};

use super::{Fact, read};
use crate::host::{Host, Kind as Tree};

/// A node as it has to be: a character device of mode [`MODE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standard {
    pub path: &'static str,
    pub major: u64,
    pub minor: u64,
}

const fn standard(path: &'static str, major: u64, minor: u64) -> Standard {
    Standard { path, major, minor }
}

/// The numbers are of the kernel's admin-guide/devices.txt.
pub const STANDARD: [Standard; 6] = [
    standard(NULL, 1, 3),
    standard("/dev/zero", 1, 5),
    standard("/dev/full", 1, 7),
    standard("/dev/random", 1, 8),
    standard("/dev/urandom", 1, 9),
    standard(TTY, 5, 0),
];

/// The mode of each, as udev's 50-udev-default.rules sets it.
pub const MODE: u32 = 0o666;

const NULL: &str = "/dev/null";
const TTY: &str = "/dev/tty";

pub fn paths() -> impl Iterator<Item = &'static str> {
    STANDARD.iter().map(|standard| standard.path)
}

/// What lies in the place of such a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceNode {
    pub path: String,
    /// What it is. A link is not followed.
    pub kind: Kind,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// The name of that group in /etc/group.
    pub group: Option<String>,
}

/// What a file is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Missing,
    Device {
        major: u64,
        minor: u64,
    },
    /// A character device on a file system that is mounted `nodev`: it cannot be opened.
    Closed,
    File {
        bytes: u64,
    },
    /// A directory, which is not replaced.
    Directory,
    Link {
        target: String,
    },
    /// A block device, a pipe or a socket.
    Other,
}

impl DeviceNode {
    fn missing(path: &str) -> Self {
        Self { path: path.into(), kind: Kind::Missing, mode: 0, uid: 0, gid: 0, group: None }
    }

    /// How it differs from the node that has to be there, in words; `None` where it does not.
    pub fn wrong(&self) -> Option<String> {
        let standard = STANDARD.iter().find(|standard| standard.path == self.path)?;
        let (path, mode) = (&self.path, self.mode);
        Some(match &self.kind {
            Kind::Missing => format!("{path} is missing"),
            Kind::File { bytes } => format!("{path} is an ordinary file of mode {mode:03o} ({bytes} bytes)"),
            Kind::Directory => format!("{path} is a directory"),
            Kind::Link { target } => format!("{path} is a link to {target}"),
            Kind::Other => format!("{path} is no character device"),
            Kind::Closed => format!("{path} lies on a file system that is mounted nodev"),
            Kind::Device { major, minor } if (*major, *minor) != (standard.major, standard.minor) => {
                format!("{path} is the device {major}:{minor}")
            }
            Kind::Device { .. } if mode != MODE => format!("{path} has mode {mode:03o}"),
            Kind::Device { .. } => {
                let group = self.gid == 0 || (self.path == TTY && self.group.as_deref() == Some("tty"));
                if self.uid == 0 && group {
                    return None;
                }
                format!("{path} is owned by {}:{}", self.uid, self.gid)
            }
        })
    }
}

pub fn load(host: &Host) -> Fact<Vec<DeviceNode>> {
    match host.kind() {
        Tree::Image => Fact::NotApplicable("a machine has the nodes in /dev from its boot on".into()),
        Tree::Recorded => Fact::from_result(recorded(host)),
        Tree::Live => Fact::from_result(paths().map(|path| look(host, path)).collect::<Result<Vec<_>>>()),
    }
}

pub fn look(host: &Host, path: &str) -> Result<DeviceNode> {
    let place = host.path(path);
    let meta = match place.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(DeviceNode::missing(path)),
        looked => looked.with_context(|| format!("looking at {path}"))?,
    };
    let kind = meta.file_type();
    let kind = if kind.is_char_device() && is_closed(&place).with_context(|| format!("looking at {path}"))? {
        Kind::Closed
    } else if kind.is_char_device() {
        Kind::Device { major: major(meta.rdev()), minor: minor(meta.rdev()) }
    } else if kind.is_file() {
        Kind::File { bytes: meta.len() }
    } else if kind.is_dir() {
        Kind::Directory
    } else if kind.is_symlink() {
        let target = place.read_link().with_context(|| format!("reading the link {path}"))?;
        Kind::Link { target: crate::host::text::safe(&target.to_string_lossy()) }
    } else {
        Kind::Other
    };
    let group = if meta.gid() == 0 { None } else { group_name(&read::text(host, GROUPS)?, meta.gid()) };
    Ok(DeviceNode {
        path: path.into(),
        kind,
        mode: meta.mode() & 0o7777,
        uid: meta.uid(),
        gid: meta.gid(),
        group,
    })
}

/// Whether devices of the mount that `place` lies on can be opened by nobody.
fn is_closed(place: &Path) -> io::Result<bool> {
    Ok(statvfs(place)?.flags().contains(FsFlags::ST_NODEV))
}

const GROUPS: &str = "/etc/group";

/// The id of the group `tty`, which /dev/tty may belong to; `None` where there is no such group.
/// Errors: /etc/group cannot be read.
pub fn tty_group(host: &Host) -> Result<Option<u32>> {
    let groups = read::text(host, GROUPS)?;
    Ok(groups.lines().filter_map(group).find_map(|(name, gid)| (name == "tty").then_some(gid)))
}

fn group_name(groups: &str, gid: u32) -> Option<String> {
    groups.lines().filter_map(group).find_map(|(name, id)| (id == gid).then(|| name.to_owned()))
}

/// Name and id of a line of /etc/group.
fn group(line: &str) -> Option<(&str, u32)> {
    let mut fields = line.split(':');
    Some((fields.next()?, fields.nth(1)?.parse().ok()?))
}

/// A recording has no devices: lines `c MAJOR:MINOR MODE UID:GID GROUP PATH` stand for them.
fn recorded(host: &Host) -> Result<Vec<DeviceNode>> {
    let text = read::text(host, "/commands/dev")?;
    let found =
        |path: &str| text.lines().find_map(|line| recorded_node(line).filter(|node| node.path == path));
    Ok(paths().map(|path| found(path).unwrap_or_else(|| DeviceNode::missing(path))).collect())
}

fn recorded_node(line: &str) -> Option<DeviceNode> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [kind, number, mode, owner, group, path] = words[..] else { return None };
    let kind = match kind {
        "c" => {
            let (major, minor) = number.split_once(':')?;
            Kind::Device { major: major.parse().ok()?, minor: minor.parse().ok()? }
        }
        "f" => Kind::File { bytes: number.parse().ok()? },
        _ => return None,
    };
    let (uid, gid) = owner.split_once(':')?;
    Some(DeviceNode {
        path: path.into(),
        kind,
        mode: u32::from_str_radix(mode, 8).ok()?,
        uid: uid.parse().ok()?,
        gid: gid.parse().ok()?,
        group: Some(group.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    fn node(path: &str, kind: Kind, mode: u32, owner: (u32, u32), group: Option<&str>) -> DeviceNode {
        let group = group.map(str::to_owned);
        DeviceNode { path: path.into(), kind, mode, uid: owner.0, gid: owner.1, group }
    }

    #[test]
    fn each_way_to_be_wrong_has_words_of_its_own() {
        let device = |major, minor| Kind::Device { major, minor };
        let null = |kind, mode| node("/dev/null", kind, mode, (0, 0), None);
        let wrong = |path, kind, mode, owner, group| node(path, kind, mode, owner, group).wrong();
        assert_eq!(wrong("/dev/null", device(1, 3), 0o666, (0, 0), None), None);
        assert_eq!(wrong("/dev/tty", device(5, 0), 0o666, (0, 5), Some("tty")), None);
        for (found, expected) in [
            (DeviceNode::missing("/dev/null"), "/dev/null is missing"),
            (null(Kind::File { bytes: 7 }, 0o644), "/dev/null is an ordinary file of mode 644 (7 bytes)"),
            (null(device(1, 5), 0o666), "/dev/null is the device 1:5"),
            (node("/dev/zero", device(1, 5), 0o600, (0, 0), None), "/dev/zero has mode 600"),
            (node("/dev/full", device(1, 7), 0o666, (99, 0), None), "/dev/full is owned by 99:0"),
            (node("/dev/full", device(1, 7), 0o666, (0, 5), Some("tty")), "/dev/full is owned by 0:5"),
            (node("/dev/tty", device(5, 0), 0o666, (0, 5), Some("users")), "/dev/tty is owned by 0:5"),
            (node("/dev/tty", Kind::Directory, 0o755, (0, 0), None), "/dev/tty is a directory"),
            (null(Kind::Link { target: "/x".into() }, 0o777), "/dev/null is a link to /x"),
            (null(Kind::Closed, 0o666), "/dev/null lies on a file system that is mounted nodev"),
            (null(Kind::Other, 0o666), "/dev/null is no character device"),
        ] {
            assert_eq!(found.wrong().as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_lies_there_is_looked_at_and_no_link_is_followed() {
        let dir = testing::tree(&[
            ("etc/group", "root:x:0:\nbroken\ntty:x:5:\n"),
            ("dev/null", "12345"),
            ("dev/zero", "-> /dev/zero"),
            ("dev/full/x", ""),
        ]);
        let host = Host::image(dir.path());
        let kind = |path| look(&host, path).unwrap().kind;
        assert_eq!(kind("/dev/null"), Kind::File { bytes: 5 });
        assert_eq!(kind("/dev/zero"), Kind::Link { target: "/dev/zero".into() });
        assert_eq!((kind("/dev/full"), kind("/dev/tty")), (Kind::Directory, Kind::Missing));
        assert_eq!(tty_group(&host).unwrap(), Some(5));
        assert_eq!(group_name("tty:x:5:\n", 5).as_deref(), Some("tty"));
        assert!(matches!(load(&host), Fact::NotApplicable(_)));
    }

    #[test]
    fn a_recording_tells_them_and_without_it_they_are_unknown() {
        let dir =
            testing::tree(&[("commands/dev", "c 1:3 666 0:0 root /dev/null\nf 3 644 0:0 root /dev/zero\n")]);
        let Fact::Known(nodes) = load(&Host::recorded(dir.path())) else { panic!() };
        assert_eq!(nodes.len(), STANDARD.len());
        assert_eq!(nodes[0].wrong(), None);
        assert_eq!(nodes[1].wrong().as_deref(), Some("/dev/zero is an ordinary file of mode 644 (3 bytes)"));
        assert_eq!(nodes[2].wrong().as_deref(), Some("/dev/full is missing"));
        let none = testing::tree(&[]);
        assert!(matches!(load(&Host::recorded(none.path())), Fact::Unknown(_)));
        testing::damage("c 1:3 666 0:0 root /dev/null", |line| drop(recorded_node(line)));
    }
}
