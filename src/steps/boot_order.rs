//! Which line of fstab is mounted over another at boot.

use std::path::Path;

use crate::facts::Facts;
use crate::facts::fstab::Entry;

use super::devices::same_path;

/// The line of fstab that hides at boot what `entry` mounts: one for the same directory or one above it that is mounted later.
/// `mount -a` of CentOS 6 goes by the order of the file, and leaves what is of the network to a service that starts later
/// (rc.sysinit, netfs); systemd begins with what lies above.
pub fn covered_by<'a>(facts: &'a Facts, entry: &Entry) -> Option<&'a Entry> {
    const OF_NETWORK: [&str; 7] = ["nfs", "nfs4", "smbfs", "ncpfs", "cifs", "gfs", "gfs2"];
    if facts.os.systemd.known() == Some(&true) {
        return None;
    }
    facts.fstab.known()?.iter().find(|other| {
        let is_late = OF_NETWORK.contains(&other.fs_type.as_str()) || other.has("_netdev");
        let is_mounted = other.fs_type != "swap" && !other.has("noauto") && other.refused.is_none();
        // What is mounted at / is mounted already.
        let is_above = !same_path(&other.mount_point, "/")
            && Path::new(&entry.mount_point).ancestors().any(|above| above == Path::new(&other.mount_point));
        is_mounted && is_above && (other.line > entry.line || is_late && other.line != entry.line)
    })
}

/// What is to be done about it, where they can change places.
pub fn first(cover: &Entry, entry: &Entry) -> String {
    if cover.line < entry.line {
        return format!("remove line {} from /etc/fstab, or mount it elsewhere", cover.line);
    }
    format!("in /etc/fstab, move line {} above line {}, or remove it", cover.line, entry.line)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Judged, entry, fstab};
    use super::*;
    use crate::facts::Fact;

    #[test]
    fn a_later_line_for_the_directory_or_one_above_it_covers_a_mount() {
        let host = Judged::ready("layout.var-crash");
        let last = fstab(&mut host.clone()).last().unwrap().line;
        let with = |line: usize, point: &str, fs_type: &str, option: &str| {
            let mut host = host.clone();
            let mut other = entry(line, "x", point, fs_type, 0);
            other.options = vec![option.into()];
            fstab(&mut host).push(other);
            let covered = |point: &str| {
                let entry = host.fstab.known().unwrap().iter().find(|entry| entry.mount_point == point);
                covered_by(&host, entry.unwrap()).map(|other| other.line)
            };
            (covered("/mnt/retention"), covered("/var/crash"))
        };
        let (later, first) = (last + 1, 1);
        assert_eq!(with(later, "/mnt", "tmpfs", "rw"), (Some(later), None));
        assert_eq!(with(later, "/mnt/", "none", "bind"), (Some(later), None));
        assert_eq!(with(later, "/mnt/retention", "ext4", "nofail"), (Some(later), None));
        assert_eq!(with(later, "/var", "tmpfs", "rw"), (None, Some(later)));
        // What is of the network comes last, wherever it stands.
        assert_eq!(with(first, "/mnt", "nfs", "rw"), (Some(first), None));
        assert_eq!(with(first, "/mnt", "ext4", "_netdev"), (Some(first), None));
        for (line, point, fs_type, option) in [
            (first, "/mnt", "tmpfs", "rw"),
            (later, "/mnt", "tmpfs", "noauto"),
            (later, "/mnt", "swap", "rw"),
            (later, "/mnt/retention2", "tmpfs", "rw"),
            (later, "/mnt/retention/x", "tmpfs", "rw"),
            (later, "/", "ext4", "rw"),
        ] {
            assert_eq!(with(line, point, fs_type, option), (None, None), "{line} {point} {fs_type} {option}");
        }
        let mut host = host.clone();
        fstab(&mut host)
            .extend([entry(20, "tmpfs", "/mnt", "tmpfs", 0), entry(21, "tmpfs", "/var", "tmpfs", 0)]);
        host.of("retention.persistent").is("unmet: line 20 is mounted at /mnt after line 11 and hides /mnt/retention | nothing mounted over /mnt/retention | \
             in /etc/fstab, move line 20 above line 11, or remove it");
        host.is("unmet: line 21 of /etc/fstab is mounted at /var after /var/crash and hides it | /var/crash on an ext4 file system \
             of its own, in /etc/fstab | in /etc/fstab, move line 21 above line 5, or remove it");
        host.os.systemd = Fact::Known(true);
        assert!(host.outcome().starts_with("met: "), "systemd begins above");
        host.of("retention.persistent").starts("met: ");
    }
}
