//! In which order file systems are unmounted, and mounted again.

use std::path::Path;

use super::devices::fstab_entry;
use crate::facts::Facts;
use crate::facts::mounts::Mount;
use crate::host::command::pasted;
use crate::host::text;

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
        // Where the file system itself is mounted: there it may stay meanwhile.
        let mut everywhere = all.iter().copied().chain(facts.mounts.known().into_iter().flatten());
        let whole = everywhere.find(|other| {
            other.major_minor == mount.major_minor
                && other.root == "/"
                && other.mount_point != mount.mount_point
        });
        let is_read_only = mount.options.iter().any(|option| option == "ro");
        match whole {
            Some(whole) => {
                let from = format!("{}{}", whole.mount_point.trim_end_matches('/'), mount.root);
                let bind = format!("mount --bind {} {at}", pasted(&from));
                // By one command it would be writable (mount(8), "Bind mounts").
                if is_read_only { format!("{bind} && mount -o remount,ro,bind {at}") } else { bind }
            }
            // A directory of a file system that is mounted nowhere else: the whole of it would be another thing.
            None if mount.root != "/" => format!("mount {at}"),
            None => {
                let options = if is_read_only { " -o ro" } else { "" };
                format!("mount -t {}{options} {} {at}", pasted(&mount.fs_type), pasted(&mount.source))
            }
        }
    };
    all.iter().map(|mount| (*mount, command(mount))).collect()
}

/// What to do first where some of `mounts` hold their files in memory alone, which unmounting drops.
pub(super) fn saved_before(mounts: &[&Mount]) -> Option<String> {
    let in_memory = mounts.iter().filter(|mount| ["tmpfs", "ramfs"].contains(&mount.fs_type.as_str()));
    let at: Vec<String> = in_memory.map(|mount| text::safe(&mount.mount_point)).collect();
    (!at.is_empty()).then(|| format!("save what is in {}, which unmounting drops, then ", at.join(" and ")))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{entry, fstab, mount, ready};
    use super::*;
    use crate::facts::Fact;

    fn points<'a>(all: &[&'a Mount]) -> Vec<&'a str> {
        all.iter().map(|mount| mount.mount_point.as_str()).collect()
    }

    #[test]
    fn a_directory_of_another_file_system_comes_back_as_that_directory() {
        let (_, mut facts) = ready();
        let mut bound = mount("/home/u/ftp", "8:1", "/dev/sda1", 1);
        bound.root = "/srv/ftp".into();
        let home = mount("/home2", "8:9", "/dev/sdy1", 1);
        facts.mounts = Fact::Known(vec![mount("/", "8:1", "/dev/sda1", 1), home, bound.clone()]);
        let command = |facts: &Facts, bound: &Mount| again(facts, &[bound]).remove(0).1;
        assert_eq!(command(&facts, &bound), "mount --bind /srv/ftp /home/u/ftp");
        bound.options = vec!["ro".into()];
        assert_eq!(
            command(&facts, &bound),
            "mount --bind /srv/ftp /home/u/ftp && mount -o remount,ro,bind /home/u/ftp"
        );
        facts.mounts = Fact::Known(vec![bound.clone()]);
        assert_eq!(command(&facts, &bound), "mount /home/u/ftp");
        let mut whole = mount("/data", "8:9", "/dev/sdy1", 1);
        whole.options = vec!["ro".into()];
        assert_eq!(command(&facts, &whole), "mount -t ext4 -o ro /dev/sdy1 /data");
        whole.fs_type = "tmpfs".into();
        let first = "save what is in /data, which unmounting drops, then ";
        assert_eq!(saved_before(&[&whole]).as_deref(), Some(first));
        assert_eq!(saved_before(&[&bound]), None);
    }

    #[test]
    fn what_is_mounted_later_below_or_over_it_goes_first_and_comes_back_last() {
        let (_, mut facts) = ready();
        let line = |line, point| entry(line, "/dev/sdx1", point, "ext4", 0);
        fstab(&mut facts).extend([line(90, "/b/in"), line(91, "/b"), line(92, "/a")]);
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
            |facts: &Facts| again(facts, &found).into_iter().map(|(_, command)| command).collect::<Vec<_>>();
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
