//! Partitions, swap and the boot loader.

mod boot_entry;
mod boot_loader;
mod free;
mod leads;
mod next_boot;
mod older;
pub(crate) mod own_disks;
mod partition;
mod swap;
mod unused;

use super::devices::{LayerKind, layers, mount_at};
use super::{Belongs, Orders, Place, RemediedBy, Requirement, Severity, Status, Waivable, id, need};
use crate::facts::Facts;
use crate::profile::Profile;

const SHARED: Requirement = Requirement {
    section: "Install CentOS 6.6",
    look: "`cat /proc/mounts /etc/fstab`",
    belongs: |_| Belongs::Image,
    ..Requirement::DEFAULT
};

pub const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        id: "layout.root",
        title: "/ is a file system of its own, of the right type, in fstab",
        why: "The vendor script finds the root disk by the partition that `mount` shows for /, and its checks \
              know only the type of the procedure.",
        by_hand: "Reinstall with Create Custom Layout and a standard partition for /.",
        judge: |profile, facts| partition::named(profile, facts, "/"),
        ..SHARED
    },
    Requirement {
        id: "layout.var-crash",
        title: "/var/crash is a file system of its own, of the right type, in fstab",
        why: "kdump writes the memory of a crashed kernel there. Without a file system of its own one dump fills \
              /, and replication stops.",
        by_hand: "At installation: Create Custom Layout with a partition for /var/crash. Afterwards: a small disk \
                  of its own for it.",
        judge: |profile, facts| partition::named(profile, facts, "/var/crash"),
        ..SHARED
    },
    Requirement {
        id: "layout.home",
        title: "/home is a file system of its own, of the right type, in fstab",
        why: "The agent archive is unpacked below /home (under /usr/local the later installation fails), and what \
              people leave there must not fill /.",
        by_hand: "At installation: Create Custom Layout with a partition for /home. Afterwards: a small disk of its \
                  own for it.",
        judge: |profile, facts| partition::named(profile, facts, "/home"),
        ..SHARED
    },
    Requirement {
        id: "layout.partitions",
        title: "The further partitions that the profile names are in place",
        why: "The profile of this site asks for more partitions than the procedure.",
        by_hand: "At installation: Create Custom Layout with these partitions. Afterwards: a disk of its own for \
                  each.",
        judge: partition::further,
        ..SHARED
    },
    Requirement {
        id: "layout.swap",
        title: "A swap partition is active and in fstab",
        why: "Under load the receiving processes need more than memory; without swap the kernel ends them in the \
              middle of a failback. A swap file lies on a file system that the dump or the logs can fill.",
        by_hand: "At installation: a partition of type swap. Afterwards: make one on free space or a small disk, \
                  `mkswap`, a line in /etc/fstab, `swapon /dev/PARTITION`.",
        look: "`cat /proc/swaps`, and the lines for swap in /etc/fstab",
        judge: swap::swap,
        ..SHARED
    },
    Requirement {
        id: id::NO_LVM,
        title: "/ does not lie on LVM",
        why: "The vendor script cuts the partition number off the root device and asks that disk for its SCSI ID. \
              On a logical volume it gets an empty one, prints FAILED, carries on and reports success; multipath \
              then claims the root disk.",
        by_hand: "Reinstall with Create Custom Layout: standard partitions, no volume group. Root cannot be moved \
                  off LVM in a supported way.",
        look: "`df /`: if it names something below /dev/mapper, `dmsetup ls --tree` shows what that is",
        judge: no_lvm,
        ..SHARED
    },
    Requirement {
        id: "layout.boot-loader",
        title: "A boot loader is installed on the root disk",
        why: "With the loader on another disk the machine starts only as long as that disk is attached in its \
              place, and disks come and go on a master target.",
        by_hand: "{system.boot-loader}, and see \
                  that its configuration file is there.",
        look: "`cat {system.boot-entries}`, and `dd if=/dev/sdX bs=512 count=1 | strings` of the root disk and of the root \
               partition: GRUB stands where it is installed",
        place: Place::Boot,
        judge: boot_loader::boot_loader,
        ..SHARED
    },
    Requirement {
        id: id::OWN_DISKS,
        title: "This host uses disks of its own alone, and nothing else has their names",
        why: "A protected machine made from the same template has file systems with the same UUIDs. With its disk attached, \
              this host mounts at a restart whichever it finds first, and writes to the customer's.",
        by_hand: "Unmount and release what is not this host's, as the finding says. A disk of this host's own that was added \
                  later: mt-agent apply --own-disk SCSI-ID. For good: in /etc/fstab and in root= of grub.conf, name the system \
                  disk's file systems by /dev/disk/by-id/scsi-SCSI-ID-partN; give the template others (tune2fs -U random, mkswap \
                  -U; never on a protected disk); keep the root disk in the blacklist of /etc/multipath.conf. That LVM takes up \
                  no group of such disks at boot: auto_activation_volume_list = [ ] in the activation section of \
                  /etc/lvm/lvm.conf.",
        look: "`cat /proc/mounts /proc/swaps /etc/fstab`, mt-agent disks; and of each disk that answers `blkid -p /dev/DISK*` as root: \
               whether a UUID or label stands there twice (it waits for ever for one that does not answer)",
        belongs: |_| Belongs::Machine,
        waiver: Waivable::WhereUnknown,
        place: Place::Elsewhere,
        judge: own_disks::own_disks,
        remedy: RemediedBy::Apply(own_disks::record),
        orders: Orders { option: own_disks::option, again: own_disks::is_asked, ..Orders::NONE },
        ..SHARED
    },
    Requirement {
        id: "layout.next-boot",
        title: "The next boot starts this host with the same disks",
        why: "A line by a name that can move mounts at the next boot whatever answers to it then: with the disk of a protected \
              machine attached, that one, and its data changes. A line with a pass number whose device is missing, or whose file system has errors, stops the boot at fsck; so does a boot entry without this host's /.",
        by_hand: "In /etc/fstab, put UUID=... in the place of each /dev/sdX, LABEL=, PARTLABEL= and by-path name (`blkid` \
                  prints the UUIDs), or let the line have noauto and end in 0 0. Remove lines of disks that are gone, or let them end in 0 0. In /boot/grub/grub.conf, \
                  let default=N name an entry whose files are there and whose kernel line has root=UUID=... of / and no nompath, single, \
                  runlevel, rdbreak or init=, and let a line `timeout=5` stand before the first entry. Without links in /dev/disk: start udevd, then udevadm trigger.",
        look: "`cat /etc/fstab {system.boot-entries} /boot/grub/device.map`, `df /boot`; and of each disk that answers `blkid -p /dev/DISK*` as \
               root: whether a UUID or label stands there twice (it waits for ever for one that does not answer)",
        place: Place::Boot,
        judge: next_boot::next_boot,
        ..SHARED
    },
    Requirement {
        id: "layout.free",
        title: "/ and /var have room",
        severity: Severity::Recommended,
        why: "On a full / or /var packages are not installed, logs end, and the master target's services stop.",
        by_hand: "`df -h / /var` and `df -i / /var`; remove what is not needed.",
        look: "`df -h / /var`, `df -i / /var`",
        belongs: |_| Belongs::Machine,
        judge: |_, facts| free::free(facts),
        ..SHARED
    },
];

fn no_lvm(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    if profile.layout.root_on_lvm {
        return Err(Status::not_applicable("the profile allows root on LVM"));
    }
    let mounts = need(&facts.mounts, "the mounts")?;
    let disks = need(&facts.disks, "the disks")?;
    let root = mount_at(mounts, "/").ok_or_else(|| Status::unknown("no mount of / was found"))?;
    let ways: Vec<_> = disks.iter().filter_map(|disk| layers(disk, root.major_minor)).collect();
    let first = ways.first().ok_or_else(|| {
        Status::unknown(format!("/ ({}, {}) lies on no disk that was found", root.fs_type, root.source))
    })?;
    let lvm = ways.iter().flatten().find(|layer| layer.kind == LayerKind::Lvm);
    if lvm.is_some() {
        let under: Vec<_> = ways.iter().filter_map(|way| way.first()).map(|layer| layer.name).collect();
        return Ok(Status::unmet(
            format!("/ lies on the logical volume {} (disk {})", root.source, under.join(", ")),
            "/ on a standard partition",
            "reinstall with Create Custom Layout and standard partitions; do not run the vendor script before",
        ));
    }
    let way: Vec<_> = first.iter().map(|layer| layer.name).collect();
    Ok(Status::met(format!("/ on {}", way.join(" > "))))
}

#[cfg(test)]
mod tests {
    use crate::facts::Fact;
    use crate::facts::disks::Holder;
    use crate::host::DeviceNumber;
    use crate::steps::testing::{Judged, disks};

    fn holder(name: &str, major_minor: impl Into<DeviceNumber>, uuid: &str, holders: Vec<Holder>) -> Holder {
        Holder {
            start_bytes: None,
            name: name.into(),
            major_minor: major_minor.into(),
            dm_name: None,
            dm_uuid: (!uuid.is_empty()).then(|| uuid.into()),
            holders,
        }
    }

    #[test]
    fn root_on_lvm_is_found_at_any_depth() {
        let mut host = Judged::ready("layout.no-lvm");
        host.is("met: / on sda > sda1");

        let Fact::Known(mounts) = &mut host.mounts else { panic!() };
        let root = mounts.iter_mut().rfind(|mount| mount.mount_point == "/").unwrap();
        root.major_minor = "253:5".into();
        root.source = "/dev/mapper/vg0-root".into();
        // A logical volume on an encrypted volume on a RAID of a partition.
        let volume = holder("dm-5", "253:5", "LVM-abc", Vec::new());
        let crypt = holder("dm-4", "253:4", "CRYPT-LUKS1-x", vec![volume]);
        disks(&mut host)[0].partitions[0].holders = vec![holder("md0", "9:0", "", vec![crypt])];
        host.starts("unmet: / lies on the logical volume /dev/mapper/vg0-root (disk sda) |");

        // What is built on top of a logical volume lies on LVM too.
        let top = holder("dm-5", "253:5", "CRYPT-LUKS1-y", Vec::new());
        disks(&mut host)[0].partitions[0].holders = vec![holder("dm-4", "253:4", "LVM-abc", vec![top])];
        host.starts("unmet: / lies on the logical volume");

        host.profile.layout.root_on_lvm = true;
        host.is("not-applicable: the profile allows root on LVM");
        host.profile.layout.root_on_lvm = false;
        host.disks = Fact::Known(Vec::new());
        host.is("unknown: / (ext4, /dev/mapper/vg0-root) lies on no disk that was found");
        host.mounts = Fact::NotApplicable("an image's tree".into());
        host.is("not-applicable: an image's tree");
    }
}
