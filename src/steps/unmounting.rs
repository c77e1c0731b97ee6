//! In which order file systems are unmounted, and mounted again.

use std::path::Path;

use super::devices::fstab_entry;
use crate::facts::Facts;
use crate::facts::mounts::Mount;
use crate::host::command::pasted;

/// What has to be unmounted before those of `mounts` are that `is_meant` tells, and these, the last first: what was mounted later below
/// or over them goes before.
pub(super) fn order<'a>(
    mounts: impl IntoIterator<Item = &'a Mount>,
    is_meant: impl Fn(&Mount) -> bool,
) -> Vec<&'a Mount> {
    let mut found: Vec<&Mount> = Vec::new();
    for mount in mounts {
        // One that lies on several devices is one.
        let is_same = |other: &&&Mount| {
            (&other.mount_point, &other.source) == (&mount.mount_point, &mount.source)
                && other.major_minor != mount.major_minor
        };
        if found.last().filter(is_same).is_some() {
            continue;
        }
        if is_meant(mount) || found.iter().any(|other| is_below(mount, other)) {
            found.push(mount);
        }
    }
    found.reverse();
    found
}

/// Whether `mount` is at the mount point of `other`, or below that.
fn is_below(mount: &Mount, other: &Mount) -> bool {
    Path::new(&mount.mount_point).starts_with(&other.mount_point)
}

/// The commands that mount again what [`order`] told: first what lines of fstab mount, in their order, each after what it lies below.
pub(super) fn again<'a>(facts: &Facts, unmounted: &[&'a Mount]) -> Vec<(&'a Mount, String)> {
    let line = |mount: &Mount| match facts.fstab.known() {
        Some(fstab) => fstab_entry(fstab, &mount.mount_point).map_or(usize::MAX, |entry| entry.line),
        None => 0,
    };
    let after = |mount: &Mount| {
        let above = unmounted.iter().filter(|other| is_below(mount, other));
        above.map(|other| line(other)).max().unwrap_or_default()
    };
    let mut all: Vec<&Mount> = unmounted.iter().rev().copied().collect();
    all.sort_by_key(|mount| after(mount));
    let command = |mount: &&Mount| {
        let at = pasted(&mount.mount_point);
        if line(mount) != usize::MAX {
            return format!("mount {at}");
        }
        let whole = all.iter().find(|other| other.major_minor == mount.major_minor && other.root == "/");
        match whole.filter(|whole| !std::ptr::eq(**whole, *mount)) {
            Some(whole) => {
                let from = format!("{}{}", whole.mount_point.trim_end_matches('/'), mount.root);
                format!("mount --bind {} {at}", pasted(&from))
            }
            None => format!("mount -t {} {} {at}", pasted(&mount.fs_type), pasted(&mount.source)),
        }
    };
    all.iter().map(|mount| (*mount, command(mount))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{mount, ready};
    use super::*;
    use crate::facts::Fact;
    use crate::facts::fstab::Entry;

    fn points<'a>(all: &[&'a Mount]) -> Vec<&'a str> {
        all.iter().map(|mount| mount.mount_point.as_str()).collect()
    }

    #[test]
    fn what_is_mounted_later_below_or_over_it_goes_first_and_comes_back_last() {
        let (_, mut facts) = ready();
        let Fact::Known(fstab) = &mut facts.fstab else { panic!() };
        let line = |line: usize, point: &str| Entry {
            line,
            device: "/dev/sdx1".into(),
            mount_point: point.into(),
            ..fstab[0].clone()
        };
        let lines = [line(90, "/b/in"), line(91, "/b"), line(92, "/a")];
        fstab.extend(lines);
        let mut bound = mount("/c d", "8:1", "/dev/sdx1", 1);
        bound.root = "/w".into();
        let all = [
            mount("/before", "8:9", "/dev/sdy", 1),
            mount("/a", "8:1", "/dev/sdx1", 1),
            bound,
            mount("/a/net", "0:40", "srv:/x", 1),
            mount("/ab", "8:9", "/dev/sdy", 1),
            mount("/b", "8:1", "/dev/sdx1", 1),
            mount("/b/in", "8:7", "/dev/sdz", 1),
        ];
        let found = order(&all, |mount| mount.major_minor == "8:1");
        assert_eq!(points(&found), ["/b/in", "/b", "/a/net", "/c d", "/a"]);
        let commands =
            |facts: &Facts| again(facts, &found).into_iter().map(|(_, told)| told).collect::<Vec<_>>();
        assert_eq!(
            commands(&facts),
            [
                "mount /b",
                "mount /b/in",
                "mount /a",
                "mount --bind /b/w '/c d'",
                "mount -t ext4 srv:/x /a/net"
            ]
        );
        // Without fstab, in the order in which they were.
        facts.fstab = Fact::Unknown("?".into());
        assert_eq!(commands(&facts), ["mount /a", "mount '/c d'", "mount /a/net", "mount /b", "mount /b/in"]);
    }
}
