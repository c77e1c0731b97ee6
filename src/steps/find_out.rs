//! How a person finds out what the agent could not: read-only looks, never a repair.

use super::is_image;
use crate::facts::Facts;
use crate::state::record::REPAIR;

/// What to look at, by id or section; of two that fit, the id counts.
const LOOKS: &[(&str, &str)] = &[
    ("os", "look at it by hand"),
    ("os.release", "`cat /etc/redhat-release /etc/os-release`"),
    ("os.architecture", "`uname -m`"),
    ("os.hostname", "`hostname`, and HOSTNAME in /etc/sysconfig/network"),
    ("os.timezone", "`date +%Z`, and ZONE in /etc/sysconfig/clock"),
    ("os.clock", "`service ntpd status` and `ntpq -p`, or `chronyc tracking`"),
    ("os.device-nodes", "`ls -l /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty`"),
    ("sizing", "`free -m`, `grep -c ^processor /proc/cpuinfo`, `cat /proc/partitions`"),
    ("layout", "`cat /proc/mounts /etc/fstab`"),
    (
        "layout.own-disks",
        "`cat /proc/mounts /proc/swaps /etc/fstab`, mt-agent disks; and of each disk that answers `blkid -p /dev/DISK*` as root: \
         whether a UUID or label stands there twice (it waits for ever for one that does not answer)",
    ),
    (
        "layout.next-boot",
        "`cat /etc/fstab /boot/grub/grub.conf /boot/grub/device.map`, `df /boot`; and of each disk that answers `blkid -p /dev/DISK*` as \
         root: whether a UUID or label stands there twice (it waits for ever for one that does not answer)",
    ),
    ("layout.free", "`df -h / /var`, `df -i / /var`"),
    ("layout.swap", "`cat /proc/swaps`, and the lines for swap in /etc/fstab"),
    (
        "layout.no-lvm",
        "`df /`: if it names something below /dev/mapper, `dmsetup ls --tree` tells what that is",
    ),
    (
        "layout.boot-loader",
        "`cat /boot/grub/grub.conf`, and `dd if=/dev/sdX bs=512 count=1 | strings` of the root disk and of the root \
         partition: GRUB stands where it is installed",
    ),
    ("network", "`ip addr`, and ONBOOT and BOOTPROTO in /etc/sysconfig/network-scripts/ifcfg-*"),
    ("network.dns", "`cat /etc/resolv.conf`"),
    ("network.hosts-file", "`hostname`, `ip addr`, `cat /etc/hosts`"),
    ("hypervisor", "`lspci`, `ls /sys/block`, and Edit Settings of this VM in vSphere"),
    (
        "hypervisor.vmware",
        "`dmidecode -s system-manufacturer`, and `lspci -d 15ad:`, which lists VMware's devices; vCenter lists its VMs",
    ),
    (
        "hypervisor.tools",
        "`ps -ef | grep -e vmtoolsd -e vmware-guestd`; the VM's summary in vCenter tells it too",
    ),
    ("scsi", "`/lib/udev/scsi_id --whitelisted --device=/dev/sdX` for each disk of /proc/partitions"),
    (
        "scsi.uuid-enabled",
        "`/lib/udev/scsi_id --whitelisted --device=/dev/sdX` for each disk of /proc/partitions; the row disk.EnableUUID \
         in the configuration parameters of this VM in vSphere",
    ),
    (
        "image.identity",
        "compare the BIOS UUID (`dmidecode -s system-uuid`) and the SCSI IDs of the disks (mt-agent disks) with those of \
         the template, in vCenter",
    ),
    ("packages", "`rpm -q` with each name that mt-agent profile show has under packages and files"),
    (
        "custom-changes",
        "`ls -l /etc/.appliedmtcustomchanges /etc/multipath.conf`, and the end of \
         /var/log/appliedmtcustomchanges.log",
    ),
    (
        "custom-changes.restarted",
        "`who -b`, `grep btime /proc/stat`, and `ls -lc /etc/.appliedmtcustomchanges`: the last has to be older than both",
    ),
    (
        "custom-changes.root-disk",
        "`grep wwid /etc/multipath.conf /usr/sbin/blacklistrootdev.sh`, and `/lib/udev/scsi_id --whitelisted \
         --device=/dev/sdX` of the disk that carries /",
    ),
    ("multipath", "`cat /etc/multipath.conf`, `multipath -ll`, `service multipathd status`"),
    (
        "multipath.running",
        "`service multipathd status`, `multipath -ll`; and `multipathd -k'show config'`, what it goes by, beside `multipath -t`, \
         what the file says",
    ),
    ("retention", "`cat /proc/mounts /etc/fstab`, `df -h`, mt-agent disks"),
    (
        "retention.alive",
        "`cat /sys/block/*/device/state`, `dmsetup info`, `multipath -ll`, dmesg; and `dd if=/dev/DISK of=/dev/null bs=4096 \
         count=1 iflag=direct`, which waits for ever where the disk does not answer",
    ),
    ("retention.free", "`df -h` and `df -i` of the retention volume"),
    ("retention.not-cache", "`cat /usr/local/.vx_version`, and `df` of its INSTALLATION_DIR"),
    ("site", "`cat /usr/local/.vx_version /usr/local/drscout.conf`"),
    ("site.configuration-server", "`telnet SERVER 443` from this machine"),
    ("site.process-server", "`telnet SERVER 9443` (or the port of the profile) from this machine"),
    ("site.role", "`grep -i -e role -e platform /usr/local/drscout.conf`"),
    (
        "site.version",
        "`cat /usr/local/.vx_version`; the configuration server's version stands in the portal under Configuration \
         Servers: give it in the profile as site.configuration-server-version",
    ),
];

/// How a person finds out about the requirement `id`, of which these facts do not tell enough: `why`. A record that is lost or
/// damaged has a repair of its own, which shows what it would do and asks.
#[must_use]
pub fn how(id: &str, why: &str, facts: &Facts) -> String {
    if why.contains(REPAIR) && !is_image(facts) {
        let as_root = if facts.privileged { "" } else { "as root: " };
        return format!("{as_root}mt-agent state, then {REPAIR}");
    }
    let section = id.split('.').next().unwrap_or_default();
    let look = |name: &str| LOOKS.iter().find(|(look, _)| *look == name).map(|(_, text)| *text);
    let look = look(id).or_else(|| look(section)).unwrap_or("look by hand at what is named there");
    if is_image(facts) {
        format!("by hand, in the tree or on a machine that was started from it: {look}")
    } else if facts.privileged {
        format!("by hand: {look}; then mt-agent check again")
    } else {
        format!("run mt-agent check as root, which can read more; or by hand, as root: {look}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::ready;
    use super::super::{all, sections};
    use super::*;

    #[test]
    fn of_everything_it_can_be_found_out() {
        let (_, facts) = ready();
        let known = |name: &str| LOOKS.iter().any(|(look, _)| *look == name);
        for requirement in all() {
            let section = requirement.id.split('.').next().unwrap();
            assert!(known(requirement.id) || known(section), "{}", requirement.id);
            assert!(how(requirement.id, "", &facts).contains("by hand: "), "{}", requirement.id);
        }
        for (name, _) in LOOKS {
            let section = name.split('.').next().unwrap();
            assert!(sections().contains(&section) || section == "multipath", "{name}");
        }
    }

    #[test]
    fn nobody_is_told_to_change_anything() {
        for (name, look) in LOOKS {
            for act in
                ["apply", "install ", "--custom-changes", "restart", "mkfs", "mount ", "chmod", "start"]
            {
                assert!(!look.contains(act), "{name}: {look}");
            }
        }
    }

    #[test]
    fn others_than_root_are_told_to_be_root_first() {
        let (_, mut facts) = ready();
        facts.privileged = false;
        assert!(how("os.release", "", &facts).starts_with("run mt-agent check as root"));
    }

    #[test]
    fn a_record_that_is_lost_or_damaged_is_repaired_and_not_compared_by_hand() {
        let (_, mut facts) = ready();
        let why = format!("it is torn: {}", crate::state::record::SEE);
        for id in ["layout.own-disks", "retention.disk", "custom-changes.applied", "image.identity"] {
            assert_eq!(how(id, &why, &facts), "mt-agent state, then mt-agent state repair", "{id}");
        }
        facts.privileged = false;
        assert!(how("image.identity", &why, &facts).starts_with("as root: mt-agent state"));
    }
}
