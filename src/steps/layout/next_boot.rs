//! The lines of fstab that no other requirement looks at: /boot and whatever a site added.

use crate::facts::Facts;
use crate::facts::fstab::Entry;
use crate::profile::Profile;
use crate::steps::devices::{can_move, same_path};
use crate::steps::{Status, need};

/// File systems that are on no disk of this host, whatever stands in the first column.
const ON_NO_DISK: [&str; 12] = [
    "tmpfs", "proc", "sysfs", "devpts", "devtmpfs", "debugfs", "usbfs", "nfs", "nfs4", "cifs", "iso9660",
    "udf",
];

pub(super) fn next_boot(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let fstab = need(&facts.fstab, "/etc/fstab")?;
    let own = profile.layout.partitions.iter().map(|spec| spec.mount.as_str());
    let own: Vec<&str> = own.chain([profile.retention.mount_point.as_str()]).collect();
    let is_other = |entry: &&Entry| {
        let judged = entry.fs_type == "swap" || own.iter().any(|path| same_path(path, &entry.mount_point));
        let mounted = !entry.options.iter().any(|option| option == "noauto");
        !judged && mounted && !ON_NO_DISK.contains(&entry.fs_type.as_str())
    };
    let moving: Vec<_> = fstab
        .iter()
        .filter(is_other)
        .filter(|entry| can_move(&entry.device))
        .map(|entry| format!("line {} ({} by {})", entry.line, entry.mount_point, entry.device))
        .collect();
    Ok(if moving.is_empty() {
        Status::met("no name in /etc/fstab moves")
    } else {
        Status::unmet(
            format!("/etc/fstab: {}: another device after a restart", moving.join(", ")),
            "names that cannot move",
            "put UUID=... there, with the UUIDs that `blkid` prints, or add noauto",
        )
    })
}

#[cfg(test)]
mod tests {
    use crate::facts::Fact;
    use crate::steps::testing::{entry, fstab, ready, told};

    const ID: &str = "layout.next-boot";

    #[test]
    fn a_line_that_nobody_else_looks_at_has_a_name_that_stays() {
        let (profile, mut facts) = ready();
        assert_eq!(told(&profile, &facts, ID), "met: no name in /etc/fstab moves");
        let moving =
            ["/dev/sda2", "LABEL=boot", "PARTLABEL=b", "/dev/disk/by-path/x", "/dev/dm-0", "/dev/root"];
        for name in moving {
            fstab(&mut facts).push(entry(20, name, "/boot", "ext4", 2));
            let says = told(&profile, &facts, ID);
            let expected =
                format!("unmet: /etc/fstab: line 20 (/boot by {name}): another device after a restart |");
            assert!(says.starts_with(&expected), "{says}");
            fstab(&mut facts).last_mut().unwrap().options = vec!["noauto".into()];
            assert!(told(&profile, &facts, ID).starts_with("met"));
            fstab(&mut facts).pop();
        }
        for (name, fs_type) in
            [("UUID=1", "ext4"), ("server:/x", "nfs"), ("/dev/sr0", "iso9660"), ("none", "tmpfs")]
        {
            fstab(&mut facts).push(entry(20, name, "/x", fs_type, 0));
            assert!(told(&profile, &facts, ID).starts_with("met"), "{name}");
            fstab(&mut facts).pop();
        }
        facts.fstab = Fact::Unknown("why".into());
        assert_eq!(told(&profile, &facts, ID), "unknown: /etc/fstab: why");
    }
}
